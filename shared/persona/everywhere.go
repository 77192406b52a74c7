package persona

import (
	"math/bits"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// This file is count for every location at once. Everybody is added where they
// are and handed up the tree once for all, so that what it takes does not depend
// on how deep the tree is.

// countEach is count for every location, by its id; a location without anybody
// is not in it.
func countEach(m *authz.Model, populations []Population, today directory.Day) map[string]*Tally {
	t := treeOf(m)
	sums := make([]Tally, len(t.order))
	for _, p := range populations {
		var people Tally
		people.add(p, today)
		places := t.places(p.Locations)
		for i, n := range places {
			sums[n].plus(1, people)
			if i == 0 {
				continue
			}
			// Above where two of their locations meet they would be counted twice.
			if meet := t.meeting(places[i-1], n); meet >= 0 {
				sums[meet].plus(-1, people)
			}
		}
	}
	all := map[string]*Tally{}
	for n := len(sums) - 1; n >= 0; n-- {
		if above := t.above[n]; above >= 0 {
			sums[above].plus(1, sums[n])
		}
		if sums[n] != (Tally{}) {
			all[t.order[n]] = &sums[n]
		}
	}
	return all
}

// tree is the locations in preorder: each has the number of its place in order,
// and above it that of its parent, -1 over a root. least[k][n] is the least that
// is above any of the 1<<k locations from n on.
type tree struct {
	order []string
	named map[string]int
	above []int
	least [][]int
}

func treeOf(m *authz.Model) tree {
	t := tree{named: map[string]int{}}
	for _, l := range m.Policy().Locations {
		if _, inside := m.Location(l.Parent); !inside {
			t.order = append(t.order, m.Subtree(l.ID)...)
		}
	}
	t.above = make([]int, len(t.order))
	for n, id := range t.order {
		t.named[id], t.above[n] = n, -1
		l, _ := m.Location(id)
		if above, inside := t.named[l.Parent]; inside {
			t.above[n] = above
		}
	}
	t.least = [][]int{t.above}
	for half := 1; 2*half <= len(t.order); half *= 2 {
		last := t.least[len(t.least)-1]
		next := make([]int, len(last)-half)
		for n := range next {
			next[n] = min(last[n], last[n+half])
		}
		t.least = append(t.least, next)
	}
	return t
}

// places are the numbers of those of the locations that there are, in order.
func (t tree) places(locations []string) []int {
	var all []int
	for _, l := range locations {
		if n, there := t.named[l]; there {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// meeting is the lowest location that two are in, of which a comes before b; -1
// for none. Between them in preorder is nothing outside it, and a child of it.
func (t tree) meeting(a, b int) int {
	k := bits.Len(uint(b-a)) - 1
	return min(t.least[k][a+1], t.least[k][b+1-1<<k])
}

// plus adds people so many times.
func (t *Tally) plus(times int, people Tally) {
	t.Counts.plus(times, people.Counts)
	t.OnTeam.plus(times, people.OnTeam)
	t.Active7.plus(times, people.Active7)
	t.Active30.plus(times, people.Active30)
}

func (c *Counts) plus(times int, other Counts) {
	for p, n := range other {
		c[p] += times * n
	}
}
