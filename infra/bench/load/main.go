// Command load asks a running system for decisions over HTTP, as many as it is
// told and no more, and prints what it bore: throughput, percentiles, and how
// the questions were answered.
//
// It signs in as people of the demo world, finds out what their rights are in
// one batch, and then asks again, mixed: everybody about themselves one by one,
// the service about all of them in batches. An answer that is not the one found
// out before is unexpected: nobody writes meanwhile. The exit status is 1 when
// an answer was unexpected or none at all.
//
// Each worker asks as soon as it has been answered, so the latencies are those
// of as many clients as there are workers, and the throughput is what they get.
//
// It talks to this machine alone: only addresses of the loopback interface are
// accepted, and only such are ever dialled. Without -url it starts the binary
// that -local names, on a free port, and ends it afterwards.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// settings is what the command line says.
type settings struct {
	url, local string
	plan
}

// plan is how much is asked, and never more.
type plan struct {
	workers, requests int
	limit             time.Duration
}

// The most that is taken from the command line: a load on one's own machine
// shall not become an attack on it.
const (
	mostWorkers  = 32
	mostRequests = 100_000
	longest      = 5 * time.Minute
)

func readSettings(arguments []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.url, "url", "", "the running system, as http://127.0.0.1:8080; none: -local is started")
	flags.StringVar(&s.local, "local", "", "the binary of infra/local to start where there is no -url")
	flags.IntVar(&s.workers, "workers", 4, "how many ask at once")
	flags.IntVar(&s.requests, "requests", 4000, "how many requests are made")
	flags.DurationVar(&s.limit, "limit", time.Minute, "when to stop in any case")
	if err := flags.Parse(arguments); err != nil {
		return settings{}, err
	}
	switch {
	case (s.url == "") == (s.local == ""):
		return settings{}, errors.New("say either -url or -local")
	case s.workers < 1 || s.workers > mostWorkers:
		return settings{}, fmt.Errorf("-workers is 1 to %d", mostWorkers)
	case s.requests < 1 || s.requests > mostRequests:
		return settings{}, fmt.Errorf("-requests is 1 to %d", mostRequests)
	case s.limit <= 0 || s.limit > longest:
		return settings{}, fmt.Errorf("-limit is above zero and at most %v", longest)
	}
	return s, nil
}

// run loads the system that the command line names and prints the report.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	s, err := readSettings(arguments, stderr)
	if err != nil {
		return err
	}
	url := s.url
	if url == "" {
		running, err := start(ctx, s.local, stderr)
		if err != nil {
			return err
		}
		defer running.stop()
		url = running.url
	}
	c, err := newClient(url, s.workers)
	if err != nil {
		return err
	}
	asked, err := prepare(ctx, c)
	if err != nil {
		return err
	}
	done := drive(ctx, c, s.plan, asked)
	fmt.Fprint(stdout, done)
	return errors.Join(ctx.Err(), done.fault())
}
