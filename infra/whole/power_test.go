package whole

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attempt is one try of a route: a path and a body that somebody who may everything
// would be answered well, after ada has made what it is about.
type attempt struct {
	path string
	body any
	// from makes what is there before it.
	from func(*testing.T, client)
}

// attempts are the tries of routes that are not got, the nth each; what is got is asked
// for by its path alone.
var attempts = map[string]func(o *organization, n int) attempt{
	"PUT /v1/organization": settingName,
	"POST /v1/import": func(_ *organization, n int) attempt {
		return attempt{path: "/v1/import", body: object{"workflows": list{object{"id": fmt.Sprint("w-", n), "name": fmt.Sprint("Imported ", n)}}}}
	},
	"PUT /v1/locations/{id}":    placing("locations", object{"parent": "east"}),
	"DELETE /v1/locations/{id}": removing("locations", object{"parent": "east"}),
	"PUT /v1/workflows/{id}":    placing("workflows", object{}),
	"DELETE /v1/workflows/{id}": removing("workflows", object{}),
	"PUT /v1/templates/{id}":    placing("templates", object{"workflow": "safety", "teamType": "simple"}),
	"DELETE /v1/templates/{id}": removing("templates", object{"workflow": "safety", "teamType": "simple"}),
	"PUT /v1/items/{id}":        placing("items", object{"template": "idea", "status": "active"}),
	"DELETE /v1/items/{id}":     removing("items", object{"template": "idea", "status": "active"}),
	"PUT /v1/users/{id}": func(o *organization, n int) attempt {
		return attempt{path: fmt.Sprint("/v1/users/new-", n), body: object{"name": "New", "username": fmt.Sprint(o.id, ".new-", n), "type": "general", "locations": list{"east-1"}}}
	},
	"PUT /v1/users/{id}/preferences":   trying("/v1/users/mia/preferences", object{"notifications": object{"item_assigned": false}}),
	"PUT /v1/users/{id}/sign-in":       trying("/v1/users/wes/sign-in", object{}),
	"DELETE /v1/users/{id}/sign-in":    trying("/v1/users/wes/sign-in", nil),
	"PUT /v1/users/{id}/persona":       trying("/v1/users/mia/persona", object{"persona": "leader"}),
	"DELETE /v1/users/{id}/persona":    trying("/v1/users/mia/persona", nil),
	"POST /v1/persona-changes":         trying("/v1/persona-changes", object{"changes": list{object{"user": "mia", "persona": "executive"}}}),
	"POST /v1/persona-reconciliations": trying("/v1/persona-reconciliations", object{"mend": false}),
	"POST /v1/persona-audits":          trying("/v1/persona-audits", object{}),
	"POST /v1/roles": func(_ *organization, n int) attempt {
		return attempt{path: "/v1/roles", body: object{"name": fmt.Sprint("Posted ", n)}}
	},
	"PUT /v1/roles/{id}":         placing("roles", object{}),
	"DELETE /v1/roles/{id}":      removing("roles", object{}),
	"POST /v1/roles/{id}/impact": trying("/v1/roles/lead/impact", nil),
	"POST /v1/roles/{id}/clone": func(_ *organization, n int) attempt {
		return attempt{path: "/v1/roles/lead/clone", body: object{"name": fmt.Sprint("Cloned ", n)}}
	},
	"POST /v1/role-changes":              trying("/v1/role-changes", object{"changes": list{object{"user": "mia", "role": "lead"}}}),
	"PUT /v1/users/{id}/roles/{role}":    trying("/v1/users/mia/roles/lead", object{}),
	"DELETE /v1/users/{id}/roles/{role}": takingBack,
}

// everybodys are routes that ask no right of an admin's: what they answer is the
// subject's, or each caller's own.
var everybodys = []string{
	"GET /v1/me", "GET /v1/personas", "GET /v1/permissions", "GET /v1/people", "GET /v1/impersonations", "GET /v1/impersonations/{id}",
	"POST /v1/impersonations", "DELETE /v1/impersonations/{id}", "POST /access/v1/evaluation", "POST /access/v1/evaluations",
	"POST /access/v1/search/subject", "POST /access/v1/search/resource", "POST /access/v1/search/action",
}

func trying(path string, body any) func(*organization, int) attempt {
	return func(*organization, int) attempt { return attempt{path: path, body: body} }
}

func settingName(_ *organization, n int) attempt {
	return attempt{path: "/v1/organization", body: object{"name": fmt.Sprint("Clinic ", n)}}
}

func takingBack(*organization, int) attempt {
	return attempt{path: "/v1/users/mia/roles/lead", from: func(t *testing.T, ada client) {
		t.Helper()
		ada.put(t, "/v1/users/mia/roles/lead", object{}).is(t, 200)
	}}
}

// placing makes a new thing each time.
func placing(kind string, members object) func(*organization, int) attempt {
	return func(o *organization, n int) attempt {
		body := object{}
		if kind != "items" {
			body["name"] = fmt.Sprint("The ", kind, " ", n)
		}
		for name, value := range members {
			body[name] = value
		}
		return attempt{path: fmt.Sprint("/v1/", kind, "/x-", n), body: body}
	}
}

// removing takes away what ada has just made.
func removing(kind string, members object) func(*organization, int) attempt {
	return func(o *organization, n int) attempt {
		made := placing(kind, members)(o, n)
		return attempt{path: made.path, from: func(t *testing.T, ada client) {
			t.Helper()
			if r := ada.put(t, made.path, made.body); r.status != 200 && r.status != 201 {
				t.Fatalf("%s: %s", r.call, r.raw)
			}
		}}
	}
}

// tried makes an attempt as somebody.
func (a attempt) tried(t *testing.T, c client, method string) reply {
	t.Helper()
	headers := []string{}
	if method == "DELETE" || a.path == "/v1/organization" && method == "PUT" {
		headers = []string{"If-Match", "*"}
	}
	return c.send(t, method, a.path, a.body, headers...)
}

// succeeded is whether something was answered or done, a row of many included.
func (r reply) succeeded() bool {
	return r.status < 300 && !strings.Contains(string(r.raw), `"urn:problem:`)
}

// crowd is a clinic with eight more who each hold administrative roles drawn at random;
// those with an even number may act as others.
func crowd(dice *rand.Rand) func(object) {
	return func(w object) {
		bundles := []object{
			{"roleAdministrator": true}, {"qualityAdministrator": true}, {"systemAdministrator": true}, {"accessReader": true}, {"itemWriter": true},
			{"globalUserAdministrator": object{"createUsers": true, "grantableRoles": list{"lead"}}},
			{"localUserAdministrator": object{"scope": "location_and_below", "createUsers": true, "grantableRoles": list{"frontline", "lead"}}},
			{"localUserAdministrator": object{"scope": "only_location", "grantableRoles": list{}}}, {"boardAdministrator": "everywhere"},
		}
		for i, bundle := range bundles {
			w["roles"] = append(w["roles"].([]object), object{"id": fmt.Sprint("bundle-", i), "name": fmt.Sprint("Bundle ", i), "admin": bundle})
		}
		giving("ada", "service")(w)
		for i := range 8 {
			held := []object{{"role": "support"}}
			if i%2 == 1 {
				held = []object{{"role": []string{"frontline", "lead"}[dice.IntN(2)]}}
			}
			for _, bundle := range dice.Perm(len(bundles))[:dice.IntN(5)] {
				held = append(held, object{"role": fmt.Sprint("bundle-", bundle)})
			}
			id := fmt.Sprint("p", i)
			w["users"] = append(w["users"].([]object), object{
				"id": id, "name": "The " + id, "email": id, "type": "general", "locations": list{[]string{"clinic", "east", "east-1"}[dice.IntN(3)]},
				"roles": held, "password": password,
			})
		}
	}
}

// TestASessionNeverAddsPower tries every route of the template in sessions of people with
// random rights: what is answered well in a session is answered well to the actor alone
// and to the subject alone, all else being as it was (I6).
func TestASessionNeverAddsPower(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(2026, 6))
	o := found(t, crowd(dice))
	ada, n := o.as(t, "ada"), 0
	next := func(t *testing.T, r routed) attempt {
		t.Helper()
		a := attempt{path: r.path(true)}
		if r.Method != "GET" {
			try, known := attempts[r.Key()]
			if !known {
				t.Fatalf("%s is not tried here", r.Key())
			}
			n++
			a = try(o, n)
		}
		if a.from != nil {
			a.from(t, ada)
		}
		return a
	}
	var routes []routed
	for _, r := range templated(t) {
		if slices.Contains(everybodys, r.Key()) {
			continue
		}
		routes = append(routes, r)
		if a := next(t, r).tried(t, ada, r.Method); !a.succeeded() && r.Path != "/v1/persona-audits/{id}" {
			t.Errorf("%s is no good try: even ada is answered %d %s", r.Key(), a.status, a.raw)
		}
	}
	both, refused := 0, 0
	for _, pair := range [][2]string{{"p0", "p1"}, {"p2", "p3"}, {"p4", "p6"}, {"p6", "p7"}, {"p0", "ada"}} {
		actor, subject := o.as(t, pair[0]), o.as(t, pair[1])
		acting, _ := o.begin(t, pair[0], pair[1])
		for _, r := range routes {
			a := next(t, r)
			weak := actor
			if a.tried(t, actor, r.Method).succeeded() {
				weak = subject
				if a.from != nil || r.Method != "GET" {
					a = next(t, r) // what the actor did is done
				}
				if a.tried(t, subject, r.Method).succeeded() {
					both++
					continue
				}
			}
			refused++
			if got := a.tried(t, acting, r.Method); got.succeeded() {
				t.Errorf("I6 %s as %s: %s is answered %d %s, though %s alone is refused", pair[0], pair[1], got.call, got.status, got.raw, map[bool]string{true: pair[0], false: pair[1]}[weak == actor])
			}
		}
		narrowerLists(t, acting, actor, subject)
		sameItems(t, acting, subject, pair[1])
		over(t, acting)
	}
	if both < 20 || refused < 60 {
		t.Errorf("%d tries that both may and %d that one may not say little", both, refused)
	}
	t.Logf("%d tries were refused to one side and so to the session; %d both may", refused, both)
}

// narrowerLists holds the users that a session lists to those that each side lists.
func narrowerLists(t *testing.T, acting client, sides ...client) {
	t.Helper()
	users := func(c client) []string {
		var out []string
		items, _ := c.get(t, "/v1/users?limit=500").body["items"].(list)
		for _, u := range items {
			out = append(out, text(at(u, "id")))
		}
		return out
	}
	within := users(acting)
	for _, side := range sides {
		alone := users(side)
		for _, id := range within {
			if !slices.Contains(alone, id) {
				t.Errorf("I6 %s is listed in the session and not to both", id)
			}
		}
	}
}

// sameItems holds decisions, their explanations and what a search finds in a session to
// what the subject alone is told (I6, C12).
func sameItems(t *testing.T, acting, subject client, id string) {
	t.Helper()
	for _, i := range []string{"i1", "i2", "i3", "i4", "i5"} {
		var asked list
		for _, action := range []string{"view", "edit", "assign", "delete", "escalate"} {
			q := question(id, action, item(i))
			asked = append(asked, q)
		}
		body := object{"evaluations": asked, "context": object{"explain": true}}
		in, alone := acting.post(t, "/access/v1/evaluations", body).is(t, 200), subject.post(t, "/access/v1/evaluations", body).is(t, 200)
		for n := range asked {
			// What the asker could change is theirs: all else is told alike.
			for _, member := range []any{"decision", "reason"} {
				path := []any{"evaluations", n, member}
				if member == "reason" {
					path = []any{"evaluations", n, "context", "reason"}
				}
				if diff := cmp.Diff(alone.at(path...), in.at(path...)); diff != "" {
					t.Errorf("I6 %s: %s", stringOf(asked[n]), diff)
				}
			}
			if diff := cmp.Diff(alone.at("evaluations", n, "context", "explanation", "sentences"), in.at("evaluations", n, "context", "explanation", "sentences")); diff != "" {
				t.Errorf("I6 the explanation of %s: %s", stringOf(asked[n]), diff)
			}
		}
		find := search(id, "", item(i))
		if diff := cmp.Diff(subject.post(t, "/access/v1/search/action", find).is(t, 200).body["results"], acting.post(t, "/access/v1/search/action", find).is(t, 200).body["results"]); diff != "" {
			t.Errorf("I6 the actions on %s: %s", i, diff)
		}
	}
	find := search(id, "edit", object{"type": "item"})
	if diff := cmp.Diff(subject.post(t, "/access/v1/search/resource", find).is(t, 200).body["results"], acting.post(t, "/access/v1/search/resource", find).is(t, 200).body["results"]); diff != "" {
		t.Errorf("I6 the items to edit: %s", diff)
	}
}
