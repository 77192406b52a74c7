package persona

import (
	"fmt"
	"slices"
	"strings"

	"gemba/shared/directory"
)

// This file is the sentences of a letter.

// headline is the news in a few words: the first that is outside its target now, or
// the first, and how many more there are.
func headline(a Audit, product string) string {
	switch c := a.Report.Contradiction(); {
	case c != nil && c.Obstacle == TooFewPeople:
		return "too few people to be judged"
	case c != nil:
		return "the targets cannot be met"
	}
	first := max(0, slices.IndexFunc(a.Changed, func(s Shift) bool { return s.After != Within }))
	shift := a.Changed[first]
	row := a.Report.row(shift.Word)
	said := shift.After.Words() + " " + plural(shift.Word, product)
	if shift.After == Within {
		said = plural(shift.Word, product) + " " + shift.After.Words()
	}
	said += fmt.Sprintf(" (%d of %s)", row.Count, row.Range.Words())
	if more := len(a.Changed) - 1; more > 0 {
		said += ", and " + numbered(more, "more change", "more changes")
	}
	return said
}

// spelt is a persona or group inside of a sentence, the group for who may not know it.
func spelt(word, product string) string {
	if word == Experts {
		return "the group of " + directory.CICoach.Title(product) + "es and " + directory.Champion.Title(product) + "s"
	}
	return Title(word, product)
}

// plural is the people of a persona or group.
func plural(word, product string) string {
	switch word {
	case Experts:
		return Title(word, product)
	case directory.Frontline.String():
		return Title(word, product) + " people"
	}
	return Title(word, product) + "s"
}

// befores say what a verdict was.
var befores = [VerdictCount]string{
	Below: "it had too few", Within: "it was within its target", Above: "it had too many", Unreachable: "it was not judged",
}

// changed says a verdict that is another than before in a sentence.
func changed(s Shift, r Row, product string) string {
	is, off := "is within its target now", ""
	switch s.After {
	case Below, Above:
		is, off = "has "+s.After.Words()+" people now", fmt.Sprintf(", so %s %s", numbered(r.Change, "is", "are"), s.After.Words())
	}
	who := spelt(s.Word, product)
	if s.Word == Experts {
		who = "T" + strings.TrimPrefix(who, "t")
	}
	return fmt.Sprintf("%s %s (%s): %s, the target is %s%s.", who, is, befores[s.Before], Headcount(r.Count), r.Range.Words(), off)
}

// moving says a move in a sentence.
func moving(m Move, product string) string {
	whose := "whose persona is " + m.From.Title(product)
	if m.From == directory.NoPersona {
		whose = "who have no persona"
	}
	if m.To == directory.NoPersona {
		return fmt.Sprintf("Take the persona %s from %d of the people who have it.", m.From.Title(product), m.People)
	}
	return fmt.Sprintf("Give %d of the people %s the persona %s.", m.People, whose, m.To.Title(product))
}

// clause is a line's verdict in short, with the one before where it changed.
func clause(l Line, s *Shift, product string) string {
	said := spelt(l.Word, product) + ", " + l.Words()
	if s != nil {
		said += " (" + s.Before.Words() + " before)"
	}
	return said
}

// told are a location's lines that changed and say something: not those that are
// within their targets since they are judged again.
func (l LocationNews) told() []Line {
	return slices.DeleteFunc(l.Report.Judged(), func(line Line) bool {
		s := shiftOf(l.Changed, line.Word)
		return s == nil || s.Before == Unreachable && s.After == Within
	})
}

// clauses is a location with some of its lines in short. Where nothing is judged,
// the one reason stands for all of them.
func (l LocationNews) clauses(lines []Line, product string) string {
	var all []string
	for _, line := range lines {
		all = append(all, clause(line, shiftOf(l.Changed, line.Word), product))
	}
	switch c := l.Report.Contradiction(); {
	case c == nil:
	case c.Obstacle == TooFewPeople:
		all = []string{"not judged any more, as fewer than " + Headcount(c.Least) + " never are"}
	default:
		all = []string{"not judged any more, as the targets ask for at least " + Headcount(c.Least)}
	}
	return fmt.Sprintf("%s (%s): %s.", l.Name, Headcount(l.Report.Base), strings.Join(all, "; "))
}

// shiftOf is the change of this word, nil when there is none.
func shiftOf(changed []Shift, word string) *Shift {
	if i := slices.IndexFunc(changed, func(s Shift) bool { return s.Word == word }); i >= 0 {
		return &changed[i]
	}
	return nil
}

// row is the report's row of a persona's or group's word.
func (r Report) row(word string) Row {
	lines := r.AllLines()
	return lines[slices.IndexFunc(lines, func(l Line) bool { return l.Word == word })].Row
}
