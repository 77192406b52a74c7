package impersonation

import (
	"fmt"
	"strings"
	"time"

	"gemba/shared/letter"
)

// Letter is a mail to one address; Text and HTML say the same.
type Letter struct{ To, Subject, Text, HTML string }

// The words of I8; {product} and {impersonator} are the two that change.
const (
	noticeSubject = "{product}: A {product} Administrator has signed in as you"
	noticeHeader  = "Account Notification"
	noticeBody    = "We wanted to notify you that a {product} Administrator, {impersonator}, has temporarily signed in to your account in order to troubleshoot issues, configure settings on your behalf, etc. Don't worry, you will still have full access to your account during this time. Your Administrator will simply sign out of your account when everything is complete."
	noticeContact = "Please contact your {product} Administrator, {impersonator}, with any questions."
)

// The words of a receipt.
const (
	receiptSubject = "{product}: What was done while a {product} Administrator was signed in as you"
	receiptBody    = "A {product} Administrator, {impersonator}, was signed in to your account from %s to %s. %s Times are in UTC."
	receiptNone    = "Nothing was changed."
	receiptDone    = "This was changed in your name, by {impersonator}:"
	receiptAll     = "All of it, before and after, is shown to you by GET /v1/impersonations/%s."
	receiptUnread  = "More was done around that time than is looked through for a mail. Whatever was changed in your name, by {impersonator}, is shown to you by GET /v1/impersonations/%s."
)

// causes say why a session ended (I4).
var causes = [CauseCount]string{
	SignedOut:    "{impersonator} signed out.",
	Idle:         "It ended by itself, after a pause without any request.",
	Expired:      "It ended by itself, as the longest time that it may last was over.",
	Revoked:      "It was ended by another administrator.",
	RightLost:    "It ended because {impersonator} lost the right to it.",
	WentInactive: "It ended because your account or that of {impersonator} was made inactive.",
	SwitchedOff:  "It ended because your organization switched off signing in as somebody else.",
}

// NoticeLetter is the notice's letter (I8). Names are text in it, whatever they hold
// (T5).
func (m Mail) NoticeLetter() Letter {
	return m.letter(noticeSubject, []letter.Part{{Says: noticeBody}, {Says: noticeContact}})
}

// letter sets a mail whose words name {product} and {impersonator}.
func (m Mail) letter(subject string, parts []letter.Part) Letter {
	named := strings.NewReplacer("{product}", m.Product, "{impersonator}", m.Actor).Replace
	for i := range parts {
		parts[i].Says = named(parts[i].Says)
	}
	l := Letter{To: m.To, Subject: letter.Line(named(subject))}
	l.Text, l.HTML = letter.Set(noticeHeader, parts)
	return l
}

// account is what happened in a session: what was done, in sentences, the first
// mostTold of them, how many more there are, and how much was refused. Open means
// that not all was looked through, so that there may be more than was counted.
type account struct {
	done          []string
	more, refused int
	open          bool
}

// receiptLetter is the letter of a session's receipt: start, end, cause, and what
// was changed. Names are text in it, whatever they hold (T5).
func (m Mail) receiptLetter(s Session, a account) Letter {
	parts := []letter.Part{{Says: fmt.Sprintf(receiptBody, instant(s.Started), instant(s.Ended), causes[s.Cause])}}
	if s.Mode == ReadOnly {
		parts = append(parts, letter.Part{Says: "In this session things could be looked at and not changed."})
	}
	unread := len(a.done) == 0 && a.open
	switch {
	case unread:
		parts = append(parts, letter.Part{Says: fmt.Sprintf(receiptUnread, m.About)})
	case len(a.done) == 0:
		parts = append(parts, letter.Part{Says: receiptNone})
	default:
		parts = append(parts, letter.Part{Says: receiptDone, Items: a.items()})
	}
	if a.refused > 0 {
		parts = append(parts, letter.Part{Says: a.refusals()})
	}
	if len(a.done)+a.refused > 0 && !unread {
		parts = append(parts, letter.Part{Says: fmt.Sprintf(receiptAll, m.About)})
	}
	return m.letter(receiptSubject, append(parts, letter.Part{Says: noticeContact}))
}

func (a account) items() []string {
	switch {
	case a.open && a.more == 0:
		return append(a.done, "and perhaps more.")
	case a.open:
		return append(a.done, fmt.Sprintf("and at least %d more.", a.more))
	case a.more > 0:
		return append(a.done, fmt.Sprintf("and %d more.", a.more))
	}
	return a.done
}

func (a account) refusals() string {
	switch {
	case a.open && a.refused == 1:
		return "At least 1 of the attempts was refused and changed nothing."
	case a.open:
		return fmt.Sprintf("At least %d of the attempts were refused and changed nothing.", a.refused)
	case a.refused == 1:
		return "One attempt was refused and changed nothing."
	}
	return fmt.Sprintf("%d attempts were refused and changed nothing.", a.refused)
}

// instant is a time for readers, to the second.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }
