package timeline_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"gemba/shared/timeline"
)

type values = timeline.Values

func TestT1EntriesInWords(t *testing.T) {
	user := timeline.Target{Type: "user", ID: "maria.alvarez"}
	role := timeline.Target{Type: "role", ID: "lead"}
	long := strings.Repeat("y", 300)
	cases := []struct {
		entry timeline.Entry
		want  string
	}{
		{timeline.Entry{Type: timeline.Persona, Action: "change", Target: user, Before: values{"persona": "frontline"}, After: values{"persona": "leader"}},
			`The persona of "maria.alvarez" changed from frontline to leader.`},
		{timeline.Entry{Type: timeline.Persona, Action: "set", Target: user, Before: values{"persona": nil}, After: values{"persona": "leader"}},
			`The persona of "maria.alvarez" became leader.`},
		{timeline.Entry{Type: timeline.Persona, Action: "clear", Target: user, Before: values{"persona": "ci_coach"}, After: values{"persona": nil}},
			`The persona of "maria.alvarez", ci_coach, was taken away.`},
		{timeline.Entry{Type: timeline.Assignment, Action: "assign", Target: user, After: values{"role": "lead", "locations": []any{"east", "west"}, "until": "2090-01-31T22:00:00Z"}},
			`The role "lead" was given to "maria.alvarez", at east, west alone, until 2090-01-31T22:00:00Z.`},
		{timeline.Entry{Type: timeline.Assignment, Action: "limit", Target: user, Before: values{"role": "lead"}, After: values{"role": "lead", "locations": []string{"east"}}},
			`The role "lead" of "maria.alvarez" was limited otherwise: locations is east.`},
		{timeline.Entry{Type: timeline.Assignment, Action: "revoke", Target: user, Before: values{"role": "lead"}},
			`The role "lead" was taken from "maria.alvarez".`},
		{timeline.Entry{Type: timeline.User, Action: "prefer", Target: user, Before: values{"notifications": map[string]any{"item_assigned": true, "digest": false}}, After: values{"notifications": map[string]any{"item_assigned": false, "digest": false}}},
			`The notifications of "maria.alvarez" were switched: "item_assigned" off.`},
		{timeline.Entry{Type: timeline.User, Action: "prefer", Target: user, Before: values{"notifications": map[string]any{"old": true}}, After: values{"notifications": map[string]any{"digest": false}}},
			`The notifications of "maria.alvarez" were switched: "digest" off, "old" as the roles have it.`},
		{timeline.Entry{Type: timeline.User, Action: "edit", Target: user, Before: values{"name": "Maria", "roles": []any{map[string]any{"role": "a"}}}, After: values{"name": "Maria A", "roles": []any{}}},
			`The user "maria.alvarez" was changed: name from Maria to "Maria A"; roles from 1 in all to none.`},
		{timeline.Entry{Type: timeline.Role, Action: "edit", Target: role,
			Before: values{"admin": map[string]any{"systemAdministrator": true, "globalUserAdministrator": map[string]any{"grantableRoles": "all"}}, "grants": []any{map[string]any{"a": 1}}},
			After:  values{"admin": map[string]any{"globalUserAdministrator": map[string]any{"grantableRoles": []any{"a", "b"}}}, "grants": []any{map[string]any{"a": 2}}}},
			`The role "lead" was changed: admin.globalUserAdministrator.grantableRoles from all to a, b; admin.systemAdministrator was yes and is no more; grants is another.`},
		{timeline.Entry{Type: timeline.Role, Action: "delete", Target: role, Before: values{"name": "Unit lead"}},
			`The role "lead", named "Unit lead", was deleted.`},
		{timeline.Entry{Type: timeline.Settings, Action: "edit", Target: timeline.Target{Type: "organization", ID: "o"},
			Before: values{"personaTargets": map[string]any{"frontline": map[string]any{"min": 7000.0, "max": 9000.0}}, "decisionLogRate": 0.0},
			After:  values{"personaTargets": map[string]any{"frontline": map[string]any{"min": 7000.0, "max": 8000.0}}, "decisionLogRate": 0.25}},
			`The organization "o" was changed: decisionLogRate from 0 to 0.25; personaTargets.frontline.max from 9000 to 8000.`},
		{timeline.Entry{Type: timeline.Item, Action: "edit", Target: timeline.Target{Type: "item", ID: "i1"},
			Before: values{"status": "new", "team": map[string]any{"author": []any{"mia"}}}, After: values{"status": "active", "team": map[string]any{"author": []any{"wes"}, "follower": []any{"a", "b"}}}},
			`The item "i1" was changed: status from new to active; author: wes joined, mia left; follower: a, b joined.`},
		{timeline.Entry{Type: timeline.Location, Action: "edit", Target: timeline.Target{Type: "location", ID: "l"}, Before: values{"name": "x\r\n12:04 UTC: \"forged\"\u202e"}, After: values{"name": long}},
			`The location "l" was changed: name from "x  12:04 UTC: 'forged' " to "` + strings.Repeat("y", 199) + `…".`},
		{timeline.Entry{Type: timeline.Audit, Action: "audit", After: values{"base": 8.0, "location": "east"}}, `The personas of the location "east" were audited: 8 people.`},
		{timeline.Entry{Type: timeline.Item, Action: "rebuild", Target: timeline.Target{Type: "item", ID: "i1"}}, `The item "i1" had another change, "rebuild".`},
	}
	for _, c := range cases {
		c.entry.At = time.Date(2026, 3, 2, 13, 3, 59, 0, time.FixedZone("", 3600))
		if got := c.entry.Sentence(); got != "12:03 UTC: "+c.want {
			t.Errorf("got  %s\nwant %s", got, "12:03 UTC: "+c.want)
		}
	}
}

// Whatever the values are, a sentence is one line, bounded, and what is quoted
// ends where it ends (T5).
func TestT5ASentenceIsOneLine(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\r\nBcc: x@y", "\u2028", "\u202e", `"`, "\x00", strings.Repeat("long ", 999)}))
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }), rapid.Map(rapid.SliceOf(text), func(l []string) any { return l }))
	inner := rapid.OneOf(leaf, rapid.Map(rapid.MapOf(text, leaf), func(m map[string]any) any { return m }), rapid.Map(rapid.SliceOf(leaf), func(l []any) any { return l }))
	members := rapid.OneOf(text, rapid.SampledFrom([]string{"persona", "role", "locations", "until", "name", "team", "base"}))
	rapid.Check(t, func(t *rapid.T) {
		e := timeline.Entry{
			Type:   timeline.Type(rapid.IntRange(0, int(timeline.TypeCount)).Draw(t, "type")),
			Action: rapid.OneOf(text, rapid.SampledFrom([]string{"create", "edit", "delete", "clone", "set", "change", "clear", "assign", "limit", "revoke", "prefer", "audit", "reconcile"})).Draw(t, "action"),
			Target: timeline.Target{Type: text.Draw(t, "target"), ID: text.Draw(t, "id")},
			Before: rapid.MapOf(members, inner).Draw(t, "before"), After: rapid.MapOf(members, inner).Draw(t, "after"),
		}
		said := e.Sentence()
		if strings.ContainsAny(said, "\r\n\x00\u2028\u202e") || strings.Count(said, `"`)%2 != 0 || utf8.RuneCountInString(said) > 6000 {
			t.Fatalf("%q", said)
		}
	})
}

// Every deed that the code writes has words of its own. The source is walked: a
// new kind of entry without words, or one whose action cannot be read from the
// source, fails.
func TestT1EveryDeedHasWords(t *testing.T) {
	written := deeds(t)
	if len(written) < 30 {
		t.Fatalf("only %d deeds were found in the source: %v", len(written), written)
	}
	for _, d := range written {
		kind, action, _ := strings.Cut(d, " ")
		parsed, _ := timeline.ParseType(kind)
		e := timeline.Entry{Type: parsed, Action: action, Target: timeline.Target{Type: kind, ID: "x"}}
		if said := e.Sentence(); strings.Contains(said, "had another change") {
			t.Errorf("T1 the code writes %s, which has no words: %s", d, said)
		}
	}
	for _, d := range []string{"role clone", "persona clear", "template create", "assignment limit", "sign_in disable", "audit mend", "impersonation end"} {
		if !slices.Contains(written, d) {
			t.Errorf("%s is written and was not found in the source", d)
		}
	}
}

// deeds are the types and actions of the entries that the code writes, as in
// "role edit".
func deeds(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, root := range []string{"..", "../../functions"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || strings.Contains(path, "dynamotest") {
				return err
			}
			files, err := filepath.Glob(filepath.Join(path, "*.go"))
			if err != nil {
				return err
			}
			var read source
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
				if err != nil {
					return err
				}
				read = append(read, parsed)
			}
			found = append(found, read.deeds(t, path)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// source is a package's files.
type source []*ast.File

// kindsOf are the types that an expression stands for which is not one of them.
var kindsOf = map[string][]string{
	"ref.Kind": {"Location", "Workflow", "Template"},
	// the operator's loads, by what they load
	"kind": {"Location", "Workflow", "Template", "Role"},
}

// deeds are those of a package: of every call that makes an entry, and of every
// entry that is made whole. Denials, which are counted and not told, are left out.
func (s source) deeds(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	s.functions(func(f *ast.FuncDecl) {
		if f.Name.Name == "Denied" || f.Name.Name == "Entry" || f.Name.Name == "operatorEntry" || path == "." || f.Name.Name == "entry" && path == "../dynamo" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			var kind, action ast.Expr
			switch n := n.(type) {
			case *ast.CallExpr:
				name := called(n)
				switch {
				case name == "Entry" && len(n.Args) == 3:
					kind, action = n.Args[0], n.Args[1]
				case name == "operatorEntry":
					kind, action = n.Args[0], &ast.BasicLit{Kind: token.STRING, Value: `"create"`}
				}
			case *ast.CompositeLit:
				if typed, ok := n.Type.(*ast.SelectorExpr); ok && typed.Sel.Name == "Entry" {
					kind, action = member(n, "Type"), member(n, "Action")
				}
			}
			if kind == nil {
				return true
			}
			actions := append(s.texts(f, action), s.overwritten(f)...)
			if len(actions) == 0 {
				t.Errorf("%s: the action of an entry in %s cannot be read", path, f.Name.Name)
			}
			for _, k := range kinds(kind) {
				for _, a := range actions {
					if path == "../dynamo" && k == "Persona" {
						continue // its action is persona.Told's
					}
					out = append(out, word(t, k)+" "+a)
				}
			}
			return true
		})
	})
	return out
}

func (s source) functions(do func(*ast.FuncDecl)) {
	for _, file := range s {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				do(f)
			}
		}
	}
}

// texts are those that an expression of a function can be: itself, what the
// function puts into the variable or into an entry's action, what its callers
// give, what the function that it comes from gives back.
func (s source) texts(f *ast.FuncDecl, e ast.Expr) []string {
	if lit, ok := e.(*ast.BasicLit); ok {
		text, _ := strconv.Unquote(lit.Value)
		return []string{text}
	}
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	if c, ok := e.(*ast.CompositeLit); ok {
		var out []string
		for _, el := range c.Elts {
			if kv, ok := el.(*ast.KeyValueExpr); ok {
				out = append(out, s.texts(f, kv.Value)...)
			}
		}
		return out
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	out := s.given(f, id.Name)
	ast.Inspect(f, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, left := range a.Lhs {
			if name, ok := left.(*ast.Ident); !ok || name.Name != id.Name {
				continue
			}
			if call, ok := a.Rhs[0].(*ast.CallExpr); ok && len(a.Rhs) == 1 {
				out = append(out, s.answered(call, i)...)
			} else if len(a.Rhs) == len(a.Lhs) {
				out = append(out, s.texts(f, a.Rhs[i])...)
			}
		}
		return true
	})
	return out
}

// overwritten are the texts that a function puts into the action of an entry that
// was made.
func (s source) overwritten(f *ast.FuncDecl) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
			for i, left := range a.Lhs {
				if to, ok := left.(*ast.SelectorExpr); ok && to.Sel.Name == "Action" {
					out = append(out, s.texts(f, a.Rhs[i])...)
				}
			}
		}
		return true
	})
	return out
}

// given are the texts that the package's callers give a function's parameter.
func (s source) given(f *ast.FuncDecl, parameter string) []string {
	at, i := -1, 0
	for _, field := range f.Type.Params.List {
		for _, name := range field.Names {
			if name.Name == parameter {
				at = i
			}
			i++
		}
	}
	if at < 0 {
		return nil
	}
	var out []string
	s.functions(func(caller *ast.FuncDecl) {
		ast.Inspect(caller, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && called(call) == f.Name.Name && len(call.Args) > at {
				out = append(out, s.texts(caller, call.Args[at])...)
			}
			return true
		})
	})
	return out
}

// answered are the texts that a function of the package gives back in a named
// result.
func (s source) answered(call *ast.CallExpr, result int) []string {
	var out []string
	s.functions(func(f *ast.FuncDecl) {
		if f.Name.Name != called(call) || f.Type.Results == nil {
			return
		}
		i := 0
		for _, field := range f.Type.Results.List {
			for _, name := range field.Names {
				if i == result {
					out = append(out, s.texts(f, name)...)
				}
				i++
			}
		}
	})
	return out
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

func member(c *ast.CompositeLit, name string) ast.Expr {
	for _, e := range c.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(kv.Key) == name {
			return kv.Value
		}
	}
	return nil
}

// kinds are the names of the types that an expression stands for.
func kinds(e ast.Expr) []string {
	name := ""
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x := fmt.Sprint(e.X); x == "timeline" {
			return []string{e.Sel.Name}
		}
		name = fmt.Sprint(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		name = e.Name
	}
	if of, ok := kindsOf[name]; ok {
		return of
	}
	return []string{name}
}

// word is the word of a type's name.
func word(t *testing.T, name string) string {
	t.Helper()
	for kind := timeline.NoType + 1; kind < timeline.TypeCount; kind++ {
		if strings.EqualFold(strings.ReplaceAll(kind.String(), "_", ""), name) {
			return kind.String()
		}
	}
	t.Errorf("%q is no type of an entry that can be read", name)
	return name
}
