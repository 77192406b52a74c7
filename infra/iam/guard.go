package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// use is one action of a call on the keys that it names.
type use struct {
	action, resource string
	keys             []string
}

// Guard is a DynamoDB endpoint for one function: what its policies do not
// allow is answered with AccessDeniedException, as AWS does, and told to
// refused; the rest goes on to next.
func (p Policies) Guard(function string, next http.Handler, refused func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := p.judge(function, r.Header.Get("X-Amz-Target"), body); err != nil {
			refused(err)
			deny(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func deny(w http.ResponseWriter, why error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	text, _ := json.Marshal(map[string]string{ // strings always marshal
		"__type": "com.amazon.coral.service#AccessDeniedException", "Message": why.Error(),
	})
	_, _ = w.Write(text)
}

// judge holds one call, as the wire has it, to a function's policies.
func (p Policies) judge(function, target string, body []byte) error {
	_, operation, _ := strings.Cut(target, ".")
	uses, err := usesOf(operation, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	for _, u := range uses {
		if err := p.Allows(function, "dynamodb:"+u.action, u.resource, u.keys); err != nil {
			return err
		}
	}
	return nil
}

// value is an attribute's value; keys are text.
type value struct{ S string }

type item map[string]value

// key is the leading key of an item or key; values of other types do not
// matter, so they are not read.
func (i *item) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	var pk value
	if err := json.Unmarshal(members["pk"], &pk); err != nil {
		return err
	}
	*i = item{"pk": pk}
	return nil
}

func (i item) key() string { return i["pk"].S }

// wire is what is read of the calls' bodies.
type wire struct {
	Key, Item                 item
	IndexName                 string
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]json.RawMessage
	RequestItems              map[string]struct{ Keys []item }
	TransactItems             []map[string]struct{ Key, Item item }
}

// usesOf is what an operation needs to be allowed. A batch or transaction
// needs each action once, on all the keys it has for it.
func usesOf(operation string, body []byte) ([]use, error) {
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	switch operation {
	case "GetItem", "UpdateItem", "DeleteItem":
		return []use{{operation, "Table", []string{w.Key.key()}}}, nil
	case "PutItem":
		return []use{{operation, "Table", []string{w.Item.key()}}}, nil
	case "Query":
		return w.query()
	case "BatchGetItem":
		u := use{action: operation, resource: "Table"}
		for _, table := range w.RequestItems {
			for _, key := range table.Keys {
				u.keys = append(u.keys, key.key())
			}
		}
		return []use{u}, nil
	case "TransactGetItems", "TransactWriteItems":
		return w.transaction(), nil
	}
	return nil, fmt.Errorf("no function is given this operation")
}

// partActions are the actions that the parts of a transaction need.
var partActions = map[string]string{
	"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}

func (w wire) transaction() []use {
	keys := map[string][]string{}
	for _, parts := range w.TransactItems {
		for part, on := range parts {
			key := on.Key.key()
			if part == "Put" {
				key = on.Item.key()
			}
			keys[partActions[part]] = append(keys[partActions[part]], key)
		}
	}
	var uses []use
	for _, action := range slices.Sorted(maps.Keys(keys)) {
		uses = append(uses, use{action, "Table", keys[action]})
	}
	return uses
}

// equality is a comparison of a query's key condition.
var equality = regexp.MustCompile(`([#\w]+)\s*=\s*(:\w+)`)

// query finds the leading key that a query's condition names: the table's, or
// the index's own.
func (w wire) query() ([]use, error) {
	attribute, resource := "pk", "Table"
	if w.IndexName != "" {
		attribute, resource = w.IndexName+"pk", "Table/index/"+w.IndexName
	}
	for _, found := range equality.FindAllStringSubmatch(w.KeyConditionExpression, -1) {
		name := found[1]
		if alias, ok := w.ExpressionAttributeNames[name]; ok {
			name = alias
		}
		if name != attribute {
			continue
		}
		var key value
		if err := json.Unmarshal(w.ExpressionAttributeValues[found[2]], &key); err != nil {
			return nil, err
		}
		return []use{{"Query", resource, []string{key.S}}}, nil
	}
	return nil, fmt.Errorf("the condition %q names no %s", w.KeyConditionExpression, attribute)
}

// list is one text, or several.
func list(value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	var out []string
	members, _ := value.([]any)
	for _, member := range members {
		if text, ok := member.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// reread is a plain value as a struct.
func reread(value, out any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}
