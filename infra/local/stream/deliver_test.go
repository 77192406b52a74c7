package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

var (
	silent = slog.New(slog.NewTextHandler(io.Discard, nil))
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// insert is the record of a new item with this sequence number.
func insert(sequence, pk string) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		SequenceNumber: sequence, Keys: map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(pk), "sk": events.NewStringAttribute("S")},
		ApproximateCreationDateTime: events.SecondsEpochTime{Time: noon},
	}}
}

func inserts(n int) []events.DynamoDBEventRecord {
	var out []events.DynamoDBEventRecord
	for i := range n {
		out = append(out, insert(fmt.Sprint(i+1), "X#1"))
	}
	return out
}

// scripted answers each call by the next of its answers (the last for ever)
// and keeps the sequence numbers that it was given.
type scripted struct {
	answers []func() ([]byte, error)
	calls   [][]string
}

func (s *scripted) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.DynamoDBEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var given []string
	for _, record := range event.Records {
		given = append(given, record.Change.SequenceNumber)
	}
	answer := s.answers[min(len(s.calls), len(s.answers)-1)]
	s.calls = append(s.calls, given)
	return answer()
}

func fine() ([]byte, error) { return []byte(`{"batchItemFailures":[]}`), nil }
func bad() ([]byte, error)  { return nil, errors.New("no") }
func failing(sequence ...string) func() ([]byte, error) {
	return func() ([]byte, error) {
		var out events.DynamoDBEventResponse
		for _, one := range sequence {
			out.BatchItemFailures = append(out.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: one})
		}
		return json.Marshal(out)
	}
}

func deliver(t *testing.T, mapping template.Stream, records []events.DynamoDBEventRecord, answers ...func() ([]byte, error)) (*scripted, *delivery) {
	t.Helper()
	handler := &scripted{answers: answers}
	d, err := newDelivery(mapping, function.Function{ID: "Fn", Timeout: time.Minute, Handler: handler}, silent)
	if err != nil {
		t.Fatal(err)
	}
	d.now = func() time.Time { return noon }
	d.pause = func(context.Context, int) error { return nil }
	if err := d.all(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	return handler, d
}

func TestDelivery(t *testing.T) {
	two, none := 2, 0
	reports := template.Stream{BatchSize: 3, FunctionResponseTypes: []string{"ReportBatchItemFailures"}, MaximumRetryAttempts: &two}
	whole := template.Stream{BatchSize: 3, MaximumRetryAttempts: &two}
	halves := template.Stream{BatchSize: 4, MaximumRetryAttempts: &none, BisectBatchOnFunctionError: true}
	type calls = [][]string
	cases := map[string]struct {
		mapping   template.Stream
		records   int
		answers   []func() ([]byte, error)
		calls     calls
		abandoned []string
	}{
		"batches of the mapping's size, in order":                {reports, 4, []func() ([]byte, error){fine}, calls{{"1", "2", "3"}, {"4"}}, nil},
		"a failed record and all after it come again":            {reports, 3, []func() ([]byte, error){failing("2"), fine}, calls{{"1", "2", "3"}, {"2", "3"}}, nil},
		"of several failed records the first counts":             {reports, 3, []func() ([]byte, error){failing("3", "2"), fine}, calls{{"1", "2", "3"}, {"2", "3"}}, nil},
		"a failure that names none is one of all":                {reports, 2, []func() ([]byte, error){failing(""), fine}, calls{{"1", "2"}, {"1", "2"}}, nil},
		"an error is one of all":                                 {whole, 2, []func() ([]byte, error){bad, fine}, calls{{"1", "2"}, {"1", "2"}}, nil},
		"no report is read where none is asked for":              {whole, 2, []func() ([]byte, error){failing("1")}, calls{{"1", "2"}}, nil},
		"when the attempts are used up, the dead letters":        {whole, 1, []func() ([]byte, error){bad}, calls{{"1"}, {"1"}, {"1"}}, []string{"1-1 RetryAttemptsExhausted"}},
		"a batch that was given up is not in the next one's way": {reports, 4, []func() ([]byte, error){bad, bad, bad, fine}, calls{{"1", "2", "3"}, {"1", "2", "3"}, {"1", "2", "3"}, {"4"}}, []string{"1-3 RetryAttemptsExhausted"}},
		"halved until the bad record is alone":                   {halves, 4, []func() ([]byte, error){bad, bad, bad, fine}, calls{{"1", "2", "3", "4"}, {"1", "2"}, {"1"}, {"2"}, {"3", "4"}}, []string{"1-1 RetryAttemptsExhausted"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			handler, d := deliver(t, c.mapping, inserts(c.records), c.answers...)
			if diff := cmp.Diff(c.calls, handler.calls); diff != "" {
				t.Error(diff)
			}
			var abandoned []string
			for _, one := range d.abandoned {
				abandoned = append(abandoned, one.First+"-"+one.Last+" "+one.Why)
			}
			if diff := cmp.Diff(c.abandoned, abandoned); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A function that is slow leaves records behind; none of them keeps the stack
// from ending.
func TestWhatIsLeftAtTheEndIsNotDelivered(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	handler := &scripted{answers: []func() ([]byte, error){func() ([]byte, error) { end(); return fine() }}}
	d, err := newDelivery(template.Stream{BatchSize: 2}, function.Function{ID: "Fn", Timeout: time.Minute, Handler: handler}, silent)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.all(ctx, inserts(6)); !errors.Is(err, context.Canceled) || len(handler.calls) != 1 {
		t.Errorf("%d calls, %v", len(handler.calls), err)
	}
}

func TestRecordsThatAreTooOldGoToTheDeadLetters(t *testing.T) {
	age := 60
	old := insert("1", "X#1")
	old.Change.ApproximateCreationDateTime.Time = noon.Add(-61 * time.Second)
	handler, d := deliver(t, template.Stream{BatchSize: 1, MaximumRecordAgeInSeconds: &age},
		[]events.DynamoDBEventRecord{old, insert("2", "X#1")}, fine)
	if diff := cmp.Diff([][]string{{"2"}}, handler.calls); diff != "" {
		t.Error(diff)
	}
	if len(d.abandoned) != 1 || d.abandoned[0].Why != "RecordAgeExceeded" {
		t.Errorf("%+v", d.abandoned)
	}
}

func TestFilter(t *testing.T) {
	record := insert("1", "X#7")
	cases := map[string]bool{
		`{}`:                                true,
		`{"eventName":["INSERT"]}`:          true,
		`{"eventName":["REMOVE","MODIFY"]}`: false,
		`{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"X#"}]}}}}`: true,
		`{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"A#"}]}}}}`: false,
		`{"dynamodb":{"Keys":{"pk":{"S":[{"suffix":"7"}]}}}}`:                         true,
		`{"dynamodb":{"Keys":{"pk":{"N":[{"suffix":"7"}]}}}}`:                         false,
		`{"eventName":[{"anything-but":["REMOVE"]}]}`:                                 true,
		`{"eventName":[{"anything-but":"INSERT"}]}`:                                   false,
		`{"dynamodb":{"NewImage":{"pk":{"S":[{"exists":false}]}}}}`:                   true,
		`{"userIdentity":{"type":["Service"]}}`:                                       false,
		`{"dynamodb":{"Keys":{"pk":{"S":[{"exists":true}]}}},"eventName":["INSERT"]}`: true,
	}
	operators := map[string]bool{}
	for pattern, want := range cases {
		f, err := newFilter([]string{pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.fits(record); got != want || err != nil {
			t.Errorf("%s fits: %v (%v), want %v", pattern, got, err, want)
		}
		for operator := range comparisons {
			if slices.Contains(tokens(pattern), operator) {
				operators[operator] = true
			}
		}
	}
	for operator := range comparisons {
		if !operators[operator] {
			t.Errorf("%s has no case", operator)
		}
	}
}

// tokens is the text's pieces between quotation marks.
func tokens(text string) []string {
	var out []string
	start := -1
	for i, letter := range text {
		if letter == '"' {
			if start >= 0 {
				out = append(out, text[start:i])
				start = -1
			} else {
				start = i + 1
			}
		}
	}
	return out
}

func TestOneOfSeveralPatternsIsEnough(t *testing.T) {
	f, err := newFilter([]string{`{"eventName":["REMOVE"]}`, `{"eventName":["INSERT"]}`})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.fits(insert("1", "X#1")); !got || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	for _, pattern := range []string{`{`, `{"a":"b"}`, `{"a":[{"numeric":["=",1]}]}`, `{"a":{"b":[{"prefix":"x","suffix":"y"}]}}`} {
		if _, err := newFilter([]string{pattern}); err == nil {
			t.Errorf("%s is not refused", pattern)
		}
	}
}
