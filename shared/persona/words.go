package persona

import (
	"fmt"
	"strings"
)

// This file is what reports, plans and mails have in common in words.

// Words are the verdict as people are told it, "too few" of Below.
func (v Verdict) Words() string {
	return [...]string{"no target", "too few", "within target", "too many", "not judged"}[min(v, VerdictCount-1)]
}

// Words are the row's verdict with the people it takes, "3 too few".
func (r Row) Words() string {
	if r.Verdict == Below || r.Verdict == Above {
		return fmt.Sprint(r.Change, " ", r.Verdict.Words())
	}
	return r.Verdict.Words()
}

// Words are the range as people are told it, "2–3", or "2" from 2 to 2.
func (r Range) Words() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d–%d", r.Min, r.Max)
}

// Sentence says why none of so many people is judged; the champion is that of the
// product of this name (P1).
func (c Contradiction) Sentence(base int, product string) string {
	switch {
	case c.Obstacle == TooFewPeople:
		return fmt.Sprintf("Fewer than %s are not judged, and there %s.", Headcount(c.Least), are(base))
	case len(c.Demands) == 1:
		return fmt.Sprintf("The target of %s asks for at least %s, and there %s, so none is judged.", c.Demands[0].Persona.Title(product), Headcount(c.Least), are(base))
	}
	var demands []string
	for _, d := range c.Demands {
		demands = append(demands, fmt.Sprintf("%s %d", d.Persona.Title(product), d.Min))
	}
	return fmt.Sprintf("The targets ask for at least %s (%s), and there %s, so none is judged.", Headcount(c.Least), strings.Join(demands, ", "), are(base))
}

func are(n int) string {
	switch n {
	case 0:
		return "is nobody"
	case 1:
		return "is 1"
	}
	return fmt.Sprintf("are %d", n)
}

// numbered is a number with the word for one or for any other.
func numbered(n int, one, others string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", others)
}

// Headcount is a number of people in words.
func Headcount(n int) string { return numbered(n, "person", "people") }
