package impersonation

import (
	"context"
	"time"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// This file tells the subject of a session what happened in it.

// Receipt sends the receipt of a session that is over, once however often it is
// asked; one that lasts has none yet. An error means that it is to be asked again.
func (n *Notifier) Receipt(ctx context.Context, organization, session string, now time.Time) error {
	s, err := n.store.Session(ctx, organization, session)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case s.Cause == NoCause:
		return nil
	}
	if s.Receipt, err = n.owe(ctx, s, now); err != nil || s.Receipt.Status != Queued && s.Receipt.Status != Sending {
		return err
	}
	// Read before the mail is claimed: who dies meanwhile leaves it queued.
	a, err := n.account(ctx, s)
	if err != nil {
		return err
	}
	return n.post.hand(ctx, s.Receipt, now, func(m Mail) (Letter, error) { return m.receiptLetter(s, a), nil })
}

// owe puts the receipt of a session that is over into the outbox, if it is not
// there.
func (n *Notifier) owe(ctx context.Context, s Session, now time.Time) (Mail, error) {
	if s.Receipt.Status != NoMail {
		return s.Receipt, nil
	}
	m := s.Notice.receipt()
	m.Made = now
	return m, n.store.QueueMail(ctx, m)
}

const (
	// mostTold is how many changes a receipt tells in sentences.
	mostTold = 100
	// mostPages bounds what is read of the timeline for a receipt; a page is up to
	// a thousand entries.
	mostPages = 5
)

// account reads what was done and tried in a session that is over (I7).
func (n *Notifier) account(ctx context.Context, s Session) (account, error) {
	var a account
	page := timeline.Page{Limit: 1000}
	acts := timeline.Acts{Session: s.ID, Actor: s.Actor.ID, From: s.Started, To: s.Ended}
	for range mostPages {
		entries, end, err := timeline.InSession(ctx, n.store, s.Organization, acts, page)
		if err != nil {
			return account{}, err
		}
		for _, e := range entries {
			a.add(e)
		}
		if end == "" {
			return a, nil
		}
		page.After = end
	}
	a.open = true
	return a, nil
}

// add takes an entry into the account.
func (a *account) add(e timeline.Entry) {
	switch {
	case e.Denied:
		a.refused++
	case len(a.done) < mostTold:
		a.done = append(a.done, e.Sentence())
	default:
		a.more++
	}
}
