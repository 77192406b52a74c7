package whole

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/dynamo"
	"gemba/shared/impersonation"
)

// receipts are the mails to an address that tell of an end.
func receipts(t *testing.T, url, to string) []object {
	t.Helper()
	return slices.DeleteFunc(mails(t, url, to), func(mail object) bool { return !strings.Contains(text(mail["subject"]), ": What was done while ") })
}

// receipt is what is kept of a session's receipt, when something is and it is not
// under way any more.
func (o *organization) receipt(t *testing.T, session string) impersonation.Mail {
	t.Helper()
	store := dynamo.Open(running(t).Parts.DynamoDB, "", running(t).Parts.Table, time.Now)
	var found impersonation.Session
	eventually(t, "a receipt", func() bool {
		var err error
		if found, err = store.Session(t.Context(), o.id, session); err != nil {
			t.Fatal(err)
		}
		return found.Receipt.Status != impersonation.NoMail && found.Receipt.Status != impersonation.Queued && found.Receipt.Status != impersonation.Sending
	})
	return found.Receipt
}

// lasted is how a receipt tells when a session was, and why it ended.
func lasted(actor string, started, ended any, cause string) string {
	second := func(at any) string { return strings.Replace(text(at)[:len("2026-01-01T00:00:00")], "T", " ", 1) }
	return "A KaiNexus Administrator, " + actor + ", was signed in to your account from " + second(started) + " to " + second(ended) + ". " + cause + " Times are in UTC."
}

// support lets an administrator impersonate.
func (o *organization) support(t *testing.T, administrator string) {
	t.Helper()
	o.as(t, "ada").put(t, "/v1/users/"+administrator+"/roles/support", nil).is(t, 200)
}

var clock = regexp.MustCompile(`^\d\d:\d\d UTC: `)

func TestTheReceipt(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	o.support(t, "abe")
	acting, started := o.begin(t, "abe", "ada")
	acting.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	acting.put(t, "/v1/locations/east-3", object{"name": "East <3>", "parent": "east"}).is(t, 201)
	acting.put(t, "/v1/users/wes/roles/lead", object{"locations": []string{"west-1"}}).is(t, 200)
	acting.post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("abe")}).problem(t, 403, "in_session")
	o.as(t, "ada").put(t, "/v1/users/finn/persona", object{"persona": "leader"}).is(t, 200) // in person: not in the receipt
	out := acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)

	if got := o.receipt(t, acting.session); got.Status != impersonation.Sent || got.To != o.email("ada") {
		t.Fatalf("I8 the receipt is %s, to %q", got.Status, got.To)
	}
	found := receipts(t, o.url, o.email("ada"))
	if len(found) != 1 {
		t.Fatalf("I8 %d receipts of one session", len(found))
	}
	if got := found[0]["subject"]; got != "KaiNexus: What was done while a KaiNexus Administrator was signed in as you" {
		t.Errorf("subject %v", got)
	}
	told := written(found[0])
	for i := range told {
		told[i] = clock.ReplaceAllString(told[i], "hh:mm UTC: ")
	}
	want := []string{
		"Account Notification",
		lasted("The abe", started.body["startedAt"], out.body["endedAt"], "The abe signed out."),
		"This was changed in your name, by The abe:",
		`hh:mm UTC: The persona of "mia" changed from frontline to leader.`,
		`hh:mm UTC: The location "east-3" was made: name is "East <3>"; parent is east.`,
		`hh:mm UTC: The role "lead" was given to "wes", at west-1 alone.`,
		"One attempt was refused and changed nothing.",
		"All of it, before and after, is shown to you by GET /v1/impersonations/" + acting.session + ".",
		"Please contact your KaiNexus Administrator, The abe, with any questions.",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("the receipt says (-want +got): %s", diff)
	}
	o.as(t, "ada").get(t, "/v1/impersonations/"+acting.session).is(t, 200)
}

func TestNoReceipt(t *testing.T) {
	t.Parallel()
	o, off := found(t, nil), found(t, func(w object) {
		w["organization"].(object)["settings"] = object{"impersonation": object{"receipt": false}}
	})
	cases := []struct {
		in                  *organization
		actor, subject, why string
		mails               int
	}{
		{o, "vera", "finn", "internal_actor", 0},
		{o, "sam", "noel", "no_email", 0},
		{off, "sam", "mia", "switched_off", 1}, // the notice alone
		{off, "vera", "wes", "internal_actor", 0},
	}
	for _, c := range cases {
		t.Run("I8 "+c.why, func(t *testing.T) {
			acting, _ := c.in.begin(t, c.actor, c.subject)
			over(t, acting)
			if got := c.in.receipt(t, acting.session); got.Status != impersonation.NotRequired || got.Why != c.why || got.To != "" {
				t.Errorf("the receipt is %s %s to %q", got.Status, got.Why, got.To)
			}
			told := c.in.session(t, acting.session).body["receipt"]
			if diff := cmp.Diff(any(object{"status": "not_required", "why": c.why}), told); diff != "" {
				t.Errorf("I8 the session says (-want +got): %s", diff)
			}
			eventually(t, "the notice", func() bool { return len(mails(t, c.in.url, c.in.email(c.subject))) >= c.mails })
			if got := len(mails(t, c.in.url, c.in.email(c.subject))); got != c.mails {
				t.Errorf("%d mails, want %d", got, c.mails)
			}
		})
	}
}

// The address that a notice and a receipt go to is the one of the start: neither
// the subject's address nor the setting diverts or silences them while a session
// lasts.
func TestEmailChangedDuringASession(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	acting, _ := o.begin(t, "sam", "mia")
	ada := o.as(t, "ada")
	mia := ada.get(t, "/v1/users/mia").is(t, 200)
	mia.body["email"] = "elsewhere@" + o.id + ".example"
	ada.put(t, "/v1/users/mia", mia.body, "If-Match", mia.etag()).is(t, 200)
	organization := ada.get(t, "/v1/organization").is(t, 200)
	settings := organization.body["settings"].(object)
	settings["impersonation"].(object)["receipt"] = false
	settings["productName"] = "Another"
	ada.put(t, "/v1/organization", organization.body, "If-Match", organization.etag()).is(t, 200)
	over(t, acting)
	if got := o.receipt(t, acting.session); got.Status != impersonation.Sent || got.To != o.email("mia") {
		t.Errorf("I8 the receipt is %s, to %q", got.Status, got.To)
	}
	o.handed(t, acting.session, "mia")
	if got := receipts(t, o.url, o.email("mia")); len(got) != 1 || !strings.HasPrefix(text(got[0]["subject"]), "KaiNexus: ") {
		t.Errorf("I8 the receipts to the address of the start are %v", got)
	}
	if got := mails(t, o.url, "elsewhere@"+o.id+".example"); len(got) != 0 {
		t.Errorf("I8 mails were diverted: %v", got)
	}
	next, _ := o.begin(t, "sam", "mia") // and what was changed counts from the next start on
	over(t, next)
	if got := o.receipt(t, next.session); got.Why != "switched_off" {
		t.Errorf("the next receipt is %s %s", got.Status, got.Why)
	}
}

func TestTheProductInEveryMail(t *testing.T) {
	t.Parallel()
	o := found(t, func(w object) { w["organization"].(object)["settings"] = object{"productName": "Kaizen & Co"} })
	acting, _ := o.begin(t, "sam", "mia")
	over(t, acting)
	o.receipt(t, acting.session)
	o.handed(t, acting.session, "mia")
	all := mails(t, o.url, o.email("mia"))
	if len(all) != 2 {
		t.Fatalf("%d mails", len(all))
	}
	for _, mail := range all {
		said := strings.Join(append(written(mail), text(mail["subject"])), "\n")
		if strings.Contains(said, "KaiNexus") || !strings.Contains(said, "a Kaizen & Co Administrator") || !strings.Contains(said, "your Kaizen & Co Administrator") {
			t.Errorf("the product is not named as it is: %s", said)
		}
	}
}

// What would begin another header, hide a text or name a second recipient is not
// taken as a name or an address in the first place, and what is taken stays what it
// is in the mail that arrives (T5).
func TestHeadersAreNotInjected(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada := o.as(t, "ada")
	sam := ada.get(t, "/v1/users/sam").is(t, 200)
	with := func(member, value string) reply {
		body := plain(t, sam.body)
		body[member] = value
		return ada.put(t, "/v1/users/sam", body, "If-Match", sam.etag())
	}
	for _, name := range []string{"x\r\nBcc: evil@example.org", "x\nBcc: evil@example.org", "x\x00y", "x\u2028Bcc: evil@example.org", "x\u202egnp.exe", "x\u2066y", strings.Repeat("x", 101), " "} {
		with("name", name).problem(t, 400, "malformed", "/name")
	}
	for _, address := range []string{
		"sam@example.org\r\nBcc: evil@example.org", "sam@example.org,evil@example.org", "sam@example.org;evil@example.org", `"a"@x <b@y>`, `"sam"@example.org`,
		"sam@example.org (evil@example.org)", "<sam@example.org>", "sam\u2028@example.org", "sam@example.org\x00", "sam\u202e@example.org", strings.Repeat("a", 65) + "@example.org",
	} {
		with("email", address).problem(t, 400, "malformed", "/email")
	}
	const taken = `Bcc: evil@example.org, <evil@example.org>; =?utf-8?q?=0d=0aBcc:_evil?= "S" %0d%0aBcc:`
	with("name", taken).is(t, 200)
	mia := ada.get(t, "/v1/users/mia").is(t, 200)
	encoded := "=?utf-8?q?evil=40example.org=2C?=@" + o.id + ".example"
	mia.body["email"] = encoded
	ada.put(t, "/v1/users/mia", mia.body, "If-Match", mia.etag()).is(t, 200)

	acting, _ := o.begin(t, "sam", "wes")
	over(t, acting)
	o.receipt(t, acting.session)
	o.handed(t, acting.session, "wes")
	for _, mail := range mails(t, o.url, o.email("wes")) {
		if diff := cmp.Diff([]any{o.email("wes")}, mail["to"]); diff != "" || strings.Contains(text(mail["subject"]), "evil") {
			t.Errorf("T5 %v", mail)
		}
		if !strings.Contains(strings.Join(written(mail), "\n"), "a KaiNexus Administrator, "+taken+",") && !strings.Contains(strings.Join(written(mail), "\n"), "A KaiNexus Administrator, "+taken+",") {
			t.Errorf("T5 the name is not what it was: %v", written(mail))
		}
	}
	t.Run("T5 I8 an address that a reader would decode gets none, and that is said", func(t *testing.T) {
		acting, _ := o.begin(t, "sam", "mia")
		over(t, acting)
		if got := o.receipt(t, acting.session); got.Status != impersonation.Failed {
			t.Errorf("the receipt is %s", got.Status)
		}
		eventually(t, "a notice that failed", func() bool { return at(o.session(t, acting.session).body, "notice", "status") == "failed" })
		for _, mail := range mails(t, o.url, "") {
			if to := stringOf(mail["to"]); strings.Contains(to, "evil") {
				t.Errorf("T5 a mail went to %s", to)
			}
		}
	})
}
