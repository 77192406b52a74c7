// Package endpoints is the projection function: what the table's stream says
// about who takes part.
//
// It decides which records mean something, puts those of a batch together that
// mean the same, and tells the stream which are to be given again. What they
// mean, package persona decides. A record may come any number of times, and in
// any order; it is read by its key alone, because what is so now is read anew.
package endpoints

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// Function answers the stream's batches; it implements lambda.Handler.
type Function struct {
	engager *persona.Engager
	log     *slog.Logger
}

// New is the projection function.
func New(engager *persona.Engager, log *slog.Logger) *Function { return &Function{engager, log} }

// inserted is the event that leaves a mark; its removal, by TTL, says nothing.
const inserted = "INSERT"

// record is what is read of a stream's record.
type record struct {
	EventName string `json:"eventName"`
	Change    struct {
		SequenceNumber string `json:"SequenceNumber"`
		Keys           struct {
			PK text `json:"pk"`
			SK text `json:"sk"`
		} `json:"Keys"`
	} `json:"dynamodb"`
}

type text struct {
	S string `json:"S"`
}

// answer tells the stream which records are to be given again.
type answer struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	SequenceNumber string `json:"itemIdentifier"`
}

// Invoke handles a batch of stream records and answers those that failed. A
// payload that is no batch is Invalid, and so comes again as a whole.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var batch struct{ Records []record }
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fault.Wrap(fault.Invalid, "event", err)
	}
	told := sorted(batch.Records)
	failed := f.seen(ctx, told.marks)
	maps.Copy(failed, f.items(ctx, told.items))
	out := answer{Failures: []failure{}}
	for _, r := range batch.Records {
		if failed[r.Change.SequenceNumber] {
			out.Failures = append(out.Failures, failure{r.Change.SequenceNumber})
		}
	}
	return json.Marshal(out)
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

// told is what a batch tells, each thing once, with the records that tell it.
type told struct {
	marks map[thing]mark
	items map[thing][]string
}

// sorted is what the records tell; one that tells nothing is passed over.
func sorted(records []record) told {
	all := told{map[thing]mark{}, map[thing][]string{}}
	for _, r := range records {
		pk, sk, number := r.Change.Keys.PK.S, r.Change.Keys.SK.S, r.Change.SequenceNumber
		if o, user, day, ok := dynamo.SeenIn(pk, sk); ok && r.EventName == inserted {
			m := all.marks[thing{o, user}]
			all.marks[thing{o, user}] = mark{max(m.day, day), append(m.records, number)}
		}
		if o, item, ok := dynamo.ItemIn(pk, sk); ok {
			all.items[thing{o, item}] = append(all.items[thing{o, item}], number)
		}
	}
	return all
}

// seen notes the marks, organization by organization, and answers the records
// that failed.
func (f *Function) seen(ctx context.Context, marks map[thing]mark) map[string]bool {
	organizations := map[string]map[string]directory.Day{}
	for of, m := range marks {
		if organizations[of.organization] == nil {
			organizations[of.organization] = map[string]directory.Day{}
		}
		organizations[of.organization][of.id] = m.day
	}
	failed := map[string]bool{}
	for _, o := range slices.Sorted(maps.Keys(organizations)) {
		failures := f.engager.Seen(ctx, o, organizations[o])
		f.tell(ctx, "seen", o, nil, slog.Int("users", len(organizations[o])), slog.Int("failed", len(failures)))
		for _, user := range slices.Sorted(maps.Keys(failures)) {
			f.tell(ctx, "seen", o, failures[user], slog.String("user", user))
			fail(failed, marks[thing{o, user}].records)
		}
	}
	return failed
}

// abreast is how many items are at work at the same time.
const abreast = 4

// items holds what is noted to the items, a few at the same time, and answers
// the records that failed.
func (f *Function) items(ctx context.Context, items map[thing][]string) map[string]bool {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, abreast)
		order  = slices.SortedFunc(maps.Keys(items), thing.compare)
		errs   = make([]error, len(order))
		failed = map[string]bool{}
	)
	for i, of := range order {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = f.engager.Item(ctx, of.organization, of.id)
		})
	}
	group.Wait()
	for i, of := range order {
		if errs[i] != nil {
			f.tell(ctx, "item", of.organization, errs[i], slog.String("item", of.id))
			fail(failed, items[of])
		}
	}
	if len(items) > 0 {
		f.log.LogAttrs(ctx, slog.LevelInfo, "record", slog.String("function", "projection"), slog.String("action", "item"),
			slog.Int("items", len(items)), slog.Int("failed", len(failed)))
	}
	return failed
}

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
