package whole

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// together sends requests at one moment and is their answers.
func together(n int, send func(i int) reply) []reply {
	replies := make([]reply, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { replies[i] = send(i) })
	}
	all.Wait()
	return replies
}

// statuses counts answers by status.
func statuses(replies []reply) map[int]int {
	out := map[int]int{}
	for _, r := range replies {
		out[r.status]++
	}
	return out
}

func TestOneActorStartsOnce(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	subjects := []string{"mia", "wes", "finn", "lea"}
	o.as(t, "sam")
	for range 3 {
		replies := together(len(subjects), func(i int) reply {
			return o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": subjects[i], "credentials": o.own("sam")})
		})
		if got := statuses(replies); got[201] != 1 || got[409] != 3 {
			t.Fatalf("I1 %v", got)
		}
		active := o.as(t, "ada").get(t, "/v1/impersonations?state=active").is(t, 200).body["items"].(list)
		if len(active) != 1 {
			t.Fatalf("I1 %d sessions last", len(active))
		}
		o.as(t, "sam").delete(t, "/v1/impersonations/"+text(at(active, 0, "id"))).is(t, 200)
	}
}

func TestARepeatedRequest(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	t.Run("T3 starts one impersonation", func(t *testing.T) {
		body := object{"subject": "mia", "credentials": o.own("sam")}
		o.as(t, "sam")
		replies := together(4, func(int) reply {
			return o.as(t, "sam").post(t, "/v1/impersonations", body, "Idempotency-Key", "start-1")
		})
		for _, r := range replies {
			r.is(t, 201).has(t, object{"id": replies[0].body["id"]})
		}
		later := o.as(t, "sam").post(t, "/v1/impersonations", body, "Idempotency-Key", "start-1").is(t, 201)
		later.has(t, object{"id": replies[0].body["id"]})
		if all := o.as(t, "ada").get(t, "/v1/impersonations").is(t, 200).body["items"].(list); len(all) != 1 {
			t.Errorf("%d sessions", len(all))
		}
	})
	t.Run("T3 makes one role", func(t *testing.T) {
		o.as(t, "rita")
		replies := together(4, func(int) reply {
			return o.as(t, "rita").post(t, "/v1/roles", object{"name": "Once"}, "Idempotency-Key", "role-1")
		})
		for _, r := range replies {
			r.is(t, 201).has(t, object{"id": replies[0].body["id"]})
		}
	})
	t.Run("T3 a key is its caller's", func(t *testing.T) {
		o.as(t, "ada").post(t, "/v1/roles", object{"name": "Ada's"}, "Idempotency-Key", "role-1").is(t, 201)
	})
	t.Run("a key has 1 to 255 characters", func(t *testing.T) {
		o.as(t, "rita").post(t, "/v1/roles", object{"name": "Long"}, "Idempotency-Key", fmt.Sprintf("%0256d", 0)).is(t, 400)
	})
}

func TestOneNameForOneRole(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	o.as(t, "rita")
	byName := together(6, func(i int) reply {
		return o.as(t, "rita").post(t, "/v1/roles", object{"id": fmt.Sprintf("r%d", i), "name": "Wanted"})
	})
	if got := statuses(byName); got[201] != 1 || got[409] != 5 {
		t.Errorf("R1 one name: %v", got)
	}
	byID := together(6, func(i int) reply {
		return o.as(t, "rita").post(t, "/v1/roles", object{"id": "wanted", "name": fmt.Sprintf("Name %d", i)})
	})
	if got := statuses(byID); got[201] != 1 || got[409] != 5 {
		t.Errorf("T4 one id: %v", got)
	}
}

// TestManyChangesAtOnce lets everybody's personas and roles be changed by two
// administrators at the same time: each change is done, and counted.
func TestManyChangesAtOnce(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	users := []string{"mia", "noel", "finn", "wes", "lea", "cap"}
	for _, admin := range []string{"ada", "abe"} {
		o.as(t, admin)
	}
	replies := together(4*len(users), func(i int) reply {
		who, user := o.as(t, []string{"ada", "abe"}[i%2]), users[i/2%len(users)]
		if i < 2*len(users) {
			return who.put(t, "/v1/users/"+user+"/persona", object{"persona": []string{"leader", "executive"}[i%2]})
		}
		return who.put(t, "/v1/users/"+user+"/roles/"+[]string{"ward", "local"}[i%2], nil)
	})
	if got := statuses(replies); got[http.StatusOK] != len(replies) {
		t.Errorf("T3 %v", got)
	}
	personas := map[string]int{}
	for _, user := range users {
		r := o.as(t, "ada").get(t, "/v1/users/"+user).is(t, 200)
		personas[text(r.body["persona"])]++
		held := map[string]bool{}
		for _, role := range r.body["roles"].(list) {
			held[text(at(role, "role"))] = true
		}
		if !held["ward"] || !held["local"] {
			t.Errorf("T3 %s holds %v", user, held)
		}
	}
	counts := counted(t, o.as(t, "ada"), "")
	if counts["frontline"] != 0 || counts["executive"] != personas["executive"] || counts["leader"] != personas["leader"]+1 {
		t.Errorf("P8 %v of %v", counts, personas)
	}
}
