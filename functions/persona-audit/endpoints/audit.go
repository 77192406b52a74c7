// Package endpoints is the persona-audit function: what happens when the
// schedule fires.
//
// It decides which slot a firing is for, how many organizations one invocation
// takes on, and what is logged. What an audit is, and who is told, is package
// persona's to decide. The schedule's firing hands the organizations to more
// invocations of the function, a batch each; when one batch is all there is, it does
// that itself. After a batch's audits it sweeps what deletions of roles left behind
// there, as package role says, and holds the counts against the users.
//
// An invocation that could not serve every organization of its batch fails, after
// it served the others, so that it is tried again; what was done is not done twice.
// One that runs out of time hands the rest to another. Each serves one organization
// at least, so that comes to an end; and Lambda itself ends a function that invokes
// itself more than some sixteen times in a row.
package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"gemba/functions/metrics"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// Auditor audits organizations for a slot; the rest are those that it had no time
// for.
type Auditor interface {
	Run(ctx context.Context, slot string, organizations []string, tell func(persona.Outcome)) (rest []string, err error)
}

// Sweeper removes what deletions left behind in organizations, and tells of how
// many users.
type Sweeper interface {
	Run(ctx context.Context, organizations []string) (int, error)
}

// Organizations lists them all, a page of their ids at a time, with the place to
// go on after, "" at the last.
type Organizations interface {
	Organizations(ctx context.Context, page directory.Page) ([]string, string, error)
}

// Relay hands a firing to another invocation of this function, which repeats it
// until it is done.
type Relay interface {
	Invoke(ctx context.Context, payload []byte) error
}

// BatchSize is the most organizations of one invocation.
const BatchSize = 25

// Deps are what the function stands on. Metrics takes lines of CloudWatch's embedded
// metric format: standard output, in a deployed function. Batch is the most
// organizations of one invocation, 0 for BatchSize.
type Deps struct {
	Organizations Organizations
	Auditor       Auditor
	Sweeper       Sweeper
	Watcher       Watcher
	Relay         Relay
	Metrics       io.Writer
	Log           *slog.Logger
	Batch         int
}

// Function answers firings; it implements lambda.Handler.
type Function struct{ Deps }

// New is the persona-audit function.
func New(deps Deps) *Function {
	if deps.Batch == 0 {
		deps.Batch = BatchSize
	}
	return &Function{deps}
}

// firing is what EventBridge Scheduler hands over: the time that it was due,
// which stays the same however often it is repeated. What the function hands to
// itself adds which organizations it is for, or after which one to go on listing
// them.
type firing struct {
	ScheduledTime time.Time `json:"scheduledTime"`
	Organizations []string  `json:"organizations,omitempty"`
	After         string    `json:"after,omitempty"`
}

func (f firing) slot() string { return persona.Slot(f.ScheduledTime) }

// summary is what a firing answers. Handed are the organizations that went to other
// invocations.
type summary struct {
	Slot          string `json:"slot"`
	Organizations int    `json:"organizations"`
	Made          int    `json:"made"`
	Failed        int    `json:"failed"`
	Swept         int    `json:"swept,omitempty"`
	Drift         int    `json:"drift,omitempty"`
	Handed        int    `json:"handed,omitempty"`
}

// Invoke audits organizations for the slot of the firing's scheduled time (P6):
// those that it names, or all. Errors: Invalid for a payload without a time, and
// those of the organizations that failed, after all others were served.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var due firing
	if err := json.Unmarshal(payload, &due); err != nil || due.ScheduledTime.IsZero() {
		return nil, fault.New(fault.Invalid, "malformed", `A firing is {"scheduledTime": an RFC 3339 time}.`)
	}
	done := &summary{Slot: due.slot()}
	var err error
	if len(due.Organizations) > 0 {
		err = f.serve(ctx, due, done)
	} else {
		err = f.fanOut(ctx, due, done)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(done)
}

// serve audits and sweeps the firing's organizations, and hands on those for which
// there is no time.
func (f *Function) serve(ctx context.Context, due firing, done *summary) error {
	all := due.Organizations
	rest, err := f.Auditor.Run(ctx, done.Slot, all, func(o persona.Outcome) {
		done.Organizations++
		if o.Made {
			done.Made++
			f.published(ctx, o.Organization, metrics.Publish(f.Metrics, o.Organization, o.Audit))
		}
		if o.Err != nil {
			done.Failed++
		}
		f.tell(ctx, done.Slot, o)
	})
	if len(rest) > 0 {
		err = errors.Join(err, f.hand(ctx, due, rest, done))
	}
	served := all[:len(all)-len(rest)]
	return errors.Join(err, f.sweep(ctx, served, done), f.watch(ctx, served, done))
}

// sweep tidies up whatever became of the audits.
func (f *Function) sweep(ctx context.Context, organizations []string, done *summary) error {
	swept, err := f.Sweeper.Run(ctx, organizations)
	done.Swept = swept
	f.log(ctx, slog.LevelInfo, "sweep", err, slog.Int("users", swept))
	return err
}

// tell writes an organization's line of the log.
func (f *Function) tell(ctx context.Context, slot string, o persona.Outcome) {
	f.log(ctx, slog.LevelInfo, "audit", o.Err, slog.String("organization", o.Organization), slog.String("slot", slot),
		slog.Bool("made", o.Made), slog.Int("base", o.Audit.Report.Base), slog.Int("changed", len(o.Audit.Changed)))
}

// published tells of metrics that could not be written; what they are of is kept.
func (f *Function) published(ctx context.Context, organization string, err error) {
	if err != nil {
		f.log(ctx, slog.LevelError, "metrics", err, slog.String("organization", organization))
	}
}

// log writes a line of the log, ids and counts alone (T5); of a failure, as an error
// with its code.
func (f *Function) log(ctx context.Context, level slog.Level, message string, err error, about ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("function", "persona-audit")}, about...)
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(err).Code), slog.String("error", err.Error()))
	}
	f.Log.LogAttrs(ctx, level, message, attrs...)
}
