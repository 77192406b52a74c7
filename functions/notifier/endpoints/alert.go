package endpoints

import (
	"context"
	"log/slog"

	"gemba/functions/metrics"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// alert tells observers of what an entry says, and counts it. It is counted whether
// or not they could be told.
func (f *Function) alert(ctx context.Context, organization string, e timeline.Entry) error {
	a, ok := impersonation.AlertOf(organization, e)
	if !ok {
		return nil
	}
	f.published(ctx, metrics.PublishAlert(f.metrics, a))
	return f.tell(ctx, "alert "+a.Kind.String(), organization, a.Session, f.notifier.Alert(ctx, a, f.now()))
}

// published tells of metrics that could not be written; what they are of is kept.
func (f *Function) published(ctx context.Context, err error) {
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelError, "metrics", slog.String("function", "notifier"), slog.String("error", err.Error()))
	}
}
