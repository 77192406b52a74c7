package whole

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestForbiddenInEverySession tries what no session may by every call that could do
// it, as two who may do everything: credentials, e-mail and the actor's own roles (I6).
func TestForbiddenInEverySession(t *testing.T) {
	t.Parallel()
	o := found(t, twoOfAll)
	acting, _ := o.begin(t, "abe", "ada")
	ada := o.as(t, "ada")
	o.settled(t)
	people := []string{"abe", "ada", "mia", "noel"}
	was := map[string]string{}
	for _, user := range people {
		was[user] = string(ada.get(t, "/v1/users/"+user).is(t, 200).raw)
	}
	roles := []string{"admin", "support", "service"}
	for _, role := range roles {
		was["role "+role] = string(ada.get(t, "/v1/roles/"+role).is(t, 200).raw)
	}
	told := func(t *testing.T, r reply) {
		t.Helper()
		for _, entry := range o.entries(t, r) {
			if entry["outcome"] != "denied" || at(entry, "subject", "id") != "ada" || at(entry, "impersonator", "id") != "abe" {
				t.Errorf("%s: %v", r.call, entry)
			}
		}
	}
	refused := func(t *testing.T, r reply, code string) {
		t.Helper()
		r.problem(t, 403, code)
		told(t, r)
		if len(o.entries(t, r)) != 1 {
			t.Errorf("T1 %s: %d entries", r.call, len(o.entries(t, r)))
		}
	}
	t.Run("I6 another session", func(t *testing.T) {
		for _, subject := range []string{"mia", "abe", "ada", "nobody"} {
			refused(t, acting.post(t, "/v1/impersonations", object{"subject": subject, "credentials": o.own("abe")}), "in_session")
		}
	})
	t.Run("I6 credentials", func(t *testing.T) {
		for _, user := range people {
			refused(t, acting.put(t, "/v1/users/"+user+"/sign-in", object{}), "credentials_in_session")
			refused(t, acting.delete(t, "/v1/users/"+user+"/sign-in"), "credentials_in_session")
			refused(t, edit(t, acting, "/v1/users/"+user, func(u object) { u["username"] = "other." + user }), "credentials_in_session")
			refused(t, edit(t, acting, "/v1/users/"+user, func(u object) { u["username"] = strings.ToUpper(text(u["username"])) }), "credentials_in_session")
		}
	})
	t.Run("I6 e-mail", func(t *testing.T) {
		for _, user := range people {
			refused(t, edit(t, acting, "/v1/users/"+user, func(u object) { u["email"] = "other@" + o.id + ".example" }), "credentials_in_session")
		}
		refused(t, edit(t, acting, "/v1/users/mia", func(u object) { delete(u, "email") }), "credentials_in_session")
	})
	t.Run("I6 the actor's own roles", func(t *testing.T) {
		for _, query := range []string{"", "?dryRun=true"} {
			refused(t, acting.put(t, "/v1/users/abe/roles/lead"+query, object{}), "own_roles_in_session")
			refused(t, acting.put(t, "/v1/users/abe/roles/support"+query, object{"until": "2090-01-01T00:00:00Z"}), "own_roles_in_session")
			refused(t, acting.delete(t, "/v1/users/abe/roles/support"+query), "own_roles_in_session")
		}
		refused(t, edit(t, acting, "/v1/users/abe", func(u object) { u["locations"] = list{"clinic", "east"} }), "own_roles_in_session")
		for _, role := range roles {
			refused(t, edit(t, acting, "/v1/roles/"+role, func(r object) { r["advanced"] = list{"create_boards"} }), "own_roles_in_session")
			refused(t, acting.delete(t, "/v1/roles/"+role, "If-Match", "*"), "own_roles_in_session")
		}
	})
	t.Run("I6 by rows", func(t *testing.T) {
		r := acting.post(t, "/v1/role-changes", object{"changes": list{
			object{"user": "abe", "role": "lead"}, object{"user": "abe", "role": "support", "revoke": true},
			object{"user": "abe", "role": "support", "until": "2090-01-01T00:00:00Z"},
		}}).is(t, 200)
		if n := strings.Count(string(r.raw), "urn:problem:own_roles_in_session"); n != 3 {
			t.Errorf("%d of 3 rows are refused: %s", n, r.raw)
		}
		told(t, r)
	})
	t.Run("I6 by an import", func(t *testing.T) {
		body := func(user string, change func(object)) object {
			u := plain(t, ada.get(t, "/v1/users/"+user).is(t, 200).body)
			for _, given := range []string{"internal", "signIn", "version", "persona", "roles"} {
				delete(u, given)
			}
			change(u)
			return u
		}
		for name, c := range map[string]struct {
			world object
			code  string
		}{
			"an e-mail address":     {object{"users": list{body("mia", func(u object) { u["email"] = "other@" + o.id + ".example" })}}, "credentials_in_session"},
			"the subject's own":     {object{"users": list{body("ada", func(u object) { u["email"] = "other@" + o.id + ".example" })}}, "credentials_in_session"},
			"a username":            {object{"users": list{body("mia", func(u object) { u["username"] = "other.mia" })}}, "credentials_in_session"},
			"the actor's roles":     {object{"users": list{body("abe", func(u object) { u["roles"] = list{object{"role": "lead"}} })}}, "own_roles_in_session"},
			"the actor's place":     {object{"users": list{body("abe", func(u object) { u["locations"] = list{"east"} })}}, "own_roles_in_session"},
			"a role of the actor":   {object{"roles": list{object{"id": "support", "name": "Support", "advanced": list{"create_boards"}}}}, "own_roles_in_session"},
			"an address of anybody": {object{"users": list{body("noel", func(u object) { u["email"] = "other@" + o.id + ".example" })}}, "credentials_in_session"},
		} {
			for _, query := range []string{"?dryRun=true", ""} {
				r := acting.post(t, "/v1/import"+query, c.world).is(t, 200)
				if !strings.Contains(string(r.raw), "urn:problem:"+c.code) {
					t.Errorf("%s: %s", name, r.raw)
				}
				told(t, r)
			}
		}
	})
	for _, user := range people {
		if now := string(ada.get(t, "/v1/users/"+user).is(t, 200).raw); now != was[user] {
			t.Errorf("%s was %s and is %s", user, was[user], now)
		}
		o.anew(t, user)
	}
	for _, role := range roles {
		if now := string(ada.get(t, "/v1/roles/"+role).is(t, 200).raw); now != was["role "+role] {
			t.Errorf("role %s was %s and is %s", role, was["role "+role], now)
		}
	}
	over(t, acting)
}

// TestEachRefusalOfAStartHasItsCode names each once, with its status.
func TestEachRefusalOfAStartHasItsCode(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	stale := client{url: o.url, token: forge(t, changed(t, claims(t, o.as(t, "sam").token), object{"auth_time": time.Now().Add(-time.Hour).Unix()}))}
	in, _ := o.begin(t, "vera", "wes")
	settings := func(change func(object)) func(*testing.T) {
		return func(t *testing.T) {
			edit(t, ada, "/v1/organization", func(o object) { change(o["settings"].(object)["impersonation"].(object)) }).is(t, 200)
		}
	}
	cases := []struct {
		code   string
		status int
		who    client
		body   object
		before func(*testing.T)
		after  func(*testing.T)
	}{
		{"in_session", 403, in, object{"subject": "mia", "credentials": o.own("vera")}, nil, nil},
		{"already_impersonating", 409, in.in(""), object{"subject": "mia", "credentials": o.own("vera")}, nil, nil},
		{"denied", 403, o.as(t, "rita"), object{"subject": "mia", "credentials": o.own("rita")}, nil, nil},
		{"not_found", 404, o.as(t, "sam"), object{"subject": "nobody", "credentials": o.own("sam")}, nil, nil},
		{"self", 422, o.as(t, "sam"), object{"subject": "sam", "credentials": o.own("sam")}, nil, nil},
		{"subject_cannot_be_impersonated", 422, o.as(t, "sam"), object{"subject": "kim", "credentials": o.own("sam")}, nil, nil},
		{"reauthentication_needed", 403, stale, object{"subject": "mia"}, nil, nil},
		{"reauthentication_failed", 403, o.as(t, "sam"), object{"subject": "mia", "credentials": object{"username": o.username("sam"), "password": "Wrong-horse-3"}}, nil, nil},
		{"malformed", 400, o.as(t, "sam"), object{"subject": "mia", "credentials": object{"username": o.username("sam")}}, nil, nil},
		{"reason_required", 422, o.as(t, "sam"), object{"subject": "mia", "credentials": o.own("sam")},
			settings(func(s object) { s["reasonRequired"] = true }), settings(func(s object) { s["reasonRequired"] = false })},
		{"impersonation_disabled", 403, o.as(t, "sam"), object{"subject": "mia", "credentials": o.own("sam")},
			settings(func(s object) { s["enabled"] = false }), settings(func(s object) { s["enabled"] = true })},
		{"too_many_attempts", 429, o.as(t, "sam"), object{"subject": "mia", "credentials": o.own("sam")}, func(t *testing.T) {
			for range 4 {
				o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": object{"username": o.username("sam"), "password": "Wrong-horse-3"}}).is(t, 403)
			}
		}, nil},
		{"sign_in_disabled", 401, o.as(t, "hugo"), object{"subject": "mia", "credentials": o.own("hugo")}, func(t *testing.T) {
			ada.delete(t, "/v1/users/hugo/sign-in").is(t, 200)
		}, nil},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		t.Run("I1, I2 "+c.code, func(t *testing.T) {
			if c.before != nil {
				c.before(t)
			}
			r := c.who.post(t, "/v1/impersonations", c.body).is(t, c.status)
			if r.body["type"] != "urn:problem:"+c.code || text(r.body["detail"]) == "" {
				t.Errorf("%s", r.raw)
			}
			if strings.Contains(string(r.raw), password) || strings.Contains(string(r.raw), "Wrong-horse") {
				t.Errorf("T5 the password is repeated: %s", r.raw)
			}
			if seen[c.code] {
				t.Errorf("%s is two refusals' code", c.code)
			}
			seen[c.code] = true
			if c.after != nil {
				c.after(t)
			}
		})
	}
	all := ada.get(t, "/v1/impersonations").is(t, 200).body["items"].(list)
	if len(all) != 1 {
		t.Errorf("%d sessions: %v", len(all), all)
	}
	over(t, in)
}

// TestNoSessionIsToldFromAnother holds every word that is no session of the actor's to
// one answer, byte for byte but for the request's own id, and to writing nothing (I5).
func TestNoSessionIsToldFromAnother(t *testing.T) {
	t.Parallel()
	o, other := found(t, nil), found(t, nil)
	ended, _ := o.begin(t, "sam", "mia")
	over(t, ended)
	revoked, _ := o.begin(t, "sam", "mia")
	o.as(t, "ada").delete(t, "/v1/impersonations/"+revoked.session).is(t, 200)
	foreign, _ := o.begin(t, "vera", "mia")
	onSam, _ := o.begin(t, "hugo", "lea")
	elsewhere, _ := other.begin(t, "sam", "mia")
	for _, c := range []client{foreign, onSam} {
		eventually(t, "the notice", func() bool {
			return at(o.session(t, c.session).body, "notice", "status") != "queued" && at(o.session(t, c.session).body, "notice", "status") != "sending"
		})
	}
	sam := o.as(t, "sam")
	sam.get(t, "/v1/me").is(t, 200)
	o.settled(t)
	before, beforeOther := holdings(t, o), holdings(t, other)
	words := map[string]string{
		"none": "01KB6V3M5Q7TZ2XW4Y6R8N0PDE5SGH7JK", "empty": "", "signed out of": ended.session, "revoked": revoked.session, "somebody else's": foreign.session,
		"on one's colleague": onSam.session, "another organization's": elsewhere.session, "malformed": "# \t/%00", "not even text": "\xff\xfe", "very long": strings.Repeat("x", 8000),
		"two": foreign.session + "," + ended.session,
	}
	told := map[string]object{}
	for name, word := range words {
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/v1/me", nil}, {"PUT", "/v1/users/mia/persona", object{"persona": "leader"}}, {"PUT", "/v1/users/mia/persona", "{"},
			{"POST", "/v1/impersonations", object{"subject": "mia"}}, {"DELETE", "/v1/impersonations/" + foreign.session, nil},
			{"POST", "/access/v1/evaluation", question("mia", "view", item("i1"))},
		} {
			r := sam.raw(t, call.method, call.path, call.body, http.Header{"Impersonation-Session": {word}})
			body, header := maps.Clone(r.body), r.header.Clone()
			if body["requestId"] != r.request() {
				t.Errorf("%s: %s", r.call, r.raw)
			}
			delete(body, "requestId")
			for _, own := range []string{"Date", "Apigw-Requestid", "Content-Length"} {
				header.Del(own)
			}
			got := object{"status": r.status, "body": body, "header": header}
			if first, asked := told["first"]; !asked {
				r.problem(t, 403, "impersonation_invalid")
				told["first"] = got
			} else if diff := cmp.Diff(first, got); diff != "" {
				t.Errorf("%s, %s %s is told apart: %s", name, call.method, call.path, diff)
			}
		}
	}
	o.wroteOnly(t, before)
	other.wroteOnly(t, beforeOther)
	for _, c := range []client{foreign, onSam, elsewhere} {
		over(t, c)
	}
}
