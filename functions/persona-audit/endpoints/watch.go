package endpoints

import (
	"context"
	"encoding/json"
	"log/slog"

	"gemba/shared/fault"
	"gemba/shared/persona"
)

// Watcher holds the counts of every organization against its users (P8).
type Watcher interface {
	Run(ctx context.Context, tell func(persona.Watching)) error
}

// watch reconciles whatever became of the audits, and tells how many numbers
// drifted in all.
func (f *Function) watch(ctx context.Context) (drift int, err error) {
	err = f.watcher.Run(ctx, func(w persona.Watching) {
		drift += w.Found.Drift()
		if _, err := f.metrics.Write(driftLine(w)); err != nil {
			f.log.LogAttrs(ctx, slog.LevelError, "metrics", slog.String("organization", w.Organization), slog.String("error", err.Error()))
		}
		f.tellDrift(ctx, w)
	})
	return drift, err
}

// tellDrift writes an organization's line of the log: ids and counts alone (T5).
// Drift is an error: somebody has to find out where it came from.
func (f *Function) tellDrift(ctx context.Context, w persona.Watching) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "persona-audit"), slog.String("organization", w.Organization),
		slog.Int("users", w.Found.Users), slog.Int("sets", w.Found.Sets), slog.Int("drift", w.Found.Drift()),
		slog.Int("unsettled", w.Found.Unsettled), slog.Int("forgotten", w.Forgotten),
	}
	if w.Found.Drift() > 0 {
		level = slog.LevelError
	}
	if w.Err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(w.Err).Code), slog.String("error", w.Err.Error()))
	}
	f.log.LogAttrs(ctx, level, "reconcile", attrs...)
}

// driftLine is an organization's line of CloudWatch's embedded metric format;
// none when it could not be read.
func driftLine(w persona.Watching) []byte {
	if w.Found.At.IsZero() {
		return nil
	}
	count := func(name string) map[string]string { return map[string]string{"Name": name, "Unit": "Count"} }
	text, _ := json.Marshal(map[string]any{ // text and numbers always marshal
		"_aws": map[string]any{"Timestamp": w.Found.At.UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
			"Namespace": namespace, "Dimensions": [][]string{{"Organization"}}, "Metrics": []any{count("Drift"), count("Unsettled")},
		}}},
		"Organization": w.Organization, "Drift": w.Found.Drift(), "Unsettled": w.Found.Unsettled,
		"Users": w.Found.Users, "Sets": w.Found.Sets,
	})
	return append(text, '\n')
}
