package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

// sections are the policy sections: a permission each, and what team roles give.
var sections = []string{
	"participate", "view", "view_new", "edit", "request", "assign", "view_private", "toggle_private", "honor_roll", "delete",
	escalate, "team",
}

// suffix is what casbin puts behind a section's p and m.
func suffix(section string) string {
	if n := slices.Index(sections, section) + 1; n > 1 {
		return strconv.Itoa(n)
	}
	return ""
}

// casbinSection is the fields of a section's rows and when one matches: what is
// cheap to look at first.
func casbinSection(section string) (fields, matcher string) {
	const held = "g(r.sub, P.role) && met(r.user, P.role, P.scope, r.item)"
	const covers = "(P.on == r.template || P.on == r.workflow)"
	switch {
	case section == "team":
		return "type, teamRole, action", "P.type == r.type && P.action == r.act && on(r.sub, P.teamRole, r.item)"
	case section == escalate:
		return "role, scope", held
	case slices.Contains(typed, section):
		return "role, on, scope, type", covers + ` && (P.type == "*" || P.type == r.type) && ` + held
	default:
		return "role, on, scope", covers + " && " + held
	}
}

// typed are the sections of permissions that R7 implies on some team types.
var typed = []string{"view", "view_new", "edit"}

// casbinModel is the model in casbin's own words.
func casbinModel() string {
	var policies, matchers strings.Builder
	for _, section := range sections {
		p := "p" + suffix(section)
		fields, matcher := casbinSection(section)
		fmt.Fprintf(&policies, "%s = %s\n", p, fields)
		fmt.Fprintf(&matchers, "m%s = %s\n", suffix(section), strings.ReplaceAll(matcher, "P.", p+"."))
	}
	return `[request_definition]
r = sub, act, user, template, workflow, type, item
[policy_definition]
` + policies.String() + `[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
` + matchers.String()
}

// casbinEngine is an organization in casbin's terms.
type casbinEngine struct {
	enforcer  *casbin.Enforcer
	roles     map[string]authz.Role
	templates map[string]authz.Template
	settings  authz.Settings
	linked    map[string]bool // users whose roles g knows
}

// Casbin is the engine of casbin. It links users to their roles when they are
// first prepared, and must be built anew for users who changed.
func Casbin(p authz.Policy) (Engine, error) {
	m, err := model.NewModelFromString(casbinModel())
	if err != nil {
		return nil, err
	}
	e := &casbinEngine{roles: rolesByID(p), templates: map[string]authz.Template{}, settings: p.Settings, linked: map[string]bool{}}
	for _, t := range p.Templates {
		e.templates[t.ID] = t
	}
	for section, rows := range casbinRows(p.Roles) {
		if err := m.AddPolicies("p", "p"+suffix(section), rows); err != nil {
			return nil, err
		}
	}
	if err := m.AddPolicies("g", "g2", parents(p.Locations)); err != nil {
		return nil, err
	}
	e.enforcer, err = casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	e.enforcer.EnableAutoSave(false)
	e.enforcer.AddFunction("met", e.met)
	e.enforcer.AddFunction("on", on)
	return e, e.enforcer.BuildRoleLinks()
}

// parents are the links of the location forest (U3).
func parents(locations []authz.Location) [][]string {
	var links [][]string
	for _, l := range locations {
		if l.Parent != "" {
			links = append(links, []string{l.ID, l.Parent})
		}
	}
	return links
}

// casbinRows are the rows of each section (R3, R7, R10, C2, C3).
func casbinRows(roles []authz.Role) map[string][][]string {
	rows := map[string][][]string{}
	add := func(section string, row ...string) { rows[section] = append(rows[section], row) }
	for _, r := range roles {
		for _, g := range r.Grants {
			for _, p := range slices.Sorted(maps.Keys(g.Permissions)) {
				s := g.Permissions[p]
				for _, on := range slices.Concat(g.Workflows, g.Templates) {
					for i, given := range implied(p, true) {
						row, always := []string{r.ID, on, s.String()}, i < len(implied(p, false))
						switch {
						case !always:
							row = append(row, authz.Standard.String())
						case slices.Contains(typed, given.String()):
							row = append(row, "*")
						}
						add(given.String(), row...)
					}
				}
			}
		}
		if s := r.Admin.Escalation; s != authz.NoScope {
			add(escalate, r.ID, s.String())
		}
	}
	for t, all := range members {
		for _, r := range all {
			add("team", t.String(), r.String(), authz.DoView.String())
		}
		for _, r := range primaryEditors[t] {
			add("team", t.String(), r.String(), authz.DoEdit.String())
		}
	}
	return rows
}

// person is a user with the assignments that count.
type person struct {
	id       string
	userType authz.UserType
	holdings []holding
}

// met is the matcher's function of that name: whether a scope of a role is met
// at an item (R5, R6).
func (e *casbinEngine) met(arguments ...any) (any, error) {
	p, role, scope, it := arguments[0].(*person), arguments[1].(string), arguments[2].(string), arguments[3].(*authz.Item)
	switch scope {
	case "yes", "everywhere":
		return true, nil
	case "only_users":
		return inAny(p.id, named(e.settings, e.templates[it.Template].TeamType), it), nil
	}
	links := e.enforcer.GetNamedRoleManager("g2")
	for _, h := range p.holdings {
		if h.role != role {
			continue
		}
		for _, from := range h.from {
			for _, l := range it.Locations {
				if l == from {
					return true, nil
				}
				if scope == "only_location" {
					continue
				}
				if below, err := links.HasLink(l, from); below || err != nil {
					return below, err
				}
			}
		}
	}
	return false, nil
}

// on is the matcher's function of that name: whether somebody has a team role.
func on(arguments ...any) (any, error) {
	role, known := authz.ParseTeamRole(arguments[1].(string))
	return known && slices.Contains(arguments[2].(*authz.Item).Team[role], arguments[0].(string)), nil
}

// inAny is whether somebody has one of the team roles.
func inAny(user string, roles []authz.TeamRole, it *authz.Item) bool {
	return slices.ContainsFunc(roles, func(r authz.TeamRole) bool { return slices.Contains(it.Team[r], user) })
}

// Prepare links the user to their roles, once.
func (e *casbinEngine) Prepare(u authz.User, it authz.Item) Prepared {
	p := &casbinPrepared{
		casbinEngine: e, person: person{u.ID, u.Type, holdings(e.roles, u, worlds.Now)},
		item: it, template: e.templates[it.Template],
	}
	if !e.linked[u.ID] {
		p.err = e.link(p.person)
	}
	return p
}

// link tells g the roles of people.
func (e *casbinEngine) link(people ...person) error {
	var links [][]string
	for _, p := range people {
		e.linked[p.id] = true
		for _, h := range p.holdings {
			links = append(links, []string{p.id, h.role})
		}
	}
	if len(links) == 0 {
		return nil
	}
	_, err := e.enforcer.AddNamedGroupingPoliciesEx("g", links)
	return err
}

type casbinPrepared struct {
	*casbinEngine
	person   person
	item     authz.Item
	template authz.Template
	err      error
}

// enforce asks one section.
func (p *casbinPrepared) enforce(section, action string) bool {
	s := suffix(section)
	yes, err := p.enforcer.Enforce(casbin.EnforceContext{RType: "r", PType: "p" + s, EType: "e", MType: "m" + s},
		p.person.id, action, &p.person, p.template.ID, p.template.Workflow, p.template.TeamType.String(), &p.item)
	if err != nil {
		p.err = err
	}
	return yes && err == nil
}

// has is whether a permission is held in scope.
func (p *casbinPrepared) has(permission string) bool { return p.enforce(permission, "") }

// Ask puts together what an action needs (U2, C4, C5).
func (p *casbinPrepared) Ask(a authz.Action) (bool, error) {
	yes := p.may(a)
	return yes && p.err == nil, p.err
}

func (p *casbinPrepared) may(a authz.Action) bool {
	t := p.person.userType
	switch {
	case a == authz.DoParticipate:
		return (t == authz.General || t == authz.Capture || t == authz.Kiosk) && p.has("participate")
	case a == authz.DoView:
		return p.sees(t == authz.General || t == authz.Wallboard, t == authz.General || t == authz.Capture)
	case t != authz.General || !p.sees(true, true):
		return false
	}
	switch a {
	case authz.DoEdit:
		return p.edits()
	case authz.DoTogglePrivate, authz.DoDelete, authz.DoEscalate:
		return p.has(a.String()) && p.edits()
	default:
		return p.has(a.String())
	}
}

// sees is C3.
func (p *casbinPrepared) sees(byRoles, byTeam bool) bool {
	switch {
	case byTeam && p.enforce("team", authz.DoView.String()):
		return true
	case !byRoles || p.item.Status == authz.Draft:
		return false
	case p.item.Private:
		return p.has("view_private")
	case p.item.Status == authz.New:
		return p.has("view_new")
	default:
		return p.has("view")
	}
}

// edits is primary edit, or edit in scope (C2, C4).
func (p *casbinPrepared) edits() bool {
	return p.enforce("team", authz.DoEdit.String()) || p.has("edit")
}
