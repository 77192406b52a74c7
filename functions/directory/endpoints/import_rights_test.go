package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// Each entry needs its own call's right beside the import's.
func TestImportRights(t *testing.T) {
	q := openQuay(t)
	admin := func(id string, a authz.Admin) {
		a.System = true
		q.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Admin: a}})
		q.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"surgery"}, SignIn: directory.Enabled, Sub: fixture.Sub(id)}, id)
	}
	staff := authz.Grantable{Roles: []authz.RoleRef{{ID: "staff"}}}
	admin("system", authz.Admin{})
	admin("quality", authz.Admin{Quality: true})
	admin("roles", authz.Admin{Roles: true})
	admin("writer", authz.Admin{ItemWriter: true})
	admin("global", authz.Admin{Global: &authz.UserAdministration{CreateUsers: true, Grantable: staff}})
	admin("editor", authz.Admin{Global: &authz.UserAdministration{Grantable: staff}})
	admin("locals", authz.Admin{Local: &authz.UserAdministration{Scope: authz.LocationAndBelow, CreateUsers: true, Grantable: staff}})
	world := members{
		"organization": members{"id": "riverside", "name": "Riverside"},
		"locations":    []any{members{"id": "lab", "name": "Lab", "parent": "icu"}},
		"workflows":    []any{members{"id": "kata", "name": "Kata"}},
		"templates":    []any{members{"id": "a3", "name": "A3", "workflow": "improvement", "teamType": "simple"}},
		"roles":        []any{granting("host", "staff"), granting("left", "right"), granting("right", "left")},
		"users": []any{
			person("new", holding("staff")),
			person("coach-to-be", holding("coach")),
			person("away", members{"locations": []string{"clinic"}}),
			person("nurse", members{"name": "Nina Nurse", "email": "nurse@riverside.example", "persona": "leader"}),
			person("doctor", members{"name": "Dan Doctor", "email": "doctor@riverside.example", "locations": []string{"icu"}, "persona": "leader"}),
		},
		"items": []any{members{"id": "lab-idea", "template": "idea", "status": "new", "locations": []string{"icu"}}},
	}
	for _, c := range []struct {
		as   string
		want map[string]string
	}{
		{"system", map[string]string{"/organization": "changed"}},
		{"quality", map[string]string{"/organization": "changed", "/locations/0": "created", "/workflows/0": "created", "/templates/0": "created", "/items/0": "created"}},
		{"roles", map[string]string{"/organization": "changed", "/roles/0": "created", "/roles/1": "created", "/roles/2": "created"}},
		{"writer", map[string]string{"/organization": "changed", "/items/0": "created"}},
		{"global", map[string]string{"/organization": "changed", "/users/0": "created", "/users/2": "created", "/users/3": "changed", "/users/4": "changed"}},
		{"editor", map[string]string{"/organization": "changed", "/users/0": "not_found", "/users/1": "not_found", "/users/2": "not_found", "/users/3": "changed", "/users/4": "changed"}},
		// R12, T4: in the reach; of somebody outside it only that the id is taken.
		{"locals", map[string]string{"/organization": "changed", "/users/0": "created", "/users/3": "changed", "/users/4": "id_taken"}},
	} {
		want := map[string]string{}
		for _, p := range []string{"/organization", "/locations/0", "/workflows/0", "/templates/0", "/roles/0", "/roles/1", "/roles/2", "/users/0", "/users/1", "/users/2", "/users/3", "/users/4", "/items/0"} {
			want[p] = "denied"
			if strings.HasPrefix(p, "/users/") && c.as != "global" && c.as != "locals" {
				want[p] = "not_found" // T4: who administers nobody
			}
			if got, ok := c.want[p]; ok {
				want[p] = got
			}
		}
		t.Run(c.as, func(t *testing.T) { q.imports(t, c.as, world, "dryRun=true").is(t, "of "+c.as, want) })
	}
	q.imports(t, "nurse", world, "").refusedWhole(t, "R10 importing needs system_administrator", 403, "denied")
	before := len(q.entries(t))
	q.imports(t, "system", world, "")
	denied := map[string]int{}
	for _, e := range q.entries(t)[:len(q.entries(t))-before] {
		if e.Denied {
			denied[e.Type.String()+" "+e.Target.Type]++
		}
	}
	if diff := cmp.Diff(map[string]int{"location location": 1, "workflow workflow": 1, "template template": 1, "role role": 3, "user user": 5, "item item": 1}, denied); diff != "" {
		t.Errorf("T1 denied attempts (-want +got):\n%s", diff)
	}
}

// R13: no import takes the last full administrator, in whatever of its entries,
// nor the last two in two entries at once.
func TestImportKeepsAFullAdministrator(t *testing.T) {
	q := openQuay(t)
	q.AddUser(t, directory.User{ID: "second", Name: "Second", Username: "second", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")}, "administrator")
	root := func(change members) members {
		return person("root", change)
	}
	powerless := members{"id": "administrator", "name": "Administrator", "admin": members{"systemAdministrator": true, "roleAdministrator": true, "qualityAdministrator": true}}
	ended := members{"roles": []any{members{"role": "administrator", "until": "2090-01-01T00:00:00Z"}}}
	q.imports(t, "root", members{"roles": []any{powerless}}, "").is(t, "R13 the role", map[string]string{"/roles/0": "last_full_administrator"})
	both := members{"users": []any{person("second", ended), root(ended)}}
	q.imports(t, "root", both, "dryRun=true").is(t, "R13 dry", map[string]string{"/users/0": "changed", "/users/1": "last_full_administrator"})
	q.imports(t, "root", both, "").is(t, "R13 one of two goes", map[string]string{"/users/0": "changed", "/users/1": "last_full_administrator"})
	q.imports(t, "root", members{"users": []any{root(members{"type": "inactive"})}}, "").is(t, "R13 the type", map[string]string{"/users/0": "last_full_administrator"})
	// A new one in the same file does not count: it has no sign-in.
	q.imports(t, "root", members{"users": []any{person("third", holding("administrator")), root(members{"type": "wallboard"})}}, "").
		is(t, "R13 who cannot sign in is none", map[string]string{"/users/0": "created", "/users/1": "last_full_administrator"})
	if _, holds := q.User(t, "root").Assignment("administrator"); !holds || q.User(t, "root").Type != authz.General {
		t.Errorf("R13 root is %+v", q.User(t, "root"))
	}
}

// TestImportsAtOnce is R13 under write skew, and one user made by many.
func TestImportsAtOnce(t *testing.T) {
	q := openQuay(t)
	q.AddUser(t, directory.User{ID: "second", Name: "Second", Username: "second", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")}, "administrator")
	ended := members{"locations": []string{"hospital"}, "roles": []any{members{"role": "administrator", "until": "2090-01-01T00:00:00Z"}}}
	kept := members{"locations": []string{"hospital"}, "roles": []any{members{"role": "administrator"}}}
	for round := range 12 {
		var wait sync.WaitGroup
		for i, user := range []string{"root", "second"} {
			wait.Go(func() {
				q.imports(t, []string{"root", "second"}[(i+round)%2], members{"users": []any{person(user, ended), person("both", nil), person(fmt.Sprint("one", round), nil)}}, "")
			})
		}
		wait.Wait()
		left := slices.DeleteFunc([]string{"root", "second"}, func(id string) bool {
			a, _ := q.User(t, id).Assignment("administrator")
			return !a.Until.IsZero()
		})
		if len(left) != 1 {
			t.Fatalf("R13 round %d: %d full administrators are left", round, len(left))
		}
		for _, id := range []string{"root", "second"} {
			q.imports(t, left[0], members{"users": []any{person(id, kept)}}, "")
		}
	}
	if v := q.User(t, "both").Version; v != 1 {
		t.Errorf("T3 a user made by many has version %d", v)
	}
	q.reconciled(t)
}

// I6: in a session each entry needs its right on both sides, a read_only one
// imports nothing, and what no session may change it does not.
func TestImportInASession(t *testing.T) {
	q := openQuay(t)
	q.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "importer"}, Name: "Importer", Admin: authz.Admin{
		System: true, Quality: true, Impersonate: true, Global: &authz.UserAdministration{CreateUsers: true, Grantable: authz.Grantable{All: true}}}}})
	q.AddUser(t, directory.User{ID: "porter", Name: "Porter", Username: "porter", Email: "porter@x.example", Type: authz.General,
		Locations: []string{"icu"}, SignIn: directory.Enabled, Sub: fixture.Sub("porter")}, "importer")
	sessions := impersonation.NewSessions(q.store, impersonation.DefaultIdle)
	session := func(mode impersonation.Mode) string {
		t.Helper()
		s, err := impersonation.NewService(q.store, sessions, nil).Start(t.Context(), q.Caller(t, "porter", directory.Keys{Users: []string{"root"}}), impersonation.Request{
			Subject: "root", Mode: mode, SignIn: impersonation.SignIn{Sub: fixture.Sub("porter"), ID: "sign-in " + mode.String(), At: q.Clock.Now()}})
		if err != nil {
			t.Fatal(err)
		}
		return s.ID
	}
	world := members{
		"workflows": []any{members{"id": "kata", "name": "Kata"}}, "roles": []any{granting("r", "staff")},
		"users": []any{person("u", holding("staff")), person("porter", members{"name": "Porter", "roles": []any{members{"role": "staff"}}}), person("nurse", members{"name": "Nina Nurse", "email": "new@x.example"})},
	}
	call := fixture.Call{Route: "POST /v1/import", As: "porter", Body: world, Session: session(impersonation.Full)}
	l := landed{Answer: q.Do(t, q.f, call)}
	l.Into(t, &l)
	l.is(t, "I6", map[string]string{"/workflows/0": "created", "/roles/0": "denied", "/users/0": "created", "/users/1": "own_roles_in_session", "/users/2": "credentials_in_session"})
	if e := q.entries(t)[0]; e.Impersonator.ID != "porter" || e.Subject.ID != "root" {
		t.Errorf("I7 the timeline tells of %s as %s", e.Impersonator.ID, e.Subject.ID)
	}
	q.Clock.Advance(time.Hour)
	call.Session = session(impersonation.ReadOnly)
	landed{Answer: q.Do(t, q.f, call)}.refusedWhole(t, "I6 a read_only session", 403, "read_only")
}
