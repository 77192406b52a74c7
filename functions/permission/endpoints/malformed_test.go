package endpoints_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gemba/functions/permission/endpoints"
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
	table := []struct {
		name     string
		body     any
		pointers []string
	}{
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
		{"a malformed default", many(1, object{"subject": object{"type": "user"}}), nil, 400, "malformed", []string{"/subject/id"}},
		{"a malformed default names the evaluations' faults too", many(0, object{"action": 1, "evaluations": []any{object{"subject": "nurse"}}}), nil,
			400, "malformed", []string{"/action", "/evaluations/0/subject", "/evaluations/0/action"}},
		{"a malformed hypothetical default", many(1, object{"context": object{"hypothetical": object{"roles": []int{1}}}}), nil, 400, "malformed", []string{"/context/hypothetical/roles/0"}},
		{"no content type", good, map[string]string{"content-type": ""}, 200, "", nil},
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
