package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what came of requests.
type tally struct {
	single, batch            *hdrhistogram.Histogram // microseconds
	yes, no                  int
	unanswered, serverErrors int // no answer at all; 5xx
	unexpected               int // another status, form or decision
	first                    error
}

// newTally counts up to a minute, which is twice the client's patience, with
// three digits.
func newTally() *tally {
	return &tally{
		single: hdrhistogram.New(1, time.Minute.Microseconds(), 3),
		batch:  hdrhistogram.New(1, time.Minute.Microseconds(), 3),
	}
}

// report is a whole load.
type report struct {
	tally
	workers int
	took    time.Duration
}

// drive asks the tasks, round and round, until the plan is done.
func drive(ctx context.Context, c *client, p plan, tasks []task) report {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	var taken atomic.Int64
	tallies := make([]*tally, p.workers)
	var workers sync.WaitGroup
	start := time.Now()
	for w := range tallies {
		tallies[w] = newTally()
		workers.Go(func() {
			for n := int(taken.Add(1)) - 1; n < p.requests && ctx.Err() == nil; n = int(taken.Add(1)) - 1 {
				tallies[w].ask(ctx, c, tasks[n%len(tasks)])
			}
		})
	}
	workers.Wait()
	r := report{tally: *newTally(), workers: p.workers, took: time.Since(start)}
	for _, t := range tallies {
		r.add(t)
	}
	return r
}

// ask does one task. What the end of the load cuts off counts for nothing.
func (t *tally) ask(ctx context.Context, c *client, k task) {
	start := time.Now()
	status, raw, err := c.post(ctx, k.path, k.token, k.body)
	took := time.Since(start).Microseconds()
	if ctx.Err() != nil {
		return
	}
	latencies := t.single
	if len(k.want) > 1 {
		latencies = t.batch
	}
	_ = latencies.RecordValue(max(took, 1)) // no request takes longer than the client waits
	switch {
	case err != nil:
		t.unanswered++
		t.keep(err)
	case status >= 500:
		t.serverErrors++
		t.keep(fmt.Errorf("answered with %d: %.200s", status, raw))
	default:
		t.judge(status, raw, k)
	}
}

// judge counts the decisions of an answer, and it as unexpected when they are
// others than before.
func (t *tally) judge(status int, raw []byte, k task) {
	got, err := decisions(status, raw, len(k.want))
	if err == nil && !slices.Equal(got, k.want) {
		err = fmt.Errorf("%s: %v, before it was %v: %+v", k.path, got, k.want, k.body)
	}
	if err != nil {
		t.unexpected++
		t.keep(err)
	}
	for _, yes := range got {
		if yes {
			t.yes++
		} else {
			t.no++
		}
	}
}

// keep keeps the first fault, to be told.
func (t *tally) keep(err error) {
	if t.first == nil {
		t.first = err
	}
}

func (t *tally) add(other *tally) {
	t.single.Merge(other.single)
	t.batch.Merge(other.batch)
	t.yes += other.yes
	t.no += other.no
	t.unanswered += other.unanswered
	t.serverErrors += other.serverErrors
	t.unexpected += other.unexpected
	if other.first != nil {
		t.keep(other.first)
	}
}

// fault is why the load failed, if it did.
func (r report) fault() error {
	switch {
	case r.first != nil:
		return fmt.Errorf("the load failed, first with: %w", r.first)
	case r.yes+r.no == 0:
		return fmt.Errorf("nothing was answered")
	default:
		return nil
	}
}

// String is the report as it is printed.
func (r report) String() string {
	requests := r.single.TotalCount() + r.batch.TotalCount()
	seconds := r.took.Seconds()
	var out strings.Builder
	fmt.Fprintf(&out, "%d requests by %d workers in %.1f s: %.0f requests/s, %.0f decisions/s\n",
		requests, r.workers, seconds, float64(requests)/seconds, float64(r.yes+r.no)/seconds)
	fmt.Fprintf(&out, "%-14s %8s %9s %9s %9s %9s\n", "milliseconds", "requests", "p50", "p90", "p99", "max")
	for _, row := range []struct {
		name      string
		latencies *hdrhistogram.Histogram
	}{{"single", r.single}, {fmt.Sprintf("batches of %d", batchSize), r.batch}} {
		at := func(percentile float64) float64 { return float64(row.latencies.ValueAtPercentile(percentile)) / 1000 }
		fmt.Fprintf(&out, "%-14s %8d %9.2f %9.2f %9.2f %9.2f\n", row.name, row.latencies.TotalCount(), at(50), at(90), at(99), at(100))
	}
	fmt.Fprintf(&out, "decisions: %d yes, %d no; faults: %d unanswered, %d of the server (5xx), %d unexpected\n",
		r.yes, r.no, r.unanswered, r.serverErrors, r.unexpected)
	return out.String()
}
