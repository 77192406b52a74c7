package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/directory/endpoints"
	"gemba/shared/api"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
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

func holding(ids ...string) members {
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
	each := func(name, id, grants string) members {
		return members{"id": id, "name": name, "admin": members{"localUserAdministrator": members{"scope": "only_location", "grantableRoles": []string{grants}}}}
	}
	circle := func(a, b string) members {
		return members{"roles": []any{each(a, "rx", "ry"), each(b, "ry", "rx")}, "users": []any{person("d", members{"name": a})}}
	}
	q.imports(t, "root", circle("First", "Second"), "").is(t, "made", map[string]string{"/roles/0": "created", "/roles/1": "created", "/users/0": "created"})
	q.imports(t, "root", circle("Third", "First"), "").is(t, "R1 within a circle, and nothing after it is left", map[string]string{"/roles/0": "changed", "/roles/1": "changed", "/users/0": "changed"})
	twice := members{"users": []any{person("c", nil), person("c", members{"name": "Another"})}}
	q.imports(t, "root", twice, "").is(t, "one thing twice", map[string]string{"/users/0": "created", "/users/1": "named_twice /users/1/id"})
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
