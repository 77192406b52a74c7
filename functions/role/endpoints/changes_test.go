package endpoints_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	impersonating "gemba/functions/impersonation/endpoints"
	"gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

const changeRoute = "POST /v1/role-changes"

func row(user, role string, more map[string]any) map[string]any {
	r := map[string]any{"user": user, "role": role}
	for name, value := range more {
		r[name] = value
	}
	return r
}

var taken = map[string]any{"revoke": true}

func rowsOf(rows ...map[string]any) map[string]any { return map[string]any{"changes": rows} }

// outcome is a row's result as a client reads it.
type outcome struct {
	User, Role, Result string
	Problem            struct {
		Type, Title, Detail string
		Status              int
		Errors              []struct{ Pointer string }
	}
}

func (o outcome) says() string {
	if o.Result != "" {
		return o.Result
	}
	text := o.Problem.Type[len("urn:problem:"):]
	for _, e := range o.Problem.Errors {
		text += " " + e.Pointer
	}
	return text
}

func changesOf(t *testing.T, a fixture.Answer) []outcome {
	t.Helper()
	expect(t, "role changes", a, 200, "")
	var body struct{ Results []outcome }
	a.Into(t, &body)
	for _, o := range body.Results {
		if (o.Result == "") == (o.Problem.Type == "") || o.Result == "" && (o.Problem.Title == "" || o.Problem.Status < 400) {
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

func changes(as string, rows ...map[string]any) fixture.Call {
	return fixture.Call{Route: changeRoute, As: as, Body: rowsOf(rows...)}
}

func TestEachRowIsDecidedByItself(t *testing.T) {
	store, place, f := openStore(t)
	rows := []map[string]any{
		row("nurse", "unit-lead", nil),
		row("doctor", "staff", nil),
		row("nurse", "director", nil),
		row("nobody", "staff", nil),
		row("capture", "unit-lead", map[string]any{"locations": []string{"icu"}, "until": "2030-01-01T00:00:00Z"}),
		row("capture", "unit-lead", map[string]any{"locations": []string{"ward", "icu"}}),
		row("capture", "unit-lead", map[string]any{"locations": []string{"icu"}}),
		row("capture", "unit-lead", map[string]any{"locations": []string{"icu"}}),
		row("capture", "unit-lead", taken),
		row("capture", "unit-lead", taken),
		row("nurse", "nothing", nil),
		row("local", "staff", nil),
	}
	got := says(changesOf(t, place.Do(t, f, changes("local", rows...))))
	want := []string{
		"assigned", "not_found", "denied", "not_found", "assigned", "invalid_limit /changes/5/locations/0", "limited", "unchanged",
		"revoked", "not_found", "not_found", "assigned",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("R12, T4, R5 (-want +got):\n%s", diff)
	}
	done, denied := 0, []string{}
	for _, e := range entries(t, store, timeline.Assignment) {
		if e.Denied {
			denied = append(denied, e.Action+" "+e.Target.ID+" "+e.Cause)
			continue
		}
		done++
	}
	slices.Sort(denied)
	wantDenied := []string{"grant_role doctor out_of_scope", "grant_role nobody unknown_resource", "grant_role nurse not_grantable", "grant_role nurse unknown_resource"}
	if diff := cmp.Diff(wantDenied, denied); diff != "" || done != 5 {
		t.Errorf("T1 %d are told as done; denied (-want +told):\n%s", done, diff)
	}
}

// TestTheSameCodesAsTheSingleCalls asks every kind of row both ways.
func TestTheSameCodesAsTheSingleCalls(t *testing.T) {
	for _, as := range []string{"root", "local"} {
		t.Run(as, func(t *testing.T) {
			_, single, f := openStore(t)
			_, bulk, g := openStore(t)
			var rows []map[string]any
			var want []string
			for _, user := range []string{"nurse", "doctor", "nobody", as} {
				for _, role := range []string{"staff", "unit-lead", "pharmacy", "administrator", "nothing"} {
					for _, more := range []map[string]any{{}, {"locations": []string{"icu"}}, {"locations": []string{}}, {"until": "2020-01-01T00:00:00Z"}, taken} {
						rows = append(rows, row(user, role, more))
						call := onRole(assignRoute, as, user, role, more)
						if more["revoke"] != nil {
							call = onRole(revokeRoute, as, user, role, nil)
						}
						a := single.Do(t, f, call)
						want = append(want, fmt.Sprint(a.Status, " ", a.Problem(t)))
					}
				}
			}
			got := changesOf(t, bulk.Do(t, g, changes(as, rows...)))
			// Rows are done by user, so rows of a right that is lost on the way differ; here none is.
			for i, o := range got {
				says := "200 "
				if o.Result == "" {
					says = fmt.Sprint(o.Problem.Status, " ", o.Problem.Type[len("urn:problem:"):])
				}
				if says != want[i] {
					t.Errorf("%v: %s in bulk, %s alone", rows[i], says, want[i])
				}
			}
		})
	}
}

func TestChangesAsAWhole(t *testing.T) {
	place, f := open(t)
	many := make([]map[string]any, 501)
	for i := range many {
		many[i] = row("nurse", "staff", nil)
	}
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"R12 who administers nobody", changes("nurse", row("nurse", "staff", nil)), 403, "denied"},
		{"more than 500", changes("root", many...), 400, "malformed"},
		{"no row", changes("root"), 400, "malformed"},
		{"an empty list", fixture.Call{Route: changeRoute, As: "root", Body: `{"changes":[]}`}, 200, ""},
		{"a row without a user", changes("root", map[string]any{"role": "staff"}), 400, "malformed"},
		{"a limit of what is taken back", changes("root", row("nurse", "staff", map[string]any{"revoke": true, "locations": []string{"icu"}})), 400, "malformed"},
		{"an unknown member", changes("root", row("nurse", "staff", map[string]any{"til": ""})), 400, "malformed"},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
}

// TestARowKnowsTheRowsBefore: the rows of one user are done in their order, and
// a right that the caller gives up is gone for the rows that follow.
func TestARowKnowsTheRowsBefore(t *testing.T) {
	_, place, f := openStore(t)
	u := place.User(t, "root")
	u.ID, u.Username, u.Sub, u.Assignments = "second", "second", fixture.Sub("second"), nil
	place.AddUser(t, u, "administrator")

	got := says(changesOf(t, place.Do(t, f, changes("root",
		row("root", "administrator", taken), row("nurse", "coach", nil), row("root", "administrator", nil)))))
	if !slices.Equal(got, []string{"revoked", "not_found", "denied"}) {
		t.Errorf("R12 a right given up on the way: %v", got)
	}
	got = says(changesOf(t, place.Do(t, f, changes("second",
		row("nurse", "administrator", nil), row("second", "administrator", taken)))))
	if !slices.Equal(got, []string{"assigned", "revoked"}) {
		t.Errorf("R13 the next administrator is made by the row before: %v", got)
	}
	got = says(changesOf(t, place.Do(t, f, changes("nurse",
		row("second", "administrator", nil), row("nurse", "administrator", taken), row("second", "administrator", taken), row("nurse", "administrator", nil)))))
	// By user: second is given it and loses it again, then nurse is the last.
	if !slices.Equal(got, []string{"assigned", "last_full_administrator", "revoked", "unchanged"}) {
		t.Errorf("R13 two rows that each leave the other: %v", got)
	}
}

// TestRepeatedChangesGiveTheFirstAnswer is T3 where the first request was cut.
func TestRepeatedChangesGiveTheFirstAnswer(t *testing.T) {
	store, place, f := openStore(t)
	var users []string
	for i := range 30 {
		id := fmt.Sprintf("temp-%02d", i)
		place.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}})
		users = append(users, id)
	}
	var rows []map[string]any
	for _, u := range users {
		rows = append(rows, row(u, "unit-lead", nil))
	}
	rows = append(rows, row("nobody", "staff", nil), row(users[0], "unit-lead", taken))
	call := changes("root", rows...)
	call.Header = map[string]string{"idempotency-key": "k"}

	// The second unit's write is lost, and all after it.
	writes := 0
	cut := place.Open(func(c *aws.Config) {
		c.Retryer = dynamotest.Hasty
		c.APIOptions = append(c.APIOptions, dynamotest.Intercept(func(operation string, _ any, next func() (any, error)) (any, error) {
			if operation == "TransactWriteItems" {
				if writes++; writes > 2 {
					return nil, dynamotest.Lost
				}
			}
			return next()
		}))
	})
	deps := place.Deps(t, nil)
	deps.Store = cut
	expect(t, "T3 a request that was cut", place.Do(t, endpoints.New(deps, cut), call), 503, "unavailable")
	done := len(entries(t, store, timeline.Assignment))
	if done == 0 || done >= len(rows) {
		t.Fatalf("%d of %d rows were done before the cut", done, len(rows))
	}

	other := call
	other.Body = rowsOf(rows[:3]...)
	expect(t, "T3 the key of another request that was cut", place.Do(t, f, other), 422, "idempotency_key_reused")
	first := place.Do(t, f, call)
	want := slices.Repeat([]string{"assigned"}, len(users))
	want = append(want, "not_found", "revoked")
	if diff := cmp.Diff(want, says(changesOf(t, first))); diff != "" {
		t.Errorf("T3 what was done before the cut is told as it was (-want +got):\n%s", diff)
	}
	if n := len(entries(t, store, timeline.Assignment)); n != len(rows) {
		t.Errorf("T1 %d entries of %d rows", n, len(rows))
	}
	expect(t, "somebody changes it", place.Do(t, f, onRole(revokeRoute, "root", users[3], "unit-lead", nil)), 200, "")
	if second := place.Do(t, f, call); second.Body != first.Body {
		t.Errorf("T3 %s, then %s", first.Body, second.Body)
	}
	if _, holds := place.User(t, users[3]).Assignment("unit-lead"); holds {
		t.Error("T3 a repeated request did it again")
	}
	expect(t, "T3 the key of another request", place.Do(t, f, other), 422, "idempotency_key_reused")
}

// TestChangesEndBeforeTheFunctionDoes: what there is no time for is not begun,
// and the request says that it may be tried again.
func TestChangesEndBeforeTheFunctionDoes(t *testing.T) {
	store, place, f := openStore(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(1900*time.Millisecond))
	defer cancel()
	raw, err := f.Invoke(ctx, place.Event(t, changes("root", row("nurse", "coach", nil))))
	if err != nil || !strings.Contains(string(raw), `"statusCode":503`) || !strings.Contains(string(raw), "urn:problem:unavailable") {
		t.Errorf("%s, %v", raw, err)
	}
	if told := entries(t, store, timeline.Assignment); len(told) > 0 {
		t.Errorf("T3 %+v", told)
	}
}

// TestARowThatMakesAUserTooLarge is the row's problem, not the request's.
func TestARowThatMakesAUserTooLarge(t *testing.T) {
	_, place, f := openStore(t)
	var locations []string
	policy := dynamo.Policy{}
	for i := range 25 {
		id := fmt.Sprintf("place-%02d-%s", i, strings.Repeat("x", 55))
		locations = append(locations, id)
		policy.Locations = append(policy.Locations, directory.Location{Location: authz.Location{ID: id, Name: id}})
	}
	var rows []map[string]any
	for i := range 70 {
		id := fmt.Sprintf("role-%02d", i)
		policy.Roles = append(policy.Roles, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id}})
		rows = append(rows, row("wide", id, map[string]any{"locations": locations}))
	}
	if _, err := place.Open().CreatePolicy(t.Context(), fixture.Organization, policy, place.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	place.AddUser(t, directory.User{ID: "wide", Name: "Wide", Username: "wide", Type: authz.General, Locations: locations})
	got := says(changesOf(t, place.Do(t, f, changes("root", append(rows, row("nurse", "coach", nil))...))))
	first := slices.Index(got, "too_large")
	if first < 50 || got[0] != "assigned" || got[69] != "too_large" || got[70] != "assigned" {
		t.Errorf("a user of 100 KB: %v", got)
	}
	alone := place.Do(t, f, onRole(assignRoute, "root", "wide", "role-69", map[string]any{"locations": locations}))
	expect(t, "as the single call", alone, 422, "too_large")
	dry := onRole(assignRoute, "root", "wide", "role-69", map[string]any{"locations": locations})
	dry.Query = "dryRun=true"
	expect(t, "as the change would be refused", place.Do(t, f, dry), 422, "too_large")
}

func TestOneRequestTwiceAtOnceIsOne(t *testing.T) {
	store, place, f := openStore(t)
	call := changes("root", row("nurse", "coach", nil), row("doctor", "coach", nil), row("lead", "staff", taken))
	call.Header = map[string]string{"idempotency-key": "k"}
	instances := []*api.Function{f, another(t, place), another(t, place), another(t, place)}
	answers := make([]fixture.Answer, len(instances))
	var racing sync.WaitGroup
	for i, g := range instances {
		racing.Go(func() { answers[i] = place.Do(t, g, call) })
	}
	racing.Wait()
	for _, a := range answers {
		if a.Body != answers[0].Body || a.Status != http.StatusOK {
			t.Errorf("T3 %d %s, and %s", a.Status, a.Body, answers[0].Body)
		}
	}
	if n := len(entries(t, store, timeline.Assignment)); n != 3 {
		t.Errorf("T1 %d entries of 3 rows", n)
	}
}

// TestChangesInASession is I6: both sides need the right for each row, and the
// actor's own roles stay as they are.
func TestChangesInASession(t *testing.T) {
	store, place, f := openStore(t)
	place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "helper"}, Name: "Helper", Admin: authz.Admin{
		Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}, Impersonate: true,
	}}})
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "support", "helper", nil)), 200, "")
	session := begin(t, store, place, "support", "local")
	call := changes("support", row("nurse", "staff", nil), row("nurse", "unit-lead", nil), row("doctor", "unit-lead", nil), row("nurse", "coach", nil), row("local", "staff", nil))
	call.Session = session
	got := says(changesOf(t, place.Do(t, f, call)))
	if diff := cmp.Diff([]string{"unchanged", "assigned", "not_found", "denied", "assigned"}, got); diff != "" {
		t.Errorf("I6 (-want +got):\n%s", diff)
	}
	e := entries(t, store, timeline.Assignment)[0]
	if e.Subject.ID != "local" || e.Impersonator.ID != "support" {
		t.Errorf("I7 told as %+v", e)
	}
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "support", "staff", nil)), 200, "")
	end(t, store, place, "support", session)
	session = begin(t, store, place, "support", "root")
	call = changes("support", row("support", "staff", taken), row("nurse", "coach", nil))
	call.Session = session
	if got := says(changesOf(t, place.Do(t, f, call))); !slices.Equal(got, []string{"own_roles_in_session", "assigned"}) {
		t.Errorf("I6 the actor's own roles: %v", got)
	}
}

// begin starts a session by the impersonation function, with a fresh sign-in.
func begin(t *testing.T, store *dynamo.Store, place *fixture.Place, actor, subject string) string {
	t.Helper()
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	f := impersonating.New(place.Deps(t, sessions), impersonation.NewService(store, sessions, nil))
	a := place.Do(t, f, fixture.Call{
		Route: "POST /v1/impersonations", As: actor, Body: map[string]any{"subject": subject},
		Claims: map[string]string{"auth_time": strconv.FormatInt(place.Clock.Now().Unix(), 10), "origin_jti": "fresh-" + subject},
	})
	expect(t, "I1", a, 201, "")
	id, _ := a.JSON(t)["id"].(string)
	return id
}

// end signs a session out.
func end(t *testing.T, store *dynamo.Store, place *fixture.Place, actor, id string) {
	t.Helper()
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	f := impersonating.New(place.Deps(t, sessions), impersonation.NewService(store, sessions, nil))
	expect(t, "I5", place.Do(t, f, fixture.Call{Route: "DELETE /v1/impersonations/{id}", As: actor, Path: map[string]string{"id": id}}), 200, "")
}
