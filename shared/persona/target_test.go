package persona

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"gemba/shared/directory"
)

// ranges are the goals as the tests show them: frontline, leader, executive,
// experts, champions.
func (g goals) String() string {
	champions := "-"
	if g.champions != nil {
		champions = fmt.Sprintf("%d..%d", g.champions.Min, g.champions.Max)
	}
	return fmt.Sprintf("%d..%d %d..%d %d..%d %d..%d %s", g.frontline.Min, g.frontline.Max, g.leader.Min, g.leader.Max,
		g.executive.Min, g.executive.Max, g.experts.Min, g.experts.Max, champions)
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		n           int
		whole, part string
	}{
		{0, "0..0 0..0 0..0 0..3 2..3", "0..0 0..0 0..0 0..1 -"},
		{1, "0..1 0..1 0..1 0..3 2..3", "0..1 0..1 0..1 0..1 -"},
		{4, "2..4 0..1 0..1 0..3 2..3", "2..4 0..1 0..1 0..1 -"},
		{10, "7..9 0..2 0..1 0..3 2..3", "7..9 0..2 0..1 0..1 -"},
		{20, "14..18 1..4 1..2 0..3 2..3", "14..18 1..4 1..2 0..1 -"},
		{99, "69..90 4..20 4..10 0..3 2..3", "69..90 4..20 4..10 0..1 -"},
		{100, "70..90 5..20 5..10 0..3 2..3", "70..90 5..20 5..10 0..1 -"},
		{101, "70..91 5..21 5..11 0..3 2..3", "70..91 5..21 5..11 0..1 -"},
		{200, "140..180 10..40 10..20 0..3 2..3", "140..180 10..40 10..20 0..1 -"},
		{201, "140..181 10..41 10..21 0..3 2..3", "140..181 10..41 10..21 0..2 -"},
		{240, "168..216 12..48 12..24 0..3 2..3", "168..216 12..48 12..24 0..2 -"},
		{500, "350..450 25..100 25..50 0..4 2..3", "350..450 25..100 25..50 0..4 -"},
		{100_000, "70000..90000 5000..20000 5000..10000 0..999 2..3", "70000..90000 5000..20000 5000..10000 0..999 -"},
	} {
		t.Run(fmt.Sprintf("P5 %d people", c.n), func(t *testing.T) {
			if got := goalsFor(directory.DefaultTargets(), c.n, true).String(); got != c.whole {
				t.Errorf("organization: %s, want %s", got, c.whole)
			}
			if got := goalsFor(directory.DefaultTargets(), c.n, false).String(); got != c.part {
				t.Errorf("part: %s, want %s", got, c.part)
			}
		})
	}
}

// TestRangesHoldForEveryNumber is P5 without its formulas: a range holds
// exactly the counts that are within one person of the share.
func TestRangesHoldForEveryNumber(t *testing.T) {
	targets := directory.DefaultTargets()
	for n := range 301 {
		g := goalsFor(targets, n, true)
		part := goalsFor(targets, n, false)
		for _, c := range []struct {
			share directory.Share
			got   Range
		}{{targets.Frontline, g.frontline}, {targets.Leader, g.leader}, {targets.Executive, g.executive}} {
			for count := -1; count <= n+1; count++ {
				// One person more would reach the least, one less keep the most.
				within := (count+1)*whole > c.share.Min*n && (count-1)*whole < c.share.Max*n && count >= 0
				if within != (c.got.verdict(count) == Within) {
					t.Fatalf("P5 n=%d share=%v: %d is %v of %v", n, c.share, count, c.got.verdict(count), c.got)
				}
			}
			if c.got.Min < 0 || c.got.Max > n {
				t.Fatalf("P5 n=%d: %v is not among %d people", n, c.got, n)
			}
		}
		for count := range n + 1 {
			if under := count*100 < n; under && count > part.experts.Max || !under && count > 1 && count <= part.experts.Max {
				t.Fatalf("P5 n=%d: %d experts are under 1%%: %v, range %v", n, count, under, part.experts)
			}
		}
		if part.experts.Max < 1 || g.experts.Max < 3 || g.experts.Max < part.experts.Max || part.champions != nil {
			t.Fatalf("P5 n=%d: experts %v of all, %v of a part", n, g.experts, part.experts)
		}
		if n >= fewest && !g.reachable(n) {
			t.Fatalf("P4 n=%d: the default targets contradict: %v", n, g)
		}
	}
}

// TestReachableIsExact tries every distribution of few people.
func TestReachableIsExact(t *testing.T) {
	share := rapid.Custom(func(t *rapid.T) directory.Share {
		a := rapid.IntRange(0, 10).Draw(t, "min") * 1000
		b := rapid.IntRange(0, 10).Draw(t, "max") * 1000
		return directory.Share{Min: a, Max: b}
	})
	reachable := 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 9).Draw(t, "n")
		all := rapid.Bool().Draw(t, "all")
		targets := directory.Targets{
			Frontline: share.Draw(t, "frontline"), Leader: share.Draw(t, "leader"), Executive: share.Draw(t, "executive"),
			ExpertsUnder: rapid.IntRange(0, 10).Draw(t, "under") * 1000,
			Champions:    directory.People{Min: rapid.IntRange(0, 5).Draw(t, "least"), Max: rapid.IntRange(0, 5).Draw(t, "most")},
		}
		g := goalsFor(targets, n, all)
		if got, want := g.reachable(n), g.tried(n); got != want {
			t.Fatalf("P5 n=%d %v: reachable %v, by trying %v", n, g, got, want)
		} else if got {
			reachable++
		}
	})
	if reachable == 0 {
		t.Error("no case was reachable: this proves one half only")
	}
}

// tried looks for a distribution of n people that meets every goal.
func (g goals) tried(n int) bool {
	for frontline := range n + 1 {
		for leaders := range n + 1 - frontline {
			for executives := range n + 1 - frontline - leaders {
				for coaches := range n + 1 - frontline - leaders - executives {
					for champions := range n + 1 - frontline - leaders - executives - coaches {
						met := g.frontline.verdict(frontline) == Within && g.leader.verdict(leaders) == Within &&
							g.executive.verdict(executives) == Within && g.experts.verdict(coaches+champions) == Within
						if met && (g.champions == nil || g.champions.verdict(champions) == Within) {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

func TestDistance(t *testing.T) {
	r := Range{3, 5}
	for n, want := range []int{3, 2, 1, 0, 0, 0, 1, 2} {
		if got := r.distance(n); got != want {
			t.Errorf("P5 %d people to 3..5: %d would change, want %d", n, got, want)
		}
	}
}
