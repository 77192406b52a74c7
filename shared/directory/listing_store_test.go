package directory_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"gemba/infra/worlds"
	"gemba/shared/authz"
	"gemba/shared/directory"
)

// town is a store in memory: lists follow from its users, as they do in the
// table.
type town struct {
	mutex  sync.Mutex
	model  *authz.Model
	policy uint64
	users  map[string]directory.User
	moves  uint64
	young  bool
	// cost is what a user costs to read by itself; in the directory, an eighth.
	cost, units float64
	// atOnce is the most users or ids of one reading, when there is one.
	atOnce int
	// meanwhile runs after each reading: the world goes on.
	meanwhile func()
	read      map[string]int
}

func (s *town) note(what string, units float64) {
	if s.read == nil {
		s.read = map[string]int{}
	}
	s.read[what]++
	s.units += units
	if s.meanwhile != nil {
		s.meanwhile()
	}
}

func (s *town) facts(ids []string) directory.Facts {
	f := directory.Facts{Organization: directory.Organization{ID: "o"}, Model: s.model, Policy: s.policy, Users: map[string]directory.User{}}
	for _, id := range ids {
		if u, there := s.users[id]; there {
			f.Users[id] = u
		}
	}
	return f
}

func (s *town) Load(_ context.Context, _ string, keys directory.Keys) (directory.Facts, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f := s.facts(keys.Users)
	s.note("load", s.cost*float64(len(f.Users)))
	return f, nil
}

func (s *town) Listed(_ context.Context, _ string, l directory.List, page directory.Page) ([]string, bool, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	ids, more := s.after(page, func(u directory.User) bool {
		if l.Of == directory.RoleMembers {
			return slices.ContainsFunc(u.Assignments, func(a directory.Assignment) bool { return a.Role == l.Role })
		}
		return slices.Contains(u.Locations, l.ID)
	})
	s.note("list", 1)
	return ids, more, nil
}

func (s *town) Directory(_ context.Context, _ string, page directory.Page) ([]directory.User, bool, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	ids, more := s.after(page, func(directory.User) bool { return true })
	var users []directory.User
	for _, id := range ids {
		users = append(users, s.users[id])
	}
	s.note("directory", s.cost/8*float64(len(ids)))
	return users, more, nil
}

func (s *town) after(page directory.Page, is func(directory.User) bool) (ids []string, more bool) {
	limit := page.Limit
	if s.atOnce > 0 {
		limit = min(limit, s.atOnce)
	}
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		if id <= page.After || !is(s.users[id]) {
			continue
		}
		if len(ids) == limit {
			return ids, true
		}
		ids = append(ids, id)
	}
	return ids, false
}

func (s *town) Moves(context.Context, string) (uint64, bool, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.moves, s.young, nil
}

func (s *town) Spending(ctx context.Context) (context.Context, func() float64) {
	before := s.units
	return ctx, func() float64 { s.mutex.Lock(); defer s.mutex.Unlock(); return s.units - before }
}

// as is a caller, in a session when the actor is another.
func (s *town) as(subject, actor string) directory.Caller {
	f := s.facts([]string{subject, actor})
	c := directory.Caller{Facts: f, Subject: f.Users[subject], Actor: f.Users[actor], At: worlds.Now}
	if subject != actor {
		c.Session = "session"
	}
	return c
}

// names are those of the people of a town, in several scripts and cases.
var names = []string{"Ana", "ANA Lee", "Ömer", "ömer Ana", "Οδός", "ΟΔΌΣ", "Mika", ""}

// randomTown is a town of a random size, of which the reading goes on in small
// parts.
func randomTown(t *rapid.T) *town {
	w := worlds.New(worlds.Size{
		Locations: rapid.SampledFrom([]int{1, 3, 9, 40, 150}).Draw(t, "locations"), Workflows: 1, Templates: 1,
		Roles: rapid.IntRange(1, 8).Draw(t, "roles"), Users: rapid.IntRange(1, 60).Draw(t, "users"), Items: 1,
	})
	w.Policy.Settings.LocalReach = rapid.SampledFrom([]authz.ReachRule{authz.ReachAll, authz.ReachAny}).Draw(t, "reach")
	// One role more, of local administrators, whom small worlds have few of.
	local := authz.Role{RoleRef: authz.RoleRef{ID: "local", Birth: 1}, Name: "Local", Advanced: []authz.Advanced{authz.PeopleSection}, Admin: authz.Admin{
		Local: &authz.UserAdministration{Scope: rapid.SampledFrom([]authz.Scope{authz.OnlyLocation, authz.LocationAndBelow}).Draw(t, "scope")},
	}}
	w.Policy.Roles = append(w.Policy.Roles, local)
	s := &town{
		model: authz.Compile(w.Policy), policy: 1, users: map[string]directory.User{},
		cost: rapid.SampledFrom([]float64{1, 90, 400}).Draw(t, "cost"), atOnce: rapid.SampledFrom([]int{0, 1, 4}).Draw(t, "at once"),
	}
	for n := range w.Size.Users {
		d := w.User(n)
		name := rapid.SampledFrom(names).Draw(t, "name")
		u := directory.User{
			ID: d.ID, Name: name + fmt.Sprint(n), Username: rapid.SampledFrom(names).Draw(t, "username") + "-" + d.ID, Type: d.Type,
			Locations: d.Locations, Persona: directory.Persona(rapid.IntRange(0, int(directory.PersonaCount)-1).Draw(t, "persona")), SignIn: directory.Enabled, Version: 1,
		}
		if rapid.Bool().Draw(t, "mail") {
			u.Email = "Ana@" + d.ID
		}
		for _, a := range d.Assignments {
			u.Assignments = append(u.Assignments, directory.Assignment{Assignment: a})
		}
		if n%3 == 1 {
			u.Assignments = append(u.Assignments, directory.Assignment{Assignment: authz.Assignment{Role: local.RoleRef}})
		}
		s.users[u.ID] = u
	}
	return s
}

// somebody is one of the town.
func (s *town) somebody(t *rapid.T, what string) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(s.users))).Draw(t, what)
}

// randomFilter is a filter of what there is in the town, and of what there is
// not.
func (s *town) randomFilter(t *rapid.T) directory.Filter {
	var f directory.Filter
	seldom := func(what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	if seldom("by persona") {
		f.ByPersona, f.Persona = true, directory.Persona(rapid.IntRange(0, int(directory.PersonaCount)-1).Draw(t, "persona"))
	}
	p := s.model.Policy()
	if seldom("by role") {
		f.Role = rapid.SampledFrom(append(p.Roles, authz.Role{RoleRef: authz.RoleRef{ID: "nothing"}})).Draw(t, "role").ID
	}
	if rapid.Bool().Draw(t, "by location") {
		f.Location = rapid.SampledFrom(append(p.Locations, authz.Location{ID: "nowhere"})).Draw(t, "location").ID
		f.Below = rapid.Bool().Draw(t, "below")
	}
	if seldom("by type") {
		f.Type = authz.UserType(rapid.IntRange(1, int(authz.UserTypeCount)-1).Draw(t, "type"))
	}
	if seldom("by text") {
		f.Text = rapid.SampledFrom([]string{"ana", "ÖM", "οδόσ", "user-1", "@USER", "-3", "zzz"}).Draw(t, "text")
	}
	return f
}

// plainly is whether somebody passes a filter, said once more; texts are where
// its text is looked for.
func plainly(m *authz.Model, f directory.Filter, u directory.User, texts ...string) bool {
	at := false
	for _, l := range u.Locations {
		for up := l; up != ""; {
			at = at || up == f.Location && (f.Below || up == l)
			parent, _ := m.Location(up)
			up = parent.Parent
		}
	}
	holds := false
	for _, a := range u.Assignments {
		r, lives := m.Role(a.Role.ID)
		over := !a.Until.IsZero() && !a.Until.After(worlds.Now)
		holds = holds || a.Role.ID == f.Role && lives && r.RoleRef == a.Role && !over
	}
	has := false
	for _, text := range texts {
		for i := range text {
			for j := i; j <= len(text); j++ {
				has = has || equalFold(text[i:j], f.Text)
			}
		}
	}
	return (!f.ByPersona || u.Persona == f.Persona) && (f.Role == "" || holds) && (f.Location == "" || at) &&
		(f.Type == authz.NoUserType || u.Type == f.Type) && (f.Text == "" || has)
}

// within is whether the caller is shown somebody by GET /v1/users, decided by
// authz about that one alone.
func within(c directory.Caller, f directory.Filter, u directory.User) bool {
	d := u.Decisive()
	return c.Decide(authz.AdministerUser, authz.Resource{Type: authz.UserResource, ID: u.ID, User: &d}).Allowed &&
		plainly(c.Model, f, u, u.Name, u.Username, u.Email)
}

// deadline is a context that has run out of a page's time.
func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}
