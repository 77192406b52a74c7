package authz

import (
	"cmp"
	"slices"
)

// Condition is one thing that a decision asks for. A yes needs all that its
// action has; an action on an item has up to three, one a gate.
type Condition uint8

// The conditions, in the order in which they are asked.
const (
	NoCondition       Condition = iota
	ByUserType                  // the type of the user admits the action at all (U2, U4)
	ToView                      // seeing the item (C3)
	ToHold                      // the action's own permission (C4, C5, C7)
	ToEdit                      // editing the item, beside the permission (C4)
	ToAdministerUsers           // one user administration that reaches the user and, if a role is to be granted, may grant it (R11, R12)
	ConditionCount
)

var conditionNames = []string{"", "user_type", "view", "permission", "edit", "user_administration"}

// String is the condition's word.
func (c Condition) String() string { return name(conditionNames, c) }

// Explanation is a decision with all that it rests on: of a yes every path, of
// a no every condition that is not met. What is unknown (C8) has neither.
type Explanation struct {
	Decision
	Paths   []Path
	Missing []Missing
}

// Path is one way in which a condition is met: a team role, or what a role
// gives, met by a team role (only_users) or at a location. Held is the location
// that the scope is measured from, Met the one that it covers (R5).
type Path struct {
	Condition Condition
	Team      TeamRole
	Given     Given
	Held, Met string
}

// Given is a permission as a role gives it, by the word of R4, R9 or R10. Grant
// is the place of the grant in the role, counted from 0; NotOfGrant for advanced
// and admin permissions. Implies is the permission that counts, where that is
// another one (R7).
type Given struct {
	Role                string
	Grant               int
	Permission, Implies string
	Scope               Scope
}

// NotOfGrant is the place of what no grant gives.
const NotOfGrant = -1

// Missing is a condition that is not met, and why. Permission would meet it, and
// Team, those of the item's team roles that would; Held is what the subject has
// of the permission, and where it stops.
type Missing struct {
	Condition  Condition
	Reason     Reason
	Permission string
	Team       []TeamRole
	Held       []Held
}

// Held is a permission that does not reach the resource: what is given, measured
// from these locations (R5), and the reason why it stops.
type Held struct {
	Given
	Locations []string
	Stops     Reason
}

// Explain is Decide with its reasoning: the same decision and reason, and the
// same gates read to the end.
func (m *Model) Explain(s Subject, a Action, r Resource) Explanation {
	e := Explanation{Decision: m.Decide(s, a, r)}
	if m.unknown(s, a, r.Type) != NoReason || e.Reason == UnknownResource {
		return e
	}
	x := explainer{Model: m, s: s, e: &e}
	switch r.Type {
	case ItemResource:
		x.item(a, r.Item)
	case UserResource:
		x.user(a, r)
	case OrganizationResource:
		x.organization(a)
	default:
		x.placed(r)
	}
	if e.Allowed {
		e.Missing = nil
	} else {
		e.Paths = nil
	}
	return e
}

// lacking is the conditions that are not met, without their reasoning; none when
// there is something unknown. Suggest asks it thousands of times, so it walks the
// gates by itself; TestExplainIsDecide holds it to Explain.
func (m *Model) lacking(s Subject, a Action, r Resource) set[Condition] {
	d := m.Decide(s, a, r)
	switch {
	case d.Allowed, m.unknown(s, a, r.Type) != NoReason, d.Reason == UnknownResource:
		return 0
	case d.Reason == WrongUserType:
		return setOf(ByUserType)
	}
	var all set[Condition]
	lacks := func(c Condition, met bool) {
		if !met {
			all = all.with(c)
		}
	}
	switch r.Type {
	case ItemResource:
		byRoles, byTeam := s.userType.mayEver(a)
		i := m.look(s, r.Item)
		st := m.standing(s, &i, byRoles, byTeam)
		lacks(ToView, itemRules[a].unseen || viewGate(i.status, i.private).opens(&st))
		for n := range itemRules[a].gates {
			lacks(gateConditions[n], itemRules[a].gates[n].opens(&st))
		}
	case UserResource:
		lacks(ToHold, a != ImpersonateUser || s.holds(func(a *Admin) bool { return a.Impersonate }))
		lacks(ToAdministerUsers, m.userAdministration(s, m.errand(a, r)).Allowed)
	default:
		lacks(ToHold, false)
	}
	return all
}

// look is a stored or given item, of a template that exists, as the subject meets
// it.
func (m *Model) look(s Subject, it *Item) sight {
	i := sight{on: teamRoles(s.id, it.Team), places: m.forest.known(it.Locations)}
	i.of(m.templates.byID[it.Template], it.Status, it.Private)
	return i
}

// gateConditions are what the gates of an item action stand for, in their order.
var gateConditions = [...]Condition{ToHold, ToEdit}

// explainer collects what a decision about a subject rests on. Roles and team
// count as far as the user type lets them (U2).
type explainer struct {
	*Model
	s               Subject
	e               *Explanation
	byRoles, byTeam bool
}

// heldRoles is the roles held in the order of their ids, each with its places.
func (x explainer) heldRoles() []heldFrom {
	var all []heldFrom
	for r, from := range x.s.held() {
		all = append(all, heldFrom{r, from})
	}
	slices.SortStableFunc(all, func(a, b heldFrom) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// heldFrom is a role held, with the places that it is measured from.
type heldFrom struct {
	*role
	from []place
}

func (x explainer) path(p Path)          { x.e.Paths = append(x.e.Paths, p) }
func (x explainer) missing(miss Missing) { x.e.Missing = append(x.e.Missing, miss) }

// byType notes a type that admits no such action, whatever is held.
func (x explainer) byType(admits bool) bool {
	if !admits {
		x.missing(Missing{Condition: ByUserType, Reason: WrongUserType})
	}
	return admits
}

// item explains C2–C5, gate by gate.
func (x explainer) item(a Action, it *Item) {
	x.byRoles, x.byTeam = x.s.userType.mayEver(a)
	i := x.look(x.s, it)
	st := x.standing(x.s, &i, x.byRoles, x.byTeam)
	if !x.byRoles && !st.member {
		x.missing(Missing{Condition: ByUserType, Reason: WrongUserType, Team: x.opening(members, &i)})
		return
	}
	if !itemRules[a].unseen {
		x.gate(ToView, viewGate(it.Status, it.Private), &i, &st)
	}
	for n := range itemRules[a].gates {
		x.gate(gateConditions[n], &itemRules[a].gates[n], &i, &st)
	}
}

// opening is the team roles that open a gate to the subject.
func (x explainer) opening(p teamPart, i *sight) []TeamRole {
	if !x.byTeam {
		return nil
	}
	return i.team.part(p).list()
}

// gate explains one gate: who opens it, or what it lacks.
func (x explainer) gate(c Condition, g *gate, i *sight, st *standing) {
	opening := x.opening(g.team, i)
	for _, r := range opening {
		if i.on.has(r) {
			x.path(Path{Condition: c, Team: r, Given: Given{Grant: NotOfGrant}})
		}
	}
	var held []Held
	if g.permission != NoPermission && x.byRoles {
		held = x.permission(c, g.permission, i)
	}
	if d := g.pass(st); !d.Allowed {
		x.missing(Missing{Condition: c, Reason: d.Reason, Permission: itemPermission(g.permission), Team: opening, Held: held})
	}
}

// itemPermission is the word of what opens a gate.
func itemPermission(p Permission) string {
	if p == escalation {
		return escalationAdministrator
	}
	return p.String()
}

// permission notes every path by which the roles held give the permission on the
// item, and answers with what they give of it that does not reach there.
func (x explainer) permission(c Condition, p Permission, i *sight) []Held {
	var stopped []Held
	for _, h := range x.heldRoles() {
		for _, given := range x.gives(h.role, p, x.templates.inOrder[i.template]) {
			if !x.reachesItem(c, given, h.from, i) {
				stopped = append(stopped, x.stops(given, h.from, OutOfScope))
			}
		}
	}
	return stopped
}

// gives is what of the role gives the permission on the template, by itself or
// because something implies it (R3, R7).
func (m *Model) gives(r *role, p Permission, t *template) []Given {
	var all []Given
	if p == escalation && r.admin.Escalation != NoScope {
		all = append(all, Given{r.ID, NotOfGrant, escalationAdministrator, "", r.admin.Escalation})
	}
	for n := range r.Grants {
		g := &r.Grants[n]
		if !slices.Contains(m.templates.covered(g), t) {
			continue
		}
		for q := NoPermission + 1; q < PermissionCount; q++ {
			s := g.Permissions[q]
			if !Allows(q, s) || !implied(rights(0).with(q, setOf(s)), t.TeamType).holds(p) {
				continue
			}
			given := Given{r.ID, n, q.String(), "", s}
			if q != p {
				given.Implies = p.String()
			}
			all = append(all, given)
		}
	}
	return all
}

// reachesItem notes the paths by which what is given meets the item (R5, R6);
// false when there is none.
func (x explainer) reachesItem(c Condition, given Given, from []place, i *sight) bool {
	switch given.Scope {
	case Yes, Everywhere:
		x.path(Path{Condition: c, Given: given})
		return true
	case OnlyUsers:
		meant := i.on & x.meantByOnlyUsers(i.team)
		for _, r := range meant.list() {
			x.path(Path{Condition: c, Team: r, Given: given})
		}
		return !meant.empty()
	default:
		return x.reachesPlaces(c, given, from, i.places)
	}
}

// reachesPlaces notes a path for each place that is met from another; false when
// none is.
func (x explainer) reachesPlaces(c Condition, given Given, from, at []place) bool {
	reached := false
	for _, root := range from {
		for _, p := range at {
			if met([]place{root}, []place{p}).has(given.Scope) {
				x.path(Path{Condition: c, Given: given, Held: x.forest.name(root), Met: x.forest.name(p)})
				reached = true
			}
		}
	}
	return reached
}

// stops is what is held with where it stops.
func (x explainer) stops(given Given, from []place, why Reason) Held {
	h := Held{Given: given, Stops: why}
	if located.has(given.Scope) && given.Scope != Everywhere {
		for _, p := range from {
			h.Locations = append(h.Locations, x.forest.name(p))
		}
	}
	return h
}

// user explains C7's actions on users: R10 to R12.
func (x explainer) user(a Action, r Resource) {
	if a.ownedByAll() && r.User.ID == x.s.id || !x.byType(x.s.userType == General) {
		return
	}
	if a == ImpersonateUser {
		x.held(impersonateUser, func(h *role) []string { return when(h.admin.Impersonate, impersonateUser) })
	}
	x.administration(x.errand(a, r))
}

// when is the word, if it is so.
func when(so bool, word string) []string {
	if so {
		return []string{word}
	}
	return nil
}

// held explains a plain yes: which roles have one of the words that give it.
func (x explainer) held(permission string, words func(*role) []string) {
	given := false
	for _, h := range x.heldRoles() {
		for _, word := range words(h.role) {
			g := Given{Role: h.ID, Grant: NotOfGrant, Permission: word}
			if word != permission {
				g.Implies = permission
			}
			x.path(Path{Condition: ToHold, Given: g})
			given = true
		}
	}
	if !given {
		x.missing(Missing{Condition: ToHold, Reason: NoGrant, Permission: permission})
	}
}

// administration explains R11 and R12: reach and grantable roles are those of one
// and the same user administration.
func (x explainer) administration(e errand) {
	miss := Missing{Condition: ToAdministerUsers, Permission: "user_administration", Reason: NoGrant}
	at := x.forest.known(slices.Concat(e.target, e.given))
	for _, h := range x.heldRoles() {
		global, local := h.admin.Global, h.admin.Local
		if global != nil {
			given := Given{h.ID, NotOfGrant, globalUserAdministrator, "", Everywhere}
			x.comes(&miss, global.comes(true, e), given, h.from, nil)
		}
		if local != nil {
			given := Given{h.ID, NotOfGrant, localUserAdministrator, "", local.Scope}
			x.comes(&miss, local.comes(x.reaches(local, h.from, e), e), given, h.from, at)
		}
	}
	if miss.Reason != RoleGrant {
		x.missing(miss)
	}
}

// comes notes how far a user administration comes: to a path, or where it stops.
func (x explainer) comes(miss *Missing, far Reason, given Given, from, at []place) {
	miss.Reason = max(miss.Reason, far)
	switch {
	case far != RoleGrant:
		miss.Held = append(miss.Held, x.stops(given, from, far))
	case given.Scope == Everywhere:
		x.path(Path{Condition: ToAdministerUsers, Given: given})
	default:
		x.reachesPlaces(ToAdministerUsers, given, from, at)
	}
}

// organization explains C7's actions on the organization: R9, R10.
func (x explainer) organization(a Action) {
	if a == SignIn {
		x.byType(x.s.userType.rule().signsIn)
		return
	}
	if !x.byType(x.s.userType == General) {
		return
	}
	x.held(a.String(), func(h *role) []string { return h.words(a) })
}

// words are the words in R9 and R10 by which a role gives an action on the
// organization.
func (r *role) words(a Action) []string {
	switch {
	case advanced[a] != NoAdvanced:
		return when(r.advanced.has(advanced[a]), a.String())
	case a == CreateUsers:
		return append(when(r.admin.Global.createsUsers(), globalUserAdministrator),
			when(r.admin.Local.createsUsers(), localUserAdministrator)...)
	default:
		return when(organizationRights[a](&r.admin), a.String())
	}
}

// placed explains the administration of a board or card (C7, R5).
func (x explainer) placed(r Resource) {
	if !x.byType(x.s.userType == General) {
		return
	}
	word := boardAdministrator
	if r.Type == CardResource {
		word = cardAdministrator
	}
	miss := Missing{Condition: ToHold, Permission: word, Reason: NoGrant}
	at, reached := x.forest.known(r.Locations), false
	for _, h := range x.heldRoles() {
		given := Given{h.ID, NotOfGrant, word, "", h.admin.placed(r.Type)}
		switch {
		case given.Scope == NoScope:
		case given.Scope == Everywhere:
			x.path(Path{Condition: ToHold, Given: given})
			reached = true
		case x.reachesPlaces(ToHold, given, h.from, at):
			reached = true
		default:
			miss.Reason = OutOfScope
			miss.Held = append(miss.Held, x.stops(given, h.from, OutOfScope))
		}
	}
	if !reached {
		x.missing(miss)
	}
}
