package endpoints_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// unwatched has nothing to reconcile.
type unwatched struct{}

func (unwatched) Each(context.Context, []string, func(persona.Watching)) error { return nil }

// blind cannot reconcile the first of two organizations.
type blind struct{}

func (blind) Each(_ context.Context, _ []string, tell func(persona.Watching)) error {
	down := fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
	tell(persona.Watching{Organization: "alpha", Err: down})
	tell(persona.Watching{Organization: "zeta", Found: persona.Reconciliation{At: fixture.Start, Users: 3, Sets: 2}})
	return down
}

// drifting adds a champion to a counter, past the store.
func (a at) drifting(t *testing.T) {
	t.Helper()
	client := a.place.Client()
	items, err := client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &a.place.Table, KeyConditionExpression: new("pk = :pk AND begins_with(sk, :set)"), Limit: new(int32(1)),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "CNT#riverside"}, ":set": &types.AttributeValueMemberS{Value: "SET#"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	item := items.Items[0]
	item["champion"] = &types.AttributeValueMemberN{Value: "2"}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &a.place.Table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func (a at) reconcileEntries(t *testing.T) []timeline.Entry {
	t.Helper()
	all, _, err := a.store.Entries(t.Context(), fixture.Organization, timeline.Stretch{
		From: fixture.Start, To: fixture.Start.Add(48 * time.Hour), Page: timeline.Page{Limit: 500},
	})
	if err != nil {
		t.Fatal(err)
	}
	var entries []timeline.Entry
	for _, e := range all {
		if e.Action == "reconcile" {
			entries = append(entries, e)
		}
	}
	return entries
}

func TestP8TheScheduleReconciles(t *testing.T) {
	a := world(t)
	if got := a.fire(t, "2026-03-02T03:00:00Z"); strings.Contains(got, "drift") {
		t.Errorf("%s", got)
	}
	const quiet = `{"_aws":{"Timestamp":1772442000000,"CloudWatchMetrics":[{"Namespace":"Gemba/Personas","Dimensions":[["Organization"]],` +
		`"Metrics":[{"Name":"Drift","Unit":"Count"},{"Name":"Unsettled","Unit":"Count"}]}]},` +
		`"Organization":"riverside","Drift":0,"Unsettled":0,"Users":15,"Sets":4}` + "\n"
	if !strings.HasSuffix(a.metrics.String(), quiet) {
		t.Errorf("%s", a.metrics.String())
	}
	if !strings.Contains(a.log.String(), `"level":"INFO","msg":"reconcile","function":"persona-audit","organization":"riverside","users":15,"sets":4,"drift":0,"unsettled":0,"forgotten":0`) {
		t.Errorf("%s", a.log.String())
	}
	if len(a.reconcileEntries(t)) > 0 {
		t.Error("T1 no drift is no entry")
	}
	a.drifting(t)
	for range 2 { // it is watched, not mended
		if got := a.fire(t, "2026-03-03T03:00:00Z"); !strings.Contains(got, `"failed":0,"drift":1}`) {
			t.Errorf("%s", got)
		}
	}
	if !strings.Contains(a.metrics.String(), `"Organization":"riverside","Drift":1,`) {
		t.Errorf("%s", a.metrics.String())
	}
	if !strings.Contains(a.log.String(), `"level":"ERROR","msg":"reconcile","function":"persona-audit","organization":"riverside","users":15,"sets":4,"drift":1,`) {
		t.Errorf("%s", a.log.String())
	}
	entries := a.reconcileEntries(t)
	if len(entries) != 2 || entries[0].Type != timeline.Audit || entries[0].Subject != (timeline.Person{Name: "schedule"}) || entries[0].After["drift"] != 1.0 {
		t.Errorf("T1 %+v", entries)
	}
}

func TestAReconciliationThatFailsHidesNoOther(t *testing.T) {
	var metrics bytes.Buffer
	f, log := of(served{}, idle{}, blind{}, &metrics)
	if _, err := f.Invoke(t.Context(), []byte(`{"scheduledTime":"2026-03-02T03:00:00Z"}`)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the scheduler is not told to try again: %v", err)
	}
	if strings.Contains(metrics.String(), "alpha") || !strings.Contains(metrics.String(), `"Organization":"zeta"`) {
		t.Errorf("%s", metrics.String())
	}
	if !strings.Contains(log.String(), `"organization":"alpha","users":0,"sets":0,"drift":0,"unsettled":0,"forgotten":0,"code":"storage"`) {
		t.Errorf("%s", log.String())
	}
}
