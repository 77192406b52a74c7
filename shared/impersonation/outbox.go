package impersonation

import (
	"context"
	"crypto/rand"
	"time"

	"gemba/shared/fault"
)

// Outbox is what handing mail over needs of storage.
type Outbox interface {
	// QueueMail puts a mail into the outbox, unless it is there already.
	QueueMail(ctx context.Context, m Mail) error
	// ClaimMail turns the queued mail of m's name into one that m's Attempt sends.
	// It answers the mail as it then is, whoever claimed it; NotFound when there is
	// none.
	ClaimMail(ctx context.Context, m Mail, now time.Time) (Mail, error)
	// SettleMail makes the status of the mail of this name and attempt m's; false
	// when its hand-over is not that attempt's, or is settled for good.
	SettleMail(ctx context.Context, m Mail) (bool, error)
}

// Mailer hands a letter over. Unprocessable is a refusal for good; Unavailable
// means that it was not taken and can be sent again; any other failure, that
// nobody can tell.
type Mailer interface {
	Send(ctx context.Context, l Letter) error
}

// settleTime bounds the record of what became of a mail. It is given even when
// the time for the mail itself has run out.
const settleTime = 5 * time.Second

// post is where mail leaves by.
type post struct {
	outbox Outbox
	mailer Mailer
}

// hand sends the mail of m's name, once however often it is asked (I8), as compose
// words it. A mail that another attempt began to send and did not settle becomes
// unknown; one that is not there asks for nothing. An error means that it is to be
// asked again.
func (p post) hand(ctx context.Context, m Mail, now time.Time, compose func(Mail) (Letter, error)) error {
	m.Attempt = rand.Text()
	attempt := m.Attempt
	m, err := p.outbox.ClaimMail(ctx, m, now)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case m.Status != Sending:
		return nil
	case m.Attempt != attempt:
		return p.settle(ctx, m, Unknown)
	}
	sent := p.send(ctx, m, compose)
	status := became(sent)
	if err := p.settle(ctx, m, status); err != nil {
		return err
	}
	if status == Queued {
		return sent
	}
	return nil
}

// send words the mail and hands it over; what cannot be worded now was not handed
// over.
func (p post) send(ctx context.Context, m Mail, compose func(Mail) (Letter, error)) error {
	letter, err := compose(m)
	if err != nil {
		return fault.Wrap(fault.Unavailable, "compose", err)
	}
	return p.mailer.Send(ctx, letter)
}

// became is what a hand-over's answer makes of the mail (I8).
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

func (p post) settle(ctx context.Context, m Mail, status MailStatus) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	m.Status = status
	_, err := p.outbox.SettleMail(ctx, m)
	return err
}
