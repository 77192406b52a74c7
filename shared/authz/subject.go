package authz

import (
	"slices"
	"time"
)

// Subject is a person prepared for one model at one time: small, shared
// freely, never changed. The zero value is nobody, and denied everything.
type Subject struct{ *person }

// person is what of a user a decision needs.
type person struct {
	model    *Model
	id       string
	userType UserType
	holdings []holding
}

// holding is an assignment that counts: the role, and the places that its
// scopes are measured from (R5).
type holding struct {
	role *role
	from []place
}

// Subject prepares the user for decisions of this model at this time.
// Assignments count that name a role that still lives (R14) and are not over
// (R5). A user without an id is nobody.
func (m *Model) Subject(u User, at time.Time) Subject {
	if u.ID == "" {
		return Subject{}
	}
	p := &person{model: m, id: u.ID, userType: u.Type}
	for _, a := range u.Assignments {
		if a.over(at) {
			continue
		}
		role := m.live(a.Role)
		if role == nil {
			continue
		}
		if from, ok := measuredFrom(role, a, u); ok {
			p.holdings = append(p.holdings, holding{role: role, from: m.forest.known(from)})
		}
	}
	return Subject{p}
}

// over is whether the assignment has ended: until is the first instant at
// which it no longer counts (R5).
func (a Assignment) over(at time.Time) bool { return !a.Until.IsZero() && !a.Until.After(at) }

// measuredFrom is the locations that the role's scopes are measured from; false
// when the user has left all that the assignment is limited to (R5).
func measuredFrom(r *role, a Assignment, u User) ([]string, bool) {
	if len(r.SpecificLocations) > 0 {
		return r.SpecificLocations, true
	}
	if len(a.Locations) == 0 {
		return u.Locations, true
	}
	left := func(location string) bool { return !slices.Contains(u.Locations, location) }
	limit := slices.DeleteFunc(slices.Clone(a.Locations), left)
	return limit, len(limit) > 0
}

// known is the places of those locations that exist.
func (f forest) known(locations []string) []place {
	places := make([]place, 0, len(locations))
	for _, l := range locations {
		if p, ok := f.places[l]; ok {
			places = append(places, p)
		}
	}
	return places
}

// ID is the user's id, or "" of nobody.
func (s Subject) ID() string {
	if s.person == nil {
		return ""
	}
	return s.id
}

// Type is the user's type, or NoUserType of nobody.
func (s Subject) Type() UserType {
	if s.person == nil {
		return NoUserType
	}
	return s.userType
}

// of is whether the subject was prepared by this model. One of another would
// mix two states of the policy in one decision (C11).
func (s Subject) of(m *Model) bool { return s.person != nil && s.model == m }
