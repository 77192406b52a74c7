package endpoints_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	impersonating "gemba/functions/impersonation/endpoints"
	"gemba/functions/persona/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

const changesRoute = "POST /v1/persona-changes"

// row is a change; a nil persona takes it away.
func row(user string, persona any) map[string]any {
	return map[string]any{"user": user, "persona": persona}
}

func changes(as string, rows ...map[string]any) fixture.Call {
	return fixture.Call{Route: changesRoute, As: as, Body: map[string]any{"changes": rows}}
}

// outcome is a row's result as a client reads it.
type outcome struct {
	User    string
	Persona *string
	Result  string
	Problem struct {
		Type, Title, Detail string
		Status              int
	}
}

func (o outcome) says() string {
	if o.Result != "" {
		return o.Result
	}
	return fmt.Sprint(o.Problem.Status, " ", strings.TrimPrefix(o.Problem.Type, "urn:problem:"))
}

func outcomesOf(t testing.TB, a fixture.Answer) []outcome {
	t.Helper()
	var body struct{ Results []outcome }
	a.Into(t, &body)
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for _, o := range body.Results {
		if (o.Result == "") == (o.Problem.Type == "") || o.Result == "" && o.Problem.Title == "" {
			t.Fatalf("a row without one outcome: %s", a.Body)
		}
	}
	return body.Results
}

func says(outcomes []outcome) []string {
	var all []string
	for _, o := range outcomes {
		all = append(all, o.says())
	}
	return all
}

// counts are the report's, by persona.
func (a at) counts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	var report struct {
		Personas []struct {
			Persona string
			Count   int
		}
	}
	a.report(t, "root", "").Into(t, &report)
	for _, r := range report.Personas {
		out[r.Persona] = r.Count
	}
	return out
}

// temps makes people of the ICU without a persona.
func (a at) temps(t testing.TB, n int) []string {
	t.Helper()
	var ids []string
	for i := range n {
		id := fmt.Sprintf("temp-%03d", i)
		a.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}})
		ids = append(ids, id)
	}
	return ids
}

// told are the entries of persona changes, done and denied, that were asked for.
func (a at) told(t *testing.T) []timeline.Entry {
	t.Helper()
	return slices.DeleteFunc(a.entries(t), func(e timeline.Entry) bool { return e.Type != timeline.Persona || e.Subject.ID == "" })
}

func rowsFor(users []string, persona any) []map[string]any {
	var rows []map[string]any
	for _, u := range users {
		rows = append(rows, row(u, persona))
	}
	return rows
}

// other is the function on a warm instance of its own, with what stands in the
// way of its calls.
func (a at) other(t testing.TB, hooks ...dynamotest.Hook) *api.Function {
	t.Helper()
	store := a.Open(func(c *aws.Config) {
		c.Retryer = dynamotest.Hasty
		for _, h := range hooks {
			c.APIOptions = append(c.APIOptions, dynamotest.Intercept(h))
		}
	})
	deps := a.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Store = store
	return endpoints.New(deps, store)
}

func TestP2EachRowIsDecidedByItself(t *testing.T) {
	a := world(t)
	rows := []map[string]any{
		row("nurse", "leader"),
		row("doctor", "leader"),
		row("nobody", "leader"),
		row("capture", nil),
		row("capture", nil),
		row("capture", "Executive"),
		row("lead", " LEADER"),
		row("local", "CI Expert"),
		row("nurse", "frontline"),
	}
	got := outcomesOf(t, a.Do(t, a.Function, changes("local", rows...)))
	want := []string{"changed", "404 not_found", "404 not_found", "changed", "unchanged", "changed", "unchanged", "changed", "changed"}
	if diff := cmp.Diff(want, says(got)); diff != "" {
		t.Errorf("P2, T4 (-want +got):\n%s", diff)
	}
	for i, o := range got {
		if o.User != rows[i]["user"] {
			t.Errorf("row %d is told as %s's", i, o.User)
		}
	}
	if got[3].Persona != nil || *got[6].Persona != "leader" || *got[7].Persona != "ci_coach" {
		t.Errorf("P1 personas are told as %v, %v, %v", got[3].Persona, *got[6].Persona, *got[7].Persona)
	}
	if got[1].Problem != got[2].Problem {
		t.Errorf("T4 a user out of reach: %+v, one who is not: %+v", got[1].Problem, got[2].Problem)
	}
	for user, want := range map[string]directory.Persona{
		"nurse": directory.Frontline, "doctor": directory.Frontline, "capture": directory.Executive, "lead": directory.Leader, "local": directory.CICoach,
	} {
		if u := a.User(t, user); u.Persona != want {
			t.Errorf("P2 %s is %s", user, u.Persona)
		}
	}
	if v := a.User(t, "capture").Version; v != 2 {
		t.Errorf("two rows of one user in one transaction make version %d", v)
	}
	var told []string
	for _, e := range a.entries(t) {
		if e.Type != timeline.Persona || e.Subject.ID != "local" || e.Target.Type != "user" {
			t.Errorf("T1 %+v", e)
		}
		told = append(told, fmt.Sprint(e.Target.ID, " ", e.Action, " ", e.Before["persona"], " ", e.After["persona"], " ", e.Cause))
	}
	slices.Sort(told)
	wantTold := []string{
		"capture clear frontline <nil> ", "capture set <nil> executive ", "doctor change_persona <nil> <nil> out_of_scope", "local set <nil> ci_coach ",
		"nobody change_persona <nil> <nil> unknown_resource", "nurse change frontline leader ", "nurse change leader frontline ",
	}
	if diff := cmp.Diff(wantTold, told); diff != "" {
		t.Errorf("T1 (-want +told):\n%s", diff)
	}
}

// TestTheSameCodesAsTheSingleCalls asks for every kind of user both ways.
func TestTheSameCodesAsTheSingleCalls(t *testing.T) {
	for _, as := range []string{"root", "local", "support", "outsider"} {
		t.Run(as, func(t *testing.T) {
			var worlds []at
			for range 2 {
				a := world(t)
				// One who administers others, and not themselves: the role has its own location (R5).
				a.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "there"}, Name: "There", SpecificLocations: []string{"surgery"}, Admin: authz.Admin{
					Local: &authz.UserAdministration{Scope: authz.LocationAndBelow},
				}}})
				a.AddUser(t, directory.User{ID: "outsider", Name: "Ou Tsider", Username: "outsider", Sub: fixture.Sub("outsider"), SignIn: directory.Enabled,
					Type: authz.General, Locations: []string{"clinic"}}, "there")
				worlds = append(worlds, a)
			}
			var rows []map[string]any
			var want []string
			for _, user := range []string{"nurse", "doctor", "inactive", "kiosk", "nobody", as} {
				for _, to := range []any{"leader", "leader", nil} {
					rows = append(rows, row(user, to))
					var answer fixture.Answer
					var before directory.User
					if user != "nobody" {
						before = worlds[0].User(t, user)
					}
					if to == nil {
						answer = worlds[0].remove(t, as, user, nil)
					} else {
						answer = worlds[0].put(t, as, user, persona(to))
					}
					switch {
					case answer.Status != 200:
						want = append(want, fmt.Sprint(answer.Status, " ", answer.Problem(t)))
					case worlds[0].User(t, user).Version == before.Version:
						want = append(want, "unchanged")
					default:
						want = append(want, "changed")
					}
				}
			}
			if diff := cmp.Diff(want, says(outcomesOf(t, worlds[1].Do(t, worlds[1].Function, changes(as, rows...))))); diff != "" {
				t.Errorf("P2 (-alone +in bulk):\n%s", diff)
			}
			if as == "outsider" && want[len(want)-1] != "403 denied" {
				t.Errorf("R12 oneself without the right: %s", want[len(want)-1])
			}
		})
	}
}

func TestChangesAsAWhole(t *testing.T) {
	a := world(t)
	many := slices.Repeat([]map[string]any{row("nurse", "frontline")}, 501)
	for _, c := range []struct {
		name     string
		as       string
		body     any
		status   int
		code     string
		pointers []string
	}{
		{"R11 who administers nobody", "nurse", changes("", row("nurse", "leader")).Body, 403, "denied", nil},
		{"no token", "", changes("", row("nurse", "leader")).Body, 401, "no_token", nil},
		{"500 rows", "root", changes("", many[:500]...).Body, 200, "", nil},
		{"more than 500", "root", changes("", many...).Body, 400, "malformed", []string{"/changes"}},
		{"no rows", "root", `{"changes": []}`, 200, "", nil},
		{"no changes", "root", `{}`, 400, "malformed", []string{"/changes"}},
		{"no list", "root", `{"changes": {}}`, 400, "malformed", []string{"/changes"}},
		{"rows that are none", "root", `{"changes": [7, null, "nurse"]}`, 400, "malformed", []string{"/changes/0", "/changes/1", "/changes/2"}},
		{"every fault of every row", "root", `{"changes": [{"user": "nurse"}, {"persona": "leader"}, {"user": "n!", "persona": "boss", "role": "x"}, {"user": "nurse", "persona": null}]}`,
			400, "malformed", []string{"/changes/0/persona", "/changes/1/user", "/changes/2/persona", "/changes/2/role", "/changes/2/user"}},
		{"none is no persona", "root", `{"changes": [{"user": "nurse", "persona": "none"}]}`, 400, "malformed", []string{"/changes/0/persona"}},
		{"an empty persona", "root", `{"changes": [{"user": "nurse", "persona": ""}]}`, 400, "malformed", []string{"/changes/0/persona"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := a.Do(t, a.Function, fixture.Call{Route: changesRoute, As: c.as, Body: c.body})
			var pointers []string
			if answer.Status >= 400 {
				pointers = answer.Pointers(t)
				slices.Sort(pointers)
			}
			if answer.Status != c.status || answer.Problem(t) != c.code || !slices.Equal(pointers, c.pointers) {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
		})
	}
	if u := a.User(t, "nurse"); u.Version != 1 {
		t.Errorf("T3 nurse was changed: version %d", u.Version)
	}
	query := changes("root", row("nurse", "leader"))
	query.Query = "dryRun=true"
	if answer := a.Do(t, a.Function, query); answer.Status != 400 {
		t.Errorf("an unknown parameter: %d", answer.Status)
	}
}

// TestP8CountsAreExactInBulk: people of several sets of locations in one
// transaction, who leave and enter the same counters, some of them not counted.
func TestP8CountsAreExactInBulk(t *testing.T) {
	a := world(t)
	before := a.counts(t)
	users := a.temps(t, 20)
	rows := rowsFor(users[:10], "frontline")
	rows = append(rows, rowsFor(users[10:15], "executive")...)
	rows = append(rows, row("nurse", "champion"), row("doctor", nil), row("kiosk", "frontline"), row("lead", "frontline"), row("nurse", "leader"), row("inactive", nil))
	if slices.Contains(says(outcomesOf(t, a.Do(t, a.Function, changes("root", rows...)))), "unchanged") {
		t.Error("a row changed nothing")
	}
	want := maps.Clone(before)
	want["frontline"] += 10 - 1 - 1 + 1 // nurse and doctor leave, lead enters
	want["executive"] += 5
	want["none"] += 5 + 1
	// lead leaves the leaders, and nurse becomes one
	if diff := cmp.Diff(want, a.counts(t)); diff != "" {
		t.Errorf("P8 (-want +got): %s", diff)
	}
}

// TestP8ManyWritersAtOnce: requests for the same and for other people, beside
// single changes and a move; the counts are those of the people in the end.
func TestP8ManyWritersAtOnce(t *testing.T) {
	a := world(t)
	users := a.temps(t, 20)
	personas := []any{"frontline", "leader", "executive", "ci_coach", nil}
	var racing sync.WaitGroup
	for i := range 4 {
		f := a.other(t)
		var rows []map[string]any
		for n := range users {
			rows = append(rows, row(users[(n*7+i*5)%len(users)], personas[(n+i)%len(personas)]))
		}
		racing.Go(func() {
			for _, o := range outcomesOf(t, a.Do(t, f, changes("root", rows...))) {
				if o.Result == "" {
					t.Errorf("P2 %s", o.says())
				}
			}
		})
		racing.Go(func() {
			for n := range 5 {
				answer := a.Do(t, f, fixture.Call{Route: "PUT /v1/users/{id}/persona", Path: map[string]string{"id": users[n*3+i]}, As: "root", Body: persona("champion")})
				if answer.Status != 200 {
					t.Errorf("P2 %d %s", answer.Status, answer.Body)
				}
			}
		})
	}
	racing.Wait()
	want := map[string]int{"frontline": 0, "leader": 0, "executive": 0, "ci_coach": 0, "champion": 0, "none": 0}
	people, more, err := a.Store.Directory(t.Context(), fixture.Organization, directory.Page{Limit: 100})
	if err != nil || more {
		t.Fatal(err, more)
	}
	for _, u := range people {
		word := u.Persona.String()
		if word == "" {
			word = "none"
		}
		if u.Type == authz.General || u.Type == authz.Capture {
			want[word]++
		}
	}
	if diff := cmp.Diff(want, a.counts(t)); diff != "" {
		t.Errorf("P8 drift (-people +counts): %s", diff)
	}
	told := a.told(t)
	for _, u := range users {
		now, changes := a.User(t, u), 0
		for _, e := range told {
			if e.Target.ID == u {
				changes++
			}
		}
		if int(now.Version) > changes+1 {
			t.Errorf("T1 %s is at version %d with %d entries", u, now.Version, changes)
		}
	}
}

// TestR11ARightLostMeanwhile: what was decided before the right was lost is not
// done, and is decided anew.
func TestR11ARightLostMeanwhile(t *testing.T) {
	a := world(t)
	var once sync.Once
	f := a.other(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" {
			once.Do(func() {
				u := a.User(t, "local")
				c := a.Caller(t, "root", directory.Keys{Users: []string{"local"}})
				after := u
				after.Assignments = nil
				change := directory.Changes{Users: []directory.Turned{{Before: u, After: after}}}
				if err := a.PutUsers(t.Context(), c.Basis(u), "root", change); err != nil {
					t.Error(err)
				}
			})
		}
		return next()
	})
	got := says(outcomesOf(t, a.Do(t, f, changes("local", row("nurse", "leader"), row("local", "leader")))))
	if !slices.Equal(got, []string{"404 not_found", "403 denied"}) || a.User(t, "nurse").Persona != directory.Frontline {
		t.Errorf("R11 after the right was lost: %v", got)
	}
}

// TestT3RepeatedChangesGiveTheFirstAnswer where the first request was cut between
// two units.
func TestT3RepeatedChangesGiveTheFirstAnswer(t *testing.T) {
	a := world(t)
	users := a.temps(t, 30)
	rows := append(rowsFor(users, "leader"), row("nobody", "leader"), row(users[0], nil))
	call := changes("root", rows...)
	call.Header = map[string]string{"idempotency-key": "k"}
	writes := 0
	cut := a.other(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" {
			if writes++; writes > 1 {
				return nil, dynamotest.Lost
			}
		}
		return next()
	})
	if answer := a.Do(t, cut, call); answer.Status != 503 || answer.Problem(t) != "unavailable" {
		t.Errorf("T3 a request that was cut: %d %s", answer.Status, answer.Body)
	}
	if done := len(a.told(t)); done == 0 || done >= len(rows) {
		t.Fatalf("%d of %d rows were done before the cut", done, len(rows))
	}
	other := changes("root", rows[:3]...)
	other.Header = call.Header
	if answer := a.Do(t, a.Function, other); answer.Problem(t) != "idempotency_key_reused" {
		t.Errorf("T3 the key of another request: %d %s", answer.Status, answer.Body)
	}
	first := a.Do(t, a.Function, call)
	want := append(slices.Repeat([]string{"changed"}, len(users)), "404 not_found", "changed")
	if diff := cmp.Diff(want, says(outcomesOf(t, first))); diff != "" {
		t.Errorf("T3 what was done before the cut is told as it was (-want +got):\n%s", diff)
	}
	if n := len(a.told(t)); n != len(rows) {
		t.Errorf("T1 %d entries of %d rows", n, len(rows))
	}
	a.put(t, "root", users[3], persona("executive"))
	if second := a.Do(t, a.Function, call); second.Body != first.Body {
		t.Errorf("T3 %s, then %s", first.Body, second.Body)
	}
	if a.User(t, users[3]).Persona != directory.Executive {
		t.Error("T3 a repeated request did it again")
	}
}

func TestT3OneRequestTwiceAtOnceIsOne(t *testing.T) {
	a := world(t)
	call := changes("root", row("nurse", "leader"), row("doctor", nil), row("lead", "executive"))
	call.Header = map[string]string{"idempotency-key": "k"}
	answers := make([]fixture.Answer, 3)
	var racing sync.WaitGroup
	for i := range answers {
		f := a.other(t)
		racing.Go(func() { answers[i] = a.Do(t, f, call) })
	}
	racing.Wait()
	for _, answer := range answers {
		if answer.Status != 200 || answer.Body != answers[0].Body {
			t.Errorf("T3 %d %s, and %s", answer.Status, answer.Body, answers[0].Body)
		}
	}
	if n := len(a.entries(t)); n != 3 {
		t.Errorf("T1 %d entries of 3 rows", n)
	}
}

// TestChangesEndBeforeTheFunctionDoes: what there is no time for is not begun,
// and the request says that it may be tried again.
func TestChangesEndBeforeTheFunctionDoes(t *testing.T) {
	a := world(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(1900*time.Millisecond))
	defer cancel()
	raw, err := a.Invoke(ctx, a.Event(t, changes("root", row("nurse", "leader"))))
	if err != nil || !strings.Contains(string(raw), `"statusCode":503`) || !strings.Contains(string(raw), "urn:problem:unavailable") {
		t.Errorf("%s, %v", raw, err)
	}
	if told := a.entries(t); len(told) > 0 {
		t.Errorf("T3 %+v", told)
	}
}

// acting is a world with a session of support as somebody.
func acting(t *testing.T, subject, mode string) (at, string) {
	t.Helper()
	a := world(t)
	sessions := impersonation.NewSessions(a.Store, impersonation.DefaultIdle)
	a.Function = endpoints.New(a.Deps(t, sessions), a.Store)
	f := impersonating.New(a.Deps(t, sessions), impersonation.NewService(a.Store, sessions, nil))
	answer := a.Do(t, f, fixture.Call{
		Route: "POST /v1/impersonations", As: "support", Body: map[string]any{"subject": subject, "mode": mode},
		Claims: map[string]string{"auth_time": strconv.FormatInt(a.Clock.Now().Unix(), 10), "origin_jti": "fresh"},
	})
	if answer.Status != 201 {
		t.Fatalf("I1 %d %s", answer.Status, answer.Body)
	}
	return a, answer.JSON(t)["id"].(string)
}

// TestI6ChangesInASession: both sides need the right for each row.
func TestI6ChangesInASession(t *testing.T) {
	a, session := acting(t, "local", "full")
	rows := rowsFor(a.temps(t, 15), "frontline") // more than one transaction of rows with four entries each
	call := changes("support", append([]map[string]any{row("nurse", "leader"), row("doctor", "leader")}, rows...)...)
	call.Session = session
	got := says(outcomesOf(t, a.Do(t, a.Function, call)))
	if want := append([]string{"changed", "404 not_found"}, slices.Repeat([]string{"changed"}, 15)...); !slices.Equal(got, want) {
		t.Errorf("I6 %v", got)
	}
	for _, e := range a.told(t) {
		if e.Subject.ID != "local" || e.Impersonator.ID != "support" {
			t.Errorf("I7 told as %+v", e)
		}
	}
	looking, session := acting(t, "local", "read_only")
	call.Session = session
	if answer := looking.Do(t, looking.Function, call); answer.Status != 403 || answer.Problem(t) != "read_only" || looking.User(t, "nurse").Persona != directory.Frontline {
		t.Errorf("I6 %d %s", answer.Status, answer.Body)
	}
}
