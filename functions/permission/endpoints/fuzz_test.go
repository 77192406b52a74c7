package endpoints_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

// mind is a store that has the fixture's policy with a few people and items in
// it and lists all of them, whatever list is asked for.
type mind struct{ memory }

func (m mind) Listed(_ context.Context, _ string, l directory.List, page directory.Page) ([]string, bool, error) {
	all := slices.Sorted(maps.Keys(m.facts.Users))
	if l.Of == directory.LocationItems || l.Of == directory.TemplateItems || l.Of == directory.TeamItems {
		all = slices.Sorted(maps.Keys(m.facts.Items))
	}
	all = slices.DeleteFunc(all, func(id string) bool { return id <= page.After })
	return all[:min(len(all), page.Limit)], len(all) > page.Limit, nil
}

// remembered are facts for fuzzing: nothing but the network is missing.
func remembered() directory.Facts {
	var policy authz.Policy
	from := fixture.Policy()
	for _, l := range from.Locations {
		policy.Locations = append(policy.Locations, l.Location)
	}
	for _, w := range from.Workflows {
		policy.Workflows = append(policy.Workflows, w.Workflow)
	}
	for _, t := range from.Templates {
		policy.Templates = append(policy.Templates, t.Template)
	}
	for _, r := range from.Roles {
		policy.Roles = append(policy.Roles, r.Role)
	}
	facts := directory.Facts{
		Organization: directory.Organization{ID: fixture.Organization, Settings: directory.DefaultSettings()},
		Model:        authz.Compile(policy), Policy: 1, Users: map[string]directory.User{}, Items: map[string]directory.Item{},
	}
	for id, role := range map[string]string{"service": "service", "nurse": "staff", "lead": "unit-lead", "root": "administrator"} {
		held := authz.Assignment{Role: authz.RoleRef{ID: role}}
		facts.Users[id] = directory.User{ID: id, Type: authz.General, Locations: []string{"icu"}, SignIn: directory.Enabled,
			Assignments: []directory.Assignment{{Assignment: held}}}
	}
	for id, status := range map[string]authz.Status{"icu-idea": authz.Active, "icu-new": authz.New, "surgery-draft": authz.Draft} {
		facts.Items[id] = directory.Item{Item: authz.Item{ID: id, Template: "idea", Locations: []string{"icu"}, Status: status}}
	}
	return facts
}

// FuzzRequests: no body of any call panics, fails or is answered by anything but
// the contract's forms, and nothing malformed is ever allowed anything.
func FuzzRequests(f *testing.F) {
	posts := routes()
	seeds, err := filepath.Glob("testdata/*.event.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, name := range seeds {
		var event struct {
			RouteKey, Body  string
			IsBase64Encoded bool
		}
		if err := json.Unmarshal(read(f, name), &event); err != nil {
			f.Fatal(err)
		}
		body := []byte(event.Body)
		if event.IsBase64Encoded {
			if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
				f.Fatal(err)
			}
		}
		if route := slices.Index(posts, event.RouteKey); route >= 0 {
			for i := range posts { // what one call takes is malformed or of another meaning to others
				f.Add(uint8(i), body)
			}
		}
	}
	store := mind{memory{facts: remembered()}}
	function := endpoints.New(api.Deps{Store: store, MarkSeen: fixture.Unmarked, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return fixture.Start }}, store)
	f.Fuzz(func(t *testing.T, route uint8, body []byte) {
		post := posts[int(route)%len(posts)]
		a := asService(t, function, post, body)
		if a.Header["x-request-id"] != "fuzz-1" || !json.Valid([]byte(a.Body)) {
			t.Fatalf("%v %s", a.Header, a.Body)
		}
		switch a.Status {
		case http.StatusOK:
			holdsTo(t, post, body, a)
		case http.StatusBadRequest:
			if code := a.Problem(t); code != "malformed" && code != "body_too_large" || strings.Contains(a.Body, `"decision"`) || strings.Contains(a.Body, `"results"`) {
				t.Fatalf("%s", a.Body)
			}
		default:
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	})
}

// asService sends bytes as they are.
func asService(t *testing.T, h fixture.Handler, route string, body []byte) fixture.Answer {
	t.Helper()
	event, err := json.Marshal(object{
		"routeKey": route, "body": body, "isBase64Encoded": true, // bytes marshal so
		"headers":        object{"content-type": "application/json", "x-request-id": "fuzz-1"},
		"requestContext": object{"requestId": "r", "authorizer": object{"jwt": object{"claims": object{"sub": "sub-service"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var a fixture.Answer
	if err := json.Unmarshal(invoke(t, h, event), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// holdsTo holds an answer to the request as another reader of JSON reads it.
func holdsTo(t *testing.T, route string, body []byte, a fixture.Answer) {
	t.Helper()
	var asked object
	if err := json.Unmarshal(body, &asked); err != nil || asked == nil {
		t.Fatalf("what is no JSON object is answered: %s", a.Body)
	}
	if route != evaluation && route != evaluations {
		var out found
		a.Into(t, &out)
		if out.Page == nil || out.Page.NextToken == nil || out.Results == nil || out.Page.Count != len(out.Results) || !strings.HasPrefix(a.Body, `{"page":`) {
			t.Fatalf("%s", a.Body)
		}
		return
	}
	var out answered
	a.Into(t, &out)
	entries, _ := asked["evaluations"].(list)
	if route == evaluation || len(entries) == 0 {
		mayBe(t, out.Decision, out.Context, asked)
		return
	}
	if out.Decision != nil || len(out.Evaluations) == 0 || len(out.Evaluations) > len(entries) {
		t.Fatalf("%d questions: %s", len(entries), a.Body)
	}
	for i, e := range out.Evaluations {
		entry, _ := entries[i].(object)
		whole := maps.Clone(asked)
		maps.DeleteFunc(entry, func(_ string, value any) bool { return value == nil })
		maps.Copy(whole, entry)
		mayBe(t, e.Decision, e.Context, whole)
		if _, is := entries[i].(object); !is && e.Context.Error == nil {
			t.Fatalf("what is no object is answered: %s", a.Body)
		}
	}
}

// mayBe holds a decision to what its question must have.
func mayBe(t *testing.T, decision *bool, context reasoned, asked object) {
	t.Helper()
	if decision == nil || context.Reason == "" || (context.Reason == "malformed") != (context.Error != nil) {
		t.Fatalf("%v %+v", decision, context)
	}
	whole := true
	for member, names := range map[string][]string{"subject": {"type", "id"}, "action": {"name"}, "resource": {"type", "id"}} {
		entity, _ := asked[member].(object)
		for _, name := range names {
			text, ok := entity[name].(string)
			whole = whole && ok && text != ""
		}
	}
	if *decision && (!whole || context.Error != nil) || !whole && context.Error == nil {
		t.Fatalf("decision %v, %+v: %v", *decision, context, asked)
	}
}
