package whole

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The scenario of AuthZEN's certification but for C-6, which is TestDiscovery, with its fixture in this service's
// words: a record is an item, read is view, write is edit; active is the status
// active, archived is new, which the reader's view does not show. Who is admin
// holds a role of that name, which reaches as far as the archive.
//
//	alice  reads everywhere, writes at the desk
//	bob    reads everywhere, is admin of the archive
func certified(w object) {
	at := func(id string) object { return object{"id": id, "name": "The " + id, "parent": "clinic"} }
	grants := func(permissions object) []object {
		return []object{{"workflows": []string{"improvement"}, "permissions": permissions}}
	}
	user := func(id string, locations []string, roles ...object) object {
		return object{"id": id, "name": id, "type": "general", "locations": locations, "roles": roles, "password": password}
	}
	w["locations"] = append(w["locations"].([]object), at("desk"), at("archive"))
	w["roles"] = append(w["roles"].([]object),
		object{"id": "reader", "name": "Reader", "grants": grants(object{"view": "everywhere"})},
		object{"id": "writer", "name": "Writer", "grants": grants(object{"edit": "only_location"})},
		object{"id": "archivist", "name": "Archive admin", "grants": grants(object{"view_new": "only_location", "edit": "only_location"})})
	w["users"] = append(w["users"].([]object),
		user("alice", []string{"desk"}, object{"role": "reader"}, object{"role": "writer"}),
		user("bob", []string{"desk", "archive"}, object{"role": "reader"}, object{"role": "archivist", "locations": []string{"archive"}}))
	w["items"] = append(w["items"].([]object), record("record-1", "active", "desk"), record("record-2", "new", "archive"))
}

// record is an item as it is stored, and as a resource has its facts.
func record(id, status, location string) object {
	return object{"id": id, "template": "idea", "locations": []string{location}, "status": status}
}

// inexpressible are the tests whose decision is another here, and why. Those of
// subject properties are run nevertheless: what the role gives it gives by what
// is stored.
var inexpressible = map[string]string{
	"C-2.2.6": "no decision goes by the action's properties: there is one delete (C1)",
	"C-2.2.7": "the same",
	"C-6.5":   "on one's own machine there is no TLS: that the addresses are https is proven without it (functions/permission/endpoints, TestAuthZEN)",
}

// certification is the scenario's client: the service asks for everybody.
type certification struct {
	client
}

// entities of the scenario's requests.
var (
	cAlice = object{"type": "user", "id": "alice"}
	cBob   = object{"type": "user", "id": "bob"}
	// cAdmin is bob with the role that a request cannot give him.
	cAdmin    = object{"type": "user", "id": "bob", "properties": object{"role": "admin"}}
	cRead     = object{"name": "view"}
	cWrite    = object{"name": "edit"}
	cRecord1  = item("record-1")
	cRecord2  = item("record-2")
	cActive   = given("record-1", "active", "desk")
	cArchived = given("record-2", "new", "archive")
	// cSame is the archived record where alice writes: only its status is another.
	cSame    = given("record-2", "new", "desk")
	cContext = object{"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
)

// given is a record with its facts in the question.
func given(id, status, location string) object {
	facts := record(id, status, location)
	delete(facts, "id")
	return object{"type": "item", "id": id, "properties": facts}
}

// request is a body of parts that may be nil.
func (certification) request(subject, action, resource object) object {
	body := object{}
	for name, part := range map[string]object{"subject": subject, "action": action, "resource": resource} {
		if part != nil {
			body[name] = part
		}
	}
	return body
}

// decides holds an evaluation to its decision.
func (c certification) decides(t *testing.T, body object, want bool) {
	t.Helper()
	r := c.post(t, "/access/v1/evaluation", body).is(t, http.StatusOK).has(t, object{"decision": want})
	if _, ok := r.body["context"].(object); !ok {
		t.Errorf("C-2.3.2: a context that is no object: %s", r.raw)
	}
}

// batch holds evaluations to their decisions, in order and number (C-3.3).
func (c certification) batch(t *testing.T, body object, want string) {
	t.Helper()
	r := c.post(t, "/access/v1/evaluations", body).is(t, http.StatusOK).members(t, "evaluations")
	var got []string
	for _, e := range r.body["evaluations"].(list) {
		got = append(got, fmt.Sprint(at(e, "decision")))
	}
	if strings.Join(got, " ") != want {
		t.Errorf("%q, want %s: %s", got, want, r.raw)
	}
}

// finds holds a search to what it must find at least.
func (c certification) finds(t *testing.T, what string, body object, want ...string) []string {
	t.Helper()
	found := finds(t, c.client, what, body, 100)
	for _, w := range want {
		if !slices.Contains(found, w) {
			t.Errorf("%q without %s", found, w)
		}
	}
	return found
}

// refuses holds a request to a 400.
func (c certification) refuses(t *testing.T, call string, bodies ...any) {
	t.Helper()
	for _, body := range bodies {
		c.post(t, "/access/v1/"+call, body).is(t, http.StatusBadRequest)
	}
}

func TestCertification(t *testing.T) {
	t.Parallel()
	o := found(t, certified)
	c := certification{o.as(t, "svc")}
	for id, proof := range map[string]func(*testing.T){
		"C-2.2": func(t *testing.T) { certifyDecisions(t, c) }, "C-2.4": func(t *testing.T) { certifyErrors(t, c) },
		"C-2.5": func(t *testing.T) { certifyHeaders(t, c) }, "C-3": func(t *testing.T) { certifyBatches(t, c) },
		"C-4": func(t *testing.T) { certifySearches(t, c) }, "C-4.5": func(t *testing.T) { certifyPages(t, c) },
		"C-4.6": func(t *testing.T) { certifyNothing(t, c) }, "C-4.7": func(t *testing.T) { certifySearchErrors(t, c) },
	} {
		t.Run(id, proof)
	}
	for id, why := range inexpressible {
		t.Logf("%s is not expressed: %s", id, why)
	}
}

func certifyDecisions(t *testing.T, c certification) {
	extra := given("record-1", "active", "desk")
	extra["properties"].(object)["owner"] = "bob"
	withContext := c.request(cAlice, cRead, cRecord1)
	withContext["context"] = cContext
	unknown := c.request(cAlice, cRead, cRecord1)
	unknown["foo"], unknown["futureField"] = "bar", object{"nested": true}
	for _, tt := range []struct {
		id   string
		body object
		want bool
	}{
		{"C-2.2.1 rule 1", c.request(cAlice, cRead, cRecord1), true},
		{"C-1.4 rule 2", c.request(cAlice, cWrite, cRecord1), true},
		{"C-1.4 rule 3", c.request(cBob, cRead, cRecord1), true},
		{"C-2.2.2 rule 4", c.request(cBob, cWrite, cRecord1), false},
		{"C-2.2.3 with a context", withContext, true},
		{"C-2.2.4 rule 5", c.request(cAlice, cWrite, cArchived), false},
		{"C-2.2.4 rule 5, by the status alone", c.request(cAlice, cWrite, cSame), false},
		{"C-2.2.5 rule 6", c.request(cAdmin, cWrite, cArchived), true},
		{"C-2.2.8 additional properties", c.request(object{"type": "user", "id": "alice", "properties": object{"department": "Sales", "role": "manager"}},
			object{"name": "view", "properties": object{"method": "GET"}}, extra), true},
		{"C-2.2.9 unknown fields", unknown, true},
	} {
		t.Run(tt.id, func(t *testing.T) {
			for range 3 { // C-2.6
				c.decides(t, tt.body, tt.want)
			}
		})
	}
	t.Run("a role in the subject's properties gives nothing", func(t *testing.T) {
		c.decides(t, c.request(object{"type": "user", "id": "alice", "properties": object{"role": "admin"}}, cWrite, cArchived), false)
	})
}

func certifyErrors(t *testing.T, c certification) {
	c.refuses(t, "evaluation",
		c.request(nil, cRead, cRecord1), c.request(cAlice, nil, cRecord1), c.request(cAlice, cRead, nil), // C-2.4.1
		c.request(object{"id": "alice"}, cRead, cRecord1), c.request(object{"type": "user"}, cRead, cRecord1), c.request(cAlice, object{}, cRecord1), // C-2.4.2
		c.request(cAlice, cRead, object{"id": "record-1"}), c.request(cAlice, cRead, object{"type": "item"}),
		"{", "", // C-2.4.4, C-2.4.5
		object{"subject": "alice", "action": cRead, "resource": cRecord1}, c.request(cAlice, object{"name": 123}, cRecord1)) // C-2.4.6
	c.send(t, "POST", "/access/v1/evaluation", stringOf(c.request(cAlice, cRead, cRecord1)), "Content-Type", "text/plain").problem(t, 400, "content_type") // C-2.4.3
}

func certifyHeaders(t *testing.T, c certification) {
	for call, body := range map[string]object{
		"evaluation": c.request(cAlice, cRead, cRecord1), "evaluations": c.request(cAlice, cRead, cRecord1), "search/subject": search("", "view", cRecord1),
		"search/resource": search("alice", "view", object{"type": "item"}), "search/action": search("alice", "", cRecord1),
	} {
		r := c.post(t, "/access/v1/"+call, body, "X-Request-ID", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716").is(t, http.StatusOK)
		if got := r.header.Get("X-Request-ID"); got != "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" {
			t.Errorf("C-2.5.1 %s: %q", call, got)
		}
		c.post(t, "/access/v1/"+call, body).is(t, http.StatusOK) // C-2.5.2
	}
}

func certifyBatches(t *testing.T, c certification) {
	resource := func(r object) object { return object{"resource": r} }
	over := func(body object, evaluations ...object) object {
		body["evaluations"] = append([]object{}, evaluations...)
		return body
	}
	inherited := over(c.request(cAlice, cRead, nil), resource(cRecord1), object{"resource": cRecord2, "context": object{"source": "batch-override"}})
	inherited["context"] = cContext
	failing := over(c.request(cAlice, cRead, nil), resource(cRecord1), object{})
	failing["options"] = object{"evaluations_semantic": "execute_all"}
	for _, tt := range []struct {
		id   string
		body object
		want string
	}{
		{"C-3.2.1", over(c.request(cAlice, cRead, nil), resource(cRecord1), resource(cRecord2)), "true false"},
		{"C-3.2.2", over(c.request(cBob, nil, cRecord1), object{"action": cRead}, object{"action": cWrite}), "true false"},
		{"C-3.2.3", over(c.request(cAlice, cWrite, nil), resource(cActive), resource(cSame)), "true false"},
		{"C-3.2.4", over(c.request(nil, cWrite, cArchived), object{"subject": cAlice}, object{"subject": cAdmin}), "false true"},
		{"C-3.2.5", over(object{}, c.request(cAlice, cRead, cRecord1), c.request(cBob, cWrite, cRecord1)), "true false"},
		{"C-3.2.6", inherited, "true false"},
		{"C-3.2.7", over(c.request(cAlice, cWrite, cActive), object{}, resource(cArchived)), "true false"},
		{"C-3.4.1", failing, "true false"},
	} {
		t.Run(tt.id, func(t *testing.T) { c.batch(t, tt.body, tt.want) })
	}
	t.Run("C-3.4.2 and C-3.4.3", func(t *testing.T) {
		for _, body := range []object{c.request(cAlice, cRead, cRecord1), over(c.request(cAlice, cRead, cRecord1), []object{}...)} {
			c.post(t, "/access/v1/evaluations", body).is(t, http.StatusOK).members(t, "decision", "context").has(t, object{"decision": true})
		}
	})
}

func certifySearches(t *testing.T, c certification) {
	with := func(body object) object { body["context"] = cContext; return body }
	for _, tt := range []struct {
		id, what   string
		body, same object // same has to find the same
		want       []string
	}{
		{"C-4.2.1 and C-4.2.2", "subject", search("", "view", cRecord1), with(search("", "view", cRecord1)), []string{"alice", "bob"}},
		{"C-4.2.3", "subject", search("", "view", cRecord1), search("alice", "view", cRecord1), []string{"alice", "bob"}},
		{"C-4.2.4", "subject", search("", "edit", cArchived), search("", "edit", cRecord2), []string{"bob"}},
		{"C-4.3.1 and C-4.3.2", "resource", search("alice", "view", object{"type": "item"}), with(search("alice", "view", object{"type": "item"})), []string{"record-1"}},
		{"C-4.3.3", "resource", search("alice", "view", object{"type": "item"}), search("alice", "view", cRecord1), []string{"record-1"}},
		{"C-4.3.4", "resource", c.request(cAdmin, cWrite, object{"type": "item"}), search("bob", "edit", object{"type": "item"}), []string{"record-2"}},
		{"C-4.4.1 and C-4.4.2", "action", search("alice", "", cRecord1), with(search("alice", "", cRecord1)), []string{"view", "edit"}},
		{"C-4.4.3", "action", c.request(cAdmin, nil, cArchived), search("bob", "", cRecord2), []string{"edit"}},
	} {
		t.Run(tt.id, func(t *testing.T) {
			if a, b := c.finds(t, tt.what, tt.body, tt.want...), c.finds(t, tt.what, tt.same, tt.want...); !slices.Equal(a, b) {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
}

func certifyPages(t *testing.T, c certification) {
	body := search("", "view", cRecord1)
	for page, pages := (object{"limit": 1}), 0; ; pages++ {
		body["page"] = page
		r := c.post(t, "/access/v1/search/subject", body).is(t, http.StatusOK).members(t, "page", "results")
		token, is := r.at("page", "next_token").(string)
		if n := len(r.body["results"].(list)); !is || n != 1 || r.at("page", "count") != 1.0 {
			t.Fatalf("C-4.5.1 to C-4.5.3: %s", r.raw)
		}
		if page = (object{"token": token}); token == "" {
			if pages < 1 {
				t.Errorf("there was one page: %s", r.raw)
			}
			return
		}
	}
}

func certifyNothing(t *testing.T, c certification) {
	spaceship := object{"type": "spaceship", "id": "record-1"}
	for what, bodies := range map[string][]object{
		"subject":  {search("", "view", item("nonexistent")), search("", "view", spaceship), c.request(object{"type": "spaceship"}, cRead, cRecord1)},
		"resource": {search("nonexistent-user", "view", object{"type": "item"}), search("alice", "view", object{"type": "spaceship"}), c.request(object{"type": "spaceship", "id": "alice"}, cRead, object{"type": "item"})},
		"action":   {search("nonexistent-user", "", cRecord1), search("alice", "", item("nonexistent")), search("alice", "", spaceship), c.request(object{"type": "spaceship", "id": "alice"}, nil, cRecord1)},
	} {
		for _, body := range bodies {
			c.post(t, "/access/v1/search/"+what, body).is(t, http.StatusOK).has(t, object{"results": list{}})
		}
	}
}

func certifySearchErrors(t *testing.T, c certification) {
	anybody, anything := object{"type": "user"}, object{"type": "item"}
	c.refuses(t, "search/subject", c.request(anybody, nil, cRecord1), c.request(anybody, cRead, anything))
	c.refuses(t, "search/resource", c.request(nil, cRead, anything), c.request(anybody, cRead, anything))
	c.refuses(t, "search/action", c.request(cAlice, nil, nil), c.request(anybody, nil, cRecord1))
}
