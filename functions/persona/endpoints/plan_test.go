package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/impersonation/endpoints"
	own "gemba/functions/persona/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

func (a at) plan(t *testing.T, as, query string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-plan", Query: query, As: as})
}

// planned is the form of an answered plan.
type planned struct {
	Location     *string
	Base, People int
	Moves        []struct {
		From, To string
		People   int
	}
	Contradiction *struct {
		Reason  string
		Targets []struct {
			Persona string
			Min     int
		}
		Least, Base int
		Sentence    string
	}
	Suggestions []struct {
		User, Name string
		From, To   string
		Roles      []string
		Reason     string
	}
	Next string
}

// suggested are those whom a plan suggests, all pages of it.
func (a at) suggested(t *testing.T, as, query string, limit int) []string {
	t.Helper()
	ask := func(cursor string) fixture.Answer {
		return a.plan(t, as, fmt.Sprintf("%s&limit=%d&cursor=%s", query, limit, cursor))
	}
	var ids []string
	for _, page := range pagesOf(t, ask, func(p planned) string { return p.Next }) {
		for _, s := range page.Suggestions {
			ids = append(ids, s.User+" "+s.From+">"+s.To)
		}
	}
	return ids
}

// add makes somebody of a persona who holds roles at a place.
func (a at) add(t *testing.T, id, location string, p directory.Persona, roles ...string) {
	t.Helper()
	a.AddUser(t, directory.User{ID: id, Name: "N. " + id, Username: id, Type: authz.General, Locations: []string{location}, Persona: p}, roles...)
}

func TestPlan(t *testing.T) {
	a := world(t)
	a.add(t, "helper", "ward", directory.NoPersona, "staff")
	answer := a.plan(t, "root", "")
	want := `{"location":null,"at":"2026-03-02T09:00:00Z","base":13,"people":7,` +
		`"moves":[{"from":"none","to":"frontline","people":5},{"from":"none","to":"champion","people":1},{"from":"ci_coach","to":"champion","people":1}],` +
		`"contradiction":null,` +
		`"suggestions":[{"user":"coach","name":"Carl Coach","from":"ci_coach","to":"champion","roles":["coach"],"reason":"Their widest role is CI coach, which is meant for the persona of its name."},` +
		`{"user":"helper","name":"N. helper","from":"none","to":"frontline","roles":["staff"],"reason":"Their widest role is Staff, which is meant for Frontline."}],"next":""}`
	if diff := cmp.Diff(want, answer.Body); answer.Status != 200 || diff != "" {
		t.Errorf("P5 %d %s", answer.Status, diff)
	}
}

// TestPlanLeadsThere does what a plan says, and finds all as it should be.
func TestPlanLeadsThere(t *testing.T) {
	a := world(t)
	for i := range 8 {
		a.add(t, fmt.Sprintf("more-%d", i), "surgery", directory.Leader, "unit-lead")
	}
	var p planned
	a.plan(t, "root", "").Into(t, &p)
	if p.People == 0 || p.Contradiction != nil {
		t.Fatalf("P5 %+v", p)
	}
	people := map[string][]string{}
	for _, id := range []string{"root", "local", "support", "nurse", "lead", "director", "coach", "doctor", "pharmacist", "service", "vendor", "capture",
		"more-0", "more-1", "more-2", "more-3", "more-4", "more-5", "more-6", "more-7"} {
		was := a.User(t, id).Persona.String()
		if was == "" {
			was = "none"
		}
		people[was] = append(people[was], id)
	}
	for _, m := range p.Moves {
		for _, id := range people[m.From][:m.People] {
			if answer := a.put(t, "root", id, persona(m.To)); answer.Status != 200 {
				t.Fatalf("%d %s", answer.Status, answer.Body)
			}
		}
		people[m.From] = people[m.From][m.People:]
	}
	a.plan(t, "root", "").Into(t, &p)
	if p.People != 0 || len(p.Moves) != 0 || len(p.Suggestions) != 0 || p.Next != "" {
		t.Errorf("P5 %+v", p)
	}
	if body := a.report(t, "root", "").Body; strings.Contains(body, "below") || strings.Contains(body, "above") {
		t.Errorf("P6 %s", body)
	}
}

func TestPlanThatCannotBe(t *testing.T) {
	a := world(t)
	var p planned
	a.plan(t, "root", "location=medicine").Into(t, &p)
	if c := p.Contradiction; c == nil || c.Reason != "too_few_people" || len(c.Targets) != 0 || c.Least != 4 || c.Base != 2 || c.Sentence != "Fewer than 4 people are not judged, and there are 2." || p.People != 0 {
		t.Errorf("P5 %+v", p)
	}
	a.targets(t, func(t *directory.Targets) { t.Leader = directory.Share{Min: 5000, Max: 6000} })
	answer := a.plan(t, "root", "")
	p = planned{}
	answer.Into(t, &p)
	if c := p.Contradiction; c == nil || c.Reason != "targets_contradict" || fmt.Sprint(c.Targets) != "[{frontline 8} {leader 6}]" || c.Least != 14 || c.Base != 12 ||
		c.Sentence != "The targets ask for at least 14 people (Frontline 8, Leader 6), and there are 12, so none is judged." ||
		!strings.Contains(answer.Body, `"moves":[],`) || !strings.Contains(answer.Body, `"suggestions":[],"next":""`) {
		t.Errorf("P5 %s", answer.Body)
	}
}

// targets changes what the organization expects.
func (a at) targets(t *testing.T, change func(*directory.Targets)) {
	t.Helper()
	c := a.Caller(t, "root", directory.Keys{})
	next := c.Organization
	change(&next.Settings.Targets)
	if _, err := directory.NewOrganizations(a.Store).Put(t.Context(), c, next, directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
}

// TestT4SuggestionsStayInReach: whoever is suggested is within the reach, on
// every page of whatever size, and to an admin of something else nobody is.
func TestT4SuggestionsStayInReach(t *testing.T) {
	a := world(t)
	for i := range 4 {
		a.add(t, fmt.Sprintf("in-%d", i), "icu", directory.NoPersona, "staff")
		a.add(t, fmt.Sprintf("out-%d", i), "ward", directory.NoPersona, "staff")
	}
	ended := a.User(t, "nurse").Assignments[0]
	ended.Until = fixture.Start
	a.make(t, directory.User{ID: "in-ended", Name: "Ended", Username: "in-ended", Type: authz.General, Locations: []string{"icu"},
		Assignments: []directory.Assignment{ended}})
	inside := []string{"in-0 none>frontline", "in-1 none>frontline", "in-2 none>frontline", "in-3 none>frontline"}
	outside := []string{"out-0 none>frontline", "out-1 none>frontline", "out-2 none>frontline", "out-3 none>frontline"}
	for _, limit := range []int{1, 2, 50} {
		if got := a.suggested(t, "local", "", limit); !slices.Equal(got, inside) {
			t.Errorf("T4 pages of %d: %q", limit, got)
		}
		if got := a.suggested(t, "local", "location=hospital", limit); !slices.Equal(got, inside) {
			t.Errorf("T4 of the hospital, pages of %d: %q", limit, got)
		}
		if got, want := a.suggested(t, "root", "", limit), slices.Concat(inside, outside); !slices.Equal(got, want) {
			t.Errorf("P5 to the administrator, pages of %d: %q", limit, got)
		}
		if got := a.suggested(t, "root", "location=surgery", limit); !slices.Equal(got, inside) {
			t.Errorf("P8 of a part, pages of %d: %q", limit, got)
		}
	}
	for _, as := range []string{"lead", "coach", "service", "pharmacist"} {
		if got := a.suggested(t, as, "", 50); len(got) != 0 {
			t.Errorf("T4 %s is told %q", as, got)
		}
	}
}

func TestWhoReadsThePlan(t *testing.T) {
	a := world(t)
	for as, status := range map[string]int{
		"root": 200, "local": 200, "support": 200, "coach": 200, "lead": 200, "service": 200, "pharmacist": 200,
		"nurse": 403, "director": 403, "capture": 403, "wallboard": 403, "inactive": 401, "": 401,
	} {
		if answer := a.plan(t, as, ""); answer.Status != status {
			t.Errorf("R10 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
	for query, status := range map[string]int{
		"location=": 200, "location=nowhere": 404, "location=w%21rd": 400, "location=icu&location=ward": 400, "loaction=icu": 400,
		"limit=0": 400, "limit=501": 400, "cursor=abc": 400, "limit=500": 200,
	} {
		if answer := a.plan(t, "root", query); answer.Status != status {
			t.Errorf("%s: %d %s", query, answer.Status, answer.Body)
		}
	}
}

// TestT4CursorIsItsCallersOwn: a place in one caller's list is none in another's.
func TestT4CursorIsItsCallersOwn(t *testing.T) {
	a := world(t)
	for i := range 3 {
		a.add(t, fmt.Sprintf("in-%d", i), "icu", directory.NoPersona, "staff")
	}
	var p planned
	a.plan(t, "root", "limit=1").Into(t, &p)
	if p.Next == "" {
		t.Fatalf("%+v", p)
	}
	if answer := a.plan(t, "local", "limit=1&cursor="+p.Next); answer.Status != 400 {
		t.Errorf("T4 %d %s", answer.Status, answer.Body)
	}
	if answer := a.plan(t, "root", "location=icu&cursor="+p.Next); answer.Status != 400 {
		t.Errorf("T4 another query: %d %s", answer.Status, answer.Body)
	}
	if strings.Contains(p.Next, "in-") {
		t.Errorf("T4 the place can be read: %s", p.Next)
	}
}

// TestI6PlanAndMismatchesInASession: both sides have to administer whom an
// answer names.
func TestI6PlanAndMismatchesInASession(t *testing.T) {
	a := world(t)
	a.add(t, "in", "icu", directory.NoPersona, "staff")
	a.add(t, "out", "ward", directory.NoPersona, "staff")
	a.add(t, "wide", "icu", directory.Frontline, "unit-lead")
	a.put(t, "root", "support", persona("frontline"))
	sessions := impersonation.NewSessions(a.Store, impersonation.DefaultIdle)
	f := own.New(a.Deps(t, sessions), a.Store)
	starts := endpoints.New(a.Deps(t, sessions), impersonation.NewService(a.Store, sessions, nil))
	do := func(route, session string) fixture.Answer {
		return a.Do(t, f, fixture.Call{Route: route, As: "support", Session: session})
	}
	for _, c := range []struct {
		as                   string
		status               int
		suggests, mismatches []string
		list                 int
	}{
		{"local", 200, []string{"in"}, []string{"wide"}, 200},
		{"root", 200, []string{"in", "out"}, []string{"pharmacist", "support", "wide"}, 200},
		{"lead", 200, nil, nil, 403},
		{"nurse", 403, nil, nil, 403},
	} {
		begun := a.Do(t, starts, fixture.Call{Route: "POST /v1/impersonations", As: "support", Body: map[string]any{"subject": c.as},
			Claims: map[string]string{"auth_time": fmt.Sprint(a.Clock.Now().Unix()), "origin_jti": "fresh-" + c.as}})
		if begun.Status != 201 {
			t.Fatalf("I1 as %s: %d %s", c.as, begun.Status, begun.Body)
		}
		session, _ := begun.JSON(t)["id"].(string)
		var p planned
		answer := do("GET /v1/persona-plan", session)
		if answer.Status != c.status {
			t.Fatalf("I6 as %s: %d %s", c.as, answer.Status, answer.Body)
		}
		var got []string
		if answer.Status == 200 {
			answer.Into(t, &p)
			for _, s := range p.Suggestions {
				got = append(got, s.User)
			}
		}
		if !slices.Equal(got, c.suggests) {
			t.Errorf("I6 as %s: %q", c.as, got)
		}
		if answer = do("GET /v1/persona-mismatches", session); answer.Status != c.list {
			t.Fatalf("I6 as %s: %d %s", c.as, answer.Status, answer.Body)
		}
		if answer.Status == 200 && !slices.Equal(idsOf(listOf(t, answer)), c.mismatches) {
			t.Errorf("I6 as %s: %s", c.as, answer.Body)
		}
		if answer.Status == 200 {
			for _, m := range listOf(t, answer) {
				if m.User == "support" && len(m.Resolve) != 0 {
					t.Errorf("I6 the actor's own roles: %+v", m.Resolve)
				}
			}
		}
		a.Do(t, starts, fixture.Call{Route: "DELETE /v1/impersonations/{id}", Path: map[string]string{"id": session}, As: "support"})
		a.Clock.Advance(time.Minute)
	}
}
