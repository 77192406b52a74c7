package iam_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gemba/infra/iam"
)

func policies(t *testing.T) iam.Policies {
	t.Helper()
	p, err := iam.Read("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each call as the SDK writes it, with who makes it.
var calls = map[string]struct {
	function, operation, body string
	allowed                   bool
}{
	"a user read":                    {"PermissionFunction", "GetItem", `{"Key":{"pk":{"S":"U#o#u"},"sk":{"S":"USER"}}}`, true},
	"another's key":                  {"PermissionFunction", "GetItem", `{"Key":{"pk":{"S":"PR#o#u"},"sk":{"S":"ATTEMPTS"}}}`, false},
	"a kind that begins alike":       {"PermissionFunction", "GetItem", `{"Key":{"pk":{"S":"TI#o#t"},"sk":{"S":"ITEM#i"}}}`, false},
	"a check":                        {"PermissionFunction", "BatchGetItem", `{"RequestItems":{"t":{"Keys":[{"pk":{"S":"U#o#u"}},{"pk":{"S":"I#o#i"}},{"pk":{"S":"V#o#3"}}]}}}`, true},
	"a check with one key too many":  {"PermissionFunction", "BatchGetItem", `{"RequestItems":{"t":{"Keys":[{"pk":{"S":"U#o#u"}},{"pk":{"S":"K#o#u#h"}}]}}}`, false},
	"a query":                        {"RoleFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"P#o"}}}`, true},
	"a search of a role's members":   {"PermissionFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"R#o#r#7"}}}`, true},
	"a search at a location":         {"PermissionFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"L#o#l"}}}`, true},
	"a search of a template's items": {"PermissionFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"TI#o#t"}}}`, true},
	"a search of a user's items":     {"PermissionFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"U#o#u"}}}`, true},
	"a search of everybody":          {"PermissionFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"D#o"}}}`, true},
	"a copy in the directory":        {"PermissionFunction", "BatchGetItem", `{"RequestItems":{"t":{"Keys":[{"pk":{"S":"D#o"}}]}}}`, false},
	"a query of no key":              {"RoleFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"sk"},"ExpressionAttributeValues":{":0":{"S":"P#o"}}}`, false},
	"a query of the index":           {"ImpersonationFunction", "Query", `{"IndexName":"gsi1","KeyConditionExpression":"gsi1pk = :o AND gsi1sk < :s","ExpressionAttributeValues":{":o":{"S":"X#o"},":s":{"S":"z"}}}`, true},
	"another's index":                {"RoleFunction", "Query", `{"IndexName":"gsi1","KeyConditionExpression":"gsi1pk = :o","ExpressionAttributeValues":{":o":{"S":"X#o"}}}`, false},
	"a transaction":                  {"PersonaFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"U#o#u"},"n":{"N":"1"}}}},{"Put":{"Item":{"pk":{"S":"T#o#2026-11"}}}},{"ConditionCheck":{"Key":{"pk":{"S":"V#o#1"}}}}]}`, true},
	"a transaction with more":        {"PersonaFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"U#o#u"}}}},{"Put":{"Item":{"pk":{"S":"P#o"}}}}]}`, false},
	"T2 an entry is written":         {"RoleFunction", "PutItem", `{"Item":{"pk":{"S":"T#o#2026-11"}}}`, true},
	"T2 an entry is changed":         {"RoleFunction", "UpdateItem", `{"Key":{"pk":{"S":"T#o#2026-11"}}}`, false},
	"T2 a person's is deleted":       {"NotifierFunction", "DeleteItem", `{"Key":{"pk":{"S":"TP#o#u"}}}`, false},
	"a receipt is queued":            {"NotifierFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"X#o#i"},"sk":{"S":"RECEIPT"}}}}]}`, true},
	"what an actor did":              {"NotifierFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"TP#o#u"}}}`, true},
	"a receipt reads no item":        {"NotifierFunction", "BatchGetItem", `{"RequestItems":{"t":{"Keys":[{"pk":{"S":"X#o#i"}},{"pk":{"S":"I#o#i"}}]}}}`, false},
	"T2 a block is put":              {"ProjectionFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"SEAL#o"}}}},{"Put":{"Item":{"pk":{"S":"SEALED#o#2026-11"}}}}]}`, true},
	"T2 a block is put by another":   {"RoleFunction", "PutItem", `{"Item":{"pk":{"S":"SEAL#o"}}}`, false},
	"T2 a block is changed":          {"ProjectionFunction", "UpdateItem", `{"Key":{"pk":{"S":"SEAL#o"},"sk":{"S":"BLOCK#1"}}}`, false},
	"T2 a block is deleted":          {"ProjectionFunction", "DeleteItem", `{"Key":{"pk":{"S":"SEAL#o"},"sk":{"S":"BLOCK#1"}}}`, false},
	"T2 a mark is deleted":           {"ProjectionFunction", "DeleteItem", `{"Key":{"pk":{"S":"SEALED#o#2026-11"},"sk":{"S":"1"}}}`, false},
	"T2 an entry is written by it":   {"ProjectionFunction", "PutItem", `{"Item":{"pk":{"S":"T#o#2026-11"}}}`, false},
	"a scan":                         {"PersonaAuditFunction", "Scan", `{"TableName":"t"}`, false},
	"a batch of writes":              {"RoleFunction", "BatchWriteItem", `{"RequestItems":{}}`, false},
	"a batch of nothing":             {"RoleFunction", "BatchGetItem", `{"RequestItems":{}}`, false},
	"a role's own policy":            {"NotifierFunction", "UpdateItem", `{"Key":{"pk":{"S":"X#o#i"},"sk":{"S":"NOTICE"}}}`, true},
	"R14 a deletion":                 {"RoleFunction", "TransactWriteItems", `{"TransactItems":[{"Delete":{"Key":{"pk":{"S":"P#o"}}}},{"Delete":{"Key":{"pk":{"S":"NR#o#h"}}}},{"Put":{"Item":{"pk":{"S":"GB#o"}}}},{"Update":{"Key":{"pk":{"S":"V#o#1"}}}},{"Put":{"Item":{"pk":{"S":"C#o"}}}}]}`, true},
	"P6 an audit on demand":          {"PersonaFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"AUD#o"}}}},{"Put":{"Item":{"pk":{"S":"T#o#2026-11"}}}},{"Put":{"Item":{"pk":{"S":"K#o#u#h"}}}},{"ConditionCheck":{"Key":{"pk":{"S":"V#o#1"}}}}]}`, true},
	"P6 an audit is changed":         {"PersonaFunction", "UpdateItem", `{"Key":{"pk":{"S":"AUD#o"},"sk":{"S":"AT#1"}}}`, false},
	"P6 an audit is deleted":         {"PersonaAuditFunction", "DeleteItem", `{"Key":{"pk":{"S":"AUD#o"},"sk":{"S":"AT#1"}}}`, false},
	"a sweep's list":                 {"PersonaAuditFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"GB#o"}}}`, true},
	"a sweep's members":              {"PersonaAuditFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"R#o#r#7"}}}`, true},
	"a sweep's users":                {"PersonaAuditFunction", "BatchGetItem", `{"RequestItems":{"t":{"Keys":[{"pk":{"S":"U#o#u"}},{"pk":{"S":"U#o#v"}}]}}}`, true},
	"a sweep":                        {"PersonaAuditFunction", "TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"U#o#u"}}}},{"Put":{"Item":{"pk":{"S":"D#o"}}}},{"Delete":{"Key":{"pk":{"S":"R#o#r#7"}}}}]}`, true},
	"a sweep's end":                  {"PersonaAuditFunction", "TransactWriteItems", `{"TransactItems":[{"Delete":{"Key":{"pk":{"S":"GB#o"}}}}]}`, true},
	"P8 a watch's walk":              {"PersonaAuditFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"D#o"}}}`, true},
	"P8 a set is read again":         {"PersonaAuditFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"L#o#l"}}}`, true},
	"P8 old days are forgotten":      {"PersonaAuditFunction", "UpdateItem", `{"Key":{"pk":{"S":"CNT#o"},"sk":{"S":"SET#h"}}}`, true},
	"P8 a watch mends nothing":       {"PersonaAuditFunction", "PutItem", `{"Item":{"pk":{"S":"CNT#o"}}}`, false},
	"P8 a mend":                      {"PersonaFunction", "TransactWriteItems", `{"TransactItems":[{"Update":{"Key":{"pk":{"S":"CNT#o"}}}},{"Put":{"Item":{"pk":{"S":"T#o#2026-11"}}}},{"Put":{"Item":{"pk":{"S":"TP#o#u"}}}},{"ConditionCheck":{"Key":{"pk":{"S":"V#o#1"}}}},{"ConditionCheck":{"Key":{"pk":{"S":"U#o#u"}}}}]}`, true},
	"P8 a reconciliation's walk":     {"PersonaFunction", "Query", `{"KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"pk"},"ExpressionAttributeValues":{":0":{"S":"D#o"}}}`, true},
	"a sweep of a user":              {"PersonaAuditFunction", "DeleteItem", `{"Key":{"pk":{"S":"U#o#u"},"sk":{"S":"USER"}}}`, false},
	"a function that is none":        {"OtherFunction", "GetItem", `{"Key":{"pk":{"S":"U#o#u"}}}`, false},
}

func TestGuard(t *testing.T) {
	p := policies(t)
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			var reached, refused bool
			guard := p.Guard(c.function, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				reached = err == nil && string(body) == c.body
			}), func(error) { refused = true })
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+c.operation)
			w := httptest.NewRecorder()
			guard.ServeHTTP(w, r)
			if reached != c.allowed || refused == c.allowed {
				t.Errorf("reached %v, refused %v, allowed is %v: %s", reached, refused, c.allowed, w.Body)
			}
			if !c.allowed && !strings.Contains(w.Body.String(), "#AccessDeniedException") {
				t.Errorf("the refusal is %s", w.Body)
			}
		})
	}
}

// The Deny stands by itself: no Allow can come to overrule it (T2).
func TestT2TheTimelineIsForever(t *testing.T) {
	for function, statements := range policies(t) {
		for _, action := range []string{"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"} {
			for _, key := range []string{"T#o#2026-11", "TP#o#u"} {
				generous := iam.Policies{function: append([]iam.Statement{{
					Sid: "All", Actions: []string{action}, Resources: []string{"Table"}, Keys: []string{"*"},
				}}, statements...)}
				if generous.Allows(function, action, "Table", []string{key}) == nil {
					t.Errorf("%s may %s %s", function, action, key)
				}
			}
		}
	}
}
