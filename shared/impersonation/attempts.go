package impersonation

import (
	"context"
	"crypto/rand"
	jitter "math/rand/v2"
	"slices"
	"time"

	"gemba/shared/fault"
)

const (
	// mostFailures is how many proofs may fail in failureWindow (I2).
	mostFailures  = 5
	failureWindow = 15 * time.Minute
	// underWay is how long nobody knows an attempt's end at most, which is well
	// over what the pool is given to answer. One that never ended counts as wrong.
	underWay = 30 * time.Second
	// attemptsPatience bounds how long a change of the attempts that lost a race
	// is tried again, and one that waits for attempts under way.
	attemptsPatience = 5 * time.Second
	attemptsPause    = 40 * time.Millisecond
)

// Attempt is a proof that failed, or with Open one that nobody knows the end of
// yet.
type Attempt struct {
	ID   string
	At   time.Time
	Open bool
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
	e := fault.New(fault.TooMany, "too_many_attempts", "Too many proofs of who you are have failed. None is taken before the seconds have passed that Retry-After tells.")
	e.RetryAfter = times[len(times)-mostFailures].Add(failureWindow).Sub(now)
	return e
}

// undecided tells whether the attempts under way may yet turn out right, and so
// make place for another at now.
func (a Attempts) undecided(now time.Time) bool {
	wrong := 0
	for _, one := range a.in(now) {
		if !one.Open || now.Sub(one.At) > underWay {
			wrong++
		}
	}
	return wrong < mostFailures
}

// reserve counts an attempt before it is made, so that parallel ones cannot
// slip through (I2). It answers its id, and how many count with it, those under
// way included; TooMany when there were too many.
func (s *Service) reserve(ctx context.Context, organization, actor string, now time.Time) (id string, counted int, err error) {
	id = rand.Text()
	err = s.changeAttempts(ctx, organization, actor, now, func(a Attempts) ([]Attempt, error) {
		next := append(a.in(now), Attempt{ID: id, At: now, Open: true})
		counted = len(next)
		return next, a.blocked(now)
	})
	return id, counted, err
}

// settleAttempt is how a reserved attempt ended: one that failed stays, any
// other is taken back.
func (s *Service) settleAttempt(ctx context.Context, organization, actor, id string, now time.Time, failed bool) error {
	return s.changeAttempts(ctx, organization, actor, now, func(a Attempts) ([]Attempt, error) {
		recent := slices.Clone(a.Recent)
		i := slices.IndexFunc(recent, func(one Attempt) bool { return one.ID == id })
		switch {
		case i < 0:
		case failed:
			recent[i].Open = false
		default:
			recent = slices.Delete(recent, i, i+1)
		}
		return recent, nil
	})
}

// changeAttempts writes the next state of an actor's attempts from the one
// before; nobody's change between the two is lost. A refusal that attempts under
// way may yet lift is not given before they have ended: it would send somebody
// away for minutes who only pressed a button too often.
func (s *Service) changeAttempts(ctx context.Context, organization, actor string, now time.Time, next func(Attempts) ([]Attempt, error)) error {
	patience, stop := context.WithTimeout(ctx, attemptsPatience)
	defer stop()
	for {
		before, err := s.store.Attempts(ctx, organization, actor)
		if err != nil {
			return err
		}
		recent, err := next(before)
		if err == nil {
			err = s.store.PutAttempts(ctx, organization, actor, Attempts{Version: before.Version, Recent: recent})
			if !fault.IsRaced(err) {
				return err
			}
			err = fault.New(fault.Unavailable, "busy", "")
		} else if !before.undecided(now) {
			return err
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(jitter.N(attemptsPause)):
		}
	}
}
