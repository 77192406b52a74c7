package directory

import (
	"slices"

	"gemba/shared/authz"
)

// Shown is the user as people are shown them: without assignments of roles
// that were deleted, also when another took the id since (R14), and with limits
// without the locations that the user has left (R5). What a deletion leaves in
// a user gives nothing and is swept later; nobody is to meet it meanwhile. A role
// that is born after these facts is none of those: the user was read later.
func (f Facts) Shown(u User) User {
	shown := u
	shown.Assignments = nil
	for _, a := range u.Assignments {
		if left, counts := u.standing(f.Model, a); counts {
			shown.Assignments = append(shown.Assignments, left)
		} else if a.Role.Birth > f.Policy {
			shown.Assignments = append(shown.Assignments, a)
		}
	}
	return shown
}

// Holds is how the user holds this very role, as it is shown; false when they
// do not, or only another that had its id (R14).
func (f Facts) Holds(u User, role authz.RoleRef) (Assignment, bool) {
	i := slices.IndexFunc(u.Assignments, func(a Assignment) bool { return a.Role == role })
	if i < 0 {
		return Assignment{}, false
	}
	return u.standing(f.Model, u.Assignments[i])
}

// standing is what is left of an assignment; false when nothing is.
func (u User) standing(m *authz.Model, a Assignment) (Assignment, bool) {
	if r, lives := m.Role(a.Role.ID); !lives || r.RoleRef != a.Role {
		return Assignment{}, false
	}
	return a.at(u.Locations)
}
