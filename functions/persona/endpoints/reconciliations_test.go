package endpoints_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/persona/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

const reconcileRoute = "POST /v1/persona-reconciliations"

func (a at) reconcile(t *testing.T, as string, body any) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: reconcileRoute, As: as, Body: body})
}

// wrong makes the counters count nobody, past the store.
func (a at) wrong(t *testing.T) {
	t.Helper()
	items, err := a.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &a.Table, KeyConditionExpression: new("pk = :pk AND begins_with(sk, :set)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "CNT#riverside"}, ":set": &types.AttributeValueMemberS{Value: "SET#"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items.Items {
		for _, persona := range []string{"none", "frontline", "leader", "executive", "ci_coach", "champion"} {
			delete(item, persona)
		}
		if _, err := a.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &a.Table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestP8Reconciliation(t *testing.T) {
	a := world(t)
	quiet := `{"at":"2026-03-02T09:00:00Z","users":15,"sets":4,"drift":0,"unsettled":0,"mended":0,"items":[],"more":0}`
	for _, body := range []string{`{}`, `{"mend": false}`, `{"mend": null}`, `{"mend": true}`} {
		if answer := a.reconcile(t, "root", body); answer.Status != 200 || answer.Body != quiet {
			t.Errorf("%s: %d %s", body, answer.Status, answer.Body)
		}
	}
	a.wrong(t)
	drift := `"items":[` +
		`{"locations":["hospital"],"persona":"none","what":"people","counted":0,"found":4},` +
		`{"locations":["hospital"],"persona":"executive","what":"people","counted":0,"found":1},` +
		`{"locations":["hospital"],"persona":"ci_coach","what":"people","counted":0,"found":1},` +
		`{"locations":["icu"],"persona":"frontline","what":"people","counted":0,"found":2},` +
		`{"locations":["surgery"],"persona":"none","what":"people","counted":0,"found":1},` +
		`{"locations":["surgery"],"persona":"leader","what":"people","counted":0,"found":1},` +
		`{"locations":["ward"],"persona":"frontline","what":"people","counted":0,"found":2}],"more":0}`
	for _, c := range []struct {
		body string
		want string
	}{
		{`{"mend": false}`, `{"at":"2026-03-02T09:00:00Z","users":15,"sets":4,"drift":7,"unsettled":0,"mended":0,` + drift},
		{`{"mend": true}`, `{"at":"2026-03-02T09:00:00Z","users":15,"sets":4,"drift":7,"unsettled":0,"mended":7,` + drift},
		{`{"mend": true}`, quiet},
	} {
		if answer := a.reconcile(t, "root", c.body); answer.Status != 200 || answer.Body != c.want {
			t.Errorf("%s: %d %s\nwant %s", c.body, answer.Status, answer.Body, c.want)
		}
	}
	if entries := a.entries(t); len(entries) != 1 || entries[0].Action != "mend" {
		t.Errorf("T1 %+v", entries)
	}
}

// TestOfManyDriftsSomeAreTold and how many more there are.
func TestOfManyDriftsSomeAreTold(t *testing.T) {
	a := world(t)
	update := "SET "
	values := map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "7"}}
	for i := range 120 {
		if i > 0 {
			update += ", "
		}
		update += fmt.Sprintf("seen_%d_leader = :n", 30000+i)
	}
	items, err := a.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &a.Table, KeyConditionExpression: new("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: "CNT#riverside"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{"pk": items.Items[0]["pk"], "sk": items.Items[0]["sk"]}
	for _, item := range items.Items {
		if _, set := item["set"]; set {
			key["sk"] = item["sk"]
		}
	}
	if _, err := a.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &a.Table, Key: key, UpdateExpression: &update, ExpressionAttributeValues: values}); err != nil {
		t.Fatal(err)
	}
	answer := a.reconcile(t, "root", `{"mend": true}`).JSON(t)
	items100, _ := answer["items"].([]any)
	if answer["drift"] != 120.0 || answer["mended"] != 120.0 || len(items100) != 100 || answer["more"] != 20.0 {
		t.Errorf("%v %v %d %v", answer["drift"], answer["mended"], len(items100), answer["more"])
	}
	if first, _ := items100[0].(map[string]any); first["what"] != "active" || first["day"] != "2052-02-20" {
		t.Errorf("%v", items100[0])
	}
}

func TestWhoMayReconcile(t *testing.T) {
	a := world(t)
	for as, status := range map[string]int{"root": 200, "local": 403, "support": 403, "nurse": 403, "coach": 403, "inactive": 401, "": 401} {
		for _, body := range []string{``, `{"mend": false}`, `{"mend": true}`} {
			if answer := a.reconcile(t, as, body); answer.Status != status {
				t.Errorf("%q: %d %s", as, answer.Status, answer.Body)
			}
		}
	}
}

func TestReconciliationMalformed(t *testing.T) {
	a := world(t)
	for body, pointers := range map[string][]string{
		`[]`: {""}, `{"mend": "yes"}`: {"/mend"}, `{"mend": 1}`: {"/mend"}, `{"fix": true}`: {"/fix"},
	} {
		answer := a.reconcile(t, "root", body)
		if answer.Status != 400 || answer.Problem(t) != "malformed" || !slices.Equal(answer.Pointers(t), pointers) {
			t.Errorf("%s: %d %s", body, answer.Status, answer.Body)
		}
	}
}

// running is a session that goes on.
type running struct{ impersonation.Session }

func (r running) Resume(context.Context, string, string, string, time.Time) (impersonation.Session, error) {
	return r.Session, nil
}

func (r running) Close(context.Context, impersonation.Session, impersonation.Cause, time.Time, string) error {
	return errors.New("the session was ended")
}

// TestI6ASessionReconciles when both sides may and it is not read_only, whether
// it would mend or not.
func TestI6ASessionReconciles(t *testing.T) {
	a := world(t)
	a.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "operator"}, Name: "Operator", Admin: authz.Admin{
		Global: &authz.UserAdministration{}, Impersonate: true, System: true,
	}}})
	a.AddUser(t, directory.User{
		ID: "operator", Name: "Olga", Username: "operator", Type: authz.General, Locations: []string{"clinic"}, SignIn: directory.Enabled, Sub: fixture.Sub("operator"),
	}, "operator")
	for _, c := range []struct {
		mode    impersonation.Mode
		subject string
		status  int
		problem string
	}{
		{impersonation.ReadOnly, "root", 403, "read_only"},
		{impersonation.Full, "nurse", 403, "denied"},
		{impersonation.Full, "root", 200, ""},
	} {
		session := impersonation.Session{
			ID: "x", Organization: fixture.Organization, Actor: directory.Named{ID: "operator"}, Subject: directory.Named{ID: c.subject}, Mode: c.mode,
			Started: fixture.Start, Last: fixture.Start, Idles: fixture.Start.Add(time.Minute), Ends: fixture.Start.Add(time.Hour),
		}
		f := endpoints.New(a.Deps(t, running{session}), a.Store)
		for _, body := range []string{``, `{"mend": false}`, `{"mend": true}`} {
			answer := a.Do(t, f, fixture.Call{Route: reconcileRoute, As: "operator", Body: body, Session: "x"})
			if answer.Status != c.status || c.problem != "" && answer.Problem(t) != c.problem {
				t.Errorf("I6 as %s: %d %s", c.subject, answer.Status, answer.Body)
			}
		}
	}
}
