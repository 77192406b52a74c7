package whole

import (
	"strings"
	"testing"
)

// explained is the answer to a question with its reasoning.
func explained(t *testing.T, c client, q object) reply {
	t.Helper()
	q["context"] = object{"explain": true}
	return c.post(t, "/access/v1/evaluation", q).is(t, 200)
}

// told holds an answer and a part of its reasoning to what they should be.
func told(t *testing.T, r reply, decision bool, reason, part string, want []object) {
	t.Helper()
	got := r.at("context", "explanation", part)
	same := stringOf(got) == stringOf(plain(t, object{"part": want})["part"])
	if r.at("decision") != decision || r.at("context", "reason") != reason || !same {
		t.Errorf("%s, want %v %s with %s %s", r.raw, decision, reason, part, stringOf(want))
	}
}

func TestExplaining(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	ada, mia := o.as(t, "ada"), o.as(t, "mia")
	t.Run("on yes, every path", func(t *testing.T) {
		r := explained(t, mia, question("mia", "view", item("i1")))
		told(t, r, true, "team_member", "paths", []object{
			{"condition": "view", "teamRole": "author"},
			{"condition": "view", "role": "frontline", "grant": 0, "permission": "view", "scope": "location_and_below", "locationHeld": "east-1", "locationMet": "east-1"},
		})
	})
	t.Run("on no, what is missing, where what is held stops, and in words", func(t *testing.T) {
		r := explained(t, ada, question("mia", "edit", item("i4")))
		told(t, r, false, "out_of_scope", "missing", []object{
			{"condition": "view", "reason": "out_of_scope", "permission": "view", "held": []object{
				{"role": "frontline", "grant": 0, "permission": "view", "scope": "location_and_below", "locations": []string{"east-1"}, "stops": "out_of_scope"},
			}, "teamRoles": []string{"responsible", "assigner", "author", "collaborator", "follower"}},
			{"condition": "permission", "reason": "no_grant", "permission": "edit", "teamRoles": []string{"responsible", "assigner", "author", "collaborator"}},
		})
		sentences := stringOf(r.at("context", "explanation", "sentences"))
		for _, words := range []string{`the role \"Frontline\" (grant 1) gives view at East 1 and below`, "no role held gives edit"} {
			if !strings.Contains(sentences, words) {
				t.Errorf("%s does not say %s", sentences, words)
			}
		}
	})
	t.Run("T4 who may change nothing is suggested nothing", func(t *testing.T) {
		r := explained(t, mia, question("mia", "edit", item("i4")))
		if r.at("context", "explanation", "changes") != nil || r.at("context", "explanation", "missing") == nil {
			t.Error(r.raw)
		}
	})
	t.Run("T4 what is hidden is explained by nothing", func(t *testing.T) {
		for _, id := range []string{"i5", "nothing"} {
			r := explained(t, mia, question("mia", "view", item(id)))
			r.has(t, object{"decision": false, "context": object{"reason": "unknown_resource", "explanation": object{}}})
		}
	})
	t.Run("I6 of those changes that both sides may make", func(t *testing.T) {
		if changes := stringOf(explained(t, o.as(t, "lena"), question("mia", "delete", item("i1"))).at("context", "explanation", "changes")); strings.Contains(changes, "lead") {
			t.Errorf("R12 lena may give frontline alone: %s", changes)
		}
	})
}

// TestSuggestionsHold makes what is suggested through the API, as far as it has
// calls for it, asks again, and takes it back.
func TestSuggestionsHold(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	made := map[string]int{}
	for _, q := range []object{
		question("mia", "delete", item("i1")), question("mia", "view", item("i2")), question("wes", "view", item("i1")),
		question("finn", "edit", item("i1")), question("mia", "create_boards", object{"type": "organization", "id": o.id}),
		question("mia", "administer", object{"type": "user", "id": "noel"}), question("mia", "impersonate", object{"type": "user", "id": "noel"}),
	} {
		changes, _ := explained(t, ada, q).at("context", "explanation", "changes").(list)
		for _, change := range changes {
			steps, _ := at(change, "steps").(list)
			if !callable(steps) {
				continue
			}
			var undo []func()
			for _, step := range steps {
				made[text(at(step, "kind"))]++
				undo = append(undo, apply(t, ada, step))
			}
			if r := ada.post(t, "/access/v1/evaluation", q).is(t, 200); r.at("decision") != true {
				t.Errorf("%v\n%v: %s", q, change, r.raw)
			}
			for _, back := range undo {
				back()
			}
			if r := ada.post(t, "/access/v1/evaluation", q).is(t, 200); r.at("decision") != false {
				t.Errorf("%v\nwithout %v: %s", q, change, r.raw)
			}
		}
	}
	if made["assign_role"] < 8 || made["widen_scope"] < 4 {
		t.Errorf("hardly anything was made: %v", made)
	}
}

// callable tells whether the API has calls for all of the steps.
func callable(steps list) bool {
	for _, step := range steps {
		if kind := at(step, "kind"); kind != "assign_role" && kind != "widen_scope" {
			return false
		}
	}
	return len(steps) > 0
}

// apply makes a step, and answers with what takes it back.
func apply(t *testing.T, ada client, step any) (undo func()) {
	if at(step, "kind") == "assign_role" {
		path := "/v1/users/" + text(at(step, "user")) + "/roles/" + text(at(step, "role"))
		ada.put(t, path, object{"locations": at(step, "locations")}).is(t, 200)
		return func() { ada.delete(t, path).is(t, 200) }
	}
	path := "/v1/roles/" + text(at(step, "role"))
	write := func(change func(permissions object)) {
		was := ada.get(t, path).is(t, 200)
		grant := int(at(step, "grant").(float64))
		change(was.at("grants", grant, "permissions").(object))
		ada.put(t, path, was.body, "If-Match", was.etag()).is(t, 200)
	}
	permission := text(at(step, "permission"))
	var before any
	write(func(permissions object) { before, permissions[permission] = permissions[permission], at(step, "scope") })
	return func() {
		write(func(permissions object) {
			if permissions[permission] = before; before == nil {
				delete(permissions, permission)
			}
		})
	}
}

func TestSupposing(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, mia := o.as(t, "ada"), o.as(t, "mia")
	suppose := func(q object, h object) object {
		q["context"] = object{"hypothetical": h}
		return q
	}
	before := ada.get(t, "/v1/users/mia").is(t, 200).raw
	for name, tt := range map[string]struct {
		as       client
		q        object
		decision bool
		reason   string
	}{
		"a role":                       {ada, suppose(question("mia", "delete", item("i1")), object{"roles": []object{{"role": "lead"}}}), true, "role_grant"},
		"a role until a time that was": {ada, suppose(question("mia", "delete", item("i1")), object{"roles": []object{{"role": "lead", "until": "2020-01-01T00:00:00Z"}}}), false, "no_grant"},
		"a role until the year 1":      {ada, suppose(question("mia", "delete", item("i1")), object{"roles": []object{{"role": "lead", "until": "0001-01-01T00:00:00Z"}}}), false, "no_grant"},
		"locations":                    {ada, suppose(question("mia", "view", item("i4")), object{"locations": []string{"west"}}), true, "role_grant"},
		"T4 of an item unseen":         {mia, suppose(question("mia", "view", item("i4")), object{"locations": []string{"west"}}), false, "unknown_resource"},
		"T4 with a role unread":        {mia, suppose(question("mia", "delete", item("i1")), object{"roles": []object{{"role": "lead"}}}), false, "no_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.as.post(t, "/access/v1/evaluation", tt.q).is(t, 200).has(t, object{"decision": tt.decision, "context": object{"reason": tt.reason}})
		})
	}
	if after := ada.get(t, "/v1/users/mia").is(t, 200).raw; string(after) != string(before) {
		t.Errorf("supposing stored something: %s", after)
	}
	t.Run("a typo is no supposition", func(t *testing.T) {
		mia.post(t, "/access/v1/evaluation", suppose(question("mia", "view", item("i1")), object{"role": "lead"})).problem(t, 400, "malformed", "/context/hypothetical/role")
	})
}
