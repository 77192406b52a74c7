package impersonation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// resume makes a request in the session, as this actor.
func (w *world) resume(t *testing.T, actor, id string) (impersonation.Session, error) {
	t.Helper()
	return w.sessions.Resume(t.Context(), w.org, actor, id, w.clock.Now())
}

func TestARequestKeepsASessionAlive(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	for range 11 {
		w.clock.Advance(5 * time.Minute)
		live, err := w.resume(t, admin, s.ID)
		must(t, err)
		now := w.clock.Now()
		if !live.Last.Equal(now) || !live.Idles.Equal(now.Add(5*time.Minute)) || live.Subject != s.Subject || live.Mode != impersonation.Full {
			t.Fatalf("I4: resumed as %+v", live)
		}
		if want := min(5*time.Minute, s.Ends.Sub(now)); live.Expires().Sub(now) != want {
			t.Fatalf("I5: expires in %s, want %s", live.Expires().Sub(now), want)
		}
	}
	w.clock.Advance(5 * time.Minute)
	if _, err := w.resume(t, admin, s.ID); code(err) != "impersonation_invalid" {
		t.Fatalf("I4 after 60 minutes: got %v", err)
	}
	w.ended(t, s.ID, impersonation.Expired, s.Ends)
}

// ended holds a session to its end, told once.
func (w *world) ended(t *testing.T, id string, cause impersonation.Cause, at time.Time) {
	t.Helper()
	s := w.session(t, id)
	if s.Cause != cause || !s.Ended.Equal(at) {
		t.Errorf("I4: ended %q at %s, want %q at %s", s.Cause, s.Ended, cause, at)
	}
	if mark, err := w.Acting(t.Context(), w.org, s.Actor.ID); mark.ID == id || err != nil {
		t.Errorf("I4: %s is still marked as acting (%v)", s.Actor.ID, err)
	}
	told := slices.DeleteFunc(w.entries(t, "end"), func(e timeline.Entry) bool { return e.Target.ID != id || e.Denied })
	if len(told) != 1 {
		t.Fatalf("I4: the end is told %d times, want once", len(told))
	}
	e := told[0]
	if e.Cause != cause.String() || !e.At.Equal(at) || e.Subject.ID != s.Subject.ID || e.Impersonator.ID != s.Actor.ID {
		t.Errorf("I4, I7: the entry is %+v", e)
	}
}

func TestIdleEnds(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(5*time.Minute + time.Millisecond)
	for range 2 {
		if _, err := w.resume(t, admin, s.ID); code(err) != "impersonation_invalid" {
			t.Fatalf("I4 idle: got %v", err)
		}
		w.clock.Advance(time.Hour)
	}
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestManyNoticeAnEndAtOnce(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(10 * time.Minute)
	parallel(8, func(int) string {
		_, err := w.sessions.Resume(t.Context(), w.org, admin, s.ID, w.clock.Now())
		return code(err)
	})
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestALateClockEndsNothing(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(2 * time.Minute)
	_, err := w.resume(t, admin, s.ID)
	must(t, err)
	// Another instance, whose clock is behind, handles a request meanwhile.
	_, err = w.sessions.Resume(t.Context(), w.org, admin, s.ID, w.clock.Now().Add(-time.Second))
	must(t, err)
	if kept := w.session(t, s.ID); !kept.Last.Equal(w.clock.Now()) {
		t.Errorf("I4: the last request went back to %s", kept.Last)
	}
}

func TestInvalidSessionsAnswerTheSame(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	over := w.start(t, local, maria)
	_, err := w.service.End(t.Context(), w.caller(t, local), over.ID)
	must(t, err)
	cases := map[string]struct{ organization, actor, id string }{
		"I3 somebody else's":         {w.org, local, s.ID},
		"I3 the subject's own token": {w.org, maria, s.ID},
		"I4 ended":                   {w.org, local, over.ID},
		"I3 none at all":             {w.org, admin, "nothing"},
		"I3 no id":                   {w.org, admin, "no id\n#"},
		"T4 another organization's":  {"other", admin, s.ID},
	}
	var first error
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := w.sessions.Resume(t.Context(), c.organization, c.actor, c.id, w.clock.Now())
			if !fault.Is(err, fault.Denied) || code(err) != "impersonation_invalid" {
				t.Fatalf("got %v", err)
			}
			if first == nil {
				first = err
			}
			if err.Error() != first.Error() {
				t.Errorf("told apart: %v and %v", err, first)
			}
		})
	}
	if kept := w.session(t, s.ID); !kept.Last.Equal(s.Last) || kept.Cause != impersonation.NoCause {
		t.Error("a refused request was activity in the session")
	}
}

func TestLost(t *testing.T) {
	w := newWorld(t)
	c := w.caller(t, admin, maria, manager, unpaired, local, bob, inactive)
	on, off := c.Organization.Settings, c.Organization.Settings
	off.Impersonation.Enabled = false
	retired := c.Users[admin]
	retired.Type = authz.Inactive
	cases := []struct {
		rule           string
		settings       directory.Settings
		actor, subject directory.User
		want           impersonation.Cause
	}{
		{"I5 nothing lost", on, c.Users[admin], c.Users[maria], impersonation.NoCause},
		{"I5 switched off", off, c.Users[admin], c.Users[maria], impersonation.SwitchedOff},
		{"I5 the actor inactive", on, retired, c.Users[maria], impersonation.WentInactive},
		{"I5 the subject inactive", on, c.Users[admin], c.Users[inactive], impersonation.WentInactive},
		{"I5 impersonate_user lost", on, c.Users[manager], c.Users[maria], impersonation.RightLost},
		{"I5 user administration lost", on, c.Users[unpaired], c.Users[maria], impersonation.RightLost},
		{"I5 the subject left the reach", on, c.Users[local], c.Users[bob], impersonation.RightLost},
	}
	for _, k := range cases {
		t.Run(k.rule, func(t *testing.T) {
			if got := impersonation.Lost(c.Model, k.settings, k.actor, k.subject, c.At); got != k.want {
				t.Errorf("got %q, want %q", got, k.want)
			}
		})
	}
}

func TestClose(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(time.Minute)
	at := w.clock.Now()
	for range 2 {
		must(t, w.sessions.Close(t.Context(), s, impersonation.RightLost, w.clock.Now(), "request"))
		w.clock.Advance(time.Minute)
	}
	w.ended(t, s.ID, impersonation.RightLost, at)
	late := w.start(t, admin, maria)
	w.clock.Advance(time.Hour)
	must(t, w.sessions.Close(t.Context(), late, impersonation.SwitchedOff, w.clock.Now(), "request"))
	w.ended(t, late.ID, impersonation.Idle, late.Started.Add(5*time.Minute))
}

func TestOver(t *testing.T) {
	s := impersonation.Session{Idles: noon.Add(5 * time.Minute), Ends: noon.Add(time.Hour)}
	last := s
	last.Idles = noon.Add(time.Hour)
	beyond := s
	beyond.Idles = noon.Add(time.Hour + time.Minute)
	written := s
	written.Cause, written.Ended = impersonation.Revoked, noon
	type end struct {
		At    time.Time
		Cause impersonation.Cause
	}
	cases := []struct {
		rule    string
		session impersonation.Session
		after   time.Duration
		want    end
	}{
		{"I4 five minutes without a request are not too long", s, 5 * time.Minute, end{}},
		{"I4 more are", s, 5*time.Minute + 1, end{s.Idles, impersonation.Idle}},
		{"I4 hours later it is still idleness that ended it", s, 9 * time.Hour, end{s.Idles, impersonation.Idle}},
		{"I4 the absolute end is over", beyond, time.Hour, end{s.Ends, impersonation.Expired}},
		{"I4 just before it is not", beyond, time.Hour - 1, end{}},
		{"I4 both at once is the absolute end", last, 2 * time.Hour, end{s.Ends, impersonation.Expired}},
		{"I4 what was written stands", written, 9 * time.Hour, end{noon, impersonation.Revoked}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			at, cause := c.session.Over(noon.Add(c.after))
			if diff := cmp.Diff(c.want, end{at, cause}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWordsRoundTrip(t *testing.T) {
	for m := impersonation.NoMode + 1; m < impersonation.ModeCount; m++ {
		if back, ok := impersonation.ParseMode(m.String()); !ok || back != m {
			t.Errorf("mode %d is %q and back %d", m, m, back)
		}
	}
	for c := impersonation.NoCause; c < impersonation.CauseCount; c++ {
		if back, ok := impersonation.ParseCause(c.String()); !ok || back != c {
			t.Errorf("cause %d is %q and back %d", c, c, back)
		}
	}
	for s := impersonation.NoMail + 1; s < impersonation.MailStatusCount; s++ {
		if back, ok := impersonation.ParseMailStatus(s.String()); !ok || back != s {
			t.Errorf("status %d is %q and back %d", s, s, back)
		}
	}
}
