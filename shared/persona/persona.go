package persona

import (
	"context"

	"gemba/shared/directory"
)

// Service is the use case over its store.
type Service struct{ store Store }

// New is the use case.
func New(store Store) *Service { return &Service{store} }

// Label makes the user's persona to, NoPersona clears it (P2), and answers
// the user as it then is. The user is among the caller's facts. A persona
// that is the user's already changes nothing and writes nothing. Errors:
// Stale when a precondition was given and does not hold, Unavailable, raced.
func (s *Service) Label(ctx context.Context, c directory.Caller, user string, to directory.Persona, p directory.Precondition) (directory.User, error) {
	before := c.Users[user]
	if err := p.Heed(before.Version); err != nil {
		return directory.User{}, err
	}
	if before.Persona == to {
		return before, nil
	}
	after, entry := labelled(c, before, to)
	after.Version = before.Version + 1
	err := s.store.PutPersona(ctx, c.Basis(before), Change{Before: before, After: after, Entry: entry})
	return after, err
}

// Report is the live report of the organization or, with a location, of those
// who are there or below (P6). Errors: NotFound for a location that does not
// exist, Unavailable; raced when the policy moved on since the caller's facts.
func (s *Service) Report(ctx context.Context, c directory.Caller, location string) (Report, error) {
	if err := known(c.Model, location); err != nil {
		return Report{}, err
	}
	people, err := counted(ctx, s.store, c.Facts, location, c.At)
	if err != nil {
		return Report{}, err
	}
	return judge(c.Organization.Settings.Targets, people, location, c.At), nil
}
