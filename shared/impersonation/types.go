package impersonation

import (
	"time"

	"gemba/shared/directory"
)

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

// NoticeStatus is the state of the subject's notice (I8).
type NoticeStatus uint8

// The states (I8).
const (
	NoNotice NoticeStatus = iota
	NotRequired
	Queued
	Sending
	Sent
	Failed
	Unknown
	NoticeStatusCount
)

var noticeNames = [NoticeStatusCount]string{"", "not_required", "queued", "sending", "sent", "failed", "unknown"}

// String is the state's word.
func (s NoticeStatus) String() string {
	if s < NoticeStatusCount {
		return noticeNames[s]
	}
	return ""
}

// Notice is the mail that tells the subject (I8). Why is internal_actor or
// no_email when none is required. The rest is what the mail needs, as it was
// when the session started.
type Notice struct {
	Organization, Session string
	Status                NoticeStatus
	Why                   string
	To, Actor, Product    string
	// Attempt is the id of the hand-over under way, so that a repeat of a lost
	// answer knows itself.
	Attempt string
}

// Session is an actor acting as a subject (I3). Its id is no secret that
// opens anything: it only works with the actor's own token.
type Session struct {
	ID, Organization string
	Actor, Subject   directory.Named
	Mode             Mode
	Reason           string
	Started, Last    time.Time
	// Ends is the absolute end, Idle the longest pause (I4).
	Ends time.Time
	Idle time.Duration
	// Ended is zero while the session lasts.
	Ended  time.Time
	Cause  Cause
	Notice Notice
}

// Expires is the idle end if no further request comes, at most the absolute
// one.
func (s Session) Expires() time.Time {
	if idle := s.Last.Add(s.Idle); idle.Before(s.Ends) {
		return idle
	}
	return s.Ends
}

// Over tells whether the clock has ended the session by now, when in truth
// and why (I4).
func (s Session) Over(now time.Time) (time.Time, Cause) {
	switch {
	case s.Cause != NoCause:
		return s.Ended, s.Cause
	case now.Sub(s.Last) > s.Idle && s.Last.Add(s.Idle).Before(s.Ends):
		return s.Last.Add(s.Idle), Idle
	case !now.Before(s.Ends):
		return s.Ends, Expired
	}
	return time.Time{}, NoCause
}
