package endpoints_test

import (
	"bytes"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/persona/endpoints"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"

	personas "gemba/shared/persona"
)

// make asks for an audit.
func (a at) makeAudit(t *testing.T, as string, body any, header map[string]string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "POST /v1/persona-audits", As: as, Body: body, Header: header})
}

// made is the id of a new audit of a location, or of the organization without one.
func (a at) made(t *testing.T, location string) string {
	t.Helper()
	body := map[string]any{}
	if location != "" {
		body["location"] = location
	}
	answer := a.makeAudit(t, "root", body, nil)
	if answer.Status != 201 {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	return answer.JSON(t)["id"].(string)
}

// scheduled is the audit of a slot, made now.
func (a at) scheduled(t *testing.T, slot string) string {
	t.Helper()
	auditor := personas.NewAuditor(a.Store, nil, nil, a.Clock.Now)
	outcome := personas.Outcome{Err: errors.New("nothing was done")}
	_, err := auditor.Run(t.Context(), slot, []string{fixture.Organization}, func(o personas.Outcome) { outcome = o })
	if err != nil || !outcome.Made {
		t.Fatalf("%+v: %v", outcome, err)
	}
	return slot
}

type auditBody struct {
	ID     string
	Slot   *string
	At     time.Time
	Report struct {
		Location *string
		At       time.Time
		Base     int
		Personas []struct {
			Persona, Verdict string
			Count            int
		}
	}
	Changed []map[string]string
	Moved   *struct {
		Since      string
		Engagement []map[string]any
	}
}

// since is which audit an audit is compared with.
func (b auditBody) since() string {
	if b.Moved == nil {
		return ""
	}
	return b.Moved.Since
}

func (a at) audit(t *testing.T, as, id, query string) (auditBody, fixture.Answer) {
	t.Helper()
	answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-audits/{id}", Path: map[string]string{"id": id}, Query: query, As: as})
	var b auditBody
	if answer.Status == 200 {
		answer.Into(t, &b)
	}
	return b, answer
}

// list is all pages of the history, so many audits each.
func (a at) list(t *testing.T, query, limit string) []auditBody {
	t.Helper()
	type pageBody struct {
		Items []auditBody
		Next  string
	}
	ask := func(cursor string) fixture.Answer {
		q := query + "&limit=" + limit + "&cursor=" + url.QueryEscape(cursor)
		return a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-audits", Query: q, As: "root"})
	}
	var all []auditBody
	for _, page := range pagesOf(t, ask, func(p pageBody) string { return p.Next }) {
		all = append(all, page.Items...)
	}
	return all
}

func TestP6AnAuditOnDemand(t *testing.T) {
	a := world(t)
	var metrics bytes.Buffer
	deps := a.Deps(t, nil)
	deps.Metrics = &metrics
	a.Function = endpoints.New(deps, a.Store)
	first := a.makeAudit(t, "root", map[string]any{}, map[string]string{"Idempotency-Key": "one"})
	id, _ := first.JSON(t)["id"].(string)
	if first.Status != 201 || first.Header["location"] != "/v1/persona-audits/"+id || !directory.IsID(id) {
		t.Fatalf("%d %v %s", first.Status, first.Header, first.Body)
	}
	report := a.report(t, "root", "")
	live, _, _ := strings.Cut(report.Body, `,"moved":`)
	want := `{"id":"` + id + `","slot":null,"at":"2026-03-02T09:00:00Z","report":` + live + `},"changed":[],"moved":null}`
	if diff := cmp.Diff(want, first.Body); diff != "" {
		t.Errorf("P6 %s", diff)
	}
	if again := a.makeAudit(t, "root", map[string]any{}, map[string]string{"Idempotency-Key": "one"}); again.Status != 201 || again.Body != first.Body || again.Header["location"] != first.Header["location"] {
		t.Errorf("T3 a repetition: %d %s", again.Status, again.Body)
	}
	if other := a.makeAudit(t, "root", map[string]any{"location": "icu"}, map[string]string{"Idempotency-Key": "one"}); other.Status != 422 || other.Problem(t) != "idempotency_key_reused" {
		t.Errorf("T3 another request: %d %s", other.Status, other.Body)
	}
	if all := a.list(t, "", "9"); len(all) != 1 {
		t.Errorf("T3 %d audits", len(all))
	}
	entries := a.entries(t)
	entry := timeline.Entry{
		ID: entries[0].ID, At: fixture.Start, Type: timeline.Audit, Action: "audit", Subject: timeline.Person{ID: "root", Name: "Ruth Root"},
		Target: timeline.Target{Type: "audit", ID: id}, RequestID: "request-1",
		After: timeline.Values{"base": 12.0, "verdicts": map[string]any{
			"frontline": "below", "leader": "within", "executive": "within", "champion": "below", "ci_experts": "within"}},
	}
	if diff := cmp.Diff([]timeline.Entry{entry}, entries); diff != "" {
		t.Errorf("T1 %s", diff)
	}
	if lines := strings.Count(metrics.String(), "\n"); lines != 7 || strings.Contains(metrics.String(), "Slot") || !strings.Contains(metrics.String(), `"Audit":"`+id+`"`) {
		t.Errorf("P6 %d lines of metrics: %s", lines, metrics.String())
	}
	metrics.Reset()
	a.made(t, "icu")
	if text := metrics.String(); strings.Count(text, `"Dimensions":[["Organization","Persona","Location"]]`) != 7 || strings.Count(text, `"Location":"icu"`) != 7 {
		t.Errorf("P6 a location's people are among the organization's: %s", text)
	}
}

func TestWhoMakesAndReadsAudits(t *testing.T) {
	a := world(t)
	id := a.made(t, "")
	for as, status := range map[string]int{"root": 201, "local": 403, "coach": 403, "service": 403, "nurse": 403, "inactive": 401, "": 401} {
		if answer := a.makeAudit(t, as, map[string]any{}, nil); answer.Status != status {
			t.Errorf("R10 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
	for as, status := range map[string]int{"root": 200, "local": 200, "coach": 200, "service": 200, "nurse": 403, "director": 403, "inactive": 401, "": 401} {
		if _, answer := a.audit(t, as, id, ""); answer.Status != status {
			t.Errorf("R10 %s: %d %s", as, answer.Status, answer.Body)
		}
		if answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-audits", As: as}); answer.Status != status {
			t.Errorf("R10 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
	tried := slices.DeleteFunc(a.entries(t), func(e timeline.Entry) bool { return !e.Denied || e.Action != "system_administrator" })
	if len(tried) != 4 {
		t.Errorf("T1 %d denied attempts of 4: %+v", len(tried), tried)
	}
}

func TestAnAuditOfNoPlace(t *testing.T) {
	a := world(t)
	id := a.made(t, "icu")
	for _, c := range []struct {
		body     any
		status   int
		problem  string
		pointers []string
	}{
		{map[string]any{"location": "nowhere"}, 422, "invalid_audit", []string{"/location"}},
		{map[string]any{"location": "n!where"}, 400, "malformed", []string{"/location"}},
		{map[string]any{"loaction": "icu"}, 400, "malformed", []string{"/loaction"}},
		{`[]`, 400, "malformed", []string{""}},
	} {
		if answer := a.makeAudit(t, "root", c.body, nil); answer.Status != c.status || answer.Problem(t) != c.problem || !slices.Equal(answer.Pointers(t), c.pointers) {
			t.Errorf("%v: %d %s", c.body, answer.Status, answer.Body)
		}
	}
	if answer := a.makeAudit(t, "root", nil, nil); answer.Status != 201 || answer.JSON(t)["report"].(map[string]any)["location"] != nil {
		t.Errorf("no body is no location: %d %s", answer.Status, answer.Body)
	}
	for query, status := range map[string]int{"": 200, "location=": 200, "location=icu": 200, "location=nowhere": 404, "location=w%21rd": 400, "location=icu&location=ward": 400, "limit=0": 400, "limit=501": 400, "cursor=x": 400, "slot=x": 400} {
		if answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-audits", Query: query, As: "root"}); answer.Status != status {
			t.Errorf("list %s: %d %s", query, answer.Status, answer.Body)
		}
	}
	for query, status := range map[string]int{"": 200, "location=icu": 200, "location=surgery": 404, "location=nowhere": 404, "location=w%21rd": 400, "limit=1": 400} {
		if _, answer := a.audit(t, "root", id, query); answer.Status != status {
			t.Errorf("audit %s: %d %s", query, answer.Status, answer.Body)
		}
	}
	for _, none := range []string{"nothing", "2026-03-02", "LAST", strings.Repeat("0", 26)} {
		if _, answer := a.audit(t, "root", none, ""); answer.Status != 404 {
			t.Errorf("%s: %d %s", none, answer.Status, answer.Body)
		}
	}
}

// history is audits of both kinds an hour apart, with people labelled in between:
// the ids, latest first.
func (a at) history(t *testing.T) []string {
	t.Helper()
	var ids []string
	next := func(id string) {
		ids = append(ids, id)
		a.Clock.Advance(time.Hour)
	}
	next(a.scheduled(t, "2026-03-02"))
	a.put(t, "root", "nurse", persona("leader"))
	next(a.made(t, "surgery"))
	next(a.made(t, ""))
	a.put(t, "root", "capture", persona("leader"))
	next(a.scheduled(t, "2026-03-03"))
	next(a.made(t, "icu"))
	a.put(t, "root", "doctor", persona("leader"))
	next(a.scheduled(t, "2026-03-01")) // fired late
	slices.Reverse(ids)
	return ids
}

func TestP6TheHistory(t *testing.T) {
	a := world(t)
	ids := a.history(t)
	late, icu, third, whole, surgery, first := ids[0], ids[1], ids[2], ids[3], ids[4], ids[5]
	for query, want := range map[string][]string{
		"":                  {late, third, whole, first},
		"location=icu":      {late, icu, third, whole, first},
		"location=surgery":  {late, third, whole, surgery, first},
		"location=medicine": {late, third, whole, first},
	} {
		for _, limit := range []string{"1", "2", "3", "500"} {
			var got []string
			all := a.list(t, query, limit)
			for i, b := range all {
				got = append(got, b.ID)
				// Whatever the page, an audit is compared with the one before it.
				before := ""
				if i+1 < len(all) {
					before = all[i+1].ID
				}
				if b.since() != before {
					t.Errorf("P6 %s limit %s: %s moved since %q, not %q", query, limit, b.ID, b.since(), before)
				}
				one, answer := a.audit(t, "root", b.ID, query)
				if diff := cmp.Diff(b, one); diff != "" {
					t.Errorf("P6 %s of %s by its id: %d %s", b.ID, query, answer.Status, diff)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("P6 %s limit %s: %v, want %v", query, limit, got, want)
			}
		}
	}
	// What the audit of the whole organization tells of a location is what one of the
	// location alone told.
	if b, _ := a.audit(t, "root", first, "location=surgery"); b.Report.Base != 4 || b.Report.Personas[0].Count != 2 || b.Report.Personas[1].Count != 1 || !b.Report.At.Equal(fixture.Start) {
		t.Errorf("P6 %+v", b)
	}
	if b, _ := a.audit(t, "root", surgery, ""); b.Report.Personas[1].Count != 2 || *b.Report.Location != "surgery" {
		t.Errorf("P6 %+v", b)
	}
}

func TestP6WhatAnAuditFoundChanged(t *testing.T) {
	a := world(t)
	a.history(t)
	leader := map[string]string{"persona": "leader", "before": "within", "after": "above"}
	var changed []int
	for _, b := range a.list(t, "", "10") {
		changed = append(changed, len(b.Changed))
		if len(b.Changed) > 0 && !cmp.Equal(b.Changed[0], leader) {
			t.Errorf("P6 %s: %v", b.ID, b.Changed)
		}
	}
	// Four of twelve are leaders at last: only then are there too many.
	if !slices.Equal(changed, []int{1, 0, 0, 0}) {
		t.Errorf("P6 %v", changed)
	}
	// One that is asked for between two scheduled ones takes no news from the second.
	a.remove(t, "root", "doctor", nil)
	demand := a.made(t, "")
	a.Clock.Advance(time.Hour)
	next := a.scheduled(t, "2026-03-04")
	for _, id := range []string{demand, next} {
		b, _ := a.audit(t, "root", id, "")
		want := []map[string]string{{"persona": "leader", "before": "above", "after": "within"}}
		if diff := cmp.Diff(want, b.Changed); diff != "" {
			t.Errorf("P6 %s: %s", id, diff)
		}
	}
	if b, _ := a.audit(t, "root", next, ""); b.since() != demand {
		t.Errorf("P6 moved since %s, not %s", b.since(), demand)
	}
	// Targets of then judge what was then.
	before, _ := a.audit(t, "root", demand, "location=surgery")
	organization := a.Caller(t, "root", directory.Keys{}).Organization
	organization.Settings.Targets.Leader = directory.Share{Min: 0, Max: 0}
	c := a.Caller(t, "root", directory.Keys{})
	if _, err := directory.NewOrganizations(a.Store).Put(t.Context(), c, organization, directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
	if after, _ := a.audit(t, "root", demand, "location=surgery"); cmp.Diff(before, after) != "" {
		t.Errorf("P6 %s", cmp.Diff(before, after))
	}
}

// Who takes part is in audits and reports, and how that moved since the audit before:
// for all, and for each location by what an audit of all counted there.
func TestP6WhatMovedSinceTheAuditBefore(t *testing.T) {
	a := world(t)
	engager := personas.NewEngager(a.Store)
	seen := func(user string) {
		day := directory.DayOf(a.Clock.Now())
		if failed := engager.Seen(t.Context(), fixture.Organization, map[string]directory.Day{user: day}); len(failed) > 0 {
			t.Fatal(failed)
		}
	}
	seen("nurse")
	first := a.scheduled(t, "2026-03-02")
	a.Clock.Advance(8 * 24 * time.Hour) // the nurse is active in the last month only
	seen("doctor")
	second := a.made(t, "")
	row := func(persona string, active7, active30 float64) map[string]any {
		return map[string]any{"persona": persona, "active7": active7, "active30": active30, "onTeam": 0.0}
	}
	for _, c := range []struct {
		location string
		want     map[string]any
	}{
		{"", row("frontline", 0, 1)}, {"location=hospital", row("frontline", 0, 1)},
		{"location=icu", row("frontline", -1, 0)}, {"location=ward", row("frontline", 1, 1)}, {"location=clinic", row("frontline", 0, 0)},
	} {
		b, answer := a.audit(t, "root", second, c.location)
		if b.since() != first || len(b.Moved.Engagement) != 6 || !cmp.Equal(b.Moved.Engagement[0], c.want) {
			t.Errorf("P6 %s: %d %s", c.location, answer.Status, answer.Body)
		}
		var live auditBody
		a.report(t, "root", c.location).Into(t, &live)
		if live.since() != second || !cmp.Equal(live.Moved.Engagement[0], row("frontline", 0, 0)) {
			t.Errorf("P6 the report %s: %+v", c.location, live.Moved)
		}
	}
	if b, _ := a.audit(t, "root", first, "location=icu"); b.Moved != nil {
		t.Errorf("P6 the first moved: %+v", b.Moved)
	}
}

func TestAuditsOfALocationThatIsGone(t *testing.T) {
	a := world(t)
	ref := directory.PlaceRef{Kind: timeline.Location, ID: "annex"}
	place := directory.Location{}
	place.ID, place.Name, place.Parent = "annex", "The annex", "clinic"
	service := directory.NewPlaces(a.Store)
	if _, _, err := service.Put(t.Context(), a.Caller(t, "root", directory.Keys{}), place, directory.Precondition{}); err != nil {
		t.Fatal(err)
	}
	whole, of := a.made(t, ""), a.made(t, "annex")
	if b, answer := a.audit(t, "root", whole, "location=annex"); answer.Status != 200 || b.Report.Base != 0 || b.Report.Personas[0].Verdict != "unreachable" {
		t.Errorf("nobody is there: %d %s", answer.Status, answer.Body)
	}
	a.Clock.Advance(time.Minute)
	if err := service.Delete(t.Context(), a.Caller(t, "root", directory.Keys{}), ref, directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
	if answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-audits", Query: "location=annex", As: "root"}); answer.Status != 404 {
		t.Errorf("a list of what is gone: %d %s", answer.Status, answer.Body)
	}
	if b, answer := a.audit(t, "root", of, ""); answer.Status != 200 || *b.Report.Location != "annex" {
		t.Errorf("its audit is kept: %d %s", answer.Status, answer.Body)
	}
	if _, answer := a.audit(t, "root", of, "location=annex"); answer.Status != 200 {
		t.Errorf("its audit is kept: %d %s", answer.Status, answer.Body)
	}
	if _, answer := a.audit(t, "root", whole, "location=annex"); answer.Status != 404 {
		t.Errorf("nobody was counted there: %d %s", answer.Status, answer.Body)
	}
}

func TestT4AnotherOrganizationsAudit(t *testing.T) {
	a := world(t)
	if made, err := a.CreateOrganization(t.Context(), directory.Organization{ID: "alpha", Name: "Alpha", Settings: directory.DefaultSettings()}, fixture.Start); err != nil || !made {
		t.Fatal(made, err)
	}
	auditor := personas.NewAuditor(a.Store, nil, nil, a.Clock.Now)
	if _, err := auditor.Run(t.Context(), "2026-03-02", []string{"alpha"}, func(personas.Outcome) {}); err != nil {
		t.Fatal(err)
	}
	audits, _, err := a.Audits(t.Context(), "alpha", directory.Page{Limit: 1})
	if err != nil || len(audits) != 1 {
		t.Fatal(audits, err)
	}
	for _, id := range []string{"2026-03-02", audits[0].Order} {
		if _, answer := a.audit(t, "root", id, ""); answer.Status != 404 {
			t.Errorf("T4 %s: %d %s", id, answer.Status, answer.Body)
		}
	}
}

func TestT3ParallelRepetitionsMakeOneAudit(t *testing.T) {
	a := world(t)
	var all sync.WaitGroup
	bodies := make([]string, 6)
	for i := range bodies {
		all.Go(func() {
			answer := a.makeAudit(t, "root", map[string]any{"location": "surgery"}, map[string]string{"Idempotency-Key": "one"})
			if answer.Status != 201 {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
			bodies[i] = answer.Body
		})
	}
	all.Wait()
	if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 {
		t.Errorf("T3 different answers: %s", bodies)
	}
	if n := len(a.list(t, "location=surgery", "9")); n != 1 || len(a.entries(t)) != 1 {
		t.Errorf("T3 %d audits, %d entries", n, len(a.entries(t)))
	}
}
