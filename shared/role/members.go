package role

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Member is a user who holds a role, and how.
type Member struct {
	User       directory.User
	Assignment directory.Assignment
	Expired    bool
}

const (
	// mostHolders bounds the users that one page of members reads.
	mostHolders = 1000
	// holders is how many are read at once, together with the caller.
	holders = 90
)

// Members is a page of those users who hold the role, pass the filter by their own
// persona, and whom the caller administers (R11, T4), by id, with the id to go on
// after, which may be of somebody whom the caller may not know; "" when nobody
// follows whom they administer. A page reads at most mostHolders users and may so be short, even
// empty, and still have a place to go on. NotFound when there is no such role.
func (s *Service) Members(ctx context.Context, c directory.Caller, id string, f Filter, page directory.Page) ([]Member, string, error) {
	r, ok := c.Model.Role(id)
	if !ok {
		return nil, "", fault.New(fault.NotFound, "not_found", "There is no such role.")
	}
	found, place := []Member{}, page.After
	for read := 0; ; {
		ids, end, err := s.store.MemberIDs(ctx, c.Organization.ID, r.RoleRef, directory.Page{Limit: holders, After: page.After})
		if err != nil {
			return nil, "", err
		}
		// Each is judged by the policy of the moment in which it was read.
		now, err := c.Again(ctx, directory.Keys{Users: ids})
		if err != nil {
			return nil, "", err
		}
		for _, user := range ids {
			m, is := member(now, r.RoleRef, user, f)
			full := len(found) == page.Limit
			switch {
			case full && is:
				return found, place, nil
			case is:
				found = append(found, m)
			}
			if !full { // who is only looked past is not for a page to tell (T4)
				place = user
			}
		}
		if end == "" {
			return found, "", nil
		}
		if read += len(ids); read >= mostHolders {
			return found, place, nil
		}
		page.After = end
	}
}

// member is a user as a member of the role; false when the user holds it no
// more, is not wanted, or is beyond the caller's reach.
func member(c directory.Caller, r authz.RoleRef, user string, f Filter) (Member, bool) {
	u := c.Users[user]
	a, holds := c.Holds(u, r)
	if !holds || !f.takes(u.Persona) || !c.Model.Administers(c.Who(), u.Decisive()) {
		return Member{}, false
	}
	return Member{User: u, Assignment: a, Expired: a.Over(c.At)}, true
}
