// Command verify is the operator's: it holds an organization's timeline to its
// seal (T2), with AWS credentials as the command line finds them (profile,
// environment, role), past the API and all of its functions.
//
//	go run ./infra/verify -table T -organization O -head 1204.5f0c…
//
// A head that was kept elsewhere, from the log or from a run before, is the only
// proof against who could write to the table and made the whole chain anew, or cut
// its end off. The exit status is 0 when the range is whole, 1 when it is not, and
// 2 when that could not be told.
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

	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/timeline"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(status(err, os.Stderr))
}

var (
	// errUsage is a command line that was complained of already.
	errUsage = errors.New("usage")
	// errFlawed is a timeline that is not what was sealed; it was told.
	errFlawed = errors.New("the timeline is not what was sealed")
)

// status is what the command ends with; a failure that was not told yet is.
func status(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFlawed):
		return 1
	case !errors.Is(err, errUsage):
		fmt.Fprintln(stderr, err)
	}
	return 2
}

// options are what the command is told.
type options struct {
	table, organization, region string
	from, to                    time.Time
	kept                        timeline.Kept
}

func readOptions(args []string, env func(string) string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.table, "table", env("TABLE"), "the `name` of the table (default $TABLE)")
	flags.StringVar(&o.organization, "organization", "", "the `id` of the organization (required)")
	flags.StringVar(&o.region, "region", "", "the AWS `region` (default that of the environment or profile)")
	flags.Func("from", "the `time` from which entries are verified (default the first)", readTime(&o.from))
	flags.Func("to", "the `time` before which entries are verified (default now)", readTime(&o.to))
	flags.Func("head", "a head that was kept elsewhere, as `entries.hash`: it has to be in the chain", func(text string) error {
		kept, ok := timeline.ParseKept(text)
		if o.kept = kept; !ok {
			return errors.New("a head is a number of entries, a dot and a hash")
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, errUsage
	}
	wrong := ""
	switch {
	case o.table == "":
		wrong = "-table is required"
	case !directory.IsID(o.organization):
		wrong = "-organization is required, and is an id"
	case !o.to.IsZero() && o.to.Before(o.from):
		wrong = "-to does not come before -from"
	case flags.NArg() > 0:
		wrong = "nothing is expected after the options"
	default:
		return o, nil
	}
	fmt.Fprintln(stderr, wrong)
	flags.Usage()
	return o, errUsage
}

func readTime(at *time.Time) func(string) error {
	return func(text string) (err error) {
		*at, err = time.Parse(time.RFC3339, text)
		return err
	}
}

func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) error {
	o, err := readOptions(args, env, stderr)
	if err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.region))
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	now := time.Now()
	store := dynamo.Open(cfg, "", o.table, time.Now)
	created, found, err := store.Founded(ctx, o.organization)
	switch {
	case err != nil:
		return fmt.Errorf("stopped: %w", err)
	case !found:
		return fmt.Errorf("there is no organization %s in the table %s", o.organization, o.table)
	}
	claim := timeline.NewClaim(o.organization, created, now, o.from, o.to, o.kept)
	w, err := timeline.Verify(ctx, store, timeline.Walk{Claim: claim}, func() bool { return false })
	if err != nil {
		return fmt.Errorf("stopped, nothing is proven: %w", err)
	}
	tell(stdout, w)
	if w.First.Breach != timeline.NoBreach {
		return errFlawed
	}
	return nil
}

// tell prints what a walk found.
func tell(out io.Writer, w timeline.Walk) {
	fmt.Fprintf(out, "organization %s, from %s to %s\n", w.Organization, w.From.UTC().Format(time.RFC3339), w.To.UTC().Format(time.RFC3339))
	if h := w.Head; h.Block == 0 {
		fmt.Fprintln(out, "head         none: nothing was sealed")
	} else {
		fmt.Fprintf(out, "head         %d.%s of %s\n", h.Entries, h.Hash, h.At.Format(time.RFC3339Nano))
	}
	switch {
	case w.Held:
		fmt.Fprintln(out, "kept head    in the chain")
	case w.Kept != (timeline.Kept{}):
		fmt.Fprintln(out, "kept head    NOT in the chain")
	}
	fmt.Fprintf(out, "verified     %d entries\nunsealed     %d entries, of which nothing is proven\n", w.Verified, w.Unsealed)
	switch f := w.First; {
	case f.Breach == timeline.NoBreach:
		fmt.Fprintln(out, "whole        what was sealed is there as it was")
	case f.ID == "":
		fmt.Fprintf(out, "FIRST FLAW   %s, at %s: %s\n", f.Breach, f.At.Format(time.RFC3339Nano), f.Detail)
	default:
		fmt.Fprintf(out, "FIRST FLAW   %s, entry %s of %s: %s\n", f.Breach, f.ID, f.At.Format(time.RFC3339Nano), f.Detail)
	}
}
