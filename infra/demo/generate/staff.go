package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// How many people of each kind the demo has, the hand-written ones included.
// 188 people are in the base of the persona shares (general and capture): 115
// Frontline are 61 % (target 70–90 %), 46 Leaders 24 % (5–20 %), 12 Executives
// 6 % (5–10 %), and 3 experts.
const (
	frontlineStaff = 115
	executives     = 12
	withoutPersona = 12
)

// crowd adds people to a world.
type crowd struct {
	*document
	random *rand.Rand
	taken  map[string]bool
	depth  map[string]int
}

// staff adds the people around the hand-written ones.
func staff(w *document) {
	c := &crowd{document: w, random: rand.New(rand.NewPCG(2026, 1)), taken: map[string]bool{}, depth: depths(w.Locations)}
	for _, u := range w.Users {
		c.taken[u.ID] = true
	}
	c.leaders()
	c.executives()
	c.frontline()
	c.newcomers()
	c.others()
}

// depths is how deep each location lies; the organization itself at 1.
func depths(locations []location) map[string]int {
	depth := map[string]int{}
	for _, l := range locations { // parents stand before their children
		depth[l.ID] = 1
		if l.Parent != nil {
			depth[l.ID] = depth[*l.Parent] + 1
		}
	}
	return depth
}

// at are the locations of a depth: 2 sites, 3 departments, 4 units.
func (c *crowd) at(depth int) []string {
	var out []string
	for _, l := range c.Locations {
		if c.depth[l.ID] == depth {
			out = append(out, l.ID)
		}
	}
	return out
}

// count is how many people of a persona sign in to take part.
func (c *crowd) count(persona string) int {
	n := 0
	for _, u := range c.Users {
		if u.Persona == persona && (u.Type == "general" || u.Type == "capture") {
			n++
		}
	}
	return n
}

// join adds a person with a new name.
func (c *crowd) join(u user) {
	for u.Name == "" || c.taken[u.ID] {
		u.Name = firstNames[c.random.IntN(len(firstNames))] + " " + lastNames[c.random.IntN(len(lastNames))]
		u.ID = signInName(u.Name)
	}
	c.add(u)
}

// add adds a person or device that has its name.
func (c *crowd) add(u user) {
	u.Username = u.ID
	if u.Roles == nil {
		u.Roles = []held{}
	}
	if u.Email == "-" {
		u.Email = u.Username + "@riverbend.example"
	}
	c.taken[u.ID] = true
	c.Users = append(c.Users, u)
}

// leaders gives each department a director and each unit a lead, unless one
// is there by hand. A few leads still hold what Frontline people hold (P7:
// needs_more).
func (c *crowd) leaders() {
	led := map[string]bool{}
	for _, u := range c.Users {
		if u.Persona == "leader" {
			led[u.Locations[0]] = true
		}
	}
	for i, place := range append(c.at(3), c.at(4)...) {
		role := []held{{Role: "unit-lead"}}
		switch {
		case led[place]:
			continue
		case c.depth[place] == 3 && i%4 == 1:
			role = []held{{Role: "director"}, {Role: "project-manager"}}
		case c.depth[place] == 3:
			role = []held{{Role: "director"}}
		case i%10 == 3:
			role = []held{{Role: "frontline"}}
		}
		c.join(user{Type: "general", Email: "-", Locations: []string{place}, Persona: "leader", Roles: role})
	}
}

// executives lead the group and its sites.
func (c *crowd) executives() {
	places := append([]string{"riverbend"}, c.at(2)...)
	for i := 0; c.count("executive") < executives; i++ {
		c.join(user{
			Type: "general", Email: "-", Locations: []string{places[i%len(places)]}, Persona: "executive",
			Roles: []held{{Role: "executive"}},
		})
	}
}

// frontline staffs the units: every third person only takes part (capture),
// some work in two units, some have no address of their own, a few hold what
// a lead holds (P7: needs_less) or keep boards besides.
func (c *crowd) frontline() {
	units := c.at(4)
	for i := 0; c.count("frontline") < frontlineStaff; i++ {
		u := user{Type: "general", Email: "-", Locations: []string{units[i%len(units)]}, Persona: "frontline", Roles: []held{{Role: "frontline"}}}
		if i%3 == 2 {
			u.Type = "capture"
		}
		if i%9 == 4 {
			u.Locations = append(u.Locations, units[(i+1)%len(units)])
		}
		switch u.Locations[0] {
		case "housekeeping", "kitchen":
			u.Email = u.Locations[0] + "@riverbend.example"
		case "warehouse", "transport":
			u.Email = ""
		}
		switch {
		case i%27 == 6:
			u.Roles = append(u.Roles, held{Role: "board-keeper"})
		case i%40 == 12:
			u.Roles = append(u.Roles, held{Role: "unit-lead"})
		case i%40 == 21:
			u.Roles = append(u.Roles, held{Role: "unit-lead", Until: "2025-06-30T22:00:00Z"})
		}
		c.join(u)
	}
}

// newcomers have no persona yet, and every third of them no role.
func (c *crowd) newcomers() {
	units := c.at(4)
	for i := 0; c.count("") < withoutPersona; i++ {
		u := user{Type: "general", Email: "-", Locations: []string{units[(i*7)%len(units)]}}
		if i%3 != 0 {
			u.Roles = []held{{Role: "frontline"}}
		}
		c.join(u)
	}
}

// others are the user types that stand outside the persona shares.
func (c *crowd) others() {
	for _, unit := range []string{"hp-ward-1", "vl-east-family"} {
		c.add(user{ID: "screen." + unit, Name: "Screen of " + c.name(unit), Type: "wallboard", Locations: []string{unit}, Roles: []held{{Role: "wallboard"}}})
	}
	for _, site := range []string{"northgate", "harbor", "valley"} {
		c.add(user{ID: "kiosk." + site, Name: "Kiosk of " + c.name(site), Type: "kiosk", Locations: []string{site}, Roles: []held{{Role: "kiosk"}}})
	}
	for _, kind := range []string{"offline", "setup", "inactive", "offline", "setup", "inactive"} {
		c.join(user{
			Type: kind, Email: "-", Locations: []string{c.at(4)[c.random.IntN(len(c.at(4)))]}, Persona: "frontline",
			Roles: []held{{Role: "frontline"}},
		})
	}
}

// name is a location's.
func (c *crowd) name(id string) string {
	i := slices.IndexFunc(c.Locations, func(l location) bool { return l.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("hand.json has no location %s", id))
	}
	return c.Locations[i].Name
}
