package impersonation_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

func TestStartBeginsASession(t *testing.T) {
	w := newWorld(t)
	r := w.password(admin, maria)
	r.Reason, r.Mode = "set up the board", impersonation.ReadOnly
	s, err := w.service.Start(t.Context(), w.caller(t, admin, maria), r)
	must(t, err)
	at := noon.Add(time.Minute)
	want := impersonation.Session{
		ID: s.ID, Organization: w.org, Actor: directory.Named{ID: admin, Name: "The admin"}, Subject: directory.Named{ID: maria, Name: "The maria"},
		Mode: impersonation.ReadOnly, Reason: "set up the board", Started: at, Last: at,
		Idles: at.Add(5 * time.Minute), Ends: at.Add(time.Hour),
		Notice: impersonation.Mail{
			Organization: w.org, About: s.ID, Kind: impersonation.NoticeMail, Status: impersonation.Queued,
			To: "maria@example.org", Actor: "The admin", Product: "KaiNexus", Promised: true,
		},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("I3, I8: started (-want +got):\n%s", diff)
	}
	kept := w.session(t, s.ID)
	kept.Notice.Since, kept.Notice.Made = time.Time{}, time.Time{}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("I8: stored (-want +got):\n%s", diff)
	}
	if len(s.ID) < 36 || !directory.IsID(s.ID) {
		t.Errorf("I3: id %q has not 128 random bits after its time, or is no id", s.ID)
	}
}

func TestStartIsRefused(t *testing.T) {
	w := newWorld(t)
	cases := []struct {
		rule, actor, subject, code string
		kind                       fault.Kind
	}{
		{"I1 oneself", admin, admin, "self", fault.Unprocessable},
		{"I1, T4 oneself, out of one's own reach", remote, remote, "self", fault.Unprocessable},
		{"I1 an inactive user", admin, inactive, "subject_cannot_be_impersonated", fault.Unprocessable},
		{"I1 an offline user", admin, offline, "subject_cannot_be_impersonated", fault.Unprocessable},
		{"I1 a kiosk", admin, kiosk, "subject_cannot_be_impersonated", fault.Unprocessable},
		{"R10 without user administration", unpaired, maria, "denied", fault.Denied},
		{"R10 without impersonate_user", manager, maria, "denied", fault.Denied},
		{"R10 without any right", maria, bob, "denied", fault.Denied},
		{"T4 without any right, of nobody", maria, nobody, "denied", fault.Denied},
		{"T4 outside the reach", local, bob, "not_found", fault.NotFound},
		{"T4 who does not exist", admin, nobody, "not_found", fault.NotFound},
		{"T4 who does not exist, by a local one", local, nobody, "not_found", fault.NotFound},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			_, err := w.service.Start(t.Context(), w.caller(t, c.actor, c.subject), w.password(c.actor, c.subject))
			if code(err) != c.code || !fault.Is(err, c.kind) {
				t.Errorf("got %v, want %s %s", err, c.kind, c.code)
			}
			if s, err := w.Acting(t.Context(), w.org, c.actor); s.ID != "" || err != nil {
				t.Errorf("T3: %s acts in %v (%v)", c.actor, s, err)
			}
		})
	}
	if w.pool.asked != 0 {
		t.Errorf("the pool was asked %d times for starts that could not be", w.pool.asked)
	}
}

func TestStartAsWhom(t *testing.T) {
	for _, subject := range []string{setup, capture, wall, bob} {
		t.Run("I1 "+subject+" can be impersonated", func(t *testing.T) {
			newWorld(t).start(t, admin, subject)
		})
	}
	t.Run("R11 a local administrator within the reach", func(t *testing.T) {
		newWorld(t).start(t, local, maria)
	})
}

func TestStartIsRefusedBySettings(t *testing.T) {
	off := newWorld(t, func(s *directory.Settings) { s.Impersonation.Enabled = false })
	if _, err := off.service.Start(t.Context(), off.caller(t, admin, maria), off.password(admin, maria)); code(err) != "impersonation_disabled" {
		t.Errorf("I5 switched off: got %v", err)
	}
	reasons := newWorld(t, func(s *directory.Settings) { s.Impersonation.ReasonRequired = true })
	r := reasons.password(admin, maria)
	r.Reason = "  "
	if _, err := reasons.service.Start(t.Context(), reasons.caller(t, admin, maria), r); code(err) != "reason_required" || !fault.Is(err, fault.Unprocessable) {
		t.Errorf("I3 reasonRequired: got %v", err)
	}
	r.Reason = "because"
	_, err := reasons.service.Start(t.Context(), reasons.caller(t, admin, maria), r)
	must(t, err)
}

func TestNoStartWithinASession(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, manager)
	if _, err := w.service.Start(t.Context(), w.acting(t, s, maria), w.password(admin, maria)); code(err) != "in_session" {
		t.Errorf("I1, I6: got %v, want in_session", err)
	}
}

func TestOneSessionAnActor(t *testing.T) {
	w := newWorld(t)
	first := w.start(t, admin, maria)
	again := func() error {
		_, err := w.service.Start(t.Context(), w.caller(t, admin, bob), w.password(admin, bob))
		return err
	}
	w.clock.Advance(5 * time.Minute)
	if err := again(); code(err) != "already_impersonating" || !fault.Is(err, fault.Conflict) {
		t.Fatalf("I1: got %v, want already_impersonating", err)
	}
	w.clock.Advance(time.Millisecond)
	must(t, again())
	ended := w.session(t, first.ID)
	if ended.Cause != impersonation.Idle || !ended.Ended.Equal(first.Started.Add(5*time.Minute)) {
		t.Errorf("I4: the first ended %s at %s, want idle at its idle end", ended.Cause, ended.Ended)
	}
	if n := len(w.entries(t, "end")); n != 1 {
		t.Errorf("I4: %d entries tell of the end, want one", n)
	}
}

func TestTwoStartsAtOnce(t *testing.T) {
	w := newWorld(t)
	callers := []directory.Caller{w.caller(t, admin, maria), w.caller(t, admin, bob), w.caller(t, admin, capture)}
	subjects := []string{maria, bob, capture}
	codes := parallel(len(callers), func(i int) string {
		_, err := w.service.Start(t.Context(), callers[i], w.password(admin, subjects[i]))
		return code(err)
	})
	slices.Sort(codes)
	if want := []string{"", "already_impersonating", "already_impersonating"}; !slices.Equal(codes, want) {
		t.Errorf("I1: got %q, want %q", codes, want)
	}
	if n := len(w.starts(t)); n != 1 {
		t.Errorf("T1: %d entries of a start, want one", n)
	}
}

func TestNotice(t *testing.T) {
	cases := []struct {
		rule, actor, subject string
		status               impersonation.MailStatus
		why                  string
	}{
		{"I8 the subject gets the notice", admin, maria, impersonation.Queued, ""},
		{"I8 unless the actor is internal", vendor, maria, impersonation.NotRequired, "internal_actor"},
		{"I8 or the subject has no e-mail", local, capture, impersonation.NotRequired, "no_email"},
	}
	w := newWorld(t)
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			n := w.session(t, w.start(t, c.actor, c.subject).ID).Notice
			if n.Status != c.status || n.Why != c.why {
				t.Errorf("got %s %q, want %s %q", n.Status, n.Why, c.status, c.why)
			}
		})
	}
}

func TestStartIsInTheTimeline(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	entries := w.entries(t, "start")
	if len(entries) != 1 {
		t.Fatalf("T1: %d entries, want one", len(entries))
	}
	e := entries[0]
	if e.Denied || e.Subject.ID != maria || e.Impersonator.ID != admin || e.Target.ID != s.ID || !e.At.Equal(s.Started) || e.RequestID != "request" {
		t.Errorf("I7: the entry is %+v", e)
	}
}

func TestRefusalsAreInTheTimeline(t *testing.T) {
	w := newWorld(t)
	_, _ = w.service.Start(t.Context(), w.caller(t, maria, bob), w.password(maria, bob))
	_, _ = w.service.Start(t.Context(), w.caller(t, local, bob), w.password(local, bob))
	_, _ = w.service.Start(t.Context(), w.caller(t, admin, admin), w.password(admin, admin))
	var got []string
	for _, e := range w.entries(t, "start") {
		if !e.Denied || e.Target.Type != "user" {
			t.Errorf("T1: the entry is %+v", e)
		}
		got = append(got, strings.Join([]string{e.Subject.ID, e.Target.ID, e.Cause}, " "))
	}
	slices.Sort(got)
	if want := []string{"local bob not_found", "maria bob denied"}; !slices.Equal(got, want) {
		t.Errorf("T1: denied attempts are %q, want %q", got, want)
	}
}

func TestARacedStartBeginsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.caller(t, admin, maria)
	w.retire(t, maria)
	if _, err := w.service.Start(t.Context(), c, w.password(admin, maria)); !fault.IsRaced(err) {
		t.Errorf("got %v, want raced: the subject changed after it was read", err)
	}
	if s, err := w.Acting(t.Context(), w.org, admin); s.ID != "" || err != nil {
		t.Errorf("T3: acts in %v (%v)", s, err)
	}
}

func TestARepeatedStartIsKept(t *testing.T) {
	w := newWorld(t)
	c := w.caller(t, admin, maria)
	c.Once = directory.Once{Key: "key", Request: "asked", Encode: func(made any) []byte {
		s, _ := made.(impersonation.Session)
		return []byte(s.ID)
	}}
	s, err := w.service.Start(t.Context(), c, w.password(admin, maria))
	must(t, err)
	kept, found, err := w.Answered(t.Context(), w.org, admin, "key", w.clock.Now())
	if err != nil || !found || string(kept.Answer) != s.ID || kept.Request != "asked" {
		t.Errorf("T3: kept %v, %t, %v", kept, found, err)
	}
}

// parallel does n things at once and collects what they say.
func parallel(n int, do func(i int) string) []string {
	said := make([]string, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			said[i] = do(i)
		})
	}
	done.Wait()
	return said
}

var errPool = errors.New("the pool does not answer")
