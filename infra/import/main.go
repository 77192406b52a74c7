// Command import brings people, or a world, into an organization through the
// API, with the rights of whoever's token it is given.
//
//	TOKEN=… go run ./infra/import -url https://api.example people.csv
//
// FILE is a world as http-api.md has it, or a list of people as a spreadsheet
// exports it: commas, semicolons or tabs, UTF-8, UTF-16 or Windows-1252. Its
// first line names the columns, in any order and case: name, username,
// locations (ids, by "|", ";" or spaces), type, and if wanted id, email,
// persona, roles (ids, likewise). Others are not read. Without an id the
// username is one; a line whose username cannot be an id is refused. What is
// left empty stays what it is; a role that is not listed stays held.
//
// The file is cut into calls in which everything comes after what it names. An
// import that was cut (by a lost connection, Ctrl-C, an expired token) goes on
// where it stopped when it is run again with the same file: what was done is
// kept in the user's cache directory until the import is finished. Refused
// entries stop nothing; each is told with its place in the file. -dry-run
// tells what would happen and changes nothing.
//
// The token is read from TOKEN or, with -token-file, from a file: an argument
// would stand in the list of processes.
//
// Exit status: 0 when all is as the file wants it, 1 when something was
// refused or not reached, 2 when nothing was sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"gemba/shared/importer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// The exit states.
const (
	done       = 0
	incomplete = 1
	nothing    = 2
)

// options are what the command is told.
type options struct {
	file, url, token, state, userType string
	dry, restart                      bool
	limit                             int
	wait                              time.Duration
}

func readOptions(args []string, env func(string) string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: TOKEN=… import [flags] FILE\nFILE is a world (JSON) or a list of people (CSV). The list's first line names the\n"+
			"columns: name, username, locations (ids, by | ; or spaces), type, and if wanted id,\nemail, persona, roles.")
		flags.PrintDefaults()
	}
	url, tokenFile := env("GEMBA_URL"), ""
	if url == "" {
		url = "http://127.0.0.1:8080"
	}
	flags.StringVar(&o.url, "url", url, "the `address` of the API")
	flags.StringVar(&tokenFile, "token-file", "", "a `file` with the token, instead of the variable TOKEN")
	flags.StringVar(&o.state, "state", "", "the `file` that keeps what was done (default in the cache directory)")
	flags.StringVar(&o.userType, "type", "", "the `type` of people in a list without this column")
	flags.BoolVar(&o.dry, "dry-run", false, "tell what would happen, and change nothing")
	flags.BoolVar(&o.restart, "restart", false, "forget what an earlier run of this import did")
	flags.IntVar(&o.limit, "limit", importer.MostEntries, "the most `entries` of one call")
	flags.DurationVar(&o.wait, "wait", 30*time.Second, "the longest `time` to wait before a failed call is made again")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() != 1 || o.limit < 1 || o.limit > importer.MostEntries {
		fmt.Fprintf(stderr, "One FILE is needed, and a limit of 1 to %d.\n", importer.MostEntries)
		flags.Usage()
		return o, errors.New("usage")
	}
	o.file = flags.Arg(0)
	o.token, err = token(env("TOKEN"), tokenFile)
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return o, err
}

// token is the one to send.
func token(variable, file string) (string, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		variable = string(text)
	}
	if variable = strings.TrimSpace(variable); variable == "" {
		return "", errors.New("a token is needed: set TOKEN, or name a file with -token-file")
	}
	return variable, nil
}

// run is the command; it answers the exit status.
func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, env, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return done
	}
	if err != nil {
		return nothing
	}
	data, err := os.ReadFile(o.file)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nothing
	}
	file, err := read(data, o)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nNothing was sent.\n", o.file, err)
		return nothing
	}
	return o.bring(ctx, file, data, stdout, stderr)
}

// bring sends what the file says and tells what became of it.
func (o options) bring(ctx context.Context, file *source, data []byte, stdout, stderr io.Writer) int {
	api := newClient(o.url, o.token, o.wait)
	who, err := api.me(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nNothing was sent.\n", o.url, told(err))
		return nothing
	}
	kept, err := o.begin(data, who)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nothing
	}
	fmt.Fprintf(stderr, "%s into %s as %s\n", o.file, who.Organization.Name, who.Subject.Name)
	for _, note := range file.notes {
		fmt.Fprintln(stderr, note)
	}
	calls := file.plan(o.limit, o.dry)
	s := sender{source: file, api: api, state: kept, dry: o.dry, pause: o.wait / 30, counted: map[importer.Place]bool{}, progress: newProgress(stderr, len(file.entries))}
	s.account.refuse(file.refused)
	all := len(file.entries) + s.account.all()
	failed := s.send(ctx, calls)
	s.progress.end()
	if kept != nil {
		failed = errors.Join(failed, kept.close(failed == nil))
	}
	return o.tell(s.account, failed, all, stdout, stderr)
}

// begin opens what is kept of the import; a dry run keeps nothing.
func (o options) begin(data []byte, who caller) (*state, error) {
	if o.dry {
		return nil, nil
	}
	id := identity(data, o.url, who)
	path := o.state
	if path == "" {
		var err error
		if path, err = statePath(id); err != nil {
			return nil, err
		}
	}
	return openState(path, id, o.restart)
}

// tell ends with the summary.
func (o options) tell(a account, failed error, all int, stdout, stderr io.Writer) int {
	if o.dry {
		fmt.Fprintln(stdout, "Nothing was changed. This would happen:")
	}
	a.tell(stdout)
	switch {
	case failed != nil:
		fmt.Fprintf(stderr, "Stopped after %d of %d entries: %v\n", a.all(), all, failed)
		return incomplete
	case len(a.Refused) > 0:
		return incomplete
	}
	return done
}
