package whole

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// alerted are the subjects of the alerts that a user of the organization got.
func (o *organization) alerted(t *testing.T, user string) []string {
	t.Helper()
	out := []string{}
	for _, mail := range mails(t, o.url, o.email(user)) {
		if written(mail)[0] == "Impersonation Alert" {
			out = append(out, text(mail["subject"]))
		}
	}
	return out
}

func TestObserversAreTold(t *testing.T) {
	t.Parallel()
	o := found(t, func(w object) {
		w["organization"].(object)["settings"] = object{"impersonation": object{"observers": []string{"lea", "rita", "noel", "ina", "sam"}}}
	})
	observers := []string{"lea", "rita", "sam"}
	tells := func(what string, want ...string) {
		t.Helper()
		for _, user := range observers {
			eventually(t, what+" told to "+user, func() bool { return len(o.alerted(t, user)) >= len(want) })
			if diff := cmp.Diff(want, o.alerted(t, user)); diff != "" {
				t.Errorf("%s: %s got (-want +got):\n%s", what, user, diff)
			}
		}
	}
	nurse, _ := o.begin(t, "sam", "mia")
	over(t, nurse)
	administrator, _ := o.begin(t, "sam", "rita")
	start := "KaiNexus: The sam has signed in as an administrator"
	tells("a start on an administrator, and none on a nurse,", start)
	mail := strings.Join(written(mails(t, o.url, o.email("lea"))[0]), "\n")
	for _, said := range []string{"The sam (sam)", "The rita (rita)", "DELETE /v1/impersonations/" + administrator.session} {
		if !strings.Contains(mail, said) {
			t.Errorf("%q is not said in:\n%s", said, mail)
		}
	}
	o.as(t, "ada").delete(t, "/v1/impersonations/"+administrator.session).is(t, 200).has(t, object{"cause": "revoked"})

	wrong := object{"subject": "mia", "credentials": object{"username": o.username("vera"), "password": "Wrong-horse-1"}}
	for range 5 {
		o.as(t, "vera").post(t, "/v1/impersonations", wrong).problem(t, 403, "reauthentication_failed")
	}
	tooMany(t, o.as(t, "vera").post(t, "/v1/impersonations", wrong))
	failures := "KaiNexus: The vera failed repeatedly to prove who they are"
	tells("the fifth wrong password", start, failures)

	// A later alert has gone out: what there was to send before it, has too.
	last, _ := o.begin(t, "sam", "ada")
	tells("all of it once", start, failures, start)
	over(t, last)
	for _, user := range []string{"noel", "ina", "mia", "ada"} {
		if got := o.alerted(t, user); len(got) > 0 {
			t.Errorf("%s, who observes nothing or cannot be told, got %v", user, got)
		}
	}
	for _, entry := range timeline(t, o.as(t, "ada"), "type=impersonation") {
		want := any(nil)
		if at(entry, "target", "id") == administrator.session && entry["action"] == "start" {
			want = true
		}
		if entry["action"] == "start" && entry["outcome"] == "done" && at(entry, "subject", "id") != "ada" && at(entry, "after", "administrator") != want {
			t.Errorf("T1: %v", entry)
		}
	}
}
