package page_test

import (
	"context"
	"fmt"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// now is when the pages are of.
var now = time.Date(2026, time.November, 30, 17, 20, 0, 0, time.UTC)

// tb is a test, or a property's try.
type tb interface {
	Helper()
	Context() context.Context
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is an organization to make pages of: its tree, who is where, and who
// was there on the days before.
type world struct {
	organization string
	locations    []authz.Location
	people       []persona.Population
	before       [][]persona.Population // the oldest first, a day apart
	targets      directory.Targets
}

// source is a world as the use case reads one. What a store makes of it, the
// tests of the endpoints see.
type source struct {
	persona.Store
	people []persona.Population
	audits []persona.Audit
}

func (s source) Census(context.Context, string) (persona.Census, error) {
	return persona.Census{Populations: s.people}, nil
}

func (s source) Audits(_ context.Context, _ string, page directory.Page) ([]persona.Audit, string, error) {
	return s.audits[:min(page.Limit, len(s.audits))], "", nil
}

// overview is what the use case makes of the world, of a location or all.
func (w world) overview(t tb, location string) persona.Overview {
	t.Helper()
	if w.targets == (directory.Targets{}) {
		w.targets = directory.DefaultTargets()
	}
	c := directory.Caller{At: now, Facts: directory.Facts{
		Organization: directory.Organization{ID: "o", Name: w.organization, Settings: directory.Settings{Targets: w.targets, ProductName: directory.DefaultSettings().ProductName}},
		Model:        authz.Compile(authz.Policy{Locations: w.locations}),
	}}
	var audits []persona.Audit
	for i, people := range w.before {
		then := c
		then.At = now.AddDate(0, 0, i-len(w.before))
		r, err := persona.New(source{people: people}).Report(t.Context(), then, location)
		if err != nil {
			t.Fatal(err)
		}
		audits = append([]persona.Audit{{ID: persona.Slot(then.At), Slot: persona.Slot(then.At), Report: r}}, audits...)
	}
	o, err := persona.New(source{people: w.people, audits: audits}).Overview(t.Context(), c, location)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// at are people at some locations: none, frontline, leader, executive, coach,
// champion. Of each, two thirds were here this week, all but one this month,
// and half are on a team.
func at(counts persona.Counts, locations ...string) persona.Population {
	p := persona.Population{Locations: locations, Counts: counts, Seen: map[directory.Day]persona.Counts{}}
	today := directory.DayOf(now)
	var week, month persona.Counts
	for i, n := range counts {
		week[i], p.OnTeam[i] = n*2/3, n/2
		month[i] = max(n-1, 0) - week[i]
	}
	p.Seen[today-2], p.Seen[today-20] = week, month
	return p
}

func place(id, name, parent string) authz.Location {
	return authz.Location{ID: id, Name: name, Parent: parent}
}

// clinic is two sites of a hospital, with a hundred people and more, and their
// last days.
func clinic() world {
	w := world{organization: "Riverbend Health", locations: []authz.Location{
		place("riverbend", "Riverbend Health", ""), place("north", "Northgate Hospital", "riverbend"), place("surgery", "Northgate Surgery", "north"),
		place("icu", "Northgate Intensive Care", "surgery"), place("empty", "Northgate Archive", "north"),
		place("harbor", "Harbor Point Medical Center", "riverbend"), place("maternity", "Harbor Point Maternity", "harbor"), place("desk", "Service Desk", "riverbend"),
	}}
	people := func(day int) []persona.Population {
		return []persona.Population{
			at(persona.Counts{10 - day/8, 60 + day, 14 - day/10, 2 + day/20, 0, 1}, "surgery"), at(persona.Counts{2, 20 + day/3, 3, 1, 1, 1}, "maternity"),
			at(persona.Counts{0, 5, 1, 0, 0, 0}, "icu", "maternity"), at(persona.Counts{0, 2, 0, 0, 0, 0}, "desk"), at(persona.Counts{1, 3, 0, 1, 0, 0}, "riverbend"),
		}
	}
	for day := range 30 {
		w.before = append(w.before, people(day))
	}
	w.people = people(30)
	return w
}

// single is an organization of one.
func single() world {
	return world{organization: "One", locations: []authz.Location{place("here", "Here", "")}, people: []persona.Population{at(persona.Counts{0, 1}, "here")}}
}

// nobody is an organization of none, without any location.
func nobody() world { return world{organization: "Nobody & Sons"} }

// hostile has names of all that could do harm or not fit.
func hostile() world {
	long := "Department of the Coordination of Interdisciplinary Improvement of Perioperative Processes and Sterilization, Building Four, Western Annexe"
	unbroken := "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
	names := []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "=HYPERLINK(\"http://evil.example\")", "+1", "-1", "@SUM(A1)", "a,b;\"c\"\nd",
		"\u202egnp.exe", "&lt;b&gt;", "</style><b>", "</title>", "{{.}}", "'; --", long, unbroken,
	}
	w := world{organization: "<b>Evil</b> & \"Co\"", locations: []authz.Location{place("root", "=root()", "")}}
	for i, name := range names {
		id := fmt.Sprintf("l%d", i)
		w.locations = append(w.locations, place(id, name, "root"))
		w.people = append(w.people, at(persona.Counts{0, i + 1, i % 3}, id))
	}
	return w
}

// eastern has names that are written from the right.
func eastern() world {
	return world{organization: "مستشفى النهر", locations: []authz.Location{
		place("a", "قسم الطوارئ (أ)", ""), place("b", "العناية المركزة 2", "a"), place("c", "בית חולים צפון", ""), place("d", "Ward 7", "c"), place("e", "北病棟", "c"),
	}, people: []persona.Population{at(persona.Counts{1, 30, 4, 2, 0, 2}, "b"), at(persona.Counts{0, 11, 2, 0, 1, 0}, "d"), at(persona.Counts{2, 7, 1, 1, 0, 0}, "e")},
		before: [][]persona.Population{{at(persona.Counts{1, 30, 4, 1, 0, 2}, "b")}}}
}

// contradicting has targets that nothing meets.
func contradicting() world {
	w := clinic()
	w.organization, w.before = "Contradiction", nil
	w.targets = directory.DefaultTargets()
	w.targets.Leader = directory.Share{Min: 6000, Max: 9000}
	return w
}

// many has so many locations, some of them deep.
func many(n int) world {
	w := world{organization: "Very Many"}
	for i := range n {
		parent := ""
		if i > 0 {
			parent = fmt.Sprintf("location-%05d", (i-1)/3)
		}
		w.locations = append(w.locations, place(fmt.Sprintf("location-%05d", i), fmt.Sprintf("Location of the number %d", i), parent))
		w.people = append(w.people, at(persona.Counts{1, 7 + i%5, 1, i % 2, 0, 0}, fmt.Sprintf("location-%05d", i)))
	}
	return w
}

// worlds are all that a page is looked at of.
func worlds() map[string]world {
	return map[string]world{
		"clinic": clinic(), "one": single(), "nobody": nobody(), "hostile": hostile(), "eastern": eastern(), "contradicting": contradicting(),
	}
}
