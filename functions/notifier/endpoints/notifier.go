// Package endpoints is the notifier function: what the table's stream says
// about impersonations.
//
// It decides which records mean something, and tells the stream which of a
// batch are to be given again. What a notice and a sweep are, package
// impersonation decides. A record may come any number of times.
package endpoints

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"gemba/shared/dynamo"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// Function answers the stream's batches; it implements lambda.Handler.
type Function struct {
	notifier *impersonation.Notifier
	log      *slog.Logger
	now      func() time.Time
}

// New is the notifier function.
func New(notifier *impersonation.Notifier, log *slog.Logger, now func() time.Time) *Function {
	return &Function{notifier, log, now}
}

// handling is the time that a record is given. One that would not have it is
// left to the next batch, so that no mail is handed over without time to record
// what became of it.
const handling = 10 * time.Second

// Invoke handles a batch of stream records and answers those that failed. A
// payload that is no batch is Invalid, and so comes again as a whole.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var batch events.DynamoDBEvent
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fault.Wrap(fault.Invalid, "event", err)
	}
	answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	for _, record := range batch.Records {
		if short(ctx) || f.handle(ctx, record) != nil {
			answer.BatchItemFailures = append(answer.BatchItemFailures,
				events.DynamoDBBatchItemFailure{ItemIdentifier: record.Change.SequenceNumber})
		}
	}
	return json.Marshal(answer)
}

// short tells that the invocation has no time left for a record.
func short(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return limited && time.Until(deadline) < handling
}

// handle does what a record asks for; one that asks for nothing is passed
// over.
func (f *Function) handle(ctx context.Context, record events.DynamoDBEventRecord) error {
	if record.EventName == string(events.DynamoDBOperationTypeInsert) {
		if o, session, ok := dynamo.NoticeIn(texts(record.Change.NewImage)); ok {
			return f.tell(ctx, "deliver", o, session, f.notifier.Deliver(ctx, o, session, f.now()))
		}
	}
	if record.EventName == string(events.DynamoDBOperationTypeRemove) {
		if o, session, ok := dynamo.MarkIn(texts(record.Change.OldImage)); ok {
			return f.tell(ctx, "sweep", o, session, f.notifier.Sweep(ctx, o, session, f.now()))
		}
	}
	return nil
}

// texts are the text attributes of an image.
func texts(image map[string]events.DynamoDBAttributeValue) map[string]string {
	out := map[string]string{}
	for name, value := range image {
		if value.DataType() == events.DataTypeString {
			out[name] = value.String()
		}
	}
	return out
}

// tell writes a record's line of the log, ids alone (T5), and hands its error
// on.
func (f *Function) tell(ctx context.Context, action, organization, session string, err error) error {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "notifier"), slog.String("action", action),
		slog.String("organization", organization), slog.String("session", session),
	}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("code", fault.Of(err).Code), slog.String("error", err.Error()))
	}
	f.log.LogAttrs(ctx, level, "record", attrs...)
	return err
}
