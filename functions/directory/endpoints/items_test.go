package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// on calls an item's route.
func (o opened) on(method, as, id string, body any, header ...string) fixture.Answer {
	o.t.Helper()
	c := fixture.Call{Route: method + " /v1/items/{id}", As: as, Path: map[string]string{"id": id}, Body: body, Header: map[string]string{}}
	for n := 0; n < len(header); n += 2 {
		c.Header[header[n]] = header[n+1]
	}
	return o.Do(o.t, o.f, c)
}

// is holds an answer to a status and a problem's code.
func (o opened) is(rule string, a fixture.Answer, status int, code string) fixture.Answer {
	o.t.Helper()
	if got := a.Problem(o.t); a.Status != status || got != code {
		o.t.Errorf("%s: %d %q, want %d %q\n%s", rule, a.Status, got, status, code, a.Body)
	}
	return a
}

// idea is a valid item; change overlays it.
func idea(change object) object {
	i := object{"template": "idea", "locations": []string{"icu"}, "status": "active", "private": false, "team": object{"author": []string{"nurse"}}}
	for name, value := range change {
		i[name] = value
	}
	return i
}

func TestRecordingAnItem(t *testing.T) {
	o := openWorld(t)
	made := o.is("it is made", o.on("PUT", "service", "new", idea(nil)), 201, "")
	if made.Header["etag"] != `"1"` {
		t.Errorf("version %s", made.Header["etag"])
	}
	read := o.is("it is read", o.on("GET", "service", "new", nil), 200, "")
	if read.Body != made.Body || read.Header["etag"] != `"1"` {
		t.Errorf("read %s %s, made %s", read.Header["etag"], read.Body, made.Body)
	}
	o.is("no If-Match", o.on("PUT", "service", "new", idea(nil)), 428, "precondition_required")
	o.is("it must not be there", o.on("PUT", "service", "new", idea(nil), "if-none-match", "*"), 412, "stale")
	o.is("what is not there has no version", o.on("PUT", "service", "newer", idea(nil), "if-match", `"1"`), 412, "stale")
	same := o.is("what GET gave may be PUT back", o.on("PUT", "service", "new", read.Body, "if-match", `"1"`), 200, "")
	if same.Header["etag"] != `"1"` {
		t.Errorf("what is as it was is written again as %s", same.Header["etag"])
	}
	next := o.is("it is replaced", o.on("PUT", "root", "new", idea(object{"status": "complete", "team": object{"author": []string{"nurse", "lead"}}}), "if-match", `"1"`), 200, "")
	if next.Header["etag"] != `"2"` {
		t.Errorf("version %s", next.Header["etag"])
	}
	o.is("T3 a stale version", o.on("PUT", "service", "new", idea(nil), "if-match", `"1"`), 412, "stale")
	o.is("T3 nor is it deleted by one", o.on("DELETE", "service", "new", nil, "if-match", `"1"`), 412, "stale")
	o.is("nor without", o.on("DELETE", "service", "new", nil), 428, "precondition_required")
	gone := o.is("it is deleted", o.on("DELETE", "service", "new", nil, "if-match", `"2"`), 204, "")
	if gone.Body != "" {
		t.Errorf("nothing is told of it, but %s", gone.Body)
	}
	o.is("and is no more", o.on("GET", "service", "new", nil), 404, "not_found")
	o.is("nor is it deleted twice", o.on("DELETE", "service", "new", nil, "if-match", "*"), 404, "not_found")
	o.is("it may be made anew", o.on("PUT", "service", "new", idea(nil), "if-none-match", "*"), 201, "")
}

func TestC11TheNextCheckSeesTheItem(t *testing.T) {
	o := openWorld(t)
	views := func(user string) bool {
		c := o.Caller(t, user, directory.Keys{Items: []string{"new"}})
		i, there := c.Items["new"]
		return there && c.Decide(authz.DoView, authz.Resource{Type: authz.ItemResource, ID: "new", Item: &i.Item}).Allowed
	}
	draft := func(author string) object {
		return idea(object{"status": "draft", "team": object{"author": []string{author}}})
	}
	for n, author := range []string{"nurse", "doctor", "nurse"} {
		header := []string{"if-match", "*"}
		if n == 0 {
			header = []string{"if-none-match", "*"}
		}
		if a := o.on("PUT", "service", "new", draft(author), header...); a.Status > 201 {
			t.Fatal(a.Body)
		}
		if views("nurse") != (author == "nurse") || views("doctor") != (author == "doctor") {
			t.Errorf("C11 a draft of %s is seen by nurse %v, doctor %v", author, views("nurse"), views("doctor"))
		}
	}
	o.is("it is deleted", o.on("DELETE", "service", "new", nil, "if-match", "*"), 204, "")
	if views("nurse") {
		t.Error("C11 an item that was deleted is seen")
	}
}

func TestRefusedItems(t *testing.T) {
	o := openWorld(t)
	for _, c := range []struct {
		rule     string
		body     any
		status   int
		code     string
		pointers []string
	}{
		{"no template of that id", idea(object{"template": "nothing"}), 422, "invalid_item", []string{"/template"}},
		{"no location of that id", idea(object{"locations": []string{"icu", "nowhere"}}), 422, "invalid_item", []string{"/locations/1"}},
		{"C1 no such role in the template's team", idea(object{"team": object{"sponsor": []string{"nurse"}, "author": []string{"lead"}}}), 422, "invalid_item", []string{"/team/sponsor"}},
		{"nobody of that id on the team", idea(object{"team": object{"author": []string{"nurse", "nobody"}}}), 422, "invalid_item", []string{"/team/author/1"}},
		{"every fault is named", idea(object{"template": "nothing", "locations": []string{"nowhere"}, "version": 7, "team": object{"author": []string{"nobody"}}}), 422, "invalid_item",
			[]string{"/version", "/template", "/locations/0", "/team/author/0"}},
		{"another id", idea(object{"id": "other"}), 422, "id_mismatch", []string{"/id"}},
		{"C8 an unknown status", idea(object{"status": "open"}), 400, "malformed", []string{"/status"}},
		{"C8 an unknown team role", idea(object{"team": object{"owner": []string{"nurse"}}}), 400, "malformed", []string{"/team/owner"}},
		{"somebody twice", idea(object{"team": object{"author": []string{"nurse", "nurse"}}}), 400, "malformed", []string{"/team/author/1"}},
		{"no template", object{"status": "new"}, 400, "malformed", []string{"/template"}},
		{"no status", object{"template": "idea"}, 400, "malformed", []string{"/status"}},
		{"an unknown member", idea(object{"title": "Tea"}), 400, "malformed", []string{"/title"}},
		{"no body", nil, 400, "malformed", []string{""}},
	} {
		a := o.is(c.rule, o.on("PUT", "service", "new", c.body), c.status, c.code)
		if got := a.Pointers(t); !slices.Equal(got, c.pointers) {
			t.Errorf("%s: %q, want %q", c.rule, got, c.pointers)
		}
	}
	o.is("an id outside its alphabet", o.on("PUT", "service", "a%b", idea(nil)), 400, "malformed")
	o.is("T3 nothing was made", o.on("GET", "service", "new", nil), 404, "not_found")
}

func TestWhoMayRecordItems(t *testing.T) {
	o := openWorld(t)
	for id, a := range map[string]authz.Admin{"reader": {AccessReader: true}, "quality": {Quality: true}, "writer": {ItemWriter: true}, "system": {System: true, Roles: true}} {
		o.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Admin: a}})
		o.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}, SignIn: directory.Enabled, Sub: fixture.Sub(id)}, id)
	}
	for who, may := range map[string][2]bool{ // read, write
		"reader": {true, false}, "quality": {true, true}, "writer": {true, true}, "service": {true, true},
		"system": {}, "local": {}, "nurse": {}, // who is the author of icu-idea
	} {
		for method, allowed := range map[string]bool{"GET": may[0], "PUT": may[1], "DELETE": may[1]} {
			status, code := 403, "denied"
			switch {
			case allowed && method == "GET":
				status, code = 200, ""
			case allowed:
				status, code = 412, "stale"
			}
			o.is("R10 "+who+" "+method, o.on(method, who, "icu-idea", idea(nil), "if-match", `"9"`), status, code)
		}
	}
	o.is("no token", o.on("GET", "", "icu-idea", nil), 401, "no_token")
	denied := o.Caller(t, "root", directory.Keys{})
	entries, _, err := o.Open().Entries(t.Context(), denied.Organization.ID, timeline.Stretch{From: fixture.Start, To: fixture.Start.Add(time.Hour), Person: "nurse", Page: timeline.Page{Limit: 100}})
	if err != nil || len(entries) != 3 || !entries[0].Denied || !entries[2].Denied || entries[0].Type != timeline.Item {
		t.Errorf("T1 denied attempts: %+v, %v", entries, err)
	}
	for _, e := range entries[:min(3, len(entries))] {
		if want := (timeline.Target{Type: "item", ID: "icu-idea"}); e.Target != want {
			t.Errorf("T1 a denied %s is about %+v, want %+v", e.Action, e.Target, want)
		}
	}
}

// entries of an item, the newest first.
func (o opened) entries(id string) []timeline.Entry {
	o.t.Helper()
	all, _, err := o.Open().Entries(o.t.Context(), fixture.Organization, timeline.Stretch{From: fixture.Start.Add(-time.Second), To: fixture.Start.Add(time.Hour), Page: timeline.Page{Limit: 500}})
	if err != nil {
		o.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e timeline.Entry) bool { return e.Target.ID != id })
}

// TestT1AnItemsEntries tell what changed; of a team who left and who joined, and
// of many how many.
func TestT1AnItemsEntries(t *testing.T) {
	o := openWorld(t)
	var crowd []string
	for n := range 60 {
		id := fmt.Sprintf("c%03d", n)
		o.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}})
		crowd = append(crowd, id)
	}
	put := func(change object, version string) {
		o.t.Helper()
		if a := o.on("PUT", "service", "new", idea(change), "if-match", version); a.Status != 200 {
			t.Fatal(a.Body)
		}
	}
	if a := o.on("PUT", "service", "new", idea(nil)); a.Status != 201 {
		t.Fatal(a.Body)
	}
	put(object{"private": true, "locations": []string{"icu", "ward"}, "team": object{"author": []string{"lead"}, "follower": []string{"doctor"}}}, `"1"`)
	put(object{"private": true, "locations": []string{"ward", "icu"}, "team": object{"author": []string{"lead"}, "follower": crowd}}, `"2"`)
	o.is("and it goes", o.on("DELETE", "service", "new", nil, "if-match", `"3"`), 204, "")
	told := func(v any) string { return fmt.Sprint(v) }
	for n, want := range []struct{ action, before, after string }{
		{"delete", "locations:[icu ward] private:true status:active team:map[author:[lead] follower:[c000", "map[]"},
		{"edit", "map[team:map[follower:[doctor]]]", "and 10 more"},
		{"edit", "map[locations:[icu] private:false team:map[author:[nurse]]]", "map[locations:[icu ward] private:true team:map[author:[lead] follower:[doctor]]]"},
		{"create", "map[]", "map[locations:[icu] private:false status:active team:map[author:[nurse]] template:idea]"},
	} {
		e := o.entries("new")[len(o.entries("new"))-4+n]
		if e.Type != timeline.Item || e.Action != want.action || e.Subject.ID != "service" || e.Target.Type != "item" ||
			!strings.Contains(told(e.Before), want.before) || !strings.Contains(told(e.After), want.after) {
			t.Errorf("T1 %s: %s %v -> %v", want.action, e.Action, e.Before, e.After)
		}
	}
}

// TestItemsWrittenAtOnce: of many who see the same version one writes, and the
// others are told (T3).
func TestItemsWrittenAtOnce(t *testing.T) {
	o := openWorld(t)
	for _, round := range []struct{ status, header, version string }{{"active", "if-none-match", "*"}, {"complete", "if-match", `"1"`}, {"deferred", "if-match", `"2"`}} {
		var group sync.WaitGroup
		statuses := make([]int, 6)
		for n, author := range []string{"nurse", "lead", "doctor", "coach", "root", "local"} {
			group.Go(func() {
				body := idea(object{"status": round.status, "team": object{"author": []string{author}}})
				statuses[n] = o.on("PUT", "service", "new", body, round.header, round.version).Status
			})
		}
		group.Wait()
		slices.Sort(statuses)
		if won := statuses[0]; won > 201 || statuses[1] != 412 {
			t.Errorf("T3 %s: %v", round.status, statuses)
		}
	}
}

// TestC1WhatATemplateWas: the team roles that an item has from another team type
// may be given back as they are, but not changed.
func TestC1WhatATemplateWas(t *testing.T) {
	o := openWorld(t)
	template := object{"name": "Idea", "workflow": "improvement", "teamType": "author_only"}
	put := fixture.Call{Route: "PUT /v1/templates/{id}", As: "root", Path: map[string]string{"id": "idea"}, Body: template, Header: map[string]string{"if-match": "*"}}
	if a := o.Do(t, o.f, put); a.Status != 200 {
		t.Fatal(a.Body)
	}
	read := o.on("GET", "service", "icu-idea", nil) // whose responsible is lead
	o.is("what GET gave may be PUT back", o.on("PUT", "service", "icu-idea", read.Body, "if-match", "*"), 200, "")
	more := idea(object{"team": object{"author": []string{"nurse"}, "responsible": []string{"lead", "nurse"}}})
	a := o.is("C1 but not changed", o.on("PUT", "service", "icu-idea", more, "if-match", "*"), 422, "invalid_item")
	if got := a.Pointers(t); !slices.Equal(got, []string{"/team/responsible"}) {
		t.Errorf("%q", got)
	}
	o.is("C1 and it may go", o.on("PUT", "service", "icu-idea", idea(nil), "if-match", "*"), 200, "")
}
