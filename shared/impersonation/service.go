package impersonation

import (
	"cmp"
	"context"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Store is what starting, reading and ending sessions needs of storage, in
// its parts.
type Store interface {
	Starting
	Reading
}

// Starting is what a start needs.
type Starting interface {
	// Acting is the session that the actor's acting mark names, without its
	// notice; zero when there is none.
	Acting(ctx context.Context, organization, actor string) (Session, error)
	// StartSession writes a beginning, all or nothing. Errors:
	// AlreadyImpersonating when another session of the actor is marked,
	// ProofUsed, and raced when the basis or the past session changed.
	StartSession(ctx context.Context, b Beginning) error
	// Attempts are the actor's, zero when there were none.
	Attempts(ctx context.Context, organization, actor string) (Attempts, error)
	// PutAttempts replaces the attempts of this version; raced when they
	// changed.
	PutAttempts(ctx context.Context, organization, actor string, a Attempts) error
	// Record writes an entry that stands alone (T1).
	Record(ctx context.Context, organization string, e timeline.Entry) error
}

// Reading is what looking at sessions needs.
type Reading interface {
	// Session is a session with its notice; NotFound when there is none.
	Session(ctx context.Context, organization, id string) (Session, error)
	// Sessions are a page of the selected ones, newest first, with the id to go
	// on after.
	Sessions(ctx context.Context, organization string, of Selection, page directory.Page) ([]Session, string, error)
	// SettleMail is Outbox's.
	SettleMail(ctx context.Context, m Mail) (bool, error)
	// Load reads users with the policy of the same moment (C11).
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	timeline.Store
}

// Selection says whose sessions: those of one actor, those that one person
// is either side of, or with neither all of the organization.
type Selection struct{ Actor, Person string }

// Service starts sessions, shows them and ends them.
type Service struct {
	store    Store
	sessions *Sessions
	prover   Prover
}

// NewService stands on a store, the running sessions in it and a prover.
func NewService(store Store, sessions *Sessions, prover Prover) *Service {
	return &Service{store: store, sessions: sessions, prover: prover}
}

// Get is a session to its actor and subject, an administrator of its actor and
// a system administrator; NotFound to everybody else (T4). One that is over is
// ended first (I4).
func (s *Service) Get(ctx context.Context, c directory.Caller, id string) (Session, error) {
	session, err := s.store.Session(ctx, c.Organization.ID, id)
	if err != nil {
		return Session{}, err
	}
	if !concerns(c, session) {
		_, may, err := s.oversees(ctx, c, session)
		if err != nil {
			return Session{}, err
		}
		if !may {
			return Session{}, fault.New(fault.NotFound, "not_found", "There is no such impersonation.")
		}
	}
	return s.current(ctx, session, c.At, c.RequestID)
}

// concerns tells whether the session is the caller's own or on the caller.
func concerns(c directory.Caller, s Session) bool {
	return s.Actor.ID == c.Subject.ID || s.Subject.ID == c.Subject.ID || s.ID == c.Session
}

// oversees tells whether the caller may see and revoke another's session (I5):
// a system administrator, or an administrator of its actor. It answers the caller
// as the decision found them.
func (s *Service) oversees(ctx context.Context, c directory.Caller, session Session) (directory.Caller, bool, error) {
	if system(c) {
		return c, true, nil
	}
	now, err := s.reading(ctx, c, session.Actor.ID)
	if err != nil {
		return c, false, err
	}
	if c.Session != "" && Lost(now.Model, now.Organization.Settings, now.Actor, now.Subject, c.At) != NoCause {
		return c, false, raced() // whoever decides anew ends the caller's session
	}
	return now, now.Decide(authz.AdministerUser, resource(now.Users[session.Actor.ID])).Allowed, nil
}

// reading is the caller, read together with users.
func (s *Service) reading(ctx context.Context, c directory.Caller, users ...string) (directory.Caller, error) {
	facts, err := s.store.Load(ctx, c.Organization.ID, directory.Keys{Users: append([]string{c.Subject.ID, c.Actor.ID}, users...)})
	if err != nil {
		return directory.Caller{}, err
	}
	c.Facts, c.Subject, c.Actor = facts, facts.Users[c.Subject.ID], facts.Users[c.Actor.ID]
	return c, nil
}

// raced makes the request be decided anew.
func raced() error { return fault.New(fault.Conflict, fault.Raced, "") }

func system(c directory.Caller) bool {
	return c.Decide(authz.AdministerSystem, authz.Resource{Type: authz.OrganizationResource, ID: c.Organization.ID}).Allowed
}

// End signs the actor out, or revokes the session for who oversees it (I5).
// A session that is over stays as it ended. Errors: raced when it, or the right to
// revoke it, changed meanwhile; read_only first of all to
// who would end another session from within a read-only one (I6), NotFound as
// Get, Denied to a subject who may only look. Each is a timeline entry (T1).
func (s *Service) End(ctx context.Context, c directory.Caller, id string) (Session, error) {
	if err := s.looksOnly(ctx, c, id); err != nil {
		return Session{}, err
	}
	session, err := s.Get(ctx, c, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return Session{}, cmp.Or(s.recordEnd(ctx, c, id, fault.Of(err).Code), err)
	case err != nil || session.Cause != NoCause:
		return session, err
	}
	cause, basis, err := s.endCause(ctx, c, session)
	if err != nil {
		return Session{}, err
	}
	if done, err := s.sessions.end(ctx, session, cause, c.At, c.RequestID, &c, basis); err != nil {
		return Session{}, err
	} else if !done {
		return Session{}, raced()
	}
	return s.store.Session(ctx, c.Organization.ID, id)
}

// looksOnly refuses to end any session but the caller's own from within a
// read-only one, whether or not there is another (I6).
func (s *Service) looksOnly(ctx context.Context, c directory.Caller, id string) error {
	if c.Session == "" || c.Session == id {
		return nil
	}
	own, err := s.store.Session(ctx, c.Organization.ID, c.Session)
	if err != nil || own.Mode != ReadOnly {
		return err
	}
	return s.refuseEnd(ctx, c, id, "read_only", "This session may look, not change.")
}

// endCause is why the caller may end the session, and what that rests on: nothing
// for its actor, who may at all times; the right of who revokes it, which must still
// be theirs when the end is written.
func (s *Service) endCause(ctx context.Context, c directory.Caller, session Session) (Cause, directory.Basis, error) {
	if session.Actor.ID == c.Actor.ID {
		return SignedOut, directory.Basis{}, nil
	}
	overseer, may, err := s.oversees(ctx, c, session)
	if err != nil {
		return NoCause, directory.Basis{}, err
	}
	if !may {
		return NoCause, directory.Basis{}, s.refuseEnd(ctx, c, session.ID, "denied", "Only its actor, or an administrator of the actor, ends an impersonation.")
	}
	if actor, read := overseer.Users[session.Actor.ID]; read {
		return Revoked, overseer.Basis(actor), nil
	}
	return Revoked, overseer.Basis(), nil
}

// refuseEnd records that somebody may not end the session, and says so (T1).
func (s *Service) refuseEnd(ctx context.Context, c directory.Caller, session, code, detail string) error {
	return cmp.Or[error](s.recordEnd(ctx, c, session, code), fault.New(fault.Denied, code, detail))
}

// recordEnd records that somebody was refused to end a session, whether or not
// there is such a one (T1, T4).
func (s *Service) recordEnd(ctx context.Context, c directory.Caller, session, code string) error {
	e := c.Entry(timeline.Impersonation, "end", timeline.Target{Type: "impersonation", ID: session})
	e.Denied, e.Cause = true, code
	return s.store.Record(ctx, c.Organization.ID, e)
}

// current is the session as it truly is at now: one that the clock has ended is
// written as ended, mail that nobody hands over any more is unknown.
func (s *Service) current(ctx context.Context, session Session, now time.Time, requestID string) (Session, error) {
	changed := false
	if _, over := session.Over(now); over != session.Cause {
		if _, err := s.sessions.settle(ctx, session, now, requestID); err != nil {
			return Session{}, err
		}
		changed = true
	}
	for _, m := range []Mail{session.Notice, session.Receipt} {
		if !m.lost(now) {
			continue
		}
		m.Status = Unknown
		if _, err := s.store.SettleMail(ctx, m); err != nil {
			return Session{}, err
		}
		changed = true
	}
	if !changed {
		return session, nil
	}
	return s.store.Session(ctx, session.Organization, session.ID)
}
