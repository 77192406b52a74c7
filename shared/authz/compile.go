package authz

import (
	"maps"
	"slices"
)

// set is a set of the members of an enum.
type set[E ~uint8] uint64

func setOf[E ~uint8](members ...E) set[E] {
	var s set[E]
	for _, e := range members {
		s = s.with(e)
	}
	return s
}

func (s set[E]) with(e E) set[E]         { return s | 1<<e }
func (s set[E]) has(e E) bool            { return s&(1<<e) != 0 }
func (s set[E]) meets(other set[E]) bool { return s&other != 0 }
func (s set[E]) empty() bool             { return s == 0 }

// rights are permissions with the scopes in which they are held: for each
// permission one bit a scope, the sentinels left out.
type rights uint64

// escalation stands beside the permissions of grants: escalation_administrator
// is held on every template, and its scope meets an item as theirs do (R10).
const escalation = PermissionCount

const (
	scopesEach = int(ScopeCount) - 1
	// eachPermission has the lowest scope's bit of every permission: the sum of
	// a geometric series, which does not compile once 64 bits are too few.
	eachPermission rights = (1<<(scopesEach*int(escalation)) - 1) / (1<<scopesEach - 1)
)

func (r rights) with(p Permission, scopes set[Scope]) rights {
	return r | rights(scopes>>1)<<((int(p)-1)*scopesEach)
}

func (r rights) scopes(p Permission) set[Scope] {
	return set[Scope](r>>((int(p)-1)*scopesEach)) & (1<<scopesEach - 1) << 1
}

// holds is whether the permission is held in any scope.
func (r rights) holds(p Permission) bool { return !r.scopes(p).empty() }

// within are those of the rights whose scope is one of these.
func (r rights) within(scopes set[Scope]) rights { return r & (eachPermission * rights(scopes>>1)) }

// role is a role compiled against the templates.
type role struct {
	Role
	admin    Admin // without what R10 refuses
	advanced set[Advanced]
	items    []rights // by the template's number
}

// template is a template with its number.
type template struct {
	Template
	number int
}

// number numbers the templates in the order of their ids.
func number(templates map[string]Template) map[string]template {
	numbered := make(map[string]template, len(templates))
	for n, id := range slices.Sorted(maps.Keys(templates)) {
		numbered[id] = template{Template: templates[id], number: n}
	}
	return numbered
}

// compileRole expands the role's grants to rights on each template.
func compileRole(r Role, templates map[string]template) *role {
	c := &role{Role: r, admin: r.Admin.lawful(), advanced: setOf(r.Advanced...), items: make([]rights, len(templates))}
	var always rights
	if s := c.admin.Escalation; s != NoScope {
		always = always.with(escalation, setOf(s))
	}
	for _, t := range templates {
		held := always
		for i := range r.Grants {
			if r.Grants[i].covers(t.Template) {
				held |= r.Grants[i].rights()
			}
		}
		c.items[t.number] = implied(held, t.TeamType)
	}
	return c
}

// lawful is the admin permissions but for those whose scope R10 refuses.
func (a Admin) lawful() Admin {
	for _, s := range []*Scope{&a.Board, &a.Card, &a.Escalation} {
		if !located.has(*s) {
			*s = NoScope
		}
	}
	if a.Local != nil && !reachable.has(a.Local.Scope) {
		a.Local = nil
	}
	return a
}

// covers is whether the template is listed, or its workflow (R3).
func (g Grant) covers(t Template) bool {
	return slices.Contains(g.Templates, t.ID) || slices.Contains(g.Workflows, t.Workflow)
}

// rights are the grant's permissions, without what R4 refuses.
func (g Grant) rights() rights {
	var r rights
	for p, s := range g.Permissions {
		if Allows(p, s) {
			r = r.with(p, setOf(s))
		}
	}
	return r
}

// implied adds what the rights imply on a team of this type, in the same
// scopes (R7).
func implied(r rights, t TeamType) rights {
	for _, i := range implications {
		if i.standard && t != Standard {
			continue
		}
		for _, p := range i.implies {
			r = r.with(p, r.scopes(i.permission))
		}
	}
	return r
}
