package endpoints_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/functions/persona/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
)

// cost is what a call asked of DynamoDB: requests, the actions of its
// transactions, and the largest of them. AWS bills two write units an action and
// KB; DynamoDB Local tells other numbers, so they are not looked at.
type cost struct{ requests, actions, largest int }

// costs counts what a warm instance asks for by a call.
func (a at) costs(t *testing.T, call fixture.Call) (c cost, answer fixture.Answer) {
	t.Helper()
	f := a.other(t, func(_ string, input any, next func() (any, error)) (any, error) {
		c.requests++
		if t, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
			c.actions += len(t.TransactItems)
			c.largest = max(c.largest, len(t.TransactItems))
		}
		return next()
	})
	a.Do(t, f, fixture.Call{Route: "GET /v1/personas", As: "root"}) // warms it
	c = cost{}
	answer = a.Do(t, f, call)
	return c, answer
}

// TestCosts holds changes of personas to what they cost on a warm instance when
// nothing was written in the last ten seconds. A single one is reading caller and
// user together, and one transaction: the user, the copy in the directory, the
// counter, the entry and its copies for two people, the caller and the policy
// checked. In bulk each transaction reads its users first; a counter that several
// of its users move is one action.
func TestCosts(t *testing.T) {
	a := world(t)
	users := a.temps(t, 130)
	single := fixture.Call{Route: "PUT /v1/users/{id}/persona", Path: map[string]string{"id": "nurse"}, As: "root", Body: persona("leader")}
	bulk := changes("root", rowsFor(users, "frontline")...)
	bulk.Header = map[string]string{"idempotency-key": "k"}
	for _, c := range []struct {
		name string
		call fixture.Call
		want cost
	}{
		{"a persona changes", single, cost{requests: 2, actions: 8, largest: 8}},
		{"it is what it was", single, cost{requests: 1}},
		// Ten transactions of 13 rows: five actions each, a counter, the answer, caller and policy. The key is
		// looked for once, and once more before the first of them. Of 500 rows they are 39.
		{"130 personas change", bulk, cost{requests: 3 + 10 + 10, actions: 130*5 + 10*4, largest: 13*5 + 4}},
		{"and once more with the same key", bulk, cost{requests: 2 + 10}},
		{"they are what they were", changes("root", rowsFor(users, "Frontline")...), cost{requests: 1 + 10}},
		{"a history", fixture.Call{Route: historyRoute, Path: map[string]string{"id": "nurse"}, As: "root"}, cost{requests: 2}},
		{"the catalogue", fixture.Call{Route: "GET /v1/personas", As: "root"}, cost{requests: 1}},
	} {
		a.Clock.Advance(time.Minute)
		got, answer := a.costs(t, c.call)
		if got != c.want || answer.Status != 200 {
			t.Errorf("%s: %d, %+v, want %+v", c.name, answer.Status, got, c.want)
		}
	}
}

// TestTheDearestRowsFit: in a session, with a key, each row somebody at a set of
// locations of their own, a transaction stays within the hundred actions that
// DynamoDB takes.
func TestTheDearestRowsFit(t *testing.T) {
	a, session := acting(t, "local", "full")
	var policy []directory.Location
	for i := range 14 {
		policy = append(policy, directory.Location{Location: authz.Location{ID: fmt.Sprint("room-", i), Name: "Room", Parent: "icu"}})
	}
	if _, err := a.CreatePolicy(t.Context(), fixture.Organization, dynamo.Policy{Locations: policy}, a.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	for i, l := range policy {
		id := fmt.Sprint("temp-", i)
		a.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{l.ID}})
		rows = append(rows, row(id, "frontline"))
	}
	call := changes("support", rows...)
	call.Session, call.Header = session, map[string]string{"idempotency-key": "k"}
	got, answer := a.costs(t, call)
	for _, o := range outcomesOf(t, answer) {
		if o.Result != "changed" {
			t.Errorf("%s: %s", o.User, o.says())
		}
	}
	// Seven each; the answer, both sides, policy and session.
	if got.largest != 13*7+5 {
		t.Errorf("the largest transaction has %d actions", got.largest)
	}
}

// metered is the function with what it logs, which tells the cost of each call.
func metered(b *testing.B) (at, *bytes.Buffer) {
	store, place := fixture.World(b)
	var log bytes.Buffer
	deps := place.Deps(b, nil)
	deps.Log = slog.New(slog.NewJSONHandler(&log, nil))
	return at{store, place, endpoints.New(deps, store)}, &log
}

// measured makes a call and reports what the last one took of DynamoDB.
func measured(b *testing.B, a at, f *api.Function, log *bytes.Buffer, call fixture.Call) {
	b.Helper()
	log.Reset()
	if answer := a.Do(b, f, call); answer.Status != 200 {
		b.Fatalf("%d %s", answer.Status, answer.Body)
	}
	var line struct{ DynamodbRequests, DynamodbUnits float64 }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		b.Fatalf("%v: %s", err, log)
	}
	b.ReportMetric(line.DynamodbRequests, "requests")
	b.ReportMetric(line.DynamodbUnits, "units")
}

// The units are DynamoDB Local's, reads and writes counted together.
func BenchmarkChange(b *testing.B) {
	a, log := metered(b)
	for i := 0; b.Loop(); i++ {
		to := []string{"leader", "frontline"}[i%2]
		measured(b, a, a.Function, log, fixture.Call{Route: "PUT /v1/users/{id}/persona", Path: map[string]string{"id": "nurse"}, As: "root", Body: persona(to)})
	}
}

func BenchmarkChange500(b *testing.B) {
	a, log := metered(b)
	users := a.temps(b, 500)
	for i := 0; b.Loop(); i++ {
		measured(b, a, a.Function, log, changes("root", rowsFor(users, []any{"leader", nil}[i%2])...))
	}
}
