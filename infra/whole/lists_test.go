package whole

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// listed is the ids of a whole list, page by page.
func listed(t *testing.T, c client, path string, query url.Values) []string {
	t.Helper()
	var ids []string
	for cursor := ""; ; {
		query.Set("cursor", cursor)
		r := c.get(t, path+"?"+query.Encode()).is(t, 200)
		items, _ := r.body["items"].([]any)
		for _, item := range items {
			ids = append(ids, text(at(item, "id")))
		}
		if cursor = text(r.body["next"]); cursor == "" {
			return ids
		}
	}
}

// TestListsFollowWhatIsDone: what one call changes, the next list shows.
func TestListsFollowWhatIsDone(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, lena := o.as(t, "ada"), o.as(t, "lena")
	for _, limit := range []string{"1", "500"} {
		all := listed(t, ada, "/v1/users", url.Values{"limit": {limit}})
		if !slices.IsSorted(all) || !slices.Contains(all, "wes") || !slices.Contains(all, "ina") {
			t.Errorf("R11 everybody, for who administers everybody: %q", all)
		}
		if few := listed(t, lena, "/v1/users", url.Values{"limit": {limit}}); !slices.Contains(few, "mia") || slices.Contains(few, "wes") || slices.Contains(few, "ada") {
			t.Errorf("R11 T4 those within reach, for a local administrator: %q", few)
		}
	}
	leaders := func() []string { return listed(t, ada, "/v1/users", url.Values{"persona": {"leader"}}) }
	before := leaders()
	ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	if after := leaders(); slices.Contains(before, "mia") || !slices.Contains(after, "mia") || len(after) != len(before)+1 {
		t.Errorf("a persona is found at once: %q, then %q", before, after)
	}
	o.as(t, "mia").get(t, "/v1/users").problem(t, 403, "denied")
	o.as(t, "mia").get(t, "/v1/people").problem(t, 403, "denied")
}

// TestAnItemIsRecorded: a service tells of an item, and every check that follows
// knows it (C11); it forgets it, and none does.
func TestAnItemIsRecorded(t *testing.T) {
	t.Parallel()
	const path = "/v1/items/told"
	world := object{}
	o := found(t, func(w object) { world = w })
	template := text(world["templates"].([]object)[0]["id"])
	svc, mia := o.as(t, "svc"), o.as(t, "mia")
	body := object{"template": template, "status": "draft", "locations": []string{"east-1"}, "team": object{"author": []string{"mia"}}}
	made := svc.put(t, path, body).is(t, 201)
	may(t, mia, "mia", "view", item("told"), true, "team_member")
	svc.put(t, path, body).problem(t, 428, "precondition_required")
	body["team"] = object{"author": []string{"wes"}}
	next := svc.put(t, path, body, "If-Match", made.etag()).is(t, 200)
	may(t, mia, "mia", "view", item("told"), false, "unknown_resource")
	svc.put(t, path, body, "If-Match", made.etag()).problem(t, 412, "stale")
	mia.get(t, path).problem(t, 403, "denied")
	svc.delete(t, path, "If-Match", next.etag()).is(t, 204)
	svc.get(t, path).problem(t, 404, "not_found")
	told := ""
	for _, entry := range timeline(t, o.as(t, "ada"), "type=item") {
		if at(entry, "target", "id") == "told" {
			told += text(entry["action"]) + " "
		}
	}
	if told = strings.TrimSpace(told); told != "delete read_items edit create" {
		t.Errorf("T1 the timeline tells %q", told)
	}
}
