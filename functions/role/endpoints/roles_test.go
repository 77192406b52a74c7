package endpoints_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// open is the role function over the fixture's world.
func open(t *testing.T) (*fixture.Place, *api.Function) {
	t.Helper()
	store, place := fixture.World(t)
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	return place, endpoints.New(place.Deps(t, sessions), store)
}

const (
	assignRoute = "PUT /v1/users/{id}/roles/{role}"
	revokeRoute = "DELETE /v1/users/{id}/roles/{role}"
)

func onRole(route, as, user, role string, body any) fixture.Call {
	return fixture.Call{Route: route, As: as, Path: map[string]string{"id": user, "role": role}, Body: body}
}

// expect is a status with its problem code, "" for none.
func expect(t *testing.T, rule string, a fixture.Answer, status int, code string) {
	t.Helper()
	if got := a.Problem(t); a.Status != status || got != code {
		t.Errorf("%s: %d %q, want %d %q\n%s", rule, a.Status, got, status, code, a.Body)
	}
}

func TestAssigning(t *testing.T) {
	place, f := open(t)
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"R12 a global administrator of all roles grants any", onRole(assignRoute, "root", "nurse", "coach", nil), 200, ""},
		{"R12 a local administrator grants a listed role", onRole(assignRoute, "local", "nurse", "unit-lead", nil), 200, ""},
		{"R12 inside the reach but not grantable", onRole(assignRoute, "local", "nurse", "director", nil), 403, "denied"},
		{"T4 outside the reach", onRole(assignRoute, "local", "doctor", "staff", nil), 404, "not_found"},
		{"T4 nobody of that id", onRole(assignRoute, "root", "nobody", "staff", nil), 404, "not_found"},
		{"R12 no role of that id", onRole(assignRoute, "root", "nurse", "nothing", nil), 404, "not_found"},
		{"R12 a plain user on somebody else", onRole(assignRoute, "nurse", "doctor", "staff", nil), 404, "not_found"},
		{"R12 a plain user on oneself", onRole(assignRoute, "nurse", "nurse", "coach", nil), 403, "denied"},
		{"T4 a plain user on oneself, no role of that id", onRole(assignRoute, "nurse", "nurse", "nothing", nil), 403, "denied"},
		{"R5 a limit of the user's locations", onRole(assignRoute, "root", "doctor", "staff", map[string]any{"locations": []string{"ward"}}), 200, ""},
		{"R5 a limit elsewhere", onRole(assignRoute, "root", "doctor", "staff", map[string]any{"locations": []string{"icu"}}), 422, "invalid_limit"},
		{"R5 an empty limit", onRole(assignRoute, "root", "doctor", "staff", map[string]any{"locations": []string{}}), 422, "invalid_limit"},
		{"R5 a limit of a role with specific locations", onRole(assignRoute, "root", "doctor", "pharmacy", map[string]any{"locations": []string{"ward"}}), 422, "invalid_limit"},
		{"an unknown member", onRole(assignRoute, "root", "doctor", "staff", map[string]any{"location": "ward"}), 400, "malformed"},
		{"an id outside its alphabet", onRole(assignRoute, "root", "no#body", "staff", nil), 400, "malformed"},
		{"a token of nobody", onRole(assignRoute, "stranger", "doctor", "staff", nil), 401, "unknown_sign_in"},
		{"no token", onRole(assignRoute, "", "doctor", "staff", nil), 401, "no_token"},
		{"U2 an inactive caller", onRole(assignRoute, "inactive", "doctor", "staff", nil), 401, "sign_in_disabled"},
		{"R12 what is not held cannot be revoked", onRole(revokeRoute, "root", "doctor", "coach", nil), 404, "not_found"},
		{"R13 the last full administrator", onRole(revokeRoute, "root", "root", "administrator", nil), 422, "last_full_administrator"},
		{"R13 an end date counts as a loss", onRole(assignRoute, "root", "root", "administrator", map[string]any{"until": "2090-01-01T00:00:00Z"}), 422, "last_full_administrator"},
		{"R12 revoking", onRole(revokeRoute, "local", "nurse", "staff", nil), 200, ""},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
}

func TestAssignmentIsSeenAndRecorded(t *testing.T) {
	place, f := open(t)
	call := onRole(assignRoute, "root", "nurse", "coach", map[string]any{"until": "2027-01-01T00:00:00Z"})
	var user struct {
		Roles []struct{ Role, Until, Since, By string }
	}
	answer := place.Do(t, f, call)
	answer.Into(t, &user)
	given := user.Roles[len(user.Roles)-1]
	if given.Role != "coach" || given.By != "root" || given.Until != "2027-01-01T00:00:00Z" {
		t.Errorf("assignment: the answer shows %+v", given)
	}
	if answer.Header["etag"] != `"2"` {
		t.Errorf("the user's new version is %s", answer.Header["etag"])
	}
	c := place.Caller(t, "nurse", directory.Keys{Items: []string{"ward-project"}})
	edits := func(at time.Time) bool {
		i := c.Items["ward-project"].Item
		s := c.Model.Subject(c.Subject.Decisive(), at)
		return c.Model.Decide(s, authz.DoEdit, authz.Resource{Type: authz.ItemResource, ID: i.ID, Item: &i}).Allowed
	}
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if !edits(end.Add(-time.Nanosecond)) || edits(end) {
		t.Error("R5 an assignment is over from until on")
	}
	if again := place.Do(t, f, call); again.Header["etag"] != `"2"` {
		t.Errorf("giving what is held unchanged wrote version %s", again.Header["etag"])
	}
	stale := onRole(revokeRoute, "root", "nurse", "coach", nil)
	stale.Header = map[string]string{"if-match": `"1"`}
	expect(t, "a stale If-Match is heeded", place.Do(t, f, stale), 412, "stale")
}

// TestAnEndedAssignmentIsGivenAnew: by whom and since when is then told anew.
func TestAnEndedAssignmentIsGivenAnew(t *testing.T) {
	store, place, f := openStore(t)
	give := func(by string, body any) {
		expect(t, "R12", place.Do(t, f, onRole(assignRoute, by, "nurse", "unit-lead", body)), 200, "")
	}
	at := func(d time.Duration) string { return fixture.Start.Add(d).Format(time.RFC3339) }
	give("root", map[string]any{"until": at(time.Hour)})
	place.Clock.Advance(30 * time.Minute)
	give("local", map[string]any{"until": at(2 * time.Hour)})
	held, _ := place.User(t, "nurse").Assignment("unit-lead")
	if held.By != "root" || !held.Since.Equal(fixture.Start) {
		t.Errorf("a changed end: since %v by %s", held.Since, held.By)
	}
	place.Clock.Advance(90 * time.Minute)
	version := place.User(t, "nurse").Version
	give("local", map[string]any{"until": at(2 * time.Hour)})
	if place.User(t, "nurse").Version != version {
		t.Error("R5 an assignment that is over, unchanged, was written")
	}
	give("local", nil)
	held, _ = place.User(t, "nurse").Assignment("unit-lead")
	if held.By != "local" || !held.Since.Equal(fixture.Start.Add(2*time.Hour)) {
		t.Errorf("R5 given anew: since %v by %s", held.Since, held.By)
	}
	if actions := entries(t, store, timeline.Assignment); len(actions) != 3 || actions[0].Action != "assign" || actions[1].Action != "limit" {
		t.Errorf("T1 told as %+v", actions)
	}
}

// TestLastAdministrators is R13 under write skew: each revokes the other's
// administration, and their own, at once.
func TestLastAdministrators(t *testing.T) {
	place, f := open(t)
	place.AddUser(t, directory.User{ID: "second", Name: "Second", Username: "second", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")}, "administrator")
	for round := range 16 { // without the guard most rounds fail
		by := []string{"root", "second"}
		if round%2 == 1 {
			by = []string{"second", "root"}
		}
		var wait sync.WaitGroup
		for i, user := range []string{"root", "second"} {
			wait.Go(func() { place.Do(t, f, onRole(revokeRoute, by[i], user, "administrator", nil)) })
		}
		wait.Wait()
		left := slices.DeleteFunc([]string{"root", "second"}, func(id string) bool {
			_, holds := place.User(t, id).Assignment("administrator")
			return !holds
		})
		if len(left) != 1 {
			t.Fatalf("R13 round %d: %d full administrators are left", round, len(left))
		}
		for _, id := range []string{"root", "second"} {
			expect(t, "giving it back", place.Do(t, f, onRole(assignRoute, left[0], id, "administrator", nil)), 200, "")
		}
	}
}

// roleBody is a valid role; change overlays it.
func roleBody(change map[string]any) map[string]any {
	b := map[string]any{"name": "Night lead", "grants": []any{map[string]any{
		"workflows": []string{"improvement"}, "permissions": map[string]any{"participate": true, "view": "everywhere"},
	}}}
	maps.Copy(b, change)
	return b
}

func grantOf(permissions map[string]any, named map[string]any) map[string]any {
	g := map[string]any{"permissions": permissions}
	maps.Copy(g, named)
	return map[string]any{"grants": []any{g}}
}

func TestRefusedRoles(t *testing.T) {
	place, f := open(t)
	improvement := map[string]any{"workflows": []string{"improvement"}}
	for _, c := range []struct {
		rule    string
		body    any
		status  int
		code    string
		pointer string
	}{
		{"R1 a name", roleBody(map[string]any{"name": " "}), 400, "malformed", "/name"},
		{"R3 a grant that names nothing", roleBody(grantOf(map[string]any{"view": "everywhere"}, nil)), 422, "invalid_role", "/grants/0"},
		{"R4 a scope on participate", roleBody(grantOf(map[string]any{"participate": "everywhere"}, improvement)), 422, "invalid_role", "/grants/0/permissions/participate"},
		{"R4 only_users on view", roleBody(grantOf(map[string]any{"view": "only_users"}, improvement)), 422, "invalid_role", "/grants/0/permissions/view"},
		{"R4 a workflow that is not there", roleBody(grantOf(map[string]any{"view": "everywhere"}, map[string]any{"workflows": []string{"nothing"}})), 422, "invalid_role", "/grants/0/workflows/0"},
		{"R8 everywhere with specific locations", roleBody(map[string]any{"specificLocations": []string{"icu"}}), 422, "invalid_role", "/grants/0/permissions/view"},
		{"R9 sharing needs creating", roleBody(map[string]any{"advanced": []string{"share_item_lists"}}), 422, "invalid_role", "/advanced/0"},
		{"an unknown permission", roleBody(grantOf(map[string]any{"fly": "everywhere"}, improvement)), 400, "malformed", "/grants/0/permissions/fly"},
		{"an unknown member", roleBody(map[string]any{"colour": "red"}), 400, "malformed", "/colour"},
		{"a wrong type", roleBody(map[string]any{"advanced": "all"}), 400, "malformed", "/advanced"},
		{"a control character", roleBody(map[string]any{"name": "Night\nlead"}), 400, "malformed", "/name"},
		{"no JSON at all", "{", 400, "malformed", ""},
		{"no body at all", nil, 400, "malformed", ""},
		{"a body over 1 MB", `{"name":"` + strings.Repeat("n", api.MaxBody) + `"}`, 400, "body_too_large", "none"},
		{"a role over 100 KB", roleBody(map[string]any{"boardAccess": manyNames(900), "boardSubscriptions": manyNames(900)}), 422, "too_large", "none"},
		{"R1 a taken name in another case", roleBody(map[string]any{"name": "sTAFF"}), 409, "name_taken", "none"},
		{"R1 a taken id", roleBody(map[string]any{"id": "staff"}), 409, "id_taken", "none"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			a := place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: c.body})
			expect(t, c.rule, a, c.status, c.code)
			if c.pointer != "none" && !slices.Contains(a.Pointers(t), c.pointer) {
				t.Errorf("%s: pointers %q, want %q", c.rule, a.Pointers(t), c.pointer)
			}
		})
	}
	if roles := listed(t, place, f, ""); len(roles) != len(fixture.Policy().Roles) {
		t.Errorf("T3 a refused role was saved: %v", roles)
	}
}

// manyNames are n ids of the full length.
func manyNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("board-%04d-%s", i, strings.Repeat("x", 53))
	}
	return names
}

func listed(t *testing.T, place *fixture.Place, f *api.Function, query string) []string {
	t.Helper()
	var ids []string
	cursor := ""
	for {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		place.Do(t, f, fixture.Call{Route: "GET /v1/roles", As: "root", Query: "limit=2" + query + "&cursor=" + cursor}).Into(t, &page)
		for _, r := range page.Items {
			ids = append(ids, r.ID)
		}
		if page.Next == "" {
			return ids
		}
		cursor = page.Next
	}
}

func TestRolesAreListedWhole(t *testing.T) {
	place, f := open(t)
	var want []string
	for _, r := range fixture.Policy().Roles {
		want = append(want, r.ID)
	}
	slices.Sort(want)
	if got := listed(t, place, f, ""); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := listed(t, place, f, "&persona=leader"); !slices.Equal(got, []string{"unit-lead"}) {
		t.Errorf("R1 meant for leaders: %v", got)
	}
	if got := listed(t, place, f, "&persona=CI%20Expert"); !slices.Equal(got, []string{"coach"}) {
		t.Errorf("P1 meant for coaches by their older name: %v", got)
	}
	var nobodys []string
	for _, r := range fixture.Policy().Roles {
		if r.Persona == directory.NoPersona {
			nobodys = append(nobodys, r.ID)
		}
	}
	slices.Sort(nobodys)
	if got := listed(t, place, f, "&persona=none"); !slices.Equal(got, nobodys) || len(got) == 0 {
		t.Errorf("R1 meant for nobody in particular: %v, want %v", got, nobodys)
	}
	bad := fixture.Call{Route: "GET /v1/roles", As: "root", Query: "persona=hero"}
	expect(t, "an unknown persona", place.Do(t, f, bad), 400, "malformed")
	bad.Query = "persna=leader"
	expect(t, "an unknown filter", place.Do(t, f, bad), 400, "malformed")
	bad.Query = "limit=501"
	expect(t, "a limit over 500", place.Do(t, f, bad), 400, "malformed")
	bad.Query = "cursor=bm90aGluZw"
	expect(t, "a cursor of nothing", place.Do(t, f, bad), 400, "malformed")
	plain := fixture.Call{Route: "GET /v1/roles", As: "nurse"}
	expect(t, "R10 admin data needs an admin permission", place.Do(t, f, plain), 403, "denied")
}

func TestRoleVersions(t *testing.T) {
	place, f := open(t)
	made := place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "night-lead"})})
	expect(t, "R1 a role is created", made, 201, "")
	put := func(body any, header map[string]string) fixture.Answer {
		return place.Do(t, f, fixture.Call{Route: "PUT /v1/roles/{id}", As: "root", Path: map[string]string{"id": "night-lead"}, Body: body, Header: header})
	}
	same := place.Do(t, f, fixture.Call{Route: "GET /v1/roles/{id}", As: "root", Path: map[string]string{"id": "night-lead"}})
	if same.Body != made.Body || same.Header["etag"] != `"1"` {
		t.Errorf("what was created reads as %s %s", same.Header["etag"], same.Body)
	}
	expect(t, "no If-Match", put(same.Body, nil), 428, "precondition_required")
	expect(t, "what GET gave may be PUT back", put(same.Body, map[string]string{"if-match": `"1"`}), 200, "")
	expect(t, "R14 a stale version", put(roleBody(nil), map[string]string{"if-match": `"1"`}), 412, "stale")
	expect(t, "it must not be there", put(roleBody(nil), map[string]string{"if-none-match": "*"}), 412, "stale")
	expect(t, "a changed version", put(roleBody(map[string]any{"version": 9}), map[string]string{"if-match": `"2"`}), 422, "invalid_role")
	expect(t, "another id", put(roleBody(map[string]any{"id": "day-lead"}), map[string]string{"if-match": `"2"`}), 422, "id_mismatch")

	var wait sync.WaitGroup
	statuses := make([]int, 2)
	for i := range statuses {
		wait.Go(func() {
			statuses[i] = put(roleBody(map[string]any{"description": fmt.Sprint(i)}), map[string]string{"if-match": `"2"`}).Status
		})
	}
	wait.Wait()
	slices.Sort(statuses)
	if !slices.Equal(statuses, []int{200, 412}) {
		t.Errorf("T3 two edits of one version: %v", statuses)
	}
}

func TestRepeatedCreationGivesTheFirstAnswer(t *testing.T) {
	place, f := open(t)
	call := fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(nil), Header: map[string]string{"idempotency-key": "k1"}}
	first, second := place.Do(t, f, call), place.Do(t, f, call)
	if first.Status != 201 || second.Status != 201 || first.Body != second.Body || first.Header["location"] != second.Header["location"] {
		t.Errorf("T3 a repeated request: %d %s, then %d %s", first.Status, first.Body, second.Status, second.Body)
	}
	call.Body = roleBody(map[string]any{"name": "Other"})
	expect(t, "T3 the key with another body", place.Do(t, f, call), 422, "idempotency_key_reused")
}

func TestEditOfTheAdministratorRole(t *testing.T) {
	place, f := open(t)
	body := roleBody(map[string]any{"name": "Administrator", "admin": map[string]any{"roleAdministrator": true}})
	a := place.Do(t, f, fixture.Call{Route: "PUT /v1/roles/{id}", As: "root", Path: map[string]string{"id": "administrator"}, Body: body, Header: map[string]string{"if-match": `"1"`}})
	expect(t, "R13 the role of the last full administrator", a, 422, "last_full_administrator")
	expect(t, "R10 only a role administrator writes roles",
		place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "local", Body: roleBody(nil)}), 403, "denied")
}

// Parameters that a call does not know are refused: who adds dryRun to a call
// that has none would have it done.
func TestUnknownParametersAreRefused(t *testing.T) {
	place, f := open(t)
	for _, c := range []fixture.Call{
		{Route: "POST /v1/role-changes", As: "root", Query: "dryRun=true", Body: map[string]any{"changes": []any{}}},
		{Route: "POST /v1/roles", As: "root", Query: "dryRun=true", Body: roleBody(nil)},
		{Route: "GET /v1/roles/{id}", As: "root", Path: map[string]string{"id": "staff"}, Query: "x"},
		{Route: "GET /v1/permissions", As: "root", Query: "dryRun=true&y=2"},
		{Route: assignRoute, As: "root", Path: map[string]string{"id": "nurse", "role": "coach"}, Query: "dryrun=true"},
	} {
		expect(t, c.Route, place.Do(t, f, c), 400, "malformed")
	}
}
