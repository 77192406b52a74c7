// Package dynamotest gives a test a table of its own on DynamoDB Local.
//
// A process of tests starts one server when the first test asks, fetching it
// if need be, and the server ends with the process. Nothing is ever skipped: a
// machine on which it cannot start is a failed test that says what to do.
package dynamotest

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/infra/local/dynamolocal"
	"gemba/infra/local/template"
)

// Table is a client and the name of a fresh, empty table of the form that
// template.yaml gives: keys, index, TTL attribute and stream. It is deleted
// when the test ends.
func Table(t testing.TB) (client *dynamodb.Client, table string) {
	t.Helper()
	started, err := start()
	if err != nil {
		t.Fatalf("a table on DynamoDB Local: %v", err)
	}
	table = "test-" + rand.Text()
	if _, err := dynamolocal.CreateTable(t.Context(), started.client, table, started.form); err != nil {
		t.Fatalf("a table on DynamoDB Local: %v", err)
	}
	t.Cleanup(func() {
		if _, err := started.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
			t.Errorf("delete the table: %v", err)
		}
	})
	return started.client, table
}

type server struct {
	client *dynamodb.Client
	form   template.Table
}

// start runs the server once a process; it is never closed, because only the
// end of the process tells that no test will ask again.
var start = sync.OnceValues(func() (*server, error) {
	root, err := template.Root()
	if err != nil {
		return nil, err
	}
	form, err := tableForm(root)
	if err != nil {
		return nil, err
	}
	local, err := dynamolocal.Start(context.Background(), root, func(string) {})
	if err != nil {
		return nil, err
	}
	return &server{client: dynamodb.NewFromConfig(local.Config()), form: form}, nil
})

func tableForm(root string) (template.Table, error) {
	read, err := template.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		return template.Table{}, err
	}
	_, form, err := read.Table()
	return form, err
}
