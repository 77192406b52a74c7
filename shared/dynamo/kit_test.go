package dynamo

import (
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"gemba/shared/dynamotest"
)

// bare is a store over an empty table, with hands on its clock and on the
// calls it makes.
type bare struct {
	*Store
	t     testing.TB
	mu    sync.Mutex
	shows time.Time
	hook  dynamotest.Hook
	calls map[string]int
}

// noon is what a bare store's clock shows.
var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

func openBare(t testing.TB) *bare {
	client, table := dynamotest.Table(t)
	b := &bare{t: t, shows: noon, calls: map[string]int{}}
	options := []func(*middleware.Stack) error{addMeter, dynamotest.Intercept(b.intercept)}
	b.Store = over(dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.APIOptions, o.Retryer = options, dynamotest.Hasty()
	}), table, b.clock)
	return b
}

func (b *bare) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shows
}

func (b *bare) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shows = b.shows.Add(d)
}

func (b *bare) intercept(operation string, input any, next func() (any, error)) (any, error) {
	b.mu.Lock()
	b.calls[operation]++
	hook := b.hook
	b.mu.Unlock()
	if hook == nil {
		return next()
	}
	return hook(operation, input, next)
}

// counted is the calls that act makes, by operation, under this hook.
func (b *bare) counted(hook dynamotest.Hook, act func()) map[string]int {
	b.mu.Lock()
	b.hook, b.calls = hook, map[string]int{}
	b.mu.Unlock()
	act()
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.hook, b.calls = nil, map[string]int{}
	return calls
}

// thing is an item of tests alone.
type thing struct {
	stored
	Says string `dynamodbav:"says"`
}

func thingKey(name string) key { return key{"THING#" + name, "THING"} }

// write puts a thing of a version whatever there is.
func (b *bare) write(name, says string, v uint64) {
	b.t.Helper()
	t := b.begin()
	t.put(thingKey(name), thing{stored{V: v}, says}, absent.Or(present), raced())
	if err := t.commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bare) read(name string) (thing, bool) {
	b.t.Helper()
	var out thing
	found, err := b.get(b.t.Context(), thingKey(name), &out)
	if err != nil {
		b.t.Fatal(err)
	}
	return out, found
}

// cancelledFor is what DynamoDB answers to a transaction it cancelled.
func cancelledFor(codes ...string) error {
	c := &types.TransactionCanceledException{}
	for _, code := range codes {
		c.CancellationReasons = append(c.CancellationReasons, types.CancellationReason{Code: &code})
	}
	return c
}

// failing fails the first n calls of an operation.
func failing(operation string, n int, err error) dynamotest.Hook {
	return func(called string, _ any, next func() (any, error)) (any, error) {
		if called == operation && n > 0 {
			n--
			return nil, err
		}
		return next()
	}
}
