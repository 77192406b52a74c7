package authz

import "unique"

// Resolved is an item with its names looked up in a model: for whoever decides
// about the same items more than once, as a list on a screen does. It never
// changes, and is of no use to another model.
type Resolved struct {
	model    *Model
	template *template // nil: there is no such item
	status   Status
	private  bool
	places   []place
	team     []teamMember
}

// teamMember is somebody on an item's team. Equal ids have one handle, so that
// to compare two takes one look.
type teamMember struct {
	id unique.Handle[string]
	on set[TeamRole]
}

// Resolve looks up the names of the item; nil is one that does not exist (C8).
func (m *Model) Resolve(it *Item) Resolved {
	if it == nil {
		return Resolved{model: m}
	}
	r := Resolved{
		model: m, template: m.templates.byID[it.Template], status: it.Status, private: it.Private,
		places: m.forest.known(it.Locations),
	}
	for role, users := range it.Team {
		for _, id := range users {
			r.team = append(r.team, teamMember{unique.Make(id), setOf(role)})
		}
	}
	return r
}

// DecideItem is Decide of an item action on a resolved item.
func (m *Model) DecideItem(s Subject, a Action, r *Resolved) Decision {
	if reason := m.unknown(s, a, ItemResource); reason != NoReason {
		return Decision{Reason: reason}
	}
	if r.template == nil || r.model != m {
		return Decision{Reason: UnknownResource}
	}
	return m.decideOn(s, a, r.seenBy(s))
}

// ItemActions are all item actions that Decide allows the subject on a resolved
// item.
func (m *Model) ItemActions(s Subject, r *Resolved) Actions {
	if !s.of(m) || r.template == nil || r.model != m {
		return 0
	}
	i, user := r.seenBy(s), s.userType.rule()
	if user.byRoles.meets(user.byTeam) {
		return m.openTo(s, i, true, true)
	}
	return m.openTo(s, i, true, false).ever(user.byRoles) | m.openTo(s, i, false, true).ever(user.byTeam)
}

// openTo is the item actions that roles, or the team, or both open.
func (m *Model) openTo(s Subject, i sight, byRoles, byTeam bool) Actions {
	st := m.standing(s, i, byRoles, byTeam)
	open := st.open(viewGate(i.status, i.private).pass(st).Allowed)
	if i.status == NoStatus {
		return open.ever(setOf(DoParticipate))
	}
	return open
}

// seenBy is the item as the subject meets it.
func (r *Resolved) seenBy(s Subject) sight {
	i := sight{template: r.template, status: r.status, private: r.private, places: r.places}
	for n := range r.team {
		if r.team[n].id == s.handle {
			i.on |= r.team[n].on
		}
	}
	return i
}
