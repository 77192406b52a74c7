package endpoints_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/functions/impersonation/endpoints"
	permission "gemba/functions/permission/endpoints"
	persona "gemba/functions/persona/endpoints"
	"gemba/shared/api"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

var update = flag.Bool("update", false, "write the golden table of costs anew")

// cost is what a call asks of DynamoDB, and the units that AWS bills for it. Those of
// readings are told by DynamoDB Local; it does not tell those of transactions, which are
// two an action, since all of these items are below a kilobyte. What the index takes
// beside is left out.
type cost struct {
	requests, actions int
	read, write       float64
}

// meter counts what goes through a store. It is safe for concurrent use, as a touch and
// a reading go side by side.
type meter struct {
	mu  sync.Mutex
	sum cost
}

func (m *meter) hook(operation string, input any, next func() (any, error)) (any, error) {
	out, err := next()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.requests++
	if in, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
		m.sum.actions += len(in.TransactItems)
		m.sum.write += 2 * float64(len(in.TransactItems))
	}
	if operation == "UpdateItem" {
		m.sum.write++ // refused or done
	}
	if err != nil {
		return out, err
	}
	switch out := out.(type) {
	case *dynamodb.GetItemOutput:
		m.sum.read += units(*out.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		m.sum.read += units(*out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		m.sum.read += units(out.ConsumedCapacity...)
	case *dynamodb.TransactGetItemsOutput:
		m.sum.read += units(out.ConsumedCapacity...)
	}
	return out, nil
}

func units(consumed ...types.ConsumedCapacity) (sum float64) {
	for _, one := range consumed {
		sum += aws.ToFloat64(one.CapacityUnits)
	}
	return sum
}

// took is what was counted since it was last asked.
func (m *meter) took() cost {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := m.sum
	m.sum = cost{}
	return sum
}

// instance is one of each function that the costs are about, over a metered store.
type instance struct {
	*meter
	impersonation, permission, persona *api.Function
}

func (w world) instance(t *testing.T) instance {
	t.Helper()
	m := &meter{}
	open := func() (*dynamo.Store, api.Deps) {
		store := w.Open(func(c *aws.Config) { c.APIOptions = append(c.APIOptions, dynamotest.Intercept(m.hook)) })
		deps := w.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
		deps.Store = store
		return store, deps
	}
	store, deps := open()
	i := instance{meter: m, impersonation: endpoints.New(deps, impersonation.NewService(store, impersonation.NewSessions(store, impersonation.DefaultIdle), w.pool))}
	store, deps = open()
	i.permission = permission.New(deps, store)
	store, deps = open()
	i.persona = persona.New(deps, store)
	return i
}

// bill is the table of what calls cost.
type bill struct{ text strings.Builder }

func (b *bill) add(name string, c cost) {
	fmt.Fprintf(&b.text, "%-58s %8d %8d %10s %11s\n", name, c.requests, c.actions, number(c.read), number(c.write))
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// TestCosts holds what sessions cost to a table: of a start, of a request in one, of an
// end, of a listing. Nothing was written in the ten seconds before a call, but for what
// its name says.
func TestCosts(t *testing.T) {
	w := open(t)
	warm := w.instance(t)
	var b bill
	fmt.Fprintf(&b.text, "%-58s %8s %8s %10s %11s\n", "", "requests", "actions", "read units", "write units")
	call := func(name string, on instance, f *api.Function, c fixture.Call, status int) fixture.Answer {
		t.Helper()
		w.Clock.Advance(30 * time.Second)
		on.took()
		a := w.Do(t, f, c)
		if a.Status != status {
			t.Fatalf("%s: %d %s", name, a.Status, a.Body)
		}
		b.add(name, on.took())
		return a
	}
	id := func(a fixture.Answer) string { return a.JSON(t)["id"].(string) }
	end := func(session, as string) fixture.Call {
		return fixture.Call{Route: endRoute, As: as, Path: map[string]string{"id": session}}
	}
	list := fixture.Call{Route: listRoute, As: "support", Query: "state=active"}
	w.Do(t, warm.impersonation, list)

	wrong := starting("support", "nurse")
	wrong.Body = object{"subject": "nurse", "credentials": object{"username": "support", "password": "wrong"}}
	one := id(call("a start, by password", warm, warm.impersonation, starting("support", "nurse"), 201))
	call("a second one, refused", warm, warm.impersonation, starting("support", "nurse"), 409)
	call("signing out", warm, warm.impersonation, end(one, "support"), 200)
	fresh := fixture.Call{Route: startRoute, As: "support", Body: object{"subject": "nurse"}, Claims: map[string]string{
		"auth_time": strconv.FormatInt(w.Clock.Now().Add(10*time.Second).Unix(), 10), "origin_jti": "fresh",
	}}
	one = id(call("a start, by a fresh sign-in", warm, warm.impersonation, fresh, 201))
	call("revoking", warm, warm.impersonation, end(one, "root"), 200)
	call("a start refused, a wrong password", warm, warm.impersonation, wrong, 403)
	call("a start, by password, after wrong ones", warm, warm.impersonation, starting("support", "nurse"), 201)
	w.Clock.Advance(10 * time.Minute)
	one = id(call("a start that ends one that idled out", warm, warm.impersonation, starting("support", "lead"), 201))
	call("signing out of it", warm, warm.impersonation, end(one, "support"), 200)
	cold := w.instance(t)
	one = id(call("a start on a cold instance", cold, cold.impersonation, starting("support", "lead"), 201))

	question := fixture.Call{Route: "POST /access/v1/evaluation", As: "support", Header: map[string]string{"content-type": "application/json"}, Body: object{
		"subject": object{"type": "user", "id": "support"}, "action": object{"name": "view"}, "resource": object{"type": "item", "id": "icu-idea"},
	}}
	w.Do(t, warm.permission, question)
	call("a check, in person", warm, warm.permission, question, 200)
	question.Session = one
	question.Body.(object)["subject"].(object)["id"] = "lead"
	call("a check in a session, the first on an instance", warm, warm.permission, question, 200)
	call("a check in a session", warm, warm.permission, question, 200)
	cold = w.instance(t)
	call("a check in a session, on a cold instance", cold, cold.permission, question, 200)
	question.Session = "none"
	call("a check in a session that is none", warm, warm.permission, question, 403)
	own := fixture.Call{Route: "PUT /v1/users/{id}/persona", As: "support", Path: map[string]string{"id": "nurse"}, Body: object{"persona": "leader"}}
	w.Do(t, warm.persona, fixture.Call{Route: "GET /v1/personas", As: "support"})
	call("a change, in person", warm, warm.persona, own, 200)
	w.Do(t, warm.impersonation, end(one, "support"))

	one = id(w.Do(t, warm.impersonation, starting("support", "vendor"))) // who administers users, too
	own.Session, own.Body = one, object{"persona": "frontline"}
	w.Do(t, warm.persona, fixture.Call{Route: "GET /v1/personas", As: "support", Session: one})
	call("a change in a session", warm, warm.persona, own, 200)
	w.Clock.Advance(10 * time.Minute)
	call("a change in a session that idled out, which ends it", warm, warm.persona, own, 403)
	call("… and again", warm, warm.persona, own, 403)

	w.Do(t, warm.impersonation, starting("support", "nurse"))
	w.Clock.Advance(10 * time.Minute)
	call("a listing that finds one idled out", warm, warm.impersonation, list, 200)
	list.Query = ""
	call("one's own sessions, six", warm, warm.impersonation, list, 200)
	list.As = "root"
	call("all sessions, six", warm, warm.impersonation, list, 200)

	path := filepath.Join("testdata", "costs.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.text.String()); diff != "" {
		t.Errorf("the costs are others (run with -update to write them anew):\n%s", diff)
	}
	t.Logf("\n%s", b.text.String())
}
