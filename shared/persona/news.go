package persona

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// News is what a scheduled audit found changed, with the locations where verdicts
// changed as well.
type News struct {
	Audit
	Locations []ChangedLocation
}

// ChangedLocation is a location with the verdicts that changed there.
type ChangedLocation struct {
	ID, Name string
	Base     int
	Changed  []Shift
}

// spread is an audit of the whole organization with the counts that it was kept
// with.
type spread struct {
	audit      Audit
	everywhere map[string]Tally
}

// at is the audit's report of a location, by the targets of then.
func (s spread) at(location string) Report {
	return judge(s.audit.Targets, s.everywhere[location], location, s.audit.Report.At)
}

// changedLocations are the locations whose verdicts changed between two audits, those
// with the most people first. One that is not there now is no news.
func changedLocations(m *authz.Model, before, after spread) []ChangedLocation {
	var all []ChangedLocation
	for _, l := range m.Policy().Locations {
		was, is := before.at(l.ID), after.at(l.ID)
		if was.Base == 0 && is.Base == 0 {
			continue
		}
		if changed := shifts(was, is); len(changed) > 0 {
			all = append(all, ChangedLocation{ID: l.ID, Name: l.Name, Base: is.Base, Changed: changed})
		}
	}
	slices.SortFunc(all, func(a, b ChangedLocation) int { return cmp.Or(b.Base-a.Base, cmp.Compare(a.ID, b.ID)) })
	return all
}

// advice says the smallest relabelling that brings the personas of an audit into their
// ranges, or why there is none; nothing when all are there.
func advice(a Audit, product string) []string {
	var counts Counts
	for p, row := range a.Report.Personas {
		counts[p] = row.Count
	}
	plan := planned(a.Targets, counts, a.Report.Location, a.Report.At)
	if plan.Contradiction != nil {
		return []string{obstacle(*plan.Contradiction, plan.Base, product)}
	}
	var out []string
	for _, m := range plan.Moves {
		out = append(out, moving(m, product))
	}
	return out
}

// moving says a move in a sentence.
func moving(m Move, product string) string {
	now := m.From.Title(product)
	if m.From == directory.NoPersona {
		now = "without a persona"
	}
	if m.To == directory.NoPersona {
		return fmt.Sprintf("Leave %s without a persona, now %s.", people(m.People), now)
	}
	return fmt.Sprintf("Label %s as %s, now %s.", people(m.People), m.To.Title(product), now)
}

// obstacle is why no relabelling of so many people helps.
func obstacle(c Contradiction, base int, product string) string {
	if c.Obstacle == TooFewPeople {
		return fmt.Sprintf("No relabelling helps: of fewer than %s nothing can be said.", people(c.Least))
	}
	var demands []string
	for _, d := range c.Demands {
		demands = append(demands, fmt.Sprintf("%s %d", d.Persona.Title(product), d.Min))
	}
	return fmt.Sprintf("No relabelling helps: the targets ask for at least %s (%s), and there are %d. Other targets do (PUT /v1/organization).",
		people(c.Least), strings.Join(demands, ", "), base)
}
