package impersonation

import (
	"context"
	"time"

	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Running is what a running session needs of storage.
type Running interface {
	// TouchSession makes now the session's last request and idles its idle
	// end, if it is this actor's, not over at now, and does not idle out later
	// already. It answers the session as it then is, without its notice; the
	// zero Session when there is none.
	TouchSession(ctx context.Context, organization, id, actor string, now, idles time.Time) (Session, error)
	// EndSession writes the session's Ended and Cause, takes the acting mark
	// away and records the entry, in one transaction. It answers false when
	// that no longer holds: the end is written already, a session that had
	// idled out was touched, or the basis, if there is one, has changed.
	EndSession(ctx context.Context, s Session, entry timeline.Entry, basis directory.Basis) (bool, error)
}

// Sessions keeps running sessions to their rules.
type Sessions struct {
	store Running
	idle  time.Duration
}

// NewSessions is over a store; idle is I4's longest pause, DefaultIdle but for
// tests.
func NewSessions(store Running, idle time.Duration) *Sessions {
	return &Sessions{store: store, idle: idle}
}

// Resume is the session that a request names, which counts as activity in it
// (I4). It is Denied impersonation_invalid, always in the same words, when the
// session is over, another actor's, or none at all. One that the clock has
// ended is written as ended.
func (r *Sessions) Resume(ctx context.Context, organization, actor, id string, now time.Time) (Session, error) {
	now = now.Truncate(time.Millisecond)
	s, err := r.store.TouchSession(ctx, organization, id, actor, now, now.Add(r.idle))
	if err != nil {
		return Session{}, err
	}
	if s.ID == "" || s.Actor.ID != actor {
		return Session{}, Invalid()
	}
	if _, cause := s.Over(now); cause == NoCause {
		return s, nil
	}
	if _, err := r.settle(ctx, s, now, ""); err != nil {
		return Session{}, err
	}
	return Session{}, Invalid()
}

// Close ends the session for this cause (I5), or for the clock's if that came
// first. A session whose end is written is left as it is.
func (r *Sessions) Close(ctx context.Context, s Session, cause Cause, now time.Time, requestID string) error {
	_, err := r.end(ctx, s, cause, now, requestID, nil, directory.Basis{})
	return err
}

// end writes the session's end, unless somebody did. It answers false when
// the session is to be read again, because it is not what s says any more.
func (r *Sessions) end(ctx context.Context, s Session, cause Cause, now time.Time, requestID string, by *directory.Caller, basis directory.Basis) (bool, error) {
	if s.Cause != NoCause {
		return true, nil
	}
	s = s.ended(cause, now)
	entry := s.endEntry(requestID)
	if by != nil && s.Cause == cause { // and not the clock's, which came first
		entry.Session = by.Session
		attribute(&entry, *by)
	}
	return r.store.EndSession(ctx, s, entry, basis)
}

// attribute tells in the entry of a session's end who revoked it, as whom (I7); who
// signs out of it is its impersonator.
func attribute(e *timeline.Entry, by directory.Caller) {
	if e.Cause != Revoked.String() {
		return
	}
	e.After["by"] = by.Subject.ID
	if by.Session != "" {
		e.After["byImpersonator"] = by.Actor.ID
	}
}

// settle writes the end of a session that the clock has ended; one that lasts
// is left alone. It answers as end does.
func (r *Sessions) settle(ctx context.Context, s Session, now time.Time, requestID string) (bool, error) {
	if _, cause := s.Over(now); cause == NoCause {
		return true, nil
	}
	return r.end(ctx, s, NoCause, now, requestID, nil, directory.Basis{})
}

// ended is the session with its true end (I4): the clock's if that came before
// now, else this cause and now. By a clock that is behind, that is the last
// request: nothing happens in a session after its end.
func (s Session) ended(cause Cause, now time.Time) Session {
	s.Ended, s.Cause = now.Truncate(time.Millisecond), cause
	if s.Ended.Before(s.Last) {
		s.Ended = s.Last
	}
	before := s
	before.Cause = NoCause
	if at, clock := before.Over(now); clock != NoCause {
		s.Ended, s.Cause = at, clock
	}
	return s
}

// endEntry is the one entry that tells of an end; its time is the end's (I4).
func (s Session) endEntry(requestID string) timeline.Entry {
	e := s.entry("end", s.Ended, requestID)
	e.Cause = s.Cause.String()
	e.After = timeline.Values{"endedAt": s.Ended.UTC().Format(time.RFC3339Nano), "cause": s.Cause.String()}
	return e
}

// entry begins an entry about the session: the subject's, with the actor
// beside it (I7).
func (s Session) entry(action string, at time.Time, requestID string) timeline.Entry {
	return timeline.Entry{
		At: at, Type: timeline.Impersonation, Action: action, RequestID: requestID,
		Subject:      timeline.Person(s.Subject),
		Impersonator: timeline.Person(s.Actor),
		Target:       timeline.Target{Type: "impersonation", ID: s.ID},
	}
}
