package endpoints_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// told are the entries of a session's story: what was done, then what was
// refused.
func told(story object) []object {
	var entries []object
	for _, member := range []string{"changes", "denied"} {
		list, _ := story[member].([]any)
		for _, entry := range list {
			entries = append(entries, entry.(object))
		}
	}
	return entries
}

// happens records what was done in a session, or tried.
func (w world) happens(t *testing.T, s impersonation.Session, e timeline.Entry) {
	t.Helper()
	e.At, e.Session, e.RequestID = w.Clock.Now(), s.ID, "request-2"
	e.Subject, e.Impersonator = timeline.Person(s.Subject), timeline.Person(s.Actor)
	if err := w.store.Record(t.Context(), fixture.Organization, e); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
}

func edited(role string) timeline.Entry {
	return timeline.Entry{Type: timeline.Role, Action: "edit", Target: timeline.Target{Type: "role", ID: role}, After: timeline.Values{"name": role}}
}

func (w world) session(t *testing.T, id string) impersonation.Session {
	t.Helper()
	s, err := w.store.Session(t.Context(), fixture.Organization, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestI7AStoryIsToldInPages: what was done and what was refused, of both together
// as many as asked for, in order, each once.
func TestI7AStoryIsToldInPages(t *testing.T) {
	w := open(t)
	s := w.session(t, w.start(t, starting("support", "nurse")))
	var done, refused []string
	for i := range 23 {
		e := edited(fmt.Sprintf("r%02d", i))
		if e.Denied = i%3 == 1; e.Denied {
			e.Cause, refused = "no_grant", append(refused, e.Target.ID)
		} else {
			done = append(done, e.Target.ID)
		}
		w.happens(t, s, e)
	}
	for _, limit := range []int{1, 2, 5, 22, 23, 24, 500} {
		var changes, denied []string
		query := url.Values{"limit": {fmt.Sprint(limit)}}
		for pages := 1; ; pages++ {
			a := w.Do(t, w.function, fixture.Call{Route: getRoute, As: "support", Path: map[string]string{"id": s.ID}, Query: query.Encode()})
			story := a.JSON(t)
			if a.Status != 200 || story["id"] != s.ID || len(told(story)) > limit {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			for _, e := range told(story) {
				of := &changes
				if e["outcome"] == "denied" {
					of = &denied
				}
				*of = append(*of, e["target"].(object)["id"].(string))
			}
			next, _ := story["next"].(string)
			if next == "" {
				if want := (23 + limit - 1) / limit; pages != want {
					t.Errorf("by %d: %d pages, want %d", limit, pages, want)
				}
				break
			}
			query.Set("cursor", next)
		}
		if !slices.Equal(changes, done) || !slices.Equal(denied, refused) {
			t.Errorf("by %d: %v and %v", limit, changes, denied)
		}
	}
}

// TestT4AStorysCursorIsOfItsReaderAndSession: nobody reads it, makes one, or takes
// it elsewhere.
func TestT4AStorysCursorIsOfItsReaderAndSession(t *testing.T) {
	w := open(t)
	s := w.session(t, w.start(t, starting("support", "nurse")))
	for _, id := range []string{"a", "b", "c"} {
		w.happens(t, s, edited(id))
	}
	other := w.start(t, starting("vendor", "nurse"))
	page := func(as, id, query string) fixture.Answer {
		return w.Do(t, w.function, fixture.Call{Route: getRoute, As: as, Path: map[string]string{"id": id}, Query: query})
	}
	next, _ := page("nurse", s.ID, "limit=1").JSON(t)["next"].(string)
	if next == "" || page("nurse", s.ID, "limit=1").JSON(t)["next"] != next {
		t.Fatal("the same page has the same cursor")
	}
	for name, c := range map[string]struct {
		as, id, query string
		status        int
	}{
		"its own":             {"nurse", s.ID, "cursor=" + next, 200},
		"by another limit":    {"nurse", s.ID, "limit=2&cursor=" + next, 200},
		"another's":           {"support", s.ID, "cursor=" + next, 400},
		"of another session":  {"nurse", other, "cursor=" + next, 400},
		"one that was turned": {"nurse", s.ID, "cursor=" + next[1:] + next[:1], 400},
		"no cursor":           {"nurse", s.ID, "cursor=text", 400},
		"no limit":            {"nurse", s.ID, "limit=501", 400},
		"a typo":              {"nurse", s.ID, "limti=5", 400},
	} {
		if a := page(c.as, c.id, c.query); a.Status != c.status {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

// TestT2AStoryOfGiantsIsPagedThrough: whoever makes large changes in a session
// cannot keep its subject from reading them.
func TestT2AStoryOfGiantsIsPagedThrough(t *testing.T) {
	w := open(t)
	s := w.session(t, w.start(t, starting("support", "nurse")))
	const giants = 12
	for i := range giants {
		e := edited(fmt.Sprintf("giant-%02d", i))
		e.After = timeline.Values{"description": strings.Repeat("x", 300_000)}
		w.happens(t, s, e)
	}
	var got []string
	query := ""
	for pages := 1; ; pages++ {
		a := w.Do(t, w.function, fixture.Call{Route: getRoute, As: "nurse", Path: map[string]string{"id": s.ID}, Query: query})
		story := a.JSON(t)
		for _, e := range told(story) {
			got = append(got, e["target"].(object)["id"].(string))
		}
		next, _ := story["next"].(string)
		if next == "" {
			if pages == 1 {
				t.Error("all of it is in one answer, which Lambda would refuse")
			}
			break
		}
		query = "cursor=" + next
	}
	if len(got) != giants || !slices.IsSorted(got) {
		t.Errorf("%v", got)
	}
}

// TestTheReceiptIsToldOfASessionThatEnded, in the list and alone, and nothing of
// where it went.
func TestTheReceiptIsToldOfASessionThatEnded(t *testing.T) {
	w := open(t)
	id := w.start(t, starting("support", "nurse"))
	if err := w.store.QueueMail(t.Context(), impersonation.Mail{
		Organization: fixture.Organization, About: id, Kind: impersonation.ReceiptMail, Status: impersonation.NotRequired, Why: impersonation.NoEmail, To: "nurse@riverside.example",
	}); err != nil {
		t.Fatal(err)
	}
	if a := w.on(t, getRoute, "nurse", id); a.JSON(t)["receipt"] != nil {
		t.Errorf("a session that lasts has no receipt: %s", a.Body)
	}
	w.on(t, endRoute, "support", id)
	want := any(object{"status": "not_required", "why": "no_email"})
	if a := w.on(t, getRoute, "support", id); !cmp.Equal(a.JSON(t)["receipt"], want) {
		t.Errorf("%s", a.Body)
	}
	list := w.Do(t, w.function, fixture.Call{Route: listRoute, As: "support"})
	first := list.JSON(t)["items"].([]any)[0].(object)
	if !cmp.Equal(first["receipt"], want) || first["changes"] != nil || first["next"] != nil {
		t.Errorf("%s", list.Body)
	}
	if strings.Contains(list.Body, "nurse@") {
		t.Errorf("the address is told: %s", list.Body)
	}
}
