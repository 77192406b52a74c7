package invocation

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gemba/infra/local/function"
)

// worker counts its invocations; the first so many fail.
type worker struct {
	mu       sync.Mutex
	fails    int
	payloads []string
}

func (w *worker) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.payloads = append(w.payloads, string(payload))
	if len(w.payloads) <= w.fails {
		return nil, errors.New("busy")
	}
	return nil, nil
}

func queueOf(t *testing.T, w *worker) *Queue {
	t.Helper()
	target := Target{function.Function{ID: "f", Timeout: time.Minute, Handler: w}, 2}
	return New(map[string]Target{"f": target}, slog.New(slog.NewJSONHandler(t.Output(), nil)))
}

func invoke(q *Queue, name, kind, payload string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/"+name+"/invocations", strings.NewReader(payload))
	r.Header.Set("X-Amz-Invocation-Type", kind)
	w := httptest.NewRecorder()
	q.Handler().ServeHTTP(w, r)
	return w
}

func TestAnInvocationIsDoneUntilItSucceeds(t *testing.T) {
	for fails, want := range map[int]int{0: 1, 1: 2, 2: 3, 9: 3} {
		synctest.Test(t, func(t *testing.T) {
			w := &worker{fails: fails}
			q := queueOf(t, w)
			if answer := invoke(q, "f", "Event", `{"n":1}`); answer.Code != http.StatusAccepted || answer.Body.Len() > 0 {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			q.Wait(t.Context())
			if len(w.payloads) != want || w.payloads[0] != `{"n":1}` {
				t.Errorf("one that fails %d times was tried %d times: %v", fails, len(w.payloads), w.payloads)
			}
			q.Close()
		})
	}
}

func TestWaitingIsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{fails: 1}
		q := queueOf(t, w)
		q.Wait(t.Context())
		for range 20 {
			invoke(q, "f", "Event", `{}`)
		}
		q.Wait(t.Context())
		if len(w.payloads) != 21 {
			t.Errorf("%d invocations of 21", len(w.payloads))
		}
		q.Close()
		if invoke(q, "f", "Event", `{}`); len(w.payloads) != 21 {
			t.Error("one was begun after the end")
		}
		q.Wait(t.Context())
	})
}

func TestWhatLambdaWouldRefuseIsRefused(t *testing.T) {
	q := queueOf(t, &worker{})
	for what, c := range map[string]struct {
		name, kind, payload, refusal string
		status                       int
	}{
		"another function":       {"g", "Event", `{}`, "ResourceNotFoundException", 404},
		"one that is waited for": {"f", "RequestResponse", `{}`, "InvalidParameterValueException", 400},
		"no JSON":                {"f", "Event", `{`, "InvalidRequestContentException", 400},
		"too much":               {"f", "Event", `"` + strings.Repeat("a", mostPayload) + `"`, "RequestTooLargeException", 413},
	} {
		if answer := invoke(q, c.name, c.kind, c.payload); answer.Code != c.status || answer.Header().Get("X-Amzn-ErrorType") != c.refusal {
			t.Errorf("%s: %d %s", what, answer.Code, answer.Header().Get("X-Amzn-ErrorType"))
		}
	}
	q.Close()
}
