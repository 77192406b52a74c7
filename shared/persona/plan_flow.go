package persona

import "gemba/shared/directory"

// This file is the arithmetic of plans: the cheapest flow through a network of
// a few nodes, by successive cheapest paths. What it costs in time depends on
// the nodes, not on how many people flow.

// node is a place that people flow through.
type node int

// The nodes; having and getting are one a persona.
const (
	source node = iota
	sink
	experts
	firstPersona
	nodeCount = firstPersona + 2*node(directory.PersonaCount)
)

func having(p directory.Persona) node { return firstPersona + node(p) }

func getting(p directory.Persona) node {
	return firstPersona + node(directory.PersonaCount) + node(p)
}

// cost is what one person's way costs; an earlier part outweighs all later
// ones, of however many people.
type cost [4]int

// The parts of a cost: it is below zero for a place that has to be filled, then
// counts who is relabelled, who is left without a persona, and how far in
// P7's order of width.
const (
	filling = iota
	relabelled
	without
	stepped
)

// plus is this cost and times another.
func (c cost) plus(times int, other cost) cost {
	for i := range c {
		c[i] += times * other[i]
	}
	return c
}

func (c cost) less(other cost) bool {
	for i := range c {
		if c[i] != other[i] {
			return c[i] < other[i]
		}
	}
	return false
}

// arc is a way from one node to another with room for some people yet. Each has
// its reverse beside it, whose room is who went: they can be sent back.
type arc struct {
	from, to node
	room     int
	cost     cost
}

type network struct{ arcs []arc }

// newNetwork has room for the arcs of all personas.
func newNetwork() *network {
	return &network{arcs: make([]arc, 0, 2*int(directory.PersonaCount)*int(directory.PersonaCount+4))}
}

// arc adds a way and is its number.
func (n *network) arc(from, to node, room int, c cost) int {
	n.arcs = append(n.arcs, arc{from, to, room, c}, arc{to, from, 0, cost{}.plus(-1, c)})
	return len(n.arcs) - 2
}

// through adds a way for a range of people: the least of them are wanted.
func (n *network) through(from, to node, r Range) {
	n.arc(from, to, r.Min, cost{filling: -1})
	n.arc(from, to, r.Max-r.Min, cost{})
}

// flow is how many people went by an arc.
func (n *network) flow(arc int) int { return n.arcs[arc^1].room }

// fill sends people from source to sink, always by the cheapest way, until no
// more can go. A flow made so is the cheapest of its size (a known theorem:
// no cycle of the ways left costs less than nothing).
func (n *network) fill() {
	for {
		way := n.cheapest()
		if way == nil {
			return
		}
		people := n.arcs[way[0]].room
		for _, a := range way {
			people = min(people, n.arcs[a].room)
		}
		for _, a := range way {
			n.arcs[a].room -= people
			n.arcs[a^1].room += people
		}
	}
}

// cheapest is the arcs of the cheapest way from source to sink, from its end,
// nil when there is none (Bellman and Ford).
func (n *network) cheapest() []int {
	var reached [nodeCount]struct {
		by   int
		cost cost
		yet  bool
	}
	reached[source].yet = true
	for changed := true; changed; {
		changed = false
		for i := range n.arcs {
			a := &n.arcs[i]
			if a.room == 0 || !reached[a.from].yet {
				continue
			}
			c := reached[a.from].cost.plus(1, a.cost)
			if to := &reached[a.to]; !to.yet || c.less(to.cost) {
				to.by, to.cost, to.yet, changed = i, c, true, true
			}
		}
	}
	if !reached[sink].yet {
		return nil
	}
	var way []int
	for at := sink; at != source; at = n.arcs[way[len(way)-1]].from {
		way = append(way, reached[at].by)
	}
	return way
}
