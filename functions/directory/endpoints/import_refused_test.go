package endpoints_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// What is named and never created is refused at the name; what names the
// refused is refused; the rest is kept.
func TestImportOfWhatIsNamedAndNeverCreated(t *testing.T) {
	q := openQuay(t)
	world := members{
		"locations": []any{members{"id": "a", "name": "A", "parent": "nowhere"}, members{"id": "b", "name": "B", "parent": "a"}, members{"id": "good", "name": "Good", "parent": "icu"}},
		"templates": []any{members{"id": "t", "name": "T", "workflow": "none", "teamType": "simple"}},
		"roles":     []any{granting("r", "none", "staff"), granting("one", "other"), granting("other", "one", "none")},
		"users": []any{person("u", members{"locations": []string{"good", "b"}}), person("v", holding("staff", "r")),
			person("w", members{"roles": []any{members{"role": "staff", "locations": []string{"ward"}}}}), person("x", members{"locations": []string{"good"}})},
		"items":        []any{members{"id": "i", "template": "idea", "status": "new", "locations": []string{"good", "a"}, "team": members{"author": []string{"x", "u"}, "leader": []string{"x"}}}},
		"organization": members{"id": "another", "name": "X", "settings": members{"impersonation": members{"observers": []string{"u", "x"}}}},
	}
	want := map[string]string{
		"/organization": "invalid_organization /organization/id /organization/settings/impersonation/observers/0",
		"/locations/0":  "invalid_location /locations/0/parent", "/locations/1": "invalid_location /locations/1/parent", "/locations/2": "created",
		"/templates/0": "invalid_template /templates/0/workflow",
		"/roles/0":     "invalid_role /roles/0/admin/localUserAdministrator/grantableRoles/0",
		"/roles/1":     "invalid_role /roles/1/admin/localUserAdministrator/grantableRoles/0",
		"/roles/2":     "invalid_role /roles/2/admin/localUserAdministrator/grantableRoles/0 /roles/2/admin/localUserAdministrator/grantableRoles/1",
		"/users/0":     "invalid_user /users/0/locations/1", "/users/1": "invalid_user /users/1/roles/1/role",
		"/users/2": "invalid_limit /users/2/roles/0/locations/0", "/users/3": "created",
		"/items/0": "invalid_item /items/0/locations/1 /items/0/team/leader /items/0/team/author/1",
	}
	q.imports(t, "root", world, "dryRun=true").is(t, "dry", want)
	q.imports(t, "root", world, "").is(t, "done", want)
	for _, id := range []string{"u", "v", "w"} {
		a := q.Do(t, q.f, fixture.Call{Route: "GET /v1/users/{id}", As: "root", Path: map[string]string{"id": id}})
		if a.Status != 404 {
			t.Errorf("T3 something of the refused user %s is there: %s", id, a.Body)
		}
	}
	q.reconciled(t)
}

// What can only become together is bounded by one transaction; what is being
// deleted is kept by what says that it shall be.
func TestImportOfWhatIsOneTransaction(t *testing.T) {
	q := openQuay(t)
	ring := func(n int) (list []any) {
		for i := range n {
			list = append(list, granting(fmt.Sprint("ring-", n, "-", i), fmt.Sprint("ring-", n, "-", (i+1)%n)))
		}
		return list
	}
	if l := q.imports(t, "root", members{"roles": ring(12)}, ""); l.Summary["created"] != 12 {
		t.Errorf("12 roles in a ring: %v", l.said())
	}
	l := q.imports(t, "root", members{"roles": ring(60), "users": []any{person("u", holding("ring-60-0"))}}, "")
	said := l.said()
	if l.Summary["refused"] != 61 || said["/roles/7"] != "too_much_at_once" || said["/users/0"] != "invalid_user /users/0/roles/0/role" {
		t.Errorf("60 roles in a ring: %v", said)
	}
	half := append(ring(3), granting("last", "ring-3-0"))
	half[1].(members)["name"] = "Staff"
	l = q.imports(t, "root", members{"roles": half}, "")
	said = l.said()
	if l.Summary["refused"] != 4 || said["/roles/1"] != "invalid_role /roles/1/admin/localUserAdministrator/grantableRoles/0" {
		t.Errorf("a ring with a fault: %v", said)
	}
	clinic, err := q.store.Place(t.Context(), fixture.Organization, directory.PlaceRef{Kind: timeline.Location, ID: "clinic"})
	if err != nil {
		t.Fatal(err)
	}
	place := clinic.(directory.Location)
	place.Closing = true
	if err := q.store.MarkPlace(t.Context(), q.Caller(t, "root", directory.Keys{}).Basis(), place); err != nil {
		t.Fatal(err)
	}
	world := members{"locations": []any{members{"id": "clinic", "name": place.Name, "parent": nil}}, "users": []any{person("u", members{"locations": []string{"clinic"}})}}
	q.imports(t, "root", members{"users": world["users"]}, "").is(t, "U3 what is being deleted is not named", map[string]string{"/users/0": "invalid_user /users/0/locations/0"})
	q.imports(t, "root", world, "dryRun=true").is(t, "U3 dry", map[string]string{"/locations/0": "unchanged", "/users/0": "created"})
	q.imports(t, "root", world, "").is(t, "U3 unless it shall be", map[string]string{"/locations/0": "unchanged", "/users/0": "created"})
}

// U3: locations form a forest, in the file and with what is there.
func TestImportOfCircles(t *testing.T) {
	q := openQuay(t)
	at := func(id, parent string) members { return members{"id": id, "name": "The " + id, "parent": parent} }
	world := members{"locations": []any{at("a", "c"), at("below-a", "a"), at("b", "a"), at("c", "b"), at("self", "self"), at("hospital", "icu"),
		// A move that is no circle, though its halves are one in another order.
		at("clinic", "medicine"), at("ward", "clinic")}}
	refused := func(n int) string { return fmt.Sprintf("invalid_location /locations/%d/parent", n) }
	want := map[string]string{"/locations/0": refused(0), "/locations/1": refused(1), "/locations/2": refused(2), "/locations/3": refused(3),
		"/locations/4": refused(4), "/locations/5": refused(5), "/locations/6": "changed", "/locations/7": "changed"}
	q.imports(t, "root", world, "dryRun=true").is(t, "U3 dry", want)
	q.imports(t, "root", world, "").is(t, "U3", want)
	if ward, _ := q.Caller(t, "root", directory.Keys{}).Model.Location("ward"); ward.Parent != "clinic" {
		t.Errorf("the ward is below %s", ward.Parent)
	}
}

// What is no import at all does nothing of it.
func TestImportsRefusedWhole(t *testing.T) {
	q := openQuay(t)
	good := members{"id": "good", "name": "Good"}
	many := func(n int) (list []any) {
		for i := range n {
			list = append(list, members{"id": fmt.Sprint("w", i), "name": "W"})
		}
		return list
	}
	locations := []string{}
	for i := range 26 {
		locations = append(locations, fmt.Sprint("l", i))
	}
	long := strings.Repeat("n", 10_000)
	for _, c := range []struct {
		rule     string
		body     any
		query    string
		code     string
		pointers []string
	}{
		{"no JSON", "{", "", "malformed", []string{""}},
		{"no body", nil, "", "malformed", []string{""}},
		{"an unknown part", members{"people": []any{}, "workflows": []any{good}}, "", "malformed", []string{"/people"}},
		{"an unknown member", members{"workflows": []any{good, members{"id": "x", "name": "X", "colour": "red"}}}, "", "malformed", []string{"/workflows/1/colour"}},
		{"no id", members{"workflows": []any{good, members{"name": "X"}}}, "", "malformed", []string{"/workflows/1/id"}},
		{"no object", members{"workflows": []any{good, 7}}, "", "malformed", []string{"/workflows/1"}},
		{"U1 26 locations", members{"workflows": []any{good}, "users": []any{person("u", members{"locations": locations})}}, "", "malformed", []string{"/users/0/locations"}},
		{"a name of 10,000 characters", members{"workflows": []any{good}, "users": []any{person("u", members{"name": long}), person("v", members{"username": "a b"})}}, "", "malformed", []string{"/users/0/name", "/users/1/username"}},
		{"a password is for a seed alone", members{"workflows": []any{good}, "users": []any{person("u", nil), person("v", members{"password": "Hunter2-Hunter2"})}}, "", "malformed", []string{"/users/1/password"}},
		{"501 entries of a kind", members{"workflows": many(501)}, "", "malformed", []string{"/workflows"}},
		{"501 entries in all", members{"workflows": many(500), "users": []any{person("u", nil)}}, "", "malformed", []string{""}},
		{"dryRun is a word", members{"workflows": []any{good}}, "dryRun=perhaps", "malformed", []string{"/dryRun"}},
		{"5 MB", strings.Repeat(" ", 5<<20) + "{}", "", "body_too_large", nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			q.imports(t, "root", c.body, c.query).refusedWhole(t, c.rule, 400, c.code, c.pointers...)
		})
	}
	if _, there := q.Caller(t, "root", directory.Keys{}).Model.Workflow("good"); there {
		t.Error("T3 something of a refused import was done")
	}
}

// An import of 5 MB, and one of 500 entries.
func TestImportBounds(t *testing.T) {
	q := openQuay(t)
	var list []any
	boards := []string{}
	for i := range 900 {
		boards = append(boards, fmt.Sprintf("board-%04d-%s", i, strings.Repeat("x", 50)))
	}
	for i := range 76 {
		list = append(list, members{"id": fmt.Sprint("r", i), "name": fmt.Sprint("R", i), "boardAccess": boards})
	}
	text, err := json.Marshal(members{"roles": list})
	if err != nil {
		t.Fatal(err)
	}
	body := string(text) + strings.Repeat(" ", 5<<20-len(text))
	l := q.imports(t, "root", body, "dryRun=true")
	if l.Status != 200 || l.Summary["created"] != 76 {
		t.Errorf("%d bytes: %d %v", len(body), l.Status, l.Summary)
	}
	list = nil
	for i := range 500 {
		list = append(list, person(fmt.Sprint("u", i), members{"locations": []string{[]string{"icu", "ward", "clinic"}[i%3]}, "persona": "frontline", "roles": []any{members{"role": "staff"}}}))
	}
	if l = q.imports(t, "root", members{"users": list}, "dryRun=true"); l.Status != 200 || l.Summary["created"] != 500 {
		t.Errorf("500 users, dry: %d %v", l.Status, l.Summary)
	}
	// Users of several transactions, and of few counters.
	if l = q.imports(t, "root", members{"users": list[:60]}, ""); l.Summary["created"] != 60 {
		t.Errorf("60 users: %v", l.Summary)
	}
	if l = q.imports(t, "root", members{"users": list[:60]}, ""); l.Summary["unchanged"] != 60 {
		t.Errorf("60 users again: %v", l.Summary)
	}
	q.reconciled(t)
}
