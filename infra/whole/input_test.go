package whole

import (
	"fmt"
	"strings"
	"testing"
)

// write is a call that changes something, with a body that it would take.
type write struct {
	name, method, path, as string
	body                   object
	// wrong are bodies with all their faults, by pointer.
	wrong []wrong
}

type wrong struct {
	name     string
	body     any
	pointers []string
}

// long and forged are texts that no member takes.
var (
	long   = strings.Repeat("a", 3000)
	forged = "a\x00b\u202e\r\nc"
)

func writes() []write {
	return []write{
		{"role made", "POST", "/v1/roles", "rita", object{"id": "made", "name": "Made"}, []wrong{
			{"no name", object{}, []string{"/name"}},
			{"wrong types", object{"name": 1, "grants": "x", "advanced": object{}, "admin": true, "specificLocations": []any{1}}, []string{"/name", "/grants", "/advanced", "/admin", "/specificLocations/0"}},
			{"unknown members, deep too", object{"name": "x", "nmae": "y", "grants": []object{{"workflow": "improvement", "permissions": object{"fly": true}}}, "admin": object{"king": true}},
				[]string{"/nmae", "/grants/0/workflow", "/grants/0/permissions/fly", "/admin/king"}},
			{"too long", object{"name": strings.Repeat("n", 101), "description": long, "id": strings.Repeat("i", 65)}, []string{"/name", "/description", "/id"}},
			{"control characters", object{"name": forged, "id": "a b", "defaultBoard": "a/b"}, []string{"/name", "/id", "/defaultBoard"}},
			{"unknown words", object{"name": "x", "persona": "boss", "advanced": []string{"fly"}, "grants": []object{{"workflows": []string{"improvement"}, "permissions": object{"view": "nearby"}}}},
				[]string{"/persona", "/advanced/0", "/grants/0/permissions/view"}},
			{"named twice", `{"name":"a","name":"b"}`, []string{"/name"}},
		}},
		{"role replaced", "PUT", "/v1/roles/lead", "rita", object{"name": "Lead again"}, []wrong{
			{"everything", object{"name": "", "versoin": 1, "version": "x", "boardAccess": []string{"a", "a"}}, []string{"/name", "/versoin", "/version", "/boardAccess/1"}},
		}},
		{"role cloned", "POST", "/v1/roles/lead/clone", "rita", object{"name": "Twin"}, []wrong{
			{"no name", object{"id": "twin"}, []string{"/name"}},
			{"everything", object{"id": "a b", "name": forged, "description": ""}, []string{"/id", "/name", "/description"}},
		}},
		{"roles changed", "POST", "/v1/role-changes", "ada", object{"changes": []object{{"user": "mia", "role": "lead"}}}, []wrong{
			{"nothing", object{}, []string{"/changes"}},
			{"everything", object{"chnages": 1, "changes": []any{1, object{"user": "a b", "rloe": "x"}, object{"user": "mia", "role": "lead", "revoke": true, "until": "2030-01-01T00:00:00Z", "locations": []string{"east"}},
				object{"user": "mia", "role": "lead", "revoke": "yes", "locations": []string{"east", "east"}}}},
				[]string{"/chnages", "/changes/0", "/changes/1/user", "/changes/1/role", "/changes/1/rloe", "/changes/2/until", "/changes/2/locations", "/changes/3/revoke", "/changes/3/locations/1"}},
		}},
		{"role given", "PUT", "/v1/users/mia/roles/lead", "ada", object{"locations": []string{"east-1"}}, []wrong{
			{"everything", object{"location": "x", "locations": []any{1, "a b"}, "until": "tomorrow"}, []string{"/location", "/locations/0", "/locations/1", "/until"}},
			{"no object", `[]`, []string{""}},
		}},
		{"persona set", "PUT", "/v1/users/mia/persona", "ada", object{"persona": "leader"}, []wrong{
			{"none", object{}, []string{"/persona"}},
			{"unknown", object{"persona": "boss", "why": ""}, []string{"/persona", "/why"}},
			{"wrong type", object{"persona": []string{"leader"}}, []string{"/persona"}},
		}},
		{"impersonation started", "POST", "/v1/impersonations", "sam", object{"subject": "mia"}, []wrong{
			{"no subject", object{}, []string{"/subject"}},
			{"everything", object{"subject": "a b", "reason": forged, "mode": "quiet", "credentials": object{"username": 1, "pasword": "x"}, "more": 1},
				[]string{"/subject", "/reason", "/mode", "/credentials/username", "/credentials/pasword", "/credentials/password", "/more"}},
			{"too long", object{"subject": strings.Repeat("s", 65), "reason": long}, []string{"/subject", "/reason"}},
		}},
	}
}

// TestMalformedBodies sends each writing call what it cannot take: each fault
// is named, and nothing is written.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	state := func() string {
		return string(ada.get(t, "/v1/roles").is(t, 200).raw) + string(ada.get(t, "/v1/users/mia").is(t, 200).raw) +
			string(ada.get(t, "/v1/impersonations").is(t, 200).raw) + fmt.Sprint(len(timeline(t, ada, "")))
	}
	before := state()
	for _, w := range writes() {
		send := func(t *testing.T, body any) reply {
			headers := []string{}
			if w.method == "PUT" && strings.HasPrefix(w.path, "/v1/roles/") {
				headers = []string{"If-Match", "*"}
			}
			return o.as(t, w.as).send(t, w.method, w.path, body, headers...)
		}
		t.Run(w.name, func(t *testing.T) {
			for _, torn := range []string{`{`, `{"a":}`, `nonsense`, `{} {}`, "\xff\xfe", `{"a":"` + "\xff" + `"}`, `{"a":01}`, `null`, `"text"`, `1`} {
				if r := send(t, torn); r.status != 400 || r.body["type"] != "urn:problem:malformed" || len(r.pointers(t)) == 0 {
					t.Errorf("%s: %d %s", torn, r.status, r.raw)
				}
			}
			for _, bad := range w.wrong {
				send(t, bad.body).problem(t, 400, "malformed", bad.pointers...)
			}
			large := plain(t, w.body)
			large["description"] = strings.Repeat("a", 1<<20)
			send(t, large).problem(t, 400, "body_too_large")
			send(t, strings.Repeat(" ", 11<<20)+"{}").is(t, 413)
			deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
			if r := send(t, deep); r.status != 400 {
				t.Errorf("deeply nested: %d", r.status)
			}
		})
	}
	if after := state(); after != before {
		t.Errorf("refused requests changed something:\n%s\n%s", before, after)
	}
}

// TestMalformedIDs puts what no id can be where one is expected.
func TestMalformedIDs(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	ada := o.as(t, "ada")
	ids := []string{"-a", "_a", ".", "a%20b", "a%2Fb", "%C3%A9", "a%0Ab", "%00", strings.Repeat("a", 65)}
	calls := []string{
		"DELETE /v1/roles/{}", "POST /v1/roles/{}/clone", "GET /v1/roles/{}/members",
		"GET /v1/users/{}", "GET /v1/roles/{}", "PUT /v1/roles/{}", "PUT /v1/users/{}/persona", "DELETE /v1/users/{}/persona",
		"PUT /v1/users/{}/roles/lead", "PUT /v1/users/mia/roles/{}", "DELETE /v1/users/{}/roles/lead", "DELETE /v1/users/mia/roles/{}",
		"GET /v1/impersonations/{}", "DELETE /v1/impersonations/{}",
	}
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		for _, id := range ids {
			var body any
			if method == "PUT" || method == "POST" {
				body = object{"name": "x", "persona": "leader"}
			}
			r := ada.send(t, method, strings.ReplaceAll(path, "{}", id), body)
			// A gateway that decodes the slash sees another path, which leads nowhere.
			if r.status != 400 && !(r.status == 404 && strings.Contains(id, "%2F")) {
				t.Errorf("%s with %s: %d %s", call, id, r.status, r.raw)
			}
		}
	}
	for _, path := range []string{"/v1/timeline?type=nothing", "/v1/timeline?from=yesterday", "/v1/timeline?person=a%20b", "/v1/timeline?tpye=role", "/v1/timeline?limit=0",
		"/v1/timeline?cursor=nonsense", "/v1/roles?persona=boss", "/v1/roles?cursor=nonsense", "/v1/impersonations?state=asleep", "/v1/impersonations?cursor=nonsense"} {
		if r := ada.get(t, path); r.status != 400 || r.body["type"] != "urn:problem:malformed" {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
}
