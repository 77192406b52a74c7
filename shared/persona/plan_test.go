package persona

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/directory"
)

// custom are targets unlike the default ones: narrow, wide, exact, and such as
// contradict for some numbers of people or for all.
func custom() map[string]directory.Targets {
	of := func(frontline, leader, executive [2]int, under int, champions [2]int) directory.Targets {
		share := func(s [2]int) directory.Share { return directory.Share{Min: s[0], Max: s[1]} }
		return directory.Targets{
			Frontline: share(frontline), Leader: share(leader), Executive: share(executive),
			ExpertsUnder: under, Champions: directory.People{Min: champions[0], Max: champions[1]},
		}
	}
	type to = [2]int
	return map[string]directory.Targets{
		"default":          directory.DefaultTargets(),
		"thirds":           of(to{3000, 3500}, to{3000, 3500}, to{3000, 3500}, 3000, to{0, 2}),
		"wide":             of(to{1000, 8000}, to{1000, 6000}, to{500, 4000}, 4000, to{1, 12}),
		"nobody":           of(to{0, 0}, to{0, 0}, to{0, 0}, 0, to{0, 0}),
		"many experts":     of(to{0, 2000}, to{1000, 2000}, to{0, 1000}, 9000, to{1, 4}),
		"exact":            of(to{5000, 5000}, to{2500, 2500}, to{1000, 1000}, 2000, to{1, 1}),
		"more than all":    of(to{7000, 9000}, to{6000, 7000}, to{5000, 6000}, 100, to{2, 3}),
		"many champions":   of(to{5000, 9000}, to{0, 2000}, to{0, 1000}, 100, to{6, 8}),
		"two leaders each": of(to{2000, 4000}, to{5000, 8000}, to{0, 5000}, 1000, to{0, 1}),
	}
}

// distributions are all ways to divide n people among the personas and none.
func distributions(n int) []Counts {
	var all []Counts
	var divide func(c Counts, at, left int)
	divide = func(c Counts, at, left int) {
		if at == len(c)-1 {
			c[at] = left
			all = append(all, c)
			return
		}
		for c[at] = 0; c[at] <= left; c[at]++ {
			divide(c, at+1, left-c[at])
		}
	}
	divide(Counts{}, 0, n)
	return all
}

// meets is P5 of a distribution, read plainly.
func (g goals) meets(c Counts) bool {
	for p := range directory.PersonaCount {
		if goal := g.of(p); goal != nil && goal.verdict(c[p]) != Within {
			return false
		}
	}
	return g.experts.verdict(c[directory.CICoach]+c[directory.Champion]) == Within
}

// price is what a relabelling costs, the earlier the heavier: the people, those
// left without a persona, and the steps in P7's order of width.
type price [3]int

// priceOfBoth is the price of going from one distribution to another: whoever
// is too many goes where somebody is missing, and on a line of widths the steps
// are those that pass each point between two.
func priceOfBoth(from, to Counts) price {
	p := price{1: to[directory.NoPersona]}
	for i := range from {
		p[0] += max(0, from[i]-to[i])
	}
	passing := 0
	for _, at := range []directory.Persona{directory.NoPersona, directory.Frontline, directory.Executive, directory.Leader} {
		passing += from[at] - to[at]
		p[2] += max(passing, -passing)
	}
	return p
}

// after is the distribution that a plan leads to, and its price.
func after(t interface{ Fatalf(string, ...any) }, c Counts, moves []Move) (Counts, price) {
	var p price
	to := c
	left := map[directory.Persona]bool{}
	for _, m := range moves {
		if m.People <= 0 || m.From == m.To {
			t.Fatalf("no move: %+v", m)
		}
		to[m.From] -= m.People
		to[m.To] += m.People
		p[0] += m.People
		p[2] += m.People * max(width(m.To)-width(m.From), width(m.From)-width(m.To))
		left[m.From] = true
	}
	for _, m := range moves {
		if left[m.To] {
			t.Fatalf("somebody leaves %q and somebody arrives: %+v", m.To, moves)
		}
	}
	p[1] = to[directory.NoPersona]
	return to, p
}

// TestP5SmallestRelabellingByTrying holds plans to every distribution of every
// population: up to 12 people by the default targets and by such as contradict,
// up to 8 by the others.
func TestP5SmallestRelabellingByTrying(t *testing.T) {
	for name, targets := range custom() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			most := 8
			if name == "default" || name == "more than all" {
				most = 12
			}
			for n := range most + 1 {
				all := distributions(n)
				for _, location := range []string{"", "ward"} {
					g := goalsFor(targets, n, location == "")
					var met []Counts
					for _, c := range all {
						if g.meets(c) {
							met = append(met, c)
						}
					}
					for _, c := range all {
						heldToTrying(t, planned(targets, c, location, at), c, met)
					}
				}
			}
		})
	}
}

// heldToTrying compares a plan with the best of all distributions that meet the
// goals.
func heldToTrying(t *testing.T, p Plan, c Counts, met []Counts) {
	if n := c.Base(); n < fewest || len(met) == 0 {
		if p.Contradiction == nil || p.People != 0 || p.Moves != nil || (p.Contradiction.Obstacle == TooFewPeople) != (n < fewest) {
			t.Fatalf("P5 %v cannot be met: %+v", c, p)
		}
		return
	}
	if p.Contradiction != nil {
		t.Fatalf("P5 %v can be met by %v: %+v", c, met[0], p.Contradiction)
	}
	to, got := after(t, c, p.Moves)
	if !slices.Contains(met, to) || got[0] != p.People {
		t.Fatalf("P5 %v to %v with %+v", c, to, p)
	}
	best := priceOfBoth(c, met[0])
	for _, other := range met[1:] {
		if price := priceOfBoth(c, other); slices.Compare(price[:], best[:]) < 0 {
			best = price
		}
	}
	if got != best {
		t.Fatalf("P5 %v to %v costs %v, the best %v: %+v", c, to, got, best, p.Moves)
	}
}

// leastMoves is how many people have to be relabelled at least, counted another
// way: for each number of experts, those whom the ranges force to arrive and
// those whom they force to leave; the larger number are relabelled, as anybody
// can go where there is room.
func (g goals) leastMoves(c Counts) int {
	arrive, leave, others := 0, 0, 0
	for _, p := range []directory.Persona{directory.Frontline, directory.Leader, directory.Executive} {
		goal := g.of(p)
		arrive, leave, others = arrive+max(0, goal.Min-c[p]), leave+max(0, c[p]-goal.Max), others+goal.Min
	}
	champions := Range{0, c.Base()}
	if g.champions != nil {
		champions = *g.champions
	}
	coach, champion := c[directory.CICoach], c[directory.Champion]
	best := -1
	for experts := max(g.experts.Min, champions.Min); experts <= min(g.experts.Max, c.Base()-others); experts++ {
		// Between as many champions as stay and as many as the coaches leave
		// places for, it is the same.
		low, high := min(champion, experts-coach), max(champion, experts-coach)
		k := min(max(champion, low), high)
		k = min(max(k, champions.Min, 0), champions.Max, experts)
		arriving, leaving := max(0, k-champion)+max(0, experts-k-coach), max(0, champion-k)+max(0, coach-experts+k)
		if moves := max(arrive+arriving, leave+leaving); best < 0 || moves < best {
			best = moves
		}
	}
	return best
}

// drawTargets are whatever targets settings may hold.
func drawTargets(t *rapid.T) directory.Targets {
	between := func(name string, most int) (int, int) {
		a, b := rapid.IntRange(0, most).Draw(t, name), rapid.IntRange(0, most).Draw(t, name+" too")
		return min(a, b), max(a, b)
	}
	share := func(name string) directory.Share {
		a, b := between(name, whole)
		return directory.Share{Min: a / rapid.SampledFrom([]int{1, 2, 4}).Draw(t, name+" part"), Max: b}
	}
	least, most := between("champions", 20)
	return directory.Targets{
		Frontline: share("frontline"), Leader: share("leader"), Executive: share("executive"),
		ExpertsUnder: rapid.IntRange(0, whole).Draw(t, "under"), Champions: directory.People{Min: least, Max: most},
	}
}

func drawCounts(t *rapid.T) Counts {
	var c Counts
	most := rapid.SampledFrom([]int{3, 12, 200, 100_000}).Draw(t, "most")
	for i := range c {
		c[i] = rapid.IntRange(0, most).Draw(t, fmt.Sprint("people ", i))
	}
	return c
}

// drawDemanding are targets of which two ask for more than half of all people.
func drawDemanding(t *rapid.T) directory.Targets {
	targets := drawTargets(t)
	half := rapid.IntRange(whole/2+1, whole)
	targets.Frontline = directory.Share{Min: half.Draw(t, "frontline's half"), Max: whole}
	targets.Leader = directory.Share{Min: half.Draw(t, "leader's half"), Max: whole}
	return targets
}

// TestP5SmallestRelabelling holds plans of any size and any targets to a count
// of the moves that is made without them, and proofs to what they name.
func TestP5SmallestRelabelling(t *testing.T) {
	anyPlans, _ := holdPlans(t, drawTargets)
	_, proofs := holdPlans(t, drawDemanding)
	if anyPlans == 0 || proofs == 0 {
		t.Errorf("%d plans, %d proofs: this shows one half only", anyPlans, proofs)
	}
}

// holdPlans holds the plans for such targets, and counts them and the proofs that
// there is none.
func holdPlans(t *testing.T, draw func(*rapid.T) directory.Targets) (plans, proofs int) {
	rapid.Check(t, func(t *rapid.T) {
		targets, c := draw(t), drawCounts(t)
		location := rapid.SampledFrom([]string{"", "ward"}).Draw(t, "location")
		g := goalsFor(targets, c.Base(), location == "")
		p := planned(targets, c, location, at)
		if p.Contradiction != nil {
			proofs++
			provesIt(t, g, c.Base(), *p.Contradiction)
			return
		}
		plans++
		to, price := after(t, c, p.Moves)
		if !g.meets(to) || to.Base() != c.Base() || slices.Min(to[:]) < 0 {
			t.Fatalf("P5 %v becomes %v: %+v", c, to, g)
		}
		if least := g.leastMoves(c); p.People != least || price[0] != least {
			t.Fatalf("P5 %v: %d people, %d are enough", c, p.People, least)
		}
		if again := planned(targets, to, location, at); again.People != 0 || len(again.Moves) != 0 {
			t.Fatalf("P5 after the plan there is another: %+v", again)
		}
	})
	return plans, proofs
}

// provesIt checks a proof by itself: what it names is what the targets ask for,
// it is too much, and no fewer of all that they ask for would be.
func provesIt(t *rapid.T, g goals, n int, c Contradiction) {
	if c.Obstacle == TooFewPeople {
		if n >= fewest || c.Least != fewest || c.Demands != nil {
			t.Fatalf("P5 %d people: %+v", n, c)
		}
		return
	}
	sum := 0
	for _, d := range c.Demands {
		if goal := g.of(d.Persona); goal == nil || goal.Min != d.Min {
			t.Fatalf("P5 nobody asks for %+v", d)
		}
		sum += d.Min
	}
	if sum <= n || sum != c.Least {
		t.Fatalf("P5 %+v fit into %d people", c, n)
	}
	var every []int
	for _, p := range []directory.Persona{directory.Frontline, directory.Leader, directory.Executive, directory.Champion} {
		if goal := g.of(p); goal != nil {
			every = append(every, goal.Min)
		}
	}
	for some := range 1 << len(every) {
		sum, size := 0, 0
		for i, least := range every {
			if some>>i&1 == 1 {
				sum, size = sum+least, size+1
			}
		}
		if sum > n && size < len(c.Demands) {
			t.Fatalf("P5 %d targets contradict already: %+v of %v", size, c, every)
		}
	}
}

func TestP5Plans(t *testing.T) {
	const none, frontline, leader, executive, coach, champion = directory.NoPersona, directory.Frontline, directory.Leader,
		directory.Executive, directory.CICoach, directory.Champion
	for name, c := range map[string]struct {
		counts   Counts
		location string
		targets  directory.Targets
		want     Plan
	}{
		"P5 a good population": {Counts{22, 171, 30, 14, 1, 2}, "", directory.DefaultTargets(), Plan{Base: 240}},
		"P5 nobody labelled yet": {Counts{100, 0, 0, 0, 0, 0}, "", directory.DefaultTargets(), Plan{Base: 100, People: 82, Moves: []Move{
			{none, frontline, 70}, {none, leader, 5}, {none, executive, 5}, {none, champion, 2}}}},
		"P5 one leaves where another is missing": {Counts{0, 60, 31, 6, 0, 3}, "", directory.DefaultTargets(), Plan{Base: 100, People: 11, Moves: []Move{
			{leader, frontline, 10}, {leader, executive, 1}}}},
		"P5 who has no persona comes before whom a range can spare": {Counts{5, 65, 20, 7, 0, 3}, "", directory.DefaultTargets(), Plan{Base: 100, People: 5, Moves: []Move{
			{none, frontline, 5}}}},
		"P5 a persona rather than none": {Counts{0, 95, 5, 0, 0, 0}, "", custom()["default"], Plan{Base: 100, People: 7, Moves: []Move{
			{frontline, executive, 5}, {frontline, champion, 2}}}},
		"P5 the smaller step": {Counts{0, 69, 20, 8, 0, 3}, "", directory.DefaultTargets(), Plan{Base: 100, People: 1, Moves: []Move{
			{executive, frontline, 1}}}},
		"P5 whom the experts can spare": {Counts{0, 91, 4, 3, 0, 2}, "ward", directory.DefaultTargets(), Plan{Base: 100, People: 3, Moves: []Move{
			{frontline, executive, 2}, {champion, leader, 1}}}},
		"P5 coaches become champions": {Counts{0, 80, 10, 7, 3, 0}, "", directory.DefaultTargets(), Plan{Base: 100, People: 2, Moves: []Move{
			{coach, champion, 2}}}},
		"P5 without a persona, when nothing else has room": {Counts{0, 4, 4, 4, 0, 0}, "ward", custom()["nobody"], Plan{Base: 12, People: 12, Moves: []Move{
			{frontline, none, 4}, {leader, none, 3}, {leader, coach, 1}, {executive, none, 4}}}},
		"P5 three people": {Counts{0, 3, 0, 0, 0, 0}, "", directory.DefaultTargets(), Plan{Base: 3, Contradiction: &Contradiction{Obstacle: TooFewPeople, Least: 4}}},
		"P5 two targets are too much": {Counts{0, 80, 15, 5, 0, 0}, "", custom()["more than all"], Plan{Base: 100, Contradiction: &Contradiction{
			Obstacle: TargetsContradict, Demands: []Demand{{frontline, 70}, {leader, 60}}, Least: 130}}},
		"P5 champions are too many for few": {Counts{0, 8, 2, 0, 0, 0}, "", custom()["many champions"], Plan{Base: 10, Contradiction: &Contradiction{
			Obstacle: TargetsContradict, Demands: []Demand{{champion, 6}, {frontline, 5}}, Least: 11}}},
		"P5 a part has no champions to ask for": {Counts{0, 8, 2, 0, 0, 0}, "ward", custom()["many champions"], Plan{Base: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Location, c.want.At = c.location, at
			got := planned(c.targets, c.counts, c.location, at)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestObstaclesHaveWords(t *testing.T) {
	for o := NoObstacle + 1; o < ObstacleCount; o++ {
		if o.String() == "" {
			t.Errorf("obstacle %d has no word", o)
		}
	}
}

// BenchmarkPlan is the plan of 100,000 people whose targets leave much open.
func BenchmarkPlan(b *testing.B) {
	targets, c := custom()["wide"], Counts{20_000, 50_000, 9_000, 1_000, 15_000, 5_000}
	for b.Loop() {
		planned(targets, c, "", at)
	}
}
