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
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// shared is the package's stack, started by the first test that asks for it.
var shared struct {
	once    sync.Once
	running *stack.Stack
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.running != nil {
		shared.running.Close()
		for _, lost := range shared.running.Abandoned() {
			fmt.Fprintln(os.Stderr, "the notifier gave up:", lost)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// running is the stack with the demo world in it.
func running(t *testing.T) *stack.Stack {
	t.Helper()
	shared.once.Do(func() {
		log := io.Discard
		if testing.Verbose() {
			log = os.Stderr
		}
		shared.running, shared.err = stack.Start(context.Background(), stack.Options{
			Root: repository, Log: log, Say: func(string) {}, Handlers: functions.Handlers(idle),
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
