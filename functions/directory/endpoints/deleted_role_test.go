package endpoints_test

import (
	"strings"
	"testing"

	roles "gemba/functions/role/endpoints"
	"gemba/shared/dynamotest/fixture"
)

// TestADeletedRoleIsShownNowhere is R14 for whoever held it: neither the user,
// nor the list, nor what GET gives to be PUT back knows of it, swept or not.
func TestADeletedRoleIsShownNowhere(t *testing.T) {
	w := openPeople(t)
	f := roles.New(w.Deps(t, nil), w.store)
	user := func(route string, body any, header map[string]string) fixture.Answer {
		return w.Do(t, w.f, fixture.Call{Route: route, As: "root", Path: map[string]string{"id": "lead"}, Body: body, Header: header})
	}
	before := user("GET /v1/users/{id}", nil, nil)
	gone := w.Do(t, f, fixture.Call{Route: "DELETE /v1/roles/{id}", As: "root", Path: map[string]string{"id": "unit-lead"}, Header: map[string]string{"if-match": `"1"`}})
	if gone.Status != 200 {
		t.Fatalf("%d %s", gone.Status, gone.Body)
	}
	shown := user("GET /v1/users/{id}", nil, nil)
	list := w.Do(t, w.f, fixture.Call{Route: "GET /v1/users", As: "root"})
	if !strings.Contains(before.Body, `"unit-lead"`) || strings.Contains(shown.Body+list.Body, `"unit-lead"`) {
		t.Errorf("R14 the user is shown as %s", shown.Body)
	}
	header := map[string]string{"if-match": shown.Header["etag"]}
	if a := user("PUT /v1/users/{id}", before.Body, header); a.Status != 422 {
		t.Errorf("R14 a role that is gone is put back: %d %s", a.Status, a.Body)
	}
	if a := user("PUT /v1/users/{id}", shown.Body, header); a.Status != 200 {
		t.Errorf("what GET gave may be PUT back: %d %s", a.Status, a.Body)
	}
}
