package authz

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anything(Step) bool { return true }

// situations are random questions about a random user.
func situations(t *rapid.T) []Situation {
	m, u := Compile(randomPolicy(t)), randomUser(t, "u0")
	var all []Situation
	for _, q := range randomQuestions(t) {
		if q.resource.User != nil && q.resource.User.ID == u.ID {
			q.resource.User = &u // there is one of an id
		}
		all = append(all, Situation{Model: m, User: u, At: now, Action: q.action, Resource: q.resource})
	}
	return all
}

// TestSuggestionsTurnTheAnswer: each suggestion, applied, makes a yes of the no,
// and no part of it does.
func TestSuggestionsTurnTheAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, q := range situations(t) {
			suggestions, _ := q.Suggest(anything)
			if q.Decide().Allowed && len(suggestions) > 0 {
				t.Fatalf("%+v: a yes needs no change: %+v", q, suggestions)
			}
			for _, s := range suggestions {
				if d := q.After(s.Steps...).Decide(); !d.Allowed {
					t.Fatalf("%+v\n%+v: still %s", q, s, d.Reason)
				}
				for i := range s.Steps {
					fewer := slices.Delete(slices.Clone(s.Steps), i, i+1)
					if q.After(fewer...).Decide().Allowed {
						t.Fatalf("%+v\n%+v: %+v are enough", q, s, fewer)
					}
				}
			}
		}
	})
}

// TestSuggestionsAreTheSmallest: whatever single step turns the answer, what is
// told is not larger; and something is told whenever a step or two would do.
func TestSuggestionsAreTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, q := range situations(t) {
			suggestions, left := q.Suggest(anything)
			steps := plainSteps(q)
			for _, step := range steps {
				after := q.After(step)
				if q.Decide().Allowed || unknownReason(q.Decide().Reason) || !after.Decide().Allowed {
					continue
				}
				if len(suggestions) == 0 || len(suggestions[0].Steps) != 1 {
					t.Fatalf("%+v\n%+v is enough; told %+v", q, step, suggestions)
				}
				if least := plainGained(q, after); suggestions[0].editsRoles() == 0 && suggestions[0].Gained > least {
					t.Fatalf("%+v\n%+v gives %d rights; told first %+v", q, step, least, suggestions[0])
				}
			}
			if len(suggestions) == 0 && left == 0 && !q.Decide().Allowed {
				two(t, q, steps)
			}
		}
	})
}

// two is whether no two steps turn the answer, of those that say nothing.
func two(t *rapid.T, q Situation, steps []Step) {
	if unknownReason(q.Decide().Reason) {
		return
	}
	for i, one := range steps {
		for _, other := range steps[i+1:] {
			if one.Role != other.Role && q.After(one, other).Decide().Allowed {
				t.Fatalf("%+v\n%+v and %+v are enough; nothing is told", q, one, other)
			}
		}
	}
}

// plainSteps are steps that concern the subject alone, without any judgement.
func plainSteps(q Situation) []Step {
	var all []Step
	for _, r := range q.Model.Policy().Roles {
		held := slices.IndexFunc(q.User.Assignments, func(a Assignment) bool { return a.Role == r.RoleRef })
		if held < 0 {
			all = append(all, Step{Kind: AssignRole, Role: r.ID, Grant: NotOfGrant})
			for _, l := range q.User.Locations {
				if len(r.SpecificLocations) == 0 {
					all = append(all, Step{Kind: AssignRole, Role: r.ID, Locations: []string{l}, Grant: NotOfGrant})
				}
			}
		}
	}
	if it := q.Resource.Item; it != nil && q.Resource.Type == ItemResource {
		template, _ := q.Model.Template(it.Template)
		for r := NoTeamRole + 1; r < TeamRoleCount; r++ {
			if template.TeamType.Has(r) {
				all = append(all, Step{Kind: JoinTeam, Team: r, Grant: NotOfGrant})
			}
		}
	}
	if q.User.Type != General {
		all = append(all, Step{Kind: ChangeType, Grant: NotOfGrant})
	}
	return all
}

// cell is a right as one would write it down: a permission at one location, "-"
// for items without one, "own" for those that only_users means.
type cell struct{ permission, template, role, location string }

// cells is everything that somebody holds, written out from the policy.
func cells(q Situation) map[cell]bool {
	s := q.subject()
	all := map[cell]bool{}
	note := func(permission, template, role string, scope Scope, from []place) {
		for _, l := range extent(q.Model, scope, from) {
			all[cell{permission, template, role, l}] = true
		}
	}
	for r, from := range s.held() {
		for p := NoPermission + 1; p < PermissionCount; p++ {
			byType := map[UserType][]Permission{Capture: {Participate}, Kiosk: {Participate}, Wallboard: {View, ViewNew, ViewPrivate}}
			if s.userType != General && !slices.Contains(byType[s.userType], p) {
				continue
			}
			for id, t := range q.Model.templates.byID {
				for _, scope := range r.items[t.number].scopes(p).list() {
					note(p.String(), id, "", scope, from)
				}
			}
		}
		if s.userType == General {
			adminCells(q, r, from, note)
		}
	}
	return all
}

// extent is everywhere that a scope reaches.
func extent(m *Model, scope Scope, from []place) []string {
	var all []string
	switch scope {
	case Yes, OnlyUsers:
		return []string{"own"}
	case Everywhere:
		return append(slices.Clone(m.forest.preorder), "own", "-")
	case OnlyLocation:
		for _, p := range from {
			all = append(all, m.forest.name(p))
		}
	case LocationAndBelow:
		for _, p := range from {
			all = append(all, m.Subtree(m.forest.name(p))...)
		}
	}
	return all
}

func adminCells(q Situation, r *role, from []place, note func(string, string, string, Scope, []place)) {
	for _, a := range r.advanced.list() {
		note(a.String(), "", "", Yes, from)
	}
	administration := func(u *UserAdministration, scope Scope) {
		if u == nil {
			return
		}
		note("administer", "", "", scope, from)
		if u.CreateUsers {
			note("create_users", "", "", scope, from)
		}
		for id, other := range q.Model.roles {
			if u.Grantable.includes(other.RoleRef) {
				note("grant", "", id, scope, from)
			}
		}
	}
	administration(r.admin.Global, Everywhere)
	if r.admin.Local != nil {
		administration(r.admin.Local, r.admin.Local.Scope)
	}
	for permission, scope := range map[string]Scope{"board": r.admin.Board, "card": r.admin.Card, "escalation": r.admin.Escalation} {
		if scope != NoScope {
			note(permission, "", "", scope, from)
		}
	}
	a := r.admin
	for permission, held := range map[string]bool{
		"impersonate": a.Impersonate, "roles": a.Roles, "quality": a.Quality, "system": a.System, "reader": a.AccessReader, "writer": a.ItemWriter,
	} {
		if held {
			note(permission, "", "", Yes, from)
		}
	}
}

// plainGained counts the rights gained by writing both down.
func plainGained(before, after Situation) int {
	was, n := cells(before), 0
	for c := range cells(after) {
		if !was[c] {
			n++
		}
	}
	if was, is := before.Resource.Item, after.Resource.Item; was != is {
		for a := DoParticipate; a <= DoEscalate; a++ {
			alone := before.User
			r := Resource{Type: ItemResource, Item: was}
			s := before.Model.Subject(alone, now)
			no := !before.Model.Decide(s, a, r).Allowed
			if r.Item = is; no && before.Model.Decide(s, a, r).Allowed {
				n++
			}
		}
	}
	return n
}

// TestGainedIsCountedByHand: what a suggestion is said to give is what one finds
// by writing everything down.
func TestGainedIsCountedByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, q := range situations(t)[:20] {
			suggestions, _ := q.Suggest(anything)
			for _, s := range suggestions {
				if want := plainGained(q, q.After(s.Steps...)); s.Gained != want {
					t.Fatalf("%+v\n%+v: %d rights gained, by hand %d", q, s, s.Gained, want)
				}
			}
		}
	})
}

// TestOnlyWhatMayBeMadeIsSuggested: nothing is told that the asker may not do.
func TestOnlyWhatMayBeMadeIsSuggested(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := StepKind(rapid.IntRange(1, int(StepKindCount)-1).Draw(t, "kind"))
		for _, q := range situations(t) {
			suggestions, _ := q.Suggest(func(s Step) bool { return s.Kind == kind })
			for _, s := range suggestions {
				for _, step := range s.Steps {
					if step.Kind != kind {
						t.Fatalf("%+v among %s", s, kind)
					}
				}
			}
		}
	})
}

type suggestCase struct {
	name   string
	given  func(*scene)
	action Action
	want   []Suggestion
}

var suggestCases = []suggestCase{
	{"a follower sees, and nothing else changes", nil, DoView, []Suggestion{
		{[]Step{{Kind: JoinTeam, Team: Follower, Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: JoinTeam, Team: Responsible, Grant: NotOfGrant}}, 2},
		{[]Step{{Kind: JoinTeam, Team: Assigner, Grant: NotOfGrant}}, 2},
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}}, 2},
		{[]Step{{Kind: JoinTeam, Team: Collaborator, Grant: NotOfGrant}}, 2},
	}},
	{"R12 a role at the one location that is needed", func(s *scene) {
		s.maria.Locations = []string{"ward", "south"}
		s.seen()
		s.other().Grants = []Grant{{Templates: []string{"idea"}, Permissions: map[Permission]Scope{Assign: LocationAndBelow, HonorRoll: OnlyLocation}}}
	}, DoAssign, []Suggestion{
		{[]Step{{Kind: AssignRole, Role: "other", Locations: []string{"ward"}, Grant: NotOfGrant}}, 2},
		// On four templates at two locations; assign gives view_new and edit on the standard one (R7).
		{[]Step{{Kind: WidenScope, Role: "staff", Grant: 0, Permission: "assign", Scope: OnlyLocation}}, 12},
	}},
	{"R5 a limit that is too narrow", func(s *scene) {
		s.maria.Locations = []string{"south", "ward"}
		s.maria.Assignments[0].Locations = []string{"south"}
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Participate: Yes, View: OnlyLocation}}}
		s.item.Template = "note"
	}, DoView, []Suggestion{
		{[]Step{{Kind: JoinTeam, Team: Follower, Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: WidenAssignment, Role: "staff", Locations: []string{"south", "ward"}, Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}}, 2},
		// Four locations but south, items without one, and one's own.
		{[]Step{{Kind: WidenScope, Role: "staff", Grant: 0, Permission: "view", Scope: Everywhere}}, 5},
	}},
	{"R5 a limit that is too narrow, of an assignment that ends", func(s *scene) {
		s.maria.Locations = []string{"south", "ward"}
		s.maria.Assignments[0].Locations, s.maria.Assignments[0].Until = []string{"south"}, now.Add(time.Hour)
		s.staff().Admin.Board = OnlyLocation
	}, AdministerBoard, []Suggestion{
		{[]Step{{Kind: WidenAssignment, Role: "staff", Locations: []string{"south", "ward"}, Until: now.Add(time.Hour), Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: WidenScope, Role: "staff", Permission: "board_administrator", Grant: NotOfGrant, Scope: Everywhere}}, 5},
	}},
	{"R5 an assignment that is over", func(s *scene) {
		s.maria.Assignments[0].Until = now
		s.staff().Advanced = []Advanced{ViewImpact}
	}, DoViewImpact, []Suggestion{{[]Step{{Kind: WidenAssignment, Role: "staff", Grant: NotOfGrant}}, 1}}},
	{"U1 a location of the item", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.item.Locations, s.item.Template = []string{"south"}, "note"
		s.policy.Templates = s.policy.Templates[3:]
	}, DoView, []Suggestion{
		{[]Step{{Kind: JoinTeam, Team: Follower, Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: AddLocation, Locations: []string{"south"}, Grant: NotOfGrant}}, 1},
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}}, 2},
		{[]Step{{Kind: WidenScope, Role: "staff", Grant: 0, Permission: "view", Scope: Everywhere}}, 5},
	}},
	{"U2 a type, and what it then lacks", func(s *scene) {
		s.maria.Type = Kiosk
		s.other().Advanced = []Advanced{ViewImpact}
	}, DoViewImpact, []Suggestion{
		{[]Step{{Kind: ChangeType, Grant: NotOfGrant}, {Kind: AssignRole, Role: "other", Grant: NotOfGrant}}, 1},
	}},
	{"R2 two roles together", func(s *scene) {
		s.policy.Roles = append(s.policy.Roles, Role{RoleRef: ref("editor")})
		s.seen()
		s.other().gives(Delete, Everywhere)
		s.policy.Roles[2].gives(Edit, Everywhere)
		s.policy.Templates, s.item.Template = s.policy.Templates[3:], "note"
		s.policy.Roles[0].SpecificLocations = []string{"south"} // R8: its scopes do not become everywhere
	}, DoDelete, []Suggestion{
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}, {Kind: AssignRole, Role: "other", Grant: NotOfGrant}}, 7},
		{[]Step{{Kind: AssignRole, Role: "editor", Grant: NotOfGrant}, {Kind: AssignRole, Role: "other", Grant: NotOfGrant}}, 12},
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}, {Kind: WidenScope, Role: "staff", Permission: "delete", Scope: OnlyUsers}}, 2},
	}},
	{"R6 a team role makes only_users useful", func(s *scene) {
		s.seen()
		s.other().gives(Delete, OnlyUsers)
		s.policy.Templates, s.item.Template = s.policy.Templates[3:], "note"
		s.policy.Roles[0].SpecificLocations = []string{"south"}
	}, DoDelete, []Suggestion{
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}, {Kind: AssignRole, Role: "other", Grant: NotOfGrant}}, 2},
		{[]Step{{Kind: JoinTeam, Team: Author, Grant: NotOfGrant}, {Kind: WidenScope, Role: "staff", Permission: "delete", Scope: OnlyUsers}}, 2},
	}},
}

func TestEveryStepKindHasACase(t *testing.T) {
	for k := NoStep + 1; k < StepKindCount; k++ {
		told := slices.ContainsFunc(suggestCases, func(c suggestCase) bool {
			return slices.ContainsFunc(c.want, func(s Suggestion) bool {
				return slices.ContainsFunc(s.Steps, func(step Step) bool { return step.Kind == k })
			})
		})
		if !told {
			t.Errorf("%s: no case suggests it", k)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, c := range suggestCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			if c.given != nil {
				c.given(s)
			}
			q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: c.action, Resource: s.usually(c.action)}
			got, left := q.Suggest(anything)
			if !reflect.DeepEqual(got, c.want) || left != 0 {
				t.Errorf("%d more than\n%s", left, lines(got))
			}
		})
	}
}

func lines(all []Suggestion) string {
	out := ""
	for _, s := range all {
		out += fmt.Sprintf("%+v\n", s)
	}
	return out
}

// TestOfManyStepsThoseThatGiveLeastAreCombined: of ten roles that give what one
// lacks, the eight smallest are tried with the one that gives the rest.
func TestOfManyStepsThoseThatGiveLeastAreCombined(t *testing.T) {
	s := newScene()
	s.policy.Templates, s.item.Template = s.policy.Templates[3:], "note"
	s.staff().SpecificLocations = []string{"south"} // R8: its scopes do not become everywhere
	s.seen()
	s.other().gives(Delete, OnlyLocation)
	for i := range 10 {
		editor := Role{RoleRef: ref(fmt.Sprint("editor-", i))}
		editor.gives(Edit, OnlyLocation)
		for a := CreateBoards; a < CreateBoards+Advanced(9-i); a++ {
			editor.Advanced = append(editor.Advanced, a)
		}
		s.policy.Roles = append(s.policy.Roles, editor)
	}
	q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: DoDelete, Resource: s.usually(DoDelete)}
	got, left := q.Suggest(func(step Step) bool { return step.Kind == AssignRole })
	if len(got)+left != mostTogether {
		t.Fatalf("%d and %d suggestions", len(got), left)
	}
	for i, suggestion := range got {
		if role := fmt.Sprint("editor-", 9-i); suggestion.Steps[0].Role != role || suggestion.Gained != 2+i {
			t.Errorf("%d: %+v, want %s", i, suggestion, role)
		}
	}
}

// many is a question about an item at so many locations, with that many people on
// its team in each role, in an organization of so many roles.
func many(roles, locations, people int) Situation {
	p := Policy{Workflows: []Workflow{{ID: "w"}}, Templates: []Template{{ID: "t", Workflow: "w", TeamType: Standard}}}
	it := &Item{ID: "i", Template: "t", Status: New, Team: map[TeamRole][]string{}}
	u := User{ID: "u", Type: General}
	for i := range locations {
		id := fmt.Sprint("l", i)
		p.Locations, it.Locations = append(p.Locations, Location{ID: id}), append(it.Locations, id)
	}
	for i := range MostUserLocations - 1 {
		id := fmt.Sprint("own", i)
		p.Locations, u.Locations = append(p.Locations, Location{ID: id}), append(u.Locations, id)
	}
	for i := range roles {
		p.Roles = append(p.Roles, Role{RoleRef: RoleRef{ID: fmt.Sprint("r", i)}, Grants: []Grant{{
			Workflows: []string{"w"}, Permissions: map[Permission]Scope{View: OnlyLocation, Assign: OnlyLocation, Delete: OnlyLocation},
		}}})
	}
	for _, r := range Standard.team().members.list() {
		for i := range people {
			it.Team[r] = append(it.Team[r], fmt.Sprint("p", i))
		}
	}
	return Situation{Model: Compile(p), User: u, At: now, Action: DoDelete, Resource: Resource{Type: ItemResource, ID: "i", Item: it}}
}

// TestSuggestTriesNoMoreThanIsOfUse: what is tried grows neither with the steps
// that may not be made, nor with the item's team, nor again with each of its
// locations.
func TestSuggestTriesNoMoreThanIsOfUse(t *testing.T) {
	q := many(300, 100, 0)
	steps := 0
	if each := testing.AllocsPerRun(1, func() { q.Suggest(func(Step) bool { steps++; return false }) }) / float64(steps/2); each > 3 {
		t.Errorf("%.1f allocations for each step that may not be made", each)
	}
	steps = 0
	many(4, 1000, 0).Suggest(func(Step) bool { steps++; return true })
	if most := 20 * (4*MostUserLocations + 1000); steps > most {
		t.Errorf("%d steps tried, want at most %d", steps, most)
	}
	crowded, alone := many(4, 4, 5000), many(4, 4, 0)
	got, left := crowded.Suggest(anything)
	want, wantLeft := alone.Suggest(anything)
	if len(got) == 0 || left != wantLeft || !reflect.DeepEqual(got, want) {
		t.Errorf("with a team of thousands %+v and %d more, without %+v and %d", got, left, want, wantLeft)
	}
}

// TestEffortBoundsWhatIsTried: what is not looked through to the end is not told.
func TestEffortBoundsWhatIsTried(t *testing.T) {
	s := newScene()
	s.seen()
	s.other().gives(Assign, Everywhere)
	q := Situation{Model: Compile(s.policy), User: s.maria, At: now, Action: DoAssign, Resource: s.usually(DoAssign)}
	whole, _ := q.Suggest(anything)
	enough := NewEffort(1000)
	q.Effort = enough
	if got, _ := q.Suggest(anything); !reflect.DeepEqual(got, whole) || len(whole) == 0 || enough.Spent() {
		t.Errorf("with enough: %s", lines(got))
	}
	for steps := range 1000 - enough.left {
		q.Effort = NewEffort(steps)
		if got, left := q.Suggest(anything); len(got)+left > 0 || !q.Effort.Spent() {
			t.Errorf("with %d steps: %s", steps, lines(got))
		}
	}
}
