package impersonation

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Happened is a session, to whom Get tells it, with a page of what was done and
// tried in it, oldest first, and the place to go on after, "" when nothing is left
// (I7).
//
// Who acts and who is acted for learn in person of all of it, as does a system
// administrator, who reads the timeline anyway; and whoever looks from within the
// session itself, where all of it was done. Anybody else, and whoever looks from
// within another session, learns of what was done to things that they, both sides
// of them (I6), may read; the rest is as if it were not there (T4).
func (s *Service) Happened(ctx context.Context, c directory.Caller, id string, page directory.Page) (Session, []timeline.Entry, string, error) {
	session, err := s.Get(ctx, c, id)
	if err != nil {
		return Session{}, nil, "", err
	}
	acts := timeline.Acts{Session: session.ID, Actor: session.Actor.ID, From: session.Started, To: c.At}
	if session.Cause != NoCause {
		acts.To = session.Ended
	}
	if !system(c) {
		acts.Shown = func(entries []timeline.Entry) ([]timeline.Entry, error) {
			return s.shown(ctx, c, session, entries)
		}
	}
	entries, end, err := timeline.InSession(ctx, s.store, c.Organization.ID, acts, timeline.Page(page))
	return session, entries, end, err
}

// mostTargets is how many users are read at once, beside the caller.
const mostTargets = 50

// shown are those of a session's entries that the caller may know of.
func (s *Service) shown(ctx context.Context, c directory.Caller, session Session, entries []timeline.Entry) ([]timeline.Entry, error) {
	all := ownStory(c, session)
	var shown []timeline.Entry
	for part := range slices.Chunk(entries, mostTargets) {
		now, err := s.reading(ctx, c, targets(part)...)
		if err != nil {
			return nil, err
		}
		for _, e := range part {
			if all || readsTarget(now, e.Target) {
				shown = append(shown, discreet(now, e))
			}
		}
	}
	return shown, nil
}

// ownStory tells whether all that was done in the session is the caller's to know:
// they acted or were acted for, and are here in person or in that very session.
func ownStory(c directory.Caller, s Session) bool {
	if c.Session != "" {
		return c.Session == s.ID
	}
	return c.Subject.ID == s.Actor.ID || c.Subject.ID == s.Subject.ID
}

// targets are the users whom entries are about.
func targets(entries []timeline.Entry) []string {
	var users []string
	for _, e := range entries {
		if e.Target.Type == authz.UserResource.String() {
			users = append(users, e.Target.ID)
		}
	}
	return users
}

// readers are what reading a thing of the organization takes, by the type of the
// target that it is in an entry. Who may read of a user depends on whom; another's
// session is told by its own call. What is not here, nobody is shown.
var readers = map[string]authz.Action{
	timeline.Role.String():              authz.ReadAdministration,
	timeline.Location.String():          authz.ReadAdministration,
	timeline.Workflow.String():          authz.ReadAdministration,
	timeline.Template.String():          authz.ReadAdministration,
	timeline.Audit.String():             authz.ReadAdministration,
	timeline.Item.String():              authz.ReadItems,
	authz.OrganizationResource.String(): authz.ReadAdministration,
}

// readsTarget tells whether the caller, both sides of them, may read what an entry
// is about (I6, T4).
func readsTarget(c directory.Caller, t timeline.Target) bool {
	if t.Type == authz.UserResource.String() {
		return c.Decide(authz.ReadUser, c.UserTarget(t.ID)).Allowed
	}
	action, read := readers[t.Type]
	return read && c.Decide(action, c.OrganizationTarget()).Allowed
}

// discreet leaves out why an attempt on a user was denied where the caller does not
// administer them. The answer was the same whether or not there is such a user, or
// such a role for one; the reason of the decision is not, and would tell (T4).
func discreet(c directory.Caller, e timeline.Entry) timeline.Entry {
	on := e.Target.Type == authz.UserResource.String()
	if on && e.Denied && decided(e.Cause) && !c.Decide(authz.AdministerUser, c.UserTarget(e.Target.ID)).Allowed {
		e.Cause = ""
	}
	return e
}

// decided tells whether a cause is the reason of a decision. Any other is what the
// request was answered.
func decided(cause string) bool {
	for r := authz.NoReason + 1; r < authz.ReasonCount; r++ {
		if r.String() == cause {
			return true
		}
	}
	return false
}
