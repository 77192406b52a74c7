package whole

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestSigningIn(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	t.Run("gives tokens of both kinds, and each is somebody", func(t *testing.T) {
		r := client{url: o.url}.post(t, "/_local/token", o.own("mia")).is(t, 200)
		for _, kind := range []string{"accessToken", "idToken"} {
			client{url: o.url, token: text(r.body[kind])}.get(t, "/v1/me").is(t, 200).has(t, object{"actor": object{"id": "mia", "name": "The mia"}})
		}
	})
	t.Run("tells who one is", func(t *testing.T) {
		mia := object{"id": "mia", "name": "The mia"}
		r := o.as(t, "mia").get(t, "/v1/me").is(t, 200).members(t, "actor", "subject", "organization", "impersonation")
		r.has(t, object{"actor": mia, "subject": mia, "organization": object{"id": o.id, "name": "Clinic"}, "impersonation": nil})
		if r.header.Get("Impersonation-Session") != "" || r.header.Get("Impersonation-Expires") != "" {
			t.Error("an answer outside any session has a session's headers")
		}
	})
	t.Run("U2 lets general, capture, wallboard and nobody else in", func(t *testing.T) {
		for user, status := range map[string]int{"mia": 200, "cap": 200, "wally": 200, "kim": 401, "otto": 401, "ina": 401, "seth": 401} {
			o.anew(t, user).get(t, "/v1/me").is(t, status)
		}
	})
	t.Run("refuses a wrong password", func(t *testing.T) {
		client{url: o.url}.post(t, "/_local/token", object{"username": o.username("mia"), "password": "Wrong-horse-1"}).is(t, 401)
	})
}

func TestReadingAUser(t *testing.T) {
	t.Parallel()
	o, other := found(t, nil), found(t, func(w object) {
		w["users"] = append(w["users"].([]object), object{"id": "stranger", "name": "A stranger", "username": "stranger", "type": "general", "locations": []string{"east-1"}})
	})
	t.Run("tells everything of oneself, with its version", func(t *testing.T) {
		r := o.as(t, "mia").get(t, "/v1/users/mia").is(t, 200)
		r.members(t, "id", "name", "email", "username", "type", "internal", "locations", "persona", "roles", "signIn", "version")
		r.has(t, object{"id": "mia", "email": o.email("mia"), "username": o.username("mia"), "type": "general", "internal": false,
			"locations": []string{"east-1"}, "persona": "frontline", "signIn": "enabled"})
		if role := r.at("roles", 0); at(role, "role") != "frontline" || text(at(role, "by")) == "" {
			t.Errorf("roles %v", r.body["roles"])
		}
		instant(t, r.at("roles", 0, "since"))
		if r.etag() != fmt.Sprintf("%q", fmt.Sprint(r.body["version"])) {
			t.Errorf("ETag %s of version %v", r.etag(), r.body["version"])
		}
	})
	t.Run("U1 leaves an e-mail address out that there is none of", func(t *testing.T) {
		if _, there := o.as(t, "ada").get(t, "/v1/users/noel").is(t, 200).body["email"]; there {
			t.Error("noel has an e-mail address")
		}
	})
	t.Run("R11 shows a local administrator who is within reach", func(t *testing.T) {
		for user, status := range map[string]int{"lena": 200, "mia": 200, "otto": 200, "wes": 404, "ada": 404} {
			o.as(t, "lena").get(t, "/v1/users/"+user).is(t, status)
		}
	})
	t.Run("T4 answers alike for who is out of reach, elsewhere and nobody", func(t *testing.T) {
		var told []string
		other.as(t, "lena").get(t, "/v1/users/stranger").is(t, 200)
		for _, id := range []string{"wes", "nobody", "stranger"} {
			r := o.as(t, "lena").get(t, "/v1/users/"+id).problem(t, 404, "not_found")
			told = append(told, strings.ReplaceAll(string(r.raw), text(r.body["requestId"]), "-"))
		}
		if told[0] != told[1] || told[1] != told[2] {
			t.Errorf("three absences, %q", told)
		}
		other.as(t, "ada").put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
		o.as(t, "ada").get(t, "/v1/users/mia").is(t, 200).has(t, object{"persona": "frontline"})
	})
	t.Run("T4 shows who administers nobody themselves alone", func(t *testing.T) {
		for _, user := range []string{"mia", "rita", "svc"} {
			o.as(t, user).get(t, "/v1/users/finn").problem(t, 404, "not_found")
		}
	})
	t.Run("refuses what cannot be an id", func(t *testing.T) {
		for _, id := range []string{"-a", ".a", "a%20b", "%C3%A9", "a%00b", strings.Repeat("a", 65)} {
			o.as(t, "ada").get(t, "/v1/users/"+id).problem(t, http.StatusBadRequest, "malformed")
		}
		o.as(t, "ada").get(t, "/v1/users/"+strings.Repeat("a", 64)).problem(t, 404, "not_found")
	})
}
