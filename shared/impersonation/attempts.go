package impersonation

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"gemba/shared/fault"
)

const (
	// mostFailures is how many proofs may fail in failureWindow (I2).
	mostFailures  = 5
	failureWindow = 15 * time.Minute
	// reserveTries bounds how often a reservation that lost a race is tried
	// again. At most mostFailures reservations can win before the rest is
	// refused, and each of those is given back once.
	reserveTries = 4 * mostFailures
)

// Attempt is a proof that failed, or that nobody knows the end of yet.
type Attempt struct {
	ID string
	At time.Time
}

// Attempts are an actor's last ones, as of a version; version 0 is none ever.
type Attempts struct {
	Version uint64
	Recent  []Attempt
}

// in is what of the attempts counts at now.
func (a Attempts) in(now time.Time) []Attempt {
	return slices.DeleteFunc(slices.Clone(a.Recent), func(one Attempt) bool {
		return !one.At.After(now.Add(-failureWindow))
	})
}

// blocked is TooMany too_many_attempts when no proof is taken at now (I2).
func (a Attempts) blocked(now time.Time) error {
	counted := a.in(now)
	if len(counted) < mostFailures {
		return nil
	}
	times := make([]time.Time, len(counted))
	for i, one := range counted {
		times[i] = one.At
	}
	slices.SortFunc(times, time.Time.Compare)
	e := fault.New(fault.TooMany, "too_many_attempts", "Too many proofs of who you are have failed. Wait before the next one.")
	e.RetryAfter = times[len(times)-mostFailures].Add(failureWindow).Sub(now)
	return e
}

// reserve counts an attempt before it is made, so that parallel ones cannot
// slip through (I2). It answers its id, and how many count with it, those under
// way included; TooMany when there were too many.
func (s *Service) reserve(ctx context.Context, organization, actor string, now time.Time) (id string, counted int, err error) {
	id = rand.Text()
	err = s.changeAttempts(ctx, organization, actor, func(a Attempts) ([]Attempt, error) {
		next := append(a.in(now), Attempt{ID: id, At: now})
		counted = len(next)
		return next, a.blocked(now)
	})
	return id, counted, err
}

// release takes a reserved attempt back: it did not fail.
func (s *Service) release(ctx context.Context, organization, actor, id string) error {
	return s.changeAttempts(ctx, organization, actor, func(a Attempts) ([]Attempt, error) {
		return slices.DeleteFunc(slices.Clone(a.Recent), func(one Attempt) bool { return one.ID == id }), nil
	})
}

// changeAttempts writes the next state of an actor's attempts from the one
// before; nobody's change between the two is lost.
func (s *Service) changeAttempts(ctx context.Context, organization, actor string, next func(Attempts) ([]Attempt, error)) error {
	for range reserveTries {
		before, err := s.store.Attempts(ctx, organization, actor)
		if err != nil {
			return err
		}
		recent, err := next(before)
		if err != nil {
			return err
		}
		err = s.store.PutAttempts(ctx, organization, actor, Attempts{Version: before.Version, Recent: recent})
		if !fault.IsRaced(err) {
			return err
		}
	}
	return fault.New(fault.Unavailable, "busy", "")
}
