package authz

import "slices"

// Comparison tells what people gain and lose by one change: of a role, when its
// models are those before and after it; of an assignment of the role, when they
// are one. Both models have the same places and templates. It is shared freely.
//
// What is compared is cells: a permission on one template or an admin permission,
// at one location, at none, and on the items of one's own (see rights.go). So a
// right that something else gives, too, is neither gained nor lost. User
// administration is compared as it reaches users: where all of a user's locations
// count, by what one administration reaches alone (R11, R12). That a deleted role
// can be granted by nobody is no loss of who could.
type Comparison struct {
	before, after *Model
	account       account
	slots         []int     // that the change can touch
	users         bool      // it can touch user administration
	grantable     []RoleRef // that live before and after
}

// Compare prepares the comparison of a change to the role with this id.
func Compare(before, after *Model, role string) *Comparison {
	c := &Comparison{before: before, after: after, account: before.account()}
	was, is := before.roles[role], after.roles[role]
	for slot := range c.account.templates + 2 {
		if c.touches(was, is, slot) {
			c.slots = append(c.slots, slot)
		}
	}
	c.users = was.administers() || is.administers()
	for _, r := range c.account.roles {
		if after.live(r) != nil {
			c.grantable = append(c.grantable, r)
		}
	}
	return c
}

// touches is whether what the role gives in a slot differs, or where.
func (c *Comparison) touches(was, is *role, slot int) bool {
	var held, holds rights
	if was != nil {
		held = c.account.word(was, slot, General)
	}
	if is != nil {
		holds = c.account.word(is, slot, General)
	}
	moved := was == is || was != nil && is != nil && !slices.Equal(was.SpecificLocations, is.SpecificLocations)
	return held != holds || held != 0 && moved
}

// administers is whether the role bears on user administration.
func (r *role) administers() bool {
	return r != nil && (r.admin.Global != nil || r.admin.Local != nil || r.admin.Impersonate)
}

// Changes is whether somebody gains anything, and loses anything, as who they are
// before and after.
func (c *Comparison) Changes(before, after Subject) (gains, loses bool) {
	var few [2][16]reach
	was, is := few[0][:0], few[1][:0]
	for _, slot := range c.slots {
		was, is = c.account.reaches(was[:0], before, slot), c.account.reaches(is[:0], after, slot)
		skip := c.account.besides(slot)
		gains = gains || exceeds(is, was, skip)
		loses = loses || exceeds(was, is, skip)
	}
	if c.users && !(gains && loses) {
		gains = gains || c.administersMore(c.after, after, before)
		loses = loses || c.administersMore(c.before, before, after)
	}
	return gains, loses
}

// Rights is what somebody gains and loses, as rows of their access after and
// before: each row of which a cell at least is new, or gone.
func (c *Comparison) Rights(before, after Subject) (gained, lost []Right) {
	return c.beyond(c.after, after, before), c.beyond(c.before, before, after)
}

// beyond is the rights of somebody that are not all covered by what they hold
// otherwise.
func (c *Comparison) beyond(m *Model, s, otherwise Subject) []Right {
	var all []Right
	for _, r := range m.Access(s) {
		if !c.covers(m, otherwise, r) {
			all = append(all, r)
		}
	}
	return all
}

// administersMore is whether a right of user administration is not covered.
func (c *Comparison) administersMore(m *Model, s, otherwise Subject) bool {
	a := access{Model: m, rows: map[string]int{}}
	if !s.of(m) || s.userType != General {
		return false
	}
	for r, from := range s.held() {
		a.role, a.from = r, from
		a.administration()
	}
	a.impersonation(s)
	return slices.ContainsFunc(a.rights, func(r Right) bool { return !c.covers(m, otherwise, r) })
}

// covers is whether somebody holds all cells of a right.
func (c *Comparison) covers(m *Model, s Subject, r Right) bool {
	switch r.of {
	case ofUsers:
		return c.coversUsers(m, s, r)
	case ofAdmin:
		return c.coversSlot(m, s, r, c.account.templates)
	case ofAdvanced:
		return c.coversSlot(m, s, r, c.account.templates+1)
	}
	for _, t := range m.on(r) {
		if !c.coversSlot(m, s, r, t.number) {
			return false
		}
	}
	return true
}

// on is the templates that a right of R4 is on.
func (m *Model) on(r Right) []*template {
	return m.templates.covered(&Grant{Workflows: named(r.Workflow), Templates: named(r.Template)})
}

// named is the list of an id, empty when there is none.
func named(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// coversSlot is whether somebody holds the right's cells in one slot.
func (c *Comparison) coversSlot(m *Model, s Subject, r Right, slot int) bool {
	held := c.account.reaches(nil, s, slot)
	for _, cells := range m.cells(r) {
		if !covered(cells, held, r.kind) {
			return false
		}
	}
	return true
}

// cells are a right's, in each of its slots.
func (m *Model) cells(r Right) []reach {
	kind := setOf(r.kind)
	switch r.Scope {
	case Yes, OnlyUsers:
		return []reach{{ownItems, ownItems, kind}}
	case Everywhere:
		return []reach{{ownItems, int32(len(m.forest.preorder)) - 1, kind}}
	}
	var all []reach
	for _, p := range m.area(r) {
		all = append(all, reach{p.number, p.last, kind})
	}
	return all
}

// area is where a right in a located scope is valid: runs of places.
func (m *Model) area(r Right) []place {
	places := m.forest.known(r.Locations)
	if r.Scope == OnlyLocation {
		for i := range places {
			places[i].last = places[i].number
		}
	}
	return places
}

// covered is whether the cells are all held with the permission.
func covered(cells reach, held []reach, p Permission) bool {
	for next := cells.first; next <= cells.last; {
		last := next - 1
		for _, h := range held {
			if h.held.has(p) && h.first <= next {
				last = max(last, h.last)
			}
		}
		if last < next {
			return false
		}
		next = last + 1
	}
	return true
}

// exceeds is whether one holds in a cell what the other does not, of what is not
// to be skipped.
func exceeds(one, other []reach, skip set[Permission]) bool {
	for _, r := range one {
		for _, p := range (r.held &^ skip).list() {
			if !covered(r, other, p) {
				return true
			}
		}
	}
	return false
}

// besides is what of a slot is compared as it reaches users.
func (a account) besides(slot int) set[Permission] {
	if slot == a.templates {
		return setOf[Permission](administerUsers, createUsers, impersonate)
	}
	return 0
}

// coversUsers is whether somebody reaches with each option of a right of user
// administration all users whom it reaches.
func (c *Comparison) coversUsers(m *Model, s Subject, r Right) bool {
	if s.userType != General {
		return false
	}
	if r.Permission == impersonateUser {
		may := s.holds(func(a *Admin) bool { return a.Impersonate })
		return may && m.reachesAsFar(s, r, func(*UserAdministration) bool { return true })
	}
	for _, has := range c.options(r.Users) {
		if !m.reachesAsFar(s, r, has) {
			return false
		}
	}
	return true
}

// options are what a user administration has beside its reach: tests of another
// that has the same.
func (c *Comparison) options(u *UserAdministration) []func(*UserAdministration) bool {
	all := []func(*UserAdministration) bool{func(*UserAdministration) bool { return true }}
	if u.CreateUsers {
		all = append(all, (*UserAdministration).createsUsers)
	}
	for _, r := range c.grantable {
		if u.Grantable.includes(r) {
			all = append(all, func(other *UserAdministration) bool { return other.Grantable.includes(r) })
		}
	}
	return all
}

// reachesAsFar is whether those of somebody's user administrations that have
// something reach every user whom the right reaches (R11).
func (m *Model) reachesAsFar(s Subject, right Right, has func(*UserAdministration) bool) bool {
	var together []reach
	kind := setOf[Permission](administerUsers)
	for r, from := range s.held() {
		if global := r.admin.Global; global != nil && has(global) {
			return true
		}
		local := r.admin.Local
		if local == nil || !has(local) {
			continue
		}
		var alone []reach
		for _, p := range from {
			if local.Scope == OnlyLocation {
				p.last = p.number
			}
			alone = append(alone, reach{p.number, p.last, kind})
		}
		if m.settings.LocalReach == ReachAll && m.within(right, alone) {
			return true
		}
		together = append(together, alone...)
	}
	return m.settings.LocalReach == ReachAny && m.within(right, together)
}

// within is whether a right's area is all in the runs.
func (m *Model) within(right Right, runs []reach) bool {
	if right.Scope == Everywhere {
		return false // it reaches who is nowhere, too
	}
	for _, p := range m.area(right) {
		if !covered(reach{first: p.number, last: p.last}, runs, administerUsers) {
			return false
		}
	}
	return true
}
