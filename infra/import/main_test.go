package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gemba/shared/importer"
)

// service is an API that keeps what it was asked; answer may say otherwise.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []asked
	answer func(n int, a asked) (status int, body any)
}

type asked struct {
	world map[string]json.RawMessage
	key   string
	query string
	raw   string
}

// ids are those of a kind in the call.
func (a asked) ids(t *testing.T, kind importer.Kind) (ids []string) {
	t.Helper()
	var list []struct{ ID string }
	if part, ok := a.world[kind.Member()]; ok && kind != importer.Organization {
		if err := json.Unmarshal(part, &list); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"subject": {"id": "root", "name": "Ruth Root"}, "organization": {"id": "riverside", "name": "Riverside"}}`)
	})
	mux.HandleFunc("POST /v1/import", func(w http.ResponseWriter, r *http.Request) {
		var raw bytes.Buffer
		_, _ = raw.ReadFrom(r.Body)
		a := asked{key: r.Header.Get("Idempotency-Key"), query: r.URL.RawQuery, raw: raw.String()}
		if err := json.Unmarshal(raw.Bytes(), &a.world); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		n := len(s.calls)
		s.calls = append(s.calls, a)
		s.mu.Unlock()
		status, body := http.StatusOK, any(all(a, created))
		if s.answer != nil {
			status, body = s.answer(n, a)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// all is an answer in which everything became the same.
func all(a asked, outcome string) map[string][]result {
	out := map[string][]result{"results": {}}
	for k := range importer.KindCount {
		var list []struct{ ID string }
		if k == importer.Organization && a.world[k.Member()] != nil {
			list = make([]struct{ ID string }, 1)
		}
		_ = json.Unmarshal(a.world[k.Member()], &list)
		for i, e := range list {
			out["results"] = append(out["results"], result{Pointer: importer.Place{Kind: k, Index: i}.Pointer(), ID: e.ID, Result: outcome})
		}
	}
	return out
}

// output is what a run of the command told.
type output struct {
	status         int
	stdout, stderr string
}

// command runs the command on a file of this content; its state is kept in
// the folder.
func (s *service) command(t *testing.T, folder, name string, content []byte, flags ...string) output {
	t.Helper()
	file := filepath.Join(folder, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := append([]string{"-url", s.URL, "-wait", "30ms", "-state", filepath.Join(folder, "state")}, flags...)
	env := func(name string) string { return map[string]string{"TOKEN": "secret"}[name] }
	status := run(t.Context(), append(args, file), env, &stdout, &stderr)
	return output{status, stdout.String(), stderr.String()}
}

func (o output) is(t *testing.T, status int, says ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d instead of %d:\n%s%s", o.status, status, o.stdout, o.stderr)
	}
	for _, words := range says {
		if !strings.Contains(o.stdout+o.stderr, words) {
			t.Errorf("%q is not said:\n%s%s", words, o.stdout, o.stderr)
		}
	}
	if strings.Contains(o.stdout+o.stderr, "secret") {
		t.Errorf("T5 the token is told:\n%s%s", o.stdout, o.stderr)
	}
}

func TestUsage(t *testing.T) {
	s := serve(t)
	for name, args := range map[string][]string{
		"no file": {}, "two files": {"a", "b"}, "an unknown flag": {"-x", "a"}, "no such file": {"/nowhere/at/all"},
		"a limit over 500": {"-limit", "501", "a"}, "no such token file": {"-token-file", "/nowhere", "a"},
	} {
		var out, err bytes.Buffer
		if status := run(t.Context(), args, func(string) string { return "secret" }, &out, &err); status != 2 || err.Len() == 0 {
			t.Errorf("%s: exit status %d, %s", name, status, err.String())
		}
	}
	var out, err bytes.Buffer
	if status := run(t.Context(), []string{"a"}, func(string) string { return "" }, &out, &err); status != 2 || !strings.Contains(err.String(), "TOKEN") {
		t.Errorf("no token: exit status %d, %s", status, err.String())
	}
	folder := t.TempDir()
	file, token := filepath.Join(folder, "people.csv"), filepath.Join(folder, "token")
	for name, content := range map[string]string{file: people, token: "secret\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) string { return map[string]string{"GEMBA_URL": s.URL}[name] }
	if status := run(t.Context(), []string{"-token-file", token, "-dry-run", file}, env, &out, &err); status != 0 {
		t.Errorf("a token file: exit status %d, %s", status, err.String())
	}
	if status := run(t.Context(), []string{"-url", s.URL, file}, func(string) string { return "another" }, &out, &err); status != 2 || !strings.Contains(err.String(), "the token is not valid") {
		t.Errorf("a bad token: exit status %d, %s", status, err.String())
	}
}

// crowd is a list of so many people.
func crowd(n int) []byte {
	var b bytes.Buffer
	b.WriteString("name,username,type,locations\n")
	for i := range n {
		fmt.Fprintf(&b, "Person %d,p%d,general,icu\n", i, i)
	}
	return b.Bytes()
}
