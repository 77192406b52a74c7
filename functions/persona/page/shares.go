package page

import (
	"fmt"

	"gemba/shared/directory"
	"gemba/shared/persona"
)

// shares is each persona's share against its target as a chart, and the same
// as a table.
func shares(o persona.Overview) []node {
	r := o.Report
	var bars, rows []node
	for _, l := range r.AllLines() {
		bars = append(bars, bar(l, o))
		rows = append(rows, el("tr",
			el("th", attr("scope", "row"), text(title(o, l.Word))), figure(l.Count), el("td", class("n"), text(percent(l.Count, r.Base))),
			el("td", class("n"), text(goal(l.Row))), el("td", judged(l.Row)),
		))
	}
	key := []node{
		el("li", el("span", class("swatch share")), text("share")), el("li", el("span", class("swatch band")), text("target")),
	}
	return []node{
		legend(key...),
		el("div", class("chart"), group(bars), axis()),
		wide("Shares against targets, as a table", el("table", class("compact"),
			el("caption", text("The same in numbers")),
			el("thead", el("tr",
				el("th", attr("scope", "col"), text("Persona")), el("th", attr("scope", "col"), class("n"), text("People")), el("th", attr("scope", "col"), class("n"), text("Share")),
				el("th", attr("scope", "col"), class("n"), text("Target, people")), el("th", attr("scope", "col"), text("Verdict")),
			)),
			el("tbody", rows...),
		)),
		el("p", class("soft"), textf("CI experts are the CI Coaches and %ss together; CI Coaches have no target of their own.", title(o, directory.Champion.String()))),
	}
}

func figure(n int) node { return el("td", class("n"), textf("%d", n)) }

// goal is a row's target in people, as it was worked out for the base.
func goal(r persona.Row) string {
	if r.Verdict == persona.NoVerdict {
		return "–"
	}
	return r.Range.Words()
}

// barWidth is that of a bar's drawing, in which the base is all of it.
const barWidth = 1000.0

// bar is a line's share, over the band that its target is. The band is drawn
// from the people it comes to, so that a bar that ends in it is within; of few
// people it would be all there is, and is left out. What the drawing says stands
// beside it for who sees it, and in it for who does not.
func bar(l persona.Line, o persona.Overview) node {
	base := o.Report.Base
	says := fmt.Sprintf("%s of %d, %s; %s", persona.Headcount(l.Count), base, percent(l.Count, base), l.Words())
	if l.Verdict != persona.NoVerdict {
		says += "; the target is " + span(l.Range)
	}
	drawing := []node{attr("preserveAspectRatio", "none"), rect("track", 0, 0, barWidth, 28)}
	for _, quarter := range []float64{250, 500, 750} {
		drawing = append(drawing, line("grid", quarter, 0, quarter, 28))
	}
	if l.Verdict != persona.NoVerdict && !o.Report.TooFew() {
		from, to := portion(l.Range.Min, base), portion(l.Range.Max, base)
		drawing = append(drawing, rect("band", from, 0, to-from, 28), line("edge", from, 0, from, 28), line("edge", to, 0, to, 28))
	}
	if l.Count > 0 {
		drawing = append(drawing, rect("share", 0, 8, portion(l.Count, base), 12))
	}
	return el("div", class("row"),
		el("div", class("who"), attr("aria-hidden", "true"), el("strong", text(title(o, l.Word))), el("span", class("soft"), text(aim(l.Row)))),
		image("share-"+l.Word, "0 0 1000 28", title(o, l.Word), says, drawing...),
		el("div", class("what"), attr("aria-hidden", "true"), el("span", when(base > 0, group([]node{el("strong", text(percent(l.Count, base))), text(" · ")})), text(persona.Headcount(l.Count))), judged(l.Row)),
	)
}

func aim(r persona.Row) string {
	if r.Verdict == persona.NoVerdict {
		return "no target"
	}
	return "target " + span(r.Range)
}

// portion is where some of the base end in a drawing. A range may ask for more
// people than there are.
func portion(count, base int) float64 { return barWidth * float64(min(count, base)) / float64(base) }

// axis is the scale below the bars.
func axis() node {
	ticks := []node{class("ticks")}
	for _, tick := range []string{"0%", "25%", "50%", "75%", "100%"} {
		ticks = append(ticks, el("span", text(tick)))
	}
	return el("div", class("row axis"), attr("aria-hidden", "true"), el("div", class("who")), el("div", ticks...), el("div", class("what")))
}
