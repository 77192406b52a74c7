package dynamo

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// join puts members into a role's partition, every third of them with an end
// that has passed and every third with one to come.
func (b *bare) join(t testing.TB, r authz.RoleRef, n int) {
	t.Helper()
	for first := 0; first < n; first += 90 {
		tx := b.begin()
		for i := first; i < min(n, first+90); i++ {
			var a directory.Assignment
			if i%3 > 0 {
				a.Until = noon.Add(time.Duration(i%3*2-3) * time.Hour)
			}
			tx.put(memberKey("o", r, fmt.Sprintf("u%06d", i)), memberForm(a), absent, raced())
		}
		if err := tx.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMembersAreCountedByTheirEnds(t *testing.T) {
	b := openBare(t)
	r, other := authz.RoleRef{ID: "r", Birth: 7}, authz.RoleRef{ID: "r", Birth: 70}
	b.join(t, r, 301)
	b.join(t, other, 5)
	for _, page := range []int{1, 7, 100, 301, 1000} {
		if n, err := b.countMembers(t.Context(), "o", r, noon, page); n != 201 || err != nil {
			t.Errorf("R5, R14 %d of 301 are not over, %v; 201 are", n, err)
		}
	}
	// The end of u000002 is noon+1h, from that instant on it is over (R5).
	if n, _ := b.CountMembers(t.Context(), "o", r, noon.Add(time.Hour)); n != 101 {
		t.Errorf("R5 %d at the end itself", n)
	}
	if n, _ := b.CountMembers(t.Context(), "o", r, noon.Add(time.Hour-1)); n != 201 {
		t.Errorf("R5 %d right before the end", n)
	}
	calls := b.counted(nil, func() { _, _ = b.CountMembers(t.Context(), "o", r, noon) })
	if calls["Query"] != 1 || len(calls) != 1 {
		t.Errorf("301 members are counted by %v", calls)
	}
}

func TestAMemberTellsTheEndOfTheAssignment(t *testing.T) {
	b := openBare(t)
	r := authz.RoleRef{ID: "r", Birth: 1}
	u := someone("u")
	held := func(until time.Time) directory.User {
		next := u
		next.Assignments = []directory.Assignment{{Assignment: authz.Assignment{Role: r, Until: until}, Since: noon, By: "x"}}
		return next
	}
	states := []struct {
		after directory.User
		count int
	}{
		{held(time.Time{}), 1}, {held(noon.Add(-time.Nanosecond)), 0}, {held(noon.Add(time.Nanosecond)), 1},
		{held(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)), 1}, {u, 0}, {held(noon), 0}, {held(time.Time{}), 1},
	}
	before := directory.User{}
	for i, s := range states {
		if err := b.put(before, s.after); err != nil {
			t.Fatal(err)
		}
		s.after.Version = before.Version + 1
		before = s.after
		if n, err := b.CountMembers(t.Context(), "o", r, noon); n != s.count || err != nil {
			t.Errorf("R14 after change %d %d hold it, %v", i, n, err)
		}
	}
}

// BenchmarkCountMembers is what a deletion adds for a role that so many hold.
func BenchmarkCountMembers(b *testing.B) {
	const members = 20_000
	store := openBare(b)
	r := authz.RoleRef{ID: "r", Birth: 7}
	store.join(b, r, members)
	for b.Loop() {
		ctx, measured := store.Meter(b.Context())
		if n, err := store.CountMembers(ctx, "o", r, noon); err != nil || n == 0 {
			b.Fatal(n, err)
		}
		for _, m := range measured() {
			switch v := m.Value; v.Kind() {
			case slog.KindInt64:
				b.ReportMetric(float64(v.Int64()), m.Key)
			default:
				b.ReportMetric(v.Float64(), m.Key)
			}
		}
	}
}
