package persona

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// What an audit of the whole organization is kept with tells of each location what an
// audit of it alone would have told (P6, P8), whatever the tree and whoever is where.
func TestP6AnAuditOfAllTellsOfEachLocationWhatItsOwnWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var policy authz.Policy
		n := rapid.IntRange(1, 12).Draw(t, "locations")
		for i := range n {
			l := authz.Location{ID: fmt.Sprint("l", i)}
			if up := rapid.IntRange(-1, i-1).Draw(t, "parent"); up >= 0 {
				l.Parent = fmt.Sprint("l", up)
			}
			policy.Locations = append(policy.Locations, l)
		}
		m := authz.Compile(policy)
		counts := rapid.Custom(func(t *rapid.T) (c Counts) {
			for p := range c {
				c[p] = rapid.IntRange(0, 40).Draw(t, "people")
			}
			return c
		})
		today := directory.DayOf(at)
		var census Census
		for range rapid.IntRange(0, 15).Draw(t, "sets") {
			p := Population{Counts: counts.Draw(t, "counts"), OnTeam: counts.Draw(t, "onTeam"), Seen: map[directory.Day]Counts{}}
			for _, l := range rapid.SliceOfNDistinct(rapid.IntRange(0, n), 1, min(n, 3), rapid.ID).Draw(t, "set") {
				p.Locations = append(p.Locations, fmt.Sprint("l", l)) // ln is no location: one that is gone
			}
			p.Seen[today-directory.Day(rapid.IntRange(0, 40).Draw(t, "days"))] = counts.Draw(t, "seen")
			census.Populations = append(census.Populations, p)
		}
		targets := directory.DefaultTargets()
		targets.Leader.Min = rapid.IntRange(0, 9000).Draw(t, "least leaders")
		whole, everywhere := survey(m, targets, census, "", at)
		kept := map[string]Tally{}
		for l, tally := range everywhere {
			kept[l] = *tally
		}
		audit := spread{Audit{Report: whole, Targets: targets}, kept}
		for _, l := range policy.Locations {
			alone, none := survey(m, targets, census, l.ID, at)
			if diff := cmp.Diff(alone, audit.at(l.ID)); diff != "" || none != nil {
				t.Fatalf("P6 %s: %s", l.ID, diff)
			}
		}
	})
}

func TestP6WhatMovedIsADifference(t *testing.T) {
	var before, after Report
	before.Engaged[directory.Frontline] = Engagement{Active7: 5, Active30: 9, OnTeam: 3}
	after.Engaged[directory.Frontline] = Engagement{Active7: 2, Active30: 12, OnTeam: 3}
	after.Engaged[directory.NoPersona] = Engagement{Active7: 1}
	want := &Moved{Since: "2026-03-01"}
	want.By[directory.Frontline] = Engagement{Active7: -3, Active30: 3}
	want.By[directory.NoPersona] = Engagement{Active7: 1}
	if diff := cmp.Diff(want, movement(Audit{ID: "2026-03-01", Report: before}, after)); diff != "" {
		t.Errorf("P6 %s", diff)
	}
}

func TestP6ALetterSaysWhatToDo(t *testing.T) {
	o := directory.Organization{ID: "h", Name: "St. Mary", Settings: directory.DefaultSettings()}
	for name, c := range map[string]struct {
		counts Counts
		says   string
	}{
		"nothing":         {Counts{22, 171, 30, 14, 1, 2}, "\nNothing has to be done: every count that can be judged is within its target.\n"},
		"one person":      {Counts{0, 4, 0, 0, 0, 1}, "\nWhat to do, with the fewest people:\n\n- Label 1 person as KaiNexus Champion, now Frontline.\n- GET"},
		"none of a label": {Counts{8, 2, 0, 0, 0, 0}, "- Label 5 people as Frontline, now without a persona.\n- Label 2 people as KaiNexus Champion, now without a persona.\n"},
		"too many of one": {Counts{0, 7, 0, 0, 4, 2}, "- Label 2 people as Frontline, now CI Coach.\n- Label 1 person as Leader, now CI Coach.\n"},
		"too few":         {Counts{0, 3}, "- No relabelling helps: of fewer than 4 people nothing can be said.\n"},
	} {
		news := News{Audit: Audit{Slot: "2026-03-01", Report: judge(o.Settings.Targets, Tally{Counts: c.counts}, "", at), Targets: o.Settings.Targets}}
		l := letter(o, news, "c@example.org")
		if !strings.Contains(l.Text, c.says) || strings.Contains(l.Text, "Locations") {
			t.Errorf("P6 %s: %s", name, l.Text)
		}
	}
}

// TestP1TheChampionIsNamedAfterTheProduct in all that is said of personas.
func TestP1TheChampionIsNamedAfterTheProduct(t *testing.T) {
	o := directory.Organization{Name: "St. Mary", Settings: directory.DefaultSettings()}
	o.Settings.ProductName = "Kata"
	now := judge(o.Settings.Targets, Tally{Counts: Counts{0, 4, 0, 0, 0, 1}}, "", at)
	shifted := []Shift{{"champion", Within, Below}, {Experts, Above, Within}}
	news := News{
		Audit: Audit{Report: now, Targets: o.Settings.Targets, Changed: shifted}, Locations: []ChangedLocation{{Name: "ICU", Base: 5, Changed: shifted}},
	}
	champion := Meant{"contact", "Contact", directory.Champion}
	s := standing{directory.Leader, []Meant{champion}, []Meant{champion}, "Kata"}
	said := letter(o, news, "c@example.org").Text + s.reason(NeedsLess)
	for _, w := range s.ways(NeedsLess, func(Deed, Meant) bool { return true }) {
		said += w.Sentence
	}
	if strings.Contains(said, "KaiNexus") || strings.Count(said, "Kata Champion") != 7 {
		t.Errorf("P1 %s", said)
	}
}

func TestP6ALetterSaysWhichTargetsContradict(t *testing.T) {
	targets := directory.DefaultTargets()
	targets.Leader = directory.Share{Min: 4000, Max: 5000}
	a := Audit{Report: judge(targets, Tally{Counts: Counts{0, 80, 15, 5, 0, 0}}, "", at), Targets: targets}
	if text := moving(Move{directory.CICoach, directory.NoPersona, 3}, "KaiNexus"); text != "Leave 3 people without a persona, now CI Coach." {
		t.Errorf("P6 %s", text)
	}
	want := []string{"No relabelling helps: the targets ask for at least 110 people (Frontline 70, Leader 40), and there are 100. Other targets do (PUT /v1/organization)."}
	if diff := cmp.Diff(want, advice(a, "KaiNexus")); diff != "" {
		t.Errorf("P6 %s", diff)
	}
}

func TestOrdersAreInTheOrderOfTime(t *testing.T) {
	last := ""
	for i := range 100 {
		order := orderOf(at.Add(time.Duration(i) * time.Millisecond))
		if order <= last || !directory.IsID(order) {
			t.Errorf("%s after %s", order, last)
		}
		last = order
	}
}
