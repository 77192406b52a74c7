package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/shared/timeline"
)

// acts is of a session between the 100th and the 200th minute.
var acts = timeline.Acts{Session: "x", Actor: "a", From: created.Add(100 * time.Minute), To: created.Add(200 * time.Minute)}

// deed is an entry of a minute, in a session.
func deed(minute int, session string) timeline.Entry {
	return timeline.Entry{ID: fmt.Sprintf("%06d", minute), At: created.Add(time.Duration(minute) * time.Minute), Type: timeline.Role, Session: session}
}

// story walks a session's pages and is the ids in them, with how many pages there
// were.
func story(t interface{ Fatalf(string, ...any) }, store timeline.Store, a timeline.Acts, limit int) ([]string, int) {
	var ids []string
	page := timeline.Page{Limit: limit}
	for pages := 1; ; pages++ {
		entries, end, err := timeline.InSession(context.Background(), store, "o", a, page)
		if err != nil || len(entries) > limit {
			t.Fatalf("%d entries on a page of %d: %v", len(entries), limit, err)
		}
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		if end == "" {
			return ids, pages
		}
		page.After = end
	}
}

// oldestFirst turns entries around, as a store has them newest first.
func oldestFirst(ids []string) []string {
	slices.Reverse(ids)
	return ids
}

func TestI7EveryPagingOfASessionGivesEachEntryOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var entries []timeline.Entry
		var want []string
		frames := rapid.Bool().Draw(t, "frames")
		hides := rapid.Bool().Draw(t, "hides")
		// From an hour before to an hour after: clocks of two instances differ by less.
		oldest := rapid.IntRange(40, 250).Draw(t, "oldest")
		for minute := rapid.IntRange(oldest, 259).Draw(t, "newest"); minute > oldest; minute-- {
			e := deed(minute, rapid.SampledFrom([]string{"x", "", "y"}).Draw(t, "session"))
			e.Denied = rapid.Bool().Draw(t, "denied")
			if frames && minute%7 == 0 { // a start or an end, of this session or another
				e.Type, e.Target = timeline.Impersonation, timeline.Target{Type: "impersonation", ID: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "of")}
			}
			entries = append(entries, e)
			own := e.Session == "x" && (e.Type != timeline.Impersonation || e.Target.ID != "x")
			if own && !(hides && minute%3 == 0) {
				want = append(want, e.ID)
			}
		}
		a := acts
		if hides {
			a.Shown = func(entries []timeline.Entry) ([]timeline.Entry, error) {
				return slices.DeleteFunc(entries, func(e timeline.Entry) bool { return e.At.Sub(created)/time.Minute%3 == 0 }), nil
			}
		}
		limit := rapid.IntRange(1, 60).Draw(t, "limit")
		got, pages := story(t, &record{entries: entries}, a, limit)
		if !slices.Equal(got, oldestFirst(want)) {
			t.Fatalf("%v, want %v", got, want)
		}
		if most := max(1, (len(want)+limit-1)/limit); pages != most {
			t.Fatalf("T4 %d pages of %d entries by %d: one more tells of what is not shown", pages, len(want), limit)
		}
	})
}

func TestI7ASessionIsReadFromItsActorAroundItsTime(t *testing.T) {
	// On the borders, and beyond them by less than clocks differ (an instance whose
	// clock is late touches a session that another began).
	in := []int{41, 99, 100, 101, 199, 200, 259}
	var entries []timeline.Entry
	for minute := 300; minute > 0; minute-- {
		session := "another"
		if slices.Contains(in, minute) {
			session = "x"
		}
		entries = append(entries, deed(minute, session))
	}
	store := &record{entries: entries}
	got, _ := story(t, store, acts, 50)
	var want []string
	for _, minute := range in {
		want = append(want, deed(minute, "x").ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if store.read > 220 {
		t.Errorf("%d entries were read, the session's and an hour's around it are enough", store.read)
	}
	for _, s := range store.stretches {
		if s.Person != "a" || !s.Forward {
			t.Errorf("read %+v", s)
		}
	}
}

func TestTwoSessionsInARowAreToldApart(t *testing.T) {
	first, second := acts, acts
	first.To = created.Add(150 * time.Minute)
	second.Session, second.From = "y", first.To
	var entries []timeline.Entry
	for minute := 200; minute >= 100; minute-- {
		session := "y"
		if minute < 150 {
			session = "x"
		}
		entries = append(entries, deed(minute, session))
	}
	store := &record{entries: entries}
	of := func(a timeline.Acts) (n int) { ids, _ := story(t, store, a, 7); return len(ids) }
	if of(first) != 50 || of(second) != 51 {
		t.Errorf("%d and %d entries", of(first), of(second))
	}
}

// TestAStoryReadsABoundedPartOfItsActorsRecord: much of what the actor did beside
// the session makes a page short, and none is lost.
func TestAStoryReadsABoundedPartOfItsActorsRecord(t *testing.T) {
	var entries []timeline.Entry
	for i := 2600; i > 0; i-- {
		e := deed(i, "")
		e.At = created.Add(100 * time.Minute).Add(time.Duration(i) * time.Second)
		if i == 1 || i == 1200 || i == 2600 {
			e.Session = "x"
		}
		entries = append(entries, e)
	}
	store := &record{entries: entries}
	got, end, err := timeline.InSession(t.Context(), store, "o", acts, timeline.Page{Limit: 50})
	if err != nil || len(got) != 1 || end == "" || store.read != 1000 {
		t.Errorf("%d entries, end %q, %d read, %v", len(got), end, store.read, err)
	}
	if ids, pages := story(t, store, acts, 50); len(ids) != 3 || pages != 3 {
		t.Errorf("%v in %d pages", ids, pages)
	}
}

func TestAStoryThatCannotBeReadIsNone(t *testing.T) {
	broken := errors.New("broken")
	a := acts
	a.Shown = func([]timeline.Entry) ([]timeline.Entry, error) { return nil, broken }
	store := &record{entries: []timeline.Entry{deed(150, "x")}}
	if entries, _, err := timeline.InSession(t.Context(), store, "o", a, timeline.Page{Limit: 5}); !errors.Is(err, broken) || entries != nil {
		t.Errorf("%v, %v", entries, err)
	}
	store.fails = broken
	if entries, _, err := timeline.InSession(t.Context(), store, "o", acts, timeline.Page{Limit: 5}); !errors.Is(err, broken) || entries != nil {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestAStoryOfGiantsIsReadInBoundedSteps: where the store brings one entry at a time,
// as of the largest there are, a page ends after so many readings, and none is lost.
func TestAStoryOfGiantsIsReadInBoundedSteps(t *testing.T) {
	var entries []timeline.Entry
	for i := 90; i > 0; i-- {
		entries = append(entries, deed(100+i, []string{"x", ""}[i%2]))
	}
	store := &record{entries: entries, stops: func(string) bool { return true }}
	if _, end, err := timeline.InSession(t.Context(), store, "o", acts, timeline.Page{Limit: 500}); err != nil || end == "" || len(store.limits) > 20 {
		t.Errorf("%d readings, end %q, %v", len(store.limits), end, err)
	}
	if ids, _ := story(t, store, acts, 500); len(ids) != 45 {
		t.Errorf("%d of 45", len(ids))
	}
}
