package timeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/shared/timeline"
)

var (
	created = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	now     = created.Add(1000 * time.Hour)
)

// record is a store of entries, newest first, that stops where stops says,
// as one that looks into a bounded number of months does.
type record struct {
	entries   []timeline.Entry
	stops     func(place string) bool
	fails     error
	read      int
	limits    []int
	stretches []timeline.Stretch
}

func (r *record) Entries(_ context.Context, _ string, s timeline.Stretch) ([]timeline.Entry, string, error) {
	r.limits, r.stretches = append(r.limits, s.Limit), append(r.stretches, s)
	entries := slices.Clone(r.entries)
	if s.Forward {
		slices.Reverse(entries)
	}
	var part []timeline.Entry
	for _, e := range entries {
		past := e.ID >= s.After
		if s.Forward {
			past = e.ID <= s.After
		}
		if s.After != "" && past || !e.At.Before(s.To) || e.At.Before(s.From) {
			continue
		}
		if len(part) == s.Limit {
			return part, part[len(part)-1].ID, r.fails
		}
		part = append(part, e)
		r.read++
		if r.stops != nil && r.stops(e.ID) {
			return part, e.ID, r.fails
		}
	}
	return part, "", r.fails
}

// numbered is n entries, one a minute, of which every step-th is a role's and
// says "rare"; every other of these was denied.
func numbered(n, step int) []timeline.Entry {
	var entries []timeline.Entry
	for i := n; i > 0; i-- {
		e := timeline.Entry{ID: fmt.Sprintf("%05d", i), At: created.Add(time.Duration(i) * time.Minute), Type: timeline.User}
		if i%step == 0 {
			e.Type, e.After = timeline.Role, timeline.Values{"note": "A Rare one"}
			e.Target, e.Denied = timeline.Target{Type: "role", ID: "r"}, i%(2*step) == 0
		}
		entries = append(entries, e)
	}
	return entries
}

// walk is the ids of all pages, and how many pages there were.
func walk(t interface{ Fatalf(string, ...any) }, store timeline.Store, q timeline.Query, limit int) ([]string, int) {
	var ids []string
	page := timeline.Page{Limit: limit}
	for pages := 1; ; pages++ {
		entries, end, err := timeline.List(context.Background(), store, "o", created, now, q, page)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if len(entries) > limit {
			t.Fatalf("%d entries on a page of %d", len(entries), limit)
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

func TestT2EveryPagingGivesEachEntryOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := numbered(rapid.IntRange(0, 1500).Draw(t, "entries"), rapid.IntRange(1, 400).Draw(t, "step"))
		hole := rapid.IntRange(1, 300).Draw(t, "stop")
		store := &record{entries: entries, stops: func(id string) bool { return strings.HasSuffix(id, fmt.Sprint(hole)) }}
		q := rapid.SampledFrom([]timeline.Query{
			{}, {Type: timeline.Role}, {Text: "RARE"}, {Type: timeline.User, Text: "rare"},
			{From: created.Add(20*time.Minute + time.Microsecond), To: created.Add(700 * time.Minute)},
			{Target: timeline.Target{Type: "role", ID: "r"}}, {Target: timeline.Target{Type: "user", ID: "r"}}, {Done: true},
			{Type: timeline.Role, Target: timeline.Target{Type: "role", ID: "r"}, Done: true},
		}).Draw(t, "query")
		var want []string
		for _, e := range entries {
			rare := e.Type == timeline.Role
			if (q.Type == timeline.NoType || q.Type == e.Type) && (q.Text == "" || rare) &&
				(q.Target == timeline.Target{} || q.Target.Type == "role" && rare) && (!q.Done || !e.Denied) &&
				!e.At.Before(q.From) && (q.To.IsZero() || e.At.Before(q.To)) {
				want = append(want, e.ID)
			}
		}
		got, _ := walk(t, store, q, rapid.IntRange(1, 500).Draw(t, "limit"))
		if !slices.Equal(got, want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
	})
}

func TestAPageReadsABoundedPartOfTheRecord(t *testing.T) {
	store := &record{entries: numbered(2600, 1300)}
	entries, end, err := timeline.List(t.Context(), store, "o", created, now, timeline.Query{Type: timeline.Role}, timeline.Page{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	if store.read != 1000 || len(entries) != 1 || end == "" {
		t.Errorf("%d entries read, %d found, end %q", store.read, len(entries), end)
	}
	ids, pages := walk(t, store, timeline.Query{Text: "rare"}, 1)
	if want := []string{"02600", "01300"}; !slices.Equal(ids, want) || pages < 3 {
		t.Errorf("%v in %d pages", ids, pages)
	}
}

func TestAPageWithoutFiltersReadsWhatItGives(t *testing.T) {
	store := &record{entries: numbered(100, 2)}
	if _, _, err := timeline.List(t.Context(), store, "o", created, now, timeline.Query{Person: "p"}, timeline.Page{Limit: 7}); err != nil {
		t.Fatal(err)
	}
	if store.read != 7 || !slices.Equal(store.limits, []int{7}) {
		t.Errorf("read %d by %v", store.read, store.limits)
	}
}

func TestTypesAreTheirWords(t *testing.T) {
	seen := map[string]bool{"": true}
	for kind := timeline.NoType + 1; kind < timeline.TypeCount; kind++ {
		word := kind.String()
		if seen[word] {
			t.Errorf("T1 type %d has no word of its own: %q", kind, word)
		}
		seen[word] = true
		if parsed, ok := timeline.ParseType(word); !ok || parsed != kind {
			t.Errorf("T1 %q is read as %v", word, parsed)
		}
	}
	for _, word := range []string{"", "Role", "roles"} {
		if _, ok := timeline.ParseType(word); ok {
			t.Errorf("T1 %q is no type", word)
		}
	}
}
