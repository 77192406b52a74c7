package authz

import "slices"

// userRule is what a type of user can ever get (U2).
type userRule struct {
	signsIn bool
	byRoles set[Action] // item actions to which its roles count
	byTeam  set[Action] // item actions to which its team roles count
}

// itemActions are C1's.
var itemActions = setOf(DoParticipate, DoView, DoEdit, DoRequest, DoAssign, DoTogglePrivate, DoHonorRoll, DoDelete, DoEscalate)

// userRules is U2's table.
var userRules = [UserTypeCount]userRule{
	General:   {signsIn: true, byRoles: itemActions, byTeam: itemActions},
	Capture:   {signsIn: true, byRoles: setOf(DoParticipate), byTeam: setOf(DoView)},
	Wallboard: {signsIn: true, byRoles: setOf(DoView)},
	Kiosk:     {byRoles: setOf(DoParticipate)},
}

// rule is U2's row of the type; for what is none, one that gives nothing.
func (t UserType) rule() userRule {
	if t < UserTypeCount {
		return userRules[t]
	}
	return userRule{}
}

// SignsIn is whether users of the type sign in (U2).
func (t UserType) SignsIn() bool { return t.rule().signsIn }

// mayEver is whether users of the type can ever get the item action by their
// roles, and by being on the item's team (U2).
func (t UserType) mayEver(a Action) (byRoles, byTeam bool) {
	r := t.rule()
	return r.byRoles.has(a), r.byTeam.has(a)
}

var (
	// reachable are the scopes that are measured from locations.
	reachable = setOf(OnlyLocation, LocationAndBelow)
	// located are those and everywhere.
	located = reachable.with(Everywhere)
)

// AllowsLocalAdministration is whether users may be administered locally in this
// scope (R10).
func AllowsLocalAdministration(s Scope) bool { return reachable.has(s) }

// AllowsPlaced is whether boards, cards and escalation may be administered in this
// scope (R10).
func AllowsPlaced(s Scope) bool { return located.has(s) }

// allowed is R4's table: the scopes that each permission may have.
var allowed = [PermissionCount]set[Scope]{
	Participate:   setOf(Yes),
	View:          located,
	ViewNew:       located,
	Edit:          located,
	Request:       located,
	Assign:        located.with(OnlyUsers),
	ViewPrivate:   located,
	TogglePrivate: located.with(OnlyUsers),
	HonorRoll:     located,
	Delete:        located.with(OnlyUsers),
}

// Allows is whether a grant may give the permission in this scope (R4).
func Allows(p Permission, s Scope) bool { return p < PermissionCount && allowed[p].has(s) }

// Wider is whether scope a is wider than b in R4's order, where not to hold a
// permission at all is narrower than any scope. Scopes that are not comparable
// are neither wider than the other.
func Wider(a, b Scope) bool {
	switch b {
	case NoScope:
		return a != NoScope
	case OnlyLocation:
		return a == LocationAndBelow || a == Everywhere
	case OnlyUsers, LocationAndBelow:
		return a == Everywhere
	default:
		return false
	}
}

// implication is that whoever holds a permission holds others in the same
// scope (R7).
type implication struct {
	permission Permission
	implies    []Permission
	standard   bool // only on items whose template has a Standard team
}

// implications is R7. Each stands before those that it leads on to, so that one
// pass finds all.
var implications = []implication{
	{permission: Assign, implies: []Permission{ViewNew, View, Edit}, standard: true},
	{permission: Request, implies: []Permission{Edit}, standard: true},
	{permission: ViewNew, implies: []Permission{View}},
}

// Implied is the permissions that whoever holds one holds in the same scope on
// items of teams of this type (R7).
func (p Permission) Implied(t TeamType) []Permission {
	held := implied(rights(0).with(p, setOf(Everywhere)), t).permissions()
	return slices.DeleteFunc(held.list(), func(q Permission) bool { return q == p })
}

// team is what a team type says about its team roles.
type team struct {
	members        set[TeamRole] // all it has (C1)
	primaryEditors set[TeamRole] // who edit by team role (C2)
	onlyUsers      set[TeamRole] // whom only_users means (R6)
}

// teams are the team types (C1, C2, R6).
var teams = [TeamTypeCount]team{
	Simple:   simple,
	Standard: simple,
	AdvancedTeam: {
		members:        setOf(Sponsor, Facilitator, Leader, Participant, Author, Follower),
		primaryEditors: setOf(Sponsor, Facilitator, Leader, Author),
		onlyUsers:      setOf(Facilitator),
	},
	AuthorOnly: {
		members:        setOf(Author, Follower),
		primaryEditors: setOf(Author),
		onlyUsers:      setOf(Author),
	},
}

var simple = team{
	members:        setOf(Responsible, Assigner, Author, Collaborator, Follower),
	primaryEditors: setOf(Responsible, Assigner, Author, Collaborator),
	onlyUsers:      setOf(Author, Responsible),
}

// team is what the type says; for what is none, a team without roles.
func (t TeamType) team() *team {
	if t < TeamTypeCount {
		return &teams[t]
	}
	return &teams[NoTeamType]
}

// Has is whether teams of the type have this team role (C1).
func (t TeamType) Has(r TeamRole) bool { return t.team().members.has(r) }
