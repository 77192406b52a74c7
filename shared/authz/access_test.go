package authz

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// asRoles is a policy in which a user holds what an access tells, row by row: a
// role for each, at the row's locations.
func asRoles(p Policy, u User, rights []Right) (Policy, User) {
	u.Assignments = nil
	for i, right := range rights {
		r := right.role()
		r.RoleRef = ref("right-" + strconv.Itoa(i))
		p.Roles = append(p.Roles, r)
		u.Assignments = append(u.Assignments, Assignment{Role: r.RoleRef})
	}
	return p, u
}

// role is one that gives the right alone.
func (r Right) role() Role {
	role := Role{SpecificLocations: r.Locations}
	if p, ok := ParsePermission(r.Permission); ok {
		role.Grants = []Grant{{Workflows: named(r.Workflow), Templates: named(r.Template), Permissions: map[Permission]Scope{p: r.Scope}}}
		return role
	}
	if a, ok := ParseAdvanced(r.Permission); ok {
		role.Advanced = []Advanced{a}
	}
	switch r.Permission {
	case globalUserAdministrator:
		role.Admin.Global = r.Users
	case localUserAdministrator:
		role.Admin.Local = r.Users
	case impersonateUser:
		role.Admin.Impersonate = true
	case boardAdministrator:
		role.Admin.Board = r.Scope
	case cardAdministrator:
		role.Admin.Card = r.Scope
	case escalationAdministrator:
		role.Admin.Escalation = r.Scope
	}
	role.Admin.Roles, role.Admin.Quality = r.Permission == "role_administrator", r.Permission == "quality_administrator"
	role.Admin.System = r.Permission == "system_administrator"
	role.Admin.AccessReader, role.Admin.ItemWriter = r.Permission == "access_reader", r.Permission == "item_writer"
	return role
}

// Who holds what the access of somebody tells is answered every question alike.
func TestAccessIsWhatEvaluationAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		for _, id := range someUsers[:2] {
			u := randomUser(t, id)
			s := m.Subject(u, now)
			rights := m.Access(s)
			told, holder := asRoles(policy, u, rights)
			again := Compile(told)
			h := again.Subject(holder, now)
			for _, q := range randomQuestions(t) {
				d, told := m.Decide(s, q.action, q.resource), again.Decide(h, q.action, q.resource)
				if idle(q.action, s) {
					continue
				}
				if d.Allowed != told.Allowed {
					t.Fatalf("%+v\n%s\n= %v; by the access %v:\n%+v", u, q, d.Allowed, told.Allowed, rights)
				}
			}
		}
	})
}

// idle is whether an action on the organization can be said yes to because of an
// admin permission that is of no use to its holder: to impersonate without user
// administration, or what is measured from no location. No right tells of those.
func idle(a Action, s Subject) bool {
	if a != ReadAdministration && a != AdministerSomeUsers && a != CreateUsers {
		return false
	}
	for r, from := range s.held() {
		if r.admin.some() && (r.admin.Impersonate || len(from) == 0) {
			return true
		}
	}
	return false
}

// plainAccess is somebody's access in cells, word by word: each "permission on
// template at place", and for each option of user administration the users that
// each administration reaches: the places, or nil for everybody.
type plainAccess struct {
	cells   map[string]bool
	reaches map[string][][]string
}

func (p plain) access(u User) plainAccess {
	a := plainAccess{map[string]bool{}, map[string][][]string{}}
	var counting []string
	switch u.Type {
	case General:
		counting = slices.Collect(maps.Keys(plainAllowed))
		counting = slices.DeleteFunc(counting, func(word string) bool { return word == "escalate" })
	case Capture, Kiosk:
		counting = []string{"participate"}
	case Wallboard:
		counting = []string{"view", "view_new", "view_private"}
	}
	impersonates := slices.ContainsFunc(p.held(u), func(h heldRole) bool { return h.Admin.Impersonate })
	for _, h := range p.held(u) {
		for _, t := range p.Templates {
			for _, word := range counting {
				for _, giver := range givers(word, t.TeamType.String()) {
					for _, s := range h.scopes(giver, t) {
						if slices.Contains(plainAllowed[giver], s) {
							p.cellsOf(a, word+" on "+t.ID, s, h.from)
						}
					}
				}
			}
		}
		if u.Type == General {
			p.admin(a, h, impersonates)
		}
	}
	return a
}

// cellsOf adds a permission's cells.
func (p plain) cellsOf(a plainAccess, what, scope string, from []string) {
	if scope == "yes" || scope == "only_users" || scope == "everywhere" {
		a.cells[what+" of one's own"] = true
	}
	if scope == "everywhere" {
		a.cells[what+" nowhere"] = true
	}
	for _, l := range p.Locations {
		if len(p.upwards(l.ID)) > 0 && (scope == "everywhere" || p.scopeMetAt(scope, from, l.ID)) {
			a.cells[what+" at "+l.ID] = true
		}
	}
}

func (p plain) admin(a plainAccess, h heldRole, impersonates bool) {
	for _, word := range h.organizationRights() {
		if !slices.Contains([]string{"", "read_administration", "administer_some_users", "create_users", "global_user_administrator"}, word) {
			a.cells[word] = true
		}
	}
	for word, s := range map[string]Scope{"board": h.Admin.Board, "card": h.Admin.Card, "escalation": h.Admin.Escalation} {
		if slices.Contains(plainAllowed["view"], s.String()) {
			p.cellsOf(a, word, s.String(), h.from)
		}
	}
	add := func(u *UserAdministration, reached []string) {
		options := []string{"administer"}
		if u.CreateUsers {
			options = append(options, "create")
		}
		if impersonates {
			options = append(options, "impersonate")
		}
		for _, r := range p.Roles {
			if u.Grantable.All || slices.Contains(u.Grantable.Roles, r.RoleRef) {
				options = append(options, fmt.Sprint("grant ", r.RoleRef))
			}
		}
		for _, o := range options {
			a.reaches[o] = append(a.reaches[o], reached)
		}
	}
	if h.Admin.Global != nil {
		add(h.Admin.Global, nil)
	}
	if local := h.Admin.Local; local != nil && slices.Contains(plainReach, local.Scope.String()) {
		reached := []string{}
		for _, l := range p.Locations {
			if p.scopeMetAt(local.Scope.String(), h.from, l.ID) {
				reached = append(reached, l.ID)
			}
		}
		if len(reached) > 0 {
			add(local, reached)
		}
	}
}

// more is whether an access has what the other has not. That nobody can grant a
// role that is gone is no loss.
func (p plain) more(a, other plainAccess, gone string) bool {
	for cell := range a.cells {
		if !other.cells[cell] {
			return true
		}
	}
	for option, reaches := range a.reaches {
		if option == gone {
			continue
		}
		for _, reached := range reaches {
			if !p.reachedBy(reached, other.reaches[option]) {
				return true
			}
		}
	}
	return false
}

// reachedBy is whether others reach all users of these places (R11).
func (p plain) reachedBy(reached []string, others [][]string) bool {
	var together []string
	for _, other := range others {
		if other == nil {
			return true
		}
		together = append(together, other...)
		if p.Settings.LocalReach == ReachAll && reached != nil && subset(reached, other) {
			return true
		}
	}
	return p.Settings.LocalReach == ReachAny && reached != nil && subset(reached, together)
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// changedPolicy is the policy after a role was edited or deleted.
func changedPolicy(t *rapid.T, p Policy) (Policy, string) {
	id := someRoles[0]
	p.Roles = slices.Clone(p.Roles)
	i := slices.IndexFunc(p.Roles, func(r Role) bool { return r.ID == id })
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		gone := "grant " + fmt.Sprint(p.Roles[i].RoleRef)
		p.Roles = slices.Delete(p.Roles, i, i+1)
		return p, gone
	case 1:
		edited := p.Roles[i]
		edited.Grants = append(slices.Clone(edited.Grants), randomGrant(t))
		p.Roles[i] = edited
	case 2:
		edited := p.Roles[i]
		edited.Admin = randomAdmin(t)
		p.Roles[i] = edited
	default:
		p.Roles[i] = randomRole(t, id)
	}
	return p, ""
}

// What a change to a role does to anybody is the difference of their access
// before and after, by both implementations; no decision turns without it.
func TestWhatARoleChangesIsTheDifferenceOfAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		next, gone := changedPolicy(t, policy)
		m := Compile(policy)
		after := m.With(changeTo(next, someRoles[0]))
		c := Compare(m, after, someRoles[0])
		for _, id := range someUsers[:2] {
			u := randomUser(t, id)
			u.Assignments = append(u.Assignments, Assignment{Role: ref(someRoles[0])})
			was, is := plain{policy, now}.access(u), plain{next, now}.access(u)
			judge(t, c, u, u, plain{next, now}.more(is, was, ""), plain{policy, now}.more(was, is, gone))
			turned(t, c, u, randomQuestions(t), gone)
		}
	})
}

// changeTo is a role as the next policy has it.
func changeTo(next Policy, id string) Change {
	for _, r := range next.Roles {
		if r.ID == id {
			return Change{Put: Policy{Roles: []Role{r}}}
		}
	}
	return Change{Delete: Names{Roles: []string{id}}}
}

func TestWhatAnAssignmentChangesIsTheDifferenceOfAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		before := randomUser(t, "u0")
		after := before
		after.Assignments = slices.DeleteFunc(slices.Clone(before.Assignments), func(a Assignment) bool { return a.Role.ID == someRoles[0] })
		before.Assignments = slices.Clone(after.Assignments)
		for _, u := range []*User{&before, &after} {
			if rapid.Bool().Draw(t, "holds") {
				a := randomAssignment(t)
				a.Role = ref(someRoles[0])
				u.Assignments = append(u.Assignments, a)
			}
		}
		p := plain{policy, now}
		was, is := p.access(before), p.access(after)
		judge(t, Compare(m, m, someRoles[0]), before, after, p.more(is, was, ""), p.more(was, is, ""))
	})
}

// judge holds a comparison to what is gained and lost by the plain reading, and
// its rows to that: they are of the access, and there are some exactly then.
func judge(t *rapid.T, c *Comparison, before, after User, gains, loses bool) {
	t.Helper()
	was, is := c.before.Subject(before, now), c.after.Subject(after, now)
	if g, l := c.Changes(was, is); g != gains || l != loses {
		t.Fatalf("%+v\n%+v\ngains %v, loses %v; the plain reading %v, %v", before, after, g, l, gains, loses)
	}
	gained, lost := c.Rights(was, is)
	if len(gained) > 0 != gains || len(lost) > 0 != loses {
		t.Fatalf("%+v\ngains %v, loses %v; the rows are %+v and %+v", after, gains, loses, gained, lost)
	}
	for _, rows := range []struct{ all, some []Right }{{c.after.Access(is), gained}, {c.before.Access(was), lost}} {
		for _, r := range rows.some {
			if !slices.ContainsFunc(rows.all, func(o Right) bool { return cmp.Equal(o, r, cmp.AllowUnexported(Right{})) }) {
				t.Fatalf("%+v is no right of the access", r)
			}
		}
	}
}

// turned holds that no decision turns for whom nothing changes.
func turned(t *rapid.T, c *Comparison, u User, questions []question, gone string) {
	t.Helper()
	was, is := c.before.Subject(u, now), c.after.Subject(u, now)
	gains, loses := c.Changes(was, is)
	for _, q := range questions {
		if (q.action == GrantRole || q.action == RevokeRole) && gone != "" && q.resource.Role == someRoles[0] || idle(q.action, was) || idle(q.action, is) {
			continue
		}
		before, after := c.before.Decide(was, q.action, q.resource).Allowed, c.after.Decide(is, q.action, q.resource).Allowed
		if before && !after && !loses || !before && after && !gains {
			t.Fatalf("%+v\n%s: %v, then %v; gains %v, loses %v", u, q, before, after, gains, loses)
		}
	}
}

// rowOf is a right in a line: what, on what, where, and what gives it.
func rowOf(r Right) string {
	var from []string
	for _, s := range r.From {
		text := s.Role
		if s.Grant != NotOfGrant {
			text += "/" + strconv.Itoa(s.Grant)
		}
		if s.ImpliedBy != "" {
			text += " by " + s.ImpliedBy
		}
		from = append(from, text)
	}
	return strings.Join(strings.Fields(fmt.Sprint(r.Permission, " ", r.Workflow, r.Template, " ", r.Where(), " ", strings.Join(r.Locations, ","), " <- ", strings.Join(from, "; "))), " ")
}

// accessCases are what the rights of maria are, row by row.
var accessCases = []struct {
	name  string
	given func(*scene)
	want  []string
}{
	{"nothing", func(*scene) {}, nil},
	{"R3 a grant on a workflow", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"projects"}, Permissions: map[Permission]Scope{View: LocationAndBelow}}}
	}, []string{"view projects location_and_below ward <- staff/0"}},
	{"R3 and on a template", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Delete: OnlyUsers, Participate: Yes}}}
	}, []string{"participate note yes <- staff/0", "delete note only_users <- staff/0"}},
	{"R7 view_new implies view", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"idea"}, Permissions: map[Permission]Scope{ViewNew: Everywhere}}}
	}, []string{"view idea everywhere <- staff/0 by view_new", "view_new idea everywhere <- staff/0"}},
	{"R7 assign implies more on Standard templates alone", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"improvement"}, Permissions: map[Permission]Scope{Assign: OnlyLocation}}}
	}, []string{
		"view standard only_location ward <- staff/0 by assign", "view_new standard only_location ward <- staff/0 by assign",
		"edit standard only_location ward <- staff/0 by assign", "assign improvement only_location ward <- staff/0",
	}},
	{"R2 what two roles give, with both", func(s *scene) {
		s.staff().gives(Edit, Everywhere)
		s.other().gives(Edit, Everywhere)
		s.holdsOther()
	}, []string{"edit improvement everywhere <- staff/0; other/0", "edit projects everywhere <- staff/0; other/0"}},
	{"R5 a limited assignment", func(s *scene) {
		s.maria.Locations = []string{"ward", "south"}
		s.maria.Assignments[0].Locations = []string{"south"}
		s.staff().Admin.Board = LocationAndBelow
	}, []string{"board_administrator location_and_below south <- staff"}},
	{"R5 specific locations", func(s *scene) {
		s.staff().SpecificLocations = []string{"north"}
		s.staff().Admin.Card = OnlyLocation
	}, []string{"card_administrator only_location north <- staff"}},
	{"R5 one that is over", func(s *scene) { s.everything(); s.maria.Assignments[0].Until = now }, nil},
	{"R9, R10 plain", func(s *scene) {
		s.staff().Advanced = []Advanced{ViewImpact}
		s.staff().Admin = Admin{System: true, AccessReader: true}
	}, []string{"system_administrator organization <- staff", "access_reader organization <- staff", "view_impact yes <- staff"}},
	{"R10 to impersonate, where users are administered", func(s *scene) {
		s.local(LocationAndBelow)
		s.other().Admin.Impersonate = true
		s.holdsOther()
	}, []string{"local_user_administrator location_and_below ward <- staff", "impersonate_user location_and_below ward <- other; staff"}},
	{"R10 to impersonate, without user administration", having(Admin{Impersonate: true}), nil},
	{"U2 capture", func(s *scene) {
		s.staff().gives(Edit, Everywhere)
		s.staff().gives(Participate, Yes)
		s.maria.Type = Capture
	}, []string{"participate improvement yes <- staff/1", "participate projects yes <- staff/1"}},
	{"U4 no admin permission but of general users", func(s *scene) { s.staff().Admin.Roles = true; s.maria.Type = Wallboard }, nil},
}

func TestAccess(t *testing.T) {
	for _, c := range accessCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			c.given(s)
			m := Compile(s.policy)
			var got []string
			for _, r := range m.Access(m.Subject(s.maria, now)) {
				got = append(got, rowOf(r))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-expected +told) %s", diff)
			}
		})
	}
}

// A role that was deleted is in no list of roles that may be granted (R14).
func TestR14AccessNamesLiveRolesAlone(t *testing.T) {
	s := newScene()
	s.local(LocationAndBelow, ref("other"), RoleRef{"other", 99}, ref("gone"))
	m := Compile(s.policy)
	got := m.Access(m.Subject(s.maria, now))[0].Users.Grantable.Roles
	if diff := cmp.Diff([]RoleRef{ref("other")}, got); diff != "" {
		t.Error(diff)
	}
}
