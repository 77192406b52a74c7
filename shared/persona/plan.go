package persona

import (
	"slices"
	"time"

	"gemba/shared/directory"
)

// This file is the smallest relabelling (P5, P6): how few people have to be
// given another persona for every count to come into its range. A report's
// change is told for each persona alone; a plan is for all of them together,
// and whoever leaves one persona arrives at another.

// Move is a number of people who go from one persona to another; none is one,
// too.
type Move struct {
	From, To directory.Persona
	People   int
}

// Plan is the smallest relabelling of a population of Base people. People is
// how many it relabels, no Moves when nobody has to be; Contradiction is why
// there is none, nil when there is.
type Plan struct {
	Location      string
	At            time.Time
	Base, People  int
	Moves         []Move
	Contradiction *Contradiction
}

// Obstacle is why no distribution of a population meets its targets.
type Obstacle uint8

// The obstacles (P5).
const (
	NoObstacle Obstacle = iota
	TooFewPeople
	TargetsContradict
	ObstacleCount
)

var obstacleNames = [ObstacleCount]string{"", "too_few_people", "targets_contradict"}

// String is the obstacle's word.
func (o Obstacle) String() string {
	if o < ObstacleCount {
		return obstacleNames[o]
	}
	return ""
}

// Demand is the least number of people that a persona's target asks for.
type Demand struct {
	Persona directory.Persona
	Min     int
}

// Contradiction proves that no relabelling exists. Least is how many people
// would have to be there: those that Demands, the fewest that do not fit
// together, ask for, or those below whom no verdict means anything.
type Contradiction struct {
	Obstacle Obstacle
	Demands  []Demand
	Least    int
}

// planned is the smallest relabelling of a population with these counts. Of
// several, it is one that leaves the fewest without a persona, and of those one
// whose people change the least in P7's order of width.
func planned(t directory.Targets, c Counts, location string, at time.Time) Plan {
	p := Plan{Location: location, At: at, Base: c.Base()}
	g := goalsFor(t, p.Base, location == "")
	if p.Contradiction = g.contradiction(p.Base); p.Contradiction != nil {
		return p
	}
	p.Moves = g.relabelling(c)
	for _, m := range p.Moves {
		p.People += m.People
	}
	return p
}

// contradiction is why no distribution of n people meets the goals, nil when
// one does. Too many can never be asked for: nothing bounds how many are
// without a persona, so that whoever is over an upper end has a place. Nor can
// a range be empty, or the experts have no room for the champions: settings
// refuse a lower end above its upper one, and goalsFor makes the room. What is
// left is lower ends that ask for more people than there are; the largest of
// them get there with the fewest.
func (g goals) contradiction(n int) *Contradiction {
	if n < fewest {
		return &Contradiction{Obstacle: TooFewPeople, Least: fewest}
	}
	if g.reachable(n) {
		return nil
	}
	c := &Contradiction{Obstacle: TargetsContradict}
	for _, d := range g.demands() {
		c.Demands = append(c.Demands, d)
		if c.Least += d.Min; c.Least > n {
			break
		}
	}
	return c
}

// Contradiction is why no distribution of the report's people meets the goals that
// it was judged by, nil when one does.
func (r Report) Contradiction() *Contradiction {
	g := goals{
		frontline: r.Personas[directory.Frontline].Range, leader: r.Personas[directory.Leader].Range,
		executive: r.Personas[directory.Executive].Range, experts: r.Experts.Range,
	}
	if champions := r.Personas[directory.Champion]; champions.Verdict != NoVerdict {
		g.champions = &champions.Range
	}
	return g.contradiction(r.Base)
}

// demands are the goals that ask for anybody, the largest first.
func (g goals) demands() []Demand {
	var all []Demand
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		if goal := g.of(p); goal != nil && goal.Min > 0 {
			all = append(all, Demand{p, goal.Min})
		}
	}
	slices.SortStableFunc(all, func(a, b Demand) int { return b.Min - a.Min })
	return all
}

// relabelling is the moves that bring the counts into goals that can be met.
// People flow from the personas that they have to those that they get, and on
// through the ranges; the cheapest flow of all of them is the answer.
func (g goals) relabelling(c Counts) []Move {
	n := newNetwork()
	var ways [directory.PersonaCount][directory.PersonaCount]int
	for from := range directory.PersonaCount {
		if c[from] == 0 {
			continue
		}
		n.arc(source, having(from), c[from], cost{})
		for to := range directory.PersonaCount {
			ways[from][to] = n.arc(having(from), getting(to), c[from], priceOf(from, to))
		}
	}
	anyone := Range{0, c.Base()}
	for p := range directory.PersonaCount {
		goal, next := g.of(p), sink
		if goal == nil {
			goal = &anyone
		}
		if p == directory.CICoach || p == directory.Champion {
			next = experts
		}
		n.through(getting(p), next, *goal)
	}
	n.through(experts, sink, g.experts)
	n.fill()
	var moves []Move
	for from := range directory.PersonaCount {
		for to := range directory.PersonaCount {
			if from == to || c[from] == 0 {
				continue
			}
			if people := n.flow(ways[from][to]); people > 0 {
				moves = append(moves, Move{from, to, people})
			}
		}
	}
	return moves
}

// priceOf is what it costs that somebody who has one persona gets another, or
// keeps it.
func priceOf(from, to directory.Persona) cost {
	var price cost
	if from != to {
		price[relabelled], price[stepped] = 1, abs(width(to)-width(from))
	}
	if to == directory.NoPersona {
		price[without] = 1
	}
	return price
}

func abs(n int) int { return max(n, -n) }
