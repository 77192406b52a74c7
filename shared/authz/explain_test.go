package authz

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestExplainIsDecide: an explanation has the decision, and what it tells of is
// what the decision rests on.
func TestExplainIsDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		for _, id := range someUsers[:3] {
			u := randomUser(t, id)
			s := m.Subject(u, now)
			for _, q := range randomQuestions(t) {
				d, e := m.Decide(s, q.action, q.resource), m.Explain(s, q.action, q.resource)
				if e.Decision != d {
					t.Fatalf("%+v\n%s: explained as %v, decided %v", u, q, e.Decision, d)
				}
				var lacking set[Condition]
				for _, miss := range e.Missing {
					lacking = lacking.with(miss.Condition)
				}
				if got := m.lacking(s, q.action, q.resource); got != lacking {
					t.Fatalf("%+v\n%s: lacking %b, explained %b", u, q, got, lacking)
				}
				if why := wrong(m, s, q, e); why != "" {
					t.Fatalf("%+v\n%s\n%+v: %s", u, q, e, why)
				}
			}
		}
	})
}

// wrong is what an explanation does not tell, or tells that is not so.
func wrong(m *Model, s Subject, q question, e Explanation) string {
	switch {
	case unknownReason(e.Reason) && len(e.Missing)+len(e.Paths) > 0:
		return "C8 something is told of what is unknown"
	case unknownReason(e.Reason) || e.Allowed && e.Reason == NoReason:
		return ""
	case e.Allowed && len(e.Missing) > 0 || !e.Allowed && len(e.Paths) > 0:
		return "a yes lacks something, or a no has paths"
	case !e.Allowed && (len(e.Missing) == 0 || e.Missing[0].Reason != e.Reason):
		return "a no whose first lack is not its reason"
	}
	for _, c := range conditionsOf(q, s) {
		met := slices.ContainsFunc(e.Paths, func(p Path) bool { return p.Condition == c })
		if e.Allowed && !met {
			return "a yes without a path for " + c.String()
		}
	}
	for _, p := range e.Paths {
		if why := wrongPath(m, s, q, p); why != "" {
			return fmt.Sprintf("%+v: %s", p, why)
		}
	}
	return ""
}

func unknownReason(r Reason) bool {
	return slices.Contains([]Reason{UnknownSubject, UnknownResourceType, UnknownAction, UnknownResource}, r)
}

// conditionsOf is what a yes needs.
func conditionsOf(q question, s Subject) []Condition {
	switch q.resource.Type {
	case ItemResource:
		var all []Condition
		if q.action != DoParticipate {
			all = append(all, ToView)
		}
		if q.action != DoView {
			all = append(all, ToHold)
		}
		if slices.Contains([]Action{DoTogglePrivate, DoDelete, DoEscalate}, q.action) {
			all = append(all, ToEdit)
		}
		return all
	case UserResource:
		if q.action == ImpersonateUser {
			return []Condition{ToHold, ToAdministerUsers}
		}
		return []Condition{ToAdministerUsers}
	default:
		return []Condition{ToHold}
	}
}

// wrongPath judges a path by the policy itself: the role is held, gives what it
// is said to give, and reaches what it is said to reach.
func wrongPath(m *Model, s Subject, q question, p Path) string {
	if p.Given.Role == "" {
		if p.Team == NoTeamRole || !slices.Contains(q.resource.Item.Team[p.Team], s.id) {
			return "the subject is not that on the team"
		}
		return ""
	}
	held := slices.ContainsFunc((explainer{Model: m, s: s}).heldRoles(), func(h heldFrom) bool {
		from := p.Held == "" || slices.Contains(h.from, m.forest.places[p.Held])
		return h.ID == p.Given.Role && from
	})
	if !held {
		return "the role is not held, or not from there"
	}
	r, _ := m.Role(p.Given.Role)
	if p.Given.Grant != NotOfGrant {
		permission, _ := ParsePermission(p.Given.Permission)
		if r.Grants[p.Given.Grant].Permissions[permission] != p.Given.Scope {
			return "the grant does not give that"
		}
	}
	switch p.Given.Scope {
	case OnlyLocation:
		if p.Held != p.Met {
			return "only_location reaches elsewhere"
		}
	case LocationAndBelow:
		if !m.Below(p.Held, p.Met) {
			return "location_and_below reaches elsewhere"
		}
	case OnlyUsers:
		if !slices.Contains(q.resource.Item.Team[p.Team], s.id) {
			return "only_users means somebody else"
		}
	}
	return ""
}

// TestExplainTellsEveryPath: taking away all that is told takes away the yes.
func TestExplainTellsEveryPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, user := randomPolicy(t), randomUser(t, "u0")
		m := Compile(policy)
		for _, q := range randomQuestions(t) {
			e := m.Explain(m.Subject(user, now), q.action, q.resource)
			if !e.Allowed || e.Reason == NoReason {
				continue
			}
			for _, c := range conditionsOf(q, m.Subject(user, now)) {
				if d := without(policy, user, q, e.Paths, c); d.Allowed {
					t.Fatalf("%+v\n%s\nstill allowed when every path of %s is gone: %+v", user, q, c, e.Paths)
				}
			}
		}
	})
}

// without decides in a world in which every path of a condition is cut: roles
// that give it are not held, and the subject has left the team.
func without(p Policy, u User, q question, paths []Path, c Condition) Decision {
	m := Compile(p)
	cut := func(id string) bool {
		return slices.ContainsFunc(paths, func(p Path) bool { return p.Condition == c && p.Given.Role == id })
	}
	u.Assignments = slices.DeleteFunc(slices.Clone(u.Assignments), func(a Assignment) bool { return cut(a.Role.ID) })
	if it := q.resource.Item; it != nil && slices.ContainsFunc(paths, func(p Path) bool { return p.Condition == c && p.Given.Role == "" }) {
		off := *it
		off.Team = map[TeamRole][]string{}
		q.resource.Item = &off
	}
	return m.Decide(m.Subject(u, now), q.action, q.resource)
}

var explainCases = []struct {
	name   string
	given  func(*scene)
	action Action
	want   Explanation
}{
	{"C3 C2 by the team", func(s *scene) { s.team("idea", Author) }, DoEdit, Explanation{
		Decision: yes(TeamMember), Paths: []Path{
			{Condition: ToView, Team: Author, Given: Given{Grant: NotOfGrant}},
			{Condition: ToHold, Team: Author, Given: Given{Grant: NotOfGrant}},
		},
	}},
	{"R5 the location held and the location met", func(s *scene) {
		s.maria.Locations = []string{"north"}
		s.gives(View, LocationAndBelow)
	}, DoView, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{ToView, NoTeamRole, Given{"staff", 0, "view", "", LocationAndBelow}, "north", "ward"},
		},
	}},
	{"R7 the implied permission", func(s *scene) { s.gives(ViewNew, Everywhere) }, DoView, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToView, Given: Given{"staff", 0, "view_new", "view", Everywhere}}},
	}},
	{"R6 the team role that only_users means", func(s *scene) {
		s.team("idea", Author)
		s.gives(Delete, OnlyUsers)
	}, DoDelete, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{Condition: ToView, Team: Author, Given: Given{Grant: NotOfGrant}},
			{Condition: ToHold, Team: Author, Given: Given{"staff", 0, "delete", "", OnlyUsers}},
			{Condition: ToEdit, Team: Author, Given: Given{Grant: NotOfGrant}},
		},
	}},
	{"C4 every missing part, and where it stops", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.gives(Delete, OnlyUsers)
		s.item.Locations = []string{"south"}
	}, DoDelete, Explanation{
		Decision: no(OutOfScope), Missing: []Missing{
			{ToView, OutOfScope, "view", []TeamRole{Responsible, Assigner, Author, Collaborator, Follower},
				[]Held{{Given{"staff", 0, "view", "", OnlyLocation}, []string{"ward"}, OutOfScope}}},
			{ToHold, OutOfScope, "delete", nil, []Held{{Given{"staff", 1, "delete", "", OnlyUsers}, nil, OutOfScope}}},
			{ToEdit, NeedsEdit, "edit", []TeamRole{Responsible, Assigner, Author, Collaborator}, nil},
		},
	}},
	{"C3 a draft lacks the team alone", func(s *scene) {
		s.seen()
		s.item.Status = Draft
	}, DoView, Explanation{
		Decision: no(IsDraft), Missing: []Missing{
			{Condition: ToView, Reason: IsDraft, Team: []TeamRole{Responsible, Assigner, Author, Collaborator, Follower}},
		},
	}},
	{"U2 the type, and the team that would do", func(s *scene) {
		s.seen()
		s.maria.Type = Capture
	}, DoView, Explanation{
		Decision: no(WrongUserType), Missing: []Missing{
			{Condition: ByUserType, Reason: WrongUserType, Team: []TeamRole{Responsible, Assigner, Author, Collaborator, Follower}},
		},
	}},
	{"U2 a team that would not do is not named", func(s *scene) { s.maria.Type = Wallboard }, DoView, Explanation{
		Decision: no(NoGrant), Missing: []Missing{{Condition: ToView, Reason: NoGrant, Permission: "view"}},
	}},
	{"R10 escalation", func(s *scene) {
		s.seen()
		s.gives(Edit, Everywhere)
		s.staff().Admin.Escalation = OnlyLocation
	}, DoEscalate, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{Condition: ToView, Given: Given{"staff", 0, "view", "", Everywhere}},
			{ToHold, NoTeamRole, Given{"staff", NotOfGrant, "escalation_administrator", "", OnlyLocation}, "ward", "ward"},
			{Condition: ToEdit, Given: Given{"staff", 1, "edit", "", Everywhere}},
		},
	}},
	{"R11 how far each administration comes", func(s *scene) {
		s.staff().Admin.Local = &UserAdministration{Scope: OnlyLocation}
		s.holdsOther()
		s.other().Admin.Local = &UserAdministration{Scope: LocationAndBelow, Grantable: Grantable{All: true}}
		s.other().SpecificLocations = []string{"south"}
	}, GrantRole, Explanation{
		Decision: no(NotGrantable), Missing: []Missing{{ToAdministerUsers, NotGrantable, "user_administration", nil, []Held{
			{Given{"other", NotOfGrant, "local_user_administrator", "", LocationAndBelow}, []string{"south"}, OutOfScope},
			{Given{"staff", NotOfGrant, "local_user_administrator", "", OnlyLocation}, []string{"ward"}, NotGrantable},
		}}},
	}},
	{"R11 the locations that an administration reaches", func(s *scene) {
		s.staff().Admin.Local = &UserAdministration{Scope: LocationAndBelow}
		s.maria.Locations, s.tom.Locations = []string{"hospital"}, []string{"ward", "south"}
	}, AdministerUser, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{ToAdministerUsers, NoTeamRole, Given{"staff", NotOfGrant, "local_user_administrator", "", LocationAndBelow}, "hospital", "ward"},
			{ToAdministerUsers, NoTeamRole, Given{"staff", NotOfGrant, "local_user_administrator", "", LocationAndBelow}, "hospital", "south"},
		},
	}},
	{"R10 both halves of an impersonation", func(s *scene) {}, ImpersonateUser, Explanation{
		Decision: no(NoGrant), Missing: []Missing{
			{Condition: ToHold, Reason: NoGrant, Permission: "impersonate_user"},
			{Condition: ToAdministerUsers, Reason: NoGrant, Permission: "user_administration"},
		},
	}},
	{"R10 an option of an administration", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{CreateUsers: true}
	}, CreateUsers, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToHold, Given: Given{"staff", NotOfGrant, "global_user_administrator", "create_users", NoScope}}},
	}},
	{"R9 an advanced permission", func(s *scene) {
		s.staff().Advanced = []Advanced{PeopleSection}
	}, DoPeopleSection, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToHold, Given: Given{"staff", NotOfGrant, "people_section", "", NoScope}}},
	}},
	{"C7 a board elsewhere", func(s *scene) {
		s.staff().Admin.Board = OnlyLocation
		s.maria.Locations = []string{"south"}
	}, AdministerBoard, Explanation{
		Decision: no(OutOfScope), Missing: []Missing{{ToHold, OutOfScope, "board_administrator", nil, []Held{
			{Given{"staff", NotOfGrant, "board_administrator", "", OnlyLocation}, []string{"south"}, OutOfScope},
		}}},
	}},
	{"R2 by two roles, in the order of their ids", func(s *scene) {
		s.seen()
		s.holdsOther()
		s.other().gives(View, Everywhere)
	}, DoView, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{Condition: ToView, Given: Given{"other", 0, "view", "", Everywhere}},
			{Condition: ToView, Given: Given{"staff", 0, "view", "", Everywhere}},
		},
	}},
	{"U2 by the team alone, where roles do not count", func(s *scene) {
		s.seen()
		s.team("idea", Follower)
		s.maria.Type = Capture
	}, DoView, Explanation{
		Decision: yes(TeamMember), Paths: []Path{{Condition: ToView, Team: Follower, Given: Given{Grant: NotOfGrant}}},
	}},
	{"R3 R4 what does not count is not told", func(s *scene) {
		s.team("idea", Follower)
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Edit: Everywhere}}}
		s.gives(Edit, OnlyUsers)
		s.gives(Edit, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoEdit, Explanation{
		Decision: no(OutOfScope), Missing: []Missing{{ToHold, OutOfScope, "edit", []TeamRole{Responsible, Assigner, Author, Collaborator},
			[]Held{{Given{"staff", 2, "edit", "", OnlyLocation}, []string{"ward"}, OutOfScope}}}},
	}},
	{"R6 only_users that means others", func(s *scene) {
		s.team("idea", Assigner)
		s.gives(Delete, OnlyUsers)
	}, DoDelete, Explanation{
		Decision: no(OutOfScope), Missing: []Missing{
			{ToHold, OutOfScope, "delete", nil, []Held{{Given{"staff", 0, "delete", "", OnlyUsers}, nil, OutOfScope}}},
		},
	}},
	{"R7 implied on a standard team", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.item.Template = "standard"
	}, DoView, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToView, Given: Given{"staff", 0, "assign", "view", Everywhere}}},
	}},
	{"R3 not by a grant on other templates", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{View: Everywhere}}}
		s.gives(View, Everywhere)
	}, DoView, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToView, Given: Given{"staff", 1, "view", "", Everywhere}}},
	}},
	{"C5 without a view", func(s *scene) { s.gives(Participate, Yes); s.team("idea", Author) }, DoParticipate, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToHold, Given: Given{"staff", 0, "participate", "", Yes}}},
	}},
	{"R10 escalation that is not held", func(s *scene) { s.team("idea", Author) }, DoEscalate, Explanation{
		Decision: no(NoGrant), Missing: []Missing{{Condition: ToHold, Reason: NoGrant, Permission: "escalation_administrator"}},
	}},
	{"R11 a global administration", func(s *scene) { s.global() }, AdministerUser, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{Condition: ToAdministerUsers, Given: Given{"staff", NotOfGrant, "global_user_administrator", "", Everywhere}},
		},
	}},
	{"R12 the farthest of two is the reason", func(s *scene) {
		s.local(OnlyLocation)
		s.staff().SpecificLocations = []string{"south"}
		s.holdsOther()
		s.other().Admin.Global = &UserAdministration{}
	}, RevokeRole, Explanation{
		Decision: no(NotGrantable), Missing: []Missing{{ToAdministerUsers, NotGrantable, "user_administration", nil, []Held{
			{Given{"other", NotOfGrant, "global_user_administrator", "", Everywhere}, nil, NotGrantable},
			{Given{"staff", NotOfGrant, "local_user_administrator", "", OnlyLocation}, []string{"south"}, OutOfScope},
		}}},
	}},
	{"C12 oneself needs nothing", func(s *scene) {
		s.maria.Type = Setup
		s.tom = s.maria
	}, ReadUser, Explanation{Decision: yes(NoReason)}},
	{"C12 nor is it by an administration", func(s *scene) {
		s.global()
		s.tom = s.maria
	}, ReadUser, Explanation{Decision: yes(NoReason)}},
	{"R10 the option of a local administration", func(s *scene) {
		s.staff().Admin.Local = &UserAdministration{Scope: OnlyLocation, CreateUsers: true}
	}, CreateUsers, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToHold, Given: Given{"staff", NotOfGrant, "local_user_administrator", "create_users", NoScope}}},
	}},
	{"R10 an admin permission of two roles", func(s *scene) {
		s.staff().Admin.System = true
		s.holdsOther()
		s.other().Admin.System = true
	}, AdministerSystem, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{Condition: ToHold, Given: Given{"other", NotOfGrant, "system_administrator", "", NoScope}},
			{Condition: ToHold, Given: Given{"staff", NotOfGrant, "system_administrator", "", NoScope}},
		},
	}},
	{"C7 a card everywhere", func(s *scene) { s.staff().Admin.Card = Everywhere }, AdministerCard, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{{Condition: ToHold, Given: Given{"staff", NotOfGrant, "card_administrator", "", Everywhere}}},
	}},
	{"C7 a board that is met, and one role that is not", func(s *scene) {
		s.staff().Admin.Board = LocationAndBelow
		s.maria.Locations = []string{"north"}
		s.holdsOther()
		s.other().Admin.Board = OnlyLocation
	}, AdministerBoard, Explanation{
		Decision: yes(RoleGrant), Paths: []Path{
			{ToHold, NoTeamRole, Given{"staff", NotOfGrant, "board_administrator", "", LocationAndBelow}, "north", "ward"},
		},
	}},
	{"C7 no board permission at all", func(s *scene) { s.staff().Admin.Card = Everywhere }, AdministerBoard, Explanation{
		Decision: no(NoGrant), Missing: []Missing{{Condition: ToHold, Reason: NoGrant, Permission: "board_administrator"}},
	}},
	{"U2 the type does not sign in", func(s *scene) { s.maria.Type = Kiosk }, SignIn, Explanation{
		Decision: no(WrongUserType), Missing: []Missing{{Condition: ByUserType, Reason: WrongUserType}},
	}},
	{"U4 the type on users", func(s *scene) { s.global(); s.maria.Type = Capture }, AdministerUser, Explanation{
		Decision: no(WrongUserType), Missing: []Missing{{Condition: ByUserType, Reason: WrongUserType}},
	}},
	{"U4 the type on the organization", func(s *scene) { s.staff().Admin.System = true; s.maria.Type = Capture }, AdministerSystem, Explanation{
		Decision: no(WrongUserType), Missing: []Missing{{Condition: ByUserType, Reason: WrongUserType}},
	}},
	{"U4 the type", func(s *scene) { s.maria.Type = Capture }, AdministerCard, Explanation{
		Decision: no(WrongUserType), Missing: []Missing{{Condition: ByUserType, Reason: WrongUserType}},
	}},
}

func TestExplain(t *testing.T) {
	for _, c := range explainCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			c.given(s)
			m := Compile(s.policy)
			got := m.Explain(m.Subject(s.maria, now), c.action, s.usually(c.action))
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

func TestEveryConditionHasACaseOfYesAndNo(t *testing.T) {
	for c := NoCondition + 1; c < ConditionCount; c++ {
		if c.String() == "" {
			t.Errorf("condition %d has no word", c)
		}
		met, missed := false, false
		for _, e := range explainCases {
			met = met || slices.ContainsFunc(e.want.Paths, func(p Path) bool { return p.Condition == c })
			missed = missed || slices.ContainsFunc(e.want.Missing, func(m Missing) bool { return m.Condition == c })
		}
		// A type that admits the action needs no path of its own.
		if !missed || !met && c != ByUserType {
			t.Errorf("%s: met %v, missed %v", c, met, missed)
		}
	}
}
