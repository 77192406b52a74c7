package endpoints_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/impersonation/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// pool takes the password "right", or does not answer.
type pool struct{ down bool }

func (p *pool) Proof(_ context.Context, _, password, _ string) (bool, error) {
	if p.down {
		return false, fault.New(fault.Unavailable, "sign_in_unavailable", "")
	}
	return password == "right", nil
}

// world is the impersonation function over the fixture's organization.
type world struct {
	*fixture.Place
	store    *dynamo.Store
	function *api.Function
	pool     *pool
}

func open(t *testing.T) world {
	t.Helper()
	store, place := fixture.World(t)
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	p := &pool{}
	return world{place, store, endpoints.New(place.Deps(t, sessions), impersonation.NewService(store, sessions, p)), p}
}

const (
	startRoute = "POST /v1/impersonations"
	listRoute  = "GET /v1/impersonations"
	getRoute   = "GET /v1/impersonations/{id}"
	endRoute   = "DELETE /v1/impersonations/{id}"
)

type object = map[string]any

// starting is a start with somebody's own password.
func starting(as, subject string) fixture.Call {
	return fixture.Call{Route: startRoute, As: as, Body: object{
		"subject": subject, "credentials": object{"username": as, "password": "right"},
	}}
}

func (w world) on(t *testing.T, route, as, id string) fixture.Answer {
	t.Helper()
	return w.Do(t, w.function, fixture.Call{Route: route, As: as, Path: map[string]string{"id": id}})
}

// start is the id of a session that must start.
func (w world) start(t *testing.T, c fixture.Call) string {
	t.Helper()
	a := w.Do(t, w.function, c)
	if a.Status != 201 {
		t.Fatalf("start: %d %s", a.Status, a.Body)
	}
	id, _ := a.JSON(t)["id"].(string)
	return id
}

// golden compares an answer with a recorded one, in which ID stands for the
// session's id.
func golden(t *testing.T, name string, a fixture.Answer, id string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want object
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "ID", id)), &want); err != nil {
		t.Fatal(err)
	}
	body := a.JSON(t)
	for _, entry := range told(body) { // their ids are chance
		delete(entry, "id")
	}
	got := object{"status": float64(a.Status), "body": body}
	if location := a.Header["location"]; location != "" {
		got["location"] = location
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestRoutes(t *testing.T) {
	w := open(t)
	want := []string{endRoute, listRoute, getRoute, startRoute}
	if got := w.function.Routes(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestASessionFromStartToEnd(t *testing.T) {
	w := open(t)
	call := starting("support", "nurse")
	call.Body = object{
		"subject": "nurse", "reason": "Her board is empty.", "mode": "read_only",
		"credentials": object{"username": "support", "password": "right"},
	}
	answer := w.Do(t, w.function, call)
	id, _ := answer.JSON(t)["id"].(string)
	golden(t, "started", answer, id)
	golden(t, "listed", w.Do(t, w.function, fixture.Call{Route: listRoute, As: "nurse", Query: "state=active"}), id)
	w.Clock.Advance(2 * time.Minute)
	within := w.Do(t, w.function, fixture.Call{Route: getRoute, As: "support", Session: id, Path: map[string]string{"id": id}})
	golden(t, "within", within, id)
	if within.Header["impersonation-session"] != id || within.Header["impersonation-expires"] != "2026-03-02T09:07:00Z" {
		t.Errorf("I5: the answer's headers are %v", within.Header)
	}
	refused := starting("support", "doctor")
	refused.Session = id
	if a := w.Do(t, w.function, refused); a.Problem(t) != "read_only" || a.Status != 403 {
		t.Errorf("I6: read_only refuses every write: %d %s", a.Status, a.Body)
	}
	w.Clock.Advance(time.Minute)
	golden(t, "ended", w.Do(t, w.function, fixture.Call{Route: endRoute, As: "support", Session: id, Path: map[string]string{"id": id}}), id)
	golden(t, "told", w.on(t, getRoute, "nurse", id), id)
	if a := w.Do(t, w.function, fixture.Call{Route: listRoute, As: "support", Session: id}); a.Problem(t) != "impersonation_invalid" || a.Status != 403 {
		t.Errorf("I5: a session that was signed out of: %d %s", a.Status, a.Body)
	}
}

func TestNoNoticeIsSaidToBeRequired(t *testing.T) {
	w := open(t)
	answer := w.Do(t, w.function, starting("vendor", "nurse"))
	if got := answer.JSON(t)["notice"]; !cmp.Equal(got, any(object{"status": "not_required", "why": "internal_actor"})) {
		t.Errorf("I8: the notice is %v", got)
	}
}

func TestRefusals(t *testing.T) {
	w := open(t)
	busy := w.start(t, starting("vendor", "doctor"))
	with := func(c fixture.Call, change func(*fixture.Call)) fixture.Call {
		change(&c)
		return c
	}
	wrong := starting("support", "nurse")
	wrong.Body = object{"subject": "nurse", "credentials": object{"username": "support", "password": "wrong-secret"}}
	cases := []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"I1 oneself", starting("support", "support"), 422, "self"},
		{"I1 a kiosk", starting("support", "kiosk"), 422, "subject_cannot_be_impersonated"},
		{"I1 an inactive user", starting("support", "inactive"), 422, "subject_cannot_be_impersonated"},
		{"I1 a second session", starting("vendor", "nurse"), 409, "already_impersonating"},
		{"R10 without the right", starting("local", "nurse"), 403, "denied"},
		{"T4 without the right, of nobody", starting("local", "nobody"), 403, "denied"},
		{"T4 who is not there", starting("support", "nobody"), 404, "not_found"},
		{"I6 within a session", with(starting("vendor", "nurse"), func(c *fixture.Call) { c.Session = busy }), 403, "in_session"},
		{"I2 a wrong password", wrong, 403, "reauthentication_failed"},
		{"I2 no proof", fixture.Call{Route: startRoute, As: "support", Body: object{"subject": "nurse"}}, 403, "reauthentication_needed"},
		{"I4 somebody else's session", fixture.Call{Route: listRoute, As: "support", Session: busy}, 403, "impersonation_invalid"},
		{"no token", fixture.Call{Route: startRoute, Body: object{"subject": "nurse"}}, 401, "no_token"},
		{"T4 a session that does not concern the caller", fixture.Call{Route: getRoute, As: "coach", Path: map[string]string{"id": busy}}, 404, "not_found"},
		{"I5 the subject ends nothing", fixture.Call{Route: endRoute, As: "doctor", Path: map[string]string{"id": busy}}, 403, "denied"},
		{"T4 an actor outside the reach", fixture.Call{Route: listRoute, As: "local", Query: "actor=support"}, 404, "not_found"},
		{"a session that is not there", fixture.Call{Route: endRoute, As: "root", Path: map[string]string{"id": "nothing"}}, 404, "not_found"},
		{"a session's id outside its alphabet", fixture.Call{Route: getRoute, As: "root", Path: map[string]string{"id": "#"}}, 400, "malformed"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			a := w.Do(t, w.function, c.call)
			if a.Status != c.status || a.Problem(t) != c.code {
				t.Errorf("%d %s, want %d %s", a.Status, a.Body, c.status, c.code)
			}
			if strings.Contains(a.Body, "secret") {
				t.Errorf("T5: the answer repeats the password: %s", a.Body)
			}
		})
	}
	w.pool.down = true
	if a := w.Do(t, w.function, starting("support", "nurse")); a.Status != 503 || a.Problem(t) != "unavailable" {
		t.Errorf("a pool that does not answer: %d %s", a.Status, a.Body)
	}
}

func TestMalformedRequestsNameEveryFault(t *testing.T) {
	w := open(t)
	cases := []struct {
		name     string
		call     fixture.Call
		pointers []string
	}{
		{"a start", fixture.Call{Route: startRoute, As: "support", Body: object{
			"mode": "half", "reason": strings.Repeat("x", 501), "credentials": object{"username": "a b", "pin": 1}, "until": "x",
		}}, []string{"/credentials/password", "/credentials/pin", "/credentials/username", "/mode", "/reason", "/subject", "/until"}},
		{"a list", fixture.Call{Route: listRoute, As: "support", Query: "state=old&actor=a%20b&limit=0&actro=nurse"}, []string{"/actor", "/actro", "/limit", "/state"}},
		{"a filter given twice", fixture.Call{Route: listRoute, As: "support", Query: "actor=nurse&actor=doctor"}, []string{"/actor"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := w.Do(t, w.function, c.call)
			got := a.Pointers(t)
			slices.Sort(got)
			if a.Status != 400 || a.Problem(t) != "malformed" || !slices.Equal(got, c.pointers) {
				t.Errorf("%d %q, want 400 %q\n%s", a.Status, got, c.pointers, a.Body)
			}
		})
	}
}

func TestTooManyAttempts(t *testing.T) {
	w := open(t)
	wrong := starting("support", "nurse")
	wrong.Body = object{"subject": "nurse", "credentials": object{"username": "support", "password": "wrong"}}
	for range 5 {
		if a := w.Do(t, w.function, wrong); a.Status != 403 {
			t.Fatalf("I2: %d %s", a.Status, a.Body)
		}
	}
	w.Clock.Advance(14 * time.Minute)
	a := w.Do(t, w.function, starting("support", "nurse"))
	seconds, err := strconv.Atoi(a.Header["retry-after"])
	if a.Status != 429 || a.Problem(t) != "too_many_attempts" || err != nil || seconds < 60 || seconds > 61 {
		t.Errorf("I2: %d %s, retry after %q", a.Status, a.Body, a.Header["retry-after"])
	}
	w.Clock.Advance(time.Duration(seconds) * time.Second)
	w.start(t, starting("support", "nurse"))
}

func TestAFreshSignInStartsOnce(t *testing.T) {
	w := open(t)
	fresh := fixture.Call{Route: startRoute, As: "support", Body: object{"subject": "nurse"}, Claims: map[string]string{
		"auth_time": strconv.FormatInt(w.Clock.Now().Add(-time.Minute).Unix(), 10), "origin_jti": "fresh",
	}}
	id := w.start(t, fresh)
	if a := w.on(t, endRoute, "support", id); a.Status != 200 {
		t.Fatalf("I5: %d %s", a.Status, a.Body)
	}
	if a := w.Do(t, w.function, fresh); a.Problem(t) != "reauthentication_needed" {
		t.Errorf("I2: used again: %d %s", a.Status, a.Body)
	}
}

func TestARepeatedRequestStartsOnce(t *testing.T) {
	w := open(t)
	call := starting("support", "nurse")
	call.Header = map[string]string{"idempotency-key": "once"}
	first := w.Do(t, w.function, call)
	again := w.Do(t, w.function, call)
	if first.Status != 201 || again.Status != 201 || first.Body != again.Body || again.Header["location"] != first.Header["location"] {
		t.Errorf("T3: first %d %s, again %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	retyped := call
	retyped.Body = map[string]any{"subject": "nurse", "credentials": map[string]any{"username": "support", "password": "Another-pass-2026!"}}
	if a := w.Do(t, w.function, retyped); a.Body != first.Body {
		t.Errorf("T5: the password is kept, if only as a hash: %d %s", a.Status, a.Body)
	}
	other := starting("support", "doctor")
	other.Header = call.Header
	if a := w.Do(t, w.function, other); a.Status != 422 || a.Problem(t) != "idempotency_key_reused" {
		t.Errorf("T3: another body: %d %s", a.Status, a.Body)
	}
}

func TestNothingSucceedsAfterTheSubjectWentInactive(t *testing.T) {
	w := open(t)
	id := w.start(t, starting("support", "nurse"))
	root := w.Caller(t, "root", directory.Keys{Users: []string{"nurse"}})
	after := root.Users["nurse"]
	after.Type = authz.Inactive
	if err := w.store.PutPersona(t.Context(), root.Basis(root.Users["nurse"]), persona.Change{
		Before: root.Users["nurse"], After: after, Entry: root.Entry(timeline.User, "update", timeline.Target{Type: "user", ID: "nurse"}),
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if a := w.Do(t, w.function, fixture.Call{Route: listRoute, As: "support", Session: id}); a.Status != 403 || a.Problem(t) != "impersonation_invalid" {
			t.Errorf("I5: %d %s", a.Status, a.Body)
		}
	}
	if cause := w.on(t, getRoute, "support", id).JSON(t)["cause"]; cause != "inactive" {
		t.Errorf("I5: the cause is %v", cause)
	}
}

func TestRevoking(t *testing.T) {
	w := open(t)
	id := w.start(t, starting("support", "nurse"))
	a := w.on(t, endRoute, "root", id)
	if cause := a.JSON(t)["cause"]; a.Status != 200 || cause != "revoked" {
		t.Errorf("I5: %d %s", a.Status, a.Body)
	}
}

func TestPages(t *testing.T) {
	w := open(t)
	var want, got []string
	for _, subject := range []string{"nurse", "doctor", "coach"} {
		id := w.start(t, starting("support", subject))
		w.on(t, endRoute, "support", id)
		w.Clock.Advance(time.Second)
		want = append([]string{id}, want...)
	}
	cursor := ""
	for first := true; first || cursor != ""; first = false {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		a := w.Do(t, w.function, fixture.Call{Route: listRoute, As: "root", Query: "limit=1&cursor=" + cursor})
		a.Into(t, &page)
		if a.Status != 200 || len(page.Items) != 1 {
			t.Fatalf("a page: %d %s", a.Status, a.Body)
		}
		got, cursor = append(got, page.Items[0].ID), page.Next
	}
	if !slices.Equal(got, want) {
		t.Errorf("newest first: %q, want %q", got, want)
	}
}
