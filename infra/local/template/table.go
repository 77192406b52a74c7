package template

import (
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is the form of the table, as DynamoDB's CreateTable and
// UpdateTimeToLive take it.
type Table struct {
	AttributeDefinitions    []types.AttributeDefinition
	KeySchema               []types.KeySchemaElement
	GlobalSecondaryIndexes  []types.GlobalSecondaryIndex
	BillingMode             types.BillingMode
	StreamSpecification     *types.StreamSpecification
	TimeToLiveSpecification *types.TimeToLiveSpecification
}

// Table is the form of the template's one table.
func (t *Template) Table() (id string, table Table, err error) {
	if id, err = t.Only("AWS::DynamoDB::Table"); err != nil {
		return "", Table{}, err
	}
	err = t.Properties(id, &table)
	return id, table, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// fieldNames is the names of the fields of the struct that out points to.
func fieldNames(out any) []string {
	kind := reflect.TypeOf(out).Elem()
	names := make([]string, kind.NumField())
	for i := range names {
		names[i] = kind.Field(i).Name
	}
	return names
}
