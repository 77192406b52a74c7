package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/functions/persona-audit/endpoints"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
)

// queue is Lambda's for asynchronous invocations: what is handed over waits in it.
// Of every hand-over that full says no to, nothing is kept.
type queue struct {
	payloads [][]byte
	full     func(payload []byte) bool
}

func (q *queue) Invoke(_ context.Context, payload []byte) error {
	if q.full != nil && q.full(payload) {
		return fault.Wrap(fault.Unavailable, "invocation", errors.New("throttled"))
	}
	q.payloads = append(q.payloads, payload)
	return nil
}

// drain invokes the function with what waits, each until it succeeds or three times,
// as Lambda does; those that fail to the end are its dead letters.
func (q *queue) drain(ctx context.Context, f *endpoints.Function) (answers []summary, dead []string) {
	for len(q.payloads) > 0 {
		payload := q.payloads[0]
		q.payloads = q.payloads[1:]
		var answer []byte
		err := errors.New("not tried")
		for range 3 {
			if answer, err = f.Invoke(ctx, payload); err == nil {
				break
			}
		}
		if err != nil {
			dead = append(dead, string(payload))
			continue
		}
		var s summary
		_ = json.Unmarshal(answer, &s)
		answers = append(answers, s)
	}
	return answers, dead
}

type summary struct {
	Slot                                       string
	Organizations, Made, Failed, Swept, Handed int
}

// crowd is sixty-one organizations in the table, the fixture's among them, and the
// function over them with batches of seven. One of them cannot be counted while
// broken names it.
type crowd struct {
	*dynamo.Store
	*endpoints.Function
	queue  *queue
	broken string
	counts map[string]int
}

func (c *crowd) Census(ctx context.Context, o string) (persona.Census, error) {
	c.counts[o]++
	if o == c.broken {
		return persona.Census{}, fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
	}
	return c.Store.Census(ctx, o)
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	store, place := fixture.World(t)
	for i := range 60 {
		o := directory.Organization{ID: fmt.Sprintf("o%02d", i), Name: "O", Settings: directory.DefaultSettings()}
		if made, err := store.CreateOrganization(t.Context(), o, fixture.Start); err != nil || !made {
			t.Fatal(made, err)
		}
	}
	c := &crowd{Store: store, queue: &queue{}, counts: map[string]int{}}
	c.Function = endpoints.New(endpoints.Deps{
		Organizations: store, Auditor: persona.NewAuditor(c, c, &postman{}, place.Clock.Now),
		Sweeper: role.NewSweeper(store, place.Clock.Now), Watcher: unwatched{}, Relay: c.queue,
		Metrics: &bytes.Buffer{}, Log: slog.New(slog.NewJSONHandler(t.Output(), nil)), Batch: 7,
	})
	return c
}

const due = `{"scheduledTime":"2026-03-02T03:00:00Z"}`

// fire is the schedule's firing and all that it starts.
func (c *crowd) fire(t *testing.T) (first summary, made int, dead []string) {
	t.Helper()
	answer, err := c.Invoke(t.Context(), []byte(due))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &first); err != nil {
		t.Fatal(err)
	}
	if len(c.queue.payloads) != 9 {
		t.Errorf("%d batches of 61 organizations, seven each", len(c.queue.payloads))
	}
	for _, p := range c.queue.payloads {
		var f struct{ Organizations []string }
		if err := json.Unmarshal(p, &f); err != nil || len(f.Organizations) > 7 {
			t.Errorf("P6 a batch of %d: %v", len(f.Organizations), err)
		}
	}
	answers, dead := c.queue.drain(t.Context(), c.Function)
	for _, s := range answers {
		made += s.Made
	}
	return first, made, dead
}

func TestP6ManyOrganizationsAreServedInBatches(t *testing.T) {
	c := newCrowd(t)
	c.broken = "o17"
	first, made, dead := c.fire(t)
	if first.Handed != 61 || first.Organizations != 0 {
		t.Errorf("P6 the schedule's own invocation did %+v", first)
	}
	// The batch of the one that fails is told as failed, so what it made before is not
	// in an answer; all of it was made.
	if made != 54 || len(dead) != 1 || !strings.Contains(dead[0], `"o17"`) {
		t.Errorf("P6 %d made, dead letters %v", made, dead)
	}
	for o, n := range c.counts {
		if want := map[bool]int{true: 3, false: 1}[o == "o17"]; n != want {
			t.Errorf("P6 %s was counted %d times, want %d: only what is missing is done again", o, n, want)
		}
	}
	if len(c.counts) != 61 {
		t.Errorf("P6 %d organizations of 61", len(c.counts))
	}

	// The dead letter is sent again when the fault is mended; so is the whole firing.
	c.broken = ""
	c.queue.payloads = [][]byte{[]byte(dead[0])}
	if answers, dead := c.queue.drain(t.Context(), c.Function); len(dead) > 0 || answers[0].Made != 1 || answers[0].Organizations != 7 {
		t.Errorf("P6 %+v, %v", answers, dead)
	}
	if _, made, dead := c.fire(t); made != 0 || len(dead) > 0 {
		t.Errorf("P6 a repeated firing made %d, %v", made, dead)
	}
}

func TestP6AHandOverThatFailsIsTheFirings(t *testing.T) {
	c := newCrowd(t)
	refused := 0
	c.queue.full = func([]byte) bool { refused++; return refused == 4 }
	if _, err := c.Invoke(t.Context(), []byte(due)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("P6 the schedule is not told to try again: %v", err)
	}
	if len(c.queue.payloads) != 3 {
		t.Errorf("%d batches before", len(c.queue.payloads))
	}
	c.queue.drain(t.Context(), c.Function)
	if _, made, dead := c.fire(t); made != 61-21 || len(dead) > 0 {
		t.Errorf("P6 the repeat made %d of the 40 that were missing; %v", made, dead)
	}
}

func TestP6ABatchServesWhatThereIsTimeForAndHandsOnTheRest(t *testing.T) {
	c := newCrowd(t)
	short, cancel := context.WithDeadline(t.Context(), time.Now().Add(2*time.Minute))
	defer cancel()
	batch := `{"scheduledTime":"2026-03-02T03:00:00Z","organizations":["o01","o02","o03","o04"]}`
	answer, err := c.Invoke(short, []byte(batch))
	if err != nil || string(answer) != `{"slot":"2026-03-02","organizations":1,"made":1,"failed":0,"handed":3}` {
		t.Errorf("P6 %s, %v", answer, err)
	}
	if want := `{"scheduledTime":"2026-03-02T03:00:00Z","organizations":["o02","o03","o04"]}`; len(c.queue.payloads) != 1 || string(c.queue.payloads[0]) != want {
		t.Errorf("P6 handed on %s", c.queue.payloads)
	}
	invocations := 0
	for ; len(c.queue.payloads) > 0 && invocations < 9; invocations++ {
		payload := c.queue.payloads[0]
		c.queue.payloads = c.queue.payloads[1:]
		if _, err := c.Invoke(short, payload); err != nil {
			t.Fatal(err)
		}
	}
	if invocations != 3 || len(c.counts) != 4 {
		t.Errorf("P6 %d more invocations served %d organizations", invocations, len(c.counts))
	}
}

func TestP6AListThatIsTooLongForOneInvocationGoesOn(t *testing.T) {
	c := newCrowd(t)
	short, cancel := context.WithDeadline(t.Context(), time.Now().Add(20*time.Second))
	defer cancel()
	var served []string
	payloads := [][]byte{[]byte(due)}
	for listings := 0; len(payloads) > 0; {
		payload := payloads[0]
		payloads = payloads[1:]
		var f struct{ Organizations []string }
		if err := json.Unmarshal(payload, &f); err != nil {
			t.Fatal(err)
		}
		if served = append(served, f.Organizations...); len(f.Organizations) > 0 {
			continue
		}
		if listings++; listings > 61 {
			t.Fatal("P6 the listing does not end")
		}
		if _, err := c.Invoke(short, payload); err != nil {
			t.Fatal(err)
		}
		payloads, c.queue.payloads = append(payloads, c.queue.payloads...), nil
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(served)))
	if len(served) != 61 || len(distinct) != 61 {
		t.Errorf("P6 %d organizations were handed over, %d of them different", len(served), len(distinct))
	}
}

func TestP6OneBatchIsServedAtOnce(t *testing.T) {
	f, _ := of(served{}, idle{}, unwatched{}, &bytes.Buffer{})
	if answer, err := f.Invoke(t.Context(), []byte(due)); err != nil || string(answer) != `{"slot":"2026-03-02","organizations":0,"made":0,"failed":0}` {
		t.Errorf("P6 %s, %v", answer, err)
	}
}
