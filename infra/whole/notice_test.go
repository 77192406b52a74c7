package whole

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mails are those that the local SES was handed for an address, oldest first.
func mails(t *testing.T, url, to string) []object {
	t.Helper()
	r := client{url: url}.get(t, "/_local/mail").is(t, 200)
	var out []object
	for _, mail := range r.list(t) {
		if to == "" || slices.Contains(mail.(object)["to"].(list), any(to)) {
			out = append(out, mail.(object))
		}
	}
	return out
}

// notices are the mails to an address that tell of a start.
func notices(t *testing.T, url, to string) []object {
	t.Helper()
	return slices.DeleteFunc(mails(t, url, to), func(mail object) bool { return !strings.HasSuffix(text(mail["subject"]), " has signed in as you") })
}

var (
	head = regexp.MustCompile(`(?s)<head>.*?</head>`)
	tag  = regexp.MustCompile(`<[^>]*>`)
)

// written is what a reader sees of a mail in HTML, a line for each paragraph.
func written(mail object) []string {
	body := tag.ReplaceAllString(head.ReplaceAllString(text(mail["html"]), ""), "\n")
	var lines []string
	for line := range strings.SplitSeq(html.UnescapeString(body), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// notice are the words of I8, with the impersonator's name.
func notice(impersonator string) []string {
	return []string{
		"Account Notification",
		"We wanted to notify you that a KaiNexus Administrator, " + impersonator + ", has temporarily signed in to your account in order to troubleshoot issues, configure settings on your behalf, etc. Don't worry, you will still have full access to your account during this time. Your Administrator will simply sign out of your account when everything is complete.",
		"Please contact your KaiNexus Administrator, " + impersonator + ", with any questions.",
	}
}

// handed is the last notice to a user, when the session's is out.
func (o *organization) handed(t *testing.T, session, user string) object {
	t.Helper()
	eventually(t, "the notice to "+user, func() bool {
		return at(o.session(t, session).body, "notice", "status") == "sent"
	})
	found := notices(t, o.url, o.email(user))
	if len(found) == 0 {
		t.Fatalf("%s got no mail", user)
	}
	return found[len(found)-1]
}

// over signs out.
func over(t *testing.T, acting client) {
	t.Helper()
	acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
}

func TestTheNotice(t *testing.T) {
	t.Parallel()
	const actor = `Sam "S" <b>O'Neil</b> & Sons`
	o := found(t, func(w object) {
		for _, user := range w["users"].([]object) {
			if user["id"] == "sam" {
				user["name"] = actor
			}
		}
	})
	t.Run("I8 in its words, names being text", func(t *testing.T) {
		acting, started := o.begin(t, "sam", "mia")
		started.has(t, object{"notice": object{"status": "queued"}})
		mail := o.handed(t, acting.session, "mia")
		if mail["subject"] != "KaiNexus: A KaiNexus Administrator has signed in as you" {
			t.Errorf("subject %v", mail["subject"])
		}
		if diff := cmp.Diff([]any{o.email("mia")}, mail["to"]); diff != "" {
			t.Error(diff)
		}
		if from := text(mail["from"]); !strings.Contains(from, "@") {
			t.Errorf("from %q", from)
		}
		if diff := cmp.Diff(notice(actor), written(mail)); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(text(mail["html"]), "<b>") {
			t.Errorf("T5 a name became markup: %v", mail["html"])
		}
		over(t, acting)
	})
	t.Run("I8 one a session", func(t *testing.T) {
		acting, _ := o.begin(t, "sam", "mia")
		o.handed(t, acting.session, "mia")
		over(t, acting)
		next, _ := o.begin(t, "sam", "wes")
		o.handed(t, next.session, "wes")
		over(t, next)
		for user, sessions := range map[string]int{"mia": 2, "wes": 1} {
			if got := len(notices(t, o.url, o.email(user))); got != sessions {
				t.Errorf("%d mails to %s for %d sessions", got, user, sessions)
			}
		}
	})
}

func TestNoNotice(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	before := len(mails(t, o.url, ""))
	internal, started := o.begin(t, "vera", "finn")
	started.has(t, object{"notice": object{"status": "not_required", "why": "internal_actor"}})
	over(t, internal)
	addressless, started := o.begin(t, "sam", "noel")
	started.has(t, object{"notice": object{"status": "not_required", "why": "no_email"}})
	over(t, addressless)
	// A later notice has gone out: what there was to send before it, has too.
	last, _ := o.begin(t, "sam", "lea")
	o.handed(t, last.session, "lea")
	over(t, last)
	if got := mails(t, o.url, o.email("finn")); len(got) > 0 {
		t.Errorf("finn got %v", got)
	}
	for _, mail := range mails(t, o.url, "")[before:] {
		if len(mail["to"].(list)) == 0 || text(at(mail["to"], 0)) == "" {
			t.Errorf("a mail to nobody: %v", mail)
		}
	}
	for id, why := range map[string]string{internal.session: "internal_actor", addressless.session: "no_email"} {
		o.session(t, id).has(t, object{"notice": object{"status": "not_required", "why": why}})
	}
}

func TestTheNoticeOfAProduct(t *testing.T) {
	t.Parallel()
	other := found(t, func(w object) { w["organization"].(object)["settings"] = object{"productName": "Kaizen & Co"} })
	acting, _ := other.begin(t, "sam", "mia")
	eventually(t, "the notice", func() bool { return len(notices(t, other.url, other.email("mia"))) == 1 })
	mail := notices(t, other.url, other.email("mia"))[0]
	if mail["subject"] != "Kaizen & Co: A Kaizen & Co Administrator has signed in as you" || !strings.Contains(strings.Join(written(mail), "\n"), "a Kaizen & Co Administrator, The sam, has") {
		t.Errorf("%v", mail)
	}
	over(t, acting)
}
