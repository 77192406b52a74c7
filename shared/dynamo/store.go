// Package dynamo keeps everything in one DynamoDB table.
//
// It is the one home of keys, item forms, expressions and transactions. It
// decides how a change becomes whole (one transaction, every action
// conditional, all that was decided from held to what was read) and how a
// read stays true (strong, and read again as one transaction when anything in
// it is younger than ten seconds). It refuses to know the rules: it is handed
// the state before, the state after, and what the decision rested on.
//
// Costs: a warm check is one BatchGetItem (user, item, one copy of the policy
// version). A policy change since adds one Query of the changes; a cold
// instance reads the policy's snapshot and the changes after it, and where
// there is no whole snapshot the policy's entities. A page of a list that a
// search reads is one strong Query. A census reads the counters of all sets of
// locations once; when somebody has just moved, it reads the counters of that move
// again.
package dynamo

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	lru "github.com/hashicorp/golang-lru/v2"
)

// heldOrganizations bounds the policies that an instance keeps.
const heldOrganizations = 64

// Store is the table. It is safe for concurrent use; it keeps compiled
// policies, which every read re-validates by version, and sign-ins, which
// never change.
type Store struct {
	client  *dynamodb.Client
	table   string
	now     func() time.Time
	refresh sync.Mutex
	held    *lru.Cache[string, held]
	signIns *lru.Cache[string, signedIn]
	// places is how many places of an item one transaction takes.
	places int
}

// Open is the store over a table; now is the clock that items carry.
func Open(cfg aws.Config, endpoint, table string, now func() time.Time) *Store {
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.APIOptions = append(o.APIOptions, addMeter)
	})
	return over(client, table, now)
}

func over(client *dynamodb.Client, table string, now func() time.Time) *Store {
	policies, _ := lru.New[string, held](heldOrganizations)
	signIns, _ := lru.New[string, signedIn](10_000)
	return &Store{client: client, table: table, now: now, held: policies, signIns: signIns, places: mostPlaces}
}

// stored is what every item has. V is its version, At the time of its last
// write in Unix milliseconds.
type stored struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
	V  uint64 `dynamodbav:"v,omitempty"`
	At int64  `dynamodbav:"at"`
}

func (k key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: k.pk},
		"sk": &types.AttributeValueMemberS{Value: k.sk},
	}
}

func millis(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMilli(), 10)}
}

// meter counts what a request asks of DynamoDB.
type meter struct {
	requests atomic.Int64
	units    atomic.Int64 // in tenths, as no unit is finer than a half
	within   *meter       // that counts them too; nil: none does
}

// count adds a call that cost so many units.
func (m *meter) count(units float64) {
	for ; m != nil; m = m.within {
		m.requests.Add(1)
		m.units.Add(int64(10 * units))
	}
}

// spent is the units so far.
func (m *meter) spent() float64 { return float64(m.units.Load()) / 10 }

type meterKey struct{}

// Meter starts counting the calls made under the context it returns; the
// function tells requests and capacity units so far, for the request's log.
func (s *Store) Meter(ctx context.Context) (context.Context, func() []slog.Attr) {
	m := &meter{}
	return context.WithValue(ctx, meterKey{}, m), func() []slog.Attr {
		return []slog.Attr{
			slog.Int64("dynamodbRequests", m.requests.Load()),
			slog.Float64("dynamodbUnits", m.spent()),
		}
	}
}

// Spending counts the units of the calls under the context it returns, for who
// has to keep to a budget; a meter around it goes on counting.
func (s *Store) Spending(ctx context.Context) (context.Context, func() float64) {
	m := &meter{}
	m.within, _ = ctx.Value(meterKey{}).(*meter)
	return context.WithValue(ctx, meterKey{}, m), m.spent
}

// addMeter counts a call after its answer is known, repeats of the SDK's own
// retryer not told apart.
func addMeter(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Meter",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if m, ok := ctx.Value(meterKey{}).(*meter); ok {
				m.count(consumed(out.Result))
			}
			return out, metadata, err
		}), middleware.After)
}

// consumed is the capacity units that an answer tells of.
func consumed(result any) float64 {
	var list []types.ConsumedCapacity
	switch r := result.(type) {
	case *dynamodb.BatchGetItemOutput:
		list = r.ConsumedCapacity
	case *dynamodb.TransactGetItemsOutput:
		list = r.ConsumedCapacity
	case *dynamodb.TransactWriteItemsOutput:
		list = r.ConsumedCapacity
	case *dynamodb.QueryOutput:
		return units(r.ConsumedCapacity)
	case *dynamodb.GetItemOutput:
		return units(r.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		return units(r.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		return units(r.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		return units(r.ConsumedCapacity)
	}
	var sum float64
	for i := range list {
		sum += units(&list[i])
	}
	return sum
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}
