// Package shipped judges what is deployed, not how it is written: that imports
// go one way, that template, OpenAPI and functions name the same routes, that
// the template says what cfn-lint cannot know, and that each function as `sam
// build` makes it answers the events of infra/events under the Lambda runtime
// interface emulator.
//
// It knows the repository from outside: its files, the go command, sam and
// make. What it needs from registries it fetches by the Makefile.
package shipped

import (
	"os"
	"path/filepath"
	"testing"
)

// repository is the root of the repository, seen from this package.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// file is the content of a file of the repository.
func file(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
