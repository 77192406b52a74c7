package endpoints_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

const (
	evaluation  = "POST /access/v1/evaluation"
	evaluations = "POST /access/v1/evaluations"
)

// object is a JSON object of a request.
type object = map[string]any

// question is a request body that asks about a user.
func question(subject, action, kind, id string, properties object) object {
	q := object{"subject": object{"type": "user", "id": subject}, "action": object{"name": action}, "resource": object{"type": kind, "id": id}}
	if properties != nil {
		q["resource"].(object)["properties"] = properties
	}
	return q
}

// answered is the body of an answer, of one question or several.
type answered struct {
	Decision    *bool
	Context     reasoned
	Evaluations []struct {
		Decision *bool
		Context  reasoned
	}
}

type reasoned struct {
	Reason string
	Error  *struct {
		Status  int
		Message string
		Errors  []struct{ Pointer, Detail string }
	}
}

// riverside is a function over the fixture's organization, with one role and user
// more: the remover may delete what they may see, but not edit it.
func riverside(t *testing.T) (*api.Function, *fixture.Place) {
	t.Helper()
	_, place := fixture.World(t)
	place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "remover"}, Name: "Remover", Grants: []authz.Grant{{
		Workflows: []string{"improvement"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.Everywhere, authz.Delete: authz.Everywhere},
	}}}})
	place.AddUser(t, directory.User{
		ID: "remover", Name: "Rae Remover", Username: "remover", Type: authz.General, Locations: []string{"icu"},
		SignIn: directory.Enabled, Sub: fixture.Sub("remover"),
	}, "remover")
	place.Clock.Advance(time.Minute)
	return endpoints.New(place.Deps(t, nil), place.Open()), place
}

// ask is the decision on one question as somebody is told it.
func ask(t *testing.T, place *fixture.Place, f *api.Function, as string, body any) (bool, string) {
	t.Helper()
	a := place.Do(t, f, fixture.Call{Route: evaluation, As: as, Body: body})
	if a.Status != http.StatusOK || a.Header["content-type"] != "application/json" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var out answered
	a.Into(t, &out)
	return *out.Decision, out.Context.Reason
}

// TestReasons reaches every reason, asked by who is told all of them.
func TestReasons(t *testing.T) {
	f, place := riverside(t)
	item := func(subject, action, id string) object { return question(subject, action, "item", id, nil) }
	group := item("nurse", "view", "icu-idea")
	group["subject"] = object{"type": "group", "id": "all of them"}
	table := []struct {
		name   string
		ask    object
		yes    bool
		reason authz.Reason
	}{
		{"C8 unknown subject", item("nobody", "view", "icu-idea"), false, authz.UnknownSubject},
		{"C8 a subject that is no user", group, false, authz.UnknownSubject},
		{"C8 unknown resource type", question("nurse", "view", "document", "a b/c", nil), false, authz.UnknownResourceType},
		{"C8 unknown action", item("nurse", "fly", "icu-idea"), false, authz.UnknownAction},
		{"C8 an action of another type", item("nurse", "grant_role", "icu-idea"), false, authz.UnknownAction},
		{"C8 an action of the service's own", question("nurse", "sign_in", "organization", "riverside", nil), false, authz.UnknownAction},
		{"C8 unknown item", item("nurse", "view", "absent"), false, authz.UnknownResource},
		{"C8 unknown template", question("nurse", "participate", "item", "x", object{"template": "absent"}), false, authz.UnknownResource},
		{"C8 unknown user", question("root", "administer", "user", "absent", nil), false, authz.UnknownResource},
		{"C8 another organization", question("root", "create_users", "organization", "lakeside", nil), false, authz.UnknownResource},
		{"U2 inactive", item("inactive", "view", "icu-idea"), false, authz.WrongUserType},
		{"U4 an administrative right of a wallboard", question("wallboard", "administer", "user", "nurse", nil), false, authz.WrongUserType},
		{"C3 draft", item("nurse", "view", "surgery-draft"), false, authz.IsDraft},
		{"C4 edit needs view", item("coach", "edit", "surgery-draft"), false, authz.IsDraft},
		{"C3 private", item("coach", "view", "ward-private"), false, authz.IsPrivate},
		{"C3 new", item("doctor", "view", "icu-new"), false, authz.IsNew},
		{"C3 no grant", item("service", "view", "icu-idea"), false, authz.NoGrant},
		{"C3 out of scope", item("doctor", "view", "icu-idea"), false, authz.OutOfScope},
		{"C4 no grant of the action", item("nurse", "honor_roll", "icu-idea"), false, authz.NoGrant},
		{"C4 delete needs edit", item("remover", "delete", "icu-idea"), false, authz.NeedsEdit},
		{"R12 not grantable", question("support", "grant_role", "user", "nurse", object{"role": "coach"}), false, authz.NotGrantable},
		{"R11 out of reach", question("local", "administer", "user", "doctor", nil), false, authz.OutOfScope},
		{"C7 nothing held", question("nurse", "administer", "user", "doctor", nil), false, authz.NoGrant},
		{"C3 on the team", item("capture", "view", "clinic-incident"), true, authz.TeamMember},
		{"C2 primary edit", item("lead", "edit", "icu-idea"), true, authz.TeamMember},
		{"R4 a role's grant", item("director", "view", "clinic-incident"), true, authz.RoleGrant},
		{"C5 participate", question("kiosk", "participate", "item", "x", object{"template": "idea"}), true, authz.RoleGrant},
		{"C7 an advanced permission", question("coach", "create_boards", "organization", "riverside", nil), true, authz.RoleGrant},
		{"C7 a board", question("coach", "administer", "board", "huddle", object{"locations": []string{"ward"}}), true, authz.RoleGrant},
		{"C7 a card in scope", question("pharmacist", "administer", "card", "k1", object{"locations": []string{"clinic"}}), true, authz.RoleGrant},
		{"C7 a card elsewhere", question("pharmacist", "administer", "card", "k1", object{"locations": []string{"ward"}}), false, authz.OutOfScope},
		{"R12 grantable", question("support", "grant_role", "user", "nurse", object{"role": "staff"}), true, authz.RoleGrant},
		{"R10 impersonate", question("support", "impersonate", "user", "nurse", nil), true, authz.RoleGrant},
	}
	reached := map[authz.Reason]bool{}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			yes, reason := ask(t, place, f, "service", tt.ask)
			if yes != tt.yes || reason != tt.reason.String() {
				t.Errorf("%v %s, want %v %s", yes, reason, tt.yes, tt.reason)
			}
		})
		reached[tt.reason] = true
	}
	for r := authz.NoReason + 1; r < authz.ReasonCount; r++ {
		if !reached[r] {
			t.Errorf("%s is reached by no question", r)
		}
	}
}

// TestCallers: about whom one may ask, and that the rest is nobody (T4).
func TestCallers(t *testing.T) {
	f, place := riverside(t)
	table := []struct {
		name, as, about string
		known           bool
	}{
		{"T4 oneself", "nurse", "nurse", true},
		{"T4 another", "nurse", "doctor", false},
		{"U2 a wallboard about itself", "wallboard", "wallboard", true},
		{"R10 access_reader", "service", "doctor", true},
		{"R11 a user administrator", "support", "doctor", true},
		{"R11 a local one within reach", "local", "nurse", true},
		{"R11 a local one beyond it", "local", "doctor", false},
		{"R10 no other administration lets ask", "coach", "nurse", false},
		{"nobody is nobody", "service", "nobody", false},
	}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			call := func(about string) string {
				return place.Do(t, f, fixture.Call{Route: evaluation, As: tt.as, Body: question(about, "view", "item", "clinic-incident", nil)}).Body
			}
			if known := call(tt.about) != call("nobody"); known != tt.known {
				t.Errorf("known: %v, want %v", known, tt.known)
			}
		})
	}
	t.Run("T4 a secret item answers as one that does not exist", func(t *testing.T) {
		for as, id := range map[string]string{"nurse": "surgery-draft", "lead": "ward-private"} {
			for _, action := range []string{"view", "edit", "delete", "toggle_private", "escalate"} {
				if yes, reason := ask(t, place, f, as, question(as, action, "item", id, nil)); yes || reason != "unknown_resource" {
					t.Errorf("%s %s %s: %v %s", as, action, id, yes, reason)
				}
			}
		}
	})
	t.Run("T4 a user beyond reach answers as one who does not exist", func(t *testing.T) {
		if yes, reason := ask(t, place, f, "local", question("local", "administer", "user", "doctor", nil)); yes || reason != "unknown_resource" {
			t.Errorf("%v %s", yes, reason)
		}
	})
}

// running is a session that every request finds running.
type running struct{ impersonation.Session }

func (r running) Resume(context.Context, string, string, string, time.Time) (impersonation.Session, error) {
	return r.Session, nil
}

func (r running) Close(context.Context, impersonation.Session, impersonation.Cause, time.Time, string) error {
	return fmt.Errorf("the session was ended")
}

// TestSession: in a session its subject asks (C12), about others with what
// both sides may (I6), and a read_only one may ask too.
func TestSession(t *testing.T) {
	_, place := fixture.World(t)
	place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "local-support"}, Name: "Local support", Admin: authz.Admin{
		Local: &authz.UserAdministration{Scope: authz.LocationAndBelow}, Impersonate: true,
	}}})
	for id, roles := range map[string][]string{"helper": {"local-support"}, "chief": {"administrator"}, "reader": {"service"}} {
		place.AddUser(t, directory.User{
			ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"surgery"}, SignIn: directory.Enabled, Sub: fixture.Sub(id),
		}, roles...)
	}
	place.Clock.Advance(time.Minute)
	table := []struct {
		name, subject, about, reason string
	}{
		{"C12 the subject is oneself", "lead", "lead", "team_member"},
		{"C12 the actor is another", "lead", "helper", "unknown_subject"},
		{"I6 others by both sides' administration", "chief", "nurse", "team_member"},
		{"I6 not by the subject's alone", "chief", "doctor", "unknown_subject"},
		{"I6 nor by the subject's access_reader alone", "reader", "doctor", "unknown_subject"},
		{"I6 nor by the actor's alone", "lead", "nurse", "unknown_subject"},
	}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			f := endpoints.New(place.Deps(t, running{impersonation.Session{
				ID: "x1", Mode: impersonation.ReadOnly, Actor: directory.Named{ID: "helper"}, Subject: directory.Named{ID: tt.subject},
				Started: fixture.Start, Idles: place.Clock.Now().Add(time.Minute), Ends: place.Clock.Now().Add(time.Hour),
			}}), nil)
			body := question(tt.about, "edit", "item", "icu-idea", nil)
			a := place.Do(t, f, fixture.Call{Route: evaluation, As: "helper", Session: "x1", Body: body})
			var out answered
			a.Into(t, &out)
			if a.Status != http.StatusOK || out.Context.Reason != tt.reason || a.Header["impersonation-session"] != "x1" {
				t.Errorf("%d %s %v, want %s", a.Status, a.Body, a.Header, tt.reason)
			}
		})
	}
}

func several(t *testing.T, place *fixture.Place, f *api.Function, as string, body any) answered {
	t.Helper()
	a := place.Do(t, f, fixture.Call{Route: evaluations, As: as, Body: body})
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var out answered
	a.Into(t, &out)
	return out
}

// broken is a store whose table does not answer.
type broken struct{ api.Store }

func (broken) Load(context.Context, string, directory.Keys) (directory.Facts, error) {
	return directory.Facts{}, fault.Wrap(fault.Unavailable, "dynamodb", fmt.Errorf("a secret cause"))
}

func TestC8AFailureToLoadIsNoDecision(t *testing.T) {
	_, place := fixture.World(t)
	deps := place.Deps(t, nil)
	deps.Store = broken{deps.Store}
	f := endpoints.New(deps, place.Open())
	for _, route := range []string{evaluation, evaluations} {
		a := place.Do(t, f, fixture.Call{Route: route, As: "nurse", Body: question("nurse", "view", "item", "icu-idea", nil)})
		if a.Status != http.StatusServiceUnavailable || strings.Contains(a.Body, "secret") || strings.Contains(a.Body, "decision") {
			t.Errorf("%s: %d %s", route, a.Status, a.Body)
		}
	}
}
