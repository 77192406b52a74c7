package endpoints_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/permission"
)

// searches are one good request of each search.
func searches() map[string]object {
	return map[string]object{
		subjects:  {"subject": object{"type": "user"}, "action": object{"name": "view"}, "resource": object{"type": "item", "id": "icu-idea"}},
		resources: {"subject": object{"type": "user", "id": "nurse"}, "action": object{"name": "view"}, "resource": object{"type": "item"}},
		actions:   {"subject": object{"type": "user", "id": "nurse"}, "resource": object{"type": "item", "id": "icu-idea"}},
	}
}

// ids are the results' ids, or names.
func (f found) ids() []string {
	var all []string
	for _, r := range f.Results {
		all = append(all, r.ID+r.Name)
	}
	return all
}

// plain is a body as JSON has it, a copy.
func plain(t *testing.T, body object) object {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// set is the body with a member, by its path, as it shall be; nil takes it away.
func set(t *testing.T, body object, path string, value any) object {
	body = plain(t, body)
	names, at := strings.Split(path, "."), body
	for _, name := range names[:len(names)-1] {
		if at[name] == nil {
			at[name] = object{}
		}
		at = at[name].(object)
	}
	at[names[len(names)-1]] = value
	if value == nil {
		delete(at, names[len(names)-1])
	}
	return body
}

// TestSearchRequirements is AuthZEN's "Search APIs" and the certification's
// "Search Error Handling": what a request must have, by its search.
func TestSearchRequirements(t *testing.T) {
	f, place := riverside(t)
	needed := map[string][]string{
		subjects:  {"subject", "subject.type", "action", "action.name", "resource", "resource.type", "resource.id"},
		resources: {"subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.type"},
		actions:   {"subject", "subject.type", "subject.id", "resource", "resource.type", "resource.id"},
	}
	for route, body := range searches() {
		for _, path := range needed[route] {
			a := place.Do(t, f, fixture.Call{Route: route, As: "nurse", Body: set(t, body, path, nil)})
			want := "/" + strings.ReplaceAll(path, ".", "/")
			if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" || !slices.Equal(a.Pointers(t), []string{want}) {
				t.Errorf("%s without %s: %d %s", route, path, a.Status, a.Body)
			}
		}
	}
}

func TestSearchMalformed(t *testing.T) {
	f, place := riverside(t)
	all := slices.Sorted(maps.Keys(searches()))
	table := []struct {
		name, path string
		value      any
		routes     []string
		pointers   []string
	}{
		{"a subject that is no object", "subject", "nurse", all, []string{"/subject"}},
		{"a type that is no text", "resource.type", 7, all, []string{"/resource/type"}},
		{"an id that can be none", "resource.id", "a b", []string{subjects, actions}, []string{"/resource/id"}},
		{"an id that can be none", "subject.id", "a b", []string{resources, actions}, []string{"/subject/id"}},
		{"an action that is no text", "action.name", true, []string{subjects, resources}, []string{"/action/name"}},
		{"a hypothetical nobody", "context.hypothetical", object{}, []string{subjects}, []string{"/context/hypothetical"}},
		{"a hypothetical that is malformed", "context.hypothetical", object{"role": "staff"}, []string{resources, actions}, []string{"/context/hypothetical/role"}},
		{"a context that is no object", "context", 1, all, []string{"/context"}},
		{"a page that is no object", "page", 1, all, []string{"/page"}},
		{"a limit below none", "page.limit", -1, all, []string{"/page/limit"}},
		{"a limit that is not whole", "page.limit", 1.5, all, []string{"/page/limit"}},
		{"a limit that is text", "page.limit", "5", all, []string{"/page/limit"}},
		{"page properties that are no object", "page.properties", 1, all, []string{"/page/properties"}},
		{"a token that is none", "page.token", "abc", all, []string{"/page/token"}},
		{"an empty token", "page.token", "", all, []string{"/page/token"}},
		{"C8 facts without a status", "resource.properties", object{"template": "idea"}, []string{subjects}, []string{"/resource/properties/status"}},
		{"C8 facts without a template", "resource.properties", object{"status": "new"}, []string{subjects, actions}, []string{"/resource/properties/template"}},
		{"C8 facts that are malformed", "resource.properties", object{"template": "idea", "status": "lost"}, []string{subjects}, []string{"/resource/properties/status"}},
	}
	for _, tt := range table {
		for _, route := range tt.routes {
			a := place.Do(t, f, fixture.Call{Route: route, As: "nurse", Body: set(t, searches()[route], tt.path, tt.value)})
			if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" || !slices.Contains(a.Pointers(t), tt.pointers[0]) {
				t.Errorf("%s, %s: %d %s, want %q", route, tt.name, a.Status, a.Body, tt.pointers)
			}
		}
	}
	grant := set(t, set(t, searches()[resources], "resource.type", "user"), "action.name", "grant_role")
	if a := place.Do(t, f, fixture.Call{Route: resources, As: "nurse", Body: grant}); a.Status != http.StatusBadRequest || !strings.Contains(a.Body, "role") {
		t.Errorf("C7 grant_role without a role: %d %s", a.Status, a.Body)
	}
	for route, body := range searches() {
		text, _ := json.Marshal(body)
		for _, c := range []fixture.Call{
			{Body: string(text), Header: map[string]string{"content-type": "text/plain"}}, {Body: "{"}, {Body: ""}, {Body: "[]"},
		} {
			c.Route, c.As = route, "nurse"
			if a := place.Do(t, f, c); a.Status != http.StatusBadRequest {
				t.Errorf("%s of %q: %d %s", route, c.Body, a.Status, a.Body)
			}
		}
		if a := place.Do(t, f, fixture.Call{Route: route, Body: body}); a.Status != http.StatusUnauthorized {
			t.Errorf("%s of nobody: %d", route, a.Status)
		}
	}
}

// TestSearchIgnores is what AuthZEN has a search ignore: the id of what is
// searched, unknown members, a context that says nothing here.
func TestSearchIgnores(t *testing.T) {
	f, place := riverside(t)
	searchedFor := map[string]string{subjects: "subject", resources: "resource", actions: "action"}
	for route, body := range searches() {
		want := search(t, place, f, "service", route, body).ids()
		if len(want) < 2 {
			t.Fatalf("%s finds %q", route, want)
		}
		for path, value := range map[string]any{
			searchedFor[route] + ".id": "lead",
			"subject.properties":       object{"role": "admin"},
			"resource.properties":      object{"unknown": 1},
			"context":                  object{"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"},
			"more":                     list{1, 2},
			"page":                     object{"properties": object{"sort": "id"}, "total": true},
			"page.limit":               1000000,
			searchedFor[route] + ".properties.status": "archived",
		} {
			if got := search(t, place, f, "service", route, set(t, body, path, value)).ids(); !slices.Equal(got, want) {
				t.Errorf("%s with %s: %q, want %q", route, path, got, want)
			}
		}
	}
	if got := search(t, place, f, "service", subjects, set(t, searches()[subjects], "subject.id", object{})).ids(); len(got) < 2 {
		t.Errorf("an id that is none at all is not looked at: %q", got)
	}
}

type list = []any

// TestSearchFindsNothing is the certification's "Empty results".
func TestSearchFindsNothing(t *testing.T) {
	f, place := riverside(t)
	for route, paths := range map[string]map[string]string{
		subjects:  {"subject.type": "spaceship", "action.name": "fly", "resource.id": "absent", "resource.type": "planet"},
		resources: {"subject.id": "nobody", "subject.type": "ghost", "action.name": "administer", "resource.type": "planet"},
		actions:   {"subject.id": "nobody", "subject.type": "ghost", "resource.id": "absent", "resource.type": "planet"},
	} {
		for path, value := range paths {
			out := search(t, place, f, "service", route, set(t, searches()[route], path, value))
			if len(out.Results) > 0 || *out.Page.NextToken != "" {
				t.Errorf("%s with %s %s: %+v", route, path, value, out)
			}
		}
	}
	boards := set(t, searches()[resources], "resource.type", "board")
	boards["action"], boards["subject"] = object{"name": "administer"}, object{"type": "user", "id": "coach"}
	if out := search(t, place, f, "service", resources, boards); len(out.Results) > 0 {
		t.Errorf("boards are not stored here: %+v", out)
	}
}

// TestSearchPages is AuthZEN's "Pagination".
func TestSearchPages(t *testing.T) {
	f, place := riverside(t)
	for route, body := range searches() {
		whole := search(t, place, f, "service", route, body).ids()
		first := search(t, place, f, "service", route, set(t, body, "page.limit", 1))
		token := *first.Page.NextToken
		if token == "" || !slices.Equal(first.ids(), whole[:1]) {
			t.Fatalf("%s: the first of %q is %+v", route, whole, first)
		}
		for name, page := range map[string]object{
			"the limit may be left out": {"token": token}, "or be the same": {"token": token, "limit": 1},
		} {
			next := search(t, place, f, "service", route, set(t, body, "page", page))
			if !slices.Equal(next.ids(), whole[1:2]) {
				t.Errorf("%s: %s: %q, want the second of %q", route, name, next.ids(), whole)
			}
		}
		again := plain(t, body)
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(again))) { // another order, the same entities
			value := again[name]
			delete(again, name)
			again[name] = value
		}
		again["page"] = object{"token": token}
		if next := search(t, place, f, "service", route, again); !slices.Equal(next.ids(), whole[1:2]) {
			t.Errorf("%s: in another order: %q", route, next.ids())
		}
		none := search(t, place, f, "service", route, set(t, body, "page.limit", 0))
		if len(none.Results) > 0 || *none.Page.NextToken == "" {
			t.Errorf("%s: a page of none: %+v", route, none)
		}
		refused := func(name, as string, changed object) {
			t.Helper()
			page, _ := changed["page"].(object)
			if page == nil {
				page = object{}
			}
			page["token"] = token
			changed["page"] = page
			a := place.Do(t, f, fixture.Call{Route: route, As: as, Body: changed})
			if a.Status != http.StatusBadRequest || !slices.Equal(a.Pointers(t), []string{"/page/token"}) {
				t.Errorf("%s: %s: %d %s", route, name, a.Status, a.Body)
			}
		}
		refused("another limit", "service", set(t, body, "page.limit", 2))
		refused("somebody else", "root", plain(t, body))
		refused("another context", "service", set(t, body, "context.ip", "192.168.1.1"))
		refused("other properties", "service", set(t, body, "resource.properties.x", 1))
		if route != subjects {
			refused("another subject", "service", set(t, body, "subject.id", "lead"))
		}
		if route != resources {
			refused("another resource", "service", set(t, body, "resource.id", "icu-new"))
		}
		if route != actions {
			refused("another action", "service", set(t, body, "action.name", "edit"))
		}
	}
	token := *search(t, place, f, "service", actions, set(t, searches()[actions], "page.limit", 1)).Page.NextToken
	a := place.Do(t, f, fixture.Call{Route: subjects, As: "service", Body: set(t, searches()[subjects], "page.token", token)})
	if a.Status != http.StatusBadRequest {
		t.Errorf("the token of another search: %d %s", a.Status, a.Body)
	}
}

// TestC8SearchesWithFacts are of an item that is not stored.
func TestC8SearchesWithFacts(t *testing.T) {
	f, place := riverside(t)
	facts := object{"template": "idea", "status": "draft", "locations": list{"icu"}, "team": object{"author": list{"nurse", "nobody"}, "follower": list{"kiosk"}}}
	who := set(t, set(t, searches()[subjects], "resource.id", "elsewhere-7"), "resource.properties", facts)
	if got := search(t, place, f, "service", subjects, who).ids(); !slices.Equal(got, []string{"nurse"}) {
		t.Errorf("who sees a draft: %q", got)
	}
	what := set(t, set(t, searches()[actions], "resource.id", "elsewhere-7"), "resource.properties", facts)
	if got := search(t, place, f, "service", actions, what).ids(); !slices.Equal(got, []string{"participate", "view", "edit", "request"}) {
		t.Errorf("what the author may: %q", got)
	}
	delete(facts, "status")
	what = set(t, what, "resource.properties", facts)
	if got := search(t, place, f, "service", actions, what).ids(); !slices.Equal(got, []string{"participate"}) {
		t.Errorf("C8 without a status: %q", got)
	}
	// A resource that is searched for has its own facts.
	items := set(t, searches()[resources], "resource.properties", object{"template": "idea", "status": "lost"})
	if got := search(t, place, f, "service", resources, items).ids(); !slices.Equal(got, []string{"icu-idea", "icu-new"}) {
		t.Errorf("items: %q", got)
	}
}

// TestC7SearchesOfUsers are of whom one may administer, and who may.
func TestC7SearchesOfUsers(t *testing.T) {
	f, place := riverside(t)
	user := func(subject, action, role string) object {
		return object{"subject": object{"type": "user", "id": subject}, "action": object{"name": action}, "resource": object{"type": "user", "properties": object{"role": role}}}
	}
	for _, tt := range []struct {
		as   string
		body object
		want []string
	}{
		{"service", user("local", "grant_role", "staff"), []string{"capture", "inactive", "lead", "local", "nurse", "remover"}},
		{"local", user("local", "grant_role", "coach"), nil},
		{"nurse", user("nurse", "administer", "staff"), nil},
		{"nurse", user("local", "administer", "staff"), nil},
	} {
		if got := search(t, place, f, tt.as, resources, tt.body).ids(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v: %q, want %q", tt.as, tt.body, got, tt.want)
		}
	}
	if got := searched(t, place, f, "root", resources, user("root", "administer", "staff"), 3); len(got) != len(everyUser) {
		t.Errorf("R11 everybody: %q", got)
	}
	who := object{"subject": object{"type": "user"}, "action": object{"name": "administer"}, "resource": object{"type": "user", "id": "nurse"}}
	if got := search(t, place, f, "service", subjects, who).ids(); !slices.Equal(got, []string{"local", "root", "support", "vendor"}) {
		t.Errorf("R11 who administers the nurse: %q", got)
	}
	organization := object{"subject": object{"type": "user", "id": "director"}, "action": object{"name": "people_section"}, "resource": object{"type": "organization"}}
	if got := search(t, place, f, "service", resources, organization).ids(); !slices.Equal(got, []string{"riverside"}) {
		t.Errorf("C7 one's own organization: %q", got)
	}
}

// TestC12SearchesInASession: oneself is the session's subject, others need both
// sides; it only looks, so a read_only session may. Its tokens are its own.
func TestC12SearchesInASession(t *testing.T) {
	_, place := riverside(t)
	in := func(subject string) *api.Function {
		return endpoints.New(place.Deps(t, running{impersonation.Session{
			ID: "x1", Mode: impersonation.ReadOnly, Actor: directory.Named{ID: "support"}, Subject: directory.Named{ID: subject},
			Started: fixture.Start, Idles: place.Clock.Now().Add(time.Minute), Ends: place.Clock.Now().Add(time.Hour),
		}}), place.Open())
	}
	for subject, want := range map[string][]string{
		"nurse": {"nurse"}, "lead": {"lead"}, "root": {"coach", "director", "lead", "nurse", "remover"}, "local": {"lead", "nurse", "remover"}, "doctor": nil,
	} {
		a := place.Do(t, in(subject), fixture.Call{Route: subjects, As: "support", Session: "x1", Body: searches()[subjects]})
		var out found
		a.Into(t, &out)
		if a.Status != http.StatusOK || !slices.Equal(out.ids(), want) {
			t.Errorf("as %s: %d %s, want %q", subject, a.Status, a.Body, want)
		}
	}
	var out found
	page := set(t, searches()[subjects], "page.limit", 1)
	place.Do(t, in("root"), fixture.Call{Route: subjects, As: "support", Session: "x1", Body: page}).Into(t, &out)
	page["page"] = object{"token": *out.Page.NextToken}
	if a := place.Do(t, in("root"), fixture.Call{Route: subjects, As: "support", Body: page}); a.Status != http.StatusBadRequest {
		t.Errorf("a session's token outside of it: %d %s", a.Status, a.Body)
	}
}

// down is a store that lists nothing any more.
type down struct{ permission.Store }

func (down) Listed(context.Context, string, permission.List, directory.Page) ([]string, bool, error) {
	return nil, false, fault.Wrap(fault.Unavailable, "dynamodb", context.DeadlineExceeded)
}

func TestC8ASearchThatFailsFindsNothingAtAll(t *testing.T) {
	_, place := riverside(t)
	f := endpoints.New(place.Deps(t, nil), down{place.Open()})
	for _, route := range []string{subjects, resources} {
		a := place.Do(t, f, fixture.Call{Route: route, As: "service", Body: searches()[route]})
		if a.Status != http.StatusServiceUnavailable || strings.Contains(a.Body, "results") {
			t.Errorf("%s: %d %s", route, a.Status, a.Body)
		}
	}
}

func TestSearchEchoesTheRequestsID(t *testing.T) {
	f, place := riverside(t)
	for route, body := range searches() {
		a := place.Do(t, f, fixture.Call{Route: route, As: "nurse", Body: body, Header: map[string]string{"x-request-id": "s-1"}})
		if a.Status != http.StatusOK || a.Header["x-request-id"] != "s-1" || !strings.HasPrefix(a.Body, `{"page":{"next_token":"","count":`) {
			t.Errorf("%s: %v %s", route, a.Header, a.Body)
		}
	}
}
