package directory_test

import (
	"strings"
	"testing"

	"gemba/shared/directory"
)

func TestIDs(t *testing.T) {
	for text, want := range map[string]bool{
		"a": true, "A9_.-": true, "9": true, strings.Repeat("a", 64): true,
		"": false, ".a": false, "_a": false, "-a": false, "a b": false, "ä": false, "a/b": false, "a#b": false, strings.Repeat("a", 65): false,
	} {
		if directory.IsID(text) != want {
			t.Errorf("IsID(%q) is %v", text, !want)
		}
	}
}
