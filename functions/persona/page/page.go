// Package page is the report on personas for people: one page that needs
// nothing but itself, and a table for spreadsheets.
//
// It decides what is shown, in what words and in what order; what the numbers
// mean is package persona's. It is pure: an overview in, bytes out. It refuses
// to know HTTP and who asks.
//
// Names are text wherever they stand (T5), and keep their own direction. Nothing
// is told by colour alone: a verdict has a mark, a colour and words. Each chart
// is an image with its words for who does not see it, and its numbers stand in
// a table below. Shares over time are one small chart a persona, each with its
// own scale: on one scale, executives and coaches would be one line at the
// bottom.
package page

import (
	"bytes"
	"fmt"
	"strings"

	"gemba/shared/persona"
)

// HTML is the page (P6).
func HTML(o persona.Overview) []byte {
	var out bytes.Buffer
	out.WriteString("<!DOCTYPE html>\n")
	document(o)(&out, inContent)
	return out.Bytes()
}

func document(o persona.Overview) node {
	return el("html", attr("lang", "en"),
		el("head",
			el("meta", attr("charset", "utf-8")),
			el("meta", attr("name", "viewport"), attr("content", "width=device-width, initial-scale=1")),
			el("title", text("Personas of "+apart(subject(o)))),
			el("style", raw(style())),
		),
		el("body",
			symbols(),
			masthead(o),
			el("main",
				el("p", class("lead"), text(summary(o))),
				section("shares", "Shares against targets", shares(o)...),
				section("history", "Over time", history(o)...),
				section("engagement", "Who takes part", engagement(o)...),
				section("locations", "By location", locations(o)...),
			),
			el("footer", el("p", text(explanation))),
		),
	)
}

const explanation = "Counted are users of type general and capture. A target is met when it is met to within one person; " +
	"fewer than four people, or people whose targets cannot be met, are not judged. " +
	"The target of the champions is for the organization as a whole. " +
	"A location is judged without the allowance for champions that the whole organization has."

// subject is the name of what is reported on.
func subject(o persona.Overview) string {
	if len(o.Path) == 0 {
		return o.Organization.Name
	}
	return o.Path[len(o.Path)-1].Name
}

func masthead(o persona.Overview) node {
	return el("header",
		when(len(o.Path) > 0, el("p", class("path"), group(path(o)))),
		el("h1", text("Personas of "), name(subject(o))),
		el("p", class("soft"),
			text(persona.Headcount(o.Report.Base)+" counted on "),
			el("time", attr("datetime", o.Report.At.UTC().Format("2006-01-02T15:04:05Z")), text(o.Report.At.UTC().Format("2 January 2006, 15:04")+" UTC")),
			text(where(o)),
		),
	)
}

// path is what the reported location is in, down to itself.
func path(o persona.Overview) []node {
	nodes := []node{name(o.Organization.Name)}
	for _, l := range o.Path {
		nodes = append(nodes, el("span", class("step"), attr("aria-hidden", "true"), text(" › ")), name(l.Name))
	}
	return nodes
}

func where(o persona.Overview) string {
	if len(o.Path) == 0 {
		return ", in the whole organization."
	}
	return ", in this location and below."
}

func section(id, title string, content ...node) node {
	return el("section", attr("id", id), attr("aria-labelledby", id+"-title"), el("h2", attr("id", id+"-title"), text(title)), group(content))
}

// name is a name in its own direction, apart from the words around it.
func name(of string) node { return el("bdi", text(of)) }

// apart is a name for where no element can stand, kept apart from the words
// around it by Unicode's own marks.
func apart(name string) string { return "\u2068" + name + "\u2069" }

// hidden is text for who has the page read out.
func hidden(words string) node { return el("span", class("sr"), text(words)) }

// wide is a table that may be wider than a small screen, and is scrolled there
// by keys as well.
func wide(label string, table node) node {
	return el("div", class("wide"), attr("role", "region"), attr("tabindex", "0"), attr("aria-label", label), table)
}

func heads(titles ...string) node {
	var cells []node
	for i, title := range titles {
		cells = append(cells, el("th", attr("scope", "col"), when(i > 0, class("n")), text(title)))
	}
	return el("thead", el("tr", cells...))
}

// image is an SVG with its title and description for who does not see it. Its
// id is unique in the page.
func image(id, box, title, description string, content ...node) node {
	return el("svg", attr("viewBox", box), attr("role", "img"), attr("aria-labelledby", id+"-t "+id+"-d"),
		el("title", attr("id", id+"-t"), text(title)), el("desc", attr("id", id+"-d"), text(description)), group(content))
}

func rect(kind string, x, y, width, height float64) node {
	return el("rect", class(kind), number("x", x), number("y", y), number("width", width), number("height", height))
}

func line(kind string, x1, y1, x2, y2 float64) node {
	return el("line", class(kind), number("x1", x1), number("y1", y1), number("x2", x2), number("y2", y2))
}

func number(attribute string, value float64) node { return attr(attribute, decimal(value)) }

// decimal is a number with a decimal at most.
func decimal(value float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") }
