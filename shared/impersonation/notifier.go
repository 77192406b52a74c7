package impersonation

import (
	"context"
	"time"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Delivery is what the notifier needs of storage.
type Delivery interface {
	Outbox
	timeline.Store
	Watched
	Observed
	// Session is a session with its mail; NotFound when there is none.
	Session(ctx context.Context, organization, id string) (Session, error)
}

// Notifier sends the mail that sessions owe, and sweeps what nobody came back to.
type Notifier struct {
	store    Delivery
	sessions *Sessions
	post     post
}

// NewNotifier stands on a store, the running sessions in it and a mailer.
func NewNotifier(store Delivery, sessions *Sessions, mailer Mailer) *Notifier {
	return &Notifier{store: store, sessions: sessions, post: post{store, mailer}}
}

// Deliver sends a session's notice, once however often it is asked (I8). An error
// means that it is to be asked again.
func (n *Notifier) Deliver(ctx context.Context, organization, session string, now time.Time) error {
	return n.post.hand(ctx, Mail{Organization: organization, About: session, Kind: NoticeMail}, now,
		func(m Mail) (Letter, error) { return m.NoticeLetter(), nil })
}

// Sweep looks at a session whose acting mark is gone. One that the clock has
// ended and nobody closed is closed with its true time and cause (I4); mail whose
// sender is gone becomes unknown (I8). The receipt of a session that is over is
// put into the outbox, so that it has a state even if the record that asks for it
// never comes through; it is left to that record to hand it over, because of two
// that hand over at once one makes the other's mail unknown.
func (n *Notifier) Sweep(ctx context.Context, organization, session string, now time.Time) error {
	s, err := n.store.Session(ctx, organization, session)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	}
	for _, m := range []Mail{s.Notice, s.Receipt} {
		if m.lost(now) {
			if err := n.post.settle(ctx, m, Unknown); err != nil {
				return err
			}
		}
	}
	_, cause := s.Over(now)
	settled, err := n.sessions.settle(ctx, s, now, "")
	if err != nil || !settled || cause == NoCause {
		return err
	}
	_, err = n.owe(ctx, s, now)
	return err
}
