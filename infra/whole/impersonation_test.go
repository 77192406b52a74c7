package whole

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// begin starts an impersonation with the actor's own credentials, and is the
// actor in it.
func (o *organization) begin(t *testing.T, actor, subject string, more ...object) (client, reply) {
	t.Helper()
	body := object{"subject": subject, "credentials": o.own(actor)}
	for _, members := range more {
		for name, value := range members {
			body[name] = value
		}
	}
	r := o.as(t, actor).post(t, "/v1/impersonations", body).is(t, 201)
	return o.as(t, actor).in(text(r.body["id"])), r
}

// session is what an administrator sees of a session.
func (o *organization) session(t *testing.T, id string) reply {
	t.Helper()
	return o.as(t, "ada").get(t, "/v1/impersonations/"+id).is(t, 200)
}

// invalid holds a client's session to be none, and its sign-in to be good.
func invalid(t *testing.T, c client) {
	t.Helper()
	c.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	c.in("").get(t, "/v1/me").is(t, 200).has(t, object{"impersonation": nil})
}

func TestAnImpersonation(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	sam, mia := object{"id": "sam", "name": "The sam"}, object{"id": "mia", "name": "The mia"}
	acting, started := o.begin(t, "sam", "mia", object{"reason": "Her board is empty."})

	t.Run("I3 tells the session", func(t *testing.T) {
		if got := started.header.Get("Location"); got != "/v1/impersonations/"+acting.session {
			t.Errorf("Location %q", got)
		}
		started.members(t, "id", "actor", "subject", "reason", "mode", "startedAt", "expiresAt", "endsAt", "notice", "banner")
		started.has(t, object{"actor": sam, "subject": mia, "mode": "full", "reason": "Her board is empty.", "notice": object{"status": "queued"}})
		if got := text(started.at("banner", "text")); !strings.Contains(got, "The sam") || !strings.Contains(got, "The mia") {
			t.Errorf("banner %q", got)
		}
		if len(acting.session) < 26 {
			t.Errorf("I3 the id has at least 128 random bits: %q", acting.session)
		}
		begun, idles, ends := instant(t, started.body["startedAt"]), instant(t, started.body["expiresAt"]), instant(t, started.body["endsAt"])
		if idles.Sub(begun).Round(time.Second) != idle || ends.Sub(begun).Round(time.Second) != time.Hour {
			t.Errorf("I4 from %v to %v or %v", begun, idles, ends)
		}
	})
	t.Run("I5 the banner is in /v1/me", func(t *testing.T) {
		r := acting.get(t, "/v1/me").is(t, 200).has(t, object{"actor": sam, "subject": mia})
		if diff := cmp.Diff([]any{acting.session, "full", started.body["banner"], started.body["startedAt"], started.body["endsAt"]},
			[]any{r.at("impersonation", "id"), r.at("impersonation", "mode"), r.at("impersonation", "banner"), r.at("impersonation", "startedAt"), r.at("impersonation", "endsAt")}); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("I7 a start is the subject's, with the impersonator beside it", func(t *testing.T) {
		o.tells(t, started, object{"type": "impersonation", "action": "start", "outcome": "done", "subject": mia, "impersonator": sam, "target": object{"type": "impersonation", "id": acting.session}})
	})
	asTheSubject(t, o, acting)
	t.Run("I3 it is no bearer secret", func(t *testing.T) {
		for _, user := range []string{"mia", "ada", "vera"} {
			o.as(t, user).in(acting.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		}
		for _, id := range []string{"", "nothing", "a b", strings.Repeat("x", 300), acting.session + ",x", strings.ToLower(acting.session)} {
			r := acting.in("").get(t, "/v1/me", "Impersonation-Session", id).problem(t, 403, "impersonation_invalid")
			if r.header.Get("Impersonation-Session") != "" {
				t.Errorf("%q is answered as a session", id)
			}
		}
	})
	t.Run("T4 of another organization it is none", func(t *testing.T) {
		other := found(t, nil)
		other.as(t, "sam").in(acting.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		other.as(t, "ada").get(t, "/v1/impersonations/"+acting.session).problem(t, 404, "not_found")
		other.as(t, "ada").delete(t, "/v1/impersonations/"+acting.session).problem(t, 404, "not_found")
	})
	t.Run("I5 signing out ends it, and tells", func(t *testing.T) {
		out := acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200).has(t, object{"id": acting.session, "cause": "signed_out"})
		instant(t, out.body["endedAt"])
		o.tells(t, out, object{"type": "impersonation", "outcome": "done", "cause": "signed_out", "subject": mia, "impersonator": sam})
		invalid(t, acting)
		o.session(t, acting.session).has(t, object{"cause": "signed_out", "endedAt": out.body["endedAt"]})
		again := acting.in("").delete(t, "/v1/impersonations/"+acting.session).is(t, 200).has(t, object{"cause": "signed_out", "endedAt": out.body["endedAt"]})
		o.silent(t, again)
	})
}

// asTheSubject holds what sam may while acting as mia (I6).
func asTheSubject(t *testing.T, o *organization, acting client) {
	sam, mia := object{"id": "sam", "name": "The sam"}, object{"id": "mia", "name": "The mia"}
	t.Run("I6 item rights are the subject's", func(t *testing.T) {
		may(t, acting, "mia", "edit", item("i1"), true, "team_member")
		may(t, acting, "sam", "view", item("i1"), false, "unknown_subject")
		may(t, acting.in(""), "sam", "view", item("i1"), false, "no_grant")
	})
	t.Run("I6 the subject administers nothing, so the session does not", func(t *testing.T) {
		acting.get(t, "/v1/roles").problem(t, 403, "denied")
		acting.get(t, "/v1/persona-report").problem(t, 403, "denied")
		acting.get(t, "/v1/users/finn").problem(t, 404, "not_found")
		acting.get(t, "/v1/users/sam").problem(t, 404, "not_found")
		acting.get(t, "/v1/users/mia").is(t, 200)
		r := acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).problem(t, 403, "denied")
		o.tells(t, r, object{"type": "persona", "outcome": "denied", "subject": mia, "impersonator": sam})
	})
	t.Run("I1, I6 nothing is started within", func(t *testing.T) {
		r := acting.post(t, "/v1/impersonations", object{"subject": "finn", "credentials": o.own("sam")}).problem(t, 403, "in_session")
		o.tells(t, r, object{"type": "impersonation", "outcome": "denied", "subject": mia, "impersonator": sam})
	})
	t.Run("I1 nor a second one beside it", func(t *testing.T) {
		acting.in("").post(t, "/v1/impersonations", object{"subject": "finn", "credentials": o.own("sam")}).problem(t, 409, "already_impersonating")
	})
}

func TestActingTogetherNeedsBothRights(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, sam := object{"id": "ada", "name": "The ada"}, object{"id": "sam", "name": "The sam"}
	acting, _ := o.begin(t, "sam", "ada")
	t.Run("I6 what both may", func(t *testing.T) {
		acting.get(t, "/v1/roles").is(t, 200)
		r := acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
		o.tells(t, r, object{"type": "persona", "outcome": "done", "subject": ada, "impersonator": sam, "target": object{"type": "user", "id": "mia"}})
	})
	t.Run("I6 what the subject alone may", func(t *testing.T) {
		for _, r := range []reply{
			acting.put(t, "/v1/users/mia/roles/lead", nil), acting.post(t, "/v1/roles", object{"name": "New"}),
			acting.put(t, "/v1/roles/lead", object{"name": "Lead"}, "If-Match", "*"),
			acting.get(t, "/v1/timeline"),
		} {
			r.problem(t, 403, "denied")
			o.tells(t, r, object{"outcome": "denied", "subject": ada, "impersonator": sam})
		}
	})
	t.Run("I6 the actor's own roles are nobody's to change", func(t *testing.T) {
		r := acting.delete(t, "/v1/users/sam/roles/support")
		if r.status != 403 {
			t.Errorf("%d %s", r.status, r.raw)
		}
		o.as(t, "sam").get(t, "/v1/users/sam").is(t, 200).has(t, object{"roles": o.as(t, "ada").get(t, "/v1/users/sam").body["roles"]})
	})
	acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)

	t.Run("I6 the actor's own roles, though both may give them", func(t *testing.T) {
		o.as(t, "ada").put(t, "/v1/users/abe/roles/support", nil).is(t, 200)
		acting, _ := o.begin(t, "abe", "ada")
		before := o.as(t, "abe").get(t, "/v1/users/abe").is(t, 200)
		acting.delete(t, "/v1/users/abe/roles/support").problem(t, 403, "own_roles_in_session")
		acting.put(t, "/v1/users/abe/roles/lead", nil).problem(t, 403, "own_roles_in_session")
		o.as(t, "abe").get(t, "/v1/users/abe").is(t, 200).has(t, object{"roles": before.body["roles"]})
		acting.put(t, "/v1/users/mia/roles/lead", nil).is(t, 200)
		acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
	})
}

func TestReadOnlyImpersonation(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	acting, started := o.begin(t, "sam", "ada", object{"mode": "read_only"})
	started.has(t, object{"mode": "read_only"})
	t.Run("I6 refuses every write, first of all", func(t *testing.T) {
		for _, r := range []reply{
			acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}), acting.delete(t, "/v1/users/mia/persona"),
			acting.put(t, "/v1/users/mia/roles/frontline", nil), acting.delete(t, "/v1/users/mia/roles/frontline"),
			acting.post(t, "/v1/roles", object{"name": "x"}), acting.put(t, "/v1/roles/lead", object{"name": "x"}),
			acting.put(t, "/v1/users/mia/persona", "{"), acting.put(t, "/v1/users/a%20b/persona", object{}),
			acting.put(t, "/v1/users/nobody/roles/nothing", nil), acting.post(t, "/v1/impersonations", object{"subject": "mia"}),
		} {
			r.problem(t, 403, "read_only")
			if r.header.Get("Impersonation-Session") != acting.session {
				t.Errorf("%s: the answer names no session", r.call)
			}
		}
	})
	t.Run("I6 looks and asks", func(t *testing.T) {
		acting.get(t, "/v1/roles").is(t, 200)
		acting.get(t, "/v1/users/mia").is(t, 200).has(t, object{"persona": "frontline"})
		acting.get(t, "/v1/me").is(t, 200)
		may(t, acting, "ada", "create_users", object{"type": "organization", "id": o.id}, true, "role_grant")
	})
	t.Run("I5 signs out", func(t *testing.T) {
		acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200).has(t, object{"cause": "signed_out"})
	})
}

func TestWhomNobodyImpersonates(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	cases := []struct {
		rule, actor, subject string
		status               int
		code                 string
	}{
		{"I1 oneself", "sam", "sam", 422, "self"},
		{"I1 offline", "sam", "otto", 422, "subject_cannot_be_impersonated"},
		{"I1 inactive", "sam", "ina", 422, "subject_cannot_be_impersonated"},
		{"I1 kiosk", "sam", "kim", 422, "subject_cannot_be_impersonated"},
		{"T4 nobody", "sam", "nobody", 404, "not_found"},
		{"T4 out of reach", "hugo", "wes", 404, "not_found"},
		{"T4 a larger place than the reach", "hugo", "ada", 404, "not_found"},
		{"I1 without impersonate_user", "ada", "mia", 403, "denied"},
		{"I1 without anything", "mia", "finn", 403, "denied"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			r := o.as(t, c.actor).post(t, "/v1/impersonations", object{"subject": c.subject, "credentials": o.own(c.actor)})
			r.is(t, c.status)
			if r.body["type"] != "urn:problem:"+c.code {
				t.Errorf("%s", r.raw)
			}
			if c.status != 422 {
				o.tells(t, r, object{"type": "impersonation", "outcome": "denied", "subject": object{"id": c.actor, "name": "The " + c.actor}})
			}
		})
	}
	t.Run("I1 a local administrator within reach", func(t *testing.T) {
		acting, _ := o.begin(t, "hugo", "mia")
		acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
	})
	for _, subject := range []string{"seth", "wally", "cap"} {
		t.Run("I1 is allowed of "+subject, func(t *testing.T) {
			acting, _ := o.begin(t, "sam", subject)
			acting.get(t, "/v1/me").is(t, 200).has(t, object{"subject": object{"id": subject, "name": "The " + subject}})
			acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
		})
	}
}

func TestWhatAnOrganizationSettles(t *testing.T) {
	t.Parallel()
	settled := func(impersonation object) func(object) {
		return func(w object) { w["organization"].(object)["settings"] = object{"impersonation": impersonation} }
	}
	t.Run("I5 impersonation switched off", func(t *testing.T) {
		o := found(t, settled(object{"enabled": false}))
		r := o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("sam")}).problem(t, 403, "impersonation_disabled")
		o.tells(t, r, object{"type": "impersonation", "outcome": "denied"})
	})
	t.Run("I3, I4 a reason required, an end of its own", func(t *testing.T) {
		o := found(t, settled(object{"reasonRequired": true, "absoluteMinutes": 3}))
		o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("sam")}).problem(t, 422, "reason_required", "/reason")
		o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "reason": "  ", "credentials": o.own("sam")}).problem(t, 422, "reason_required", "/reason")
		acting, r := o.begin(t, "sam", "mia", object{"reason": "A question"})
		if r.body["endsAt"] != r.body["expiresAt"] || instant(t, r.body["endsAt"]).Sub(instant(t, r.body["startedAt"])) != 3*time.Minute {
			t.Errorf("%s", r.raw)
		}
		acting.get(t, "/v1/me").is(t, 200)
	})
}

func TestWhoSeesAndEndsImpersonations(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	sees := func(t *testing.T, user, query string) []string {
		t.Helper()
		out := []string{}
		for _, s := range o.as(t, user).get(t, "/v1/impersonations"+query).is(t, 200).members(t, "items", "next").body["items"].(list) {
			out = append(out, text(at(s, "id")))
		}
		return out
	}
	first, _ := o.begin(t, "sam", "mia")
	first.delete(t, "/v1/impersonations/"+first.session).is(t, 200)
	second, _ := o.begin(t, "sam", "wes")
	third, _ := o.begin(t, "hugo", "mia")
	for _, c := range []struct {
		rule, user, query string
		want              []string
	}{
		{"one's own, newest first", "sam", "", []string{second.session, first.session}},
		{"those that last", "sam", "?state=active", []string{second.session}},
		{"those on oneself", "mia", "", []string{third.session, first.session}},
		{"a system administrator all", "ada", "", []string{third.session, second.session, first.session}},
		{"an administrator of the actor, that actor's", "lena", "?actor=hugo", []string{third.session}},
		{"of an actor whom one does not administer, none", "lena", "?actor=sam", nil},
		{"nobody's", "finn", "", []string{}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.want == nil {
				r := o.as(t, c.user).get(t, "/v1/impersonations"+c.query)
				if items, _ := r.body["items"].(list); r.status != 404 && len(items) > 0 {
					t.Errorf("%d %s", r.status, r.raw)
				}
				return
			}
			if diff := cmp.Diff(c.want, sees(t, c.user, c.query)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("T4 who has nothing to do with it sees none", func(t *testing.T) {
		for _, user := range []string{"finn", "lena", "hugo"} {
			path := "/v1/impersonations/" + second.session
			o.as(t, user).get(t, path).problem(t, 404, "not_found")
			o.as(t, user).delete(t, path).problem(t, 404, "not_found")
		}
		second.get(t, "/v1/me").is(t, 200)
	})
	t.Run("I5 the subject sees it and does not end it", func(t *testing.T) {
		o.as(t, "wes").get(t, "/v1/impersonations/"+second.session).is(t, 200)
		r := o.as(t, "wes").delete(t, "/v1/impersonations/"+second.session).problem(t, 403, "denied")
		o.tells(t, r, object{"type": "impersonation", "outcome": "denied"})
		second.get(t, "/v1/me").is(t, 200)
	})
	t.Run("I5 an administrator of the actor revokes", func(t *testing.T) {
		r := o.as(t, "lena").delete(t, "/v1/impersonations/"+third.session).is(t, 200).has(t, object{"cause": "revoked"})
		o.tells(t, r, object{"type": "impersonation", "outcome": "done", "cause": "revoked", "subject": object{"id": "mia", "name": "The mia"}, "impersonator": object{"id": "hugo", "name": "The hugo"}})
		invalid(t, third)
	})
	t.Run("I5 a system administrator revokes", func(t *testing.T) {
		o.as(t, "ada").delete(t, "/v1/impersonations/"+second.session).is(t, 200).has(t, object{"cause": "revoked"})
		invalid(t, second)
	})
}

// TestARightLost takes from actor or subject what a session needs: nothing
// succeeds in it after that.
func TestARightLost(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	acting, _ := o.begin(t, "sam", "mia")
	acting.get(t, "/v1/me").is(t, 200)
	ada.delete(t, "/v1/users/sam/roles/support").is(t, 200)
	lost := acting.get(t, "/v1/users/mia").problem(t, 403, "impersonation_invalid")
	if lost.header.Get("Impersonation-Session") != "" {
		t.Error("the answer says that the session lasts")
	}
	o.session(t, acting.session).has(t, object{"cause": "right_lost"})
	ended := 0
	for _, entry := range timeline(t, ada, "type=impersonation") {
		if entry["cause"] == "right_lost" && at(entry, "target", "id") == acting.session {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("I4 the end was told %d times", ended)
	}
	ada.put(t, "/v1/users/sam/roles/support", nil).is(t, 200)
	acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	again, _ := o.begin(t, "sam", "mia")
	again.get(t, "/v1/me").is(t, 200)
}
