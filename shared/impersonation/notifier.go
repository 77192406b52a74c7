package impersonation

import (
	"context"
	"crypto/rand"
	"time"

	"gemba/shared/fault"
)

// Delivery is what handing notices over needs of storage.
type Delivery interface {
	// ClaimNotice turns a queued notice into one that this attempt sends. It
	// answers the notice as it then is, whoever claimed it; NotFound when there
	// is none.
	ClaimNotice(ctx context.Context, organization, session, attempt string, now time.Time) (Notice, error)
	// SettleNotice is Reading's.
	SettleNotice(ctx context.Context, n Notice) (bool, error)
	// Session is a session with its notice; NotFound when there is none.
	Session(ctx context.Context, organization, id string) (Session, error)
}

// Mailer hands a letter over. Unprocessable is a refusal for good; Unavailable
// means that it was not taken and can be sent again; any other failure, that
// nobody can tell.
type Mailer interface {
	Send(ctx context.Context, l Letter) error
}

// Notifier sends the notices that starts have queued, and sweeps what nobody
// came back to.
type Notifier struct {
	store    Delivery
	sessions *Sessions
	mailer   Mailer
}

// NewNotifier stands on a store, the running sessions in it and a mailer.
func NewNotifier(store Delivery, sessions *Sessions, mailer Mailer) *Notifier {
	return &Notifier{store: store, sessions: sessions, mailer: mailer}
}

// settleTime bounds the record of what became of a mail. It is given even when
// the time for the mail itself has run out.
const settleTime = 5 * time.Second

// Deliver sends a session's notice, once however often it is asked (I8). A
// notice that another attempt began to send and did not settle becomes unknown;
// one that is not there asks for nothing. An error means that it is to be asked
// again.
func (n *Notifier) Deliver(ctx context.Context, organization, session string, now time.Time) error {
	attempt := rand.Text()
	notice, err := n.store.ClaimNotice(ctx, organization, session, attempt, now)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case notice.Status != Sending:
		return nil
	case notice.Attempt != attempt:
		return n.settle(ctx, notice, Unknown)
	}
	sendErr := n.mailer.Send(ctx, notice.Letter())
	status := became(sendErr)
	if err := n.settle(ctx, notice, status); err != nil {
		return err
	}
	if status == Queued {
		return sendErr
	}
	return nil
}

// became is what a hand-over's answer makes of the notice (I8).
func became(err error) NoticeStatus {
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

func (n *Notifier) settle(ctx context.Context, notice Notice, status NoticeStatus) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	notice.Status = status
	_, err := n.store.SettleNotice(ctx, notice)
	return err
}

// Sweep looks at a session whose acting mark is gone. One that the clock has
// ended and nobody closed is closed with its true time and cause (I4); a notice
// whose sender is gone becomes unknown (I8). A session that was signed out of
// is in order already.
func (n *Notifier) Sweep(ctx context.Context, organization, session string, now time.Time) error {
	s, err := n.store.Session(ctx, organization, session)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case s.Notice.lost(now):
		if err := n.settle(ctx, s.Notice, Unknown); err != nil {
			return err
		}
	}
	_, err = n.sessions.settle(ctx, s, now, "")
	return err
}
