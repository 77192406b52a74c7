package endpoints_test

import (
	"testing"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// I6: what administers needs both sides, and nobody's credentials, e-mail or own
// roles change in a session, whatever the two may do.
func TestI6InASession(t *testing.T) {
	w := openPeople(t)
	w.chief(t)
	do := w.acting(t, "chief", "root", impersonation.Full)
	for _, c := range []struct {
		rule, route, user string
		body              any
		status            int
		code              string
	}{
		{"I6 both may replace", putRoute, "nurse", wanted("nurse", object{"name": "Nina Night"}), 200, ""},
		{"I6 both may create, an e-mail and all", putRoute, "new", wanted("new", nil), 201, ""},
		{"I6 no other e-mail", putRoute, "nurse", wanted("nurse", object{"email": "n@riverside.example"}), 403, "credentials_in_session"},
		{"I6 no e-mail taken away", putRoute, "nurse", wanted("nurse", object{"email": nil}), 403, "credentials_in_session"},
		{"I6 no other username", putRoute, "kiosk", wanted("kiosk", object{"username": "lobby"}), 403, "credentials_in_session"},
		{"I6 not the subject's either", putRoute, "root", wanted("root", object{"email": "r@riverside.example", "locations": []string{"hospital"}}), 403, "credentials_in_session"},
		{"I6 no sign-in given", enableRoute, "service", object{}, 403, "credentials_in_session"},
		{"I6 none taken", disableRoute, "nurse", nil, 403, "credentials_in_session"},
		{"I6 the actor's own locations", putRoute, "chief", wanted("chief", object{"name": "Chi Chief", "locations": []string{"hospital", "clinic"}}), 403, "own_roles_in_session"},
		{"I6 the subject's own preferences", putPreferences, "root", object{"notifications": object{"a": true}}, 200, ""},
		{"I6 others' by both", putPreferences, "nurse", object{"notifications": object{"a": true}}, 200, ""},
	} {
		t.Run(c.rule, func(t *testing.T) { isAnswered(t, c.rule, do(c.route, c.user, c.body), c.status, c.code) })
	}
	if e := w.last(t, "chief"); e.Impersonator.ID != "chief" || e.Subject.ID != "root" {
		t.Errorf("I7 the last entry is of %v, acting %v", e.Subject, e.Impersonator)
	}
	if calls := w.pool.Asked(); len(calls) != 0 {
		t.Errorf("I6 the pool was asked to %v", calls)
	}
	if e := w.last(t, "nurse"); e.Denied {
		t.Errorf("the newest entry about nurse: %+v", e)
	}
}

func TestI6OneSideIsNotEnough(t *testing.T) {
	w := openPeople(t)
	w.chief(t)
	asSupport := w.acting(t, "chief", "support", impersonation.Full) // who creates nobody
	isAnswered(t, "I6 the subject lacks create_users", asSupport(putRoute, "new", wanted("new", nil)), 404, "not_found")
	isAnswered(t, "I6 both administer", asSupport(putRoute, "nurse", wanted("nurse", object{"name": "Nina N."})), 200, "")
	w = openPeople(t)
	w.chief(t)
	w.AddUser(t, directory.User{
		ID: "helper", Name: "Hel Per", Email: "h@riverside.example", Username: "helper", Type: authz.General, Locations: []string{"hospital"},
		SignIn: directory.Enabled, Sub: fixture.Sub("helper"),
	}, "support")
	asChief := w.acting(t, "helper", "chief", impersonation.Full)
	isAnswered(t, "I6 the actor lacks create_users", asChief(putRoute, "new", wanted("new", nil)), 404, "not_found")
}

func TestI6AReadOnlySessionWritesNothing(t *testing.T) {
	w := openPeople(t)
	w.chief(t)
	do := w.acting(t, "chief", "root", impersonation.ReadOnly)
	for route, body := range map[string]any{
		putRoute: wanted("root", at("hospital")), putPreferences: object{"notifications": object{}}, enableRoute: object{}, disableRoute: nil,
	} {
		isAnswered(t, "I6 "+route, do(route, "root", body), 403, "read_only")
		if e := w.last(t, "root"); !e.Denied || e.Cause != "read_only" || e.Target.ID != "root" {
			t.Errorf("T1 %s: the denied attempt is %+v", route, e)
		}
	}
	isAnswered(t, "I6 a new user", do(putRoute, "new", wanted("new", nil)), 403, "read_only")
	isAnswered(t, "I6 reading", do(getPreferences, "root", nil), 200, "")
}
