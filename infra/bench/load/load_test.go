package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// system is a stand-in for a running one: it signs everybody in, and says yes
// to views, unless later, from the load's first request on, says otherwise.
type system struct {
	asked atomic.Int64
	later func(w http.ResponseWriter) bool
}

// found is how many requests find the answers out.
const found = questions / mostBatch

func (s *system) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_local/token" {
		_, _ = w.Write([]byte(`{"accessToken": "t"}`))
		return
	}
	if s.asked.Add(1) > found && s.later != nil && s.later(w) {
		return
	}
	var body struct {
		question
		Evaluations []question
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer t" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	decide := func(q question) map[string]any { return map[string]any{"decision": q.Action.Name == "view"} }
	answer := decide(body.question)
	if body.Evaluations != nil {
		var all []any
		for _, q := range body.Evaluations {
			all = append(all, decide(q))
		}
		answer = map[string]any{"evaluations": all}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// loaded is what the command prints of a load on the system, and its error.
func loaded(t *testing.T, s *system, arguments ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	var stdout bytes.Buffer
	err := run(t.Context(), append([]string{"-url", server.URL}, arguments...), &stdout, t.Output())
	return stdout.String(), err
}

func TestALoadIsAsLargeAsItIsTold(t *testing.T) {
	s := &system{}
	out, err := loaded(t, s, "-requests", "250", "-workers", "3")
	if err != nil {
		t.Fatal(err)
	}
	if asked := s.asked.Load(); asked != found+250 {
		t.Errorf("%d requests", asked-found)
	}
	for _, want := range []string{"250 requests by 3 workers", "p50", "p90", "p99", "max", "single", "batches of 20", "0 unanswered, 0 of the server (5xx), 0 unexpected"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestALoadEndsAtItsLimit(t *testing.T) {
	s := &system{}
	if _, err := loaded(t, s, "-requests", "100000", "-limit", "100ms"); err != nil {
		t.Fatal(err)
	}
	if s.asked.Load() >= 100_000 {
		t.Error("it went on to its last request")
	}
}

func TestWhatIsNotAsItWasFailsTheLoad(t *testing.T) {
	say := func(status int, text string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	var answered atomic.Int64
	for name, tt := range map[string]struct {
		later func(http.ResponseWriter) bool
		want  string
	}{
		"a failure":              {say(503, `{}`), "0 unanswered, 100 of the server (5xx), 0 unexpected"},
		"too many":               {say(429, `{}`), "0 of the server (5xx), 100 unexpected"},
		"a redirection":          {say(307, ``), "0 of the server (5xx), 100 unexpected"},
		"no JSON":                {say(200, `yes`), "100 unexpected"},
		"no decision":            {say(200, `{}`), "100 unexpected"},
		"an evaluation's error":  {say(200, `{"decision": false, "context": {"error": {"status": 400}}}`), "100 unexpected"},
		"no answer":              {func(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }, "100 unanswered"},
		"one failure of hundred": {func(w http.ResponseWriter) bool { return answered.Add(1) == 50 && say(500, ``)(w) }, "1 of the server (5xx), 0 unexpected"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := loaded(t, &system{later: tt.later}, "-requests", "100")
			if err == nil {
				t.Error("the load is well")
			}
			if !strings.Contains(out, tt.want) {
				t.Errorf("it does not say %q:\n%s", tt.want, out)
			}
		})
	}
	out, err := loaded(t, &system{later: say(200, `{"decision": true}`)}, "-requests", "5")
	if err == nil || strings.Contains(out, " 0 unexpected") {
		t.Errorf("another decision than before: %v\n%s", err, out)
	}
}

func TestOnlyThisMachineIsLoaded(t *testing.T) {
	for _, address := range []string{
		"http://192.0.2.1:8080", "http://0.0.0.0:8080", "http://localhost:8080", "http://[2001:db8::1]:80", "http://127.0.0.1.example:80",
		"https://127.0.0.1:8080", "http://ann@127.0.0.1:8080", "http://127.0.0.1:8080/elsewhere", "127.0.0.1:8080", "",
	} {
		if _, err := newClient(address, 1); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://[::1]:8080"} {
		if _, err := newClient(address, 1); err != nil {
			t.Error(err)
		}
	}
	for address, refused := range map[string]bool{"127.0.0.1:80": false, "[::1]:80": false, "192.0.2.1:80": true, "0.0.0.0:80": true} {
		if err := onlyLoopback("tcp", address, nil); (err != nil) != refused {
			t.Errorf("dialling %s: %v", address, err)
		}
	}
}

func TestSettingsAreBounded(t *testing.T) {
	for _, arguments := range []string{
		"", "-url x -local y", "-url x -workers 0", "-url x -workers 33", "-url x -requests 0", "-url x -requests 100001",
		"-url x -limit 0s", "-url x -limit 6m", "-url x -unknown",
	} {
		var stderr bytes.Buffer
		if s, err := readSettings(strings.Fields(arguments), &stderr); err == nil {
			t.Errorf("%q is accepted: %+v", arguments, s)
		}
	}
}

func TestASystemThatDoesNotStartSaysWhy(t *testing.T) {
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-local", "/no/such/binary"}, &stdout, t.Output()); err == nil || !strings.Contains(err.Error(), "/no/such/binary") {
		t.Error(err)
	}
	if err := run(t.Context(), []string{"-local", "/bin/false"}, &stdout, t.Output()); err == nil || !strings.Contains(err.Error(), "ended before it served") {
		t.Error(err)
	}
}
