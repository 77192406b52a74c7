package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// allItems is how many items the demo has, the hand-written ones included.
const allItems = 300

// statuses are those of items, the frequent ones more than once.
var statuses = []string{
	"new", "new", "planned", "planned", "active", "active", "active", "overdue", "resolution_submitted",
	"complete", "complete", "complete", "deferred", "draft",
}

// desk makes items of what people do in their units.
type desk struct {
	*document
	random *rand.Rand
	depth  map[string]int
	parent map[string]string
}

// fill adds the items around the hand-written ones.
func fill(w *document) {
	d := &desk{document: w, random: rand.New(rand.NewPCG(2026, 2)), depth: depths(w.Locations), parent: map[string]string{}}
	for _, l := range w.Locations {
		if l.Parent != nil {
			d.parent[l.ID] = *l.Parent
		}
	}
	for len(w.Items) < allItems {
		w.Items = append(w.Items, d.item(len(w.Items)+1))
	}
}

// item is the next: in a unit, now and then shared with another or, like an
// idea for nobody in particular, without a location.
func (d *desk) item(number int) item {
	t := d.Templates[d.random.IntN(len(d.Templates))]
	unit := d.unit()
	i := item{ID: fmt.Sprintf("i-%03d", number), Template: t.ID, Locations: []string{unit}, Status: pick(d, statuses)}
	switch other := d.unit(); {
	case number%25 == 0:
		i.Locations = []string{}
	case number%8 == 0 && other != unit:
		i.Locations = append(i.Locations, other)
	case number%11 == 0:
		i.Locations = []string{d.parent[unit]}
	}
	i.Private = d.random.IntN(100) < 6 || t.Workflow == "safety" && d.random.IntN(100) < 25
	i.Team = d.team(t.TeamType, i.Status, unit)
	return i
}

func pick[T any](d *desk, list []T) T { return list[d.random.IntN(len(list))] }

func (d *desk) unit() string {
	var units []string
	for _, l := range d.Locations {
		if d.depth[l.ID] == 4 {
			units = append(units, l.ID)
		}
	}
	return pick(d, units)
}

// team is who works on an item of the unit. A draft is its author's alone.
func (d *desk) team(teamType, status, unit string) map[string][]string {
	department := d.parent[unit]
	near := d.people(unit, department)
	lead := d.people(unit, department, "leader")
	team := map[string][]string{"author": {pick(d, near)}}
	if status == "draft" {
		return team
	}
	switch teamType {
	case "author_only":
	case "advanced":
		team["sponsor"] = []string{pick(d, d.people(department, d.parent[department], "leader", "executive"))}
		team["facilitator"] = []string{pick(d, append(lead, "elena.petrova"))}
		team["leader"] = []string{pick(d, lead)}
		team["participant"] = d.some(near, 1+d.random.IntN(3))
	default:
		if status != "new" {
			team["responsible"] = []string{pick(d, append(lead, near...))}
			team["assigner"] = []string{pick(d, lead)}
		}
		team["collaborator"] = d.some(near, d.random.IntN(3))
	}
	team["follower"] = d.some(near, d.random.IntN(3))
	for role, users := range team {
		if len(users) == 0 {
			delete(team, role)
		}
	}
	return team
}

// people are those at two places who may work on items, of the personas given
// or of any.
func (d *desk) people(here, there string, personas ...string) []string {
	var out []string
	for _, u := range d.Users {
		works := u.Type == "general" && u.ID != "items.service" || u.Type == "capture"
		meets := slices.Contains(u.Locations, here) || slices.Contains(u.Locations, there)
		if works && meets && (len(personas) == 0 || slices.Contains(personas, u.Persona)) {
			out = append(out, u.ID)
		}
	}
	return out
}

// some are so many different people of a list, fewer when it is short.
func (d *desk) some(list []string, n int) []string {
	list = slices.Clone(list)
	d.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(n, len(list))]
}
