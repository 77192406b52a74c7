package endpoints_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/dynamotest/fixture"
)

// TestMalformed: what is no well-formed question is an error (C8), naming
// every fault.
func TestMalformed(t *testing.T) {
	_, place := fixture.World(t)
	f := endpoints.New(place.Deps(t, nil), place.Open())
	good := func() object { return question("nurse", "view", "item", "icu-idea", nil) }
	with := func(member string, value any) object { q := good(); q[member] = value; return q }
	item := func(properties object) object { return question("nurse", "view", "item", "x", properties) }
	without := func(member, inside string) object {
		q := good()
		if inside == "" {
			delete(q, member)
		} else {
			delete(q[member].(object), inside)
		}
		return q
	}
	table := []struct {
		name     string
		body     any
		pointers []string
	}{
		{"no body", "", []string{""}},
		{"no JSON", "{", []string{""}},
		{"two documents", "{}{}", []string{""}},
		{"no object", "[]", []string{""}},
		{"a member twice", `{"subject":{"type":"user","id":"nurse","id":"doctor"},"action":{"name":"view"},"resource":{"type":"item","id":"i"}}`, []string{"/subject/id"}},
		{"nothing required", "{}", []string{"/action", "/resource", "/subject"}},
		{"no subject", without("subject", ""), []string{"/subject"}},
		{"no action", without("action", ""), []string{"/action"}},
		{"no resource", without("resource", ""), []string{"/resource"}},
		{"no subject.type", without("subject", "type"), []string{"/subject/type"}},
		{"no subject.id", without("subject", "id"), []string{"/subject/id"}},
		{"no action.name", without("action", "name"), []string{"/action/name"}},
		{"no resource.type", without("resource", "type"), []string{"/resource/type"}},
		{"no resource.id", without("resource", "id"), []string{"/resource/id"}},
		{"a subject that is text", with("subject", "nurse"), []string{"/subject"}},
		{"an action name that is a number", with("action", object{"name": 123}), []string{"/action/name"}},
		{"properties that are no object", with("action", object{"name": "view", "properties": 1}), []string{"/action/properties"}},
		{"context that is a list", with("context", []int{}), []string{"/context"}},
		{"explain that is no yes or no", with("context", object{"explain": "please"}), []string{"/context/explain"}},
		{"hypothetical that is no object", with("context", object{"hypothetical": []string{}}), []string{"/context/hypothetical"}},
		{"a typo in hypothetical would be another question", with("context", object{"hypothetical": object{"role": []object{}}}), []string{"/context/hypothetical/role"}},
		{"U1 a hypothetical user without locations", with("context", object{"hypothetical": object{"locations": []string{}}}), []string{"/context/hypothetical/locations"}},
		{"U1 one with 26", with("context", object{"hypothetical": object{"locations": ids(26)}}), []string{"/context/hypothetical/locations"}},
		{"a hypothetical assignment without a role", with("context", object{"hypothetical": object{"roles": []object{{"locations": []string{"icu"}}}}}), []string{"/context/hypothetical/roles/0/role"}},
		{"of a role twice", with("context", object{"hypothetical": object{"roles": []object{{"role": "staff"}, {"role": "staff"}}}}), []string{"/context/hypothetical/roles/1/role"}},
		{"R5 limited to nothing", with("context", object{"hypothetical": object{"roles": []object{{"role": "staff", "locations": []string{}}}}}), []string{"/context/hypothetical/roles/0/locations"}},
		{"until some day", with("context", object{"hypothetical": object{"roles": []object{{"role": "staff", "until": "some day"}}}}), []string{"/context/hypothetical/roles/0/until"}},
		{"an id outside its alphabet", with("subject", object{"type": "user", "id": "nurse@icu"}), []string{"/subject/id"}},
		{"an id over-long", with("resource", object{"type": "item", "id": strings.Repeat("i", 65)}), []string{"/resource/id"}},
		{"control characters", with("action", object{"name": "view\u0000"}), []string{"/action/name"}},
		{"a name over-long", with("action", object{"name": strings.Repeat("v", 257)}), []string{"/action/name"}},
		{"C8 facts without template", item(object{"status": "new"}), []string{"/resource/properties/template"}},
		{"C8 facts without status", item(object{"template": "idea"}), []string{"/resource/properties/status"}},
		{"C8 unknown status", item(object{"template": "idea", "status": "finished"}), []string{"/resource/properties/status"}},
		{"C8 unknown team role", item(object{"template": "idea", "status": "new", "team": object{"boss": []string{"nurse"}}}), []string{"/resource/properties/team/boss"}},
		{"C8 private that is text", item(object{"template": "idea", "status": "new", "private": "yes"}), []string{"/resource/properties/private"}},
		{"C7 no role to grant", question("nurse", "grant_role", "user", "nurse", object{}), []string{"/resource/properties/role"}},
		{"C7 no properties to grant from", question("nurse", "revoke_role", "user", "nurse", nil), []string{"/resource"}},
		{"C7 locations that are no list", question("nurse", "administer", "board", "b", object{"locations": "icu"}), []string{"/resource/properties/locations"}},
	}
	for _, tt := range table {
		for _, route := range []string{evaluation, evaluations} {
			t.Run(tt.name+" "+route, func(t *testing.T) {
				a := place.Do(t, f, fixture.Call{Route: route, As: "nurse", Body: tt.body})
				got := a.Pointers(t)
				slices.Sort(got)
				if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" || !slices.Equal(got, tt.pointers) {
					t.Errorf("%d %s, want %q", a.Status, a.Body, tt.pointers)
				}
			})
		}
	}
}

// ids are so many that nothing has.
func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("id-%d", i)
	}
	return all
}

// TestMalformedRequests are those of the whole request.
func TestMalformedRequests(t *testing.T) {
	_, place := fixture.World(t)
	f := endpoints.New(place.Deps(t, nil), place.Open())
	good := question("nurse", "view", "item", "icu-idea", nil)
	many := func(n int, over object) object {
		q := question("nurse", "view", "item", "icu-idea", nil)
		q["evaluations"] = slices.Repeat([]object{{}}, n)
		for member, value := range over {
			q[member] = value
		}
		return q
	}
	table := []struct {
		name     string
		body     any
		header   map[string]string
		status   int
		problem  string
		pointers []string
	}{
		{"100 evaluations", many(100, nil), nil, 200, "", nil},
		{"101 evaluations", many(101, object{"evaluations": slices.Repeat([]object{{"resource": object{"type": "item", "id": "i"}}}, 101)}), nil, 400, "malformed", []string{"/evaluations"}},
		{"evaluations that are no list", many(0, object{"evaluations": "all"}), nil, 400, "malformed", []string{"/evaluations"}},
		{"an unknown semantic", many(1, object{"options": object{"evaluations_semantic": "any"}}), nil, 400, "malformed", []string{"/options/evaluations_semantic"}},
		{"options that are no object", many(1, object{"options": 1}), nil, 400, "malformed", []string{"/options"}},
		{"a malformed default", many(1, object{"subject": object{"type": "user"}}), nil, 400, "malformed", []string{"/subject/id"}},
		{"a malformed default names the evaluations' faults too", many(0, object{"action": 1, "evaluations": []any{object{"subject": "nurse"}}}), nil,
			400, "malformed", []string{"/action", "/evaluations/0/subject", "/evaluations/0/action"}},
		{"a malformed hypothetical default", many(1, object{"context": object{"hypothetical": object{"roles": []int{1}}}}), nil, 400, "malformed", []string{"/context/hypothetical/roles/0"}},
		{"another content type", good, map[string]string{"content-type": "text/plain"}, 400, "content_type", nil},
		{"a content type that is none", good, map[string]string{"content-type": "application/json; ="}, 400, "content_type", nil},
		{"a content type with a parameter", good, map[string]string{"content-type": "application/json; charset=utf-8"}, 200, "", nil},
		{"no content type", good, map[string]string{"content-type": ""}, 200, "", nil},
		{"over 1 MB", strings.Repeat(" ", api.MaxBody+1), nil, 400, "body_too_large", nil},
	}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			header := map[string]string{"x-request-id": "mine"}
			for name, value := range tt.header {
				header[name] = value
			}
			a := place.Do(t, f, fixture.Call{Route: evaluations, As: "nurse", Body: tt.body, Header: header})
			if a.Status != tt.status || a.Problem(t) != tt.problem || !slices.Equal(a.Pointers(t), tt.pointers) {
				t.Errorf("%d %s, want %d %s %q", a.Status, a.Body, tt.status, tt.problem, tt.pointers)
			}
			if a.Header["x-request-id"] != "mine" {
				t.Errorf("Request Identification: %v", a.Header)
			}
		})
	}
}

// TestEvaluationErrors is AuthZEN's section on errors in individual evaluations.
func TestEvaluationErrors(t *testing.T) {
	f, place := riverside(t)
	entries := []any{
		object{},
		object{"resource": object{"type": "item"}},
		5,
		object{"resource": object{"type": "item", "id": "icu-idea"}, "context": object{"hypothetical": object{"roles": 1}}},
		object{"action": object{"name": "participate"}},
		object{"action": object{"name": "grant_role"}, "resource": object{"type": "user", "id": "nurse"}},
		object{"resource": object{"type": "item", "id": "icu-idea"}},
	}
	want := []string{"/evaluations/0/resource", "/evaluations/1/resource/id", "/evaluations/2", "/evaluations/3/context/hypothetical/roles", "", "/evaluations/5/resource", ""}
	body := question("nurse", "view", "item", "x", object{"template": "idea"})
	body["evaluations"] = entries
	out := several(t, place, f, "nurse", body)
	if len(out.Evaluations) != len(entries) {
		t.Fatalf("%d answers to %d questions", len(out.Evaluations), len(entries))
	}
	for i, e := range out.Evaluations {
		switch failed := e.Context.Error; {
		case want[i] == "" && failed == nil && *e.Decision:
		case want[i] == "" || failed == nil:
			t.Errorf("%d: %+v", i, e)
		case failed.Status != http.StatusBadRequest || failed.Errors[0].Pointer != want[i] || failed.Message == "" || e.Context.Reason != "malformed" || *e.Decision:
			t.Errorf("%d: %+v, want %s", i, failed, want[i])
		}
	}
}
