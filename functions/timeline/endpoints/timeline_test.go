package endpoints_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/timeline/endpoints"
	"gemba/shared/api"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// room is a function over the organization, with what a test does to it.
type room struct {
	*testing.T
	store    *dynamo.Store
	place    *fixture.Place
	function *api.Function
}

func open(t *testing.T) room {
	store, place := fixture.World(t)
	return room{t, store, place, endpoints.New(place.Deps(t, nil), store)}
}

// get is an answer to a system administrator.
func (r room) get(query url.Values) fixture.Answer {
	r.Helper()
	return r.as("root", query)
}

func (r room) as(user string, query url.Values) fixture.Answer {
	r.Helper()
	return r.place.Do(r, r.function, fixture.Call{Route: "GET /v1/timeline", Query: query.Encode(), As: user})
}

// record writes an entry of now.
func (r room) record(e timeline.Entry) {
	r.Helper()
	e.At = r.place.Clock.Now()
	if err := r.store.Record(r.Context(), fixture.Organization, e); err != nil {
		r.Fatal(err)
	}
}

type page struct {
	Items []struct {
		ID, Type, Action string
		At               time.Time
		Target           struct{ Type, ID string }
	}
	Next string
}

// all walks every page and is what each entry is about, newest first; it
// holds the pages to their limit and order.
func (r room) all(query url.Values) []string {
	r.Helper()
	var list []string
	last := "~"
	for {
		a := r.get(query)
		if a.Status != http.StatusOK {
			r.Fatalf("%d %s", a.Status, a.Body)
		}
		var p page
		a.Into(r, &p)
		for _, e := range p.Items {
			if e.ID >= last {
				r.Errorf("%s does not come before %s", e.ID, last)
			}
			last = e.ID
			list = append(list, e.Action+" "+e.Target.Type+" "+e.Target.ID)
		}
		if p.Next == "" {
			return list
		}
		query.Set("cursor", p.Next)
	}
}

func entryAbout(kind timeline.Type, action, target string) timeline.Entry {
	return timeline.Entry{
		Type: kind, Action: action, Subject: timeline.Person{ID: "root", Name: "Ruth Root"},
		Target: timeline.Target{Type: kind.String(), ID: target}, RequestID: "request-9",
	}
}

func TestR10TheTimelineIsReadBySystemAdministratorsAlone(t *testing.T) {
	r := open(t)
	for user, want := range map[string]int{"root": 200, "local": 403, "support": 403, "coach": 403, "nurse": 403, "service": 403, "inactive": 401} {
		if a := r.as(user, nil); a.Status != want {
			t.Errorf("%s: %d, want %d", user, a.Status, want)
		}
	}
	if a := r.as("", nil); a.Status != http.StatusUnauthorized || a.Problem(t) != "no_token" {
		t.Errorf("without a token: %d %s", a.Status, a.Body)
	}
	denied := r.get(url.Values{"person": {"nurse"}, "limit": {"1"}}).JSON(t)["items"].([]any)
	entry := denied[0].(map[string]any)
	if entry["outcome"] != "denied" || entry["action"] != "system_administrator" || entry["cause"] != "no_grant" {
		t.Errorf("T1 a denied attempt is an entry: %v", entry)
	}
}

func TestAnEntryHasTheContractsForm(t *testing.T) {
	r := open(t)
	r.place.Clock.Advance(1500 * time.Millisecond)
	acting := entryAbout(timeline.Persona, "set", "")
	acting.Target = timeline.Target{Type: "user", ID: "nurse"}
	acting.Subject, acting.Impersonator = timeline.Person{ID: "local", Name: "Lou Local"}, timeline.Person{ID: "support", Name: "Sam Support"}
	acting.Before, acting.After = timeline.Values{"persona": "frontline"}, timeline.Values{"persona": nil, "version": 2}
	r.record(acting)
	r.place.Clock.Advance(time.Second)
	ended := entryAbout(timeline.Impersonation, "end", "x1")
	ended.Cause, ended.Denied, ended.RequestID = "idle", true, ""
	r.record(ended)

	a := r.get(url.Values{"limit": {"2"}})
	got := a.JSON(t)["items"].([]any)
	for _, e := range got {
		delete(e.(map[string]any), "id")
	}
	want := []any{
		map[string]any{
			"at": "2026-03-02T09:00:02.5Z", "type": "impersonation", "action": "end", "outcome": "denied",
			"subject": map[string]any{"id": "root", "name": "Ruth Root"}, "impersonator": nil,
			"target": map[string]any{"type": "impersonation", "id": "x1"}, "before": nil, "after": nil,
			"cause": "idle", "requestId": "",
		},
		map[string]any{
			"at": "2026-03-02T09:00:01.5Z", "type": "persona", "action": "set", "outcome": "done",
			"subject":      map[string]any{"id": "local", "name": "Lou Local"},
			"impersonator": map[string]any{"id": "support", "name": "Sam Support"},
			"target":       map[string]any{"type": "user", "id": "nurse"},
			"before":       map[string]any{"persona": "frontline"}, "after": map[string]any{"persona": nil, "version": 2.0},
			"requestId": "request-9",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if next := a.JSON(t)["next"]; next == "" {
		t.Error("there are older entries, but no next page")
	}
}

func TestT2FiltersNarrow(t *testing.T) {
	r := open(t)
	r.place.Clock.Advance(time.Hour)
	renamed := entryAbout(timeline.Role, "update", "staff")
	renamed.Before, renamed.After = timeline.Values{"name": "Staff"}, timeline.Values{"name": "Caregivers", "grants": []any{map[string]any{"permissions": map[string]any{"view": "everywhere"}}}, "size": 12345678.0}
	r.record(renamed)
	r.place.Clock.Advance(time.Hour)
	acting := entryAbout(timeline.Assignment, "revoke", "")
	acting.Target = timeline.Target{Type: "user", ID: "doctor"}
	acting.Impersonator = timeline.Person{ID: "vendor", Name: "Vic Vendor"}
	r.record(acting)

	role, revoke := "update role staff", "revoke user doctor"
	created := []string{"set user doctor", "create user doctor"} // with a persona
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"type":                                {"type=assignment", []string{revoke}},
		"person as target":                    {"person=doctor", append([]string{revoke}, created...)},
		"person as impersonator":              {"person=vendor", []string{revoke, "create user vendor"}},
		"person as subject":                   {"person=root", []string{revoke, role, "create user root"}},
		"person nobody":                       {"person=stranger", nil},
		"from is included":                    {"from=2026-03-02T11:00:00Z", []string{revoke}},
		"to is not":                           {"from=2026-03-02T10:00:00Z&to=2026-03-02T11:00:00Z", []string{role}},
		"range in another zone":               {"from=2026-03-02T12:00:00%2B02:00&to=2026-03-02T10:00:01Z", []string{role}},
		"range before the organization":       {"to=2001-01-01T00:00:00Z", nil},
		"range after now":                     {"from=2999-01-01T00:00:00Z", nil},
		"range of no length":                  {"from=2026-03-02T10:00:00Z&to=2026-03-02T10:00:00Z", nil},
		"range wider than the record":         {"from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&q=doctor", append([]string{revoke}, created...)},
		"q in an id, whatever its case":       {"q=DOCTOR", append([]string{revoke}, created...)},
		"q in the impersonator's name":        {"q=VIC+vendor", []string{revoke, "create user vendor"}},
		"q in the action":                     {"q=REVOKE", []string{revoke}},
		"q in a value before":                 {"type=role&q=staf&from=2026-03-02T10:00:00Z", []string{role}},
		"q in a value after, nested":          {"q=everywhere", []string{role}},
		"q in a number":                       {"q=12345678", []string{role}},
		"q not in the name of a member":       {"q=permissions", nil},
		"all together":                        {"type=assignment&person=root&from=2026-03-02T11:00:00Z&to=2026-03-02T11:00:01Z&q=vendor", []string{revoke}},
		"all together, one of them elsewhere": {"type=role&person=root&from=2026-03-02T11:00:00Z&to=2026-03-02T11:00:01Z&q=vendor", nil},
		"empty ones are none":                 {"type=assignment&from=&to=&person=&q=&cursor=&limit=", []string{revoke}},
	} {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, (room{t, r.store, r.place, r.function}).all(query)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestT1EveryTypeCanBeAskedFor(t *testing.T) {
	r := open(t)
	r.place.Clock.Advance(time.Minute)
	for kind := timeline.NoType + 1; kind < timeline.TypeCount; kind++ {
		r.record(entryAbout(kind, "probe", "x"))
	}
	for kind := timeline.NoType + 1; kind < timeline.TypeCount; kind++ {
		want := []string{"probe " + kind.String() + " x"}
		if got := r.all(url.Values{"type": {kind.String()}, "q": {"probe"}}); !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

func TestBadFiltersAreAllNamed(t *testing.T) {
	r := open(t)
	for query, want := range map[string][]string{
		"type=persons":   {"/type"},
		"type=":          nil,
		"from=yesterday": {"/from"},
		"from=2026-03-02T12:00:00Z&to=2026-03-02T11:59:59Z": {"/to"},
		"person=%2Fetc":                 {"/person"},
		"q=" + strings.Repeat("x", 201): {"/q"},
		"q=a%00b":                       {"/q"},
		"typ=role":                      {"/typ"},
		"type=role&type=user":           {"/type"},
		"limit=0":                       {"/limit"},
		"limit=501":                     {"/limit"},
		"cursor=nonsense":               {"/cursor"},
		"type=x&from=x&to=x&person=%20&q=%0a&lim=3": {"/from", "/lim", "/person", "/q", "/to", "/type"},
	} {
		a := r.as("root", mustQuery(t, query))
		if want == nil {
			if a.Status != http.StatusOK {
				t.Errorf("%s: %d", query, a.Status)
			}
			continue
		}
		if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
			continue
		}
		got := a.Pointers(t)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: faults at %q, want %q", query, got, want)
		}
	}
}

func mustQuery(t *testing.T, raw string) url.Values {
	t.Helper()
	query, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return query
}

func TestT2PagesMakeTheWholeRecord(t *testing.T) {
	r := open(t)
	whole := r.all(url.Values{"limit": {"500"}})
	if len(whole) < 40 {
		t.Fatalf("only %d entries", len(whole))
	}
	for _, limit := range []string{"1", "7", "50"} {
		for name, query := range map[string]url.Values{
			"unfiltered": {}, "a filter that all pass": {"q": {"OPERATOR"}}, "person": {"person": {"nurse"}},
		} {
			want := r.all(with(query, "limit", "500"))
			if got := r.all(with(query, "limit", limit)); !slices.Equal(got, want) {
				t.Errorf("limit %s, %s: %d entries, want %d", limit, name, len(got), len(want))
			}
		}
	}
}

// TestT2GiantEntriesArePagedThrough: whoever makes large changes cannot keep
// the record from being read.
func TestT2GiantEntriesArePagedThrough(t *testing.T) {
	r := open(t)
	const giants = 12
	for i := range giants {
		r.place.Clock.Advance(time.Second)
		e := entryAbout(timeline.Role, "update", fmt.Sprintf("giant-%d", i))
		e.After = timeline.Values{"description": strings.Repeat("x", 300_000)}
		r.record(e)
	}
	var first page
	r.get(url.Values{}).Into(t, &first)
	if n := len(first.Items); n == 0 || n >= giants || first.Next == "" {
		t.Errorf("T2 %d entries on the first page, next %q", n, first.Next)
	}
	got := slices.DeleteFunc(r.all(url.Values{}), func(e string) bool { return !strings.Contains(e, "giant") })
	if len(got) != giants {
		t.Errorf("T2 %d of %d entries: %v", len(got), giants, got)
	}
}

// with is a query with one parameter more.
func with(query url.Values, name, value string) url.Values {
	next := url.Values{name: {value}}
	for k, v := range query {
		next[k] = v
	}
	return next
}

func TestACursorIsBoundToCallerAndQuery(t *testing.T) {
	r := open(t)
	second := r.place.User(t, "root")
	second.ID, second.Username, second.Sub, second.Assignments = "second", "second", fixture.Sub("second"), nil
	r.place.AddUser(t, second, "administrator")
	next, _ := r.get(url.Values{"limit": {"3"}}).JSON(t)["next"].(string)

	if a := r.get(url.Values{"cursor": {next}, "limit": {"8"}}); a.Status != http.StatusOK {
		t.Errorf("another limit: %d %s", a.Status, a.Body)
	}
	if a := r.get(url.Values{"cursor": {next}, "type": {"role"}}); a.Status != http.StatusBadRequest {
		t.Errorf("another query: %d", a.Status)
	}
	if a := r.as("second", url.Values{"cursor": {next}}); a.Status != http.StatusBadRequest {
		t.Errorf("another caller: %d", a.Status)
	}
}

func TestMonthsAreWalkedBackToTheOrganizationsFirst(t *testing.T) {
	r := open(t)
	whole := r.all(url.Values{"limit": {"500"}})
	r.place.Clock.Advance(30 * 31 * 24 * time.Hour)
	r.record(entryAbout(timeline.Role, "update", "staff"))

	query := url.Values{"limit": {"500"}}
	pages, sawEmpty := 0, false
	var got []string
	for more := true; more; pages++ {
		var p page
		r.get(query).Into(t, &p)
		for _, e := range p.Items {
			got = append(got, e.Action+" "+e.Target.Type+" "+e.Target.ID)
		}
		sawEmpty = sawEmpty || len(p.Items) == 0 && p.Next != ""
		query.Set("cursor", p.Next)
		more = p.Next != ""
	}
	if want := append([]string{"update role staff"}, whole...); !slices.Equal(got, want) {
		t.Errorf("%d entries over %d pages, want %d", len(got), pages, len(want))
	}
	if pages != 3 || !sawEmpty {
		t.Errorf("%d pages, an empty one with a next: %v", pages, sawEmpty)
	}
}

func TestT2PagesAreCompleteWhileEntriesAreWritten(t *testing.T) {
	r := open(t)
	r.place.Clock.Advance(time.Hour)
	const before, writers, writes = 40, 3, 60
	for i := range before {
		r.record(entryAbout(timeline.Role, "update", fmt.Sprintf("acknowledged-%d", i)))
		r.place.Clock.Advance(time.Millisecond)
	}
	var done sync.WaitGroup
	for range writers {
		done.Go(func() {
			for range writes {
				e := entryAbout(timeline.Item, "update", "later")
				e.At = r.place.Clock.Now()
				if err := r.store.Record(t.Context(), fixture.Organization, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		for _, filter := range []url.Values{{}, {"type": {"role"}}, {"q": {"acknowledged"}}, {"person": {"root"}}} {
			var got []string
			for _, e := range r.all(with(filter, "limit", "11")) {
				if strings.HasPrefix(e, "update role acknowledged") {
					got = append(got, e)
				}
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != before {
				t.Errorf("%v: %d of %d entries", filter, len(got), before)
			}
		}
	}
	done.Wait()
}
