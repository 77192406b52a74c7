package page

import (
	"fmt"

	"gemba/shared/persona"
)

// engagement is how many of each persona's people take part, and how that
// moved since the last audit.
func engagement(o persona.Overview) []node {
	before, since := persona.Report{}, "There is no audit of this population yet, so no change is told."
	compared := len(o.History) > 0
	if compared {
		before = o.History[len(o.History)-1]
		since = "Changes are since the audit of " + date(before.At) + "."
	}
	was := before.Lines()
	var rows []node
	var all, allWas persona.Line
	for i, l := range o.Report.Lines() {
		rows = append(rows, taking(title(o, l.Word), l, was[i], compared))
		all, allWas = plus(all, l), plus(allWas, was[i])
	}
	rows = append(rows, taking("All", all, allWas, compared))
	return []node{
		el("p", class("soft"), text("People who made a request in the last 7 and 30 days (UTC), and people on the team of an item that is no draft. "+since)),
		wide("Who takes part, by persona", el("table", class("engagement"),
			el("caption", text("People who take part, by persona")),
			heads("Persona", "People", "Active in 7 days", "Active in 30 days", "On a team"),
			el("tbody", rows...),
		)),
	}
}

func plus(sum, l persona.Line) persona.Line {
	sum.Count += l.Count
	sum.Active7, sum.Active30, sum.OnTeam = sum.Active7+l.Active7, sum.Active30+l.Active30, sum.OnTeam+l.OnTeam
	return sum
}

// taking is a row: how many of so many, as a bar and in numbers.
func taking(title string, now, was persona.Line, compared bool) node {
	return el("tr",
		el("th", attr("scope", "row"), text(title)), figure(now.Count),
		taken(now.Active7, was.Active7, now.Count, compared), taken(now.Active30, was.Active30, now.Count, compared), taken(now.OnTeam, was.OnTeam, now.Count, compared),
	)
}

func taken(now, was, of int, compared bool) node {
	width := 0.0
	if of > 0 {
		width = 100 * float64(min(now, of)) / float64(of)
	}
	bar := el("svg", class("mini"), attr("aria-hidden", "true"), attr("viewBox", "0 0 100 8"), attr("preserveAspectRatio", "none"),
		rect("track", 0, 0, 100, 8), rect("share", 0, 0, width, 8))
	return el("td", class("n"),
		el("div", class("taken"), bar, el("span", textf("%d", now)), el("span", class("soft"), text(percent(now, of))),
			when(compared, el("span", class("change"), text(change(now-was)), hidden(" since the last audit")))),
	)
}

// change is a difference with its sign, as print writes it.
func change(n int) string {
	switch {
	case n > 0:
		return fmt.Sprintf("+%d", n)
	case n < 0:
		return fmt.Sprintf("−%d", -n)
	}
	return "±0"
}
