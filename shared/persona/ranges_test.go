package persona

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
)

var update = flag.Bool("update", false, "write the golden table anew")

const (
	rangesFile = "testdata/ranges.txt"
	// mostRanged is the largest population of the table.
	mostRanged = 300
)

// ranged is one line of the table: what the default targets mean for n people.
type ranged struct {
	n         int
	all       bool
	goals     goals
	reachable bool
}

func rangedFor(n int, all bool) ranged {
	g := goalsFor(directory.DefaultTargets(), n, all)
	return ranged{n, all, g, n >= fewest && g.reachable(n)}
}

// columns are the ranges by the names of the table's columns.
func (r ranged) columns() []Range {
	champion := Range{-1, -1}
	if r.goals.champions != nil {
		champion = *r.goals.champions
	}
	return []Range{r.goals.frontline, r.goals.leader, r.goals.executive, champion, r.goals.experts}
}

var rangedNames = []string{"frontline", "leader", "executive", "champion", "ci_experts"}

func (r ranged) String() string {
	var line strings.Builder
	fmt.Fprintf(&line, "%6d", r.n)
	for _, c := range r.columns() {
		text := "-"
		if c.Min >= 0 {
			text = fmt.Sprintf("%d..%d", c.Min, c.Max)
		}
		fmt.Fprintf(&line, " %10s", text)
	}
	word := "reachable"
	if !r.reachable {
		word = "unreachable"
	}
	return line.String() + "  " + word
}

// rangesTable is what people read: every number of people to mostRanged, once
// as an organization and once as a part of one.
func rangesTable() string {
	var out strings.Builder
	for _, all := range []bool{true, false} {
		title := "The organization as a whole"
		if !all {
			title = "\nA part of the organization: the champions' target is not its own"
		}
		fmt.Fprintf(&out, "%s\n\n%6s", title, "people")
		for _, name := range rangedNames {
			fmt.Fprintf(&out, " %10s", name)
		}
		out.WriteString("\n")
		for n := range mostRanged + 1 {
			fmt.Fprintln(&out, rangedFor(n, all))
		}
	}
	return out.String()
}

// TestP5GoldenTable holds the default targets' ranges to a table that was read
// by eye; -update writes it anew.
func TestP5GoldenTable(t *testing.T) {
	got := rangesTable()
	if *update {
		if err := os.WriteFile(rangesFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(rangesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestP5NoLineIsAbsurd is what an eye looks for in the table.
func TestP5NoLineIsAbsurd(t *testing.T) {
	for _, all := range []bool{true, false} {
		before := rangedFor(0, all).columns()
		for n := 1; n <= mostRanged; n++ {
			line := rangedFor(n, all)
			for i, now := range line.columns() {
				if now.Min > now.Max {
					t.Errorf("P5 n=%d all=%v %s: %v is empty", n, all, rangedNames[i], now)
				}
				for _, step := range []int{now.Min - before[i].Min, now.Max - before[i].Max} {
					if step < 0 || step > 1 {
						t.Errorf("P5 n=%d all=%v %s: from %v to %v by one person more", n, all, rangedNames[i], before[i], now)
					}
				}
			}
			if line.reachable != (n >= fewest) {
				t.Errorf("P5 n=%d all=%v reachable: %v", n, all, line.reachable)
			}
			before = line.columns()
		}
	}
}

// TestP5RangesHoldTheExactShare: what a share comes to exactly is in the range
// when it is rounded either way, and the range goes no further than that.
func TestP5RangesHoldTheExactShare(t *testing.T) {
	targets := directory.DefaultTargets()
	for n := range mostRanged + 1 {
		for i, share := range []directory.Share{targets.Frontline, targets.Leader, targets.Executive} {
			got := rangedFor(n, true).columns()[i]
			least, most := float64(share.Min*n)/whole, float64(share.Max*n)/whole
			if got.Min < 0 || float64(got.Min) > least || float64(got.Min) <= least-1 || float64(got.Max) < most || float64(got.Max) >= most+1 {
				t.Errorf("P5 n=%d %s: %v for %.2f to %.2f people", n, rangedNames[i], got, least, most)
			}
		}
	}
}
