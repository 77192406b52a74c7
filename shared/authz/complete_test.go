package authz

import (
	"reflect"
	"slices"
	"testing"
)

// What follows holds the tables to be complete: of every word of the rules there
// is a case that is a yes because of it, and one that is a no because of it. That
// is measured, by asking the case once more without the thing or with it; of a
// status, of a team role's no and of type general it is that there is such a case.

// asked is the cases whose action anybody can ask for.
var asked = slices.DeleteFunc(slices.Clone(decideCases), func(c decideCase) bool { return c.action >= SignIn })

// turns tells whether a case's answer is this, and is another in the scene as
// changed.
func (c decideCase) turns(from bool, change func(*scene)) bool {
	if c.want.Allowed != from {
		return false
	}
	s := c.scene()
	change(s)
	return s.decide(c.action).Allowed != from
}

// everyRole changes all roles of the scene.
func (s *scene) everyRole(change func(*Role)) {
	for i := range s.policy.Roles {
		change(&s.policy.Roles[i])
	}
}

// thing is a word of the rules, and how roles lose and get what it stands for.
type thing struct {
	name       string
	take, give func(*Role)
}

func itemThings() []thing {
	var all []thing
	for p := NoPermission + 1; p < PermissionCount; p++ {
		all = append(all, thing{p.String(), func(r *Role) {
			for _, g := range r.Grants {
				delete(g.Permissions, p)
			}
		}, func(r *Role) {
			where := Everywhere
			if p == Participate {
				where = Yes
			}
			r.gives(p, where)
		}})
	}
	return all
}

func advancedThings() []thing {
	var all []thing
	for a := NoAdvanced + 1; a < AdvancedCount; a++ {
		all = append(all, thing{
			a.String(),
			func(r *Role) {
				r.Advanced = slices.DeleteFunc(slices.Clone(r.Advanced), func(b Advanced) bool { return a == b })
			},
			func(r *Role) { r.Advanced = append(slices.Clone(r.Advanced), a) },
		})
	}
	return all
}

// adminThings are the fields of Admin, whatever they are, and the two options.
func adminThings() []thing {
	full := reflect.ValueOf(everyAdmin())
	var all []thing
	for i := range full.NumField() {
		of := func(r *Role) reflect.Value { return reflect.ValueOf(&r.Admin).Elem().Field(i) }
		all = append(all, thing{full.Type().Field(i).Name, func(r *Role) { of(r).SetZero() }, func(r *Role) { of(r).Set(full.Field(i)) }})
	}
	option := func(name string, set func(u *UserAdministration, held bool)) thing {
		each := func(held bool) func(*Role) {
			return func(r *Role) {
				for _, u := range []**UserAdministration{&r.Admin.Global, &r.Admin.Local} {
					if *u != nil {
						changed := **u
						set(&changed, held)
						*u = &changed
					}
				}
			}
		}
		return thing{name, each(false), each(true)}
	}
	return append(
		all,
		option("create_users", func(u *UserAdministration, held bool) { u.CreateUsers = held }),
		option("grantable_roles", func(u *UserAdministration, held bool) { u.Grantable = Grantable{All: held} }),
	)
}

func TestEveryPermissionHasACaseOfYesAndNo(t *testing.T) {
	for _, x := range slices.Concat(itemThings(), advancedThings(), adminThings()) {
		if !slices.ContainsFunc(asked, func(c decideCase) bool { return c.turns(true, func(s *scene) { s.everyRole(x.take) }) }) {
			t.Errorf("%s: no case is a yes by it", x.name)
		}
		if !slices.ContainsFunc(asked, func(c decideCase) bool { return c.turns(false, func(s *scene) { s.everyRole(x.give) }) }) {
			t.Errorf("%s: no case is a no without it", x.name)
		}
	}
}

// rescoped puts a role's permissions of one scope in another: of user
// administration, local in global.
func (r *Role) rescoped(from, to Scope) {
	for _, g := range r.Grants {
		for p, s := range g.Permissions {
			if s == from {
				g.Permissions[p] = to
			}
		}
	}
	for _, s := range []*Scope{&r.Admin.Board, &r.Admin.Card, &r.Admin.Escalation} {
		if *s == from {
			*s = to
		}
	}
	if l := r.Admin.Local; l != nil && l.Scope == from {
		r.Admin.Local = nil
		if to == Everywhere {
			r.Admin.Global = l
		}
	}
}

func rescope(from, to Scope) func(*scene) {
	return func(s *scene) { s.everyRole(func(r *Role) { r.rescoped(from, to) }) }
}

func TestEveryScopeHasACaseOfYesAndNo(t *testing.T) {
	for scope := NoScope + 1; scope < ScopeCount; scope++ {
		by := func(c decideCase) bool { return c.turns(true, rescope(scope, NoScope)) }
		if !slices.ContainsFunc(asked, by) {
			t.Errorf("%s: no case is a yes by it", scope)
		}
		if scope == Yes || scope == Everywhere {
			continue // they are met wherever they are held
		}
		short := func(c decideCase) bool {
			return c.want.Reason == OutOfScope && c.turns(false, rescope(scope, Everywhere))
		}
		if !slices.ContainsFunc(asked, short) {
			t.Errorf("%s: no case is a no because it stops short", scope)
		}
	}
}

// TestEveryChoiceHasACaseOfYesAndNo is about the settings (R6, R11).
func TestEveryChoiceHasACaseOfYesAndNo(t *testing.T) {
	type choice struct {
		name        string
		made        func(*scene) bool
		lost, wider func(*scene)
	}
	var all []choice
	for rule, name := range []string{"team_role", "team_member"} {
		made := func(s *scene) bool { return s.policy.Settings.OnlyUsers == OnlyUsersRule(rule) }
		all = append(all, choice{"onlyUsersRule " + name, made, rescope(OnlyUsers, NoScope), rescope(OnlyUsers, Everywhere)})
	}
	for rule, name := range []string{"all", "any"} {
		made := func(s *scene) bool {
			return s.policy.Settings.LocalReach == ReachRule(rule) && len(s.tom.Locations) > 1
		}
		all = append(all, choice{"localReach " + name, made, rescope(LocationAndBelow, NoScope), rescope(LocationAndBelow, Everywhere)})
	}
	for _, x := range all {
		if !slices.ContainsFunc(asked, func(c decideCase) bool { return x.made(c.scene()) && c.turns(true, x.lost) }) {
			t.Errorf("%s: no case is a yes by it", x.name)
		}
		if !slices.ContainsFunc(asked, func(c decideCase) bool {
			return x.made(c.scene()) && c.want.Reason == OutOfScope && c.turns(false, x.wider)
		}) {
			t.Errorf("%s: no case is a no by it", x.name)
		}
	}
}

// leave empties one role of the item's team.
func leave(role TeamRole) func(*scene) {
	return func(s *scene) { delete(s.item.Team, role) }
}

// onItem is a case that asks about an item, to do what needs one.
type onItem struct {
	decideCase
	item     *Item
	teamType TeamType
}

func askedOnItems() []onItem {
	var all []onItem
	for _, c := range asked {
		s := c.scene()
		if c.action.On() == ItemResource && c.action != DoParticipate && s.resource == nil {
			template, _ := Compile(s.policy).Template(s.item.Template)
			all = append(all, onItem{c, s.item, template.TeamType})
		}
	}
	return all
}

func TestEveryStatusHasACaseOfYesAndNo(t *testing.T) {
	all := askedOnItems()
	for status := NoStatus + 1; status < StatusCount; status++ {
		for _, allowed := range []bool{true, false} {
			if !slices.ContainsFunc(all, func(c onItem) bool { return c.item.Status == status && c.want.Allowed == allowed }) {
				t.Errorf("%s: no case is answered %v", status, allowed)
			}
		}
	}
}

func TestEveryTeamRoleOfEveryTeamTypeHasACaseOfYesAndNo(t *testing.T) {
	all := askedOnItems()
	for teamType := NoTeamType + 1; teamType < TeamTypeCount; teamType++ {
		for role := NoTeamRole + 1; role < TeamRoleCount; role++ {
			as := func(c onItem) bool { return c.teamType == teamType && slices.Contains(c.item.Team[role], "maria") }
			by := func(c onItem) bool { return as(c) && c.turns(true, leave(role)) }
			if teamType.Has(role) != slices.ContainsFunc(all, by) { // what a type has not, gives nothing
				t.Errorf("%s as %s: a case that is a yes by it: %v", teamType, role, !teamType.Has(role))
			}
			if !slices.ContainsFunc(all, func(c onItem) bool { return as(c) && !c.want.Allowed }) {
				t.Errorf("%s as %s: no case is a no in spite of it", teamType, role)
			}
		}
	}
}

func TestEveryUserTypeHasACaseOfYesAndNo(t *testing.T) {
	nothing := setOf(Offline, Setup, Inactive) // U2 gives them none of what can be asked for
	for u := NoUserType + 1; u < UserTypeCount; u++ {
		of := func(c decideCase) bool { return c.scene().maria.Type == u }
		if nothing.has(u) == slices.ContainsFunc(asked, func(c decideCase) bool { return of(c) && c.want.Allowed }) {
			t.Errorf("%s: a case that is a yes: %v", u, nothing.has(u))
		}
		no := func(c decideCase) bool {
			return of(c) && c.turns(false, func(s *scene) { s.maria.Type = General })
		}
		if u == General {
			no = func(c decideCase) bool { return of(c) && !c.want.Allowed } // no type refuses less
		}
		if !slices.ContainsFunc(asked, no) {
			t.Errorf("%s: no case is a no by it", u)
		}
	}
}
