package permission

import (
	"slices"

	"gemba/shared/authz"
)

// asking is the question's subject, as it is or as it is only supposed to be.
func (a *asker) asking(q Question) authz.Subject {
	s := a.subject(q.Subject)
	if q.Hypothetical == nil || s.ID() == "" {
		return s
	}
	return a.Model.Subject(a.suppose(*a.person(s.ID()), *q.Hypothetical), a.At)
}

// supposed is the resource of the question: as supposed, if it is the subject
// itself.
func (a *asker) supposed(q Question, r authz.Resource) authz.Resource {
	if q.Hypothetical != nil && r.User != nil && r.User.ID == q.Subject.ID && q.Subject.Type == userType {
		u := a.suppose(*r.User, *q.Hypothetical)
		r.User = &u
	}
	return r
}

// suppose is the user with what is supposed in the place of what is.
func (a *asker) suppose(u authz.User, h Hypothetical) authz.User {
	next := u
	if h.Locations != nil {
		next.Locations = h.Locations
	}
	if h.Roles != nil {
		next.Assignments = a.assignments(u, h.Roles)
	}
	return next
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
