package endpoints_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/directory/endpoints"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// T3: a repeated request is told what the first one was, whatever came between,
// and goes on where the first one was cut.
func TestImportRepeated(t *testing.T) {
	q := openQuay(t)
	world := members{"workflows": []any{members{"id": "kata", "name": "Kata"}}, "users": []any{person("u", holding("staff")), person("v", holding("none"))}}
	first := q.imports(t, "root", world, "", "idempotency-key", "k1")
	first.is(t, "first", map[string]string{"/workflows/0": "created", "/users/0": "created", "/users/1": "invalid_user /users/1/roles/0/role"})
	q.imports(t, "root", members{"workflows": []any{members{"id": "kata", "name": "Coaching kata"}}}, "").is(t, "between", map[string]string{"/workflows/0": "changed"})
	if again := q.imports(t, "root", world, "", "idempotency-key", "k1"); again.Body != first.Body {
		t.Errorf("T3 again: %s\nfirst: %s", again.Body, first.Body)
	}
	if w, _ := q.Caller(t, "root", directory.Keys{}).Model.Workflow("kata"); w.Name != "Coaching kata" {
		t.Errorf("T3 the repeated request was done again: %s", w.Name)
	}
	q.imports(t, "root", members{}, "", "idempotency-key", "k1").refusedWhole(t, "T3 another request", 422, "idempotency_key_reused")
	q.imports(t, "root", world, "dryRun=true", "idempotency-key", "k1").refusedWhole(t, "T3 a dry run is another request", 422, "idempotency_key_reused")

	// A run of which only one transaction came through, and the answer was lost.
	var left atomic.Int64
	left.Store(1)
	cut := q.through(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" && left.Add(-1) < 0 {
			return nil, errors.New("no connection")
		}
		return next()
	})
	many := members{"users": []any{}}
	for i := range 12 {
		many["users"] = append(many["users"].([]any), person(fmt.Sprint("m", i), nil))
	}
	broken := cut.imports(t, "root", many, "", "idempotency-key", "k2")
	if n := broken.Summary; n["created"] == 0 || n["unreached"] == 0 || n["created"]+n["unreached"] != 12 {
		t.Fatalf("the table fails: %v", broken.said())
	}
	for _, r := range broken.Results {
		if r.Problem != nil && (r.Problem.Status != 503 || r.Problem.Type != "urn:problem:unavailable") {
			t.Errorf("%s: %v", r.Pointer, r.Problem)
		}
	}
	done := q.imports(t, "root", many, "", "idempotency-key", "k2")
	if done.Summary["created"] != 12 {
		t.Errorf("T3 the repeated request is told %v", done.said())
	}
	if again := q.imports(t, "root", many, "", "idempotency-key", "k2"); again.Body != done.Body {
		t.Errorf("T3 again: %s", again.Body)
	}
	if q.User(t, "m0").Version != 1 {
		t.Error("T3 a user was made twice")
	}

	// The same request twice at once, as a client does that lost patience.
	many = members{"users": []any{}}
	for i := range 30 {
		many["users"] = append(many["users"].([]any), person(fmt.Sprint("n", i), nil))
	}
	answers := make([]landed, 2)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() { answers[i] = q.imports(t, "root", many, "", "idempotency-key", "k3") })
	}
	wait.Wait()
	if answers[0].Summary["created"] != 30 || answers[1].Summary["created"] != 30 {
		t.Errorf("T3 the same request at once is told %v and %v", answers[0].Summary, answers[1].Summary)
	}
	q.reconciled(t)
}

// addresses is a pool that knows everybody's address, or fails.
type addresses struct {
	directory.Pool
	of     map[string]string
	broken bool
}

func (a *addresses) Find(_ context.Context, username string) (directory.Standing, bool, error) {
	if a.broken {
		return directory.Standing{}, false, errors.New("no pool")
	}
	return directory.Standing{Sub: fixture.Sub(username), Email: a.of[username], Confirmed: true, Enabled: true}, true, nil
}

func (a *addresses) SetEmail(_ context.Context, username, email string) error {
	a.of[username] = email
	return nil
}

// The pool is told of what was written, and of nothing else.
func TestImportTellsThePool(t *testing.T) {
	pool := &addresses{of: map[string]string{"nurse": "nurse@riverside.example"}}
	q := openQuayWith(t, pool)
	nurse := func(email string, change members) members {
		n := person("nurse", members{"name": "Nina Nurse", "email": email})
		for name, value := range change {
			n[name] = value
		}
		return members{"users": []any{n}}
	}
	q.imports(t, "root", nurse("a@x.example", nil), "dryRun=true").is(t, "dry", map[string]string{"/users/0": "changed"})
	q.imports(t, "root", nurse("a@x.example", holding("none")), "").is(t, "refused", map[string]string{"/users/0": "invalid_user /users/0/roles/0/role"})
	if pool.of["nurse"] != "nurse@riverside.example" {
		t.Errorf("T3 the pool was told of what was not done: %v", pool.of)
	}
	q.imports(t, "root", nurse("a@x.example", nil), "").is(t, "done", map[string]string{"/users/0": "changed"})
	if pool.of["nurse"] != "a@x.example" {
		t.Errorf("the pool was told %v", pool.of)
	}
	pool.broken = true
	q.imports(t, "root", nurse("b@x.example", nil), "").is(t, "a pool that fails", map[string]string{"/users/0": "unavailable"})
	pool.broken = false
	q.imports(t, "root", nurse("b@x.example", nil), "").is(t, "again", map[string]string{"/users/0": "unchanged"})
	if pool.of["nurse"] != "b@x.example" || q.User(t, "nurse").Untold {
		t.Errorf("the repetition told the pool %v", pool.of)
	}

	// The same by one idempotency key (T3): what the first attempt did is told, and
	// what it could not do is done.
	keyed := func(q quay) landed {
		return q.imports(t, "root", nurse("c@x.example", nil), "", "idempotency-key", "k1")
	}
	pool.broken = true
	keyed(q).is(t, "a pool that fails, by key", map[string]string{"/users/0": "unavailable"})
	keyed(q).is(t, "it fails again", map[string]string{"/users/0": "unavailable"})
	pool.broken = false
	cut := q.through(t, func(_ string, input any, next func() (any, error)) (any, error) {
		if in, reads := input.(*dynamodb.BatchGetItemInput); reads && asksForNames(in) {
			return nil, errors.New("no connection")
		}
		return next()
	})
	keyed(cut).is(t, "the table fails", map[string]string{"/users/0": "unavailable"})
	if !q.User(t, "nurse").Untold {
		t.Fatal("nothing is left to tell")
	}
	keyed(q).is(t, "again, by key", map[string]string{"/users/0": "changed"})
	if n := q.User(t, "nurse"); pool.of["nurse"] != "c@x.example" || n.Untold {
		t.Errorf("T3 the repeated request told the pool %v of %+v", pool.of, n)
	}
}

// asksForNames is whether a batch asks whose names are (U1): only an import's
// units are read so.
func asksForNames(in *dynamodb.BatchGetItemInput) bool {
	for _, asked := range in.RequestItems {
		for _, key := range asked.Keys {
			if pk, ok := key["pk"].(*types.AttributeValueMemberS); ok && strings.HasPrefix(pk.Value, "N#") {
				return true
			}
		}
	}
	return false
}

// through is the quay over a store with a hook before it.
func (q quay) through(t testing.TB, hook dynamotest.Hook) quay {
	t.Helper()
	store := q.Open(func(c *aws.Config) { c.APIOptions = append(c.APIOptions, dynamotest.Intercept(hook)) })
	deps := q.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Store = store
	return quay{q.Place, store, endpoints.New(deps, store, nil)}
}

// What there is no time for says so, and what rests on it, and nothing of it is
// done.
func TestImportOutOfTime(t *testing.T) {
	q := openQuay(t)
	var calls atomic.Int64
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	soon := &deadline{Context: ctx, at: time.Now().Add(time.Hour)}
	slow := q.through(t, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "TransactWriteItems" && calls.Add(1) == 1 {
			soon.at = time.Now().Add(time.Second)
		}
		return next()
	})
	world := members{"locations": []any{}, "users": []any{person("u", members{"locations": []string{"l59"}})}}
	for i := range 60 {
		parent := any(nil)
		if i > 0 {
			parent = fmt.Sprint("l", i-1)
		}
		world["locations"] = append(world["locations"].([]any), members{"id": fmt.Sprint("l", i), "name": "L", "parent": parent})
	}
	raw, err := slow.f.Invoke(soon, q.Event(t, fixture.Call{Route: "POST /v1/import", As: "root", Body: world}))
	if err != nil {
		t.Fatal(err)
	}
	var l landed
	if err := json.Unmarshal(raw, &l.Answer); err != nil {
		t.Fatal(err)
	}
	l.Into(t, &l)
	said := l.said()
	if l.Summary["created"] == 0 || said["/locations/0"] != "created" || said["/locations/59"] != "unavailable" || said["/users/0"] != "unavailable" || l.Summary["refused"] != 0 {
		t.Errorf("%v", l.Summary)
	}
	model := q.Caller(t, "root", directory.Keys{}).Model
	for i := range 60 {
		_, there := model.Location(fmt.Sprint("l", i))
		if created := said[fmt.Sprint("/locations/", i)] == "created"; created != there {
			t.Errorf("l%d is there: %v, the answer says %s", i, there, said[fmt.Sprint("/locations/", i)])
		}
	}
	if l = q.imports(t, "root", world, ""); l.Summary["created"]+l.Summary["unchanged"] != 61 {
		t.Errorf("again: %v", l.Summary)
	}
}

// deadline is a context whose end is told anew.
type deadline struct {
	context.Context
	at time.Time
}

func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }
