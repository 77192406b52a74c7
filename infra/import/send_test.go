package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gemba/shared/importer"
)

// Refusals of the API are told by the file's own places.
func TestRefusals(t *testing.T) {
	s := serve(t)
	s.answer = func(_ int, a asked) (int, any) {
		answer := all(a, unchanged)
		answer["results"][1] = result{Pointer: "/users/1", ID: "bob", Problem: &failure{Type: "urn:problem:invalid_user", Status: 422,
			Errors: []struct{ Pointer, Detail string }{{"/users/1/locations/0", "There is no location icu."}}}}
		answer["results"][0] = result{Pointer: "/users/0", ID: "anne", Problem: &failure{Type: "urn:problem:denied", Status: 403, Detail: "This needs a right."}}
		return 200, answer
	}
	out := s.command(t, t.TempDir(), "people.csv", []byte(people))
	out.is(t, 1, "users                  0         0         0         2", "line 3, locations: user bob: There is no location icu. (invalid_user)", "line 2: user anne: This needs a right. (denied)")
}

// A call that is hindered is made again with its key, as it is told.
func TestHindrances(t *testing.T) {
	s := serve(t)
	s.answer = func(n int, a asked) (int, any) {
		if n < 3 {
			return []int{503, 429, 502}[n], failure{Type: "urn:problem:unavailable"}
		}
		return 200, all(a, created)
	}
	s.command(t, t.TempDir(), "people.csv", []byte(people)).is(t, 0)
	for _, c := range s.calls {
		if c.key != s.calls[0].key || c.raw != s.calls[0].raw {
			t.Error("a repeated call is another call")
		}
	}
	if len(s.calls) != 4 {
		t.Errorf("%d calls", len(s.calls))
	}
}

// What a call did not get to is sent again, alone.
func TestUnreachedEntries(t *testing.T) {
	s := serve(t)
	s.answer = func(n int, a asked) (int, any) {
		answer := all(a, created)
		for i := range answer["results"] {
			if i >= 4 {
				why := []failure{{Type: "urn:problem:unavailable", Status: 503}, {Type: "urn:problem:internal", Status: 500}, {Type: "urn:problem:too_many_attempts", Status: 429}}[i%3]
				answer["results"][i] = result{Pointer: answer["results"][i].Pointer, Problem: &why}
			}
		}
		return 200, answer
	}
	s.command(t, t.TempDir(), "people.csv", crowd(10)).is(t, 0, "users                 10         0         0         0")
	var sizes []int
	for _, c := range s.calls {
		sizes = append(sizes, len(c.ids(t, importer.User)))
	}
	if !slices.Equal(sizes, []int{10, 6, 2}) {
		t.Errorf("sent: %v", sizes)
	}
	s = serve(t)
	s.answer = func(_ int, a asked) (int, any) {
		answer := all(a, created)
		answer["results"][0] = result{Pointer: "/users/0", Problem: &failure{Type: "urn:problem:unavailable", Status: 503}}
		return 200, answer
	}
	s.command(t, t.TempDir(), "people.csv", []byte(people)).is(t, 1, "users                  1         0         0         0", "Stopped after 1 of 2 entries: 1 of the entries are not reached")
}

// An import that was cut goes on where it stopped, and says the whole.
func TestGoesOnAfterACut(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	broken := true
	s.answer = func(n int, a asked) (int, any) {
		if n >= 2 && broken {
			return 401, failure{Type: "urn:problem:sign_in_disabled"}
		}
		return 200, all(a, created)
	}
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 1, "users                 20", "Stopped after 20 of 25", "run this again with a new one")
	broken = false
	// A line that was cut while it was written counts for nothing.
	state := filepath.Join(folder, "state")
	kept, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, append(kept, `{"call": "x`...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 0, "users                 25")
	if len(s.calls) != 4 || s.calls[2].raw != s.calls[3].raw || s.calls[2].key != s.calls[3].key {
		t.Errorf("%d calls; the one that was cut is not the one that was made again", len(s.calls))
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a finished import leaves its state")
	}
	// Finished, it is an import like any: made again, with keys of its own.
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 0, "users                 25")
	if len(s.calls) != 7 || s.calls[6].key == s.calls[3].key {
		t.Errorf("%d calls; a new import takes the keys of an old one", len(s.calls))
	}
	if err := os.WriteFile(state, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, folder, "people.csv", crowd(26), "-limit", "10").is(t, 2, "is of another import")
	s.command(t, folder, "people.csv", crowd(26), "-limit", "10", "-restart").is(t, 0, "users                 26")
}

func TestInterrupted(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(n int, a asked) (int, any) {
		if n == 1 {
			cancel()
		}
		return 200, all(a, created)
	}
	file := filepath.Join(folder, "people.csv")
	if err := os.WriteFile(file, crowd(30), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	env := func(name string) string { return map[string]string{"TOKEN": "secret"}[name] }
	status := run(ctx, []string{"-url", s.URL, "-limit", "10", "-state", filepath.Join(folder, "state"), file}, env, &stdout, &stderr)
	output{status, stdout.String(), stderr.String()}.is(t, 1, "interrupted")
}

// An answer that is not about what was sent is taken for none.
func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]any{
		"too few":       map[string][]result{"results": {{Pointer: "/users/0", Result: created}}},
		"others":        map[string][]result{"results": {{Pointer: "/users/0", Result: created}, {Pointer: "/users/7", Result: created}}},
		"something":     "something",
		"nothing of it": map[string]any{},
	} {
		s := serve(t)
		s.answer = func(int, asked) (int, any) { return 200, answer }
		out := s.command(t, t.TempDir(), "people.csv", []byte(people))
		if out.status != 1 || !strings.Contains(out.stderr, "Stopped after") {
			t.Errorf("%s: exit status %d, %s", name, out.status, out.stderr)
		}
	}
}
