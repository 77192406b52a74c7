package dynamotest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/dynamotest"
)

func TestTableHasTheTemplatesForm(t *testing.T) {
	client, table := dynamotest.Table(t)

	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	form := described.Table
	if got := aws.ToString(form.KeySchema[0].AttributeName) + aws.ToString(form.KeySchema[1].AttributeName); got != "pksk" {
		t.Errorf("keys %q", got)
	}
	if len(form.GlobalSecondaryIndexes) != 1 || aws.ToString(form.GlobalSecondaryIndexes[0].IndexName) != "gsi1" {
		t.Errorf("indexes %v", form.GlobalSecondaryIndexes)
	}
	if form.StreamSpecification == nil || form.StreamSpecification.StreamViewType != types.StreamViewTypeNewAndOldImages {
		t.Errorf("stream %v", form.StreamSpecification)
	}
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(ttl.TimeToLiveDescription.AttributeName); got != "expires" {
		t.Errorf("TTL attribute %q", got)
	}
}

func TestTablesAreApart(t *testing.T) {
	client, one := dynamotest.Table(t)
	_, other := dynamotest.Table(t)

	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &one, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: "s"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int32{one: 1, other: 0} {
		found, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		if found.Count != want {
			t.Errorf("%d items, want %d", found.Count, want)
		}
	}
}
