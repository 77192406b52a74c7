package authz

import "slices"

// Decide answers whether the subject may do the action on the resource. The
// subject must be one of this model. Reasons come in the contract's order: what
// is unknown (C8), the user's type (U2, U4), what viewing lacks (C3), what the
// action lacks (C4).
func (m *Model) Decide(s Subject, a Action, r Resource) Decision {
	if reason := m.unknown(s, a, r.Type); reason != NoReason {
		return Decision{Reason: reason}
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

// unknown is what of the question does not exist (C8), NoReason when all does
// as far as it can be told before looking at the resource.
func (m *Model) unknown(s Subject, a Action, on ResourceType) Reason {
	switch {
	case !s.of(m):
		return UnknownSubject
	case on == NoResourceType || on >= ResourceTypeCount:
		return UnknownResourceType
	case a.On() != on:
		return UnknownAction
	default:
		return NoReason
	}
}

// manyLocations is more than the locations of nearly all items: so many are
// looked up without asking for memory.
const manyLocations = 8

// decideItem looks up the item's names and decides.
func (m *Model) decideItem(s Subject, a Action, it *Item) Decision {
	if it == nil {
		return Decision{Reason: UnknownResource}
	}
	t, ok := m.templates.byID[it.Template]
	if !ok {
		return Decision{Reason: UnknownResource}
	}
	var few [manyLocations]place
	i := sight{on: teamRoles(s.id, it.Team), places: m.forest.add(few[:0], it.Locations)}
	i.of(t, it.Status, it.Private)
	return m.decideOn(s, a, &i)
}

// sight is an item as one subject meets it, its names looked up.
type sight struct {
	template int // its number
	team     *team
	status   Status
	private  bool
	on       set[TeamRole] // what the subject is on it
	places   []place
}

// of makes it an item of the template. A team role that the template's team does
// not have is none (C1).
func (i *sight) of(t *template, status Status, private bool) {
	i.template, i.team, i.status, i.private = t.number, t.team, status, private
	i.on &= t.team.members
}

// decideOn passes the action's gates in order; the first that is shut says why
// (C2–C5).
func (m *Model) decideOn(s Subject, a Action, i *sight) Decision {
	if i.status == NoStatus && a != DoParticipate {
		return Decision{Reason: UnknownResource}
	}
	byRoles, byTeam := s.userType.mayEver(a)
	st := m.standing(s, i, byRoles, byTeam)
	if !byRoles && !st.member {
		return Decision{Reason: WrongUserType}
	}
	return itemRules[a].decide(viewGate(i.status, i.private), &st)
}

// standing is what the subject has on the item, of what its user type lets
// count (U2).
func (m *Model) standing(s Subject, i *sight, byRoles, byTeam bool) standing {
	st := standing{}
	if byTeam {
		st.member, st.editor = !i.on.empty(), i.on.meets(i.team.primaryEditors)
	}
	if !byRoles {
		return st
	}
	always := setOf(Yes, Everywhere)
	if i.on.meets(m.meantByOnlyUsers(i.team)) {
		always = always.with(OnlyUsers)
	}
	var inScope rights
	for n := range s.holdings {
		h := &s.holdings[n]
		held := h.rights(i.template)
		st.somewhere |= held
		inScope |= held.within(always | met(h.from, i.places))
	}
	st.inScope = inScope.permissions()
	return st
}

// teamRoles is what somebody is on an item.
func teamRoles(id string, team map[TeamRole][]string) set[TeamRole] {
	var roles set[TeamRole]
	for r, users := range team {
		if slices.Contains(users, id) {
			roles = roles.with(r)
		}
	}
	return roles
}

// meantByOnlyUsers is the team roles that only_users means (R6).
func (m *Model) meantByOnlyUsers(t *team) set[TeamRole] {
	if m.settings.OnlyUsers == ByTeamMember {
		return t.members
	}
	return t.onlyUsers
}

// met is the located scopes that are met at any of these places when they are
// measured from those (R5). Everywhere is met without one.
func met(from, at []place) set[Scope] {
	var met set[Scope]
	for _, p := range at {
		for _, root := range from {
			if p.below(root) {
				met = met.with(LocationAndBelow)
				if p.number == root.number {
					return met.with(OnlyLocation)
				}
			}
		}
	}
	return met
}
