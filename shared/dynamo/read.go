package dynamo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/fault"
)

type attributes = map[string]types.AttributeValue

const (
	// batchSize is the most keys of one BatchGetItem or TransactGetItems.
	batchSize = 100
	// readAttempts bounds the tries of a read that others hinder.
	readAttempts = 12
)

// together reads items as they were at one moment (C11). A strong batch is no
// snapshot, so when anything in it is young enough for its change to be still
// under way, the same keys are read again in a way that is.
func (s *Store) together(ctx context.Context, keys []key) (map[key]attributes, error) {
	found, err := s.batchGet(ctx, keys)
	if err != nil || !s.young(found) {
		return found, err
	}
	if len(keys) <= batchSize {
		return s.transactGet(ctx, keys)
	}
	return s.settled(ctx, keys, found)
}

// young tells whether an item was written less than youngAge ago, or may have
// been.
func (s *Store) young(items map[key]attributes) bool {
	since := s.now().Add(-youngAge)
	for _, item := range items {
		if at, says := writtenAt(item); !says || at.After(since) {
			return true
		}
	}
	return false
}

// settled reads more keys than a transaction takes until two readings in a
// row are the same: between those two, all of it was so at once.
func (s *Store) settled(ctx context.Context, keys []key, last map[key]attributes) (map[key]attributes, error) {
	for attempt := range readAttempts {
		next, err := s.batchGet(ctx, keys)
		if err != nil {
			return nil, err
		}
		if same(last, next) {
			return next, nil
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, unavailable(err)
		}
		last = next
	}
	return nil, fault.Wrap(fault.Unavailable, "busy", errors.New("the items do not come to rest"))
}

// same tells whether two readings found the same. Whole items are compared:
// not every item has a version, and two writes can carry one time.
func same(a, b map[key]attributes) bool { return reflect.DeepEqual(a, b) }

// batchGet reads keys strongly, all of them.
func (s *Store) batchGet(ctx context.Context, keys []key) (map[key]attributes, error) {
	found := make(map[key]attributes, len(keys))
	for len(keys) > 0 {
		n := min(batchSize, len(keys))
		request := map[string]types.KeysAndAttributes{s.table: {ConsistentRead: aws.Bool(true), Keys: keyList(keys[:n])}}
		keys = keys[n:]
		for attempt := 0; len(request) > 0; attempt++ {
			out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			})
			if err != nil {
				return nil, unavailable(err)
			}
			for _, item := range out.Responses[s.table] {
				found[keyOf(item)] = item
			}
			request = out.UnprocessedKeys
			if len(request) > 0 && (attempt == readAttempts || pause(ctx, attempt) != nil) {
				return nil, fault.Wrap(fault.Unavailable, "busy", errors.New("unprocessed keys"))
			}
		}
	}
	return found, nil
}

// abreast is how many parts are at work at the same time.
const abreast = 8

// inParts does something for each part of a list of keys, a few at the same
// time; it answers one of the failures.
func inParts(keys []key, size int, do func(part []key) error) error {
	return abreastOf(slices.Collect(slices.Chunk(keys, size)), do)
}

// abreastOf does something for each of many, a few at the same time; it answers
// one of the failures.
func abreastOf[Part any](parts []Part, do func(Part) error) error {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, abreast)
		failed = make([]error, len(parts))
	)
	for i, part := range parts {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			failed[i] = do(part)
		})
	}
	group.Wait()
	return cmp.Or(failed...)
}

// batchesGet reads very many keys strongly, some batches at the same time.
func (s *Store) batchesGet(ctx context.Context, keys []key) (map[key]attributes, error) {
	if len(keys) <= batchSize {
		return s.batchGet(ctx, keys)
	}
	var mutex sync.Mutex
	found := make(map[key]attributes, len(keys))
	err := inParts(keys, batchSize, func(batch []key) error {
		part, err := s.batchGet(ctx, batch)
		mutex.Lock()
		defer mutex.Unlock()
		maps.Copy(found, part)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// transactGet reads at most batchSize keys as they were at one moment.
func (s *Store) transactGet(ctx context.Context, keys []key) (map[key]attributes, error) {
	gets := make([]types.TransactGetItem, len(keys))
	for i, k := range keys {
		gets[i] = types.TransactGetItem{Get: &types.Get{TableName: &s.table, Key: k.attributes()}}
	}
	for attempt := 0; ; attempt++ {
		out, err := s.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
			TransactItems: gets, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		if err == nil {
			found := make(map[key]attributes, len(keys))
			for i, r := range out.Responses {
				if len(r.Item) > 0 {
					found[keys[i]] = r.Item
				}
			}
			return found, nil
		}
		if _, hindered := cancelled(err); !hindered || attempt == readAttempts || pause(ctx, attempt) != nil {
			return nil, unavailable(err)
		}
	}
}

// get reads one item strongly into out; false when there is none.
func (s *Store) get(ctx context.Context, k key, out any) (bool, error) {
	answer, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: k.attributes(), ConsistentRead: aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return false, unavailable(err)
	}
	if len(answer.Item) == 0 {
		return false, nil
	}
	return true, decode(answer.Item, out)
}

// span is a stretch of one partition: sort keys from from to to, both
// included, read from the end when backward. after is the sort key where the
// page before ended. only are the attributes that are wanted, all without any. limit 0 reads all of it; once reads what one request
// brings, a megabyte at most. Indexed is one of the index, which follows the
// table within moments and is read whole or after a place.
type span struct {
	pk       string
	from, to string
	after    string
	backward bool
	indexed  bool
	once     bool
	limit    int
	only     []string
}

// below is every sort key that has this prefix.
func below(pk, prefix string) span { return span{pk: pk, from: prefix, to: prefix + "\uffff"} }

// keyNames are the attributes of the stretch's keys.
func (q span) keyNames() (pk, sk string) {
	if q.indexed {
		return "gsi1pk", "gsi1sk"
	}
	return "pk", "sk"
}

// condition is the stretch's key condition. A place in the index is a part of
// it: to start there, DynamoDB would want the item's own key too.
func (q span) condition() expression.KeyConditionBuilder {
	pk, sk := q.keyNames()
	cond := expression.Key(pk).Equal(expression.Value(q.pk))
	switch {
	case q.indexed && q.after != "" && q.backward:
		return cond.And(expression.Key(sk).LessThan(expression.Value(q.after)))
	case q.indexed && q.after != "":
		return cond.And(expression.Key(sk).GreaterThan(expression.Value(q.after)))
	case q.from != "" || q.to != "":
		return cond.And(expression.Key(sk).Between(expression.Value(q.from), expression.Value(q.to)))
	}
	return cond
}

// projection is of these attributes.
func projection(names []string) (p expression.ProjectionBuilder) {
	for _, name := range names {
		p = p.AddNames(expression.Name(name))
	}
	return p
}

// query reads a stretch, strongly unless it is of the index, page after page.
// The end is the sort key to go on after, "" when nothing is left.
func (s *Store) query(ctx context.Context, q span) (items []attributes, end string, err error) {
	builder := expression.NewBuilder().WithKeyCondition(q.condition())
	if len(q.only) > 0 {
		builder = builder.WithProjection(projection(q.only))
	}
	expr, err := builder.Build()
	if err != nil {
		return nil, "", fault.Wrap(fault.Internal, "item", err)
	}
	input := &dynamodb.QueryInput{
		ProjectionExpression: expr.Projection(),
		TableName:            &s.table, ConsistentRead: aws.Bool(!q.indexed), KeyConditionExpression: expr.KeyCondition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ScanIndexForward: aws.Bool(!q.backward), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	switch {
	case q.indexed:
		input.IndexName = aws.String("gsi1")
	case q.after != "":
		input.ExclusiveStartKey = key{q.pk, q.after}.attributes()
	}
	_, sk := q.keyNames()
	for {
		if q.limit > 0 {
			input.Limit = aws.Int32(int32(q.limit - len(items)))
		}
		out, err := s.client.Query(ctx, input)
		if err != nil {
			return nil, "", unavailable(err)
		}
		if int(out.Count) != len(out.Items) {
			return nil, "", unavailable(errors.New("a page that lacks what it counts"))
		}
		items = append(items, out.Items...)
		input.ExclusiveStartKey = out.LastEvaluatedKey
		if len(out.LastEvaluatedKey) == 0 {
			return items, "", nil
		}
		if q.limit > 0 && len(items) >= q.limit || q.once {
			return items, text(out.LastEvaluatedKey, sk), nil
		}
	}
}

// decode reads an item, and refuses what it does not understand in it.
func decode(item attributes, out any) error {
	if err := attributevalue.UnmarshalMap(item, out); err != nil {
		return fault.Wrap(fault.Internal, "item", err)
	}
	if w, ok := out.(worded); ok {
		return w.check()
	}
	return nil
}

func keyList(keys []key) []map[string]types.AttributeValue {
	list := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		list[i] = k.attributes()
	}
	return list
}

func keyOf(item attributes) key { return key{text(item, "pk"), text(item, "sk")} }

func text(item attributes, name string) string {
	if v, ok := item[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// writtenAt is the time of an item's last write; false when it does not say.
func writtenAt(item attributes) (time.Time, bool) {
	var at int64
	if err := attributevalue.Unmarshal(item["at"], &at); err != nil || at == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(at), true
}
