package whole

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exported is the record as lines, page after page by the links, from a path on;
// what a page leads to is found from where it was, as a client does.
func exported(t *testing.T, c client, path string) (lines []string, pages int) {
	t.Helper()
	for at := path; ; {
		r := c.get(t, at, "Accept", "application/x-ndjson")
		if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/x-ndjson" || r.header.Get("Vary") != "Accept" {
			t.Fatalf("%s: %d %v %s", at, r.status, r.header, r.raw)
		}
		for line := range strings.Lines(string(r.raw)) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		pages++
		link := r.header.Get("Link")
		if link == "" {
			return lines, pages
		}
		reference, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		if !ok || strings.Contains(reference, "://") {
			t.Fatalf("RFC 8288: %q", link)
		}
		at = reference
	}
}

// TestExportingTheTimeline: the lines are the list's entries, whatever is asked for,
// and none is lost while others are written.
func TestExportingTheTimeline(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	for i := range 8 {
		ada.put(t, "/v1/workflows/"+fmt.Sprintf("w%d", i), object{"name": fmt.Sprintf(`W "%d" <b> é`, i)}).is(t, 201)
	}
	acting, _ := o.begin(t, "sam", "lena")
	acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	over(t, acting)
	// lines end where the newest entry was when the first page was asked for.
	to := url.QueryEscape(text(timeline(t, ada, "")[0]["at"]))
	for _, query := range []string{
		"", "type=workflow", "type=impersonation", "person=sam", "person=sam&type=persona", "person=mia", "q=" + url.QueryEscape(`"3" <b> é`),
		"q=" + acting.session, "q=nothing+of+this", "type=workflow&q=w1&person=ada&from=2020-01-01T00:00:00%2B01:00",
	} {
		t.Run("T2 "+query, func(t *testing.T) {
			var want []string
			for _, entry := range timeline(t, ada, query+"&to="+to) {
				want = append(want, text(entry["id"]))
			}
			for _, limit := range []string{"1", "4", "500"} {
				lines, pages := exported(t, ada, "/v1/timeline?limit="+limit+"&to="+to+"&"+query)
				var got []string
				for _, line := range lines {
					_, id, _ := strings.Cut(line, `{"id":"`)
					id, _, _ = strings.Cut(id, `"`)
					got = append(got, id)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("by %s: %s", limit, diff)
				}
				if limit == "1" && pages < len(want) {
					t.Errorf("%d entries on %d pages of one", len(want), pages)
				}
			}
		})
	}
	t.Run("T2 complete while entries are written", func(t *testing.T) {
		before := ids(timeline(t, ada, ""))
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range 20 {
				o.as(t, "lena").put(t, "/v1/users/finn/persona", object{"persona": []string{"leader", "executive"}[i%2]})
			}
		})
		lines, _ := exported(t, ada, "/v1/timeline?limit=3")
		writer.Wait()
		all := strings.Join(lines, "\n")
		for _, id := range before {
			if strings.Count(all, `{"id":"`+id+`"`) != 1 {
				t.Errorf("%s is in the lines %d times", id, strings.Count(all, `{"id":"`+id+`"`))
			}
		}
	})
	t.Run("R10 for a system administrator alone, and of nobody else's cursor", func(t *testing.T) {
		o.as(t, "lena").get(t, "/v1/timeline", "Accept", "application/x-ndjson").problem(t, 403, "denied")
		link := ada.get(t, "/v1/timeline?limit=1", "Accept", "application/x-ndjson").header.Get("Link")
		path, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		o.as(t, "abe").get(t, path, "Accept", "application/x-ndjson").problem(t, 400, "malformed", "/cursor")
	})
}
