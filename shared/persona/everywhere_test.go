package persona

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// TestP8EveryLocationIsCountedAsByItself: in any forest, with people in any sets
// of locations, some of which are gone, counting all at once says of each location
// what counting it alone does.
func TestP8EveryLocationIsCountedAsByItself(t *testing.T) {
	const today = directory.Day(20_000)
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(r, "locations")
		var policy authz.Policy
		for i := range n {
			parent := rapid.IntRange(-1, n-1).Draw(r, "parent") // a circle is in no tree
			policy.Locations = append(policy.Locations, authz.Location{ID: fmt.Sprint("l", i), Parent: fmt.Sprint("l", parent)})
		}
		m := authz.Compile(policy)
		var populations []Population
		for range rapid.IntRange(0, 8).Draw(r, "sets") {
			set := rapid.SliceOfNDistinct(rapid.IntRange(0, n), 1, min(n+1, 5), rapid.ID).Draw(r, "set")
			p := Population{Seen: map[directory.Day]Counts{}}
			for _, l := range set {
				p.Locations = append(p.Locations, fmt.Sprint("l", l)) // the last is none
			}
			draw := func() (c Counts) {
				c[rapid.IntRange(0, int(directory.PersonaCount)-1).Draw(r, "persona")] = rapid.IntRange(0, 3).Draw(r, "people")
				return c
			}
			p.Counts, p.OnTeam = draw(), draw()
			p.Seen[today-directory.Day(rapid.IntRange(0, MonthDays+1).Draw(r, "days"))] = draw()
			populations = append(populations, p)
		}
		want := map[string]*Tally{}
		for _, l := range policy.Locations {
			if sum := count(m, populations, l.ID, today); sum != (Tally{}) {
				want[l.ID] = &sum
			}
		}
		if diff := cmp.Diff(want, countEach(m, populations, today)); diff != "" {
			r.Fatalf("P8 (-alone +at once):\n%s", diff)
		}
	})
}

// TestP8DeepTreesAreCountedInNoTime: twenty thousand locations, each in the one
// before, with people in as many sets of several.
func TestP8DeepTreesAreCountedInNoTime(t *testing.T) {
	const deep = 20_000
	var policy authz.Policy
	var populations []Population
	for i := range deep {
		l := authz.Location{ID: fmt.Sprint("l", i)}
		if i > 0 {
			l.Parent = fmt.Sprint("l", i-1)
		}
		policy.Locations = append(policy.Locations, l)
		populations = append(populations, Population{
			Locations: []string{l.ID, fmt.Sprint("l", deep-1-i/3), fmt.Sprint("l", i/2)}, Counts: Counts{directory.Frontline: 1},
		})
	}
	m := authz.Compile(policy)
	start := time.Now()
	each := countEach(m, populations, 20_000)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("P8 it took %s", took)
	}
	if got := each["l0"].Counts.Base(); got != deep {
		t.Errorf("P8 %d of %d at the root", got, deep)
	}
}
