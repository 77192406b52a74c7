package impersonation

import (
	"time"

	"gemba/shared/directory"
)

// MailKind is what a mail is for.
type MailKind uint8

// The kinds. A notice tells the subject that a session began (I8), a receipt what
// happened in it; an alert tells an observer.
const (
	NoMailKind MailKind = iota
	NoticeMail
	ReceiptMail
	AlertMail
	MailKindCount
)

var mailKindNames = [MailKindCount]string{"", "notice", "receipt", "alert"}

// String is the kind's word.
func (k MailKind) String() string {
	if k < MailKindCount {
		return mailKindNames[k]
	}
	return ""
}

// MailStatus is the state of a mail in the outbox (I8).
type MailStatus uint8

// The states (I8).
const (
	NoMail MailStatus = iota
	NotRequired
	Queued
	Sending
	Sent
	Failed
	Unknown
	MailStatusCount
)

var mailStatusNames = [MailStatusCount]string{"", "not_required", "queued", "sending", "sent", "failed", "unknown"}

// String is the state's word.
func (s MailStatus) String() string {
	if s < MailStatusCount {
		return mailStatusNames[s]
	}
	return ""
}

// ParseMailStatus is the state with this word.
func ParseMailStatus(word string) (MailStatus, bool) {
	for s := NoMail + 1; s < MailStatusCount; s++ {
		if mailStatusNames[s] == word {
			return s, true
		}
	}
	return NoMail, false
}

// Why no mail is required (I8).
const (
	InternalActor = "internal_actor"
	NoEmail       = "no_email"
)

// Mail is one mail's place in the outbox (I8). About is the session that it is
// about; of an alert that is about none, the timeline entry. With Organization,
// About and Kind, and of an alert To, it is named. Why is InternalActor or NoEmail
// when none is required. To, Actor and Product are what it needs, as it was when
// the session started.
type Mail struct {
	Organization, About string
	Kind                MailKind
	Status              MailStatus
	Why                 string
	To, Actor, Product  string
	// Attempt is the id of the last hand-over, so that a repeat of a lost
	// answer knows itself; Since is when that began.
	Attempt string
	Since   time.Time
}

// notice is the one that a session of these two owes (I8).
func notice(actor, subject directory.User, product string) Mail {
	switch {
	case actor.Internal:
		return Mail{Kind: NoticeMail, Status: NotRequired, Why: InternalActor}
	case subject.Email == "":
		return Mail{Kind: NoticeMail, Status: NotRequired, Why: NoEmail}
	}
	return Mail{Kind: NoticeMail, Status: Queued, To: subject.Email, Actor: actor.Name, Product: product}
}

// lost tells whether the hand-over under way is too old for its sender to be
// still there: nobody will know any more whether the mail went (I8).
func (m Mail) lost(now time.Time) bool {
	return m.Status == Sending && now.Sub(m.Since) > longestHandOver
}

// longestHandOver is well over the time that a sender is given to live.
const longestHandOver = 15 * time.Minute
