package permission_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

// The ids of random worlds; "gone" is in none.
var (
	someLocations = []string{"l0", "l1", "l2", "l3", "l4", "gone"}
	someTemplates = []string{"t0", "t1", "t2", "gone"}
	someRoles     = []string{"r0", "r1", "r2", "r3", "gone"}
	someUsers     = []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "gone"}
	someItems     = []string{"i0", "i1", "i2", "i3", "i4", "i5", "gone"}
)

// dice draw worlds: always the same from the same seed.
type dice struct{ *rand.Rand }

func (d dice) seldom() bool { return d.IntN(4) == 0 }

// some are a few of them, each at most once.
func (d dice) some(from []string, most int) []string {
	var few []string
	for _, n := range d.Perm(len(from))[:d.IntN(most+1)] {
		few = append(few, from[n])
	}
	return few
}

func one[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// permissions and scopes are what grants are made of; those of seeing are drawn
// more often, as most actions need them.
var (
	permissions = []authz.Permission{
		authz.Participate, authz.View, authz.View, authz.ViewNew, authz.ViewNew, authz.ViewPrivate, authz.ViewPrivate, authz.Edit, authz.Edit,
		authz.Request, authz.Assign, authz.TogglePrivate, authz.HonorRoll, authz.Delete,
	}
	scopes = []authz.Scope{authz.Yes, authz.Everywhere, authz.LocationAndBelow, authz.LocationAndBelow, authz.OnlyLocation, authz.OnlyUsers}
)

func randomPolicy(d dice) authz.Policy {
	p := authz.Policy{
		Settings:  authz.Settings{OnlyUsers: authz.OnlyUsersRule(d.IntN(2)), LocalReach: authz.ReachRule(d.IntN(2))},
		Workflows: []authz.Workflow{{ID: "w"}},
	}
	for i, id := range someLocations[:5] {
		p.Locations = append(p.Locations, authz.Location{ID: id, Parent: one(d, append([]string{"", ""}, someLocations[:i]...))})
	}
	for i, id := range someTemplates[:3] {
		p.Templates = append(p.Templates, authz.Template{ID: id, Workflow: "w", TeamType: authz.TeamType(1 + (i+d.IntN(4))%4)})
	}
	for _, id := range someRoles[:4] {
		p.Roles = append(p.Roles, randomRole(d, id))
	}
	return p
}

func randomRole(d dice, id string) authz.Role {
	r := authz.Role{RoleRef: authz.RoleRef{ID: id, Birth: 1}}
	if d.seldom() {
		r.SpecificLocations = d.some(someLocations, 2)
	}
	grant := authz.Grant{Templates: d.some(someTemplates, 3), Permissions: map[authz.Permission]authz.Scope{}}
	for range 2 + d.IntN(8) {
		p := one(d, permissions)
		grant.Permissions[p] = one(d, scopes)
	}
	r.Grants = []authz.Grant{grant}
	administration := func() *authz.UserAdministration {
		if !d.seldom() {
			return nil
		}
		return &authz.UserAdministration{
			Scope:     one(d, []authz.Scope{authz.OnlyLocation, authz.LocationAndBelow}),
			Grantable: authz.Grantable{All: d.IntN(2) == 0, Roles: []authz.RoleRef{{ID: "r1", Birth: 1}}},
		}
	}
	r.Admin = authz.Admin{
		Global: administration(), Local: administration(), Impersonate: d.seldom(),
		AccessReader: id == "r3", System: d.IntN(2) == 0,
		Board:      authz.Scope(d.IntN(int(authz.ScopeCount))),
		Escalation: authz.Scope(d.IntN(int(authz.ScopeCount))),
		Card:       authz.Scope(d.IntN(int(authz.ScopeCount))),
	}
	if d.seldom() {
		r.Advanced = []authz.Advanced{authz.ViewImpact}
	}
	return r
}

func randomUser(d dice, id string) directory.User {
	u := directory.User{ID: id, Type: authz.General, Locations: d.some(someLocations, 3), SignIn: directory.Enabled, Version: 1}
	if d.seldom() {
		u.Type = authz.UserType(1 + d.IntN(int(authz.UserTypeCount)-1))
	}
	for _, r := range d.some(someRoles, 3) {
		a := authz.Assignment{Role: authz.RoleRef{ID: r, Birth: 1}}
		if d.seldom() {
			a.Locations = d.some(someLocations, 2)
		}
		if d.seldom() {
			a.Until = now
		}
		u.Assignments = append(u.Assignments, directory.Assignment{Assignment: a})
	}
	return u
}

func randomItem(d dice, id string) authz.Item {
	i := authz.Item{
		ID: id, Template: one(d, someTemplates), Locations: d.some(someLocations, 2),
		Status:  authz.Status(1 + d.IntN(int(authz.StatusCount)-1)),
		Private: d.seldom(), Team: map[authz.TeamRole][]string{},
	}
	for range d.IntN(4) {
		r := authz.TeamRole(1 + d.IntN(int(authz.TeamRoleCount)-1))
		i.Team[r] = d.some(someUsers, 3)
	}
	return i
}

// randomWorld is a store of a random organization.
func randomWorld(d dice) *tables {
	f := directory.Facts{
		Organization: directory.Organization{ID: "o"}, Model: authz.Compile(randomPolicy(d)), Policy: 1,
		Users: map[string]directory.User{}, Items: map[string]directory.Item{},
	}
	for _, id := range someUsers[:len(someUsers)-1] {
		f.Users[id] = randomUser(d, id)
	}
	reader := f.Users["u0"] // asks most, so may ask about others mostly
	if !d.seldom() {
		reader.Assignments = append(slices.DeleteFunc(reader.Assignments, func(a directory.Assignment) bool { return a.Role.ID == "r3" }),
			directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "r3", Birth: 1}}})
	}
	f.Users["u0"] = reader
	for _, id := range someItems[:len(someItems)-1] {
		f.Items[id] = directory.Item{Item: randomItem(d, id), Version: 1}
	}
	return &tables{facts: f, atOnce: d.IntN(4)}
}

// randomQuestion is about anything that can be asked, and some that cannot.
func randomQuestion(d dice) permission.Question {
	q := permission.Question{Subject: permission.Subject{Type: "user", ID: one(d, someUsers)}}
	kind := one(d, []authz.ResourceType{authz.ItemResource, authz.ItemResource, authz.ItemResource, authz.UserResource, authz.UserResource,
		authz.OrganizationResource, authz.BoardResource, authz.CardResource})
	q.Resource.Type = kind.String()
	q.Action = one(d, append(words(authz.ActionsOn(kind)), "fly"))
	if kind == authz.OrganizationResource && !d.seldom() {
		q.Action = one(d, []string{"system_administrator", "access_reader", "view_impact", "global_user_administrator"})
	}
	switch kind {
	case authz.ItemResource:
		q.Resource.ID = one(d, someItems)
		if d.seldom() {
			facts := randomItem(d, q.Resource.ID)
			q.Resource.Facts = &facts
		}
	case authz.UserResource:
		q.Resource.ID, q.Resource.Role = one(d, someUsers), one(d, someRoles)
	case authz.OrganizationResource:
		q.Resource.ID = one(d, []string{"o", "o", "other"})
	default:
		q.Resource.ID, q.Resource.Locations = "b", d.some(someLocations, 2)
	}
	if d.IntN(16) == 0 {
		q.Subject.Type = "ghost"
	}
	return q
}

// randomHypothetical is what somebody is supposed to have, some of it nothing.
func randomHypothetical(d dice) *permission.Hypothetical {
	h := &permission.Hypothetical{}
	if !d.seldom() {
		h.Roles = []permission.HeldRole{}
		for _, id := range d.some(someRoles, 3) {
			h.Roles = append(h.Roles, permission.HeldRole{Role: id, Locations: d.some(someLocations, 1)})
		}
	}
	if d.seldom() {
		h.Locations = append(d.some(someLocations, 2), "l0")
	}
	return h
}

// candidates are all that a search could find, and some that there are not.
func candidates(q permission.Question, what permission.Searched) []string {
	switch kind, _ := authz.ParseResourceType(q.Resource.Type); {
	case what == permission.Actions:
		return words(authz.ActionsOn(kind))
	case what == permission.Subjects || kind == authz.UserResource:
		return someUsers
	case kind == authz.ItemResource:
		return someItems
	case kind == authz.OrganizationResource:
		return []string{"o", "other"}
	default:
		return nil
	}
}

func with(q permission.Question, what permission.Searched, candidate string) permission.Question {
	switch what {
	case permission.Subjects:
		q.Subject.ID = candidate
	case permission.Resources:
		q.Resource.ID = candidate
	default:
		q.Action = candidate
	}
	return q
}

// TestSearchFindsWhatEvaluationAllows: of every candidate that there is, a
// search says what evaluation says to the same caller, whoever that is, in a
// session or not, on however small pages.
func TestSearchFindsWhatEvaluationAllows(t *testing.T) {
	found := map[string]int{}
	for seed := range uint64(300) {
		d := dice{rand.New(rand.NewPCG(seed, 0))}
		s := randomWorld(d)
		for range 40 {
			q, what := randomQuestion(d), permission.Searched(d.IntN(3))
			if what == permission.Resources {
				q.Resource.Facts = nil // each candidate has its own
			}
			if what != permission.Subjects && d.seldom() {
				q.Hypothetical = randomHypothetical(d)
			}
			subject, actor := one(d, append(slices.Repeat([]string{"u0"}, 7), someUsers[:7]...)), ""
			if actor = subject; d.seldom() {
				actor = one(d, someUsers[:7])
			}
			asked := s.everything(subject, actor)
			var want []string
			for _, candidate := range candidates(q, what) {
				if ask(asked, with(q, what, candidate)).Allowed {
					want = append(want, candidate)
				}
			}
			limit := 1 + d.IntN(4)
			got, pages, err := s.pages(searchOf(what, q), subject, actor, limit)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("world %d: %s for %s searches %d of %+v\n%q, evaluation allows %q (%v)", seed, actor, subject, what, q, got, want, err)
			}
			if least := (len(want) + limit - 1) / limit; pages > least+1 {
				t.Fatalf("world %d: %d pages of %d for %d results", seed, pages, limit, len(want))
			}
			found[fmt.Sprint(what, " ", q.Resource.Type)] += len(got)
			found[kindOf(asked)] += len(got)
			if q.Hypothetical != nil {
				found["hypothetical"] += len(got)
			}
		}
	}
	for _, kind := range []string{"plain", "reader", "global", "local", "session", "hypothetical", "0 item", "0 user", "0 organization", "0 board", "0 card",
		"1 item", "1 user", "1 organization", "2 item", "2 user", "2 organization", "2 board", "2 card"} {
		if found[kind] < 10 {
			t.Errorf("%s: hardly anything was ever found (%v)", kind, found)
		}
	}
}

// kindOf is by which right the caller may ask about others.
func kindOf(c directory.Caller) string {
	organization := authz.Resource{Type: authz.OrganizationResource}
	switch {
	case c.Session != "":
		return "session"
	case c.Decide(authz.ReadAccess, organization).Allowed:
		return "reader"
	case c.Decide(authz.AdministerAllUsers, organization).Allowed:
		return "global"
	case c.Decide(authz.AdministerSomeUsers, organization).Allowed:
		return "local"
	default:
		return "plain"
	}
}

// TestSearchesOfMoreThanFits: more lists and more candidates than are read at
// once, and one page after another.
func TestSearchesOfMoreThanFits(t *testing.T) {
	for _, locations := range []int{3, 300} {
		for _, roles := range []int{1, 300} {
			s, q := crowd(locations, roles, 900)
			want := slices.Sorted(maps.Keys(s.facts.Users))
			want = slices.DeleteFunc(want, func(id string) bool {
				return !ask(s.everything("reader", "reader"), with(q, permission.Subjects, id)).Allowed
			})
			if len(want) < 100 {
				t.Fatalf("%d users may", len(want))
			}
			for _, limit := range []int{40, 500} {
				got, _, err := s.pages(searchOf(permission.Subjects, q), "reader", "reader", limit)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%d locations, %d roles, pages of %d: %d found, %d may (%v)", locations, roles, limit, len(got), len(want), err)
				}
				if both := locations > 256 && roles > 256; both != (s.asked[directory.List{Of: directory.Everybody}] > 0) {
					t.Errorf("%d locations, %d roles: %d lists were read", locations, roles, len(s.asked))
				}
			}
		}
	}
}

// crowd is an organization of many people who may view an item at all of its
// locations, each by one of the roles, and a reader.
func crowd(locations, roles, people int) (*tables, permission.Question) {
	p := authz.Policy{Templates: []authz.Template{{ID: "idea", TeamType: authz.Simple}}}
	item := authz.Item{ID: "item", Template: "idea", Status: authz.Active, Team: map[authz.TeamRole][]string{authz.Follower: {"p9999"}}}
	for l := range locations {
		p.Locations = append(p.Locations, authz.Location{ID: fmt.Sprintf("l%03d", l)})
		item.Locations = append(item.Locations, fmt.Sprintf("l%03d", l))
	}
	for r := range roles {
		p.Roles = append(p.Roles, authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprintf("r%03d", r)}, Grants: []authz.Grant{{
			Templates: []string{"idea"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.OnlyLocation},
		}}})
	}
	p.Roles = append(p.Roles, authz.Role{RoleRef: authz.RoleRef{ID: "reader"}, Admin: authz.Admin{AccessReader: true}}, authz.Role{RoleRef: authz.RoleRef{ID: "none"}})
	s := &tables{facts: directory.Facts{
		Organization: directory.Organization{ID: "o"}, Model: authz.Compile(p), Policy: 1, Users: map[string]directory.User{},
		Items: map[string]directory.Item{"item": {Item: item}},
	}}
	for n := range people {
		role, location := fmt.Sprintf("r%03d", n%(roles+1)), fmt.Sprintf("l%03d", n%(locations+1)) // some of neither
		s.put(fmt.Sprintf("p%04d", n), role, location)
	}
	s.put("reader", "reader", "l000")
	s.index()
	return s, permission.Question{
		Subject: permission.Subject{Type: "user"}, Action: "view", Resource: permission.Resource{Type: "item", ID: "item"},
	}
}

// put makes a user with one role at one location.
func (s *tables) put(id, role, location string) {
	held := directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: role}}}
	s.facts.Users[id] = directory.User{ID: id, Type: authz.General, Locations: []string{location}, Assignments: []directory.Assignment{held}, Version: 1}
}
