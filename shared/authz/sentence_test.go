package authz

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSentences(t *testing.T) {
	named := func(s *scene) {
		s.policy.Roles[0].Name, s.policy.Roles[1].Name = "Staff", "Other"
		s.policy.Locations[2].Name, s.policy.Locations[3].Name = "North", "South"
		for i := range s.policy.Locations {
			if s.policy.Locations[i].ID == "ward" {
				s.policy.Locations[i].Name = "Ward 2A"
			}
		}
	}
	for name, c := range map[string]struct {
		given  func(*scene)
		action Action
		want   []string
	}{
		"C2 C3 the team": {func(s *scene) { s.team("idea", Author) }, DoEdit, []string{
			"To view the item: the user is on the item's team as author.",
			"For the action itself: the user is on the item's team as author.",
		}},
		"R5 R7 a role": {func(s *scene) { s.gives(ViewNew, LocationAndBelow) }, DoView, []string{
			`To view the item: the role "Staff" (grant 1) gives view_new at Ward 2A and below, which implies view, and it is needed there.`,
		}},
		"R5 held above": {func(s *scene) { s.gives(View, LocationAndBelow); s.lead() }, DoView, []string{
			`To view the item: the role "Staff" (grant 1) gives view at north and below, and it is needed at Ward 2A.`,
		}},
		"R6 only_users": {func(s *scene) { s.team("idea", Author); s.gives(Assign, OnlyUsers) }, DoAssign, []string{
			"To view the item: the user is on the item's team as author.",
			`For the action itself: the role "Staff" (grant 1) gives assign on the items that only_users means, and the user is that as author.`,
		}},
		"C4 what is missing": {func(s *scene) {
			s.gives(View, OnlyLocation)
			s.item.Locations, s.item.Template = []string{"south"}, "note"
		}, DoDelete, []string{
			"To view the item: view is held, but does not reach there. Of the item's team, author or follower would do.",
			`Held: the role "Staff" (grant 1) gives view at Ward 2A only, which does not reach there.`,
			"For the action itself: no role held gives delete.",
			"To edit the item: neither is edit held in scope, nor a team role that edits. Of the item's team, author would do.",
		}},
		"U2": {func(s *scene) { s.maria.Type = Offline }, DoView, []string{"The type of the user does not admit this action, whatever roles are held."}},
		"R12": {func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, GrantRole, []string{
			"To administer the user: user_administration reaches there, but may not grant this role.",
			`Held: the role "Staff" gives global_user_administrator everywhere, which may not grant this role.`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			named(s)
			c.given(s)
			m := Compile(s.policy)
			got := m.Sentences(m.Explain(m.Subject(s.maria, now), c.action, s.usually(c.action)))
			if !slices.Equal(got, c.want) {
				t.Errorf("\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestEverythingHasASentence(t *testing.T) {
	for c := NoCondition + 1; c < ConditionCount; c++ {
		if subjects[c] == "" {
			t.Errorf("%s has no words", c)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, q := range situations(t) {
			e := q.Model.Explain(q.subject(), q.Action, q.Resource)
			suggestions, _ := q.Suggest(anything)
			sentences := q.Model.Sentences(e)
			for _, s := range suggestions {
				sentences = append(sentences, q.Model.Sentence(s))
			}
			for _, text := range sentences {
				if !strings.HasSuffix(text, ".") || strings.Contains(text, "%!") || strings.Contains(text, "  ") || strings.Contains(text, ": .") {
					t.Fatalf("%q", text)
				}
			}
			if (len(e.Missing) > 0 || len(e.Paths) > 0) && len(sentences) == 0 {
				t.Fatalf("%+v: no sentence", e)
			}
		}
	})
}

func TestSuggestionSentences(t *testing.T) {
	s := newScene()
	m := Compile(s.policy)
	for want, suggestion := range map[string]Suggestion{
		"Assign the role staff anew without a limit until 2026-11-22T00:00:00Z: the user gains 3 rights.": {[]Step{{Kind: WidenAssignment, Role: "staff", Until: now}}, 3},
		"Put the user on the item's team as author: the user gains 2 rights.":                             {[]Step{{Kind: JoinTeam, Team: Author}}, 2},
		"Assign the role other limited to ward: the user gains 1 right.":                                  {[]Step{{Kind: AssignRole, Role: "other", Locations: []string{"ward"}}}, 1},
		"Assign the role other and assign the role staff: the user gains 0 rights.":                       {[]Step{{Kind: AssignRole, Role: "other"}, {Kind: AssignRole, Role: "staff"}}, 0},
		"Assign the role staff anew without a limit: the user gains 3 rights.":                            {[]Step{{Kind: WidenAssignment, Role: "staff"}}, 3},
		"Assign the role staff anew limited to ward and south: the user gains 3 rights.":                  {[]Step{{Kind: WidenAssignment, Role: "staff", Locations: []string{"ward", "south"}}}, 3},
		"Add south to the user's locations: the user gains 1 right.":                                      {[]Step{{Kind: AddLocation, Locations: []string{"south"}}}, 1},
		"Make the user's type general: the user gains 4 rights.":                                          {[]Step{{Kind: ChangeType}}, 4},
		"Let the role staff give view everywhere (to everybody who holds it): the user gains 5 rights.":   {[]Step{{Kind: WidenScope, Role: "staff", Permission: "view", Scope: Everywhere}}, 5},
		"Let the role staff give participate too (to everybody who holds it): the user gains 1 right.":    {[]Step{{Kind: WidenScope, Role: "staff", Permission: "participate", Scope: Yes}}, 1},
	} {
		if got := m.Sentence(suggestion); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
