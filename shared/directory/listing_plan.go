package directory

import (
	"slices"

	"gemba/shared/authz"
)

// mostLists bounds the lists that are merged: of more, each page would read so
// many that the directory, which is read many users a unit, costs less.
const mostLists = 100

// reach is the locations of those within a caller's reach, or everybody. With
// all it takes all of somebody's locations to be there, else one (R11).
type reach struct {
	everybody, all bool
	locations      []string
}

// reachOf is the caller's.
func reachOf(c Caller) reach {
	locations, everybody := c.Reach()
	return reach{everybody: everybody, all: c.Model.Settings().LocalReach == authz.ReachAll, locations: locations}
}

// plan is where everybody is found who could be in a list: in lists, or in the
// directory when there are none; nowhere when nobody could be.
type plan struct {
	nowhere bool
	lists   *Candidates
	// moving: somebody who goes from one of the lists to another while they are
	// read could be missed.
	moving bool
}

// plan chooses the cheapest source.
func (f Filter) plan(m *authz.Model, within reach) plan {
	places, anywhere := f.places(m, within)
	var members Union
	if f.Role != "" {
		r, exists := m.Role(f.Role)
		if !exists {
			return plan{nowhere: true}
		}
		members = Lists(List{Of: RoleMembers, Role: r.RoleRef})
	}
	switch {
	case !anywhere && len(places) == 0:
		return plan{nowhere: true}
	case anywhere || len(places) > mostLists:
		return plan{lists: alone(members)}
	}
	var located Union
	for _, id := range places {
		located = append(located, Lists(List{Of: LocationUsers, ID: id})...)
	}
	moving := len(places) > 1
	if members == nil {
		return plan{lists: alone(located), moving: moving}
	}
	return plan{lists: Crossing(nil, members, located, mostLists), moving: moving}
}

// alone is candidates of one side; nil of none.
func alone(u Union) *Candidates {
	if len(u) == 0 {
		return nil
	}
	return &Candidates{Alone: u}
}

// places are the locations of which everybody in the list has one; anywhere
// when that bounds nobody. Where one location has to be the filter's and one in
// reach, not both need be the same, so that the fewer of them bound alone.
func (f Filter) places(m *authz.Model, within reach) (places []string, anywhere bool) {
	wanted := []string{f.Location}
	if subtree := m.Subtree(f.Location); f.Below && subtree != nil {
		wanted = subtree
	}
	switch {
	case f.Location == "":
		return within.locations, within.everybody
	case within.everybody:
		return wanted, false
	case within.all:
		return slices.DeleteFunc(wanted, func(l string) bool { return !slices.Contains(within.locations, l) }), false
	case len(within.locations) < len(wanted):
		return within.locations, false
	}
	return wanted, false
}
