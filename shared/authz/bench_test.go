package authz

import (
	"fmt"
	"testing"
)

// large is a policy of 2,000 locations, 200 templates and 300 roles.
func large() Policy {
	var p Policy
	for i := range 2000 {
		l := Location{ID: fmt.Sprintf("location-%d", i)}
		if i > 0 {
			l.Parent = fmt.Sprintf("location-%d", (i-1)/6)
		}
		p.Locations = append(p.Locations, l)
	}
	for i := range 20 {
		p.Workflows = append(p.Workflows, Workflow{ID: fmt.Sprintf("workflow-%d", i)})
	}
	for i := range 200 {
		p.Templates = append(p.Templates, Template{
			ID: fmt.Sprintf("template-%d", i), Workflow: fmt.Sprintf("workflow-%d", i%20), TeamType: Simple + TeamType(i%4),
		})
	}
	for i := range 300 {
		r := Role{RoleRef: ref(fmt.Sprintf("role-%d", i))}
		for g := range 4 {
			r.Grants = append(r.Grants, Grant{
				Workflows: []string{fmt.Sprintf("workflow-%d", (i+g)%20)},
				Templates: []string{fmt.Sprintf("template-%d", (i+7*g)%200), fmt.Sprintf("template-%d", (i+11*g)%200)},
				Permissions: map[Permission]Scope{
					Participate: Yes, View: LocationAndBelow, Edit: OnlyLocation, Assign: OnlyUsers, Delete: OnlyUsers,
				},
			})
		}
		p.Roles = append(p.Roles, r)
	}
	return p
}

// medium is the corpus' largest world.
func medium(t testing.TB) world {
	w, _ := readCorpus(t, "testdata/corpus/medium-11.json")
	return w
}

// employee is somebody with three roles of the large policy, and an item.
func employee() (User, *Item) {
	u := User{ID: "maria", Type: General, Locations: []string{"location-40", "location-900"}}
	for _, role := range []string{"role-10", "role-110", "role-210"} {
		u.Assignments = append(u.Assignments, Assignment{Role: ref(role)})
	}
	return u, &Item{
		ID: "i1", Template: "template-10", Locations: []string{"location-250", "location-41"}, Status: Active,
		Team: map[TeamRole][]string{Facilitator: {"ann"}, Participant: {"ben", "maria"}, Author: {"cem"}},
	}
}

func BenchmarkDecide(b *testing.B) {
	m := Compile(large())
	u, it := employee()
	s := m.Subject(u, now)
	for _, a := range []Action{DoView, DoEdit, DoDelete} {
		b.Run(a.String(), func(b *testing.B) {
			r := Resource{Type: ItemResource, Item: it}
			b.ReportAllocs()
			for b.Loop() {
				m.Decide(s, a, r)
			}
		})
	}
	b.Run(AdministerUser.String(), func(b *testing.B) {
		r := Resource{Type: UserResource, User: &u}
		b.ReportAllocs()
		for b.Loop() {
			m.Decide(s, AdministerUser, r)
		}
	})
}

// BenchmarkDecideItem decides with all names looked up before.
func BenchmarkDecideItem(b *testing.B) {
	m := Compile(large())
	u, it := employee()
	s, r := m.Subject(u, now), m.Resolve(it)
	b.ReportAllocs()
	for b.Loop() {
		m.DecideItem(s, DoDelete, &r)
	}
}

// BenchmarkScreen is a list on a screen: one person, 1,000 items, all actions
// of each.
func BenchmarkScreen(b *testing.B) {
	m := Compile(large())
	u, it := employee()
	s := m.Subject(u, now)
	items := make([]Resolved, 1000)
	for i := range items {
		one := *it
		one.Template, one.Locations = fmt.Sprintf("template-%d", i%200), []string{fmt.Sprintf("location-%d", i*2), "location-41"}
		one.Status, one.Private = Draft+Status(i%8), i%5 == 0
		items[i] = m.Resolve(&one)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range items {
			m.ItemActions(s, &items[i])
		}
	}
}

// BenchmarkSuggest looks for what would let somebody delete an item that they do
// not even see, among 300 roles.
func BenchmarkSuggest(b *testing.B) {
	u, it := employee()
	it.Locations, it.Team, it.Status = []string{"location-1999"}, nil, New
	q := Situation{Model: Compile(large()), User: u, At: now, Action: DoDelete, Resource: Resource{Type: ItemResource, Item: it}}
	b.ReportAllocs()
	for b.Loop() {
		q.Suggest(func(Step) bool { return true })
	}
}

func BenchmarkSubject(b *testing.B) {
	m := Compile(large())
	u, _ := employee()
	b.ReportAllocs()
	for b.Loop() {
		m.Subject(u, now)
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, p := range map[string]Policy{"medium": medium(b).policy, "large": large()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Compile(p)
			}
		})
	}
}

func BenchmarkWithOneRole(b *testing.B) {
	p := large()
	m := Compile(p)
	c := Change{Put: Policy{Roles: p.Roles[:1]}}
	b.ReportAllocs()
	for b.Loop() {
		m.With(c)
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	m := Compile(large())
	u, it := employee()
	s := m.Subject(u, now)
	for a := NoAction + 1; a < ActionCount; a++ {
		r := Resource{Type: a.On(), Item: it, User: &u, Role: "role-1", Locations: u.Locations}
		if n := testing.AllocsPerRun(10, func() { m.DecideBoth(Self(s), a, r) }); n != 0 {
			t.Errorf("%s on %s: %v allocations", a, a.On(), n)
		}
	}
}
