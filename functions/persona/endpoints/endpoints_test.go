package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/persona/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// at is the function over the fixture's organization.
type at struct {
	*dynamo.Store
	*fixture.Place
	*api.Function
}

func world(t *testing.T) at {
	t.Helper()
	store, place := fixture.World(t)
	return at{store, place, endpoints.New(place.Deps(t, nil), store)}
}

// mostPages is more than any list of these tests has.
const mostPages = 100

// pagesOf are all pages of a list, each of the form that tells what comes next.
func pagesOf[Page any](t *testing.T, ask func(cursor string) fixture.Answer, next func(Page) string) []Page {
	t.Helper()
	var all []Page
	for cursor := ""; len(all) < mostPages; {
		answer := ask(cursor)
		if answer.Status != 200 {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		var page Page
		answer.Into(t, &page)
		all = append(all, page)
		if cursor = next(page); cursor == "" {
			return all
		}
	}
	t.Fatal("the pages have no end")
	return nil
}

// put asks for a persona of somebody, on behalf of as.
func (a at) put(t *testing.T, as, user string, body any, header ...string) fixture.Answer {
	t.Helper()
	c := fixture.Call{Route: "PUT /v1/users/{id}/persona", Path: map[string]string{"id": user}, As: as, Body: body, Header: map[string]string{}}
	for i := 0; i+1 < len(header); i += 2 {
		c.Header[header[i]] = header[i+1]
	}
	return a.Do(t, a.Function, c)
}

func (a at) remove(t *testing.T, as, user string, header map[string]string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "DELETE /v1/users/{id}/persona", Path: map[string]string{"id": user}, As: as, Header: header})
}

func (a at) report(t *testing.T, as, query string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: "GET /v1/persona-report", Query: query, As: as})
}

func persona(word any) map[string]any { return map[string]any{"persona": word} }

// entries are those of the timeline since the fixture's start, newest first.
func (a at) entries(t *testing.T) []timeline.Entry {
	t.Helper()
	s := timeline.Stretch{From: fixture.Start, To: fixture.Start.Add(time.Hour), Page: timeline.Page{Limit: 500}}
	entries, _, err := a.Entries(t.Context(), fixture.Organization, s)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestRoutes(t *testing.T) {
	a := world(t)
	want := []string{
		"DELETE /v1/users/{id}/persona", "GET /v1/persona-audits", "GET /v1/persona-audits/{id}", "GET /v1/persona-mismatches",
		"GET /v1/persona-plan", "GET /v1/persona-report", "GET /v1/personas", "GET /v1/users/{id}/persona-history",
		"POST /v1/persona-audits", "POST /v1/persona-changes", "POST /v1/persona-reconciliations", "PUT /v1/users/{id}/persona",
	}
	if !slices.Equal(a.Routes(), want) {
		t.Errorf("%q", a.Routes())
	}
}

func TestChange(t *testing.T) {
	a := world(t)
	for _, c := range []struct {
		name, action string
		body         any // nil is DELETE
		before, want any
	}{
		{"P2 change", "change", persona("leader"), "frontline", "leader"},
		{"P1 an older name", "change", persona("CI Expert"), "leader", "ci_coach"},
		{"P1 another older name", "change", persona("Implementation Lead"), "ci_coach", "champion"},
		{"P2 clear", "clear", nil, "champion", nil},
		{"P2 set", "set", persona("executive"), nil, "executive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := a.User(t, "nurse")
			a.Clock.Advance(time.Second)
			var answer fixture.Answer
			if c.body == nil {
				answer = a.remove(t, "root", "nurse", nil)
			} else {
				answer = a.put(t, "root", "nurse", c.body)
			}
			user := answer.JSON(t)
			if answer.Status != 200 || user["persona"] != c.want || user["id"] != "nurse" || user["name"] != was.Name {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
			if etag := fmt.Sprintf("%q", fmt.Sprint(was.Version+1)); answer.Header["etag"] != etag || user["version"] != float64(was.Version+1) {
				t.Errorf("etag %s, want %s", answer.Header["etag"], etag)
			}
			entry := a.entries(t)[0]
			want := timeline.Entry{
				ID: entry.ID, At: a.Clock.Now(), Type: timeline.Persona, Action: c.action, Subject: timeline.Person{ID: "root", Name: "Ruth Root"},
				Target: timeline.Target{Type: "user", ID: "nurse"}, RequestID: "request-1",
				Before: timeline.Values{"persona": c.before}, After: timeline.Values{"persona": c.want},
			}
			if diff := cmp.Diff(want, entry); diff != "" {
				t.Errorf("T1 %s", diff)
			}
			if stored := a.User(t, "nurse"); stored.Version != was.Version+1 || stored.Persona.String() != word(c.want) {
				t.Errorf("stored %v, version %d", stored.Persona, stored.Version)
			}
		})
	}
}

func word(persona any) string {
	if persona == nil {
		return ""
	}
	return persona.(string)
}

func TestWhatIsSoAlreadyWritesNothing(t *testing.T) {
	a := world(t)
	was := a.User(t, "nurse").Version
	if answer := a.put(t, "root", "nurse", persona("frontline")); answer.Status != 200 || answer.JSON(t)["version"] != float64(was) {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if answer := a.remove(t, "root", "doctor", nil); answer.Status != 200 {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if answer := a.remove(t, "root", "doctor", nil); answer.Status != 200 || answer.JSON(t)["persona"] != nil {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if a.User(t, "nurse").Version != was || len(a.entries(t)) != 1 {
		t.Errorf("version %d of %d, %d entries", a.User(t, "nurse").Version, was, len(a.entries(t)))
	}
}

func TestPreconditionIsHeeded(t *testing.T) {
	a := world(t)
	etag := fmt.Sprintf("%q", fmt.Sprint(a.User(t, "nurse").Version))
	for _, c := range []struct {
		name, header, value string
		status              int
	}{
		{"none is needed", "x-other", "", 200},
		{"T3 the version before", "if-match", etag, 412},
		{"T3 even when nothing would change", "if-match", etag, 412},
		{"T3 any version", "if-match", "*", 200},
		{"a user that must not be there", "if-none-match", "*", 412},
		{"no entity tag", "if-match", "abc", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			if answer := a.put(t, "root", "nurse", persona("leader"), c.header, c.value); answer.Status != c.status {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
		})
	}
	if answer := a.remove(t, "root", "nurse", map[string]string{"if-match": etag}); answer.Status != 412 {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	now := fmt.Sprintf("%q", fmt.Sprint(a.User(t, "nurse").Version))
	if answer := a.remove(t, "root", "nurse", map[string]string{"if-match": now}); answer.Status != 200 {
		t.Errorf("T3 the current version: %d %s", answer.Status, answer.Body)
	}
}

func TestWhoMay(t *testing.T) {
	a := world(t)
	a.AddUser(t, directory.User{ID: "between", Name: "Bea", Username: "between", Type: authz.General, Locations: []string{"icu", "clinic"}})
	for _, c := range []struct {
		name, as, user string
		status         int
		denied         string
	}{
		{"P2 a global administrator", "root", "doctor", 200, ""},
		{"P2 one's own, as an administrator", "root", "root", 200, ""},
		{"R11 a local administrator, inside the reach", "local", "nurse", 200, ""},
		{"R11 a local administrator, oneself at the reach", "local", "local", 200, ""},
		{"T4 a local administrator, outside the reach", "local", "doctor", 404, "out_of_scope"},
		{"R11 a local administrator, one location outside", "local", "between", 404, "out_of_scope"},
		{"P2 a plain user, oneself", "nurse", "nurse", 403, "no_grant"},
		{"T4 a plain user, another", "nurse", "doctor", 404, "no_grant"},
		{"P2 an administrator of something else", "coach", "coach", 403, "no_grant"},
		{"T4 a user that is not there", "root", "nobody", 404, "unknown_resource"},
		{"U4 a user type without admin rights", "capture", "capture", 403, "user_type"},
		{"U2 an inactive user", "inactive", "nurse", 401, ""},
		{"no token", "", "nurse", 401, ""},
		{"a sign-in of nobody", "stranger", "nurse", 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := len(a.entries(t))
			a.Clock.Advance(time.Second)
			var version uint64
			if c.user != "nobody" {
				version = a.User(t, c.user).Version
			}
			for _, answer := range []fixture.Answer{a.put(t, c.as, c.user, persona("champion")), a.remove(t, c.as, c.user, nil)} {
				if answer.Status != c.status {
					t.Errorf("%d %s", answer.Status, answer.Body)
				}
			}
			if c.status == 200 {
				return
			}
			if c.user != "nobody" && a.User(t, c.user).Version != version {
				t.Error("T3 something was written")
			}
			now := a.entries(t)
			if c.denied == "" && len(now) != entries {
				t.Error("T1 an entry of somebody unknown")
			}
			if c.denied == "" {
				return
			}
			if len(now) != entries+2 || !now[0].Denied || now[0].Action != "change_persona" || now[0].Cause != c.denied || now[0].Target.ID != c.user {
				t.Errorf("T1 %d entries more, the last %+v", len(now)-entries, now[0])
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	a := world(t)
	for name, c := range map[string]struct {
		user     string
		body     any
		pointers []string
	}{
		"no body":              {"nurse", nil, []string{""}},
		"no JSON":              {"nurse", `{"persona":`, []string{""}},
		"no object":            {"nurse", `["leader"]`, []string{""}},
		"no persona":           {"nurse", `{}`, []string{"/persona"}},
		"null":                 {"nurse", `{"persona": null}`, []string{"/persona"}},
		"an unknown persona":   {"nurse", persona("boss"), []string{"/persona"}},
		"none is no persona":   {"nurse", persona("none"), []string{"/persona"}},
		"another type":         {"nurse", persona(3), []string{"/persona"}},
		"an unknown member":    {"nurse", `{"persona": "leader", "role": "x"}`, []string{"/role"}},
		"two faults":           {"nurse", `{"persona": "boss", "role": "x"}`, []string{"/persona", "/role"}},
		"an id of no alphabet": {"n!rse", persona("leader"), nil},
		"an id too long":       {strings.Repeat("n", 65), persona("leader"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := a.put(t, "root", c.user, c.body)
			if answer.Status != 400 || answer.Problem(t) != "malformed" || !slices.Equal(answer.Pointers(t), c.pointers) {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
		})
	}
	if len(a.entries(t)) != 0 {
		t.Error("something was written")
	}
}

// idle is how a persona is told of whose people take no part.
func idle(persona string) string {
	return fmt.Sprintf(`{"persona":%q,"active7":0,"active30":0,"onTeam":0}`, persona)
}

func TestReport(t *testing.T) {
	a := world(t)
	a.AddUser(t, directory.User{ID: "both", Name: "Bo", Username: "both", Type: authz.General, Locations: []string{"icu", "surgery", "clinic"}, Persona: directory.Frontline})
	answer := a.report(t, "root", "")
	want := `{"location":null,"at":"2026-03-02T09:00:00Z","base":13,` +
		`"personas":[` +
		`{"persona":"frontline","count":5,"share":0.38461538461538464,"range":{"min":9,"max":12},"verdict":"below","change":4},` +
		`{"persona":"leader","count":1,"share":0.07692307692307693,"range":{"min":0,"max":3},"verdict":"within","change":0},` +
		`{"persona":"executive","count":1,"share":0.07692307692307693,"range":{"min":0,"max":2},"verdict":"within","change":0},` +
		`{"persona":"ci_coach","count":1,"share":0.07692307692307693,"range":null,"verdict":null,"change":0},` +
		`{"persona":"champion","count":0,"share":0,"range":{"min":2,"max":3},"verdict":"below","change":2},` +
		`{"persona":"none","count":5,"share":0.38461538461538464,"range":null,"verdict":null,"change":0}],` +
		`"groups":[{"group":"ci_experts","count":1,"share":0.07692307692307693,"range":{"min":0,"max":3},"verdict":"within","change":0}],` +
		`"engagement":[` + strings.Join([]string{idle("frontline"), idle("leader"), idle("executive"), idle("ci_coach"), idle("champion"), idle("none")}, ",") + `],"moved":null}`
	if diff := cmp.Diff(want, answer.Body); answer.Status != 200 || diff != "" {
		t.Errorf("P6 %d %s", answer.Status, diff)
	}
}

func TestReportOfAPart(t *testing.T) {
	a := world(t)
	a.AddUser(t, directory.User{ID: "both", Name: "Bo", Username: "both", Type: authz.General, Locations: []string{"icu", "surgery", "clinic"}, Persona: directory.Frontline})
	type row struct {
		Persona, Group string
		Count          int
		Range          *struct{ Min, Max int }
		Verdict        *string
		Change         int
	}
	for _, c := range []struct {
		location        string
		base, frontline int
		verdict         string
	}{
		{"hospital", 13, 5, "below"}, {"surgery", 5, 3, "within"}, {"icu", 3, 3, "unreachable"},
		{"medicine", 2, 2, "unreachable"}, {"clinic", 1, 1, "unreachable"},
	} {
		t.Run("P8 "+c.location, func(t *testing.T) {
			var report struct {
				Location         string
				Base             int
				Personas, Groups []row
			}
			answer := a.report(t, "root", "location="+c.location)
			answer.Into(t, &report)
			if report.Location != c.location || report.Base != c.base || len(report.Personas) != 6 || len(report.Groups) != 1 {
				t.Fatalf("%d %s", answer.Status, answer.Body)
			}
			if f := report.Personas[0]; f.Count != c.frontline || *f.Verdict != c.verdict {
				t.Errorf("frontline %+v, %s", f, *f.Verdict)
			}
			if champion := report.Personas[4]; champion.Verdict != nil || champion.Range != nil || champion.Change != 0 {
				t.Errorf("P5 champions of a part: %+v", champion)
			}
			if report.Groups[0].Range.Max != 1 {
				t.Errorf("P5 experts of a part: %+v", report.Groups[0].Range)
			}
		})
	}
}

func TestReportFollowsChanges(t *testing.T) {
	a := world(t)
	a.put(t, "root", "root", persona("champion"))
	a.remove(t, "root", "nurse", nil)
	a.put(t, "root", "inactive", persona("champion")) // outside the base (P4)
	counts := func() map[any]any {
		out := map[any]any{}
		for _, r := range a.report(t, "root", "").JSON(t)["personas"].([]any) {
			row := r.(map[string]any)
			out[row["persona"]] = row["count"]
		}
		return out
	}
	want := map[any]any{"frontline": 3.0, "leader": 1.0, "executive": 1.0, "ci_coach": 1.0, "champion": 1.0, "none": 5.0}
	if diff := cmp.Diff(want, counts()); diff != "" {
		t.Errorf("P8 %s", diff)
	}
}

func TestWhoReadsTheReport(t *testing.T) {
	a := world(t)
	for as, status := range map[string]int{
		"root": 200, "local": 200, "support": 200, "coach": 200, "lead": 200, "service": 200, "pharmacist": 200,
		"nurse": 403, "director": 403, "capture": 403, "wallboard": 403, "inactive": 401, "": 401,
	} {
		if answer := a.report(t, as, ""); answer.Status != status {
			t.Errorf("R10 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
}

func TestReportOfNoPlace(t *testing.T) {
	a := world(t)
	for query, status := range map[string]int{
		"location=": 200, "location=nowhere": 404, "location=w%21rd": 400, "location=icu&location=ward": 400, "loaction=icu": 400,
	} {
		if answer := a.report(t, "root", query); answer.Status != status {
			t.Errorf("%s: %d %s", query, answer.Status, answer.Body)
		}
	}
}
