package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gemba/shared/importer"
)

func TestCallsAreBounded(t *testing.T) {
	s := serve(t)
	s.command(t, t.TempDir(), "people.csv", crowd(1201)).is(t, 0, "users               1201", "500 of 1201\n1000 of 1201\n1201 of 1201")
	keys := map[string]bool{}
	for _, c := range s.calls {
		keys[c.key] = true
	}
	if len(s.calls) != 3 || len(keys) != 3 || keys[""] {
		t.Errorf("%d calls, keys %v", len(s.calls), keys)
	}
	large := `{"roles": [`
	for i := range 30 {
		large += fmt.Sprintf(`{"id": "r%d", "name": "R%d", "description": "%s", "boardAccess": [%s]},`, i, i, strings.Repeat("x", 2000), manyIDs(900))
	}
	s = serve(t)
	s.command(t, t.TempDir(), "world.json", []byte(strings.TrimSuffix(large, ",")+"]}")).is(t, 0, "roles                 30")
	for _, c := range s.calls {
		if len(c.raw) > 1<<20 {
			t.Errorf("a call of %d bytes", len(c.raw))
		}
	}
	if len(s.calls) < 2 {
		t.Error("no second call")
	}
}

func manyIDs(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%q", fmt.Sprintf("board-%04d-%s", i, strings.Repeat("x", 50)))
	}
	return strings.Join(ids, ",")
}

// tree is a world in an order in which everything comes before what it names.
const tree = `{"users": [{"id": "u", "name": "U", "username": "u", "type": "general", "locations": ["leaf"], "roles": [{"role": "r1"}]}],
	"items": [{"id": "i", "template": "t", "status": "new", "locations": ["leaf"], "team": {"author": ["u"]}}],
	"roles": [{"id": "r1", "name": "R1", "admin": {"localUserAdministrator": {"scope": "only_location", "grantableRoles": ["r2"]}}},
		{"id": "r2", "name": "R2", "grants": [{"templates": ["t"], "permissions": {"participate": true}}], "admin": {"localUserAdministrator": {"scope": "only_location", "grantableRoles": ["r1"]}}}],
	"templates": [{"id": "t", "name": "T", "workflow": "w", "teamType": "simple"}],
	"workflows": [{"id": "w", "name": "W"}],
	"locations": [{"id": "leaf", "name": "Leaf", "parent": "twig"}, {"id": "twig", "name": "Twig", "parent": "root"}, {"id": "root", "name": "Root"}],
	"organization": {"id": "o", "name": "O", "settings": {"impersonation": {"observers": ["u"]}}}}`

// Each call names only what an earlier one or it itself makes.
func TestOrderOfCalls(t *testing.T) {
	s := serve(t)
	s.command(t, t.TempDir(), "world.json", []byte(tree), "-limit", "2").is(t, 0)
	there := map[string]int{}
	for n, c := range s.calls {
		for k := range importer.KindCount {
			for _, id := range c.ids(t, k) {
				there[id] = n + 1
			}
		}
		if c.world["organization"] != nil {
			there["o"] = n + 1
		}
	}
	for _, pair := range [][2]string{{"root", "twig"}, {"twig", "leaf"}, {"w", "t"}, {"t", "r2"}, {"r1", "u"}, {"leaf", "u"}, {"u", "i"}, {"t", "i"}, {"u", "o"}} {
		if there[pair[0]] == 0 || there[pair[0]] > there[pair[1]] {
			t.Errorf("%s is in call %d, %s that names it in call %d", pair[0], there[pair[0]], pair[1], there[pair[1]])
		}
	}
	if there["r1"] != there["r2"] {
		t.Error("roles that name each other are in two calls")
	}
}

// A dry run makes nothing, so each of its calls has all that it names.
func TestDryRun(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	content := `{"locations": [{"id": "root", "name": "Root"}, {"id": "icu", "name": "ICU", "parent": "root"}], "users": [`
	for i := range 10 {
		content += fmt.Sprintf(`{"id": "u%d", "name": "U", "username": "u%d", "type": "general", "locations": ["icu"]},`, i, i)
	}
	content = strings.TrimSuffix(content, ",") + "]}"
	s.command(t, folder, "world.json", []byte(content), "-limit", "5", "-dry-run").is(t, 0, "Nothing was changed", "locations              2", "users                 10")
	for n, c := range s.calls {
		if c.query != "dryRun=true" || c.key != "" {
			t.Errorf("call %d: query %q, key %q", n, c.query, c.key)
		}
		if got := c.ids(t, importer.Location); len(c.ids(t, importer.User)) > 0 && !slices.Equal(got, []string{"root", "icu"}) {
			t.Errorf("call %d names locations that it has not: %v", n, got)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "state")); err == nil {
		t.Error("a dry run keeps a state")
	}
}
