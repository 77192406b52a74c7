package persona

import (
	"context"
	"errors"
	"time"

	"gemba/shared/timeline"
)

// Watched is what the schedule needs of storage besides.
type Watched interface {
	// Forget takes from counters the days that are counted no more, and tells from
	// how many; one that changed meanwhile is left for another day.
	Forget(ctx context.Context, organization string, counts []SetCount) (int, error)
	// Record writes an entry that stands alone.
	Record(ctx context.Context, organization string, e timeline.Entry) error
}

// Watch reconciles on a schedule. It mends nothing: whoever finds that counters
// drifted has to learn why first. It takes from the counters the days that no
// report reads any more, which nobody could tell, so that is no entry.
type Watch struct {
	reconciler *Reconciler
	store      Watched
	now        func() time.Time
}

// NewWatch reconciles the organizations of a store, dated by the clock.
func NewWatch(r *Reconciler, store Watched, now func() time.Time) *Watch {
	return &Watch{r, store, now}
}

// Watching is what was found of one organization, and from how many counters
// days were taken.
type Watching struct {
	Organization string
	Found        Reconciliation
	Forgotten    int
	Err          error
}

// Each reconciles organizations, tells of each as it comes, and goes on past one that
// fails. The error joins all failures: those that failed, or for which there was no
// time, are to be reconciled again.
func (w *Watch) Each(ctx context.Context, organizations []string, tell func(Watching)) error {
	var failures []error
	for _, o := range organizations {
		found := w.organization(ctx, o)
		failures = append(failures, found.Err)
		tell(found)
	}
	return errors.Join(failures...)
}

// organization reconciles one. Drift is an entry of the timeline; without drift
// there is none.
func (w *Watch) organization(ctx context.Context, o string) Watching {
	found, counts, err := w.reconciler.recount(ctx, o, w.now())
	out := Watching{Organization: o, Found: found, Err: err}
	if err != nil {
		return out
	}
	if found.Drift() > 0 {
		out.Err = w.store.Record(ctx, o, found.entry(o))
	}
	var failed error
	out.Forgotten, failed = w.store.Forget(ctx, o, counts)
	out.Err = errors.Join(out.Err, failed)
	return out
}

// mostTold is of how many sets an entry tells what drifted.
const mostTold = 20

// entry is drift as the timeline tells it (T1): what was counted before, and
// what was found.
func (r Reconciliation) entry(o string) timeline.Entry {
	told := r.Strayed[:min(len(r.Strayed), mostTold)]
	after := countsTold(told, func(d Drift) int { return d.Found })
	after["drift"], after["unsettled"] = r.Drift(), r.Unsettled
	return timeline.Entry{
		At: r.At, Type: timeline.Audit, Action: "reconcile", Subject: scheduled,
		Target: timeline.Target{Type: "organization", ID: o},
		Before: countsTold(told, func(d Drift) int { return d.Counted }), After: after,
		RequestID: "schedule-" + Slot(r.At),
	}
}
