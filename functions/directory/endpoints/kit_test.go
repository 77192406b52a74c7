package endpoints_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"gemba/functions/directory/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// world is the directory function over the fixture's world and a pool.
type world struct {
	*fixture.Place
	store *dynamo.Store
	pool  *fixture.Pool
	f     *api.Function
}

func openPeople(t *testing.T) *world {
	t.Helper()
	store, place := fixture.World(t)
	w := &world{Place: place, store: store, pool: fixture.NewPool("root", "local", "support", "nurse", "lead", "doctor", "inactive")}
	w.f = endpoints.New(place.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle)), store, w.pool)
	return w
}

const (
	getRoute       = "GET /v1/users/{id}"
	putRoute       = "PUT /v1/users/{id}"
	getPreferences = "GET /v1/users/{id}/preferences"
	putPreferences = "PUT /v1/users/{id}/preferences"
	enableRoute    = "PUT /v1/users/{id}/sign-in"
	disableRoute   = "DELETE /v1/users/{id}/sign-in"
)

// ask is a call of somebody on a user; headers come in pairs.
func (w *world) ask(t *testing.T, route, as, user string, body any, headers ...string) fixture.Answer {
	t.Helper()
	call := fixture.Call{Route: route, As: as, Path: map[string]string{"id": user}, Body: body, Header: map[string]string{}}
	for i := 0; i < len(headers); i += 2 {
		call.Header[headers[i]] = headers[i+1]
	}
	return w.Do(t, w.f, call)
}

// isAnswered holds an answer to a status with its problem code, "" for none.
func isAnswered(t *testing.T, rule string, a fixture.Answer, status int, code string) {
	t.Helper()
	if got := a.Problem(t); a.Status != status || got != code {
		t.Errorf("%s: %d %q, want %d %q\n%s", rule, a.Status, got, status, code, a.Body)
	}
}

// wanted is a valid body of a user of this id; change overlays it, nil takes
// away.
func wanted(id string, change object) object {
	b := object{"name": "The " + id, "email": id + "@riverside.example", "username": id, "type": "general", "locations": []string{"icu"}}
	maps.Copy(b, change)
	maps.DeleteFunc(b, func(_ string, v any) bool { return v == nil })
	return b
}

func at(locations ...string) object { return object{"locations": locations} }

// last is the newest entry about a person.
func (w *world) last(t *testing.T, user string) timeline.Entry {
	t.Helper()
	entries, _, err := w.store.Entries(t.Context(), fixture.Organization, timeline.Stretch{
		Person: user, From: fixture.Start.Add(-time.Hour), To: fixture.Start.Add(time.Hour), Page: timeline.Page{Limit: 1},
	})
	if err != nil || len(entries) == 0 {
		t.Fatalf("the timeline of %s: %v", user, err)
	}
	return entries[0]
}

// adjacent holds the lists that a user stands in to what the user says, and its
// limits to R5.
func (w *world) adjacent(t *testing.T, id string) {
	t.Helper()
	c := w.Caller(t, id, directory.Keys{})
	in := func(l directory.List) bool {
		ids, more, err := w.store.Listed(t.Context(), fixture.Organization, l, directory.Page{Limit: 500})
		if err != nil || more {
			t.Fatalf("%+v: more %v, %v", l, more, err)
		}
		return slices.Contains(ids, id)
	}
	policy := c.Model.Policy()
	for _, l := range policy.Locations {
		if is := slices.Contains(c.Subject.Locations, l.ID); in(directory.List{Of: directory.LocationUsers, ID: l.ID}) != is {
			t.Errorf("U1 %s is at %s: %v; its list says another thing", id, l.ID, is)
		}
	}
	for _, r := range policy.Roles {
		if _, holds := c.Subject.Assignment(r.ID); in(directory.List{Of: directory.RoleMembers, Role: r.RoleRef}) != holds {
			t.Errorf("%s holds %s: %v; the members say another thing", id, r.ID, holds)
		}
	}
	for _, a := range c.Subject.Assignments {
		if a.Locations != nil && len(a.Locations) == 0 || slices.ContainsFunc(a.Locations, func(l string) bool { return !slices.Contains(c.Subject.Locations, l) }) {
			t.Errorf("R5 %s at %v is limited to %v", id, c.Subject.Locations, a.Locations)
		}
	}
}

// proven is a pool that believes every password.
type proven struct{}

func (proven) Proof(context.Context, string, string, string) (bool, error) { return true, nil }

// acting begins a session of an actor as a subject and answers calls in it.
func (w *world) acting(t *testing.T, actor, subject string, mode impersonation.Mode) func(route, user string, body any) fixture.Answer {
	t.Helper()
	sessions := impersonation.NewSessions(w.store, impersonation.DefaultIdle)
	c := w.Caller(t, actor, directory.Keys{Users: []string{subject}})
	s, err := impersonation.NewService(w.store, sessions, proven{}).Start(t.Context(), c, impersonation.Request{
		Subject: subject, Mode: mode, Credentials: &impersonation.Credentials{Username: actor, Password: "right"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(route, user string, body any) fixture.Answer {
		call := fixture.Call{Route: route, As: actor, Session: s.ID, Path: map[string]string{"id": user}, Body: body}
		if user != "new" {
			call.Header = map[string]string{"if-match": "*"}
		}
		return w.Do(t, w.f, call)
	}
}

// chief is somebody who may do everything with users, impersonating them too.
func (w *world) chief(t *testing.T) {
	t.Helper()
	w.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "chief"}, Name: "Chief", Admin: authz.Admin{
		Global: &authz.UserAdministration{CreateUsers: true, Grantable: authz.Grantable{All: true}}, Impersonate: true,
	}}})
	w.AddUser(t, directory.User{
		ID: "chief", Name: "Chi Chief", Email: "chief@riverside.example", Username: "chief", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("chief"),
	}, "chief")
	w.pool.Set("chief", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("chief"), Email: "chief@riverside.example", Confirmed: true, Enabled: true}})
}
