package whole

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// person is somebody as answers and entries name them.
func person(id string) object { return object{"id": id, "name": "The " + id} }

// giving is a clinic in which these users hold one role more: a user and a role,
// in turns.
func giving(pairs ...string) func(object) {
	return func(w object) {
		for pair := range slices.Chunk(pairs, 2) {
			for _, user := range w["users"].([]object) {
				if user["id"] == pair[0] {
					user["roles"] = append(user["roles"].([]object), object{"role": pair[1]})
				}
			}
		}
	}
}

// edit puts back what is at a path, changed.
func edit(t *testing.T, c client, path string, change func(object)) reply {
	t.Helper()
	r := c.get(t, path).is(t, 200)
	next := plain(t, r.body)
	change(next)
	return c.put(t, path, next, "If-Match", r.etag())
}

// TestWhatWentWrongElsewhere has a test for each way in which other systems' signing
// in as somebody else has failed.
func TestWhatWentWrongElsewhere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"nested A→B→A":                               nested,
		"stronger target":                            strongerTarget,
		"target logs in and presses exit":            targetPressesExit,
		"header actor":                               headerActor,
		"session outlives demotion":                  outlivesDemotion,
		"blank reach":                                blankReach,
		"log names only one":                         logNamesOne,
		"e-mail changed during a session":            emailChanged,
		"double start":                               doubleStart,
		"replayed proof":                             replayedProof,
		"clock stepping back":                        clockStepsBack,
		"warm function remembering the last person":  warmFunction,
		"the way out leads to somebody else's place": wayOut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// nested: the actor of a second session begun within the first was taken to be the
// first one's subject, so that the real one was lost.
func nested(t *testing.T) {
	o := found(t, nil)
	asVera, _ := o.begin(t, "sam", "vera")
	for _, subject := range []string{"sam", "mia", "vera"} {
		for _, owner := range []string{"sam", "vera"} {
			r := asVera.post(t, "/v1/impersonations", object{"subject": subject, "credentials": o.own(owner)}).problem(t, 403, "in_session")
			o.tells(t, r, object{"outcome": "denied", "subject": person("vera"), "impersonator": person("sam")})
		}
	}
	// Each by their own sign-in they may be each other at the same time, and stay who they are.
	asSam, _ := o.begin(t, "vera", "sam")
	for range 3 {
		asVera.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("sam"), "subject": person("vera")})
		asSam.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("vera"), "subject": person("sam")})
	}
	asVera.in(asSam.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	asSam.in(asVera.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	asVera.in(asVera.session+","+asSam.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	r := asVera.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	o.tells(t, r, object{"outcome": "done", "subject": person("vera"), "impersonator": person("sam")})
	over(t, asVera)
	asSam.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("vera"), "subject": person("sam")})
	over(t, asSam)
}

// strongerTarget: support signed in as an administrator and was one.
func strongerTarget(t *testing.T) {
	o := found(t, giving("ada", "lead", "ada", "designer"))
	acting, _ := o.begin(t, "sam", "ada")
	lead := o.as(t, "ada").get(t, "/v1/roles/lead").is(t, 200)
	for _, r := range []reply{
		acting.get(t, "/v1/timeline"), acting.post(t, "/v1/persona-audits", object{}), acting.post(t, "/v1/import", object{}),
		acting.put(t, "/v1/organization", object{"name": "Mine"}, "If-Match", "*"), acting.post(t, "/v1/roles", object{"name": "Mine"}),
		acting.put(t, "/v1/roles/lead", lead.body, "If-Match", lead.etag()), acting.delete(t, "/v1/roles/lead", "If-Match", lead.etag()),
		acting.post(t, "/v1/roles/lead/impact", nil), acting.put(t, "/v1/locations/mine", object{"name": "Mine"}),
		acting.put(t, "/v1/users/mia/roles/admin", object{}), acting.put(t, "/v1/users/mia/roles/frontline", object{}),
		acting.post(t, "/v1/persona-reconciliations", object{"mend": false}),
	} {
		r.problem(t, 403, "denied")
		o.tells(t, r, object{"outcome": "denied", "subject": person("ada"), "impersonator": person("sam")})
	}
	rows := acting.post(t, "/v1/role-changes", object{"changes": list{object{"user": "mia", "role": "admin"}}}).is(t, 200)
	if rows.at("results", 0, "problem", "status") != float64(403) && rows.at("items", 0, "problem", "status") != float64(403) {
		t.Errorf("I6 by rows: %s", rows.raw)
	}
	organization := object{"type": "organization", "id": o.id}
	// What ada does as everybody does comes with her.
	may(t, acting, "ada", "edit", item("i4"), true, "role_grant")
	may(t, acting, "ada", "delete", item("i4"), true, "role_grant")
	may(t, acting, "ada", "create_boards", organization, true, "role_grant")
	may(t, acting.in(""), "sam", "edit", item("i4"), false, "no_grant")
	over(t, acting)
}

// targetPressesExit: the person acted as signed in meanwhile, was shown the other's
// banner and pressed its button, and one of the two ended as the other.
func targetPressesExit(t *testing.T) {
	o := found(t, nil)
	before := o.anew(t, "mia")
	acting, _ := o.begin(t, "sam", "mia")
	after := o.anew(t, "mia")
	for _, mia := range []client{before, after} {
		mia.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("mia"), "subject": person("mia"), "impersonation": nil})
		seen := mia.get(t, "/v1/impersonations?state=active").is(t, 200)
		if got := at(seen.body, "items", 0, "id"); got != acting.session {
			t.Errorf("I5 mia sees %v", got)
		}
		r := mia.delete(t, "/v1/impersonations/"+acting.session).problem(t, 403, "denied")
		o.tells(t, r, object{"outcome": "denied", "subject": person("mia"), "impersonator": nil})
		mia.in(acting.session).delete(t, "/v1/impersonations/"+acting.session).problem(t, 403, "impersonation_invalid")
		acting.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("sam"), "subject": person("mia")})
	}
	over(t, acting)
	for _, mia := range []client{before, after} {
		mia.get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("mia"), "impersonation": nil})
	}
	acting.in("").get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("sam"), "subject": person("sam"), "impersonation": nil})
}

// raw sends a request with headers spelt and repeated as they are.
func (c client) raw(t *testing.T, method, path string, body any, header http.Header) reply {
	t.Helper()
	request := c.request(t, method, path, body)
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{call: fmt.Sprint(method, " ", path, " with ", header), status: response.StatusCode, header: response.Header, raw: raw}
	_ = json.Unmarshal(raw, &r.body)
	return r
}

// headerActor: a service behind a proxy took the person from a header, and so did
// whoever came past the proxy.
func headerActor(t *testing.T) {
	o := found(t, nil)
	other := found(t, nil)
	acting, _ := o.begin(t, "sam", "mia")
	finn := o.as(t, "finn")
	for _, name := range []string{
		"X-Actor", "X-Subject", "X-User", "X-User-Id", "X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User",
		"X-Impersonate-User", "Impersonate-User", "X-Organization", "X-Tenant-Id", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Data", "X-Apigateway-Event", "Cookie",
		"X-Impersonation-Session", "Impersonation_session", "Impersonation-Session-Id", "Impersonation-Sessions", "Impersonationsession", "X-Original-Impersonation-Session",
	} {
		for _, value := range []string{"ada", o.username("ada"), other.id, acting.session, `{"sub":"ada","user":"ada"}`, "Impersonation-Session=" + acting.session} {
			r := finn.raw(t, "GET", "/v1/me", nil, http.Header{name: {value}}).is(t, 200)
			r.has(t, object{"actor": person("finn"), "subject": person("finn"), "impersonation": nil})
			if at(r.body, "organization", "id") != o.id {
				t.Errorf("%s: the organization is %v", r.call, at(r.body, "organization", "id"))
			}
		}
	}
	t.Run("the one header, however it is spelt", func(t *testing.T) {
		for _, name := range []string{"Impersonation-Session", "impersonation-session", "IMPERSONATION-SESSION", "iMPERSONATION-sESSION"} {
			acting.in("").raw(t, "GET", "/v1/me", nil, http.Header{name: {acting.session}}).is(t, 200).has(t, object{"actor": person("sam"), "subject": person("mia")})
			finn.raw(t, "GET", "/v1/me", nil, http.Header{name: {acting.session}}).problem(t, 403, "impersonation_invalid")
		}
	})
	t.Run("given more than once it names none", func(t *testing.T) {
		for _, values := range [][]string{{acting.session, acting.session}, {acting.session, ""}, {"", acting.session}, {acting.session, "none"}} {
			acting.in("").raw(t, "GET", "/v1/me", nil, http.Header{"Impersonation-Session": values}).problem(t, 403, "impersonation_invalid")
		}
		acting.in("").raw(t, "GET", "/v1/me", nil, http.Header{"Impersonation-Session": {acting.session}, "IMPERSONATION-SESSION": {acting.session}}).problem(t, 403, "impersonation_invalid")
	})
	t.Run("neither query nor body says who", func(t *testing.T) {
		for _, name := range []string{"actor", "subject", "organization", "impersonation-session", "Impersonation-Session", "session", "sub"} {
			r := finn.get(t, "/v1/me?"+name+"=ada").problem(t, 400, "malformed", "/"+name)
			o.silent(t, r)
			acting.in("").post(t, "/v1/impersonations", object{"subject": "finn", name + "X": "ada"}).problem(t, 400, "malformed", "/"+name+"X")
			o.as(t, "ada").put(t, "/v1/users/mia/persona", object{"persona": "leader", name: "abe"}).problem(t, 400, "malformed", "/"+name)
		}
		o.as(t, "ada").get(t, "/v1/users/mia").is(t, 200).has(t, object{"persona": "frontline"})
	})
	over(t, acting)
}

// loses is a way to lose what a session needs, and to have it again.
type loses struct {
	what, actor, subject, cause string
	lose, again                 func(*testing.T, *organization, client) reply
}

var waysToLose = []loses{
	{"the role is revoked", "sam", "mia", "right_lost",
		func(t *testing.T, _ *organization, ada client) reply {
			return ada.delete(t, "/v1/users/sam/roles/support")
		},
		func(t *testing.T, _ *organization, ada client) reply {
			return ada.put(t, "/v1/users/sam/roles/support", object{})
		}},
	{"the role is edited", "sam", "mia", "right_lost", grants("support", "impersonateUser", false), grants("support", "impersonateUser", true)},
	{"the other half of the right is edited away", "hugo", "mia", "right_lost", grants("local-support", "localUserAdministrator", nil),
		grants("local-support", "localUserAdministrator", object{"scope": "location_and_below", "grantableRoles": list{}})},
	{"the reach shrinks", "hugo", "mia", "right_lost",
		grants("local-support", "localUserAdministrator", object{"scope": "only_location", "grantableRoles": list{}}),
		grants("local-support", "localUserAdministrator", object{"scope": "location_and_below", "grantableRoles": list{}})},
	{"the subject's place moves out of reach", "hugo", "mia", "right_lost", moves("east-1", "west"), moves("east-1", "east")},
	{"the subject moves out of reach", "hugo", "mia", "right_lost", becomes("mia", "locations", list{"west-1"}), becomes("mia", "locations", list{"east-1"})},
	{"the subject has one place out of reach", "hugo", "mia", "right_lost", becomes("mia", "locations", list{"east-1", "west-1"}), becomes("mia", "locations", list{"east-1"})},
	{"the actor moves", "hugo", "mia", "right_lost", becomes("hugo", "locations", list{"west"}), becomes("hugo", "locations", list{"east"})},
	{"the actor becomes a capture user", "sam", "mia", "right_lost", becomes("sam", "type", "capture"), becomes("sam", "type", "general")},
	{"the actor becomes a wallboard", "sam", "wes", "right_lost", becomes("sam", "type", "wallboard"), becomes("sam", "type", "general")},
	{"the organization switches it off", "sam", "mia", "disabled", switches(false), switches(true)},
	{"the subject becomes inactive", "sam", "finn", "inactive", becomes("finn", "type", "inactive"), becomes("finn", "type", "general")},
	{"the actor becomes inactive", "abe", "mia", "inactive", becomes("abe", "type", "inactive"), becomes("abe", "type", "general")},
}

func grants(role, right string, value any) func(*testing.T, *organization, client) reply {
	return func(t *testing.T, _ *organization, ada client) reply {
		return edit(t, ada, "/v1/roles/"+role, func(r object) {
			if value == nil {
				delete(r["admin"].(object), right)
				return
			}
			r["admin"].(object)[right] = value
		})
	}
}

func becomes(user, member string, value any) func(*testing.T, *organization, client) reply {
	return func(t *testing.T, _ *organization, ada client) reply {
		return edit(t, ada, "/v1/users/"+user, func(u object) { u[member] = value })
	}
}

func moves(location, parent string) func(*testing.T, *organization, client) reply {
	return func(t *testing.T, _ *organization, ada client) reply {
		return edit(t, ada, "/v1/locations/"+location, func(l object) { l["parent"] = parent })
	}
}

func switches(on bool) func(*testing.T, *organization, client) reply {
	return func(t *testing.T, _ *organization, ada client) reply {
		return edit(t, ada, "/v1/organization", func(o object) { o["settings"].(object)["impersonation"].(object)["enabled"] = on })
	}
}

// outlivesDemotion: rights were looked at when a session began, so somebody who had
// been dismissed in the morning was the director until night.
func outlivesDemotion(t *testing.T) {
	o := found(t, giving("abe", "support"))
	ada := o.as(t, "ada")
	for _, c := range waysToLose {
		t.Run(c.what, func(t *testing.T) {
			acting, _ := o.begin(t, c.actor, c.subject)
			acting.put(t, "/v1/users/"+c.subject+"/preferences", object{"notifications": object{"item_assigned": false}}).is(t, 200)
			from := time.Now().Add(-time.Millisecond)
			c.lose(t, o, ada).is(t, 200)
			r := acting.put(t, "/v1/users/"+c.subject+"/preferences", object{"notifications": object{"item_assigned": true}}).problem(t, 403, "impersonation_invalid")
			to := time.Now()
			o.tells(t, r, object{"type": "impersonation", "action": "end", "cause": c.cause, "subject": person(c.subject), "impersonator": person(c.actor)})
			ended := o.session(t, acting.session).has(t, object{"cause": c.cause})
			if at := instant(t, ended.body["endedAt"]); at.Before(from) || at.After(to) {
				t.Errorf("I4 it ended at %v, not between %v and %v", at, from, to)
			}
			c.again(t, o, ada).is(t, 200)
			acting.put(t, "/v1/users/"+c.subject+"/preferences", object{"notifications": object{"item_assigned": true}}).problem(t, 403, "impersonation_invalid")
			ada.get(t, "/v1/users/"+c.subject+"/preferences").is(t, 200).has(t, object{"notifications": object{"item_assigned": false}})
			if got := ends(t, o, acting.session); len(got) != 1 {
				t.Errorf("I4 the end was told %d times", len(got))
			}
		})
	}
	t.Run("the assignment is over", func(t *testing.T) {
		until := time.Now().Add(4 * time.Second).Truncate(time.Millisecond)
		ada.put(t, "/v1/users/hugo/roles/local-support", object{"until": until.UTC().Format(time.RFC3339Nano)}).is(t, 200)
		acting, _ := o.begin(t, "hugo", "mia")
		for !passed(until) {
			before := time.Now()
			if r := acting.get(t, "/v1/me"); r.status != 200 && time.Now().Before(until) {
				t.Fatalf("R5 before it is over, at %v: %s", before, r.raw)
			}
			time.Sleep(50 * time.Millisecond)
		}
		acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		o.session(t, acting.session).has(t, object{"cause": "right_lost"})
	})
	t.Run("the actor is shut out", func(t *testing.T) {
		acting, _ := o.begin(t, "vera", "mia")
		ada.delete(t, "/v1/users/vera/sign-in").is(t, 200)
		acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).problem(t, 401, "sign_in_disabled")
		ada.get(t, "/v1/users/mia").is(t, 200).has(t, object{"persona": "frontline"})
	})
}

// blankReach: "everybody at none of these places" was everybody.
func blankReach(t *testing.T) {
	o := found(t, func(w object) {
		w["roles"] = append(w["roles"].([]object), object{"id": "west-support", "name": "West support", "specificLocations": list{"west-1"}, "admin": object{
			"localUserAdministrator": object{"scope": "only_location", "grantableRoles": list{}}, "impersonateUser": true,
		}}, object{"id": "half", "name": "Half of it", "admin": object{"impersonateUser": true}})
		add := func(id string, locations list, roles ...object) {
			w["users"] = append(w["users"].([]object), object{"id": id, "name": "The " + id, "type": "general", "locations": locations, "roles": roles, "password": password})
		}
		add("bea", list{"east", "west-1"}, object{"role": "local-support", "locations": list{"west-1"}})
		add("rob", list{"clinic"}, object{"role": "west-support"})
		add("eva", list{"east-2"}, object{"role": "local-support"})
		add("ned", list{"clinic"}, object{"role": "half"})
		add("old", list{"clinic"}, object{"role": "support", "until": "2020-01-01T00:00:00Z"})
		add("ubi", list{"east-1", "west-1"}, object{"role": "frontline"})
	})
	for _, c := range []struct {
		rule, actor, subject string
		status               int
		code                 string
	}{
		{"R5 a limit that covers nothing of the subject", "bea", "mia", 404, "not_found"},
		{"R5 a limit that covers one of two places", "bea", "ubi", 404, "not_found"},
		{"R5 a limit that covers the subject", "bea", "wes", 201, ""},
		{"R5 specific locations elsewhere, the actor's own above all", "rob", "mia", 404, "not_found"},
		{"R5 specific locations that cover the subject", "rob", "wes", 201, ""},
		{"R11 a place where nobody is", "eva", "mia", 404, "not_found"},
		{"R11 a place where nobody is, somebody above it", "eva", "lea", 404, "not_found"},
		{"R10 no reach at all", "ned", "mia", 403, "denied"},
		{"R5 a reach that is over", "old", "mia", 403, "denied"},
		{"R11 not all of the subject's places", "hugo", "ubi", 404, "not_found"},
		{"T4 nobody", "bea", "nobody", 404, "not_found"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := o.as(t, c.actor).post(t, "/v1/impersonations", object{"subject": c.subject, "credentials": o.own(c.actor)}).is(t, c.status)
			if c.status == 201 {
				over(t, o.as(t, c.actor).in(text(r.body["id"])))
				return
			}
			r.problem(t, c.status, c.code)
			if _, started := r.body["subject"]; started {
				t.Errorf("%s", r.raw)
			}
		})
	}
	t.Run("T4 who is there and out of reach is as nobody is", func(t *testing.T) {
		told := func(subject string) object {
			r := o.as(t, "bea").post(t, "/v1/impersonations", object{"subject": subject, "credentials": o.own("bea")})
			body := plain(t, r.body)
			delete(body, "requestId")
			return object{"status": r.status, "body": body}
		}
		if diff := cmp.Diff(told("nobody"), told("mia")); diff != "" {
			t.Error(diff)
		}
	})
}

// lineOf is the one line that a function wrote of a request.
func lineOf(t *testing.T, of reply) object {
	t.Helper()
	var found []object
	for line := range strings.Lines(shared.log.String()) {
		var entry object
		if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == "request" && entry["requestId"] == of.request() {
			found = append(found, entry)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d lines in the log", of.call, len(found))
	}
	return found[0]
}

// logNamesOne: the log had the subject alone, and the wrong person was dismissed; or
// the actor alone, and nobody knew whose account had been used.
func logNamesOne(t *testing.T) {
	o := found(t, nil)
	acting, started := o.begin(t, "sam", "ada")
	alone := o.as(t, "sam").get(t, "/v1/me").is(t, 200)
	for _, r := range []reply{
		acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200),
		acting.post(t, "/v1/roles", object{"name": "Mine"}).problem(t, 403, "denied"),
		acting.put(t, "/v1/users/mia/sign-in", object{}).problem(t, 403, "credentials_in_session"),
		acting.put(t, "/v1/users/ada/preferences", object{"notifications": object{"item_assigned": false}}).is(t, 200),
		acting.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "in_session"),
		acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200),
	} {
		entries := o.entries(t, r)
		if len(entries) == 0 {
			t.Errorf("T1 %s left nothing in the timeline", r.call)
		}
		for _, entry := range entries {
			if diff := cmp.Diff([]any{person("ada"), person("sam")}, []any{entry["subject"], entry["impersonator"]}); diff != "" {
				t.Errorf("I7 %s: %s", r.call, diff)
			}
		}
		line := lineOf(t, r)
		if line["actor"] != "sam" || line["subject"] != "ada" || line["session"] != acting.session {
			t.Errorf("I7 %s: the log says %v", r.call, line)
		}
	}
	for _, r := range []reply{alone, started} {
		if line := lineOf(t, r); line["actor"] != "sam" || line["subject"] != "sam" || line["session"] != "" {
			t.Errorf("%s: the log says %v", r.call, line)
		}
	}
	o.tells(t, started, object{"subject": person("ada"), "impersonator": person("sam")})
}

// emailChanged: the first thing done in the session was to send its notice elsewhere.
func emailChanged(t *testing.T) {
	o := found(t, nil)
	acting, _ := o.begin(t, "sam", "ada")
	for _, user := range []string{"ada", "sam", "mia", "noel"} {
		r := edit(t, acting, "/v1/users/"+user, func(u object) { u["email"] = "elsewhere@" + o.id + ".example" }).problem(t, 403, "credentials_in_session")
		o.tells(t, r, object{"outcome": "denied", "subject": person("ada"), "impersonator": person("sam")})
	}
	edit(t, acting, "/v1/users/ada", func(u object) { delete(u, "email") }).problem(t, 403, "credentials_in_session")
	o.as(t, "ada").get(t, "/v1/users/ada").is(t, 200).has(t, object{"email": o.email("ada")})
	over(t, acting)

	asMia, _ := o.begin(t, "sam", "mia")
	edit(t, o.as(t, "ada"), "/v1/users/mia", func(u object) { u["email"] = "new@" + o.id + ".example" }).is(t, 200)
	asMia.get(t, "/v1/me").is(t, 200)
	eventually(t, "the notice", func() bool {
		return at(o.session(t, asMia.session).body, "notice", "status") == "sent"
	})
	if got := len(notices(t, o.url, o.email("mia"))); got != 1 {
		t.Errorf("I8 %d notices to the address that she had when it began", got)
	}
	over(t, asMia)
	if got := len(notices(t, o.url, "new@"+o.id+".example")); got != 0 {
		t.Errorf("I8 %d notices to the new address", got)
	}
	edit(t, o.as(t, "sam"), "/v1/users/mia", func(u object) { u["email"] = o.email("mia") }).is(t, 200)
}

// doubleStart: a button pressed twice left two sessions, one of which nobody saw and
// nobody ended.
func doubleStart(t *testing.T) {
	o := found(t, nil)
	fresh := o.anew(t, "vera")
	for name, c := range map[string]struct {
		actor, subject string
		client         client
		body           object
	}{
		"by password":        {"sam", "lea", o.as(t, "sam"), object{"subject": "lea", "credentials": o.own("sam")}},
		"by a fresh sign-in": {"vera", "finn", fresh, object{"subject": "finn"}},
	} {
		t.Run(name, func(t *testing.T) {
			replies := together(20, func(int) reply { return c.client.post(t, "/v1/impersonations", c.body) })
			id := ""
			for _, r := range replies {
				if r.status == 201 {
					id = text(r.body["id"])
				} else {
					r.problem(t, 409, "already_impersonating")
				}
			}
			if got := statuses(replies); got[201] != 1 {
				t.Fatalf("I1 %v", got)
			}
			all := o.as(t, "ada").get(t, "/v1/impersonations?actor="+c.actor).is(t, 200).body["items"].(list)
			if len(all) != 1 || at(all, 0, "id") != id {
				t.Errorf("I1 the sessions are %v", all)
			}
			if c.actor == "sam" {
				o.handed(t, id, "lea")
				if got := len(notices(t, o.url, o.email("lea"))); got != 1 {
					t.Errorf("I8 %d notices", got)
				}
			}
			starts := slices.DeleteFunc(timeline(t, o.as(t, "ada"), "type=impersonation&person="+c.actor), func(e object) bool {
				return e["action"] != "start" || e["outcome"] != "done"
			})
			if len(starts) != 1 {
				t.Errorf("T1 %d starts are told", len(starts))
			}
			over(t, c.client.in(id))
		})
	}
}

// replayedProof: what had proved somebody once proved them again, to whoever had
// overheard it.
func replayedProof(t *testing.T) {
	o := found(t, nil)
	t.Run("I2 a fresh sign-in, at once", func(t *testing.T) {
		// A start that succeeds is ended, so that only the proof can refuse the next.
		fresh := o.anew(t, "sam")
		var mu sync.Mutex
		begun := 0
		together(8, func(int) reply {
			r := fresh.post(t, "/v1/impersonations", object{"subject": "mia"})
			if r.status == 201 {
				mu.Lock()
				begun++
				mu.Unlock()
				over(t, fresh.in(text(r.body["id"])))
			}
			return r
		})
		if begun != 1 {
			t.Errorf("%d starts by one sign-in", begun)
		}
		fresh.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
	})
	t.Run("I2 the other tokens of the same sign-in", func(t *testing.T) {
		tokens := client{url: o.url}.post(t, "/_local/token", o.own("vera")).is(t, 200)
		access := client{url: o.url, token: text(tokens.body["accessToken"])}
		r := access.post(t, "/v1/impersonations", object{"subject": "mia"}).is(t, 201)
		over(t, access.in(text(r.body["id"])))
		now := time.Now()
		own := claims(t, access.token)
		refreshed := forge(t, changed(t, own, object{"jti": "refreshed", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}))
		for _, token := range []string{access.token, text(tokens.body["idToken"]), refreshed} {
			r := client{url: o.url, token: token}.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
			o.tells(t, r, object{"outcome": "denied", "cause": "reauthentication_needed"})
		}
	})
	t.Run("I2 a refresh of an old sign-in", func(t *testing.T) {
		own := claims(t, o.anew(t, "hugo").token)
		old := forge(t, changed(t, own, object{"auth_time": time.Now().Add(-20 * time.Minute).Unix(), "iat": time.Now().Unix(), "jti": "refreshed"}))
		client{url: o.url, token: old}.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
	})
	t.Run("I2 a token that does not say when", func(t *testing.T) {
		own := claims(t, o.anew(t, "hugo").token)
		client{url: o.url, token: forge(t, changed(t, own, object{"auth_time": nil}))}.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
	})
	t.Run("I2 one's own password, each time", func(t *testing.T) {
		for range 7 {
			acting, _ := o.begin(t, "hugo", "mia")
			over(t, acting)
		}
	})
	t.Run("I2 wrong ones count between right ones", func(t *testing.T) {
		for range 5 {
			o.as(t, "hugo").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": object{"username": o.username("hugo"), "password": "Wrong-horse-2"}}).problem(t, 403, "reauthentication_failed")
		}
		tooMany(t, o.as(t, "hugo").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("hugo")}))
	})
}

// asker is somebody, alone or acting, with what they must be answered.
type asker struct {
	client
	subject string
	want    map[string]bool
}

// warmFunction: a function kept who had asked last in a variable, and answered the
// next one as them.
func warmFunction(t *testing.T) {
	o := found(t, nil)
	// The same ids, other rights: what is kept of one organization would show in the other.
	other := found(t, func(w object) {
		giving("finn", "lead")(w)
		for _, user := range w["users"].([]object) {
			if user["id"] == "mia" {
				user["roles"] = []object{}
			}
		}
		for _, i := range w["items"].([]object) {
			if i["id"] == "i1" {
				i["team"] = object{"author": list{"wes"}}
			}
		}
	})
	var askers []asker
	alone := func(o *organization, user string, yes ...string) {
		askers = append(askers, asker{o.as(t, user), user, wanted(yes)})
	}
	acting := func(o *organization, actor, subject string, yes ...string) {
		c, _ := o.begin(t, actor, subject)
		askers = append(askers, asker{c, subject, wanted(yes)})
	}
	alone(o, "mia", "view i1", "edit i1")
	alone(o, "wes", "view i4")
	alone(o, "lea", "view i1", "edit i1", "view i2", "edit i2", "view i5", "edit i5", "delete i1", "delete i2", "delete i5")
	alone(o, "sam")
	acting(o, "sam", "mia", "view i1", "edit i1")
	acting(o, "vera", "lea", "view i1", "edit i1", "view i2", "edit i2", "view i5", "edit i5", "delete i1", "delete i2", "delete i5")
	alone(other, "mia")
	alone(other, "wes", "view i1", "edit i1", "view i4")
	alone(other, "finn", "view i1", "edit i1", "delete i1")
	acting(other, "sam", "finn", "view i1", "edit i1", "delete i1")
	acting(other, "vera", "wes", "view i1", "edit i1", "view i4")
	const workers, questions = 6, 350
	var all sync.WaitGroup
	for worker := range workers {
		dice := rand.New(rand.NewPCG(7, uint64(worker)))
		all.Go(func() {
			for range questions {
				askers[dice.IntN(len(askers))].ask(t, dice, askers[dice.IntN(len(askers))])
			}
		})
	}
	all.Wait()
}

var warmQuestions = func() []string {
	var out []string
	for _, action := range []string{"view", "edit", "delete", "assign"} {
		for _, id := range []string{"i1", "i2", "i3", "i4", "i5"} {
			out = append(out, action+" "+id)
		}
	}
	return out
}()

func wanted(yes []string) map[string]bool {
	out := map[string]bool{}
	for _, q := range yes {
		if !slices.Contains(warmQuestions, q) {
			panic(q + " is not asked")
		}
		out[q] = true
	}
	return out
}

// ask asks one question, now and then in the session of another.
func (a asker) ask(t *testing.T, dice *rand.Rand, another asker) {
	q := warmQuestions[dice.IntN(len(warmQuestions))]
	action, id, _ := strings.Cut(q, " ")
	if dice.IntN(8) == 0 && another.session != "" && another.token != a.token {
		if r := a.in(another.session).post(t, "/access/v1/evaluation", question(a.subject, action, item(id))); r.status != 403 {
			t.Errorf("I3 %s in another's session: %d %s", a.subject, r.status, r.raw)
		}
		return
	}
	r := a.post(t, "/access/v1/evaluation", question(a.subject, action, item(id)))
	if r.status != 200 || r.body["decision"] != a.want[q] {
		t.Errorf("C11 %s (in %q) %s: %d %s, want %v", a.subject, a.session, q, r.status, r.raw, a.want[q])
	}
}

// wayOut: leaving restored "the person before", which by then was somebody else.
func wayOut(t *testing.T) {
	o := found(t, nil)
	first, _ := o.begin(t, "sam", "mia")
	over(t, first)
	second, _ := o.begin(t, "sam", "wes")
	first.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	first.delete(t, "/v1/impersonations/"+first.session).problem(t, 403, "impersonation_invalid")
	second.get(t, "/v1/me").is(t, 200).has(t, object{"subject": person("wes")})
	// Ending an ended one, from outside or from within the next, ends nothing else.
	o.as(t, "sam").delete(t, "/v1/impersonations/"+first.session).is(t, 200).has(t, object{"cause": "signed_out"})
	second.get(t, "/v1/me").is(t, 200).has(t, object{"subject": person("wes")})
	over(t, second)
	second.in("").get(t, "/v1/me").is(t, 200).has(t, object{"actor": person("sam"), "subject": person("sam"), "impersonation": nil})
}
