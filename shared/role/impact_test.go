package role_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gemba/infra/worlds"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// people is a store of the people of a world and of its roles; what an impact
// does not ask for it does not have.
type people struct {
	role.Store
	world *worlds.World
	users []directory.User // by id
	// listed and reading are how many members, and people, one reading brings.
	listed, reading int
}

func settle(w *worlds.World) *people {
	p := &people{world: w, listed: 2, reading: 3}
	for n := range w.Size.Users {
		u := w.User(n)
		held := directory.User{ID: u.ID, Type: u.Type, Locations: u.Locations, SignIn: directory.Enabled, Version: 1}
		for _, a := range u.Assignments {
			held.Assignments = append(held.Assignments, directory.Assignment{Assignment: a})
		}
		p.users = append(p.users, held)
	}
	slices.SortFunc(p.users, func(a, b directory.User) int { return strings.Compare(a.ID, b.ID) })
	return p
}

func (p *people) Role(_ context.Context, _, id string) (role.Role, error) {
	for _, r := range p.world.Policy.Roles {
		if r.ID == id {
			return role.Role{Role: r, Version: 1}, nil
		}
	}
	return role.Role{}, fault.New(fault.NotFound, "not_found", "")
}

func (p *people) Guard(context.Context, string) (uint64, error) { return 1, nil }

func (p *people) Members(_ context.Context, _ string, r authz.RoleRef, page directory.Page) ([]directory.User, string, error) {
	var found []directory.User
	after, _ := slices.BinarySearchFunc(p.users, page.After, func(u directory.User, id string) int { return strings.Compare(u.ID, id) })
	for _, u := range p.users[after:] {
		if held, ok := u.Assignment(r.ID); !ok || held.Role != r || u.ID <= page.After {
			continue
		}
		if len(found) == min(page.Limit, p.listed) {
			return found, found[len(found)-1].ID, nil
		}
		found = append(found, u)
	}
	return found, "", nil
}

func (p *people) Directory(_ context.Context, _ string, page directory.Page) ([]directory.User, bool, error) {
	after, _ := slices.BinarySearchFunc(p.users, page.After, func(u directory.User, id string) int { return strings.Compare(u.ID, id) })
	if after < len(p.users) && p.users[after].ID == page.After {
		after++
	}
	rest := p.users[after:]
	n := min(len(rest), p.reading)
	return slices.Clone(rest[:n]), n < len(rest), nil
}

func (p *people) caller() directory.Caller {
	return directory.Caller{At: worlds.Now, Facts: directory.Facts{
		Organization: directory.Organization{ID: "o"}, Model: authz.Compile(p.world.Policy), Policy: 7,
	}}
}

// edited is a role of the world as somebody may come to save it, nil for its
// deletion.
func edited(t *rapid.T, w *worlds.World, r authz.Role) *role.Role {
	next := role.Role{Role: r}
	next.Name = "Edited"
	other := w.Policy.Roles[rapid.IntRange(0, len(w.Policy.Roles)-1).Draw(t, "other")]
	if len(r.SpecificLocations) != len(other.SpecificLocations) {
		other = r
	}
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		return nil
	case 1:
		next.Grants = slices.Concat(r.Grants, other.Grants)
	case 2:
		next.Grants = r.Grants[:len(r.Grants)-1]
	case 3:
		next.Admin.Local = other.Admin.Local
	default:
		next.Grants, next.Advanced = other.Grants, other.Advanced
	}
	return &next
}

// cells are somebody's rights, one by one; user administration by all that each
// reaches.
func cells(m *authz.Model, u directory.User) map[string]bool {
	all := map[string]bool{}
	for _, r := range m.Access(m.Subject(u.Decisive(), worlds.Now)) {
		what := []string{r.Permission}
		if r.Workflow+r.Template != "" {
			what = nil
			for _, t := range m.Policy().Templates {
				if t.ID == r.Template || t.Workflow == r.Workflow {
					what = append(what, r.Permission+" on "+t.ID)
				}
			}
		}
		for _, w := range what {
			for _, place := range places(m, r) {
				all[w+" "+place] = true
			}
		}
	}
	return all
}

func places(m *authz.Model, r authz.Right) []string {
	all := []string{"one's own"}
	switch r.Scope {
	case authz.Everywhere:
		all = append(all, "nowhere")
		for _, l := range m.Policy().Locations {
			all = append(all, l.ID)
		}
	case authz.OnlyLocation:
		return r.Locations
	case authz.LocationAndBelow:
		all = nil
		for _, l := range r.Locations {
			all = append(all, m.Subtree(l)...)
		}
	}
	return all
}

func more(a, b map[string]bool) bool {
	for cell := range a {
		if !b[cell] {
			return true
		}
	}
	return false
}

// What is foreseen is the difference of everybody's access before and after, page
// by page. User administration is left to the properties of package authz: it is
// no set of cells.
func TestImpactIsTheDifferenceOfEverybodysAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds.New(worlds.Size{
			Locations: rapid.IntRange(1, 12).Draw(t, "locations"), Workflows: 2, Templates: rapid.IntRange(1, 6).Draw(t, "templates"),
			Roles: rapid.IntRange(2, 5).Draw(t, "roles"), Users: rapid.IntRange(1, 20).Draw(t, "users"), Items: 1,
		})
		store := settle(w)
		c := store.caller()
		r := w.Policy.Roles[rapid.IntRange(1, len(w.Policy.Roles)-1).Draw(t, "role")]
		next := edited(t, w, r)
		change := authz.Change{Delete: authz.Names{Roles: []string{r.ID}}}
		if next != nil {
			change = authz.Change{Put: authz.Policy{Roles: []authz.Role{next.Role}}}
		}
		after := c.Model.With(change)
		gaining, losing := map[string]bool{}, map[string]bool{}
		for _, u := range store.users {
			was, is := cells(c.Model, u), cells(after, u)
			administers := func(word string) bool { return strings.Contains(word, "user") && !strings.Contains(word, " on ") }
			maps.DeleteFunc(was, func(word string, _ bool) bool { return administers(word) })
			maps.DeleteFunc(is, func(word string, _ bool) bool { return administers(word) })
			if more(is, was) {
				gaining[u.ID] = true
			}
			if more(was, is) {
				losing[u.ID] = true
			}
		}
		page := role.ImpactPage{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
		told, all := follow(t, store, c, r.ID, next, page)
		if changesUsers := r.Admin.Local != nil || r.Admin.Impersonate || next != nil && next.Admin.Local != nil; !changesUsers {
			if told.Gaining != len(gaining) || told.Losing != len(losing) {
				t.Fatalf("%d gain, %d lose; want %v and %v", told.Gaining, told.Losing, gaining, losing)
			}
		}
		for id := range gaining {
			if !slices.ContainsFunc(all, func(a role.Affected) bool { return a.User == id && len(a.Gained) > 0 }) {
				t.Fatalf("%s gains something and is not told of", id)
			}
		}
		for id := range losing {
			if !slices.ContainsFunc(all, func(a role.Affected) bool { return a.User == id && len(a.Lost) > 0 }) {
				t.Fatalf("%s loses something and is not told of", id)
			}
		}
	})
}

// follow is all pages of an impact, each held to the first.
func follow(t interface{ Fatalf(string, ...any) }, store *people, c directory.Caller, id string, next *role.Role, page role.ImpactPage) (role.Impact, []role.Affected) {
	var first role.Impact
	var all []role.Affected
	for n := 0; ; n++ {
		i, err := role.New(store).Impact(context.Background(), c, id, next, directory.Precondition{}, page)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if n == 0 {
			first = i
		}
		if i.Gaining != first.Gaining || i.Losing != first.Losing || !i.Complete || len(i.People) > page.Limit || i.More && len(i.People) == 0 {
			t.Fatalf("page %d: %d gain, %d lose, complete %v, %d people", n, i.Gaining, i.Losing, i.Complete, len(i.People))
		}
		all = append(all, i.People...)
		if !i.More {
			break
		}
		if page.After, err = role.ParseImpactPlace(i.Place().String()); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b role.Affected) int { return strings.Compare(a.User, b.User) }) {
		t.Fatalf("people come twice, or out of order")
	}
	gaining, losing := 0, 0
	for _, a := range all {
		gaining, losing = gaining+min(len(a.Gained), 1), losing+min(len(a.Lost), 1)
	}
	if gaining != first.Gaining || losing != first.Losing {
		t.Fatalf("%d gain, %d lose; counted were %d and %d", gaining, losing, first.Gaining, first.Losing)
	}
	return first, all
}

// crowd is a role of very many members.
func crowd(members int) *people {
	w := worlds.New(worlds.Size{Locations: 7, Workflows: 1, Templates: 2, Roles: 2, Users: 1, Items: 1})
	p := &people{world: w, listed: 1000, reading: 1000}
	for n := range members {
		u := directory.User{ID: fmt.Sprintf("u%06d", n), Type: authz.General, Locations: []string{"location-1"}, Version: 1}
		u.Assignments = []directory.Assignment{{Assignment: authz.Assignment{Role: w.Policy.Roles[1].RoleRef}}}
		p.users = append(p.users, u)
	}
	return p
}

// A page whose time is over says that it has not counted all; the last one has.
func TestImpactCountsOnWhenItsTimeIsOver(t *testing.T) {
	const members = 3500 // of whom a page looks at a thousand
	store := crowd(members)
	page := role.ImpactPage{Limit: 2}
	pages, listed := 0, 0
	for {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Second))
		i, err := role.New(store).Impact(ctx, store.caller(), "role-1", nil, directory.Precondition{}, page)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		pages, listed, page.After = pages+1, listed+len(i.People), i.Place()
		if i.Complete {
			if i.Losing != members || pages != 4 || listed != 2 || !i.More {
				t.Errorf("%d are counted on %d pages, %d listed, more %v", i.Losing, pages, listed, i.More)
			}
			break
		}
		if i.Losing != 1000*pages || !i.More || len(i.People) > page.Limit {
			t.Fatalf("page %d: %d are counted, not all; more: %v", pages, i.Losing, i.More)
		}
	}
	page.Limit = 100
	rest, err := role.New(store).Impact(t.Context(), store.caller(), "role-1", nil, directory.Precondition{}, page)
	if err != nil || !rest.More || rest.People[0].User != "u000002" || len(rest.People) != 100 || rest.Losing != members {
		t.Errorf("then %d are listed of %d; more %v, %v", len(rest.People), rest.Losing, rest.More, err)
	}
}
