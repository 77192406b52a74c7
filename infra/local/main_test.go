package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// whole is the smallest world that has a full administrator (R13).
const whole = `{
	"organization": {"id": "small", "name": "Small"},
	"locations": [{"id": "site", "name": "Site", "parent": null}],
	"roles": [{"id": "admin", "name": "Admin", "admin": {"globalUserAdministrator": {"createUsers": true, "grantableRoles": "all"}}}],
	"users": [{"id": "ann", "name": "Ann", "username": "ann", "type": "general", "locations": ["site"], "roles": [{"role": "admin"}], "password": "Correct-horse-1"}]
}`

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func seedFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettings(t *testing.T) {
	seed := seedFile(t, whole)
	got, err := readSettings(environment(map[string]string{"SEED": seed}))
	if err != nil {
		t.Fatal(err)
	}
	if got.port != 8080 || got.idle != 5*time.Minute || got.world.Organization.ID != "small" {
		t.Errorf("%d, %v, %s", got.port, got.idle, got.world.Organization.ID)
	}
	got, err = readSettings(environment(map[string]string{"SEED": seed, "PORT": "9", "IMPERSONATION_IDLE": "2s"}))
	if err != nil || got.port != 9 || got.idle != 2*time.Second {
		t.Errorf("%d, %v: %v", got.port, got.idle, err)
	}
}

func TestSettingsThatAreRefusedSayWhatToDo(t *testing.T) {
	cases := map[string]struct{ name, value, want string }{
		"a port that is no number":                   {"PORT", "http", "set it to a number"},
		"port 0":                                     {"PORT", "0", "set it to a number"},
		"a port that is too high":                    {"PORT", "65536", "set it to a number"},
		"an idle limit without unit":                 {"IMPERSONATION_IDLE", "5", "set it to a duration"},
		"no idle limit":                              {"IMPERSONATION_IDLE", "0s", "set it to a duration"},
		"a negative idle limit":                      {"IMPERSONATION_IDLE", "-1m", "set it to a duration"},
		"a world that is not there":                  {"SEED", "/no/such/world.json", "set SEED to"},
		"a world that is no JSON":                    {"SEED", seedFile(t, "{"), "set SEED to"},
		"a world cut short":                          {"SEED", seedFile(t, whole[:len(whole)/2]), "This is not JSON: it ends before it is whole"},
		"a world with faults":                        {"SEED", seedFile(t, strings.Replace(whole, `["site"]`, `["nowhere"]`, 1)), "/users/0/locations/0: "},
		"a world without a full administrator (R13)": {"SEED", seedFile(t, strings.Replace(whole, `"roles": [{"role": "admin"}],`, "", 1)), ": "},
	}
	seed := seedFile(t, whole)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			values := map[string]string{"SEED": seed}
			values[c.name] = c.value
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), environment(values), &stdout, &stderr)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if stdout.Len() > 0 {
				t.Errorf("it said %q", stdout.String())
			}
		})
	}
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	_, err := readSettings(environment(map[string]string{"PORT": "x", "IMPERSONATION_IDLE": "x", "SEED": "/no/such/world.json"}))
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("%q", lines)
	}
}

// waiting is a writer that tells when the first line was written.
type waiting struct {
	bytes.Buffer
	once chan struct{}
}

func (w *waiting) Write(text []byte) (int, error) {
	defer close(w.once)
	return w.Buffer.Write(text)
}

// freePort is a port that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestRunSaysWhereItIsAndEndsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	port, stdout := freePort(t), &waiting{once: make(chan struct{})}
	done := make(chan error)
	go func() {
		done <- run(ctx, environment(map[string]string{"SEED": seedFile(t, whole), "PORT": port}), stdout, t.Output())
	}()
	select {
	case <-stdout.once:
	case err := <-done:
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	line := stdout.String()
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, "http://127.0.0.1:"+port) || !strings.Contains(line, `"username":"ann"`) {
		t.Errorf("it said %q", line)
	}
}
