// Package endpoints is the projection function: what follows from the table's
// stream of changes. Who takes part is noted, and the timeline sealed.
//
// It decides which records mean something, puts those of a batch together that
// mean the same, and tells the stream which are to be given again. What they
// mean, packages persona and timeline decide. A record may come any number of
// times, and in any order. Of people and items it is read by its key alone,
// because what is so now is read anew; an entry of the timeline is sealed as the
// record has it, so that a change between the two is found.
//
// Neither of the two keeps the other from being done. What no function may do, to
// change or remove what is only ever added to (T2), is an error in the log and a
// metric; the record is done with then, as to give it again would tell no more. So is
// an entry for whose chain no block can be made any more. One that cannot be sealed for
// now is given again for as long as the stream does: what is given up is never sealed,
// and would be taken for an entry that was slipped in.
package endpoints

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"gemba/functions/stream"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// Function answers the stream's batches; it implements lambda.Handler.
type Function struct {
	engager *persona.Engager
	sealer  *timeline.Sealer
	log     *slog.Logger
	metrics io.Writer
	now     func() time.Time
}

// New is the projection function; its metrics are lines beside its log.
func New(engager *persona.Engager, sealer *timeline.Sealer, log *slog.Logger, metrics io.Writer, now func() time.Time) *Function {
	return &Function{engager, sealer, log, metrics, now}
}

// Invoke handles a batch of stream records and answers those that failed. A
// payload that is no batch is Invalid, and so comes again as a whole.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	records, err := stream.Read(payload)
	if err != nil {
		return nil, err
	}
	told := sorted(records)
	failed := f.seal(ctx, told.entries)
	maps.Copy(failed, f.seen(ctx, told.marks))
	maps.Copy(failed, f.items(ctx, told.items))
	f.tampered(ctx, told.tampered)
	return stream.Answer(records, func(r stream.Record) bool { return failed[r.Change.SequenceNumber] })
}

// thing is a user or an item of an organization.
type thing struct{ organization, id string }

func (t thing) compare(other thing) int {
	return slices.Compare([]string{t.organization, t.id}, []string{other.organization, other.id})
}

// mark is the last day of a user that a batch has, and the records that tell of
// the user.
type mark struct {
	day     directory.Day
	records []string
}

// entries are those of an organization's timeline, in the stream's order, and the
// records that tell of them.
type entries struct {
	sealed  []timeline.Sealed
	records []string
}

// tampering is what no function does to a thing that is only ever added.
type tampering struct{ organization, name, event string }

// told is what a batch tells, each thing once, with the records that tell it.
type told struct {
	marks    map[thing]mark
	items    map[thing][]string
	entries  map[string]entries
	tampered []tampering
}

// sorted is what the records tell; one that tells nothing is passed over.
func sorted(records []stream.Record) told {
	all := told{map[thing]mark{}, map[thing][]string{}, map[string]entries{}, nil}
	for _, r := range records {
		number := r.Change.SequenceNumber
		// A mark's removal, by TTL, says nothing.
		if o, user, day, ok := dynamo.SeenIn(r.Key()); ok && r.EventName == stream.Inserted {
			m := all.marks[thing{o, user}]
			all.marks[thing{o, user}] = mark{max(m.day, day), append(m.records, number)}
		}
		if o, item, ok := dynamo.ItemIn(r.Key()); ok {
			all.items[thing{o, item}] = append(all.items[thing{o, item}], number)
		}
		all.timeline(r)
	}
	return all
}

// timeline sorts a record of what is only ever added: a new entry is to be sealed,
// anything else is not done by us, an entry in a place of another time included.
func (all *told) timeline(r stream.Record) {
	o, name, ok := dynamo.KeptIn(r.Key())
	if !ok || r.EventName == stream.Inserted && !dynamo.IsEntry(r.Key()) {
		return
	}
	if r.EventName == stream.Inserted {
		if of, sealed, ok := dynamo.SealingIn(r.Change.New, instant(r.Change.Written)); ok {
			e := all.entries[of]
			all.entries[of] = entries{append(e.sealed, sealed), append(e.records, r.Change.SequenceNumber)}
			return
		}
	}
	all.tampered = append(all.tampered, tampering{o, name, r.EventName})
}

// instant is a stream's time, seconds of which a part may be told.
func instant(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)) }

func fail(failed map[string]bool, records []string) {
	for _, number := range records {
		failed[number] = true
	}
}

// tell writes a line of the log, ids and numbers alone (T5).
func (f *Function) tell(ctx context.Context, action, organization string, err error, about ...slog.Attr) {
	level := slog.LevelInfo
	attrs := append([]slog.Attr{
		slog.String("function", "projection"), slog.String("action", action), slog.String("organization", organization),
	}, about...)
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(err).Code), slog.String("error", err.Error()))
	}
	f.log.LogAttrs(ctx, level, "record", attrs...)
}
