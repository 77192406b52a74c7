package page

import (
	"slices"
	"testing"

	"gemba/shared/directory"
	"gemba/shared/persona"
)

// judgedAs is a report of so many people with these verdicts: frontline,
// leader, executive, champion, experts.
func judgedAs(base, none int, rows ...persona.Row) persona.Report {
	r := persona.Report{Base: base, Experts: rows[4]}
	r.Personas[directory.NoPersona].Count = none
	for i, p := range []directory.Persona{directory.Frontline, directory.Leader, directory.Executive, directory.Champion} {
		r.Personas[p] = rows[i]
	}
	return r
}

func TestSummary(t *testing.T) {
	met := persona.Row{Verdict: persona.Within}
	short := func(n int) persona.Row { return persona.Row{Verdict: persona.Below, Change: n} }
	over := func(n int) persona.Row { return persona.Row{Verdict: persona.Above, Change: n} }
	never := persona.Row{Verdict: persona.Unreachable, Change: 1}
	asking := func(least int) persona.Row {
		return persona.Row{Verdict: persona.Unreachable, Range: persona.Range{Min: least, Max: 100}}
	}
	for _, c := range []struct {
		report persona.Report
		want   string
	}{
		{judgedAs(188, 0, met, met, met, met, met), "All 5 targets are met."},
		{judgedAs(188, 1, met, met, short(3), met, met), "4 of 5 targets are met. Executive: 3 too few. 1 person has no persona."},
		{judgedAs(188, 12, short(20), over(9), met, short(1), met), "2 of 5 targets are met. Frontline: 20 too few; Leader: 9 too many; KaiNexus Champion: 1 too few. 12 people have no persona."},
		{judgedAs(188, 0, short(2), short(2), short(2), met, over(2)), "1 of 5 targets is met. Frontline: 2 too few; Leader: 2 too few; Executive: 2 too few; CI experts: 2 too many."},
		{judgedAs(9, 0, short(1), short(1), short(1), short(1), over(1)), "None of 5 targets is met. Frontline: 1 too few; Leader: 1 too few; Executive: 1 too few; KaiNexus Champion: 1 too few; CI experts: 1 too many."},
		{judgedAs(100, 100, asking(70), asking(40), asking(5), asking(2), asking(0)), "The targets ask for at least 110 people (Frontline 70, Leader 40), and there are 100, so none is judged. 100 people have no persona."},
		{judgedAs(10, 0, asking(7), asking(0), asking(0), asking(12), asking(0)), "The target of KaiNexus Champion asks for at least 12 people, and there are 10, so none is judged."},
		{judgedAs(3, 2, never, never, never, never, never), "Only 3 people are counted here: fewer than four are not judged. 2 people have no persona."},
		{judgedAs(1, 0, never, never, never, never, never), "Only 1 person is counted here: fewer than four are not judged."},
		{judgedAs(0, 0, never, never, never, never, never), "Nobody is counted here yet."},
		{judgedAs(50, 0, met, met, met, persona.Row{}, met), "All 4 targets are met."},
	} {
		if got := summary(of("KaiNexus", c.report)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestEveryVerdictHasItsWordsAndMark: no two are told alike, so colour is never
// all that tells them apart.
func TestEveryVerdictHasItsWordsAndMark(t *testing.T) {
	var words, shapes []string
	for v := range persona.VerdictCount {
		words = append(words, persona.Row{Verdict: v, Change: 2}.Words())
	}
	for _, m := range marks {
		if v, known := persona.ParseVerdict(m.word); !known || v == persona.NoVerdict {
			t.Errorf("a mark for %s", m.word)
		}
		shapes = append(shapes, m.path)
	}
	for _, list := range [][]string{words, shapes} {
		slices.Sort(list)
		if slices.Contains(list, "") || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%q", list)
		}
	}
	if len(shapes) != int(persona.VerdictCount)-1 {
		t.Errorf("%d marks", len(shapes))
	}
}

// of is a report of an organization whose product has this name.
func of(product string, r persona.Report) persona.Overview {
	return persona.Overview{Organization: directory.Organization{Settings: directory.Settings{ProductName: product}}, Report: r}
}

// TestP1EveryWordHasATitle, and the champion that of the organization's product.
func TestP1EveryWordHasATitle(t *testing.T) {
	for _, product := range []string{"KaiNexus", "Kata"} {
		var titles []string
		for _, l := range (persona.Report{}).AllLines() {
			titles = append(titles, title(of(product, persona.Report{}), l.Word))
		}
		want := []string{"Frontline", "Leader", "Executive", "CI Coach", product + " Champion", "No persona", "CI experts"}
		if !slices.Equal(titles, want) {
			t.Errorf("P1 %q", titles)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		count, base int
		want        string
	}{{0, 0, "–"}, {0, 7, "0.0%"}, {7, 7, "100.0%"}, {1, 3, "33.3%"}, {2, 3, "66.7%"}, {1, 2000, "0.1%"}, {1, 2001, "0.0%"}, {171, 240, "71.3%"}} {
		if got := percent(c.count, c.base); got != c.want {
			t.Errorf("%d of %d is %s, want %s", c.count, c.base, got, c.want)
		}
	}
}
