package persona

import (
	"slices"
	"testing"

	"gemba/shared/directory"
)

func TestP6EveryVerdictHasWordsOfItsOwn(t *testing.T) {
	var verdicts, rows []string
	for v := range VerdictCount {
		verdicts, rows = append(verdicts, v.Words()), append(rows, Row{Verdict: v, Change: 2}.Words())
	}
	if want := []string{"no target", "too few", "within target", "too many", "not judged"}; !slices.Equal(verdicts, want) {
		t.Errorf("%q", verdicts)
	}
	if want := []string{"no target", "2 too few", "within target", "2 too many", "not judged"}; !slices.Equal(rows, want) {
		t.Errorf("%q", rows)
	}
}

func TestP5AContradictionInWords(t *testing.T) {
	contradicting := directory.DefaultTargets()
	contradicting.Leader = directory.Share{Min: 5000, Max: 9000}
	single := directory.DefaultTargets()
	single.Champions = directory.People{Min: 12, Max: 14}
	for _, c := range []struct {
		targets directory.Targets
		base    int
		want    string
	}{
		{contradicting, 188, "The targets ask for at least 225 people (Frontline 131, Leader 94), and there are 188, so none is judged."},
		{single, 10, "The target of Kata Champion asks for at least 12 people, and there are 10, so none is judged."},
		{single, 13, "The targets ask for at least 21 people (Kata Champion 12, Frontline 9), and there are 13, so none is judged."},
		{contradicting, 1, "Fewer than 4 people are not judged, and there is 1."},
		{contradicting, 0, "Fewer than 4 people are not judged, and there is nobody."},
	} {
		report := judge(c.targets, Tally{Counts: Counts{0, c.base}}, "", at)
		found := report.Contradiction()
		if found == nil {
			t.Fatalf("%d people: none", c.base)
		}
		if got := found.Sentence(c.base, "Kata"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
