package endpoints_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/functions/directory/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// desk is the directory function over the fixture's world.
type desk struct {
	*fixture.Place
	store *dynamo.Store
	f     *api.Function
}

func open(t *testing.T) desk {
	t.Helper()
	store, place := fixture.World(t)
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	return desk{place, store, endpoints.New(place.Deps(t, sessions), store, fixture.NewPool())}
}

// do is a call about a thing of a kind ("locations"), of all of them without
// an id; headers come in pairs.
func (d desk) do(t *testing.T, as, method, kind, id string, body any, header ...string) fixture.Answer {
	t.Helper()
	c := fixture.Call{Route: method + " /v1/" + kind, As: as, Body: body, Header: map[string]string{}}
	if id != "" {
		c.Route, c.Path = c.Route+"/{id}", map[string]string{"id": id}
	}
	for pair := range slices.Chunk(header, 2) {
		c.Header[pair[0]] = pair[1]
	}
	return d.Do(t, d.f, c)
}

type object = map[string]any

// expect is a status with its problem code, "" for none, and its pointers.
func expect(t *testing.T, rule string, a fixture.Answer, status int, code string, pointers ...string) {
	t.Helper()
	if got := a.Problem(t); a.Status != status || got != code {
		t.Fatalf("%s: %d %q, want %d %q\n%s", rule, a.Status, got, status, code, a.Body)
	}
	if code != "" && !slices.Equal(a.Pointers(t), pointers) {
		t.Errorf("%s: faults at %q, want %q", rule, a.Pointers(t), pointers)
	}
}

// latest is the newest entry of a type.
func (d desk) latest(t *testing.T, kind timeline.Type) timeline.Entry {
	t.Helper()
	all := timeline.Stretch{From: fixture.Start.Add(-time.Hour), To: fixture.Start.Add(24 * time.Hour), Page: timeline.Page{Limit: 500}}
	entries, _, err := d.store.Entries(t.Context(), fixture.Organization, all)
	for _, e := range entries {
		if e.Type == kind {
			return e
		}
	}
	t.Fatalf("no entry of type %s: %v", kind, err)
	return timeline.Entry{}
}

// with is a body with more members.
func with(body object, more object) object {
	b := maps.Clone(body)
	maps.Copy(b, more)
	return b
}

// kinds is one new thing of each kind that nothing refers to.
var kinds = []struct {
	kind    string
	is      timeline.Type
	body    object
	changed object
}{
	{"locations", timeline.Location, object{"name": "Annex", "parent": "hospital"}, object{"name": "Annex", "parent": "clinic"}},
	{"workflows", timeline.Workflow, object{"name": "Kata"}, object{"name": "Coaching kata"}},
	{"templates", timeline.Template, object{"name": "A3", "workflow": "improvement", "teamType": "simple"}, object{"name": "A3", "workflow": "safety", "teamType": "standard"}},
}

func TestPlacesComeAndGo(t *testing.T) {
	d := open(t)
	for _, k := range kinds {
		t.Run(k.kind, func(t *testing.T) {
			expect(t, "not there", d.do(t, "root", "GET", k.kind, "new", nil), 404, "not_found")
			expect(t, "it must be there", d.do(t, "root", "PUT", k.kind, "new", k.body, "if-match", "*"), 412, "stale")
			made := d.do(t, "root", "PUT", k.kind, "new", k.body, "if-none-match", "*")
			expect(t, "made", made, 201, "")
			if e := d.latest(t, k.is); e.Action != "create" || e.Target != (timeline.Target{Type: k.is.String(), ID: "new"}) || e.Subject.ID != "root" || len(e.Before) > 0 || e.After["name"] != k.body["name"] {
				t.Errorf("T1 the creation is told as %+v", e)
			}
			got := d.do(t, "local", "GET", k.kind, "new", nil)
			if got.Body != made.Body || got.Header["etag"] != `"1"` || made.Header["etag"] != `"1"` {
				t.Errorf("what was made reads as %s %s", got.Header["etag"], got.Body)
			}
			expect(t, "it must not be there", d.do(t, "root", "PUT", k.kind, "new", k.body, "if-none-match", "*"), 412, "stale")
			expect(t, "no If-Match", d.do(t, "root", "PUT", k.kind, "new", k.changed), 428, "precondition_required")

			back := d.do(t, "root", "PUT", k.kind, "new", got.Body, "if-match", `"1"`)
			expect(t, "what GET gave may be PUT back", back, 200, "")
			if back.Header["etag"] != `"1"` {
				t.Errorf("putting what is there wrote version %s", back.Header["etag"])
			}
			changed := d.do(t, "root", "PUT", k.kind, "new", k.changed, "if-match", `"1"`)
			expect(t, "changed", changed, 200, "")
			e := d.latest(t, k.is)
			for name, value := range k.changed {
				was, is := e.Before[name], e.After[name]
				if same := k.body[name] == value; same && (was != nil || is != nil) || !same && (was != k.body[name] || is != value) {
					t.Errorf("T1 %s: the timeline tells %v and %v", name, was, is)
				}
			}
			expect(t, "a stale version", d.do(t, "root", "PUT", k.kind, "new", k.body, "if-match", `"1"`), 412, "stale")
			expect(t, "another id", d.do(t, "root", "PUT", k.kind, "new", with(k.changed, object{"id": "old"}), "if-match", `"2"`), 422, "id_mismatch", "/id")
			expect(t, "another version", d.do(t, "root", "PUT", k.kind, "new", with(k.body, object{"version": 7}), "if-match", `"2"`), 422, "invalid_"+k.is.String(), "/version")

			expect(t, "no If-Match", d.do(t, "root", "DELETE", k.kind, "new", nil), 428, "precondition_required")
			expect(t, "a stale version", d.do(t, "root", "DELETE", k.kind, "new", nil, "if-match", `"1"`), 412, "stale")
			expect(t, "deleted", d.do(t, "root", "DELETE", k.kind, "new", nil, "if-match", `"2"`), 204, "")
			if e := d.latest(t, k.is); e.Action != "delete" || e.Before["name"] != k.changed["name"] || len(e.After) > 0 {
				t.Errorf("T1 the deletion is told as %+v", e)
			}
			expect(t, "gone", d.do(t, "root", "GET", k.kind, "new", nil), 404, "not_found")
			expect(t, "gone", d.do(t, "root", "DELETE", k.kind, "new", nil, "if-match", "*"), 404, "not_found")
		})
	}
}

// TestPlacesThatBreakARule: nothing of what is refused is there afterwards.
func TestPlacesThatBreakARule(t *testing.T) {
	d := open(t)
	long := strings.Repeat("n", 10_000)
	for _, c := range []struct {
		rule, kind, id string
		body           any
		status         int
		code           string
		pointers       []string
	}{
		{"U3 below what is not there", "locations", "new", object{"name": "x", "parent": "nowhere"}, 422, "invalid_location", []string{"/parent"}},
		{"U3 below itself, new", "locations", "new", object{"name": "x", "parent": "new"}, 422, "invalid_location", []string{"/parent"}},
		{"U3 below itself", "locations", "hospital", object{"name": "x", "parent": "hospital"}, 422, "invalid_location", []string{"/parent"}},
		{"U3 below its own child", "locations", "hospital", object{"name": "x", "parent": "surgery"}, 422, "invalid_location", []string{"/parent"}},
		{"U3 below its own grandchild", "locations", "hospital", object{"name": "x", "parent": "icu"}, 422, "invalid_location", []string{"/parent"}},
		{"every fault is named", "locations", "hospital", object{"name": "x", "parent": "icu", "version": 9}, 422, "invalid_location", []string{"/parent", "/version"}},
		{"a name of 10,000 characters", "locations", "new", object{"name": long}, 400, "malformed", []string{"/name"}},
		{"no name", "locations", "new", object{}, 400, "malformed", []string{"/name"}},
		{"an unknown member", "locations", "new", object{"name": "x", "closing": true}, 400, "malformed", []string{"/closing"}},
		{"a parent that is no id", "locations", "new", object{"name": "x", "parent": "a#b"}, 400, "malformed", []string{"/parent"}},
		{"no JSON at all", "workflows", "new", "{", 400, "malformed", []string{""}},
		{"a blank name", "workflows", "new", object{"name": " "}, 400, "malformed", []string{"/name"}},
		{"a version that was never given", "workflows", "new", object{"name": "x", "version": 1}, 422, "invalid_workflow", []string{"/version"}},
		{"a workflow that is not there", "templates", "new", object{"name": "x", "workflow": "none", "teamType": "simple"}, 422, "invalid_template", []string{"/workflow"}},
		{"no workflow", "templates", "new", object{"name": "x", "teamType": "simple"}, 400, "malformed", []string{"/workflow"}},
		{"a team type that is none", "templates", "new", object{"name": "x", "workflow": "safety", "teamType": "open"}, 400, "malformed", []string{"/teamType"}},
		{"an id outside its alphabet", "templates", "-new", object{"name": "x", "workflow": "safety", "teamType": "simple"}, 400, "malformed", nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var match []string
			before := d.do(t, "root", "GET", c.kind, c.id, nil)
			if before.Status == 200 {
				match = []string{"if-match", before.Header["etag"]}
			}
			expect(t, c.rule, d.do(t, "root", "PUT", c.kind, c.id, c.body, match...), c.status, c.code, c.pointers...)
			if after := d.do(t, "root", "GET", c.kind, c.id, nil); after.Body != before.Body {
				t.Errorf("T3 %s: it is now %s", c.rule, after.Body)
			}
		})
	}
}

// TestPlacesAreTheirAdministrators: any admin reads, a quality administrator
// writes, and who tries is told of (R10, T1).
func TestPlacesAreTheirAdministrators(t *testing.T) {
	d := open(t)
	for _, k := range kinds {
		t.Run(k.kind, func(t *testing.T) {
			expect(t, "R10 a service reads the list", d.do(t, "service", "GET", k.kind, "", nil), 200, "")
			expect(t, "R10 a plain user reads nothing", d.do(t, "nurse", "GET", k.kind, "", nil), 403, "denied")
			expect(t, "R10 a plain user reads nothing", d.do(t, "nurse", "GET", k.kind, "nothing", nil), 403, "denied")
			for _, who := range []string{"local", "service", "nurse", "coach"} {
				for _, method := range []string{"PUT", "DELETE"} {
					expect(t, "R10 not a quality administrator", d.do(t, who, method, k.kind, "new", bodyOf(method, k.body)), 403, "denied")
					e := d.latest(t, k.is)
					if !e.Denied || e.Subject.ID != who || e.Action != "quality_administrator" || e.Target != (timeline.Target{Type: k.is.String(), ID: "new"}) {
						t.Errorf("T1 a denied %s of %s is told as %+v", method, who, e)
					}
				}
			}
			expect(t, "nothing of it is there", d.do(t, "root", "GET", k.kind, "new", nil), 404, "not_found")
		})
	}
}

func bodyOf(method string, body object) any {
	if method == "PUT" {
		return body
	}
	return nil
}

// TestPlacesAreListedWhole, by id, whatever the page, and a cursor is its
// caller's and query's.
func TestPlacesAreListedWhole(t *testing.T) {
	d := open(t)
	for kind, want := range map[string][]string{
		"locations": {"clinic", "hospital", "icu", "medicine", "surgery", "ward"},
		"workflows": {"improvement", "safety"},
		"templates": {"idea", "incident", "kaizen", "project"},
	} {
		t.Run(kind, func(t *testing.T) {
			for _, limit := range []string{"1", "2", "500"} {
				var got []string
				for next := "start"; next != ""; {
					var page struct {
						Items []struct{ ID string }
						Next  string
					}
					query := "limit=" + limit
					if next != "start" {
						query += "&cursor=" + next
					}
					d.Do(t, d.f, fixture.Call{Route: "GET /v1/" + kind, As: "root", Query: query}).Into(t, &page)
					for _, item := range page.Items {
						got = append(got, item.ID)
					}
					next = page.Next
				}
				if !slices.Equal(got, want) {
					t.Errorf("in pages of %s: %q, want %q", limit, got, want)
				}
			}
			for _, query := range []string{"limit=0", "limit=501", "cursor=bm90aGluZw", "parent=hospital"} {
				expect(t, query, d.Do(t, d.f, fixture.Call{Route: "GET /v1/" + kind, As: "root", Query: query}), 400, "malformed", "/"+strings.Split(query, "=")[0])
			}
			first := d.Do(t, d.f, fixture.Call{Route: "GET /v1/" + kind, As: "root", Query: "limit=1"}).JSON(t)
			cursor, _ := first["next"].(string)
			expect(t, "another's cursor", d.Do(t, d.f, fixture.Call{Route: "GET /v1/" + kind, As: "local", Query: "cursor=" + cursor}), 400, "malformed", "/cursor")
		})
	}
}

// uses are what a refused deletion names.
type uses struct {
	Detail string
	Uses   []struct {
		Kind  string
		Count int
		More  bool
		IDs   []string
	}
}

// TestU3WhatIsUsedStays: a deletion is refused and names what uses it.
func TestU3WhatIsUsedStays(t *testing.T) {
	d := open(t)
	for _, c := range []struct{ kind, id, want string }{
		{"locations", "hospital", "location 2 medicine surgery; user 6 coach director root service support vendor"},
		{"locations", "icu", "user 3 capture inactive nurse; item 2 icu-idea icu-new"},
		{"locations", "clinic", "role 1 pharmacy; user 1 kiosk; item 1 clinic-incident"},
		{"workflows", "improvement", "template 3 idea kaizen project; role 4 coach director staff unit-lead"},
		{"templates", "incident", "role 1 pharmacy; item 1 clinic-incident"},
		{"templates", "kaizen", "item 2 icu-new ward-private"},
	} {
		t.Run(c.id, func(t *testing.T) {
			before := d.Caller(t, "root", directory.Keys{}).Policy
			a := d.do(t, "root", "DELETE", c.kind, c.id, nil, "if-match", "*")
			expect(t, "U3", a, 409, "in_use")
			var told uses
			a.Into(t, &told)
			var parts []string
			for _, u := range told.Uses {
				parts = append(parts, fmt.Sprint(u.Kind, " ", u.Count, " ", strings.Join(u.IDs, " ")))
				if !strings.Contains(told.Detail, strings.Join(u.IDs, ", ")+")") || u.More {
					t.Errorf("%+v is told as %q", u, told.Detail)
				}
			}
			if got := strings.Join(parts, "; "); got != c.want {
				t.Errorf("U3 in use by %q, want %q", got, c.want)
			}
			if after := d.Caller(t, "root", directory.Keys{}).Policy; after != before {
				t.Errorf("a refused deletion made policy version %d of %d", after, before)
			}
			expect(t, "U3 it is still there", d.do(t, "root", "GET", c.kind, c.id, nil), 200, "")
		})
	}
}

// TestU3ManyUsesAreCounted up to a bound, and the first are named.
func TestU3ManyUsesAreCounted(t *testing.T) {
	d := open(t)
	expect(t, "a new location", d.do(t, "root", "PUT", "locations", "annex", object{"name": "Annex"}), 201, "")
	for i := range 12 {
		d.AddItem(t, directory.Item{Item: authz.Item{ID: fmt.Sprintf("i%02d", i), Template: "idea", Locations: []string{"annex"}, Status: authz.Active}})
	}
	var told uses
	d.do(t, "root", "DELETE", "locations", "annex", nil, "if-match", `"1"`).Into(t, &told)
	if len(told.Uses) != 1 || told.Uses[0].Count != 12 || len(told.Uses[0].IDs) != 10 || told.Uses[0].IDs[0] != "i00" || !strings.Contains(told.Detail, "12 items (i00, ") {
		t.Errorf("U3 twelve items are told as %+v", told)
	}
}

// A new name alone moves nothing: the people there stay within the reach of who
// administers them from above. To move to the root is said, by null.
func TestU3ARenameIsNoMove(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		body object
		want any
	}{
		{object{"name": "Renamed"}, "surgery"}, {object{"name": "Renamed", "parent": "medicine"}, "medicine"},
		{object{"name": "Anew"}, "medicine"}, {object{"name": "Anew", "parent": nil}, nil}, {object{"name": "At last"}, nil},
	} {
		a := d.do(t, "root", "PUT", "locations", "icu", c.body, "if-match", "*")
		expect(t, "U3 a location put", a, 200, "")
		if got := a.JSON(t)["parent"]; got != c.want {
			t.Errorf("%v: the parent is %v, want %v", c.body, got, c.want)
		}
	}
}

// TestC11AMoveIsSeenAtOnce, on another instance that held the policy already
// too, and takes the whole subtree with it (U3).
func TestC11AMoveIsSeenAtOnce(t *testing.T) {
	d := open(t)
	other := d.Open()
	sees := func(who, item string) bool {
		facts, err := other.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{who}, Items: []string{item}})
		if err != nil {
			t.Fatal(err)
		}
		i := facts.Items[item].Item
		s := facts.Model.Subject(facts.Users[who].Decisive(), d.Clock.Now())
		return facts.Model.Decide(s, authz.DoView, authz.Resource{Type: authz.ItemResource, ID: i.ID, Item: &i}).Allowed
	}
	if !sees("lead", "icu-new") || sees("doctor", "icu-idea") {
		t.Fatal("the world is another one")
	}
	icu := object{"name": "The icu", "parent": "ward"}
	expect(t, "icu goes below ward", d.do(t, "root", "PUT", "locations", "icu", icu, "if-match", `"1"`), 200, "")
	if sees("lead", "icu-new") || !sees("doctor", "icu-idea") {
		t.Error("C11 a move was not seen by the next check")
	}
	ward := object{"name": "The ward", "parent": "surgery"}
	expect(t, "ward goes below surgery", d.do(t, "root", "PUT", "locations", "ward", ward, "if-match", `"1"`), 200, "")
	if !sees("lead", "icu-new") {
		t.Error("U3 a move tore the subtree apart")
	}
	if e := d.latest(t, timeline.Location); e.Before["parent"] != "medicine" || e.After["parent"] != "surgery" || len(e.Before)+len(e.After) != 2 {
		t.Errorf("T1 the move is told as %+v", e)
	}
	ward["parent"] = nil
	expect(t, "ward becomes a root", d.do(t, "root", "PUT", "locations", "ward", ward, "if-match", `"2"`), 200, "")
	if e := d.latest(t, timeline.Location); e.Before["parent"] != "surgery" || e.After["parent"] != nil {
		t.Errorf("T1 the move is told as %+v", e)
	}
}

// TestTemplatesMayChangeTheirKind: team roles that the new team type lacks
// count for nothing (C1), grants on the new workflow count at once (R3).
func TestTemplatesMayChangeTheirKind(t *testing.T) {
	d := open(t)
	views := func(who, item string) bool {
		c := d.Caller(t, who, directory.Keys{Items: []string{item}})
		i := c.Items[item].Item
		return c.Decide(authz.DoView, authz.Resource{Type: authz.ItemResource, ID: i.ID, Item: &i}).Allowed
	}
	if !views("coach", "ward-project") || !views("doctor", "ward-project") {
		t.Fatal("the world is another one")
	}
	expect(t, "C1", d.do(t, "root", "PUT", "workflows", "alone", object{"name": "Alone"}), 201, "")
	lone := object{"name": "A project", "workflow": "alone", "teamType": "author_only"}
	expect(t, "C1", d.do(t, "root", "PUT", "templates", "project", lone, "if-match", `"1"`), 200, "")
	if views("coach", "ward-project") || views("doctor", "ward-project") {
		t.Error("C1, R3 a facilitator of an author_only team, or a grant on the workflow it left, counts")
	}
	lone["workflow"] = "safety"
	expect(t, "R3", d.do(t, "root", "PUT", "templates", "project", lone, "if-match", `"2"`), 200, "")
	if !views("doctor", "ward-project") {
		t.Error("R3 a grant on the new workflow does not count")
	}
}
