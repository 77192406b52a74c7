package endpoints_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gemba/shared/dynamotest/fixture"
)

// searchedFor is the member that each search leaves open.
var searchedFor = map[string]string{subjects: "subject", resources: "resource", actions: "action"}

// eachSearch proves something of each search.
func eachSearch(proof func(t *testing.T, s service, route string, body object)) func(*testing.T, service) {
	return func(t *testing.T, s service) {
		for route, body := range searches() {
			proof(t, s, route, body)
		}
	}
}

var searchRequirements = []requirement{
	{section: "Search APIs", says: "responds with the entities which would be authorized", by: "functions/permission/endpoints TestSearchesAreTheEvaluations"},
	{section: "Search APIs/Semantics", says: "any result SHOULD be a true decision when it is evaluated", by: "functions/permission/endpoints TestSearchesAreTheEvaluations"},
	{section: "Search APIs/Semantics", says: "RECOMMENDED to be performed transitively", proof: transitively},
	{section: "Search APIs/Response", says: "results REQUIRED, an array of zero or more entities", proof: findsNothing},
	{section: "Search APIs/Response", says: "RECOMMENDED that page be the first key", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		if a := s.do(t, route, body); !strings.HasPrefix(a.Body, `{"page":{`) {
			t.Errorf("%s: %s", route, a.Body)
		}
	})},
	{section: "Search APIs/Response", says: "MUST contain only entities of the type being searched for", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		kind := map[string]string{subjects: "user", resources: "item"}[route]
		for _, r := range s.find(t, route, body).Results {
			if r.Type != kind || (r.ID == "") != (kind == "") || (r.Name == "") != (kind != "") {
				t.Errorf("%s finds %+v", route, r)
			}
		}
	})},
	{section: "Search APIs/Subject Search API", says: "subject with a type, action and resource REQUIRED", proof: requires(subjects)},
	{section: "Search APIs/Subject Search API", says: "the Subject id if present MUST be ignored", proof: ignoresID(subjects)},
	{section: "Search APIs/Resource Search API", says: "subject, action and resource with a type REQUIRED", proof: requires(resources)},
	{section: "Search APIs/Resource Search API", says: "the Resource id if present MUST be ignored", proof: ignoresID(resources)},
	{section: "Search APIs/Action Search API", says: "subject and resource REQUIRED", proof: requires(actions)},
	{section: "Search APIs/Action Search API", says: "the action key is omitted", proof: func(t *testing.T, s service) {
		want := s.find(t, actions, searches()[actions]).ids()
		for _, action := range []any{object{"name": "edit"}, object{"id": 1}, 5} {
			if got := s.find(t, actions, set(t, searches()[actions], "action", action)).ids(); !slices.Equal(got, want) {
				t.Errorf("with action %v: %q, want %q", action, got, want)
			}
		}
	}},
}

// transitively: root sees nothing, the director by a role above the item's
// location, and lists of those who may go through roles, grants and locations.
func transitively(t *testing.T, s service) {
	who := s.find(t, subjects, searches()[subjects]).ids()
	if !slices.Contains(who, "lead") || !slices.Contains(who, "nurse") || slices.Contains(who, "doctor") {
		t.Errorf("who sees an idea of the icu: %q", who)
	}
	below := set(t, set(t, searches()[resources], "subject.id", "lead"), "action.name", "assign")
	if got := s.find(t, resources, below).ids(); !slices.Equal(got, []string{"icu-idea", "icu-new", "surgery-draft"}) {
		t.Errorf("a lead of surgery reaches below it: %q", got)
	}
}

// findsNothing: what is unknown is an empty answer, no error and no null.
func findsNothing(t *testing.T, s service) {
	for route, paths := range map[string]map[string]string{
		subjects:  {"subject.type": "spaceship", "action.name": "fly", "resource.id": "absent", "resource.type": "planet"},
		resources: {"subject.id": "nobody", "subject.type": "ghost", "action.name": "administer", "resource.type": "planet"},
		actions:   {"subject.id": "nobody", "subject.type": "ghost", "resource.id": "absent", "resource.type": "planet"},
	} {
		for path, value := range paths {
			out := s.find(t, route, set(t, searches()[route], path, value))
			if len(out.Results) > 0 || *out.Page.NextToken != "" {
				t.Errorf("%s with %s %s: %+v", route, path, value, out)
			}
		}
	}
	boards := set(t, set(t, set(t, searches()[resources], "resource.type", "board"), "action.name", "administer"), "subject.id", "coach")
	if out := s.find(t, resources, boards); len(out.Results) > 0 {
		t.Errorf("C7 boards are not stored here: %+v", out)
	}
}

// ignoresID proves that a search goes by no id of what it searches, not even by
// one that can be none, and by none of its properties.
func ignoresID(route string) func(*testing.T, service) {
	return func(t *testing.T, s service) {
		want := s.find(t, route, searches()[route]).ids()
		for _, id := range []any{"lead", "icu-new", "a b", "", 7, object{}, list{"lead"}} {
			if got := s.find(t, route, set(t, searches()[route], searchedFor[route]+".id", id)).ids(); !slices.Equal(got, want) || len(got) < 2 {
				t.Errorf("%s with the id %v: %q, want %q", route, id, got, want)
			}
		}
		if got := s.find(t, route, set(t, searches()[route], searchedFor[route]+".properties.status", "archived")).ids(); !slices.Equal(got, want) {
			t.Errorf("%s with properties: %q, want %q", route, got, want)
		}
	}
}

var pageRequirements = []requirement{
	{section: "Search APIs/Pagination", says: "a page that is not all MUST have a non-empty next_token", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		whole, first := s.find(t, route, body), s.find(t, route, set(t, body, "page.limit", 1))
		if *first.Page.NextToken == "" || !slices.Equal(first.ids(), whole.ids()[:1]) {
			t.Errorf("%s: the first of %q is %+v", route, whole.ids(), first)
		}
	})},
	{section: "Search APIs/Pagination", says: "next_token is an empty string at the end of the result set", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		whole := s.find(t, route, body)
		if *whole.Page.NextToken != "" {
			t.Errorf("%s: %+v", route, whole)
		}
		for limit := 1; limit <= len(whole.Results)+1; limit++ {
			got := searched(t, s.place, s.f, "service", route, plain(t, body), limit)
			if len(got) != len(whole.Results) {
				t.Errorf("%s: %d results on pages of %d, of %d", route, len(got), limit, len(whole.Results))
			}
		}
	})},
	{section: "Search APIs/Pagination", says: "with a token all entities MUST be identical, else SHOULD be an error", proof: eachSearch(boundToEntities)},
	{section: "Search APIs/Pagination", says: "with a token the limit MUST be identical, else SHOULD be an error", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		token := s.first(t, route, body)
		for _, limit := range []int{0, 2, 500} {
			s.refuses(t, route, set(t, body, "page", object{"token": token, "limit": limit}), "/page/token")
		}
	})},
	{section: "Search APIs/Pagination", says: "a token is of its caller and its search alone", proof: ofItsSearchAlone},
	{section: "Search APIs/Pagination", says: "a page is no snapshot", not: "says what a PEP may not count on"},
	{section: "Search APIs/Paginated Requests", says: "token OPTIONAL, of a previous response", proof: eachSearch(goesOn)},
	{section: "Search APIs/Paginated Requests", says: "token is a next_token and nothing else", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		for _, token := range []any{"abc", "", "eyJhIjoiIn0"} {
			s.refuses(t, route, set(t, body, "page.token", token), "/page/token")
		}
	})},
	{section: "Search APIs/Paginated Requests", says: "limit OPTIONAL, a non-negative integer", proof: eachSearch(limits)},
	{section: "Search APIs/Paginated Requests", says: "properties OPTIONAL, an object", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		want := s.find(t, route, body).ids()
		if got := s.find(t, route, set(t, body, "page.properties", object{"sort": "id"})).ids(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", route, got, want)
		}
		for _, wrong := range []any{1, "x", list{}} {
			s.refuses(t, route, set(t, body, "page.properties", wrong), "/page/properties")
		}
		for _, wrong := range []any{1, "x", list{}} {
			s.refuses(t, route, set(t, body, "page", wrong), "/page")
		}
	})},
	{section: "Search APIs/Paginated Requests", says: "all values but the token MUST remain identical", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		sorted := set(t, body, "page.properties", object{"sort": "id", "by": 1})
		token := s.first(t, route, sorted)
		s.refuses(t, route, set(t, body, "page", object{"token": token, "properties": object{"sort": "name", "by": 1}}), "/page/token")
		s.refuses(t, route, set(t, body, "page", object{"token": token}), "/page/token")
		same := set(t, body, "page", object{"token": token, "properties": object{"by": 1, "sort": "id"}})
		if got := s.find(t, route, same); len(got.Results) != 1 {
			t.Errorf("%s: %+v", route, got)
		}
	})},
	{section: "Search APIs/Paginated Requests", says: "additional keys MUST be defined in a referenced specification", not: "asked of the PEP; none is supported here, and they are ignored as all unknown members"},
	{section: "Search APIs/Paginated Requests", says: "MUST declare support for additional keys", not: "none is supported, so none is declared"},
	{section: "Search APIs/Paginated Responses", says: "MUST include page if it is not the entire result set", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		for _, limit := range []int{0, 1, 500} {
			if out := s.find(t, route, set(t, body, "page.limit", limit)); out.Page == nil { // find holds it to the form
				t.Errorf("%s: no page", route)
			}
		}
	})},
	{section: "Search APIs/Paginated Responses", says: "next_token REQUIRED, a string, MUST be empty if there is no more", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		n := len(s.find(t, route, body).Results)
		for limit, end := range map[int]bool{n - 1: false, n: true, n + 1: true} {
			if out := s.find(t, route, set(t, body, "page.limit", limit)); (*out.Page.NextToken == "") != end {
				t.Errorf("%s: %d of %d: %+v", route, limit, n, out.Page)
			}
		}
	})},
	{section: "Search APIs/Paginated Responses", says: "count OPTIONAL, the number of results included", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		out := s.find(t, route, body)
		if out.Page.Count != len(out.Results) || out.Page.Count < 2 {
			t.Errorf("%s: %+v", route, out)
		}
	})},
	{section: "Search APIs/Paginated Responses", says: "total OPTIONAL", not: "not told: it would cost as much as all pages"},
}

// first is the token after the first result of a search.
func (s service) first(t *testing.T, route string, body object) string {
	t.Helper()
	out := s.find(t, route, set(t, body, "page.limit", 1))
	if *out.Page.NextToken == "" || len(out.Results) != 1 {
		t.Fatalf("%s: %+v", route, out)
	}
	return *out.Page.NextToken
}

func boundToEntities(t *testing.T, s service, route string, body object) {
	token := s.first(t, route, body)
	changes := map[string]any{
		"context.ip": "192.168.1.1", "resource.properties.x": 1, "subject.properties.x": 1, "subject.id": "lead", "subject.type": "group",
		"resource.id": "icu-new", "resource.type": "user", "action.name": "edit",
	}
	delete(changes, searchedFor[route]+".id") // which is ignored
	for path, value := range changes {
		s.refuses(t, route, set(t, set(t, body, path, value), "page", object{"token": token}), "/page/token")
	}
}

func ofItsSearchAlone(t *testing.T, s service) {
	tokens := map[string]string{}
	for route, body := range searches() {
		tokens[route] = s.first(t, route, body)
		a := s.place.Do(t, s.f, fixture.Call{Route: route, As: "root", Body: set(t, body, "page.token", tokens[route])})
		if a.Status != http.StatusBadRequest || !slices.Equal(a.Pointers(t), []string{"/page/token"}) {
			t.Errorf("%s of somebody else: %d %s", route, a.Status, a.Body)
		}
	}
	for route, body := range searches() {
		for of, token := range tokens {
			if of != route {
				s.refuses(t, route, set(t, body, "page.token", token), "/page/token")
			}
		}
	}
}

// goesOn: with the token the search goes on where it was, the limit given again
// or left out, the members in whatever order.
func goesOn(t *testing.T, s service, route string, body object) {
	whole, token := s.find(t, route, body).ids(), s.first(t, route, body)
	for name, page := range map[string]object{
		"the limit may be left out": {"token": token}, "or be the same": {"token": token, "limit": 1}, "unknown members": {"token": token, "total": true},
	} {
		if next := s.find(t, route, set(t, body, "page", page)).ids(); !slices.Equal(next, whole[1:2]) {
			t.Errorf("%s: %s: %q, want the second of %q", route, name, next, whole)
		}
	}
	backwards := object{"page": object{"token": token}}
	maps.Copy(backwards, body)
	var out found
	s.do(t, route, reversed(t, backwards)).Into(t, &out)
	if !slices.Equal(out.ids(), whole[1:2]) {
		t.Errorf("%s: backwards: %q", route, out.ids())
	}
}

// limits are the most that is wanted: what is too much gives what there is.
func limits(t *testing.T, s service, route string, body object) {
	whole := s.find(t, route, body).ids()
	for _, limit := range []string{"500", "501", "1000000", "9007199254740991"} {
		if got := s.find(t, route, set(t, body, "page.limit", json.Number(limit))).ids(); !slices.Equal(got, whole) {
			t.Errorf("%s: %s: %q, want %q", route, limit, got, whole)
		}
	}
	for _, one := range []string{"1", "1.0", "1e0", "10e-1"} {
		if got := s.find(t, route, set(t, body, "page.limit", json.Number(one))).ids(); !slices.Equal(got, whole[:1]) {
			t.Errorf("%s: %s: %q", route, one, got)
		}
	}
	none := s.find(t, route, set(t, body, "page.limit", 0))
	if len(none.Results) > 0 || *none.Page.NextToken == "" {
		t.Errorf("%s: none: %+v", route, none)
	}
	for _, wrong := range []any{-1, 1.5, "5", true, list{}} {
		s.refuses(t, route, set(t, body, "page.limit", wrong), "/page/limit")
	}
}
