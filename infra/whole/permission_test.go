package whole

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	r := client{url: o.url}.get(t, "/.well-known/authzen-configuration", "X-Request-ID", "abc-1").is(t, 200)
	r.has(t, object{"policy_decision_point": o.url, "access_evaluation_endpoint": o.url + "/access/v1/evaluation", "access_evaluations_endpoint": o.url + "/access/v1/evaluations",
		"search_subject_endpoint": o.url + "/access/v1/search/subject", "search_resource_endpoint": o.url + "/access/v1/search/resource", "search_action_endpoint": o.url + "/access/v1/search/action"})
	t.Run("names no call that is not there", func(t *testing.T) {
		for name, address := range r.body {
			if strings.HasSuffix(name, "_endpoint") {
				o.as(t, "mia").send(t, "POST", strings.TrimPrefix(text(address), o.url), "{}").is(t, 400)
			}
		}
	})
	t.Run("is of the address that was asked", func(t *testing.T) {
		other := strings.Replace(o.url, "127.0.0.1", "localhost", 1)
		client{url: other}.get(t, "/.well-known/authzen-configuration").is(t, 200).has(t, object{"policy_decision_point": other})
	})
}

func question(user, action string, resource object) object {
	return object{"subject": object{"type": "user", "id": user}, "action": object{"name": action}, "resource": resource}
}

// facts is an item of the question's own.
func facts(properties object) object {
	return object{"type": "item", "id": "elsewhere", "properties": properties}
}

func TestAsking(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	svc := o.as(t, "svc")
	organizationResource := object{"type": "organization", "id": o.id}
	facts := func(properties object) object {
		return object{"type": "item", "id": "elsewhere", "properties": properties}
	}
	cases := []struct {
		rule, user, action string
		resource           object
		yes                bool
		reason             string
	}{
		{"C8 subject", "nobody", "view", item("i1"), false, "unknown_subject"},
		{"C8 resource type", "mia", "view", object{"type": "planet", "id": "i1"}, false, "unknown_resource_type"},
		{"C8 action", "mia", "fly", item("i1"), false, "unknown_action"},
		{"C8 an action of another type", "mia", "administer", item("i1"), false, "unknown_action"},
		{"C8 item", "mia", "view", item("nothing"), false, "unknown_resource"},
		{"C8 template", "mia", "view", facts(object{"template": "none", "status": "active"}), false, "unknown_resource"},
		{"C8 another organization", "ada", "create_users", object{"type": "organization", "id": "elsewhere"}, false, "unknown_resource"},
		{"C3 team", "finn", "view", item("i1"), true, "team_member"},
		{"C3 draft", "mia", "view", item("i5"), false, "draft"},
		{"C3 private", "wes", "view", item("i3"), false, "private"},
		{"C3 new", "mia", "view", item("i2"), false, "new"},
		{"C3 out of scope", "mia", "view", item("i4"), false, "out_of_scope"},
		{"C3 no grant", "svc", "view", item("i4"), false, "no_grant"},
		{"C3 in scope", "wes", "view", item("i4"), true, "role_grant"},
		{"U2 type", "ina", "view", item("i1"), false, "user_type"},
		{"U2 wallboard views alone", "wally", "view", item("i1"), true, "role_grant"},
		{"U2 wallboard edits never", "wally", "edit", item("i1"), false, "user_type"},
		{"U2 capture views its own alone", "cap", "view", item("i1"), false, "user_type"},
		{"U2, C5 capture and kiosk participate", "kim", "participate", item("i1"), true, "role_grant"},
		{"C4 delete", "lea", "delete", item("i1"), true, "role_grant"},
		{"C4 needs view first", "lea", "delete", item("i4"), false, "out_of_scope"},
		{"C5 facts in the question", "mia", "participate", facts(object{"template": "idea"}), true, "role_grant"},
		{"C8 facts in the question", "mia", "view", facts(object{"template": "idea", "status": "active", "locations": []string{"east-1", "nowhere"}}), true, "role_grant"},
		{"C2 team in the question", "mia", "edit", facts(object{"template": "a3", "status": "draft", "team": object{"sponsor": []string{"mia"}}}), true, "team_member"},
		{"C7 administer", "lena", "administer", object{"type": "user", "id": "mia"}, true, "role_grant"},
		{"C7 administer out of reach", "lena", "administer", object{"type": "user", "id": "wes"}, false, "out_of_scope"},
		{"C7 change_persona", "lena", "change_persona", object{"type": "user", "id": "mia"}, true, "role_grant"},
		{"C7 impersonate", "sam", "impersonate", object{"type": "user", "id": "mia"}, true, "role_grant"},
		{"C7 impersonate without it", "lena", "impersonate", object{"type": "user", "id": "mia"}, false, "no_grant"},
		{"R12 grantable", "lena", "grant_role", object{"type": "user", "id": "mia", "properties": object{"role": "frontline"}}, true, "role_grant"},
		{"R12 not grantable", "lena", "grant_role", object{"type": "user", "id": "mia", "properties": object{"role": "lead"}}, false, "not_grantable"},
		{"C7 an organization's right", "ada", "create_users", organizationResource, true, "role_grant"},
		{"C7 an advanced one", "lea", "create_boards", organizationResource, true, "role_grant"},
		{"C7 none", "mia", "role_administrator", organizationResource, false, "no_grant"},
		{"C7 board", "ada", "administer", object{"type": "board", "id": "b", "properties": object{"locations": []string{"east"}}}, false, "no_grant"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) { may(t, svc, c.user, c.action, c.resource, c.yes, c.reason) })
	}
}

func TestTheFormOfAQuestion(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	mia := o.as(t, "mia")
	t.Run("T4 about others only with access_reader or as their administrator", func(t *testing.T) {
		may(t, mia, "finn", "view", item("i1"), false, "unknown_subject")
		may(t, o.as(t, "lena"), "finn", "view", item("i1"), true, "team_member")
		may(t, o.as(t, "lena"), "wes", "view", item("i4"), false, "unknown_subject")
		may(t, o.as(t, "sam"), "wes", "view", item("i4"), true, "role_grant")
	})
	t.Run("X-Request-ID comes back", func(t *testing.T) {
		r := mia.post(t, "/access/v1/evaluation", question("mia", "view", item("i1")), "X-Request-ID", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716").is(t, 200)
		if got := r.header.Get("X-Request-ID"); got != "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" {
			t.Errorf("%q", got)
		}
	})
	t.Run("X-Request-ID comes back with a refusal", func(t *testing.T) {
		r := mia.post(t, "/access/v1/evaluation", "{", "X-Request-ID", "abc").is(t, 400)
		if got := r.header.Get("X-Request-ID"); got != "abc" {
			t.Errorf("%q", got)
		}
	})
	t.Run("a subject that is no user is unknown", func(t *testing.T) {
		q := question("mia", "view", item("i1"))
		q["subject"].(object)["type"] = "group"
		mia.post(t, "/access/v1/evaluation", q).is(t, 200).has(t, object{"decision": false, "context": object{"reason": "unknown_subject"}})
	})
	t.Run("unknown members are ignored", func(t *testing.T) {
		q := question("mia", "view", item("i1"))
		q["more"], q["subject"].(object)["properties"], q["action"].(object)["x"] = 1, object{"a": 1}, 2
		mia.post(t, "/access/v1/evaluation", q).is(t, 200).has(t, object{"decision": true})
	})
	t.Run("what is required and missing is 400", func(t *testing.T) {
		for _, member := range []string{"subject", "action", "resource"} {
			q := question("mia", "view", item("i1"))
			delete(q, member)
			mia.post(t, "/access/v1/evaluation", q).problem(t, 400, "malformed", "/"+member)
		}
		for _, path := range [][2]string{{"subject", "type"}, {"subject", "id"}, {"action", "name"}, {"resource", "type"}, {"resource", "id"}} {
			q := plain(t, question("mia", "view", item("i1")))
			delete(q[path[0]].(object), path[1])
			mia.post(t, "/access/v1/evaluation", q).problem(t, 400, "malformed", "/"+path[0]+"/"+path[1])
		}
	})
	t.Run("C8 facts that are malformed", func(t *testing.T) {
		for pointer, properties := range map[string]object{
			"/resource/properties/status":       {"template": "idea"},
			"/resource/properties/template":     {"status": "active"},
			"/resource/properties/team/captain": {"template": "idea", "status": "active", "team": object{"captain": []string{"mia"}}},
		} {
			mia.post(t, "/access/v1/evaluation", question("mia", "view", facts(properties))).problem(t, 400, "malformed", pointer)
		}
		mia.post(t, "/access/v1/evaluation", question("mia", "view", facts(object{"template": "idea", "status": "lost"}))).problem(t, 400, "malformed", "/resource/properties/status")
	})
}

func TestAskingSeveral(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	mia := o.as(t, "mia")
	yes, no := object{"resource": item("i1")}, object{"resource": item("i4")}
	several := func(semantic string, questions ...object) object {
		body := object{"subject": object{"type": "user", "id": "mia"}, "action": object{"name": "view"}, "evaluations": questions}
		if semantic != "" {
			body["options"] = object{"evaluations_semantic": semantic}
		}
		return body
	}
	decided := func(t *testing.T, body object) string {
		t.Helper()
		var out []string
		r := mia.post(t, "/access/v1/evaluations", body).is(t, 200).members(t, "evaluations")
		for _, e := range r.body["evaluations"].(list) {
			out = append(out, fmt.Sprint(at(e, "decision")))
		}
		return strings.Join(out, " ")
	}
	for semantic, want := range map[string]string{
		"": "true false true false", "execute_all": "true false true false", "deny_on_first_deny": "true false", "permit_on_first_permit": "true",
	} {
		if got := decided(t, several(semantic, yes, no, yes, no)); got != want {
			t.Errorf("%s: %s", semantic, got)
		}
	}
	t.Run("a question's own members win over the defaults", func(t *testing.T) {
		if got := decided(t, several("", yes, object{"resource": item("i1"), "action": object{"name": "delete"}}, object{"resource": item("i1"), "subject": object{"type": "user", "id": "finn"}})); got != "true false false" {
			t.Error(got)
		}
	})
	t.Run("no evaluations are a single question", func(t *testing.T) {
		for _, evaluations := range []any{nil, []object{}} {
			q := question("mia", "view", item("i1"))
			if evaluations != nil {
				q["evaluations"] = evaluations
			}
			mia.post(t, "/access/v1/evaluations", q).is(t, 200).has(t, object{"decision": true})
		}
	})
	t.Run("no semantic but the three", func(t *testing.T) {
		mia.post(t, "/access/v1/evaluations", several("some", yes)).problem(t, 400, "malformed", "/options/evaluations_semantic")
	})
	t.Run("at most a hundred", func(t *testing.T) {
		var many []object
		for range 100 {
			many = append(many, yes)
		}
		if got := decided(t, several("", many...)); strings.Count(got, "true") != 100 {
			t.Error(got)
		}
		mia.post(t, "/access/v1/evaluations", several("", append(many, yes)...)).problem(t, 400, "malformed", "/evaluations")
	})
	t.Run("needs a sign-in", func(t *testing.T) {
		client{url: o.url}.post(t, "/access/v1/evaluations", several("", yes)).is(t, 401)
	})
}
