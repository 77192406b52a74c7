package whole

import (
	"fmt"
	"testing"
)

// engaged is how many of a persona's people take part, by a report of now.
func engaged(t *testing.T, c client, persona, what string) int {
	t.Helper()
	for _, row := range c.get(t, "/v1/persona-report").is(t, 200).body["engagement"].(list) {
		if at(row, "persona") == persona {
			return int(at(row, what).(float64))
		}
	}
	t.Fatalf("nothing is told of %s", persona)
	return 0
}

// TestWhoTakesPart: a report tells it moments after somebody signs in and asks
// anything, or an item gets another team.
func TestWhoTakesPart(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, svc := o.as(t, "ada"), o.as(t, "svc")
	becomes := func(persona, what string, want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s %s: %d", persona, what, want), func() bool { return engaged(t, ada, persona, what) == want })
	}
	t.Run("the items that were loaded", func(t *testing.T) {
		becomes("frontline", "onTeam", 2)
		becomes("leader", "onTeam", 0) // of a draft alone
	})
	t.Run("who asks is active, and whoever is refused", func(t *testing.T) {
		becomes("champion", "active7", 1)
		for range 3 {
			o.as(t, "noel").get(t, "/v1/me").is(t, 200)
		}
		becomes("frontline", "active7", 1)
		o.as(t, "wes").get(t, "/v1/persona-report").is(t, 403)
		o.as(t, "lea").post(t, "/access/v1/evaluation", object{}).is(t, 400)
		becomes("frontline", "active30", 2)
		becomes("leader", "active7", 1)
	})
	t.Run("an item's team, unless it is a draft", func(t *testing.T) {
		item := object{"template": "idea", "locations": []string{"east-1"}, "status": "active", "team": object{"responsible": []string{"noel"}, "author": []string{"lea"}}}
		made := svc.put(t, "/v1/items/new", item).is(t, 201)
		becomes("frontline", "onTeam", 3)
		becomes("leader", "onTeam", 1)
		item["status"] = "draft"
		made = svc.put(t, "/v1/items/new", item, "If-Match", made.etag()).is(t, 200)
		becomes("frontline", "onTeam", 2)
		becomes("leader", "onTeam", 0)
		item["status"] = "complete"
		made = svc.put(t, "/v1/items/new", item, "If-Match", made.etag()).is(t, 200)
		becomes("frontline", "onTeam", 3)
		svc.delete(t, "/v1/items/new", "If-Match", made.etag()).is(t, 204)
		becomes("frontline", "onTeam", 2)
	})
	t.Run("it goes with people, and is no change of them", func(t *testing.T) {
		tag := ada.get(t, "/v1/users/noel").is(t, 200).etag()
		if tag != `"1"` {
			t.Errorf("noel has the version %s", tag)
		}
		ada.put(t, "/v1/users/noel/persona", object{"persona": "executive"}, "If-Match", tag).is(t, 200)
		if got := engaged(t, ada, "executive", "active7"); got != 1 {
			t.Errorf("P8 %d executives are active at once", got)
		}
	})
}
