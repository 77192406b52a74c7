package endpoints_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	rolefn "gemba/functions/role/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// person adds a user of the hospital without a sign-in.
func (w *world) person(t *testing.T, id string, kind authz.UserType, roles ...string) {
	t.Helper()
	w.AddUser(t, directory.User{ID: id, Name: "The " + id, Email: id + "@riverside.example", Username: id, Type: kind, Locations: []string{"icu"}}, roles...)
}

func TestSignIn(t *testing.T) {
	w := openPeople(t)
	for _, kind := range []authz.UserType{authz.General, authz.Capture, authz.Wallboard, authz.Kiosk, authz.Offline, authz.Setup, authz.Inactive} {
		w.person(t, "a-"+kind.String(), kind)
	}
	w.AddUser(t, directory.User{ID: "a-poor", Name: "P", Username: "a-poor", Type: authz.General, Locations: []string{"icu"}})
	w.person(t, "far", authz.General)
	w.pool.Set("far", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("doctor"), Email: "far@riverside.example", Enabled: true}})
	for _, c := range []struct {
		rule, route, as, user string
		body                  any
		headers               []string
		status                int
		code, signIn          string
	}{
		{"U2 general is invited", enableRoute, "root", "a-general", object{}, nil, 200, "", "invited"},
		{"again: nothing changes", enableRoute, "root", "a-general", nil, nil, 200, "", "invited"},
		{"R11 by a local administrator", enableRoute, "local", "a-capture", object{}, nil, 200, "", "invited"},
		{"U2 wallboard", enableRoute, "root", "a-wallboard", object{}, nil, 200, "", "invited"},
		{"U2 kiosk", enableRoute, "root", "a-kiosk", object{}, nil, 422, "sign_in_not_allowed", ""},
		{"U2 offline", enableRoute, "root", "a-offline", object{}, nil, 422, "sign_in_not_allowed", ""},
		{"U2 setup", enableRoute, "root", "a-setup", object{}, nil, 422, "sign_in_not_allowed", ""},
		{"U2 inactive", enableRoute, "root", "a-inactive", object{}, nil, 422, "sign_in_not_allowed", ""},
		{"an invitation needs an address", enableRoute, "root", "a-poor", object{}, nil, 422, "email_needed", ""},
		{"an account that is somebody else's", enableRoute, "root", "far", object{}, nil, 409, "sign_in_taken", ""},
		{"R11 oneself", enableRoute, "nurse", "nurse", object{}, nil, 403, "denied", ""},
		{"T4 others", enableRoute, "nurse", "doctor", object{}, nil, 404, "not_found", ""},
		{"T4 outside the reach", disableRoute, "local", "doctor", nil, nil, 404, "not_found", ""},
		{"T4 nobody", disableRoute, "root", "nobody", nil, nil, 404, "not_found", ""},
		{"an unknown member", enableRoute, "root", "a-general", object{"password": "x"}, nil, 400, "malformed", ""},
		{"a stale If-Match is heeded", disableRoute, "root", "a-general", nil, []string{"if-match", `"1"`}, 412, "stale", ""},
		{"disabled", disableRoute, "root", "a-general", nil, []string{"if-match", `"2"`}, 200, "", "disabled"},
		{"again: nothing changes", disableRoute, "root", "a-general", nil, nil, 200, "", "disabled"},
		{"never used: invited again", enableRoute, "root", "a-general", object{}, nil, 200, "", "invited"},
		{"U2 any type can be disabled", disableRoute, "root", "inactive", nil, nil, 200, "", "disabled"},
		{"who has none", disableRoute, "root", "a-kiosk", nil, nil, 404, "not_found", ""},
		{"R13 the last full administrator", disableRoute, "root", "root", nil, nil, 422, "last_full_administrator", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			before := directory.User{}
			if c.user != "nobody" {
				before = w.User(t, c.user)
			}
			a := w.ask(t, c.route, c.as, c.user, c.body, c.headers...)
			isAnswered(t, c.rule, a, c.status, c.code)
			if c.status == 200 {
				u := w.User(t, c.user)
				if a.Body != fmt.Sprintf(`{"signIn":%q}`, c.signIn) || a.Header["etag"] != fmt.Sprintf("%q", fmt.Sprint(u.Version)) || u.SignIn.String() != c.signIn {
					t.Errorf("%s: %s %s of a user %s", c.rule, a.Header["etag"], a.Body, u.SignIn)
				}
				if account := w.pool.Account(u.Username); account.Enabled != u.SignIn.Usable() && account.Sub != "" || u.Untold {
					t.Errorf("%s: the pool has %+v of %s, untold %v", c.rule, account, u.SignIn, u.Untold)
				}
			} else if c.user != "nobody" && w.User(t, c.user).Version != before.Version {
				t.Errorf("T3 %s changed something", c.rule)
			}
		})
	}
	if a := w.pool.Account("a-general"); a.Invitations != 2 || a.Sub != w.User(t, "a-general").Sub {
		t.Errorf("%d invitations were mailed, want 2", a.Invitations)
	}
	if a := w.pool.Account("far"); a.Invitations != 0 || a.Email != "far@riverside.example" {
		t.Errorf("somebody else's account was touched: %+v", a)
	}
	e := w.last(t, "a-general")
	if e.Type != timeline.SignIn || e.Action != "invite" || fmt.Sprint(e.Before, e.After) != "map[signIn:disabled] map[signIn:invited]" {
		t.Errorf("T1 the entry is %+v", e)
	}
}

// Who is invited has a token that means them, who is disabled is out with the
// token they have, and back with it when they are enabled.
func TestDisabledIsOutAtOnce(t *testing.T) {
	w := openPeople(t)
	w.person(t, "new", authz.General)
	isAnswered(t, "not yet", w.ask(t, getRoute, "new", "new", nil), 401, "unknown_sign_in")
	isAnswered(t, "invite", w.ask(t, enableRoute, "root", "new", object{}), 200, "")
	isAnswered(t, "in", w.ask(t, getRoute, "new", "new", nil), 200, "")
	w.pool.Set("new", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("new"), Email: "new@riverside.example", Confirmed: true, Enabled: true}})
	if a := w.ask(t, enableRoute, "root", "new", object{}); a.Body != `{"signIn":"enabled"}` {
		t.Errorf("who has a password of their own is %s", a.Body)
	}
	isAnswered(t, "disable", w.ask(t, disableRoute, "root", "new", nil), 200, "")
	isAnswered(t, "out", w.ask(t, getRoute, "new", "new", nil), 401, "sign_in_disabled")
	if a := w.ask(t, enableRoute, "root", "new", object{}); a.Body != `{"signIn":"enabled"}` {
		t.Errorf("enabled again is %s", a.Body)
	}
	isAnswered(t, "in again", w.ask(t, getRoute, "new", "new", nil), 200, "")
	if n := w.pool.Account("new").Invitations; n != 0 {
		t.Errorf("who has a password was invited %d times", n)
	}
	c := w.Caller(t, "root", directory.Keys{Users: []string{"new"}})
	inactive := wanted("new", object{"type": "inactive"})
	isAnswered(t, "U2 inactive", w.ask(t, putRoute, "root", "new", inactive, "if-match", fmt.Sprintf("%q", fmt.Sprint(c.Users["new"].Version))), 200, "")
	isAnswered(t, "U2 out by the type", w.ask(t, getRoute, "new", "new", nil), 401, "sign_in_disabled")
	if !w.pool.Account("new").Enabled {
		t.Error("the type touched the account")
	}
}

// A user who changes address has it in the pool, too.
func TestTheAddressGoesToThePool(t *testing.T) {
	w := openPeople(t)
	put := func(id string, change object) {
		t.Helper()
		body := wanted(id, change)
		body["locations"] = w.User(t, id).Locations
		isAnswered(t, id, w.ask(t, putRoute, "root", id, body, "if-match", "*"), 200, "")
	}
	put("nurse", object{"email": "n@riverside.example"})
	if a, u := w.pool.Account("nurse"), w.User(t, "nurse"); a.Email != "n@riverside.example" || u.Untold {
		t.Errorf("%+v, untold %v", a, u.Untold)
	}
	w.pool.Asked()
	put("nurse", object{"email": "n@riverside.example", "name": "Nina Night"})
	put("pharmacist", object{"email": "nurse@riverside.example"}) // who has no account in this pool
	put("doctor", object{"email": nil})
	if a := w.pool.Account("doctor"); a.Email != "" {
		t.Errorf("an address that was taken away: %+v", a)
	}
	if asked := w.pool.Asked(); !slices.Equal(asked, []string{"Find", "Find", "SetEmail"}) {
		t.Errorf("the pool was asked to %v", asked)
	}
}

// TestR13AdministratorsWhoGoAtOnce: two full administrators disable each other's
// sign-in, deactivate each other, take each other's role or do that to
// themselves, and one stays.
func TestR13AdministratorsWhoGoAtOnce(t *testing.T) {
	const rounds = 18 // all pairs of ways, by themselves and by each other, three times
	both := []string{"root", "second"}
	w := openPeople(t)
	w.AddUser(t, directory.User{ID: "second", Name: "Sec Ond", Email: "second@riverside.example", Username: "second", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")}, "administrator")
	w.pool.Set("second", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("second"), Email: "second@riverside.example", Confirmed: true, Enabled: true}})
	body := func(id, kind string) object {
		return wanted(id, object{"type": kind, "locations": []string{"hospital"}})
	}
	roles := rolefn.New(w.Deps(t, nil), w.store)
	onRole := func(route, by, who string) fixture.Answer {
		return w.Do(t, roles, fixture.Call{Route: route + " /v1/users/{id}/roles/{role}", As: by, Path: map[string]string{"id": who, "role": "administrator"}})
	}
	goes := []func(by, who string) fixture.Answer{
		func(by, who string) fixture.Answer { return onRole("DELETE", by, who) },
		func(by, who string) fixture.Answer { return w.ask(t, disableRoute, by, who, nil) },
		func(by, who string) fixture.Answer {
			return w.ask(t, putRoute, by, who, body(who, "inactive"), "if-match", "*")
		},
	}
	refused := 0
	for round := range rounds {
		var wait sync.WaitGroup
		answers := make([]fixture.Answer, 2)
		for i, who := range both {
			by := both[(i+round)%2] // oneself, then each other
			wait.Go(func() { answers[i] = goes[(i*(round/2)+round)%3](by, who) })
		}
		wait.Wait()
		left := slices.DeleteFunc(slices.Clone(both), func(id string) bool {
			u := w.User(t, id)
			_, holds := u.Assignment("administrator")
			return !u.SignIn.Usable() || u.Type != authz.General || !holds
		})
		if len(left) != 1 {
			t.Fatalf("R13 round %d: %v are left: %d and %d", round, left, answers[0].Status, answers[1].Status)
		}
		for _, a := range answers {
			if a.Status == 422 {
				refused++
			}
		}
		for _, id := range both {
			isAnswered(t, "back", w.ask(t, putRoute, left[0], id, body(id, "general"), "if-match", "*"), 200, "")
			isAnswered(t, "back", w.ask(t, enableRoute, left[0], id, object{}), 200, "")
			isAnswered(t, "back", onRole("PUT", left[0], id), 200, "")
		}
	}
	if refused == 0 {
		t.Error("R13 nothing was ever refused")
	}
}

// Whoever changes a sign-in last, in the table, has the last word in the pool.
func TestOpposedChangesOfASignInAgree(t *testing.T) {
	w := openPeople(t)
	for round := range 12 {
		var wait sync.WaitGroup
		for _, route := range []string{enableRoute, disableRoute, enableRoute, disableRoute} {
			wait.Go(func() {
				if a := w.ask(t, route, "root", "nurse", nil); a.Status != 200 {
					t.Errorf("%s: %d %s", route, a.Status, a.Body)
				}
			})
		}
		wait.Wait()
		u, account := w.User(t, "nurse"), w.pool.Account("nurse")
		if u.SignIn.Usable() != account.Enabled || u.Untold {
			t.Fatalf("round %d: the table says %s, the pool enabled %v, untold %v", round, u.SignIn, account.Enabled, u.Untold)
		}
	}
}
