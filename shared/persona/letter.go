package persona

import (
	"fmt"
	"html"
	"strings"

	"gemba/shared/directory"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// mostLocations is how many locations a letter names.
const mostLocations = 20

// section is a part of a letter: what is said, and the list below it.
type section struct {
	intro string
	items []string
}

// letter tells which verdicts an audit found changed, with the numbers behind
// each, what to do, and where else verdicts changed. Names are text in it,
// whatever they hold (T5).
func letter(o directory.Organization, news News, to string) Letter {
	header, product := oneLine("Personas of "+o.Name), o.Settings.ProductName
	parts := []section{
		{fmt.Sprintf("The audit of %s counted %s. Since the scheduled audit before, the following has changed:", news.Slot, people(news.Report.Base)),
			changedLines(news.Audit, product)},
		whatToDo(news.Audit, product),
		elsewhere(news.Locations, product),
		{oneLine("You are told because you are a champion of " + o.Name + ". The next mail comes when a verdict changes again."), nil},
	}
	return Letter{
		To:      to,
		Subject: oneLine(o.Settings.ProductName + ": The personas of " + o.Name + " have changed against their targets"),
		Text:    plainText(header, parts),
		HTML:    page(header, parts),
	}
}

// whatToDo is the smallest relabelling, and the calls that tell more and change
// something.
func whatToDo(a Audit, product string) section {
	items := advice(a, product)
	if len(items) == 0 {
		return section{"Nothing has to be done: every count that can be judged is within its target.", nil}
	}
	items = append(items,
		"GET /v1/persona-plan answers this for the people of now and for each location, and who fits by the roles they hold.",
		"GET /v1/persona-report answers the counts of now, POST /v1/persona-changes changes the personas of many people at once.")
	return section{"What to do, with the fewest people:", items}
}

// elsewhere names the locations where verdicts changed, the first mostLocations, and
// how many more there are.
func elsewhere(locations []ChangedLocation, product string) section {
	if len(locations) == 0 {
		return section{}
	}
	var items []string
	for _, l := range locations[:min(len(locations), mostLocations)] {
		var changes []string
		for _, s := range l.Changed {
			changes = append(changes, fmt.Sprintf("%s is %s, was %s", spelt(s.Word, product), s.After, s.Before))
		}
		items = append(items, oneLine(fmt.Sprintf("%s (%s): %s.", l.Name, people(l.Base), strings.Join(changes, "; "))))
	}
	if more := len(locations) - mostLocations; more > 0 {
		items = append(items, fmt.Sprintf("and %d more.", more))
	}
	return section{"Locations, with all below each, whose verdicts have changed too:", items}
}

// spelt is a title for who may not know the groups.
func spelt(word, product string) string {
	if word == Experts {
		return directory.CICoach.Title(product) + "es and " + directory.Champion.Title(product) + "s together"
	}
	return Title(word, product)
}

// changedLines say each change in a sentence.
func changedLines(news Audit, product string) []string {
	rows := map[string]Row{}
	for _, line := range news.Report.AllLines() {
		rows[line.Word] = line.Row
	}
	var lines []string
	for _, s := range news.Changed {
		r := rows[s.Word]
		sentence := fmt.Sprintf("%s: %s, was %s. Now %s; the target is %d to %d.", spelt(s.Word, product), s.After, s.Before, people(r.Count), r.Range.Min, r.Range.Max)
		switch s.After {
		case Below, Above:
			sentence += fmt.Sprintf(" To meet it, %s would have to change.", people(r.Change))
		case Unreachable:
			sentence += " No distribution of so many people meets all targets."
		}
		lines = append(lines, sentence)
	}
	return lines
}

// plainText is a letter's parts as text.
func plainText(header string, parts []section) string {
	var out strings.Builder
	out.WriteString(header + "\n")
	for _, p := range parts {
		if p.intro == "" {
			continue
		}
		out.WriteString("\n" + p.intro + "\n")
		if len(p.items) > 0 {
			out.WriteString("\n- " + strings.Join(p.items, "\n- ") + "\n")
		}
	}
	return out.String()
}

// page is a letter's parts as HTML.
func page(header string, parts []section) string {
	var out strings.Builder
	title := html.EscapeString(header)
	out.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + title + "</title></head>\n<body>\n<h1>" + title + "</h1>\n")
	for _, p := range parts {
		if p.intro == "" {
			continue
		}
		out.WriteString("<p>" + html.EscapeString(p.intro) + "</p>\n")
		if len(p.items) == 0 {
			continue
		}
		out.WriteString("<ul>\n")
		for _, item := range p.items {
			out.WriteString("<li>" + html.EscapeString(item) + "</li>\n")
		}
		out.WriteString("</ul>\n")
	}
	out.WriteString("</body>\n</html>\n")
	return out.String()
}

// oneLine is text in which no name can begin a line of its own (T5).
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}
