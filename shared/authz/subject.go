package authz

import (
	"iter"
	"slices"
	"time"
	"unique"
)

// Subject is a person prepared for one model at one time: small, shared
// freely, never changed. The zero value is nobody, and denied everything.
type Subject struct{ *person }

// person is what of a user a decision needs.
type person struct {
	model    *Model
	id       string
	handle   unique.Handle[string] // of the id
	userType UserType
	holdings []holding
}

// holding is roles that count and whose scopes are measured from the same
// places (R5).
type holding struct {
	from  []place
	roles []*role
}

// Subject prepares the user for decisions of this model at this time.
// Assignments count that name a role that still lives (R14) and are not over
// (R5). A user without an id is nobody.
func (m *Model) Subject(u User, at time.Time) Subject {
	if u.ID == "" {
		return Subject{}
	}
	p := &person{model: m, id: u.ID, handle: unique.Make(u.ID), userType: u.Type}
	var own []*role
	for i := range u.Assignments {
		a := &u.Assignments[i]
		r, limit := m.counting(u, a, at)
		switch {
		case r == nil:
		case len(r.SpecificLocations) > 0:
			p.hold(m.forest.known(r.SpecificLocations), r)
		case len(limit) > 0:
			p.hold(m.forest.known(limit), r)
		default:
			own = append(own, r)
		}
	}
	if len(own) > 0 {
		p.hold(m.forest.known(u.Locations), own...)
	}
	return Subject{p}
}

// counting is the role that an assignment gives now, and what is left of its
// limit, if it has one; nil when it does not count.
func (m *Model) counting(u User, a *Assignment, at time.Time) (r *role, limit []string) {
	r = m.live(a.Role)
	switch {
	case r == nil || a.Over(at):
		return nil, nil
	case len(r.SpecificLocations) > 0 || len(a.Locations) == 0:
		return r, nil
	}
	if limit = remaining(a.Locations, u.Locations); len(limit) == 0 {
		return nil, nil
	}
	return r, limit
}

// Holds is whether the user holds the role that has this id, by an assignment
// that counts at this time (R5, R14).
func (m *Model) Holds(u User, role string, at time.Time) bool {
	return slices.ContainsFunc(u.Assignments, func(a Assignment) bool {
		r, _ := m.counting(u, &a, at)
		return r != nil && r.ID == role
	})
}

func (p *person) hold(from []place, roles ...*role) {
	p.holdings = append(p.holdings, holding{from: from, roles: roles})
}

// Over is whether the assignment has ended: until is the first instant at
// which it no longer counts (R5).
func (a *Assignment) Over(at time.Time) bool { return !a.Until.IsZero() && !a.Until.After(at) }

// remaining is what is left of an assignment's limit: the locations that the
// user has not left (R5). Emptied, the assignment has ended.
func remaining(limit, locations []string) []string {
	left := func(location string) bool { return !slices.Contains(locations, location) }
	return slices.DeleteFunc(slices.Clone(limit), left)
}

// held is each role that the subject holds, with the places that it is
// measured from.
func (s Subject) held() iter.Seq2[*role, []place] {
	return func(yield func(*role, []place) bool) {
		for i := range s.holdings {
			for _, r := range s.holdings[i].roles {
				if !yield(r, s.holdings[i].from) {
					return
				}
			}
		}
	}
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
