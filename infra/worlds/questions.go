package worlds

import (
	"maps"
	"math/rand/v2"
	"slices"

	"gemba/shared/authz"
)

// Question is one about an item, user and item by their numbers.
type Question struct {
	User   int
	Action authz.Action
	Item   int
}

// asked is every item action, as often as it stands here (C1).
var asked = []authz.Action{
	authz.DoView, authz.DoView, authz.DoView, authz.DoView, authz.DoView, authz.DoEdit, authz.DoEdit, authz.DoEdit,
	authz.DoParticipate, authz.DoRequest, authz.DoAssign, authz.DoTogglePrivate, authz.DoHonorRoll, authz.DoDelete, authz.DoEscalate,
}

// Questions are the first n of the world's stream: those who ask are on the
// item's team, live at its place or above it, or are anybody.
func (w *World) Questions(n int) []Question {
	d := dice("questions", 0)
	all := make([]Question, n)
	for i := range all {
		item := d.IntN(w.Size.Items)
		all[i] = Question{User: w.asker(d, item), Action: pick(d, asked...), Item: item}
	}
	return all
}

func (w *World) asker(d *rand.Rand, item int) int {
	it := w.Item(item)
	switch kind := d.IntN(8); {
	case kind < 3:
		role := pick(d, slices.Sorted(maps.Keys(it.Team))...)
		return number(pick(d, it.Team[role]...))
	case kind < 7 && len(it.Locations) > 0:
		place := number(it.Locations[0])
		for range d.IntN(4) {
			place = above(place)
		}
		return w.neighbour(d, place)
	default:
		return d.IntN(w.Size.Users)
	}
}

// number is what the id of a thing ends in.
func number(id string) int {
	var n int
	for _, c := range id {
		if c >= '0' && c <= '9' {
			n = n*10 + int(c-'0')
		}
	}
	return n
}
