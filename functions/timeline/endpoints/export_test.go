package endpoints_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// lines is a page of the record as lines.
func (r room) lines(query string) fixture.Answer {
	r.Helper()
	return r.place.Do(r, r.function, fixture.Call{
		Route: "GET /v1/timeline", Query: query, As: "root", Header: map[string]string{"accept": "application/x-ndjson"},
	})
}

// following is the query that a page's Link leads to, "" on the last.
func following(t testing.TB, a fixture.Answer) string {
	t.Helper()
	link, there := a.Header["link"]
	if !there {
		return ""
	}
	reference, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	target, err := url.Parse(reference)
	if !ok || err != nil || target.Path != "/v1/timeline" || target.Host != "" {
		t.Fatalf("RFC 8288: %q: %v", link, err)
	}
	return target.RawQuery
}

// exported follows the links from a query on and is all lines, each as the JSON it
// is; while calls between pages.
func (r room) exported(query string, between func()) (entries []json.RawMessage, pages int) {
	r.Helper()
	for {
		a := r.lines(query)
		if a.Status != http.StatusOK || a.Header["content-type"] != "application/x-ndjson" || a.Header["vary"] != "Accept" {
			r.Fatalf("%d %v %s", a.Status, a.Header, a.Body)
		}
		if a.Body != "" && !strings.HasSuffix(a.Body, "\n") {
			r.Fatalf("the last line has no end: %q", a.Body)
		}
		for line := range strings.Lines(a.Body) {
			if !json.Valid([]byte(line)) {
				r.Fatalf("a line that is no JSON: %q", line)
			}
			entries = append(entries, json.RawMessage(strings.TrimSuffix(line, "\n")))
		}
		if pages++; following(r, a) == "" {
			return entries, pages
		}
		query = following(r, a)
		between()
	}
}

// listed is all entries of the JSON pages of a query, each as the JSON it is.
func (r room) listed(query url.Values) (entries []json.RawMessage) {
	r.Helper()
	for {
		a := r.get(query)
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		a.Into(r, &page)
		if a.Status != http.StatusOK || a.Header["vary"] != "Accept" || a.Header["link"] != "" {
			r.Fatalf("%d %v", a.Status, a.Header)
		}
		if entries = append(entries, page.Items...); page.Next == "" {
			return entries
		}
		query.Set("cursor", page.Next)
	}
}

// TestT2AnExportIsTheRecord: whoever follows the links of the lines has what whoever
// follows the cursors of the list has, in the same words, whatever the filters and
// the pages, also while entries are written.
func TestT2AnExportIsTheRecord(t *testing.T) {
	r := open(t)
	r.place.Clock.Advance(time.Hour)
	for i := range 30 {
		e := entryAbout(timeline.Type(1+i%int(timeline.TypeCount-1)), "probe", fmt.Sprintf("p%d", i))
		e.After = timeline.Values{"text": "<a> \u2028 \"q\" \\ \n " + fmt.Sprint(i), "n": 12345678901.5}
		if i%4 == 0 {
			e.Impersonator, e.Session = timeline.Person{ID: "vendor", Name: "Vic Vendor"}, "x1"
		}
		r.record(e)
		r.place.Clock.Advance(37 * time.Minute)
	}
	chance := rand.New(rand.NewPCG(7, 2026))
	pick := func(values ...string) string { return values[chance.IntN(len(values))] }
	some := 0
	for range 40 {
		query := url.Values{"limit": {pick("", "1", "7", "50", "500")}}
		for _, filter := range [][]string{
			{"type", "", "", "role", "user", "sign_in"}, {"person", "", "", "vendor", "root", "nurse", "stranger"},
			{"q", "", "", "PROBE", `"q" \`, "x1", "<a>", "& é =", "none of it"},
			{"from", "", "", "2026-03-02T12:00:00Z", "2026-03-02T13:30:00+01:00"}, {"to", "", "2026-03-02T20:00:00Z", "2026-03-03T00:00:00Z"},
		} {
			if value := pick(filter[1:]...); value != "" || chance.IntN(2) == 0 {
				query.Set(filter[0], value)
			}
		}
		lines, _ := r.exported(query.Encode(), func() {})
		want := r.listed(query)
		if !slices.EqualFunc(lines, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%v: %d lines, %d listed", query, len(lines), len(want))
		}
		some += len(lines)
	}
	if some < 100 {
		t.Errorf("only %d lines were compared", some)
	}
}

func TestAnExportIsAPageOfLines(t *testing.T) {
	r := open(t)
	const query = "limit=3&person=root&q=&type=user"
	first := r.lines(query)
	if n := strings.Count(first.Body, "\n"); n != 1 || following(t, first) != "" {
		t.Errorf("%d lines, %v", n, first.Header)
	}
	if none := r.lines("q=nothing+of+this+sort"); none.Status != 200 || none.Body != "" || none.Header["link"] != "" || none.Header["content-type"] != "application/x-ndjson" {
		t.Errorf("%d %v %q", none.Status, none.Header, none.Body)
	}
	next, err := url.ParseQuery(following(t, r.lines("limit=3&from=2026-01-01T00:00:00%2B01:00&q=OPERATOR")))
	cursor := next.Get("cursor")
	next.Del("cursor")
	if diff := cmp.Diff(url.Values{"limit": {"3"}, "from": {"2026-01-01T00:00:00+01:00"}, "q": {"OPERATOR"}}, next); diff != "" || err != nil || cursor == "" {
		t.Errorf("the next page is asked otherwise: %s %v", diff, err)
	}
	// A page as lines goes on as a list, and the other way round.
	a := r.get(url.Values{"limit": {"3"}, "from": {"2026-01-01T00:00:00+01:00"}, "q": {"OPERATOR"}, "cursor": {cursor}})
	if a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for accept, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "application/json, application/x-ndjson": "application/json",
		"application/x-ndjson, */*;q=0.1": "application/x-ndjson", "application/xml": "application/json", "Application/X-NDJSON": "application/x-ndjson",
	} {
		a := r.place.Do(t, r.function, fixture.Call{Route: "GET /v1/timeline", Query: "limit=1", As: "root", Header: map[string]string{"accept": accept}})
		if a.Header["content-type"] != want {
			t.Errorf("Accept %q: %s", accept, a.Header["content-type"])
		}
	}
	for as, want := range map[string]int{"local": 403, "nurse": 403, "inactive": 401} {
		a := r.place.Do(t, r.function, fixture.Call{Route: "GET /v1/timeline", As: as, Header: map[string]string{"accept": "application/x-ndjson"}})
		if a.Status != want || a.Problem(t) == "" {
			t.Errorf("R10 %s: %d %s", as, a.Status, a.Body)
		}
	}
}

// TestT5NoQueryEndsALink: what is looked for may hold anything; the reference
// holds it escaped.
func TestT5NoQueryEndsALink(t *testing.T) {
	r := open(t)
	hostile := `>; rel="next", </elsewhere?x=1>; rel="x" & é%0a`
	for range 3 {
		e := entryAbout(timeline.Role, "edit", "r")
		e.After = timeline.Values{"name": hostile}
		r.place.Clock.Advance(time.Second)
		r.record(e)
	}
	entries, pages := r.exported(url.Values{"q": {hostile}, "limit": {"1"}}.Encode(), func() {})
	if len(entries) != 3 || pages < 3 {
		t.Errorf("%d lines in %d pages", len(entries), pages)
	}
	link := r.lines(url.Values{"q": {hostile}, "limit": {"1"}}.Encode()).Header["link"]
	if strings.Count(link, ">") != 1 || strings.ContainsAny(link, "\r\n") || strings.Contains(link, "é") {
		t.Errorf("%q", link)
	}
}

// TestT2GiantEntriesAreExported: an answer has room for them, however large they
// are and however many were asked for.
func TestT2GiantEntriesAreExported(t *testing.T) {
	r := open(t)
	const giants = 14
	for i := range giants {
		r.place.Clock.Advance(time.Second)
		e := entryAbout(timeline.Role, "update", fmt.Sprintf("giant-%d", i))
		e.After = timeline.Values{"description": strings.Repeat(`"\`, 150_000)} // that take most room in an answer
		r.record(e)
	}
	payload := fixture.Call{Route: "GET /v1/timeline", Query: "limit=500&type=role&q=giant", As: "root", Header: map[string]string{"accept": "application/x-ndjson"}}
	raw, err := r.function.Invoke(t.Context(), r.place.Event(t, payload))
	if err != nil || len(raw) > 6<<20 || len(raw) < 3<<20 {
		t.Errorf("an answer of %d bytes: %v", len(raw), err)
	}
	if entries, pages := r.exported("limit=500&type=role&q=giant", func() {}); len(entries) != giants || pages < 3 {
		t.Errorf("%d lines in %d pages", len(entries), pages)
	}
}

// TestT2AnExportIsCompleteWhileEntriesAreWritten, of everybody and of a person,
// over the turn of a month and of a year.
func TestT2AnExportIsCompleteWhileEntriesAreWritten(t *testing.T) {
	r := open(t)
	turn := time.Date(2026, time.December, 31, 23, 59, 59, 980_000_000, time.UTC)
	r.place.Clock.Advance(turn.Sub(r.place.Clock.Now()))
	const before = 40
	for i := range before { // half of them in the old year
		r.record(entryAbout(timeline.Role, "update", fmt.Sprintf("acknowledged-%02d", i)))
		r.place.Clock.Advance(time.Millisecond)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := 0; i < 200; i++ {
				select {
				case <-stop:
					return
				default:
				}
				e := entryAbout(timeline.Item, "update", "later")
				e.At = r.place.Clock.Now()
				if err := r.store.Record(t.Context(), fixture.Organization, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, filter := range []url.Values{{}, {"type": {"role"}}, {"q": {"acknowledged"}}, {"person": {"root"}}, {"person": {"root"}, "type": {"role"}}} {
		lines, _ := r.exported(with(filter, "limit", "9").Encode(), func() { r.place.Clock.Advance(time.Millisecond) })
		var got []string
		for _, line := range lines {
			var e struct{ Target struct{ ID string } }
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(e.Target.ID, "acknowledged") {
				got = append(got, e.Target.ID)
			}
		}
		slices.Reverse(got) // newest first
		if len(got) != before || !slices.IsSorted(got) || len(slices.Compact(got)) != before {
			t.Errorf("T2 %v: %d of %d entries: %v", filter, len(got), before, got)
		}
	}
	close(stop)
	writers.Wait()
}
