package dynamo

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// growth is a random forest of some locations: each below an earlier one, or none.
func growth(n int) *rapid.Generator[*authz.Model] {
	return rapid.Custom(func(t *rapid.T) *authz.Model {
		var p authz.Policy
		for i := range n {
			l := authz.Location{ID: fmt.Sprintf("l%d", i), Name: "L"}
			if parent := rapid.IntRange(-1, i-1).Draw(t, "parent"); parent >= 0 {
				l.Parent = fmt.Sprintf("l%d", parent)
			}
			p.Locations = append(p.Locations, l)
		}
		return authz.Compile(p)
	})
}

// inhabitant is one of a few users of a forest of n locations, of any type.
func inhabitant(n int) *rapid.Generator[directory.User] {
	return rapid.Custom(func(t *rapid.T) directory.User {
		id := fmt.Sprintf("u%d", rapid.IntRange(0, 11).Draw(t, "user"))
		locations := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, 3, rapid.ID[int]).Draw(t, "locations")
		u := directory.User{
			ID: id, Name: id, Username: id, Type: rapid.SampledFrom([]authz.UserType{authz.General, authz.Capture, authz.Inactive, authz.Kiosk}).Draw(t, "type"),
			Persona: directory.Persona(rapid.IntRange(0, int(directory.PersonaCount)-1).Draw(t, "persona")),
			OnTeam:  rapid.Bool().Draw(t, "onTeam"),
			Seen:    directory.DayOf(noon) - directory.Day(rapid.IntRange(0, 33).Draw(t, "ago")),
		}
		for _, l := range locations {
			u.Locations = append(u.Locations, fmt.Sprintf("l%d", l))
		}
		return u
	})
}

// recount is the people of a subtree, or of all, one by one.
func recount(m *authz.Model, users map[string]directory.User, root string) (people [directory.PersonaCount]int, engaged [directory.PersonaCount]persona.Engagement) {
	today := directory.DayOf(noon)
	for _, u := range users {
		there := root == "" || slices.ContainsFunc(u.Locations, func(l string) bool { return m.Below(root, l) })
		if !there || u.Type != authz.General && u.Type != authz.Capture {
			continue
		}
		people[u.Persona]++
		e := &engaged[u.Persona]
		if u.OnTeam {
			e.OnTeam++
		}
		if today-u.Seen < persona.WeekDays {
			e.Active7++
		}
		if today-u.Seen < persona.MonthDays {
			e.Active30++
		}
	}
	return people, engaged
}

// TestP8AReportIsARecountInEveryWorld: in random worlds of users and sets, after
// each change, for the organization and every subtree; and nothing drifts.
func TestP8AReportIsARecountInEveryWorld(t *testing.T) {
	const locations = 6
	next := inhabitant(locations)
	for seed := range 4 {
		b := openBare(t)
		model, users := growth(locations).Example(seed), map[string]directory.User{}
		caller := directory.Caller{At: noon, Facts: directory.Facts{
			Organization: directory.Organization{ID: "o", Settings: directory.DefaultSettings()}, Model: model,
		}}
		for step := range 24 {
			users = b.becomes(users, next.Example(100*seed+step))
			if step%6 < 5 {
				continue
			}
			for root := -1; root < locations; root++ {
				at := ""
				if root >= 0 {
					at = fmt.Sprintf("l%d", root)
				}
				report, err := persona.New(b.Store).Report(t.Context(), caller, at)
				if err != nil {
					t.Fatal(err)
				}
				people, engaged := recount(model, users, at)
				for p, row := range report.Personas {
					if row.Count != people[p] || report.Engaged[p] != engaged[p] {
						t.Errorf("P8 world %d, %q: %d %s %+v, a recount finds %d %+v", seed, at, row.Count, directory.Persona(p), report.Engaged[p], people[p], engaged[p])
					}
				}
			}
		}
		b.advance(youngAge * 2)
		found, err := persona.NewReconciler(b.Store).Reconcile(t.Context(), caller, false)
		if err != nil || found.Drift() != 0 || found.Unsettled != 0 || found.Users != len(users) {
			t.Errorf("P8 world %d: %+v, %v", seed, found, err)
		}
	}
}

// becomes writes a user's next state, and what is noted of them then.
func (b *bare) becomes(users map[string]directory.User, after directory.User) map[string]directory.User {
	b.t.Helper()
	before := users[after.ID]
	if err := b.put(before, after); err != nil {
		b.t.Fatal(err)
	}
	is := after
	is.Version, is.Seen, is.OnTeam, is.Pulse = before.Version+1, before.Seen, before.OnTeam, before.Pulse
	noted := is
	noted.Seen, noted.OnTeam, noted.Pulse = after.Seen, after.OnTeam, is.Pulse+1
	t := b.begin()
	t.note("o", is, noted)
	if err := t.commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	users[after.ID] = noted
	return users
}
