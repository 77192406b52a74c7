package endpoints_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
)

// engaged is what is noted of a user.
type engaged struct {
	seen   directory.Day
	onTeam bool
}

func (w *world) engaged(t *testing.T, user string) engaged {
	t.Helper()
	u := w.User(t, user)
	return engaged{u.Seen, u.OnTeam}
}

// TestADayIsNotedOnce: it never goes back, whatever comes again or late, and says
// nothing of nobody.
func TestADayIsNotedOnce(t *testing.T) {
	w := noted(t)
	today := w.today()
	w.deliver(t, w.ofMark("nurse", today-1), w.ofMark("nurse", today), w.ofMark("doctor", today-2), w.ofMark("ghost", today))
	before := w.User(t, "nurse")
	for range 2 {
		w.deliver(t, w.ofMark("nurse", today), w.ofMark("nurse", today-1), w.ofMark("nurse", today-40))
	}
	if after := w.User(t, "nurse"); after.Seen != today || after.Pulse != before.Pulse || after.Version != before.Version {
		t.Errorf("noted on %d with pulse %d, version %d; want %d, %d, %d", after.Seen, after.Pulse, after.Version, today, before.Pulse, before.Version)
	}
	if seen := w.User(t, "doctor").Seen; seen != today-2 {
		t.Errorf("the doctor was noted on %d", seen)
	}
	w.isExact(t)
}

// TestAMarkIsThereOnce, whoever leaves it how often, until its day is over
// everywhere.
func TestAMarkIsThereOnce(t *testing.T) {
	w := open(t)
	for range 3 {
		if err := w.store.MarkSeen(t.Context(), fixture.Organization, "nurse", w.today()); err != nil {
			t.Fatal(err)
		}
	}
	marks := w.partition(t, "SEEN#riverside#nurse")
	if len(marks) != 1 || marks[0]["sk"] != "20514" {
		t.Fatalf("%v", marks)
	}
	expires := time.Unix(int64(marks[0]["expires"].(float64)), 0).UTC()
	if left := expires.Sub(fixture.Start.Truncate(24 * time.Hour)); left != 3*24*time.Hour {
		t.Errorf("it is kept for %v from the beginning of its day", left)
	}
}

// TestWhoIsOnATeam: of an item that is no draft, in whatever role, once however
// many; until the last of them is gone.
func TestWhoIsOnATeam(t *testing.T) {
	w := noted(t)
	step := func(name, user string, want bool) {
		t.Helper()
		if got := w.engaged(t, user).onTeam; got != want {
			t.Errorf("%s: %s is noted on a team: %v", name, user, got)
		}
		w.isExact(t)
	}
	step("the fixture's items", "nurse", true)
	step("a draft alone", "local", false)
	w.put(t, "a", authz.Draft, "director", "local")
	w.deliver(t, w.ofItem("INSERT", "a"))
	step("a draft", "director", false)
	w.put(t, "a", authz.New, "director", "local", "director")
	w.deliver(t, w.ofItem("MODIFY", "a"))
	step("a draft no more", "director", true)
	w.put(t, "b", authz.Complete, "director")
	w.deliver(t, w.ofItem("INSERT", "b"), w.ofItem("INSERT", "b"))
	w.put(t, "a", authz.New, "local")
	w.deliver(t, w.ofItem("MODIFY", "a"))
	step("off one team of two", "director", true)
	w.remove(t, "b")
	w.deliver(t, w.ofItem("REMOVE", "b"))
	step("off the last team", "director", false)
	w.put(t, "a", authz.Draft, "local")
	w.deliver(t, w.ofItem("MODIFY", "a"))
	step("a draft again", "local", false)
}

// TestALargeTeam is noted in parts, and so is its end.
func TestALargeTeam(t *testing.T) {
	w := noted(t)
	var team []string
	for _, letter := range strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", "") {
		team = append(team, "member-"+letter)
		w.AddUser(t, directory.User{ID: "member-" + letter, Name: letter, Username: "member-" + letter, Type: authz.General,
			Locations: []string{"icu"}, Persona: directory.Frontline})
	}
	w.put(t, "large", authz.Active, team...)
	w.deliver(t, w.ofItem("INSERT", "large"))
	w.isExact(t)
	if !w.User(t, "member-9").OnTeam {
		t.Error("the last of the team is not noted")
	}
	w.remove(t, "large")
	w.deliver(t, w.ofItem("REMOVE", "large"))
	w.isExact(t)
}

// TestATeamOfNobody: who is not there is noted when the item changes next.
func TestATeamOfNobody(t *testing.T) {
	w := noted(t)
	w.AddItem(t, directory.Item{Item: authz.Item{ID: "early", Template: "idea", Status: authz.Active, Team: map[authz.TeamRole][]string{authz.Author: {"newcomer", "director"}}}})
	w.deliver(t, w.ofItem("INSERT", "early"))
	if !w.User(t, "director").OnTeam {
		t.Error("nobody kept somebody from being noted")
	}
	w.AddUser(t, directory.User{ID: "newcomer", Name: "New", Username: "newcomer", Type: authz.General, Locations: []string{"icu"}})
	w.deliver(t, w.ofItem("MODIFY", "early"))
	w.isExact(t)
}

// TestOtherRecordsArePassedOver, and so are those of ids that the contract has
// not.
func TestOtherRecordsArePassedOver(t *testing.T) {
	w := noted(t)
	w.log.Reset()
	today := w.today()
	expired := w.ofMark("nurse", today)
	expired["eventName"] = "REMOVE"
	odd := w.record("INSERT", "SEEN#riverside#nurse", "today")
	w.deliver(t, expired, odd,
		w.record("INSERT", "SEEN#riverside#~ab", "20514"), w.record("INSERT", "SEEN#riverside", "20514"),
		w.record("INSERT", "I#riverside#icu-idea", "CLAIM"), w.record("MODIFY", "I#riverside", "ITEM"),
		w.record("MODIFY", "U#riverside#nurse", "USER"), w.record("INSERT", "", ""))
	if w.log.Len() > 0 || w.engaged(t, "nurse").seen != 0 {
		t.Errorf("something was done: %s", w.log)
	}
}

func TestWhatIsNoBatch(t *testing.T) {
	w := open(t)
	if _, err := w.function.Invoke(t.Context(), []byte(`{"Records":1}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	answer, err := w.function.Invoke(t.Context(), []byte(`{}`))
	if err != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Errorf("%s, %v", answer, err)
	}
}

// TestWithoutTimeNothingBegins: all comes again, and then it is done.
func TestWithoutTimeNothingBegins(t *testing.T) {
	w := noted(t)
	w.put(t, "a", authz.New, "director")
	mark, item := w.ofMark("nurse", w.today()), w.ofItem("INSERT", "a")
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	failed, err := invoke(short, w.function, mark, item)
	if err != nil || len(failed) != 2 {
		t.Fatalf("failed are %v, %v", failed, err)
	}
	w.deliver(t, mark, item)
	if w.engaged(t, "nurse").seen != w.today() || !w.engaged(t, "director").onTeam {
		t.Error("it is not noted")
	}
	w.isExact(t)
}

// TestOneThatCannotBeReadKeepsNobody: its own record alone comes again.
func TestOneThatCannotBeReadKeepsNobody(t *testing.T) {
	w := noted(t)
	w.spoil(t, "U#riverside#lead", "USER", "type")
	w.spoil(t, "I#riverside#icu-new", "ITEM", "status")
	w.put(t, "a", authz.New, "director")
	records := []object{
		w.ofMark("nurse", w.today()), w.ofMark("lead", w.today()), w.ofMark("doctor", w.today()), w.ofMark("coach", w.today()),
		w.ofItem("MODIFY", "icu-new"), w.ofItem("INSERT", "a"),
	}
	failed, err := invoke(t.Context(), w.function, records...)
	if want := []string{numberOf(records[1]), numberOf(records[4])}; err != nil || strings.Join(failed, " ") != strings.Join(want, " ") {
		t.Errorf("failed are %v, want %v (%v)", failed, want, err)
	}
	for _, user := range []string{"nurse", "doctor", "coach"} {
		if w.engaged(t, user).seen != w.today() {
			t.Errorf("%s was kept", user)
		}
	}
	if !w.engaged(t, "director").onTeam {
		t.Error("the other item was kept")
	}
	for line := range strings.Lines(w.log.String()) {
		var one object
		if err := json.Unmarshal([]byte(line), &one); err != nil || strings.Contains(line, "@riverside") || strings.Contains(line, "Lee Lead") {
			t.Errorf("T5 the log says %s", line)
		}
	}
}
