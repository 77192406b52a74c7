package endpoints_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/functions/projection/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
)

var (
	people   = []string{"nurse", "lead", "director", "doctor", "capture", "kiosk", "inactive"}
	sets     = [][]string{{"icu"}, {"ward"}, {"icu", "ward"}, {"hospital"}}
	kinds    = []authz.UserType{authz.General, authz.Capture, authz.Inactive}
	statuses = []authz.Status{authz.Draft, authz.New, authz.Complete}
)

// TestP8EngagementIsExactAfterAnyHistory: users, items and days change; the
// stream tells of it late, twice, out of order and in batches of any size. When
// all of it is told, what is noted of users is what the items and marks say, and
// the counts are those of the users; until then the counts are those of the users
// as noted.
func TestP8EngagementIsExactAfterAnyHistory(t *testing.T) {
	w := noted(t)
	seen := map[string]directory.Day{}
	did := map[string]int{}
	dynamotest.Check(t, 30, func(r *rapid.T) {
		var late []object
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			kind := rapid.SampledFrom([]string{"user", "mark", "mark", "item", "item", "gone", "day", "deliver"}).Draw(r, "kind")
			did[kind]++
			switch kind {
			case "user":
				w.draws(r, t)
			case "mark":
				user, ago := rapid.SampledFrom(people).Draw(r, "who"), rapid.IntRange(0, 2).Draw(r, "ago")
				day := w.today() - directory.Day(ago)
				seen[user] = max(seen[user], day)
				late = append(late, w.ofMark(user, day))
			case "item":
				id := rapid.SampledFrom([]string{"pa", "pb", "pc"}).Draw(r, "item")
				team := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 0, 4, rapid.ID[string]).Draw(r, "team")
				w.put(t, id, rapid.SampledFrom(statuses).Draw(r, "status"), team...)
				late = append(late, w.ofItem("MODIFY", id))
			case "gone":
				id := rapid.SampledFrom([]string{"pa", "pb", "pc"}).Draw(r, "item")
				w.remove(t, id)
				late = append(late, w.ofItem("REMOVE", id))
			case "day":
				w.Clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(r, "days")) * 24 * time.Hour)
			case "deliver":
				if len(late) > 0 {
					w.deliver(t, rapid.SampledFrom(late).Draw(r, "early"))
				}
			}
		}
		w.anyhow(r, t, late)
		if faults := w.exact(t); len(faults) > 0 {
			r.Fatalf("P8 %v", faults)
		}
		for user, day := range seen {
			if got := w.User(t, user).Seen; got != day {
				r.Fatalf("%s is noted on %d, the last mark is of %d", user, got, day)
			}
		}
	})
	for _, kind := range []string{"user", "mark", "item", "gone", "day", "deliver"} {
		if did[kind] == 0 {
			t.Errorf("%s never happened: %v", kind, did)
		}
	}
}

// draws changes somebody, in what the counts are about.
func (w *world) draws(r *rapid.T, t *testing.T) {
	user, label := rapid.SampledFrom(people).Draw(r, "user"), directory.Persona(rapid.IntRange(0, int(directory.PersonaCount)-1).Draw(r, "persona"))
	set, kind := rapid.SampledFrom(sets).Draw(r, "set"), rapid.SampledFrom(kinds).Draw(r, "type")
	if err := w.change(t.Context(), user, func(u *directory.User) { u.Persona, u.Locations, u.Type = label, set, kind }); err != nil {
		r.Fatal(err)
	}
}

// anyhow delivers records in any order, some twice, in batches of any size.
func (w *world) anyhow(r *rapid.T, t *testing.T, records []object) {
	if len(records) == 0 {
		return
	}
	order := rapid.Permutation(slices.Concat(records, records[:len(records)/2])).Draw(r, "order")
	for len(order) > 0 {
		n := rapid.IntRange(1, len(order)).Draw(r, "batch")
		w.deliver(t, order[:n]...)
		order = order[n:]
	}
}

// TestP8EngagementIsExactUnderConcurrentChanges: a hundred changes of people at
// once with marks and items that two instances are told of at the same time.
func TestP8EngagementIsExactUnderConcurrentChanges(t *testing.T) {
	w := noted(t)
	var records []object
	for i := range 30 {
		records = append(records, w.ofMark(people[i%len(people)], w.today()-directory.Day(i%3)))
	}
	for i := range 12 {
		id := fmt.Sprint("pa-", i%4)
		w.put(t, id, statuses[rand.IntN(len(statuses))], people[i%len(people)], people[(i+3)%len(people)])
		records = append(records, w.ofItem("MODIFY", id))
	}
	var running sync.WaitGroup
	failures := make(chan error, 200)
	for i := range 100 {
		running.Go(func() {
			failures <- w.change(t.Context(), people[i%len(people)], func(u *directory.User) {
				u.Persona = directory.Persona(rand.IntN(int(directory.PersonaCount)))
				if i%5 == 0 {
					u.Locations = sets[rand.IntN(len(sets))]
				}
				if i%7 == 0 {
					u.Type = kinds[rand.IntN(len(kinds))]
				}
			})
		})
	}
	for _, store := range []*dynamo.Store{w.store, w.Open()} {
		f := w.quiet(store)
		running.Go(func() { failures <- untilDone(t.Context(), f, records) })
	}
	running.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	w.isExact(t)
}

// untilDone gives a function records a few at a time, and those from the first
// that failed on again, as the stream does.
func untilDone(ctx context.Context, f *endpoints.Function, records []object) error {
	for attempt := 0; len(records) > 0; attempt++ {
		batch := records[:min(5, len(records))]
		failed, err := invoke(ctx, f, batch...)
		if err != nil || attempt == 100 {
			return errors.Join(err, fmt.Errorf("failed are %v", failed))
		}
		done := len(batch)
		if len(failed) > 0 {
			done = slices.IndexFunc(batch, func(r object) bool { return numberOf(r) == failed[0] })
		}
		records = records[done:]
	}
	return nil
}
