package whole

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// command is the one command at work: a process with all that it started,
// which are known by a variable in their environment.
type command struct {
	*exec.Cmd
	url            string
	mark           string
	stdout, stderr lines
	ended          chan struct{}
}

// lines is an output that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// launch starts a command line with these variables, on a free port unless
// they name one. What is left of it when the test ends is a failure.
func launch(t *testing.T, line []string, environment ...string) *command {
	t.Helper()
	port := freePort(t)
	c := &command{Cmd: exec.CommandContext(t.Context(), line[0], line[1:]...), url: "http://127.0.0.1:" + port, mark: rand.Text(), ended: make(chan struct{})}
	c.Dir = repository
	c.Env = append(os.Environ(), "PORT="+port, "SEED=", "IMPERSONATION_IDLE=", markVariable+"="+c.mark)
	c.Env = append(c.Env, environment...)
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches a group
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 20 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = c.Wait() // how it ended is in ProcessState
	}()
	return c
}

const markVariable = "GEMBA_WHOLE_TEST"

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// ready waits until all of it serves.
func (c *command) ready(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		request := client{url: c.url}.request(t, "GET", "/_local/ready", nil)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == 200 {
				return
			}
		}
		select {
		case <-c.ended:
			t.Fatalf("it ended: %v\n%s", c.ProcessState, c.stderr.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not ready:\n%s", c.stderr.String())
		}
	}
}

// end waits for the end and is the exit code; nothing may be left running.
func (c *command) end(t *testing.T) int {
	t.Helper()
	select {
	case <-c.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not end:\n%s", c.stderr.String())
	}
	eventually(t, "the end of all that it started", func() bool { return len(c.left(t)) == 0 })
	if _, port, _ := strings.Cut(strings.TrimPrefix(c.url, "http://"), ":"); port != "" {
		if listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port); err != nil {
			t.Errorf("its port is still taken: %v", err)
		} else {
			listener.Close()
		}
	}
	return c.ProcessState.ExitCode()
}

// child is the process of a program that it started.
func (c *command) child(t *testing.T, program string) int {
	t.Helper()
	for _, path := range c.left(t) {
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err == nil && strings.HasPrefix(filepath.Base(strings.Split(string(line), "\x00")[0]), program) {
			id, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
	}
	t.Fatalf("%s does not run", program)
	return 0
}

// left are the processes with its mark.
func (c *command) left(t *testing.T) []string {
	t.Helper()
	mark := markVariable + "=" + c.mark
	if runtime.GOOS != "linux" {
		all, err := exec.CommandContext(t.Context(), "ps", "axEww").Output()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(strings.Split(string(all), "\n"), func(line string) bool { return !strings.Contains(line, mark) })
	}
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no processes are to be seen: %v", err)
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		environment, err := os.ReadFile(path) // others' cannot be read, and those that end meanwhile
		return err != nil || !slices.Contains(strings.Split(string(environment), "\x00"), mark)
	})
}

// TestTheOneCommand runs what make run runs, as a process of its own.
func TestTheOneCommand(t *testing.T) {
	t.Parallel()
	running(t) // what has to be fetched is there, so that starting takes seconds
	program := filepath.Join(t.TempDir(), "local")
	if out, err := makeLocal(t, program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Run("make run serves a world as it is, until SIGTERM", func(t *testing.T) {
		servesUntil(t, launch(t, []string{"make", "run"}, "SEED="+worldOf(t, "medium-11.json")), syscall.SIGTERM)
	})
	t.Run("a session idles out as IMPERSONATION_IDLE says, until Ctrl-C", func(t *testing.T) { idlesOut(t, program) })
	t.Run("SIGTERM while it starts leaves nothing", func(t *testing.T) {
		c := launch(t, []string{program})
		eventually(t, "the first process", func() bool { return len(c.left(t)) > 1 })
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := c.end(t); code != 0 {
			t.Errorf("exit code %d: %s", code, c.stderr.String())
		}
	})
	t.Run("a part that ends by itself ends it all", func(t *testing.T) {
		c := launch(t, []string{program})
		c.ready(t)
		if err := syscall.Kill(c.child(t, "java"), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if code := c.end(t); code != 1 || !strings.Contains(c.stderr.String(), "DynamoDB Local ended by itself") {
			t.Errorf("exit code %d: %s", code, c.stderr.String())
		}
	})
	t.Run("what is amiss is told in a line, and nothing is left", func(t *testing.T) { amiss(t, program) })
}

func makeLocal(t *testing.T, program string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "--silent", "local", "LOCAL="+program)
	cmd.Dir = repository
	return cmd
}

// worldOf is a file with a corpus's world, as SEED takes it.
func worldOf(t *testing.T, name string) string {
	t.Helper()
	return saved(t, readCorpus(t, name).World)
}

// saved is a world in a file.
func saved(t *testing.T, world object) string {
	t.Helper()
	document, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// servesUntil asks the whole of a corpus of a process that was given its
// world, and ends it.
func servesUntil(t *testing.T, c *command, signal syscall.Signal) {
	c.ready(t)
	if !strings.Contains(c.stdout.String(), c.url) || !strings.Contains(c.stdout.String(), "/_local/token") {
		t.Errorf("it does not say where it is and how to sign in: %s", c.stdout.String())
	}
	cases := readCorpus(t, "medium-11.json")
	if asked := cases.ask(t, signIn(t, c.url, cases.root(t, "username"), cases.root(t, "password"))); asked < 1000 {
		t.Errorf("%d cases", asked)
	}
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	c.end(t)
}

// amiss starts the program in each way in which it cannot start.
func amiss(t *testing.T, program string) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	faulty, headless := named(clinic(), "clinic"), named(clinic(), "clinic")
	faulty["users"].([]object)[0]["locations"] = []string{"nowhere"}
	faulty["roles"].([]object)[5]["grants"] = []object{{"permissions": object{"view": "only_users"}}}
	faulty["extra"] = 1
	torn := filepath.Join(t.TempDir(), "torn.json")
	if err := os.WriteFile(torn, []byte(`{"organization":`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range headless["users"].([]object) {
		user["roles"] = []object{}
	}
	cases := []struct {
		name        string
		environment []string
		words       []string
		lines       int
	}{
		{"a port in use", []string{"PORT=" + port}, []string{"port " + port, "set PORT"}, 1},
		{"a port that is none", []string{"PORT=80a"}, []string{`PORT is "80a"`, "1 to 65535"}, 1},
		{"a duration that is none", []string{"IMPERSONATION_IDLE=soon"}, []string{`IMPERSONATION_IDLE is "soon"`, "5m"}, 1},
		{"no Java", []string{"PATH=" + pathWithout(t, "java")}, []string{"java was not found", "install"}, 1},
		{"no Python", []string{"PATH=" + pathWithout(t, "python3")}, []string{"python3 was not found", "install"}, 1},
		{"no such world", []string{"SEED=/nowhere/world.json"}, []string{"/nowhere/world.json", "set SEED"}, 1},
		{"a world that is no JSON", []string{"SEED=" + torn}, []string{torn}, 2},
		{"a world with faults", []string{"SEED=" + saved(t, faulty)}, []string{"/users/0/locations/0: ", "/roles/5/grants/0: ", "/roles/5/grants/0/permissions/view: ", "/extra: "}, 5},
		{"R13 a world without a full administrator", []string{"SEED=" + saved(t, headless)}, []string{"/users: ", "full administrator"}, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			process := launch(t, []string{program}, c.environment...)
			if slices.ContainsFunc(c.environment, func(v string) bool { return strings.HasPrefix(v, "PORT=") }) {
				process.url = "" // it is not its own
			}
			if code := process.end(t); code <= 0 {
				t.Errorf("exit code %d", code)
			}
			told := strings.TrimSpace(process.stderr.String())
			for _, words := range c.words {
				if !strings.Contains(told, words) {
					t.Errorf("%q is not said: %s", words, told)
				}
			}
			if got := strings.Count(told, "\n") + 1; got != c.lines {
				t.Errorf("%d lines instead of %d:\n%s", got, c.lines, told)
			}
			if out := process.stdout.String(); out != "" {
				t.Errorf("it said %s", out)
			}
		})
	}
}

// pathWithout is a search path with all that this machine has but one program.
func pathWithout(t *testing.T, without string) string {
	t.Helper()
	folder := t.TempDir()
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		entries, err := os.ReadDir(from)
		if err != nil {
			continue // a folder of the path that is not there
		}
		for _, entry := range entries {
			if entry.Name() == without {
				continue
			}
			err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(folder, entry.Name()))
			if err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(folder, without)); err == nil {
		t.Fatal(fmt.Errorf("%s is still there", without))
	}
	return folder
}
