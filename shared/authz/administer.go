package authz

import "slices"

// decideUser answers for an action on a user (C7).
func (m *Model) decideUser(s Subject, a Action, r Resource) Decision {
	if r.User == nil {
		return Decision{Reason: UnknownResource}
	}
	e := m.errand(a, r)
	switch {
	case a.ownedByAll() && r.User.ID == s.id:
		return Decision{Allowed: true}
	case !m.exists(a, e.wanted):
		return Decision{Reason: UnknownResource}
	case a == ImpersonateUser && s.userType == General && !s.holds(func(a *Admin) bool { return a.Impersonate }):
		return Decision{Reason: NoGrant}
	}
	return m.userAdministration(s, e)
}

// ownedByAll is whether everybody may do it with oneself.
func (a Action) ownedByAll() bool { return a == ReadUser || a == ChangePreferences }

// errand is what one and the same user administration has to reach and to have
// (R12).
type errand struct {
	target  []string // a user's locations, reached as the organization chose (R11)
	given   []string // what a user is to get: all of it inside the reach
	wanted  RoleRef  // the role to be given or taken, zero without one
	creates bool     // the user is new: there is no target yet
}

// errand is what an action on a user asks for.
func (m *Model) errand(a Action, r Resource) errand {
	switch a {
	case CreateUser:
		return errand{given: r.User.Locations, creates: true}
	case PlaceUser:
		return errand{target: r.User.Locations, given: r.Locations}
	default:
		return errand{target: r.User.Locations, wanted: m.wanted(a, r.Role)}
	}
}

// wanted is the role of this id that an action gives or takes; zero for other
// actions, and when there is none.
func (m *Model) wanted(a Action, id string) RoleRef {
	if r, ok := m.roles[id]; ok && (a == GrantRole || a == RevokeRole) {
		return r.RoleRef
	}
	return RoleRef{}
}

// exists is false of an action that gives or takes a role that does not exist.
func (m *Model) exists(a Action, wanted RoleRef) bool {
	return wanted != RoleRef{} || a != GrantRole && a != RevokeRole
}

// userAdministration is whether one user administration that the subject holds
// is enough for the errand (R11, R12). On no it says how far the one came that
// came farthest.
func (m *Model) userAdministration(s Subject, e errand) Decision {
	if s.userType != General {
		return Decision{Reason: WrongUserType}
	}
	farthest := NoGrant
	for r, from := range s.held() {
		global, local := r.admin.Global, r.admin.Local
		farthest = max(farthest, global.comes(true, e), local.comes(m.reaches(local, from, e), e))
	}
	return Decision{Allowed: farthest == RoleGrant, Reason: farthest}
}

// comes is how far towards a yes this user administration comes; reasons are
// declared in that order.
func (u *UserAdministration) comes(reaching bool, e errand) Reason {
	switch {
	case u == nil || e.creates && !u.CreateUsers:
		return NoGrant
	case !reaching:
		return OutOfScope
	case e.wanted != RoleRef{} && !u.Grantable.includes(e.wanted):
		return NotGrantable
	default:
		return RoleGrant
	}
}

// reaches is whether a local user administration measured from these places
// reaches the errand's user (R11) and everything that the user is to get (R12).
func (m *Model) reaches(local *UserAdministration, from []place, e errand) bool {
	if local == nil {
		return false
	}
	one := m.settings.LocalReach == ReachAny
	for _, l := range e.given {
		if !m.covers(local, from, l) {
			return false
		}
	}
	for _, l := range e.target {
		if m.covers(local, from, l) == one {
			return one
		}
	}
	if e.creates {
		return len(e.given) > 0
	}
	return !one && len(e.target) > 0
}

// covers is whether the location lies in the reach; one that does not exist
// lies in none (C8).
func (m *Model) covers(local *UserAdministration, from []place, location string) bool {
	p, known := m.forest.places[location]
	return known && met(from, []place{p}).has(local.Scope)
}

// includes is whether the list has the role; an older role of the same id is
// another (R12, R14).
func (g Grantable) includes(role RoleRef) bool { return g.All || slices.Contains(g.Roles, role) }

// holds is whether this is true of the admin permissions of one of the
// subject's roles.
func (s Subject) holds(is func(*Admin) bool) bool {
	for r := range s.held() {
		if is(&r.admin) {
			return true
		}
	}
	return false
}

// organizationRights says which roles give an action on the organization,
// advanced permissions aside (C7, R10).
var organizationRights = [ActionCount]func(*Admin) bool{
	CreateUsers:         func(a *Admin) bool { return a.Global.createsUsers() || a.Local.createsUsers() },
	AdministerAllUsers:  func(a *Admin) bool { return a.Global != nil },
	AdministerRoles:     func(a *Admin) bool { return a.Roles },
	AdministerQuality:   func(a *Admin) bool { return a.Quality },
	AdministerSystem:    func(a *Admin) bool { return a.System },
	ReadAccess:          func(a *Admin) bool { return a.AccessReader },
	WriteItems:          func(a *Admin) bool { return a.ItemWriter },
	ReadAdministration:  func(a *Admin) bool { return a.some() },
	AdministerSomeUsers: func(a *Admin) bool { return a.Global != nil || a.Local != nil },
	ReadItems:           func(a *Admin) bool { return a.AccessReader || a.ItemWriter || a.Quality },
	RecordItems:         func(a *Admin) bool { return a.ItemWriter || a.Quality },
}

// advanced is the permission that an action on the organization asks for (C7).
var advanced = [ActionCount]Advanced{
	DoCreateBoards:      CreateBoards,
	DoCreateItemLists:   CreateItemLists,
	DoShareItemLists:    ShareItemLists,
	DoViewImpact:        ViewImpact,
	DoViewReportData:    ViewReportData,
	DoItemsSection:      ItemsSection,
	DoPeopleSection:     PeopleSection,
	DoReportsSection:    ReportsSection,
	DoApproveMilestones: ApproveMilestones,
}

func (u *UserAdministration) createsUsers() bool { return u != nil && u.CreateUsers }

// some is whether any admin permission is held (R10).
func (a *Admin) some() bool {
	return a.Global != nil || a.Local != nil || a.Impersonate || a.Roles || a.Quality || a.System ||
		a.AccessReader || a.ItemWriter || a.Board != NoScope || a.Card != NoScope || a.Escalation != NoScope
}

// decideOrganization answers for an action on the organization (C7).
func (m *Model) decideOrganization(s Subject, a Action) Decision {
	switch {
	case a == SignIn && s.userType.rule().signsIn:
		return Decision{Allowed: true}
	case a == SignIn || s.userType != General:
		return Decision{Reason: WrongUserType}
	case s.gives(a):
		return Decision{Allowed: true, Reason: RoleGrant}
	default:
		return Decision{Reason: NoGrant}
	}
}

// gives is whether a role of the subject gives the action on the organization.
func (s Subject) gives(a Action) bool {
	for r := range s.held() {
		if r.gives(a) {
			return true
		}
	}
	return false
}

// gives is whether the role gives the action on the organization.
func (r *role) gives(a Action) bool {
	if p := advanced[a]; p != NoAdvanced {
		return r.advanced.has(p)
	}
	is := organizationRights[a]
	return is != nil && is(&r.admin)
}

// placed is the scope in which boards or cards are administered (R10).
func (a *Admin) placed(t ResourceType) Scope {
	if t == CardResource {
		return a.Card
	}
	return a.Board
}

// decidePlaced answers for the administration of a public board or card at its
// locations (C7, R5).
func (m *Model) decidePlaced(s Subject, r Resource) Decision {
	if s.userType != General {
		return Decision{Reason: WrongUserType}
	}
	var few [manyLocations]place
	at, closest := m.forest.add(few[:0], r.Locations), NoGrant
	for held, from := range s.held() {
		scope := held.admin.placed(r.Type)
		if scope == NoScope {
			continue
		}
		if scope == Everywhere || met(from, at).has(scope) {
			return Decision{Allowed: true, Reason: RoleGrant}
		}
		closest = OutOfScope
	}
	return Decision{Reason: closest}
}

// FullAdministrator is whether the user is one of those of whom an organization
// always keeps at least one (R13).
func (m *Model) FullAdministrator(u User) bool {
	if u.Type != General || !u.SignIn {
		return false
	}
	for _, a := range u.Assignments {
		if r := m.live(a.Role); r != nil && a.Until.IsZero() && r.FullAdministrator() {
			return true
		}
	}
	return false
}

// FullAdministrator is whether the role makes one: all users, all roles, and no
// specific locations (R13).
func (r Role) FullAdministrator() bool {
	return r.Admin.Global != nil && r.Admin.Global.Grantable.All && len(r.SpecificLocations) == 0
}
