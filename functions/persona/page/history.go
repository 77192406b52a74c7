package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gemba/shared/persona"
)

// fewestAudits is how many make a line.
const fewestAudits = 2

// history is the shares that audits found, as lines over their targets, and the
// same as a table.
func history(o persona.Overview) []node {
	audits := o.History
	if len(audits) < fewestAudits {
		return []node{el("p", text(tooShort(audits)))}
	}
	first, last := ends(audits)
	var panels []node
	for i := range audits[0].AllLines() {
		panels = append(panels, panel(o, i))
	}
	return []node{
		el("p", class("soft"), text(fmt.Sprintf("The share of each persona in %d audits, from %s to %s. Each chart has a scale of its own; the shaded band is the target then.",
			len(audits), first, last))),
		el("div", class("panels"), group(panels)),
		el("details", el("summary", text("The audits in numbers")), wide("The audits in numbers", auditTable(o))),
	}
}

func tooShort(audits []persona.Report) string {
	if len(audits) == 0 {
		return "There is no audit of this population yet. A chart needs two audits."
	}
	return "There is one audit of this population so far, of " + date(audits[0].At) + ". A chart needs two audits."
}

func date(at time.Time) string { return at.UTC().Format("2 January 2006") }

// ends are when the first and the last audit was, with the time of day where the
// days are one.
func ends(audits []persona.Report) (first, last string) {
	a, b := audits[0], audits[len(audits)-1]
	clock := clockOf([]persona.Report{a, b})
	return date(a.At) + clock(a.At, " UTC"), date(b.At) + clock(b.At, " UTC")
}

// clockOf is the time of day, with a zone after it, of audits in the order of time as
// far as it takes to tell them apart: none where each is of another day.
func clockOf(audits []persona.Report) func(at time.Time, zone string) string {
	alike := func(layout string) bool {
		for i, r := range audits[1:] {
			if r.At.UTC().Format(layout) == audits[i].At.UTC().Format(layout) {
				return true
			}
		}
		return false
	}
	layout := ""
	switch {
	case alike(time.DateOnly + "15:04"):
		layout = ", 15:04:05"
	case alike(time.DateOnly):
		layout = ", 15:04"
	default:
		return func(time.Time, string) string { return "" }
	}
	return func(at time.Time, zone string) string { return at.UTC().Format(layout) + zone }
}

func auditTable(o persona.Overview) node {
	titles := []string{"Audit of", "People"}
	for _, l := range o.History[0].AllLines() {
		titles = append(titles, title(o, l.Word))
	}
	var rows []node
	clock := clockOf(o.History)
	for _, r := range slices.Backward(o.History) {
		moment := el("time", attr("datetime", r.At.UTC().Format(time.RFC3339)), text(date(r.At)+clock(r.At, " UTC")))
		row := []node{el("th", attr("scope", "row"), moment), figure(r.Base)}
		for _, l := range r.AllLines() {
			row = append(row, el("td", class("n"), mark(l.Verdict.String()), when(l.Verdict != persona.NoVerdict, hidden(l.Words()+", ")), text(percent(l.Count, r.Base))))
		}
		rows = append(rows, el("tr", row...))
	}
	return el("table", el("caption", text("Shares by audit, the latest first")), heads(titles...), el("tbody", rows...))
}

// A panel's drawing, and where in it the lines are.
const (
	panelBox   = "0 0 300 132"
	panelLeft  = 44.0
	panelRight = 288.0
	panelTop   = 12.0
	panelFoot  = 104.0
)

// panel is one line over time.
func panel(o persona.Overview, i int) node {
	audits := o.History
	s := scaleOf(audits, i)
	first, last := audits[0], audits[len(audits)-1]
	then, now := first.AllLines()[i], last.AllLines()[i]
	from, to := ends(audits)
	says := fmt.Sprintf("From %s on %s to %s on %s", percent(then.Count, first.Base), from, percent(now.Count, last.Base), to)
	if now.Verdict != persona.NoVerdict {
		says += ": " + now.Words()
	}
	var drawing []node
	if band := s.band(audits, i); band != "" {
		drawing = append(drawing, el("path", class("band"), attr("d", band)))
	}
	for _, share := range []float64{s.low, s.high} {
		drawing = append(drawing, line("grid", panelLeft, s.y(share), panelRight, s.y(share)),
			label("end", panelLeft-6, s.y(share)+4, fmt.Sprintf("%s%%", decimal(share*100))))
	}
	drawing = append(drawing, el("polyline", class("trend"), attr("points", s.points(audits, i))),
		el("circle", class("now"), number("cx", panelRight), number("cy", s.y(share(now, last))), attr("r", "4")),
		label("start", panelLeft, panelFoot+22, tick(first.At, audits)), label("end", panelRight, panelFoot+22, tick(last.At, audits)),
	)
	return el("figure",
		el("figcaption", el("strong", text(title(o, now.Word))), el("span", text(percent(now.Count, last.Base))), judged(now.Row)),
		image("history-"+now.Word, panelBox, title(o, now.Word)+" over time", says, drawing...),
	)
}

// tick is an end of the axis of times.
func tick(at time.Time, audits []persona.Report) string {
	clock := clockOf([]persona.Report{audits[0], audits[len(audits)-1]})
	return at.UTC().Format("2 Jan 2006") + clock(at, "")
}

func label(anchor string, x, y float64, words string) node {
	return el("text", attr("text-anchor", anchor), number("x", x), number("y", y), text(words))
}

// share is what of the base a line is, 0 of nobody.
func share(l persona.Line, r persona.Report) float64 {
	return ratio(l.Count, r.Base)
}

func ratio(count, base int) float64 {
	if base == 0 {
		return 0
	}
	return float64(count) / float64(base)
}

// scale is where times and shares are in a panel.
type scale struct {
	from, to  time.Time
	low, high float64
}

// scaleOf is the scale that shows all of a line and of its targets, in steps
// that can be read.
func scaleOf(audits []persona.Report, i int) scale {
	s := scale{from: audits[0].At, to: audits[len(audits)-1].At, low: 1}
	for _, r := range audits {
		l := r.AllLines()[i]
		s.low, s.high = min(s.low, share(l, r)), max(s.high, share(l, r))
		if l.Verdict != persona.NoVerdict && !r.TooFew() {
			s.low, s.high = min(s.low, ratio(l.Range.Min, r.Base)), min(max(s.high, ratio(l.Range.Max, r.Base)), 1)
		}
	}
	for _, step := range []float64{0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1} {
		low, high := floorTo(s.low, step), ceilTo(s.high, step)
		if high-low <= 5*step+1e-9 {
			return scale{s.from, s.to, max(low, 0), max(high, low+step)}
		}
	}
	return scale{s.from, s.to, 0, 1}
}

func floorTo(x, step float64) float64 { return step * float64(int(x/step+1e-9)) }

func ceilTo(x, step float64) float64 {
	low := floorTo(x, step)
	if x-low > 1e-9 {
		return low + step
	}
	return low
}

func (s scale) x(at time.Time) float64 {
	if !s.to.After(s.from) {
		return panelRight
	}
	return panelLeft + (panelRight-panelLeft)*float64(at.Sub(s.from))/float64(s.to.Sub(s.from))
}

func (s scale) y(share float64) float64 {
	share = min(max(share, s.low), s.high)
	return panelFoot - (panelFoot-panelTop)*(share-s.low)/(s.high-s.low)
}

func (s scale) points(audits []persona.Report, i int) string {
	var out []string
	for _, r := range audits {
		out = append(out, point(s.x(r.At), s.y(share(r.AllLines()[i], r))))
	}
	return strings.Join(out, " ")
}

// band is the outline of a line's target over time, "" of one without.
func (s scale) band(audits []persona.Report, i int) string {
	var upper, lower []string
	for _, r := range audits {
		l := r.AllLines()[i]
		if l.Verdict == persona.NoVerdict || r.TooFew() {
			continue
		}
		upper = append(upper, point(s.x(r.At), s.y(ratio(l.Range.Max, r.Base))))
		lower = append(lower, point(s.x(r.At), s.y(ratio(l.Range.Min, r.Base))))
	}
	if len(upper) == 0 {
		return ""
	}
	slices.Reverse(lower)
	return "M" + strings.Join(append(upper, lower...), "L") + "Z"
}

func point(x, y float64) string { return decimal(x) + "," + decimal(y) }
