package permission

import (
	"slices"

	"gemba/shared/authz"
)

// supposed is the question's subject as it is only supposed to be, and its
// resource, which may be the same user.
func (a *asker) supposed(q Question, r authz.Resource) (authz.Subject, authz.Resource) {
	if q.Subject.Type != userType {
		return authz.Subject{}, r
	}
	real := a.person(q.Subject.ID)
	if real == nil {
		return authz.Subject{}, r
	}
	u := *real
	if q.Hypothetical.Locations != nil {
		u.Locations = q.Hypothetical.Locations
	}
	if q.Hypothetical.Roles != nil {
		u.Assignments = a.assignments(*real, q.Hypothetical.Roles)
	}
	if r.User != nil && r.User.ID == u.ID {
		r.User = &u
	}
	return a.Model.Subject(u, a.At), r
}

// assignments are the roles as a user would hold them, without those that the
// asker may not know of.
func (a *asker) assignments(of authz.User, roles []HeldRole) []authz.Assignment {
	var all []authz.Assignment
	for _, h := range roles {
		role, ok := a.Model.Role(h.Role)
		if !ok || !a.knowsRole(of, role.RoleRef) {
			continue
		}
		all = append(all, authz.Assignment{Role: role.RoleRef, Locations: h.Locations, Until: h.Until})
	}
	return all
}

// knowsRole is whether the asker may know what a role gives: as one of those who
// read admin data (R10), or because the user in question, whom they may ask
// about, holds it now.
func (a *asker) knowsRole(of authz.User, role authz.RoleRef) bool {
	held := func(h authz.Assignment) bool { return h.Role == role && !h.Over(a.At) }
	return a.may(authz.ReadAdministration) || slices.ContainsFunc(of.Assignments, held)
}
