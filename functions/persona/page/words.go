package page

import (
	"fmt"
	"strings"

	"gemba/shared/persona"
)

// summary says the report in a sentence or three.
func summary(o persona.Overview) string {
	r := o.Report
	judged := r.Judged()
	switch {
	case r.Base == 0:
		return "Nobody is counted here yet."
	case r.TooFew():
		return fmt.Sprintf("Only %s: fewer than four are not judged.", countedHere(r.Base)) + without(r)
	}
	if c := r.Contradiction(); c != nil {
		return c.Sentence(r.Base, o.Organization.Settings.ProductName) + without(r)
	}
	var misses []string
	for _, l := range judged {
		if l.Verdict != persona.Within {
			misses = append(misses, title(o, l.Word)+": "+l.Words())
		}
	}
	met, all := len(judged)-len(misses), len(judged)
	return metOf(met, all) + sentence(misses) + without(r)
}

func countedHere(n int) string {
	if n == 1 {
		return "1 person is counted here"
	}
	return persona.Headcount(n) + " are counted here"
}

func metOf(met, all int) string {
	switch met {
	case all:
		return fmt.Sprintf("All %d targets are met.", all)
	case 0:
		return fmt.Sprintf("None of %d targets is met.", all)
	case 1:
		return fmt.Sprintf("1 of %d targets is met.", all)
	}
	return fmt.Sprintf("%d of %d targets are met.", met, all)
}

// sentence is the parts as one, nothing of none.
func sentence(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, "; ") + "."
}

// without says how many have no persona.
func without(r persona.Report) string {
	none := r.Personas[0].Count
	switch {
	case none == 0:
		return ""
	case none == 1:
		return " 1 person has no persona."
	}
	return fmt.Sprintf(" %d people have no persona.", none)
}

// title is a persona's or group's, in the organization that is reported on.
func title(o persona.Overview, word string) string {
	return persona.Title(word, o.Organization.Settings.ProductName)
}

// percent is a share to a tenth of a percent; nothing of nobody.
func percent(count, base int) string {
	if base == 0 {
		return "–"
	}
	tenths := (count*2000 + base) / (2 * base)
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

// span is a range in words.
func span(r persona.Range) string {
	if r.Min == r.Max {
		return persona.Headcount(r.Min)
	}
	return r.Words() + " people"
}

// marks are the verdicts' shapes, by the verdict's word, which names their
// colour too.
var marks = []struct{ word, path, says string }{
	{"within", "M3 8.5 6.5 12 13 4.5", "within target"},
	{"below", "M2 4h12L8 14z", "too few"},
	{"above", "M2 12h12L8 2z", "too many"},
	{"unreachable", "M3 8h10", "not judged"},
}

// symbols defines the marks for all of the page.
func symbols() node {
	svg := []node{class("defs"), attr("aria-hidden", "true"), attr("width", "0"), attr("height", "0")}
	for _, m := range marks {
		svg = append(svg, el("symbol", attr("id", "m-"+m.word), attr("viewBox", "0 0 16 16"), el("path", attr("d", m.path))))
	}
	return el("svg", svg...)
}

// mark is a verdict's shape; nothing without a target.
func mark(word string) node {
	if word == "" {
		return nil
	}
	return el("svg", class("m "+word), attr("aria-hidden", "true"), el("use", attr("href", "#m-"+word)))
}

// judged is a verdict by shape, colour and words.
func judged(r persona.Row) node {
	return el("span", class("v "+r.Verdict.String()), mark(r.Verdict.String()), text(r.Words()))
}

// legend tells the marks.
func legend(more ...node) node {
	for _, m := range marks {
		more = append(more, el("li", mark(m.word), text(m.says)))
	}
	return el("ul", class("legend"), attr("role", "list"), group(more))
}
