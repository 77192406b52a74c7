package impersonation_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// slow is a pool that takes its time, so that proofs overlap. It counts what it is
// asked by password.
type slow struct {
	mu    sync.Mutex
	asked map[string]int
}

func (p *slow) Proof(_ context.Context, _, password, _ string) (bool, error) {
	p.mu.Lock()
	p.asked[password]++
	p.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	return password == "right", nil
}

// slowly is the world's service over such a pool.
func (w *world) slowly() (*impersonation.Service, *slow) {
	p := &slow{asked: map[string]int{}}
	return impersonation.NewService(w.Store, w.sessions, p), p
}

// counted is how often each word is there.
func counted(words []string) map[string]int {
	out := map[string]int{}
	for _, word := range words {
		out[word]++
	}
	return out
}

// TestTwentyStartsAtOnce: a button pressed twenty times is no guessing, so nobody is
// sent away for a quarter of an hour by attempts that turn out right.
func TestTwentyStartsAtOnce(t *testing.T) {
	w := newWorld(t)
	service, _ := w.slowly()
	c := w.caller(t, admin, maria)
	codes := counted(parallel(20, func(int) string {
		_, err := service.Start(t.Context(), c, w.password(admin, maria))
		return code(err)
	}))
	if codes[""] != 1 || codes["already_impersonating"] != 19 {
		t.Errorf("I1: %v, want one start and 19 already_impersonating", codes)
	}
	if n := len(w.starts(t)); n != 1 {
		t.Errorf("I1: %d sessions", n)
	}
	if a, err := w.Attempts(t.Context(), w.org, admin); err != nil || len(a.Recent) != 0 {
		t.Errorf("I2: right proofs are counted: %v, %v", a, err)
	}
}

// TestThirtyWrongProofsAtOnce: the pool never judges a sixth wrong one, whatever order
// they come in, and whether or not a right one is among them.
func TestThirtyWrongProofsAtOnce(t *testing.T) {
	for right, rule := range []string{"I2 all of them wrong", "I2 a right one among them"} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t)
			service, pool := w.slowly()
			c := w.caller(t, admin, maria)
			codes := counted(parallel(30, func(i int) string {
				r := w.password(admin, maria)
				if i >= right {
					r.Credentials.Password = "wrong"
				}
				_, err := service.Start(t.Context(), c, r)
				return code(err)
			}))
			// Once the right one has started its session, the rest is refused for that.
			if wrong := pool.asked["wrong"]; wrong > 5 || wrong != codes["reauthentication_failed"] || right == 0 && wrong != 5 {
				t.Errorf("the pool was asked about %v, the answers are %v", pool.asked, codes)
			}
			if codes[""]+codes["reauthentication_failed"]+codes["too_many_attempts"]+codes["already_impersonating"] != 30 {
				t.Errorf("the answers are %v", codes)
			}
			if _, err := service.Start(t.Context(), w.caller(t, vendor, maria), w.password(vendor, maria)); err != nil {
				t.Errorf("it is the actor's alone: %v", err)
			}
		})
	}
}

// TestTheTimeToWaitIsTrue goes to both sides of the border, and lets refused attempts
// come between: they do not count, so the time does not move.
func TestTheTimeToWaitIsTrue(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		if err := w.try(t, w.username(admin), "wrong"); code(err) != "reauthentication_failed" {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	for _, wait := range []time.Duration{10 * time.Minute, 7 * time.Minute, time.Second, time.Millisecond} {
		w.clock.Advance(-w.clock.Now().Sub(noon.Add(16*time.Minute - wait)))
		err := w.try(t, w.username(admin), "right")
		if code(err) != "too_many_attempts" || fault.Of(err).RetryAfter != wait {
			t.Errorf("I2: %v, to wait %v instead of %v", err, fault.Of(err).RetryAfter, wait)
		}
	}
	w.clock.Advance(time.Millisecond)
	must(t, w.try(t, w.username(admin), "right"))
}

// TestAnAttemptThatNeverEnded: a function that died while it asked the pool leaves an
// attempt that counts, and that nobody waits for.
func TestAnAttemptThatNeverEnded(t *testing.T) {
	w := newWorld(t)
	var left impersonation.Attempts
	for i := range 5 {
		left.Recent = append(left.Recent, impersonation.Attempt{ID: fmt.Sprint(i), At: w.clock.Now(), Open: true})
	}
	must(t, w.PutAttempts(t.Context(), w.org, admin, left))
	w.clock.Advance(31 * time.Second)
	before := time.Now()
	if err := w.try(t, w.username(admin), "right"); code(err) != "too_many_attempts" {
		t.Errorf("I2: %v", err)
	}
	if took := time.Since(before); took > 4*time.Second {
		t.Errorf("it was waited for, for %v", took)
	}
	w.clock.Advance(15 * time.Minute)
	must(t, w.try(t, w.username(admin), "right"))
}

// instance is another warm instance over the world's table, with a clock of its own.
type instance struct {
	clock    *fixture.Clock
	sessions *impersonation.Sessions
	service  *impersonation.Service
}

func (w *world) instance(off time.Duration) instance {
	clock := fixture.NewClock(w.clock.Now().Add(off))
	sessions := impersonation.NewSessions(w.Store, impersonation.DefaultIdle)
	return instance{clock, sessions, impersonation.NewService(w.Store, sessions, w.pool)}
}

func (w *world) seenBy(t *testing.T, i instance, id string, users ...string) directory.Caller {
	t.Helper()
	c := w.caller(t, id, users...)
	c.At = i.clock.Now()
	return c
}

// TestAClockStepsBack has two instances whose clocks differ by more than a session's
// pause. What went wrong elsewhere: a virtual machine was moved to a host whose clock
// was behind, and sessions that had ended were good again.
func TestAClockStepsBack(t *testing.T) {
	resume := func(w *world, i instance, s impersonation.Session) (impersonation.Session, error) {
		return i.sessions.Resume(t.Context(), w.org, admin, s.ID, i.clock.Now())
	}
	t.Run("I4 an ended session never revives", func(t *testing.T) {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		ahead, behind := w.instance(6*time.Minute), w.instance(-30*time.Minute)
		if _, err := resume(w, ahead, s); code(err) != "impersonation_invalid" {
			t.Fatalf("past its pause it lasts: %v", err)
		}
		for range 3 {
			if _, err := resume(w, behind, s); code(err) != "impersonation_invalid" {
				t.Fatalf("it is good again: %v", err)
			}
			behind.clock.Advance(15 * time.Minute)
		}
		w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
	})
	t.Run("I4 a request by a clock behind moves no end, back or forth", func(t *testing.T) {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		got, err := resume(w, w.instance(-30*time.Minute), s)
		if err != nil || !got.Idles.Equal(s.Idles) || !got.Last.Equal(s.Last) || !got.Ends.Equal(s.Ends) {
			t.Errorf("%+v, %v", got, err)
		}
		got, err = resume(w, w.instance(4*time.Minute), s)
		must(t, err)
		idles := got.Idles
		if _, err := resume(w, w.instance(0), s); err != nil {
			t.Fatal(err)
		}
		if now := w.session(t, s.ID); !now.Idles.Equal(idles) || !now.Last.Equal(s.Started.Add(4*time.Minute)) {
			t.Errorf("the pause ends at %v instead of %v", now.Idles, idles)
		}
	})
	t.Run("I4 the absolute end stands however the clocks take turns", func(t *testing.T) {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		a, b := w.instance(0), w.instance(-2*time.Minute)
		for step := 0; step < 59; step += 3 {
			for _, i := range []instance{a, b} {
				got, err := resume(w, i, s)
				if err != nil || !got.Ends.Equal(s.Ends) {
					t.Fatalf("after %d minutes: %v, %v", step, got.Ends, err)
				}
				i.clock.Advance(3 * time.Minute)
			}
		}
		if _, err := resume(w, a, s); code(err) != "impersonation_invalid" {
			t.Fatalf("at its end it lasts: %v", err)
		}
		if _, err := resume(w, b, s); code(err) != "impersonation_invalid" {
			t.Errorf("it is good again: %v", err)
		}
		w.ended(t, s.ID, impersonation.Expired, s.Ends)
	})
	t.Run("I4 nothing is told to have ended before its last request", func(t *testing.T) {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		ahead, behind := w.instance(2*time.Minute), w.instance(-10*time.Minute)
		_, err := resume(w, ahead, s)
		must(t, err)
		_, err = behind.service.End(t.Context(), w.seenBy(t, behind, admin), s.ID)
		must(t, err)
		w.ended(t, s.ID, impersonation.SignedOut, s.Started.Add(2*time.Minute))
	})
	t.Run("I1 a clock behind starts no second session", func(t *testing.T) {
		w := newWorld(t)
		w.start(t, admin, maria)
		behind := w.instance(-2 * time.Hour)
		if _, err := behind.service.Start(t.Context(), w.seenBy(t, behind, admin, bob), w.password(admin, bob)); code(err) != "already_impersonating" {
			t.Errorf("%v", err)
		}
	})
	t.Run("I2 wrong proofs of the future count", func(t *testing.T) {
		w := newWorld(t)
		for range 5 {
			if err := w.try(t, w.username(admin), "wrong"); code(err) != "reauthentication_failed" {
				t.Fatal(err)
			}
		}
		behind := w.instance(-2 * time.Hour)
		if _, err := behind.service.Start(t.Context(), w.seenBy(t, behind, admin, maria), w.password(admin, maria)); code(err) != "too_many_attempts" {
			t.Errorf("%v", err)
		}
	})
}

// TestAWordThatIsNoSession holds every kind of no to one answer and one silence: what
// is written before and after is the same (I5).
func TestAWordThatIsNoSession(t *testing.T) {
	w := newWorld(t)
	over, lasting := w.start(t, admin, maria), w.start(t, local, maria)
	_, err := w.service.End(t.Context(), w.caller(t, admin), over.ID)
	must(t, err)
	before := len(w.entries(t, "end"))
	var told []string
	for _, id := range []string{"", "none", over.ID, lasting.ID, "#", "a/b", string(make([]byte, 9000)), lasting.ID + ",x"} {
		_, err := w.resume(t, admin, id)
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%.20q: %v", id, err)
			continue
		}
		told = append(told, err.Error())
	}
	if len(slices.Compact(told)) != 1 {
		t.Errorf("I5: told apart: %q", told)
	}
	if n := len(w.entries(t, "end")); n != before {
		t.Errorf("%d entries were written", n-before)
	}
	if s := w.session(t, lasting.ID); !s.Last.Equal(lasting.Last) || s.Cause != impersonation.NoCause {
		t.Errorf("somebody else's session was touched: %+v", s)
	}
}

// TestARevocationRestsOnTheRight: whoever lost the right to revoke between reading and
// writing has revoked nothing, in person and within a session (I5).
func TestARevocationRestsOnTheRight(t *testing.T) {
	for _, c := range []struct {
		rule    string
		caller  func(*testing.T, *world) directory.Caller
		changes func(*testing.T, *world, directory.Caller)
		want    string
	}{
		{"the administrator went", func(t *testing.T, w *world) directory.Caller { return w.caller(t, system) },
			func(t *testing.T, w *world, _ directory.Caller) { w.retire(t, system) }, "raced"},
		{"the subject went", func(t *testing.T, w *world) directory.Caller { return w.acting(t, w.start(t, admin, manager)) },
			func(t *testing.T, w *world, _ directory.Caller) { w.retire(t, manager) }, "raced"},
		{"the session went", func(t *testing.T, w *world) directory.Caller { return w.acting(t, w.start(t, admin, manager)) },
			func(t *testing.T, w *world, c directory.Caller) {
				_, err := w.service.End(t.Context(), w.caller(t, admin), c.Session)
				must(t, err)
			}, "raced"},
		{"nothing changed", func(t *testing.T, w *world) directory.Caller { return w.acting(t, w.start(t, admin, manager)) },
			func(*testing.T, *world, directory.Caller) {}, ""},
	} {
		t.Run("I5 "+c.rule, func(t *testing.T) {
			w := newWorld(t)
			target := w.start(t, local, maria)
			caller := c.caller(t, w)
			c.changes(t, w, caller)
			_, err := w.service.End(t.Context(), caller, target.ID)
			if got := err != nil && fault.IsRaced(err); got != (c.want == "raced") || err != nil && !got {
				t.Errorf("%v, want %q", err, c.want)
			}
			if ended := w.session(t, target.ID).Cause != impersonation.NoCause; ended != (c.want == "") {
				t.Errorf("ended: %v", ended)
			}
		})
	}
	t.Run("I5 the actor signs out whatever has changed", func(t *testing.T) {
		w := newWorld(t)
		s := w.start(t, admin, maria)
		c := w.caller(t, admin)
		w.retire(t, maria)
		_, err := w.service.End(t.Context(), c, s.ID)
		must(t, err)
	})
}
