// Command organization is the operator's: it creates an organization from a
// world file, with AWS credentials as the command line finds them (profile,
// environment, role).
//
//	go run ./infra/organization -world world.json -table T -user-pool P -region R
//
// A world with faults is not loaded: each is printed as pointer: detail, one a
// line, and the exit status is 1. What exists is left as it is, so the command
// can be run again; it says what it created and what was there already.
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

	"github.com/aws/aws-sdk-go-v2/config"

	"gemba/infra/organization/world"
	"gemba/shared/cognito"
	"gemba/shared/dynamo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// errUsage is a command line that the flags have complained of already.
var errUsage = errors.New("usage")

// options are what the command is told.
type options struct {
	world, table, pool, region string
}

func readOptions(args []string, env func(string) string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("organization", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.world, "world", "", "the world `file` to load (required)")
	flags.StringVar(&o.table, "table", env("TABLE"), "the `name` of the table (default $TABLE)")
	flags.StringVar(&o.pool, "user-pool", env("USER_POOL_ID"), "the `id` of the user pool (default $USER_POOL_ID)")
	flags.StringVar(&o.region, "region", "", "the AWS `region` (default that of the environment or profile)")
	if err := flags.Parse(args); err != nil {
		return o, errUsage
	}
	for name, value := range map[string]string{"world": o.world, "table": o.table, "user-pool": o.pool} {
		if value == "" {
			fmt.Fprintf(stderr, "-%s is required\n", name)
			flags.Usage()
			return o, errUsage
		}
	}
	return o, nil
}

func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) error {
	o, err := readOptions(args, env, stderr)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(o.world)
	if err != nil {
		return err
	}
	w, problems := world.Read(data)
	for _, line := range world.Lines(problems) {
		fmt.Fprintln(stderr, line)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%s is faulty; nothing was written", o.world)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.region))
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	report, err := world.Load(ctx, world.Target{
		Table: dynamo.Open(cfg, "", o.table, time.Now), Pool: cognito.NewAccounts(cfg, "", o.pool), Now: time.Now,
	}, w)
	tell(stdout, w.Organization.ID, report)
	if err != nil {
		return fmt.Errorf("stopped, run it again to go on: %w", err)
	}
	return nil
}

// tell prints what a load did.
func tell(out io.Writer, organization string, r world.Report) {
	fmt.Fprintf(out, "organization %s\n%-14s %8s %8s\n", organization, "", "created", "there")
	for _, line := range []struct {
		kind string
		world.Count
	}{
		{"organization", r.Organization}, {"policy", r.Policy}, {"sign-ins", r.SignIns}, {"users", r.Users}, {"items", r.Items},
	} {
		fmt.Fprintf(out, "%-14s %8d %8d\n", line.kind, line.Created, line.There)
	}
}
