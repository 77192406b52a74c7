// Command local runs the whole system on this machine until Ctrl-C or SIGTERM.
// It is built and run by make run: under go run, a SIGTERM would end the go
// command and reach nobody else.
//
// PORT is where it listens on 127.0.0.1 (8080), SEED the world that it loads
// (infra/demo/world.json), IMPERSONATION_IDLE after how long without a request
// an impersonation ends (5m), and how often at least the sweep comes that notices.
// What is wrong with any of these, and what the machine lacks, is told in one line
// each, and the exit status is 1.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"gemba/infra/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	if err := run(ctx, os.Getenv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
