// Package invocation is Lambda's Invoke for functions that hand work to others, or
// to themselves: asynchronously, so it is taken first and done later, and tried again
// when it fails, as often as the template says.
//
// It waits seconds where Lambda waits minutes before it tries again, because somebody
// waits for the end here; and what is given up is told in the log, where Lambda puts
// it into a queue.
package invocation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gemba/infra/local/function"
)

// Target is a function that can be invoked, and how often one that failed is tried
// again.
type Target struct {
	function.Function
	Retries int
}

const (
	// mostPayload is Lambda's limit of an asynchronous invocation's payload.
	mostPayload = 1 << 20
	// abreast is how many invocations run at the same time; Lambda's limit is far
	// above what this machine can do.
	abreast = 4
	// pause is before the first repetition, and twice as long before the next.
	pause = time.Second
)

// Queue takes invocations and sees to it that they are done.
type Queue struct {
	targets map[string]Target
	log     *slog.Logger
	pause   time.Duration
	ctx     context.Context
	cancel  context.CancelFunc
	slots   chan struct{}

	mu   sync.Mutex
	open int           // taken and not ended
	idle chan struct{} // closed when none is open any more
}

// New invokes these functions by their names.
func New(targets map[string]Target, log *slog.Logger) *Queue {
	ctx, cancel := context.WithCancel(context.Background())
	idle := make(chan struct{})
	close(idle)
	return &Queue{targets: targets, log: log, pause: pause, ctx: ctx, cancel: cancel, slots: make(chan struct{}, abreast), idle: idle}
}

// Handler is the part of Lambda's API that is offered: Invoke with the type Event.
func (q *Queue) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", q.take)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Of Lambda's calls only Invoke is offered here.")
	})
	return mux
}

// Wait returns when everything that was taken has ended, or the context has.
func (q *Queue) Wait(ctx context.Context) {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Close begins nothing more and returns when nothing is running any more.
func (q *Queue) Close() {
	q.cancel()
	q.Wait(context.Background())
}

func (q *Queue) take(w http.ResponseWriter, r *http.Request) {
	target, known := q.targets[r.PathValue("name")]
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostPayload))
	switch {
	case !known:
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "There is no such function.")
	case r.Header.Get("X-Amz-Invocation-Type") != "Event":
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", "Only asynchronous invocations (Event) are offered here.")
	case err != nil:
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "The payload is larger than 1 MB.")
	case !json.Valid(payload):
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "The payload is not JSON.")
	default:
		q.begin(target, payload)
		w.WriteHeader(http.StatusAccepted)
	}
}

func (q *Queue) begin(target Target, payload json.RawMessage) {
	q.mu.Lock()
	if q.open == 0 {
		q.idle = make(chan struct{})
	}
	q.open++
	q.mu.Unlock()
	go func() {
		defer q.end()
		q.slots <- struct{}{}
		defer func() { <-q.slots }()
		q.run(target, payload)
	}()
}

func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open--; q.open == 0 {
		close(q.idle)
	}
}

// run invokes a function until it succeeds, or was tried as often as it may be.
func (q *Queue) run(target Target, payload json.RawMessage) {
	id := rand.Text()
	for attempt := 0; q.ctx.Err() == nil; attempt++ {
		_, err := target.Call(q.ctx, id, payload)
		if err == nil {
			return
		}
		q.log.Error("an asynchronous invocation failed", "function", target.ID, "attempt", attempt+1, "given up", attempt == target.Retries, "error", err.Error())
		if attempt == target.Retries {
			return
		}
		select {
		case <-time.After(q.pause << attempt):
		case <-q.ctx.Done():
		}
	}
}

// refuse answers an error as Lambda does.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	text, _ := json.Marshal(map[string]string{"Type": "User", "Message": message})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
}
