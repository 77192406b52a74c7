package endpoints_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"gemba/shared/api"
	"gemba/shared/dynamotest/fixture"
)

const (
	subjects  = "POST /access/v1/search/subject"
	resources = "POST /access/v1/search/resource"
	actions   = "POST /access/v1/search/action"
)

// found is the body of a search's answer.
type found struct {
	Page *struct {
		NextToken *string `json:"next_token"`
		Count     int
	}
	Results []struct{ Type, ID, Name string }
}

// search is one page of a search.
func search(t *testing.T, place *fixture.Place, f *api.Function, as, route string, body object) found {
	t.Helper()
	a := place.Do(t, f, fixture.Call{Route: route, As: as, Body: body})
	if a.Status != http.StatusOK || a.Header["content-type"] != "application/json" {
		t.Fatalf("%s %d %s", route, a.Status, a.Body)
	}
	var out found
	a.Into(t, &out)
	if out.Page == nil || out.Page.NextToken == nil || out.Results == nil || out.Page.Count != len(out.Results) {
		t.Fatalf("%s has not the standard's form", a.Body)
	}
	return out
}

// searched is all pages of a search, of at most limit results each: ids with
// their type, or names.
func searched(t *testing.T, place *fixture.Place, f *api.Function, as, route string, body object, limit int) []string {
	t.Helper()
	all := []string{}
	page := object{"limit": limit}
	for range 1000 {
		body["page"] = page
		out := search(t, place, f, as, route, body)
		if len(out.Results) > limit {
			t.Fatalf("%d results, at most %d were wanted", len(out.Results), limit)
		}
		for _, r := range out.Results {
			all = append(all, r.Type+r.Name+" "+r.ID)
		}
		if *out.Page.NextToken == "" {
			return all
		}
		page = object{"token": *out.Page.NextToken}
	}
	t.Fatal("the search does not end")
	return nil
}

var everyUser = []string{"capture", "coach", "director", "doctor", "inactive", "kiosk", "lead", "local", "nurse",
	"pharmacist", "remover", "root", "service", "support", "vendor", "wallboard"}

var everyItem = []string{"clinic-incident", "icu-idea", "icu-new", "surgery-draft", "ward-private", "ward-project"}

var itemActions = []string{"participate", "view", "edit", "request", "assign", "toggle_private", "honor_roll", "delete", "escalate"}

// TestSearchesAreTheEvaluations: what is found is what evaluation allows, for
// each kind of caller, item and action, whatever the size of a page.
func TestSearchesAreTheEvaluations(t *testing.T) {
	f, place := riverside(t)
	for _, as := range []string{"service", "root", "local", "nurse"} {
		allowed := map[string]bool{}
		for _, subject := range everyUser {
			var asked []object
			for _, item := range everyItem {
				for _, action := range itemActions {
					asked = append(asked, question(subject, action, "item", item, nil))
				}
			}
			for i, e := range several(t, place, f, as, object{"evaluations": asked}).Evaluations {
				allowed[fmt.Sprint(subject, asked[i]["action"], asked[i]["resource"].(object)["id"])] = *e.Decision
			}
		}
		want := func(kind string, candidates []string, is func(string) bool) []string {
			all := []string{}
			for _, c := range candidates {
				if is(c) {
					all = append(all, kind+" "+c)
				}
			}
			return all
		}
		for n, action := range itemActions {
			for _, item := range everyItem {
				got := searched(t, place, f, as, subjects, question("", action, "item", item, nil), 1+n)
				if want := want("user", everyUser, func(u string) bool {
					return allowed[fmt.Sprint(u, object{"name": action}, item)]
				}); !slices.Equal(got, want) {
					t.Errorf("%s searches who may %s %s: %q, want %q", as, action, item, got, want)
				}
			}
			for _, subject := range everyUser {
				got := searched(t, place, f, as, resources, question(subject, action, "item", "", nil), 1+n)
				if want := want("item", everyItem, func(i string) bool {
					return allowed[fmt.Sprint(subject, object{"name": action}, i)]
				}); !slices.Equal(got, want) {
					t.Errorf("%s searches what %s may %s: %q, want %q", as, subject, action, got, want)
				}
			}
		}
	}
}
