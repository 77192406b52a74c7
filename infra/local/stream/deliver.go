package stream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

// Abandoned is a batch that was given up: what a dead-letter destination gets.
type Abandoned struct {
	Function string    `json:"function"`
	At       time.Time `json:"at"`
	Why      string    `json:"why"`
	Attempts int       `json:"attempts"`
	First    string    `json:"firstSequenceNumber"`
	Last     string    `json:"lastSequenceNumber"`
	Size     int       `json:"batchSize"`
}

// delivery hands records to a function as Lambda's event source mapping does:
// in order, again after a failure, from the first failed record on when the
// function reports which, and to the dead letters when all attempts are used
// up or the records have grown too old.
type delivery struct {
	mapping template.Stream
	filter  filter
	target  function.Function
	log     *slog.Logger
	now     func() time.Time
	pause   func(ctx context.Context, attempt int) error

	mu        sync.Mutex
	abandoned []Abandoned
}

func newDelivery(mapping template.Stream, target function.Function, log *slog.Logger) (*delivery, error) {
	var patterns []string
	for _, one := range mapping.FilterCriteria.Filters {
		patterns = append(patterns, one.Pattern)
	}
	filter, err := newFilter(patterns)
	if err != nil {
		return nil, err
	}
	return &delivery{mapping: mapping, filter: filter, target: target, log: log, now: time.Now, pause: backOff}, nil
}

// backOff waits before another attempt: 0.1 s, then twice as long each time,
// at most 10 s.
func backOff(ctx context.Context, attempt int) error {
	select {
	case <-time.After(min(100*time.Millisecond<<min(attempt, 10), 10*time.Second)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// all delivers what passes the filter; it returns early only when ctx ends.
func (d *delivery) all(ctx context.Context, records []events.DynamoDBEventRecord) error {
	var wanted []events.DynamoDBEventRecord
	for _, record := range records {
		fits, err := d.filter.fits(record)
		if err != nil {
			return err
		}
		if fits {
			wanted = append(wanted, record)
		}
	}
	for batch := range slices.Chunk(wanted, d.mapping.BatchSize) {
		if err := d.batch(ctx, batch, 0); err != nil {
			return err
		}
	}
	return nil
}

// batch delivers one batch, having tried it attempt times before. A batch that
// fails as a whole is halved where the mapping says so, which counts as no
// attempt.
func (d *delivery) batch(ctx context.Context, records []events.DynamoDBEventRecord, attempt int) error {
	for len(records) > 0 {
		if ctx.Err() != nil { // the stack ends, whatever is left
			return ctx.Err()
		}
		if why := d.expired(records, attempt); why != "" {
			d.abandon(records, attempt, why)
			return nil
		}
		failed, err := d.call(ctx, records)
		if err == nil && failed == len(records) {
			return nil
		}
		if err != nil {
			d.log.Error("a stream batch failed", "function", d.target.ID, "attempt", attempt+1, "error", err.Error())
		}
		if err := d.pause(ctx, attempt); err != nil {
			return err
		}
		if err != nil && d.mapping.BisectBatchOnFunctionError && len(records) > 1 {
			half := len(records) / 2
			if err := d.batch(ctx, records[:half], attempt); err != nil {
				return err
			}
			records = records[half:]
			continue
		}
		records, attempt = records[failed:], attempt+1
	}
	return nil
}

func (d *delivery) expired(records []events.DynamoDBEventRecord, attempt int) string {
	if most := d.mapping.MaximumRetryAttempts; most != nil && *most >= 0 && attempt > *most {
		return "RetryAttemptsExhausted"
	}
	oldest := records[0].Change.ApproximateCreationDateTime.Time
	if most := d.mapping.MaximumRecordAgeInSeconds; most != nil && *most > 0 && d.now().Sub(oldest) > time.Duration(*most)*time.Second {
		return "RecordAgeExceeded"
	}
	return ""
}

func (d *delivery) abandon(records []events.DynamoDBEventRecord, attempts int, why string) {
	given := Abandoned{
		Function: d.target.ID, At: d.now().UTC(), Why: why, Attempts: attempts, Size: len(records),
		First: records[0].Change.SequenceNumber, Last: records[len(records)-1].Change.SequenceNumber,
	}
	d.log.Error("a stream batch went to the dead letters", "function", given.Function, "why", why, "records", given.Size, "first", given.First)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.abandoned = append(d.abandoned, given)
}

// call is the index of the first record that failed, len(records) when none
// did. An answer that names none of the batch is a failure of all of it.
func (d *delivery) call(ctx context.Context, records []events.DynamoDBEventRecord) (int, error) {
	raw, err := d.target.Call(ctx, rand.Text(), events.DynamoDBEvent{Records: records})
	if err != nil {
		return 0, err
	}
	if !slices.Contains(d.mapping.FunctionResponseTypes, "ReportBatchItemFailures") {
		return len(records), nil
	}
	var answer events.DynamoDBEventResponse
	if err := json.Unmarshal(raw, &answer); err != nil {
		return 0, fmt.Errorf("%s: its answer reports no batch item failures: %w", d.target.ID, err)
	}
	first := len(records)
	for _, failure := range answer.BatchItemFailures {
		at := slices.IndexFunc(records, func(r events.DynamoDBEventRecord) bool {
			return r.Change.SequenceNumber == failure.ItemIdentifier
		})
		if at < 0 {
			return 0, fmt.Errorf("%s: it reports the failure of a record that it was not given", d.target.ID)
		}
		first = min(first, at)
	}
	return first, nil
}
