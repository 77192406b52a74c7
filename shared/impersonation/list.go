package impersonation

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Query narrows a list: to one actor's sessions, to those that last.
type Query struct {
	Actor  string
	Active bool
}

// readBudget is how many sessions a page reads at most to find those that
// last; a page that ends there is short and goes on.
const readBudget = 2000

// List is a page of the sessions that the caller may see, newest first, with
// the id to go on after. Without an actor these are the caller's own and those
// on the caller, and for a system administrator all; an actor's are for that
// actor, who administers them, or a system administrator, and NotFound to
// everybody else (T4). Sessions that are over are ended first (I4). Invalid when
// the page is to go on after what is no session's id.
func (s *Service) List(ctx context.Context, c directory.Caller, q Query, page directory.Page) ([]Session, string, error) {
	of, err := selection(c, q)
	if err != nil {
		return nil, "", err
	}
	if page.After != "" && !directory.IsID(page.After) {
		return nil, "", fault.New(fault.Invalid, "malformed", "This cursor was not given for this list.")
	}
	found := []Session{}
	for read := 0; read < readBudget; {
		sessions, end, err := s.store.Sessions(ctx, c.Organization.ID, of, page)
		if err != nil {
			return nil, "", err
		}
		read += len(sessions)
		for i, session := range sessions {
			session, err := s.current(ctx, session, c.At, c.RequestID)
			if err != nil {
				return nil, "", err
			}
			if q.Active && session.Cause != NoCause {
				continue
			}
			found = append(found, session)
			last := i == len(sessions)-1 && end == ""
			if len(found) == page.Limit && !last {
				return found, session.ID, nil
			}
		}
		page.After = end
		if end == "" {
			break
		}
	}
	return found, page.After, nil
}

// selection is what of the sessions the caller may list.
func selection(c directory.Caller, q Query) (Selection, error) {
	switch {
	case q.Actor == "" && system(c):
		return Selection{}, nil
	case q.Actor == "":
		return Selection{Person: c.Subject.ID}, nil
	case q.Actor == c.Subject.ID:
		return Selection{Actor: q.Actor}, nil
	}
	actor, found := c.Users[q.Actor]
	if !found || !system(c) && !c.Decide(authz.AdministerUser, resource(actor)).Allowed {
		return Selection{}, fault.New(fault.NotFound, "not_found", "There is no such user.")
	}
	return Selection{Actor: q.Actor}, nil
}
