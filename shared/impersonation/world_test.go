package impersonation_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// noon is when every test begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// pool proves whoever says the password "right"; fails makes it unable to tell.
type pool struct {
	mu    sync.Mutex
	asked int
	fails error
}

func (p *pool) Proof(_ context.Context, _, password, sub string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return password == "right" && sub != "", p.fails
}

// world is an organization of its own, at a minute past noon.
type world struct {
	org string
	*dynamo.Store
	// open is another store over the table, as another instance has one.
	open     func() *dynamo.Store
	clock    *fixture.Clock
	pool     *pool
	sessions *impersonation.Sessions
	service  *impersonation.Service
}

// The people of the world: what they are is in their names.
const (
	admin    = "admin"    // global user administrator who may impersonate
	local    = "local"    // local one, at the ward and below
	remote   = "remote"   // local one of the ward, but at the office
	system   = "system"   // system administrator only
	unpaired = "unpaired" // impersonate_user without user administration
	manager  = "manager"  // user administration without impersonate_user
	vendor   = "vendor"   // as admin, internal
	maria    = "maria"    // at the ward, with an e-mail
	bob      = "bob"      // at the office, without one
	nobody   = "no-body"  // not there
	inactive = "inactive" // and so on: of that type
	offline  = "offline"
	kiosk    = "kiosk"
	setup    = "setup"
	capture  = "capture"
	wall     = "wallboard"
)

func roles() []role.Role {
	all := authz.Grantable{All: true}
	global := &authz.UserAdministration{CreateUsers: true, Grantable: all}
	atWard := &authz.UserAdministration{Scope: authz.LocationAndBelow}
	admins := map[string]authz.Admin{
		"admins":       {Global: global, Impersonate: true},
		"locals":       {Local: atWard, Impersonate: true},
		"systems":      {System: true},
		"impersonator": {Impersonate: true},
		"managers":     {Global: global},
	}
	var list []role.Role
	for id, a := range admins {
		list = append(list, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Admin: a}})
	}
	return append(list, role.Role{Role: authz.Role{
		RoleRef: authz.RoleRef{ID: "remotes"}, Name: "remotes", SpecificLocations: []string{"ward"}, Admin: admins["locals"],
	}})
}

// people are each one's location, type and role.
var people = []struct {
	id, location string
	kind         authz.UserType
	role         string
}{
	{admin, "hospital", authz.General, "admins"}, {vendor, "hospital", authz.General, "admins"},
	{local, "ward", authz.General, "locals"}, {remote, "office", authz.General, "remotes"}, {system, "hospital", authz.General, "systems"},
	{unpaired, "hospital", authz.General, "impersonator"}, {manager, "hospital", authz.General, "managers"},
	{maria, "ward", authz.General, ""}, {bob, "office", authz.General, ""},
	{inactive, "ward", authz.Inactive, ""}, {offline, "ward", authz.Offline, ""}, {kiosk, "ward", authz.Kiosk, ""},
	{setup, "ward", authz.Setup, ""}, {capture, "ward", authz.Capture, ""}, {wall, "ward", authz.Wallboard, ""},
}

// username and sub are unique in the deployment.
func (w *world) username(id string) string { return id + "@" + w.org }
func (w *world) sub(id string) string      { return "sub-" + w.org + "-" + id }

// newWorld makes the organization; change may alter its settings.
func newWorld(t *testing.T, change ...func(*directory.Settings)) *world {
	t.Helper()
	client, name := dynamotest.Table(t)
	o := client.Options()
	w := &world{org: "acme", clock: fixture.NewClock(noon), pool: &pool{}}
	cfg := aws.Config{Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient}
	w.open = func() *dynamo.Store { return dynamo.Open(cfg, aws.ToString(o.BaseEndpoint), name, w.clock.Now) }
	w.Store = w.open()
	w.sessions = impersonation.NewSessions(w.Store, impersonation.DefaultIdle)
	w.service = impersonation.NewService(w.Store, w.sessions, w.pool)
	settings := directory.DefaultSettings()
	for _, alter := range change {
		alter(&settings)
	}
	if len(change) > 0 {
		w.fill(t, settings)
	} else {
		unchanged.Fill(t, client, name, func() { w.fill(t, settings) })
	}
	w.clock.Advance(time.Minute)
	return w
}

// unchanged keeps the organization with the settings that it begins with.
var unchanged dynamotest.Mould

func (w *world) fill(t *testing.T, settings directory.Settings) {
	t.Helper()
	_, err := w.CreateOrganization(t.Context(), directory.Organization{ID: w.org, Name: "Acme", Settings: settings}, noon)
	must(t, err)
	_, err = w.CreatePolicy(t.Context(), w.org, dynamo.Policy{
		Locations: []directory.Location{
			{Location: authz.Location{ID: "hospital", Name: "Hospital"}},
			{Location: authz.Location{ID: "ward", Name: "Ward", Parent: "hospital"}},
			{Location: authz.Location{ID: "office", Name: "Office", Parent: "hospital"}},
		},
		Roles: roles(),
	}, noon)
	must(t, err)
	births, err := w.Births(t.Context(), w.org)
	must(t, err)
	for _, p := range people {
		u := directory.User{
			ID: p.id, Name: "The " + p.id, Username: w.username(p.id), Type: p.kind, Locations: []string{p.location},
			SignIn: directory.Enabled, Sub: w.sub(p.id), Internal: p.id == vendor,
		}
		if p.id == maria {
			u.Email = "maria@example.org"
		}
		if p.role != "" {
			ref := authz.RoleRef{ID: p.role, Birth: births[p.role]}
			u.Assignments = []directory.Assignment{{Assignment: authz.Assignment{Role: ref}, Since: noon, By: "operator"}}
		}
		_, err := w.CreateUser(t.Context(), w.org, u, noon)
		must(t, err)
	}
}

// caller is somebody at work in person, with these users read beside them.
func (w *world) caller(t *testing.T, id string, users ...string) directory.Caller {
	t.Helper()
	facts, err := w.Load(t.Context(), w.org, directory.Keys{Users: append([]string{id}, users...)})
	must(t, err)
	return directory.Caller{Facts: facts, Subject: facts.Users[id], Actor: facts.Users[id], At: w.clock.Now(), RequestID: "request"}
}

// acting is somebody at work in a session.
func (w *world) acting(t *testing.T, s impersonation.Session, users ...string) directory.Caller {
	t.Helper()
	c := w.caller(t, s.Subject.ID, append(users, s.Actor.ID)...)
	c.Actor, c.Session = c.Users[s.Actor.ID], s.ID
	return c
}

// password is a request whose proof is the actor's own password.
func (w *world) password(actor, subject string) impersonation.Request {
	return impersonation.Request{Subject: subject, Credentials: &impersonation.Credentials{Username: w.username(actor), Password: "right"}}
}

// start starts a session that must start.
func (w *world) start(t *testing.T, actor, subject string) impersonation.Session {
	t.Helper()
	s, err := w.service.Start(t.Context(), w.caller(t, actor, subject), w.password(actor, subject))
	must(t, err)
	return s
}

// mail names a session's notice, for an attempt.
func (w *world) mail(session, attempt string) impersonation.Mail {
	return impersonation.Mail{Organization: w.org, About: session, Kind: impersonation.NoticeMail, Attempt: attempt}
}

func (w *world) session(t *testing.T, id string) impersonation.Session {
	t.Helper()
	s, err := w.Session(t.Context(), w.org, id)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entries are the timeline's about impersonations with this action.
func (w *world) entries(t *testing.T, action string) []timeline.Entry {
	t.Helper()
	all, end, err := w.Entries(t.Context(), w.org, timeline.Stretch{
		From: noon.Add(-time.Hour), To: noon.Add(12 * time.Hour), Page: timeline.Page{Limit: 500},
	})
	must(t, err)
	if end != "" {
		t.Fatal("the timeline is longer than a page")
	}
	return slices.DeleteFunc(all, func(e timeline.Entry) bool {
		return e.Type != timeline.Impersonation || e.Action != action
	})
}

// retire makes a user inactive, as somebody else would.
func (w *world) retire(t *testing.T, id string) {
	t.Helper()
	c := w.caller(t, admin, id)
	after := c.Users[id]
	after.Type = authz.Inactive
	must(t, w.PutPersona(t.Context(), c.Basis(c.Users[id]), persona.Change{
		Before: c.Users[id], After: after, Entry: c.Entry(timeline.User, "update", timeline.Target{Type: "user", ID: id}),
	}))
}
