package directory

import (
	"context"
	"strconv"
	"time"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Keys name what is to be read together: users and items of one organization.
type Keys struct {
	Users, Items []string
}

// Facts are what one read brought together: never a mixture of states that
// never were (C11). A user or item that does not exist is not in its map.
type Facts struct {
	Organization Organization
	Model        *authz.Model
	Policy       uint64
	Users        map[string]User
	Items        map[string]Item
}

// Basis is what a decision was made from. A write that rests on it fails as
// raced when any of it has changed.
type Basis struct {
	Organization string
	Policy       uint64
	Users        map[string]uint64
	Session      string
}

// Caller is on whose behalf a use case acts, when, and what was read for it.
// Actor equals Subject unless Session names an impersonation.
type Caller struct {
	Facts
	Subject, Actor User
	Session        string
	ReadOnly       bool // the session may look, not change (I6)
	At             time.Time
	RequestID      string
	// Once is the request's idempotency, zero without a key.
	Once Once
	// Again is the same caller read anew, with what else is needed, for a request
	// that is done in parts: it fails when they may not sign in any more, or their
	// session is over.
	Again func(ctx context.Context, needs Keys) (Caller, error)
}

// Once makes a repeated request give its first answer (T3). Key is a hash over
// caller, route and idempotency key, Request one over what was asked; Encode
// turns what was made into the answer to keep.
type Once struct {
	Key, Request string
	Encode       func(made any) []byte
}

// Kept is an answer to keep, written in the change's transaction. Without a
// key nothing is kept.
type Kept struct {
	Key, Request string
	Answer       []byte
}

// Answers is whether a request that comes under the key is the one that was
// answered: Unprocessable idempotency_key_reused when it is another (T3).
func (k Kept) Answers(request string) error {
	if k.Request != request {
		return fault.New(fault.Unprocessable, "idempotency_key_reused", "This idempotency key was used for another request.")
	}
	return nil
}

// Part is the idempotency of one of the whole units that a request's work is
// cut into: the same for the same request.
func (o Once) Part(n int) Once {
	if o.Key != "" {
		o.Key += "." + strconv.Itoa(n)
	}
	return o
}

// Keep is the answer that tells of what was made.
func (o Once) Keep(made any) Kept {
	if o.Key == "" {
		return Kept{}
	}
	return Kept{Key: o.Key, Request: o.Request, Answer: o.Encode(made)}
}

// Precondition is the version that a request says it saw: Match with Version
// (or Any version), or None for a thing that must not be there yet.
type Precondition struct {
	Version          uint64
	Match, Any, None bool
}

// Check holds the precondition against the current version, 0 when there is
// no such thing. Stale when it does not hold; Unconditional when an existing
// thing would be changed without one.
func (p Precondition) Check(current uint64) error {
	if current > 0 && !p.Match && !p.None {
		return fault.New(fault.Unconditional, "precondition_required", "This is there already. Changing it needs If-Match with the ETag that reading it answers.")
	}
	return p.Heed(current)
}

// Heed is Check where none is needed.
func (p Precondition) Heed(current uint64) error {
	switch {
	case p.None && current > 0:
		return fault.New(fault.Stale, "stale", "It is there already.")
	case p.Match && current == 0:
		return fault.New(fault.Stale, "stale", "There is none of this id, so none of this version.")
	case p.Match && !p.Any && p.Version != current:
		return fault.New(fault.Stale, "stale", "It has been changed since this version was read. Read it again.")
	}
	return nil
}

// VersionGiven is the problem of a body whose version is not the current one,
// none of a body without one: what was read may be put back.
func VersionGiven(version, current uint64) []fault.Problem {
	if version == 0 || version == current {
		return nil
	}
	return []fault.Problem{{Pointer: "/version", Detail: "The version is given by the service and cannot be changed."}}
}

// Who is the caller prepared for decisions.
func (c Caller) Who() authz.Who {
	subject := c.Model.Subject(c.Subject.Decisive(), c.At)
	if c.Session == "" {
		return authz.Self(subject)
	}
	return authz.Who{Subject: subject, Actor: c.Model.Subject(c.Actor.Decisive(), c.At)}
}

// Decide is the decision for the caller, both sides of it (I6).
func (c Caller) Decide(action authz.Action, r authz.Resource) authz.Decision {
	return c.Model.DecideBoth(c.Who(), action, r)
}

// Knows tells whether the caller may know of a target (T4): of oneself, of
// users that one administers, and of all that is no user.
func (c Caller) Knows(r authz.Resource) bool {
	if r.Type != authz.UserResource {
		return true
	}
	if r.User == nil {
		return false
	}
	return r.User.ID == c.Subject.ID || c.Decide(authz.AdministerUser, r).Allowed
}

// Reach is the locations of those whom the caller administers, or everybody
// (R11). In a session it is one side's: the other's can but narrow it (I6).
func (c Caller) Reach() (locations []string, everybody bool) {
	who := c.Who()
	for _, side := range []authz.Subject{who.Subject, who.Actor} {
		if s := c.Model.UserSources(side, authz.AdministerUser, ""); !s.Everybody {
			return s.Locations, false
		}
	}
	return nil, true
}

// Basis is what decisions for this caller rest on: the caller, the policy,
// and the users named.
func (c Caller) Basis(users ...User) Basis {
	versions := map[string]uint64{c.Subject.ID: c.Subject.Version, c.Actor.ID: c.Actor.Version}
	for _, u := range users {
		versions[u.ID] = u.Version
	}
	return Basis{Organization: c.Organization.ID, Policy: c.Policy, Users: versions, Session: c.Session}
}

// Entry begins the timeline entry of something the caller does (T1, I7).
func (c Caller) Entry(kind timeline.Type, action string, target timeline.Target) timeline.Entry {
	e := timeline.Entry{
		At: c.At, Type: kind, Action: action, Target: target, RequestID: c.RequestID,
		Subject: timeline.Person{ID: c.Subject.ID, Name: c.Subject.Name},
	}
	if c.Session != "" {
		e.Impersonator, e.Session = timeline.Person{ID: c.Actor.ID, Name: c.Actor.Name}, c.Session
	}
	return e
}

// OrganizationTarget is the organization as the target of an action.
func (f Facts) OrganizationTarget() authz.Resource {
	return authz.Resource{Type: authz.OrganizationResource, ID: f.Organization.ID}
}

// UserTarget is a user among the facts as the target of an action; one that
// is not there is an unknown one.
func (f Facts) UserTarget(id string) authz.Resource {
	r := authz.Resource{Type: authz.UserResource, ID: id}
	if u, ok := f.Users[id]; ok {
		decisive := u.Decisive()
		r.User = &decisive
	}
	return r
}
