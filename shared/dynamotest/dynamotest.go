// Package dynamotest gives a test a table of its own on DynamoDB Local.
//
// A process of tests starts one server when the first test asks, fetching it
// if need be, and the server ends with the process. Each table is alone under
// an access key of its own: it is reached by its client's options alone, and is
// as fast as the first however many there were. Nothing is ever skipped: a
// machine on which the server cannot start is a failed test that says what to
// do.
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
	client = dynamodb.NewFromConfig(dynamolocal.Config(started.local.Endpoint(), rand.Text()))
	if _, err := dynamolocal.CreateTable(t.Context(), client, table, started.form); err != nil {
		t.Fatalf("a table on DynamoDB Local: %v", err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
			t.Errorf("delete the table: %v", err)
		}
	})
	return client, table
}

type server struct {
	local *dynamolocal.Server
	form  template.Table
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
	local, err := dynamolocal.StartApart(context.Background(), root, func(string) {})
	if err != nil {
		return nil, err
	}
	return &server{local: local, form: form}, nil
})

func tableForm(root string) (template.Table, error) {
	read, err := template.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		return template.Table{}, err
	}
	_, form, err := read.Table()
	return form, err
}
