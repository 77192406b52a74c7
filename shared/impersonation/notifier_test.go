package impersonation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// post takes letters, or answers fails; during is what happens while it does.
type post struct {
	letters []impersonation.Letter
	fails   error
	during  func()
}

func (p *post) Send(_ context.Context, l impersonation.Letter) error {
	p.letters = append(p.letters, l)
	if p.during != nil {
		p.during()
	}
	return p.fails
}

func (w *world) notifier(p *post) *impersonation.Notifier {
	return impersonation.NewNotifier(w.Store, w.sessions, p)
}

func (w *world) deliver(t *testing.T, p *post, id string) error {
	t.Helper()
	return w.notifier(p).Deliver(t.Context(), w.org, id, w.clock.Now())
}

func TestDeliver(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	p := &post{}
	for range 3 {
		must(t, w.deliver(t, p, s.ID))
	}
	if len(p.letters) != 1 || p.letters[0].To != "maria@example.org" {
		t.Errorf("I8: sent %v, want one mail to maria", p.letters)
	}
	if n := w.session(t, s.ID).Notice; n.Status != impersonation.Sent {
		t.Errorf("I8: the notice is %s", n.Status)
	}
}

func TestWhatBecameOfAMail(t *testing.T) {
	cases := []struct {
		rule   string
		fails  error
		status impersonation.MailStatus
		again  bool
	}{
		{"I8 refused for good", fault.New(fault.Unprocessable, "mail_refused", ""), impersonation.Failed, false},
		{"I8 nobody can tell", fault.New(fault.Internal, "mail_unclear", ""), impersonation.Unknown, false},
		{"I8 any other failure", errors.New("broken"), impersonation.Unknown, false},
		{"I8 not taken, for now", fault.New(fault.Unavailable, "mail_unavailable", ""), impersonation.Queued, true},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			s := w.start(t, admin, maria)
			p := &post{fails: c.fails}
			if err := w.deliver(t, p, s.ID); (err != nil) != c.again {
				t.Errorf("answered %v, wants to be asked again: %t", err, c.again)
			}
			if n := w.session(t, s.ID).Notice; n.Status != c.status {
				t.Errorf("the notice is %s, want %s", n.Status, c.status)
			}
			p.fails = nil
			must(t, w.deliver(t, p, s.ID))
			if want := map[bool]int{true: 2, false: 1}[c.again]; len(p.letters) != want {
				t.Errorf("handed over %d times, want %d", len(p.letters), want)
			}
		})
	}
}

func TestACrashBetweenHandOverAndRecord(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	p := &post{}
	claimed, err := w.ClaimMail(t.Context(), w.mail(s.ID, "crashed"), w.clock.Now())
	if err != nil || claimed.Status != impersonation.Sending {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	for range 2 {
		must(t, w.deliver(t, p, s.ID))
	}
	if n := w.session(t, s.ID).Notice; n.Status != impersonation.Unknown || len(p.letters) != 0 {
		t.Errorf("I8: the notice is %s and %d mails left, want unknown and none", n.Status, len(p.letters))
	}
}

func TestALostAnswerToAClaimKnowsItself(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	for range 2 {
		n, err := w.ClaimMail(t.Context(), w.mail(s.ID, "mine"), w.clock.Now())
		if err != nil || n.Status != impersonation.Sending || n.Attempt != "mine" {
			t.Errorf("I8: claimed as %+v, %v", n, err)
		}
	}
}

func TestWhoKnowsBetterSettlesTheUnknown(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	slow := &post{}
	slow.during = func() { must(t, w.deliver(t, &post{}, s.ID)) }
	must(t, w.deliver(t, slow, s.ID))
	if n := w.session(t, s.ID).Notice; n.Status != impersonation.Sent {
		t.Errorf("I8: the notice is %s, though its sender saw it sent", n.Status)
	}
	w2 := newWorld(t)
	s2 := w2.start(t, admin, maria)
	slow = &post{fails: fault.New(fault.Unavailable, "mail_unavailable", "")}
	slow.during = func() { must(t, w2.deliver(t, &post{}, s2.ID)) }
	if err := w2.deliver(t, slow, s2.ID); !fault.Is(err, fault.Unavailable) {
		t.Errorf("answered %v", err)
	}
	if n := w2.session(t, s2.ID).Notice; n.Status != impersonation.Unknown {
		t.Errorf("I8: the notice is %s, though a repeat had given it up", n.Status)
	}
}

func TestNoMailWhereNoneIsRequired(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, vendor, maria)
	p := &post{}
	must(t, w.deliver(t, p, s.ID))
	must(t, w.deliver(t, p, "nothing"))
	if len(p.letters) != 0 {
		t.Errorf("I8: sent %v", p.letters)
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	_, err := w.ClaimMail(t.Context(), w.mail(s.ID, "crashed"), w.clock.Now())
	must(t, err)
	sweep := func(id string) {
		t.Helper()
		must(t, w.notifier(&post{}).Sweep(t.Context(), w.org, id, w.clock.Now()))
	}
	sweep(s.ID)
	if kept := w.session(t, s.ID); kept.Cause != impersonation.NoCause || kept.Notice.Status != impersonation.Sending {
		t.Errorf("I4, I8: swept too early: %q, %s", kept.Cause, kept.Notice.Status)
	}
	w.clock.Advance(24 * time.Hour)
	sweep(s.ID)
	sweep(s.ID)
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
	if n := w.session(t, s.ID).Notice; n.Status != impersonation.Unknown {
		t.Errorf("I8: a notice left sending is %s", n.Status)
	}
	sweep("nothing")
}

func TestSweepLeavesTheNextSessionAlone(t *testing.T) {
	w := newWorld(t)
	first := w.start(t, admin, maria)
	w.clock.Advance(time.Hour)
	second := w.start(t, admin, bob)
	must(t, w.notifier(&post{}).Sweep(t.Context(), w.org, first.ID, w.clock.Now()))
	if mark, err := w.Acting(t.Context(), w.org, admin); mark.ID != second.ID || err != nil {
		t.Errorf("I1: the mark of the second session went with the first: %v, %v", mark, err)
	}
	w.ended(t, first.ID, impersonation.Idle, first.Started.Add(5*time.Minute))
}
