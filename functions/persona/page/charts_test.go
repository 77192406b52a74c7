package page_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/functions/persona/page"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

func coordinate(t tb, e element, name string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(e.attrs[name], 64)
	if err != nil {
		t.Fatalf("<%s %s=%q>", e.name, name, e.attrs[name])
	}
	return value
}

func anyCounts(r *rapid.T, label string) persona.Counts {
	var c persona.Counts
	for i, most := range []int{20, 300, 60, 30, 4, 5} {
		c[i] = rapid.IntRange(0, most).Draw(r, fmt.Sprint(label, i))
	}
	return c
}

// TestABarEndsInItsBandWhereItIsWithin: what the chart shows and what the
// verdict says are the same, to a tenth of a unit of drawing.
func TestABarEndsInItsBandWhereItIsWithin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := world{organization: "o", people: []persona.Population{at(anyCounts(r, "counts"))}}
		o := w.overview(r, "")
		verdicts := map[string]persona.Row{}
		for _, l := range o.Report.AllLines() {
			verdicts["share-"+l.Word] = l.Row
		}
		drawn, share, band := "", 0.0, [2]float64{}
		check := func() {
			row := verdicts[drawn]
			if row.Verdict == persona.NoVerdict || row.Verdict == persona.Unreachable || drawn == "" {
				return
			}
			in := share >= band[0]-0.11 && share <= band[1]+0.11
			if within := row.Verdict == persona.Within; within != in {
				t.Errorf("%s: %+v of %d is drawn to %v, with a band of %v", drawn, row, o.Report.Base, share, band)
			}
		}
		for _, e := range elements(r, page.HTML(o)) {
			switch {
			case e.name == "svg" && strings.HasPrefix(e.attrs["aria-labelledby"], "share-"):
				check()
				drawn, _, _ = strings.Cut(e.attrs["aria-labelledby"], "-t ")
				share = 0
			case e.name == "svg":
				check()
				drawn = ""
			case drawn != "" && e.name == "rect" && e.attrs["class"] == "band":
				from := coordinate(r, e, "x")
				band = [2]float64{from, from + coordinate(r, e, "width")}
			case drawn != "" && e.name == "rect" && e.attrs["class"] == "share":
				share = coordinate(r, e, "width")
			}
		}
	})
}

// TestLinesStayInTheirCharts: whatever audits found, at whatever times, lines
// and bands are where a chart has its room.
func TestLinesStayInTheirCharts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var w world
		for i := range rapid.IntRange(2, 12).Draw(r, "audits") {
			w.before = append(w.before, []persona.Population{at(anyCounts(r, fmt.Sprint("audit", i)))})
		}
		o := w.overview(r, "")
		then := now.AddDate(0, 0, -100)
		for i := range o.History {
			then = then.Add(time.Duration(rapid.IntRange(0, 5000).Draw(r, fmt.Sprint("minutes", i))) * time.Minute)
			o.History[i].At = then
		}
		panels := 0
		for _, e := range elements(r, page.HTML(o)) {
			switch e.name {
			case "polyline":
				panels++
				inRoom(r, strings.Fields(e.attrs["points"]))
			case "path":
				if e.attrs["class"] == "band" {
					inRoom(r, strings.Split(strings.Trim(e.attrs["d"], "MZ"), "L"))
				}
			}
		}
		if panels != int(directory.PersonaCount)+1 {
			t.Errorf("%d panels", panels)
		}
	})
}

func inRoom(t tb, points []string) {
	t.Helper()
	for _, p := range points {
		var x, y float64
		if _, err := fmt.Sscanf(p, "%f,%f", &x, &y); err != nil || x < 44 || x > 288 || y < 12 || y > 104 {
			t.Errorf("a point at %s: %v", p, err)
		}
	}
}

// TestFewAuditsAreNoLine: what cannot be drawn is said.
func TestFewAuditsAreNoLine(t *testing.T) {
	for audits, want := range map[int]string{0: "There is no audit of this population yet.", 1: "There is one audit of this population so far, of 29 November 2026.", 2: ""} {
		w := clinic()
		w.before = w.before[:audits]
		raw := string(page.HTML(w.overview(t, "")))
		if drawn := strings.Contains(raw, "<polyline"); drawn != (want == "") || !strings.Contains(raw, want) {
			t.Errorf("%d audits: drawn %v", audits, drawn)
		}
	}
}

// TestAuditsOfOneDayAreToldApart: both ends of an axis never read alike, nor do the
// rows of the table.
func TestAuditsOfOneDayAreToldApart(t *testing.T) {
	for apart, want := range map[time.Duration][2]string{
		24 * time.Hour:  {">28 Nov 2026<", ">29 Nov 2026<"},
		5 * time.Hour:   {">29 Nov 2026, 12:20<", ">29 Nov 2026, 17:20<"},
		9 * time.Second: {">29 Nov 2026, 17:20:21<", ">29 Nov 2026, 17:20:30<"},
	} {
		w := clinic()
		w.before = w.before[:2]
		o := w.overview(t, "")
		o.History[1].At = o.History[1].At.Add(30 * time.Second)
		o.History[0].At = o.History[1].At.Add(-apart)
		raw := string(page.HTML(o))
		for _, end := range want {
			if n := strings.Count(raw, end); n != int(directory.PersonaCount)+1 {
				t.Errorf("%v apart: %s stands on %d axes", apart, end, n)
			}
			long := strings.Replace(strings.Trim(end, "<>"), "Nov", "November", 1)
			if apart < 24*time.Hour {
				long += " UTC"
			}
			if !strings.Contains(raw, ">"+long+"</time>") || !strings.Contains(raw, " on "+long) {
				t.Errorf("%v apart: %q is not told", apart, long)
			}
		}
	}
	o := clinic().overview(t, "")
	o.History[1].At = o.History[2].At.Add(-time.Hour)
	raw := string(page.HTML(o))
	if !strings.Contains(raw, ">2 November 2026, 16:20 UTC</time>") || strings.Contains(raw, " Nov 2026, 1") {
		t.Error("audits of one day among others")
	}
}

// TestWhatIsNotShownIsSaid: the page's table is bounded, the spreadsheet's is
// not, and the page says so.
func TestWhatIsNotShownIsSaid(t *testing.T) {
	for n, want := range map[int]string{500: "", 501: "These are the first 500 of 501 locations, in the order of the tree; 1 more are not shown."} {
		o := many(n).overview(t, "")
		raw := string(page.HTML(o))
		if got := strings.Count(raw, "Location of the number "); got != 500 {
			t.Errorf("%d of %d locations are shown", got, n)
		}
		if said := strings.Contains(raw, "not shown"); said != (want != "") || !strings.Contains(raw, want) {
			t.Errorf("%d locations: said %v", n, said)
		}
		if got := strings.Count(string(page.CSV(o)), "\r\n"); got != n+2 {
			t.Errorf("%d lines of %d locations", got, n)
		}
	}
}

// TestP5FewPeopleHaveNoBand: of fewer than four, a target would be all there is.
func TestP5FewPeopleHaveNoBand(t *testing.T) {
	for n, want := range map[int]int{0: 0, 3: 0, 4: 5} {
		w := world{organization: "o", people: []persona.Population{at(persona.Counts{0, n})}}
		if got := strings.Count(string(page.HTML(w.overview(t, ""))), `<rect class="band"`); got != want {
			t.Errorf("%d bands of %d people, want %d", got, n, want)
		}
	}
}
