package directory_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// read is one of the two lists.
type read func(context.Context, directory.Caller, directory.Filter, directory.Page) (directory.Listed, error)

// whole is a list, page by page, and how many pages it has. Fails when a page
// is no page.
func whole(t interface{ Fatalf(string, ...any) }, list read, s *town, c directory.Caller, f directory.Filter, limit int) ([]string, int) {
	ids, pages := []string{}, 0
	for page := (directory.Page{Limit: limit}); ; pages++ {
		found, err := list(context.Background(), c, f, page)
		if err != nil || len(found.Users) > limit || found.More && found.Next <= page.After {
			t.Fatalf("a page of %d after %q: %d users, next %q, %v", limit, page.After, len(found.Users), found.Next, err)
		}
		for _, u := range found.Users {
			ids = append(ids, u.ID)
		}
		if !found.More {
			return ids, pages + 1
		}
		page.After = found.Next
	}
}

// TestAListIsWhatOneByOneIs: over random worlds, filters and page sizes, all
// pages together are those of everybody, in order, about whom authz and the
// filter say yes one by one: for administrators of everybody, of some and of
// none, in sessions and not, by a budget for all and for one user a page.
func TestAListIsWhatOneByOneIs(t *testing.T) {
	found := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := randomTown(t)
		lists := directory.NewListings(s)
		for range 10 {
			subject := s.somebody(t, "subject")
			c := s.as(subject, subject)
			if rapid.IntRange(0, 3).Draw(t, "session") == 0 {
				c = s.as(subject, s.somebody(t, "actor"))
			}
			f, limit := s.randomFilter(t), rapid.SampledFrom([]int{1, 2, 7, 500}).Draw(t, "limit")
			want := []string{}
			for _, id := range slices.Sorted(maps.Keys(s.users)) {
				if within(c, f, s.users[id]) {
					want = append(want, id)
				}
			}
			s.read = nil
			got, pages := whole(t, lists.Within, s, c, f, limit)
			if !slices.Equal(got, want) {
				t.Fatalf("R11 %+v on pages of %d: %q, one by one %q", f, limit, got, want)
			}
			found["users"] += len(got)
			found["by lists"] += min(1, s.read["list"]) * len(got)
			found["by the directory"] += min(1, s.read["directory"]) * len(got)
			if pages > 1+len(got)/limit {
				found["short pages"]++
			}
			people(t, s, c, f, limit)
		}
	})
	for _, kind := range []string{"users", "by lists", "by the directory", "short pages"} {
		if found[kind] < 5 {
			t.Errorf("hardly any %s: %v", kind, found)
		}
	}
}

// people holds the list of people to the same.
func people(t *rapid.T, s *town, c directory.Caller, f directory.Filter, limit int) {
	if f.Role != "" && !c.Decide(authz.AdministerSomeUsers, authz.Resource{Type: authz.OrganizationResource}).Allowed {
		if _, err := directory.NewListings(s).People(t.Context(), c, f, directory.Page{Limit: limit}); !fault.Is(err, fault.Denied) {
			t.Fatalf("T4 who holds a role is told to whom it is not: %v", err)
		}
		return
	}
	want := []string{}
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		if u := s.users[id]; u.Type != authz.Inactive && plainly(c.Model, f, u, u.Name) && (f.Role == "" || c.Model.Administers(c.Who(), u.Decisive())) {
			want = append(want, id)
		}
	}
	if got, _ := whole(t, directory.NewListings(s).People, s, c, f, limit); !slices.Equal(got, want) {
		t.Fatalf("people of %+v on pages of %d: %q, one by one %q", f, limit, got, want)
	}
}

// relocation is a change that comes between two readings.
type relocation struct{ who, where string }

// TestAListLosesNobodyWhileOthersChange: while pages are read, people move,
// change and come. Who is in the list all the time is there exactly once, and
// nobody who never was.
func TestAListLosesNobodyWhileOthersChange(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		s := randomTown(t)
		subject := s.somebody(t, "subject")
		c, f := s.as(subject, subject), s.randomFilter(t)
		always, ever := map[string]bool{}, map[string]bool{}
		see := func(first bool) {
			for id, u := range s.users {
				passes := within(c, f, u)
				always[id] = passes && (first || always[id])
				ever[id] = ever[id] || passes
			}
		}
		see(true)
		places := s.model.Policy().Locations
		ids := slices.Sorted(maps.Keys(s.users))
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) relocation {
			return relocation{rapid.SampledFrom(ids).Draw(t, "who"), rapid.SampledFrom(places).Draw(t, "where").ID}
		}), 1, 30).Draw(t, "changes") // drawn here: pages are read side by side
		s.meanwhile = func() {
			if len(changes) == 0 {
				return
			}
			id, where := changes[0].who, changes[0].where
			if changes = changes[1:]; id == subject {
				return
			}
			u := s.users[id]
			u.Locations = []string{where}
			u.Version++
			s.users[id] = u
			s.moves++
			see(false)
			moved++
		}
		got, _ := whole(t, directory.NewListings(s).Within, s, c, f, rapid.SampledFrom([]int{1, 3, 500}).Draw(t, "limit"))
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("somebody twice: %q", got)
		}
		for id := range s.users {
			if is := slices.Contains(got, id); is && !ever[id] || !is && always[id] {
				t.Fatalf("%s: listed %v, was to be always %v, ever %v", id, is, always[id], ever[id])
			}
		}
	})
	if moved < 100 {
		t.Errorf("hardly anybody moved: %d", moved)
	}
}

// hamlet is two wards of one unit, and an administrator of the unit.
func hamlet(people int) *town {
	s := &town{cost: 1, policy: 1, users: map[string]directory.User{}, model: authz.Compile(authz.Policy{
		Locations: []authz.Location{{ID: "unit"}, {ID: "east", Parent: "unit"}, {ID: "west", Parent: "unit"}, {ID: "out"}},
		Roles:     []authz.Role{{RoleRef: authz.RoleRef{ID: "local"}, Admin: authz.Admin{Local: &authz.UserAdministration{Scope: authz.LocationAndBelow}}}},
	})}
	add := func(id, at string, roles ...string) {
		u := directory.User{ID: id, Name: id, Type: authz.General, Locations: []string{at}, Version: 1}
		for _, r := range roles {
			u.Assignments = append(u.Assignments, directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: r}}})
		}
		s.users[id] = u
	}
	add("chief", "unit", "local")
	for n := range people {
		add(fmt.Sprintf("p%03d", n), []string{"east", "west"}[n%2])
	}
	return s
}

// TestWhoMovesBetweenListsIsNotMissed: p005 goes from west to east after east was
// read and before west is.
func TestWhoMovesBetweenListsIsNotMissed(t *testing.T) {
	for _, young := range []bool{false, true} {
		s := hamlet(10)
		s.young = young
		c := s.as("chief", "chief")
		lists := 0
		s.meanwhile = func() {
			if lists++; lists != 1 && !young {
				return
			}
			u := s.users["p005"]
			u.Locations = []string{map[string]string{"west": "east", "east": "west"}[u.Locations[0]]}
			s.users["p005"] = u
			if !young { // else its count was seen, its lists not yet
				s.moves++
			}
		}
		got, _ := whole(t, directory.NewListings(s).Within, s, c, directory.Filter{}, 500)
		if len(got) != 11 || s.read["directory"] == 0 {
			t.Errorf("young %v: %q by %v", young, got, s.read)
		}
	}
}

// TestC11AChangeOfPolicyIsDecidedAnew: what was decided by a policy or a caller
// that is no more is not answered.
func TestC11AChangeOfPolicyIsDecidedAnew(t *testing.T) {
	for name, change := range map[string]func(*town){
		"policy": func(s *town) { s.policy++ },
		"caller": func(s *town) { u := s.users["chief"]; u.Version++; s.users["chief"] = u },
	} {
		for _, f := range []directory.Filter{{}, {Location: "east"}} {
			for _, people := range []bool{false, true} {
				s := hamlet(10)
				c := s.as("chief", "chief")
				done := false
				s.meanwhile = func() {
					if !done {
						done = true
						change(s)
					}
				}
				list := directory.NewListings(s).Within
				if people {
					list = directory.NewListings(s).People
				}
				if _, err := list(t.Context(), c, f, directory.Page{Limit: 5}); !fault.IsRaced(err) {
					t.Errorf("%s, %+v, people %v: %v", name, f, people, err)
				}
			}
		}
	}
}

// TestT4APageTellsNothingOfThoseItDoesNotShow: it goes on after the last that it
// shows, and only when another follows.
func TestT4APageTellsNothingOfThoseItDoesNotShow(t *testing.T) {
	s := hamlet(10)
	for n := range 300 {
		id := fmt.Sprintf("q%03d", n) // after all the others, and out of reach
		if n < 3 {
			id = fmt.Sprintf("p008-%d", n) // before the last
		}
		s.users[id] = directory.User{ID: id, Name: "Ann", Type: authz.General, Locations: []string{"out", "east"}, Version: 1}
	}
	c := s.as("chief", "chief")
	lists := directory.NewListings(s)
	first, err := lists.Within(t.Context(), c, directory.Filter{}, directory.Page{Limit: 10})
	if err != nil || !first.More || first.Next != "p008" {
		t.Errorf("of eleven the first ten: more %v after %q, %v", first.More, first.Next, err)
	}
	last, err := lists.Within(t.Context(), c, directory.Filter{}, directory.Page{Limit: 10, After: first.Next})
	if err != nil || last.More || len(last.Users) != 1 {
		t.Errorf("and the last, whom 300 hidden ones follow: %d, more %v, %v", len(last.Users), last.More, err)
	}
	full, err := lists.Within(t.Context(), c, directory.Filter{}, directory.Page{Limit: 11})
	if err != nil || full.More {
		t.Errorf("a page of all: more %v, %v", full.More, err)
	}
}

// TestAPageKeepsToItsBudget: of units, and of the request's time.
func TestAPageKeepsToItsBudget(t *testing.T) {
	s := hamlet(200)
	s.cost, s.atOnce = 80, 10 // of users of 320 KB
	c := s.as("chief", "chief")
	for name, list := range map[string]read{"lists": directory.NewListings(s).Within, "the directory": directory.NewListings(s).People} {
		before := s.units
		found, err := list(t.Context(), c, directory.Filter{Text: "nobody"}, directory.Page{Limit: 50})
		spent := s.units - before
		if err != nil || !found.More || found.Next == "" || len(found.Users) > 0 || spent < 1000 || spent > 1000+12*80+200 {
			t.Errorf("%s: %d users, next %q, %.0f units, %v", name, len(found.Users), found.Next, spent, err)
		}
	}
	late, cancel := deadline(t.Context())
	defer cancel()
	found, err := directory.NewListings(s).People(late, c, directory.Filter{}, directory.Page{Limit: 50})
	if err != nil || !found.More || len(found.Users) != 10 || found.Next != found.Users[9].ID {
		t.Errorf("when the time is up after one reading: %d users, more %v, %v", len(found.Users), found.More, err)
	}
}
