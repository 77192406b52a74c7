package whole

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestReadingRoles(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	t.Run("R10 shows them to whoever administers anything", func(t *testing.T) {
		for user, status := range map[string]int{"ada": 200, "lena": 200, "sam": 200, "rita": 200, "svc": 200, "mia": 403, "lea": 403, "wally": 403} {
			for _, path := range []string{"/v1/roles", "/v1/roles/frontline", "/v1/roles/nothing"} {
				r := o.as(t, user).get(t, path)
				if status == 403 {
					r.problem(t, 403, "denied")
					o.tells(t, r, object{"outcome": "denied", "subject": object{"id": user, "name": "The " + user}})
				} else if r.status != 200 && path != "/v1/roles/nothing" {
					t.Errorf("%s %s: %d", user, path, r.status)
				}
			}
		}
	})
	t.Run("lists all of them, whatever the page", func(t *testing.T) {
		var ids []string
		for next := ""; ; {
			r := o.as(t, "ada").get(t, "/v1/roles?limit=2&cursor="+next).is(t, 200).members(t, "items", "next")
			for _, role := range r.body["items"].(list) {
				ids = append(ids, text(at(role, "id")))
			}
			if next = text(r.body["next"]); next == "" {
				break
			}
		}
		if got := strings.Join(ids, " "); got != "admin designer frontline lead local local-support service support ward" {
			t.Errorf("roles %s", got)
		}
	})
	t.Run("lists those meant for a persona", func(t *testing.T) {
		r := o.as(t, "ada").get(t, "/v1/roles?persona=leader").is(t, 200)
		if items := r.body["items"].(list); len(items) != 1 || at(items, 0, "id") != "lead" {
			t.Errorf("%v", items)
		}
	})
	t.Run("binds a cursor to caller and query", func(t *testing.T) {
		next := text(o.as(t, "ada").get(t, "/v1/roles?limit=1").is(t, 200).body["next"])
		o.as(t, "abe").get(t, "/v1/roles?limit=1&cursor="+next).problem(t, 400, "malformed", "/cursor")
		o.as(t, "ada").get(t, "/v1/roles?limit=1&persona=leader&cursor="+next).problem(t, 400, "malformed", "/cursor")
	})
	t.Run("refuses a limit beyond 500 and none", func(t *testing.T) {
		for _, limit := range []string{"0", "501", "-1", "x"} {
			o.as(t, "ada").get(t, "/v1/roles?limit="+limit).problem(t, 400, "malformed", "/limit")
		}
		o.as(t, "ada").get(t, "/v1/roles?limit=0&cursor=nonsense&personna=leader").problem(t, 400, "malformed", "/limit", "/cursor", "/personna")
	})
	t.Run("does not know what is not there", func(t *testing.T) {
		o.as(t, "ada").get(t, "/v1/roles/nothing").problem(t, 404, "not_found")
	})
}

// dayRole is a role with something of everything.
func dayRole(id string) object {
	return object{
		"id": id, "name": "Role " + id, "description": "For a day", "persona": "leader", "specificLocations": []string{},
		"grants": []object{{"workflows": []string{"improvement"}, "templates": []string{},
			"permissions": object{"participate": true, "view": "everywhere", "assign": "location_and_below", "delete": "only_users"}}},
		"advanced": []string{"create_boards"},
		"admin": object{
			"localUserAdministrator": object{"scope": "location_and_below", "createUsers": true, "grantableRoles": []string{"frontline"}},
			"impersonateUser":        true, "boardAdministrator": "only_location", "cardAdministrator": "everywhere", "escalationAdministrator": "location_and_below",
		},
		"notifications": []string{"item_assigned"}, "defaultBoard": "huddle", "boardAccess": []string{"huddle"}, "boardSubscriptions": []string{"huddle"},
	}
}

func TestWritingRoles(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	rita := o.as(t, "rita")
	t.Run("POST makes one and the timeline tells it", func(t *testing.T) {
		r := rita.post(t, "/v1/roles", dayRole("day")).is(t, 201)
		r.has(t, dayRole("day"))
		if r.etag() == "" || r.header.Get("Location") != "/v1/roles/day" {
			t.Errorf("ETag %q, Location %q", r.etag(), r.header.Get("Location"))
		}
		o.tells(t, r, object{"type": "role", "outcome": "done", "subject": object{"id": "rita", "name": "The rita"}, "impersonator": nil, "target": object{"type": "role", "id": "day"}})
		rita.get(t, "/v1/roles/day").is(t, 200).has(t, dayRole("day"))
		rita.post(t, "/v1/roles", dayRole("day")).problem(t, 409, "id_taken")
	})
	t.Run("POST without an id gives one", func(t *testing.T) {
		body := dayRole("unnamed")
		delete(body, "id")
		id := text(rita.post(t, "/v1/roles", body).is(t, 201).body["id"])
		rita.get(t, "/v1/roles/"+id).is(t, 200).has(t, object{"name": "Role unnamed"})
	})
	t.Run("R1 takes a name once, whatever its case", func(t *testing.T) {
		body := dayRole("front-2")
		body["name"] = "FRONTLINE"
		rita.post(t, "/v1/roles", body).problem(t, 409, "name_taken")
	})
	t.Run("T3 answers a repeated key with the first answer", func(t *testing.T) {
		first := rita.post(t, "/v1/roles", dayRole("once"), "Idempotency-Key", "k1").is(t, 201)
		again := rita.post(t, "/v1/roles", dayRole("once"), "Idempotency-Key", "k1").is(t, 201)
		if string(first.raw) != string(again.raw) || first.etag() != again.etag() {
			t.Errorf("%s\n%s", first.raw, again.raw)
		}
		o.silent(t, again)
		rita.post(t, "/v1/roles", dayRole("twice"), "Idempotency-Key", "k1").problem(t, 422, "idempotency_key_reused")
		rita.get(t, "/v1/roles/twice").is(t, 404)
		rita.post(t, "/v1/roles", dayRole("twice"), "Idempotency-Key", "k2").is(t, 201)
	})
	t.Run("PUT needs the version that it replaces", func(t *testing.T) { putNeedsVersion(t, o, rita) })
	t.Run("R10 only a role administrator writes, and tries are told", func(t *testing.T) {
		for _, user := range []string{"mia", "lena", "sam", "svc"} {
			r := o.as(t, user).put(t, "/v1/roles/lead", dayRole("lead"), "If-Match", "*").problem(t, 403, "denied")
			o.tells(t, r, object{"type": "role", "outcome": "denied", "subject": object{"id": user, "name": "The " + user}})
			o.as(t, user).post(t, "/v1/roles", dayRole("own")).problem(t, 403, "denied")
		}
		rita.get(t, "/v1/roles/own").is(t, 404)
	})
}

func putNeedsVersion(t *testing.T, o *organization, rita client) {
	made := rita.put(t, "/v1/roles/kept", dayRole("kept"), "If-None-Match", "*").is(t, 201)
	rita.put(t, "/v1/roles/kept", dayRole("kept"), "If-None-Match", "*").problem(t, 412, "stale")
	rita.put(t, "/v1/roles/kept", dayRole("kept")).problem(t, 428, "precondition_required")
	rita.put(t, "/v1/roles/new-one", dayRole("new-one"), "If-Match", made.etag()).problem(t, 412, "stale")
	rita.put(t, "/v1/roles/new-one", dayRole("new-one")).is(t, 201)
	rita.put(t, "/v1/roles/other", dayRole("kept")).problem(t, 422, "id_mismatch", "/id")

	got := rita.get(t, "/v1/roles/kept").is(t, 200)
	back := rita.put(t, "/v1/roles/kept", string(got.raw), "If-Match", got.etag()).is(t, 200)
	changed := plain(t, back.body)
	changed["name"] = "Kept and changed"
	next := rita.put(t, "/v1/roles/kept", changed, "If-Match", back.etag()).is(t, 200)
	if next.etag() == back.etag() {
		t.Error("a change left the version as it was")
	}
	entry := o.tells(t, next, object{"type": "role", "outcome": "done", "target": object{"type": "role", "id": "kept"}})
	if before, after := at(entry, "before", "name"), at(entry, "after", "name"); before != "Role kept" || after != "Kept and changed" {
		t.Errorf("the timeline tells %v and %v", before, after)
	}
	stale := rita.put(t, "/v1/roles/kept", dayRole("kept"), "If-Match", back.etag()).problem(t, 412, "stale")
	o.silent(t, stale)
	changed = plain(t, next.body)
	changed["version"] = 99
	rita.put(t, "/v1/roles/kept", changed, "If-Match", next.etag()).problem(t, 422, "invalid_role", "/version")
	for _, tag := range []string{"1", `W/"1"`, `"x"`, `"1", "2"`} {
		rita.put(t, "/v1/roles/kept", changed, "If-Match", tag).problem(t, 400, "malformed")
	}
}

func TestRolesThatBreakARule(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	rita := o.as(t, "rita")
	grant := func(permissions object, more ...object) object {
		g := object{"workflows": []string{"improvement"}, "permissions": permissions}
		return object{"grants": append([]object{g}, more...)}
	}
	specific := func(member string, value any) object {
		return object{"specificLocations": []string{"east"}, member: value}
	}
	cases := []struct {
		rule    string
		body    object
		pointer []string
		words   string
	}{
		{"R3 a grant that names neither workflow nor template", object{"grants": []object{{"permissions": object{"view": "everywhere"}}}}, []string{"/grants/0"}, "at least one workflow or template"},
		{"R4 a scope on participate", grant(object{"participate": "everywhere"}), []string{"/grants/0/permissions/participate"}, "no scope"},
		{"R4 a plain yes on view", grant(object{"view": true}), []string{"/grants/0/permissions/view"}, "scope"},
		{"R4 only_users on view", grant(object{"view": "only_users"}), []string{"/grants/0/permissions/view"}, "only_users"},
		{"R4 only_users on view_new, edit, request, view_private, honor_roll",
			grant(object{"view_new": "only_users", "edit": "only_users", "request": "only_users", "view_private": "only_users", "honor_roll": "only_users"}),
			[]string{"/grants/0/permissions/view_new", "/grants/0/permissions/edit", "/grants/0/permissions/request", "/grants/0/permissions/view_private", "/grants/0/permissions/honor_roll"}, "only_users"},
		{"R4 a workflow and a template that are not there", object{"grants": []object{{"workflows": []string{"improvement", "none"}, "templates": []string{"neither"}, "permissions": object{"view": "everywhere"}}}},
			[]string{"/grants/0/workflows/1", "/grants/0/templates/0"}, "There is no workflow none"},
		{"R4 a location that is not there", object{"specificLocations": []string{"east", "nowhere"}}, []string{"/specificLocations/1"}, "There is no location nowhere"},
		{"R4 a grantable role that is not there", object{"admin": object{"globalUserAdministrator": object{"grantableRoles": []string{"frontline", "none"}}}}, []string{"/admin/globalUserAdministrator/grantableRoles/1"}, "There is no role none"},
		{"R8 everywhere with specific locations", object{"specificLocations": []string{"east"}, "grants": []object{{"workflows": []string{"improvement"}, "permissions": object{"view": "everywhere"}}}},
			[]string{"/grants/0/permissions/view"}, "specific locations"},
		{"R8 advanced permissions with specific locations", specific("advanced", []string{"create_boards"}), []string{"/advanced/0"}, "specific locations"},
		{"R8 organization-wide administration with specific locations", specific("admin", object{
			"globalUserAdministrator": object{"grantableRoles": "all"}, "roleAdministrator": true, "qualityAdministrator": true,
			"systemAdministrator": true, "accessReader": true, "itemWriter": true,
		}), []string{"/admin/globalUserAdministrator", "/admin/roleAdministrator", "/admin/qualityAdministrator", "/admin/systemAdministrator", "/admin/accessReader", "/admin/itemWriter"}, "specific locations"},
		{"R8 boards, cards, escalation everywhere with specific locations", specific("admin", object{
			"boardAdministrator": "everywhere", "cardAdministrator": "everywhere", "escalationAdministrator": "everywhere",
		}), []string{"/admin/boardAdministrator", "/admin/cardAdministrator", "/admin/escalationAdministrator"}, "specific locations"},
		{"R9 sharing lists without creating them", object{"advanced": []string{"share_item_lists"}}, []string{"/advanced/0"}, "needs create_item_lists"},
		{"R10 a local administrator everywhere", object{"admin": object{"localUserAdministrator": object{"scope": "everywhere"}}}, []string{"/admin/localUserAdministrator/scope"}, "only_location"},
		{"several rules at once", object{"advanced": []string{"share_item_lists"}, "grants": []object{{"permissions": object{"view": "only_users"}}}}, []string{"/advanced/0", "/grants/0", "/grants/0/permissions/view"}, "only_users"},
	}
	for i, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			id := fmt.Sprintf("bad-%d", i)
			c.body["name"] = id
			c.body["id"] = id
			post := rita.post(t, "/v1/roles", c.body).problem(t, 422, "invalid_role", c.pointer...).says(t, c.words)
			put := rita.put(t, "/v1/roles/"+id, c.body).problem(t, 422, "invalid_role", c.pointer...)
			before := rita.get(t, "/v1/roles/lead").is(t, 200)
			delete(c.body, "id")
			edit := rita.put(t, "/v1/roles/lead", c.body, "If-Match", before.etag()).problem(t, 422, "invalid_role", c.pointer...)
			rita.get(t, "/v1/roles/"+id).is(t, 404)
			if after := rita.get(t, "/v1/roles/lead").is(t, 200); string(after.raw) != string(before.raw) {
				t.Errorf("the role is now %s", after.raw)
			}
			for _, r := range []reply{post, put, edit} {
				o.silent(t, r)
			}
		})
	}
}

func TestTwoEditsWithOneVersion(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	for round := range 5 {
		tag := o.as(t, "rita").get(t, "/v1/roles/lead").is(t, 200).etag()
		var replies [2]reply
		var both sync.WaitGroup
		for i, user := range []string{"rita", "ada"} {
			who, body := o.as(t, user), object{"name": "Lead", "description": fmt.Sprintf("edit %d of round %d", i, round)}
			both.Go(func() { replies[i] = who.put(t, "/v1/roles/lead", body, "If-Match", tag) })
		}
		both.Wait()
		if replies[0].status > replies[1].status {
			replies[0], replies[1] = replies[1], replies[0]
		}
		replies[0].is(t, http.StatusOK)
		replies[1].problem(t, http.StatusPreconditionFailed, "stale")
		o.as(t, "rita").get(t, "/v1/roles/lead").is(t, 200).has(t, object{"description": replies[0].body["description"]})
		o.tells(t, replies[0], object{"type": "role", "outcome": "done"})
		o.silent(t, replies[1])
	}
}
