package importer_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/importer"
	"gemba/shared/role"
)

func location(id, parent string) directory.Location {
	return directory.Location{Location: authz.Location{ID: id, Name: id, Parent: parent}}
}

// granting is a role that may grant others.
func granting(id string, others ...string) role.Role {
	var g authz.Grantable
	for _, other := range others {
		g.Roles = append(g.Roles, authz.RoleRef{ID: other})
	}
	return role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Admin: authz.Admin{Local: &authz.UserAdministration{Scope: authz.OnlyLocation, Grantable: g}}}}
}

func pointers(units []importer.Unit) (out []string) {
	for _, u := range units {
		text := ""
		for _, p := range u.Places {
			text += p.Pointer()
		}
		out = append(out, text)
	}
	return out
}

func TestUnitsComeAfterWhatTheyName(t *testing.T) {
	settings := directory.DefaultSettings()
	settings.Impersonation.Observers = []string{"u"}
	w := importer.World{
		Organization: &directory.Organization{ID: "o", Settings: settings},
		Locations:    []directory.Location{location("leaf", "twig"), location("twig", "root"), location("root", ""), location("below-itself", "below-itself")},
		Workflows:    []directory.Workflow{{Workflow: authz.Workflow{ID: "w"}}},
		Templates:    []directory.Template{{Template: authz.Template{ID: "t", Workflow: "w"}}},
		Roles:        []role.Role{granting("a", "b"), granting("b", "c"), granting("c", "a", "elsewhere"), {Role: authz.Role{RoleRef: authz.RoleRef{ID: "d"}, Grants: []authz.Grant{{Templates: []string{"t"}}}}}},
		Users:        []directory.User{{ID: "u", Locations: []string{"leaf"}, Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "d"}}}}}},
		Items:        []directory.Item{{Item: authz.Item{ID: "i", Template: "t", Team: map[authz.TeamRole][]string{authz.Author: {"u"}}}}},
	}
	want := []string{"/locations/2", "/locations/3", "/workflows/0", "/roles/0/roles/1/roles/2", "/locations/1", "/templates/0", "/locations/0", "/roles/3", "/users/0", "/organization", "/items/0"}
	if got := pointers(w.Units()); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Random trees, circles and gaps: every entry is in one unit, and names what is
// in an earlier unit, in its own, or nowhere.
func TestUnitsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "nowhere"})
		var w importer.World
		for i := range rapid.IntRange(0, 6).Draw(t, "locations") {
			w.Locations = append(w.Locations, location(string(rune('a'+i)), id.Draw(t, "parent")))
		}
		for i := range rapid.IntRange(0, 6).Draw(t, "roles") {
			w.Roles = append(w.Roles, granting(string(rune('a'+i)), rapid.SliceOfDistinct(id, rapid.ID).Draw(t, "grantable")...))
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "users") {
			w.Users = append(w.Users, directory.User{ID: fmt.Sprint(i), Locations: []string{id.Draw(t, "at")}})
		}
		at := map[importer.Place]int{}
		for n, u := range w.Units() {
			for _, p := range u.Places {
				if _, twice := at[p]; twice {
					t.Fatalf("%s is in two units", p.Pointer())
				}
				at[p] = n
			}
		}
		for _, p := range w.Places() {
			n, ok := at[p]
			if !ok {
				t.Fatalf("%s is in no unit", p.Pointer())
			}
			for _, named := range w.Needs()[p] {
				if at[named] > n {
					t.Fatalf("%s comes before %s, which it names", p.Pointer(), named.Pointer())
				}
				if at[named] == n && named != p && !circle(w, named, p) {
					t.Fatalf("%s and %s are one unit and in no circle", p.Pointer(), named.Pointer())
				}
			}
		}
	})
}

// circle is whether names lead from one entry to the other.
func circle(w importer.World, from, to importer.Place) bool {
	needs, seen := w.Needs(), map[importer.Place]bool{}
	var walk func(importer.Place) bool
	walk = func(p importer.Place) bool {
		if p == to {
			return true
		}
		if seen[p] {
			return false
		}
		seen[p] = true
		return slices.ContainsFunc(needs[p], walk)
	}
	return walk(from)
}
