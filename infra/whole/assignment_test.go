package whole

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// asks is the answer to whether a user may do something, asked by a client.
func asks(t *testing.T, c client, user, action string, resource object) (bool, string) {
	t.Helper()
	r := c.post(t, "/access/v1/evaluation", object{
		"subject": object{"type": "user", "id": user}, "action": object{"name": action}, "resource": resource,
	}).is(t, 200)
	decision, ok := r.body["decision"].(bool)
	reason := text(r.at("context", "reason"))
	if !ok || reason == "" {
		t.Errorf("%s is no decision with a reason", r.raw)
	}
	return decision, reason
}

func item(id string) object { return object{"type": "item", "id": id} }

// may holds an answer to yes or no and its reason.
func may(t *testing.T, c client, user, action string, resource object, yes bool, reason string) {
	t.Helper()
	if decision, why := asks(t, c, user, action, resource); decision != yes || why != reason {
		t.Errorf("%s %s %v: %v, %s instead of %v, %s", user, action, resource["id"], decision, why, yes, reason)
	}
}

func TestGivingAndTakingARole(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, mia := o.as(t, "ada"), o.as(t, "mia")
	may(t, mia, "mia", "delete", item("i1"), false, "no_grant")

	t.Run("C11 the next answer knows a role that was given, and one that was taken", func(t *testing.T) {
		for range 3 {
			given := ada.put(t, "/v1/users/mia/roles/lead", nil).is(t, 200)
			may(t, mia, "mia", "delete", item("i1"), true, "role_grant")
			o.tells(t, given, object{"type": "assignment", "outcome": "done", "subject": object{"id": "ada", "name": "The ada"}, "target": object{"type": "user", "id": "mia"}})
			taken := ada.delete(t, "/v1/users/mia/roles/lead").is(t, 200)
			may(t, mia, "mia", "delete", item("i1"), false, "no_grant")
			o.tells(t, taken, object{"type": "assignment", "outcome": "done", "target": object{"type": "user", "id": "mia"}})
		}
	})
	t.Run("a role that is not held cannot be taken", func(t *testing.T) {
		ada.delete(t, "/v1/users/mia/roles/lead").problem(t, 404, "not_found")
	})
	t.Run("nobody and nothing is not found", func(t *testing.T) {
		ada.put(t, "/v1/users/nobody/roles/lead", nil).problem(t, 404, "not_found")
		ada.put(t, "/v1/users/mia/roles/nothing", nil).problem(t, 404, "not_found")
	})
	t.Run("heeds If-Match though it needs none", func(t *testing.T) {
		tag := ada.get(t, "/v1/users/finn").is(t, 200).etag()
		next := ada.put(t, "/v1/users/finn/roles/lead", nil, "If-Match", tag).is(t, 200)
		ada.delete(t, "/v1/users/finn/roles/lead", "If-Match", tag).problem(t, 412, "stale")
		ada.delete(t, "/v1/users/finn/roles/lead", "If-Match", next.etag()).is(t, 200)
	})
	t.Run("C2, C3 a team role is enough to view and edit, not to delete", func(t *testing.T) {
		may(t, mia, "mia", "view", item("i1"), true, "team_member")
		may(t, mia, "mia", "edit", item("i1"), true, "team_member")
		may(t, o.as(t, "finn"), "finn", "edit", item("i1"), false, "no_grant")
		may(t, o.as(t, "finn"), "finn", "view", item("i1"), true, "team_member")
	})
	t.Run("C3, T4 what one may not see is not told to be private or a draft", func(t *testing.T) {
		for hidden, reason := range map[string]string{"i3": "private", "i5": "draft"} {
			may(t, mia, "mia", "view", item(hidden), false, "unknown_resource")
			may(t, mia, "mia", "delete", item(hidden), false, "unknown_resource")
			may(t, o.as(t, "svc"), "mia", "view", item(hidden), false, reason)
		}
		may(t, o.as(t, "svc"), "mia", "view", item("i2"), false, "new")
	})
}

func TestLimitsAndEndsOfAssignments(t *testing.T) {
	t.Parallel()
	o := found(t, func(w object) {
		for _, user := range w["users"].([]object) {
			if user["id"] == "lea" {
				user["locations"] = []string{"east", "west-1"}
			}
		}
	})
	ada, svc := o.as(t, "ada"), o.as(t, "svc")
	may(t, svc, "lea", "delete", item("i4"), true, "role_grant")

	t.Run("R5 a limit is where the role is measured from", func(t *testing.T) {
		r := ada.put(t, "/v1/users/lea/roles/lead", object{"locations": []string{"east"}}).is(t, 200)
		if got := fmt.Sprint(r.at("roles", 0, "locations")); got != "[east]" {
			t.Errorf("limited to %s", got)
		}
		may(t, svc, "lea", "delete", item("i4"), false, "out_of_scope")
		may(t, svc, "lea", "delete", item("i1"), true, "role_grant")
		o.tells(t, r, object{"type": "assignment", "outcome": "done"})
		ada.put(t, "/v1/users/lea/roles/lead", nil).is(t, 200)
		may(t, svc, "lea", "delete", item("i4"), true, "role_grant")
	})
	t.Run("R5 an assignment is over from its end on", func(t *testing.T) {
		until := time.Now().Add(time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
		r := ada.put(t, "/v1/users/lea/roles/lead", object{"until": until}).is(t, 200)
		if r.at("roles", 0, "until") != until {
			t.Errorf("until %v", r.at("roles", 0, "until"))
		}
		may(t, svc, "lea", "delete", item("i1"), true, "role_grant")
		ada.put(t, "/v1/users/lea/roles/lead", object{"until": "2020-01-01T00:00:00Z"}).is(t, 200)
		may(t, svc, "lea", "delete", item("i1"), false, "no_grant")
		ada.put(t, "/v1/users/lea/roles/lead", nil).is(t, 200)
		may(t, svc, "lea", "delete", item("i1"), true, "role_grant")
	})
	t.Run("a dry run changes nothing", func(t *testing.T) {
		before := ada.get(t, "/v1/users/lea").is(t, 200)
		for _, r := range []reply{
			ada.put(t, "/v1/users/lea/roles/ward?dryRun=true", nil), ada.delete(t, "/v1/users/lea/roles/lead?dryRun=true"),
		} {
			if r.status >= 300 {
				r.problem(t, 400, "malformed", "/dryRun")
			}
			o.silent(t, r)
		}
		if after := ada.get(t, "/v1/users/lea").is(t, 200); string(after.raw) != string(before.raw) {
			t.Errorf("%s", after.raw)
		}
	})
	for rule, body := range map[string]object{
		"R5 a limit that is empty":                      {"locations": []string{}},
		"R5 a limit that the user is not at":            {"locations": []string{"west"}},
		"R5 a limit below one of the user's own places": {"locations": []string{"east-1"}},
	} {
		t.Run(rule, func(t *testing.T) {
			r := ada.put(t, "/v1/users/lea/roles/frontline", body)
			if r.status != 422 || len(r.pointers(t)) == 0 {
				t.Errorf("%d %s", r.status, r.raw)
			}
			o.silent(t, r)
		})
	}
	t.Run("R5 a limit of a role with specific locations", func(t *testing.T) {
		ada.put(t, "/v1/users/lea/roles/ward", object{"locations": []string{"east"}}).is(t, 422).says(t, "specific locations")
		ada.put(t, "/v1/users/mia/roles/ward", nil).is(t, 200)
		may(t, o.as(t, "mia"), "mia", "view", item("i4"), true, "role_grant")
	})
}

func TestWhoMayGiveAndTake(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	cases := []struct {
		rule, user, target, role string
		status                   int
	}{
		{"R12 a local administrator gives what is grantable", "lena", "mia", "frontline", 200},
		{"R12 within reach but not grantable", "lena", "mia", "lead", 403},
		{"R12 within reach and no such role", "lena", "mia", "nothing", 404},
		{"T4 out of reach", "lena", "wes", "frontline", 404},
		{"T4 out of reach and not grantable", "lena", "wes", "lead", 404},
		{"T4 nobody", "lena", "nobody", "frontline", 404},
		{"R12 all may be administered, nothing given", "sam", "mia", "frontline", 403},
		{"R10 a role administrator gives none", "rita", "mia", "frontline", 404},
		{"R12 a plain user to another", "mia", "finn", "lead", 404},
		{"R12 a plain user to oneself", "mia", "mia", "lead", 403},
		{"R12 to oneself under the same rules", "lena", "lena", "frontline", 200},
		{"R12 to oneself what is not grantable", "lena", "lena", "admin", 403},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			r := o.as(t, c.user).put(t, "/v1/users/"+c.target+"/roles/"+c.role, object{}).is(t, c.status)
			if c.status == 200 {
				return
			}
			o.tells(t, r, object{"type": "assignment", "outcome": "denied", "subject": object{"id": c.user, "name": "The " + c.user}, "target": object{"type": "user", "id": c.target}})
			r = o.as(t, c.user).delete(t, "/v1/users/"+c.target+"/roles/"+c.role).is(t, c.status)
			o.tells(t, r, object{"type": "assignment", "outcome": "denied"})
		})
	}
}

func TestAFullAdministratorIsAlwaysKept(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	ada.delete(t, "/v1/users/abe/roles/admin").is(t, 200)
	body := ada.get(t, "/v1/roles/admin").is(t, 200)
	lessened := func(change func(global object)) object {
		next := plain(t, body.body)
		change(next["admin"].(object)["globalUserAdministrator"].(object))
		return next
	}
	without := plain(t, body.body)
	delete(without["admin"].(object), "globalUserAdministrator")
	refused := map[string]func() reply{
		"R13 taking the role from the last": func() reply { return ada.delete(t, "/v1/users/ada/roles/admin") },
		"R13 giving the last one an end":    func() reply { return ada.put(t, "/v1/users/ada/roles/admin", object{"until": "2090-01-01T00:00:00Z"}) },
		"R13 an end that has passed":        func() reply { return ada.put(t, "/v1/users/ada/roles/admin", object{"until": "2020-01-01T00:00:00Z"}) },
		"R13 a list of grantable roles in the role": func() reply {
			return ada.put(t, "/v1/roles/admin", lessened(func(global object) { global["grantableRoles"] = []string{"frontline"} }), "If-Match", body.etag())
		},
		"R13 the role without user administration": func() reply { return ada.put(t, "/v1/roles/admin", without, "If-Match", body.etag()) },
		"R8, R13 the role with specific locations": func() reply {
			next := object{"name": "Administrator", "specificLocations": []string{"clinic"}, "admin": object{"localUserAdministrator": object{"scope": "location_and_below"}}}
			return ada.put(t, "/v1/roles/admin", next, "If-Match", body.etag())
		},
	}
	for rule, try := range refused {
		t.Run(rule, func(t *testing.T) {
			r := try().problem(t, 422, "last_full_administrator").says(t, "full administrator")
			o.silent(t, r)
			ada.get(t, "/v1/users/ada").is(t, 200)
			if now := ada.get(t, "/v1/roles/admin").is(t, 200); string(now.raw) != string(body.raw) {
				t.Errorf("the role is now %s", now.raw)
			}
		})
	}
	t.Run("R13 a limit leaves a full administrator", func(t *testing.T) {
		ada.put(t, "/v1/users/ada/roles/admin", object{"locations": []string{"clinic"}}).is(t, 200)
		ada.put(t, "/v1/users/ada/roles/admin", nil).is(t, 200)
	})
	t.Run("R13 with another one, the first may go", func(t *testing.T) {
		ada.put(t, "/v1/users/abe/roles/admin", nil).is(t, 200)
		ada.delete(t, "/v1/users/ada/roles/admin").is(t, 200)
		o.as(t, "ada").get(t, "/v1/roles").problem(t, 403, "denied")
	})
}

// TestAdministratorsRevokingEachOther lets two take each other's role at the
// same moment, each in one of the ways in which it can be lost.
func TestAdministratorsRevokingEachOther(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	clients := map[string]client{"ada": o.as(t, "ada"), "abe": o.as(t, "abe")}
	take := func(c client, from string) reply { return c.delete(t, "/v1/users/"+from+"/roles/admin") }
	end := func(c client, of string) reply {
		return c.put(t, "/v1/users/"+of+"/roles/admin", object{"until": "2090-01-01T00:00:00Z"})
	}
	ways := []struct {
		name     string
		ada, abe func() reply
	}{
		{"each from the other", func() reply { return take(clients["ada"], "abe") }, func() reply { return take(clients["abe"], "ada") }},
		{"each from themselves", func() reply { return take(clients["ada"], "ada") }, func() reply { return take(clients["abe"], "abe") }},
		{"one taken, one given an end", func() reply { return take(clients["ada"], "abe") }, func() reply { return end(clients["abe"], "ada") }},
		{"each given an end", func() reply { return end(clients["ada"], "abe") }, func() reply { return end(clients["abe"], "ada") }},
	}
	const rounds = 56
	for round := range rounds {
		way := ways[round%len(ways)]
		var first, second reply
		var both sync.WaitGroup
		both.Go(func() { first = way.ada() })
		both.Go(func() { second = way.abe() })
		both.Wait()
		if left := fullAdministrators(t, clients); len(left) == 0 {
			t.Fatalf("R13 round %d, %s: nobody is left: %d %s, %d %s", round, way.name, first.status, first.raw, second.status, second.raw)
		}
		if (first.status == 200) == (second.status == 200) {
			t.Errorf("round %d, %s: one of two changes is done: %d %s, %d %s", round, way.name, first.status, first.raw, second.status, second.raw)
		}
		for _, r := range []reply{first, second} {
			if r.status != 200 && r.status != 422 && r.status != 403 && r.status != 404 {
				t.Errorf("round %d, %s: a refusal is 422, or 403 or 404 when the right is gone: %d %s", round, way.name, r.status, r.raw)
			}
		}
		for _, who := range fullAdministrators(t, clients) {
			for _, back := range []string{"ada", "abe"} {
				clients[who].put(t, "/v1/users/"+back+"/roles/admin", nil).is(t, 200)
			}
			break
		}
	}
}

// fullAdministrators are those of the clients who say of themselves that they
// hold the role for good.
func fullAdministrators(t *testing.T, clients map[string]client) []string {
	t.Helper()
	var out []string
	for _, user := range []string{"ada", "abe"} {
		roles, _ := clients[user].get(t, "/v1/users/"+user).is(t, 200).body["roles"].(list)
		for _, held := range roles {
			if at(held, "role") == "admin" && at(held, "until") == nil {
				out = append(out, user)
			}
		}
	}
	return out
}

// TestARoleLosingItsAdministrators edits one administrator's role while the
// other's is taken: two different things that each leave one only alone.
func TestARoleLosingItsAdministrators(t *testing.T) {
	t.Parallel()
	second := object{"name": "Second", "admin": object{"globalUserAdministrator": object{"createUsers": true, "grantableRoles": "all"}, "roleAdministrator": true}}
	lessened := object{"name": "Second", "admin": object{"globalUserAdministrator": object{"grantableRoles": []string{"frontline"}}, "roleAdministrator": true}}
	o := found(t, nil)
	ada, abe := o.as(t, "ada"), o.as(t, "abe")
	ada.put(t, "/v1/roles/second", second).is(t, 201)
	ada.put(t, "/v1/users/abe/roles/second", nil).is(t, 200)
	ada.delete(t, "/v1/users/abe/roles/admin").is(t, 200)
	for round := range 12 {
		tag := ada.get(t, "/v1/roles/second").is(t, 200).etag()
		replies := together(2, func(i int) reply {
			if i == 0 {
				return ada.put(t, "/v1/roles/second", lessened, "If-Match", tag)
			}
			return abe.delete(t, "/v1/users/ada/roles/admin")
		})
		mayAll := func(c client) bool {
			r := c.put(t, "/v1/users/mia/roles/ward", nil)
			return r.status == 200
		}
		switch {
		case replies[0].status == 200 && replies[1].status != 200 && mayAll(ada) && !mayAll(abe):
			ada.put(t, "/v1/roles/second", second, "If-Match", replies[0].etag()).is(t, 200)
		case replies[1].status == 200 && replies[0].status != 200 && mayAll(abe) && !mayAll(ada):
			abe.put(t, "/v1/users/ada/roles/admin", nil).is(t, 200)
		default:
			t.Fatalf("R13 round %d: %d %s, %d %s", round, replies[0].status, replies[0].raw, replies[1].status, replies[1].raw)
		}
	}
}
