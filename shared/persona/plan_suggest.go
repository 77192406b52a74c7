package persona

import (
	"context"
	"slices"

	"gemba/shared/directory"
)

// Suggested is somebody whom a plan's move would suit: they have the persona
// that people leave, and the widest of the roles they hold, which Roles are, is
// meant for the one they arrive at (P7).
type Suggested struct {
	User     directory.User
	From, To directory.Persona
	Roles    []Meant
	Reason   string
}

// Proposal is a plan, with a page of whom it would suit, of all whom the caller
// administers: they may be more than the plan moves, or fewer. With More they go
// on after Next, which may be the id of somebody whom the caller may not know
// (T4).
type Proposal struct {
	Plan
	Suggested []Suggested
	Next      string
	More      bool
}

// Plan is the smallest relabelling of the organization or, with a location, of
// those who are there or below (P5), as the counts are now. Errors: NotFound for
// a location that does not exist, Unavailable; raced when the policy moved on
// since the caller's facts.
func (m *Matcher) Plan(ctx context.Context, c directory.Caller, location string, page directory.Page) (Proposal, error) {
	if err := known(c.Model, location); err != nil {
		return Proposal{}, err
	}
	people, err := counted(ctx, m.store, c.Facts, location, c.At)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{Plan: planned(c.Organization.Settings.Targets, people.Counts, location, c.At)}
	if len(p.Moves) == 0 {
		return p, nil
	}
	return m.suggest(ctx, c, p, page)
}

// suggest adds the page of whom the moves would suit.
func (m *Matcher) suggest(ctx context.Context, c directory.Caller, p Proposal, page directory.Page) (Proposal, error) {
	meant, err := m.meant(ctx, c)
	if err != nil || len(meant) == 0 {
		return p, err
	}
	suited := func(u directory.User) (Suggested, bool) {
		if !Counted(u) || !slices.ContainsFunc(p.Moves, func(m Move) bool { return m.From == u.Persona }) {
			return Suggested{}, false
		}
		return suggestion(p.Moves, u, held(c, u, meant), c.Organization.Settings.ProductName)
	}
	where := directory.Filter{Location: p.Location, Below: p.Location != ""}
	listed, err := m.lists.Those(ctx, c, where, func(u directory.User) bool {
		_, suits := suited(u)
		return suits
	}, page)
	p.Next, p.More = listed.Next, listed.More
	for _, u := range listed.Users {
		s, _ := suited(u)
		p.Suggested = append(p.Suggested, s)
	}
	return p, err
}

// suggestion is the move that suits somebody who holds these roles; false when
// none does. Coach and champion are equally wide, so that roles of one suit the
// other; of moves to both, that to whom a role is meant for comes first.
func suggestion(moves []Move, u directory.User, held []Meant, product string) (Suggested, bool) {
	most := as(held, widest(held))
	best := Suggested{User: u, From: u.Persona, Roles: most}
	for _, m := range moves {
		if m.From != u.Persona || width(m.To) != widest(held) || m.To == directory.NoPersona {
			continue
		}
		meant := slices.ContainsFunc(most, func(r Meant) bool { return r.Persona == m.To })
		if best.To == directory.NoPersona || meant {
			best.To = m.To
		}
		if meant {
			break
		}
	}
	if best.To == directory.NoPersona {
		return Suggested{}, false
	}
	best.Reason = widestOf(most, product)
	return best, true
}
