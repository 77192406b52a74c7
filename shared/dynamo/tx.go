package dynamo

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// transaction collects the actions of one change. Every action is
// conditional; fails[i] is what a failed condition of action i means. The
// first fault met while building is kept and returned by commit.
type transaction struct {
	store   *Store
	at      time.Time
	items   []types.TransactWriteItem
	fails   []error
	written map[key]bool
	logged  int // bytes of the policy change
	tallies map[key]*tally
	moving  string // the organization, when people move between sets
	acts    []key  // the sessions that changes are made in
	err     error
}

// begin is a change of now.
func (s *Store) begin() *transaction {
	return &transaction{store: s, at: s.now(), written: map[key]bool{}, tallies: map[key]*tally{}}
}

var (
	// absent: nothing has this key yet.
	absent = expression.AttributeNotExists(expression.Name("pk"))
	// present: something has this key.
	present = expression.AttributeExists(expression.Name("pk"))
)

// versionIs holds for an item of this version; version 0 is no item at all.
func versionIs(v uint64) expression.ConditionBuilder {
	if v == 0 {
		return absent
	}
	return expression.Name("v").Equal(expression.Value(v))
}

func raced() error {
	return fault.New(fault.Conflict, fault.Raced, "Something that this rests on has changed meanwhile.")
}

// put writes an item whole. Its struct embeds stored, which is filled here.
func (t *transaction) put(k key, item any, condition expression.ConditionBuilder, fail error) {
	av, err := attributevalue.MarshalMap(item)
	expr, exprErr := expression.NewBuilder().WithCondition(condition).Build()
	if !t.keep(errors.Join(err, exprErr)) {
		return
	}
	t.stamp(av, k)
	t.add(k, fail, types.TransactWriteItem{Put: &types.Put{
		TableName: &t.store.table, Item: av, ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}})
}

// update changes some attributes and the time of last write.
func (t *transaction) update(k key, u expression.UpdateBuilder, condition expression.ConditionBuilder, fail error) {
	u = u.Set(expression.Name("at"), expression.Value(t.at.UnixMilli()))
	expr, err := expression.NewBuilder().WithCondition(condition).WithUpdate(u).Build()
	if !t.keep(err) {
		return
	}
	t.add(k, fail, types.TransactWriteItem{Update: &types.Update{
		TableName: &t.store.table, Key: k.attributes(), ConditionExpression: expr.Condition(),
		UpdateExpression: expr.Update(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}})
}

// delete removes an item.
func (t *transaction) delete(k key, condition expression.ConditionBuilder, fail error) {
	expr, err := expression.NewBuilder().WithCondition(condition).Build()
	if !t.keep(err) {
		return
	}
	t.add(k, fail, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &t.store.table, Key: k.attributes(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}})
}

// check holds the change to a condition on an item it does not write.
func (t *transaction) check(k key, condition expression.ConditionBuilder, fail error) {
	expr, err := expression.NewBuilder().WithCondition(condition).Build()
	if !t.keep(err) {
		return
	}
	t.add(k, fail, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &t.store.table, Key: k.attributes(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}})
}

// rest holds the change to what was decided from; it is called last, because
// an item may stand once in a transaction and what is written is already
// held to the version read.
func (t *transaction) rest(b directory.Basis) {
	for id, version := range b.Users {
		if k := userKey(b.Organization, id); !t.written[k] {
			t.check(k, versionIs(version), raced())
		}
	}
	if !t.written[versionKey(b.Organization, 0)] {
		t.check(anyVersionKey(b.Organization), versionIs(b.Policy), raced())
	}
	if b.Session != "" && !t.written[sessionKey(b.Organization, b.Session)] {
		t.check(sessionKey(b.Organization, b.Session), expression.AttributeNotExists(expression.Name("ended")).And(present), raced())
	}
}

// held is Internal when a change is made in a session that the transaction does not
// hold to last.
func (t *transaction) held() error {
	for _, k := range t.acts {
		if !t.written[k] {
			return fault.Wrap(fault.Internal, "session", errors.New("a change in a session that it does not hold to last"))
		}
	}
	return nil
}

func (t *transaction) add(k key, fail error, item types.TransactWriteItem) {
	t.items = append(t.items, item)
	t.fails = append(t.fails, fail)
	t.written[k] = true
}

func (t *transaction) keep(err error) bool {
	if err != nil && t.err == nil {
		t.err = fault.Wrap(fault.Internal, "item", err)
	}
	return t.err == nil
}

// stamp gives an item its key and the time of its last write.
func (t *transaction) stamp(av map[string]types.AttributeValue, k key) {
	for name, v := range k.attributes() {
		av[name] = v
	}
	av["at"] = millis(t.at)
}

const (
	// mostActions is how many actions DynamoDB takes in one transaction.
	mostActions = 100
	// commitAttempts bounds the tries of a transaction that others hinder.
	commitAttempts = 12
	// commitWindow is how long a write may still happen after the time it
	// carries. Readers trust that an item older than youngAge is whole, so
	// this has to stay well below it.
	commitWindow = 5 * time.Second
	youngAge     = 10 * time.Second
)

// commit writes all or nothing. A failed condition is told by the action's
// fault, raced before all others, since a new decision tells more; a
// transaction that was only hindered is tried again with full jitter. What is more
// than one transaction takes is Unprocessable too_much_at_once, as no repetition helps:
// a user may leave a location that very many of their assignments are limited to.
func (t *transaction) commit(ctx context.Context) error {
	t.writeTallies()
	if err := cmp.Or(t.err, t.held()); err != nil {
		return err
	}
	if len(t.items) > mostActions {
		return fault.New(fault.Unprocessable, "too_much_at_once", "This changes more than one transaction can: split it.")
	}
	ctx, cancel := context.WithTimeout(ctx, commitWindow-t.store.now().Sub(t.at))
	defer cancel()
	// One token for all attempts: if the answer to one was lost and a later one
	// is hindered, the one after that must not meet its own writes as a conflict.
	input := &dynamodb.TransactWriteItemsInput{
		TransactItems: t.items, ClientRequestToken: aws.String(crand.Text()), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	for attempt := 0; ; attempt++ {
		_, err := t.store.client.TransactWriteItems(ctx, input)
		if err == nil {
			return nil
		}
		reasons, hindered := cancelled(err)
		if !hindered {
			return t.verdict(reasons, err)
		}
		if attempt == commitAttempts-1 || pause(ctx, attempt) != nil {
			return fault.Wrap(fault.Unavailable, "busy", err)
		}
	}
}

// verdict is what a transaction that did not happen means.
func (t *transaction) verdict(reasons []types.CancellationReason, err error) error {
	var verdict error
	for i, r := range reasons {
		if aws.ToString(r.Code) != "ConditionalCheckFailed" {
			continue
		}
		if verdict == nil || fault.IsRaced(t.fails[i]) {
			verdict = t.fails[i]
		}
	}
	if verdict != nil {
		return verdict
	}
	return unavailable(err)
}

// cancelled is the reasons of a cancelled transaction, and whether they are
// all of the kind that passes.
func cancelled(err error) ([]types.CancellationReason, bool) {
	var conflict *types.TransactionConflictException
	var progress *types.TransactionInProgressException
	if errors.As(err, &conflict) || errors.As(err, &progress) {
		return nil, true
	}
	var c *types.TransactionCanceledException
	if !errors.As(err, &c) {
		return nil, false
	}
	for _, r := range c.CancellationReasons {
		switch aws.ToString(r.Code) {
		case "", "None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		default:
			return c.CancellationReasons, false
		}
	}
	return c.CancellationReasons, true
}

// pause waits with full jitter before the next attempt, or fails with the
// context.
func pause(ctx context.Context, attempt int) error {
	limit := min(10*time.Millisecond<<attempt, 500*time.Millisecond)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(limit)):
		return nil
	}
}

func unavailable(err error) error { return fault.Wrap(fault.Unavailable, "storage", err) }
