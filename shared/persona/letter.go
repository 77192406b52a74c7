package persona

import (
	"fmt"
	"html"
	"strings"

	"gemba/shared/directory"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// mostLocations is how many locations a list in a letter names.
const mostLocations = 20

// section is a part of a letter: what is said, and the list below it.
type section struct {
	intro string
	items []string
}

// letter tells which verdicts an audit found changed, with the numbers behind
// each, what is outside its target besides, what to do, and which locations have
// news. Names are text in it, whatever they hold (T5).
func letter(o directory.Organization, news News, to string) Letter {
	header, product := oneLine("Personas of "+o.Name), o.Settings.ProductName
	parts := whatChanged(news, product)
	parts = append(parts, whatToDo(news.Audit, product)...)
	parts = append(parts, elsewhere(news, product)...)
	parts = append(parts, section{"You are told because you are a champion of " + o.Name + ". The next mail comes when a verdict of the whole organization changes.", nil})
	for i := range parts {
		parts[i].intro = oneLine(parts[i].intro)
		for j := range parts[i].items {
			parts[i].items[j] = oneLine(parts[i].items[j])
		}
	}
	return Letter{
		To:      to,
		Subject: oneLine(product + ": " + o.Name + ": " + headline(news.Audit, product)),
		Text:    plainText(header, parts),
		HTML:    page(header, parts),
	}
}

// whatChanged is the verdicts that are others than before, and those that are outside
// their targets as before. Where nothing is judged any more, why comes first, and
// the verdicts of before stand together.
func whatChanged(news News, product string) []section {
	var was, now []string
	for _, s := range news.Changed {
		was = append(was, spelt(s.Word, product)+", "+s.Before.Words())
		now = append(now, changed(s, news.Report.row(s.Word), product))
	}
	found := fmt.Sprintf("The audit of %s counted %s.", news.Slot, Headcount(news.Report.Base))
	since, verdicts := "Since the audit of "+news.Against+", this has changed:", "The verdicts of the audit of "+news.Against
	if news.retargeted() {
		retargeted := "The targets were changed since the audit of " + news.Against
		since, verdicts = retargeted+", and this has changed as well:", retargeted+", and its verdicts"
	}
	if c := news.Report.Contradiction(); c != nil {
		return []section{
			{c.Sentence(news.Report.Base, product), nil},
			{found + " " + verdicts + " hold no more: " + strings.Join(was, "; ") + ".", nil},
		}
	}
	parts := []section{{found + " " + since, now}}
	if still := stillOutside(news.Audit, product); len(still) > 0 {
		parts = append(parts, section{"Still outside their targets: " + strings.Join(still, "; ") + ".", nil})
	}
	return parts
}

// stillOutside is what is outside its target and has not changed its verdict.
func stillOutside(a Audit, product string) []string {
	var out []string
	for _, l := range a.Report.outside() {
		if shiftOf(a.Changed, l.Word) == nil {
			out = append(out, clause(l, nil, product))
		}
	}
	return out
}

// whatToDo is the smallest relabelling, and the calls that help with it.
func whatToDo(a Audit, product string) []section {
	switch a.Report.obstacle() {
	case TargetsContradict:
		return []section{{"No relabelling helps, only other targets do. Your administrator changes them with PUT /v1/organization.", nil}}
	case TooFewPeople:
		return nil
	}
	moves := a.moves()
	if len(moves) == 0 {
		return []section{{"All targets of the whole organization are met.", nil}}
	}
	var items []string
	for _, m := range moves {
		items = append(items, moving(m, product))
	}
	return []section{
		{"What to do, with the fewest people:", items},
		{"Your administrator sees who fits with GET /v1/persona-plan, and changes many people at once with POST /v1/persona-changes.", nil},
	}
}

// elsewhere is the locations that are outside their targets, where the whole
// organization is not, and those whose verdicts changed. Where its targets contradict,
// the locations of which the same holds are a number.
func elsewhere(news News, product string) []section {
	obstacle := news.Report.obstacle()
	met := obstacle == NoObstacle && len(news.Report.outside()) == 0
	var outside, changed []string
	same := 0
	for _, l := range news.Locations {
		switch {
		case obstacle != NoObstacle && l.Report.obstacle() == obstacle:
			same++
		case met && len(l.Report.outside()) > 0:
			outside = append(outside, l.clauses(l.Report.outside(), product))
		case len(l.told()) > 0:
			changed = append(changed, l.clauses(l.told(), product))
		}
	}
	parts := []section{
		listed(numbered(len(outside), "location is outside its own targets", "locations are outside their own targets")+", with all below each:", outside),
		listed("Locations, with all below each, whose verdicts have changed too:", changed),
	}
	if obstacle == TargetsContradict && same > 0 {
		parts = append(parts, section{"The same holds for " + numbered(same, "location", "locations") + ".", nil})
	}
	return parts
}

// listed is a list of locations, the first mostLocations and how many more there are;
// nothing of none.
func listed(intro string, items []string) section {
	if len(items) == 0 {
		return section{}
	}
	if more := len(items) - mostLocations; more > 0 {
		items = append(items[:mostLocations], fmt.Sprintf("and %d more.", more))
	}
	return section{intro, items}
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
