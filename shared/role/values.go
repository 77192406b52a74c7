package role

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// values is a role as the timeline shows it: by the contract's names, without
// what is empty. A role that is not there has none.
func (r Role) values() timeline.Values {
	v := timeline.Values{}
	if r.Version == 0 {
		return v
	}
	v["name"] = r.Name
	set(v, "description", r.Description)
	set(v, "persona", r.Persona.String())
	setList(v, "specificLocations", r.SpecificLocations)
	setList(v, "notifications", r.Notifications)
	set(v, "defaultBoard", r.DefaultBoard)
	setList(v, "boardAccess", r.BoardAccess)
	setList(v, "boardSubscriptions", r.BoardSubscriptions)
	var advanced []string
	for _, a := range r.Advanced {
		advanced = append(advanced, a.String())
	}
	setList(v, "advanced", advanced)
	if len(r.Grants) > 0 {
		v["grants"] = grantValues(r.Grants)
	}
	if admin := adminValues(r.Admin); len(admin) > 0 {
		v["admin"] = admin
	}
	return v
}

func grantValues(grants []authz.Grant) []any {
	var list []any
	for _, g := range grants {
		permissions := map[string]any{}
		for p, s := range g.Permissions {
			permissions[p.String()] = s.String()
			if s == authz.Yes {
				permissions[p.String()] = true
			}
		}
		one := timeline.Values{"permissions": permissions}
		setList(one, "workflows", g.Workflows)
		setList(one, "templates", g.Templates)
		list = append(list, one)
	}
	return list
}

func adminValues(a authz.Admin) timeline.Values {
	v := timeline.Values{}
	for name, held := range map[string]bool{
		"impersonateUser": a.Impersonate, "roleAdministrator": a.Roles, "qualityAdministrator": a.Quality,
		"systemAdministrator": a.System, "accessReader": a.AccessReader, "itemWriter": a.ItemWriter,
	} {
		if held {
			v[name] = true
		}
	}
	set(v, "boardAdministrator", a.Board.String())
	set(v, "cardAdministrator", a.Card.String())
	set(v, "escalationAdministrator", a.Escalation.String())
	setAdministration(v, "globalUserAdministrator", a.Global)
	setAdministration(v, "localUserAdministrator", a.Local)
	return v
}

func setAdministration(v timeline.Values, name string, a *authz.UserAdministration) {
	if a == nil {
		return
	}
	one := timeline.Values{"createUsers": a.CreateUsers, "grantableRoles": "all"}
	set(one, "scope", a.Scope.String())
	if !a.Grantable.All {
		ids := []string{}
		for _, r := range a.Grantable.Roles {
			ids = append(ids, r.ID)
		}
		one["grantableRoles"] = ids
	}
	v[name] = one
}

// assignmentValues is an assignment as the timeline shows it.
func assignmentValues(a directory.Assignment) timeline.Values {
	v := timeline.Values{"role": a.Role.ID}
	setList(v, "locations", a.Locations)
	if !a.Until.IsZero() {
		v["until"] = a.Until.UTC().Format(time.RFC3339)
	}
	return v
}

func set(v timeline.Values, name, value string) {
	if value != "" {
		v[name] = value
	}
}

func setList(v timeline.Values, name string, list []string) {
	if len(list) > 0 {
		v[name] = list
	}
}
