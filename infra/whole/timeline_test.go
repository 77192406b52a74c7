package whole

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ids(entries []object) []string {
	out := []string{}
	for _, entry := range entries {
		out = append(out, text(entry["id"]))
	}
	return out
}

func TestReadingTheTimeline(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	ada.put(t, "/v1/users/wes/roles/lead", nil).is(t, 200)
	o.as(t, "rita").post(t, "/v1/roles", object{"id": "nightwatch", "name": "Night watch"}).is(t, 201)
	acting, _ := o.begin(t, "sam", "mia")
	acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
	o.as(t, "lena").put(t, "/v1/users/wes/persona", object{"persona": "leader"}).is(t, 404)
	all := timeline(t, ada, "")

	t.Run("T2 newest first, each once", func(t *testing.T) {
		if len(all) < 6 || len(slices.Compact(slices.Sorted(slices.Values(ids(all))))) != len(all) {
			t.Errorf("%d entries: %v", len(all), ids(all))
		}
		for i := range all[1:] {
			if instant(t, all[i]["at"]).Before(instant(t, all[i+1]["at"])) {
				t.Errorf("%v comes before %v", all[i], all[i+1])
			}
		}
	})
	t.Run("T2 complete, however small the pages", func(t *testing.T) {
		for _, limit := range []string{"1", "3"} {
			var got []object
			for next := ""; ; {
				r := ada.get(t, "/v1/timeline?limit="+limit+"&cursor="+url.QueryEscape(next)).is(t, 200).members(t, "items", "next")
				for _, entry := range r.body["items"].(list) {
					got = append(got, entry.(object))
				}
				if next = text(r.body["next"]); next == "" {
					break
				}
			}
			if diff := cmp.Diff(ids(all), ids(got)); diff != "" {
				t.Errorf("by %s: %s", limit, diff)
			}
		}
	})
	start := instant(t, all[len(all)-1]["at"])
	filters := map[string]func(object) bool{
		"type=persona":            func(e object) bool { return e["type"] == "persona" },
		"type=role":               func(e object) bool { return e["type"] == "role" },
		"person=mia":              func(e object) bool { return concerns(e, "mia") },
		"person=sam":              func(e object) bool { return concerns(e, "sam") },
		"person=wes":              func(e object) bool { return concerns(e, "wes") },
		"person=nobody":           func(object) bool { return false },
		"person=mia&type=persona": func(e object) bool { return concerns(e, "mia") && e["type"] == "persona" },
		"from=" + url.QueryEscape(start.Add(time.Nanosecond).Format(time.RFC3339Nano)): func(e object) bool { return instant(t, e["at"]).After(start) },
		"to=2020-01-01T00:00:00Z":   func(object) bool { return false },
		"from=2090-01-01T00:00:00Z": func(object) bool { return false },
	}
	for filter, keeps := range filters {
		t.Run("T2 "+filter, func(t *testing.T) {
			want := slices.DeleteFunc(slices.Clone(all), func(e object) bool { return !keeps(e) })
			if diff := cmp.Diff(ids(want), ids(timeline(t, ada, filter))); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("T2 by text", func(t *testing.T) {
		found := timeline(t, ada, "q=NIGHTWATCH")
		if len(found) != 1 || at(found[0], "target", "id") != "nightwatch" {
			t.Errorf("%v", found)
		}
		if found := timeline(t, ada, "q=nothing-of-this-sort"); len(found) != 0 {
			t.Errorf("%v", found)
		}
	})
}

func TestWhoReadsTheTimeline(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	all := timeline(t, ada, "")
	t.Run("T2 a cursor is of its query and caller", func(t *testing.T) {
		next := url.QueryEscape(text(ada.get(t, "/v1/timeline?limit=1").is(t, 200).body["next"]))
		ada.get(t, "/v1/timeline?limit=1&type=role&cursor="+next).problem(t, 400, "malformed", "/cursor")
		o.as(t, "abe").get(t, "/v1/timeline?limit=1&cursor="+next).problem(t, 400, "malformed", "/cursor")
	})
	t.Run("R10 a system administrator alone reads it, and tries are told", func(t *testing.T) {
		for _, user := range []string{"mia", "lena", "sam", "rita", "svc"} {
			r := o.as(t, user).get(t, "/v1/timeline").problem(t, 403, "denied")
			o.tells(t, r, object{"outcome": "denied", "subject": object{"id": user, "name": "The " + user}})
		}
	})
	t.Run("T2 nobody changes it", func(t *testing.T) {
		for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch} {
			for _, path := range []string{"/v1/timeline", "/v1/timeline/" + text(all[0]["id"])} {
				ada.send(t, method, path, object{}).is(t, 404)
			}
		}
	})
	t.Run("another organization has one of its own", func(t *testing.T) {
		other := found(t, nil)
		for _, entry := range timeline(t, other.as(t, "ada"), "") {
			if slices.Contains(ids(all), text(entry["id"])) {
				t.Errorf("%v", entry)
			}
		}
	})
}

// concerns tells whether an entry is about somebody: as subject, impersonator
// or target.
func concerns(entry object, user string) bool {
	return at(entry, "subject", "id") == user || at(entry, "impersonator", "id") == user ||
		at(entry, "target", "type") == "user" && at(entry, "target", "id") == user
}

// TestWhatAnEntrySays reads what changed from the record alone.
func TestWhatAnEntrySays(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	given := o.tells(t, ada.put(t, "/v1/users/mia/roles/lead", object{"locations": []string{"east-1"}, "until": "2090-01-31T23:00:00+01:00"}).is(t, 200), object{"action": "assign"})
	for member, want := range map[string]string{"role": "lead", "locations": "east-1", "until": "2090-01-31T22:00:00Z"} {
		if got := at(given, "after", member); !strings.Contains(strings.Trim(stringOf(got), "[]"), want) {
			t.Errorf("after the gift, %s is %v", member, got)
		}
	}
	taken := o.tells(t, ada.delete(t, "/v1/users/mia/roles/lead").is(t, 200), object{"action": "revoke"})
	if at(taken, "before", "role") != "lead" {
		t.Errorf("%v", taken)
	}
	role := ada.get(t, "/v1/roles/lead").is(t, 200)
	next := plain(t, role.body)
	next["advanced"], next["description"] = []string{"view_impact"}, "Sees more"
	edited := o.tells(t, ada.put(t, "/v1/roles/lead", next, "If-Match", role.etag()).is(t, 200), object{"action": "edit"})
	if !strings.Contains(stringOf(at(edited, "before")), "create_boards") || !strings.Contains(stringOf(at(edited, "after")), "view_impact") || !strings.Contains(stringOf(at(edited, "after")), "Sees more") {
		t.Errorf("%v", edited)
	}
	if strings.Contains(stringOf(at(edited, "after")), "Lead") {
		t.Errorf("what did not change is told as changed: %v", edited)
	}
}
