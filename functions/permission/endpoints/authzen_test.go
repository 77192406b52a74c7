package endpoints_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gemba/shared/api"
	"gemba/shared/dynamotest/fixture"
)

// requirement is one MUST, SHOULD or RECOMMENDED of the OpenID AuthZEN
// Authorization API 1.0, or a sentence that says what there is. Exactly one of
// proof, by and not says what becomes of it here.
type requirement struct {
	section, says string
	// proof holds the service to it.
	proof func(*testing.T, service)
	// by is the test elsewhere that does: its folder, a space and its name, with
	// the words of a subtest after a slash.
	by string
	// not is why the service cannot be held to it, or deliberately differs.
	not string
}

// sections are those of the standard that require anything, in its order, each
// with those above it. What is left out holds examples or asks things of IANA.
var sections = []string{
	"Model", "API Version",
	"Information Model/Subject", "Information Model/Resource", "Information Model/Action", "Information Model/Context", "Information Model/Decision",
	"Access Evaluation API/Request", "Access Evaluation API/Response",
	"Access Evaluations API/Request", "Access Evaluations API/Default values", "Access Evaluations API/Evaluations options",
	"Access Evaluations API/Evaluations semantics", "Access Evaluations API/Response", "Access Evaluations API/Errors",
	"Search APIs", "Search APIs/Semantics", "Search APIs/Pagination", "Search APIs/Paginated Requests", "Search APIs/Paginated Responses",
	"Search APIs/Response", "Search APIs/Subject Search API", "Search APIs/Resource Search API", "Search APIs/Action Search API",
	"Metadata", "Metadata/Endpoint Parameters", "Metadata/Capabilities Parameters", "Metadata/Signature Parameter",
	"Metadata/Obtaining", "Metadata/Response", "Metadata/Validation",
	"Transport", "Transport/HTTPS JSON Binding", "Transport/JSON Serialization", "Transport/Error Responses", "Transport/Request Identification",
	"Security/Integrity and Confidentiality", "Security/Sender Authentication", "Security/Sender Authentication Failure",
	"Security/JSON Payload", "Security/Response Integrity", "Security/Denial of Service", "Security/Metadata Caching",
}

// requirements are all of them.
var requirements = slices.Concat(modelRequirements, evaluationsRequirements, searchRequirements, pageRequirements, metadataRequirements, transportRequirements)

// TestAuthZEN holds the service to the standard, section by section.
func TestAuthZEN(t *testing.T) {
	f, place := riverside(t)
	s := service{f, place}
	for _, r := range requirements {
		if r.proof != nil {
			t.Run(r.section+"/"+r.says, func(t *testing.T) { r.proof(t, s) })
		}
	}
}

// TestAuthZENIsWhole: every section has its requirements, each is said once and
// proven by a test that there is, or has its reason.
func TestAuthZENIsWhole(t *testing.T) {
	said, of, proven := map[string]bool{}, map[string]bool{}, 0
	for _, r := range requirements {
		name := r.section + "/" + r.says
		answers := 0
		for _, there := range []bool{r.proof != nil, r.by != "", r.not != ""} {
			if there {
				answers++
			}
		}
		switch {
		case answers != 1:
			t.Errorf("%s has %d answers", name, answers)
		case said[name] || !slices.Contains(sections, r.section):
			t.Errorf("%s is said twice, or of no section", name)
		case r.by != "" && !exists(t, r.by):
			t.Errorf("%s is proven by %s, which does not exist", name, r.by)
		}
		said[name], of[r.section] = true, true
		if r.not == "" {
			proven++
		}
	}
	for _, section := range sections {
		if !of[section] {
			t.Errorf("%s requires nothing", section)
		}
	}
	t.Logf("%d requirements: %d proven, %d with a reason why not", len(requirements), proven, len(requirements)-proven)
}

// exists is whether a folder has a test of that name, and the test the words of
// the subtest.
func exists(t *testing.T, by string) bool {
	t.Helper()
	folder, name, _ := strings.Cut(by, " ")
	name, words, _ := strings.Cut(name, "/")
	files, err := filepath.Glob(filepath.Join("../../..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name {
				return words == "" || says(f, words)
			}
		}
	}
	return false
}

// says is whether a function has exactly these words as a literal.
func says(f *ast.FuncDecl, words string) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			found = found || err == nil && text == words
		}
		return !found
	})
	return found
}

// service is what is held to the standard: the function and where it stands.
type service struct {
	f     *api.Function
	place *fixture.Place
}

// do sends a body as the service, who may ask about everybody.
func (s service) do(t *testing.T, route string, body any) fixture.Answer {
	t.Helper()
	return s.place.Do(t, s.f, fixture.Call{Route: route, As: "service", Body: body})
}

// refuses holds a request to a 400 that names exactly these faults.
func (s service) refuses(t *testing.T, route string, body any, pointers ...string) {
	t.Helper()
	a := s.do(t, route, body)
	if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" || !slices.Equal(a.Pointers(t), pointers) {
		t.Errorf("%s: %d %s, want the faults %q", route, a.Status, a.Body, pointers)
	}
}

// one is the decision with its reason, as "true team_member".
func (s service) one(t *testing.T, body any) string {
	t.Helper()
	yes, reason := ask(t, s.place, s.f, "service", body)
	return fmt.Sprint(yes, " ", reason)
}

// all are the decisions of a batch with their reasons.
func (s service) all(t *testing.T, body object) []string {
	t.Helper()
	var out []string
	for _, e := range several(t, s.place, s.f, "service", body).Evaluations {
		out = append(out, fmt.Sprint(*e.Decision, " ", e.Context.Reason))
	}
	return out
}

// find is a page of a search.
func (s service) find(t *testing.T, route string, body object) found {
	t.Helper()
	return search(t, s.place, s.f, "service", route, body)
}

// requests are one good request of each call, answered with a yes or with two
// results at least.
func requests() map[string]object {
	all := searches()
	all[evaluation] = question("nurse", "view", "item", "icu-idea", nil)
	all[evaluations] = question("nurse", "view", "item", "icu-idea", nil)
	return all
}

// routes are the calls of requests, sorted.
func routes() []string { return slices.Sorted(maps.Keys(requests())) }

// needed are the members that a request of each call must have.
var needed = map[string][]string{
	evaluation:  {"subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.type", "resource.id"},
	evaluations: {"subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.type", "resource.id"},
	subjects:    {"subject", "subject.type", "action", "action.name", "resource", "resource.type", "resource.id"},
	resources:   {"subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.type"},
	actions:     {"subject", "subject.type", "subject.id", "resource", "resource.type", "resource.id"},
}

// needs proves that a member is required wherever it belongs: without it, or
// with null or another type in its place, there is no answer.
func needs(path string) func(*testing.T, service) {
	return func(t *testing.T, s service) {
		asked := 0
		for _, route := range routes() {
			if !slices.Contains(needed[route], path) {
				continue
			}
			asked++
			pointer := "/" + strings.ReplaceAll(path, ".", "/")
			s.refuses(t, route, set(t, requests()[route], path, nil), pointer)
			for _, value := range []any{json.RawMessage("null"), 123, true, list{}, ""} {
				s.refuses(t, route, set(t, requests()[route], path, value), pointer)
			}
		}
		if asked < 3 {
			t.Errorf("%s is needed by %d calls", path, asked)
		}
	}
}

// requires proves that a call needs all that it needs.
func requires(route string) func(*testing.T, service) {
	return func(t *testing.T, s service) {
		for _, path := range needed[route] {
			s.refuses(t, route, set(t, requests()[route], path, nil), "/"+strings.ReplaceAll(path, ".", "/"))
		}
	}
}

// isObject proves that a member is optional, an object, and with whatever in it
// no reason for another answer.
func isObject(path string, on ...string) func(*testing.T, service) {
	whatever := object{"a": "text", "b": 1.5, "c": true, "d": json.RawMessage("null"), "e": list{1, "x", object{"y": list{}}}, "f": object{"g": object{}},
		strings.Repeat("long", 100): 1, "tab\t": 2}
	return func(t *testing.T, s service) {
		for _, route := range on {
			want := s.do(t, route, requests()[route])
			if got := s.do(t, route, set(t, requests()[route], path, whatever)); got.Status != http.StatusOK || got.Body != want.Body {
				t.Errorf("%s with %s: %d %s, want %s", route, path, got.Status, got.Body, want.Body)
			}
			for _, value := range []any{"text", 1, false, list{object{}}} {
				s.refuses(t, route, set(t, requests()[route], path, value), "/"+strings.ReplaceAll(path, ".", "/"))
			}
		}
	}
}
