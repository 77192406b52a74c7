package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/fault"
)

// mostBytes bounds a stored role or user: each is read by many requests, and a
// change of the policy holds its new state twice over (change log, timeline).
const mostBytes = 100_000

// mostItemBytes bounds the facts of an item, whose team may have any size that
// DynamoDB keeps: it takes items of 400 KB.
const mostItemBytes = 380_000

// bound refuses an item that would be larger than mostBytes: Unprocessable
// too_large.
func (t *transaction) bound(item any) { t.boundTo(item, mostBytes) }

func (t *transaction) boundTo(item any, most int) {
	av, err := attributevalue.MarshalMap(item)
	if !t.keep(err) {
		return
	}
	if size(&types.AttributeValueMemberM{Value: av}) > most {
		t.err = fault.New(fault.Unprocessable, "too_large", fmt.Sprintf("It takes more than %d KB to keep. Name fewer things in it.", most/1000))
	}
}

// size is about what DynamoDB counts for a value, in bytes.
func size(v types.AttributeValue) int {
	n := 1
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		n += len(v.Value)
	case *types.AttributeValueMemberN:
		n += len(v.Value)
	case *types.AttributeValueMemberB:
		n += len(v.Value)
	case *types.AttributeValueMemberL:
		for _, member := range v.Value {
			n += size(member)
		}
	case *types.AttributeValueMemberM:
		for name, member := range v.Value {
			n += len(name) + size(member)
		}
	}
	return n
}
