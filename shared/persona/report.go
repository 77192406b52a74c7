package persona

import (
	"context"
	"time"

	"gemba/shared/authz"
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
// champions.
type Report struct {
	Location string
	At       time.Time
	Base     int
	Personas [directory.PersonaCount]Row
	Experts  Row
}

// Words of what no persona names.
const (
	// None is those without a persona.
	None = "none"
	// Experts is the group of coaches and champions (P4).
	Experts = "ci_experts"
)

// Line is a row with its word.
type Line struct {
	Word string
	Row
}

// Lines are the personas in the order of reports: the five, then none.
func (r Report) Lines() []Line {
	var lines []Line
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		lines = append(lines, Line{p.String(), r.Personas[p]})
	}
	return append(lines, Line{None, r.Personas[directory.NoPersona]})
}

// Groups are the groups of personas that have a target of their own (P4).
func (r Report) Groups() []Line { return []Line{{Experts, r.Experts}} }

// judge is the report of a population with these counts (P5, P6).
func judge(t directory.Targets, c Counts, location string, at time.Time) Report {
	n := c.Base()
	g := goalsFor(t, n, location == "")
	met := n >= fewest && g.reachable(n)
	r := Report{Location: location, At: at, Base: n}
	for p := range r.Personas {
		r.Personas[p] = row(c[p], g.of(directory.Persona(p)), met)
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

// count adds up the populations that are in a subtree, each once however many
// of its locations are there; all of them without a root (P8).
func count(m *authz.Model, populations []Population, root string) Counts {
	var sum Counts
	for _, p := range populations {
		if root != "" && !meets(m, p.Locations, root) {
			continue
		}
		for persona, n := range p.Counts {
			sum[persona] += n
		}
	}
	return sum
}

func meets(m *authz.Model, locations []string, root string) bool {
	for _, l := range locations {
		if m.Below(root, l) {
			return true
		}
	}
	return false
}

// measure is the report by the counts of now. They have to be of the same
// policy as the facts: otherwise the tree may have moved under them, which is
// raced.
func measure(ctx context.Context, counter Counter, f directory.Facts, location string, at time.Time) (Report, error) {
	census, err := counter.Census(ctx, f.Organization.ID)
	if err != nil {
		return Report{}, err
	}
	if census.Policy != f.Policy {
		return Report{}, fault.New(fault.Conflict, fault.Raced, "The policy has changed meanwhile.")
	}
	return judge(f.Organization.Settings.Targets, count(f.Model, census.Populations, location), location, at), nil
}
