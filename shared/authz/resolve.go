package authz

import "unique"

// Resolved is an item with its names looked up in a model: for whoever decides
// about the same items more than once, as a list on a screen does. It never
// changes, and is of no use to another model.
//
// The usual item lies in it whole, so that going through a list does not jump
// about in memory: two places and six people on the team, the others aside.
type Resolved struct {
	model    *Model
	template *template // nil: there is no such item
	status   Status
	private  bool
	located  uint8 // how many of the places there are
	places   [2]place
	team     [6]unique.Handle[string] // equal ids have one handle, so that to compare two takes one look
	on       [6]teamRoleBits          // what each of them is
	more     *overflow
}

// overflow is the places of an item that has more than a few, all of them, and
// the team beyond the first.
type overflow struct {
	places []place
	team   []unique.Handle[string]
	on     []teamRoleBits
}

// Resolve looks up the names of the item; nil is one that does not exist (C8).
func (m *Model) Resolve(it *Item) Resolved {
	if it == nil {
		return Resolved{model: m}
	}
	r := Resolved{model: m, template: m.templates.byID[it.Template], status: it.Status, private: it.Private}
	var more overflow
	known := m.forest.known(it.Locations)
	if r.located = uint8(copy(r.places[:], known)); int(r.located) < len(known) {
		more.places = known
	}
	n := 0
	for role, users := range it.Team {
		for _, id := range users {
			if n < len(r.team) {
				r.team[n], r.on[n] = unique.Make(id), bitsOf(setOf(role))
			} else {
				more.team, more.on = append(more.team, unique.Make(id)), append(more.on, bitsOf(setOf(role)))
			}
			n++
		}
	}
	if more.places != nil || more.team != nil {
		r.more = &more
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
	var i sight
	r.sight(s, &i)
	return m.decideOn(s, a, &i)
}

// ItemActions are all item actions that Decide allows the subject on a resolved
// item.
func (m *Model) ItemActions(s Subject, r *Resolved) Actions {
	if !s.of(m) || r.template == nil || r.model != m {
		return 0
	}
	var i sight
	r.sight(s, &i)
	st := m.standing(s, &i, true, true)
	user := s.userType.rule()
	return user.actions(&st, i.status, i.private)
}

// actions is the item actions that are open to a user of the type who stands so
// (U2): where roles and team do not count for the same, each opens its own.
func (u *userRule) actions(st *standing, status Status, private bool) Actions {
	if u.byRoles == u.byTeam {
		return st.actions(status, private).ever(u.byRoles)
	}
	byRoles := standing{inScope: st.inScope}
	byTeam := standing{member: st.member, editor: st.editor}
	return byRoles.actions(status, private).ever(u.byRoles) | byTeam.actions(status, private).ever(u.byTeam)
}

// actions is the item actions that are open to who stands so.
func (st *standing) actions(status Status, private bool) Actions {
	open := st.open(viewGate(status, private).opens(st))
	if status == NoStatus {
		return open.ever(setOf(DoParticipate))
	}
	return open
}

// meet is what the subject is on the item, and the item's places.
func (r *Resolved) meet(s Subject) (set[TeamRole], []place) {
	var on teamRoleBits
	for n := range r.team {
		if r.team[n] == s.handle {
			on |= r.on[n]
		}
	}
	places := r.places[:r.located]
	if r.more != nil {
		for n := range r.more.team {
			if r.more.team[n] == s.handle {
				on |= r.more.on[n]
			}
		}
		if r.more.places != nil {
			places = r.more.places
		}
	}
	return on.set(), places
}

// sight is the item as the subject meets it.
func (r *Resolved) sight(s Subject, i *sight) {
	i.on, i.places = r.meet(s)
	i.of(r.template, r.status, r.private)
}
