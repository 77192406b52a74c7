package authz

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// stepsCase is what steps of some kinds are told, in their order.
type stepsCase struct {
	name   string
	given  func(*scene)
	action Action
	kinds  set[StepKind]
	want   [][]Step
}

func alone(s Step) [][]Step { return [][]Step{{s}} }

func assign(role string, locations ...string) Step {
	return Step{Kind: AssignRole, Role: role, Locations: locations, Grant: NotOfGrant}
}

func widenAssignment(role string, locations ...string) Step {
	return Step{Kind: WidenAssignment, Role: role, Locations: locations, Grant: NotOfGrant}
}

func addLocation(location string) Step {
	return Step{Kind: AddLocation, Locations: []string{location}, Grant: NotOfGrant}
}

func widenScope(role string, grant int, permission string, scope Scope) Step {
	return Step{Kind: WidenScope, Role: role, Grant: grant, Permission: permission, Scope: scope}
}

var stepsCases = []stepsCase{
	{"U2 a type that is enough", func(s *scene) { s.seen(); s.maria.Type = Kiosk }, DoView, setOf(ChangeType), alone(toGeneral)},
	{"R14 a new role of an old id is assigned", func(s *scene) { s.seen(); s.maria.Assignments[0].Role.Birth-- }, DoView,
		setOf(AssignRole, WidenAssignment), alone(assign("staff"))},
	{"R5 an emptied limit", func(s *scene) { s.seen(); s.limited("south") }, DoView, setOf(WidenAssignment), alone(widenAssignment("staff"))},
	{"R5 an end with its limit kept", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"south", "ward"}
		s.limited("ward")
		s.until(now)
	}, DoView, setOf(WidenAssignment), alone(widenAssignment("staff", "ward"))},
	{"R5 no limit for specific locations", func(s *scene) {
		s.other().gives(View, OnlyLocation)
		s.other().SpecificLocations = []string{"ward"}
		s.maria.Locations = []string{"ward", "south"}
	}, DoView, setOf(AssignRole), alone(assign("other"))},
	{"R5 the limit that gives least", func(s *scene) {
		s.other().gives(View, LocationAndBelow)
		s.maria.Locations = []string{"hospital", "ward"}
	}, DoView, setOf(AssignRole), alone(assign("other", "ward"))},
	{"R11 no limit where one reach has to cover all", func(s *scene) {
		s.other().Admin.Local = &UserAdministration{Scope: OnlyLocation}
		s.maria.Locations, s.tom.Locations = []string{"ward", "south"}, []string{"ward", "south"}
	}, AdministerUser, setOf(AssignRole), alone(assign("other"))},
	{"R11 a location above all of the target's", func(s *scene) {
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"ward", "south"}
	}, AdministerUser, setOf(AddLocation), [][]Step{{addLocation("south")}, {addLocation("hospital")}}},
	{"U1 one of two locations", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations, s.item.Locations = []string{"north"}, []string{"ward", "south"}
	}, DoView, setOf(AddLocation), [][]Step{{addLocation("south")}, {addLocation("ward")}}},
	{"U1 no more than 25 locations", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = slices.Repeat([]string{"north"}, 25)
	}, DoView, setOf(AddLocation), nil},
	{"R3 each grant that covers the template", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"north"}
	}, DoView, setOf(WidenScope), [][]Step{{widenScope("staff", 0, "view", LocationAndBelow)}, {widenScope("staff", 1, "view", LocationAndBelow)}}},
	{"R4 only what is wider", func(s *scene) { s.seen(); s.gives(Assign, OnlyUsers) }, DoAssign, setOf(WidenScope),
		[][]Step{{widenScope("staff", 0, "assign", OnlyLocation)}, {widenScope("staff", 1, "assign", Everywhere)}}},
	{"R10 escalation", func(s *scene) {
		s.team("idea", Author)
		s.staff().Admin.Escalation = OnlyLocation
		s.maria.Locations = []string{"north"}
	}, DoEscalate, setOf(WidenScope), alone(widenScope("staff", NotOfGrant, "escalation_administrator", LocationAndBelow))},
	{"R10 boards", func(s *scene) { s.staff().Admin.Board = OnlyLocation; s.lead() }, AdministerBoard, setOf(WidenScope),
		alone(widenScope("staff", NotOfGrant, "board_administrator", LocationAndBelow))},
	{"R10 cards", func(s *scene) {
		s.staff().Admin.Card = LocationAndBelow
		s.maria.Locations = []string{"south"}
	}, AdministerCard, setOf(WidenScope), alone(widenScope("staff", NotOfGrant, "card_administrator", Everywhere))},
	{"R8 but not everywhere for specific locations", func(s *scene) {
		s.staff().Admin.Card = LocationAndBelow
		s.staff().SpecificLocations = []string{"south"}
	}, AdministerCard, setOf(WidenScope), nil},
	{"R10 nor what is not held", nil, AdministerBoard, setOf(WidenScope), nil},
	{"C4 three roles together", func(s *scene) {
		s.policy.Roles = append(s.policy.Roles, Role{RoleRef: ref("editor")}, Role{RoleRef: ref("viewer")})
		s.other().gives(Delete, Everywhere)
		s.policy.Roles[2].gives(Edit, Everywhere)
		s.policy.Roles[3].gives(View, Everywhere)
	}, DoDelete, setOf(AssignRole), [][]Step{{assign("editor"), assign("other"), assign("viewer")}}},
	{"C8 nothing helps with what is unknown", func(s *scene) { s.item.Template = "gone" }, DoView, 1<<StepKindCount - 1, nil},
	{"a yes needs nothing", (*scene).seen, DoView, 1<<StepKindCount - 1, nil},
}

func TestSteps(t *testing.T) {
	for _, c := range stepsCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			if c.given != nil {
				c.given(s)
			}
			q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: c.action, Resource: s.usually(c.action)}
			told, left := q.Suggest(func(s Step) bool { return c.kinds.has(s.Kind) })
			var got [][]Step
			for _, suggestion := range told {
				slices.SortFunc(suggestion.Steps, compareSteps)
				got = append(got, suggestion.Steps)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) || left != 0 {
				t.Errorf("%d more than\n%+v, want\n%+v", left, got, c.want)
			}
		})
	}
}

// TestEveryStepKindIsToldOnlyIfItMayBeMade: what is told in a case, is not when
// its kind may not be made.
func TestEveryStepKindIsToldOnlyIfItMayBeMade(t *testing.T) {
	for _, c := range suggestCases {
		for kind := NoStep + 1; kind < StepKindCount; kind++ {
			s := newScene()
			if c.given != nil {
				c.given(s)
			}
			q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: c.action, Resource: s.usually(c.action)}
			told, _ := q.Suggest(func(s Step) bool { return s.Kind != kind })
			for _, suggestion := range told {
				if slices.ContainsFunc(suggestion.Steps, func(s Step) bool { return s.Kind == kind }) {
					t.Errorf("%s: %s may not be made: %+v", c.name, kind, suggestion)
				}
			}
		}
	}
}

// TestSameChange: in another scope, or with another limit, a change is the same.
func TestSameChange(t *testing.T) {
	for _, c := range []struct {
		a, b Step
		same bool
	}{
		{widenScope("staff", 0, "view", OnlyLocation), widenScope("staff", 0, "view", Everywhere), true},
		{widenScope("staff", 0, "view", Everywhere), widenScope("staff", 1, "view", Everywhere), false},
		{widenScope("staff", 0, "view", Everywhere), widenScope("staff", 0, "edit", Everywhere), false},
		{assign("staff", "ward"), assign("staff"), true},
		{assign("staff"), assign("other"), false},
		{assign("staff"), widenAssignment("staff"), false},
		{addLocation("ward"), addLocation("south"), false},
	} {
		if sameChange(c.a, c.b) != c.same {
			t.Errorf("%+v and %+v are the same change: %v", c.a, c.b, !c.same)
		}
	}
}

func TestSuggestTellsTenAndHowManyAreLeft(t *testing.T) {
	s := newScene()
	for n := range 12 {
		r := Role{RoleRef: ref(fmt.Sprintf("role-%02d", n))}
		r.gives(Participate, Yes)
		s.policy.Roles = append(s.policy.Roles, r)
	}
	q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: DoParticipate, Resource: s.usually(DoParticipate)}
	told, left := q.Suggest(func(s Step) bool { return s.Kind == AssignRole })
	if len(told) != mostSuggestions || left != 2 || told[0].Steps[0].Role != "role-00" {
		t.Errorf("%d told, %d left: %+v", len(told), left, told)
	}
}

// TestAfter is what each step does to the user, and to whom the action is on.
func TestAfter(t *testing.T) {
	s := newScene()
	s.maria.Locations = []string{"ward", "south"}
	s.holdsOther()
	end := now.Add(time.Hour)
	s.maria.Assignments[1].Until = end
	q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: AdministerUser, Resource: s.usually(AdministerUser)}
	oneself := q
	oneself.Resource.User = &oneself.User

	for _, c := range []struct {
		name string
		step Step
		want func(*User)
	}{
		{"U1 one more location", addLocation("north"), func(u *User) { u.Locations = []string{"ward", "south", "north"} }},
		{"U2 another type", toGeneral, func(u *User) { u.Type = General }},
		{"R5 a wider limit, until its end", Step{Kind: WidenAssignment, Role: "other", Locations: []string{"ward"}, Until: end, Grant: NotOfGrant}, func(u *User) {
			u.Assignments = []Assignment{{Role: ref("staff")}, {Role: ref("other"), Locations: []string{"ward"}, Until: end}}
		}},
		{"R5 without a limit", widenAssignment("staff"), func(u *User) {
			u.Assignments = []Assignment{{Role: ref("other"), Until: end}, {Role: ref("staff")}}
		}},
		{"a role that does not exist", assign("gone"), func(*User) {}},
	} {
		want := s.maria
		c.want(&want)
		if got := q.After(c.step); !reflect.DeepEqual(got.User, want) || got.Resource.User != &s.tom {
			t.Errorf("%s: %+v, want %+v", c.name, got.User, want)
		}
		if got := oneself.After(c.step); !reflect.DeepEqual(*got.Resource.User, want) {
			t.Errorf("%s: on oneself: %+v, want %+v", c.name, *got.Resource.User, want)
		}
	}

	if got := q.After(widenAssignment("other")).User.Assignments; !got[1].Until.IsZero() || len(got) != 2 {
		t.Errorf("R5: an end that the step does not say is kept: %+v", got)
	}
	if len(s.maria.Locations) != 2 || len(s.maria.Assignments) != 2 {
		t.Errorf("the user as it was has changed: %+v", s.maria)
	}
}

// TestAfterOnItemsAndRoles is what steps do to the item's team and to a role.
func TestAfterOnItemsAndRoles(t *testing.T) {
	s := newScene()
	s.staff().Grants = []Grant{{Templates: []string{"idea"}, Permissions: map[Permission]Scope{View: OnlyLocation, Edit: OnlyLocation}}}
	s.item.Team[Author] = []string{"tom"}
	q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: DoView, Resource: s.usually(DoView)}

	joined := q.After(Step{Kind: JoinTeam, Team: Author, Grant: NotOfGrant})
	if got := joined.Resource.Item.Team[Author]; !slices.Equal(got, []string{"tom", "maria"}) {
		t.Errorf("C1: the authors are %v", got)
	}
	if got := s.item.Team[Author]; !slices.Equal(got, []string{"tom"}) {
		t.Errorf("the item as it was has the authors %v", got)
	}

	role := func(step Step) Role {
		r, _ := q.After(step).Model.Role("staff")
		return r
	}
	if got := role(widenScope("staff", 0, "view", Everywhere)).Grants[0].Permissions; !reflect.DeepEqual(got, map[Permission]Scope{View: Everywhere, Edit: OnlyLocation}) {
		t.Errorf("R4: the grant gives %v", got)
	}
	if got := s.staff().Grants[0].Permissions[View]; got != OnlyLocation {
		t.Errorf("the role as it was gives view in %s", got)
	}
	for permission, held := range map[string]func(Admin) Scope{
		"escalation_administrator": func(a Admin) Scope { return a.Escalation },
		"board_administrator":      func(a Admin) Scope { return a.Board },
		"card_administrator":       func(a Admin) Scope { return a.Card },
	} {
		if got := held(role(widenScope("staff", NotOfGrant, permission, LocationAndBelow)).Admin); got != LocationAndBelow {
			t.Errorf("R10: %s in %q", permission, got)
		}
	}
}
