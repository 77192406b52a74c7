package authz

import (
	"slices"
)

// forest is the location trees, numbered in preorder: a location's subtree is
// the run of numbers from its own to its last descendant's, so that "and
// below" is a test of range (U3).
type forest struct {
	places   map[string]place
	preorder []string // location ids by number
}

// place is a location's number and that of the last of its subtree.
type place struct{ number, last int32 }

// below is whether p is root or a descendant of it.
func (p place) below(root place) bool { return root.number <= p.number && p.number <= root.last }

// plant numbers the locations. One with an unknown parent is a root; a circle
// hangs on no root and stays without numbers.
func plant(locations map[string]Location) forest {
	children := map[string][]string{}
	for id, l := range locations {
		if _, known := locations[l.Parent]; !known {
			l.Parent = ""
		}
		children[l.Parent] = append(children[l.Parent], id)
	}
	for _, ids := range children {
		slices.Sort(ids)
	}
	f := forest{places: make(map[string]place, len(locations)), preorder: make([]string, 0, len(locations))}
	for _, root := range children[""] {
		f.number(root, children)
	}
	return f
}

// number gives a location and all below it their numbers.
func (f *forest) number(id string, children map[string][]string) {
	n := len(f.preorder)
	f.preorder = append(f.preorder, id)
	for _, child := range children[id] {
		f.number(child, children)
	}
	f.places[id] = place{number: int32(n), last: int32(len(f.preorder) - 1)}
}

// known is the places of those locations that exist.
func (f forest) known(locations []string) []place {
	return f.add(make([]place, 0, len(locations)), locations)
}

// add appends the places of those locations that exist.
func (f forest) add(places []place, locations []string) []place {
	for _, l := range locations {
		if p, ok := f.places[l]; ok {
			places = append(places, p)
		}
	}
	return places
}

// name is the id of the location at a place.
func (f forest) name(p place) string { return f.preorder[p.number] }

// Below is whether location is root or one of its descendants (U3). A location
// that does not exist is below nothing and has nothing below it.
func (m *Model) Below(root, location string) bool {
	r, ok := m.forest.places[root]
	if !ok {
		return false
	}
	l, ok := m.forest.places[location]
	return ok && l.below(r)
}

// Subtree is the location and all its descendants, parents before their
// children (U3); nothing when there is no such location.
func (m *Model) Subtree(root string) []string {
	r, ok := m.forest.places[root]
	if !ok {
		return nil
	}
	return slices.Clone(m.forest.preorder[r.number : r.last+1])
}

// Above is the location and all above it, up to its root (U3); nothing when
// there is no such location.
func (m *Model) Above(location string) []string {
	var out []string
	for {
		if _, rooted := m.forest.places[location]; !rooted {
			return out
		}
		out = append(out, location)
		location = m.locations[location].Parent
	}
}
