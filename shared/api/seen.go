package api

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	"gemba/shared/directory"
)

// That somebody signed in made a request is noted once a day and person, beside
// the requests: the first of a UTC day leaves a mark while the endpoint works,
// and all others neither read nor write anything for it, because the caller who
// is read anyway tells the last day noted. Until that is so, the instance
// remembers whose marks it has left.
//
// It is the actor's request, in a session too (I7). A denied one counts, and one
// that fails; none that ends before it is known who asks, or that is in no session
// any more. A mark that fails or takes too long is a line in the log and nothing
// else: the next request leaves it.

const (
	// patience is how long an answer waits for a mark that is still under way. An
	// instance may stand still as soon as it has answered.
	patience = 50 * time.Millisecond
	// mostHanded is how many marks an instance remembers.
	mostHanded = 4096
)

// handed remembers marks that were left, as hashes, the later ones of a place
// instead of the earlier. It decides nothing about anybody: a mark that it forgot
// is left again, which changes nothing, and that it takes one for another, one in
// 2^64, costs a person one instance's mark of a day.
type handed struct {
	seed  maphash.Seed
	marks [mostHanded]atomic.Uint64
}

func newHanded() *handed { return &handed{seed: maphash.MakeSeed()} }

// of is the hash of a mark, never that of an empty place.
func (h *handed) of(organization, user string, day directory.Day) uint64 {
	return maphash.String(h.seed, fmt.Sprintf("%d %s %s", day, organization, user)) | 1
}

func (h *handed) has(mark uint64) bool { return h.marks[mark/2%mostHanded].Load() == mark }
func (h *handed) add(mark uint64)      { h.marks[mark/2%mostHanded].Store(mark) }

// marking is a mark on its way.
type marking struct {
	mark   uint64
	done   chan error
	cancel context.CancelFunc
}

// see leaves the mark that the actor made a request on this day, if it may be the
// first. It does not wait.
func (c *call) see(ctx context.Context, actor directory.User) {
	today := directory.DayOf(c.at)
	if actor.Seen >= today || c.marking != nil {
		return
	}
	mark := c.handed.of(c.organization, actor.ID, today)
	if c.handed.has(mark) {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	c.marking = &marking{mark: mark, done: make(chan error, 1), cancel: cancel}
	done, leave, organization := c.marking.done, c.deps.MarkSeen, c.organization
	go func() { done <- leave(ctx, organization, actor.ID, today) }()
}

// settle waits for the request's mark, if it left one, as long as it may.
func (c *call) settle(ctx context.Context) {
	if c.marking == nil {
		return
	}
	defer c.marking.cancel()
	var err error
	select {
	case err = <-c.marking.done:
	case <-time.After(patience):
		err = context.DeadlineExceeded
	}
	if err == nil {
		c.handed.add(c.marking.mark)
		return
	}
	c.deps.Log.LogAttrs(ctx, slog.LevelWarn, "mark", slog.String("requestId", c.request.ID),
		slog.String("organization", c.organization), slog.String("actor", c.actor), slog.String("error", err.Error()))
}
