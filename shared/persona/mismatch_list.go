package persona

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// MismatchFilter says which mismatches a list is of; NoMismatch is either.
type MismatchFilter struct {
	Users    directory.Filter
	Mismatch Mismatch
}

// Mismatched is somebody whose roles do not suit their persona (P7): the roles
// that tell it, why in words, and what would resolve it of what the caller may.
// It can be that nothing does.
type Mismatched struct {
	User     directory.User
	Mismatch Mismatch
	Roles    []Meant
	Reason   string
	Ways     []Way
}

// Mismatches is a page of a list of them. With More it goes on after Next, which
// may be the id of somebody whom the caller may not know (T4).
type Mismatches struct {
	Found []Mismatched
	Next  string
	More  bool
}

// Mismatches is the page of the mismatches among the users of the base (P4)
// within the caller's reach (R11), by id. Errors: Unavailable, raced.
func (m *Matcher) Mismatches(ctx context.Context, c directory.Caller, filter MismatchFilter, page directory.Page) (Mismatches, error) {
	meant, err := m.meant(ctx, c)
	if err != nil || len(meant) == 0 {
		return Mismatches{}, err
	}
	standingOf := func(u directory.User) standing {
		return standing{u.Persona, held(c, u, meant), meant, c.Organization.Settings.ProductName}
	}
	listed, err := m.lists.Those(ctx, c, filter.Users, func(u directory.User) bool {
		if !Counted(u) || u.Persona == directory.NoPersona {
			return false
		}
		found := standingOf(u).mismatch()
		return found != NoMismatch && (filter.Mismatch == NoMismatch || filter.Mismatch == found)
	}, page)
	out := Mismatches{Next: listed.Next, More: listed.More}
	for _, u := range listed.Users {
		s := standingOf(u)
		found := s.mismatch()
		out.Found = append(out.Found, Mismatched{u, found, s.telling(found), s.reason(found), s.ways(found, mayWith(c, u))})
	}
	return out, err
}

// mayWith is what the caller may do with the user's roles (R12). In a session
// the actor's own are not changed (I6).
func mayWith(c directory.Caller, u directory.User) func(Deed, Meant) bool {
	decisive := u.Decisive()
	return func(d Deed, m Meant) bool {
		action := authz.GrantRole
		if d == RevokeRole {
			action = authz.RevokeRole
		}
		target := authz.Resource{Type: authz.UserResource, ID: u.ID, User: &decisive, Role: m.ID}
		return (c.Session == "" || u.ID != c.Actor.ID) && c.Decide(action, target).Allowed
	}
}
