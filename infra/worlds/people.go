package worlds

import (
	"math/rand/v2"
	"time"

	"gemba/shared/authz"
)

// User is the user with this number, below Size.Users. The first is the full
// administrator (R13).
func (w *World) User(n int) authz.User {
	d := dice("user", n)
	u := authz.User{ID: id("user", n), Type: userType(d, n), SignIn: true}
	places := append([]int{w.home(n)}, distinct(d, 2, w.Size.Locations)...)
	u.Locations = ids("location", unique(places[:1+d.IntN(len(places))]))
	if n == 0 {
		u.Assignments = append(u.Assignments, authz.Assignment{Role: ref(0)})
	}
	for _, role := range distinct(d, 4, w.Size.Roles) {
		if role != 0 {
			u.Assignments = append(u.Assignments, w.assignment(d, role, u.Locations))
		}
	}
	return u
}

// userType is general for nine of ten.
func userType(d *rand.Rand, n int) authz.UserType {
	if n == 0 || !chance(d, 12) {
		return authz.General
	}
	return pick(d, authz.Capture, authz.Capture, authz.Capture, authz.Wallboard, authz.Wallboard,
		authz.Kiosk, authz.Offline, authz.Setup, authz.Inactive)
}

// home is the location that a user always has; everywhere live as many.
func (w *World) home(user int) int { return user % w.Size.Locations }

// neighbour is somebody whose home is the location; where nobody lives, anybody.
func (w *World) neighbour(d *rand.Rand, location int) int {
	if location >= w.Size.Users {
		return d.IntN(w.Size.Users)
	}
	return location + w.Size.Locations*d.IntN(1+(w.Size.Users-1-location)/w.Size.Locations)
}

// assignment is limited in one of six, but never of a role with specific
// locations (R5), and ends in one of six, in half of these before now.
func (w *World) assignment(d *rand.Rand, role int, locations []string) authz.Assignment {
	a := authz.Assignment{Role: ref(role)}
	if len(w.Policy.Roles[role].SpecificLocations) == 0 && chance(d, 17) {
		a.Locations = locations[:1+d.IntN(len(locations))]
	}
	if chance(d, 17) {
		a.Until = Now.Add(pick(d, -24*time.Hour, 0, time.Hour, 30*24*time.Hour))
	}
	return a
}

// Item is the item with this number, below Size.Items.
func (w *World) Item(n int) authz.Item {
	d := dice("item", n)
	template := d.IntN(w.Size.Templates)
	author := d.IntN(w.Size.Users)
	place := w.place(d, author)
	return authz.Item{
		ID: id("item", n), Template: id("template", template), Locations: w.responsible(d, place),
		Status: status(d), Private: chance(d, 12), Team: w.team(d, teamType(template), author, place),
	}
}

// place is where an author's item belongs: their home, or one of those below.
func (w *World) place(d *rand.Rand, author int) int {
	home := w.home(author)
	if below := home*children + 1 + d.IntN(children); below < w.Size.Locations && chance(d, 50) {
		return below
	}
	return home
}

// responsible is one location, seldom two or none (R5).
func (w *World) responsible(d *rand.Rand, place int) []string {
	switch {
	case chance(d, 6):
		return nil
	case chance(d, 12):
		return ids("location", unique([]int{place, d.IntN(w.Size.Locations)}))
	default:
		return ids("location", []int{place})
	}
}

// status is every other time one that is neither new nor a draft.
func status(d *rand.Rand) authz.Status {
	if chance(d, 50) {
		return authz.Active
	}
	return authz.NoStatus + 1 + authz.Status(d.IntN(int(authz.StatusCount)-1))
}

// team has one to six people in roles of the team's type: the author, the
// others from near by or anywhere.
func (w *World) team(d *rand.Rand, t authz.TeamType, author, place int) map[authz.TeamRole][]string {
	team := map[authz.TeamRole][]string{authz.Author: {id("user", author)}}
	for range d.IntN(6) {
		role, member := teamRole(d, t), w.neighbour(d, place)
		if chance(d, 30) {
			member = d.IntN(w.Size.Users)
		}
		team[role] = append(team[role], id("user", member))
	}
	return team
}

// teamRole is one that the team type has (C1).
func teamRole(d *rand.Rand, t authz.TeamType) authz.TeamRole {
	for {
		if r := authz.NoTeamRole + 1 + authz.TeamRole(d.IntN(int(authz.TeamRoleCount)-1)); t.Has(r) {
			return r
		}
	}
}

// unique are the numbers, each once, in their order.
func unique(numbers []int) []int {
	var once []int
	seen := map[int]bool{}
	for _, n := range numbers {
		if !seen[n] {
			seen[n] = true
			once = append(once, n)
		}
	}
	return once
}
