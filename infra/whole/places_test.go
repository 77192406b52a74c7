package whole

import (
	"slices"
	"testing"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, lena := o.as(t, "ada"), o.as(t, "lena")
	t.Run("R10 any admin reads, a quality administrator writes, and tries are told", func(t *testing.T) {
		lena.get(t, "/v1/locations/east-1").is(t, 200).has(t, object{"id": "east-1", "name": "East 1", "parent": "east"})
		lena.get(t, "/v1/locations/clinic").is(t, 200).has(t, object{"parent": nil})
		for kind, body := range map[string]object{
			"location": {"name": "East 3", "parent": "east"}, "workflow": {"name": "Kata"}, "template": {"name": "Card", "workflow": "safety", "teamType": "simple"},
		} {
			r := lena.put(t, "/v1/"+kind+"s/new", body).problem(t, 403, "denied")
			o.tells(t, r, object{"type": kind, "outcome": "denied", "action": "quality_administrator", "subject": object{"id": "lena", "name": "The lena"}, "target": object{"type": kind, "id": "new"}})
			lena.delete(t, "/v1/"+kind+"s/new", "If-Match", "*").problem(t, 403, "denied")
			o.as(t, "mia").get(t, "/v1/"+kind+"s").problem(t, 403, "denied")
			ada.get(t, "/v1/"+kind+"s/new").problem(t, 404, "not_found")
		}
	})
	t.Run("U3 made, moved and deleted", func(t *testing.T) {
		made := ada.put(t, "/v1/locations/east-3", object{"name": "East 3", "parent": "east"}, "If-None-Match", "*").is(t, 201)
		made.has(t, object{"id": "east-3", "name": "East 3", "parent": "east", "version": 1})
		o.tells(t, made, object{"type": "location", "action": "create", "outcome": "done", "after": object{"name": "East 3", "parent": "east"}})
		body := made.body
		body["parent"] = "west"
		moved := ada.put(t, "/v1/locations/east-3", body, "If-Match", made.etag()).is(t, 200).has(t, object{"parent": "west", "version": 2})
		o.tells(t, moved, object{"type": "location", "action": "edit", "target": object{"type": "location", "id": "east-3"}, "before": object{"parent": "east"}, "after": object{"parent": "west"}})
		ada.delete(t, "/v1/locations/east-3").problem(t, 428, "precondition_required")
		ada.delete(t, "/v1/locations/east-3", "If-Match", made.etag()).problem(t, 412, "stale")
		gone := ada.delete(t, "/v1/locations/east-3", "If-Match", moved.etag()).is(t, 204)
		if len(gone.raw) > 0 {
			t.Errorf("a deletion answers %s", gone.raw)
		}
		o.tells(t, gone, object{"type": "location", "action": "delete", "before": object{"name": "East 3", "parent": "west"}, "after": nil})
		ada.get(t, "/v1/locations/east-3").problem(t, 404, "not_found")
	})
	t.Run("U3 no circle, and nothing half done", func(t *testing.T) {
		tag := ada.get(t, "/v1/locations/east").is(t, 200).etag()
		for _, parent := range []string{"east", "east-1", "nowhere"} {
			r := ada.put(t, "/v1/locations/east", object{"name": "East", "parent": parent}, "If-Match", tag).problem(t, 422, "invalid_location", "/parent")
			o.silent(t, r)
		}
		ada.get(t, "/v1/locations/east").is(t, 200).has(t, object{"parent": "clinic", "version": 1})
	})
	t.Run("U3 what is used stays, and it is told by what", func(t *testing.T) {
		r := ada.delete(t, "/v1/locations/west-1", "If-Match", "*").problem(t, 409, "in_use")
		r.has(t, object{"uses": []object{
			{"kind": "role", "count": 1, "more": false, "ids": []string{"ward"}}, {"kind": "user", "count": 1, "more": false, "ids": []string{"wes"}},
			{"kind": "item", "count": 2, "more": false, "ids": []string{"i3", "i4"}},
		}})
		o.silent(t, r)
		ada.delete(t, "/v1/workflows/improvement", "If-Match", "*").problem(t, 409, "in_use").says(t, "2 templates (idea, opportunity)")
		ada.delete(t, "/v1/templates/opportunity", "If-Match", "*").problem(t, 409, "in_use").says(t, "1 item (i3)")
		ada.delete(t, "/v1/templates/a3", "If-Match", "*").is(t, 204)
		ada.delete(t, "/v1/workflows/safety", "If-Match", "*").is(t, 204)
	})
	t.Run("C11 a move counts in the next check", func(t *testing.T) {
		asked := func() bool {
			return at(o.as(t, "lea").post(t, "/access/v1/evaluation", question("lea", "view", item("i4"))).is(t, 200).body, "decision") == true
		}
		if asked() {
			t.Fatal("lea sees what is in west-1")
		}
		for _, parent := range []string{"east", "west"} {
			tag := ada.get(t, "/v1/locations/west-1").is(t, 200).etag()
			ada.put(t, "/v1/locations/west-1", object{"name": "West 1", "parent": parent}, "If-Match", tag).is(t, 200)
			if asked() != (parent == "east") {
				t.Errorf("with west-1 in %s, lea sees what is in it: %v", parent, !asked())
			}
		}
	})
}

// TestMovesThatWouldMeetInACircle are made at once: one of the two is refused.
func TestMovesThatWouldMeetInACircle(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	for round := range 6 {
		tags := []string{ada.get(t, "/v1/locations/east").is(t, 200).etag(), ada.get(t, "/v1/locations/west").is(t, 200).etag()}
		ids := []string{"east", "west"}
		replies := together(2, func(i int) reply {
			return ada.put(t, "/v1/locations/"+ids[i], object{"name": ids[i], "parent": ids[1-i]}, "If-Match", tags[i])
		})
		if got := statuses(replies); got[200] != 1 || got[422] != 1 {
			t.Fatalf("U3 round %d: %v", round, got)
		}
		moved := slices.IndexFunc(replies, func(r reply) bool { return r.status == 200 })
		ada.put(t, "/v1/locations/"+ids[moved], object{"name": ids[moved], "parent": "clinic"}, "If-Match", replies[moved].etag()).is(t, 200)
	}
}

func TestTheOrganization(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	put := func(change func(settings object)) reply {
		got := ada.get(t, "/v1/organization").is(t, 200)
		change(got.body["settings"].(object))
		return ada.put(t, "/v1/organization", got.body, "If-Match", got.etag())
	}
	t.Run("R10 any admin reads it, a system administrator writes it", func(t *testing.T) {
		got := o.as(t, "lena").get(t, "/v1/organization").is(t, 200).members(t, "id", "name", "settings", "version")
		r := o.as(t, "lena").put(t, "/v1/organization", got.body, "If-Match", got.etag()).problem(t, 403, "denied")
		o.tells(t, r, object{"type": "settings", "outcome": "denied", "target": object{"type": "organization", "id": o.id}})
		o.as(t, "mia").get(t, "/v1/organization").problem(t, 403, "denied")
	})
	t.Run("R11 a reach counts in the next request", func(t *testing.T) {
		ada.get(t, "/v1/users/ada").is(t, 200)
		for _, reach := range []string{"any", "all"} {
			r := put(func(s object) { s["localReach"] = reach }).is(t, 200)
			o.tells(t, r, object{"type": "settings", "action": "edit", "after": object{"localReach": reach}})
		}
	})
	t.Run("I5 a session ends in the first request after impersonation is switched off", func(t *testing.T) {
		acting, _ := o.begin(t, "sam", "mia")
		acting.get(t, "/v1/me").is(t, 200)
		put(func(s object) { s["impersonation"].(object)["enabled"] = false }).is(t, 200)
		acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		o.session(t, acting.session).has(t, object{"cause": "disabled"})
		put(func(s object) { s["impersonation"].(object)["enabled"] = true }).is(t, 200)
	})
	t.Run("observers are users, targets are ranges", func(t *testing.T) {
		put(func(s object) { s["impersonation"].(object)["observers"] = []string{"mia", "nobody"} }).problem(t, 422, "invalid_organization", "/settings/impersonation/observers/1")
		put(func(s object) { s["personaTargets"].(object)["leader"] = object{"min": 9, "max": 8} }).problem(t, 400, "malformed", "/settings/personaTargets/leader/min")
		put(func(s object) { s["impersonation"].(object)["observers"] = []string{"mia"} }).is(t, 200)
	})
	t.Run("P4 targets count in the next report", func(t *testing.T) {
		put(func(s object) { s["personaTargets"].(object)["leader"] = object{"min": 0, "max": 0} }).is(t, 200)
		leaders := ada.get(t, "/v1/persona-report").is(t, 200).at("personas", 1)
		if at(leaders, "persona") != "leader" || at(leaders, "range", "max") != 0.0 {
			t.Errorf("P4 leaders %v", leaders)
		}
	})
	t.Run("I6 read_only looks and does not change", func(t *testing.T) {
		acting, _ := o.begin(t, "sam", "ada", object{"mode": "read_only"})
		got := acting.get(t, "/v1/locations/west-1").is(t, 200)
		r := acting.put(t, "/v1/locations/west-1", got.body, "If-Match", got.etag()).problem(t, 403, "read_only")
		o.tells(t, r, object{"type": "location", "outcome": "denied", "target": object{"type": "location", "id": "west-1"}, "impersonator": object{"id": "sam", "name": "The sam"}})
	})
}
