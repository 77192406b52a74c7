// Package whole tests the whole system from outside: the local stack, over
// HTTP, as a client that knows nothing but the contract would.
//
// Signing in, asking, giving and taking roles, relabelling and acting as
// somebody are walked through with their denials and with what the timeline
// then says; the recorded decisions are asked of the running service; bad
// requests, races and the one command that starts it all have files of their
// own. Behind the gateway it looks for one thing only: the pool's key, to sign
// tokens that a pool would not give.
//
// One stack serves the whole package. It holds the demo world for the walk;
// every other test brings an organization of its own, so that tests run side
// by side, in any order, and none sees what another does.
package whole

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gemba/infra/local/functions"
	"gemba/infra/local/stack"
	"gemba/infra/organization/world"
)

// repository is the root of the repository, seen from this package.
var repository = func() string {
	root, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return root
}()

// idle is the longest pause of a session on the package's stack.
const idle = 5 * time.Minute

// shared is the package's stack, started by the first test that asks for it,
// and all that it has logged.
var shared struct {
	once    sync.Once
	running *stack.Stack
	err     error
	log     lines
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.running != nil {
		shared.running.Close()
		for _, fault := range slices.Concat(abandoned(), leaks(shared.log.String())) {
			fmt.Fprintln(os.Stderr, fault)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// abandoned are the stream's records that a function gave up.
func abandoned() []string {
	var out []string
	for _, record := range shared.running.Abandoned() {
		out = append(out, fmt.Sprint("given up: ", record))
	}
	return out
}

// leaks are lines of a log that are not one JSON object, or that have what no
// log may: passwords, tokens, the text of mails, addresses and what was sent in
// bodies (T5). It is asked when all tests have sent what they send.
func leaks(log string) []string {
	secrets := []string{password, "Wrong-horse", sesame, "Demo-pass", "eyJ", "Bearer ", "temporarily signed in", ".example", "Her board is empty", "Sam \"S\""}
	var out []string
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) || slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(line, s) }) {
			out = append(out, "the log has "+line)
		}
	}
	return out
}

// running is the stack with the demo world in it.
func running(t *testing.T) *stack.Stack {
	t.Helper()
	shared.once.Do(func() {
		log := io.Writer(&shared.log)
		if testing.Verbose() {
			log = io.MultiWriter(log, os.Stderr)
		}
		shared.running, shared.err = stack.Start(context.Background(), stack.Options{
			Root: repository, Log: log, Say: func(string) {}, Handlers: functions.Handlers(idle, time.Now),
			Seed: func(ctx context.Context, parts stack.Parts) error {
				return seed(ctx, parts, demo)
			},
		})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.running
}

// seed loads a world as SEED does.
func seed(ctx context.Context, parts stack.Parts, document []byte) error {
	read, problems := world.Read(document)
	if len(problems) > 0 {
		return fmt.Errorf("the world has faults: %v", problems)
	}
	return functions.Seed(ctx, parts, read)
}

// file is the content of a file of the repository.
func file(name string) []byte {
	content, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
	if err != nil {
		panic(err)
	}
	return content
}
