package endpoints_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

const membersRoute = "GET /v1/roles/{id}/members"

// membersOf are all members that the pages show, as JSON.
func membersOf(t *testing.T, place *fixture.Place, f *api.Function, as, role string, limit int, filters ...string) []string {
	t.Helper()
	var all []string
	for cursor := ""; ; {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		call := fixture.Call{Route: membersRoute, As: as, Path: map[string]string{"id": role}, Query: fmt.Sprintf("limit=%d&cursor=%s%s", limit, cursor, strings.Join(filters, ""))}
		a := place.Do(t, f, call)
		expect(t, "members", a, 200, "")
		a.Into(t, &page)
		if len(page.Items) > limit {
			t.Fatalf("%d members on a page of %d", len(page.Items), limit)
		}
		for _, item := range page.Items {
			all = append(all, string(item))
		}
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

func TestMembersWithinReach(t *testing.T) {
	_, place, f := openStore(t)
	u := place.User(t, "doctor")
	u.ID, u.Username, u.Sub, u.SignIn, u.Name = "both", "both", "", directory.NoSignIn, "Bo Both"
	u.Locations, u.Assignments = []string{"icu", "ward"}, nil
	place.AddUser(t, u)
	give := func(user string, body map[string]any) {
		expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", user, "staff", body)), 200, "")
	}
	give("both", map[string]any{"locations": []string{"ward"}, "until": "2030-01-01T00:00:00+01:00"})
	give("capture", map[string]any{"until": place.Clock.Now().Format(time.RFC3339)})
	start := place.Clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	now := place.Clock.Now().UTC().Format(time.RFC3339)
	member := func(user, name, more, since, by string) string {
		return fmt.Sprintf(`{"user":%q,"name":%q,%s"since":%q,"by":%q}`, user, name, more, since, by)
	}
	want := []string{
		member("both", "Bo Both", `"locations":["ward"],"until":"2029-12-31T23:00:00Z","expired":false,`, now, "root"),
		member("capture", "Cap Capture", `"until":"`+now+`","expired":true,`, start, "operator"),
		member("doctor", "Dan Doctor", `"expired":false,`, start, "operator"),
		member("inactive", "Ivy Inactive", `"expired":false,`, start, "operator"),
		member("kiosk", "Lobby kiosk", `"expired":false,`, start, "operator"),
		member("lead", "Lee Lead", `"expired":false,`, start, "operator"),
		member("nurse", "Nina Nurse", `"expired":false,`, start, "operator"),
		member("wallboard", "Ward wallboard", `"expired":false,`, start, "operator"),
	}
	for _, limit := range []int{1, 3, 8, 500} {
		if diff := cmp.Diff(want, membersOf(t, place, f, "root", "staff", limit)); diff != "" {
			t.Errorf("members in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	// local administers surgery and below: both is at ward, too (R11).
	want = []string{want[1], want[3], want[5], want[6]}
	for _, limit := range []int{1, 2, 50} {
		if diff := cmp.Diff(want, membersOf(t, place, f, "local", "staff", limit)); diff != "" {
			t.Errorf("T4 members within reach in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	if got := membersOf(t, place, f, "local", "pharmacy", 50); len(got) > 0 {
		t.Errorf("T4 members beyond the reach: %v", got)
	}
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"T4 no such role", onOne(membersRoute, "local", "nothing", nil, ""), 404, "not_found"},
		{"R10 no user administrator", onOne(membersRoute, "coach", "staff", nil, ""), 403, "denied"},
		{"a plain user", onOne(membersRoute, "nurse", "staff", nil, ""), 403, "denied"},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
}

// TestMembersByPersona: of the role's members those who have the persona, whatever
// it is called and whatever persona the role is meant for (P1).
func TestMembersByPersona(t *testing.T) {
	place, f := open(t)
	for _, c := range []struct{ as, persona, want string }{
		{"root", "", "capture doctor inactive kiosk lead nurse wallboard"},
		{"root", "leader", "inactive lead"},
		{"root", "%20LEADER", "inactive lead"},
		{"root", "front-line", "capture doctor nurse"},
		{"local", "Frontline", "capture nurse"},
		{"root", "none", "kiosk wallboard"},
		{"local", "none", ""},
		{"root", "CI%20Expert", ""},
	} {
		for _, limit := range []int{1, 3, 50} {
			var got []string
			for _, text := range membersOf(t, place, f, c.as, "staff", limit, "&persona="+c.persona) {
				var m struct{ User string }
				if err := json.Unmarshal([]byte(text), &m); err != nil {
					t.Fatal(err)
				}
				got = append(got, m.User)
			}
			if members := strings.Join(got, " "); members != c.want {
				t.Errorf("P1 %s sees members with persona %q in pages of %d: %q, want %q", c.as, c.persona, limit, members, c.want)
			}
		}
	}
	bad := fixture.Call{Route: membersRoute, As: "root", Path: map[string]string{"id": "staff"}, Query: "persona=hero"}
	expect(t, "an unknown persona", place.Do(t, f, bad), 400, "malformed")
}

func TestCursorsAreBound(t *testing.T) {
	place, f := open(t)
	var page struct{ Next string }
	place.Do(t, f, fixture.Call{Route: membersRoute, As: "root", Path: map[string]string{"id": "staff"}, Query: "limit=2"}).Into(t, &page)
	with := func(as, role, more string) fixture.Answer {
		return place.Do(t, f, fixture.Call{Route: membersRoute, As: as, Path: map[string]string{"id": role}, Query: more + "cursor=" + page.Next})
	}
	expect(t, "a cursor goes on", with("root", "staff", "limit=3&"), 200, "")
	expect(t, "of another role", with("root", "unit-lead", ""), 400, "malformed")
	expect(t, "of another caller", with("support", "staff", ""), 400, "malformed")
	expect(t, "of another filter", with("root", "staff", "persona=leader&"), 400, "malformed")
	expect(t, "an unknown filter", with("root", "staff", "role=x&"), 400, "malformed")
	if text, err := base64.RawURLEncoding.DecodeString(page.Next); err != nil || strings.Contains(string(text), "doctor") {
		t.Errorf("T4 a cursor tells at whom its page ended: %q, %v", text, err)
	}
}

// TestMembersAreThoseOfNow: who lost the role or the reach since is not shown.
func TestMembersAreThoseOfNow(t *testing.T) {
	_, place, f := openStore(t)
	expect(t, "R12", place.Do(t, f, onRole(revokeRoute, "root", "nurse", "staff", nil)), 200, "")
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "local", "pharmacy", nil)), 200, "")
	if got := strings.Join(membersOf(t, place, f, "root", "staff", 2), ""); strings.Contains(got, `"nurse"`) {
		t.Errorf("R12 %s", got)
	}
	lost(t, place.Do(t, f, onOne(deleteRoute, "root", "staff", nil, "*")))
	expect(t, "R14", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "staff"})}), 201, "")
	if got := membersOf(t, place, f, "root", "staff", 50); len(got) > 0 {
		t.Errorf("R14 nobody holds the new role: %v", got)
	}
}

func TestCloning(t *testing.T) {
	_, place, f := openStore(t)
	body := roleBody(map[string]any{
		"id": "original", "name": "Original", "description": "two\nlines", "persona": "leader", "notifications": []string{"item_assigned"}, "defaultBoard": "huddle",
		"boardAccess": []string{"huddle"}, "boardSubscriptions": []string{"wall"}, "advanced": []string{"create_boards"},
		"admin": map[string]any{"localUserAdministrator": map[string]any{"scope": "only_location", "createUsers": true, "grantableRoles": []string{"staff", "unit-lead"}}},
	})
	made := place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: body})
	expect(t, "R1", made, 201, "")
	var self map[string]any
	made.Into(t, &self)
	self["admin"].(map[string]any)["localUserAdministrator"].(map[string]any)["grantableRoles"] = []string{"original", "unit-lead"}
	expect(t, "R12 a role that names itself", place.Do(t, f, onOne(putRoute, "root", "original", self, `"1"`)), 200, "")
	lost(t, place.Do(t, f, onOne(deleteRoute, "root", "unit-lead", nil, `"1"`)))

	call := onOne(cloneRoute, "root", "original", map[string]any{"id": "copy", "name": "Copy"}, "")
	call.Header = map[string]string{"idempotency-key": "k"}
	copied := place.Do(t, f, call)
	expect(t, "R1 a clone", copied, 201, "")
	if copied.Header["location"] != "/v1/roles/copy" || copied.Header["etag"] != `"1"` {
		t.Errorf("a clone at %s, version %s", copied.Header["location"], copied.Header["etag"])
	}
	want, got := place.Do(t, f, onOne(getRoute, "root", "original", nil, "")).JSON(t), copied.JSON(t)
	want["id"], want["name"], want["version"] = "copy", "Copy", 1.0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("R1 a clone differs (-original +clone):\n%s", diff)
	}
	if ids := fmt.Sprint(got["admin"].(map[string]any)["localUserAdministrator"].(map[string]any)["grantableRoles"]); ids != "[original]" {
		t.Errorf("R12, R14 a clone may grant %s", ids)
	}
	if again := place.Do(t, f, call); again.Body != copied.Body || again.Status != 201 {
		t.Errorf("T3 %d %s", again.Status, again.Body)
	}
	call.Path = map[string]string{"id": "staff"}
	expect(t, "T3 the key for another original", place.Do(t, f, call), 422, "idempotency_key_reused")
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"T4 no such role", onOne(cloneRoute, "root", "nothing", map[string]any{"name": "N"}, ""), 404, "not_found"},
		{"R1 a taken id", onOne(cloneRoute, "root", "staff", map[string]any{"name": "N", "id": "copy"}, ""), 409, "id_taken"},
		{"R1 a taken name", onOne(cloneRoute, "root", "staff", map[string]any{"name": "ORIGINAL"}, ""), 409, "name_taken"},
		{"no name", onOne(cloneRoute, "root", "staff", map[string]any{}, ""), 400, "malformed"},
		{"R10 no role administrator", onOne(cloneRoute, "local", "staff", map[string]any{"name": "N"}, ""), 403, "denied"},
		{"R1 without an id", onOne(cloneRoute, "root", "administrator", map[string]any{"name": "Another administrator"}, ""), 201, ""},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
	c := place.Caller(t, "root", directory.Keys{})
	if r, _ := c.Model.Role("copy"); r.Birth == 0 || slices.ContainsFunc(c.Subject.Assignments, func(a directory.Assignment) bool { return a.Role == r.RoleRef }) {
		t.Errorf("R14 the clone is %+v", r.RoleRef)
	}
}

func TestThePermissionsAreForEverybody(t *testing.T) {
	store, place, f := openStore(t)
	call := fixture.Call{Route: "GET /v1/permissions", As: "nurse"}
	a := place.Do(t, f, call)
	expect(t, "sign-in is enough", a, 200, "")
	if a.Header["cache-control"] != "private, max-age=3600" {
		t.Errorf("it may be kept: %s", a.Header["cache-control"])
	}
	call.Session = begin(t, store, place, "support", "nurse")
	call.As = "support"
	if in := place.Do(t, f, call); in.Body != a.Body || in.Header["cache-control"] != "no-store" || in.Header["impersonation-session"] == "" {
		t.Errorf("I5 in a session: %v", in.Header)
	}
	expect(t, "U2 somebody inactive", place.Do(t, f, fixture.Call{Route: "GET /v1/permissions", As: "inactive"}), 401, "sign_in_disabled")
	expect(t, "no token", place.Do(t, f, fixture.Call{Route: "GET /v1/permissions"}), 401, "no_token")
	expect(t, "an unknown filter", place.Do(t, f, fixture.Call{Route: "GET /v1/permissions", As: "nurse", Query: "x=1"}), 400, "malformed")
}

func TestRolesForNobodyInParticular(t *testing.T) {
	place, f := open(t)
	want := []string{"administrator", "local-administrator", "pharmacy", "service", "support"}
	if got := listed(t, place, f, "&persona=none"); !slices.Equal(got, want) {
		t.Errorf("R1 meant for nobody in particular: %v", got)
	}
	var none authz.Role
	if got := listed(t, place, f, "&persona=champion"); len(got) != len(none.Grants) {
		t.Errorf("R1 meant for champions: %v", got)
	}
}

// TestT4MembersTellOfNobodyBeyondTheReach: neither a cursor nor that there is one
// tells of a member whom the caller may not know.
func TestT4MembersTellOfNobodyBeyondTheReach(t *testing.T) {
	_, place, f := openStore(t)
	page := func(role, query string) (ids []string, next string) {
		var body struct {
			Items []struct{ User string }
			Next  string
		}
		a := place.Do(t, f, fixture.Call{Route: membersRoute, As: "local", Path: map[string]string{"id": role}, Query: query})
		expect(t, "members", a, 200, "")
		a.Into(t, &body)
		for _, m := range body.Items {
			ids = append(ids, m.User)
		}
		return ids, body.Next
	}
	for next := ""; ; {
		var ids []string
		if ids, next = page("staff", "limit=1&cursor="+next); next == "" {
			// wallboard, at the ward, follows nurse and holds the role.
			if !slices.Equal(ids, []string{"nurse"}) {
				t.Errorf("T4 the last page within reach is %v", ids)
			}
			break
		}
		raw, err := base64.RawURLEncoding.DecodeString(next)
		if err != nil || strings.Contains(string(raw), ids[0]) || strings.Contains(string(raw), `"a"`) {
			t.Errorf("T4 a cursor that can be read: %s, %v", raw, err)
		}
	}
	// Ninety beyond the reach are one reading, and a place after the last of them.
	for i := range 95 {
		u := directory.User{ID: fmt.Sprintf("ward%02d", i), Name: "W", Username: fmt.Sprintf("ward%02d", i), Type: authz.General, Locations: []string{"ward"}}
		place.AddUser(t, u, "pharmacy")
	}
	if ids, next := page("pharmacy", "limit=90"); len(ids) > 0 || next != "" {
		t.Errorf("T4 of a role that nobody within reach holds: %v, %q", ids, next)
	}
}
