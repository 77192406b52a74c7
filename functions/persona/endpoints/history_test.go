package endpoints_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

const historyRoute = "GET /v1/users/{id}/persona-history"

type relabelling struct {
	ID           string
	At           time.Time
	From, To     *string
	By           struct{ ID, Name string }
	Impersonator *struct{ ID, Name string }
}

// says is a change in a line: what, and by whom.
func (r relabelling) says() string {
	word := func(w *string) string {
		if w == nil {
			return "none"
		}
		return *w
	}
	text := fmt.Sprintf("%s>%s %s/%s", word(r.From), word(r.To), r.By.ID, r.By.Name)
	if r.Impersonator != nil {
		text += " " + r.Impersonator.ID + "/" + r.Impersonator.Name
	}
	return text
}

func (a at) look(t *testing.T, as, user, query string) fixture.Answer {
	t.Helper()
	return a.Do(t, a.Function, fixture.Call{Route: historyRoute, Path: map[string]string{"id": user}, As: as, Query: query})
}

// historyOf is all pages.
func (a at) historyOf(t *testing.T, as, user string, limit int) []relabelling {
	t.Helper()
	type pageBody struct {
		Items []relabelling
		Next  string
	}
	ask := func(cursor string) fixture.Answer {
		return a.look(t, as, user, fmt.Sprintf("limit=%d&cursor=%s", limit, cursor))
	}
	var all []relabelling
	for _, page := range pagesOf(t, ask, func(p pageBody) string { return p.Next }) {
		if page.Items == nil || len(page.Items) > limit {
			t.Fatalf("a page of %d: %+v", limit, page)
		}
		all = append(all, page.Items...)
	}
	return all
}

func lines(changes []relabelling) []string {
	var out []string
	for _, r := range changes {
		out = append(out, r.says())
	}
	return out
}

// TestPersonaHistory: creation, single and bulk changes, newest first, and
// nothing that was only tried, was another's, or was of something else.
func TestPersonaHistory(t *testing.T) {
	a := world(t)
	tick := func() { a.Clock.Advance(time.Second) }
	tick()
	a.put(t, "root", "nurse", persona("leader"))
	tick()
	a.Do(t, a.Function, changes("local", row("nurse", nil), row("capture", "leader"), row("doctor", "leader"), row("nurse", "CI Expert")))
	tick()
	a.put(t, "nurse", "nurse", persona("champion")) // denied
	a.put(t, "nurse", "doctor", persona("leader"))  // denied, of another
	a.put(t, "root", "nurse", persona("ci_coach"))  // unchanged
	tick()
	a.put(t, "root", "local", persona("executive"))
	want := []string{"none>ci_coach local/Lou Local", "leader>none local/Lou Local", "frontline>leader root/Ruth Root", "none>frontline /operator"}
	for _, limit := range []int{1, 2, 50} {
		for _, as := range []string{"root", "local", "nurse"} {
			if diff := cmp.Diff(want, lines(a.historyOf(t, as, "nurse", limit))); diff != "" {
				t.Errorf("%s, in pages of %d (-want +got):\n%s", as, limit, diff)
			}
		}
	}
	// Who changes others has nothing of it in their own.
	if diff := cmp.Diff([]string{"none>executive root/Ruth Root"}, lines(a.historyOf(t, "root", "local", 1))); diff != "" {
		t.Errorf("T2 local's own (-want +got):\n%s", diff)
	}
	if got := a.historyOf(t, "root", "root", 50); len(got) != 0 {
		t.Errorf("T2 who never had a persona: %v", lines(got))
	}
	all := a.historyOf(t, "root", "nurse", 50)
	if !all[0].At.Equal(fixture.Start.Add(2*time.Second)) || !slices.IsSortedFunc(all, func(x, y relabelling) int { return strings.Compare(y.ID, x.ID) }) {
		t.Errorf("T2 %+v", all)
	}
	entries := a.entries(t)
	if !slices.ContainsFunc(entries, func(e timeline.Entry) bool { return e.ID == all[0].ID }) {
		t.Errorf("T2 %s is no entry's id", all[0].ID)
	}
}

func TestWhoReadsAHistory(t *testing.T) {
	a := world(t)
	for _, c := range []struct {
		name, as, user string
		status         int
	}{
		{"oneself", "nurse", "nurse", 200},
		{"oneself, of a type without admin rights", "capture", "capture", 200},
		{"R11 a global administrator", "root", "doctor", 200},
		{"R11 a local administrator, within reach", "local", "nurse", 200},
		{"T4 out of reach", "local", "doctor", 404},
		{"T4 a plain user, of another", "nurse", "doctor", 404},
		{"T4 an administrator of something else", "coach", "nurse", 404},
		{"T4 nobody", "root", "nobody", 404},
		{"no id", "root", "n!rse", 400},
		{"no token", "", "nurse", 401},
	} {
		if answer := a.look(t, c.as, c.user, ""); answer.Status != c.status {
			t.Errorf("%s: %d %s", c.name, answer.Status, answer.Body)
		}
	}
	for _, query := range []string{"limit=0", "limit=501", "cursor=x", "type=persona", "limit=1&limit=2"} {
		if answer := a.look(t, "nurse", "nurse", query); answer.Status != 400 {
			t.Errorf("%s: %d %s", query, answer.Status, answer.Body)
		}
	}
}

// TestT4AHistorysCursorTellsNothing of the entries that it passes by, and belongs
// to its caller and its user.
func TestT4AHistorysCursorTellsNothing(t *testing.T) {
	a := world(t)
	a.put(t, "root", "nurse", persona("leader"))
	a.put(t, "root", "nurse", persona("executive"))
	var page struct{ Next string }
	a.look(t, "nurse", "nurse", "limit=1").Into(t, &page)
	text, err := base64.RawURLEncoding.DecodeString(page.Next)
	if id := a.entries(t)[0].ID; err != nil || page.Next == "" || strings.Contains(string(text), id[:10]) {
		t.Errorf("T4 the cursor tells %q, %v", text, err)
	}
	for as, user := range map[string]string{"nurse": "nurse", "root": "nurse", "local": "capture"} {
		status := 400
		if as == "nurse" {
			status = 200
		}
		if answer := a.look(t, as, user, "cursor="+page.Next); answer.Status != status {
			t.Errorf("%s of %s: %d", as, user, answer.Status)
		}
	}
}

// TestI7AHistoryTellsWhoActed: a change in a session is the subject's, with the
// actor beside it for those whom the list of sessions tells of it, too (T4).
func TestI7AHistoryTellsWhoActed(t *testing.T) {
	a, session := acting(t, "local", "full")
	a.Clock.Advance(time.Second)
	call := changes("support", row("nurse", "leader"))
	call.Session = session
	outcomesOf(t, a.Do(t, a.Function, call))
	openly := "frontline>leader local/Lou Local"
	wholly := openly + " support/" + a.User(t, "support").Name
	a.AddUser(t, directory.User{ID: "lucy", Name: "Lucy Local", Username: "lucy", Type: authz.General, Locations: a.User(t, "local").Locations, SignIn: directory.Enabled, Sub: fixture.Sub("lucy")}, "local-administrator")
	for as, want := range map[string]string{"root": wholly, "local": wholly, "support": wholly, "nurse": openly, "lucy": openly} {
		if got := lines(a.historyOf(t, as, "nurse", 50)); len(got) != 2 || got[0] != want {
			t.Errorf("I7, T4 to %s %q, want %q", as, got, want)
		}
	}
	looking := fixture.Call{Route: historyRoute, As: "support", Path: map[string]string{"id": "doctor"}, Session: session}
	if answer := a.Do(t, a.Function, looking); answer.Status != 404 {
		t.Errorf("I6 out of the subject's reach: %d %s", answer.Status, answer.Body)
	}
}

// TestT2AHistoryIsCompleteAmongMuchElse: one change of long ago below very many
// entries of other kinds.
func TestT2AHistoryIsCompleteAmongMuchElse(t *testing.T) {
	a := world(t)
	a.AddUser(t, directory.User{ID: "busy", Name: "Bea Busy", Username: "busy", Type: authz.General, Locations: []string{"icu"}, Persona: directory.Leader})
	a.Clock.Advance(time.Second)
	e := a.Caller(t, "busy", directory.Keys{}).Entry(timeline.User, "edit", timeline.Target{Type: "user", ID: "busy"})
	var recording sync.WaitGroup
	for range 8 {
		recording.Go(func() {
			for range 130 {
				if err := a.Record(t.Context(), fixture.Organization, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	recording.Wait()
	first := a.look(t, "root", "busy", "").JSON(t)
	if items := first["items"].([]any); len(items) != 0 || first["next"] == "" {
		t.Errorf("T2 a page reads a bounded part: %v", first)
	}
	if got := lines(a.historyOf(t, "root", "busy", 50)); !slices.Equal(got, []string{"none>leader /operator"}) {
		t.Errorf("T2 %v", got)
	}
}
