package dynamotest_test

import (
	"fmt"
	"reflect"
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
	elsewhere, other := dynamotest.Table(t)

	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &one, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: "s"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		client *dynamodb.Client
		table  string
		want   int32
	}{{client, one, 1}, {elsewhere, other, 0}} {
		found, err := c.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &c.table})
		if err != nil {
			t.Fatal(err)
		}
		if found.Count != c.want {
			t.Errorf("%d items, want %d", found.Count, c.want)
		}
	}
	tables, err := elsewhere.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tables.TableNames) != 1 {
		t.Errorf("tables that slow each other down: %v", tables.TableNames)
	}
}

func TestAMouldFillsEveryTableAlike(t *testing.T) {
	const items = 51 // more than two calls write
	var mould dynamotest.Mould
	made := 0
	var held [2][]map[string]types.AttributeValue
	for i := range held {
		client, table := dynamotest.Table(t)
		mould.Fill(t, client, table, func() {
			made++
			for n := range items {
				_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberS{Value: fmt.Sprint(n)},
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
		found, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		held[i] = found.Items
	}
	if made != 1 || len(held[0]) != items || !reflect.DeepEqual(held[0], held[1]) {
		t.Errorf("made %d times: %d items, then %d", made, len(held[0]), len(held[1]))
	}
}
