package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/fault"
)

// A snapshot is an organization's policy of one version, whole, so that a cold
// instance need not read its entities. It is only ever a shortcut: it is made
// of a policy that was followed to exactly its version, the changes after it
// are followed as ever, and one that is not all there is not there.
//
// It is chunks under a nonce, and a head that names them once they are written;
// a half-written one is never named. Who moves the head on deletes the chunks of
// all older versions, those that were left half-written included; who comes too
// late deletes their own. So the partition holds one snapshot, but for moments.

const (
	// mostBehind and mostBytesBehind are how much the last snapshot may be
	// behind: as many changes, as many bytes of them.
	mostBehind      = 64
	mostBytesBehind = 256 << 10
	// chunkBytes stays below DynamoDB's 400 KB an item.
	chunkBytes = 350_000
	// snapshotWindow bounds what the answer to a change waits for a snapshot: with
	// the change itself (commitWindow) it stays below the time of a function.
	snapshotWindow = 2 * time.Second
)

// headItem names the snapshot of version V, if V is not 0, and counts the
// changes since in bytes.
type headItem struct {
	stored
	Nonce        string            `dynamodbav:"nonce"`
	Chunks       int               `dynamodbav:"chunks"`
	Hash         string            `dynamodbav:"hash"`
	Organization *organizationItem `dynamodbav:"organization"`
	Behind       int               `dynamodbav:"behind"`
}

// chunkItem is a part of a snapshot.
type chunkItem struct {
	stored
	Data []byte `dynamodbav:"data"`
}

// snapshot is the policy of the snapshot; without a model when there is none
// that is whole. One that was replaced between its head and its chunks is
// looked for once more.
func (s *Store) snapshot(ctx context.Context, o string) (held, error) {
	for range 2 {
		var head headItem
		found, err := s.get(ctx, headKey(o), &head)
		if fault.Is(err, fault.Unavailable) {
			return held{}, err
		}
		if err != nil || !found || head.V == 0 || head.Organization == nil {
			return held{}, nil
		}
		chunks, _, err := s.query(ctx, chunkSpan(o, head.V, head.Nonce))
		if err != nil {
			return held{}, err
		}
		if policy, err := head.policy(chunks); err == nil {
			organization := head.Organization.organization()
			policy.Settings = organization.Settings.Authz
			return held{version: head.V, organization: organization, model: authz.Compile(policy)}, nil
		}
	}
	return held{}, nil
}

// policy is what the chunks hold, if they are those that the head names.
func (head headItem) policy(chunks []attributes) (authz.Policy, error) {
	if len(chunks) != head.Chunks {
		return authz.Policy{}, errPacked
	}
	var packed []byte
	for _, c := range chunks {
		var chunk chunkItem
		if err := decode(c, &chunk); err != nil {
			return authz.Policy{}, err
		}
		packed = append(packed, chunk.Data...)
	}
	if hashOf(packed) != head.Hash {
		return authz.Policy{}, errPacked
	}
	return unpack(packed)
}

func hashOf(packed []byte) string { return digest(string(packed)) }

// keepUp writes a snapshot when the last one is too far behind a change that
// was just made. The change is done, so nothing that goes wrong here is told:
// the next change tries again.
func (s *Store) keepUp(ctx context.Context, o string, version uint64, bytes int) {
	head, err := s.fallBehind(ctx, o, bytes)
	if err != nil || version < head.V+mostBehind && head.Behind < mostBytesBehind {
		return
	}
	// The change is committed, so all up to its version is written: the log
	// leads there, and to no version that is still under way.
	if h, _, err := s.policyAt(ctx, o, version); err == nil && h.version > head.V {
		s.writeSnapshot(ctx, o, h, head.Behind)
	}
}

// fallBehind counts a change that no snapshot has, and is the head then.
func (s *Store) fallBehind(ctx context.Context, o string, bytes int) (headItem, error) {
	var head headItem
	out, err := s.updateHead(ctx, o, expression.Add(expression.Name("behind"), expression.Value(bytes)), nil)
	if err != nil {
		return head, err
	}
	return head, decode(out, &head)
}

// writeSnapshot writes the chunks, then the head if it is newer. behind is what
// the head had counted before.
func (s *Store) writeSnapshot(ctx context.Context, o string, h held, behind int) {
	packed := pack(h.model.Policy())
	nonce, n := strings.ToLower(rand.Text()), 0
	for data := range slices.Chunk(packed, chunkBytes) {
		// Nobody else knows the nonce, so a repeated put is the same put.
		if err := s.putChunk(ctx, chunkKey(o, h.version, nonce, n), data); err != nil {
			return
		}
		n++
	}
	newer := absent.Or(expression.AttributeNotExists(expression.Name("v"))).Or(expression.Name("v").LessThan(expression.Value(h.version)))
	head, err := s.updateHead(ctx, o, expression.
		Set(expression.Name("v"), expression.Value(h.version)).
		Set(expression.Name("nonce"), expression.Value(nonce)).
		Set(expression.Name("chunks"), expression.Value(n)).
		Set(expression.Name("hash"), expression.Value(hashOf(packed))).
		Set(expression.Name("organization"), expression.Value(organizationForm(h.organization))).
		Add(expression.Name("behind"), expression.Value(-behind)), &newer)
	switch {
	case err != nil: // the head may name these chunks, or not
	case text(head, "nonce") == nonce:
		s.sweepChunks(ctx, olderChunkSpan(o, h.version))
	default:
		s.sweepChunks(ctx, chunkSpan(o, h.version, nonce))
	}
}

// updateHead changes the head if the condition holds, and answers it as it then
// is in both cases. So a lost answer that is repeated finds its own update.
func (s *Store) updateHead(ctx context.Context, o string, u expression.UpdateBuilder, condition *expression.ConditionBuilder) (attributes, error) {
	b := expression.NewBuilder().WithUpdate(u.Set(expression.Name("at"), expression.Value(s.now().UnixMilli())))
	if condition != nil {
		b = b.WithCondition(*condition)
	}
	expr, err := b.Build()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "item", err)
	}
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: headKey(o).attributes(), UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ReturnValues: types.ReturnValueAllNew, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return out.Attributes, nil
}

func (s *Store) putChunk(ctx context.Context, k key, data []byte) error {
	item, err := attributevalue.MarshalMap(chunkItem{stored{k.pk, k.sk, 0, s.now().UnixMilli()}, data})
	if err != nil {
		return fault.Wrap(fault.Internal, "item", err)
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: item, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	return err
}

// sweepChunks deletes chunks that no head will name; what it misses, the next
// one finds.
func (s *Store) sweepChunks(ctx context.Context, q span) {
	chunks, _, err := s.query(ctx, q)
	if err != nil {
		return
	}
	for _, c := range chunks {
		_, _ = s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.table, Key: keyOf(c).attributes(), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
	}
}
