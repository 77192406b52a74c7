package authz

// gate is one condition of an item action. A part of the team opens it, or a
// permission whose scope is met.
type gate struct {
	team       teamPart
	permission Permission // NoPermission: none opens it
	lacking    Reason     // when it stays shut; NoReason: no_grant or out_of_scope
}

// teamPart is those of an item's team to whom a gate opens.
type teamPart uint8

const (
	nobody         teamPart = iota // of it
	members                        // in any team role (C3)
	primaryEditors                 // in one that edits (C2)
)

// itemRule is the gates of an item action.
type itemRule struct {
	unseen bool // needs no view of the item first (C4)
	gates  []gate
}

// mayEdit is C4's "edit in scope or primary edit", for the actions that need it
// beside their own permission.
var mayEdit = gate{team: primaryEditors, permission: Edit, lacking: NeedsEdit}

// itemRules is C2–C5, action by action.
var itemRules = [ActionCount]itemRule{
	DoParticipate:   {unseen: true, gates: []gate{{permission: Participate}}},
	DoView:          {},
	DoEdit:          {gates: []gate{{team: primaryEditors, permission: Edit}}},
	DoRequest:       {gates: []gate{{permission: Request}}},
	DoAssign:        {gates: []gate{{permission: Assign}}},
	DoHonorRoll:     {gates: []gate{{permission: HonorRoll}}},
	DoTogglePrivate: {gates: []gate{{permission: TogglePrivate}, mayEdit}},
	DoDelete:        {gates: []gate{{permission: Delete}, mayEdit}},
	DoEscalate:      {gates: []gate{{permission: escalation}, mayEdit}},
}

// Needs is what the action that a permission is for needs besides: to see the
// item, and to edit it (C4). What seeing itself takes needs nothing.
func (p Permission) Needs() (view, edit bool) {
	for a := range itemRules {
		if r := &itemRules[a]; len(r.gates) > 0 && r.gates[0].permission == p {
			return !r.unseen, len(r.gates) > 1
		}
	}
	return false, false
}

// EscalationNeeds is Needs of escalation_administrator (R10).
func EscalationNeeds() (view, edit bool) { return escalation.Needs() }

// viewGate is the gate to seeing an item of that status at all (C3).
func viewGate(status Status, private bool) *gate {
	if status >= StatusCount {
		status = NoStatus
	}
	if private {
		return &viewGates[status].private
	}
	return &viewGates[status].public
}

// viewGates are C3's, for each status.
var viewGates = func() (all [StatusCount]struct{ public, private gate }) {
	for s := range all {
		all[s].public, all[s].private = seenBy(Status(s), false), seenBy(Status(s), true)
	}
	return all
}()

func seenBy(status Status, private bool) gate {
	switch {
	case status == Draft:
		return gate{team: members, lacking: IsDraft}
	case private:
		return gate{team: members, permission: ViewPrivate, lacking: IsPrivate}
	case status == New:
		return gate{team: members, permission: ViewNew, lacking: IsNew}
	default:
		return gate{team: members, permission: View}
	}
}

// decide passes the gates in order, the first of them to seeing the item at
// all. On yes it is the team's where the team alone opened all of them, else the
// roles'.
func (r *itemRule) decide(view *gate, st *standing) Decision {
	d := Decision{Allowed: true, Reason: TeamMember}
	if !r.unseen {
		d = view.pass(st)
	}
	for n := range r.gates {
		if !d.Allowed {
			break
		}
		d = d.and(r.gates[n].pass(st))
	}
	return d
}

// ownGates is whether the gates open but for that to seeing the item.
func (r *itemRule) ownGates(st *standing) bool {
	for n := range r.gates {
		if !r.gates[n].opens(st) {
			return false
		}
	}
	return true
}

// and is d, a yes, together with what the next gate says.
func (d Decision) and(next Decision) Decision {
	if next.Allowed && d.Reason == RoleGrant {
		return d
	}
	return next
}

// standing is what a subject has on one item, as far as it counts.
type standing struct {
	member    bool            // on the team in any role
	editor    bool            // in one that edits (C2)
	inScope   set[Permission] // held, and their scope is met here
	somewhere rights          // held on the template, here or elsewhere
}

// opens is whether the gate is open to who stands so. No permission is never
// held.
func (g *gate) opens(st *standing) bool { return st.in(g.team) || st.inScope.has(g.permission) }

// pass is the decision of one gate.
func (g *gate) pass(st *standing) Decision {
	switch {
	case st.in(g.team):
		return Decision{Allowed: true, Reason: TeamMember}
	case g.opens(st):
		return Decision{Allowed: true, Reason: RoleGrant}
	case g.lacking != NoReason:
		return Decision{Reason: g.lacking}
	case st.somewhere.holds(g.permission):
		return Decision{Reason: OutOfScope}
	default:
		return Decision{Reason: NoGrant}
	}
}

// in is whether the subject belongs to this part of the item's team.
func (st *standing) in(part teamPart) bool {
	switch part {
	case members:
		return st.member
	case primaryEditors:
		return st.editor
	default:
		return false
	}
}
