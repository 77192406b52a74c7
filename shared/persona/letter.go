package persona

import (
	"fmt"
	"strings"

	"gemba/shared/directory"
	"gemba/shared/letter"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// mostLocations is how many locations a list in a letter names.
const mostLocations = 20

// letter tells which verdicts an audit found changed, with the numbers behind
// each, what is outside its target besides, what to do, and which locations have
// news. Names are text in it, whatever they hold (T5).
func (news News) letter(o directory.Organization, to string) Letter {
	product := o.Settings.ProductName
	parts := whatChanged(news, product)
	parts = append(parts, whatToDo(news.Audit, product)...)
	parts = append(parts, elsewhere(news, product)...)
	parts = append(parts, letter.Part{Says: "You are told because you are a champion of " + o.Name + ". The next mail comes when a verdict of the whole organization changes."})
	l := Letter{To: to, Subject: letter.Line(product + ": " + o.Name + ": " + headline(news.Audit, product))}
	l.Text, l.HTML = letter.Set("Personas of "+o.Name, parts)
	return l
}

// whatChanged is the verdicts that are others than before, and those that are outside
// their targets as before. Where nothing is judged any more, why comes first, and
// the verdicts of before stand together.
func whatChanged(news News, product string) []letter.Part {
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
		return []letter.Part{
			{Says: c.Sentence(news.Report.Base, product)},
			{Says: found + " " + verdicts + " hold no more: " + strings.Join(was, "; ") + "."},
		}
	}
	parts := []letter.Part{{Says: found + " " + since, Items: now}}
	if still := stillOutside(news.Audit, product); len(still) > 0 {
		parts = append(parts, letter.Part{Says: "Still outside their targets: " + strings.Join(still, "; ") + "."})
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
func whatToDo(a Audit, product string) []letter.Part {
	switch a.Report.obstacle() {
	case TargetsContradict:
		return []letter.Part{{Says: "No relabelling helps, only other targets do. Your administrator changes them with PUT /v1/organization."}}
	case TooFewPeople:
		return nil
	}
	moves := a.moves()
	if len(moves) == 0 {
		return []letter.Part{{Says: "All targets of the whole organization are met."}}
	}
	var items []string
	for _, m := range moves {
		items = append(items, moving(m, product))
	}
	return []letter.Part{
		{Says: "What to do, with the fewest people:", Items: items},
		{Says: "Your administrator sees who fits with GET /v1/persona-plan, and changes many people at once with POST /v1/persona-changes."},
	}
}

// elsewhere is the locations that are outside their targets, where the whole
// organization is not, and those whose verdicts changed. Where its targets contradict,
// the locations of which the same holds are a number.
func elsewhere(news News, product string) []letter.Part {
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
	parts := []letter.Part{
		listed(numbered(len(outside), "location is outside its own targets", "locations are outside their own targets")+", with all below each:", outside),
		listed("Locations, with all below each, whose verdicts have changed too:", changed),
	}
	if obstacle == TargetsContradict && same > 0 {
		parts = append(parts, letter.Part{Says: "The same holds for " + numbered(same, "location", "locations") + "."})
	}
	return parts
}

// listed is a list of locations, the first mostLocations and how many more there are;
// nothing of none.
func listed(intro string, items []string) letter.Part {
	if len(items) == 0 {
		return letter.Part{}
	}
	if more := len(items) - mostLocations; more > 0 {
		items = append(items[:mostLocations], fmt.Sprintf("and %d more.", more))
	}
	return letter.Part{Says: intro, Items: items}
}
