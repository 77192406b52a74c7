package authz

import (
	"maps"
	"slices"
)

// This file says where to look for what Decide allows, so that a search need
// not look everywhere. What it names is never too little: whatever is allowed
// is in one of the places named. It may be too much: Decide has the last word.

// SubjectSources is where everybody is who could do an action on a resource.
type SubjectSources struct {
	// Team are people of the item's team, by id and in that order.
	Team []string
	// Members are roles that give it to whoever holds them.
	Members []RoleRef
	// Roles give it to those alone who have one of Locations, too.
	Roles     []RoleRef
	Locations []string
}

// ItemSources is where all items are on which a subject could do an action.
type ItemSources struct {
	// Team: those with the subject on their team.
	Team bool
	// Templates are those whose items all count.
	Templates []string
	// Located are the templates of whose items those alone count that are at one
	// of Locations.
	Located, Locations []string
}

// UserSources is where all users are on whom a subject could do an action.
type UserSources struct {
	Everybody bool
	Locations []string
}

// ActionsOn are the actions on that type of resource that can be asked for, in
// the vocabulary's order (C1, C7).
func ActionsOn(t ResourceType) []Action {
	var all []Action
	for a := NoAction + 1; a < ActionCount; a++ {
		if f := actions[a]; f.on == t && !f.internal {
			all = append(all, a)
		}
	}
	return all
}

// SubjectSources is where everybody is who could do the action on the resource.
func (m *Model) SubjectSources(a Action, r Resource) SubjectSources {
	f := finder{Model: m, locations: map[string]bool{}}
	switch {
	case a.On() != r.Type:
	case r.Type == ItemResource:
		f.onItem(a, r.Item)
	case r.Type == UserResource:
		f.onUser(a, r)
	case r.Type == OrganizationResource:
		f.everyRole(func(held *role) set[Scope] { return plainly(held.gives(a)) }, nil)
	default:
		f.everyRole(func(held *role) set[Scope] { return setOf(held.admin.placed(r.Type)) }, r.Locations)
	}
	f.found.Locations = slices.Sorted(maps.Keys(f.locations))
	return f.found
}

// finder gathers the sources of subjects.
type finder struct {
	*Model
	found     SubjectSources
	locations map[string]bool
}

// plainly is the scope of a right that has none.
func plainly(held bool) set[Scope] {
	if held {
		return setOf(Yes)
	}
	return 0
}

// everyRole adds the holders of each role that gives something in some scopes,
// measured against these locations (R5).
func (f *finder) everyRole(scopes func(*role) set[Scope], at []string) {
	for _, id := range slices.Sorted(maps.Keys(f.roles)) {
		f.holders(f.roles[id], scopes(f.roles[id]), at)
	}
}

// holders adds those holders of the role to whom one of the scopes can be met
// at the locations.
func (f *finder) holders(r *role, scopes set[Scope], at []string) {
	located := scopes & reachable
	switch {
	case scopes.meets(setOf(Yes, Everywhere)):
		f.found.Members = append(f.found.Members, r.RoleRef)
	case located.empty():
	case len(r.SpecificLocations) > 0:
		if met(f.forest.known(r.SpecificLocations), f.forest.known(at)).meets(located) {
			f.found.Members = append(f.found.Members, r.RoleRef)
		}
	default:
		f.near(r, located, at)
	}
}

// near adds the holders who have one of the locations, or one above it where
// the scope reaches below.
func (f *finder) near(r *role, scopes set[Scope], at []string) {
	helps := false
	for _, location := range at {
		for _, from := range f.Above(location) {
			if from == location || scopes.has(LocationAndBelow) {
				f.locations[from], helps = true, true
			}
		}
	}
	if helps {
		f.found.Roles = append(f.found.Roles, r.RoleRef)
	}
}

// onItem adds who could pass the gate that most are refused at.
func (f *finder) onItem(a Action, it *Item) {
	if it == nil || it.Status == NoStatus && a != DoParticipate {
		return
	}
	t, ok := f.templates.byID[it.Template]
	if !ok {
		return
	}
	g, on := itemRules[a].narrow(it.Status, it.Private), t.TeamType.team()
	named := on.part(g.team)
	f.everyRole(func(held *role) set[Scope] {
		scopes := held.items[t.number].scopes(g.permission)
		if scopes.has(OnlyUsers) {
			named |= f.meantByOnlyUsers(on)
		}
		return scopes
	}, it.Locations)
	f.found.Team = it.in(named)
}

// narrow is the gate that most are refused at: the action's own, but that to
// seeing the item where there is no other, or where it lets the team pass alone
// (C3, C4).
func (r itemRule) narrow(status Status, private bool) *gate {
	if seeing := viewGate(status, private); len(r.gates) == 0 || !r.unseen && seeing.permission == NoPermission {
		return seeing
	}
	return &r.gates[0]
}

// part is the team roles of a part of the team.
func (t *team) part(p teamPart) set[TeamRole] {
	switch p {
	case members:
		return t.members
	case primaryEditors:
		return t.primaryEditors
	default:
		return 0
	}
}

// in is who is on the item's team in one of these roles.
func (it *Item) in(roles set[TeamRole]) []string {
	var people []string
	for r, users := range it.Team {
		if roles.has(r) {
			people = append(people, users...)
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// onUser adds who could administer the user, and give the role (R11, R12).
func (f *finder) onUser(a Action, r Resource) {
	if r.User == nil || a == ImpersonateUser && !f.impersonatable() {
		return
	}
	e := f.errand(a, r)
	if !f.exists(a, e.wanted) {
		return
	}
	f.everyRole(func(held *role) set[Scope] { return held.admin.administers(e) }, r.User.Locations)
}

// impersonatable is whether a role lets anybody impersonate (R10).
func (m *Model) impersonatable() bool {
	for _, r := range m.roles {
		if r.admin.Impersonate {
			return true
		}
	}
	return false
}

// administers is the scopes in which users are administered and the role may be
// given.
func (a *Admin) administers(e errand) set[Scope] {
	scopes := plainly(a.Global.comes(true, e) == RoleGrant)
	if a.Local.comes(true, e) == RoleGrant {
		scopes = scopes.with(a.Local.Scope)
	}
	return scopes
}

// ItemSources is where all items are on which the subject could do the action.
func (m *Model) ItemSources(s Subject, a Action) ItemSources {
	if !s.of(m) || a.On() != ItemResource {
		return ItemSources{}
	}
	byRoles, byTeam := s.userType.mayEver(a)
	team, permissions := itemRules[a].own()
	found := ItemSources{Team: byTeam && team != nobody}
	if !byRoles {
		return found
	}
	places := map[string]bool{}
	for _, t := range sorted(m.templates.byID) {
		held := s.scopesOn(t, permissions)
		found.Team = found.Team || held.all.has(OnlyUsers)
		switch {
		case held.all.meets(setOf(Yes, Everywhere)):
			found.Templates = append(found.Templates, t.ID)
		case m.around(held.at, places):
			found.Located = append(found.Located, t.ID)
		}
	}
	found.Locations = slices.Sorted(maps.Keys(places))
	return found
}

// own is the team part and the permissions that open the action's own gate, on
// whatever item.
func (r itemRule) own() (teamPart, []Permission) {
	if len(r.gates) == 0 {
		return members, []Permission{View, ViewNew, ViewPrivate}
	}
	return r.gates[0].team, []Permission{r.gates[0].permission}
}

// heldScopes is scopes that are held, and those of each holding with the places
// that they are measured from.
type heldScopes struct {
	all set[Scope]
	at  []scopedPlaces
}

type scopedPlaces struct {
	scopes set[Scope]
	from   []place
}

// scopesOn is the scopes in which the subject has one of the permissions on a
// template's items.
func (s Subject) scopesOn(t *template, permissions []Permission) heldScopes {
	var held heldScopes
	for r, from := range s.held() {
		var scopes set[Scope]
		for _, p := range permissions {
			scopes |= r.items[t.number].scopes(p)
		}
		held.all |= scopes
		held.at = append(held.at, scopedPlaces{scopes, from})
	}
	return held
}

// around adds the locations that the scopes reach, and tells whether there are
// any.
func (m *Model) around(held []scopedPlaces, places map[string]bool) bool {
	reaches := false
	for _, h := range held {
		for _, from := range h.from {
			last := from.number
			if h.scopes.has(LocationAndBelow) {
				last = from.last
			}
			if !h.scopes.meets(reachable) {
				continue
			}
			reaches = true
			for _, id := range m.forest.preorder[from.number : last+1] {
				places[id] = true
			}
		}
	}
	return reaches
}

// UserSources is where all users are on whom the subject could do the action;
// role is the one to be given or taken (C7).
func (m *Model) UserSources(s Subject, a Action, role string) UserSources {
	wanted := m.wanted(a, role)
	if !m.exists(a, wanted) || !s.of(m) || a.On() != UserResource || s.userType != General {
		return UserSources{}
	}
	if a == ImpersonateUser && !s.holds(func(a *Admin) bool { return a.Impersonate }) {
		return UserSources{}
	}
	var found UserSources
	places := map[string]bool{}
	for r, from := range s.held() {
		scopes := r.admin.administers(errand{wanted: wanted, creates: a == CreateUser})
		found.Everybody = found.Everybody || scopes.has(Yes)
		m.around([]scopedPlaces{{scopes, from}}, places)
	}
	if !found.Everybody {
		found.Locations = slices.Sorted(maps.Keys(places))
	}
	return found
}
