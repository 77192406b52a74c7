package endpoints

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"gemba/functions/metrics"
	"gemba/shared/fault"
)

// seal seals the entries, organization by organization, and answers the records
// that failed for now. The head after each block is told, so that whoever keeps the log
// keeps what the chain can be held to.
func (f *Function) seal(ctx context.Context, organizations map[string]entries) map[string]bool {
	failed := map[string]bool{}
	for _, o := range slices.Sorted(maps.Keys(organizations)) {
		of := organizations[o]
		heads, err := f.sealer.Seal(ctx, o, of.sealed)
		for _, h := range heads {
			f.tell(ctx, "seal", o, nil, slog.Uint64("block", h.Block), slog.Uint64("entries", h.Entries),
				slog.String("hash", h.Hash.String()), slog.String("at", h.At.Format(time.RFC3339Nano)))
		}
		if err == nil {
			continue
		}
		f.tell(ctx, "seal", o, err, slog.Int("failed", len(of.records)))
		if fault.Is(err, fault.Internal) {
			// The chain was taken back, or its head is none, and stays so however often
			// this comes again: it would keep waiting whatever else is in the shard, of
			// other organizations too.
			f.count(ctx, o, 1)
			continue
		}
		fail(failed, of.records)
	}
	return failed
}

// tampered tells what no function did.
func (f *Function) tampered(ctx context.Context, all []tampering) {
	counts := map[string]int{}
	for _, t := range all {
		f.log.LogAttrs(ctx, slog.LevelError, "tampered", slog.String("function", "projection"), slog.String("action", "seal"),
			slog.String("organization", t.organization), slog.String("entry", t.name), slog.String("event", t.event))
		counts[t.organization]++
	}
	for _, o := range slices.Sorted(maps.Keys(counts)) {
		f.count(ctx, o, counts[o])
	}
}

// count publishes how many things of an organization were tampered with.
func (f *Function) count(ctx context.Context, organization string, n int) {
	if err := metrics.PublishTampering(f.metrics, organization, f.now(), n); err != nil {
		f.tell(ctx, "metrics", organization, err)
	}
}
