package persona

import (
	"gemba/shared/authz"
	"gemba/shared/directory"
)

// The days that a report looks back on, the day itself among them.
const (
	WeekDays  = 7
	MonthDays = 30
)

// Engagement is how many of some people take part: those with a request in the
// last WeekDays and MonthDays UTC days, and those on the team of an item that is
// no draft.
type Engagement struct{ Active7, Active30, OnTeam int }

func (e Engagement) plus(other Engagement) Engagement {
	return Engagement{e.Active7 + other.Active7, e.Active30 + other.Active30, e.OnTeam + other.OnTeam}
}

// Tally is the counts of some people, and of those of them who take part.
type Tally struct{ Counts, OnTeam, Active7, Active30 Counts }

// engagement is that of the people with a persona.
func (t Tally) engagement(p directory.Persona) Engagement {
	return Engagement{Active7: t.Active7[p], Active30: t.Active30[p], OnTeam: t.OnTeam[p]}
}

// add adds a population as it is on a day. A day after it is another clock's
// today.
func (t *Tally) add(p Population, today directory.Day) {
	t.Counts.plus(1, p.Counts)
	t.OnTeam.plus(1, p.OnTeam)
	for day, counts := range p.Seen {
		if day > today-WeekDays {
			t.Active7.plus(1, counts)
		}
		if day > today-MonthDays {
			t.Active30.plus(1, counts)
		}
	}
}

// count adds up the populations that are in a subtree, each once however many
// of its locations are there; all of them without a root (P8).
func count(m *authz.Model, populations []Population, root string, today directory.Day) Tally {
	var sum Tally
	for _, p := range populations {
		if root == "" || meets(m, p.Locations, root) {
			sum.add(p, today)
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
