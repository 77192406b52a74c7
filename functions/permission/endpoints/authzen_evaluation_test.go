package endpoints_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gemba/shared/dynamotest/fixture"
)

var modelRequirements = []requirement{
	{section: "Model", says: "support for OAuth 2.0 is RECOMMENDED", by: "infra/whole TestTokens"},
	{section: "API Version", says: "updates MUST NOT modify the API described here", not: "asked of later editions of the standard"},
	{section: "API Version", says: "endpoints for version 1.0 SHOULD include v1", proof: func(t *testing.T, s service) {
		for _, route := range s.f.Routes() {
			if strings.HasPrefix(route, "POST ") && !strings.HasPrefix(route, "POST /access/v1/") {
				t.Error(route)
			}
		}
	}},
	{section: "Information Model/Subject", says: "type REQUIRED, a string", proof: needs("subject.type")},
	{section: "Information Model/Subject", says: "id REQUIRED, a string", proof: needs("subject.id")},
	{section: "Information Model/Subject", says: "id is any string of its type", by: "functions/permission/endpoints TestReasons/C8 a subject that is no user"},
	{section: "Information Model/Subject", says: "id of a user is any string", not: "the contract gives ids of this service's own types an alphabet; an id outside it is malformed"},
	{section: "Information Model/Subject", says: "properties OPTIONAL, an object", proof: isObject("subject.properties", evaluation, evaluations, subjects, resources, actions)},
	{section: "Information Model/Resource", says: "type REQUIRED, a string", proof: needs("resource.type")},
	{section: "Information Model/Resource", says: "id REQUIRED, a string", proof: needs("resource.id")},
	{section: "Information Model/Resource", says: "properties OPTIONAL, an object", proof: isObject("resource.properties", evaluation, evaluations, subjects, resources, actions)},
	{section: "Information Model/Resource", says: "properties are attributes used in evaluations", proof: func(t *testing.T, s service) {
		for status, want := range map[string]string{"active": "true role_grant", "new": "false new", "draft": "false draft"} {
			facts := object{"template": "idea", "locations": list{"icu"}, "status": status, "more": 1}
			if got := s.one(t, question("nurse", "view", "item", "elsewhere", facts)); got != want {
				t.Errorf("%s: %s, want %s", status, got, want)
			}
		}
	}},
	{section: "Information Model/Action", says: "name REQUIRED, a string", proof: needs("action.name")},
	{section: "Information Model/Action", says: "properties OPTIONAL, an object", proof: isObject("action.properties", evaluation, evaluations, subjects, resources)},
	{section: "Information Model/Context", says: "an object of whatever attributes", proof: isObject("context", evaluation, evaluations, subjects, resources, actions)},
	{section: "Information Model/Decision", says: "decision REQUIRED, a boolean; context OPTIONAL, an object", proof: decisionsHaveTheirForm},
	{section: "Information Model/Decision", says: "what is denied MUST NOT be permitted to go forward", not: "asked of the PEP"},

	{section: "Access Evaluation API/Request", says: "subject REQUIRED", proof: needs("subject")},
	{section: "Access Evaluation API/Request", says: "action REQUIRED", proof: needs("action")},
	{section: "Access Evaluation API/Request", says: "resource REQUIRED", proof: needs("resource")},
	{section: "Access Evaluation API/Request", says: "context OPTIONAL", by: "functions/permission/endpoints TestReasons"},
	{section: "Access Evaluation API/Request", says: "everything that is missing is told at once", proof: func(t *testing.T, s service) {
		s.refuses(t, evaluation, object{}, "/subject", "/action", "/resource")
		s.refuses(t, evaluation, object{"subject": object{}, "action": object{}, "resource": object{}},
			"/subject/type", "/subject/id", "/action/name", "/resource/type", "/resource/id")
	}},
	{section: "Access Evaluation API/Response", says: "consists of the Decision", by: "functions/permission/endpoints TestGolden"},
}

// decisionsHaveTheirForm: of a yes, a no, an explained answer and those of a
// batch with an error in it.
func decisionsHaveTheirForm(t *testing.T, s service) {
	explained := set(t, question("doctor", "edit", "item", "icu-idea", nil), "context.explain", true)
	batch := set(t, requests()[evaluations], "evaluations", list{object{}, object{"resource": 1}})
	var decisions []map[string]json.RawMessage
	for _, body := range []object{requests()[evaluation], question("nurse", "view", "item", "absent", nil), explained} {
		var one map[string]json.RawMessage
		s.do(t, evaluation, body).Into(t, &one)
		decisions = append(decisions, one)
	}
	var several struct{ Evaluations []map[string]json.RawMessage }
	s.do(t, evaluations, batch).Into(t, &several)
	for i, d := range append(decisions, several.Evaluations...) {
		var yes *bool
		var context object
		if json.Unmarshal(d["decision"], &yes) != nil || yes == nil || json.Unmarshal(d["context"], &context) != nil || context == nil || len(d) != 2 {
			t.Errorf("%d: %s", i, d)
		}
	}
}

var evaluationsRequirements = []requirement{
	{section: "Access Evaluations API/Request", says: "without evaluations, or with none, as the Access Evaluation API", proof: func(t *testing.T, s service) {
		for _, body := range []object{requests()[evaluation], question("nurse", "view", "item", "absent", nil), {"subject": object{}}} {
			want := s.do(t, evaluation, body)
			for name, none := range map[string]any{"absent": nil, "null": json.RawMessage("null"), "empty": list{}} {
				if got := s.do(t, evaluations, set(t, body, "evaluations", none)); got.Status != want.Status || got.Body != want.Body {
					t.Errorf("evaluations %s: %d %s, want %s", name, got.Status, got.Body, want.Body)
				}
			}
		}
	}},
	{section: "Access Evaluations API/Request", says: "evaluations are an array of objects", proof: func(t *testing.T, s service) {
		for _, wrong := range []any{"all", 1, true, object{"0": object{}}} {
			s.refuses(t, evaluations, set(t, requests()[evaluations], "evaluations", wrong), "/evaluations")
		}
	}},
	{section: "Access Evaluations API/Request", says: "evaluations are independent of each other", by: "functions/permission/endpoints TestABatchIsItsQuestions"},
	{section: "Access Evaluations API/Request", says: "top-level keys MAY be omitted that every evaluation has", proof: func(t *testing.T, s service) {
		yes, no := requests()[evaluation], question("nurse", "view", "item", "absent", nil)
		if got := s.all(t, object{"evaluations": list{yes, no}}); !slices.Equal(got, []string{"true team_member", "false unknown_resource"}) {
			t.Errorf("%q", got)
		}
	}},
	{section: "Access Evaluations API/Default values", says: "subject, action, resource and context are each a default", proof: defaultsStandIn},
	{section: "Access Evaluations API/Default values", says: "an evaluation's own key overrides the default whole", proof: ownKeysOverride},
	{section: "Access Evaluations API/Default values", says: "what an evaluation omits MUST be a top-level key", proof: func(t *testing.T, s service) {
		for _, key := range []string{"subject", "action", "resource"} {
			body := set(t, set(t, requests()[evaluations], key, nil), "evaluations", list{object{}, object{key: requests()[evaluation][key]}})
			if got := s.all(t, body); !slices.Equal(got, []string{"false malformed", "true team_member"}) {
				t.Errorf("without %s: %q", key, got)
			}
		}
	}},
	{section: "Access Evaluations API/Evaluations options", says: "options OPTIONAL, an object of which others are ignored", proof: isObject("options", evaluations)},
	{section: "Access Evaluations API/Evaluations semantics", says: "by default every request is executed", proof: semantic("", "no yes no", "false true false")},
	{section: "Access Evaluations API/Evaluations semantics", says: "execute_all returns all of the results", proof: semantic("execute_all", "yes no yes", "true false true")},
	{section: "Access Evaluations API/Evaluations semantics", says: "execute_all goes on after a failure", proof: semantic("execute_all", "wrong yes", "false true")},
	{section: "Access Evaluations API/Evaluations semantics", says: "deny_on_first_deny returns on the first denial", proof: semantic("deny_on_first_deny", "yes no yes", "true false")},
	{section: "Access Evaluations API/Evaluations semantics", says: "deny_on_first_deny returns on the first failure", proof: semantic("deny_on_first_deny", "yes wrong yes", "true false")},
	{section: "Access Evaluations API/Evaluations semantics", says: "deny_on_first_deny of permits returns all", proof: semantic("deny_on_first_deny", "yes yes", "true true")},
	{section: "Access Evaluations API/Evaluations semantics", says: "permit_on_first_permit returns on the first permit", proof: semantic("permit_on_first_permit", "no yes no", "false true")},
	{section: "Access Evaluations API/Evaluations semantics", says: "permit_on_first_permit goes on after a failure", proof: semantic("permit_on_first_permit", "wrong yes yes", "false true")},
	{section: "Access Evaluations API/Evaluations semantics", says: "permit_on_first_permit of denials returns all", proof: semantic("permit_on_first_permit", "no no", "false false")},
	{section: "Access Evaluations API/Evaluations semantics", says: "exactly one of the three values", proof: func(t *testing.T, s service) {
		for _, wrong := range []any{"any", "", "EXECUTE_ALL", 1, list{"execute_all"}} {
			body := set(t, set(t, requests()[evaluations], "evaluations", list{object{}}), "options.evaluations_semantic", wrong)
			s.refuses(t, evaluations, body, "/options/evaluations_semantic")
		}
	}},
	{section: "Access Evaluations API/Response", says: "lists the decisions in the same order, one for each request", proof: inOrder},
	{section: "Access Evaluations API/Response", says: "RECOMMENDED that decision be omitted beside evaluations", proof: func(t *testing.T, s service) {
		var out map[string]json.RawMessage
		s.do(t, evaluations, set(t, requests()[evaluations], "evaluations", list{object{}})).Into(t, &out)
		if _, there := out["evaluations"]; !there || len(out) != 1 {
			t.Errorf("%s", out)
		}
	}},
	{section: "Access Evaluations API/Errors", says: "an error of the entire payload is one of the transport", by: "functions/permission/endpoints TestMalformedRequests"},
	{section: "Access Evaluations API/Errors", says: "decisions default to closed, the context has the error", by: "functions/permission/endpoints TestEvaluationErrors"},
}

// semantic proves with which answers a list of questions ends. Their words are
// yes, no and wrong.
func semantic(name, asked, want string) func(*testing.T, service) {
	words := map[string]object{
		"yes":   {"resource": object{"type": "item", "id": "icu-idea"}},
		"no":    {"resource": object{"type": "item", "id": "ward-project"}},
		"wrong": {"resource": object{"type": "item"}},
	}
	return func(t *testing.T, s service) {
		var entries list
		for _, word := range strings.Fields(asked) {
			entries = append(entries, words[word])
		}
		body := set(t, question("nurse", "view", "item", "absent", nil), "evaluations", entries)
		if name != "" {
			body = set(t, body, "options.evaluations_semantic", name)
		}
		var got []string
		for _, e := range s.all(t, body) {
			decision, reason, _ := strings.Cut(e, " ")
			if got = append(got, decision); reason == "" {
				t.Error("an answer without a reason")
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

// defaultsStandIn: each of the four alone, where the evaluation has the others.
func defaultsStandIn(t *testing.T, s service) {
	whole := question("doctor", "view", "item", "icu-idea", nil)
	whole["context"] = object{"hypothetical": object{"locations": list{"icu"}}}
	const want = "true role_grant" // without the context it is out of scope
	for key, value := range whole {
		body := object{key: value, "evaluations": list{set(t, whole, key, nil)}}
		if got := s.all(t, body); !slices.Equal(got, []string{want}) {
			t.Errorf("%s as a default: %q, want %s", key, got, want)
		}
	}
}

// ownKeysOverride: member by member nothing is merged, properties and contexts
// neither.
func ownKeysOverride(t *testing.T, s service) {
	base := question("nurse", "edit", "item", "surgery-draft", object{"template": "idea", "status": "active", "locations": list{"icu"}})
	base["context"] = object{"time": "2026-03-02T09:00:00Z", "hypothetical": object{"roles": list{}}}
	base["unknown"] = object{"member": list{1}}
	staff := object{"hypothetical": object{"roles": list{object{"role": "staff"}}}}
	var entries list
	var want []string
	for _, tt := range []struct {
		over object
		want string
	}{
		{object{}, "false no_grant"},
		{object{"context": object{}}, "false no_grant"},
		{object{"context": staff, "action": object{"name": "view", "properties": object{"method": "GET"}}}, "true role_grant"},
		{object{"context": object{}, "action": object{"name": "view"}}, "true role_grant"},
		{object{"action": object{"name": "view"}}, "false no_grant"},
		{object{"context": staff, "subject": object{"type": "user", "id": "doctor", "properties": object{"x": 1}}}, "false out_of_scope"},
		{object{"resource": object{"type": "item", "id": "surgery-draft"}}, "false draft"},
		{object{"resource": object{"type": "item", "id": "icu-idea", "properties": object{"owner": "x"}}}, "true team_member"},
		{object{"subject": object{"type": "user"}}, "false malformed"},
		{object{"action": object{}}, "false malformed"},
	} {
		entries, want = append(entries, tt.over), append(want, tt.want)
	}
	base["evaluations"] = entries
	got := s.all(t, base)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v: %s, want %s", entries[i], got[i], want[i])
		}
	}
}

// inOrder: a hundred questions of which each answer tells which it is of.
func inOrder(t *testing.T, s service) {
	body, yes := requests()[evaluations], "true team_member"
	var entries list
	var want []string
	for i := range 100 {
		id, answer := "icu-idea", yes
		if i%3 == 1 {
			id, answer = "absent", "false unknown_resource"
		}
		entries, want = append(entries, object{"resource": object{"type": "item", "id": id}}), append(want, answer)
	}
	body["evaluations"] = entries
	if got := s.all(t, body); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestEvaluationErrors is AuthZEN's section on errors in individual evaluations.
func TestEvaluationErrors(t *testing.T) {
	f, place := riverside(t)
	entries := list{
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
	a := place.Do(t, f, fixture.Call{Route: evaluations, As: "nurse", Body: body})
	var out answered
	a.Into(t, &out)
	if a.Status != http.StatusOK || len(out.Evaluations) != len(entries) {
		t.Fatalf("%d with %d answers to %d questions", a.Status, len(out.Evaluations), len(entries))
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
