package authz

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestU3BelowAndSubtree(t *testing.T) {
	m := Compile(Policy{Locations: []Location{
		{ID: "ward", Parent: "north"}, {ID: "hospital"}, {ID: "south", Parent: "hospital"}, {ID: "north", Parent: "hospital"},
		{ID: "annex"}, {ID: "orphan", Parent: "gone"}, {ID: "loop", Parent: "loop"}, {ID: "tail", Parent: "loop"},
	}})
	for root, want := range map[string][]string{
		"hospital": {"hospital", "north", "ward", "south"},
		"north":    {"north", "ward"},
		"ward":     {"ward"},
		"annex":    {"annex"},
		"orphan":   {"orphan"},
		"loop":     nil,
		"tail":     nil,
		"gone":     nil,
		"":         nil,
	} {
		if got := m.Subtree(root); !slices.Equal(got, want) {
			t.Errorf("below %q: %v, want %v", root, got, want)
		}
		for _, l := range []string{"hospital", "north", "ward", "south", "annex", "orphan", "loop", "tail", "gone", ""} {
			if got := m.Below(root, l); got != slices.Contains(want, l) {
				t.Errorf("%q below %q: %v", l, root, got)
			}
		}
	}
	m.Subtree("hospital")[0] = "changed"
	if m.Subtree("hospital")[0] != "hospital" {
		t.Error("a caller's list is the model's own")
	}
}

func TestModelTellsWhatItWasCompiledFrom(t *testing.T) {
	p := Policy{
		Settings:  Settings{OnlyUsers: ByTeamMember, LocalReach: ReachAny},
		Locations: []Location{{ID: "ward", Name: "Ward", Parent: "hospital"}, {ID: "hospital"}},
		Workflows: []Workflow{{ID: "safety"}, {ID: "improvement", Name: "Improvement"}},
		Templates: []Template{{ID: "idea", Workflow: "improvement", TeamType: Simple}, {ID: "fall", Workflow: "safety", TeamType: Standard}},
		Roles:     []Role{{RoleRef: ref("staff"), Name: "Staff", Admin: Admin{Board: OnlyUsers}}, {RoleRef: ref("lead")}},
	}
	m := Compile(p)
	if l, ok := m.Location("ward"); !ok || l != p.Locations[0] {
		t.Errorf("location: %+v %v", l, ok)
	}
	if w, ok := m.Workflow("improvement"); !ok || w != p.Workflows[1] {
		t.Errorf("workflow: %+v %v", w, ok)
	}
	if tp, ok := m.Template("idea"); !ok || tp != p.Templates[0] {
		t.Errorf("template: %+v %v", tp, ok)
	}
	if r, ok := m.Role("staff"); !ok || !reflect.DeepEqual(r, p.Roles[0]) {
		t.Errorf("role: %+v %v", r, ok)
	}
	if m.Settings() != p.Settings {
		t.Errorf("settings: %+v", m.Settings())
	}
	_, l := m.Location("gone")
	_, w := m.Workflow("gone")
	_, tp := m.Template("gone")
	_, r := m.Role("gone")
	if l || w || tp || r {
		t.Error("something is known that is not there")
	}
	want := Policy{
		Settings:  p.Settings,
		Locations: []Location{p.Locations[1], p.Locations[0]},
		Workflows: []Workflow{p.Workflows[1], p.Workflows[0]},
		Templates: []Template{p.Templates[1], p.Templates[0]},
		Roles:     []Role{p.Roles[1], p.Roles[0]},
	}
	if got := m.Policy(); !reflect.DeepEqual(got, want) {
		t.Errorf("policy: %+v, want %+v", got, want)
	}
	if got := Compile(Policy{}).Policy(); !reflect.DeepEqual(got, Policy{}) {
		t.Errorf("empty policy: %+v", got)
	}
}

// TestU3Nameable: what is being deleted may be named by what named it before
// and by nothing else. That it decides as before is TestDecideIsThePlainReadingOfTheRules.
func TestU3Nameable(t *testing.T) {
	m := Compile(Policy{
		Locations: []Location{{ID: "open"}, {ID: "closing", Closing: true}},
		Workflows: []Workflow{{ID: "open"}, {ID: "closing", Closing: true}},
		Templates: []Template{{ID: "open"}, {ID: "closing", Closing: true}},
	})
	for kind, nameable := range map[string]func(string, ...string) bool{
		"location": m.NameableLocation, "workflow": m.NameableWorkflow, "template": m.NameableTemplate,
	} {
		for _, c := range []struct {
			id     string
			before []string
			want   bool
		}{
			{"open", nil, true}, {"closing", nil, false}, {"closing", []string{"open"}, false}, {"closing", []string{"open", "closing"}, true},
			{"gone", nil, false}, {"gone", []string{"gone"}, false}, {"", nil, false},
		} {
			if got := nameable(c.id, c.before...); got != c.want {
				t.Errorf("%s %q, named before: %v: %v", kind, c.id, c.before, got)
			}
		}
	}
}

func TestWithKeepsWhatDidNotChange(t *testing.T) {
	m := Compile(newScene().policy)
	role := m.With(Change{Put: Policy{Roles: []Role{{RoleRef: ref("other"), Name: "Other"}}}})
	if role.roles["staff"] != m.roles["staff"] {
		t.Error("a role was compiled again though another changed")
	}
	if role.roles["other"] == m.roles["other"] {
		t.Error("a changed role was kept")
	}
	moved := m.With(Change{Put: Policy{Locations: []Location{{ID: "ward", Parent: "south"}}}})
	if moved.roles["staff"] != m.roles["staff"] {
		t.Error("a role was compiled again though a location moved")
	}
	if !moved.Below("south", "ward") || m.Below("south", "ward") {
		t.Error("U3: the move is in the next model alone")
	}
	settings := m.With(Change{Settings: &Settings{LocalReach: ReachAny}})
	if &settings.forest.preorder[0] != &m.forest.preorder[0] || settings.Settings().LocalReach != ReachAny {
		t.Error("a setting planted the forest again, or did not change")
	}
}

func TestWithPutsBackWhatIsDeletedAndPut(t *testing.T) {
	born := RoleRef{ID: "other", Birth: birth + 1}
	next := Compile(newScene().policy).With(Change{Delete: Names{Roles: []string{"other", "staff"}}, Put: Policy{Roles: []Role{{RoleRef: born}}}})
	if r, ok := next.Role("other"); !ok || r.RoleRef != born {
		t.Errorf("R14: the new role under an old id: %+v %v", r, ok)
	}
	if _, ok := next.Role("staff"); ok {
		t.Error("the deleted role is still there")
	}
}

// TestC11WithIsSeen: whatever part of a policy changes, the next decision knows.
func TestC11WithIsSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		given  func(*scene)
		change Change
		want   Decision
	}{
		{"C11 nothing changed", nil, Change{}, yes(RoleGrant)},
		{"C11 the role has lost its grant", nil, Change{Put: Policy{Roles: []Role{{RoleRef: ref("staff")}}}}, no(NoGrant)},
		{"C11 the role is gone", nil, Change{Delete: Names{Roles: []string{"staff"}}}, no(NoGrant)},
		{"C11 the item's location is gone", nil, Change{Delete: Names{Locations: []string{"ward"}}}, no(OutOfScope)},
		{"C11 the item's location has moved", nil, Change{Put: Policy{Locations: []Location{{ID: "ward", Parent: "south"}}}}, no(OutOfScope)},
		{"C11 the template is gone", nil, Change{Delete: Names{Templates: []string{"idea"}}}, no(UnknownResource)},
		{"C11 another template is gone", nil, Change{Delete: Names{Templates: []string{"note"}}}, yes(RoleGrant)},
		{"C11 the template is another workflow's", nil, Change{Put: Policy{Templates: []Template{{ID: "idea", Workflow: "none", TeamType: Simple}}}}, no(NoGrant)},
		{"C11 a new template of the workflow", func(s *scene) { s.item.Template = "new" },
			Change{Put: Policy{Templates: []Template{{ID: "new", Workflow: "improvement", TeamType: Simple}}}}, yes(RoleGrant)},
		{"C11 the setting", func(s *scene) {
			s.policy.Settings.OnlyUsers = ByTeamMember
			s.team("idea", Collaborator)
			s.staff().Grants = nil
			s.gives(Delete, OnlyUsers)
		}, Change{Settings: &Settings{OnlyUsers: ByTeamRole}}, no(OutOfScope)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, action := newScene(), DoView
			s.lead()
			s.gives(View, LocationAndBelow)
			if c.given != nil {
				c.given(s)
			}
			if c.change.Settings != nil {
				action = DoDelete
			}
			next := Compile(s.policy).With(c.change)
			if d := next.Decide(next.Subject(s.maria, now), action, s.usually(action)); d != c.want {
				t.Errorf("%v %q, want %v %q", d.Allowed, d.Reason, c.want.Allowed, c.want.Reason)
			}
		})
	}
}

func TestR5TheUserIsLeftAlone(t *testing.T) {
	s := newScene()
	s.limited("south", "ward")
	Compile(s.policy).Subject(s.maria, now)
	if limit := s.maria.Assignments[0].Locations; !slices.Equal(limit, []string{"south", "ward"}) {
		t.Errorf("R5: the limit became %v", limit)
	}
}

func TestSubject(t *testing.T) {
	s := newScene()
	m := Compile(s.policy)
	maria := m.Subject(s.maria, now)
	if maria.ID() != "maria" || maria.Type() != General {
		t.Errorf("%q of type %s", maria.ID(), maria.Type())
	}
	if nobody := m.Subject(User{Type: General}, now); nobody != (Subject{}) || nobody.ID() != "" || nobody.Type() != NoUserType {
		t.Errorf("without an id: %+v", nobody)
	}
	open := Assignment{}
	for _, c := range []struct {
		until time.Time
		over  bool
	}{{time.Time{}, false}, {now.Add(1), false}, {now, true}, {now.Add(-1), true}} {
		open.Until = c.until
		if open.Over(now) != c.over {
			t.Errorf("R5: until %v is over at %v: %v", c.until, now, !c.over)
		}
	}
}
