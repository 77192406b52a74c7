// Package worlds makes organizations of any size to measure on: policy, users
// and items by number, and a stream of questions about them. The same size is
// the same world on every machine and at every call.
//
// A world is lawful and varied: names exist, births are right, scopes are those
// that R4, R8 and R10 allow; there are users of all types, limits and ends of
// assignments, team types, statuses, private items, items without a location.
// It says what could be, not what is likely: its shares were chosen so that
// questions meet yes and no about as often.
//
// Users and items are made when asked for, so a world of 100,000 users costs no
// more than its policy. It knows the decision's words alone.
package worlds

import (
	"fmt"
	"math/rand/v2"
	"time"

	"gemba/shared/authz"
)

// Size is how much of each there is. There is at least one of each.
type Size struct{ Locations, Workflows, Templates, Roles, Users, Items int }

// String names the size in the name of a measurement.
func (s Size) String() string { return fmt.Sprintf("%d users", s.Users) }

// The sizes that measurements are given for.
var (
	Small  = Size{Locations: 7, Workflows: 2, Templates: 8, Roles: 6, Users: 10, Items: 60}
	Medium = Size{Locations: 49, Workflows: 4, Templates: 20, Roles: 24, Users: 300, Items: 2_000}
	Large  = Size{Locations: 2_000, Workflows: 20, Templates: 200, Roles: 300, Users: 100_000, Items: 1_000_000}
)

// Now is the time of the worlds: assignments are over, or not, at it (R5).
var Now = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// World is an organization. Its policy is shared by all who read it and must
// not be changed.
type World struct {
	Size   Size
	Policy authz.Policy
}

// New is the world of that size.
func New(s Size) *World {
	w := &World{Size: s}
	for n := range s.Locations {
		w.Policy.Locations = append(w.Policy.Locations, location(n))
	}
	for n := range s.Workflows {
		w.Policy.Workflows = append(w.Policy.Workflows, authz.Workflow{ID: id("workflow", n), Name: fmt.Sprintf("Workflow %d", n)})
	}
	for n := range s.Templates {
		w.Policy.Templates = append(w.Policy.Templates, s.template(n))
	}
	for n := range s.Roles {
		w.Policy.Roles = append(w.Policy.Roles, s.role(n))
	}
	return w
}

// children is how many locations are below each that is no leaf.
const children = 6

func location(n int) authz.Location {
	l := authz.Location{ID: id("location", n), Name: fmt.Sprintf("Location %d", n)}
	if n > 0 {
		l.Parent = id("location", above(n))
	}
	return l
}

// above is the number of the location's parent; the first is its own.
func above(n int) int { return max(n-1, 0) / children }

func (s Size) template(n int) authz.Template {
	return authz.Template{
		ID: id("template", n), Name: fmt.Sprintf("Template %d", n), Workflow: id("workflow", n%s.Workflows),
		TeamType: teamType(n),
	}
}

// teamType is that of the template with this number.
func teamType(template int) authz.TeamType {
	return authz.NoTeamType + 1 + authz.TeamType(dice("team type", template).IntN(int(authz.TeamTypeCount)-1))
}

func id(kind string, n int) string { return fmt.Sprintf("%s-%d", kind, n) }

// dice are those of one thing: what it is like depends on nothing else.
func dice(kind string, n int) *rand.Rand {
	var seed uint64
	for _, letter := range []byte(kind) {
		seed = seed*31 + uint64(letter)
	}
	return rand.New(rand.NewPCG(seed, uint64(n)))
}

// chance is true in so many of a hundred.
func chance(d *rand.Rand, percent int) bool { return d.IntN(100) < percent }

// pick is one of several.
func pick[T any](d *rand.Rand, from ...T) T { return from[d.IntN(len(from))] }

// distinct are up to most different numbers below the limit, at least one.
func distinct(d *rand.Rand, most, limit int) []int {
	var numbers []int
	seen := map[int]bool{}
	for range 1 + d.IntN(most) {
		if n := d.IntN(limit); !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// ids are the ids of things of one kind.
func ids(kind string, numbers []int) []string {
	var all []string
	for _, n := range numbers {
		all = append(all, id(kind, n))
	}
	return all
}
