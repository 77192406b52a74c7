// Package endpoints is the persona-audit function: what happens when the
// schedule fires.
//
// It decides which slot a firing is for, how an audit becomes metrics, and
// what is logged. What an audit is, and who is told, is package persona's to
// decide. A firing that could not serve every organization fails, so that it
// is tried again; what was done is not done twice. After the audits it sweeps
// what deletions of roles left behind, as package role says, and holds the counts
// against the users.
package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"gemba/shared/fault"
	"gemba/shared/persona"
)

// Auditor audits every organization for a slot.
type Auditor interface {
	Run(ctx context.Context, slot string, tell func(persona.Outcome)) error
}

// Sweeper removes what deletions left behind, and tells of how many users.
type Sweeper interface {
	Run(ctx context.Context) (int, error)
}

// Function answers firings; it implements lambda.Handler.
type Function struct {
	auditor Auditor
	sweeper Sweeper
	watcher Watcher
	metrics io.Writer
	log     *slog.Logger
}

// New is the persona-audit function. Metrics go to the writer, one line each:
// standard output, in a deployed function.
func New(auditor Auditor, sweeper Sweeper, watcher Watcher, metrics io.Writer, log *slog.Logger) *Function {
	return &Function{auditor, sweeper, watcher, metrics, log}
}

// firing is what EventBridge Scheduler hands over: the time that it was due,
// which stays the same however often it is repeated.
type firing struct {
	ScheduledTime time.Time `json:"scheduledTime"`
}

// summary is what a firing answers.
type summary struct {
	Slot          string `json:"slot"`
	Organizations int    `json:"organizations"`
	Made          int    `json:"made"`
	Failed        int    `json:"failed"`
	Swept         int    `json:"swept,omitempty"`
	Drift         int    `json:"drift,omitempty"`
}

// Invoke audits every organization for the slot of the firing's scheduled
// time (P6). Errors: Invalid for a payload without one, and those of the
// organizations that failed, after all others were served.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var due firing
	if err := json.Unmarshal(payload, &due); err != nil || due.ScheduledTime.IsZero() {
		return nil, fault.New(fault.Invalid, "malformed", `A firing is {"scheduledTime": an RFC 3339 time}.`)
	}
	done := summary{Slot: persona.Slot(due.ScheduledTime)}
	err := f.auditor.Run(ctx, done.Slot, func(o persona.Outcome) {
		done.Organizations++
		if o.Made {
			done.Made++
			err := publish(f.metrics, o.Organization, o.Audit)
			if err != nil {
				f.log.LogAttrs(ctx, slog.LevelError, "metrics", slog.String("organization", o.Organization), slog.String("error", err.Error()))
			}
		}
		if o.Err != nil {
			done.Failed++
		}
		f.tell(ctx, done.Slot, o)
	})
	done.Swept, err = f.sweep(ctx, err)
	drift, failed := f.watch(ctx)
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	done.Drift = drift
	return json.Marshal(done)
}

// sweep tidies up whatever became of the audits, and joins its failure to
// theirs.
func (f *Function) sweep(ctx context.Context, audits error) (int, error) {
	swept, err := f.sweeper.Run(ctx)
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("function", "persona-audit"), slog.Int("users", swept)}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(err).Code), slog.String("error", err.Error()))
	}
	f.log.LogAttrs(ctx, level, "sweep", attrs...)
	return swept, errors.Join(audits, err)
}

// tell writes an organization's line of the log: ids and counts alone (T5).
func (f *Function) tell(ctx context.Context, slot string, o persona.Outcome) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "persona-audit"), slog.String("organization", o.Organization), slog.String("slot", slot),
		slog.Bool("made", o.Made), slog.Int("base", o.Audit.Report.Base), slog.Int("changed", len(o.Audit.Changed)),
	}
	if o.Err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(o.Err).Code), slog.String("error", o.Err.Error()))
	}
	f.log.LogAttrs(ctx, level, "audit", attrs...)
}
