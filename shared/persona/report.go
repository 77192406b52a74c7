package persona

import (
	"context"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Verdict is what a count is to its target (P6).
type Verdict uint8

// The verdicts (P6). NoVerdict is of what has no target.
const (
	NoVerdict Verdict = iota
	Below
	Within
	Above
	Unreachable
	VerdictCount
)

var verdictNames = [VerdictCount]string{"", "below", "within", "above", "unreachable"}

// String is the verdict's word; none has the empty one.
func (v Verdict) String() string {
	if v < VerdictCount {
		return verdictNames[v]
	}
	return ""
}

// ParseVerdict is the verdict with this word; false for none.
func ParseVerdict(word string) (Verdict, bool) {
	for v := NoVerdict + 1; v < VerdictCount; v++ {
		if verdictNames[v] == word {
			return v, true
		}
	}
	return NoVerdict, false
}

// Row is the part of a report about some people: how many they are, how many
// they should be, and how many would have to change. Range says something only
// beside a verdict.
type Row struct {
	Count   int
	Range   Range
	Verdict Verdict
	Change  int
}

// Report is the personas of a population against the targets (P6). Location is
// empty for the organization as a whole; Experts are P4's group of coaches and
// champions; Engaged are those who take part.
type Report struct {
	Location string
	At       time.Time
	Base     int
	Personas [directory.PersonaCount]Row
	Experts  Row
	Engaged  [directory.PersonaCount]Engagement
}

// Words of what no persona names.
const (
	// None is those without a persona.
	None = "none"
	// Experts is the group of coaches and champions (P4).
	Experts = "ci_experts"
)

// Word is a persona's word in counts and reports: None for none.
func Word(p directory.Persona) string {
	if p == directory.NoPersona {
		return None
	}
	return p.String()
}

// Line is a row with its word, and how many of its people take part.
type Line struct {
	Word string
	Row
	Engagement
}

// Lines are the personas in the order of reports: the five, then none.
func (r Report) Lines() []Line {
	var lines []Line
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		lines = append(lines, Line{p.String(), r.Personas[p], r.Engaged[p]})
	}
	return append(lines, Line{None, r.Personas[directory.NoPersona], r.Engaged[directory.NoPersona]})
}

// Groups are the groups of personas that have a target of their own (P4).
func (r Report) Groups() []Line {
	return []Line{{Experts, r.Experts, r.Engaged[directory.CICoach].plus(r.Engaged[directory.Champion])}}
}

// AllLines are the personas', then the groups'.
func (r Report) AllLines() []Line { return append(r.Lines(), r.Groups()...) }

// judge is the report of a population with these counts (P5, P6).
func judge(t directory.Targets, people Tally, location string, at time.Time) Report {
	c := people.Counts
	n := c.Base()
	g := goalsFor(t, n, location == "")
	met := n >= fewest && g.reachable(n)
	r := Report{Location: location, At: at, Base: n}
	for p := range r.Personas {
		r.Personas[p] = row(c[p], g.of(directory.Persona(p)), met)
		r.Engaged[p] = people.engagement(directory.Persona(p))
	}
	r.Experts = row(c[directory.CICoach]+c[directory.Champion], &g.experts, met)
	return r
}

// row judges a count by its goal, if it has one and all goals can be met.
func row(count int, goal *Range, reachable bool) Row {
	if goal == nil {
		return Row{Count: count}
	}
	r := Row{Count: count, Range: *goal, Verdict: Unreachable, Change: goal.distance(count)}
	if reachable {
		r.Verdict = goal.verdict(count)
	}
	return r
}

// countedUnder is the counts of now. They have to be of the same policy as the
// facts: otherwise the tree may have moved under them, which is raced.
func countedUnder(ctx context.Context, counter Counter, f directory.Facts) (Census, error) {
	census, err := counter.Census(ctx, f.Organization.ID)
	if err != nil {
		return Census{}, err
	}
	if census.Policy != f.Policy {
		return Census{}, fault.New(fault.Conflict, fault.Raced, "The policy has changed meanwhile.")
	}
	return census, nil
}

// counted is the people of now, as far as they take part by a time; raced as
// countedUnder.
func counted(ctx context.Context, counter Counter, f directory.Facts, location string, at time.Time) (Tally, error) {
	census, err := countedUnder(ctx, counter, f)
	if err != nil {
		return Tally{}, err
	}
	return count(f.Model, census.Populations, location, directory.DayOf(at)), nil
}
