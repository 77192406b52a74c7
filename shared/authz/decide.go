package authz

import "slices"

// Decide answers whether the subject may do the action on the resource. The
// subject must be one of this model. Reasons come in the contract's order: what
// is unknown (C8), the user's type (U2, U4), what viewing lacks (C3), what the
// action lacks (C4).
func (m *Model) Decide(s Subject, a Action, r Resource) Decision {
	switch {
	case !s.of(m):
		return Decision{Reason: UnknownSubject}
	case r.Type == NoResourceType || r.Type >= ResourceTypeCount:
		return Decision{Reason: UnknownResourceType}
	case a.On() != r.Type:
		return Decision{Reason: UnknownAction}
	}
	switch r.Type {
	case ItemResource:
		return m.decideItem(s, a, r.Item)
	case UserResource:
		return m.decideUser(s, a, r)
	case OrganizationResource:
		return m.decideOrganization(s, a)
	default:
		return m.decidePlaced(s, r)
	}
}

// decideItem passes the action's gates in order; the first that is shut says
// why (C2–C5).
func (m *Model) decideItem(s Subject, a Action, it *Item) Decision {
	if it == nil || it.Status == NoStatus && a != DoParticipate {
		return Decision{Reason: UnknownResource}
	}
	t, ok := m.numbered[it.Template]
	if !ok {
		return Decision{Reason: UnknownResource}
	}
	byRoles, byTeam := s.userType.mayEver(a)
	st := m.standing(s, it, t, byRoles, byTeam)
	if !byRoles && st.roles.empty() {
		return Decision{Reason: WrongUserType}
	}
	return itemRules[a].decide(it, st)
}

// standing is what the subject has on the item, of what its user type lets
// count (U2).
func (m *Model) standing(s Subject, it *Item, t template, byRoles, byTeam bool) standing {
	st := standing{team: t.TeamType.team()}
	on := teamRoles(s, it) & st.team.members
	if byTeam {
		st.roles = on
	}
	if !byRoles {
		return st
	}
	always := setOf(Yes, Everywhere)
	if m.onlyUsers(st.team, on) {
		always = always.with(OnlyUsers)
	}
	for _, h := range s.holdings {
		held := h.role.items[t.number]
		st.somewhere |= held
		st.inScope |= held.within(always | m.met(h, it.Locations))
	}
	return st
}

// teamRoles is what the subject is on the item.
func teamRoles(s Subject, it *Item) set[TeamRole] {
	var roles set[TeamRole]
	for r, users := range it.Team {
		if slices.Contains(users, s.id) {
			roles = roles.with(r)
		}
	}
	return roles
}

// onlyUsers is whether only_users means somebody with these team roles (R6).
func (m *Model) onlyUsers(t team, on set[TeamRole]) bool {
	if m.settings.OnlyUsers == ByTeamMember {
		return !on.empty()
	}
	return on.meets(t.onlyUsers)
}

// met is the located scopes of the holding that are met at any of these
// locations (R5). Everywhere is met without one.
func (m *Model) met(h holding, locations []string) set[Scope] {
	var met set[Scope]
	for _, l := range locations {
		met |= m.metAt(h, l)
	}
	return met
}

// metAt is the located scopes of the holding that are met at this location.
func (m *Model) metAt(h holding, location string) set[Scope] {
	var met set[Scope]
	p, ok := m.forest.places[location]
	if !ok {
		return met
	}
	for _, from := range h.from {
		if p == from {
			met = met.with(OnlyLocation)
		}
		if p.below(from) {
			met = met.with(LocationAndBelow)
		}
	}
	return met
}
