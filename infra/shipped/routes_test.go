package shipped

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	directory "gemba/functions/directory/endpoints"
	impersonation "gemba/functions/impersonation/endpoints"
	permission "gemba/functions/permission/endpoints"
	persona "gemba/functions/persona/endpoints"
	role "gemba/functions/role/endpoints"
	timeline "gemba/functions/timeline/endpoints"
	"gemba/shared/api"
)

// answered are the routes that each function has endpoints for. Nothing is
// called, so the functions stand on nothing.
var answered = map[string][]string{
	"DirectoryFunction":     directory.New(api.Deps{}, nil, nil).Routes(),
	"PersonaFunction":       persona.New(api.Deps{}, nil).Routes(),
	"RoleFunction":          role.New(api.Deps{}, nil).Routes(),
	"PermissionFunction":    permission.New(api.Deps{}, nil).Routes(),
	"ImpersonationFunction": impersonation.New(api.Deps{}, nil).Routes(),
	"TimelineFunction":      timeline.New(api.Deps{}, nil).Routes(),
}

// route is a route as the template has it.
type route struct {
	function, event string
	public          bool
}

// routed are the template's routes.
func routed(t *testing.T) map[string]route {
	t.Helper()
	found := map[string]route{}
	for id, resource := range resources(t) {
		events, _ := at(resource, "Properties", "Events").(map[string]any)
		for name, event := range events {
			if at(event, "Type") != "HttpApi" {
				continue
			}
			key := at(event, "Properties", "Method").(string) + " " + at(event, "Properties", "Path").(string)
			if other, twice := found[key]; twice {
				t.Errorf("%s goes to %s and %s", key, other.function, id)
			}
			if at(event, "Properties", "ApiId", "!Ref") != "HttpApi" {
				t.Errorf("%s is on an API of its own", key)
			}
			found[key] = route{id, name, at(event, "Properties", "Auth", "Authorizer") == "NONE"}
		}
	}
	return found
}

// A route is in the template, in the OpenAPI document and in its function's
// endpoints, under one name and with one mind about who may call, or in none.
func TestRoutesAreTheSameEverywhere(t *testing.T) {
	template := routed(t)
	documented := map[string]bool{}
	for _, o := range contract(t).Operations() {
		documented[o.Route] = true
		r, ok := template[o.Route]
		switch {
		case !ok:
			t.Errorf("%s is in openapi.yaml alone", o.Route)
		case r.event != o.ID:
			t.Errorf("%s is %s in template.yaml and %s in openapi.yaml", o.Route, r.event, o.ID)
		case r.public != o.Public:
			t.Errorf("%s is public in template.yaml: %v, in openapi.yaml: %v", o.Route, r.public, o.Public)
		}
	}
	for key, r := range template {
		if !documented[key] {
			t.Errorf("%s is not in openapi.yaml", key)
		}
		if !slices.Contains(answered[r.function], key) {
			t.Errorf("%s goes to %s, which has no endpoint for it", key, r.function)
		}
	}
	for id, routes := range answered {
		for _, key := range routes {
			if template[key].function != id {
				t.Errorf("%s has an endpoint for %s, which goes to %q", id, key, template[key].function)
			}
		}
	}
}

// unreached are the codes of calls that no route makes, and who makes them.
var unreached = map[string]string{
	"unknown_place": "the operator's command creates users and items",
	"event":         "the stream's batches are no HTTP",
}

// Every code that the code can answer with is one that clients were told of,
// and the document tells of no other.
func TestProblemCodesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, kind := range at(tagged(t, file(t, "infra/openapi.yaml")), "components", "schemas", "ProblemType", "enum").([]any) {
		documented[strings.TrimPrefix(kind.(string), "urn:problem:")] = true
	}
	used, literals := map[string]bool{}, map[string]bool{}
	for _, folder := range []string{"shared", "functions"} {
		literalsOf(t, filepath.Join(repository(t), folder), used, literals)
	}
	for code := range used {
		if _, other := unreached[code]; !documented[code] && !other {
			t.Errorf("openapi.yaml does not name the code %s", code)
		}
	}
	for code := range documented {
		if !literals[code] {
			t.Errorf("openapi.yaml names the code %s, which nothing answers", code)
		}
	}
}

// hidden are the kinds whose codes no client sees.
var hidden = []string{"Internal", "Unavailable", "NotFound"}

// literalsOf collects the texts of a folder's code, and those of them that are
// the code of a failure that a client sees.
func literalsOf(t *testing.T, folder string, used, literals map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if text, ok := literal(n); ok {
				literals[text] = true
			}
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 1 && named(call.Fun, "fault", "New", "Wrap", "Faulty") {
				if code, ok := literal(call.Args[1]); ok && !named(call.Args[0], "fault", hidden...) {
					used[code] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func literal(n ast.Node) (string, bool) {
	l, ok := n.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// named tells whether an expression is one of a package's names.
func named(e ast.Expr, pkg string, names ...string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg && slices.Contains(names, s.Sel.Name)
}
