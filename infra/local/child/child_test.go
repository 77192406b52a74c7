package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var ready = regexp.MustCompile(`^ready at (\d+)$`)

func sh(ctx context.Context, script string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", script)
}

func TestStartTellsThePortAndCloseEnds(t *testing.T) {
	server, err := Start(t.Context(), sh(t.Context(), "echo first; echo ready at 42; echo more; cat >/dev/null"), ready)
	if err != nil {
		t.Fatal(err)
	}
	if server.Port != "42" {
		t.Errorf("port %q", server.Port)
	}
	server.Close()
	server.Close()
	<-server.Done
}

func TestAServerThatEndsBeforeItIsReadyIsAnErrorWithItsWords(t *testing.T) {
	_, err := Start(t.Context(), sh(t.Context(), "echo out of luck >&2; exit 3"), ready)
	if err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if _, err := Start(t.Context(), exec.CommandContext(t.Context(), "/no/such/program"), ready); err == nil {
		t.Error("no error")
	}
}

func TestStartGivesUpWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, sh(t.Context(), "cat >/dev/null"), ready); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestRun(t *testing.T) {
	var lines []string
	if err := Run(t.Context(), sh(t.Context(), "echo one; echo two >&2"), func(line string) { lines = append(lines, line) }); err != nil || len(lines) != 2 {
		t.Errorf("%q, %v", lines, err)
	}
	if err := Run(t.Context(), sh(t.Context(), "exit 3"), func(string) {}); err == nil || !strings.Contains(err.Error(), "code 3") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, sh(ctx, "echo begun; exec sleep 600"), func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// parentVariable makes this test binary the parent that is killed below.
const parentVariable = "CHILD_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		beParent()
		return
	}
	os.Exit(m.Run())
}

// beParent starts a server that holds the pipe that it got, and waits.
func beParent() {
	cmd := sh(context.Background(), "echo ready at 1; cat >/dev/null")
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "pipe")}
	if _, err := Start(context.Background(), cmd, ready); err != nil {
		panic(err)
	}
	_ = cmd.ExtraFiles[0].Close() // or this process would hold the pipe, too
	fmt.Println("started")
	select {}
}

func TestAServerDiesWithItsKilledParent(t *testing.T) {
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.ExtraFiles = []*os.File{held}
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	// The pipe ends when the last process that holds it is gone.
	if _, err := io.ReadAll(alive); err != nil {
		t.Fatal(err)
	}
}
