package authz

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// diffCases are the cells in which staff and other differ, and the verdict, of
// the scene's roles.
var diffCases = []struct {
	name    string
	given   func(staff, other *Role)
	want    []string
	verdict Verdict
}{
	{"nothing and nothing", func(_, _ *Role) {}, nil, Equal},
	{"something and nothing", func(staff, _ *Role) { staff.gives(Delete, OnlyUsers) },
		[]string{"delete on improvement: only_users beside nothing, wider", "delete on projects: only_users beside nothing, wider"}, WiderThan},
	{"R4 a narrower scope", func(staff, other *Role) {
		staff.on("note", View, OnlyLocation)
		other.on("note", View, LocationAndBelow)
	}, []string{"view on note: only_location beside location_and_below, narrower"}, NarrowerThan},
	{"R4 scopes that are not comparable", func(staff, other *Role) {
		staff.on("note", Delete, OnlyUsers)
		other.on("note", Delete, OnlyLocation)
	}, []string{"delete on note: only_users beside only_location, incomparable"}, Incomparable},
	{"one of each", func(staff, other *Role) {
		staff.on("note", Edit, Everywhere)
		other.on("idea", Edit, Everywhere)
	}, []string{"edit on idea: nothing beside everywhere, narrower", "edit on note: everywhere beside nothing, wider"}, Incomparable},
	{"R3 the same by other grants", func(staff, other *Role) {
		staff.on("note", Edit, Everywhere)
		staff.on("note", View, OnlyLocation)
		other.Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Edit: Everywhere, View: OnlyLocation}}}
	}, nil, Equal},
	{"R3 a workflow beside all its templates", func(staff, other *Role) {
		staff.Grants = []Grant{{Workflows: []string{"projects"}, Permissions: map[Permission]Scope{Edit: Everywhere}}}
		other.on("note", Edit, Everywhere)
		other.on("project", Edit, Everywhere)
	}, []string{"edit on projects: everywhere beside nothing, wider"}, WiderThan},
	{"R7 the implied", func(staff, other *Role) {
		staff.on("standard", Assign, Everywhere)
		other.on("standard", Edit, Everywhere)
		other.on("standard", ViewNew, Everywhere)
	}, []string{"assign on standard: everywhere beside nothing, wider"}, WiderThan},
	{"R5 specific locations, one below the other", func(staff, other *Role) {
		staff.SpecificLocations, other.SpecificLocations = []string{"north"}, []string{"ward"}
		staff.on("note", View, LocationAndBelow)
		other.on("note", View, LocationAndBelow)
	}, []string{"view on note: location_and_below beside location_and_below, wider"}, WiderThan},
	{"R5 specific locations and a user's own", func(staff, other *Role) {
		staff.SpecificLocations = []string{"north"}
		staff.on("note", View, LocationAndBelow)
		other.on("note", View, LocationAndBelow)
	}, []string{"view on note: location_and_below beside location_and_below, incomparable"}, Incomparable},
	{"R9", func(staff, _ *Role) { staff.Advanced = []Advanced{ViewImpact} }, []string{"view_impact: yes beside nothing, wider"}, WiderThan},
	{"R10 global beside local", func(staff, other *Role) {
		staff.Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
		other.Admin.Local = &UserAdministration{Scope: OnlyLocation, Grantable: Grantable{Roles: []RoleRef{ref("other")}}}
	}, []string{
		"grant_all_roles: everywhere beside nothing, wider", "grant_role of other: everywhere beside only_location, wider",
		"user_administration: everywhere beside only_location, wider",
	}, WiderThan},
	{"R10 to create users", func(staff, other *Role) {
		staff.Admin.Global = &UserAdministration{}
		other.Admin.Global = &UserAdministration{CreateUsers: true}
	}, []string{"create_users: nothing beside everywhere, narrower"}, NarrowerThan},
	{"R14 a role that is gone is none to grant", func(staff, other *Role) {
		staff.Admin.Global = &UserAdministration{Grantable: Grantable{Roles: []RoleRef{{"other", 99}}}}
		other.Admin.Global = &UserAdministration{}
	}, nil, Equal},
	{"R10 the rest", func(staff, other *Role) {
		staff.Admin = Admin{Impersonate: true, Roles: true, Quality: true, System: true, AccessReader: true, ItemWriter: true, Board: Everywhere}
		other.Admin = Admin{Board: OnlyLocation, Card: OnlyLocation, Escalation: LocationAndBelow}
	}, []string{
		"access_reader: yes beside nothing, wider", "board_administrator: everywhere beside only_location, wider",
		"card_administrator: nothing beside only_location, narrower", "escalation_administrator: nothing beside location_and_below, narrower",
		"impersonate_user: yes beside nothing, wider", "item_writer: yes beside nothing, wider", "quality_administrator: yes beside nothing, wider",
		"role_administrator: yes beside nothing, wider", "system_administrator: yes beside nothing, wider",
	}, Incomparable},
}

// on adds a grant on one template.
func (r *Role) on(template string, p Permission, s Scope) {
	r.Grants = append(r.Grants, Grant{Templates: []string{template}, Permissions: map[Permission]Scope{p: s}})
}

// line is a cell in words.
func (c Cell) line() string {
	scopes := func(all []Scope) string {
		if len(all) == 0 {
			return "nothing"
		}
		return strings.Join(names(all), "+")
	}
	text := c.Permission
	if on := c.Workflow + c.Template; on != "" {
		text += " on " + on
	}
	if c.Role != "" {
		text += " of " + c.Role
	}
	return fmt.Sprint(text, ": ", scopes(c.Scopes), " beside ", scopes(c.Other), ", ", c.Verdict)
}

func TestDiff(t *testing.T) {
	for _, c := range diffCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			c.given(s.staff(), s.other())
			cells, verdict := Compile(s.policy).Diff(*s.staff(), *s.other())
			var got []string
			for _, cell := range cells {
				got = append(got, cell.line())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-expected +told) %s", diff)
			}
			if verdict != c.verdict {
				t.Errorf("%s, want %s", verdict, c.verdict)
			}
		})
	}
}

// turnedRound is the verdict of the other role beside the one.
var turnedRound = map[Verdict]Verdict{Equal: Equal, WiderThan: NarrowerThan, NarrowerThan: WiderThan, Incomparable: Incomparable}

// A role that is equal or wider says yes wherever the other does, to whoever
// holds it instead.
func TestDiffKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		one, other := policy.Roles[0], policy.Roles[1]
		if rapid.Bool().Draw(t, "related") {
			// What a role is a part of is wider than it.
			one = Role{RoleRef: one.RoleRef, SpecificLocations: other.SpecificLocations, Grants: append([]Grant{randomGrant(t)}, other.Grants...), Admin: other.Admin, Advanced: other.Advanced}
			policy.Roles[0] = one
			m = Compile(policy)
		}
		_, verdict := m.Diff(one, other)
		if _, round := m.Diff(other, one); round != turnedRound[verdict] {
			t.Fatalf("%s, and the other way %s", verdict, round)
		}
		if cells, same := m.Diff(one, one); same != Equal || len(cells) > 0 {
			t.Fatalf("a role beside itself is %s: %+v", same, cells)
		}
		if verdict != Equal && verdict != WiderThan {
			return
		}
		u := randomUser(t, "u0")
		u.Assignments = []Assignment{{Role: one.RoleRef}}
		wide := m.Subject(u, now)
		u.Assignments = []Assignment{{Role: other.RoleRef}}
		narrow := m.Subject(u, now)
		for _, q := range randomQuestions(t) {
			if m.Decide(narrow, q.action, q.resource).Allowed && !m.Decide(wide, q.action, q.resource).Allowed {
				t.Fatalf("%s, but %s is allowed by the other alone\n%+v\n%+v", verdict, q, one, other)
			}
		}
	})
}
