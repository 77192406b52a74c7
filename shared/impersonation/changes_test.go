package impersonation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// happens records what was done in a session, or tried for a cause; the entry's
// target and cause name it.
func (w *world) happens(t *testing.T, s impersonation.Session, target timeline.Target, cause string) {
	t.Helper()
	kind, ok := timeline.ParseType(target.Type)
	if !ok {
		kind = timeline.Settings
	}
	must(t, w.Record(t.Context(), w.org, timeline.Entry{
		At: w.clock.Now(), Type: kind, Action: "edit", Target: target, Denied: cause != "", Cause: cause, Session: s.ID,
		Subject: timeline.Person(s.Subject), Impersonator: timeline.Person(s.Actor),
	}))
	w.clock.Advance(time.Second)
}

// story is all that a caller is told of a session, page by page, each entry as its
// target and the cause of a refusal, with how many pages there were.
func (w *world) story(t *testing.T, c directory.Caller, id string, limit int) (told []string, pages int) {
	t.Helper()
	for page := (directory.Page{Limit: limit}); ; {
		_, entries, end, err := w.service.Happened(t.Context(), c, id, page)
		must(t, err)
		pages++
		for _, e := range entries {
			word := e.Target.Type + " " + e.Target.ID
			if e.Denied {
				word += " denied " + e.Cause
			}
			told = append(told, strings.TrimSpace(word))
		}
		if end == "" {
			return told, pages
		}
		page.After = end
	}
}

func on(kind, id string) timeline.Target { return timeline.Target{Type: kind, ID: id} }

// eventful is a session of admin as manager in which something of every type was
// done: to people within and out of the reach of others, and to what is nobody.
func (w *world) eventful(t *testing.T) impersonation.Session {
	t.Helper()
	s := w.start(t, admin, manager)
	w.clock.Advance(time.Second)
	for _, done := range []timeline.Target{
		on("user", maria), on("user", bob), on("role", "locals"), on("location", "ward"), on("workflow", "safety"),
		on("template", "idea"), on("item", "i1"), on("audit", "a1"), on("organization", w.org),
	} {
		w.happens(t, s, done, "")
	}
	w.happens(t, s, on("user", bob), "out_of_scope")
	w.happens(t, s, on("user", nobody), "unknown_resource")
	w.happens(t, s, on("user", nobody), "in_session")
	w.happens(t, s, on("organization", w.org), "no_grant")
	w.happens(t, s, on("impersonation", "another"), "read_only")
	w.happens(t, s, on("board", "huddle"), "no_grant") // no call has it yet
	return s
}

// The parts of what happens in an eventful session.
var (
	deeds = []string{"user maria", "user bob", "role locals", "location ward", "workflow safety", "template idea", "item i1",
		"audit a1", "organization acme"}
	attempts = []string{"user bob denied out_of_scope", "user no-body denied", "user no-body denied in_session", "organization acme denied no_grant",
		"impersonation another denied read_only", "board huddle denied no_grant"}
	whole = append(slices.Clone(deeds), attempts...)
)

func TestWhoIsToldWhatHappened(t *testing.T) {
	w := newWorld(t)
	s := w.eventful(t)
	within := w.acting(t, s)
	_, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
	must(t, err)
	w.clock.Advance(time.Second)
	asManager := w.acting(t, w.start(t, vendor, manager)) // may do as much as manager, both sides
	asManager.At = w.clock.Now()
	everything := strings.Join(whole, "\n")
	raw := strings.ReplaceAll(everything, "user no-body denied\n", "user no-body denied unknown_resource\n")
	public := "user maria\nuser bob\nrole locals\nlocation ward\nworkflow safety\ntemplate idea\naudit a1\norganization acme\nuser bob denied out_of_scope\norganization acme denied no_grant"
	for name, c := range map[string]struct {
		caller directory.Caller
		want   string
	}{
		"the actor in person":                         {w.caller(t, admin), everything},
		"the subject in person":                       {w.caller(t, manager), everything},
		"from within that very session":               {within, everything},
		"a system administrator, who reads it anyway": {w.caller(t, system), raw},
		"I6 an administrator of the actor":            {w.caller(t, vendor), public},
		"I6 the subject's view from within another":   {asManager, public},
	} {
		for _, limit := range []int{1, 4, 500} {
			got, pages := w.story(t, c.caller, s.ID, limit)
			if strings.Join(got, "\n") != c.want {
				t.Errorf("%s, by %d:\n%s", name, limit, strings.Join(got, "\n"))
			}
			if n := strings.Count(c.want, "\n") + 1; pages != max(1, (n+limit-1)/limit) {
				t.Errorf("T4 %s, by %d: %d pages of %d entries tell of more", name, limit, pages, n)
			}
		}
	}
}

// TestT4ALocalAdministratorOfTheActorLearnsOfTheirReachAlone: the actor is theirs,
// the session is told, and of what was done in it to others nothing is, not even
// that there was something.
func TestT4ALocalAdministratorOfTheActorLearnsOfTheirReachAlone(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, remote, maria) // remote is at the office, as is bob; local administers the ward
	w.clock.Advance(time.Second)
	for range 3 {
		w.happens(t, s, on("user", bob), "")
		w.happens(t, s, on("user", maria), "")
		w.happens(t, s, on("user", nobody), "unknown_resource")
		w.happens(t, s, on("item", "i1"), "")
	}
	// Who administers the office is told of bob.
	chief := w.local(t, "chief", "office")
	for _, limit := range []int{1, 2, 3, 500} {
		got, pages := w.story(t, w.caller(t, chief), s.ID, limit)
		if strings.Join(got, " ") != "user bob user bob user bob" || pages != (3+limit-1)/limit {
			t.Errorf("by %d: %v in %d pages", limit, got, pages)
		}
	}
	if _, _, _, err := w.service.Happened(t.Context(), w.caller(t, local), s.ID, directory.Page{Limit: 5}); !fault.Is(err, fault.NotFound) {
		t.Errorf("T4 who administers the subject alone knows of no session: %v", err)
	}
	if _, _, _, err := w.service.Happened(t.Context(), w.caller(t, chief), "nothing", directory.Page{Limit: 5}); !fault.Is(err, fault.NotFound) {
		t.Errorf("T4 of no session: %v", err)
	}
}

// local makes a local administrator of a place.
func (w *world) local(t *testing.T, id, location string) string {
	t.Helper()
	births, err := w.Births(t.Context(), w.org)
	must(t, err)
	u := directory.User{
		ID: id, Name: "The " + id, Username: w.username(id), Type: authz.General, Locations: []string{location}, SignIn: directory.Enabled, Sub: w.sub(id),
		Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "locals", Birth: births["locals"]}}, Since: noon, By: "operator"}},
	}
	_, err = w.CreateUser(t.Context(), w.org, u, noon)
	must(t, err)
	return id
}

// TestI6WithinAnotherSessionBothSidesMustBeAbleToRead: an actor who administers
// nobody out of their ward does not learn of others by acting as somebody who does,
// nor the other way round.
func TestI6WithinAnotherSessionBothSidesMustBeAbleToRead(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, local) // of whom local, in person, is told all
	w.clock.Advance(time.Second)
	w.happens(t, s, on("user", bob), "")
	w.happens(t, s, on("user", maria), "")
	w.happens(t, s, on("item", "i1"), "")
	w.happens(t, s, on("role", "locals"), "")
	_, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
	must(t, err)
	if got, _ := w.story(t, w.caller(t, local), s.ID, 5); len(got) != 4 {
		t.Errorf("in person: %v", got)
	}
	for _, actor := range []string{admin, w.local(t, "second", "ward")} {
		x := w.start(t, actor, local)
		if got, _ := w.story(t, w.acting(t, x), s.ID, 5); strings.Join(got, " ") != "user maria role locals" {
			t.Errorf("%s as local: %v", actor, got)
		}
		_, err := w.service.End(t.Context(), w.caller(t, actor), x.ID)
		must(t, err)
	}
	// A narrow actor acting as a wide subject: the actor's reach bounds it.
	x := w.start(t, admin, manager)
	w.happens(t, x, on("user", bob), "")
	w.happens(t, x, on("user", maria), "")
	_, err = w.service.End(t.Context(), w.caller(t, admin), x.ID)
	must(t, err)
	// No rule lets local act as manager, who is of a larger place; the reading is held all the same.
	c := w.caller(t, manager, local)
	c.Actor, c.Session = c.Users[local], "another"
	if got, _ := w.story(t, c, x.ID, 5); strings.Join(got, " ") != "user maria" {
		t.Errorf("local as manager: %v", got)
	}
}

// TestT4ADenialIsNoOracle: acting as somebody, one tries what neither may know of.
// The answers are the same for who is there and who is not; so is the record, as
// the two of them are told it.
func TestT4ADenialIsNoOracle(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, local, maria)
	w.clock.Advance(time.Second)
	w.happens(t, s, on("user", bob), "no_grant")               // is there
	w.happens(t, s, on("user", nobody), "unknown_resource")    // is not
	w.happens(t, s, on("user", maria), "no_grant")             // a role that is there
	w.happens(t, s, on("user", maria), "unknown_resource")     // one that is not
	w.happens(t, s, on("user", local), "own_roles_in_session") // what was answered is told
	w.happens(t, s, on("organization", w.org), "no_grant")     // nothing to find out
	for who, c := range map[string]directory.Caller{"the subject": w.caller(t, maria), "from within": w.acting(t, s)} {
		want := "user bob denied, user no-body denied, user maria denied, user maria denied, user local denied own_roles_in_session, organization acme denied no_grant"
		if got, _ := w.story(t, c, s.ID, 50); strings.Join(got, ", ") != want {
			t.Errorf("%s: %v", who, got)
		}
	}
	// In person, local administers maria, and may know.
	want := "user bob denied, user no-body denied, user maria denied no_grant, user maria denied unknown_resource, user local denied own_roles_in_session, organization acme denied no_grant"
	if got, _ := w.story(t, w.caller(t, local), s.ID, 50); strings.Join(got, ", ") != want {
		t.Errorf("the actor: %v", got)
	}
}

// TestAStoryGoesOnWhileItIsTold: of a session that lasts, what was acknowledged
// before a page is in it, and its reading ends it when the clock has (I4).
func TestAStoryGoesOnWhileItIsTold(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	var want []string
	for i := range 120 { // more users than are read at once
		id := fmt.Sprintf("r%d", i)
		w.happens(t, s, on("role", id), "")
		want = append(want, "role "+id)
		if i%40 == 0 {
			if got, _ := w.story(t, w.caller(t, admin), s.ID, 7); !slices.Equal(got, want) {
				t.Fatalf("%d entries, want %d", len(got), len(want))
			}
		}
	}
	w.clock.Advance(time.Hour)
	told, entries, _, err := w.service.Happened(t.Context(), w.caller(t, maria), s.ID, directory.Page{Limit: 500})
	if err != nil || told.Cause != impersonation.Idle || len(entries) != 120 {
		t.Errorf("cause %v, %d entries, %v", told.Cause, len(entries), err)
	}
}

// TestEveryTargetOfTheRecordHasItsReader holds the table of who may read what to
// the types of the record: a new one has to be decided, or nobody is shown it.
func TestEveryTargetOfTheRecordHasItsReader(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, manager)
	var want []string
	for kind := timeline.NoType + 1; kind < timeline.TypeCount; kind++ {
		if kind == timeline.Persona || kind == timeline.Assignment || kind == timeline.SignIn {
			continue // changes of a user
		}
		target := kind.String()
		if kind == timeline.Settings {
			target = "organization"
		}
		id := maria
		w.happens(t, s, on(target, id), "")
		if kind != timeline.Impersonation && kind != timeline.Item {
			want = append(want, target+" "+id)
		}
	}
	if got, _ := w.story(t, w.caller(t, vendor), s.ID, 50); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
