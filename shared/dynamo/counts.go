package dynamo

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// The counter of a set of locations (P8) has a number a persona, none among
// them; one of those on a team, team_<persona>; and one of those whose last
// active day is this, seen_<day>_<persona>. V rises with every change of it.

// countItem is what of a counter is always there.
type countItem struct {
	stored
	Set []string `dynamodbav:"set"`
}

const (
	teamPrefix = "team_"
	seenPrefix = "seen_"
	// keptDays is for how long the days of activity are counted exactly: those of
	// a report and some for clocks that differ. What somebody changes of an
	// earlier day counts no more.
	keptDays = persona.MonthDays + 5
)

func teamName(p directory.Persona) string { return teamPrefix + persona.Word(p) }

func seenName(d directory.Day, p directory.Persona) string {
	return seenPrefix + strconv.Itoa(int(d)) + "_" + persona.Word(p)
}

// populationOf is the population that a counter counts.
func populationOf(av map[string]types.AttributeValue) (persona.Population, error) {
	var item countItem
	if err := decode(av, &item); err != nil {
		return persona.Population{}, err
	}
	out := persona.Population{Locations: item.Set, Seen: map[directory.Day]persona.Counts{}}
	for p := range directory.PersonaCount {
		out.Counts[p] = number(av[persona.Word(p)])
		out.OnTeam[p] = number(av[teamName(p)])
	}
	for name, value := range av {
		day, word, seen := seenDay(name)
		if !seen {
			continue
		}
		counts := out.Seen[day]
		counts[personaOf(strings.TrimPrefix(word, persona.None))] += number(value)
		out.Seen[day] = counts
	}
	return out, nil
}

// seenDay is the day and the persona's word of an attribute that counts active
// people; false for any other.
func seenDay(name string) (day directory.Day, word string, ok bool) {
	rest, ok := strings.CutPrefix(name, seenPrefix)
	if !ok {
		return 0, "", false
	}
	text, word, ok := strings.Cut(rest, "_")
	n, err := strconv.Atoi(text)
	return directory.Day(n), word, ok && err == nil
}

// number is a whole number of an item, 0 when it is not there.
func number(av types.AttributeValue) int {
	text, _ := av.(*types.AttributeValueMemberN)
	if text == nil {
		return 0
	}
	n, _ := strconv.Atoi(text.Value)
	return n
}

// count moves a user from one counter to another, in the change that moves
// the user, so that counts are exact at every moment (P8).
func (t *transaction) count(o string, before, after directory.User) {
	from, to := countKey(o, before.Locations), countKey(o, after.Locations)
	if before.Version > 0 && from != to {
		t.move(o) // whoever is not counted moves, too, between the lists of locations
	}
	if persona.Counted(before) {
		t.tally(from, before, -1)
	}
	if persona.Counted(after) {
		t.tally(to, after, 1)
	}
}

// tally is what a change adds to the counter of one set of locations, by
// attribute.
type tally struct {
	set  []string
	adds map[string]int
}

// tally adds to the counter of a user's set, which stands once in a transaction
// however many users it is about.
func (t *transaction) tally(k key, u directory.User, n int) {
	if t.tallies[k] == nil {
		t.tallies[k] = &tally{set: slices.Sorted(slices.Values(u.Locations)), adds: map[string]int{}}
	}
	adds := t.tallies[k].adds
	adds[persona.Word(u.Persona)] += n
	if u.OnTeam {
		adds[teamName(u.Persona)] += n
	}
	if u.Seen >= directory.DayOf(t.at)-keptDays && u.Seen > 0 {
		adds[seenName(u.Seen, u.Persona)] += n
	}
}

// writeTallies updates the counters, and makes one with the set's first user.
func (t *transaction) writeTallies() {
	t.writeMove()
	for k, sum := range t.tallies {
		name, value := expression.Name("set"), expression.Value(sum.set)
		u, changed := expression.Set(name, value).Add(expression.Name("v"), expression.Value(1)), false
		for attribute, n := range sum.adds {
			if n != 0 {
				u, changed = u.Add(expression.Name(attribute), expression.Value(n)), true
			}
		}
		if changed {
			t.update(k, u, absent.Or(name.Equal(value)), fault.New(fault.Internal, "count", ""))
		}
	}
	clear(t.tallies)
}
