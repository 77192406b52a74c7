package persona

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// suspect is a set that may have drifted, with its counter as it was before
// anybody was read.
type suspect struct {
	name   string
	before SetCount
}

// suspects are the sets whose counter moved while the users were read, or says
// otherwise than they; and how many sets there are at all.
func (w *walk) suspects(before, after []SetCount) (suspects []suspect, sets int) {
	first, last := byName(before), byName(after)
	names := map[string]bool{}
	for _, all := range []iter.Seq[string]{maps.Keys(w.found), maps.Keys(first), maps.Keys(last)} {
		for name := range all {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		moved := first[name].Version != last[name].Version
		if moved || len(drifts(first[name].Population, w.of(name), w.from)) > 0 {
			suspects = append(suspects, suspect{name, first[name]})
		}
	}
	return suspects, len(names)
}

func byName(counts []SetCount) map[string]SetCount {
	all := make(map[string]SetCount, len(counts))
	for _, c := range counts {
		all[setName(c.Locations)] = c
	}
	return all
}

// of is what was found of a set.
func (w *walk) of(name string) Population {
	if p := w.found[name]; p != nil {
		return *p
	}
	return *populationAt(locationsOf(name))
}

// settle tells which of the suspects strayed, and how many it cannot tell of.
//
// A counter that waited for no write, and has the version that it had before
// the walk, changed with nobody whom the walk saw; was it not young then, the
// users that it was last changed with were whole. So the walk is right, or else
// the set is read again.
func (w *walk) settle(ctx context.Context, suspects []suspect) (strayed []Strayed, unsettled int, err error) {
	sets := make([][]string, len(suspects))
	for i, s := range suspects {
		sets[i] = locationsOf(s.name)
	}
	now, err := w.store.SetCountsOf(ctx, w.organization, sets)
	if err != nil {
		return nil, 0, err
	}
	var again []SetCount
	for i, s := range suspects {
		if now[i].Version != s.before.Version || s.before.Young {
			again = append(again, now[i])
		} else if d := drifts(now[i].Population, w.of(s.name), w.from); len(d) > 0 {
			strayed = append(strayed, Strayed{now[i], d})
		}
	}
	more, unsettled, err := w.readAgain(ctx, again)
	return append(strayed, more...), unsettled, err
}

// readAbreast is how many sets are read again at the same time.
const readAbreast = 8

// readAgain settles sets one by one.
func (w *walk) readAgain(ctx context.Context, counts []SetCount) (strayed []Strayed, unsettled int, err error) {
	var (
		group   sync.WaitGroup
		slots   = make(chan struct{}, readAbreast)
		results = make([]recheck, len(counts))
	)
	for i, c := range counts {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			results[i] = w.recheck(ctx, c)
		})
	}
	group.Wait()
	for _, r := range results {
		switch {
		case r.err != nil:
			err = cmp.Or(err, r.err)
		case !r.settled:
			unsettled++
		case len(r.Drifts) > 0:
			strayed = append(strayed, r.Strayed)
		}
	}
	return strayed, unsettled, err
}

// recheck is what reading a set again told.
type recheck struct {
	Strayed
	settled bool
	err     error
}

const (
	// mostChanges is how often a set may change while it is read again.
	mostChanges = 6
	// mostRechecks bounds the readings of a set that differs while it is young. With
	// the pauses between them they go on for longer than it can be.
	mostRechecks = 14
)

// recheck reads the users of a set between two readings of its counter, until
// both are of one version. When they differ then, they drifted if the counter
// is not young; else its last change may be half seen.
func (w *walk) recheck(ctx context.Context, before SetCount) recheck {
	changes := 0
	for attempt := 0; ; attempt++ {
		if directory.Late(ctx, reconcileReserve) {
			return recheck{}
		}
		found, err := w.people(ctx, before.Locations)
		if err != nil {
			return recheck{err: err}
		}
		after, err := w.store.SetCountsOf(ctx, w.organization, [][]string{before.Locations})
		if err != nil {
			return recheck{err: err}
		}
		if after[0].Version == before.Version {
			wrong := drifts(after[0].Population, *found, w.from)
			if len(wrong) == 0 || !before.Young {
				return recheck{Strayed: Strayed{after[0], wrong}, settled: true}
			}
		} else if changes++; changes == mostChanges {
			return recheck{}
		}
		if attempt == mostRechecks {
			return recheck{}
		}
		before = after[0]
		if err := linger(ctx, attempt); err != nil {
			return recheck{err: err}
		}
	}
}

// linger waits a little longer each time, a second at most.
func linger(ctx context.Context, attempt int) error {
	select {
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, "busy", ctx.Err())
	case <-time.After(min(20*time.Millisecond<<attempt, time.Second)):
		return nil
	}
}

// people is what the users of a set make of it, found by the location of theirs
// where the fewest are.
func (w *walk) people(ctx context.Context, locations []string) (*Population, error) {
	quietest := slices.MinFunc(locations, func(a, b string) int { return cmp.Compare(w.crowds[a], w.crowds[b]) })
	users, err := w.store.UsersAt(ctx, w.organization, quietest)
	if err != nil {
		return nil, err
	}
	name, found := setName(locations), populationAt(locations)
	for _, u := range users {
		if Counted(u) && setName(u.Locations) == name {
			found.admit(u)
		}
	}
	return found, nil
}
