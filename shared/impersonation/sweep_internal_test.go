package impersonation

import (
	"fmt"
	"testing"
	"time"
)

// TestNoOrganizationStarves: sweeps that get through a part of the organizations
// only reach all of them within a few times as many sweeps as there are such parts,
// wherever they begin.
func TestNoOrganizationStarves(t *testing.T) {
	for _, c := range []struct{ all, part int }{{1, 1}, {2, 1}, {7, 1}, {100, 1}, {100, 30}, {1000, 7}, {12345, 400}, {50_000, 2000}} {
		t.Run(fmt.Sprintf("%d of %d a time", c.part, c.all), func(t *testing.T) {
			most := 3 * ((c.all + c.part - 1) / c.part)
			for _, slot := range []int64{0, 1, 5_600_000, 5_963_432} {
				reached := map[int]bool{}
				for i := range most {
					due := time.Unix((slot+int64(i))*300, 0)
					for k := range c.part {
						reached[(beginning(due, c.all)+k)%c.all] = true
					}
				}
				if len(reached) != c.all {
					t.Errorf("after %d sweeps from slot %d, %d are never reached", most, slot, c.all-len(reached))
				}
			}
		})
	}
}

func TestASweepOfNothingBegins(t *testing.T) {
	if at := beginning(time.Now(), 0); at != 0 {
		t.Errorf("it begins at %d", at)
	}
	for range queued(nil, 0) {
		t.Error("there is something in it")
	}
}
