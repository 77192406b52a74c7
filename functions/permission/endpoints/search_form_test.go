package endpoints_test

import (
	"context"
	"encoding/json"
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

func TestSearchMalformed(t *testing.T) {
	f, place := riverside(t)
	table := []struct {
		name, path string
		value      any
		routes     []string
		pointers   []string
	}{
		{"an id that can be none", "resource.id", "a b", []string{subjects, actions}, []string{"/resource/id"}},
		{"an id that can be none", "subject.id", "a b", []string{resources, actions}, []string{"/subject/id"}},
		{"a hypothetical nobody", "context.hypothetical", object{}, []string{subjects}, []string{"/context/hypothetical"}},
		{"a hypothetical that is malformed", "context.hypothetical", object{"role": "staff"}, []string{resources, actions}, []string{"/context/hypothetical/role"}},
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
}

type list = []any

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

func (down) Listed(context.Context, string, directory.List, directory.Page) ([]string, bool, error) {
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
