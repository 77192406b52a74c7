package impersonation

import (
	"time"

	"gemba/shared/directory"
)

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

// ParseNoticeStatus is the state with this word.
func ParseNoticeStatus(word string) (NoticeStatus, bool) {
	for s := NoNotice + 1; s < NoticeStatusCount; s++ {
		if noticeNames[s] == word {
			return s, true
		}
	}
	return NoNotice, false
}

// Why no notice is required (I8).
const (
	InternalActor = "internal_actor"
	NoEmail       = "no_email"
)

// Notice is the mail that tells the subject (I8). Why is InternalActor or
// NoEmail when none is required. To, Actor and Product are what the mail needs,
// as it was when the session started.
type Notice struct {
	Organization, Session string
	Status                NoticeStatus
	Why                   string
	To, Actor, Product    string
	// Attempt is the id of the last hand-over, so that a repeat of a lost
	// answer knows itself; Since is when that began.
	Attempt string
	Since   time.Time
}

// notice is the one that a session of these two owes (I8).
func notice(actor, subject directory.User, product string) Notice {
	switch {
	case actor.Internal:
		return Notice{Status: NotRequired, Why: InternalActor}
	case subject.Email == "":
		return Notice{Status: NotRequired, Why: NoEmail}
	}
	return Notice{Status: Queued, To: subject.Email, Actor: actor.Name, Product: product}
}

// lost tells whether the hand-over under way is too old for its sender to be
// still there: nobody will know any more whether the mail went (I8).
func (n Notice) lost(now time.Time) bool {
	return n.Status == Sending && now.Sub(n.Since) > longestHandOver
}

// longestHandOver is well over the time that a sender is given to live.
const longestHandOver = 15 * time.Minute
