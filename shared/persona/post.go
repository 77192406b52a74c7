package persona

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// This file hands an audit's news over, to each address at most once a slot:
// the hand-over is written down before it begins, and one whose end nobody
// knows is not begun again.

// MailStatus is what became of the mail to one address.
type MailStatus uint8

// The statuses. A Queued mail was not taken and can be sent again; an Unknown
// one may have arrived.
const (
	NoMail MailStatus = iota
	Queued
	Sending
	Sent
	Failed
	Unknown
	MailStatusCount
)

var mailNames = [MailStatusCount]string{"", "queued", "sending", "sent", "failed", "unknown"}

// String is the status's word.
func (s MailStatus) String() string {
	if s < MailStatusCount {
		return mailNames[s]
	}
	return ""
}

// Handing is one attempt to hand a slot's mail to an address.
type Handing struct {
	Slot, Address, Attempt string
	Status                 MailStatus
}

// Outbox remembers hand-overs.
type Outbox interface {
	// Claim begins a hand-over that nobody began, or that is queued again;
	// false for every other.
	Claim(ctx context.Context, organization string, h Handing) (bool, error)
	// Settle keeps what became of a hand-over that this attempt began.
	Settle(ctx context.Context, organization string, h Handing) error
}

// Mailer hands a letter over. Unprocessable is a refusal for good; Unavailable
// means that it was not taken and can be sent again; any other failure, that
// nobody can tell.
type Mailer interface {
	Send(ctx context.Context, l Letter) error
}

// post is where news leaves by.
type post struct {
	outbox Outbox
	mailer Mailer
}

// send tells the news to the champions, and goes on past one that cannot be
// told. An error means that somebody can be told by a repeat.
func (p post) send(ctx context.Context, o directory.Organization, news News, champions []directory.User) error {
	var failures []error
	for _, address := range addresses(champions) {
		failures = append(failures, p.hand(ctx, o, news, address))
	}
	return errors.Join(failures...)
}

// addresses are those of the champions in the base (P4), each once: an address
// may be shared (U1).
func addresses(champions []directory.User) []string {
	var out []string
	for _, u := range champions {
		shared := slices.ContainsFunc(out, func(a string) bool { return strings.EqualFold(a, u.Email) })
		if u.Email != "" && Counted(u) && !shared {
			out = append(out, u.Email)
		}
	}
	return out
}

// settleTime bounds the record of what became of a mail. It is given even when
// the time for the mail itself has run out.
const settleTime = 5 * time.Second

func (p post) hand(ctx context.Context, o directory.Organization, news News, address string) error {
	h := Handing{Slot: news.Slot, Address: address, Attempt: rand.Text(), Status: Sending}
	mine, err := p.outbox.Claim(ctx, o.ID, h)
	if err != nil || !mine {
		return err
	}
	sent := p.mailer.Send(ctx, news.letter(o, address))
	h.Status = became(sent)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := p.outbox.Settle(ctx, o.ID, h); err != nil {
		return err
	}
	if h.Status == Queued {
		return sent
	}
	return nil
}

// became is what a hand-over's answer makes of the mail.
func became(err error) MailStatus {
	switch {
	case err == nil:
		return Sent
	case fault.Is(err, fault.Unprocessable):
		return Failed
	case fault.Is(err, fault.Unavailable):
		return Queued
	}
	return Unknown
}
