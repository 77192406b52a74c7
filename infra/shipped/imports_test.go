package shipped

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// layer is a place in the one way that imports go. A pattern is an import path,
// with "/..." for all below it too. The standard library is allowed but for
// what not names.
type layer struct {
	packages, may, not []string
	// free may import anything: it runs on a developer's machine alone.
	free bool
}

const sdk = "github.com/aws/aws-sdk-go-v2"

var useCases = []string{
	"gemba/shared/directory", "gemba/shared/role", "gemba/shared/persona",
	"gemba/shared/permission", "gemba/shared/impersonation", "gemba/shared/timeline", "gemba/shared/importer",
}

var domain = append([]string{"gemba/shared/authz", "gemba/shared/fault", "gemba/shared/letter"}, useCases...)

// layers, lowest first.
var layers = map[string]layer{
	"authz": {
		packages: []string{"gemba/shared/authz"},
		not:      []string{"context", "os/...", "log/...", "net/...", "math/rand/..."},
	},
	"fault":  {packages: []string{"gemba/shared/fault"}},
	"letter": {packages: []string{"gemba/shared/letter"}, not: []string{"net/...", "os/...", "time"}},
	"use cases": {
		packages: useCases,
		may:      append([]string{"github.com/oklog/ulid/v2"}, domain...),
		not:      []string{"net/http", "encoding/json", "os/..."},
	},
	"body": {packages: []string{"gemba/shared/body"}, may: domain, not: []string{"net/http"}},
	"api":  {packages: []string{"gemba/shared/api"}, may: append([]string{"github.com/aws/aws-lambda-go/..."}, domain...)},
	"dynamo": {
		packages: []string{"gemba/shared/dynamo"},
		may: append([]string{
			sdk + "/aws/...", sdk + "/service/dynamodb/...", sdk + "/feature/dynamodb/...",
			"github.com/aws/smithy-go/...", "github.com/fxamacker/cbor/v2", "github.com/hashicorp/golang-lru/v2/...", "github.com/oklog/ulid/v2",
		}, domain...),
	},
	"cognito": {
		packages: []string{"gemba/shared/cognito"},
		may: []string{
			"gemba/shared/fault", "gemba/shared/impersonation",
			sdk + "/aws/...", sdk + "/service/cognitoidentityprovider/...", "github.com/aws/smithy-go/...",
		},
	},
	"ses": {
		packages: []string{"gemba/shared/ses"},
		may: []string{
			"gemba/shared/fault", "gemba/shared/letter", "gemba/shared/impersonation", "gemba/shared/persona",
			sdk + "/aws/...", sdk + "/service/sesv2/...", "github.com/aws/smithy-go/...",
		},
	},
	"lambda": {
		packages: []string{"gemba/shared/lambda"},
		may:      []string{"gemba/shared/fault", sdk + "/aws/...", sdk + "/service/lambda/..."},
	},
	"cloud": {
		packages: []string{"gemba/shared/cloud"},
		may: []string{
			"gemba/shared/fault", sdk + "/aws/...", sdk + "/credentials/...", sdk + "/config/...", "github.com/aws/smithy-go/...",
		},
	},
	"functions": {
		packages: []string{"gemba/functions/..."},
		may:      []string{"gemba/shared/...", "gemba/functions/...", "github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/events"},
		not:      []string{"gemba/shared/dynamotest/...", "gemba/shared/testdata/..."},
	},
	"here alone": {
		packages: []string{"gemba/infra/...", "gemba/shared/dynamotest/...", "gemba/shared/testdata/..."},
		free:     true,
	},
}

// homes are the only places, beside those that run here alone, that import
// something directly.
var homes = map[string][]string{
	sdk + "/service/dynamodb/...":                {"gemba/shared/dynamo"},
	sdk + "/service/sesv2/...":                   {"gemba/shared/ses"},
	sdk + "/service/lambda/...":                  {"gemba/shared/lambda"},
	sdk + "/service/cognitoidentityprovider/...": {"gemba/shared/cognito"},
	"github.com/aws/aws-lambda-go/events":        {"gemba/shared/api", "gemba/functions/notifier/...", "gemba/functions/persona-audit/..."},
}

// matches tells whether one of the patterns names the import path.
func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, below := strings.CutSuffix(pattern, "/...")
		return path == prefix || below && strings.HasPrefix(path, prefix+"/")
	})
}

// layerOf is the layer that names a package; "" when none or several do.
func layerOf(path string) string {
	found := ""
	for name, l := range layers {
		if matches(l.packages, path) {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// pkg is what the go command tells of a package, tests aside.
type pkg struct {
	ImportPath, Dir string
	Standard        bool
	Imports, Deps   []string
	GoFiles         []string
}

func (p pkg) ours() bool { return p.ImportPath == "gemba" || strings.HasPrefix(p.ImportPath, "gemba/") }

// graph is every package of the module and all that they import.
func graph(t *testing.T) map[string]pkg {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,Standard,Imports,Deps,GoFiles", "./...")
	list.Dir = repository(t)
	var faults bytes.Buffer
	list.Stderr = &faults
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, faults.String())
	}
	packages := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func TestImportsGoOneWay(t *testing.T) {
	packages := graph(t)
	seen := map[string]bool{}
	for path, p := range packages {
		if !p.ours() {
			continue
		}
		name := layerOf(path)
		if name == "" {
			t.Errorf("%s belongs to no layer, or to several", path)
		}
		seen[name] = true
		for _, imported := range p.Imports {
			if fault := refused(layers[name], packages[imported]); fault != "" {
				t.Errorf("%s (%s) imports %s: %s", path, name, imported, fault)
			}
		}
	}
	for name := range layers {
		if !seen[name] {
			t.Errorf("no package is of the layer %s", name)
		}
	}
}

// refused is why a layer may not import a package, "" when it may.
func refused(l layer, imported pkg) string {
	switch {
	case l.free:
		return ""
	case matches(l.not, imported.ImportPath):
		return "the layer must not"
	case !imported.Standard && !matches(l.may, imported.ImportPath):
		return "the layer's list does not name it"
	}
	return ""
}

func TestClientsHaveOneHome(t *testing.T) {
	for path, p := range graph(t) {
		if !p.ours() || layers[layerOf(path)].free {
			continue
		}
		for what, home := range homes {
			for _, imported := range p.Imports {
				if matches([]string{what}, imported) && !matches(home, path) {
					t.Errorf("%s imports %s, which is for %v alone", path, imported, home)
				}
			}
		}
	}
}

// What a package reaches through others counts as much as what it names.
func TestNothingReachesAround(t *testing.T) {
	packages := graph(t)
	for path, p := range packages {
		if !p.ours() {
			continue
		}
		name := layerOf(path)
		for _, reached := range p.Deps {
			ours := packages[reached].ours()
			switch {
			case (name == "authz" || name == "fault") && !packages[reached].Standard:
				t.Errorf("%s reaches %s: it stands on the standard library", path, reached)
			case name == "use cases" && strings.HasPrefix(reached, "github.com/aws/"):
				t.Errorf("%s reaches %s: a use case knows no SDK", path, reached)
			case name == "use cases" && ours && !slices.Contains(domain, reached):
				t.Errorf("%s reaches %s: a use case knows rules alone", path, reached)
			case !layers[name].free && ours && layers[layerOf(reached)].free:
				t.Errorf("%s reaches %s, which does not run in the cloud", path, reached)
			}
		}
	}
}

// The linter tells in the editor what these tests tell here; a package that no
// list names would be told nothing there.
func TestLinterListsEveryPackage(t *testing.T) {
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string
						Mode  string `yaml:"list-mode"`
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(file(t, ".golangci.yml"), &config); err != nil {
		t.Fatal(err)
	}
	for path, p := range graph(t) {
		if !p.ours() || len(p.GoFiles) == 0 {
			continue
		}
		free := layers[layerOf(path)].free
		listed := false
		for _, rule := range config.Linters.Settings.Depguard.Rules {
			if lists(t, rule.Files, filepath.Join(p.Dir, p.GoFiles[0])) {
				listed = listed || free || rule.Mode == "strict"
			}
		}
		if !listed {
			t.Errorf("no depguard list in .golangci.yml names %s", path)
		}
	}
}

// lists tells whether depguard's file globs name a file.
func lists(t *testing.T, globs []string, name string) bool {
	t.Helper()
	listed := false
	for _, glob := range globs {
		glob, not := strings.CutPrefix(glob, "!")
		pattern := regexp.QuoteMeta(glob)
		pattern = strings.ReplaceAll(pattern, `\*\*`, ".*")
		pattern = strings.ReplaceAll(pattern, `\*`, "[^/]*")
		found := regexp.MustCompile("^" + pattern + "$").MatchString(name)
		if found && not {
			return false
		}
		listed = listed || found
	}
	return listed
}

// A domain type with a json or dynamodb tag would let a client or the table
// decide what the domain's words are.
func TestDomainTypesCarryNoTags(t *testing.T) {
	for _, path := range domain {
		folder := filepath.Join(repository(t), strings.TrimPrefix(path, "gemba/"))
		err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if f, ok := n.(*ast.Field); ok && f.Tag != nil {
					t.Errorf("%s has a field with the tag %s", name, f.Tag.Value)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
