package impersonation_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// try starts as maria with this password, and signs out again when it works.
func (w *world) try(t *testing.T, username, given string) error {
	t.Helper()
	c := w.caller(t, admin, maria)
	s, err := w.service.Start(t.Context(), c, impersonation.Request{
		Subject: maria, Credentials: &impersonation.Credentials{Username: username, Password: given},
	})
	if err == nil {
		_, endErr := w.service.End(t.Context(), c, s.ID)
		must(t, endErr)
	}
	return err
}

func TestWrongProof(t *testing.T) {
	w := newWorld(t)
	for range 4 {
		if err := w.try(t, w.username(admin), "wrong"); code(err) != "reauthentication_failed" || !fault.Is(err, fault.Denied) {
			t.Fatalf("I2: got %v, want reauthentication_failed", err)
		}
	}
	asked := w.pool.asked
	if err := w.try(t, w.username(maria), "right"); code(err) != "reauthentication_failed" || w.pool.asked != asked {
		t.Fatalf("I2 the target's own password: got %v, asked %t", err, w.pool.asked != asked)
	}
	w.clock.Advance(time.Minute)
	for _, given := range []string{"right", "wrong"} {
		err := w.try(t, w.username(admin), given)
		if code(err) != "too_many_attempts" || !fault.Is(err, fault.TooMany) || fault.Of(err).RetryAfter != 14*time.Minute {
			t.Fatalf("I2 after five: got %v, retry after %s", err, fault.Of(err).RetryAfter)
		}
	}
	c := w.caller(t, admin, maria)
	r := impersonation.Request{Subject: maria, SignIn: w.signIn(admin, c.At, "fresh")}
	if _, err := w.service.Start(t.Context(), c, r); code(err) != "too_many_attempts" {
		t.Fatalf("I2 after five, by a fresh sign-in: got %v", err)
	}
	if w.pool.asked != asked {
		t.Error("I2: the pool was asked after five failures")
	}
	var causes []string
	for _, e := range w.entries(t, "start") {
		if e.Denied && e.Target.ID == maria && e.Subject.ID == admin {
			causes = append(causes, e.Cause)
		}
	}
	slices.Sort(causes)
	if want := append(slices.Repeat([]string{"reauthentication_failed"}, 5), slices.Repeat([]string{"too_many_attempts"}, 3)...); !slices.Equal(causes, want) {
		t.Errorf("I2: the timeline has %q, want %q", causes, want)
	}
	w.clock.Advance(14*time.Minute - time.Millisecond)
	if err := w.try(t, w.username(admin), "right"); code(err) != "too_many_attempts" {
		t.Errorf("I2 just before the first of five is 15 minutes old: got %v", err)
	}
	w.clock.Advance(time.Millisecond)
	must(t, w.try(t, w.username(admin), "right"))
}

func TestOnlyFailuresInTheWindowCount(t *testing.T) {
	w := newWorld(t)
	// A failure every four minutes never makes five in fifteen.
	for range 12 {
		if err := w.try(t, w.username(admin), "wrong"); code(err) != "reauthentication_failed" {
			t.Fatalf("I2: got %v", err)
		}
		must(t, w.try(t, w.username(admin), "right"))
		w.clock.Advance(4 * time.Minute)
	}
}

func TestASuccessForgivesNothing(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		must(t, w.try(t, w.username(admin), "right"))
		if err := w.try(t, w.username(admin), "wrong"); code(err) != "reauthentication_failed" {
			t.Fatalf("I2: got %v", err)
		}
	}
	if err := w.try(t, w.username(admin), "right"); code(err) != "too_many_attempts" {
		t.Errorf("I2: got %v, want too_many_attempts", err)
	}
}

func TestParallelProofsCannotSlipThrough(t *testing.T) {
	w := newWorld(t)
	c := w.caller(t, admin, maria)
	r := w.password(admin, maria)
	r.Credentials.Password = "wrong"
	codes := parallel(16, func(int) string {
		_, err := w.service.Start(t.Context(), c, r)
		return code(err)
	})
	failed := len(slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return c != "reauthentication_failed" }))
	if failed != 5 || w.pool.asked != 5 {
		t.Errorf("I2: %d proofs failed and the pool was asked %d times of 16 at once, want 5: %q", failed, w.pool.asked, codes)
	}
}

func TestAPoolThatCannotTellCountsForNothing(t *testing.T) {
	w := newWorld(t)
	w.pool.fails = fault.Wrap(fault.Unavailable, "sign_in_unavailable", errPool)
	for range 6 {
		if err := w.try(t, w.username(admin), "right"); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v, want Unavailable", err)
		}
	}
	w.pool.fails = nil
	must(t, w.try(t, w.username(admin), "right"))
}

// signIn is what the claims of somebody's token tell.
func (w *world) signIn(user string, at time.Time, id string) impersonation.SignIn {
	return impersonation.SignInOf(map[string]string{
		"sub": w.sub(user), "auth_time": strconv.FormatInt(at.Unix(), 10), "origin_jti": id,
	})
}

func TestFreshSignIn(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	cases := []struct {
		rule   string
		signIn impersonation.SignIn
		code   string
	}{
		{"I2 61 seconds old", w.signIn(admin, now.Add(-61*time.Second), "a"), "reauthentication_needed"},
		{"I2 in the future", w.signIn(admin, now.Add(time.Second), "b"), "reauthentication_needed"},
		{"I2 somebody else's", w.signIn(maria, now, "c"), "reauthentication_needed"},
		{"I2 a token that does not say when", impersonation.SignInOf(map[string]string{"sub": w.sub(admin), "origin_jti": "d"}), "reauthentication_needed"},
		{"I2 a time that is none", impersonation.SignInOf(map[string]string{"sub": w.sub(admin), "auth_time": "1e9"}), "reauthentication_needed"},
		{"I2 no sign-in", impersonation.SignIn{}, "reauthentication_needed"},
		{"I2 60 seconds old", w.signIn(admin, now.Add(-60*time.Second), "e"), ""},
		{"I2 used for a start before", w.signIn(admin, now.Add(-60*time.Second), "e"), "reauthentication_needed"},
		{"I2 a refresh of one that was used", w.signIn(admin, now, "e"), "reauthentication_needed"},
		{"I2 just now", w.signIn(admin, now, "f"), ""},
		{"I2 known by its time alone", w.signIn(admin, now, ""), ""},
		{"I2 known by its time alone, used before", w.signIn(admin, now, ""), "reauthentication_needed"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			caller := w.caller(t, admin, maria)
			s, err := w.service.Start(t.Context(), caller, impersonation.Request{Subject: maria, SignIn: c.signIn})
			if code(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if err == nil {
				_, err := w.service.End(t.Context(), caller, s.ID)
				must(t, err)
			}
		})
	}
	if a, err := w.Attempts(t.Context(), w.org, admin); len(a.Recent) != 0 || err != nil {
		t.Errorf("I2: a sign-in is no guess, and yet %d were counted (%v)", len(a.Recent), err)
	}
}

func TestASignInWorksOnceAtOnce(t *testing.T) {
	w := newWorld(t)
	callers := []directory.Caller{w.caller(t, admin, maria), w.caller(t, admin, maria)}
	used := w.signIn(admin, w.clock.Now(), "once")
	codes := parallel(2, func(i int) string {
		s, err := w.service.Start(t.Context(), callers[i], impersonation.Request{Subject: maria, SignIn: used})
		if err == nil {
			_, err = w.service.End(t.Context(), callers[i], s.ID)
		}
		return code(err)
	})
	slices.Sort(codes)
	if codes[0] != "" || codes[1] == "" {
		t.Errorf("I2: two uses of one sign-in at once gave %q, want one start", codes)
	}
	if n := len(w.starts(t)); n != 1 {
		t.Errorf("I2: %d sessions by one sign-in", n)
	}
}

// starts are the timeline's starts that were done.
func (w *world) starts(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, e := range w.entries(t, "start") {
		if !e.Denied {
			ids = append(ids, e.Target.ID)
		}
	}
	return ids
}
