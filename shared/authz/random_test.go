package authz

import (
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The ids that random worlds are made of. Each kind has one that never exists.
var (
	someLocations = []string{"l0", "l1", "l2", "l3", "l4", "l5", "gone"}
	someWorkflows = []string{"w0", "w1", "gone"}
	someTemplates = []string{"t0", "t1", "t2", "t3", "gone"}
	someRoles     = []string{"r0", "r1", "r2", "r3", "gone"}
	someUsers     = []string{"u0", "u1", "u2", "u3"}
)

// enum draws a member, seldom its sentinel or what is out of range.
func enum[E ~uint8](t *rapid.T, count E, label string) E {
	if rapid.IntRange(0, 19).Draw(t, label+"?") == 0 {
		return rapid.SampledFrom([]E{0, count}).Draw(t, label)
	}
	return E(rapid.IntRange(1, int(count)-1).Draw(t, label))
}

func some(t *rapid.T, from []string, most int, label string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), 0, most).Draw(t, label)
}

// one draws one, seldom the one that does not exist.
func one(t *rapid.T, from []string, label string) string {
	if rapid.IntRange(0, 19).Draw(t, label+"?") == 0 {
		return "gone"
	}
	return rapid.SampledFrom(from[:len(from)-1]).Draw(t, label)
}

// reference names a role, seldom an older one of the same id.
func reference(t *rapid.T) RoleRef {
	r := ref(one(t, someRoles, "role"))
	if rapid.IntRange(0, 9).Draw(t, "old") == 0 {
		r.Birth--
	}
	return r
}

func randomLocation(t *rapid.T, id string) Location {
	return Location{ID: id, Parent: rapid.SampledFrom(append([]string{"", "", ""}, someLocations...)).Draw(t, "parent"), Closing: rapid.Bool().Draw(t, "closing")}
}

func randomTemplate(t *rapid.T, id string) Template {
	return Template{ID: id, Workflow: one(t, someWorkflows, "workflow"), TeamType: enum(t, TeamTypeCount, "team type"), Closing: rapid.Bool().Draw(t, "closing")}
}

func randomGrant(t *rapid.T) Grant {
	g := Grant{
		Workflows:   some(t, someWorkflows, 2, "workflows"),
		Templates:   some(t, someTemplates, 2, "templates"),
		Permissions: map[Permission]Scope{},
	}
	for range rapid.IntRange(0, 5).Draw(t, "permissions") {
		p := enum(t, PermissionCount, "permission")
		if p == Participate {
			g.Permissions[p] = Yes
		} else {
			g.Permissions[p] = enum(t, ScopeCount, "scope")
		}
	}
	return g
}

func randomRole(t *rapid.T, id string) Role {
	r := Role{RoleRef: ref(id)}
	if rapid.IntRange(0, 3).Draw(t, "specific") == 0 {
		r.SpecificLocations = some(t, someLocations, 2, "specific locations")
	}
	for range rapid.IntRange(0, 3).Draw(t, "grants") {
		r.Grants = append(r.Grants, randomGrant(t))
	}
	for range rapid.IntRange(0, 2).Draw(t, "advanced") {
		r.Advanced = append(r.Advanced, enum(t, AdvancedCount, "advanced"))
	}
	r.Admin = randomAdmin(t)
	return r
}

func randomAdmin(t *rapid.T) Admin {
	seldom := func(label string) bool { return rapid.IntRange(0, 4).Draw(t, label) == 0 }
	var a Admin
	if seldom("global") {
		a.Global = randomAdministration(t)
	}
	if rapid.Bool().Draw(t, "local") {
		a.Local = randomAdministration(t)
	}
	a.Impersonate, a.Roles, a.Quality, a.System = rapid.Bool().Draw(t, "impersonate"), seldom("roles"), seldom("quality"), seldom("system")
	a.AccessReader, a.ItemWriter = seldom("reader"), seldom("writer")
	for _, scope := range []*Scope{&a.Board, &a.Card, &a.Escalation} {
		if rapid.Bool().Draw(t, "placed") {
			*scope = enum(t, ScopeCount, "scope")
		}
	}
	return a
}

func randomAdministration(t *rapid.T) *UserAdministration {
	a := &UserAdministration{
		Scope:       enum(t, ScopeCount, "reach"),
		CreateUsers: rapid.Bool().Draw(t, "creates"),
		Grantable:   Grantable{All: rapid.IntRange(0, 3).Draw(t, "all") == 0},
	}
	for range rapid.IntRange(0, 3).Draw(t, "grantable") {
		a.Grantable.Roles = append(a.Grantable.Roles, reference(t))
	}
	return a
}

func randomSettings(t *rapid.T) Settings {
	return Settings{
		OnlyUsers:  OnlyUsersRule(rapid.IntRange(0, 1).Draw(t, "only users")),
		LocalReach: ReachRule(rapid.IntRange(0, 1).Draw(t, "reach")),
	}
}

// randomPolicy has circles, unknown parents, names that lead nowhere and
// scopes that the rules refuse among what is in order.
func randomPolicy(t *rapid.T) Policy {
	p := Policy{Settings: randomSettings(t)}
	for _, id := range someLocations[:len(someLocations)-1] {
		p.Locations = append(p.Locations, randomLocation(t, id))
	}
	for _, id := range someWorkflows[:len(someWorkflows)-1] {
		p.Workflows = append(p.Workflows, Workflow{ID: id})
	}
	for _, id := range someTemplates[:len(someTemplates)-1] {
		p.Templates = append(p.Templates, randomTemplate(t, id))
	}
	for _, id := range someRoles[:len(someRoles)-1] {
		p.Roles = append(p.Roles, randomRole(t, id))
	}
	return p
}

func randomAssignment(t *rapid.T) Assignment {
	a := Assignment{Role: reference(t)}
	if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
		a.Locations = some(t, someLocations, 2, "limit")
	}
	until := []time.Time{{}, {}, {}, now.Add(-1), now, now.Add(1)}
	a.Until = rapid.SampledFrom(until).Draw(t, "until")
	return a
}

func randomUser(t *rapid.T, id string) User {
	u := User{ID: id, Type: General, Locations: some(t, someLocations, 3, "locations")}
	if rapid.IntRange(0, 3).Draw(t, "type?") == 0 {
		u.Type = enum(t, UserTypeCount, "type")
	}
	for range rapid.IntRange(0, 3).Draw(t, "assignments") {
		u.Assignments = append(u.Assignments, randomAssignment(t))
	}
	return u
}

func randomItem(t *rapid.T) *Item {
	it := &Item{
		Template:  one(t, someTemplates, "template"),
		Locations: some(t, someLocations, 2, "locations"),
		Status:    Status(rapid.IntRange(0, int(StatusCount)-1).Draw(t, "status")),
		Private:   rapid.IntRange(0, 3).Draw(t, "private") == 0,
		Team:      map[TeamRole][]string{},
	}
	for range rapid.IntRange(0, 3).Draw(t, "team") {
		r := enum(t, TeamRoleCount, "team role")
		it.Team[r] = append(it.Team[r], rapid.SampledFrom(someUsers).Draw(t, "member"))
	}
	return it
}

// randomQuestions are all actions, on resources drawn for them.
func randomQuestions(t *rapid.T) []question {
	items := []*Item{nil, randomItem(t), randomItem(t), randomItem(t), randomItem(t)}
	target := randomUser(t, rapid.SampledFrom(someUsers).Draw(t, "target"))
	users := []*User{nil, &target}
	locations := some(t, someLocations, 2, "board's locations")
	var all []question
	for a := NoAction + 1; a < ActionCount; a++ {
		switch a.On() {
		case ItemResource:
			for _, it := range items {
				all = append(all, question{a, Resource{Type: ItemResource, Item: it}})
			}
		case UserResource:
			for _, u := range users {
				for _, r := range someRoles {
					all = append(all, question{a, Resource{Type: UserResource, User: u, Role: r, Locations: locations}})
				}
			}
		default:
			all = append(all, question{a, Resource{Type: a.On(), Locations: locations}})
		}
	}
	return all
}

type question struct {
	action   Action
	resource Resource
}

func (q question) String() string {
	return fmt.Sprintf("%s on %s: item %+v, user %+v, role %q, locations %v",
		q.action, q.resource.Type, q.resource.Item, q.resource.User, q.resource.Role, q.resource.Locations)
}

// TestDecideIsThePlainReadingOfTheRules compares both implementations over random
// questions and says over how many: those of three users in each of as many
// worlds as -rapid.checks says, a hundred in the usual run.
func TestDecideIsThePlainReadingOfTheRules(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m, slow := Compile(policy), plain{Policy: policy, at: now}
		for _, id := range someUsers[:3] {
			u := randomUser(t, id)
			s := m.Subject(u, now)
			for _, q := range randomQuestions(t) {
				d := m.Decide(s, q.action, q.resource)
				allowed, reason := slow.decide(u, q.action.String(), q.resource)
				compared++
				if d.Allowed != allowed || d.Reason.String() != reason {
					t.Fatalf("%+v\n%s\n= %v %s, the plain reading %v %s", u, q, d.Allowed, d.Reason, allowed, reason)
				}
			}
		}
	})
	worlds, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if testing.Short() {
		worlds /= 5 // which is what rapid does
	}
	if least := worlds * questionsOfAWorld; err != nil || compared < least {
		t.Errorf("%d questions were compared, not %d (%v)", compared, least, err)
	}
	t.Logf("%d questions compared", compared)
}

// questionsOfAWorld are what three users are asked in one world, at least.
const questionsOfAWorld = 375

// C10: what an administrator adds never takes anything away.
func TestC10AddingNeverDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, user := randomPolicy(t), randomUser(t, "u0")
		questions := randomQuestions(t)
		m := Compile(policy)
		before := m.Subject(user, now)

		wider, richer := policy, user
		wider.Roles = slices.Clone(policy.Roles)
		role := &wider.Roles[rapid.IntRange(0, len(wider.Roles)-1).Draw(t, "changed role")]
		switch rapid.IntRange(0, 3).Draw(t, "addition") {
		case 0:
			richer.Assignments = append(slices.Clone(user.Assignments), randomAssignment(t))
		case 1:
			role.Grants = append(slices.Clone(role.Grants), randomGrant(t))
		case 2:
			role.Grants = widerGrants(t, role.Grants)
		default:
			widenAdmin(t, &role.Admin)
		}
		n := Compile(wider)
		after := n.Subject(richer, now)
		for _, q := range questions {
			if m.Decide(before, q.action, q.resource).Allowed && !n.Decide(after, q.action, q.resource).Allowed {
				t.Fatalf("%s\nallowed, then denied: %s", q, n.Decide(after, q.action, q.resource).Reason)
			}
		}
	})
}

// widen draws a scope that is as wide or wider, and that a grant may give.
func widen(t *rapid.T, p Permission, s Scope) Scope {
	w := Scope(rapid.IntRange(1, int(ScopeCount)-1).Draw(t, "wider"))
	if Wider(w, s) && Allows(p, w) {
		return w
	}
	return s
}

func widerGrants(t *rapid.T, grants []Grant) []Grant {
	wider := slices.Clone(grants)
	for i, g := range wider {
		wider[i].Permissions = maps.Clone(g.Permissions)
		for _, p := range slices.Sorted(maps.Keys(g.Permissions)) {
			wider[i].Permissions[p] = widen(t, p, g.Permissions[p])
		}
	}
	return wider
}

func widenAdmin(t *rapid.T, a *Admin) {
	a.Board, a.Card, a.Escalation = widen(t, View, a.Board), widen(t, View, a.Card), widen(t, View, a.Escalation)
	if a.Local != nil && a.Local.Scope == OnlyLocation {
		local := *a.Local
		local.Scope = LocationAndBelow
		a.Local = &local
	}
	if a.Global == nil && rapid.Bool().Draw(t, "global too") {
		a.Global = randomAdministration(t)
	}
}

// C9: a persona is not among what decides, so it decides nothing.
func TestC9NoPersonaAmongTheFacts(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(f reflect.Type) {
		if seen[f] {
			return
		}
		seen[f] = true
		switch f.Kind() {
		case reflect.Struct:
			for i := range f.NumField() {
				if f.Field(i).Name == "Persona" {
					t.Errorf("%s has a persona", f)
				}
				walk(f.Field(i).Type)
			}
		case reflect.Map:
			walk(f.Key())
			walk(f.Elem())
		case reflect.Slice, reflect.Pointer:
			walk(f.Elem())
		}
	}
	for _, fact := range []any{Policy{}, User{}, Resource{}, Model{}, person{}} {
		walk(reflect.TypeOf(fact))
	}
	for _, fact := range []any{Role{}, Assignment{}, Item{}, Grant{}} {
		if !seen[reflect.TypeOf(fact)] {
			t.Errorf("%T was not looked at", fact)
		}
	}
}

// randomChange puts, replaces and deletes at random.
func randomChange(t *rapid.T) Change {
	c := Change{Delete: Names{
		Roles:     some(t, someRoles, 1, "deleted roles"),
		Locations: some(t, someLocations, 1, "deleted locations"),
		Workflows: some(t, someWorkflows, 1, "deleted workflows"),
		Templates: some(t, someTemplates, 1, "deleted templates"),
	}}
	if rapid.Bool().Draw(t, "settings") {
		s := randomSettings(t)
		c.Settings = &s
	}
	for _, id := range some(t, someLocations, 2, "put locations") {
		c.Put.Locations = append(c.Put.Locations, randomLocation(t, id))
	}
	for _, id := range some(t, someTemplates, 2, "put templates") {
		c.Put.Templates = append(c.Put.Templates, randomTemplate(t, id))
	}
	for _, id := range some(t, someWorkflows, 2, "put workflows") {
		c.Put.Workflows = append(c.Put.Workflows, Workflow{ID: id, Name: "another name"})
	}
	for _, id := range some(t, someRoles, 2, "put roles") {
		c.Put.Roles = append(c.Put.Roles, randomRole(t, id))
	}
	return c
}

// applied is the policy after the change, part by part.
func (c Change) applied(p Policy) Policy {
	if c.Settings != nil {
		p.Settings = *c.Settings
	}
	p.Locations = parts(p.Locations, c.Delete.Locations, c.Put.Locations, func(l Location) string { return l.ID })
	p.Workflows = parts(p.Workflows, c.Delete.Workflows, c.Put.Workflows, func(w Workflow) string { return w.ID })
	p.Templates = parts(p.Templates, c.Delete.Templates, c.Put.Templates, func(t Template) string { return t.ID })
	p.Roles = parts(p.Roles, c.Delete.Roles, c.Put.Roles, func(r Role) string { return r.ID })
	return p
}

func parts[T any](old []T, gone []string, put []T, id func(T) string) []T {
	var next []T
	for _, part := range old {
		replaced := slices.ContainsFunc(put, func(p T) bool { return id(p) == id(part) })
		if !replaced && !slices.Contains(gone, id(part)) {
			next = append(next, part)
		}
	}
	return append(next, put...)
}

func TestWithIsCompileOfTheChangedPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		for range 3 {
			c := randomChange(t)
			before := m.Policy()
			next := m.With(c)
			policy = c.applied(policy)
			if want := Compile(policy); !reflect.DeepEqual(next, want) {
				t.Fatalf("after %+v\n%+v\nwant\n%+v", c, next.Policy(), want.Policy())
			}
			if !reflect.DeepEqual(m.Policy(), before) {
				t.Fatalf("the change %+v changed the model it started from", c)
			}
			m = next
		}
	})
}
