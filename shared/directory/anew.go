package directory

import (
	"context"
	"math/rand/v2"
	"time"

	"gemba/shared/fault"
)

// mostDecisions bounds how often something is decided because its write lost a
// race.
const mostDecisions = 12

// Anew decides and acts, and does so anew, after a pause with full jitter, as
// long as the write was overtaken (fault.IsRaced). Unavailable when that happens
// more often than it is tried, or the request's time is over.
func Anew(ctx context.Context, act func() error) error {
	for attempt := range mostDecisions {
		err := act()
		if !fault.IsRaced(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Unavailable, "busy", ctx.Err())
		case <-time.After(rand.N(min(5*time.Millisecond<<attempt, 200*time.Millisecond))):
		}
	}
	return fault.New(fault.Unavailable, "busy", "")
}

// Late is whether less than this is left of the time that the context has. The
// deadline is the platform's, so it is held against the platform's clock.
func Late(ctx context.Context, reserve time.Duration) bool {
	end, ends := ctx.Deadline()
	return ends && time.Until(end) < reserve
}
