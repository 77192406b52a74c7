package endpoints_test

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	useCase "gemba/shared/persona"
)

// reportAs asks for the report in a form.
func (a at) reportAs(t *testing.T, accept, as, query string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-report", Query: query, As: as, Header: map[string]string{"accept": accept}})
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// TestP6TheReportIsInTheFormThatIsAsked: the same report, and headers that fit
// its form.
func TestP6TheReportIsInTheFormThatIsAsked(t *testing.T) {
	a := world(t)
	for name, c := range map[string]struct {
		accept, query, kind, holds, file string
	}{
		"a program":                    {"application/json", "", "application/json", `"base":12`, ""},
		"anything":                     {"*/*", "", "application/json", `"base":12`, ""},
		"nothing":                      {"", "", "application/json", `"base":12`, ""},
		"what there is not":            {"application/pdf", "", "application/json", `"base":12`, ""},
		"a browser":                    {browser, "", "text/html; charset=utf-8", "<h1>Personas of <bdi>Riverside Health</bdi></h1>", ""},
		"a browser, of a location":     {browser, "location=surgery", "text/html; charset=utf-8", "<h1>Personas of <bdi>The surgery</bdi></h1>", ""},
		"a spreadsheet":                {"text/csv", "", "text/csv; charset=utf-8; header=present", "\r\nicu,The icu,surgery,3,2,", `attachment; filename="personas-riverside-2026-03-02.csv"`},
		"a spreadsheet, of a location": {"text/csv", "location=surgery", "text/csv; charset=utf-8; header=present", "\r\nicu,The icu,surgery,1,2,", `attachment; filename="personas-riverside-surgery-2026-03-02.csv"`},
		"not JSON if a page will do":   {"application/json;q=0.1, text/html", "", "text/html; charset=utf-8", "<main>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := a.reportAs(t, c.accept, "root", c.query)
			h := answer.Header
			if answer.Status != 200 || h["content-type"] != c.kind || !strings.Contains(answer.Body, c.holds) {
				t.Errorf("%d %s %.300s", answer.Status, h["content-type"], answer.Body)
			}
			if h["vary"] != "Accept" || h["cache-control"] != "no-store" || h["content-disposition"] != c.file {
				t.Errorf("%v", h)
			}
			page := strings.HasPrefix(c.kind, "text/html")
			if policy := h["content-security-policy"]; strings.HasPrefix(policy, "default-src 'none'; style-src 'unsafe-inline'; ") != page {
				t.Errorf("policy %q", policy)
			}
			if sniffed := h["x-content-type-options"] != "nosniff"; sniffed != (c.kind == "application/json") {
				t.Errorf("%v", h)
			}
		})
	}
}

// TestTheTableIsComplete: a row of the whole and one a location, of people who
// were counted as the report counts them.
func TestTheTableIsComplete(t *testing.T) {
	a := world(t)
	a.AddUser(t, directory.User{ID: "both", Name: "Bo", Username: "both", Type: authz.General, Locations: []string{"icu", "surgery", "clinic"}, Persona: directory.Frontline})
	rows, err := csv.NewReader(strings.NewReader(a.reportAs(t, "text/csv", "root", "").Body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, strings.Join(row[:6], ","))
	}
	want := []string{",Riverside Health,,0,13,5", "clinic,The clinic,,1,1,1", "hospital,The hospital,,1,13,5", "medicine,The medicine,hospital,2,2,2", "ward,The ward,medicine,3,2,2", "surgery,The surgery,hospital,2,5,3", "icu,The icu,surgery,3,3,3"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("P8 %q", got)
	}
}

// TestThePageLooksBack: it is drawn from the audits that were kept.
func TestThePageLooksBack(t *testing.T) {
	a := world(t)
	auditor := useCase.NewAuditor(a.Store, nil, nil, a.Clock.Now) // no verdict changes, so there is no mail
	for day, want := range []string{
		"There is no audit of this population yet.", "There is one audit of this population so far, of 2 March 2026.", "in 2 audits, from 2 March 2026 to 3 March 2026.",
	} {
		body := a.reportAs(t, browser, "root", "").Body
		if drawn := strings.Contains(body, "<polyline"); !strings.Contains(body, want) || drawn != (day == 2) {
			t.Errorf("after %d audits: drawn %v, or not said: %s", day, drawn, want)
		}
		if _, err := auditor.Run(t.Context(), useCase.Slot(a.Clock.Now()), []string{fixture.Organization}, func(useCase.Outcome) {}); err != nil {
			t.Fatal(err)
		}
		a.Clock.Advance(24 * time.Hour)
	}
}

// TestWhoMayReadTheReport: a form changes nothing of who may, nor how a refusal
// looks.
func TestWhoMayReadTheReport(t *testing.T) {
	a := world(t)
	for _, c := range []struct {
		name, as, query string
		status          int
		code            string
	}{
		{"R10 any administrator", "local", "", 200, ""},
		{"R10 nobody else", "nurse", "", 403, "denied"},
		{"U2 an inactive user", "inactive", "", 401, "sign_in_disabled"},
		{"no token", "", "", 401, "no_token"},
		{"T4 no such location", "root", "location=nowhere", 404, "not_found"},
		{"no id", "root", "location=a%20b", 400, "malformed"},
		{"T5 a script", "root", "location=%3Cscript%3E", 400, "malformed"},
		{"an unknown parameter", "root", "format=html", 400, "malformed"},
	} {
		for _, accept := range []string{"application/json", browser, "text/csv"} {
			t.Run(c.name+" "+accept, func(t *testing.T) {
				answer := a.reportAs(t, accept, c.as, c.query)
				if answer.Status != c.status || answer.Problem(t) != c.code || strings.Contains(answer.Body, "<script") {
					t.Errorf("%d %.300s", answer.Status, answer.Body)
				}
			})
		}
	}
}
