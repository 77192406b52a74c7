package impersonation

import (
	"context"
	"errors"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Request asks to start a session. Without Credentials the SignIn is the
// proof (I2).
type Request struct {
	Subject     string
	Reason      string
	Mode        Mode
	Credentials *Credentials
	SignIn      SignIn
}

// Beginning is all that a start writes, in one transaction (I8): the session
// and its notice, the entry, the actor's earlier session that is over and
// nobody closed, the sign-in used up, and what is kept for a repeat.
type Beginning struct {
	Session Session
	Entry   timeline.Entry
	// Past is the session whose acting mark is replaced, zero without one. Its
	// end is written with PastEntry when that has a type.
	Past      Session
	PastEntry timeline.Entry
	Proof     string
	Basis     directory.Basis
	Kept      directory.Kept
}

// Start begins a session of the caller as the subject (I1–I3, I8). Its
// refusals, in this order: Denied in_session, Denied denied to who may
// impersonate nobody, NotFound for who may not know the subject (T4), Denied
// impersonation_disabled, Unprocessable self, subject_cannot_be_impersonated
// or reason_required, Conflict already_impersonating, TooMany
// too_many_attempts, Denied reauthentication_failed or reauthentication_needed.
// Raced when what it was decided from changed meanwhile. A refusal of the
// person, rather than of the request, is a timeline entry (T1).
func (s *Service) Start(ctx context.Context, c directory.Caller, r Request) (Session, error) {
	session, err := s.start(ctx, c, r)
	if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.TooMany) {
		return session, err
	}
	entry := Denial(c, r, fault.Of(err).Code)
	if wrong := (wrongProof{}); errors.As(err, &wrong) {
		entry.After = timeline.Values{failuresMember: wrong.counted} // by then (I2)
	}
	if err := s.store.Record(ctx, c.Organization.ID, entry); err != nil {
		return Session{}, err
	}
	return Session{}, err
}

func (s *Service) start(ctx context.Context, c directory.Caller, r Request) (Session, error) {
	subject, err := mayStart(c, r.Subject)
	if err != nil {
		return Session{}, err
	}
	if err := allowed(c, subject, r); err != nil {
		return Session{}, err
	}
	now := c.At.Truncate(time.Millisecond)
	past, err := s.past(ctx, c, now)
	if err != nil {
		return Session{}, err
	}
	proof, err := s.prove(ctx, c, r)
	if err != nil {
		return Session{}, err
	}
	b := s.beginning(c, subject, r, now)
	b.Proof = proof
	b.replace(past, now, c.RequestID)
	if err := s.store.StartSession(ctx, b); err != nil {
		return Session{}, err
	}
	return b.Session, nil
}

// mayStart is the subject, if the caller may impersonate them (I1, R10, T4).
// Whether the caller may impersonate at all is asked about themselves first,
// so that who may not learns nothing about who there is.
func mayStart(c directory.Caller, id string) (directory.User, error) {
	if c.Session != "" {
		return directory.User{}, fault.New(fault.Denied, "in_session", "Nobody can be impersonated from within an impersonation. Sign out of it first.")
	}
	self := c.Decide(authz.ImpersonateUser, resource(c.Subject))
	if !self.Allowed && self.Reason != authz.OutOfScope {
		return directory.User{}, fault.New(fault.Denied, "denied", "This needs the right to impersonate and to administer users.")
	}
	if id == c.Subject.ID {
		return c.Subject, nil // oneself is known, also out of one's own reach, and refused as that
	}
	subject, found := c.Users[id]
	if !found || !c.Decide(authz.ImpersonateUser, resource(subject)).Allowed {
		return directory.User{}, fault.New(fault.NotFound, "not_found", "There is no such user.")
	}
	return subject, nil
}

func resource(u directory.User) authz.Resource {
	target := u.Decisive()
	return authz.Resource{Type: authz.UserResource, ID: u.ID, User: &target}
}

// allowed is what I1 and the organization refuse besides.
func allowed(c directory.Caller, subject directory.User, r Request) error {
	settings := c.Organization.Settings.Impersonation
	switch {
	case !settings.Enabled:
		return fault.New(fault.Denied, "impersonation_disabled", "The organization has switched impersonation off.")
	case subject.ID == c.Actor.ID:
		return unprocessable("self", "/subject", "Nobody impersonates themselves.")
	case !impersonable(subject.Type):
		return unprocessable("subject_cannot_be_impersonated", "/subject", "A user who is "+subject.Type.String()+" cannot be impersonated.")
	case settings.ReasonRequired && strings.TrimSpace(r.Reason) == "":
		return unprocessable("reason_required", "/reason", "The organization wants a reason for each impersonation.")
	}
	return nil
}

// impersonable is I1's list of who can be a subject; setting up a new user is
// what impersonation is for.
func impersonable(t authz.UserType) bool {
	switch t {
	case authz.General, authz.Capture, authz.Wallboard, authz.Setup:
		return true
	default:
		return false
	}
}

func unprocessable(code, pointer, detail string) error {
	return fault.Faulty(fault.Unprocessable, code, []fault.Problem{{Pointer: pointer, Detail: detail}})
}

// past is the actor's session that is over but still marked, zero without
// one; Conflict already_impersonating when one lasts.
func (s *Service) past(ctx context.Context, c directory.Caller, now time.Time) (Session, error) {
	acting, err := s.store.Acting(ctx, c.Organization.ID, c.Actor.ID)
	if err != nil || acting.ID == "" {
		return Session{}, err
	}
	if _, cause := acting.Over(now); cause == NoCause {
		return Session{}, AlreadyImpersonating()
	}
	return acting, nil
}

// AlreadyImpersonating is the refusal of a second session of an actor (I1).
func AlreadyImpersonating() error {
	return fault.New(fault.Conflict, "already_impersonating", "You are impersonating somebody already: GET /v1/impersonations?state=active tells whom. Sign out of that first.")
}

// ProofUsed is the refusal of a sign-in that a start has used up (I2).
func ProofUsed() error { return needed() }

// beginning is the session with all that starts with it.
func (s *Service) beginning(c directory.Caller, subject directory.User, r Request, now time.Time) Beginning {
	settings := c.Organization.Settings
	session := Session{
		ID: newID(now), Organization: c.Organization.ID, Actor: c.Actor.Named(), Subject: subject.Named(),
		Mode: max(r.Mode, Full), Reason: r.Reason, Started: now, Last: now, Idles: now.Add(s.sessions.idle),
		Ends:          now.Add(time.Duration(settings.Impersonation.AbsoluteMinutes) * time.Minute),
		Administrator: administers(c, subject),
	}
	session.Notice = notice(c.Actor, subject, settings)
	session.Notice.Organization, session.Notice.About = session.Organization, session.ID
	entry := session.entry("start", now, c.RequestID)
	entry.After = timeline.Values{"mode": session.Mode.String(), "endsAt": session.Ends.UTC().Format(time.RFC3339Nano), "notice": session.Notice.Status.String()}
	if session.Administrator {
		entry.After[administratorMember] = true
	}
	if r.Reason != "" {
		entry.After["reason"] = r.Reason
	}
	return Beginning{Session: session, Entry: entry, Basis: c.Basis(subject), Kept: c.Once.Keep(session)}
}

// administers tells whether the subject holds any admin permission (R10, U4).
func administers(c directory.Caller, subject directory.User) bool {
	organization := authz.Resource{Type: authz.OrganizationResource, ID: c.Organization.ID}
	return c.Model.Decide(c.Model.Subject(subject.Decisive(), c.At), authz.ReadAdministration, organization).Allowed
}

// replace makes the start close a session that is over: with its true end if
// nobody wrote one (I4).
func (b *Beginning) replace(past Session, now time.Time, requestID string) {
	if past.ID == "" {
		return
	}
	b.Past = past
	if past.Cause == NoCause {
		b.Past = past.ended(NoCause, now)
		b.PastEntry = b.Past.endEntry(requestID)
	}
}

// Denial is the entry of a start that was refused for this cause (T1).
func Denial(c directory.Caller, r Request, cause string) timeline.Entry {
	e := c.Entry(timeline.Impersonation, "start", timeline.Target{Type: "user", ID: r.Subject})
	e.Denied, e.Cause = true, cause
	return e
}
