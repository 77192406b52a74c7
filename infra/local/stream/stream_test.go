package stream

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
	"gemba/shared/dynamotest"
)

// source is a fresh table as the reader takes it.
func source(t *testing.T) (*dynamodb.Client, Source) {
	t.Helper()
	client, table := dynamotest.Table(t)
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	o := client.Options()
	return client, Source{
		Config: aws.Config{Region: o.Region, BaseEndpoint: o.BaseEndpoint, Credentials: o.Credentials}, Table: table,
		ARN: aws.ToString(described.Table.LatestStreamArn), TTLAttribute: "expires",
	}
}

// reading is a reader whose one function hands on the records it is given.
func reading(t *testing.T, from Source) <-chan events.DynamoDBEventRecord {
	t.Helper()
	records := make(chan events.DynamoDBEventRecord, 100)
	handler := handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		var event events.DynamoDBEvent
		err := json.Unmarshal(payload, &event)
		for _, record := range event.Records {
			records <- record
		}
		return []byte("null"), err
	})
	reader, err := Start(from, []template.Function{{ID: "Fn", Streams: []template.Stream{{BatchSize: 10}}}},
		map[string]function.Function{"Fn": {ID: "Fn", Timeout: time.Minute, Handler: handler}}, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	return records
}

func put(t *testing.T, client *dynamodb.Client, table string, item map[string]types.AttributeValue) {
	t.Helper()
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

func TestChangesReachTheFunctionInOrder(t *testing.T) {
	client, from := source(t)
	put(t, client, from.Table, map[string]types.AttributeValue{"pk": s("P"), "sk": s("S")}) // before the reader starts
	records := reading(t, from)
	item := map[string]types.AttributeValue{
		"pk": s("P"), "sk": s("S"), "n": &types.AttributeValueMemberN{Value: "1"}, "b": &types.AttributeValueMemberB{Value: []byte("x")},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "nil": &types.AttributeValueMemberNULL{Value: true},
		"ss": &types.AttributeValueMemberSS{Value: []string{"a"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"2"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("y")}},
		"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a")}},
		"m":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a": s("b")}},
	}
	put(t, client, from.Table, item)
	inserted, modified := <-records, <-records
	if inserted.EventName != "INSERT" || modified.EventName != "MODIFY" || modified.EventSourceArn != from.ARN {
		t.Errorf("%s, then %s of %s", inserted.EventName, modified.EventName, modified.EventSourceArn)
	}
	got, err := json.Marshal(modified.Change.NewImage)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"b":{"B":"eA=="},"bs":{"BS":["eQ=="]},"l":{"L":[{"S":"a"}]},"m":{"M":{"a":{"S":"b"}}},"n":{"N":"1"},"nil":{"NULL":true},` +
		`"ns":{"NS":["2"]},"pk":{"S":"P"},"sk":{"S":"S"},"ss":{"SS":["a"]},"yes":{"BOOL":true}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if len(modified.Change.OldImage) != 2 || modified.UserIdentity != nil {
		t.Errorf("old image %v, by %v", modified.Change.OldImage, modified.UserIdentity)
	}
}

func TestWhatHasExpiredIsDeletedByTheService(t *testing.T) {
	client, from := source(t)
	records := reading(t, from)
	expires := func(at string) types.AttributeValue { return &types.AttributeValueMemberN{Value: at} }
	put(t, client, from.Table, map[string]types.AttributeValue{"pk": s("GONE"), "sk": s("S"), "expires": expires("1000")})
	put(t, client, from.Table, map[string]types.AttributeValue{"pk": s("KEPT"), "sk": s("S"), "expires": expires("9999999999")})
	for {
		record := <-records
		if record.EventName != "REMOVE" {
			continue
		}
		if pk := record.Change.Keys["pk"]; pk.String() != "GONE" {
			t.Fatalf("%s was deleted", pk.String())
		}
		if by := record.UserIdentity; by == nil || by.Type != "Service" || by.PrincipalID != "dynamodb.amazonaws.com" {
			t.Errorf("deleted by %+v", by)
		}
		return
	}
}

func TestAnItemThatGotMoreTimeIsNotDeleted(t *testing.T) {
	client, from := source(t)
	e := newExpiry(client, from.Table, "expires", silent)
	e.observe(&events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		Keys:     map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute("P"), "sk": events.NewStringAttribute("S")},
		NewImage: map[string]events.DynamoDBAttributeValue{"expires": events.NewNumberAttribute("1000")},
	}})
	put(t, client, from.Table, map[string]types.AttributeValue{"pk": s("P"), "sk": s("S"), "expires": &types.AttributeValueMemberN{Value: "9999999999"}})
	e.sweep(t.Context())
	found, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &from.Table, Key: map[string]types.AttributeValue{"pk": s("P"), "sk": s("S")}})
	if err != nil || found.Item == nil {
		t.Errorf("it is gone: %v", err)
	}
	if len(e.swept) != 0 {
		t.Errorf("a deletion is awaited: %v", e.swept)
	}
}

func TestAnothersDeletionIsNotTheServices(t *testing.T) {
	e := newExpiry(nil, "", "expires", silent)
	record := events.DynamoDBEventRecord{EventName: "REMOVE", Change: events.DynamoDBStreamRecord{
		OldImage: map[string]events.DynamoDBAttributeValue{"expires": events.NewNumberAttribute("1000")},
	}}
	e.observe(&record)
	if record.UserIdentity != nil {
		t.Errorf("deleted by %+v", record.UserIdentity)
	}
}
