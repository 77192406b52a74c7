package dynamo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// keys.go is the one home of keys: no other file says what one is made of.
func TestKeysHaveOneHome(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	built := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, said := range partsOfKeys(t, file) {
			if file == "keys.go" {
				built++
			} else {
				t.Errorf("%s: %q is a part of a key", file, said)
			}
		}
	}
	if built < 30 {
		t.Errorf("keys.go has %d parts of keys: they are looked for in the wrong form", built)
	}
}

// partsOfKeys are the texts of a file that only a key has: a separator, or a
// word in capitals.
func partsOfKeys(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		capitals := text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c < 'A' || c > 'Z' })
		if capitals || strings.Contains(text, "#") {
			parts = append(parts, text)
		}
		return true
	})
	slices.Sort(parts)
	return parts
}
