// Package impersonation is an actor working as another person (chapter I): who
// may start it and how they prove who they are, how long it lasts, how it ends,
// who sees it, and what the person is told.
//
// A session is judged by the clock of each request; whoever first meets one
// that is over, a request, a listing, a start or a sweep, writes its end with
// the true time and cause. Every refusal to start but those of form (422) and
// of a session under way (409) is a timeline entry, the ones after too many
// wrong passwords included. What the rules leave open:
//
//   - A sign-in is known by its origin_jti, which a refresh keeps, or else by
//     its auth_time. Offering none that is fresh is no wrong proof: nobody
//     guessed at anything, so only wrong passwords count towards the five.
//   - A username that is not the actor's own is a wrong proof without asking
//     the pool, so that nobody learns here whether another's password is right.
//   - A pool that cannot tell takes the attempt back.
//   - Ending a session that is over tells how it ended.
//   - The receipt tells what the timeline has of the session when the mail is
//     made: a change holds the session to last and is never missing, an attempt
//     that is refused just at the end may be.
//   - A notice and a receipt name address, actor and product as they were at the
//     start, and whether there is a receipt is decided then.
//   - The sweep judges by the clock alone: who lost the right, went inactive or
//     whose organization switched impersonation off is met by their next request,
//     or idles out first.
//   - Observers are told of a start on whoever holds an admin permission then, and
//     once a quarter of an hour by the clock of an actor whose failures reach five,
//     attempts under way counted as I2 counts them. So nobody is refused for too
//     many failures without an alert, and an attempt that turns out right while
//     the fifth fails can make one too early.
//   - In a session the list and its members are those that the subject sees,
//     and the session itself. Ending another's session is a write.
//   - What happened in a session is its two people's to know, in person, and a
//     system administrator's. To anybody else each entry is as readable as the
//     thing that it is about. Why a decision denied an attempt on a user is told
//     only to who administers that user.
//
// It refuses to know HTTP, storage, the pool and how mail leaves; rights are
// package authz's to decide.
package impersonation

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"

	"gemba/shared/directory"
)

// DefaultIdle is I4's longest pause between two requests.
const DefaultIdle = 5 * time.Minute

// Mode is what a session may do (I3).
type Mode uint8

// The modes (I3).
const (
	NoMode Mode = iota
	Full
	ReadOnly
	ModeCount
)

var modeNames = [ModeCount]string{"", "full", "read_only"}

// String is the mode's word.
func (m Mode) String() string {
	if m < ModeCount {
		return modeNames[m]
	}
	return ""
}

// ParseMode is the mode with this word.
func ParseMode(word string) (Mode, bool) {
	for m := NoMode + 1; m < ModeCount; m++ {
		if modeNames[m] == word {
			return m, true
		}
	}
	return NoMode, false
}

// Cause is why a session ended (I4).
type Cause uint8

// The causes (I4). NoCause is a session that has not ended.
const (
	NoCause Cause = iota
	SignedOut
	Idle
	Expired
	Revoked
	RightLost
	WentInactive
	SwitchedOff
	CauseCount
)

var causeNames = [CauseCount]string{"", "signed_out", "idle", "expired", "revoked", "right_lost", "inactive", "disabled"}

// String is the cause's word.
func (c Cause) String() string {
	if c < CauseCount {
		return causeNames[c]
	}
	return ""
}

// ParseCause is the cause with this word; the empty word is NoCause.
func ParseCause(word string) (Cause, bool) {
	for c := NoCause; c < CauseCount; c++ {
		if causeNames[c] == word {
			return c, true
		}
	}
	return NoCause, false
}

// Session is an actor acting as a subject (I3). Its id is no secret that
// opens anything: it only works with the actor's own token.
type Session struct {
	ID, Organization string
	Actor, Subject   directory.Named
	Mode             Mode
	Reason           string
	Started, Last    time.Time
	// Idles is the end if no further request comes, Ends the absolute one (I4).
	Idles, Ends time.Time
	// Administrator tells that the subject held an admin permission at the start, of
	// which observers are told.
	Administrator bool
	// Ended is zero and Cause NoCause while nobody wrote the session's end.
	Ended time.Time
	Cause Cause
	// Notice is the mail of its start, Receipt that of its end (I8).
	Notice, Receipt Mail
}

// Expires is when the session ends if no further request comes.
func (s Session) Expires() time.Time {
	if s.Idles.Before(s.Ends) {
		return s.Idles
	}
	return s.Ends
}

// Over tells whether the session has ended by now, when in truth and why: as
// it was written, or else by the clock (I4). NoCause when it lasts.
func (s Session) Over(now time.Time) (time.Time, Cause) {
	switch {
	case s.Cause != NoCause:
		return s.Ended, s.Cause
	case now.After(s.Idles) && s.Idles.Before(s.Ends):
		return s.Idles, Idle
	case !now.Before(s.Ends):
		return s.Ends, Expired
	}
	return time.Time{}, NoCause
}

// Banner is what a client shows as long as the session lasts (I5): who acts as
// whom, and the path whose DELETE signs out.
type Banner struct{ Text, SignOut string }

// Banner is the session's red banner (I5).
func (s Session) Banner() Banner {
	return Banner{
		Text:    s.Actor.Name + " is signed in as " + s.Subject.Name + ".",
		SignOut: "/v1/impersonations/" + s.ID,
	}
}

// newID is the time of the start and then at least 128 random bits (I3), so
// that sessions sort by their start.
func newID(at time.Time) string {
	start := ulid.ULID{}
	_ = start.SetTime(ulid.Timestamp(at))
	return start.String()[:timeLength] + rand.Text()
}

// timeLength is how many characters of a ULID are its time.
const timeLength = 10
