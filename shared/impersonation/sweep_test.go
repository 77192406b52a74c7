package impersonation_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// sweeping is a sweep of all organizations by a notifier; what it found, by
// organization, and for how many there was no time.
func sweeping(ctx context.Context, n *impersonation.Notifier, now func() time.Time) (map[string]impersonation.Swept, int, error) {
	found := map[string]impersonation.Swept{}
	left, err := n.SweepAll(ctx, now(), now, func(s impersonation.Swept) { found[s.Organization] = s })
	return found, left, err
}

// swept is what a sweep that must succeed finds of the world's organization.
func (w *world) swept(t *testing.T, p *post) impersonation.Swept {
	t.Helper()
	found, left, err := sweeping(t.Context(), w.notifier(p), w.clock.Now)
	must(t, err)
	if left != 0 || len(found) != 1 {
		t.Fatalf("%d left, found %+v", left, found)
	}
	return found[w.org]
}

func TestASweepEndsWhatNobodyCameBackTo(t *testing.T) {
	w := newWorld(t)
	idle := w.start(t, admin, maria)
	kept := w.start(t, local, maria)
	gone := w.start(t, remote, maria)
	_, err := w.service.End(t.Context(), w.caller(t, remote), gone.ID)
	must(t, err)
	if s := w.swept(t, &post{}); s.Ended != 0 || s.Sessions != 3 {
		t.Errorf("I4: a first sweep found %+v", s)
	}
	for range 14 {
		w.clock.Advance(4 * time.Minute)
		_, err := w.resume(t, local, kept.ID)
		must(t, err)
	}
	running := w.start(t, vendor, bob)
	w.clock.Advance(4 * time.Minute)
	for _, want := range []int{2, 0, 0} {
		if s := w.swept(t, &post{}); s.Ended != want || s.Sessions != 4 {
			t.Errorf("I4: a sweep found %+v, want %d ended of 4", s, want)
		}
	}
	w.ended(t, idle.ID, impersonation.Idle, idle.Started.Add(5*time.Minute))
	w.ended(t, kept.ID, impersonation.Expired, kept.Ends)
	w.ended(t, gone.ID, impersonation.SignedOut, gone.Started)
	if s := w.session(t, running.ID); s.Cause != impersonation.NoCause {
		t.Errorf("I4: a session under way was ended: %s", s.Cause)
	}
}

func TestASweepGoesBackAsFarAsASessionCanMatter(t *testing.T) {
	w := newWorld(t, func(s *directory.Settings) { s.Impersonation.AbsoluteMinutes = directory.MostAbsoluteMinutes })
	s := w.start(t, admin, maria)
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{48 * time.Hour, 1}, {time.Millisecond, 0}} {
		w.clock.Advance(c.wait)
		if found := w.swept(t, &post{}); found.Sessions != c.want {
			t.Errorf("%s after its start it is one of %d that are looked at, want %d", w.clock.Now().Sub(s.Started), found.Sessions, c.want)
		}
	}
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestASweepReadsAllPages(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for range 70 {
		ids = append(ids, w.start(t, admin, maria).ID)
		w.clock.Advance(6 * time.Minute)
	}
	if found := w.swept(t, &post{}); found.Sessions != len(ids) || found.Ended != 1 {
		t.Errorf("I4: a sweep found %+v of %d sessions, of which the last is open", found, len(ids))
	}
}

func TestASweepSeesToMail(t *testing.T) {
	refused := fault.New(fault.Unprocessable, "mail_refused", "")
	later := fault.New(fault.Unavailable, "mail_unavailable", "")
	for _, c := range []struct {
		rule  string
		leave func(*testing.T, *world, string)
		fails error
		age   time.Duration
		want  impersonation.Swept
		then  impersonation.MailStatus
		mails int
		again bool
	}{
		{"I8 the stream still has time", nil, nil, 5 * time.Minute, impersonation.Swept{}, impersonation.Queued, 0, false},
		{"I8 the stream gave it up", nil, nil, 5*time.Minute + time.Millisecond, impersonation.Swept{Stuck: 1}, impersonation.Sent, 1, false},
		{"I8 and it is refused then", nil, refused, time.Hour, impersonation.Swept{Stuck: 1, Failed: 1}, impersonation.Failed, 1, false},
		{"I8 and it is not taken either", nil, later, time.Hour, impersonation.Swept{Stuck: 1}, impersonation.Queued, 1, true},
		{"I8 its sender may be there", crashed, nil, 15 * time.Minute, impersonation.Swept{}, impersonation.Sending, 0, false},
		{"I8 its sender is gone", crashed, nil, 15*time.Minute + time.Millisecond, impersonation.Swept{Stuck: 1, Unknown: 1}, impersonation.Unknown, 0, false},
		{"I8 it is out", sent, nil, time.Hour, impersonation.Swept{}, impersonation.Sent, 0, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			s := w.start(t, admin, maria)
			_, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
			must(t, err)
			if c.leave != nil {
				c.leave(t, w, s.ID)
			}
			w.clock.Advance(c.age)
			p := &post{fails: c.fails}
			found, _, err := sweeping(t.Context(), w.notifier(p), w.clock.Now)
			if (err != nil) != c.again {
				t.Errorf("it answers %v, wants to come again: %t", err, c.again)
			}
			got := found[w.org]
			got.Err, got.Organization, got.Sessions = nil, "", 0
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if n := w.session(t, s.ID).Notice; n.Status != c.then || len(p.letters) != c.mails {
				t.Errorf("the notice is %s after %d hand-overs, want %s after %d", n.Status, len(p.letters), c.then, c.mails)
			}
		})
	}
}

// crashed leaves the notice to a sender that is not there any more; sent sends it.
func crashed(t *testing.T, w *world, id string) {
	_, err := w.ClaimMail(t.Context(), w.mail(id, "crashed"), w.clock.Now())
	must(t, err)
}

func sent(t *testing.T, w *world, id string) { must(t, w.deliver(t, &post{}, id)) }

// manyOf is a store of more organizations than the one, which are empty, and of
// which some cannot be read.
type manyOf struct {
	impersonation.Delivery
	all    []string
	next   string
	broken map[string]error
}

func (m manyOf) Organizations(_ context.Context, page directory.Page) ([]string, string, error) {
	if page.After != "" {
		return nil, "", errList
	}
	return m.all, m.next, nil
}

var errList = errors.New("no further page")

func (m manyOf) Sessions(ctx context.Context, o string, of impersonation.Selection, page directory.Page) ([]impersonation.Session, string, error) {
	if err := m.broken[o]; err != nil {
		return nil, "", err
	}
	return m.Delivery.Sessions(ctx, o, of, page)
}

func TestOneOrganizationsFailureHidesNoOthers(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(time.Hour)
	failed := errors.New("not to be read")
	store := manyOf{w.Store, []string{"a", w.org, "z"}, "", map[string]error{"a": failed, "z": failed}}
	found, left, err := sweeping(t.Context(), impersonation.NewNotifier(store, w.sessions, &post{}), w.clock.Now)
	if !errors.Is(err, failed) || left != 0 || len(found) != 3 || found["a"].Err == nil || found["z"].Err == nil || found[w.org].Err != nil {
		t.Errorf("left %d, %v: %+v", left, err, found)
	}
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestAListThatBreaksOffIsSweptAsFarAsItGoes(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(time.Hour)
	store := manyOf{Delivery: w.Store, all: []string{w.org}, next: "more"}
	if _, _, err := sweeping(t.Context(), impersonation.NewNotifier(store, w.sessions, &post{}), w.clock.Now); !errors.Is(err, errList) {
		t.Errorf("nobody learns of it: %v", err)
	}
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestASweepStopsBeforeItsTime(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(time.Hour)
	late, cancel := context.WithTimeout(t.Context(), 14*time.Second)
	defer cancel()
	found, left, err := sweeping(late, w.notifier(&post{}), w.clock.Now)
	if len(found) != 0 || left != 1 || err != nil {
		t.Errorf("%d left, %v: %+v", left, err, found)
	}
	if s := w.session(t, s.ID); s.Cause != impersonation.NoCause {
		t.Errorf("it ended %s", s.Cause)
	}
}

// TestOneEndHoweverManyNoticeIt lets whoever can notice an end do so at the same
// time, each by a store of its own and a clock that is a little off.
func TestOneEndHoweverManyNoticeIt(t *testing.T) {
	for _, c := range []struct {
		rule  string
		wait  time.Duration
		cause impersonation.Cause
	}{
		{"I4 it idled out", 6 * time.Minute, impersonation.Idle},
		{"I4 it expired", 70 * time.Minute, impersonation.Expired},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t, func(s *directory.Settings) {
				if c.cause == impersonation.Expired {
					s.Impersonation.AbsoluteMinutes = 4
				}
			})
			for round := range 6 {
				s := w.start(t, admin, maria)
				w.clock.Advance(c.wait)
				said := parallel(10, func(i int) string { return w.notices(t, i, s) })
				for i, code := range said {
					if code != "" && code != "impersonation_invalid" && code != "already_impersonating" && code != "raced" {
						t.Fatalf("round %d: %d is told %q", round, i, code)
					}
				}
				at := s.Started.Add(5 * time.Minute)
				if c.cause == impersonation.Expired {
					at = s.Ends
				}
				w.ended(t, s.ID, c.cause, at)
				w.clock.Advance(c.wait)
				w.swept(t, &post{})
			}
		})
	}
}

// notices is one of those who notice an end; the code of its failure.
func (w *world) notices(t *testing.T, who int, s impersonation.Session) string {
	store := w.open()
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	service := impersonation.NewService(store, sessions, w.pool)
	now := func() time.Time { return w.clock.Now().Add(time.Duration(who-5) * time.Second) }
	var err error
	switch who % 5 {
	case 0:
		_, _, err = sweeping(t.Context(), impersonation.NewNotifier(store, sessions, &post{}), now)
	case 1:
		_, err = sessions.Resume(t.Context(), w.org, admin, s.ID, now())
	case 2:
		_, _, err = service.List(t.Context(), w.caller(t, system), impersonation.Query{}, directory.Page{Limit: 50})
	case 3:
		_, err = service.Start(t.Context(), w.caller(t, admin, bob), w.password(admin, bob))
	case 4:
		_, err = service.End(t.Context(), w.caller(t, system), s.ID)
	}
	if err == nil {
		return ""
	}
	if fault.IsRaced(err) {
		return "raced"
	}
	return code(err)
}

// TestASweepOfAnotherClock: requests keep a session alive by their clock while
// sweeps by a clock that is ahead find it over. Whoever is first decides; there is
// one end at most, at the time of the last request and no other.
func TestASweepOfAnotherClock(t *testing.T) {
	for round := range 8 {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		w.clock.Advance(time.Minute)
		ahead := func() time.Time { return w.clock.Now().Add(5 * time.Minute) }
		parallel(6, func(i int) string {
			store := w.open()
			sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
			if i%2 == 0 {
				_, err := sessions.Resume(t.Context(), w.org, admin, s.ID, w.clock.Now().Add(time.Duration(i)*time.Millisecond))
				return code(err)
			}
			_, _, err := sweeping(t.Context(), impersonation.NewNotifier(store, sessions, &post{}), ahead)
			return code(err)
		})
		kept := w.session(t, s.ID)
		switch kept.Cause {
		case impersonation.NoCause:
			if len(w.entries(t, "end")) != 0 {
				t.Errorf("round %d: I4: a session that lasts has an end", round)
			}
		case impersonation.Idle:
			w.ended(t, s.ID, impersonation.Idle, kept.Idles)
			if _, err := w.resume(t, admin, s.ID); code(err) != "impersonation_invalid" {
				t.Errorf("round %d: I4: an ended session goes on: %v", round, err)
			}
		default:
			t.Errorf("round %d: I4: it ended %s", round, kept.Cause)
		}
	}
}

// TestASweepBesideRequestsEndsNothingThatLasts: sweeps all the time, and requests
// that keep a session alive: none of them fails, and there is no end.
func TestASweepBesideRequestsEndsNothingThatLasts(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	over := make(chan struct{})
	var sweeps sync.WaitGroup
	for range 2 {
		sweeps.Go(func() {
			n := impersonation.NewNotifier(w.open(), w.sessions, &post{})
			for {
				select {
				case <-over:
					return
				default:
					_, _, _ = sweeping(t.Context(), n, w.clock.Now)
				}
			}
		})
	}
	for i := range 11 {
		w.clock.Advance(5 * time.Minute)
		if _, err := w.resume(t, admin, s.ID); err != nil {
			// The very millisecond in which it idles out still lasts, so nobody may
			// have ended it.
			t.Errorf("I4: request %d: %v", i, err)
		}
	}
	close(over)
	sweeps.Wait()
	if told := w.entries(t, "end"); len(told) != 0 {
		t.Errorf("I4: the end is told: %v", told)
	}
	_, err := w.service.End(t.Context(), w.caller(t, system), s.ID)
	must(t, err)
	w.ended(t, s.ID, impersonation.Revoked, w.clock.Now())
}

// TestMailIsHandedOverOnceHoweverManySweep: the sweeps of several instances, and the
// stream, find the same stuck mail.
func TestMailIsHandedOverOnceHoweverManySweep(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(10 * time.Minute)
	var letters [6]post
	parallel(len(letters), func(i int) string {
		_, _, err := sweeping(t.Context(), impersonation.NewNotifier(w.open(), w.sessions, &letters[i]), w.clock.Now)
		return code(err)
	})
	all := map[string]int{}
	for _, p := range letters {
		for _, l := range p.letters {
			all[l.To]++
		}
	}
	if !maps.Equal(all, map[string]int{"maria@example.org": 1}) {
		t.Errorf("I8: mails went to %v, want one", all)
	}
	if n := w.session(t, s.ID).Notice; n.Status != impersonation.Sent {
		t.Errorf("I8: the notice is %s", n.Status)
	}
}

func TestAReceiptThatNobodyAskedFor(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	must(t, w.deliver(t, &post{}, s.ID))
	p := &post{}
	for i, want := range []impersonation.MailStatus{impersonation.NoMail, impersonation.Queued, impersonation.Sent, impersonation.Sent} {
		w.clock.Advance(6 * time.Minute)
		w.swept(t, p)
		if r := w.session(t, s.ID).Receipt; r.Status != want {
			t.Errorf("I8: after sweep %d the receipt is %q, want %q", i, r.Status, want)
		}
	}
	if len(p.letters) != 1 || p.letters[0].To != "maria@example.org" {
		t.Errorf("I8: mails: %v", p.letters)
	}
}
