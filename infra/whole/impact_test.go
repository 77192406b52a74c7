package whole

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rows are somebody's rights as the API tells them, without what gives them: by
// permission and target, the scopes with their locations.
func (o *organization) rows(t *testing.T, user string) map[string]string {
	t.Helper()
	all := map[string]string{}
	rights, _ := o.as(t, "ada").get(t, "/v1/users/"+user+"/access").is(t, 200).body["rights"].(list)
	for _, r := range rights {
		all[row(r)] = fmt.Sprint(at(r, "permission"), at(r, "workflow"), at(r, "template"))
	}
	return all
}

func row(right any) string {
	return fmt.Sprint(at(right, "permission"), " on ", at(right, "workflow"), at(right, "template"), " ", at(right, "scope"), " ", at(right, "locations"))
}

// beyond is the rows that others have neither as they are nor everywhere, sorted.
func beyond(rows, others map[string]string) string {
	wide := map[string]bool{}
	for r, what := range others {
		if strings.Contains(r, " everywhere ") {
			wide[what] = true
		}
	}
	var all []string
	for r, what := range rows {
		if _, there := others[r]; !there && !wide[what] {
			all = append(all, r)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// TestWhatIsForeseenComesTrue foresees changes to roles and assignments, makes
// them, and compares what everybody may before and after.
func TestWhatIsForeseenComesTrue(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	grants := func(permissions object) object {
		return object{"name": "Frontline", "grants": []object{{"workflows": []string{"improvement"}, "permissions": permissions}}}
	}
	put := func(role string, body object) func() {
		return func() {
			ada.put(t, "/v1/roles/"+role, body, "If-Match", ada.get(t, "/v1/roles/"+role).is(t, 200).etag()).is(t, 200)
		}
	}
	wider := grants(object{"participate": true, "view": "everywhere", "edit": "only_location"})
	first, narrower := grants(object{"participate": true, "view": "location_and_below"}), grants(object{"view": "everywhere"})
	reachless := object{"name": "Local administrator", "admin": object{"boardAdministrator": "only_location"}}
	for _, c := range []struct {
		name    string
		foresee func() reply
		do      func()
	}{
		{"a role that gives more", func() reply { return ada.post(t, "/v1/roles/frontline/impact?limit=500", wider) }, put("frontline", wider)},
		{"a role that gives less", func() reply { return ada.post(t, "/v1/roles/frontline/impact?limit=500", narrower) }, put("frontline", narrower)},
		{"a role that administers nobody any more", func() reply { return ada.post(t, "/v1/roles/local/impact", reachless) }, put("local", reachless)},
		{"a role as it was", func() reply { return ada.post(t, "/v1/roles/frontline/impact", first) }, put("frontline", first)},
		{"a role given", func() reply { return ada.put(t, "/v1/users/mia/roles/lead?dryRun=true", nil) }, func() { ada.put(t, "/v1/users/mia/roles/lead", nil).is(t, 200) }},
		{"a role with specific locations given", func() reply { return ada.put(t, "/v1/users/mia/roles/ward?dryRun=true", nil) }, func() { ada.put(t, "/v1/users/mia/roles/ward", nil).is(t, 200) }},
		{"a role ended", func() reply {
			return ada.put(t, "/v1/users/mia/roles/lead?dryRun=true", object{"until": "2020-01-01T00:00:00Z"})
		}, func() {
			ada.put(t, "/v1/users/mia/roles/lead", object{"until": "2020-01-01T00:00:00Z"}).is(t, 200)
		}},
		{"a role taken back", func() reply { return ada.delete(t, "/v1/users/lea/roles/lead?dryRun=true") }, func() { ada.delete(t, "/v1/users/lea/roles/lead").is(t, 200) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			everybody := []string{"ada", "lena", "sam", "hugo", "mia", "noel", "finn", "wes", "lea", "cap", "wally", "kim", "otto", "ina", "seth", "svc"}
			before := map[string]map[string]string{}
			for _, user := range everybody {
				before[user] = o.rows(t, user)
			}
			foreseen := c.foresee().is(t, 200)
			again := c.foresee().is(t, 200)
			if string(foreseen.raw) != string(again.raw) {
				t.Errorf("foreseeing changed something: %s, then %s", foreseen.raw, again.raw)
			}
			c.do()
			told := map[string][2]string{}
			for _, i := range foreseen.body["items"].(list) {
				var sides [2]string
				for n, side := range []string{"gained", "lost"} {
					var rows []string
					for _, r := range at(i, side).(list) {
						rows = append(rows, row(r))
					}
					slices.Sort(rows)
					sides[n] = strings.Join(rows, "; ")
				}
				told[text(at(i, "user"))] = sides
			}
			gaining, losing := 0, 0
			for _, user := range everybody {
				now := o.rows(t, user)
				gained, lost := beyond(now, before[user]), beyond(before[user], now)
				if diff := cmp.Diff([2]string{gained, lost}, told[user]); diff != "" {
					t.Errorf("%s (-did +foreseen) %s", user, diff)
				}
				gaining, losing = gaining+min(len(gained), 1), losing+min(len(lost), 1)
			}
			if at(foreseen.body, "users", "gaining") != float64(gaining) || at(foreseen.body, "users", "losing") != float64(losing) {
				t.Errorf("%d gained and %d lost something: %s", gaining, losing, foreseen.raw)
			}
		})
	}
}

// Only who designs roles foresees them, and in a read_only session, too: nothing
// is changed by it.
func TestWhoMayForesee(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	o.as(t, "rita").post(t, "/v1/roles/frontline/impact", object{}).is(t, 200)
	o.as(t, "lena").post(t, "/v1/roles/frontline/impact", object{}).problem(t, 403, "denied")
	o.as(t, "lena").get(t, "/v1/roles/frontline/diff/lead").is(t, 200).has(t, object{"verdict": "incomparable"})
	o.as(t, "mia").get(t, "/v1/roles/frontline/diff/lead").problem(t, 403, "denied")
	o.as(t, "mia").get(t, "/v1/users/mia/access").is(t, 200)
	o.as(t, "mia").get(t, "/v1/users/finn/access").problem(t, 404, "not_found")
	o.as(t, "lena").get(t, "/v1/users/wes/access").problem(t, 404, "not_found")
	o.as(t, "lena").get(t, "/v1/users/mia/access").is(t, 200)
}
