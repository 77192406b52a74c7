package endpoints

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"gemba/shared/directory"
)

// seen notes the marks, organization by organization, and answers the records
// that failed.
func (f *Function) seen(ctx context.Context, marks map[thing]mark) map[string]bool {
	organizations := map[string]map[string]directory.Day{}
	for of, m := range marks {
		if organizations[of.organization] == nil {
			organizations[of.organization] = map[string]directory.Day{}
		}
		organizations[of.organization][of.id] = m.day
	}
	failed := map[string]bool{}
	for _, o := range slices.Sorted(maps.Keys(organizations)) {
		failures := f.engager.Seen(ctx, o, organizations[o])
		f.tell(ctx, "seen", o, nil, slog.Int("users", len(organizations[o])), slog.Int("failed", len(failures)))
		for _, user := range slices.Sorted(maps.Keys(failures)) {
			f.tell(ctx, "seen", o, failures[user], slog.String("user", user))
			fail(failed, marks[thing{o, user}].records)
		}
	}
	return failed
}

// abreast is how many items are at work at the same time.
const abreast = 4

// items holds what is noted to the items, a few at the same time, and answers
// the records that failed.
func (f *Function) items(ctx context.Context, items map[thing][]string) map[string]bool {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, abreast)
		order  = slices.SortedFunc(maps.Keys(items), thing.compare)
		errs   = make([]error, len(order))
		failed = map[string]bool{}
	)
	for i, of := range order {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = f.engager.Item(ctx, of.organization, of.id)
		})
	}
	group.Wait()
	for i, of := range order {
		if errs[i] != nil {
			f.tell(ctx, "item", of.organization, errs[i], slog.String("item", of.id))
			fail(failed, items[of])
		}
	}
	if len(items) > 0 {
		f.log.LogAttrs(ctx, slog.LevelInfo, "record", slog.String("function", "projection"), slog.String("action", "item"),
			slog.Int("items", len(items)), slog.Int("failed", len(failed)))
	}
	return failed
}
