package endpoints_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
)

// A dry run tells what the run does, whatever the world.
func TestImportTriedIsImportDone(t *testing.T) {
	q := openQuay(t)
	q.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "porter"}, Name: "Porter", Admin: authz.Admin{
		System: true, Quality: true, Local: &authz.UserAdministration{Scope: authz.LocationAndBelow, CreateUsers: true, Grantable: authz.Grantable{Roles: []authz.RoleRef{{ID: "staff"}}}}}}})
	q.AddUser(t, directory.User{ID: "porter", Name: "Porter", Username: "porter", Type: authz.General, Locations: []string{"surgery"}, SignIn: directory.Enabled, Sub: fixture.Sub("porter")}, "porter")
	dynamotest.Check(t, 40, func(r *rapid.T) {
		world := randomWorld(r)
		as := rapid.SampledFrom([]string{"root", "root", "porter"}).Draw(r, "as")
		q.Clock.Advance(time.Minute)
		before := len(q.entries(t))
		tried := q.imports(t, as, world, "dryRun=true")
		if n := len(q.entries(t)); n != before {
			r.Fatalf("a dry run wrote %d entries", n-before)
		}
		done := q.imports(t, as, world, "")
		if tried.Body != done.Body {
			r.Fatalf("tried: %s\ndone:  %s", tried.Body, done.Body)
		}
		again := q.imports(t, as, world, "")
		for i, result := range done.Results {
			if a := again.Results[i]; result.Problem == nil && a.Result != "unchanged" && !moved(done) {
				r.Fatalf("the same world twice: %s %s: %s", result.Pointer, result.Result, again.Body)
			}
		}
	})
	q.reconciled(t)
}

// moved is whether an import may have undone what it did: a thing that was
// refused is not what it shall be, and may become so by what came after it.
func moved(l landed) bool { return l.Summary["refused"] > 0 }

// randomWorld is a small world of few names, in which much fits and much does
// not.
func randomWorld(r *rapid.T) members {
	few := func(label string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 3, rapid.ID).Draw(r, label)
	}
	one := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(r, label) }
	locations, roleIDs, users := []string{"icu", "ward", "clinic", "la", "lb", "lc"}, []string{"staff", "coach", "ra", "rb", "rc"}, []string{"nurse", "lead", "root", "ua", "ub", "uc"}
	w := members{"locations": []any{}, "roles": []any{}, "users": []any{}, "items": []any{}}
	add := func(kind string, entry members) { w[kind] = append(w[kind].([]any), entry) }
	for range rapid.IntRange(0, 3).Draw(r, "locations") {
		add("locations", members{"id": one("location", locations...), "name": one("name", "A", "B"), "parent": one("parent", append(locations, "hospital", "none")...)})
	}
	for range rapid.IntRange(0, 3).Draw(r, "roles") {
		g := granting(one("role", roleIDs[1:]...), few("grantable", append(roleIDs, "none")...)...)
		g["name"] = one("role name", "One", "Two", "Staff", "Three")
		add("roles", g)
	}
	for range rapid.IntRange(0, 4).Draw(r, "users") {
		held := []any{}
		for _, id := range few("roles", append(roleIDs, "none")...) {
			held = append(held, members{"role": id})
		}
		id := one("user", users...)
		u := person(id, members{"type": one("type", "general", "general", "inactive"), "locations": few("at", locations...), "roles": held})
		if strings.HasPrefix(id, "u") {
			u["username"] = one("username", "n1", "n2", "n3", "nurse")
		}
		if p := one("persona", "", "leader", "champion"); p != "" {
			u["persona"] = p
		}
		add("users", u)
	}
	for range rapid.IntRange(0, 2).Draw(r, "items") {
		add("items", members{"id": one("item", "icu-idea", "ia", "ib"), "template": one("template", "idea", "kaizen"), "status": one("status", "new", "active"),
			"locations": few("item at", locations...), "team": members{"author": few("team", users...)}})
	}
	return w
}
