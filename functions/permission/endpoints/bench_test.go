package endpoints_test

import (
	"bytes"
	"context"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
)

// bill is a log that adds up what requests cost.
type bill struct {
	slog.Handler
	requests, units float64
}

func newBill() *bill { return &bill{Handler: slog.NewJSONHandler(discard{}, nil)} }

// Handle takes the meter's figures out of a request's line, and writes it.
func (b *bill) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "dynamodbRequests":
			b.requests += float64(a.Value.Int64())
		case "dynamodbUnits":
			b.units += a.Value.Float64()
		}
		return true
	})
	return b.Handler.Handle(ctx, r)
}

// discard is a log's end.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// own is the nurse's question about a stored item.
func own(action authz.Action, item string) fixture.Call {
	return fixture.Call{Route: evaluation, As: "nurse", Body: question("nurse", action.String(), "item", item, nil)}
}

// over is the function over a store, and what its requests cost.
func over(t testing.TB, place *fixture.Place, store api.Store) (*api.Function, *bill) {
	t.Helper()
	cost := newBill()
	deps := place.Deps(t, nil)
	deps.Store, deps.Log = store, slog.New(cost)
	return endpoints.New(deps, nil), cost
}

// TestWarmCheckIsOneRequestOfThreeUnits: oneself asking about a stored item
// reads user, item and policy version, of which nothing was written in the last
// ten seconds.
func TestWarmCheckIsOneRequestOfThreeUnits(t *testing.T) {
	_, place := fixture.World(t)
	f, cost := over(t, place, place.Open())
	ask := func(item string) (requests, units float64) {
		t.Helper()
		*cost = *newBill()
		if a := place.Do(t, f, own(authz.DoView, item)); a.Status != 200 || a.JSON(t)["decision"] != true {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return cost.requests, cost.units
	}
	if requests, _ := ask("icu-idea"); requests <= 1 {
		t.Errorf("a cold check: %v requests; does the bill count?", requests)
	}
	for _, item := range []string{"icu-idea", "icu-new", "icu-idea"} {
		if requests, units := ask(item); requests != 1 || units <= 0 || units > 3 {
			t.Errorf("C11: a warm check of %s: %v requests, %v units", item, requests, units)
		}
	}
	young := place.Caller(t, "nurse", directory.Keys{Items: []string{"icu-idea"}}).Items["icu-idea"]
	young.ID = "icu-young"
	place.AddItem(t, young)
	if requests, units := ask("icu-young"); requests != 2 || units <= 3 {
		t.Errorf("C11: a check of what has just been written is read again: %v requests, %v units", requests, units)
	}
}

// kept stands for DynamoDB behind the SDK: it answers a BatchGetItem as it was
// answered before, so that what is left of a check is our own work and the
// SDK's way of calling.
type kept map[string]any

// hook answers what it has answered before; the version's copy, of which one is
// read at random, names the answer, so all questions must be the same.
func (k kept) hook(_ string, input any, next func() (any, error)) (any, error) {
	batch, ok := input.(*dynamodb.BatchGetItemInput)
	if !ok {
		return next()
	}
	name := lastKey(batch)
	if answer, known := k[name]; known {
		return answer, nil
	}
	answer, err := next()
	if err == nil {
		k[name] = answer
	}
	return answer, err
}

// lastKey is the partition key that a batch asks for last.
func lastKey(batch *dynamodb.BatchGetItemInput) string {
	for _, wanted := range batch.RequestItems {
		if pk, ok := wanted.Keys[len(wanted.Keys)-1]["pk"].(*types.AttributeValueMemberS); ok {
			return pk.Value
		}
	}
	return ""
}

// BenchmarkWarm is a check by a warm instance, of which nothing was written in
// the last ten seconds, from event to answer:
//
//   - "memory" has no DynamoDB and no SDK: a store that holds the facts;
//   - "kept answers" has the store, what it makes of items included, and an SDK
//     that has the answers at hand;
//   - "DynamoDB Local" has all, and tells round trips and read units.
//
// cpu-ns/op is the processor time of this process: unlike the time that passed,
// it does not tell what else the machine did.
func BenchmarkWarm(b *testing.B) {
	_, place := fixture.World(b)
	b.Run("memory", func(b *testing.B) {
		f := inMemory(b, place, 0, slog.New(newBill()))
		invoked(b, "evaluation", f, place, fixture.Call{Route: evaluation, As: "service", Body: question("nurse", authz.DoView.String(), "item", "icu-idea", nil)})
		invoked(b, "evaluations of 100", f, place, fixture.Call{Route: evaluations, As: "service", Body: hundred()})
	})
	b.Run("kept answers", func(b *testing.B) {
		store := place.Open(func(cfg *aws.Config) {
			cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(kept{}.hook))
		})
		f, _ := over(b, place, store)
		for range 100 { // all copies of the version
			place.Do(b, f, own(authz.DoView, "icu-idea"))
		}
		invoked(b, "own evaluation", f, place, own(authz.DoView, "icu-idea"))
	})
	b.Run("DynamoDB Local", func(b *testing.B) {
		f, cost := over(b, place, place.Open())
		place.Do(b, f, own(authz.DoView, "icu-idea"))
		event := place.Event(b, own(authz.DoView, "icu-idea"))
		b.Run("own evaluation", func(b *testing.B) {
			*cost = *newBill()
			timed(b, f, event)
			b.ReportMetric(cost.requests/float64(b.N), "requests/op")
			b.ReportMetric(cost.units/float64(b.N), "readunits/op")
		})
	})
}

// BenchmarkMark is a check against DynamoDB Local, by a warm instance, with the
// mark that the first request of somebody's day leaves beside it, and without.
func BenchmarkMark(b *testing.B) {
	_, place := fixture.World(b)
	store := place.Open()
	f, cost := over(b, place, store)
	deps := place.Deps(b, nil)
	deps.Store, deps.MarkSeen, deps.Log = store, store.MarkSeen, slog.New(cost)
	marking := endpoints.New(deps, nil)
	for _, c := range []struct {
		name string
		f    *api.Function
		day  time.Duration
	}{{"none", f, 24 * time.Hour}, {"left today", marking, 0}, {"the first of a day", marking, 24 * time.Hour}} {
		place.Clock.Advance(24 * time.Hour)
		place.Do(b, c.f, own(authz.DoView, "icu-idea"))
		event := place.Event(b, own(authz.DoView, "icu-idea"))
		b.Run(c.name, func(b *testing.B) {
			*cost = *newBill()
			for b.Loop() {
				place.Clock.Advance(c.day)
				if answer, err := c.f.Invoke(b.Context(), event); err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
					b.Fatalf("%s %v", answer, err)
				}
			}
			b.ReportMetric(cost.requests/float64(b.N), "requests/op")
		})
	}
}

// hundred is a hundred questions about one item.
func hundred() object {
	q := question("nurse", authz.DoView.String(), "item", "icu-idea", nil)
	entries := make([]object, 100)
	for i := range entries {
		entries[i] = object{"action": object{"name": authz.DoEdit.String()}, "resource": object{"type": "item", "id": "icu-idea"}}
	}
	q["evaluations"] = entries
	return q
}

// invoked is a benchmark of one call.
func invoked(b *testing.B, name string, f *api.Function, place *fixture.Place, c fixture.Call) {
	b.Helper()
	event := place.Event(b, c)
	b.Run(name, func(b *testing.B) { timed(b, f, event) })
}

// timed invokes the function until the benchmark has enough.
func timed(b *testing.B, f *api.Function, event []byte) {
	b.Helper()
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		if answer, err := f.Invoke(b.Context(), event); err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
			b.Fatalf("%s %v", answer, err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used of the processors.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
