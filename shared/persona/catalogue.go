package persona

import (
	"slices"

	"gemba/shared/directory"
)

// This file is P3: what each persona is, as the facts of the personas' catalogue
// have it. An organization's own targets (P4) are beside it, not in it.

// Described is a persona as the catalogue tells of it: the name that is shown and
// older ones (P1), who it is for, typical job titles, how its people spread
// improvement, the view that they need, and the share that is expected, in words.
// Group is the group that it has its share in, empty for its own.
type Described struct {
	Persona        directory.Persona
	Name           string
	OlderNames     []string
	Who            string
	Titles         []string
	Spreads        []string
	View, Expected string
	Group          string
}

// Grouped is a group of personas that has a target together (P4).
type Grouped struct {
	Word, Name string
	Personas   []directory.Persona
	Expected   string
}

// Catalogue is the five, in the order of P1, named for a product.
func Catalogue(product string) []Described {
	all := make([]Described, 0, directory.PersonaCount-1)
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		d := facts[p]
		d.Persona, d.Name, d.OlderNames = p, p.Title(product), slices.Clone(p.OlderNames())
		d.Titles, d.Spreads = slices.Clone(d.Titles), slices.Clone(d.Spreads)
		all = append(all, d)
	}
	return all
}

// CatalogueGroups are the groups with a target of their own (P4).
func CatalogueGroups() []Grouped {
	return []Grouped{{
		Word: Experts, Name: Title(Experts, ""), Personas: []directory.Persona{directory.CICoach, directory.Champion},
		Expected: "Under 1 % of the people, coaches and champions together.",
	}}
}

var facts = [directory.PersonaCount]Described{
	directory.Frontline: {
		Who: "They take part in improvement work and in projects, and have no duties of improvement beyond that. They do the daily work, " +
			"and about 80 % of all that could be improved is theirs. Most people are of this persona.",
		Titles: []string{"Office worker", "Nurse", "Technician", "Equipment operator"},
		Spreads: []string{
			"They find opportunities, problems, waste and defects.", "They tell of them.", "They help with solutions.",
			"They join in what is begun from the top.",
		},
		View:     "The simplest one: they take part without interrupting their work.",
		Expected: "70–90 % of the people.",
	},
	directory.Leader: {
		Who: "They drive the improvement work of their frontline people towards the goals that executives set. They model and promote the " +
			"behaviours that make the culture, and lean on what the coaches know.",
		Titles: []string{"Manager", "Team leader", "Division lead"},
		Spreads: []string{
			"They keep up the discipline of improvement in their teams.", "They bring the goals of leadership to the local level.",
			"They coach instead of doing it themselves.", "They encourage champions, and find the sceptics who need coaching.",
			"They hold frontline people to the activities that were agreed.", "They use the standard method.",
		},
		View:     "More access and more permissions than frontline people have.",
		Expected: "5–20 % of the people.",
	},
	directory.Executive: {
		Who:    "They are not responsible for improvement day to day, but highly invested in it as a way to reach goals and strategy.",
		Titles: []string{"Vice president", "C-suite", "Division lead"},
		Spreads: []string{
			"They set the tone.", "They hold managers to the behaviours.", "They recognize and reward.", "They communicate often.",
			"They model the behaviours themselves.",
		},
		View:     "A largely simplified one: the impact of the work and the KPIs of the whole organization, without detail.",
		Expected: "5–10 % of the people.",
	},
	directory.CICoach: {
		Who: "They are primarily responsible for establishing and sustaining the culture of improvement: one person in some organizations, " +
			"a department in others.",
		Titles: []string{"Director of continuous improvement", "Process improvement specialist"},
		Spreads: []string{
			"They decide the process by which improvement is done.", "They hold senior leaders to their behaviours.",
			"They define the behaviours of each persona.", "They coach managers.",
		},
		View:     "The most advanced one, with the widest permissions.",
		Expected: "Under 1 % of the people, together with the champions.",
		Group:    Experts,
	},
	directory.Champion: {
		Who: "They are the primary and the secondary contact of the vendor, usually administrators of the platform, and meet the vendor's " +
			"success manager regularly.",
		Spreads:  []string{"They configure the platform.", "They are the contact."},
		View:     "As a coach's, with administration beside it.",
		Expected: "2–3 people of the whole organization.",
		Group:    Experts,
	},
}
