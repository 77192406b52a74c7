package whole

import (
	stdcmp "cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What the README asks: a call of its shell function, or of curl as the nurse or
// the administrator, and the answer after it.
var (
	shownCalls = regexp.MustCompile("(?s)```sh\n([^`]*?)```\n\n```json\n(.*?)```")
	shownAsk   = regexp.MustCompile(`(?s)\nask (\S+) '(.*)'\n`)
	shownPost  = regexp.MustCompile(`(?s)127\.0\.0\.1:8080(/v1/\S+) -H "Authorization: Bearer \$ADMIN" -d '(.*)'\n`)
	shownCurl  = regexp.MustCompile(`(?s)/access/v1/(\S+) -H "Authorization: Bearer \$TOKEN".* -d '(.*)'\n`)
)

// readme is the demo world as an organization of the README's own, loaded once, in
// which the nurse alone has an address.
var readme struct {
	once sync.Once
	err  error
}

const readmeNurse = "maria@readme.example"

// asReadme signs in to it.
func asReadme(t *testing.T, username string) client {
	t.Helper()
	parts := running(t).Parts
	readme.once.Do(func() {
		var world object
		readme.err = json.Unmarshal(demo, &world)
		world["organization"].(object)["id"] = "readme"
		for _, user := range world["users"].(list) {
			user.(object)["username"] = "readme." + text(at(user, "username"))
			delete(user.(object), "email")
			if at(user, "id") == "maria.alvarez" {
				user.(object)["email"] = readmeNurse
			}
		}
		document, err := json.Marshal(world)
		readme.err = stdcmp.Or(readme.err, err, seed(context.Background(), parts, document))
	})
	if readme.err != nil {
		t.Fatal(readme.err)
	}
	return signIn(t, running(t).URL, "readme."+username, "Demo-pass-2026!")
}

// TestTheREADMEsAnswers asks what the README asks.
func TestTheREADMEsAnswers(t *testing.T) {
	t.Parallel()
	token, admin := asReadme(t, "maria.alvarez"), asReadme(t, "olivia.bennett")
	shown := 0
	for _, block := range shownCalls.FindAllStringSubmatch(string(file("README.md")), -1) {
		asker, path := admin, ""
		call := shownAsk.FindStringSubmatch("\n" + block[1])
		if call != nil {
			path = "/access/v1/" + call[1]
		} else if call = shownPost.FindStringSubmatch(block[1]); call != nil {
			path = call[1]
		} else if call = shownCurl.FindStringSubmatch(block[1]); call != nil {
			asker, path = token, "/access/v1/"+call[1]
		} else {
			t.Fatalf("what is asked here?\n%s", block[1])
		}
		var want any
		if err := json.Unmarshal([]byte(block[2]), &want); err != nil {
			t.Fatalf("%s: %v", block[2], err)
		}
		answer := any(asker.post(t, path, call[2]).is(t, 200).body)
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Errorf("%s\n%s\n%s", call[2], diff, stringOf(answer))
		}
		shown++
	}
	if shown != 3 {
		t.Errorf("%d answers are shown, want a first one, a no and an impact", shown)
	}
}

// The walk of the README's "Signing in as somebody": its calls, the mails that it
// shows and the timeline.
var (
	shownWalk    = regexp.MustCompile("(?s)## Signing in as somebody.*?```sh\n(.*?)```.*?```text\n(.*?)```.*?```json\n(.*?)```")
	shownSession = regexp.MustCompile(`\nin_session (\S+) -X ([A-Z]+)(?: -d '(.*)')?`)
	shownStart   = regexp.MustCompile(`(?s)\$SUPPORT" -d '(.*?)' \|`)
	ofTheClock   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d\d:\d\d UTC`)
)

// TestTheREADMEsWalk walks through a session as the README does: the mails say what is shown, and so does the timeline.
func TestTheREADMEsWalk(t *testing.T) {
	t.Parallel()
	support, walk := asReadme(t, "tomas.lindqvist"), shownWalk.FindStringSubmatch(string(file("README.md")))
	if walk == nil {
		t.Fatal("the README shows no walk")
	}
	start := strings.Replace(shownStart.FindStringSubmatch(walk[1])[1], `"tomas`, `"readme.tomas`, 1)
	session := text(support.post(t, "/v1/impersonations", start).is(t, 201).body["id"])
	eventually(t, "the notice", func() bool { return len(mails(t, running(t).URL, readmeNurse)) == 1 })
	for _, call := range shownSession.FindAllStringSubmatch(walk[1], -1) {
		var body any
		if call[3] != "" {
			body = call[3]
		}
		support.in(session).send(t, call[2], strings.Replace(call[1], "$SESSION", session, 1), body).is(t, 200)
	}
	eventually(t, "the receipt", func() bool { return len(mails(t, running(t).URL, readmeNurse)) == 2 })
	says := ""
	for _, mail := range mails(t, running(t).URL, readmeNurse) {
		says += text(mail["subject"]) + "\n" + strings.Join(written(mail), "\n") + "\n"
	}
	says = ofTheClock.ReplaceAllString(says, "then")
	for line := range strings.Lines(ofTheClock.ReplaceAllString(walk[2], "then")) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), " …") {
			if !strings.Contains(says, part) {
				t.Errorf("I8 no mail says %q:\n%s", part, says)
			}
		}
	}
	var want any
	if err := json.Unmarshal([]byte(walk[3]), &want); err != nil {
		t.Fatal(err)
	}
	told := any(asReadme(t, "olivia.bennett").get(t, "/v1/timeline?q="+session).is(t, 200).body)
	if diff := cmp.Diff(want, told, cmpopts.IgnoreMapEntries(itsOwn)); diff != "" {
		t.Errorf("I7 the timeline (-README +got):\n%s", diff)
	}
}

// itsOwn tells members that are others in each run: names and times of what was
// made.
func itsOwn(member string, value any) bool {
	word, isText := value.(string)
	return isText && (slices.Contains([]string{"at", "requestId", "session", "endsAt", "endedAt"}, member) || member == "id" && len(word) >= 26)
}
