package whole

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// history is somebody's history in lines, the newest first.
func history(t *testing.T, c client, user string) []string {
	t.Helper()
	var out []string
	for next := ""; ; {
		r := c.get(t, "/v1/users/"+user+"/persona-history?limit=2&cursor="+next).is(t, 200).members(t, "items", "next")
		for _, item := range r.body["items"].(list) {
			instant(t, at(item, "at"))
			line := fmt.Sprint(at(item, "from"), " > ", at(item, "to"), ", ", at(item, "by", "name"))
			if actor := at(item, "impersonator", "name"); actor != nil {
				line += fmt.Sprint(" by ", actor)
			}
			out = append(out, line)
		}
		if next = text(r.body["next"]); next == "" {
			return out
		}
	}
}

// TestP3Personas is the catalogue, to everybody who is signed in.
func TestP3Personas(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	for _, user := range []string{"ada", "mia", "cap", "wally"} {
		r := o.as(t, user).get(t, "/v1/personas").is(t, 200).members(t, "personas", "groups")
		for i, word := range []string{"frontline", "leader", "executive", "ci_coach", "champion"} {
			if r.at("personas", i, "persona") != word {
				t.Errorf("P1 the persona at %d is %v", i, r.at("personas", i, "persona"))
			}
		}
		if r.at("personas", 4, "name") != "KaiNexus Champion" || r.at("personas", 1, "target", "max") != float64(2000) || r.at("groups", 0, "target", "under") != float64(100) {
			t.Errorf("P3, P4 %s", r.raw)
		}
	}
	client{url: o.url}.get(t, "/v1/personas").is(t, 401)
}

// TestP2ManyPersonasAtOnce is changes in bulk with their counts and histories,
// beside changes that an import makes, and one in a session.
func TestP2ManyPersonasAtOnce(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, lena, mia := o.as(t, "ada"), o.as(t, "lena"), o.as(t, "mia")
	counts := counted(t, ada, "")
	rows := object{"changes": list{
		object{"user": "mia", "persona": " ci  coach "}, object{"user": "wes", "persona": "leader"}, object{"user": "nobody", "persona": nil},
		object{"user": "finn", "persona": nil}, object{"user": "lea", "persona": "LEADER"}, object{"user": "mia", "persona": "Executive"},
	}}
	first := lena.post(t, "/v1/persona-changes", rows, "Idempotency-Key", "spring").is(t, 200)
	var told []string
	for _, r := range first.body["results"].(list) {
		told = append(told, text(at(r, "user"))+" "+text(at(r, "result"))+text(at(r, "problem", "type")))
	}
	want := []string{"mia changed", "wes urn:problem:not_found", "nobody urn:problem:not_found", "finn changed", "lea unchanged", "mia changed"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("P2, T4 (-want +got):\n%s", diff)
	}
	counts["frontline"] -= 2
	counts["executive"]++
	counts["none"]++
	if diff := cmp.Diff(counts, counted(t, ada, "")); diff != "" {
		t.Errorf("P8 %s", diff)
	}
	if again := lena.post(t, "/v1/persona-changes", rows, "Idempotency-Key", "spring").is(t, 200); string(again.raw) != string(first.raw) {
		t.Errorf("T3 %s, then %s", first.raw, again.raw)
	}
	mia.post(t, "/v1/persona-changes", object{"changes": list{object{"user": "mia", "persona": "leader"}}}).problem(t, 403, "denied")
	ada.post(t, "/v1/persona-changes", object{"changes": list{object{"user": "mia", "persona": "boss"}, object{"user": "x"}}}).
		problem(t, 400, "malformed", "/changes/0/persona", "/changes/1/persona")

	ada.post(t, "/v1/import", object{"users": list{
		object{"id": "mia", "name": "The mia", "username": o.username("mia"), "type": "general", "locations": list{"east-1"}, "persona": "CI-Coach"},
		object{"id": "nia", "name": "Nia New", "username": o.username("nia"), "type": "general", "locations": list{"east-1"}, "persona": "Front line"},
	}}).is(t, 200)
	acting, _ := o.begin(t, "sam", "lena")
	acting.post(t, "/v1/persona-changes", object{"changes": list{object{"user": "mia", "persona": "champion"}, object{"user": "wes", "persona": nil}}}).is(t, 200)
	wanted := []string{
		"ci_coach > champion, The lena by The sam", "executive > ci_coach, The ada", "ci_coach > executive, The lena", "frontline > ci_coach, The lena",
		"<nil> > frontline, operator",
	}
	for _, c := range []client{ada, lena, acting} {
		if diff := cmp.Diff(wanted, history(t, c, "mia")); diff != "" {
			t.Errorf("P2, I7 (-want +got):\n%s", diff)
		}
	}
	wanted[0] = "ci_coach > champion, The lena" // whoever acted as her is none of theirs
	if diff := cmp.Diff(wanted, history(t, mia, "mia")); diff != "" {
		t.Errorf("T4 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"<nil> > frontline, The ada"}, history(t, ada, "nia")); diff != "" {
		t.Errorf("T1 of who was imported (-want +got):\n%s", diff)
	}
	mia.get(t, "/v1/users/finn/persona-history").problem(t, 404, "not_found")
	acting.get(t, "/v1/users/wes/persona-history").problem(t, 404, "not_found")
}
