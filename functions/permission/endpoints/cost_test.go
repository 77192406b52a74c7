package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

// logged is a function over the fixture's organization that writes its log
// into lines.
func logged(t *testing.T) (f *api.Function, place *fixture.Place, lines func() []object) {
	t.Helper()
	_, place = fixture.World(t)
	var out bytes.Buffer
	deps := place.Deps(t, nil)
	deps.Log = slog.New(slog.NewJSONHandler(&out, nil))
	return endpoints.New(deps, place.Open()), place, func() []object {
		var all []object
		for line := range strings.Lines(out.String()) {
			var one object
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		out.Reset()
		return all
	}
}

// TestWarmEvaluationIsOneRead counts what a warm instance asks of DynamoDB:
// one BatchGetItem for caller, subject, item and policy version, and one for
// each hundred distinct keys of a batch.
func TestWarmEvaluationIsOneRead(t *testing.T) {
	f, place, lines := logged(t)
	requests := func(as, route string, body object) float64 {
		t.Helper()
		if a := place.Do(t, f, fixture.Call{Route: route, As: as, Body: body}); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		for _, line := range lines() {
			if line["msg"] == "request" {
				return line["dynamodbRequests"].(float64)
			}
		}
		t.Fatal("the request is not in the log")
		return 0
	}
	items := func(n int) object {
		var entries []object
		for i := range n {
			entries = append(entries, object{"resource": object{"type": "item", "id": fmt.Sprintf("i%d", i)}})
		}
		q := question("nurse", "view", "item", "icu-idea", nil)
		q["evaluations"] = entries
		return q
	}
	one := question("nurse", "view", "item", "icu-idea", nil)
	if cold := requests("service", evaluation, one); cold <= 1 {
		t.Errorf("a cold evaluation: %v requests; does the count count?", cold)
	}
	table := []struct {
		name, as, route string
		body            object
		want            float64
	}{
		{"another's right on a stored item", "service", evaluation, one, 1},
		{"one's own, asked with a sign-in met before", "service", evaluation, question("service", "view", "item", "icu-idea", nil), 1},
		{"facts of the question's own", "service", evaluation, question("nurse", "participate", "item", "x", object{"template": "idea"}), 1},
		{"an action on a user", "service", evaluation, question("root", "administer", "user", "nurse", nil), 1},
		// Caller, subject and version are three of the keys.
		{"97 items are 100 keys", "service", evaluations, items(97), 1},
		{"98 items are 101 keys", "service", evaluations, items(98), 2},
	}
	for _, tt := range table {
		if got := requests(tt.as, tt.route, tt.body); got != tt.want {
			t.Errorf("%s: %v requests, want %v", tt.name, got, tt.want)
		}
	}
}

// TestAMarkIsOneWriteADay: the first request of somebody's day costs one write
// more than the others, which cost nothing for it: on the instance that left the
// mark at once, on any other when it is noted.
func TestAMarkIsOneWriteADay(t *testing.T) {
	store, place := fixture.World(t)
	marking := func() (*api.Function, *bill) {
		cost, deps, store := newBill(), place.Deps(t, nil), place.Open()
		deps.Store, deps.MarkSeen, deps.Log = store, store.MarkSeen, slog.New(cost)
		return endpoints.New(deps, nil), cost
	}
	f, cost := marking()
	other, otherCost := marking()
	asks := func(f *api.Function, cost *bill, want float64, when string) {
		t.Helper()
		*cost = *newBill()
		if a := place.Do(t, f, own(authz.DoView, "icu-idea")); a.Status != 200 || cost.requests != want {
			t.Errorf("%s: %d after %v requests, want %v", when, a.Status, cost.requests, want)
		}
	}
	for _, f := range []*api.Function{f, other} { // warm, by somebody else
		place.Do(t, f, fixture.Call{Route: evaluation, As: "doctor", Body: question("doctor", "view", "item", "icu-idea", nil)})
	}
	asks(f, cost, 3, "the first of the day, of a sign-in that is new here") // SUB, the check, the mark
	for range 3 {
		asks(f, cost, 1, "the next")
	}
	asks(other, otherCost, 3, "the first on another instance, before it is noted")
	nurse := place.User(t, "nurse")
	seen := nurse
	seen.Seen = directory.DayOf(place.Clock.Now())
	if err := store.NoteSeen(t.Context(), fixture.Organization, []directory.Turned{{Before: nurse, After: seen}}); err != nil {
		t.Fatal(err)
	}
	place.Clock.Advance(time.Minute) // so that what was noted is not young
	third, thirdCost := marking()
	place.Do(t, third, fixture.Call{Route: evaluation, As: "doctor", Body: question("doctor", "view", "item", "icu-idea", nil)})
	asks(third, thirdCost, 2, "the first on a third, after it is noted")
	place.Clock.Advance(24 * time.Hour)
	asks(f, cost, 2, "the first of the next day")
	asks(f, cost, 1, "the second of the next day")
}

// TestDecisionLog: every denial is logged, of the yeses the share that the
// organization wants.
func TestDecisionLog(t *testing.T) {
	f, place, lines := logged(t)
	decisions := func(body object) []object {
		t.Helper()
		place.Do(t, f, fixture.Call{Route: evaluations, As: "service", Body: body})
		var out []object
		for _, line := range lines() {
			if line["msg"] == "decision" {
				out = append(out, line)
			}
		}
		return out
	}
	if got := decisions(question("nurse", "view", "item", "icu-idea", nil)); len(got) != 0 {
		t.Errorf("a yes, at rate 0: %v", got)
	}
	raw := question("not/an id\n", "shout\u00e9", "thing", "secret words", nil)
	raw["subject"].(object)["type"] = "ghost"
	raw["subject"].(object)["id"] = "not an id"
	batch := question("nurse", "view", "item", "surgery-draft", nil)
	alike := question("maria.alvarez", "view", "document", "like-an-id", nil) // of types that have no ids here
	alike["subject"].(object)["type"] = "e-mail"
	batch["evaluations"] = []object{{}, {"resource": object{}}, {"resource": object{"type": "item", "id": "icu-idea"}}, raw, alike}
	got := decisions(batch)
	if len(got) != 3 {
		t.Fatalf("three denials, an error and a yes: %v", got)
	}
	want := object{
		"level": "INFO", "msg": "decision", "requestId": "request-1", "organization": "riverside", "actor": "service", "asker": "service",
		"session": "", "subject": "nurse", "action": "view", "resourceType": "item", "resource": "surgery-draft",
		"decision": false, "reason": "draft",
	}
	for name, value := range want {
		if got[0][name] != value {
			t.Errorf("%s: %v, want %v", name, got[0][name], value)
		}
	}
	if policy, _ := got[0]["policy"].(float64); policy < 1 {
		t.Errorf("policy %v", got[0]["policy"])
	}
	for _, name := range []string{"subject", "action", "resourceType", "resource"} {
		for _, line := range got[1:] {
			if line[name] != "" {
				t.Errorf("T5 raw input in the log: %s %v", name, line[name])
			}
		}
	}
}

// memory is a store that holds one moment's facts: everything but the network.
type memory struct {
	api.Store
	facts directory.Facts
}

func (memory) SignIn(context.Context, string) (organization, user string, err error) {
	return fixture.Organization, "service", nil
}

func (m memory) Load(context.Context, string, directory.Keys) (directory.Facts, error) {
	return m.facts, nil
}

func (memory) Meter(ctx context.Context) (context.Context, func() []slog.Attr) {
	return ctx, func() []slog.Attr { return nil }
}

// inMemory is a function whose organization wants this share of its yeses logged.
func inMemory(t testing.TB, place *fixture.Place, rate float64, log *slog.Logger) *api.Function {
	t.Helper()
	facts := place.Caller(t, "service", directory.Keys{Users: []string{"nurse"}, Items: []string{"icu-idea"}}).Facts
	facts.Organization.Settings.DecisionLogRate = rate
	return endpoints.New(api.Deps{Store: memory{facts: facts}, MarkSeen: fixture.Unmarked, Log: log, Now: time.Now}, nil)
}

func TestDecisionLogRate(t *testing.T) {
	_, place := fixture.World(t)
	for _, rate := range []float64{0, 0.5, 1} {
		var out bytes.Buffer
		f := inMemory(t, place, rate, slog.New(slog.NewJSONHandler(&out, nil)))
		const asked = 1000
		for range asked / 100 {
			q := question("nurse", "view", "item", "icu-idea", nil)
			q["evaluations"] = make([]object, 100)
			for i := range 100 {
				q["evaluations"].([]object)[i] = object{}
			}
			several(t, place, f, "service", q)
		}
		got := strings.Count(out.String(), `"msg":"decision"`)
		// A hundred from the half is six standard deviations.
		if want := int(rate * asked); got < want-100 || got > want+100 || (rate != 0.5 && got != want) {
			t.Errorf("rate %v: %d of %d yeses", rate, got, asked)
		}
	}
}

// TestExplanationsFitIntoAnAnswer: Lambda answers at most 6 MB, however many
// locations the questions name and whatever is held there.
func TestExplanationsFitIntoAnAnswer(t *testing.T) {
	_, place := fixture.World(t)
	facts := place.Caller(t, "service", directory.Keys{Users: []string{"lead"}}).Facts
	var put authz.Policy
	var locations []string
	for i := range 200 {
		id := fmt.Sprint("room-", i)
		put.Locations, locations = append(put.Locations, authz.Location{ID: id, Name: id, Parent: "surgery"}), append(locations, id)
	}
	facts.Model = facts.Model.With(authz.Change{Put: put})
	f := endpoints.New(api.Deps{Store: memory{facts: facts}, MarkSeen: fixture.Unmarked, Log: slog.New(slog.DiscardHandler), Now: time.Now}, nil)
	q := question("lead", "edit", "item", "given", object{"template": "kaizen", "status": "active", "locations": locations})
	q["context"] = object{"explain": true}
	q["evaluations"] = make([]object, 100)
	for i := range 100 {
		q["evaluations"].([]object)[i] = object{}
	}
	a := place.Do(t, f, fixture.Call{Route: evaluations, As: "service", Body: q})
	payload, _ := json.Marshal(a.Body)
	if len(payload) > 6<<20 {
		t.Errorf("%d: %d bytes", a.Status, len(payload))
	}
}
