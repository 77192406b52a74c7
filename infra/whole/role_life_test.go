package whole

import (
	"slices"
	"testing"
)

// results are what became of the rows of a bulk change: a result, or the
// problem's code.
func results(t *testing.T, r reply) []string {
	t.Helper()
	var out []string
	for _, each := range r.is(t, 200).members(t, "results").body["results"].(list) {
		if result := text(at(each, "result")); result != "" {
			out = append(out, result)
		} else {
			out = append(out, text(at(each, "problem", "type"))[len("urn:problem:"):])
		}
	}
	return out
}

// holders are the users that a role's members show, page by page.
func holders(t *testing.T, c client, role string) []string {
	t.Helper()
	out := []string{}
	for next := ""; ; {
		r := c.get(t, "/v1/roles/"+role+"/members?limit=2&cursor="+next).is(t, 200).members(t, "items", "next")
		for _, member := range r.body["items"].(list) {
			user := text(at(member, "user"))
			if at(member, "expired") == true {
				user += " expired"
			}
			out = append(out, user)
		}
		if next = text(r.body["next"]); next == "" {
			return out
		}
	}
}

// TestARoleFromItsCloneToItsDeletion follows a role through everything that
// can be done with one, and past its end.
func TestARoleFromItsCloneToItsDeletion(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, rita, lena, mia := o.as(t, "ada"), o.as(t, "rita"), o.as(t, "lena"), o.as(t, "mia")
	original := rita.get(t, "/v1/roles/lead").is(t, 200)
	made := rita.post(t, "/v1/roles/lead/clone", object{"id": "night", "name": "Night"}).is(t, 201)
	made.has(t, object{"id": "night", "name": "Night", "version": 1.0, "grants": original.body["grants"], "advanced": original.body["advanced"], "persona": "leader"})
	o.tells(t, made, object{"type": "role", "action": "clone", "outcome": "done", "target": object{"type": "role", "id": "night"}})
	may(t, mia, "mia", "delete", item("i1"), false, "no_grant")

	rows := object{"changes": []object{
		{"user": "mia", "role": "night"}, {"user": "finn", "role": "night", "until": "2020-01-01T00:00:00Z"}, {"user": "wes", "role": "night"},
		{"user": "nobody", "role": "night"}, {"user": "lea", "role": "night", "locations": []string{"west"}}, {"user": "lea", "role": "night", "locations": []string{"east"}},
	}}
	given := ada.post(t, "/v1/role-changes", rows, "Idempotency-Key", "n1")
	want := []string{"assigned", "assigned", "assigned", "not_found", "invalid_limit", "assigned"}
	if got := results(t, given); !slices.Equal(got, want) {
		t.Errorf("R12 %v, want %v", got, want)
	}
	if pointer := given.at("results", 4, "problem", "errors", 0, "pointer"); pointer != "/changes/4/locations/0" {
		t.Errorf("R5 the fault is at %v", pointer)
	}
	again := ada.post(t, "/v1/role-changes", rows, "Idempotency-Key", "n1").is(t, 200)
	if string(again.raw) != string(given.raw) {
		t.Errorf("T3 %s, then %s", given.raw, again.raw)
	}
	o.silent(t, again)
	told := o.entries(t, given)
	if denied := len(slices.DeleteFunc(slices.Clone(told), func(e object) bool { return e["outcome"] != "denied" })); len(told) != 5 || denied != 1 {
		t.Errorf("T1 %d entries, %d of them denied: %v", len(told), denied, told)
	}
	if got := results(t, lena.post(t, "/v1/role-changes", object{"changes": []object{
		{"user": "mia", "role": "night", "revoke": true}, {"user": "mia", "role": "frontline", "revoke": true}, {"user": "mia", "role": "frontline"}, {"user": "wes", "role": "frontline", "revoke": true},
	}})); !slices.Equal(got, []string{"denied", "revoked", "assigned", "not_found"}) {
		t.Errorf("R12, T4 a local administrator's rows: %v", got)
	}
	mia.post(t, "/v1/role-changes", rows).problem(t, 403, "denied")

	if got := holders(t, ada, "night"); !slices.Equal(got, []string{"finn expired", "lea", "mia", "wes"}) {
		t.Errorf("members %v", got)
	}
	if got := holders(t, lena, "night"); !slices.Equal(got, []string{"finn expired", "lea", "mia"}) {
		t.Errorf("T4 members within reach %v", got)
	}
	rita.get(t, "/v1/roles/night/members").problem(t, 403, "denied")
	may(t, mia, "mia", "delete", item("i1"), true, "role_grant")

	rita.delete(t, "/v1/roles/night").problem(t, 428, "precondition_required")
	rita.delete(t, "/v1/roles/night", "If-Match", `"7"`).problem(t, 412, "stale")
	gone := rita.delete(t, "/v1/roles/night", "If-Match", made.etag()).is(t, 200).members(t, "members").has(t, object{"members": 3.0})
	o.tells(t, gone, object{"type": "role", "action": "delete", "outcome": "done", "target": object{"type": "role", "id": "night"}})
	may(t, mia, "mia", "delete", item("i1"), false, "no_grant")
	ada.get(t, "/v1/roles/night/members").problem(t, 404, "not_found")
	rita.delete(t, "/v1/roles/night", "If-Match", "*").problem(t, 404, "not_found")
	if roles := ada.get(t, "/v1/users/mia").is(t, 200).body["roles"].(list); len(roles) != 1 || at(roles, 0, "role") != "frontline" {
		t.Errorf("R14 mia is shown with %v", roles)
	}

	rita.post(t, "/v1/roles/lead/clone", object{"id": "night", "name": "Night"}).is(t, 201)
	may(t, mia, "mia", "delete", item("i1"), false, "no_grant")
	if got := holders(t, ada, "night"); len(got) > 0 {
		t.Errorf("R14 %v hold the new role under the old id", got)
	}
}

// TestAnOldListDoesNotNameANewRole is R14 for lists of grantable roles.
func TestAnOldListDoesNotNameANewRole(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, rita, lena := o.as(t, "ada"), o.as(t, "rita"), o.as(t, "lena")
	lena.put(t, "/v1/users/lea/roles/frontline", nil).is(t, 200)
	old := rita.get(t, "/v1/roles/local").is(t, 200)
	frontline := rita.get(t, "/v1/roles/frontline").is(t, 200)
	rita.delete(t, "/v1/roles/frontline", "If-Match", frontline.etag()).is(t, 200).has(t, object{"members": 11.0})
	shown := rita.get(t, "/v1/roles/local").is(t, 200)
	if list := shown.at("admin", "localUserAdministrator", "grantableRoles").(list); len(list) > 0 {
		t.Errorf("R14 the list shows %v", list)
	}
	back := rita.put(t, "/v1/roles/local", string(shown.raw), "If-Match", shown.etag()).is(t, 200)
	rita.put(t, "/v1/roles/local", string(old.raw), "If-Match", back.etag()).problem(t, 422, "invalid_role", "/admin/localUserAdministrator/grantableRoles/0", "/version")

	body := plain(t, frontline.body)
	delete(body, "version")
	rita.post(t, "/v1/roles", body).is(t, 201)
	lena.put(t, "/v1/users/lea/roles/frontline", nil).problem(t, 403, "denied")
	may(t, ada, "lena", "grant_role", object{"type": "user", "id": "lea", "properties": object{"role": "frontline"}}, false, "not_grantable")
	may(t, o.as(t, "svc"), "mia", "view", item("i4"), false, "no_grant")
	ada.put(t, "/v1/users/lea/roles/frontline", nil).is(t, 200)
}

// TestTheCatalogueDrawsAnEditor saves a role of everything that the catalogue
// offers, and nothing that it does not.
func TestTheCatalogueDrawsAnEditor(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	catalogue := o.as(t, "mia").get(t, "/v1/permissions").is(t, 200).members(t, "scopes", "grants", "advanced", "admin")
	rita := o.as(t, "rita")
	for _, specific := range []bool{false, true} {
		may := func(entry any) bool { return !specific || at(entry, "withSpecificLocations") == true }
		wide := object{}
		for _, s := range catalogue.body["scopes"].(list) {
			wide[text(at(s, "scope"))] = may(s)
		}
		first := func(scopes list) any {
			if len(scopes) == 0 {
				return true
			}
			return scopes[slices.IndexFunc(scopes, func(s any) bool { return wide[text(s)] == true })]
		}
		permissions, admin, advanced := object{}, object{}, list{}
		for _, p := range catalogue.body["grants"].(list) {
			permissions[text(at(p, "permission"))] = first(at(p, "scopes").(list))
		}
		for _, p := range catalogue.body["advanced"].(list) {
			if may(p) {
				advanced = append(advanced, at(p, "permission"))
			}
		}
		for _, p := range catalogue.body["admin"].(list) {
			if !may(p) {
				continue
			}
			value, options := first(at(p, "scopes").(list)), object{}
			for _, option := range at(p, "options").(list) {
				options[text(at(option, "option"))] = at(option, "default")
			}
			if len(options) > 0 && value != true {
				options["scope"] = value
			}
			if len(options) > 0 {
				value = options
			}
			admin[text(at(p, "member"))] = value
		}
		body := object{"name": "Everything", "grants": []object{{"workflows": []string{"improvement"}, "permissions": permissions}}, "advanced": advanced, "admin": admin}
		if specific {
			body["name"], body["specificLocations"] = "Everything there", []string{"east"}
		}
		rita.post(t, "/v1/roles", body).is(t, 201).has(t, object{"advanced": advanced, "admin": admin})
	}
}
