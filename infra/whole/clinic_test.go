package whole

// clinic is a small organization with somebody for each rule:
//
//	clinic ─┬─ east ─┬─ east-1      ada, abe   full administrators
//	        │        └─ east-2      lena       local administrator of east; may give frontline
//	        └─ west ─── west-1      sam        support: may impersonate, may give no role
//	                                vera       support, of the vendor
//	                                hugo       support in east alone
//	                                rita       designs roles; administers nobody
//	mia, noel (no e-mail), finn: frontline in east-1; wes: in west-1; lea: leads east
//	cap captures, wally is a wallboard, kim a kiosk, otto offline, ina inactive, seth being set up
//	svc reads and writes for services
func clinic() object {
	return object{
		"organization": object{"name": "Clinic"},
		"locations": []object{
			{"id": "clinic", "name": "Clinic", "parent": nil},
			{"id": "east", "name": "East", "parent": "clinic"}, {"id": "east-1", "name": "East 1", "parent": "east"}, {"id": "east-2", "name": "East 2", "parent": "east"},
			{"id": "west", "name": "West", "parent": "clinic"}, {"id": "west-1", "name": "West 1", "parent": "west"},
		},
		"workflows": []object{{"id": "improvement", "name": "Improvement"}, {"id": "safety", "name": "Safety"}},
		"templates": []object{
			{"id": "idea", "name": "Idea", "workflow": "improvement", "teamType": "simple"},
			{"id": "opportunity", "name": "Opportunity", "workflow": "improvement", "teamType": "standard"},
			{"id": "a3", "name": "A3", "workflow": "safety", "teamType": "advanced"},
		},
		"roles": clinicRoles(),
		"users": clinicUsers(),
		"items": []object{
			{"id": "i1", "template": "idea", "locations": []string{"east-1"}, "status": "active", "team": object{"author": []string{"mia"}, "follower": []string{"finn"}}},
			{"id": "i2", "template": "idea", "locations": []string{"east-2"}, "status": "new"},
			{"id": "i3", "template": "opportunity", "locations": []string{"west-1"}, "status": "active", "private": true},
			{"id": "i4", "template": "idea", "locations": []string{"west-1"}, "status": "active"},
			{"id": "i5", "template": "idea", "locations": []string{"east-1"}, "status": "draft", "team": object{"author": []string{"lea"}}},
		},
	}
}

func clinicRoles() []object {
	support := object{"globalUserAdministrator": object{"createUsers": false, "grantableRoles": []string{}}, "impersonateUser": true}
	return []object{
		{"id": "admin", "name": "Administrator", "admin": object{
			"globalUserAdministrator": object{"createUsers": true, "grantableRoles": "all"},
			"roleAdministrator":       true, "qualityAdministrator": true, "systemAdministrator": true,
		}},
		{"id": "local", "name": "Local administrator", "admin": object{
			"localUserAdministrator": object{"scope": "location_and_below", "createUsers": true, "grantableRoles": []string{"frontline"}},
		}},
		{"id": "support", "name": "Support", "admin": support},
		{"id": "local-support", "name": "Local support", "admin": object{
			"localUserAdministrator": object{"scope": "location_and_below", "grantableRoles": []string{}}, "impersonateUser": true,
		}},
		{"id": "designer", "name": "Role designer", "admin": object{"roleAdministrator": true}},
		{"id": "frontline", "name": "Frontline", "persona": "frontline", "grants": []object{
			{"workflows": []string{"improvement"}, "permissions": object{"participate": true, "view": "location_and_below"}},
		}},
		{"id": "lead", "name": "Lead", "persona": "leader", "grants": []object{
			{"workflows": []string{"improvement"}, "permissions": object{"view_new": "location_and_below", "edit": "location_and_below", "delete": "location_and_below"}},
		}, "advanced": []string{"create_boards"}},
		{"id": "ward", "name": "Ward", "specificLocations": []string{"west-1"}, "grants": []object{
			{"workflows": []string{"improvement"}, "permissions": object{"view": "only_location"}},
		}},
		{"id": "service", "name": "Service", "admin": object{"accessReader": true, "itemWriter": true}},
	}
}

// clinicUsers all have a password, whether their type lets them in or not.
func clinicUsers() []object {
	user := func(id, kind, location, persona string, roles ...string) object {
		held := []object{}
		for _, role := range roles {
			held = append(held, object{"role": role})
		}
		u := object{
			"id": id, "name": "The " + id, "email": id, "type": kind, "locations": []string{location},
			"roles": held, "password": password,
		}
		if persona != "" {
			u["persona"] = persona
		}
		return u
	}
	vera, noel := user("vera", "general", "clinic", "", "support"), user("noel", "general", "east-1", "frontline", "frontline")
	vera["internal"] = true
	delete(noel, "email")
	return []object{
		user("ada", "general", "clinic", "champion", "admin"), user("abe", "general", "clinic", "champion", "admin"),
		user("lena", "general", "east", "leader", "local"), user("sam", "general", "clinic", "ci_coach", "support"),
		vera, user("hugo", "general", "east", "", "local-support"), user("rita", "general", "clinic", "", "designer"),
		user("mia", "general", "east-1", "frontline", "frontline"), noel, user("finn", "general", "east-1", "frontline", "frontline"),
		user("wes", "general", "west-1", "frontline", "frontline"), user("lea", "general", "east", "leader", "lead"),
		user("cap", "capture", "east-1", "frontline", "frontline"), user("wally", "wallboard", "east-1", "", "frontline"),
		user("kim", "kiosk", "east-1", "", "frontline"), user("otto", "offline", "east-1", "", "frontline"),
		user("ina", "inactive", "east-1", "", "frontline"), user("seth", "setup", "east-1", "", "frontline"),
		user("svc", "general", "clinic", "", "service"),
	}
}
