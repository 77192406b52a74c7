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

// Why no mail is required (I8). ReceiptOff is of a receipt alone: the setting was
// off when the session started.
const (
	InternalActor = "internal_actor"
	NoEmail       = "no_email"
	ReceiptOff    = "switched_off"
)

// Mail is one mail's place in the outbox (I8). About is the session that it is
// about; of an alert, what names that which it is about. With Organization,
// About and Kind, and of an alert To, it is named. Why is why none is required. To,
// Actor and Product are what it needs, as it was when the session started. Promised
// tells of a notice that a receipt follows it.
type Mail struct {
	Organization, About string
	Kind                MailKind
	Status              MailStatus
	Why                 string
	To, Actor, Product  string
	Promised            bool
	// Made is when the outbox got it.
	Made time.Time
	// Attempt is the id of the last hand-over, so that a repeat of a lost
	// answer knows itself; Since is when that began.
	Attempt string
	Since   time.Time
}

// notice is the one that a session of these two owes (I8).
func notice(actor, subject directory.User, settings directory.Settings) Mail {
	m := Mail{Kind: NoticeMail, Promised: settings.Impersonation.Receipt}
	switch {
	case actor.Internal:
		m.Status, m.Why = NotRequired, InternalActor
	case subject.Email == "":
		m.Status, m.Why = NotRequired, NoEmail
	default:
		m.Status, m.To, m.Actor, m.Product = Queued, subject.Email, actor.Name, settings.ProductName
	}
	return m
}

// receipt is the one that a session with this notice owes: under the notice's own
// rule, and by what was so at the start. Who changes the subject's address or the
// setting while the session lasts neither diverts nor silences it.
func (m Mail) receipt() Mail {
	r := Mail{Organization: m.Organization, About: m.About, Kind: ReceiptMail}
	switch {
	case m.Status == NotRequired:
		r.Status, r.Why = NotRequired, m.Why
	case !m.Promised:
		r.Status, r.Why = NotRequired, ReceiptOff
	default:
		r.Status, r.To, r.Actor, r.Product = Queued, m.To, m.Actor, m.Product
	}
	return r
}

// settled tells whether nothing is to become of the mail any more.
func (m Mail) settled() bool {
	return m.Status == Sent || m.Status == Failed || m.Status == Unknown || m.Status == NotRequired
}

// lost tells whether the hand-over under way is too old for its sender to be
// still there: nobody will know any more whether the mail went (I8).
func (m Mail) lost(now time.Time) bool {
	return m.Status == Sending && now.Sub(m.Since) > longestHandOver
}

// longestHandOver is well over the time that a sender is given to live.
const longestHandOver = 15 * time.Minute
