package whole

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counted is a report's counts by persona, with the base.
func counted(t *testing.T, c client, query string) map[string]int {
	t.Helper()
	r := c.get(t, "/v1/persona-report"+query).is(t, 200).members(t, "location", "at", "base", "personas", "groups", "engagement", "moved")
	instant(t, r.body["at"])
	out := map[string]int{"base": int(r.body["base"].(float64))}
	for _, row := range r.body["personas"].(list) {
		count := at(row, "count").(float64)
		out[text(at(row, "persona"))] = int(count)
		if share := at(row, "share").(float64); share < 0 || share > 1 || out["base"] > 0 && abs(share-count/float64(out["base"])) > 0.0001 {
			t.Errorf("%v: share %v of %d", row, share, out["base"])
		}
	}
	out["ci_experts"] = int(at(r.body["groups"], 0, "count").(float64))
	return out
}

func abs(x float64) float64 { return max(x, -x) }

// verdicts are a report's ranges and verdicts in words, by persona and group.
func verdicts(t *testing.T, c client, query string) map[string]string {
	t.Helper()
	r := c.get(t, "/v1/persona-report"+query).is(t, 200)
	out := map[string]string{}
	for _, row := range slices.Concat(r.body["personas"].(list), r.body["groups"].(list)) {
		word := text(at(row, "persona")) + text(at(row, "group"))
		out[word] = "no target"
		if at(row, "verdict") != nil {
			out[word] = fmt.Sprint(at(row, "range", "min"), "-", at(row, "range", "max"), " ", at(row, "verdict"), " ", at(row, "change"))
		} else if at(row, "range") != nil || at(row, "change") != float64(0) {
			t.Errorf("%v: a range or a change without a verdict", row)
		}
	}
	return out
}

func TestPersonaReport(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	ada := o.as(t, "ada")
	t.Run("P4 counts general and capture users, P5 against ranges of heads", func(t *testing.T) {
		want := map[string]int{"base": 14, "frontline": 5, "leader": 2, "executive": 0, "ci_coach": 1, "champion": 2, "none": 4, "ci_experts": 3}
		if diff := cmp.Diff(want, counted(t, ada, "")); diff != "" {
			t.Error(diff)
		}
		told := map[string]string{
			"frontline": "9-13 below 4", "leader": "0-3 within 0", "executive": "0-2 within 0", "champion": "2-3 within 0",
			"ci_coach": "no target", "none": "no target", "ci_experts": "0-3 within 0",
		}
		if diff := cmp.Diff(told, verdicts(t, ada, "")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("P6 for a subtree", func(t *testing.T) {
		want := map[string]int{"base": 7, "frontline": 4, "leader": 2, "executive": 0, "ci_coach": 0, "champion": 0, "none": 1, "ci_experts": 0}
		if diff := cmp.Diff(want, counted(t, ada, "?location=east")); diff != "" {
			t.Error(diff)
		}
		told := map[string]string{
			"frontline": "4-7 within 0", "leader": "0-2 within 0", "executive": "0-1 within 0", "champion": "no target",
			"ci_coach": "no target", "none": "no target", "ci_experts": "0-1 within 0",
		}
		if diff := cmp.Diff(told, verdicts(t, ada, "?location=east")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("P6 says of which place and when it is", func(t *testing.T) {
		ada.get(t, "/v1/persona-report").is(t, 200).has(t, object{"location": nil})
		ada.get(t, "/v1/persona-report?location=east").is(t, 200).has(t, object{"location": "east"})
	})
	t.Run("P5 fewer than four people have unreachable targets", func(t *testing.T) {
		if got := verdicts(t, ada, "?location=west")["frontline"]; got[len(got)-len("unreachable 0"):] != "unreachable 0" {
			t.Errorf("frontline of one: %s", got)
		}
	})
	t.Run("R10 any administrator reads it", func(t *testing.T) {
		for user, status := range map[string]int{"lena": 200, "rita": 200, "svc": 200, "mia": 403, "lea": 403} {
			o.as(t, user).get(t, "/v1/persona-report").is(t, status)
		}
	})
	t.Run("P6 for people and for spreadsheets", func(t *testing.T) {
		for accept, want := range map[string][]string{
			"text/html": {"text/html; charset=utf-8", "<h2 id=\"shares-title\">Shares against targets</h2>"},
			"text/csv":  {"text/csv; charset=utf-8; header=present", "\r\neast,"},
			"image/png": {"application/json", `"base":14`},
		} {
			r := ada.send(t, "GET", "/v1/persona-report", nil, "Accept", accept)
			if got := r.header.Get("Content-Type"); r.status != 200 || got != want[0] || !strings.Contains(string(r.raw), want[1]) || r.header.Get("Vary") != "Accept" {
				t.Errorf("%s: %d %s, %.300s", accept, r.status, got, r.raw)
			}
		}
	})
	t.Run("a location that is not there, or cannot be one", func(t *testing.T) {
		ada.get(t, "/v1/persona-report?location=nowhere").problem(t, 404, "not_found")
		ada.get(t, "/v1/persona-report?location=a%20b").is(t, 400)
	})
}

func TestSettingAPersona(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, lena := o.as(t, "ada"), o.as(t, "lena")
	counts := counted(t, ada, "")
	moved := func(t *testing.T, from, to string) {
		t.Helper()
		counts[from]--
		counts[to]++
		counts["ci_experts"] = counts["ci_coach"] + counts["champion"]
		if diff := cmp.Diff(counts, counted(t, ada, "")); diff != "" {
			t.Errorf("P8 %s to %s: %s", from, to, diff)
		}
	}
	t.Run("P2, P8 is counted at once and told", func(t *testing.T) {
		r := lena.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200).has(t, object{"id": "mia", "persona": "leader"})
		moved(t, "frontline", "leader")
		entry := o.tells(t, r, object{"type": "persona", "outcome": "done", "subject": object{"id": "lena", "name": "The lena"}, "target": object{"type": "user", "id": "mia"}})
		if at(entry, "before", "persona") != "frontline" || at(entry, "after", "persona") != "leader" {
			t.Errorf("%v", entry)
		}
		o.as(t, "mia").get(t, "/v1/users/mia").is(t, 200).has(t, object{"persona": "leader"})
	})
	t.Run("P1 takes the older names", func(t *testing.T) {
		lena.put(t, "/v1/users/mia/persona", object{"persona": "CI Expert"}).is(t, 200).has(t, object{"persona": "ci_coach"})
		moved(t, "leader", "ci_coach")
		lena.put(t, "/v1/users/mia/persona", object{"persona": "Implementation Lead"}).is(t, 200).has(t, object{"persona": "champion"})
		moved(t, "ci_coach", "champion")
	})
	t.Run("P2 is cleared", func(t *testing.T) {
		r := ada.delete(t, "/v1/users/mia/persona").is(t, 200).has(t, object{"persona": nil})
		moved(t, "champion", "none")
		o.tells(t, r, object{"type": "persona", "outcome": "done"})
		ada.delete(t, "/v1/users/mia/persona").is(t, 200)
		ada.put(t, "/v1/users/mia/persona", object{"persona": "frontline"}).is(t, 200)
		moved(t, "none", "frontline")
	})
	t.Run("a type outside the base is set and not counted", func(t *testing.T) {
		ada.put(t, "/v1/users/otto/persona", object{"persona": "executive"}).is(t, 200).has(t, object{"persona": "executive"})
		if diff := cmp.Diff(counts, counted(t, ada, "")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("heeds If-Match though it needs none", func(t *testing.T) {
		tag := ada.get(t, "/v1/users/mia").is(t, 200).etag()
		ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}, "If-Match", tag).is(t, 200)
		ada.put(t, "/v1/users/mia/persona", object{"persona": "executive"}, "If-Match", tag).problem(t, 412, "stale")
		ada.put(t, "/v1/users/mia/persona", object{"persona": "frontline"}).is(t, 200)
	})
	t.Run("P8 many at once are each counted", func(t *testing.T) {
		var all sync.WaitGroup
		for _, user := range []string{"mia", "noel", "finn", "wes", "cap"} {
			all.Go(func() { ada.put(t, "/v1/users/"+user+"/persona", object{"persona": "executive"}) })
		}
		all.Wait()
		counts["frontline"], counts["executive"] = 0, 5
		if diff := cmp.Diff(counts, counted(t, ada, "")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhoMaySetAPersona(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	cases := []struct {
		rule, user, target string
		status             int
	}{
		{"P2 one's own, by no administrator", "mia", "mia", 403},
		{"T4 another's, by no administrator", "mia", "finn", 404},
		{"P2 by who administers roles alone", "rita", "finn", 404},
		{"R11 out of reach", "lena", "wes", 404},
		{"T4 nobody", "lena", "nobody", 404},
	}
	before := counted(t, o.as(t, "ada"), "")
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			set := o.as(t, c.user).put(t, "/v1/users/"+c.target+"/persona", object{"persona": "executive"}).is(t, c.status)
			o.tells(t, set, object{"type": "persona", "outcome": "denied", "subject": object{"id": c.user, "name": "The " + c.user}, "target": object{"type": "user", "id": c.target}})
			clear := o.as(t, c.user).delete(t, "/v1/users/"+c.target+"/persona").is(t, c.status)
			o.tells(t, clear, object{"type": "persona", "outcome": "denied"})
		})
	}
	t.Run("P2 one's own, by who administers oneself", func(t *testing.T) {
		o.as(t, "sam").put(t, "/v1/users/sam/persona", object{"persona": "ci_coach"}).is(t, 200)
	})
	if after := counted(t, o.as(t, "ada"), ""); !maps.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestTheScheduledAudit(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	fire := func() {
		t.Helper()
		client{url: o.url}.post(t, "/_local/schedule/persona-audit", nil).is(t, 200)
	}
	days := map[string]bool{day(): true}
	var both sync.WaitGroup
	both.Go(fire)
	both.Go(fire)
	both.Wait()
	o.as(t, "ada").put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	fire()
	days[day()] = true

	audits := timeline(t, o.as(t, "ada"), "type=audit")
	if len(audits) == 0 || len(audits) > len(days) {
		t.Fatalf("P6 once a slot: %d audits in %d days: %v", len(audits), len(days), audits)
	}
	first := audits[len(audits)-1]
	if first["outcome"] != "done" || at(first, "target", "type") != "audit" {
		t.Errorf("%v", first)
	}
	for _, name := range []string{"directory", "nothing"} {
		client{url: o.url}.post(t, "/_local/schedule/"+name, nil).is(t, 404)
	}
}

// What a firing of the schedule makes can be read when it answers, in however many
// invocations it is made, and audits on demand stand beside it.
func TestAuditsAreReadRightAfterTheyAreMade(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	client{url: o.url}.post(t, "/_local/schedule/persona-audit", nil).is(t, 200)
	today := day()
	scheduled := ada.get(t, "/v1/persona-audits").is(t, 200)
	slot := at(scheduled.body, "items", 0, "slot")
	if slot != today && slot != day() {
		t.Fatalf("P6 the latest audit is of %v: %v", slot, scheduled.body)
	}
	ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	made := ada.post(t, "/v1/persona-audits", object{}).is(t, 201)
	if read := ada.get(t, made.header.Get("Location")).is(t, 200); !cmp.Equal(read.body, made.body) {
		t.Errorf("P6 %s", cmp.Diff(made.body, read.body))
	}
	if since := at(made.body, "moved", "since"); since != slot {
		t.Errorf("P6 moved since %v, not %v", since, slot)
	}
	if since := at(ada.get(t, "/v1/persona-report").is(t, 200).body, "moved", "since"); since != made.body["id"] {
		t.Errorf("P6 the report moved since %v, not %v", since, made.body["id"])
	}
	o.tells(t, made, object{"type": "audit", "outcome": "done", "subject": object{"id": "ada", "name": "The ada"}, "target": object{"type": "audit", "id": made.body["id"]}})
	for _, location := range []string{"", "?location=east-1"} {
		if n := len(ada.get(t, "/v1/persona-audits"+location).is(t, 200).body["items"].(list)); n != 2 {
			t.Errorf("P6 %d audits %s", n, location)
		}
	}
	o.as(t, "lena").post(t, "/v1/persona-audits", object{}).is(t, 403)
	o.as(t, "mia").get(t, "/v1/persona-audits").is(t, 403)
}

// day is a slot of the schedule (P6).
func day() string { return time.Now().UTC().Format(time.DateOnly) }
