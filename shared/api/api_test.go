package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

var now = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// store is a world of two people in memory; what it is to fail with is set
// by the test. The real one is tested by the functions.
type store struct {
	recorded []timeline.Entry
	loads    int
	failLoad error
	inactive bool
	seen     directory.Day // of everybody

	mu       sync.Mutex
	marks    []string
	failMark func(context.Context) error
}

func (s *store) SignIn(_ context.Context, sub string) (string, string, error) {
	if sub == "nobody" {
		return "", "", fault.New(fault.Unauthenticated, "unknown_sign_in", "")
	}
	return "riverside", sub, nil
}

func (s *store) Load(context.Context, string, directory.Keys) (directory.Facts, error) {
	s.loads++
	admin := authz.Role{RoleRef: authz.RoleRef{ID: "admin"}, Admin: authz.Admin{System: true, Impersonate: true,
		Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}}}
	user := func(id string, roles ...directory.Assignment) directory.User {
		return directory.User{ID: id, Name: id, Type: authz.General, Locations: []string{"icu"}, SignIn: directory.Enabled, Assignments: roles, Seen: s.seen, Version: 1}
	}
	return directory.Facts{
		Organization: directory.Organization{ID: "riverside", Settings: directory.DefaultSettings()},
		Model:        authz.Compile(authz.Policy{Roles: []authz.Role{admin}, Locations: []authz.Location{{ID: "icu"}}}),
		Policy:       1,
		Users: map[string]directory.User{
			"root":  user("root", directory.Assignment{Assignment: authz.Assignment{Role: admin.RoleRef}}),
			"nurse": s.changed(user("nurse")),
		},
	}, s.failLoad
}

// changed is the user, inactive when the store says so.
func (s *store) changed(u directory.User) directory.User {
	if s.inactive {
		u.Type = authz.Inactive
	}
	return u
}

func (s *store) Record(_ context.Context, _ string, e timeline.Entry) error {
	s.recorded = append(s.recorded, e)
	return nil
}

func (s *store) Answered(context.Context, string, string, string, time.Time) (directory.Kept, bool, error) {
	return directory.Kept{}, false, nil
}

// MarkSeen keeps the marks, as many as it is told, and fails as the test says.
func (s *store) MarkSeen(ctx context.Context, organization, user string, day directory.Day) error {
	s.mu.Lock()
	s.marks = append(s.marks, fmt.Sprint(organization, " ", user, " ", day))
	fail := s.failMark
	s.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(ctx)
}

func (s *store) Meter(ctx context.Context) (context.Context, func() []slog.Attr) {
	return ctx, func() []slog.Attr { return nil }
}

// sessions knows one session of root in this mode, on nurse unless it says on
// whom.
type sessions struct {
	mode    impersonation.Mode
	subject string
	over    bool
	closed  impersonation.Cause
}

func (s *sessions) Resume(_ context.Context, _, actor, id string, at time.Time) (impersonation.Session, error) {
	if id != "x" || actor != "root" || s.over {
		return impersonation.Session{}, impersonation.Invalid()
	}
	return impersonation.Session{ID: "x", Mode: s.mode, Actor: directory.Named{ID: "root"}, Subject: directory.Named{ID: cmp.Or(s.subject, "nurse")},
		Started: at, Last: at, Ends: at.Add(time.Hour), Idles: at.Add(5 * time.Minute)}, nil
}

func (s *sessions) Close(_ context.Context, _ impersonation.Session, cause impersonation.Cause, _ time.Time, _ string) error {
	s.closed = cause
	return nil
}

// endpoint needs system administration and does what it is told.
func endpoint(do func() error) api.Bound {
	return api.Endpoint[string]{
		Route: "PUT /v1/thing", Action: authz.AdministerSystem,
		Decode: func(r *api.Request) (string, error) { return string(r.Body), nil },
		Do: func(context.Context, directory.Caller, string) (api.Response, error) {
			return api.Response{Status: http.StatusOK, Body: map[string]string{"done": "yes"}, Version: 7}, do()
		},
	}.Bind()
}

func function(s *store, who *sessions, log *strings.Builder, endpoints ...api.Bound) *api.Function {
	return api.New("test", api.Deps{Store: s, Sessions: who, MarkSeen: s.MarkSeen, Log: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time { return now }}, endpoints...)
}

type answer struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}

func invoke(t *testing.T, f *api.Function, sub string, headers map[string]string) answer {
	t.Helper()
	return ask(t, f, sub, headers, "", "secret-body")
}

func ask(t *testing.T, f *api.Function, sub string, headers map[string]string, query, body string) answer {
	t.Helper()
	event := map[string]any{
		"routeKey": "PUT /v1/thing", "headers": headers, "rawQueryString": query, "body": body,
		"requestContext": map[string]any{"requestId": "r-1", "domainName": "api.example", "authorizer": map[string]any{"jwt": map[string]any{"claims": map[string]string{"sub": sub}}}},
	}
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEveryKindHasItsProblem walks the closed set: each kind has a status and
// a title, and what is hidden tells nothing of its cause.
func TestEveryKindHasItsProblem(t *testing.T) {
	want := map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.Unprocessable: 422, fault.Unauthenticated: 401, fault.Denied: 403,
		fault.NotFound: 404, fault.Conflict: 409, fault.Stale: 412, fault.Unconditional: 428, fault.TooMany: 429, fault.Unavailable: 503,
	}
	for kind := range fault.KindCount {
		t.Run(kind.String(), func(t *testing.T) {
			failure := fault.New(kind, "some_code", "Some words.")
			failure.Problems = []fault.Problem{{Pointer: "/a", Detail: "b"}}
			failure.RetryAfter = 90 * time.Second
			a := invoke(t, function(&store{}, &sessions{}, &strings.Builder{}, endpoint(func() error { return failure })), "root", nil)
			var body struct {
				Type, Title, Detail, RequestID string
				Status                         int
			}
			if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
				t.Fatal(err)
			}
			if a.StatusCode != want[kind] || body.Status != want[kind] || body.Title == "" || body.RequestID != "r-1" {
				t.Errorf("%d %+v, want %d", a.StatusCode, body, want[kind])
			}
			if a.Headers["content-type"] != "application/problem+json" {
				t.Errorf("content type %q", a.Headers["content-type"])
			}
			hidden := kind == fault.Internal || kind == fault.Unavailable || kind == fault.NotFound
			if told := strings.Contains(a.Body, "some_code") || strings.Contains(a.Body, "Some words"); told == hidden {
				t.Errorf("T4 hidden %v, told %v: %s", hidden, told, a.Body)
			}
			if wait := a.Headers["retry-after"]; (wait == "90") != (kind == fault.TooMany) || (wait == "") == (kind == fault.TooMany) {
				t.Errorf("I2 the time to wait: %q", wait)
			}
		})
	}
}

func TestNothingInternalReachesAClientNorASecretALog(t *testing.T) {
	var log strings.Builder
	f := function(&store{}, &sessions{}, &log, endpoint(func() error { return errors.New("table gemba-prod is on fire") }))
	a := invoke(t, f, "root", map[string]string{"authorization": "Bearer secret-token"})
	if a.StatusCode != 500 || strings.Contains(a.Body, "fire") {
		t.Errorf("%d %s", a.StatusCode, a.Body)
	}
	if !strings.Contains(log.String(), "fire") || strings.Contains(log.String(), "secret") {
		t.Errorf("T5 the log says: %s", log.String())
	}
}

func TestOneWayThrough(t *testing.T) {
	lost := fault.New(fault.Conflict, fault.Raced, "")
	failLoad := fault.New(fault.Unavailable, "storage", "")
	for _, c := range []struct {
		name     string
		sub      string
		header   map[string]string
		mode     impersonation.Mode
		failLoad error
		races    int
		status   int
		denied   bool
		loads    int
	}{
		{name: "who may, does", sub: "root", status: 200, loads: 1},
		{name: "T1 who may not is denied, and the attempt recorded", sub: "nurse", status: 403, denied: true, loads: 1},
		{name: "a sub of nobody", sub: "nobody", status: 401},
		{name: "no sub", sub: "", status: 401},
		{name: "somebody who is no user any more", sub: "gone", status: 401, loads: 1},
		{name: "a failure to load is an error, never a decision", sub: "nurse", failLoad: failLoad, status: 503, loads: 1},
		{name: "a lost race decides again", sub: "root", races: 3, status: 200, loads: 4},
		{name: "a race lost for ever is unavailable", sub: "root", races: 100, status: 503, loads: 12},
		{name: "I6 an admin action needs both sides", sub: "root", header: map[string]string{"impersonation-session": "x"}, mode: impersonation.Full, status: 403, denied: true, loads: 1},
		{name: "I6 read_only refuses a write first of all", sub: "root", header: map[string]string{"impersonation-session": "x"}, mode: impersonation.ReadOnly, status: 403, denied: true, loads: 1},
		{name: "a session of nobody's", sub: "root", header: map[string]string{"impersonation-session": "y"}, status: 403},
		{name: "a session named empty", sub: "root", header: map[string]string{"impersonation-session": ""}, status: 403},
		{name: "somebody else's session", sub: "nurse", header: map[string]string{"impersonation-session": "x"}, status: 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, races := &store{failLoad: c.failLoad}, c.races
			f := function(s, &sessions{mode: c.mode}, &strings.Builder{}, endpoint(func() error {
				if races--; races >= 0 {
					return lost
				}
				return nil
			}))
			a := invoke(t, f, c.sub, c.header)
			if a.StatusCode != c.status || s.loads != c.loads {
				t.Errorf("%d after %d reads, want %d after %d\n%s", a.StatusCode, s.loads, c.status, c.loads, a.Body)
			}
			if denied := len(s.recorded) == 1 && s.recorded[0].Denied; denied != c.denied {
				t.Errorf("T1 recorded %+v", s.recorded)
			}
		})
	}
}

func TestEveryAnswerOfASessionSaysSo(t *testing.T) {
	f := function(&store{}, &sessions{mode: impersonation.ReadOnly}, &strings.Builder{}, endpoint(func() error { return nil }))
	a := invoke(t, f, "root", map[string]string{"impersonation-session": "x", "x-request-id": "mine"})
	if a.Headers["impersonation-session"] != "x" || a.Headers["impersonation-expires"] != "2026-03-02T09:05:00Z" || a.Headers["x-request-id"] != "mine" {
		t.Errorf("I5 headers %v", a.Headers)
	}
	a = invoke(t, f, "root", map[string]string{"x-request-id": "two\r\nlines"})
	if _, there := a.Headers["x-request-id"]; there {
		t.Errorf("T5 text from outside in a header: %q", a.Headers)
	}
}

// TestI7TheLogNamesBoth: a line of a request has the subject and the session beside
// the actor, who is the subject in person.
func TestI7TheLogNamesBoth(t *testing.T) {
	for session, want := range map[string]string{"x": "actor=root subject=nurse session=x", "": `actor=root subject=root session=""`} {
		var log strings.Builder
		header := map[string]string{}
		if session != "" {
			header["impersonation-session"] = session
		}
		invoke(t, function(&store{}, &sessions{mode: impersonation.Full}, &log, endpoint(func() error { return nil })), "root", header)
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("session %q: %s", session, log.String())
		}
	}
}

// TestT1WhatAnyoneMayTryIsAnAttemptToo: an endpoint that lets everybody in says
// itself what a read_only session refused, also of what could not be read.
func TestT1WhatAnyoneMayTryIsAnAttemptToo(t *testing.T) {
	for body, want := range map[string]string{"nurse": "nurse", "!": ""} {
		s := &store{}
		open := api.Endpoint[string]{
			Route: "PUT /v1/thing", Action: authz.SignIn,
			Decode: func(r *api.Request) (string, error) {
				if string(r.Body) == "!" {
					return "", fault.New(fault.Invalid, "malformed", "")
				}
				return string(r.Body), nil
			},
			Attempt: func(c directory.Caller, in, cause string) timeline.Entry {
				e := c.Entry(timeline.Impersonation, "start", timeline.Target{Type: "user", ID: in})
				e.Denied, e.Cause = true, cause
				return e
			},
			Do: func(context.Context, directory.Caller, string) (api.Response, error) {
				return api.Response{Status: 200}, nil
			},
		}.Bind()
		f := function(s, &sessions{mode: impersonation.ReadOnly}, &strings.Builder{}, open)
		a := ask(t, f, "root", map[string]string{"impersonation-session": "x"}, "", body)
		if a.StatusCode != 403 || len(s.recorded) != 1 || s.recorded[0].Target.ID != want || s.recorded[0].Cause != "read_only" || s.recorded[0].Session != "x" {
			t.Errorf("T1 %d, recorded %+v", a.StatusCode, s.recorded)
		}
	}
}

// TestWhatIsNotLookedIntoComesLast: that a request is malformed, or a write in a
// read_only session, is told to nobody whose sign-in or session is over.
func TestWhatIsNotLookedIntoComesLast(t *testing.T) {
	session := map[string]string{"impersonation-session": "x"}
	tooLong := strings.Repeat("x", api.MaxBody+1)
	for _, c := range []struct {
		name, sub, query, body string
		header                 map[string]string
		mode                   impersonation.Mode
		inactive               bool
		code                   string
		closed                 impersonation.Cause
	}{
		{name: "malformed", sub: "root", query: "%zz", code: "malformed"},
		{name: "U2 malformed, of somebody inactive", sub: "nurse", query: "%zz", inactive: true, code: "sign_in_disabled"},
		{name: "malformed, of nobody", sub: "nobody", query: "%zz", code: "unknown_sign_in"},
		{name: "too long, of nobody", sub: "nobody", body: tooLong, code: "unknown_sign_in"},
		{name: "I5 malformed, in a session", sub: "root", query: "%zz", header: session, mode: impersonation.Full, code: "malformed"},
		{name: "I5 too long, in a session", sub: "root", body: tooLong, header: session, mode: impersonation.Full, code: "body_too_large"},
		{name: "I6 too long, in a read_only session", sub: "root", body: tooLong, header: session, mode: impersonation.ReadOnly, code: "read_only"},
		{name: "I5 malformed, in a session that lost its subject", sub: "root", query: "%zz", header: session, mode: impersonation.Full,
			inactive: true, code: "impersonation_invalid", closed: impersonation.WentInactive},
		{name: "I5 a write, in a read_only session that lost its subject", sub: "root", header: session, mode: impersonation.ReadOnly,
			inactive: true, code: "impersonation_invalid", closed: impersonation.WentInactive},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := &sessions{mode: c.mode}
			f := function(&store{inactive: c.inactive}, who, &strings.Builder{}, endpoint(func() error { return nil }))
			a := ask(t, f, c.sub, c.header, c.query, c.body)
			if !strings.Contains(a.Body, `"urn:problem:`+c.code+`"`) || who.closed != c.closed {
				t.Errorf("%d %s, ended %v", a.StatusCode, a.Body, who.closed)
			}
			lasts := c.header != nil && c.closed == impersonation.NoCause
			if _, says := a.Headers["impersonation-session"]; says != lasts {
				t.Errorf("I5 headers %v", a.Headers)
			}
		})
	}
}

// TestARefusalOfTheUseCaseIsADeniedAttempt: T1 also of what no right allows.
func TestARefusalOfTheUseCaseIsADeniedAttempt(t *testing.T) {
	s := &store{}
	refusal := fault.New(fault.Denied, "own_roles_in_session", "")
	a := invoke(t, function(s, &sessions{}, &strings.Builder{}, endpoint(func() error { return refusal })), "root", nil)
	if a.StatusCode != 403 || len(s.recorded) != 1 || !s.recorded[0].Denied || s.recorded[0].Cause != "own_roles_in_session" {
		t.Errorf("T1 %d, recorded %+v", a.StatusCode, s.recorded)
	}
}

// TestI5ASessionThatEndsUnderARequest: its write, which the end overtakes, is
// answered as one of a session that was over before.
func TestI5ASessionThatEndsUnderARequest(t *testing.T) {
	s, who := &store{}, &sessions{mode: impersonation.Full, subject: "root"}
	f := function(s, who, &strings.Builder{}, endpoint(func() error {
		who.over = true
		return fault.New(fault.Conflict, fault.Raced, "")
	}))
	a := invoke(t, f, "root", map[string]string{"impersonation-session": "x"})
	if _, says := a.Headers["impersonation-session"]; a.StatusCode != 403 || says || s.loads != 1 {
		t.Errorf("%d after %d reads: %s %v", a.StatusCode, s.loads, a.Body, a.Headers)
	}
}

// TestAPageFitsIntoAnAnswer: a list of giants goes on with the next page, and
// one that is too large alone is there all the same.
func TestAPageFitsIntoAnAnswer(t *testing.T) {
	giant := strings.Repeat(`"`, 600_000)
	for name, c := range map[string]struct {
		things []string
		want   int
		end    string
	}{
		"none":      {nil, 0, "z"},
		"small":     {[]string{"a", "b"}, 2, "z"},
		"giants":    {[]string{giant, giant, giant, "a"}, 2, giant},
		"one giant": {[]string{strings.Repeat(giant, 3), "a"}, 1, strings.Repeat(giant, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			self := func(s string) string { return s }
			items, end, err := api.Fit(c.things, "z", func(s string) any { return s }, self)
			if err != nil || items == nil || len(items) != c.want || end != c.end {
				t.Errorf("%d items up to %.3q, %v; want %d", len(items), end, err, c.want)
			}
		})
	}
}

func TestAnEndpointWithoutAnActionDoesNotStart(t *testing.T) {
	for name, endpoints := range map[string][]api.Bound{
		"no action":     {api.Endpoint[string]{Route: "GET /v1/thing"}.Bind()},
		"one route two": {endpoint(nil), endpoint(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it started")
				}
			}()
			function(&store{}, &sessions{}, &strings.Builder{}, endpoints...)
		})
	}
}
