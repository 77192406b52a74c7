package persona

import (
	"fmt"
	"html"
	"strings"

	"gemba/shared/directory"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// titles are the personas and groups as people are shown them (P1).
var titles = map[string]string{
	directory.Frontline.String(): "Frontline",
	directory.Leader.String():    "Leader",
	directory.Executive.String(): "Executive",
	directory.CICoach.String():   "CI Coach",
	directory.Champion.String():  "KaiNexus Champion",
	Experts:                      "CI Coaches and KaiNexus Champions together",
}

// letter tells which verdicts an audit found changed, with the numbers behind
// each. Names are text in it, whatever they hold (T5).
func letter(o directory.Organization, news Audit, to string) Letter {
	header := "Personas of " + o.Name
	intro := fmt.Sprintf("The audit of %s counted %s. Since the audit before, the following has changed:", news.Slot, people(news.Report.Base))
	closing := "You are told because you are a champion of " + o.Name + ". The next mail comes when a verdict changes again."
	var text, items strings.Builder
	for _, line := range changedLines(news) {
		text.WriteString("- " + line + "\n")
		items.WriteString("<li>" + html.EscapeString(line) + "</li>\n")
	}
	return Letter{
		To:      to,
		Subject: o.Settings.ProductName + ": The personas of " + o.Name + " have changed against their targets",
		Text:    header + "\n\n" + intro + "\n\n" + text.String() + "\n" + closing + "\n",
		HTML: "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + html.EscapeString(header) + "</title></head>\n<body>\n<h1>" +
			html.EscapeString(header) + "</h1>\n<p>" + html.EscapeString(intro) + "</p>\n<ul>\n" + items.String() + "</ul>\n<p>" +
			html.EscapeString(closing) + "</p>\n</body>\n</html>\n",
	}
}

// changedLines say each change in a sentence.
func changedLines(news Audit) []string {
	rows := map[string]Row{}
	for _, line := range append(news.Report.Lines(), news.Report.Groups()...) {
		rows[line.Word] = line.Row
	}
	var lines []string
	for _, s := range news.Changed {
		r := rows[s.Word]
		sentence := fmt.Sprintf("%s: %s, was %s. Now %s; the target is %d to %d.", titles[s.Word], s.After, s.Before, people(r.Count), r.Range.Min, r.Range.Max)
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

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}
