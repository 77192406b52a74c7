package persona

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// day is what an audit found: targets, and the people at each location, the whole
// being all of them.
type day struct {
	targets directory.Targets
	at      map[string]Counts
}

func (d day) spread(slot string) spread {
	s := spread{everywhere: map[string]Tally{}}
	var whole Counts
	for l, c := range d.at {
		s.everywhere[l] = Tally{Counts: c}
		for p, n := range c {
			whole[p] += n
		}
	}
	s.audit = Audit{ID: slot, Slot: slot, Targets: d.targets, Report: judge(d.targets, Tally{Counts: whole}, "", at)}
	return s
}

// news is what the schedule tells after two days.
func (d day) news(next day) News {
	var policy authz.Policy
	for l := range next.at {
		policy.Locations = append(policy.Locations, authz.Location{ID: l, Name: l})
	}
	was, is := d.spread("2026-12-01"), next.spread("2026-12-02")
	is.audit.Against, is.audit.Changed = was.audit.ID, shifts(was.audit.Report, is.audit.Report)
	return News{Audit: is.audit, Before: was.audit, Locations: locationNews(authz.Compile(policy), was, is)}
}

func here(c Counts) day { return day{directory.DefaultTargets(), map[string]Counts{"here": c}} }

func lettered(n News) Letter {
	return n.letter(directory.Organization{ID: "h", Name: "St. Mary", Settings: directory.DefaultSettings()}, "c@example.org")
}

// usual is a hundred people of whom each persona's are enough.
var usual = Counts{0, 80, 11, 6, 0, 3}

func TestP6ALetter(t *testing.T) {
	contradicting := directory.DefaultTargets()
	contradicting.Leader = directory.Share{Min: 5000, Max: 10000}
	const closing = `
You are told because you are a champion of St. Mary. The next mail comes when a verdict of the whole organization changes.
`
	for name, c := range map[string]struct {
		was, is       day
		subject, text string
	}{
		"P6 one change, and something that is as before": {
			here(Counts{14, 60, 15, 8, 0, 3}), here(Counts{0, 60, 31, 6, 0, 3}),
			"KaiNexus: St. Mary: too many Leaders (31 of 5–20)", `Personas of St. Mary

The audit of 2026-12-02 counted 100 people. Since the audit of 2026-12-01, this has changed:

- Leader has too many people now (it was within its target): 31 people, the target is 5–20, so 11 are too many.

Still outside their targets: Frontline, 10 too few.

What to do, with the fewest people:

- Give 10 of the people whose persona is Leader the persona Frontline.
- Give 1 of the people whose persona is Leader the persona Executive.

Your administrator sees who fits with GET /v1/persona-plan, and changes many people at once with POST /v1/persona-changes.

Locations, with all below each, whose verdicts have changed too:

- here (100 people): Leader, 11 too many (within target before).
`,
		},
		"P6 all is met, but not at some locations": {
			day{directory.DefaultTargets(), map[string]Counts{"west": {0, 40, 5, 3, 0, 1}, "east": {0, 40, 6, 3, 1, 0}, "desk": {0, 4, 0, 0, 0, 0}}},
			day{directory.DefaultTargets(), map[string]Counts{"west": {0, 45, 1, 3, 0, 1}, "east": {0, 35, 10, 3, 0, 1}, "desk": {0, 3, 0, 0, 0, 1}}},
			"KaiNexus: St. Mary: KaiNexus Champions within target (3 of 2–3)", `Personas of St. Mary

The audit of 2026-12-02 counted 103 people. Since the audit of 2026-12-01, this has changed:

- KaiNexus Champion is within its target now (it had too few): 3 people, the target is 2–3.

All targets of the whole organization are met.

1 location is outside its own targets, with all below each:

- west (50 people): Leader, 1 too few (within target before).
`,
		},
		"P6 the targets contradict now": {
			day{directory.DefaultTargets(), map[string]Counts{"big": {9, 113, 47, 13, 1, 2}, "desk": {0, 4, 0, 0, 0, 0}}},
			day{contradicting, map[string]Counts{"big": {9, 113, 47, 13, 1, 2}, "desk": {0, 3, 0, 0, 0, 0}}},
			"KaiNexus: St. Mary: the targets cannot be met", `Personas of St. Mary

The targets ask for at least 225 people (Frontline 131, Leader 94), and there are 188, so none is judged.

The audit of 2026-12-02 counted 188 people. The targets were changed since the audit of 2026-12-01, and its verdicts hold no more: Frontline, too few; Leader, too many; Executive, within target; KaiNexus Champion, within target; the group of CI Coaches and KaiNexus Champions, within target.

No relabelling helps, only other targets do. Your administrator changes them with PUT /v1/organization.

Locations, with all below each, whose verdicts have changed too:

- desk (3 people): not judged any more, as fewer than 4 people never are.

The same holds for 1 location.
`,
		},
		"P6 the targets contradict no more": {
			day{contradicting, map[string]Counts{"big": {9, 113, 47, 13, 1, 2}, "desk": {0, 4, 0, 0, 0, 0}}},
			day{directory.DefaultTargets(), map[string]Counts{"big": {9, 113, 47, 13, 1, 2}, "desk": {0, 4, 0, 0, 0, 0}}},
			"KaiNexus: St. Mary: too few Frontline people (117 of 132–171), and 4 more changes", `Personas of St. Mary

The audit of 2026-12-02 counted 189 people. The targets were changed since the audit of 2026-12-01, and this has changed as well:

- Frontline has too few people now (it was not judged): 117 people, the target is 132–171, so 15 are too few.
- Leader has too many people now (it was not judged): 47 people, the target is 9–38, so 9 are too many.
- Executive is within its target now (it was not judged): 13 people, the target is 9–19.
- KaiNexus Champion is within its target now (it was not judged): 2 people, the target is 2–3.
- The group of CI Coaches and KaiNexus Champions is within its target now (it was not judged): 3 people, the target is 0–3.

What to do, with the fewest people:

- Give 6 of the people who have no persona the persona Frontline.
- Give 9 of the people whose persona is Leader the persona Frontline.

Your administrator sees who fits with GET /v1/persona-plan, and changes many people at once with POST /v1/persona-changes.

Locations, with all below each, whose verdicts have changed too:

- big (185 people): Frontline, 16 too few (not judged before); Leader, 10 too many (not judged before); the group of CI Coaches and KaiNexus Champions, 2 too many (not judged before).
- desk (4 people): Leader, within target (too few before).
`,
		},
		"P6 too few people": {
			here(Counts{0, 4, 0, 0, 0, 2}), here(Counts{0, 1, 0, 0, 0, 2}),
			"KaiNexus: St. Mary: too few people to be judged", `Personas of St. Mary

Fewer than 4 people are not judged, and there are 3.

The audit of 2026-12-02 counted 3 people. The verdicts of the audit of 2026-12-01 hold no more: Frontline, within target; Leader, within target; Executive, within target; KaiNexus Champion, within target; the group of CI Coaches and KaiNexus Champions, within target.
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := lettered(c.was.news(c.is))
			if diff := cmp.Diff(c.text+closing, l.Text); diff != "" {
				t.Error(diff)
			}
			if l.Subject != c.subject || l.To != "c@example.org" {
				t.Errorf("%q to %q", l.Subject, l.To)
			}
		})
	}
}

// What is within and what is outside are never said of the same letter, whatever the
// people of two days were.
func TestP6ALetterTellsOfAllThatIsOutside(t *testing.T) {
	counts := func(most ...int) *rapid.Generator[Counts] {
		return rapid.Custom(func(t *rapid.T) (c Counts) {
			for p := range c {
				c[p] = rapid.IntRange(0, most[p]).Draw(t, "people")
			}
			return c
		})
	}
	found := counts(20, 100, 25, 12, 3, 4)
	rapid.Check(t, func(t *rapid.T) {
		was, is := here(found.Draw(t, "was")), here(found.Draw(t, "is"))
		n := was.news(is)
		if len(n.Changed) == 0 {
			return
		}
		l := lettered(n)
		met := strings.Contains(l.Text, "All targets of the whole organization are met.")
		if outside := len(n.Report.outside()); met != (outside == 0 && n.Report.Contradiction() == nil) {
			t.Fatalf("P6 %d outside: %s", outside, l.Text)
		}
		for _, line := range n.Report.outside() {
			if !strings.Contains(l.Text, fmt.Sprintf("%d %s ", line.Change, "are")) && !strings.Contains(l.Text, line.Words()) && !strings.Contains(l.Text, "1 is "+line.Verdict.Words()) {
				t.Errorf("P6 %s, %s is not told: %s", line.Word, line.Words(), l.Text)
			}
		}
		for _, part := range strings.Split(l.Text, "\n") {
			if part = strings.TrimPrefix(part, "- "); !strings.Contains(l.HTML, ">"+part+"<") && part != "" {
				t.Errorf("%q is not in the HTML", part)
			}
		}
	})
}

// The largest locations are named where the whole organization is as it should be.
func TestP6ALetterNamesTheLargestLocationsThatAreOutside(t *testing.T) {
	was, is := day{directory.DefaultTargets(), map[string]Counts{}}, day{directory.DefaultTargets(), map[string]Counts{}}
	for i := range 25 {
		was.at[fmt.Sprintf("site-%02d", i)] = Counts{0, 40 + i, 1, 4, 0, 0}
		is.at[fmt.Sprintf("site-%02d", i)] = Counts{0, 40 + i, 1, 4, 0, 0}
	}
	was.at["lead"], is.at["lead"] = Counts{0, 20, 50, 8, 0, 0}, Counts{0, 20, 50, 8, 0, 2}
	l := lettered(was.news(is))
	_, list, _ := strings.Cut(l.Text, "26 locations are outside their own targets, with all below each:\n\n")
	list, _, _ = strings.Cut(list, "\n\n")
	lines := strings.Split(list, "\n")
	if len(lines) != mostLocations+1 || lines[0] != "- lead (80 people): Frontline, 36 too few; Leader, 34 too many; the group of CI Coaches and KaiNexus Champions, 1 too many (within target before)." ||
		lines[1] != "- site-24 (69 people): Frontline, 1 too many; Leader, 2 too few." || lines[mostLocations] != "- and 6 more." {
		t.Errorf("P6 %s", l.Text)
	}
}

func TestP6AMoveInWords(t *testing.T) {
	for want, m := range map[string]Move{
		"Take the persona CI Coach from 3 of the people who have it.":                   {directory.CICoach, directory.NoPersona, 3},
		"Give 1 of the people who have no persona the persona KaiNexus Champion.":       {directory.NoPersona, directory.Champion, 1},
		"Give 12 of the people whose persona is Leader the persona Frontline.":          {directory.Leader, directory.Frontline, 12},
		"Give 2 of the people whose persona is KaiNexus Champion the persona CI Coach.": {directory.Champion, directory.CICoach, 2},
	} {
		if got := moving(m, "KaiNexus"); got != want {
			t.Errorf("P6 %q, want %q", got, want)
		}
	}
}

func TestT5ALetterHoldsNoMarkupAndNoHeader(t *testing.T) {
	o := directory.Organization{ID: "h", Name: "<b>St. Mary</b>\r\nBcc: a@example.org", Settings: directory.DefaultSettings()}
	o.Settings.ProductName = "K\r\nCc: b@example.org<i>"
	was, is := here(usual), here(Counts{0, 80, 11, 6, 0, 0})
	n := was.news(is)
	n.Locations = append(n.Locations, LocationNews{Name: "I\r\nC<i>U", Report: judge(directory.DefaultTargets(), Tally{Counts: Counts{0, 2, 9}}, "icu", at), Changed: []Shift{{"leader", Within, Above}}})
	l := n.letter(o, "c@example.org")
	for _, text := range []string{l.Subject, l.Text, l.HTML} {
		for _, start := range []string{"\r", "\nBcc", "\nCc", "\nC<", "\nC&"} {
			if strings.Contains(text, start) {
				t.Errorf("T5 %q in %s", start, text)
			}
		}
	}
	if strings.Contains(l.HTML, "<b>") || strings.Contains(l.HTML, "<i>") || strings.Contains(l.Subject, "\n") {
		t.Errorf("T5 %s", l.HTML)
	}
	if !strings.Contains(l.HTML, "<li>K  Cc: b@example.org&lt;i&gt; Champion has too few people now") || !strings.Contains(l.Text, "\n- I  C<i>U (11 people): Leader, 6 too many (within target before).\n") {
		t.Errorf("T5 %s", l.Text)
	}
}
