package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// offering answers the name of what the request prefers of three, as text of
// this length.
func offering(length int) api.Bound {
	return api.Endpoint[string]{
		Route: "PUT /v1/thing", Action: authz.AdministerSystem,
		Decode: func(r *api.Request) (string, error) {
			return r.Preferred("application/json", "text/html", "text/csv"), nil
		},
		Do: func(_ context.Context, _ directory.Caller, kind string) (api.Response, error) {
			return api.WholeText(http.StatusOK, api.Text{Type: kind, Bytes: []byte(strings.Repeat("<", length))})
		},
	}.Bind()
}

// TestPreferred is RFC 9110, 12.5.1, and of what it leaves open: nothing that
// fits is the first offer.
func TestPreferred(t *testing.T) {
	const html, csv, first = "text/html", "text/csv", "application/json"
	f := function(&store{}, &sessions{}, &strings.Builder{}, offering(1))
	for header, want := range map[string]string{
		"": first, "*/*": first, "application/json": first, "text/html": html, "text/csv": csv, "TEXT/HTML": html, "text/html;charset=utf-8": html,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": html, // a browser
		"text/*":                                     html,
		"text/*, text/html;q=0.1":                    csv,
		"text/html;q=0, */*":                         first,
		"text/html;q=0, text/*":                      csv,
		"text/csv;q=0.5, text/html;q=0.4":            csv,
		"text/html; q=0.5 , application/json; q=0.9": first,
		"application/json;q=0.2, */*;q=0.5":          html,
		"text/csv, text/html":                        html,
		"application/xml":                            first,
		"application/json;q=0, text/*;q=0":           first,
		"text/html;q=2":                              first,
		"text/html;q=NaN":                            first,
		"text/html;q=-1":                             first,
		"text/html;q=x, text/csv;q=0.001":            csv,
		"junk, , ;;;, text/csv":                      csv,
		"text":                                       first,
		"text/html\"":                                first,
	} {
		a := invoke(t, f, "root", map[string]string{"accept": header})
		if got := a.Headers["content-type"]; a.StatusCode != 200 || got != want || a.Body != "<" {
			t.Errorf("Accept %q is answered %s, want %s", header, got, want)
		}
	}
}

// TestTextIsWholeOrAProblem: Lambda answers at most 6 MB, of what stands in the
// answer as JSON.
func TestTextIsWholeOrAProblem(t *testing.T) {
	for length, status := range map[int]int{5_800_000: 200, 5_900_000: 422} {
		a := invoke(t, function(&store{}, &sessions{}, &strings.Builder{}, offering(length)), "root", map[string]string{"accept": "text/html"})
		if a.StatusCode != status {
			t.Fatalf("%d bytes are answered %d", length, a.StatusCode)
		}
		if status == 200 && len(a.Body) != length || status == 422 && !strings.Contains(a.Body, "urn:problem:too_large") {
			t.Errorf("%d bytes are answered %.200s", length, a.Body)
		}
	}
	quotes := api.Text{Type: "text/csv", Bytes: []byte(strings.Repeat(`"`, 3_000_000))}
	if _, err := api.WholeText(http.StatusOK, quotes); !fault.Is(err, fault.Unprocessable) {
		t.Errorf("what takes two bytes is taken for one: %v", err)
	}
}
