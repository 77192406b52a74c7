package endpoints_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

func TestCreatingAUser(t *testing.T) {
	w := openPeople(t)
	for _, c := range []struct {
		rule, as, id string
		body         any
		status       int
		code         string
		pointer      string
	}{
		{"R10 create_users", "root", "new-1", wanted("new-1", nil), 201, "", ""},
		{"R12 inside the reach of a local administrator", "local", "new-2", wanted("new-2", at("icu", "surgery")), 201, "", ""},
		{"R12 one location outside the reach", "local", "new-3", wanted("new-3", at("icu", "ward")), 403, "denied", ""},
		{"T4 without create_users there is nobody", "support", "new-3", wanted("new-3", nil), 404, "not_found", ""},
		{"T4 a plain user", "nurse", "new-3", wanted("new-3", nil), 404, "not_found", ""},
		{"T4 a taken id outside the reach", "local", "doctor", wanted("doctor", object{"username": "other"}), 409, "id_taken", ""},
		{"T4 … also at a location that the two share", "local", "shared", wanted("shared", object{"username": "other"}), 409, "id_taken", ""},
		{"R12 … is not told where the location is refused", "local", "doctor", wanted("doctor", at("ward")), 403, "denied", ""},
		{"T4 … nor to who creates nobody", "support", "nobody", wanted("nobody", nil), 404, "not_found", ""},
		{"U1 a taken username", "root", "new-3", wanted("new-3", object{"username": "nurse"}), 409, "username_taken", ""},
		{"U1 … in another case", "root", "new-3", wanted("new-3", object{"username": "NURSE"}), 409, "username_taken", ""},
		{"U1 an e-mail may be shared", "root", "new-4", wanted("new-4", object{"email": "nurse@riverside.example"}), 201, "", ""},
		{"U1 no e-mail", "root", "new-5", wanted("new-5", object{"email": nil}), 201, "", ""},
		{"U2 any type", "root", "new-6", wanted("new-6", object{"type": "setup"}), 201, "", ""},
		{"U1 no locations", "root", "new-7", wanted("new-7", at()), 400, "malformed", "/locations"},
		{"U1 26 locations", "root", "new-7", wanted("new-7", object{"locations": strings.Split("abcdefghijklmnopqrstuvwxyz", "")}), 400, "malformed", "/locations"},
		{"U1 one location twice", "root", "new-7", wanted("new-7", at("icu", "icu")), 400, "malformed", "/locations/1"},
		{"U3 an unknown location", "root", "new-7", wanted("new-7", at("icu", "moon")), 422, "invalid_user", "/locations/1"},
		{"U3 … for a local administrator", "local", "new-7", wanted("new-7", at("icu", "moon")), 422, "invalid_user", "/locations/1"},
		{"U3 nothing but an unknown location", "local", "new-7", wanted("new-7", at("moon")), 422, "invalid_user", "/locations/0"},
		{"a name of 10,000 characters", "root", "new-7", wanted("new-7", object{"name": strings.Repeat("n", 10_000)}), 400, "malformed", "/name"},
		{"T5 a line break in an address", "root", "new-7", wanted("new-7", object{"email": "a@b.example\r\nbcc: x@y.example"}), 400, "malformed", "/email"},
		{"an unknown type", "root", "new-7", wanted("new-7", object{"type": "boss"}), 400, "malformed", "/type"},
		{"an unknown member", "root", "new-7", wanted("new-7", object{"password": "x"}), 400, "malformed", "/password"},
		{"another id", "root", "new-7", wanted("new-7", object{"id": "new-8"}), 422, "id_mismatch", "/id"},
		{"a persona", "root", "new-7", wanted("new-7", object{"persona": "leader"}), 422, "invalid_user", "/persona"},
		{"roles", "root", "new-7", wanted("new-7", object{"roles": []object{{"role": "staff"}}}), 422, "invalid_user", "/roles"},
		{"internal", "root", "new-7", wanted("new-7", object{"internal": true}), 422, "invalid_user", "/internal"},
		{"a sign-in", "root", "new-7", wanted("new-7", object{"signIn": "enabled"}), 422, "invalid_user", "/signIn"},
		{"a version", "root", "new-7", wanted("new-7", object{"version": 1}), 422, "invalid_user", "/version"},
		{"what is none of them", "root", "new-7", wanted("new-7", object{"persona": "", "version": 0, "internal": false, "roles": []object{}, "signIn": "none"}), 400, "malformed", "/persona"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.id == "shared" && c.code != "" {
				w.AddUser(t, directory.User{ID: "shared", Name: "S", Username: "shared", Type: authz.General, Locations: []string{"icu", "ward"}})
			}
			a := w.ask(t, putRoute, c.as, c.id, c.body)
			isAnswered(t, c.rule, a, c.status, c.code)
			if c.pointer != "" && !slices.Contains(a.Pointers(t), c.pointer) {
				t.Errorf("%s: pointers %q, want %q", c.rule, a.Pointers(t), c.pointer)
			}
		})
	}
	isAnswered(t, "T3 nothing refused was kept", w.ask(t, getRoute, "root", "new-7", nil), 404, "not_found")
	isAnswered(t, "T3", w.ask(t, getRoute, "root", "new-3", nil), 404, "not_found")
}

func TestWhatIsCreated(t *testing.T) {
	w := openPeople(t)
	body := wanted("new", object{"persona": nil, "internal": false, "roles": []object{}, "signIn": "none", "locations": []string{"ward", "icu"}})
	body["persona"] = nil // null is the absence that a read shows
	a := w.ask(t, putRoute, "root", "new", body, "if-none-match", "*")
	isAnswered(t, "U1", a, 201, "")
	read := w.ask(t, getRoute, "root", "new", nil)
	if read.Body != a.Body || read.Header["etag"] != `"1"` || a.Header["etag"] != `"1"` {
		t.Errorf("created %s, read %s", a.Body, read.Body)
	}
	got := a.JSON(t)
	for member, want := range (object{"id": "new", "type": "general", "internal": false, "persona": nil, "signIn": "none", "version": 1.0}) {
		if got[member] != want {
			t.Errorf("U1 %s is %v, want %v", member, got[member], want)
		}
	}
	e := w.last(t, "new")
	if e.Type != timeline.User || e.Action != "create" || e.Subject.ID != "root" || e.After["username"] != "new" || len(e.Before) != 0 {
		t.Errorf("T1 the entry %+v", e)
	}
	w.adjacent(t, "new")
	isAnswered(t, "it is there already", w.ask(t, putRoute, "root", "new", body, "if-none-match", "*"), 412, "stale")
	isAnswered(t, "it exists", w.ask(t, putRoute, "root", "new", body), 428, "precondition_required")
	isAnswered(t, "nobody of that version", w.ask(t, putRoute, "root", "newer", wanted("newer", nil), "if-match", `"1"`), 412, "stale")
	isAnswered(t, "T4 nobody that one knows of", w.ask(t, putRoute, "local", "doctor", wanted("doctor", object{"username": "x"}), "if-match", `"1"`), 412, "stale")
}

func TestReplacingAUser(t *testing.T) {
	w := openPeople(t)
	w.AddUser(t, directory.User{ID: "outside", Name: "Out Side", Username: "outside", Type: authz.General, Locations: []string{"icu", "ward"}}, "staff")
	for _, c := range []struct {
		rule, as, id string
		change       object
		status       int
		code         string
		pointer      string
	}{
		{"R11 a global administrator", "root", "nurse", object{"name": "Nina Night"}, 200, "", ""},
		{"R11 a local administrator", "local", "nurse", object{"name": "Nina Nurse"}, 200, "", ""},
		{"R12 a location inside the reach", "local", "nurse", at("icu", "surgery"), 200, "", ""},
		{"R12 a location outside the reach", "local", "nurse", at("icu", "ward"), 403, "denied", ""},
		{"R11 all locations: out of reach, and creating is refused", "local", "outside", at("icu"), 409, "id_taken", ""},
		{"R11 support administers everybody, creating nobody", "support", "nurse", object{"name": "Nina"}, 200, "", ""},
		{"R11 oneself is no administrator of oneself", "nurse", "nurse", object{"name": "Nina Queen"}, 403, "denied", ""},
		{"T4 a stranger", "nurse", "doctor", object{"name": "Dan"}, 404, "not_found", ""},
		{"U1 a taken username", "root", "kiosk", object{"username": "Nurse"}, 409, "username_taken", ""},
		{"U1 one's own in another case", "root", "kiosk", object{"username": "KIOSK"}, 200, "", ""},
		{"U1 a username that is free", "root", "kiosk", object{"username": "lobby"}, 200, "", ""},
		{"U1 … and the one before is free again", "root", "taker", wanted("taker", object{"username": "kiosk"}), 201, "", ""},
		{"with a sign-in the username stays", "root", "doctor", object{"username": "dan"}, 422, "invalid_user", "/username"},
		{"U3 an unknown location", "root", "doctor", at("ward", "moon"), 422, "invalid_user", "/locations/1"},
		{"U1 inactive", "root", "coach", object{"type": "inactive"}, 200, "", ""},
		{"U1 and back", "root", "coach", object{"type": "general"}, 200, "", ""},
		{"R13 the last full administrator's type", "root", "root", object{"type": "capture"}, 422, "last_full_administrator", ""},
		{"another persona", "root", "lead", object{"persona": "champion"}, 422, "invalid_user", "/persona"},
		{"no persona", "root", "lead", object{"persona": nil}, 422, "invalid_user", "/persona"},
		{"no roles", "root", "lead", object{"roles": []object{}}, 422, "invalid_user", "/roles"},
		{"another sign-in", "root", "lead", object{"signIn": "none"}, 422, "invalid_user", "/signIn"},
		{"another version", "root", "lead", object{"version": 7}, 422, "invalid_user", "/version"},
		{"internal staff", "root", "lead", object{"internal": true}, 422, "invalid_user", "/internal"},
		{"and internal staff stays so", "root", "vendor", object{"internal": false}, 422, "invalid_user", "/internal"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			read := w.ask(t, getRoute, "root", c.id, nil)
			body := c.change
			var headers []string
			if read.Status == 200 {
				body = read.JSON(t)
				maps.Copy(body, c.change)
				headers = []string{"if-match", read.Header["etag"]}
				if c.code == "id_taken" {
					headers, body = nil, wanted(c.id, c.change)
				}
			}
			a := w.ask(t, putRoute, c.as, c.id, body, headers...)
			isAnswered(t, c.rule, a, c.status, c.code)
			if c.pointer != "" && !slices.Equal(a.Pointers(t), []string{c.pointer}) {
				t.Errorf("%s: pointers %q, want %q", c.rule, a.Pointers(t), c.pointer)
			}
			if c.status < 300 {
				w.adjacent(t, c.id)
			}
		})
	}
}

func TestWhatGetGaveMayBePutBack(t *testing.T) {
	w := openPeople(t)
	for _, id := range []string{"root", "nurse", "vendor", "kiosk", "lead"} {
		read := w.ask(t, getRoute, "root", id, nil)
		a := w.ask(t, putRoute, "root", id, read.Body, "if-match", read.Header["etag"])
		isAnswered(t, id, a, 200, "")
		if a.Body != read.Body || a.Header["etag"] != read.Header["etag"] {
			t.Errorf("%s was put back and is %s, not %s", id, a.Body, read.Body)
		}
	}
	read := w.ask(t, getRoute, "root", "nurse", nil)
	isAnswered(t, "no If-Match", w.ask(t, putRoute, "root", "nurse", read.Body), 428, "precondition_required")
	isAnswered(t, "it must not be there", w.ask(t, putRoute, "root", "nurse", read.Body, "if-none-match", "*"), 412, "stale")
	isAnswered(t, "any version", w.ask(t, putRoute, "root", "nurse", wanted("nurse", nil), "if-match", "*"), 200, "")
	isAnswered(t, "T3 a version that is gone", w.ask(t, putRoute, "root", "nurse", wanted("nurse", nil), "if-match", read.Header["etag"]), 412, "stale")
	isAnswered(t, "only members that are its own calls' are left out", w.ask(t, putRoute, "root", "lead", wanted("lead", at("surgery")), "if-match", "*"), 200, "")
	lead := w.User(t, "lead")
	if lead.Persona != directory.Leader || len(lead.Assignments) != 2 || lead.SignIn != directory.Enabled {
		t.Errorf("what was left out changed: %+v", lead)
	}
}

// R5 a location that the user leaves leaves the limit, and an assignment whose
// limit is emptied so ends.
func TestR5LeavingALocation(t *testing.T) {
	w := openPeople(t)
	births := map[string]uint64{}
	for _, r := range w.Caller(t, "root", directory.Keys{}).Model.Policy().Roles {
		births[r.ID] = r.Birth
	}
	limited := func(role string, locations ...string) directory.Assignment {
		return directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: role, Birth: births[role]}, Locations: locations}, By: "root", Since: fixture.Start}
	}
	w.AddUser(t, directory.User{
		ID: "mover", Name: "Mo Ver", Username: "mover", Type: authz.General, Locations: []string{"icu", "ward", "surgery"},
		Assignments: []directory.Assignment{limited("staff", "icu", "ward"), limited("unit-lead", "ward"), limited("coach"), limited("pharmacy")},
	})
	isAnswered(t, "R5", w.ask(t, putRoute, "root", "mover", wanted("mover", at("surgery", "icu")), "if-match", "*"), 200, "")
	w.adjacent(t, "mover")
	var left []string
	for _, a := range w.User(t, "mover").Assignments {
		left = append(left, fmt.Sprint(a.Role.ID, a.Locations))
	}
	if want := []string{"staff[icu]", "coach[]", "pharmacy[]"}; !slices.Equal(left, want) {
		t.Errorf("R5 left %v, want %v", left, want)
	}
	e := w.last(t, "mover")
	if got := fmt.Sprint(e.Before["roles"], e.After["roles"]); got != "[map[locations:[icu ward] role:staff] map[locations:[ward] role:unit-lead]] [map[locations:[icu] role:staff]]" {
		t.Errorf("T1 the entry tells %s", got)
	}
	isAnswered(t, "another order is no change", w.ask(t, putRoute, "root", "mover", wanted("mover", at("icu", "surgery")), "if-match", "*"), 200, "")
	if v := w.User(t, "mover").Version; v != 2 {
		t.Errorf("another order of the locations wrote version %d", v)
	}
}

// R13 an assignment that ends because its holder leaves counts as a loss.
func TestR13TheLastAdministratorMayNotLeave(t *testing.T) {
	w := openPeople(t)
	root := w.Caller(t, "root", directory.Keys{}).Subject
	a := root.Assignments[0]
	a.Locations = []string{"hospital"}
	limited := root
	limited.Assignments = []directory.Assignment{a}
	c := w.Caller(t, "root", directory.Keys{})
	if err := w.store.PutUser(t.Context(), c.Basis(root), directory.UserChange{Before: root, After: limited, Entry: c.Entry(timeline.Assignment, "limit", timeline.Target{Type: "user", ID: "root"})}); err != nil {
		t.Fatal(err)
	}
	isAnswered(t, "R13", w.ask(t, putRoute, "root", "root", wanted("root", at("clinic")), "if-match", "*"), 422, "last_full_administrator")
	isAnswered(t, "R13 to stay there, too", w.ask(t, putRoute, "root", "root", wanted("root", at("clinic", "hospital")), "if-match", "*"), 200, "")
}

// R13 a full administration that ends with its limit is lost also when its holder
// has another: whoever is about to take that one counts on this one, and has to
// find that the guard moved.
func TestR13AnAdministrationEndsBesideAnother(t *testing.T) {
	w := openPeople(t)
	other := w.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "other"}, Name: "Other", Admin: authz.Admin{
		Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}, Roles: true,
	}}})
	root := w.Caller(t, "root", directory.Keys{}).Subject
	both := root
	limited, plain := root.Assignments[0], root.Assignments[0]
	limited.Locations, plain.Role = []string{"hospital"}, other
	both.Assignments = []directory.Assignment{limited, plain}
	c := w.Caller(t, "root", directory.Keys{})
	if err := w.store.PutUser(t.Context(), c.Basis(root), directory.UserChange{Before: root, After: both, Entry: c.Entry(timeline.Assignment, "limit", timeline.Target{Type: "user", ID: "root"})}); err != nil {
		t.Fatal(err)
	}
	var left atomic.Bool
	slow := w.Open(func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(operation string, _ any, next func() (any, error)) (any, error) {
			if operation == "TransactWriteItems" && !left.Swap(true) {
				isAnswered(t, "R5", w.ask(t, putRoute, "root", "root", wanted("root", at("clinic")), "if-match", "*"), 200, "")
			}
			return next()
		}))
	})
	admin := w.Caller(t, "local", directory.Keys{})
	_, err := role.New(slow).Delete(t.Context(), admin, "other", directory.Precondition{Match: true, Any: true})
	if !fault.IsRaced(err) || !left.Load() {
		t.Errorf("R13 the role of the last full administrator is deleted: %v", err)
	}
}

// T3 more assignments end with a location than one transaction can take: that is
// refused for what it is, and nothing is half done.
func TestMoreThanATransactionTakes(t *testing.T) {
	w := openPeople(t)
	full := directory.User{ID: "full", Name: "Fu Ll", Username: "full", Type: authz.General, Locations: []string{"icu", "ward"}}
	w.AddUser(t, full)
	var roles []role.Role
	for i := range 120 {
		roles = append(roles, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("r", i)}, Name: fmt.Sprint("Role ", i)}})
	}
	if _, err := w.store.CreatePolicy(t.Context(), fixture.Organization, dynamo.Policy{Roles: roles}, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	c := w.Caller(t, "root", directory.Keys{})
	for part := range slices.Chunk(roles, 60) {
		before := w.User(t, "full")
		after := before
		for _, r := range part {
			named, _ := c.Model.Role(r.ID)
			after.Assignments = append(after.Assignments, directory.Assignment{Assignment: authz.Assignment{Role: named.RoleRef, Locations: []string{"ward"}}, By: "root", Since: fixture.Start})
		}
		if err := w.store.PutUser(t.Context(), c.Basis(before), directory.UserChange{Before: before, After: after, Entry: c.Entry(timeline.Assignment, "assign", timeline.Target{Type: "user", ID: "full"})}); err != nil {
			t.Fatal(err)
		}
	}
	isAnswered(t, "R5", w.ask(t, putRoute, "root", "full", wanted("full", at("icu")), "if-match", "*"), 422, "too_much_at_once")
	if u := w.User(t, "full"); len(u.Assignments) != 120 || len(u.Locations) != 2 {
		t.Errorf("T3 %d roles at %v", len(u.Assignments), u.Locations)
	}
	w.adjacent(t, "full")
}

// R12 with localReach any a user is reached by one location; what is given lies
// inside the reach all the same.
func TestR12AnyReachGivesNoLocationOutside(t *testing.T) {
	w := openPeople(t)
	w.AddUser(t, directory.User{ID: "outside", Name: "Out Side", Username: "outside", Type: authz.General, Locations: []string{"icu", "ward"}})
	c := w.Caller(t, "local", directory.Keys{Users: []string{"outside"}})
	c.Model = c.Model.With(authz.Change{Settings: &authz.Settings{LocalReach: authz.ReachAny}})
	for _, put := range []struct {
		rule      string
		locations []string
		allowed   bool
	}{
		{"R12 more inside", []string{"icu", "ward", "surgery"}, true},
		{"R12 more outside", []string{"icu", "ward", "clinic"}, false},
		{"R11 what was there outside may stay", []string{"ward"}, true},
		{"R11 or go", []string{"icu"}, true},
	} {
		action, target := c.PutTarget(directory.User{ID: "outside", Locations: put.locations})
		if d := c.Decide(action, target); d.Allowed != put.allowed {
			t.Errorf("%s: %s %v", put.rule, action, d)
		}
	}
}

func TestT3TwoEditsOfOneVersion(t *testing.T) {
	w := openPeople(t)
	var wait sync.WaitGroup
	statuses := make([]int, 4)
	for i := range statuses {
		wait.Go(func() {
			statuses[i] = w.ask(t, putRoute, "root", "nurse", wanted("nurse", object{"name": fmt.Sprint("Nurse ", i)}), "if-match", `"1"`).Status
		})
	}
	wait.Wait()
	slices.Sort(statuses)
	if !slices.Equal(statuses, []int{200, 412, 412, 412}) {
		t.Errorf("T3 four edits of one version: %v", statuses)
	}
}

// U1 of several who want a username, or an id, at once one gets it.
func TestU1Races(t *testing.T) {
	w := openPeople(t)
	for round := range 5 {
		var wait sync.WaitGroup
		statuses, ids := make([]int, 4), make([]int, 4)
		for i := range statuses {
			wait.Go(func() {
				id, name := fmt.Sprintf("u%d-%d", round, i), fmt.Sprintf("Name-%d", round)
				if i%2 == 0 {
					name = strings.ToUpper(name)
				}
				statuses[i] = w.ask(t, putRoute, "root", id, wanted(id, object{"username": name})).Status
			})
			wait.Go(func() {
				id := fmt.Sprint("id-", round)
				ids[i] = w.ask(t, putRoute, "root", id, wanted(id, object{"username": fmt.Sprintf("id-%d-%d", round, i)}), "if-none-match", "*").Status
			})
		}
		wait.Wait()
		slices.Sort(statuses)
		slices.Sort(ids)
		if !slices.Equal(statuses, []int{201, 409, 409, 409}) || !slices.Equal(ids, []int{201, 412, 412, 412}) {
			t.Fatalf("U1 round %d: one username %v, one id %v", round, statuses, ids)
		}
		for i := range statuses {
			name := fmt.Sprintf("id-%d-%d", round, i)
			free := w.ask(t, putRoute, "root", name, wanted(name, nil))
			if owned := w.User(t, fmt.Sprint("id-", round)).Username == name; (free.Status == 409) != owned {
				t.Errorf("T3 a lost race kept the username %s: %d", name, free.Status)
			}
		}
	}
}
