package authz

import (
	"maps"
	"math/bits"
	"slices"
)

// set is a set of the members of an enum.
type set[E ~uint8] uint64

func setOf[E ~uint8](members ...E) set[E] {
	var s set[E]
	for _, e := range members {
		s = s.with(e)
	}
	return s
}

func (s set[E]) with(e E) set[E]         { return s | 1<<e }
func (s set[E]) has(e E) bool            { return s&(1<<e) != 0 }
func (s set[E]) meets(other set[E]) bool { return s&other != 0 }
func (s set[E]) empty() bool             { return s == 0 }

func (s set[E]) count() int { return bits.OnesCount64(uint64(s)) }

// list is the members in their order.
func (s set[E]) list() []E {
	var all []E
	for e := E(1); s>>e != 0; e++ {
		if s.has(e) {
			all = append(all, e)
		}
	}
	return all
}

// teamRoleBits is a set of team roles as it is kept of many people.
type teamRoleBits uint16

func (b teamRoleBits) set() set[TeamRole] { return set[TeamRole](b) }

// bitsOf is the set, narrow; it does not compile once 16 bits are too few.
func bitsOf(s set[TeamRole]) teamRoleBits { return teamRoleBits(s & (1<<TeamRoleCount - 1)) }

const _ = uint(16 - TeamRoleCount)

// rights are permissions with the scopes in which they are held: for each scope
// one bit a permission, the sentinels left out.
type rights uint64

// escalation stands beside the permissions of grants: escalation_administrator
// is held on every template, and its scope meets an item as theirs do (R10).
const escalation = PermissionCount

const (
	// permissionsEach is the permissions, escalation among them, without the
	// sentinel; it does not compile once 64 bits are too few for all scopes.
	permissionsEach               = int(escalation)
	eachOfOneScope         rights = 1<<permissionsEach - 1
	_                             = uint(64 - permissionsEach*(int(ScopeCount)-1))
	_                             = uint(6-ScopeCount) + uint(ScopeCount-6)      // permissions() knows five scopes
	_                             = uint(permissionsEach - int(AdvancedCount-1)) // rights.go counts them in one word
	permissionCombinations        = 1 << permissionsEach
)

// at is the bits of the permissions in one scope.
func (r rights) at(s Scope) set[Permission] {
	return set[Permission](r>>((int(s)-1)*permissionsEach)&eachOfOneScope) << 1
}

func (r rights) with(p Permission, scopes set[Scope]) rights {
	for _, s := range scopes.list() {
		r |= inScope(s, setOf(p))
	}
	return r
}

// scopes is the scopes in which the permission is held; none of what is none.
func (r rights) scopes(p Permission) set[Scope] {
	var scopes set[Scope]
	for s := NoScope + 1; s < ScopeCount; s++ {
		if r.at(s).has(p) {
			scopes = scopes.with(s)
		}
	}
	return scopes
}

// within is the rights that are held in one of these scopes.
func (r rights) within(scopes set[Scope]) rights { return r & masks[scopes&allScopes] }

const allScopes set[Scope] = 1<<ScopeCount - 2

// masks is, for each set of scopes, every permission in them.
var masks = func() (all [allScopes + 1]rights) {
	for scopes := range all {
		for p := NoPermission + 1; p <= escalation; p++ {
			all[scopes] = all[scopes].with(p, set[Scope](scopes)&allScopes)
		}
	}
	return all
}()

// permissions is those that are held in any scope. It is written out, a scope
// each, because all decisions about items pass here.
func (r rights) permissions() set[Permission] {
	r |= r>>permissionsEach | r>>(2*permissionsEach) | r>>(3*permissionsEach) | r>>(4*permissionsEach)
	return set[Permission](r&eachOfOneScope) << 1
}

// those is the rights of these permissions.
func (r rights) those(permissions set[Permission]) rights {
	var those rights
	for s := NoScope + 1; s < ScopeCount; s++ {
		those |= r & inScope(s, permissions)
	}
	return those
}

// inScope is the permissions held in a scope.
func inScope(s Scope, held set[Permission]) rights {
	return rights(held>>1) << ((int(s) - 1) * permissionsEach)
}

// everyScope is a permission held in all scopes.
func everyScope(p Permission) rights { return rights(0).with(p, allScopes) }

// holds is whether the permission is held in any scope.
func (r rights) holds(p Permission) bool { return r.permissions().has(p) }

// role is a role compiled against the templates.
type role struct {
	Role
	admin    Admin // without what R10 refuses
	advanced set[Advanced]
	items    []rights // by the template's number
}

// template is a template with its number and what its team type says.
type template struct {
	number int
	team   *team
	Template
}

// catalogue is the templates as grants and items name them.
type catalogue struct {
	byID       map[string]*template
	byWorkflow map[string][]*template
	inOrder    []*template // by number
}

// number numbers the templates in the order of their ids.
func number(templates map[string]Template) catalogue {
	c := catalogue{byID: make(map[string]*template, len(templates)), byWorkflow: map[string][]*template{}}
	for n, id := range slices.Sorted(maps.Keys(templates)) {
		t := &template{number: n, team: templates[id].TeamType.team(), Template: templates[id]}
		c.byID[id] = t
		c.inOrder = append(c.inOrder, t)
		c.byWorkflow[t.Workflow] = append(c.byWorkflow[t.Workflow], t)
	}
	return c
}

// all is the templates by their ids.
func (c catalogue) all() map[string]Template {
	all := make(map[string]Template, len(c.byID))
	for id, t := range c.byID {
		all[id] = t.Template
	}
	return all
}

// What R4 knows, and what R9 knows.
const (
	allPermissions set[Permission] = 1<<PermissionCount - 2
	allAdvanced    set[Advanced]   = 1<<AdvancedCount - 2
)

// compileRole expands the role's grants to rights on each template.
func compileRole(r Role, c catalogue) *role {
	compiled := &role{Role: r, admin: r.Admin.lawful(), advanced: setOf(r.Advanced...) & allAdvanced, items: make([]rights, len(c.byID))}
	for i := range r.Grants {
		given := r.Grants[i].rights()
		for _, t := range c.covered(&r.Grants[i]) {
			compiled.items[t.number] |= given
		}
	}
	var always rights
	if s := compiled.admin.Escalation; s != NoScope {
		always = always.with(escalation, setOf(s))
	}
	for _, t := range c.byID {
		compiled.items[t.number] = implied(compiled.items[t.number], t.TeamType) | always
	}
	return compiled
}

// covered is the templates that a grant covers: those that it lists, and those of
// the workflows that it lists (R3). One can be covered twice.
func (c catalogue) covered(g *Grant) []*template {
	var all []*template
	for _, id := range g.Templates {
		if t, ok := c.byID[id]; ok {
			all = append(all, t)
		}
	}
	for _, id := range g.Workflows {
		all = append(all, c.byWorkflow[id]...)
	}
	return all
}

// lawful is the admin permissions but for those whose scope R10 refuses.
func (a Admin) lawful() Admin {
	for _, s := range []*Scope{&a.Board, &a.Card, &a.Escalation} {
		if !AllowsPlaced(*s) {
			*s = NoScope
		}
	}
	if a.Local != nil && !AllowsLocalAdministration(a.Local.Scope) {
		a.Local = nil
	}
	return a
}

// rights are the grant's permissions, without what R4 refuses.
func (g *Grant) rights() rights {
	var r rights
	for p, s := range g.Permissions {
		if Allows(p, s) {
			r = r.with(p, setOf(s))
		}
	}
	return r
}

// implied adds what the rights imply on a team of this type, in the same
// scopes (R7).
func implied(r rights, t TeamType) rights {
	for _, i := range implications {
		if i.standard && t != Standard {
			continue
		}
		for _, p := range i.implies {
			r = r.with(p, r.scopes(i.permission))
		}
	}
	return r
}

// Actions is a set of actions.
type Actions uint64

// Has is whether the action is in the set.
func (s Actions) Has(a Action) bool { return s&(1<<a) != 0 }

func (s Actions) with(a Action) Actions { return s | 1<<a }

func (s Actions) count() int { return bits.OnesCount64(uint64(s)) }

// opened is, for each combination of permissions held in scope, the item
// actions whose own gates it opens (C4): to who edits by team role, and to
// others. It is itemRules, asked once for every combination.
var opened = func() (all [2][permissionCombinations]uint16) {
	_ = uint(16 - DoEscalate) // all item actions are among 16
	for held := range permissionCombinations {
		for editor := range all {
			st := standing{editor: editor == 1, inScope: set[Permission](held) << 1}
			for a := DoParticipate; a <= DoEscalate; a++ {
				if itemRules[a].ownGates(&st) {
					all[editor][held] |= 1 << a
				}
			}
		}
	}
	return all
}()

// unseen is the item actions that need no view of the item (C4, C5).
var unseen = func() (all Actions) {
	for a := DoParticipate; a <= DoEscalate; a++ {
		if itemRules[a].unseen {
			all = all.with(a)
		}
	}
	return all
}()

// open is the item actions that are open to who stands so and sees the item or
// not: all of them out of one look.
func (st *standing) open(seen bool) Actions {
	editor := 0
	if st.editor {
		editor = 1
	}
	all := Actions(opened[editor][st.inScope>>1])
	if !seen {
		all &= unseen
	}
	return all
}

// ever is the item actions in the set that a user rule lets count.
func (s Actions) ever(rule set[Action]) Actions { return s & Actions(rule) }

// permissionBits is a set of permissions as it is kept of many templates.
type permissionBits uint16

const _ = uint(15 - escalation)

func (b permissionBits) set() set[Permission] { return set[Permission](b) }

// add notes what is held wherever the items are.
func (r *row) add(held rights) {
	r.plain |= permissionBits(held.at(Yes) | held.at(Everywhere))
	r.own |= permissionBits(held.at(OnlyUsers))
}

// nearness is which scopes of which holdings are met at a place: two bits a
// holding, for "and below" and for the location itself.
type nearness uint16

// mostNear is the most holdings that a nearness tells apart.
const mostNear = 8

// nearAt notes that a holding is measured from a place.
func nearAt(near []nearness, holding int, from place) {
	for n := from.number; n <= from.last; n++ {
		near[n] |= 1 << (2 * holding)
	}
	near[from.number] |= 2 << (2 * holding)
}

// nearRights is the permissions in located scopes, by template and bit of a
// nearness.
type nearRights struct {
	width int
	bits  []permissionBits
}

func nearRightsOf(templates, holdings int) nearRights {
	return nearRights{width: 2 * holdings, bits: make([]permissionBits, 2*holdings*templates)}
}

func (n *nearRights) add(template, holding int, held rights) {
	at := template*n.width + 2*holding
	n.bits[at], n.bits[at+1] = permissionBits(held.at(LocationAndBelow)), permissionBits(held.at(OnlyLocation))
}

// met is the permissions on a template's items that are met where this is near.
func (n *nearRights) met(template int, near nearness) permissionBits {
	var held permissionBits
	of := n.bits[template*n.width:]
	for ; near != 0; near &= near - 1 {
		held |= of[bits.TrailingZeros16(uint16(near))]
	}
	return held
}
