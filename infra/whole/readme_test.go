package whole

import (
	"encoding/json"
	"regexp"
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

// TestTheREADMEsAnswers asks what the README asks, in a demo world of its own.
func TestTheREADMEsAnswers(t *testing.T) {
	t.Parallel()
	var world object
	if err := json.Unmarshal(demo, &world); err != nil {
		t.Fatal(err)
	}
	const id = "readme"
	world["organization"].(object)["id"] = id
	for _, user := range world["users"].(list) {
		user.(object)["username"] = id + "." + text(at(user, "username"))
		delete(user.(object), "email")
	}
	document, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed(t.Context(), running(t).Parts, document); err != nil {
		t.Fatal(err)
	}
	as := func(username string) client { return signIn(t, running(t).URL, id+"."+username, "Demo-pass-2026!") }
	token, admin := as("maria.alvarez"), as("olivia.bennett")
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
		status := 200
		if audits := "/v1/persona-audits"; path == audits {
			status = 201
			untilEngaged(t, admin, call[2], want)
		}
		answer := any(asker.post(t, path, call[2]).is(t, status).body)
		if diff := cmp.Diff(want, answer, cmpopts.IgnoreMapEntries(itsOwn)); diff != "" {
			t.Errorf("%s\n%s\n%s", call[2], diff, stringOf(answer))
		}
		shown++
	}
	if shown != 4 {
		t.Errorf("%d answers are shown, want a first one, a no, an impact and an audit", shown)
	}
}

// itsOwn tells members that are others in each run: names and times of what was
// made, and what moved and changed since the audit before. There is one when another
// test has fired the schedule, which audits every organization.
func itsOwn(member string, value any) bool {
	_, text := value.(string)
	return text && (member == "id" || member == "at") || member == "moved" || member == "changed"
}

// untilEngaged waits until who takes part in the audit that is asked for is noted:
// that follows what they did.
func untilEngaged(t *testing.T, admin client, asked string, want any) {
	t.Helper()
	var of struct{ Location string }
	if err := json.Unmarshal([]byte(asked), &of); err != nil {
		t.Fatal(err)
	}
	noted := at(want, "report", "engagement")
	eventually(t, "the README's engagement is noted", func() bool {
		report := admin.get(t, "/v1/persona-report?location="+of.Location).is(t, 200)
		return cmp.Equal(noted, report.body["engagement"])
	})
}
