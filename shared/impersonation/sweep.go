package impersonation

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// This file is the sweep: nobody has to come back for a session to have its end,
// and no mail is forgotten. It judges by the clock alone. A session whose actor
// lost the right is not looked for: it ends in its next request, in which nothing
// succeeds (I5), or idles out first.

// Watched is what the sweep needs of storage.
type Watched interface {
	// Organizations are a page of all organizations' ids, with the place to go on
	// after, "" at the last.
	Organizations(ctx context.Context, page directory.Page) ([]string, string, error)
	// Sessions is Reading's.
	Sessions(ctx context.Context, organization string, of Selection, page directory.Page) ([]Session, string, error)
}

const (
	// SweepPeriod is how often the sweep comes; the schedule says the same.
	SweepPeriod = 5 * time.Minute
	// patience is how long a mail may be queued until the stream is taken to have
	// given it up. Two that hand a mail over at once can make it unknown, so the
	// sweep keeps off what may still be on its way.
	patience = 5 * time.Minute
	// sweepWindow is how far back a session can matter: the longest that one lasts,
	// and a day for what is wrong with its mail to be seen.
	sweepWindow = directory.MostAbsoluteMinutes*time.Minute + 24*time.Hour
	// sweepPage is how many sessions are read at once: with their mail, one batch.
	sweepPage = 33
	// sweepReserve is the time before the context's end in which no session is
	// begun: one with a mail to hand over takes seconds.
	sweepReserve = 15 * time.Second
	// sweptAbreast is how many organizations are swept at the same time.
	sweptAbreast = 4
	// organizationsPage is how many organizations are listed at once.
	organizationsPage = 1000
)

// Swept is what a sweep found of one organization. Stuck counts the mail that was
// waiting, or being handed over, for too long; Failed and Unknown that of the last
// two days which never went, or may not have gone (I8).
type Swept struct {
	Organization           string
	Sessions, Ended        int
	Stuck, Failed, Unknown int
	Err                    error
}

// SweepAll looks at the last sessions of every organization, closes those that the
// clock has ended and sees to their mail. It tells of each organization as it comes,
// and goes on past one that fails. It answers for how many there was no time; due,
// when the sweep was to come, decides where it begins, so that those are others the
// next time. An error means that it is to come again.
func (n *Notifier) SweepAll(ctx context.Context, due time.Time, now func() time.Time, tell func(Swept)) (left int, err error) {
	all, err := n.organizations(ctx)
	failures := []error{err}
	var (
		mutex sync.Mutex
		group sync.WaitGroup
		queue = queued(all, beginning(due, len(all)))
	)
	for range sweptAbreast {
		group.Go(func() {
			for o := range queue {
				late := directory.Late(ctx, sweepReserve)
				found := Swept{Organization: o}
				if !late {
					found = n.organization(ctx, o, now)
				}
				mutex.Lock()
				if late {
					left++
				} else {
					failures = append(failures, found.Err)
					tell(found)
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	return left, errors.Join(failures...)
}

// organizations are all that could be listed.
func (n *Notifier) organizations(ctx context.Context) ([]string, error) {
	var all []string
	page := directory.Page{Limit: organizationsPage}
	for {
		some, end, err := n.store.Organizations(ctx, page)
		all = append(all, some...)
		if err != nil || end == "" {
			return all, err
		}
		page.After = end
	}
}

// queued hands out all, beginning at one of them.
func queued(all []string, begin int) <-chan string {
	queue := make(chan string, len(all))
	for i := range all {
		queue <- all[(begin+i)%len(all)]
	}
	close(queue)
	return queue
}

// beginning is where among n a sweep begins. Steps of the golden ratio go round
// evenly, however many there are: when a sweep gets through a part of them only,
// each is reached within about three times as many sweeps as there are such parts.
func beginning(due time.Time, n int) int {
	_, place := math.Modf(float64(due.Unix()/int64(SweepPeriod/time.Second)) * (math.Phi - 1))
	return int(place * float64(n))
}

// organization sweeps one, newest session first, as far back as one can matter.
func (n *Notifier) organization(ctx context.Context, o string, now func() time.Time) Swept {
	found := Swept{Organization: o}
	observers := sync.OnceValues(func() (Observing, error) { return n.store.Observers(ctx, o) })
	page := directory.Page{Limit: sweepPage}
	var failures []error
	for {
		sessions, end, err := n.store.Sessions(ctx, o, Selection{}, page)
		failures = append(failures, err)
		for _, s := range sessions {
			if directory.Late(ctx, sweepReserve) {
				end, failures = "", append(failures, fault.New(fault.Unavailable, "late", ""))
				break
			}
			at := now()
			if at.Sub(s.Started) > sweepWindow {
				end = ""
				break
			}
			found.Sessions++
			failures = append(failures, n.look(ctx, s, at, observers, &found))
		}
		if err != nil || end == "" {
			found.Err = errors.Join(append(failures, n.remind(ctx, o, now(), observers))...)
			return found
		}
		page.After = end
	}
}

// look closes a session that the clock has ended (I4), sees to its mail (I8), and
// tells observers again of whom it is on.
// What was wrong with either goes into found.
func (n *Notifier) look(ctx context.Context, s Session, now time.Time, observers func() (Observing, error), found *Swept) error {
	var failures []error
	if _, over := s.Over(now); over != s.Cause {
		ended, err := n.sessions.settle(ctx, s, now, "")
		if ended {
			found.Ended++
		}
		failures = append(failures, err)
	}
	if s.Cause != NoCause {
		var err error
		s.Receipt, err = n.owe(ctx, s, now)
		failures = append(failures, err)
	}
	for _, m := range []Mail{s.Notice, s.Receipt} {
		failures = append(failures, n.seeTo(ctx, s, m, now, observers, found))
	}
	failures = append(failures, n.remindStart(ctx, s, now, observers))
	return errors.Join(failures...)
}

// seeTo hands a mail over again that the stream has given up, says unknown of one
// whose sender is gone, and tells observers of one that has not gone then.
func (n *Notifier) seeTo(ctx context.Context, s Session, m Mail, now time.Time, observers func() (Observing, error), found *Swept) error {
	var failed error
	switch {
	case m.lost(now):
		found.Stuck++
		failed = n.post.settle(ctx, m, Unknown)
		m.Status = Unknown
	case m.stuck(now):
		found.Stuck++
		failed = n.again(ctx, m, now)
		var err error
		if m, err = n.mail(ctx, m); err != nil {
			return errors.Join(failed, err)
		}
	}
	switch {
	case m.Status == Failed:
		found.Failed++
	case m.Status == Unknown:
		found.Unknown++
	case !m.stuck(now):
		return failed
	}
	to, err := observers()
	if err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, n.alert(ctx, to, stuckAlert(s, m, now), now))
}

// stuck tells whether the mail has been waiting for longer than the stream makes it
// wait.
func (m Mail) stuck(now time.Time) bool { return m.Status == Queued && now.Sub(m.Made) > patience }

// again hands a session's mail over once more.
func (n *Notifier) again(ctx context.Context, m Mail, now time.Time) error {
	if m.Kind == ReceiptMail {
		return n.Receipt(ctx, m.Organization, m.About, now)
	}
	return n.Deliver(ctx, m.Organization, m.About, now)
}

// mail is the mail of m's name as it is now.
func (n *Notifier) mail(ctx context.Context, m Mail) (Mail, error) {
	now, err := n.store.Mails(ctx, []Mail{m})
	if err != nil {
		return Mail{}, err
	}
	return now[0], nil
}
