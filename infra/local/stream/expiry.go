package stream

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expiry deletes items whose TTL attribute has passed, which DynamoDB Local
// does not, and marks the stream's record of it as the service's own deletion.
// It knows the items from the stream alone, so nothing is ever scanned.
type expiry struct {
	client    *dynamodb.Client
	table     string
	attribute string
	log       *slog.Logger
	now       func() time.Time

	// mu is held across a deletion, so that its record cannot be observed
	// before its outcome is known.
	mu    sync.Mutex
	due   map[string]timed
	swept map[string]string
}

type timed struct {
	key     map[string]types.AttributeValue
	expires string
	at      time.Time
}

func newExpiry(client *dynamodb.Client, table, attribute string, log *slog.Logger) *expiry {
	return &expiry{client: client, table: table, attribute: attribute, log: log, now: time.Now,
		due: map[string]timed{}, swept: map[string]string{}}
}

// observe learns from a record when its item expires, and marks the record of
// an item that this expiry deleted.
func (e *expiry) observe(r *events.DynamoDBEventRecord) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := key(*r)
	delete(e.due, name)
	if expires, at, ok := e.time(r.Change.NewImage); ok {
		e.due[name] = timed{key: keyOf(r.Change.Keys), expires: expires, at: at}
	}
	if r.EventName != string(events.DynamoDBOperationTypeRemove) {
		return
	}
	if old, _, ok := e.time(r.Change.OldImage); ok && e.swept[name] == old {
		delete(e.swept, name)
		r.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
}

func (e *expiry) time(image map[string]events.DynamoDBAttributeValue) (text string, at time.Time, ok bool) {
	value, present := image[e.attribute]
	if !present || value.DataType() != events.DataTypeNumber {
		return "", time.Time{}, false
	}
	seconds, err := strconv.ParseInt(value.Number(), 10, 64)
	return value.Number(), time.Unix(seconds, 0), err == nil
}

// run sweeps once a second until ctx ends.
func (e *expiry) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (e *expiry) sweep(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, item := range e.due {
		if item.at.After(e.now()) {
			continue
		}
		delete(e.due, name)
		if err := e.remove(ctx, item); err == nil {
			e.swept[name] = item.expires
		} else if changed := (*types.ConditionalCheckFailedException)(nil); !errors.As(err, &changed) && ctx.Err() == nil {
			e.log.Error("an expired item could not be deleted", "error", err.Error())
		}
	}
}

// remove deletes the item unless its time was changed meanwhile.
func (e *expiry) remove(ctx context.Context, item timed) error {
	_, err := e.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &e.table, Key: item.key,
		ConditionExpression:       aws.String("#expires = :expires"),
		ExpressionAttributeNames:  map[string]string{"#expires": e.attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":expires": &types.AttributeValueMemberN{Value: item.expires}},
	})
	return err
}

func keyOf(keys map[string]events.DynamoDBAttributeValue) map[string]types.AttributeValue {
	out := map[string]types.AttributeValue{}
	for name, value := range keys {
		if value.DataType() == events.DataTypeString {
			out[name] = &types.AttributeValueMemberS{Value: value.String()}
		}
	}
	return out
}
