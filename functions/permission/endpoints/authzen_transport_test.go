package endpoints_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gemba/shared/api"
	"gemba/shared/dynamotest/fixture"
)

const discovery = "GET /.well-known/authzen-configuration"

var metadataRequirements = []requirement{
	{section: "Metadata", says: "RECOMMENDED that PDPs provide metadata", proof: func(t *testing.T, s service) {
		if !slices.Contains(s.f.Routes(), discovery) {
			t.Errorf("%q", s.f.Routes())
		}
	}},
	{section: "Metadata/Endpoint Parameters", says: "policy_decision_point REQUIRED, https, without query or fragment", proof: func(t *testing.T, s service) {
		u, err := url.Parse(s.metadata(t, nil)["policy_decision_point"])
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
			t.Errorf("%v %v", u, err)
		}
	}},
	{section: "Metadata/Endpoint Parameters", says: "the endpoint of every API that there is, and of no other", proof: namesEveryRoute},
	{section: "Metadata/Capabilities Parameters", says: "capabilities OPTIONAL", not: "there are none to declare, and what has no value MUST be omitted"},
	{section: "Metadata/Signature Parameter", says: "signed_metadata MUST be signed and MUST contain iss", not: "the metadata are not signed: TLS speaks for them"},
	{section: "Metadata/Obtaining", says: "MUST be available at /.well-known/authzen-configuration", by: "infra/whole TestDiscovery"},
	{section: "Metadata/Obtaining", says: "MUST be queried by GET", not: "asked of the PEP; by any other method there is nothing (infra/shipped TestRoutesAreTheSameEverywhere)"},
	{section: "Metadata/Response", says: "MUST be 200 and application/json, a JSON object", proof: func(t *testing.T, s service) {
		a := s.place.Do(t, s.f, fixture.Call{Route: discovery})
		if a.Status != http.StatusOK || a.Header["content-type"] != "application/json" || a.JSON(t) == nil {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
	}},
	{section: "Metadata/Response", says: "parameters without a value MUST be omitted", proof: func(t *testing.T, s service) {
		for name, value := range s.metadata(t, nil) {
			if value == "" {
				t.Errorf("%s is empty", name)
			}
		}
	}},
	{section: "Metadata/Response", says: "parameters that are not understood MUST be ignored", not: "asked of the PEP"},
	{section: "Metadata/Validation", says: "policy_decision_point MUST be identical to what was asked", proof: func(t *testing.T, s service) {
		for _, host := range []string{"pdp.example.com", "pdp.example.com:8443", "127.0.0.1"} {
			if got := s.metadata(t, map[string]string{"host": host})["policy_decision_point"]; got != "https://"+host {
				t.Errorf("%s: %s", host, got)
			}
		}
		local := s.metadata(t, map[string]string{"host": "127.0.0.1:8080", "x-forwarded-proto": "http"})
		if local["policy_decision_point"] != "http://127.0.0.1:8080" {
			t.Errorf("on one's own machine, without TLS: %v", local)
		}
	}},
	{section: "Metadata/Validation", says: "signed metadata MUST be validated", not: "asked of the PEP"},
	{section: "Security/Metadata Caching", says: "Cache-Control with max-age", proof: func(t *testing.T, s service) {
		if got := s.place.Do(t, s.f, fixture.Call{Route: discovery}).Header["cache-control"]; got != "max-age=3600" {
			t.Errorf("%q", got)
		}
		for _, route := range routes() {
			if got := s.do(t, route, requests()[route]).Header["cache-control"]; got != "no-store" {
				t.Errorf("C11 %s: %q", route, got)
			}
		}
	}},
}

// metadata is the document, asked with these headers.
func (s service) metadata(t *testing.T, header map[string]string) map[string]string {
	t.Helper()
	var document map[string]string
	s.place.Do(t, s.f, fixture.Call{Route: discovery, Header: header}).Into(t, &document)
	return document
}

func namesEveryRoute(t *testing.T, s service) {
	document := s.metadata(t, nil)
	var named []string
	for parameter, route := range map[string]string{
		"access_evaluation_endpoint": evaluation, "access_evaluations_endpoint": evaluations,
		"search_subject_endpoint": subjects, "search_resource_endpoint": resources, "search_action_endpoint": actions,
	} {
		if got := "POST " + strings.TrimPrefix(document[parameter], document["policy_decision_point"]); got != route {
			t.Errorf("%s: %s, want %s", parameter, got, route)
		}
		named = append(named, route)
	}
	served := slices.Sorted(slices.Values(append(named, discovery)))
	if !slices.Equal(served, s.f.Routes()) || len(document) != len(named)+1 {
		t.Errorf("served are %q, named %v", s.f.Routes(), document)
	}
}

// eachRequest proves something of a good request of each call.
func eachRequest(proof func(t *testing.T, s service, route string, body object)) func(*testing.T, service) {
	return func(t *testing.T, s service) {
		for _, route := range routes() {
			proof(t, s, route, requests()[route])
		}
	}
}

var transportRequirements = []requirement{
	{section: "Transport", says: "the HTTPS JSON binding MUST be implemented", by: "infra/whole TestCertification"},
	{section: "Transport/HTTPS JSON Binding", says: "Content-Type MUST be application/json", proof: eachRequest(wantsJSON)},
	{section: "Transport/HTTPS JSON Binding", says: "Content-Type MUST be there", not: "asked of the PEP; without any, a body is taken for JSON"},
	{section: "Transport/HTTPS JSON Binding", says: "the request body MUST be a JSON object", proof: eachRequest(func(t *testing.T, s service, route string, _ object) {
		for _, body := range []string{"", " ", "{", "nonsense", "[]", "null", `"text"`, "1", "{}{}", `{"subject":}`, "\xef\xbb\xbf{}"} {
			s.refuses(t, route, body, "")
		}
	})},
	{section: "Transport/HTTPS JSON Binding", says: "success is 200 and application/json, a JSON object", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		if a := s.do(t, route, body); a.Status != http.StatusOK || a.Header["content-type"] != "application/json" || a.JSON(t) == nil {
			t.Errorf("%s: %d %v %s", route, a.Status, a.Header, a.Body)
		}
	})},
	{section: "Transport/HTTPS JSON Binding", says: "the URL MUST be the endpoint parameter's, else SHOULD be the default path", by: "infra/whole TestDiscovery/names no call that is not there"},
	{section: "Transport/JSON Serialization", says: "the server MUST return Bad Request if a required attribute is omitted", proof: eachRequest(func(t *testing.T, s service, route string, _ object) { requires(route)(t, s) })},
	{section: "Transport/JSON Serialization", says: "receivers MUST ignore unknown fields", proof: eachRequest(ignoresTheUnknown)},
	{section: "Transport/JSON Serialization", says: "MUST NOT assume an ordering of members", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		want := s.do(t, route, body)
		if got := s.do(t, route, reversed(t, body)); got.Body != want.Body {
			t.Errorf("%s: %s, want %s", route, got.Body, want.Body)
		}
	})},
	{section: "Transport/Error Responses", says: "400, 401, 403 and 500 say what is wrong", by: "shared/api TestEveryKindHasItsProblem"},
	{section: "Transport/Error Responses", says: "the body is an error message string", not: "the contract's errors are application/problem+json (RFC 9457): the message is its detail"},
	{section: "Transport/Error Responses", says: "a deny is no error", proof: func(t *testing.T, s service) {
		if a := s.do(t, evaluation, question("nurse", "delete", "item", "icu-idea", nil)); a.Status != http.StatusOK || !strings.HasPrefix(a.Body, `{"decision":false`) {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}},
	{section: "Transport/Request Identification", says: "MUST include the same identifier in the response", proof: echoes},
	{section: "Transport/Request Identification", says: "without an identifier there need be none", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		if _, there := s.do(t, route, body).Header["x-request-id"]; there {
			t.Errorf("%s has one", route)
		}
	})},
	{section: "Transport/Request Identification", says: "MUST include it where the gateway refuses", not: "an HTTP API of API Gateway answers a missing token by itself, before any function; its refusals cannot be given headers"},

	{section: "Security/Integrity and Confidentiality", says: "MUST be secured by TLS", not: "API Gateway serves HTTPS alone; nothing else of the service is reached from outside"},
	{section: "Security/Sender Authentication", says: "SHOULD authenticate the calling PEP", by: "infra/local/gateway TestTokensThatAreRefused"},
	{section: "Security/Sender Authentication Failure", says: "MUST respond with 401 and SHOULD include WWW-Authenticate", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		for name, as := range map[string]string{"no token": "", "nobody's token": "stranger", "U2 one who may not sign in any more": "inactive"} {
			a := s.place.Do(t, s.f, fixture.Call{Route: route, As: as, Body: body})
			if a.Status != http.StatusUnauthorized || !strings.HasPrefix(a.Header["www-authenticate"], "Bearer") {
				t.Errorf("%s, %s: %d %v", route, name, a.Status, a.Header)
			}
		}
	})},
	{section: "Security/Sender Authentication Failure", says: "so does the gateway", by: "infra/whole TestTokens"},
	{section: "Security/JSON Payload", says: "SHOULD be UTF-8", by: "functions/permission/endpoints TestGolden"},
	{section: "Security/JSON Payload", says: "strings SHOULD have no unpaired surrogates", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		last := needed[route][len(needed[route])-1]
		text, err := json.Marshal(set(t, body, last, "RAW"))
		if err != nil {
			t.Fatal(err)
		}
		s.refuses(t, route, strings.Replace(string(text), "RAW", `a\ud800`, 1), "/"+strings.ReplaceAll(last, ".", "/"))
	})},
	{section: "Security/JSON Payload", says: "numbers SHOULD not exceed IEEE 754", proof: eachSearch(func(t *testing.T, s service, route string, body object) {
		for _, number := range []json.Number{"1e400", "9007199254740993"} {
			s.refuses(t, route, set(t, body, "page.limit", number), "/page/limit")
		}
	})},
	{section: "Security/JSON Payload", says: "member names SHOULD be unique after processing escapes", proof: eachRequest(uniqueNames)},
	{section: "Security/JSON Payload", says: "null SHOULD be omitted", proof: func(t *testing.T, s service) {
		asked := requests()
		asked[evaluation] = set(t, question("doctor", "edit", "item", "icu-idea", nil), "context.explain", true)
		asked[evaluations] = set(t, asked[evaluation], "evaluations", list{object{}, object{"subject": 1}})
		for route, body := range asked {
			if a := s.do(t, route, body); strings.Contains(a.Body, "null") {
				t.Errorf("%s: %s", route, a.Body)
			}
		}
	}},
	{section: "Security/Response Integrity", says: "MAY sign its response", not: "it does not: TLS ends at API Gateway, which is the service's own"},
	{section: "Security/Denial of Service", says: "SHOULD protect against payload size, invalid and nested JSON", proof: eachRequest(func(t *testing.T, s service, route string, body object) {
		s.refuses(t, route, strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000), "")
		if a := s.do(t, route, strings.Repeat(" ", api.MaxBody+1)); a.Status != http.StatusBadRequest || a.Problem(t) != "body_too_large" {
			t.Errorf("%s: %d %s", route, a.Status, a.Body)
		}
	})},
	{section: "Security/Denial of Service", says: "rate limiting is one such way", by: "infra/shipped TestTemplateSays"},
}

func wantsJSON(t *testing.T, s service, route string, body object) {
	with := func(kind string) fixture.Answer {
		return s.place.Do(t, s.f, fixture.Call{Route: route, As: "service", Body: body, Header: map[string]string{"content-type": kind}})
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "application/json; =", "*/*"} {
		if a := with(kind); a.Status != http.StatusBadRequest || a.Problem(t) != "content_type" {
			t.Errorf("%s of %s: %d %s", route, kind, a.Status, a.Body)
		}
	}
	for _, kind := range []string{"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"} {
		if a := with(kind); a.Status != http.StatusOK {
			t.Errorf("%s of %s: %d %s", route, kind, a.Status, a.Body)
		}
	}
}

// ignoresTheUnknown: in every object of the request, whatever they are called
// and hold.
func ignoresTheUnknown(t *testing.T, s service, route string, body object) {
	want := s.do(t, route, body).Body
	deep := object{"nested": list{object{"deeper": json.RawMessage("null")}}}
	names := []string{"foo", "futureField", "id2", "Subject", strings.Repeat("long", 100), "control\u0007", "\u202eturned", "", "~/"}
	for _, at := range []string{"", "subject.", "action.", "resource.", "context.", "page."} {
		if at == "action." && route == actions {
			continue // it is unknown itself
		}
		for _, name := range names {
			changed := plain(t, body)
			within := changed
			if at != "" {
				member := strings.TrimSuffix(at, ".")
				if _, there := changed[member]; !there {
					changed[member] = object{}
				}
				within = changed[member].(object)
			}
			within[name] = deep
			if got := s.do(t, route, changed); got.Body != want {
				t.Errorf("%s with %s%q: %d %s, want %s", route, at, name, got.Status, got.Body, want)
			}
		}
	}
}

// reversed is a body with the members of every object in the other order of
// their names.
func reversed(t *testing.T, value any) string {
	t.Helper()
	members, ok := value.(object)
	if !ok {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var out bytes.Buffer
	for i, name := range slices.Backward(slices.Sorted(maps.Keys(members))) {
		out.WriteString(`"` + name + `":` + reversed(t, members[name]))
		if i > 0 {
			out.WriteString(",")
		}
	}
	return "{" + out.String() + "}"
}

// echoes: with an answer, with each refusal, with the metadata; whatever the
// identifier is that a header can carry.
func echoes(t *testing.T, s service) {
	calls := []fixture.Call{{Route: discovery}}
	for _, route := range routes() {
		calls = append(calls, fixture.Call{Route: route, As: "service", Body: requests()[route]},
			fixture.Call{Route: route, As: "service", Body: "{"}, fixture.Call{Route: route, Body: requests()[route]},
			fixture.Call{Route: route, As: "stranger", Body: requests()[route]},
			fixture.Call{Route: route, As: "service", Body: strings.Repeat(" ", api.MaxBody+1)})
	}
	for _, c := range calls {
		for _, id := range []string{"bfe9eb29-ab87-4ca3-be83-a1d5d8305716", `arbitrary "string", {with} ~ all / of it`, strings.Repeat("long", 1000)} {
			c.Header = map[string]string{"x-request-id": id}
			if a := s.place.Do(t, s.f, c); a.Header["x-request-id"] != id {
				t.Errorf("%s as %s, %d: %q, want %q", c.Route, c.As, a.Status, a.Header["x-request-id"], id)
			}
		}
	}
}

func uniqueNames(t *testing.T, s service, route string, body object) {
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []string{`"resource":{`, `"\u0072esource":{`} {
		if a := s.do(t, route, strings.Replace(string(text), `"resource":{`, `"resource":{},`+again, 1)); a.Status != http.StatusBadRequest || !slices.Contains(a.Pointers(t), "/resource") {
			t.Errorf("%s: two resources: %d %s", route, a.Status, a.Body)
		}
	}
	for twice, pointer := range map[string]string{
		`"x":1,"x":1,`: "/x", `"context":{"a":{"b":1,"\u0062":2}},`: "/context/a/b",
		`"` + strings.Repeat("y", 200) + `":1,"` + strings.Repeat("y", 200) + `":2,`: "",
	} {
		s.refuses(t, route, "{"+twice+string(text[1:]), pointer)
	}
}
