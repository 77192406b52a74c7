package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/shared/api"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

var today = directory.DayOf(now)

func markOf(user string, day directory.Day) string { return fmt.Sprint("riverside ", user, " ", day) }

// TestWhoseRequestIsMarked: any request of somebody signed in, a denied or failing
// one too; nobody's who was not let in. In a session it is the actor's.
func TestWhoseRequestIsMarked(t *testing.T) {
	session := map[string]string{"impersonation-session": "x"}
	for _, c := range []struct {
		name, sub, query string
		header           map[string]string
		seen             directory.Day
		inactive         bool
		failLoad, fail   error
		status           int
		want             []string
	}{
		{name: "done", sub: "root", status: 200, want: []string{"root"}},
		{name: "denied", sub: "nurse", status: 403, want: []string{"nurse"}},
		{name: "malformed", sub: "root", query: "%zz", status: 400, want: []string{"root"}},
		{name: "failed", sub: "root", fail: errors.New("fire"), status: 500, want: []string{"root"}},
		{name: "decided anew", sub: "root", fail: fault.New(fault.Conflict, fault.Raced, ""), status: 503, want: []string{"root"}},
		{name: "I7 in a session", sub: "root", header: session, status: 403, want: []string{"root"}},
		{name: "noted yesterday", sub: "root", seen: today - 1, status: 200, want: []string{"root"}},
		{name: "noted today", sub: "root", seen: today, status: 200},
		{name: "noted by a clock that is ahead", sub: "root", seen: today + 1, status: 200},
		{name: "of nobody", sub: "nobody", status: 401},
		{name: "without a token", sub: "", status: 401},
		{name: "U2 of somebody inactive", sub: "nurse", inactive: true, status: 401},
		{name: "in no session any more", sub: "root", header: map[string]string{"impersonation-session": "y"}, status: 403},
		{name: "of whom cannot be read", sub: "root", failLoad: fault.New(fault.Unavailable, "storage", ""), status: 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &store{seen: c.seen, inactive: c.inactive, failLoad: c.failLoad}
			f := function(s, &sessions{mode: impersonation.Full}, &strings.Builder{}, endpoint(func() error { return c.fail }))
			a := ask(t, f, c.sub, c.header, c.query, "")
			var want []string
			for _, user := range c.want {
				want = append(want, markOf(user, today))
			}
			if a.StatusCode != c.status || !slices.Equal(s.marks, want) {
				t.Errorf("%d and the marks %q, want %d and %q", a.StatusCode, s.marks, c.status, want)
			}
		})
	}
}

// TestAMarkIsLeftOnceADay by an instance, whatever the reading of the user, which
// follows later, tells.
func TestAMarkIsLeftOnceADay(t *testing.T) {
	s, at := &store{}, now
	f := api.New("test", api.Deps{Store: s, MarkSeen: s.MarkSeen, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return at }},
		endpoint(func() error { return nil }))
	for range 3 {
		invoke(t, f, "root", nil)
		invoke(t, f, "nurse", nil)
	}
	at = at.Add(24 * time.Hour)
	invoke(t, f, "root", nil)
	want := []string{markOf("root", today), markOf("nurse", today), markOf("root", today+1)}
	if !slices.Equal(s.marks, want) {
		t.Errorf("%q, want %q", s.marks, want)
	}
}

// TestAMarkThatFails changes no answer, holds it up for a moment at most, and is
// left by the next request.
func TestAMarkThatFails(t *testing.T) {
	for name, fail := range map[string]func(context.Context) error{
		"at once": func(context.Context) error { return fault.New(fault.Unavailable, "storage", "") },
		"never":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"deaf":    func(context.Context) error { time.Sleep(2 * time.Second); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			s := &store{failMark: fail}
			f := function(s, &sessions{}, &log, endpoint(func() error { return nil }))
			start := time.Now()
			a := invoke(t, f, "root", nil)
			if took := time.Since(start); a.StatusCode != 200 || took > time.Second {
				t.Errorf("%d after %v", a.StatusCode, took)
			}
			if n := strings.Count(log.String(), "level=WARN msg=mark"); n != 1 {
				t.Errorf("%d warnings: %s", n, log.String())
			}
			s.mu.Lock()
			s.failMark = nil
			s.mu.Unlock()
			invoke(t, f, "root", nil)
			invoke(t, f, "root", nil)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.marks) != 2 {
				t.Errorf("the marks %q: the next request leaves it, and no other", s.marks)
			}
		})
	}
}

// TestAMarkIsLeftBesideTheWork: the endpoint does not begin later for it, nor the
// answer wait when it is as quick as the endpoint.
func TestAMarkIsLeftBesideTheWork(t *testing.T) {
	marking, working := make(chan bool), make(chan bool)
	s := &store{failMark: func(context.Context) error { close(marking); <-working; return nil }}
	f := function(s, &sessions{}, &strings.Builder{}, endpoint(func() error { <-marking; close(working); return nil }))
	if a := invoke(t, f, "root", nil); a.StatusCode != 200 || len(s.marks) != 1 {
		t.Errorf("%d %q", a.StatusCode, s.marks)
	}
}
