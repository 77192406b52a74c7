package stream

import (
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"gemba/infra/local/template"
)

// record is a change of the table as Lambda hands it to a function.
func record(r types.Record, arn string) events.DynamoDBEventRecord {
	out := events.DynamoDBEventRecord{
		AWSRegion: template.Region, EventID: aws.ToString(r.EventID), EventName: string(r.EventName),
		EventVersion: aws.ToString(r.EventVersion), EventSource: "aws:dynamodb", EventSourceArn: arn,
	}
	if change := r.Dynamodb; change != nil {
		out.Change = events.DynamoDBStreamRecord{
			Keys: attributes(change.Keys), NewImage: attributes(change.NewImage), OldImage: attributes(change.OldImage),
			SequenceNumber: aws.ToString(change.SequenceNumber), SizeBytes: aws.ToInt64(change.SizeBytes),
			StreamViewType: string(change.StreamViewType),
		}
		out.Change.ApproximateCreationDateTime.Time = aws.ToTime(change.ApproximateCreationDateTime)
	}
	return out
}

func attributes(values map[string]types.AttributeValue) map[string]events.DynamoDBAttributeValue {
	if values == nil {
		return nil
	}
	out := make(map[string]events.DynamoDBAttributeValue, len(values))
	for name, value := range values {
		out[name] = attribute(value)
	}
	return out
}

func attribute(value types.AttributeValue) events.DynamoDBAttributeValue {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(value.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(value.Value)
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(value.Value)
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(value.Value)
	case *types.AttributeValueMemberNULL:
		return events.NewNullAttribute()
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(value.Value)
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(value.Value)
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(value.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(attributes(value.Value))
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(value.Value))
		for i, element := range value.Value {
			list[i] = attribute(element)
		}
		return events.NewListAttribute(list)
	default:
		panic(fmt.Sprintf("an attribute of type %T", value)) // DynamoDB has no other
	}
}

// key names the item that a record is of.
func key(r events.DynamoDBEventRecord) string {
	var out strings.Builder
	for _, name := range []string{"pk", "sk"} {
		if value, ok := r.Change.Keys[name]; ok && value.DataType() == events.DataTypeString {
			fmt.Fprintf(&out, "%q", value.String())
		}
	}
	return out.String()
}
