package endpoints

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"gemba/functions/metrics"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// summary is what a firing of the schedule answers. Left are the organizations for
// which there was no time.
type summary struct {
	Organizations int `json:"organizations"`
	Sessions      int `json:"sessions"`
	Ended         int `json:"ended"`
	Stuck         int `json:"stuck"`
	Left          int `json:"left"`
}

// sweep looks at all organizations' sessions because the schedule fired (I4, I8).
// It fails when one of them could not be served, after it served the others; the
// schedule's next firing does what is missing.
func (f *Function) sweep(ctx context.Context, due time.Time) ([]byte, error) {
	var done summary
	left, err := f.notifier.SweepAll(ctx, due, f.now, func(of impersonation.Swept) {
		done.Organizations++
		done.Sessions += of.Sessions
		done.Ended += of.Ended
		done.Stuck += of.Stuck
		f.published(ctx, metrics.PublishSweep(f.metrics, f.now(), of))
		f.tellSwept(ctx, of)
	})
	done.Left = left
	f.published(ctx, metrics.PublishUnswept(f.metrics, f.now(), left))
	if left > 0 {
		f.log.LogAttrs(ctx, slog.LevelWarn, "unswept", slog.String("function", "notifier"), slog.Int("organizations", left))
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(done)
}

// tellSwept writes an organization's line of the log, ids and numbers alone (T5); of
// one in which there was nothing to do, none.
func (f *Function) tellSwept(ctx context.Context, of impersonation.Swept) {
	if of.Err == nil && of.Ended+of.Stuck == 0 {
		return
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "notifier"), slog.String("action", "sweep"), slog.String("organization", of.Organization),
		slog.Int("sessions", of.Sessions), slog.Int("ended", of.Ended), slog.Int("stuck", of.Stuck),
		slog.Int("failed", of.Failed), slog.Int("unknown", of.Unknown),
	}
	if of.Err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(of.Err).Code), slog.String("error", of.Err.Error()))
	}
	f.log.LogAttrs(ctx, level, "swept", attrs...)
}
