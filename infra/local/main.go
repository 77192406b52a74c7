// Command local runs the whole system on this machine until Ctrl-C or SIGTERM:
//
//	go run ./infra/local
//
// PORT is where it listens on 127.0.0.1 (8080), SEED the world that it loads
// (infra/demo/world.json), IMPERSONATION_IDLE after how long without a request
// an impersonation ends (5m). What is wrong with any of these, and what the
// machine lacks, is told in one line each, and the exit status is 1.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gemba/infra/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	go endWithGoRun(stop)
	if err := run(ctx, os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// endWithGoRun asks this process to stop when it runs under "go run" and that has
// ended: unlike Ctrl-C, a SIGTERM ends the go command and reaches nobody else.
func endWithGoRun(stop func()) {
	path, err := os.Executable()
	if err != nil || !strings.Contains(path, string(filepath.Separator)+"go-build") {
		return
	}
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(200 * time.Millisecond)
	}
	stop()
}

// run starts the stack and ends when ctx does or a part of it fails.
func run(ctx context.Context, env func(string) string, stdout, stderr io.Writer) error {
	settings, err := readSettings(env)
	if err != nil {
		return err
	}
	running, err := stack.Start(ctx, settings.options(stderr))
	if ctx.Err() != nil {
		return nil // it was stopped while it started
	}
	if err != nil {
		return err
	}
	defer running.Close()
	fmt.Fprintln(stdout, settings.welcome(running.URL))
	select {
	case <-ctx.Done():
		return nil
	case err := <-running.Failed():
		return err
	}
}
