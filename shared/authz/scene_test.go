package authz

import (
	"slices"
	"testing"
)

// scene is a small organization in which maria asks about an item, about tom,
// about a board: hospital > north > ward, hospital > south; one template of
// each team type; maria and tom at ward, maria holding a role without rights,
// the item public, active, at ward, without a team.
type scene struct {
	policy     Policy
	maria, tom User
	item       *Item
	resource   *Resource // instead of the one that the action is usually done on
}

func newScene() *scene {
	return &scene{
		policy: Policy{
			Locations: []Location{{ID: "hospital"}, {ID: "north", Parent: "hospital"}, {ID: "ward", Parent: "north"}, {ID: "south", Parent: "hospital"}},
			Workflows: []Workflow{{ID: "improvement"}, {ID: "projects"}},
			Templates: []Template{
				{ID: "idea", Workflow: "improvement", TeamType: Simple},
				{ID: "standard", Workflow: "improvement", TeamType: Standard},
				{ID: "project", Workflow: "projects", TeamType: AdvancedTeam},
				{ID: "note", Workflow: "projects", TeamType: AuthorOnly},
			},
			Roles: []Role{{RoleRef: ref("staff")}, {RoleRef: ref("other")}},
		},
		maria: User{ID: "maria", Type: General, Locations: []string{"ward"}, Assignments: []Assignment{{Role: ref("staff")}}},
		tom:   User{ID: "tom", Type: General, Locations: []string{"ward"}},
		item:  &Item{ID: "i1", Template: "idea", Locations: []string{"ward"}, Status: Active, Team: map[TeamRole][]string{}},
	}
}

// staff is the role that maria holds, other one that she does not.
func (s *scene) staff() *Role { return &s.policy.Roles[0] }
func (s *scene) other() *Role { return &s.policy.Roles[1] }

// gives adds a grant on every template to staff.
func (s *scene) gives(p Permission, where Scope) { s.staff().gives(p, where) }

func (r *Role) gives(p Permission, where Scope) {
	r.Grants = append(r.Grants, Grant{Workflows: []string{"improvement", "projects"}, Permissions: map[Permission]Scope{p: where}})
}

// holdsOther has maria hold the other role too.
func (s *scene) holdsOther() {
	s.maria.Assignments = append(s.maria.Assignments, Assignment{Role: ref("other")})
}

// seen gives maria view of the item, so that what an action lacks is told.
func (s *scene) seen() { s.gives(View, Everywhere) }

// team puts maria on the item's team.
func (s *scene) team(template string, r TeamRole) {
	s.item.Template = template
	s.item.Team[r] = []string{"somebody", "maria"}
}

// usually is the resource that the action is done on here.
func (s *scene) usually(a Action) Resource {
	r := Resource{Type: a.On()}
	switch a.On() {
	case ItemResource:
		r.Item = s.item
	case UserResource:
		r.User, r.Role = &s.tom, "other"
		if a == PlaceUser {
			r.Locations = []string{"ward"}
		}
	case BoardResource, CardResource:
		r.Locations = []string{"ward"}
	}
	return r
}

// decideCase is one question in the scene, by the rule that it proves.
type decideCase struct {
	name   string
	given  func(*scene)
	action Action
	want   Decision
}

func yes(r Reason) Decision { return Decision{Allowed: true, Reason: r} }
func no(r Reason) Decision  { return Decision{Reason: r} }

// scene is the case's, anew.
func (c decideCase) scene() *scene {
	s := newScene()
	if c.given != nil {
		c.given(s)
	}
	return s
}

// decide is whether maria may do that in the scene.
func (s *scene) decide(a Action) Decision {
	r := s.usually(a)
	if s.resource != nil {
		r = *s.resource
	}
	m := Compile(s.policy)
	return m.Decide(m.Subject(s.maria, now), a, r)
}

func (c decideCase) run(t *testing.T) {
	if d := c.scene().decide(c.action); d != c.want {
		t.Errorf("%v %q, want %v %q", d.Allowed, d.Reason, c.want.Allowed, c.want.Reason)
	}
}

func TestDecide(t *testing.T) {
	for _, c := range decideCases {
		t.Run(c.name, c.run)
	}
}

// decideCases are all the tables by rule.
var decideCases = slices.Concat(itemCases, scopeCases, userTypeCases, userCases, organizationCases, unknownCases, rowCases)

func TestEveryActionHasACaseForBothAnswers(t *testing.T) {
	for a := NoAction + 1; a < ActionCount; a++ {
		for _, allowed := range []bool{true, false} {
			has := func(c decideCase) bool { return c.action == a && c.want.Allowed == allowed }
			if !slices.ContainsFunc(decideCases, has) {
				t.Errorf("%s on %s: no case is answered %v", a, a.On(), allowed)
			}
		}
	}
}

func TestEveryReasonHasACase(t *testing.T) {
	for r := NoReason + 1; r < ReasonCount; r++ {
		if !slices.ContainsFunc(decideCases, func(c decideCase) bool { return c.want.Reason == r }) {
			t.Errorf("%s: no case gives this reason", r)
		}
	}
}
