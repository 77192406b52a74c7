// Package endpoints is the notifier function: what the table's stream says
// about impersonations, and the sweep that a schedule fires.
//
// It decides which records mean something, and tells the stream which of a
// batch are to be given again. What a notice, a receipt, an alert and a sweep are,
// package impersonation decides. A record may come any number of times, and so may
// a firing.
package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"gemba/functions/stream"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// Function answers the stream's batches and the schedule's firings; it implements lambda.Handler.
type Function struct {
	notifier *impersonation.Notifier
	metrics  io.Writer
	log      *slog.Logger
	now      func() time.Time
}

// New is the notifier function. metrics takes lines of CloudWatch's embedded metric
// format: standard output, in a deployed function.
func New(notifier *impersonation.Notifier, metrics io.Writer, log *slog.Logger, now func() time.Time) *Function {
	return &Function{notifier, metrics, log, now}
}

// handling is the time that a record is given. One that would not have it is
// left to the next batch, so that no mail is handed over without time to record
// what became of it.
const handling = 10 * time.Second

// Invoke handles a batch of stream records and answers those that failed, or sweeps
// when the payload has the time that a firing was due. A payload that is neither is
// Invalid, and so comes again as a whole.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var firing struct {
		ScheduledTime time.Time `json:"scheduledTime"`
	}
	if err := json.Unmarshal(payload, &firing); err != nil {
		return nil, fault.Wrap(fault.Invalid, "event", err)
	}
	if !firing.ScheduledTime.IsZero() {
		return f.sweep(ctx, firing.ScheduledTime)
	}
	records, err := stream.Read(payload)
	if err != nil {
		return nil, err
	}
	return stream.Answer(records, func(r stream.Record) bool { return directory.Late(ctx, handling) || f.handle(ctx, r) != nil })
}

// handle does what a record asks for; one that asks for nothing is passed
// over.
func (f *Function) handle(ctx context.Context, r stream.Record) error {
	switch r.EventName {
	case stream.Inserted:
		if o, session, ok := dynamo.NoticeIn(r.Key()); ok {
			return f.tell(ctx, "deliver", o, session, f.notifier.Deliver(ctx, o, session, f.now()))
		}
		if o, e, ok := dynamo.EntryIn(r.Change.New); ok && e.Type == timeline.Impersonation {
			return errors.Join(f.receipt(ctx, o, e), f.alert(ctx, o, e))
		}
	case stream.Removed:
		if o, session, ok := dynamo.ActingIn(r.Change.Old); ok {
			return f.tell(ctx, "sweep", o, session, f.notifier.Sweep(ctx, o, session, f.now()))
		}
	}
	return nil
}

// tell writes a record's line of the log, ids alone (T5), and hands its error
// on.
func (f *Function) tell(ctx context.Context, action, organization, session string, err error) error {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "notifier"), slog.String("action", action),
		slog.String("organization", organization), slog.String("session", session),
	}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(err).Code), slog.String("error", err.Error()))
	}
	f.log.LogAttrs(ctx, level, "record", attrs...)
	return err
}
