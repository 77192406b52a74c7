package endpoints_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

// opened is the directory function over the fixture's world, and what its tests
// ask it.
type opened struct {
	*fixture.Place
	t *testing.T
	f *api.Function
}

func openWorld(t *testing.T) opened {
	t.Helper()
	d := open(t)
	return opened{d.Place, t, d.f}
}

// get asks for a list.
func (o opened) get(path, as, query string) fixture.Answer {
	o.t.Helper()
	return o.Do(o.t, o.f, fixture.Call{Route: "GET " + path, As: as, Query: query})
}

// pages is the ids of a whole list, page by page.
func (o opened) pages(path, as, query string) []string {
	o.t.Helper()
	ids, cursor := []string{}, ""
	for {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		a := o.get(path, as, query+"&cursor="+cursor)
		if a.Status != 200 {
			o.t.Fatalf("%s?%s for %s: %d %s", path, query, as, a.Status, a.Body)
		}
		a.Into(o.t, &page)
		for _, u := range page.Items {
			ids = append(ids, u.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

// everybody of the fixture, in order.
const everybody = "capture coach director doctor inactive kiosk lead local nurse pharmacist root service support vendor wallboard"

func TestListedUsers(t *testing.T) {
	o := openWorld(t)
	for _, c := range []struct{ rule, as, query, want string }{
		{"R11 a global administrator reaches everybody", "root", "", everybody},
		{"R11 a local administrator those of the own locations and below", "local", "", "capture inactive lead local nurse"},
		{"P1 a persona", "root", "persona=executive", "director"},
		{"P1 a persona's older name", "root", "persona=CI%20Expert", "coach"},
		{"P1 a persona as it is shown", "root", "persona=ci%20%20coach", "coach"},
		{"P1 no persona", "root", "persona=none", "kiosk local root service support vendor wallboard"},
		{"a role", "root", "role=staff", "capture doctor inactive kiosk lead nurse wallboard"},
		{"R11 a role, within reach", "local", "role=staff", "capture inactive lead nurse"},
		{"no role of that id", "root", "role=nothing", ""},
		{"a location", "root", "location=surgery", "lead local"},
		{"U3 a location and below", "root", "location=surgery&below=true", "capture inactive lead local nurse"},
		{"U3 and not below", "root", "location=surgery&below=false", "lead local"},
		{"U3 the whole tree", "root", "location=hospital&below=true", strings.ReplaceAll(everybody, "kiosk ", "")},
		{"R11 a location, within reach", "local", "location=hospital&below=true", "capture inactive lead local nurse"},
		{"R11 a location out of reach", "local", "location=ward", ""},
		{"no location of that id", "root", "location=nothing", ""},
		{"a role at a location and below", "root", "role=staff&location=surgery&below=true", "capture inactive lead nurse"},
		{"U2 a type", "root", "type=inactive", "inactive"},
		{"text in a name, whatever its case", "root", "q=NURSE", "nurse"},
		{"text in a username and e-mail", "root", "q=root%40riverside", "root"},
		{"text in an e-mail, which vendor has none of", "root", "q=%40riverside", strings.ReplaceAll(everybody, "vendor ", "")},
		{"all at once", "root", "q=n&type=general&persona=frontline&role=staff&location=hospital&below=true", "doctor nurse"},
	} {
		for _, limit := range []string{"", "&limit=1", "&limit=3", "&limit=500"} {
			if got := strings.Join(o.pages("/v1/users", c.as, c.query+limit), " "); got != c.want {
				t.Errorf("%s (%s%s): %q, want %q", c.rule, c.query, limit, got, c.want)
			}
		}
	}
}

func TestAListedUserIsTheUser(t *testing.T) {
	o := openWorld(t)
	var list struct{ Items []any }
	o.get("/v1/users", "root", "q=nina").Into(t, &list)
	one := o.Do(t, o.f, fixture.Call{Route: "GET /v1/users/{id}", As: "root", Path: map[string]string{"id": "nurse"}})
	var user any
	one.Into(t, &user)
	if len(list.Items) != 1 || !reflect.DeepEqual(list.Items[0], user) {
		t.Errorf("listed %v, read %v", list.Items, user)
	}
}

func TestListedPeople(t *testing.T) {
	o := openWorld(t)
	active := strings.ReplaceAll(everybody, "inactive ", "")
	for _, c := range []struct{ rule, query, want string }{
		{"everybody active, of whatever other type", "", active},
		{"U2 nobody inactive", "type=inactive", ""},
		{"a location and below", "location=surgery&below=true", "capture lead local nurse"},
		{"a persona", "persona=leader", "lead"},
		{"P1 a persona in another spelling", "persona=CI-EXPERT", "coach"},
		{"P1 no persona", "persona=None", "kiosk local root service support vendor wallboard"},
		{"text in a name", "q=nina", "nurse"},
		{"T4 but not in an e-mail", "q=riverside", ""},
		{"T4 nor in a username", "q=pharmacist", "pharmacist"}, // of Pat Pharmacist
	} {
		for _, limit := range []string{"", "&limit=2"} {
			if got := strings.Join(o.pages("/v1/people", "director", c.query+limit), " "); got != c.want {
				t.Errorf("%s (%s): %q, want %q", c.rule, c.query, got, c.want)
			}
		}
	}
	o.AddUser(t, directory.User{ID: "x1", Name: "Xaver", Username: "secret-login", Email: "hidden@riverside.example", Type: authz.General, Locations: []string{"icu"}})
	o.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "section"}, Name: "Section", Advanced: []authz.Advanced{authz.PeopleSection}, Admin: authz.Admin{Board: authz.Everywhere}}})
	o.AddUser(t, directory.User{ID: "x2", Name: "Yves", Username: "x2", Type: authz.General, Locations: []string{"surgery"}, SignIn: directory.Enabled, Sub: fixture.Sub("x2")}, "section", "local-administrator")
	for query, want := range map[string]string{"role=staff": "capture lead nurse", "role=pharmacy": "", "role=staff&q=nina": "nurse", "location=ward": "doctor pharmacist wallboard"} {
		if got := strings.Join(o.pages("/v1/people", "x2", query), " "); got != want {
			t.Errorf("T4 %s tells a local administrator of %q, want %q", query, got, want)
		}
	}
	for _, q := range []string{"secret-login", "hidden", "x1"} {
		if got := o.pages("/v1/people", "director", "q="+q); len(got) > 0 {
			t.Errorf("T4 what is not shown is not searched: %s finds %q", q, got)
		}
	}
	var list struct{ Items []map[string]any }
	o.get("/v1/people", "director", "q=nina").Into(t, &list)
	if want := map[string]any{"id": "nurse", "name": "Nina Nurse", "persona": "frontline", "locations": []any{"icu"}}; len(list.Items) != 1 || !reflect.DeepEqual(list.Items[0], want) {
		t.Errorf("T4 of a person are shown %v", list.Items)
	}
}

func TestWhoMayList(t *testing.T) {
	o := openWorld(t)
	o.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "section"}, Name: "Section", Advanced: []authz.Advanced{authz.PeopleSection}, Admin: authz.Admin{Board: authz.Everywhere}}})
	o.AddUser(t, directory.User{ID: "both", Name: "Both", Username: "both", Type: authz.General, Locations: []string{"icu"}, SignIn: directory.Enabled, Sub: fixture.Sub("both")}, "section")
	for _, c := range []struct {
		rule, path, as, query string
		status                int
		code                  string
	}{
		{"R11 nobody but user administrators", "/v1/users", "nurse", "", 403, "denied"},
		{"R10 no other administrator", "/v1/users", "service", "", 403, "denied"},
		{"R9 the people section is no administration", "/v1/users", "director", "", 403, "denied"},
		{"R9 and administration no people section", "/v1/people", "root", "", 403, "denied"},
		{"R9 nor is nothing", "/v1/people", "nurse", "", 403, "denied"},
		{"T4 who holds which role is not for everybody", "/v1/people", "director", "role=staff", 403, "denied"},
		{"T4 nor for whoever administers something else", "/v1/people", "both", "role=staff", 403, "denied"},
		{"no token", "/v1/users", "", "", 401, "no_token"},
		{"an unknown filter", "/v1/users", "root", "persna=leader", 400, "malformed"},
		{"an unknown persona", "/v1/users", "root", "persona=hero", 400, "malformed"},
		{"an unknown type", "/v1/users", "root", "type=human", 400, "malformed"},
		{"an id outside its alphabet", "/v1/users", "root", "location=a%23b", 400, "malformed"},
		{"below what", "/v1/users", "root", "below=true", 400, "malformed"},
		{"below as no truth", "/v1/users", "root", "location=icu&below=yes", 400, "malformed"},
		{"a text of 101 characters", "/v1/users", "root", "q=" + strings.Repeat("a", 101), 400, "malformed"},
		{"a control character", "/v1/people", "director", "q=a%0Ab", 400, "malformed"},
		{"a limit of none", "/v1/users", "root", "limit=0", 400, "malformed"},
		{"a limit over 500", "/v1/users", "root", "limit=501", 400, "malformed"},
		{"a cursor of nothing", "/v1/users", "root", "cursor=bm90aGluZw", 400, "malformed"},
	} {
		a := o.get(c.path, c.as, c.query)
		if got := a.Problem(t); a.Status != c.status || got != c.code {
			t.Errorf("%s: %d %q, want %d %q\n%s", c.rule, a.Status, got, c.status, c.code, a.Body)
		}
	}
}

// TestCursorsAreTheirCallersAlone: a cursor is of one caller and one query, of
// pages of whatever size, and tells nothing.
func TestCursorsAreTheirCallersAlone(t *testing.T) {
	o := openWorld(t)
	cursor := func(as, query string) string {
		var page struct{ Next string }
		o.get("/v1/users", as, query).Into(t, &page)
		if page.Next == "" {
			t.Fatalf("%s for %s has one page", query, as)
		}
		return page.Next
	}
	roots := cursor("root", "limit=2&role=staff")
	for _, c := range []struct {
		rule, as, query string
		status          int
	}{
		{"the same query", "root", "limit=2&role=staff", 200},
		{"a page of another size", "root", "role=staff", 200},
		{"another query", "root", "limit=2&role=coach", 400},
		{"no query", "root", "limit=2", 400},
		{"another caller", "support", "limit=2&role=staff", 400},
		{"another list", "both", "limit=2&role=staff", 400},
	} {
		path := "/v1/users"
		if c.as == "both" {
			path, c.as = "/v1/people", "director"
			c.query = "limit=2"
		}
		if a := o.get(path, c.as, c.query+"&cursor="+roots); a.Status != c.status {
			t.Errorf("%s: %d, want %d", c.rule, a.Status, c.status)
		}
	}
	changed := []byte(roots)
	changed[len(changed)/2] ^= 1
	if a := o.get("/v1/users", "root", "limit=2&role=staff&cursor="+url.QueryEscape(string(changed))); a.Status != 400 || !slices.Contains(a.Pointers(t), "/cursor") {
		t.Errorf("a cursor that was made up: %d", a.Status)
	}
}
