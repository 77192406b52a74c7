package page

import (
	"fmt"

	"gemba/shared/persona"
)

// mostLocations is how many locations the page shows: more, nobody reads, and an
// answer could not carry them all.
const mostLocations = 500

// deepest is how many levels are indented; those below stand where it does.
const deepest = 8

// locations is the counts of each location and all below it.
func locations(o persona.Overview) []node {
	if len(o.Below) == 0 {
		return []node{el("p", text("There is no location below."))}
	}
	shown := o.Below[:min(len(o.Below), mostLocations)]
	rows := []node{locationRow(0, el("span", text("All of "), name(subject(o))), o.Report)}
	for _, p := range shown {
		rows = append(rows, locationRow(p.Depth, name(p.Name), p.Report))
	}
	titles := []string{"Location", "People"}
	for _, l := range o.Report.AllLines() {
		titles = append(titles, title(o, l.Word))
	}
	return []node{
		el("p", class("soft"), text("Each row counts a location with all below it, and nobody twice; who has several locations counts in each. The number beside a mark is how many are too few or too many.")),
		when(len(shown) < len(o.Below), el("p", class("note"), text(rest(len(shown), len(o.Below))))),
		legend(),
		wide("Personas by location", el("table", class("places"),
			el("caption", text("People by location and persona")), heads(titles...), el("tbody", rows...),
		)),
	}
}

func rest(shown, all int) string {
	return fmt.Sprintf("These are the first %d of %d locations, in the order of the tree; %d more are not shown. The same call with Accept: text/csv has all of them.", shown, all, all-shown)
}

func locationRow(depth int, location node, r persona.Report) node {
	row := []node{
		el("th", attr("scope", "row"), when(depth > 0, attr("style", fmt.Sprintf("--d:%d", min(depth, deepest)))), when(depth > 1, hidden(fmt.Sprintf("Level %d: ", depth))), location),
		figure(r.Base),
	}
	for _, l := range r.AllLines() {
		row = append(row, locationCell(l, r.Base))
	}
	return el("tr", when(depth == 0, class("whole")), group(row))
}

// locationCell is a count with its verdict, without one where nobody is. Where a
// column has verdicts, their place is kept.
func locationCell(l persona.Line, base int) node {
	switch {
	case !aimed(l.Word):
		return figure(l.Count)
	case l.Verdict == persona.NoVerdict || base == 0:
		return el("td", class("n"), textf("%d", l.Count), el("span", class("c")))
	}
	off := ""
	if l.Verdict == persona.Below || l.Verdict == persona.Above {
		off = fmt.Sprint(l.Change)
	}
	word := l.Verdict.String()
	return el("td", class("n"), textf("%d", l.Count),
		el("span", class("c "+word), mark(word), el("span", attr("aria-hidden", "true"), text(off)), hidden(", "+l.Words())))
}
