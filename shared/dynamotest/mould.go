package dynamotest

import (
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Mould is what the first table that it filled came to hold, item by item. The
// tables after it get the same items, in a third of the time.
type Mould struct {
	mu    sync.Mutex
	items []map[string]types.AttributeValue
}

// Fill fills an empty table: the first by make, the others with what that
// left. It is safe for concurrent use.
func (m *Mould) Fill(t testing.TB, client *dynamodb.Client, table string, make func()) {
	t.Helper()
	if items := m.known(t, client, table, make); items != nil {
		put(t, client, table, items)
	}
}

// known is what the first table holds; nothing, if this is the first.
func (m *Mould) known(t testing.TB, client *dynamodb.Client, table string, make func()) []map[string]types.AttributeValue {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items != nil {
		return m.items
	}
	make()
	m.items = all(t, client, table)
	return nil
}

// all are a table's items.
func all(t testing.TB, client *dynamodb.Client, table string) (items []map[string]types.AttributeValue) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatalf("read the first table: %v", err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// batch is how many items one call may write.
const batch = 25

func put(t testing.TB, client *dynamodb.Client, table string, items []map[string]types.AttributeValue) {
	t.Helper()
	for some := range slices.Chunk(items, batch) {
		writes := make([]types.WriteRequest, len(some))
		for i, item := range some {
			writes[i].PutRequest = &types.PutRequest{Item: item}
		}
		out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			t.Fatalf("copy the first table: %v, %v", err, out)
		}
	}
}
