package endpoints

import (
	"context"
	"log/slog"

	"gemba/functions/metrics"
	"gemba/shared/persona"
)

// Watcher holds the counts of organizations against their users (P8).
type Watcher interface {
	Each(ctx context.Context, organizations []string, tell func(persona.Watching)) error
}

// watch reconciles whatever became of the audits, and tells how many numbers
// drifted in all.
func (f *Function) watch(ctx context.Context, organizations []string, done *summary) error {
	return f.Watcher.Each(ctx, organizations, func(w persona.Watching) {
		done.Drift += w.Found.Drift()
		f.published(ctx, w.Organization, metrics.PublishDrift(f.Metrics, w))
		f.tellDrift(ctx, w)
	})
}

// tellDrift writes an organization's line of the log. Drift is an error: somebody has to find out where it came from.
func (f *Function) tellDrift(ctx context.Context, w persona.Watching) {
	level := slog.LevelInfo
	if w.Found.Drift() > 0 {
		level = slog.LevelError
	}
	f.log(ctx, level, "reconcile", w.Err, slog.String("organization", w.Organization),
		slog.Int("users", w.Found.Users), slog.Int("sets", w.Found.Sets), slog.Int("drift", w.Found.Drift()),
		slog.Int("unsettled", w.Found.Unsettled), slog.Int("forgotten", w.Forgotten))
}
