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

// TestP1TheChampionIsNamedAfterTheProduct in all that is said of personas.
func TestP1TheChampionIsNamedAfterTheProduct(t *testing.T) {
	o := directory.Organization{Name: "St. Mary", Settings: directory.DefaultSettings()}
	o.Settings.ProductName = "Kata"
	now := judge(o.Settings.Targets, Tally{Counts: Counts{0, 4, 0, 0, 0, 1}}, "", at)
	shifted := []Shift{{"champion", Within, Below}, {Experts, Above, Within}}
	news := News{
		Audit: Audit{Report: now, Targets: o.Settings.Targets, Changed: shifted}, Locations: []LocationNews{{Name: "ICU", Report: now, Changed: shifted}},
	}
	champion := Meant{"contact", "Contact", directory.Champion}
	s := standing{directory.Leader, []Meant{champion}, []Meant{champion}, "Kata"}
	l := news.letter(o, "c@example.org")
	said := l.Subject + l.Text + s.reason(NeedsLess)
	for _, w := range s.ways(NeedsLess, func(Deed, Meant) bool { return true }) {
		said += w.Sentence
	}
	if strings.Contains(said, "KaiNexus") || strings.Count(said, "Kata Champion") != 8 {
		t.Errorf("P1 %s", said)
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
