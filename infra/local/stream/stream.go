// Package stream reads the table's stream and drives the functions that are
// mapped to it, as Lambda's event source mapping does, and deletes what has
// expired, as DynamoDB's TTL does. It knows nothing of what the records mean.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

// Source is the stream to read and the table that it belongs to.
type Source struct {
	Config       aws.Config
	Table, ARN   string
	TTLAttribute string
}

// Reader reads one stream until it is closed.
type Reader struct {
	api        *dynamodbstreams.Client
	source     Source
	log        *slog.Logger
	deliveries []*delivery
	expiry     *expiry
	iterators  map[string]*position
	finished   map[string]bool
	cancel     context.CancelFunc
	running    sync.WaitGroup
}

// position is how far a shard has been read.
type position struct {
	iterator *string
	last     *string
}

// pollEvery is the wait after a look that found nothing.
const pollEvery = 100 * time.Millisecond

// Start reads the stream from its oldest record on and delivers it to every
// function that has a mapping.
func Start(source Source, functions []template.Function, running map[string]function.Function, log *slog.Logger) (*Reader, error) {
	r := &Reader{
		api: dynamodbstreams.NewFromConfig(source.Config), source: source, log: log,
		iterators: map[string]*position{}, finished: map[string]bool{},
		expiry: newExpiry(dynamodb.NewFromConfig(source.Config), source.Table, source.TTLAttribute, log),
	}
	for _, declared := range functions {
		for _, mapping := range declared.Streams {
			delivery, err := newDelivery(mapping, running[declared.ID], log)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", declared.ID, err)
			}
			r.deliveries = append(r.deliveries, delivery)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.start(ctx)
	return r, nil
}

// start runs the reader, and each delivery beside it, so that one that tries
// again holds up neither the others nor the expiry.
func (r *Reader) start(ctx context.Context) {
	var queues []chan []events.DynamoDBEventRecord
	for _, delivery := range r.deliveries {
		queue := make(chan []events.DynamoDBEventRecord, 1000)
		queues = append(queues, queue)
		r.running.Go(func() {
			for records := range queue {
				if err := delivery.all(ctx, records); err != nil && ctx.Err() == nil {
					r.log.Error("the stream's delivery failed", "error", err.Error())
				}
			}
		})
	}
	r.running.Go(func() { r.expiry.run(ctx) })
	r.running.Go(func() {
		r.read(ctx, queues)
		for _, queue := range queues {
			close(queue)
		}
	})
}

// Close stops reading and returns when no function is being called any more.
func (r *Reader) Close() {
	r.cancel()
	r.running.Wait()
}

// Abandoned is what went to the dead letters, oldest first.
func (r *Reader) Abandoned() []Abandoned {
	var out []Abandoned
	for _, delivery := range r.deliveries {
		delivery.mu.Lock()
		out = append(out, delivery.abandoned...)
		delivery.mu.Unlock()
	}
	slices.SortStableFunc(out, func(a, b Abandoned) int { return a.At.Compare(b.At) })
	return out
}

func (r *Reader) read(ctx context.Context, queues []chan []events.DynamoDBEventRecord) {
	for ctx.Err() == nil {
		records, err := r.next(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("the stream could not be read", "error", err.Error())
		}
		for i := range records {
			r.expiry.observe(&records[i])
		}
		for _, queue := range queues {
			select {
			case queue <- records:
			case <-ctx.Done():
			}
		}
		if len(records) == 0 {
			select {
			case <-time.After(pollEvery):
			case <-ctx.Done():
			}
		}
	}
}

// next is the new records of all open shards.
func (r *Reader) next(ctx context.Context) ([]events.DynamoDBEventRecord, error) {
	if len(r.iterators) == 0 {
		if err := r.open(ctx); err != nil {
			return nil, err
		}
	}
	var out []events.DynamoDBEventRecord
	for shard, position := range r.iterators {
		records, err := r.shard(ctx, shard, position)
		out = append(out, records...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// shard reads on in one shard. One that has ended gives way to its children;
// an iterator that has grown too old is replaced by one after the last record.
func (r *Reader) shard(ctx context.Context, shard string, p *position) ([]events.DynamoDBEventRecord, error) {
	got, err := r.api.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: p.iterator})
	var old *types.ExpiredIteratorException
	if errors.As(err, &old) {
		p.iterator, err = r.iterator(ctx, shard, p.last)
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	var out []events.DynamoDBEventRecord
	for _, one := range got.Records {
		out = append(out, record(one, r.source.ARN))
		p.last = one.Dynamodb.SequenceNumber
	}
	if p.iterator = got.NextShardIterator; p.iterator == nil {
		r.finished[shard] = true
		delete(r.iterators, shard)
	}
	return out, nil
}

// open finds the shards that are to be read now: those not finished whose
// parent is, or is gone.
func (r *Reader) open(ctx context.Context) error {
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.source.ARN}
	var shards []types.Shard
	for {
		page, err := r.api.DescribeStream(ctx, input)
		if err != nil {
			return err
		}
		shards = append(shards, page.StreamDescription.Shards...)
		if input.ExclusiveStartShardId = page.StreamDescription.LastEvaluatedShardId; input.ExclusiveStartShardId == nil {
			break
		}
	}
	known := map[string]bool{}
	for _, shard := range shards {
		known[aws.ToString(shard.ShardId)] = true
	}
	for _, shard := range shards {
		id, parent := aws.ToString(shard.ShardId), aws.ToString(shard.ParentShardId)
		if r.finished[id] || r.iterators[id] != nil || (known[parent] && !r.finished[parent]) {
			continue
		}
		iterator, err := r.iterator(ctx, id, nil)
		if err != nil {
			return err
		}
		r.iterators[id] = &position{iterator: iterator}
	}
	return nil
}

// iterator begins after a record, or with the oldest when there is none.
func (r *Reader) iterator(ctx context.Context, shard string, after *string) (*string, error) {
	input := &dynamodbstreams.GetShardIteratorInput{StreamArn: &r.source.ARN, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if after != nil {
		input.ShardIteratorType, input.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, after
	}
	got, err := r.api.GetShardIterator(ctx, input)
	if err != nil {
		return nil, err
	}
	return got.ShardIterator, nil
}
