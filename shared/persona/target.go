package persona

import "gemba/shared/directory"

// This file is P5: what targets mean for a number of people. Whole numbers
// only; shares are in basis points, of which whole makes all.

const whole = 10_000

// Range is a number of people, from Min to Max, both included.
type Range struct{ Min, Max int }

// distance is how many people would have to change for n to be in the range.
func (r Range) distance(n int) int { return max(r.Min-n, n-r.Max, 0) }

// verdict is what n people are to a range that can be met.
func (r Range) verdict(n int) Verdict {
	switch {
	case n < r.Min:
		return Below
	case n > r.Max:
		return Above
	}
	return Within
}

// fewest is the number of people below which no verdict means anything (P5).
const fewest = 4

// goals are the ranges that targets come to for a population.
type goals struct {
	frontline, leader, executive, experts Range
	// champions is for the organization as a whole only, nil for a part of it.
	champions *Range
}

// goalsFor are the goals for n people: all of the organization's, or those of
// a part of it (P5).
func goalsFor(t directory.Targets, n int, all bool) goals {
	g := goals{
		frontline: shareOf(t.Frontline, n), leader: shareOf(t.Leader, n), executive: shareOf(t.Executive, n),
		experts: Range{Max: under(t.ExpertsUnder, n)},
	}
	if all {
		g.champions = &Range{t.Champions.Min, t.Champions.Max}
		g.experts.Max = max(g.experts.Max, t.Champions.Max)
	}
	return g
}

// shareOf is a share of n people, met to within one person.
func shareOf(s directory.Share, n int) Range {
	return Range{s.Min * n / whole, ceil(s.Max * n)}
}

// under is the most people that are less than a share of n, one at least.
func under(share, n int) int { return max(ceil(share*n)-1, 1) }

func ceil(points int) int { return (points + whole - 1) / whole }

// reachable tells whether some distribution of n people, some perhaps without
// a persona, meets every goal. All goals are ranges and nobody is in two of
// them but the champions, who are among the experts. So one exists exactly if
// each range holds a number, the experts have room for the champions, and the
// least that all ask for is no more than n.
func (g goals) reachable(n int) bool {
	experts := g.experts
	if g.champions != nil {
		if g.champions.empty() {
			return false
		}
		experts.Min = max(experts.Min, g.champions.Min)
	}
	least := 0
	for _, r := range []Range{g.frontline, g.leader, g.executive, experts} {
		if r.empty() {
			return false
		}
		least += r.Min
	}
	return least <= n
}

func (r Range) empty() bool { return r.Min > r.Max }

// of is the goal of a persona; nil for one that has none: no persona, coaches,
// and champions in a part of the organization.
func (g goals) of(p directory.Persona) *Range {
	switch p {
	case directory.Frontline:
		return &g.frontline
	case directory.Leader:
		return &g.leader
	case directory.Executive:
		return &g.executive
	case directory.Champion:
		return g.champions
	}
	return nil
}
