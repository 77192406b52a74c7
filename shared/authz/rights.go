package authz

import (
	"maps"
	"slices"
)

// This file counts what somebody holds, so that changes can be compared by what
// they give. A right is one cell of a person's access: a permission on one
// template, an admin permission, or a role that may be granted, each at one
// location. Everywhere is every location, the items without one, and the items of
// one's own that only_users means; those, and a plain yes, are one cell. So a
// wider scope is never fewer rights.

// reach is a run of cells in which permissions are held: locations by their
// numbers, after the two that are none.
type reach struct {
	first, last int32
	held        set[Permission]
}

// ownItems is the cell of one's own items, and of a plain yes. The next is that
// of items without a location.
const ownItems int32 = -2

// account counts rights, slot by slot: one for each template, one for the admin
// permissions, one for the advanced ones, and one for each role that can be
// granted.
type account struct {
	templates, locations int
	roles                []RoleRef
}

// account is that of the model, and of all models that differ from it in what
// their roles give.
func (m *Model) account() account {
	a := account{templates: len(m.templates.byID), locations: len(m.forest.preorder)}
	for _, id := range slices.Sorted(maps.Keys(m.roles)) {
		a.roles = append(a.roles, m.roles[id].RoleRef)
	}
	return a
}

// slots is how many slots somebody can have something in: those of the roles
// are empty to who administers no users.
func (a account) slots(s Subject) int {
	if s.holds(func(a *Admin) bool { return a.Global != nil || a.Local != nil }) {
		return a.templates + 2 + len(a.roles)
	}
	return a.templates + 2
}

// gained is how many rights after has that before has not.
func (a account) gained(before, after Subject) int {
	n := 0
	var was, is []reach
	var bounds []int32
	for slot := range a.slots(after) {
		was, is = a.reaches(was[:0], before, slot), a.reaches(is[:0], after, slot)
		bounds = bounds[:0]
		for _, r := range slices.Concat(was, is) {
			bounds = append(bounds, r.first, r.last+1)
		}
		slices.Sort(bounds)
		bounds = slices.Compact(bounds)
		for i := 1; i < len(bounds); i++ {
			gained := heldAt(is, bounds[i-1]) &^ heldAt(was, bounds[i-1])
			n += gained.count() * int(bounds[i]-bounds[i-1])
		}
	}
	return n
}

// heldAt is the permissions that are held in a cell.
func heldAt(all []reach, cell int32) set[Permission] {
	var held set[Permission]
	for _, r := range all {
		if r.first <= cell && cell <= r.last {
			held |= r.held
		}
	}
	return held
}

// reaches are the rights of a subject in a slot.
func (a account) reaches(all []reach, s Subject, slot int) []reach {
	add := func(first, last int32, held set[Permission]) {
		if !held.empty() {
			all = append(all, reach{first, last, held})
		}
	}
	for r, from := range s.held() {
		held := a.word(r, slot, s.userType)
		if held == 0 {
			continue
		}
		add(ownItems, ownItems, held.at(Yes)|held.at(OnlyUsers))
		add(ownItems, int32(a.locations)-1, held.at(Everywhere))
		for _, p := range from {
			add(p.number, p.number, held.at(OnlyLocation))
			add(p.number, p.last, held.at(LocationAndBelow))
		}
	}
	return all
}

// word is the rights of a role in a slot, of which its user's type lets all count
// or some (U2, U4).
func (a account) word(r *role, slot int, of UserType) rights {
	switch {
	case slot < a.templates:
		return r.items[slot].those(of.counting())
	case of != General:
		return 0
	case slot == a.templates:
		return r.admin.rights()
	case slot == a.templates+1:
		return advancedRights(r.advanced)
	default:
		return r.admin.granting(a.roles[slot-a.templates-2])
	}
}

// counting is the permissions of grants that can count for a user of the type: all
// for a general user, for others what leads to the item actions of U2.
func (t UserType) counting() set[Permission] {
	if t == General {
		return allPermissions
	}
	var all set[Permission]
	byRoles := t.rule().byRoles
	if byRoles.has(DoParticipate) {
		all = all.with(Participate)
	}
	if byRoles.has(DoView) {
		all |= setOf(View, ViewNew, ViewPrivate)
	}
	return all
}

// The admin permissions in a word of rights, where item permissions are in
// others. Global and local user administration are one of them, because the
// wider covers the other.
const (
	administerUsers = iota + NoPermission + 1
	createUsers
	administerBoards
	administerCards
	escalateItems
	impersonate
	administerRoles
	administerQuality
	administerSystem
	readAccess
	writeItems
)

const _ = uint(permissionsEach - int(writeItems)) // there is no more room in a word

// adminPermissions are R10's but for those that bear on users: the word, where it
// is counted, and in which scope somebody has it, Yes for the whole organization.
var adminPermissions = []struct {
	word  string
	kind  Permission
	scope func(*Admin) Scope
}{
	{boardAdministrator, administerBoards, func(a *Admin) Scope { return a.Board }},
	{cardAdministrator, administerCards, func(a *Admin) Scope { return a.Card }},
	{escalationAdministrator, escalateItems, func(a *Admin) Scope { return a.Escalation }},
	{AdministerRoles.String(), administerRoles, onAll(AdministerRoles)},
	{AdministerQuality.String(), administerQuality, onAll(AdministerQuality)},
	{AdministerSystem.String(), administerSystem, onAll(AdministerSystem)},
	{ReadAccess.String(), readAccess, onAll(ReadAccess)},
	{WriteItems.String(), writeItems, onAll(WriteItems)},
}

// onAll is the scope of a right on the organization.
func onAll(a Action) func(*Admin) Scope {
	return func(admin *Admin) Scope {
		if organizationRights[a](admin) {
			return Yes
		}
		return NoScope
	}
}

// rights are the admin permissions as a word of rights.
func (a *Admin) rights() rights {
	var r rights
	if a.Global != nil {
		r = r.with(administerUsers, setOf(Everywhere)).withIf(a.Global.CreateUsers, createUsers, Everywhere)
	}
	if a.Local != nil {
		r = r.with(administerUsers, setOf(a.Local.Scope)).withIf(a.Local.CreateUsers, createUsers, a.Local.Scope)
	}
	for _, p := range adminPermissions {
		scope := p.scope(a)
		r = r.withIf(scope != NoScope, p.kind, scope)
	}
	return r.withIf(a.Impersonate, impersonate, Yes)
}

func (r rights) withIf(held bool, p Permission, s Scope) rights {
	if !held {
		return r
	}
	return r.with(p, setOf(s))
}

// granting is the right to grant a role, as a word of rights.
func (a *Admin) granting(wanted RoleRef) rights {
	var r rights
	if a.Global != nil {
		r = r.withIf(a.Global.Grantable.includes(wanted), administerUsers, Everywhere)
	}
	if a.Local != nil {
		r = r.withIf(a.Local.Grantable.includes(wanted), administerUsers, a.Local.Scope)
	}
	return r
}

// advancedRights are the advanced permissions as a word of rights.
func advancedRights(held set[Advanced]) rights {
	var r rights
	for _, a := range held.list() {
		r = r.with(Permission(a), setOf(Yes))
	}
	return r
}
