package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/role"
)

func (a at) mismatches(t *testing.T, as, query string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-mismatches", Query: query, As: as})
}

// mismatched is the form of an answered mismatch.
type mismatched struct {
	User, Name    string
	Persona, Kind string
	Roles         []struct{ Role, Persona string }
	Reason        string
	Resolve       []struct {
		Steps    []struct{ Kind, Role, Persona string }
		Sentence string
	}
}

type mismatchedPage struct {
	Items []mismatched
	Next  string
}

func listOf(t *testing.T, answer fixture.Answer) []mismatched {
	t.Helper()
	if answer.Status != 200 {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	var page mismatchedPage
	answer.Into(t, &page)
	return page.Items
}

func idsOf(list []mismatched) []string {
	var ids []string
	for _, m := range list {
		ids = append(ids, m.User)
	}
	return ids
}

// pages are the ids of a whole list.
func (a at) pages(t *testing.T, as, query string, limit int) []string {
	t.Helper()
	ask := func(cursor string) fixture.Answer {
		return a.mismatches(t, as, fmt.Sprintf("%s&limit=%d&cursor=%s", query, limit, cursor))
	}
	var ids []string
	for _, page := range pagesOf(t, ask, func(p mismatchedPage) string { return p.Next }) {
		ids = append(ids, idsOf(page.Items)...)
	}
	return ids
}

func TestMismatches(t *testing.T) {
	a := world(t)
	a.add(t, "junior", "icu", directory.Frontline, "coach")
	answer := a.mismatches(t, "root", "")
	want := `{"items":[` +
		`{"user":"junior","name":"N. junior","persona":"frontline","kind":"needs_less","roles":[{"role":"coach","persona":"ci_coach"}],` +
		`"reason":"Their persona is Frontline, and they hold what is meant for a wider one: CI coach (CI Coach).",` +
		`"resolve":[{"steps":[{"kind":"change_persona","persona":"ci_coach"}],"sentence":"Change their persona to CI Coach: the widest of their roles is meant for it."},` +
		`{"steps":[{"kind":"revoke_role","role":"coach"},{"kind":"give_role","role":"staff"}],"sentence":"Revoke CI coach (CI Coach), and give them Staff (Frontline) instead."}]},` +
		`{"user":"pharmacist","name":"Pat Pharmacist","persona":"frontline","kind":"needs_more","roles":[{"role":"staff","persona":"frontline"}],` +
		`"reason":"Their persona is Frontline, and they hold no role that is meant for it or for a wider one.",` +
		`"resolve":[{"steps":[{"kind":"give_role","role":"staff"}],"sentence":"Give them Staff (Frontline)."}]}],"next":""}`
	if diff := cmp.Diff(want, answer.Body); answer.Status != 200 || diff != "" {
		t.Errorf("P7 %d %s", answer.Status, diff)
	}
}

// TestP7WhatCounts: assignments that are over, and roles that died, count for
// nothing; who has no persona or is outside the base is in no mismatch.
func TestP7WhatCounts(t *testing.T) {
	a := world(t)
	base := directory.User{Type: authz.General, Locations: []string{"icu"}, Persona: directory.Leader}
	leads := a.User(t, "lead").Assignments[0].Role
	coaches := a.User(t, "coach").Assignments[0].Role
	hold := func(ref authz.RoleRef, until time.Time) []directory.Assignment {
		return []directory.Assignment{{Assignment: authz.Assignment{Role: ref, Until: until}, Since: fixture.Start, By: "root"}}
	}
	for id, change := range map[string]func(*directory.User){
		"fits":     func(u *directory.User) { u.Assignments = hold(leads, time.Time{}) },
		"soon":     func(u *directory.User) { u.Assignments = hold(leads, fixture.Start.Add(time.Second)) },
		"over":     func(u *directory.User) { u.Assignments = hold(leads, fixture.Start) },
		"wide":     func(u *directory.User) { u.Assignments = hold(coaches, time.Time{}) },
		"was-wide": func(u *directory.User) { u.Assignments = hold(coaches, fixture.Start) },
		"dead": func(u *directory.User) {
			u.Assignments = hold(authz.RoleRef{ID: "unit-lead", Birth: leads.Birth + 99}, time.Time{})
		},
		"no-one":  func(u *directory.User) { u.Persona, u.Assignments = directory.NoPersona, hold(coaches, time.Time{}) },
		"away":    func(u *directory.User) { u.Type = authz.Offline },
		"kiosk-2": func(u *directory.User) { u.Type, u.Assignments = authz.Kiosk, hold(coaches, time.Time{}) },
	} {
		u := base
		u.ID, u.Name, u.Username = id, id, id
		change(&u)
		a.make(t, u)
	}
	kinds := map[string]string{}
	for _, m := range listOf(t, a.mismatches(t, "root", "location=icu")) {
		kinds[m.User] = m.Kind
	}
	want := map[string]string{"over": "needs_more", "wide": "needs_less", "was-wide": "needs_more", "dead": "needs_more"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("P7 %s", diff)
	}
}

// make makes a user with assignments just so.
func (a at) make(t *testing.T, u directory.User) {
	t.Helper()
	if _, err := a.CreateUser(t.Context(), fixture.Organization, u, a.Clock.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestMismatchesByFilters(t *testing.T) {
	a := world(t)
	a.add(t, "junior", "icu", directory.Frontline, "coach")
	a.add(t, "senior", "surgery", directory.Leader)
	a.add(t, "boss", "ward", directory.Executive, "coach")
	for query, want := range map[string]string{
		"":                               "boss junior pharmacist senior",
		"kind=needs_more":                "pharmacist senior",
		"kind=needs_less":                "boss junior",
		"persona=frontline":              "junior pharmacist",
		"persona=ci_coach":               "",
		"location=icu":                   "junior",
		"location=surgery":               "senior",
		"location=surgery&below=true":    "junior senior",
		"location=ward&kind=needs_less":  "boss",
		"persona=leader&kind=needs_less": "",
	} {
		for _, limit := range []int{1, 50} {
			if got := strings.Join(a.pages(t, "root", query, limit), " "); got != want {
				t.Errorf("P7 %q by %d: %q, want %q", query, limit, got, want)
			}
		}
	}
	for _, query := range []string{"kind=x", "persona=boss", "persona=none", "below=true", "role=staff", "q=x", "limit=0", "cursor=x", "kind=needs_more&kind=needs_less"} {
		if answer := a.mismatches(t, "root", query); answer.Status != 400 {
			t.Errorf("%s: %d %s", query, answer.Status, answer.Body)
		}
	}
}

// TestT4MismatchesStayInReach: a local administrator sees nobody outside, and is
// offered no role that they may not give or take (R12).
func TestT4MismatchesStayInReach(t *testing.T) {
	a := world(t)
	for i := range 3 {
		a.add(t, fmt.Sprintf("in-%d", i), "icu", directory.Frontline, "coach")
		a.add(t, fmt.Sprintf("out-%d", i), "ward", directory.Frontline, "coach")
	}
	a.add(t, "in-lead", "icu", directory.Leader)
	a.add(t, "in-boss", "icu", directory.Executive, "staff")
	a.AddUser(t, directory.User{ID: "in-both", Name: "Bo", Username: "in-both", Type: authz.General, Locations: []string{"icu", "ward"}, Persona: directory.Leader})
	inside := []string{"in-0", "in-1", "in-2", "in-boss", "in-lead"}
	for _, limit := range []int{1, 2, 50} {
		for _, query := range []string{"", "location=hospital&below=true", "location=icu"} {
			if got := a.pages(t, "local", query, limit); !slices.Equal(got, inside) {
				t.Errorf("T4 %q by %d: %q", query, limit, got)
			}
		}
		if got := a.pages(t, "local", "location=ward", limit); len(got) != 0 {
			t.Errorf("T4 of the ward by %d: %q", limit, got)
		}
	}
	steps := map[string]string{}
	for _, m := range listOf(t, a.mismatches(t, "local", "")) {
		for _, w := range m.Resolve {
			steps[m.User] += fmt.Sprint(w.Steps)
		}
	}
	want := map[string]string{
		"in-0": "[{change_persona  ci_coach}]", "in-1": "[{change_persona  ci_coach}]", "in-2": "[{change_persona  ci_coach}]",
		"in-boss": "[{change_persona  frontline}]", "in-lead": "[{give_role unit-lead }]",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("R12 %s", diff)
	}
	var page mismatchedPage
	a.mismatches(t, "root", "limit=1").Into(t, &page)
	if answer := a.mismatches(t, "local", "limit=1&cursor="+page.Next); page.Next == "" || answer.Status != 400 {
		t.Errorf("T4 another's cursor %q: %d %s", page.Next, answer.Status, answer.Body)
	}
	for as, status := range map[string]int{"support": 200, "lead": 403, "coach": 403, "service": 403, "nurse": 403, "capture": 403, "inactive": 401, "": 401} {
		if answer := a.mismatches(t, as, ""); answer.Status != status {
			t.Errorf("R11 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
}

// TestP7FollowsRoles: what a role is meant for counts from the change on, on the
// instance that has answered by the old meaning, too (C11).
func TestP7FollowsRoles(t *testing.T) {
	a := world(t)
	if got := a.pages(t, "root", "", 50); !slices.Equal(got, []string{"pharmacist"}) {
		t.Fatalf("P7 %q", got)
	}
	service := role.New(a.Store)
	change := func(id string, p directory.Persona) {
		c := a.Caller(t, "root", directory.Keys{})
		r, err := service.Get(t.Context(), c, id)
		if err != nil {
			t.Fatal(err)
		}
		r.Persona = p
		if _, err := service.Put(t.Context(), c, r, directory.Precondition{Match: true, Any: true}); err != nil {
			t.Fatal(err)
		}
	}
	change("pharmacy", directory.Leader)
	if got := listOf(t, a.mismatches(t, "root", "")); len(got) != 1 || got[0].Kind != "needs_less" {
		t.Errorf("P7 %+v", got)
	}
	change("pharmacy", directory.Frontline)
	if got := a.pages(t, "root", "", 50); len(got) != 0 {
		t.Errorf("P7 %q", got)
	}
	for _, id := range []string{"pharmacy", "staff", "unit-lead", "director", "coach"} {
		change(id, directory.NoPersona)
	}
	a.add(t, "senior", "icu", directory.Leader)
	if got := a.pages(t, "root", "", 50); len(got) != 0 {
		t.Errorf("P7 no role carries a persona: %q", got)
	}
}
