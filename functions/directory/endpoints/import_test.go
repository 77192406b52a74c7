package endpoints_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/functions/directory/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// quay is where worlds arrive: the directory function over the fixture's
// world.
type quay struct {
	*fixture.Place
	store *dynamo.Store
	f     *api.Function
}

func openQuay(t testing.TB) quay { return openQuayWith(t, nil) }

func openQuayWith(t testing.TB, pool directory.Pool) quay {
	t.Helper()
	store, place := fixture.World(t)
	return quay{place, store, endpoints.New(place.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle)), store, pool)}
}

type members = map[string]any

// landed is the answer to an import.
type landed struct {
	fixture.Answer
	Results []struct {
		Pointer, ID, Result string
		Problem             *struct {
			Type   string
			Status int
			Errors []struct{ Pointer, Detail string }
		}
	}
	Summary map[string]int
}

func (q quay) imports(t testing.TB, as string, world any, query string, header ...string) landed {
	t.Helper()
	c := fixture.Call{Route: "POST /v1/import", As: as, Body: world, Query: query, Header: map[string]string{}}
	for pair := range slices.Chunk(header, 2) {
		c.Header[pair[0]] = pair[1]
	}
	l := landed{Answer: q.Do(t, q.f, c)}
	if l.Status == 200 {
		l.Into(t, &l)
	}
	return l
}

// said is what became of each entry, by its pointer: a result, or a problem's
// code and its pointers.
func (l landed) said() map[string]string {
	said := map[string]string{}
	for _, r := range l.Results {
		said[r.Pointer] = r.Result
		if r.Problem != nil {
			said[r.Pointer] = strings.TrimPrefix(r.Problem.Type, "urn:problem:")
			for _, e := range r.Problem.Errors {
				said[r.Pointer] += " " + e.Pointer
			}
		}
	}
	return said
}

// is holds an answer to what became of each entry.
func (l landed) is(t testing.TB, rule string, want map[string]string) {
	t.Helper()
	if l.Status != 200 {
		t.Fatalf("%s: %d %s", rule, l.Status, l.Body)
	}
	if diff := cmp.Diff(want, l.said()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", rule, diff)
	}
}

// refusedWhole holds an answer to a problem of the whole call.
func (l landed) refusedWhole(t testing.TB, rule string, status int, code string, pointers ...string) {
	t.Helper()
	if l.Status != status || l.Problem(t) != code {
		t.Fatalf("%s: %d %s", rule, l.Status, l.Body)
	}
	if got := l.Pointers(t); !slices.Equal(got, pointers) {
		t.Errorf("%s: faults at %v, want %v", rule, got, pointers)
	}
}

// entries is the whole timeline, newest first.
func (q quay) entries(t testing.TB) []timeline.Entry {
	t.Helper()
	page := timeline.Stretch{From: fixture.Start.Add(-time.Hour), To: fixture.Start.Add(24 * time.Hour), Page: timeline.Page{Limit: 500}}
	all, _, err := q.store.Entries(t.Context(), fixture.Organization, page)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// person is a user entry; change overlays it.
func person(id string, change members) members {
	p := members{"id": id, "name": "P. " + id, "username": id, "type": "general", "locations": []string{"icu"}}
	for name, value := range change {
		p[name] = value
	}
	return p
}

func roles(ids ...string) members {
	list := []any{}
	for _, id := range ids {
		list = append(list, members{"role": id})
	}
	return members{"roles": list}
}

// granting is a role that may grant others.
func granting(id string, others ...string) members {
	return members{"id": id, "name": "The " + id, "admin": members{"localUserAdministrator": members{"scope": "only_location", "grantableRoles": others}}}
}

// annex is a world in an order in which everything comes before what it names.
func annex() members {
	return members{
		"items": []any{members{"id": "cafe-idea", "template": "a3", "locations": []string{"cafe"}, "status": "new", "team": members{"responsible": []string{"zoe"}, "author": []string{"nurse"}}}},
		"users": []any{
			person("zoe", members{"locations": []string{"cafe"}, "persona": "leader", "email": "zoe@x.example", "roles": []any{members{"role": "host"}, members{"role": "staff", "locations": []string{"cafe"}, "until": "2030-01-01T00:00:00Z"}}}),
			person("yan", members{"locations": []string{"cafe", "annex"}}),
		},
		"roles":        []any{granting("host", "guest"), granting("guest", "host"), members{"id": "keeper", "name": "Keeper", "specificLocations": []string{"cafe"}, "grants": []any{members{"templates": []string{"a3"}, "permissions": members{"participate": true}}}}},
		"templates":    []any{members{"id": "a3", "name": "A3", "workflow": "kata", "teamType": "simple"}},
		"workflows":    []any{members{"id": "kata", "name": "Kata"}},
		"locations":    []any{members{"id": "cafe", "name": "Café", "parent": "annex"}, members{"id": "annex", "name": "Annex", "parent": nil}},
		"organization": members{"id": "riverside", "name": "Riverside and annex"},
	}
}

var annexPointers = []string{"/organization", "/locations/0", "/locations/1", "/workflows/0", "/templates/0", "/roles/0", "/roles/1", "/roles/2", "/users/0", "/users/1", "/items/0"}

func all(outcome string) map[string]string {
	said := map[string]string{}
	for _, p := range annexPointers {
		said[p] = outcome
	}
	return said
}

func TestImportOfAWorld(t *testing.T) {
	q := openQuay(t)
	before := len(q.entries(t))
	want := all("created")
	want["/organization"] = "changed"
	q.imports(t, "root", annex(), "dryRun=true").is(t, "a dry run", want)
	if n := len(q.entries(t)); n != before {
		t.Errorf("a dry run wrote %d entries", n-before)
	}
	first := q.imports(t, "root", annex(), "")
	first.is(t, "names of what comes later in the file", want)
	var pointers []string
	for _, r := range first.Results {
		pointers = append(pointers, r.Pointer)
	}
	if !slices.Equal(pointers, annexPointers) {
		t.Errorf("results are in the order %v", pointers)
	}
	if diff := cmp.Diff(map[string]int{"created": 10, "changed": 1, "unchanged": 0, "refused": 0, "unreached": 0}, first.Summary); diff != "" {
		t.Error(diff)
	}
	done := len(q.entries(t))
	zoe := q.User(t, "zoe")
	held := []string{}
	for _, a := range zoe.Assignments {
		held = append(held, a.Role.ID+" of "+a.By)
	}
	if !slices.Equal(held, []string{"host of root", "staff of root"}) || zoe.Persona != directory.Leader || zoe.Version != 1 || zoe.SignIn != directory.NoSignIn {
		t.Errorf("zoe is %+v", zoe)
	}
	if done-before != 11+1+2 {
		t.Errorf("T1 %d entries: one for each entry, and for zoe's persona and roles", done-before)
	}
	q.imports(t, "root", annex(), "").is(t, "the same world twice", all("unchanged"))
	if n := len(q.entries(t)); n != done || q.User(t, "zoe").Version != 1 {
		t.Errorf("the same world twice wrote %d entries", n-done)
	}
	// The roles that grant each other know each other by birth (R14).
	c := q.Caller(t, "zoe", directory.Keys{Users: []string{"zoe"}})
	host, _ := c.Model.Role("host")
	guest, _ := c.Model.Role("guest")
	if host.Admin.Local.Grantable.Roles[0] != guest.RoleRef || guest.Admin.Local.Grantable.Roles[0] != host.RoleRef {
		t.Errorf("host is %+v, guest %+v", host.RoleRef, guest.RoleRef)
	}
	q.reconciled(t)
}

// What is named and never created is refused at the name; what names the
// refused is refused; the rest is kept.
func TestImportOfWhatIsNamedAndNeverCreated(t *testing.T) {
	q := openQuay(t)
	world := members{
		"locations": []any{members{"id": "a", "name": "A", "parent": "nowhere"}, members{"id": "b", "name": "B", "parent": "a"}, members{"id": "good", "name": "Good", "parent": "icu"}},
		"templates": []any{members{"id": "t", "name": "T", "workflow": "none", "teamType": "simple"}},
		"roles":     []any{granting("r", "none", "staff"), granting("one", "other"), granting("other", "one", "none")},
		"users": []any{person("u", members{"locations": []string{"good", "b"}}), person("v", roles("staff", "r")),
			person("w", members{"roles": []any{members{"role": "staff", "locations": []string{"ward"}}}}), person("x", members{"locations": []string{"good"}})},
		"items":        []any{members{"id": "i", "template": "idea", "status": "new", "locations": []string{"good", "a"}, "team": members{"author": []string{"x", "u"}, "leader": []string{"x"}}}},
		"organization": members{"id": "another", "name": "X", "settings": members{"impersonation": members{"observers": []string{"u", "x"}}}},
	}
	want := map[string]string{
		"/organization": "invalid_organization /organization/id /organization/settings/impersonation/observers/0",
		"/locations/0":  "invalid_location /locations/0/parent", "/locations/1": "invalid_location /locations/1/parent", "/locations/2": "created",
		"/templates/0": "invalid_template /templates/0/workflow",
		"/roles/0":     "invalid_role /roles/0/admin/localUserAdministrator/grantableRoles/0",
		"/roles/1":     "invalid_role /roles/1/admin/localUserAdministrator/grantableRoles/0",
		"/roles/2":     "invalid_role /roles/2/admin/localUserAdministrator/grantableRoles/0 /roles/2/admin/localUserAdministrator/grantableRoles/1",
		"/users/0":     "invalid_user /users/0/locations/1", "/users/1": "invalid_user /users/1/roles/1/role",
		"/users/2": "invalid_limit /users/2/roles/0/locations/0", "/users/3": "created",
		"/items/0": "invalid_item /items/0/locations/1 /items/0/team/leader /items/0/team/author/1",
	}
	q.imports(t, "root", world, "dryRun=true").is(t, "dry", want)
	q.imports(t, "root", world, "").is(t, "done", want)
	for _, id := range []string{"u", "v", "w"} {
		a := q.Do(t, q.f, fixture.Call{Route: "GET /v1/users/{id}", As: "root", Path: map[string]string{"id": id}})
		if a.Status != 404 {
			t.Errorf("T3 something of the refused user %s is there: %s", id, a.Body)
		}
	}
	q.reconciled(t)
}

// What can only become together is bounded by one transaction; what is being
// deleted is kept by what says that it shall be.
func TestImportOfWhatIsOneTransaction(t *testing.T) {
	q := openQuay(t)
	ring := func(n int) (list []any) {
		for i := range n {
			list = append(list, granting(fmt.Sprint("ring-", n, "-", i), fmt.Sprint("ring-", n, "-", (i+1)%n)))
		}
		return list
	}
	if l := q.imports(t, "root", members{"roles": ring(12)}, ""); l.Summary["created"] != 12 {
		t.Errorf("12 roles in a ring: %v", l.said())
	}
	l := q.imports(t, "root", members{"roles": ring(60), "users": []any{person("u", roles("ring-60-0"))}}, "")
	said := l.said()
	if l.Summary["refused"] != 61 || said["/roles/7"] != "too_much_at_once" || said["/users/0"] != "invalid_user /users/0/roles/0/role" {
		t.Errorf("60 roles in a ring: %v", said)
	}
	half := append(ring(3), granting("last", "ring-3-0"))
	half[1].(members)["name"] = "Staff"
	l = q.imports(t, "root", members{"roles": half}, "")
	said = l.said()
	if l.Summary["refused"] != 4 || said["/roles/1"] != "invalid_role /roles/1/admin/localUserAdministrator/grantableRoles/0" {
		t.Errorf("a ring with a fault: %v", said)
	}
	clinic, err := q.store.Place(t.Context(), fixture.Organization, directory.PlaceRef{Kind: timeline.Location, ID: "clinic"})
	if err != nil {
		t.Fatal(err)
	}
	place := clinic.(directory.Location)
	place.Closing = true
	if err := q.store.MarkPlace(t.Context(), q.Caller(t, "root", directory.Keys{}).Basis(), place); err != nil {
		t.Fatal(err)
	}
	world := members{"locations": []any{members{"id": "clinic", "name": place.Name, "parent": nil}}, "users": []any{person("u", members{"locations": []string{"clinic"}})}}
	q.imports(t, "root", members{"users": world["users"]}, "").is(t, "U3 what is being deleted is not named", map[string]string{"/users/0": "invalid_user /users/0/locations/0"})
	q.imports(t, "root", world, "dryRun=true").is(t, "U3 dry", map[string]string{"/locations/0": "unchanged", "/users/0": "created"})
	q.imports(t, "root", world, "").is(t, "U3 unless it shall be", map[string]string{"/locations/0": "unchanged", "/users/0": "created"})
}

// U3: locations form a forest, in the file and with what is there.
func TestImportOfCircles(t *testing.T) {
	q := openQuay(t)
	at := func(id, parent string) members { return members{"id": id, "name": "The " + id, "parent": parent} }
	world := members{"locations": []any{at("a", "c"), at("below-a", "a"), at("b", "a"), at("c", "b"), at("self", "self"), at("hospital", "icu"),
		// A move that is no circle, though its halves are one in another order.
		at("clinic", "medicine"), at("ward", "clinic")}}
	refused := func(n int) string { return fmt.Sprintf("invalid_location /locations/%d/parent", n) }
	want := map[string]string{"/locations/0": refused(0), "/locations/1": refused(1), "/locations/2": refused(2), "/locations/3": refused(3),
		"/locations/4": refused(4), "/locations/5": refused(5), "/locations/6": "changed", "/locations/7": "changed"}
	q.imports(t, "root", world, "dryRun=true").is(t, "U3 dry", want)
	q.imports(t, "root", world, "").is(t, "U3", want)
	if ward, _ := q.Caller(t, "root", directory.Keys{}).Model.Location("ward"); ward.Parent != "clinic" {
		t.Errorf("the ward is below %s", ward.Parent)
	}
}

// What is no import at all does nothing of it.
func TestImportsRefusedWhole(t *testing.T) {
	q := openQuay(t)
	good := members{"id": "good", "name": "Good"}
	many := func(n int) (list []any) {
		for i := range n {
			list = append(list, members{"id": fmt.Sprint("w", i), "name": "W"})
		}
		return list
	}
	locations := []string{}
	for i := range 26 {
		locations = append(locations, fmt.Sprint("l", i))
	}
	long := strings.Repeat("n", 10_000)
	for _, c := range []struct {
		rule     string
		body     any
		query    string
		code     string
		pointers []string
	}{
		{"no JSON", "{", "", "malformed", []string{""}},
		{"no body", nil, "", "malformed", []string{""}},
		{"an unknown part", members{"people": []any{}, "workflows": []any{good}}, "", "malformed", []string{"/people"}},
		{"an unknown member", members{"workflows": []any{good, members{"id": "x", "name": "X", "colour": "red"}}}, "", "malformed", []string{"/workflows/1/colour"}},
		{"no id", members{"workflows": []any{good, members{"name": "X"}}}, "", "malformed", []string{"/workflows/1/id"}},
		{"no object", members{"workflows": []any{good, 7}}, "", "malformed", []string{"/workflows/1"}},
		{"U1 26 locations", members{"workflows": []any{good}, "users": []any{person("u", members{"locations": locations})}}, "", "malformed", []string{"/users/0/locations"}},
		{"a name of 10,000 characters", members{"workflows": []any{good}, "users": []any{person("u", members{"name": long}), person("v", members{"username": "a b"})}}, "", "malformed", []string{"/users/0/name", "/users/1/username"}},
		{"a password is for a seed alone", members{"workflows": []any{good}, "users": []any{person("u", nil), person("v", members{"password": "Hunter2-Hunter2"})}}, "", "malformed", []string{"/users/1/password"}},
		{"501 entries of a kind", members{"workflows": many(501)}, "", "malformed", []string{"/workflows"}},
		{"501 entries in all", members{"workflows": many(500), "users": []any{person("u", nil)}}, "", "malformed", []string{""}},
		{"dryRun is a word", members{"workflows": []any{good}}, "dryRun=perhaps", "malformed", []string{"/dryRun"}},
		{"5 MB", strings.Repeat(" ", 5<<20) + "{}", "", "body_too_large", nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			q.imports(t, "root", c.body, c.query).refusedWhole(t, c.rule, 400, c.code, c.pointers...)
		})
	}
	if _, there := q.Caller(t, "root", directory.Keys{}).Model.Workflow("good"); there {
		t.Error("T3 something of a refused import was done")
	}
}

// An import of 5 MB, and one of 500 entries.
func TestImportBounds(t *testing.T) {
	q := openQuay(t)
	var list []any
	boards := []string{}
	for i := range 900 {
		boards = append(boards, fmt.Sprintf("board-%04d-%s", i, strings.Repeat("x", 50)))
	}
	for i := range 76 {
		list = append(list, members{"id": fmt.Sprint("r", i), "name": fmt.Sprint("R", i), "boardAccess": boards})
	}
	text, err := json.Marshal(members{"roles": list})
	if err != nil {
		t.Fatal(err)
	}
	body := string(text) + strings.Repeat(" ", 5<<20-len(text))
	l := q.imports(t, "root", body, "")
	if l.Status != 200 || l.Summary["created"] != 76 {
		t.Errorf("%d bytes: %d %v", len(body), l.Status, l.Summary)
	}
	list = nil
	for i := range 500 {
		list = append(list, person(fmt.Sprint("u", i), members{"locations": []string{[]string{"icu", "ward", "clinic"}[i%3]}, "persona": "frontline", "roles": []any{members{"role": "staff"}}}))
	}
	if l = q.imports(t, "root", members{"users": list}, "dryRun=true"); l.Status != 200 || l.Summary["created"] != 500 {
		t.Errorf("500 users, dry: %d %v", l.Status, l.Summary)
	}
	// Users of several transactions, and of few counters.
	if l = q.imports(t, "root", members{"users": list[:60]}, ""); l.Summary["created"] != 60 {
		t.Errorf("60 users: %v", l.Summary)
	}
	if l = q.imports(t, "root", members{"users": list[:60]}, ""); l.Summary["unchanged"] != 60 {
		t.Errorf("60 users again: %v", l.Summary)
	}
	q.reconciled(t)
}

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
		"roles":        []any{granting("host", "staff")},
		"users": []any{
			person("new", roles("staff")),
			person("coach-to-be", roles("coach")),
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
		{"roles", map[string]string{"/organization": "changed", "/roles/0": "created"}},
		{"writer", map[string]string{"/organization": "changed", "/items/0": "created"}},
		{"global", map[string]string{"/organization": "changed", "/users/0": "created", "/users/2": "created", "/users/3": "changed", "/users/4": "changed"}},
		{"editor", map[string]string{"/organization": "changed", "/users/0": "not_found", "/users/1": "not_found", "/users/2": "not_found", "/users/3": "changed", "/users/4": "changed"}},
		// R12, T4: in the reach; of somebody outside it only that the id is taken.
		{"locals", map[string]string{"/organization": "changed", "/users/0": "created", "/users/3": "changed", "/users/4": "id_taken"}},
	} {
		want := map[string]string{}
		for _, p := range []string{"/organization", "/locations/0", "/workflows/0", "/templates/0", "/roles/0", "/users/0", "/users/1", "/users/2", "/users/3", "/users/4", "/items/0"} {
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
	if diff := cmp.Diff(map[string]int{"location location": 1, "workflow workflow": 1, "template template": 1, "role role": 1, "user user": 5, "item item": 1}, denied); diff != "" {
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
	q.imports(t, "root", members{"users": []any{person("third", roles("administrator")), root(members{"type": "wallboard"})}}, "").
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

// A user's entry is whole or nothing; what it leaves out stays.
func TestImportOfAUser(t *testing.T) {
	q := openQuay(t)
	lead := func(change members) members {
		l := person("lead", members{"name": "Lee Lead", "locations": []string{"surgery"}})
		for name, value := range change {
			l[name] = value
		}
		return members{"users": []any{l}}
	}
	for _, c := range []struct {
		rule   string
		change members
		want   string
	}{
		{"what is left out stays", nil, "unchanged"},
		{"version, signIn, since and by count for nothing", members{"version": 7, "signIn": "none", "persona": nil, "roles": []any{members{"role": "staff", "since": "2001-01-01T00:00:00Z", "by": "nurse"}}}, "unchanged"},
		{"U1 internal is not the API's to set", members{"internal": true, "name": "X"}, "invalid_user /users/0/internal"},
		{"U1 the username of a sign-in", members{"username": "lead2"}, "invalid_user /users/0/username"},
		{"P2 with a role that is none", members{"name": "X", "persona": "champion", "roles": []any{members{"role": "coach"}, members{"role": "none"}}}, "invalid_user /users/0/roles/1/role"},
		{"R5 a limit elsewhere", members{"persona": "champion", "roles": []any{members{"role": "coach", "locations": []string{"surgery", "clinic"}}}}, "invalid_limit /users/0/roles/0/locations/1"},
		{"roles are added and limited", members{"persona": "champion", "roles": []any{members{"role": "staff", "locations": []string{"surgery"}}, members{"role": "coach"}}}, "changed"},
		{"… as they are held", members{"persona": "champion", "roles": []any{members{"role": "coach"}, members{"role": "staff", "locations": []string{"surgery"}}}}, "unchanged"},
		{"R5 a location that is left leaves the limit, and is given none again", members{"locations": []string{"icu"}, "roles": []any{members{"role": "staff", "locations": []string{"surgery"}}}}, "invalid_limit /users/0/roles/0/locations/0"},
	} {
		before := q.User(t, "lead")
		q.imports(t, "root", lead(c.change), "dryRun=true").is(t, c.rule+", dry", map[string]string{"/users/0": c.want})
		q.imports(t, "root", lead(c.change), "").is(t, c.rule, map[string]string{"/users/0": c.want})
		if diff := cmp.Diff(before, q.User(t, "lead")); diff != "" && c.want != "changed" {
			t.Errorf("T3 %s changed something:\n%s", c.rule, diff)
		}
	}
	u := q.User(t, "lead")
	held := map[string]string{}
	for _, a := range u.Assignments {
		held[a.Role.ID] = fmt.Sprint(a.By, a.Locations)
	}
	if diff := cmp.Diff(map[string]string{"unit-lead": "operator[]", "staff": "operator[surgery]", "coach": "root[]"}, held); diff != "" || u.Persona != directory.Champion || u.Email != "lead@riverside.example" || u.Version != 2 {
		t.Errorf("lead is %+v\n%s", u, diff)
	}
	var told []string
	for _, e := range q.entries(t)[:3] {
		told = append(told, e.Type.String()+" "+e.Action)
	}
	slices.Sort(told)
	if !slices.Equal(told, []string{"assignment assign", "assignment limit", "persona change"}) {
		t.Errorf("T1 the timeline tells %v", told)
	}
	q.reconciled(t)
}

// Names that change hands: the second import finds them free.
func TestImportOfNamesThatChangeHands(t *testing.T) {
	q := openQuay(t)
	world := func(a, b string) members {
		return members{"users": []any{person("a", members{"username": a}), person("b", members{"username": b})}}
	}
	q.imports(t, "root", world("one", "two"), "").is(t, "made", map[string]string{"/users/0": "created", "/users/1": "created"})
	q.imports(t, "root", world("three", "ONE"), "").is(t, "U1 what another gives up", map[string]string{"/users/0": "changed", "/users/1": "changed"})
	q.imports(t, "root", world("one", "three"), "").is(t, "U1 a swap", map[string]string{"/users/0": "username_taken", "/users/1": "username_taken"})
	role := func(a, b string) members {
		return members{"roles": []any{members{"id": "ra", "name": a}, members{"id": "rb", "name": b}}}
	}
	q.imports(t, "root", role("Same", "sAME"), "").is(t, "R1", map[string]string{"/roles/0": "created", "/roles/1": "name_taken"})
	q.imports(t, "root", role("Other", "same"), "").is(t, "R1 what another gives up", map[string]string{"/roles/0": "changed", "/roles/1": "created"})
	twice := members{"users": []any{person("c", nil), person("c", members{"name": "Another"})}}
	q.imports(t, "root", twice, "").is(t, "one thing twice", map[string]string{"/users/0": "created", "/users/1": "named_twice /users/1/id"})
}

// T3: a repeated request is told what the first one was, whatever came between,
// and goes on where the first one was cut.
func TestImportRepeated(t *testing.T) {
	q := openQuay(t)
	world := members{"workflows": []any{members{"id": "kata", "name": "Kata"}}, "users": []any{person("u", roles("staff")), person("v", roles("none"))}}
	first := q.imports(t, "root", world, "", "idempotency-key", "k1")
	first.is(t, "first", map[string]string{"/workflows/0": "created", "/users/0": "created", "/users/1": "invalid_user /users/1/roles/0/role"})
	q.imports(t, "root", members{"workflows": []any{members{"id": "kata", "name": "Coaching kata"}}}, "").is(t, "between", map[string]string{"/workflows/0": "changed"})
	if again := q.imports(t, "root", world, "", "idempotency-key", "k1"); again.Body != first.Body {
		t.Errorf("T3 again: %s\nfirst: %s", again.Body, first.Body)
	}
	if w, _ := q.Caller(t, "root", directory.Keys{}).Model.Workflow("kata"); w.Name != "Coaching kata" {
		t.Errorf("T3 the repeated request was done again: %s", w.Name)
	}
	q.imports(t, "root", members{}, "", "idempotency-key", "k1").refusedWhole(t, "T3 another request", 422, "idempotency_key_reused")
	q.imports(t, "root", world, "dryRun=true", "idempotency-key", "k1").refusedWhole(t, "T3 a dry run is another request", 422, "idempotency_key_reused")

	// A run of which only one transaction came through, and the answer was lost.
	var left atomic.Int64
	left.Store(1)
	cut := q.through(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" && left.Add(-1) < 0 {
			return nil, errors.New("no connection")
		}
		return next()
	})
	many := members{"users": []any{}}
	for i := range 12 {
		many["users"] = append(many["users"].([]any), person(fmt.Sprint("m", i), nil))
	}
	broken := cut.imports(t, "root", many, "", "idempotency-key", "k2")
	if n := broken.Summary; n["created"] == 0 || n["unreached"] == 0 || n["created"]+n["unreached"] != 12 {
		t.Fatalf("the table fails: %v", broken.said())
	}
	for _, r := range broken.Results {
		if r.Problem != nil && (r.Problem.Status != 503 || r.Problem.Type != "urn:problem:unavailable") {
			t.Errorf("%s: %v", r.Pointer, r.Problem)
		}
	}
	done := q.imports(t, "root", many, "", "idempotency-key", "k2")
	if done.Summary["created"] != 12 {
		t.Errorf("T3 the repeated request is told %v", done.said())
	}
	if again := q.imports(t, "root", many, "", "idempotency-key", "k2"); again.Body != done.Body {
		t.Errorf("T3 again: %s", again.Body)
	}
	if q.User(t, "m0").Version != 1 {
		t.Error("T3 a user was made twice")
	}

	// The same request twice at once, as a client does that lost patience.
	many = members{"users": []any{}}
	for i := range 30 {
		many["users"] = append(many["users"].([]any), person(fmt.Sprint("n", i), nil))
	}
	answers := make([]landed, 2)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() { answers[i] = q.imports(t, "root", many, "", "idempotency-key", "k3") })
	}
	wait.Wait()
	if answers[0].Summary["created"] != 30 || answers[1].Summary["created"] != 30 {
		t.Errorf("T3 the same request at once is told %v and %v", answers[0].Summary, answers[1].Summary)
	}
	q.reconciled(t)
}

// addresses is a pool that knows everybody's address, or fails.
type addresses struct {
	directory.Pool
	of     map[string]string
	broken bool
}

func (a *addresses) Find(_ context.Context, username string) (directory.Standing, bool, error) {
	if a.broken {
		return directory.Standing{}, false, errors.New("no pool")
	}
	return directory.Standing{Sub: fixture.Sub(username), Email: a.of[username], Confirmed: true, Enabled: true}, true, nil
}

func (a *addresses) SetEmail(_ context.Context, username, email string) error {
	a.of[username] = email
	return nil
}

// The pool is told of what was written, and of nothing else.
func TestImportTellsThePool(t *testing.T) {
	pool := &addresses{of: map[string]string{"nurse": "nurse@riverside.example"}}
	q := openQuayWith(t, pool)
	nurse := func(email string, change members) members {
		n := person("nurse", members{"name": "Nina Nurse", "email": email})
		for name, value := range change {
			n[name] = value
		}
		return members{"users": []any{n}}
	}
	q.imports(t, "root", nurse("a@x.example", nil), "dryRun=true").is(t, "dry", map[string]string{"/users/0": "changed"})
	q.imports(t, "root", nurse("a@x.example", roles("none")), "").is(t, "refused", map[string]string{"/users/0": "invalid_user /users/0/roles/0/role"})
	if pool.of["nurse"] != "nurse@riverside.example" {
		t.Errorf("T3 the pool was told of what was not done: %v", pool.of)
	}
	q.imports(t, "root", nurse("a@x.example", nil), "").is(t, "done", map[string]string{"/users/0": "changed"})
	if pool.of["nurse"] != "a@x.example" {
		t.Errorf("the pool was told %v", pool.of)
	}
	pool.broken = true
	q.imports(t, "root", nurse("b@x.example", nil), "").is(t, "a pool that fails", map[string]string{"/users/0": "unavailable"})
	pool.broken = false
	q.imports(t, "root", nurse("b@x.example", nil), "").is(t, "again", map[string]string{"/users/0": "unchanged"})
	if pool.of["nurse"] != "b@x.example" || q.User(t, "nurse").Untold {
		t.Errorf("the repetition told the pool %v", pool.of)
	}
}

// through is the quay over a store with a hook before it.
func (q quay) through(t testing.TB, hook dynamotest.Hook) quay {
	t.Helper()
	store := q.Open(func(c *aws.Config) { c.APIOptions = append(c.APIOptions, dynamotest.Intercept(hook)) })
	deps := q.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Store = store
	return quay{q.Place, store, endpoints.New(deps, store, nil)}
}

// What there is no time for says so, and what rests on it, and nothing of it is
// done.
func TestImportOutOfTime(t *testing.T) {
	q := openQuay(t)
	var calls atomic.Int64
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	soon := &deadline{Context: ctx, at: time.Now().Add(time.Hour)}
	slow := q.through(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" && calls.Add(1) == 1 {
			soon.at = time.Now().Add(time.Second)
		}
		return next()
	})
	world := members{"locations": []any{}, "users": []any{person("u", members{"locations": []string{"l59"}})}}
	for i := range 60 {
		parent := any(nil)
		if i > 0 {
			parent = fmt.Sprint("l", i-1)
		}
		world["locations"] = append(world["locations"].([]any), members{"id": fmt.Sprint("l", i), "name": "L", "parent": parent})
	}
	raw, err := slow.f.Invoke(soon, q.Event(t, fixture.Call{Route: "POST /v1/import", As: "root", Body: world}))
	if err != nil {
		t.Fatal(err)
	}
	var l landed
	if err := json.Unmarshal(raw, &l.Answer); err != nil {
		t.Fatal(err)
	}
	l.Into(t, &l)
	said := l.said()
	if l.Summary["created"] == 0 || said["/locations/0"] != "created" || said["/locations/59"] != "unavailable" || said["/users/0"] != "unavailable" || l.Summary["refused"] != 0 {
		t.Errorf("%v", l.Summary)
	}
	model := q.Caller(t, "root", directory.Keys{}).Model
	for i := range 60 {
		_, there := model.Location(fmt.Sprint("l", i))
		if created := said[fmt.Sprint("/locations/", i)] == "created"; created != there {
			t.Errorf("l%d is there: %v, the answer says %s", i, there, said[fmt.Sprint("/locations/", i)])
		}
	}
	if l = q.imports(t, "root", world, ""); l.Summary["created"]+l.Summary["unchanged"] != 61 {
		t.Errorf("again: %v", l.Summary)
	}
}

// deadline is a context whose end is told anew.
type deadline struct {
	context.Context
	at time.Time
}

func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

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
		"users": []any{person("u", roles("staff")), person("porter", members{"name": "Porter", "roles": []any{members{"role": "staff"}}}), person("nurse", members{"name": "Nina Nurse", "email": "new@x.example"})},
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

// A dry run tells what the run does, whatever the world.
func TestImportTriedIsImportDone(t *testing.T) {
	q := openQuay(t)
	q.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "porter"}, Name: "Porter", Admin: authz.Admin{
		System: true, Quality: true, Local: &authz.UserAdministration{Scope: authz.LocationAndBelow, CreateUsers: true, Grantable: authz.Grantable{Roles: []authz.RoleRef{{ID: "staff"}}}}}}})
	q.AddUser(t, directory.User{ID: "porter", Name: "Porter", Username: "porter", Type: authz.General, Locations: []string{"surgery"}, SignIn: directory.Enabled, Sub: fixture.Sub("porter")}, "porter")
	checks := 0
	rapid.Check(t, func(r *rapid.T) {
		if checks++; checks > 40 && !rapidAsked() {
			return // each takes a while
		}
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

// rapidAsked is whether the run asks for more checks than there are by default.
func rapidAsked() bool {
	asked := flag.Lookup("rapid.checks")
	return asked != nil && asked.Value.String() != asked.DefValue
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

// reconciled holds the counts to the users (P8).
func (q quay) reconciled(t testing.TB) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	cursor := ""
	for {
		var page struct {
			Items []struct {
				Type, Persona string
				Locations     []string
			}
			Next string
		}
		q.Do(t, q.f, fixture.Call{Route: "GET /v1/users", As: "root", Query: "limit=500&cursor=" + cursor}).Into(t, &page)
		for _, u := range page.Items {
			if u.Type == "general" || u.Type == "capture" {
				slices.Sort(u.Locations)
				want[fmt.Sprint(u.Locations, u.Persona)]++
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	census, err := q.store.Census(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range census.Populations {
		for persona, n := range p.Counts {
			if n != 0 {
				got[fmt.Sprint(p.Locations, directory.Persona(persona).String())] = n
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("P8 drift (-people +counted):\n%s", diff)
	}
}

var _ = context.Background
var _ = json.Marshal
var _ authz.Action
var _ = time.Now
