package endpoints_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

const (
	impactRoute = "POST /v1/roles/{id}/impact"
	diffRoute   = "GET /v1/roles/{id}/diff/{other}"
	accessRoute = "GET /v1/users/{id}/access"
)

func ofRole(route, as, role string, body any) fixture.Call {
	return fixture.Call{Route: route, As: as, Path: map[string]string{"id": role}, Body: body}
}

// right is a row of access as these tests read it.
type right struct {
	Permission, Workflow, Template, Scope, Where string
	Locations                                    []string
	From                                         []struct {
		Role    string
		Grant   *int
		Implies string
	}
}

func (r right) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(r.Permission, " ", r.Workflow, r.Template, " ", r.Scope, " ", strings.Join(r.Locations, ","))), " ")
}

// foreseen is an impact as these tests read it.
type foreseen struct {
	Users struct {
		Gaining, Losing int
		Complete        bool
	}
	Items []struct {
		User         string
		Gained, Lost []right
	}
	Next string
}

// lines are who is affected, a line each.
func (f foreseen) lines() []string {
	lines := []string{fmt.Sprint(f.Users.Gaining, " gain, ", f.Users.Losing, " lose")}
	for _, i := range f.Items {
		for _, r := range i.Gained {
			lines = append(lines, fmt.Sprint(i.User, " + ", r))
		}
		for _, r := range i.Lost {
			lines = append(lines, fmt.Sprint(i.User, " - ", r))
		}
	}
	return lines
}

func staffBody(change map[string]any) map[string]any {
	b := map[string]any{"name": "Staff", "grants": []any{map[string]any{
		"workflows": []string{"improvement", "safety"}, "permissions": map[string]any{"participate": true, "view": "location_and_below", "request": "only_location"},
	}}}
	maps.Copy(b, change)
	return b
}

func staffMay(permissions map[string]any, workflows ...string) map[string]any {
	return staffBody(map[string]any{"grants": []any{map[string]any{"workflows": workflows, "permissions": permissions}}})
}

// Each case is what a change would do to the fixture's people, of whom nurse,
// lead, doctor, capture, wallboard, kiosk and inactive hold staff.
func TestImpact(t *testing.T) {
	place, f := open(t)
	for _, c := range []struct {
		rule, role string
		body       any
		want       []string
	}{
		{"nothing changes", "staff", staffBody(nil), []string{"0 gain, 0 lose"}},
		{"R4 a wider scope; U2 for those whose type lets it count; net of what unit-lead gives lead", "staff",
			staffMay(map[string]any{"participate": true, "view": "everywhere", "request": "only_location"}, "improvement", "safety"),
			[]string{"4 gain, 0 lose", "doctor + view improvement everywhere", "doctor + view safety everywhere", "lead + view improvement everywhere", "lead + view safety everywhere",
				"nurse + view improvement everywhere", "nurse + view safety everywhere", "wallboard + view improvement everywhere", "wallboard + view safety everywhere"}},
		{"R2 what another role gives too is not lost", "staff", staffMay(map[string]any{"view": "location_and_below", "request": "only_location"}, "improvement", "safety"),
			[]string{"0 gain, 4 lose", "capture - participate improvement yes", "capture - participate safety yes", "doctor - participate improvement yes", "doctor - participate safety yes",
				"kiosk - participate improvement yes", "kiosk - participate safety yes", "nurse - participate improvement yes", "nurse - participate safety yes"}},
		{"R7 what is implied goes with it", "staff", staffMay(map[string]any{"participate": true, "view": "location_and_below"}, "improvement", "safety"),
			[]string{"0 gain, 3 lose", "doctor - edit kaizen only_location ward", "doctor - request improvement only_location ward", "doctor - request safety only_location ward",
				"lead - request improvement only_location surgery", "lead - request safety only_location surgery",
				"nurse - edit kaizen only_location icu", "nurse - request improvement only_location icu", "nurse - request safety only_location icu"}},
		{"R14 a deletion", "pharmacy", nil, []string{"0 gain, 1 lose", "pharmacist - view incident only_location clinic", "pharmacist - card_administrator only_location clinic"}},
		{"an empty object is a deletion, too", "pharmacy", map[string]any{}, []string{"0 gain, 1 lose", "pharmacist - view incident only_location clinic", "pharmacist - card_administrator only_location clinic"}},
		{"R10 and the right to impersonate with it", "support", map[string]any{"name": "Support", "admin": map[string]any{"impersonateUser": true}},
			[]string{"0 gain, 2 lose", "support - impersonate_user organization", "support - global_user_administrator organization", "vendor - impersonate_user organization", "vendor - global_user_administrator organization"}},
		{"R13 a change that keeps the administrators", "administrator", map[string]any{"name": "Administrator", "admin": map[string]any{"globalUserAdministrator": map[string]any{}, "roleAdministrator": true}},
			[]string{"0 gain, 1 lose", "root - global_user_administrator organization", "root - quality_administrator organization", "root - system_administrator organization"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			a := place.Do(t, f, ofRole(impactRoute, "root", c.role, c.body))
			expect(t, c.rule, a, 200, "")
			var got foreseen
			a.Into(t, &got)
			lines := got.lines()
			slices.Sort(lines[1:])
			slices.Sort(c.want[1:])
			if diff := cmp.Diff(c.want, lines); diff != "" || !got.Users.Complete || got.Next != "" {
				t.Errorf("(-expected +told) %s\n%s", diff, a.Body)
			}
		})
	}
	if u := place.User(t, "pharmacist"); len(u.Assignments) != 1 {
		t.Error("foreseeing wrote something")
	}
}

func TestImpactIsRefusedAsTheChangeWouldBe(t *testing.T) {
	place, f := open(t)
	stale := ofRole(impactRoute, "root", "staff", staffBody(nil))
	stale.Header = map[string]string{"if-match": `"7"`}
	for _, c := range []struct {
		rule   string
		call   fixture.Call
		status int
		code   string
	}{
		{"R13 no full administrator left", ofRole(impactRoute, "root", "administrator", nil), 422, "last_full_administrator"},
		{"R4 a scope that is not allowed", ofRole(impactRoute, "root", "staff", staffMay(map[string]any{"view": "only_users"}, "safety")), 422, "invalid_role"},
		{"R1 another role's name", ofRole(impactRoute, "root", "staff", staffBody(map[string]any{"name": "UNIT LEAD"})), 409, "name_taken"},
		{"a body that is none", ofRole(impactRoute, "root", "staff", map[string]any{"nme": "Staff"}), 400, "malformed"},
		{"a role that is none", ofRole(impactRoute, "root", "nothing", nil), 404, "not_found"},
		{"R10 role_administrator alone", ofRole(impactRoute, "local", "staff", nil), 403, "denied"},
		{"R10 nor anybody", ofRole(impactRoute, "nurse", "staff", nil), 403, "denied"},
		{"a version that is gone", stale, 412, "stale"},
		{"a limit of none", fixture.Call{Route: impactRoute, As: "root", Path: map[string]string{"id": "staff"}, Query: "limit=0"}, 400, "malformed"},
	} {
		t.Run(c.rule, func(t *testing.T) { expect(t, c.rule, place.Do(t, f, c.call), c.status, c.code) })
	}
}

func TestImpactPages(t *testing.T) {
	place, f := open(t)
	page := func(as, query string, body any) fixture.Answer {
		call := ofRole(impactRoute, as, "staff", body)
		call.Query = query
		return place.Do(t, f, call)
	}
	whole := foreseen{}
	page("root", "", nil).Into(t, &whole)
	var users []string
	next, pages := "", 0
	for first := true; first || next != ""; first = false {
		var p foreseen
		a := page("root", "limit=2&cursor="+next, nil)
		a.Into(t, &p)
		if p.Users != whole.Users || len(p.Items) > 2 {
			t.Fatalf("a page: %s", a.Body)
		}
		for _, i := range p.Items {
			users = append(users, i.User)
		}
		if next, pages = p.Next, pages+1; pages > 10 {
			t.Fatal("there is no end")
		}
	}
	if want := []string{"capture", "doctor", "kiosk", "lead", "nurse", "wallboard"}; !slices.Equal(users, want) || pages != 3 {
		t.Errorf("%d pages of %v, want 3 of %v", pages, users, want)
	}
	var first foreseen
	page("root", "limit=2", nil).Into(t, &first)
	expect(t, "a cursor of another body", page("root", "limit=2&cursor="+first.Next, staffBody(nil)), 400, "malformed")
	place.AddUser(t, directory.User{ID: "other", Name: "Other", Username: "other", Type: 1, Locations: []string{"icu"}, SignIn: directory.Enabled, Sub: fixture.Sub("other")}, "administrator")
	expect(t, "a cursor of another caller", page("other", "limit=2&cursor="+first.Next, nil), 400, "malformed")
	expect(t, "a cursor that was made up", page("root", "cursor=AAAA", nil), 400, "malformed")
	expect(t, "something changes", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(nil)}), 201, "")
	expect(t, "the policy is not that of the first page", page("root", "limit=2&cursor="+first.Next, nil), 409, "policy_changed")
}

func TestDryRun(t *testing.T) {
	place, f := open(t)
	dry := func(route, as, user, role string, body any) fixture.Call {
		call := onRole(route, as, user, role, body)
		call.Query = "dryRun=true"
		return call
	}
	for _, c := range []struct {
		rule string
		call fixture.Call
		want []string
	}{
		{"R2 net of what is held", dry(assignRoute, "root", "lead", "staff", map[string]any{"locations": []string{"surgery"}}), []string{"0 gain, 0 lose"}},
		{"a role that gives something", dry(assignRoute, "local", "nurse", "unit-lead", nil), []string{"1 gain, 0 lose",
			"nurse + assign improvement location_and_below icu", "nurse + assign safety location_and_below icu", "nurse + delete improvement only_users",
			"nurse + delete safety only_users", "nurse + edit improvement location_and_below icu", "nurse + edit safety location_and_below icu",
			"nurse + escalation_administrator location_and_below icu", "nurse + view_new improvement location_and_below icu", "nurse + view_new kaizen location_and_below icu",
			"nurse + view_new safety location_and_below icu"}},
		{"R5 an end that has passed", dry(assignRoute, "root", "pharmacist", "pharmacy", map[string]any{"until": "2020-01-01T00:00:00Z"}), []string{"0 gain, 1 lose",
			"pharmacist - card_administrator only_location clinic", "pharmacist - view incident only_location clinic"}},
		{"a role taken back", dry(revokeRoute, "root", "pharmacist", "pharmacy", nil), []string{"0 gain, 1 lose",
			"pharmacist - card_administrator only_location clinic", "pharmacist - view incident only_location clinic"}},
		{"U2 to somebody who can get nothing of it", dry(assignRoute, "root", "kiosk", "director", nil), []string{"0 gain, 0 lose"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			before := place.User(t, c.call.Path["id"])
			a := place.Do(t, f, c.call)
			expect(t, c.rule, a, 200, "")
			var got foreseen
			a.Into(t, &got)
			lines := got.lines()
			slices.Sort(lines[1:])
			if diff := cmp.Diff(c.want, lines); diff != "" {
				t.Errorf("(-expected +told) %s", diff)
			}
			if after := place.User(t, c.call.Path["id"]); after.Version != before.Version {
				t.Error("trying wrote something")
			}
		})
	}
	expect(t, "R13 as the change would be refused", place.Do(t, f, dry(revokeRoute, "root", "root", "administrator", nil)), 422, "last_full_administrator")
	expect(t, "R12 as the change would be refused", place.Do(t, f, dry(assignRoute, "local", "nurse", "director", nil)), 403, "denied")
	expect(t, "T4 outside the reach", place.Do(t, f, dry(assignRoute, "local", "doctor", "staff", nil)), 404, "not_found")
	for _, route := range []string{assignRoute, revokeRoute} {
		for _, query := range []string{"dryRun=maybe", "dryRun=", "dryRun", "dryRun=TRUE", "dryRun=true&dryRun=false"} {
			maybe := onRole(route, "root", "nurse", "coach", nil)
			maybe.Query = query
			expect(t, "neither true nor false: "+query, place.Do(t, f, maybe), 400, "malformed")
		}
	}
	if _, holds := place.User(t, "nurse").Assignment("coach"); holds {
		t.Error("T3 what may have been meant to be tried was done")
	}
}

func TestDiffOfRoles(t *testing.T) {
	place, f := open(t)
	between := func(as, one, other string) fixture.Answer {
		return place.Do(t, f, fixture.Call{Route: diffRoute, As: as, Path: map[string]string{"id": one, "other": other}})
	}
	a := between("local", "unit-lead", "staff")
	expect(t, "any admin", a, 200, "")
	var got struct {
		Role, Other, Verdict string
		Cells                []struct {
			Permission, Workflow, Template, Verdict string
			Scopes, OtherScopes                     []string
		}
	}
	a.Into(t, &got)
	if got.Role != "unit-lead" || got.Other != "staff" || got.Verdict != "incomparable" {
		t.Errorf("%s", a.Body)
	}
	found := false
	for _, c := range got.Cells {
		if c.Permission == "request" && c.Workflow == "safety" {
			found = c.Verdict == "narrower" && len(c.Scopes) == 0 && slices.Equal(c.OtherScopes, []string{"only_location"})
		}
	}
	if !found {
		t.Errorf("request is staff's alone: %s", a.Body)
	}
	expect(t, "the same", between("root", "staff", "staff"), 200, "")
	expect(t, "not a role", between("root", "staff", "nothing"), 404, "not_found")
	expect(t, "not an admin", between("nurse", "staff", "coach"), 403, "denied")
}

func TestAccessOfAUser(t *testing.T) {
	place, f := open(t)
	of := func(as, user string) fixture.Answer {
		return place.Do(t, f, fixture.Call{Route: accessRoute, As: as, Path: map[string]string{"id": user}})
	}
	type access struct {
		Rights                          []right
		Notifications, BoardAccess      []string
		DefaultBoard                    *string
		BoardSubscriptions, Assignments []any
	}
	var lead access
	a := of("lead", "lead")
	expect(t, "oneself", a, 200, "")
	a.Into(t, &lead)
	for _, r := range lead.Rights {
		if r.String() == "view improvement location_and_below surgery" {
			if len(r.From) != 2 || r.Where != "at The surgery and below" {
				t.Errorf("R7 view comes from both roles, by view_new and by itself: %+v", r)
			}
		}
	}
	if lead.DefaultBoard == nil || *lead.DefaultBoard != "huddle" || !slices.Equal(lead.Notifications, []string{"item_assigned"}) || !slices.Equal(lead.BoardAccess, []string{"huddle"}) {
		t.Errorf("R15: %s", a.Body)
	}
	expect(t, "R11 within reach", of("local", "lead"), 200, "")
	expect(t, "T4 outside the reach", of("local", "doctor"), 404, "not_found")
	expect(t, "T4 nobody", of("root", "nobody"), 404, "not_found")
	expect(t, "T4 not an admin", of("nurse", "lead"), 404, "not_found")

	ended := onRole(assignRoute, "root", "pharmacist", "pharmacy", map[string]any{"until": "2020-01-01T00:00:00Z"})
	expect(t, "an end that has passed", place.Do(t, f, ended), 200, "")
	var over access
	a = of("root", "pharmacist")
	a.Into(t, &over)
	if len(over.Rights) != 0 || len(over.Assignments) != 1 || over.Assignments[0].(map[string]any)["expired"] != true {
		t.Errorf("R5 what is over gives nothing and is shown: %s", a.Body)
	}
}
