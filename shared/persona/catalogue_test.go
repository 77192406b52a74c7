package persona_test

import (
	"slices"
	"strings"
	"testing"

	"gemba/shared/directory"
	"gemba/shared/persona"
)

// TestP3EveryPersonaHasEveryFact: the catalogue's only gap is that of its source:
// champions have no typical title.
func TestP3EveryPersonaHasEveryFact(t *testing.T) {
	all := persona.Catalogue("KaiNexus")
	if len(all) != int(directory.PersonaCount)-1 {
		t.Fatalf("P1 %d personas", len(all))
	}
	names := []string{"Frontline", "Leader", "Executive", "CI Coach", "KaiNexus Champion"}
	texts := map[string]directory.Persona{}
	for i, d := range all {
		if d.Persona != directory.Persona(i+1) || d.Name != names[i] {
			t.Errorf("P1 the persona at %d is %s, %q", i, d.Persona, d.Name)
		}
		if (len(d.Titles) == 0) != (d.Persona == directory.Champion) || len(d.Spreads) < 2 {
			t.Errorf("P3 %s: titles %q, spreads %q", d.Persona, d.Titles, d.Spreads)
		}
		sentences := append([]string{d.Who, d.View, d.Expected}, d.Spreads...)
		for _, text := range sentences {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("P3 %s: %q is no sentence", d.Persona, text)
			}
		}
		for _, text := range append(sentences, d.Name) {
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("P3 %s: %q", d.Persona, text)
			}
			if other, twice := texts[text]; twice {
				t.Errorf("P3 %s and %s have the same fact %q", other, d.Persona, text)
			}
			texts[text] = d.Persona
		}
		if slices.Contains(d.Titles, "") || len(slices.Compact(slices.Sorted(slices.Values(d.Titles)))) != len(d.Titles) {
			t.Errorf("P3 %s: titles %q", d.Persona, d.Titles)
		}
	}
}

// TestP3TheFacts holds what a client is told to the numbers and names that the
// catalogue's source has.
func TestP3TheFacts(t *testing.T) {
	all := persona.Catalogue("KaiNexus")
	for p, facts := range map[directory.Persona]struct {
		titles, older, group string
		spreads              int
		says                 []string
	}{
		directory.Frontline: {"Office worker, Nurse, Technician, Equipment operator", "", "", 4, []string{"80 %", "70–90 %", "simplest"}},
		directory.Leader:    {"Manager, Team leader, Division lead", "", "", 6, []string{"goals", "5–20 %", "sceptics", "standard method"}},
		directory.Executive: {"Vice president, C-suite, Division lead", "", "", 5, []string{"day to day", "5–10 %", "KPIs", "tone"}},
		directory.CICoach: {"Director of continuous improvement, Process improvement specialist", "CI Expert", "ci_experts", 4,
			[]string{"department", "Under 1 %", "most advanced"}},
		directory.Champion: {"", "Implementation Lead", "ci_experts", 2, []string{"primary", "secondary", "2–3 people", "administration", "success manager"}},
	} {
		d := all[p-1]
		if strings.Join(d.Titles, ", ") != facts.titles || strings.Join(d.OlderNames, ", ") != facts.older || d.Group != facts.group || len(d.Spreads) != facts.spreads {
			t.Errorf("P3 %+v", d)
		}
		text := strings.Join(append(d.Spreads, d.Who, d.View, d.Expected), "\n")
		for _, fact := range facts.says {
			if !strings.Contains(text, fact) {
				t.Errorf("P3 %s does not say %q: %s", p, fact, text)
			}
		}
	}
}

func TestP1TheChampionIsTheProductsOwn(t *testing.T) {
	all := persona.Catalogue("Gemba")
	if all[4].Name != "Gemba Champion" || all[3].Name != "CI Coach" {
		t.Errorf("P1 %q, %q", all[3].Name, all[4].Name)
	}
}

// TestP4GroupsAreThoseOfTheReport: the catalogue and the report speak of the same
// groups, and a persona is in the group that it says.
func TestP4GroupsAreThoseOfTheReport(t *testing.T) {
	var words []string
	for _, g := range persona.CatalogueGroups() {
		words = append(words, g.Word)
		for _, d := range persona.Catalogue("KaiNexus") {
			if (d.Group == g.Word) != slices.Contains(g.Personas, d.Persona) {
				t.Errorf("P4 %s says group %q, %s has %v", d.Persona, d.Group, g.Word, g.Personas)
			}
		}
		if g.Name == "" || !strings.Contains(g.Expected, "1 %") {
			t.Errorf("P4 %+v", g)
		}
	}
	var lines []string
	for _, line := range (persona.Report{}).Groups() {
		lines = append(lines, line.Word)
	}
	if !slices.Equal(words, lines) {
		t.Errorf("P4 the catalogue has %v, the report %v", words, lines)
	}
}

// TestP3ACatalogueIsItsReadersOwn: who changes one changes no other.
func TestP3ACatalogueIsItsReadersOwn(t *testing.T) {
	first := persona.Catalogue("KaiNexus")
	first[0].Titles[0], first[0].Spreads[0], first[3].OlderNames[0] = "x", "x", "x"
	again := persona.Catalogue("KaiNexus")
	if again[0].Titles[0] == "x" || again[0].Spreads[0] == "x" || again[3].OlderNames[0] == "x" {
		t.Error("P3 the catalogue was changed")
	}
}
