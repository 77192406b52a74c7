package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

const (
	getRoute    = "GET /v1/roles/{id}"
	putRoute    = "PUT /v1/roles/{id}"
	deleteRoute = "DELETE /v1/roles/{id}"
	cloneRoute  = "POST /v1/roles/{id}/clone"
)

// openStore is open with the store in hand.
func openStore(t *testing.T) (*dynamo.Store, *fixture.Place, *api.Function) {
	t.Helper()
	store, place := fixture.World(t)
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	return store, place, endpoints.New(place.Deps(t, sessions), store)
}

// another is the function on a warm instance of its own.
func another(t *testing.T, place *fixture.Place) *api.Function {
	t.Helper()
	store := place.Open()
	deps := place.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Store = store
	return endpoints.New(deps, store)
}

func onOne(route, as, id string, body any, match string) fixture.Call {
	c := fixture.Call{Route: route, As: as, Path: map[string]string{"id": id}, Body: body}
	if match != "" {
		c.Header = map[string]string{"if-match": match}
	}
	return c
}

// lost is how many members a deletion told.
func lost(t *testing.T, a fixture.Answer) int {
	t.Helper()
	expect(t, "R14 a deletion", a, 200, "")
	var body struct{ Members *int }
	a.Into(t, &body)
	if body.Members == nil {
		t.Fatalf("R14 a deletion that does not say how many lose the role: %s", a.Body)
	}
	return *body.Members
}

// entries are those of a type, newest first.
func entries(t *testing.T, store *dynamo.Store, kind timeline.Type) []timeline.Entry {
	t.Helper()
	all, _, err := store.Entries(t.Context(), fixture.Organization, timeline.Stretch{
		From: fixture.Start.Add(-time.Hour), To: fixture.Start.Add(24 * time.Hour), Page: timeline.Page{Limit: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e timeline.Entry) bool { return e.Type != kind || e.Subject.Name == "operator" })
}

func TestDeletingNeedsARightAndTheVersion(t *testing.T) {
	place, f := open(t)
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"R14 without the version", onOne(deleteRoute, "root", "coach", nil, ""), 428, "precondition_required"},
		{"R14 another version", onOne(deleteRoute, "root", "coach", nil, `"2"`), 412, "stale"},
		{"R10 no role administrator", onOne(deleteRoute, "local", "coach", nil, `"1"`), 403, "denied"},
		{"no such role", onOne(deleteRoute, "root", "nothing", nil, `"1"`), 404, "not_found"},
		{"an id that is none", onOne(deleteRoute, "root", "no#thing", nil, `"1"`), 400, "malformed"},
		{"R13 the role of the last full administrator", onOne(deleteRoute, "root", "administrator", nil, `"1"`), 422, "last_full_administrator"},
		{"R14 the version", onOne(deleteRoute, "root", "coach", nil, `"1"`), 200, ""},
		{"R14 it is gone for good", onOne(deleteRoute, "root", "coach", nil, `"1"`), 404, "not_found"},
		{"R14 and cannot be read", onOne(getRoute, "root", "coach", nil, ""), 404, "not_found"},
		{"R14 nor given", onRole(assignRoute, "root", "nurse", "coach", nil), 404, "not_found"},
		{"R14 nor taken from who held it", onRole(revokeRoute, "root", "coach", "coach", nil), 404, "not_found"},
		{"any version, with *", onOne(deleteRoute, "root", "director", nil, "*"), 200, ""},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
}

func TestADeletionTellsWhoLosesIt(t *testing.T) {
	store, place, f := openStore(t)
	hour := place.Clock.Now().Add(time.Hour).Format(time.RFC3339)
	for user, body := range map[string]map[string]any{"nurse": {}, "doctor": {"until": hour}, "lead": {"until": "2020-01-01T00:00:00Z"}} {
		expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", user, "coach", body)), 200, "")
	}
	// support has it taken back, and does not count.
	place.Do(t, f, onRole(assignRoute, "root", "support", "coach", nil))
	place.Do(t, f, onRole(revokeRoute, "root", "support", "coach", nil))
	if n := lost(t, place.Do(t, f, onOne(deleteRoute, "root", "coach", nil, `"1"`))); n != 3 {
		t.Errorf("R14 %d lose the role; coach, nurse and doctor do, lead's was over", n)
	}
	entry := entries(t, store, timeline.Role)[0]
	if entry.Action != "delete" || entry.Target != (timeline.Target{Type: "role", ID: "coach"}) || entry.Before["name"] != "CI coach" || len(entry.After) > 0 {
		t.Errorf("T1 the deletion is told as %+v", entry)
	}
	c := place.Caller(t, "nurse", directory.Keys{Items: []string{"ward-project"}})
	i := c.Items["ward-project"].Item
	if c.Decide(authz.DoEdit, authz.Resource{Type: authz.ItemResource, ID: i.ID, Item: &i}).Allowed {
		t.Error("R14 the deleted role still gives")
	}
	again := place.Do(t, f, onRole(assignRoute, "root", "nurse", "unit-lead", nil))
	expect(t, "a user who held it", again, 200, "")
	if strings.Contains(again.Body, `"coach"`) {
		t.Errorf("R14 the user is shown the deleted role: %s", again.Body)
	}
	made := place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"name": "ci COACH"})})
	expect(t, "R1 the name is free", made, 201, "")
}

// TestNothingNamesADeletedRole: lists of grantable roles neither show nor mean
// it, and what GET gives may be PUT back (R14).
func TestNothingNamesADeletedRole(t *testing.T) {
	_, place, f := openStore(t)
	before := place.Do(t, f, onOne(getRoute, "root", "local-administrator", nil, ""))
	lost(t, place.Do(t, f, onOne(deleteRoute, "root", "unit-lead", nil, `"1"`)))
	shown := place.Do(t, f, onOne(getRoute, "root", "local-administrator", nil, ""))
	if !strings.Contains(before.Body, `"unit-lead"`) || strings.Contains(shown.Body, `"unit-lead"`) {
		t.Errorf("R14 the list of grantable roles is shown as %s", shown.Body)
	}
	list := place.Do(t, f, fixture.Call{Route: "GET /v1/roles", As: "root"})
	if strings.Contains(list.Body, `"unit-lead"`) {
		t.Errorf("R14 the roles are listed as %s", list.Body)
	}
	old := place.Do(t, f, onOne(putRoute, "root", "local-administrator", before.Body, shown.Header["etag"]))
	expect(t, "R4 an old list names what is not there", old, 422, "invalid_role")
	if got := old.Pointers(t); !slices.Equal(got, []string{"/admin/localUserAdministrator/grantableRoles/1"}) {
		t.Errorf("R4 faults at %v", got)
	}
	expect(t, "what GET gave may be PUT back", place.Do(t, f, onOne(putRoute, "root", "local-administrator", shown.Body, shown.Header["etag"])), 200, "")
}

// TestANewRoleUnderAnOldID is R14's last sentence in every way there is.
func TestANewRoleUnderAnOldID(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, place *fixture.Place, f *api.Function) fixture.Answer{
		"POST": func(t *testing.T, place *fixture.Place, f *api.Function) fixture.Answer {
			return place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "unit-lead"})})
		},
		"PUT": func(t *testing.T, place *fixture.Place, f *api.Function) fixture.Answer {
			return place.Do(t, f, onOne(putRoute, "root", "unit-lead", roleBody(nil), ""))
		},
		"clone": func(t *testing.T, place *fixture.Place, f *api.Function) fixture.Answer {
			return place.Do(t, f, onOne(cloneRoute, "root", "coach", map[string]any{"id": "unit-lead", "name": "Again"}, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, place, f := openStore(t)
			before := place.Do(t, f, onOne(getRoute, "root", "local-administrator", nil, ""))
			lost(t, place.Do(t, f, onOne(deleteRoute, "root", "unit-lead", nil, `"1"`)))
			expect(t, "R14 the id is used again", make(t, place, f), 201, "")

			expect(t, "R14 nobody holds it", place.Do(t, f, onRole(revokeRoute, "root", "lead", "unit-lead", nil)), 404, "not_found")
			expect(t, "R14 nobody grants it by an old list", place.Do(t, f, onRole(assignRoute, "local", "nurse", "unit-lead", nil)), 403, "denied")
			results := changesOf(t, place.Do(t, f, fixture.Call{Route: changeRoute, As: "local", Body: rowsOf(row("nurse", "unit-lead", nil))}))
			if results[0].Problem.Type != "urn:problem:denied" {
				t.Errorf("R14 nobody grants it by an old list, in bulk: %+v", results[0])
			}
			back := place.Do(t, f, onOne(putRoute, "root", "local-administrator", before.Body, before.Header["etag"]))
			expect(t, "R14 nor does an old list that is put back", back, 412, "stale")
			expect(t, "R14 still nobody", place.Do(t, f, onRole(assignRoute, "local", "nurse", "unit-lead", nil)), 403, "denied")

			given := place.Do(t, f, onRole(assignRoute, "root", "lead", "unit-lead", nil))
			expect(t, "R14 it is a role like any other", given, 200, "")
			u := place.User(t, "lead")
			held := slices.DeleteFunc(slices.Clone(u.Assignments), func(a directory.Assignment) bool { return a.Role.ID != "unit-lead" })
			if len(held) != 1 || !held[0].Since.Equal(place.Clock.Now()) {
				t.Errorf("R14 who held the old one holds the new one as %+v", held)
			}
			if n := lost(t, place.Do(t, f, onOne(deleteRoute, "root", "unit-lead", nil, "*"))); n != 1 {
				t.Errorf("R14 %d lose the new one; lead does", n)
			}
		})
	}
}

// TestAListThatNamedTheDeletedIsEditedOnce: the list is edited when the id is
// used again, and says so.
func TestAListThatNamedTheDeletedIsEditedOnce(t *testing.T) {
	store, place, f := openStore(t)
	lost(t, place.Do(t, f, onOne(deleteRoute, "root", "staff", nil, `"1"`)))
	expect(t, "R14", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "staff"})}), 201, "")
	edited := map[string]int{}
	for _, e := range entries(t, store, timeline.Role) {
		if e.Action == "edit" {
			edited[e.Target.ID]++
		}
	}
	if len(edited) != 2 || edited["local-administrator"] != 1 || edited["support"] != 1 {
		t.Errorf("T1 edits are told of %v", edited)
	}
	if lists := place.Caller(t, "root", directory.Keys{}).Model.Policy().Roles; slices.ContainsFunc(lists, func(r authz.Role) bool {
		return r.ID == "support" && len(r.Admin.Global.Grantable.Roles) > 0
	}) {
		t.Error("R14 the old list still names the id")
	}
}

// TestTheCountOfADeletionIsExact races a deletion with assignments and
// revocations: whoever was told that they hold the role, lose it.
func TestTheCountOfADeletionIsExact(t *testing.T) {
	_, place, f := openStore(t)
	users := []string{"root", "local", "support", "nurse", "lead", "director", "doctor", "pharmacist", "service", "vendor", "capture", "wallboard", "kiosk", "inactive"}
	for round := range 4 {
		id := fmt.Sprint("brief-", round)
		expect(t, "R1", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": id, "name": id})}), 201, "")
		for _, u := range users[:4] {
			expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", u, id, nil)), 200, "")
		}
		instances := []*api.Function{f, another(t, place), another(t, place)}
		var held atomic.Int64
		held.Store(4)
		var racing sync.WaitGroup
		for i, u := range users[4:] {
			racing.Go(func() {
				switch a := place.Do(t, instances[i%3], onRole(assignRoute, "root", u, id, nil)); a.Status {
				case 200:
					held.Add(1)
				case 404, 503:
				default:
					t.Errorf("R14 %d %s", a.Status, a.Body)
				}
			})
		}
		racing.Go(func() {
			if place.Do(t, instances[1], onRole(revokeRoute, "root", users[round%4], id, nil)).Status == 200 {
				held.Add(-1)
			}
		})
		var members int
		racing.Go(func() {
			time.Sleep(time.Duration(round) * 15 * time.Millisecond)
			members = lost(t, place.Do(t, instances[2], onOne(deleteRoute, "root", id, nil, "*")))
		})
		racing.Wait()
		if members != int(held.Load()) {
			t.Errorf("R14 round %d: %d lose the role, %d held it", round, members, held.Load())
		}
	}
}

// TestADeletionAndAnEditOfOneVersion: one of them is done (T3).
func TestADeletionAndAnEditOfOneVersion(t *testing.T) {
	_, place, f := openStore(t)
	g := another(t, place)
	for round := range 5 {
		id := fmt.Sprint("brief-", round)
		expect(t, "R1", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": id, "name": id})}), 201, "")
		var edited, deleted, again fixture.Answer
		var racing sync.WaitGroup
		racing.Go(func() {
			edited = place.Do(t, f, onOne(putRoute, "root", id, roleBody(map[string]any{"name": id}), `"1"`))
		})
		racing.Go(func() { deleted = place.Do(t, g, onOne(deleteRoute, "root", id, nil, `"1"`)) })
		racing.Go(func() { again = place.Do(t, another(t, place), onOne(deleteRoute, "root", id, nil, `"1"`)) })
		racing.Wait()
		done := 0
		for _, a := range []fixture.Answer{edited, deleted, again} {
			switch a.Status {
			case 200:
				done++
			case 404, 412:
			default:
				t.Errorf("T3 round %d: %d %s", round, a.Status, a.Body)
			}
		}
		if done != 1 {
			t.Errorf("T3 round %d: %d of three were done: %d %d %d", round, done, edited.Status, deleted.Status, again.Status)
		}
	}
}

func TestASweepLeavesNothingBehind(t *testing.T) {
	store, place, f := openStore(t)
	dead := place.User(t, "coach").Assignments[0].Role
	for _, u := range []string{"nurse", "doctor"} {
		expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", u, "coach", nil)), 200, "")
	}
	lost(t, place.Do(t, f, onOne(deleteRoute, "root", "coach", nil, `"1"`)))
	sweeper := role.NewSweeper(store, place.Clock.Now)
	if n, err := sweeper.Run(t.Context(), []string{fixture.Organization}); n != 0 || err != nil {
		t.Errorf("%d were swept while the deletion may still be counting, %v", n, err)
	}
	// The id is used again, and one who held the old role holds the new one.
	expect(t, "R14", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "coach"})}), 201, "")
	expect(t, "R14", place.Do(t, f, onRole(assignRoute, "root", "nurse", "coach", nil)), 200, "")
	told := len(entries(t, store, timeline.Assignment))

	place.Clock.Advance(2 * time.Minute)
	n, err := sweeper.Run(t.Context(), []string{fixture.Organization})
	if n != 2 || err != nil {
		t.Errorf("%d were swept, %v; coach and doctor held it", n, err)
	}
	for user, want := range map[string]int{"coach": 0, "doctor": 1, "nurse": 2} {
		if held := place.User(t, user).Assignments; len(held) != want || slices.ContainsFunc(held, func(a directory.Assignment) bool { return a.Role == dead }) {
			t.Errorf("%s is left with %+v", user, held)
		}
	}
	if ids, _, err := store.MemberIDs(t.Context(), fixture.Organization, dead, directory.Page{}); len(ids) > 0 || err != nil {
		t.Errorf("members %v are left, %v", ids, err)
	}
	if left, err := store.DeadRoles(t.Context(), fixture.Organization); len(left) > 0 || err != nil {
		t.Errorf("%v are left, %v", left, err)
	}
	if after := len(entries(t, store, timeline.Assignment)); after != told {
		t.Errorf("%d entries tell of the sweep", after-told)
	}
	if n, err := sweeper.Run(t.Context(), []string{fixture.Organization}); n != 0 || err != nil {
		t.Errorf("a second sweep swept %d, %v", n, err)
	}
	if n := lost(t, place.Do(t, f, onOne(deleteRoute, "root", "coach", nil, "*"))); n != 1 {
		t.Errorf("R14 %d lose the new role; nurse does", n)
	}
}

// TestASweepNeverTakesWhatIsGivenAnew races sweeps with assignments of a new
// role under the old id, and with other changes of the same users.
func TestASweepNeverTakesWhatIsGivenAnew(t *testing.T) {
	store, place, f := openStore(t)
	users := []string{"nurse", "doctor", "lead", "support", "local", "director"}
	for round := range 3 {
		for _, u := range users {
			expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", u, "coach", nil)), 200, "")
		}
		lost(t, place.Do(t, f, onOne(deleteRoute, "root", "coach", nil, "*")))
		expect(t, "R14", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "coach", "name": fmt.Sprint("c", round)})}), 201, "")
		place.Clock.Advance(2 * time.Minute)
		var racing sync.WaitGroup
		for range 2 {
			racing.Go(func() {
				if _, err := role.NewSweeper(place.Open(), place.Clock.Now).Run(t.Context(), []string{fixture.Organization}); err != nil {
					t.Error(err)
				}
			})
		}
		for _, u := range users {
			racing.Go(func() {
				expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", u, "coach", nil)), 200, "")
				expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", u, "pharmacy", nil)), 200, "")
			})
		}
		racing.Wait()
		for range 2 {
			if _, err := role.NewSweeper(store, place.Clock.Now).Run(t.Context(), []string{fixture.Organization}); err != nil {
				t.Fatal(err)
			}
		}
		c := place.Caller(t, "root", directory.Keys{Users: users})
		live, _ := c.Model.Role("coach")
		for _, u := range users {
			if _, holds := c.Holds(c.Users[u], live.RoleRef); !holds || len(c.Shown(c.Users[u]).Assignments) != len(c.Users[u].Assignments) {
				t.Fatalf("R14 round %d: %s is left with %+v", round, u, c.Users[u].Assignments)
			}
		}
		ids, _, err := store.MemberIDs(t.Context(), fixture.Organization, live.RoleRef, directory.Page{})
		if want := slices.Sorted(slices.Values(users)); err != nil || !slices.Equal(ids, want) {
			t.Fatalf("R14 round %d: members %v, %v", round, ids, err)
		}
	}
}

// TestI6TheActorsOwnRolesInASession: to change or delete a role that the actor
// holds is to change the actor's own roles; any other role both may change.
func TestI6TheActorsOwnRolesInASession(t *testing.T) {
	store, place, f := openStore(t)
	place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "designer"}, Name: "Designer", Admin: authz.Admin{Roles: true}}})
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "support", "designer", nil)), 200, "")
	session := begin(t, store, place, "support", "root")
	do := func(c fixture.Call) fixture.Answer {
		c.Session = session
		return place.Do(t, f, c)
	}
	wider := roleBody(map[string]any{"name": "Designer", "admin": map[string]any{"globalUserAdministrator": map[string]any{}, "roleAdministrator": true}})
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"I6 changed", onOne(putRoute, "support", "designer", wider, "*"), 403, "own_roles_in_session"},
		{"I6 deleted", onOne(deleteRoute, "support", "designer", nil, "*"), 403, "own_roles_in_session"},
		{"I6 a change foreseen", onOne(impactRoute, "support", "designer", wider, ""), 403, "own_roles_in_session"},
		{"I6 a deletion foreseen", onOne(impactRoute, "support", "designer", nil, ""), 403, "own_roles_in_session"},
		{"another foreseen", onOne(impactRoute, "support", "coach", nil, ""), 200, ""},
		{"another that the actor does not hold", onOne(putRoute, "support", "coach", roleBody(map[string]any{"name": "CI coach"}), "*"), 200, ""},
		{"and deleted", onOne(deleteRoute, "support", "coach", nil, "*"), 200, ""},
		{"a clone, which nobody holds", onOne("POST /v1/roles/{id}/clone", "support", "designer", map[string]any{"name": "Two"}, ""), 201, ""},
	} {
		expect(t, c.rule, do(c.call), c.status, c.code)
	}
	e := entries(t, store, timeline.Role)
	denied := slices.DeleteFunc(e, func(e timeline.Entry) bool { return !e.Denied })
	ours := func(e timeline.Entry) bool {
		return e.Cause == "own_roles_in_session" && e.Target.ID == "designer" && e.Impersonator.ID == "support"
	}
	if len(denied) != 4 || slices.ContainsFunc(denied, func(e timeline.Entry) bool { return !ours(e) }) {
		t.Errorf("T1 denied attempts: %+v", denied)
	}
	end(t, store, place, "support", session)
	expect(t, "outside a session", place.Do(t, f, onOne(putRoute, "support", "designer", wider, "*")), 200, "")
}
