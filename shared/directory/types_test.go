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

func TestFolded(t *testing.T) {
	texts := []string{"", "Unit Lead", "UNIT lead", "οδός", "ΟΔΌΣ", "ſtaff", "Staff", "stuff", "\u212a", "k", "Straße", "STRASSE", "ı", "i", "é", "e\u0301"}
	for _, a := range texts {
		for _, b := range texts {
			if one := directory.Folded(a) == directory.Folded(b); one != strings.EqualFold(a, b) {
				t.Errorf("R1 %q and %q: the same %v", a, b, one)
			}
		}
	}
}
