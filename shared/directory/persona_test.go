package directory_test

import (
	"testing"

	"gemba/shared/directory"
)

func TestP1Personas(t *testing.T) {
	words, titles := map[string]bool{}, map[string]bool{}
	for p := directory.NoPersona; p < directory.PersonaCount; p++ {
		word, title := p.String(), p.Title("Gemba")
		if (word == "" || title == "") != (p == directory.NoPersona && word == "" && title == "") || words[word] || titles[title] {
			t.Errorf("P1 persona %d is %q, shown as %q", p, word, title)
		}
		words[word], titles[title] = true, true
		if parsed, known := directory.ParsePersona(word); !known || parsed != p {
			t.Errorf("P1 %q is read as %v, %v", word, parsed, known)
		}
	}
	if title := directory.Champion.Title("Gemba"); title != "Gemba Champion" {
		t.Errorf("P1 the champion is shown as %q", title)
	}
	for _, word := range []string{"Leader", "none", "CI Coach", " "} {
		if p, known := directory.ParsePersona(word); known {
			t.Errorf("P1 %q is no word, but %v", word, p)
		}
	}
	if p := directory.PersonaCount; p.String() != "" || p.Title("Gemba") != "" || p.OlderNames() != nil {
		t.Errorf("P1 what is no persona has names: %q, %q, %q", p.String(), p.Title("Gemba"), p.OlderNames())
	}
}
