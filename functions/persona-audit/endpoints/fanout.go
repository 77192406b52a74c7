package endpoints

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// listReserve is the time before the function's end in which no further page of
// organizations is listed.
const listReserve = 30 * time.Second

// fanOut lists the organizations and hands them over a batch at a time. One batch,
// when it is all there is, it serves itself. A hand-over that fails ends it: the
// firing is repeated then, and the batches that were handed over already find
// nothing left to do.
func (f *Function) fanOut(ctx context.Context, due firing, done *summary) error {
	page := directory.Page{Limit: f.Batch, After: due.After}
	var held []string // the batch that is handed over when there is another
	for {
		batch, end, err := f.Organizations.Organizations(ctx, page)
		if err != nil {
			return err
		}
		if len(held) > 0 && len(batch) > 0 {
			if err := f.hand(ctx, due, held, done); err != nil {
				return err
			}
		}
		if len(batch) > 0 {
			held = batch
		}
		switch {
		case end == "" && done.Handed == 0 && due.After == "":
			due.Organizations = held
			return f.serve(ctx, due, done)
		case end == "":
			return f.hand(ctx, due, held, done)
		case directory.Late(ctx, listReserve):
			return f.handOn(ctx, due, held, end, done)
		}
		page.After = end
	}
}

// hand gives organizations to another invocation.
func (f *Function) hand(ctx context.Context, due firing, organizations []string, done *summary) error {
	if len(organizations) == 0 {
		return nil
	}
	done.Handed += len(organizations)
	return f.relay(ctx, firing{ScheduledTime: due.ScheduledTime, Organizations: organizations})
}

// handOn gives the batch in hand, and the listing from there on, to others.
func (f *Function) handOn(ctx context.Context, due firing, held []string, after string, done *summary) error {
	if err := f.hand(ctx, due, held, done); err != nil {
		return err
	}
	return f.relay(ctx, firing{ScheduledTime: due.ScheduledTime, After: after})
}

func (f *Function) relay(ctx context.Context, next firing) error {
	payload, err := json.Marshal(next)
	if err != nil {
		return fault.Wrap(fault.Internal, "encode", err)
	}
	err = f.Relay.Invoke(ctx, payload)
	f.log(ctx, slog.LevelInfo, "handed over", err, slog.String("slot", next.slot()), slog.Int("organizations", len(next.Organizations)))
	return err
}
