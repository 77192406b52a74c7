package openapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"gemba/infra/openapi"
)

func document(t *testing.T) *openapi.Document {
	t.Helper()
	d, err := openapi.Read("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestExamplesAreOfTheirSchemas(t *testing.T) {
	examples := document(t).Examples()
	if len(examples) < 20 {
		t.Errorf("only %d examples were found", len(examples))
	}
	for pointer, err := range examples {
		if err != nil {
			t.Errorf("%s: %v", pointer, err)
		}
	}
}

// Whoever reads a call finds its name, what it answers when all is well, and
// every failure that all calls share.
func TestCallsAreComplete(t *testing.T) {
	d := document(t)
	ids := map[string]bool{}
	for _, o := range d.Operations() {
		if o.ID == "" || ids[o.ID] {
			t.Errorf("%s: the operationId %q is empty or used twice", o.Route, o.ID)
		}
		ids[o.ID] = true
		want := map[int]string{500: "internal"}
		if !o.Public {
			want[401], want[403], want[503] = "no_token", "impersonation_invalid", "unavailable"
		}
		looks := strings.HasPrefix(o.Route, "GET ") || strings.Contains(o.Route, "/access/v1/") || strings.HasSuffix(o.Route, "/impact")
		if !looks {
			want[403] = "read_only"
		}
		if strings.Contains(o.Route, "{") || !strings.HasPrefix(o.Route, "GET ") {
			want[400] = "malformed"
		}
		for status, code := range want {
			if codes := strings.Join(d.Codes(o.Route, status), " "); !regexp.MustCompile(`\b` + code + `\b`).MatchString(codes) {
				t.Errorf("%s: %d names %q, %s is missing", o.Route, status, codes, code)
			}
		}
	}
}

// A failure that has a status has codes, so that a client can tell them apart.
func TestFailuresNameTheirCodes(t *testing.T) {
	d := document(t)
	for _, o := range d.Operations() {
		for _, status := range d.Statuses(o.Route) {
			if status >= http.StatusBadRequest && len(d.Codes(o.Route, status)) == 0 {
				t.Errorf("%s: %d names no code", o.Route, status)
			}
		}
	}
}

func TestAnswersAreHeld(t *testing.T) {
	d := document(t)
	const me = `{"actor":{"id":"a","name":"A"},"subject":{"id":"a","name":"A"},"organization":{"id":"o","name":"O"},"impersonation":null}`
	const entry = `{"id":"e","at":"2026-11-22T08:01:00Z","type":"role","action":"edit","outcome":"done","subject":{"id":"a","name":"A"},"impersonator":null,"target":{"type":"role","id":"r"},"before":null,"after":null,"requestId":""}`
	lines := map[string]string{"Content-Type": "application/x-ndjson"}
	const denied = `{"type":"urn:problem:impersonation_invalid","title":"","status":403,"requestId":"r"}`
	for name, c := range map[string]struct {
		route  string
		status int
		header map[string]string
		body   string
		fault  string
	}{
		"as promised":          {"GET /v1/me", 200, map[string]string{"Content-Type": "application/json"}, me, ""},
		"a problem":            {"GET /v1/me", 403, map[string]string{"Content-Type": "application/problem+json"}, denied, ""},
		"the gateway's no":     {"GET /v1/me", 401, map[string]string{"Content-Type": "application/json"}, `{"message":"Unauthorized"}`, ""},
		"nothing":              {"DELETE /v1/locations/{id}", 204, nil, "", ""},
		"more than nothing":    {"DELETE /v1/locations/{id}", 204, nil, "{}", "has no content"},
		"a kind of nothing":    {"DELETE /v1/locations/{id}", 204, map[string]string{"Content-Type": "application/json"}, "", "has no content"},
		"an unknown route":     {"GET /v1/you", 200, nil, me, "is not in the document"},
		"an unknown status":    {"GET /v1/me", 418, nil, me, "does not name the status"},
		"an unknown member":    {"GET /v1/me", 200, map[string]string{"Content-Type": "application/json"}, me[:len(me)-1] + `,"x":1}`, "'x' not allowed"},
		"a missing member":     {"GET /v1/me", 200, map[string]string{"Content-Type": "application/json"}, `{}`, "missing properties"},
		"another content type": {"GET /v1/me", 200, map[string]string{"Content-Type": "text/plain"}, me, "content type text/plain is not named"},
		"no content type":      {"GET /v1/me", 200, nil, me, "content type"},
		"no JSON":              {"GET /v1/me", 200, map[string]string{"Content-Type": "application/json"}, `{`, "no JSON"},
		"lines":                {"GET /v1/timeline", 200, lines, entry + "\n" + entry + "\n", ""},
		"no lines":             {"GET /v1/timeline", 200, lines, "", ""},
		"a line cut short":     {"GET /v1/timeline", 200, lines, entry + "\n" + entry, "does not end"},
		"a line of no form":    {"GET /v1/timeline", 200, lines, entry + "\n{}\n", "missing properties"},
		"a header's form": {"GET /v1/users/{id}", 200, map[string]string{"Content-Type": "application/json", "ETag": "4"}, me,
			"header ETag"},
		"another code": {"GET /v1/me", 403, map[string]string{"Content-Type": "application/problem+json"},
			strings.Replace(denied, "impersonation_invalid", "stale", 1), "does not name the code stale"},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range c.header {
				header.Set(name, value)
			}
			err := d.Answer(c.route, c.status, header, []byte(c.body))
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("got %v, want %q", err, c.fault)
			}
		})
	}
}

func TestRequestsAreHeld(t *testing.T) {
	d := document(t)
	for name, c := range map[string]struct{ route, body, fault string }{
		"as asked for":       {"PUT /v1/users/{id}/persona", `{"persona":"leader"}`, ""},
		"an unknown word":    {"PUT /v1/templates/{id}", `{"name":"a","workflow":"w","teamType":"boss"}`, "must be one of"},
		"P1 any spelling":    {"PUT /v1/users/{id}/persona", `{"persona":" ci  COACH"}`, ""},
		"P1 no text":         {"PUT /v1/users/{id}/persona", `{"persona":""}`, "minLength"},
		"none that is asked": {"PUT /v1/users/{id}/persona", ``, "no JSON"},
		"one that may lack":  {"PUT /v1/users/{id}/roles/{role}", ``, ""},
		"none, and none":     {"GET /v1/me", ``, ""},
		"one that is not":    {"GET /v1/me", `{}`, "has no body"},
		"R4 a scope that the permission may not have": {"POST /v1/roles",
			`{"name":"a","grants":[{"workflows":["w"],"permissions":{"view":"only_users"}}]}`, "must be one of"},
	} {
		t.Run(name, func(t *testing.T) {
			err := d.Request(c.route, []byte(c.body))
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("got %v, want %q", err, c.fault)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	d := document(t)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v1/me", "GET /v1/me"},
		{"GET", "/v1/users/maria", "GET /v1/users/{id}"},
		{"PUT", "/v1/users/maria/roles/staff", "PUT /v1/users/{id}/roles/{role}"},
		{"GET", "/v1/users/mar%69a", "GET /v1/users/{id}"},
		{"GET", "/v1/users/a%2Fb", ""},
		{"GET", "/v1/users/%", ""},
		{"DELETE", "/v1/users/maria", ""},
		{"GET", "/v1/users/", ""},
		{"GET", "/v1/users/maria/roles", ""},
		{"GET", "/v1/you", ""},
	} {
		if got, ok := d.Match(c.method, c.path); got != c.want || ok != (c.want != "") {
			t.Errorf("%s %s is %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
