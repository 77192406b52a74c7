package whole

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asking are the calls that are no GET and change nothing.
var asking = []string{
	"POST /access/v1/evaluation", "POST /access/v1/evaluations", "POST /access/v1/search/subject", "POST /access/v1/search/resource",
	"POST /access/v1/search/action", "POST /v1/roles/{id}/impact",
}

// deed is a write, and what the record tells of it: an entry's type, action and
// target, "!" before the code that it is refused with in every session, and what
// was before and after of what changed.
type deed struct {
	route, path   string
	body          any
	told          []string
	before, after string
}

// deeds are successful writes by whoever may do everything, one after the other;
// and those that nobody does in a session, however much they may (I6).
func (o *organization) deeds(t *testing.T, session string) []deed {
	ada := o.as(t, "ada")
	change := func(path, member string, value any) object {
		body := ada.get(t, path).is(t, 200).body
		body[member] = value
		return body
	}
	renamed := change("/v1/organization", "name", "Renamed")
	finn, lead := change("/v1/users/finn", "name", "Finnegan"), change("/v1/roles/lead", "description", "Leads")
	moved := change("/v1/users/finn", "email", "elsewhere@example.org")
	world := object{
		"workflows": list{object{"id": "imported", "name": "Imported"}},
		"users":     list{object{"id": "wes", "name": "Wesley", "username": o.username("wes"), "email": o.email("wes"), "type": "general", "locations": list{"west-1"}}},
	}
	return []deed{
		{"PUT /v1/organization", "/v1/organization", renamed, []string{"settings edit organization " + o.id}, `{"name":"Clinic"}`, `{"name":"Renamed"}`},
		{"PUT /v1/locations/{id}", "/v1/locations/east-3", object{"name": "East 3", "parent": "east"}, []string{"location create location east-3"}, `{}`, `{"name":"East 3","parent":"east"}`},
		{"PUT /v1/locations/{id}", "/v1/locations/east-3", object{"name": "East 3", "parent": "west"}, []string{"location edit location east-3"}, `{"parent":"east"}`, `{"parent":"west"}`},
		{"DELETE /v1/locations/{id}", "/v1/locations/east-3", nil, []string{"location delete location east-3"}, `{"name":"East 3","parent":"west"}`, `null`},
		{"PUT /v1/workflows/{id}", "/v1/workflows/w", object{"name": "W"}, []string{"workflow create workflow w"}, `{}`, `{"name":"W"}`},
		{"PUT /v1/templates/{id}", "/v1/templates/t", object{"name": "T", "workflow": "w", "teamType": "simple"}, []string{"template create template t"}, `{}`, `{"name":"T","teamType":"simple","workflow":"w"}`},
		{"PUT /v1/templates/{id}", "/v1/templates/t", object{"name": "U", "workflow": "w", "teamType": "simple"}, []string{"template edit template t"}, `{"name":"T"}`, `{"name":"U"}`},
		{"DELETE /v1/templates/{id}", "/v1/templates/t", nil, []string{"template delete template t"}, `{"name":"U","teamType":"simple","workflow":"w"}`, `null`},
		{"PUT /v1/workflows/{id}", "/v1/workflows/w", object{"name": "V"}, []string{"workflow edit workflow w"}, `{"name":"W"}`, `{"name":"V"}`},
		{"DELETE /v1/workflows/{id}", "/v1/workflows/w", nil, []string{"workflow delete workflow w"}, `{"name":"V"}`, `null`},
		{"PUT /v1/users/{id}", "/v1/users/finn", finn, []string{"user edit user finn"}, `{"name":"The finn"}`, `{"name":"Finnegan"}`},
		{"PUT /v1/users/{id}", "/v1/users/nova", object{"name": "Nova", "username": o.username("nova"), "type": "offline", "locations": list{"east-1"}}, []string{"user create user nova"},
			`{}`, `{"locations":["east-1"],"name":"Nova","type":"offline","username":"` + o.username("nova") + `"}`},
		{"PUT /v1/users/{id}/preferences", "/v1/users/finn/preferences", object{"notifications": object{"item_assigned": false}}, []string{"user prefer user finn"}, `{"notifications":{}}`, `{"notifications":{"item_assigned":false}}`},
		{"PUT /v1/users/{id}/persona", "/v1/users/finn/persona", object{"persona": "leader"}, []string{"persona change user finn"}, `{"persona":"frontline"}`, `{"persona":"leader"}`},
		{"DELETE /v1/users/{id}/persona", "/v1/users/finn/persona", nil, []string{"persona clear user finn"}, `{"persona":"leader"}`, `{"persona":null}`},
		{"POST /v1/persona-changes", "/v1/persona-changes", object{"changes": list{object{"user": "finn", "persona": "executive"}, object{"user": "wes", "persona": "executive"}}},
			[]string{"persona change user wes", "persona set user finn"}, `{"persona":"frontline"}`, `{"persona":"executive"}`},
		{"POST /v1/persona-audits", "/v1/persona-audits", object{}, []string{"audit audit audit"}, `null`,
			`{"base":14,"verdicts":{"champion":"within","ci_experts":"within","executive":"within","frontline":"below","leader":"within"}}`},
		{"POST /v1/persona-reconciliations", "/v1/persona-reconciliations", object{"mend": true}, nil, "", ""}, // nothing drifted, nothing is mended
		{"POST /v1/roles", "/v1/roles", object{"id": "night", "name": "Night"}, []string{"role create role night"}, `{}`, `{"name":"Night"}`},
		{"PUT /v1/roles/{id}", "/v1/roles/lead", lead, []string{"role edit role lead"}, `{}`, `{"description":"Leads"}`},
		{"POST /v1/roles/{id}/clone", "/v1/roles/night/clone", object{"id": "day", "name": "Day"}, []string{"role clone role day"}, `{}`, `{"name":"Day"}`},
		{"DELETE /v1/roles/{id}", "/v1/roles/day", nil, []string{"role delete role day"}, `{"name":"Day"}`, `null`},
		{"PUT /v1/users/{id}/roles/{role}", "/v1/users/finn/roles/lead", object{}, []string{"assignment assign user finn"}, `null`, `{"role":"lead"}`},
		{"PUT /v1/users/{id}/roles/{role}", "/v1/users/finn/roles/lead", object{"until": "2090-01-01T00:00:00Z"}, []string{"assignment limit user finn"}, `{"role":"lead"}`, `{"role":"lead","until":"2090-01-01T00:00:00Z"}`},
		{"DELETE /v1/users/{id}/roles/{role}", "/v1/users/finn/roles/lead", nil, []string{"assignment revoke user finn"}, `{"role":"lead","until":"2090-01-01T00:00:00Z"}`, `null`},
		{"POST /v1/role-changes", "/v1/role-changes", object{"changes": list{object{"user": "finn", "role": "night"}}}, []string{"assignment assign user finn"}, `null`, `{"role":"night"}`},
		{"PUT /v1/items/{id}", "/v1/items/i1", object{"template": "idea", "status": "complete", "locations": list{"east-1"}}, []string{"item edit item i1"}, `{"status":"active","team":{"author":["mia"],"follower":["finn"]}}`, `{"status":"complete"}`},
		{"DELETE /v1/items/{id}", "/v1/items/i1", nil, []string{"item delete item i1"}, `{"locations":["east-1"],"private":false,"status":"complete","template":"idea"}`, `{}`},
		{"POST /v1/import", "/v1/import", world, []string{"user edit user wes", "workflow create workflow imported"}, `{"name":"The wes"}`, `{"name":"Wesley"}`},

		{"PUT /v1/users/{id}/sign-in", "/v1/users/finn/sign-in", object{}, []string{"!credentials_in_session user administer user finn"}, `null`, `null`},
		{"DELETE /v1/users/{id}/sign-in", "/v1/users/finn/sign-in", nil, []string{"!credentials_in_session user administer user finn"}, `null`, `null`},
		{"PUT /v1/users/{id}", "/v1/users/finn", moved, []string{"!credentials_in_session user place_user user finn"}, `null`, `null`},
		{"PUT /v1/users/{id}/roles/{role}", "/v1/users/abe/roles/lead", object{}, []string{"!own_roles_in_session assignment grant_role user abe"}, `null`, `null`},
		{"DELETE /v1/users/{id}/roles/{role}", "/v1/users/abe/roles/support", nil, []string{"!own_roles_in_session assignment revoke_role user abe"}, `null`, `null`},
		{"POST /v1/impersonations", "/v1/impersonations", object{"subject": "finn", "credentials": o.own("abe")}, []string{"!in_session impersonation start user finn"}, `null`, `null`},
		{"DELETE /v1/impersonations/{id}", "/v1/impersonations/" + session, nil, []string{"impersonation end impersonation " + session}, `null`, ``},
	}
}

// does sends a deed's request; what is there already is looked up in person, so
// that nothing of it is in the session.
func (d deed) does(t *testing.T, c, person client) reply {
	t.Helper()
	method, _, _ := strings.Cut(d.route, " ")
	if method != "POST" && !strings.Contains(d.route, "{id}/") && person.get(t, d.path).status == 200 {
		return c.send(t, method, d.path, d.body, "If-Match", "*")
	}
	return c.send(t, method, d.path, d.body)
}

// TestEveryWriteInASessionIsRecorded does each write of the API in a session, by
// whom may do all of it, and tries it by whom may not: the record tells each as the
// subject's, with the impersonator, the session and the request beside it (I7, T1).
// Of what nobody does in a session it has the refusal.
func TestEveryWriteInASessionIsRecorded(t *testing.T) {
	t.Parallel()
	o := found(t, func(w object) {
		for _, user := range w["users"].([]object) {
			if user["id"] == "abe" {
				user["roles"] = []object{{"role": "admin"}, {"role": "support"}}
			}
		}
	})
	acting, _ := o.begin(t, "abe", "ada")
	trying, _ := o.begin(t, "sam", "mia")
	deeds := o.deeds(t, acting.session)
	covered(t, deeds)
	var changes, denied, tried []string
	for _, d := range deeds {
		t.Run(d.route, func(t *testing.T) {
			refused := d.does(t, trying, o.as(t, "ada"))
			if refused.status != 403 && refused.status != 404 {
				t.Errorf("mia has no right to it: %d %s", refused.status, refused.raw)
			}
			entry := o.tells(t, refused, marks("mia", "sam", trying.session, refused, "denied"))
			if text(entry["cause"]) == "" || entry["before"] != nil || entry["after"] != nil {
				t.Errorf("T1 %v", entry)
			}
			tried = append(tried, text(entry["id"]))

			r := d.does(t, acting, o.as(t, "ada"))
			entries := o.entries(t, r)
			if diff := cmp.Diff(d.told, words(entries)); diff != "" {
				t.Fatalf("T1 %d %s\n%s", r.status, r.raw, diff)
			}
			for i, entry := range entries {
				outcome, into := "done", &changes
				if code, no := strings.CutPrefix(strings.Fields(d.told[0])[0], "!"); no {
					outcome, into = "denied", &denied
					r.problem(t, 403, code)
				} else if r.status >= 300 {
					t.Errorf("%d %s", r.status, r.raw)
				}
				reply{call: d.route, body: entry}.has(t, marks("ada", "abe", acting.session, r, outcome))
				if i == 0 && (stringOf(entry["before"]) != d.before || d.after != "" && stringOf(entry["after"]) != d.after) {
					t.Errorf("T1 before %s after %s", stringOf(entry["before"]), stringOf(entry["after"]))
				}
				if target := at(entry, "target", "id"); target != acting.session { // its end is no part of what happened in it
					*into = append(*into, text(entry["id"]))
				}
			}
			if len(entries) == 0 {
				r.is(t, 200)
			}
		})
	}
	t.Run("I7 the two people are told it in order", func(t *testing.T) {
		for _, user := range []string{"ada", "abe"} {
			for _, limit := range []string{"3", "500"} {
				o.told(t, o.as(t, user), acting.session, limit, changes, denied)
			}
		}
	})
	t.Run("I7 what was only tried, too", func(t *testing.T) {
		o.told(t, o.as(t, "mia"), trying.session, "10", nil, tried)
		o.told(t, trying, trying.session, "500", nil, tried)
	})
	t.Run("T2 a session is found by its id", func(t *testing.T) {
		found := timeline(t, o.as(t, "ada"), "q="+strings.ToLower(acting.session))
		if want := len(changes) + len(denied) + 2 + 1; len(found) != want { // its start and end; mia's attempt to end it
			t.Errorf("%d entries, want %d", len(found), want)
		}
	})
}

// covered holds the deeds to all that the API has to write with.
func covered(t *testing.T, deeds []deed) {
	t.Helper()
	for _, route := range deployed(t) {
		done := slices.ContainsFunc(deeds, func(d deed) bool { return d.route == route })
		reads := strings.HasPrefix(route, "GET ") || slices.Contains(asking, route)
		if done == reads {
			t.Errorf("%s: written in a session %v, only asks %v", route, done, reads)
		}
	}
}

// marks are what an entry of a request in a session has.
func marks(subject, actor, session string, of reply, outcome string) object {
	return object{
		"subject": object{"id": subject, "name": "The " + subject}, "impersonator": object{"id": actor, "name": "The " + actor},
		"session": session, "requestId": of.request(), "outcome": outcome,
	}
}

// words are entries by type, action and target, "!" and its cause before one that
// was denied; of an audit, whose id is chance, without it.
func words(entries []object) []string {
	var out []string
	for _, e := range entries {
		word := text(e["type"]) + " " + text(e["action"]) + " " + text(at(e, "target", "type"))
		if e["type"] != "audit" {
			word += " " + text(at(e, "target", "id"))
		}
		if e["outcome"] == "denied" {
			word = "!" + text(e["cause"]) + " " + word
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return out
}

// told holds what somebody is told of a session, page by page, to these entries:
// what was done and what was refused, each in the order of the requests.
func (o *organization) told(t *testing.T, c client, session, limit string, changes, denied []string) {
	t.Helper()
	got := map[string][]string{}
	for next := ""; ; {
		r := c.get(t, "/v1/impersonations/"+session+"?limit="+limit+"&cursor="+url.QueryEscape(next)).is(t, 200)
		for _, member := range []string{"changes", "denied"} {
			for _, entry := range r.body[member].(list) {
				got[member] = append(got[member], text(at(entry, "id")))
			}
		}
		if next = text(r.body["next"]); next == "" {
			break
		}
	}
	for member, want := range map[string][]string{"changes": changes, "denied": denied} {
		if !slices.IsSorted(got[member]) {
			t.Errorf("I7 %s are told out of order", member)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got[member]); diff != "" {
			t.Errorf("I7 %s by %s (-done +told): %s", member, limit, diff)
		}
	}
}

// TestARowThatIsDeniedInASessionIsRecorded: of many changes, those that are refused
// are told beside those that are done.
func TestARowThatIsDeniedInASessionIsRecorded(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	acting, _ := o.begin(t, "sam", "lena")
	for _, c := range []struct {
		path string
		rows list
		want []string
	}{
		{"/v1/persona-changes", list{object{"user": "mia", "persona": "leader"}, object{"user": "wes", "persona": "leader"}}, []string{"!out_of_scope persona change_persona user wes", "persona change user mia"}},
		{"/v1/role-changes", list{object{"user": "mia", "role": "lead"}, object{"user": "wes", "role": "frontline"}}, []string{"!not_grantable assignment grant_role user mia", "!out_of_scope assignment grant_role user wes"}},
	} {
		r := acting.post(t, c.path, object{"changes": c.rows}).is(t, 200)
		entries := o.entries(t, r)
		if diff := cmp.Diff(c.want, words(entries)); diff != "" {
			t.Errorf("T1 %s: %s", c.path, diff)
		}
		for _, entry := range entries {
			reply{call: c.path, body: entry}.has(t, marks("lena", "sam", acting.session, r, text(entry["outcome"])))
		}
	}
}

// TestAskingInASessionIsNoChange: what only asks leaves nothing in the record.
func TestAskingInASessionIsNoChange(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	acting, _ := o.begin(t, "sam", "ada")
	for _, route := range asking {
		body := map[bool]any{true: search("ada", "view", item("i1")), false: question("ada", "view", item("i1"))}[strings.Contains(route, "search")]
		_, path, _ := strings.Cut(route, " ")
		if strings.Contains(path, "impact") {
			continue // sam designs no roles, so this is denied
		}
		o.silent(t, acting.post(t, path, body).is(t, 200))
	}
	o.told(t, acting, acting.session, "50", nil, nil)
}

// TestWritesThatRaceTheEndOfTheirSession: each is done and told as the two people's,
// or refused and nobody's; the record never names one of them alone (I5, I7).
func TestWritesThatRaceTheEndOfTheirSession(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	users := []string{"mia", "finn", "noel", "wes", "lea", "cap"}
	for range 3 {
		acting, _ := o.begin(t, "sam", "ada")
		replies := together(4*len(users), func(i int) reply {
			if i == len(users) {
				return acting.delete(t, "/v1/impersonations/"+acting.session)
			}
			return acting.put(t, "/v1/users/"+users[i%len(users)]+"/persona", object{"persona": []string{"leader", "executive", "frontline"}[i%3]})
		})
		var done []string
		for i, r := range replies {
			entries := o.entries(t, r)
			switch {
			case i == len(users):
				r.is(t, 200)
			case r.status == 403:
				r.problem(t, 403, "impersonation_invalid")
				if len(entries) > 0 {
					t.Errorf("I5 it was refused, and told as done: %v", entries)
				}
			default:
				r.is(t, 200)
				for _, entry := range entries { // none when somebody has that persona already
					reply{call: r.call, body: entry}.has(t, marks("ada", "sam", acting.session, r, "done"))
					done = append(done, text(entry["id"]))
				}
			}
		}
		o.told(t, o.as(t, "ada"), acting.session, "5", done, nil)
	}
}
