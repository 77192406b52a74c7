package whole

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// demo is the demo world, which the package's stack starts with.
var demo = file("infra/demo/world.json")

// walk is the way through the demo world, with what the timeline must tell of
// it in the end: every entry, in order, and no other.
type walk struct {
	url   string
	began time.Time
	told  []string
}

// as is somebody of the demo world, by the sign-ins of the README.
func (w *walk) as(t *testing.T, username string) client {
	t.Helper()
	return signIn(t, w.url, username, "Demo-pass-2026!")
}

// tells notes what an answer must have left in the timeline: type, action,
// outcome, subject, impersonator or "-", and target.
func (w *walk) tells(_ reply, entry string) { w.told = append(w.told, entry) }

func line(entry object) string {
	impersonator := "-"
	if entry["impersonator"] != nil {
		impersonator = text(at(entry, "impersonator", "id"))
	}
	target := text(at(entry, "target", "id"))
	if at(entry, "target", "type") == "impersonation" {
		target = "session"
	}
	return fmt.Sprint(entry["type"], " ", entry["action"], " ", entry["outcome"], " ", at(entry, "subject", "id"), " ", impersonator, " ", target)
}

// TestTheWalk goes once through all that the system is for, in the demo world.
func TestTheWalk(t *testing.T) {
	t.Parallel()
	w := &walk{url: running(t).URL, began: time.Now()}
	for _, step := range []struct {
		name string
		goes func(*testing.T)
	}{
		{"somebody signs in", w.signsIn}, {"and asks", w.asks}, {"a role is given and taken", w.roleGivenAndTaken},
		{"roles are designed", w.rolesDesigned}, {"a colleague is relabelled", w.relabelled},
		{"an administrator signs in as that colleague", w.impersonated}, {"and the timeline tells it all", w.tellsItAll},
	} {
		if !t.Run(step.name, step.goes) {
			return
		}
	}
}

func (w *walk) signsIn(t *testing.T) {
	client{url: w.url}.get(t, "/_local/ready").is(t, 200)
	maria := w.as(t, "maria.alvarez")
	named := object{"id": "maria.alvarez", "name": "María Álvarez"}
	maria.get(t, "/v1/me").is(t, 200).has(t, object{"actor": named, "subject": named, "organization": object{"id": "riverbend", "name": "Riverbend Health"}, "impersonation": nil})
	maria.get(t, "/v1/users/maria.alvarez").is(t, 200).has(t, object{"persona": "frontline", "locations": []string{"ng-ward-2a"}})
	w.tells(maria.get(t, "/v1/users/amina.hassan").problem(t, 404, "not_found"), "user read_user denied maria.alvarez - amina.hassan")
}

func (w *walk) asks(t *testing.T) {
	client{url: w.url}.get(t, "/.well-known/authzen-configuration").is(t, 200).has(t, object{"policy_decision_point": w.url})
	maria, service := w.as(t, "maria.alvarez"), w.as(t, "items.service")
	may(t, maria, "maria.alvarez", "edit", item("i-001"), true, "team_member")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), false, "no_grant")
	may(t, maria, "maria.alvarez", "view", item("i-002"), false, "unknown_resource")
	may(t, service, "maria.alvarez", "view", item("i-002"), false, "private")
	may(t, service, "keisha.brown", "view", item("i-002"), true, "team_member")
	may(t, service, "keisha.brown", "edit", item("i-002"), false, "user_type")
	may(t, service, "james.whitaker", "assign", item("i-003"), true, "role_grant")
	may(t, service, "richard.osei", "view", item("i-002"), false, "private")
	may(t, maria, "amina.hassan", "view", item("i-001"), false, "unknown_subject")
}

func (w *walk) roleGivenAndTaken(t *testing.T) {
	olivia, maria, priya := w.as(t, "olivia.bennett"), w.as(t, "maria.alvarez"), w.as(t, "priya.raman")
	const path = "/v1/users/maria.alvarez/roles/unit-lead"
	w.tells(maria.put(t, path, nil).problem(t, 403, "denied"), "assignment grant_role denied maria.alvarez - maria.alvarez")
	w.tells(priya.put(t, path, nil).problem(t, 404, "not_found"), "assignment grant_role denied priya.raman - maria.alvarez")
	w.tells(olivia.put(t, path, nil).is(t, 200), "assignment assign done olivia.bennett - maria.alvarez")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), true, "role_grant")
	olivia.put(t, path, object{"locations": []string{"it-desk"}}).is(t, 422)
	w.tells(olivia.put(t, path, object{"until": "2020-01-01T00:00:00Z"}).is(t, 200), "assignment limit done olivia.bennett - maria.alvarez")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), false, "no_grant")
	w.tells(olivia.put(t, path, object{"locations": []string{"ng-ward-2a"}}).is(t, 200), "assignment assign done olivia.bennett - maria.alvarez")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), true, "role_grant")
	w.tells(olivia.delete(t, path).is(t, 200), "assignment revoke done olivia.bennett - maria.alvarez")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), false, "no_grant")
}

func (w *walk) rolesDesigned(t *testing.T) {
	olivia, maria := w.as(t, "olivia.bennett"), w.as(t, "maria.alvarez")
	body := object{"id": "night-lead", "name": "Night lead", "persona": "leader", "grants": []object{{"workflows": []string{"improvement"}, "permissions": object{"view": "only_location"}}}}
	w.tells(maria.post(t, "/v1/roles", body).problem(t, 403, "denied"), "role role_administrator denied maria.alvarez - riverbend")
	made := olivia.post(t, "/v1/roles", body).is(t, 201)
	w.tells(made, "role create done olivia.bennett - night-lead")
	w.tells(olivia.put(t, "/v1/users/maria.alvarez/roles/night-lead", nil).is(t, 200), "assignment assign done olivia.bennett - maria.alvarez")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), false, "no_grant")
	body["grants"] = []object{{"workflows": []string{"improvement"}, "permissions": object{"view": "only_location", "assign": "only_location"}}}
	olivia.put(t, "/v1/roles/night-lead", body).problem(t, 428, "precondition_required")
	w.tells(olivia.put(t, "/v1/roles/night-lead", body, "If-Match", made.etag()).is(t, 200), "role edit done olivia.bennett - night-lead")
	olivia.put(t, "/v1/roles/night-lead", body, "If-Match", made.etag()).problem(t, 412, "stale")
	may(t, maria, "maria.alvarez", "assign", item("i-001"), true, "role_grant")
	w.tells(olivia.delete(t, "/v1/users/maria.alvarez/roles/night-lead").is(t, 200), "assignment revoke done olivia.bennett - maria.alvarez")
}

// population counts the personas of the world's own document.
func population(t *testing.T) map[string]int {
	t.Helper()
	var world struct {
		Users []struct{ Type, Persona string }
	}
	if err := json.Unmarshal(demo, &world); err != nil {
		t.Fatal(err)
	}
	out := map[string]int{"frontline": 0, "leader": 0, "executive": 0, "ci_coach": 0, "champion": 0, "none": 0}
	for _, user := range world.Users {
		if user.Type != "general" && user.Type != "capture" {
			continue
		}
		if user.Persona == "" {
			user.Persona = "none"
		}
		out[user.Persona]++
		out["base"]++
	}
	out["ci_experts"] = out["ci_coach"] + out["champion"]
	return out
}

func (w *walk) relabelled(t *testing.T) {
	olivia, priya, maria := w.as(t, "olivia.bennett"), w.as(t, "priya.raman"), w.as(t, "maria.alvarez")
	want := population(t)
	if diff := cmp.Diff(want, counted(t, olivia, "")); diff != "" {
		t.Fatalf("P8 %s", diff)
	}
	const path = "/v1/users/maria.alvarez/persona"
	w.tells(priya.put(t, path, object{"persona": "leader"}).problem(t, 404, "not_found"), "persona change_persona denied priya.raman - maria.alvarez")
	w.tells(maria.put(t, path, object{"persona": "leader"}).problem(t, 403, "denied"), "persona change_persona denied maria.alvarez - maria.alvarez")
	w.tells(olivia.put(t, path, object{"persona": "leader"}).is(t, 200), "persona change done olivia.bennett - maria.alvarez")
	want["frontline"]--
	want["leader"]++
	if diff := cmp.Diff(want, counted(t, olivia, "")); diff != "" {
		t.Errorf("P8 %s", diff)
	}
	w.tells(olivia.delete(t, path).is(t, 200), "persona clear done olivia.bennett - maria.alvarez")
	want["leader"]--
	want["none"]++
	if diff := cmp.Diff(want, counted(t, olivia, "")); diff != "" {
		t.Errorf("P8 %s", diff)
	}
	w.tells(olivia.put(t, path, object{"persona": "frontline"}).is(t, 200), "persona set done olivia.bennett - maria.alvarez")
	below, above := 0, 0
	for _, told := range verdicts(t, olivia, "") {
		var from, to, change int
		var verdict string
		if _, err := fmt.Sscanf(told, "%d-%d %s %d", &from, &to, &verdict, &change); err == nil && verdict == "below" {
			below++
		} else if verdict == "above" {
			above++
		}
	}
	if below != 1 || above != 1 {
		t.Errorf("the demo's shares have %d below and %d above their targets, one each is to be seen", below, above)
	}
}

func (w *walk) impersonated(t *testing.T) {
	tomas, maria := w.as(t, "tomas.lindqvist"), w.as(t, "maria.alvarez")
	own := object{"username": "tomas.lindqvist", "password": "Demo-pass-2026!"}
	w.tells(maria.post(t, "/v1/impersonations", object{"subject": "tomas.lindqvist"}).problem(t, 403, "denied"), "impersonation start denied maria.alvarez - tomas.lindqvist")
	wrong := tomas.post(t, "/v1/impersonations", object{"subject": "maria.alvarez", "credentials": object{"username": "tomas.lindqvist", "password": "not-his-own"}})
	w.tells(wrong.problem(t, 403, "reauthentication_failed"), "impersonation start denied tomas.lindqvist - maria.alvarez")
	started := tomas.post(t, "/v1/impersonations", object{"subject": "maria.alvarez", "reason": "Her board is empty.", "credentials": own}).is(t, 201)
	w.tells(started, "impersonation start done maria.alvarez tomas.lindqvist session")
	acting := tomas.in(text(started.body["id"]))
	me := acting.get(t, "/v1/me").is(t, 200).has(t, object{"subject": object{"id": "maria.alvarez", "name": "María Álvarez"}})
	if me.at("impersonation", "banner", "text") != started.at("banner", "text") || me.header.Get("Impersonation-Session") != acting.session {
		t.Errorf("%s", me.raw)
	}
	may(t, acting, "maria.alvarez", "edit", item("i-001"), true, "team_member")
	w.tells(acting.put(t, "/v1/users/maria.alvarez/persona", object{"persona": "leader"}).problem(t, 403, "denied"), "persona change_persona denied maria.alvarez tomas.lindqvist maria.alvarez")
	w.tells(acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200), "impersonation end done maria.alvarez tomas.lindqvist session")
	acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	eventually(t, "the mails", func() bool { return len(mails(t, w.url, "maria.alvarez@riverbend.example")) == 2 })
	got := notices(t, w.url, "maria.alvarez@riverbend.example")
	if len(got) != 1 {
		t.Fatalf("%d notices", len(got))
	}
	if diff := cmp.Diff(notice("Tomas Lindqvist"), written(got[0])); diff != "" {
		t.Errorf("I8 %s", diff)
	}
	told := written(receipts(t, w.url, "maria.alvarez@riverbend.example")[0])
	if want := []string{"Nothing was changed.", "One attempt was refused and changed nothing."}; !slices.Equal(told[2:4], want) {
		t.Errorf("the receipt says %q", told)
	}
	internal := w.as(t, "dana.whitfield").post(t, "/v1/impersonations", object{"subject": "maria.alvarez", "mode": "read_only"}).is(t, 201)
	internal.has(t, object{"mode": "read_only", "notice": object{"status": "not_required", "why": "internal_actor"}})
	w.tells(internal, "impersonation start done maria.alvarez dana.whitfield session")
	out := w.as(t, "olivia.bennett").delete(t, "/v1/impersonations/"+text(internal.body["id"])).is(t, 200).has(t, object{"cause": "revoked"})
	w.tells(out, "impersonation end done maria.alvarez dana.whitfield session")
}

func (w *walk) tellsItAll(t *testing.T) {
	olivia := w.as(t, "olivia.bennett")
	w.tells(w.as(t, "tomas.lindqvist").get(t, "/v1/timeline").problem(t, 403, "denied"), "settings system_administrator denied tomas.lindqvist - riverbend")
	var got []string
	for _, entry := range timeline(t, olivia, "from="+url.QueryEscape(w.began.UTC().Format(time.RFC3339Nano))) {
		if entry["type"] != "audit" { // the schedule may be fired meanwhile
			got = append([]string{line(entry)}, got...)
		}
	}
	if diff := cmp.Diff(w.told, got); diff != "" {
		t.Errorf("(-walked +told): %s", diff)
	}
}
