package impersonation_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// updating tells that golden files are written anew (-update).
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// mailbox takes letters, but for addresses that fail.
type mailbox struct {
	mu      sync.Mutex
	fails   map[string]error
	letters []impersonation.Letter
}

func (m *mailbox) Send(_ context.Context, l impersonation.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fails[l.To]; err != nil {
		return err
	}
	m.letters = append(m.letters, l)
	return nil
}

// to are the addresses that got a letter which says this, sorted.
func (m *mailbox) to(says string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, l := range m.letters {
		if strings.Contains(l.Subject, says) {
			out = append(out, l.To)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) notifies(m *mailbox) *impersonation.Notifier {
	return impersonation.NewNotifier(w.Store, w.sessions, m)
}

// observed makes these the organization's observers.
func observed(ids ...string) func(*directory.Settings) {
	return func(s *directory.Settings) { s.Impersonation.Observers = ids }
}

// alter changes a user, as somebody else would.
func (w *world) alter(t *testing.T, id string, change func(*directory.User)) {
	t.Helper()
	c := w.caller(t, admin, id)
	after := c.Users[id]
	change(&after)
	must(t, w.PutPersona(t.Context(), c.Basis(c.Users[id]), persona.Change{
		Before: c.Users[id], After: after, Entry: c.Entry(timeline.User, "update", timeline.Target{Type: "user", ID: id}),
	}))
}

// reachable gives users addresses.
func (w *world) reachable(t *testing.T, addresses map[string]string) {
	t.Helper()
	for id, address := range addresses {
		w.alter(t, id, func(u *directory.User) { u.Email = address })
	}
}

// alerts are those that the timeline asks for, oldest first.
func (w *world) alerts(t *testing.T) []impersonation.Alert {
	t.Helper()
	var out []impersonation.Alert
	for _, e := range slices.Backward(w.entries(t, "start")) {
		if a, ok := impersonation.AlertOf(w.org, e); ok {
			out = append(out, a)
		}
	}
	return out
}

func TestAStartOnAnAdministratorAlerts(t *testing.T) {
	w := newWorld(t)
	for id, administrator := range map[string]bool{
		manager: true, system: true, unpaired: true, local: true, // any admin permission
		maria: false, setup: false, capture: false, wall: false,
	} {
		s := w.start(t, admin, id)
		alerts := w.alerts(t)
		if !administrator {
			if len(alerts) > 0 {
				t.Errorf("a start on %s alerts: %+v", id, alerts)
			}
		} else if diff := cmp.Diff([]impersonation.Alert{{
			Kind: impersonation.AdministratorStart, Organization: w.org, Session: s.ID, At: s.Started,
			Actor: timeline.Person(s.Actor), Subject: timeline.Person(s.Subject),
		}}, alerts); diff != "" {
			t.Errorf("a start on %s alerts (-want +got):\n%s", id, diff)
		}
		w = newWorld(t)
	}
}

func TestU4TheAdminPermissionsOfOtherTypesDoNotAlert(t *testing.T) {
	w := newWorld(t)
	w.alter(t, manager, func(u *directory.User) { u.Type = authz.Setup })
	w.start(t, admin, manager)
	if alerts := w.alerts(t); len(alerts) > 0 {
		t.Errorf("U4: %+v", alerts)
	}
}

func TestTheFifthFailureAlerts(t *testing.T) {
	w := newWorld(t)
	at := w.clock.Now()
	for i := range 7 {
		err := w.try(t, w.username(admin), "wrong")
		want := map[bool]string{true: "reauthentication_failed", false: "too_many_attempts"}[i < 5]
		if code(err) != want {
			t.Fatalf("I2 attempt %d: %v", i+1, err)
		}
		if alerts := w.alerts(t); len(alerts) != max(0, min(1, i-3)) {
			t.Errorf("I2: after %d wrong proofs there are %d alerts", i+1, len(alerts))
		}
	}
	want := []impersonation.Alert{{
		Kind: impersonation.RepeatedFailures, Organization: w.org, At: at, Failures: 5,
		Actor: timeline.Person{ID: admin, Name: "The admin"}, Subject: timeline.Person{ID: maria},
	}}
	if diff := cmp.Diff(want, w.alerts(t)); diff != "" {
		t.Errorf("I2 (-want +got):\n%s", diff)
	}
	var counted []any
	for _, e := range slices.Backward(w.entries(t, "start")) {
		counted = append(counted, e.After["failures"])
	}
	if diff := cmp.Diff([]any{1.0, 2.0, 3.0, 4.0, 5.0, nil, nil}, counted); diff != "" {
		t.Errorf("T1: the refusals count (-want +got):\n%s", diff)
	}
}

func TestParallelFailuresAlertOnce(t *testing.T) {
	for range 4 {
		w := newWorld(t)
		parallel(12, func(int) string { return code(w.try(t, w.username(admin), "wrong")) })
		if alerts := w.alerts(t); len(alerts) != 1 || alerts[0].Failures != 5 {
			t.Errorf("I2: %+v", alerts)
		}
	}
}

func TestARightProofBetweenFailuresHidesNoAlert(t *testing.T) {
	w := newWorld(t)
	said := parallel(10, func(i int) string {
		return code(w.try(t, w.username(admin), map[bool]string{true: "right", false: "wrong"}[i == 0]))
	})
	for range 5 {
		said = append(said, code(w.try(t, w.username(admin), "wrong")))
	}
	if !slices.Contains(said, "too_many_attempts") || len(w.alerts(t)) == 0 {
		t.Errorf("I2: nobody was told of %q", said)
	}
}

func TestEachAddressIsToldOnce(t *testing.T) {
	w := newWorld(t, observed(system, local, inactive, bob, nobody, admin, manager))
	w.reachable(t, map[string]string{
		system: "both@example.org", local: "Both@Example.org", // U1: an address may be shared
		inactive: "inactive@example.org", admin: "admin@example.org", manager: "manager@example.org",
	})
	w.start(t, admin, manager)
	a := w.alerts(t)[0]
	m := &mailbox{}
	for range 3 {
		must(t, w.notifies(m).Alert(t.Context(), a, w.clock.Now()))
	}
	// The actor and the subject are observers as any others.
	if diff := cmp.Diff([]string{"admin@example.org", "both@example.org", "manager@example.org"}, m.to("administrator")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneAddressHidesNoOther(t *testing.T) {
	w := newWorld(t, observed(system, local, manager))
	w.reachable(t, map[string]string{system: "system@example.org", local: "local@example.org", manager: "manager@example.org"})
	w.start(t, admin, manager)
	a := w.alerts(t)[0]
	m := &mailbox{fails: map[string]error{
		"system@example.org": fault.New(fault.Unavailable, "mail_unavailable", ""),
		"local@example.org":  fault.New(fault.Unprocessable, "mail_refused", ""),
	}}
	if err := w.notifies(m).Alert(t.Context(), a, w.clock.Now()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("who could not be told for now is to be told again: %v", err)
	}
	if diff := cmp.Diff([]string{"manager@example.org"}, m.to("administrator")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.fails = nil
	must(t, w.notifies(m).Alert(t.Context(), a, w.clock.Now()))
	if diff := cmp.Diff([]string{"manager@example.org", "system@example.org"}, m.to("administrator")); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

func TestNoObserverNoMail(t *testing.T) {
	w := newWorld(t)
	w.start(t, admin, manager)
	m := &mailbox{}
	must(t, w.notifies(m).Alert(t.Context(), w.alerts(t)[0], w.clock.Now()))
	if len(m.letters) > 0 {
		t.Errorf("%v", m.letters)
	}
}

func TestNoAlertIsBegunWithoutTimeToRecordIt(t *testing.T) {
	w := newWorld(t, observed(system))
	w.reachable(t, map[string]string{system: "system@example.org"})
	w.start(t, admin, manager)
	late, cancel := context.WithTimeout(t.Context(), 7*time.Second)
	defer cancel()
	m := &mailbox{}
	if err := w.notifies(m).Alert(late, w.alerts(t)[0], w.clock.Now()); !fault.Is(err, fault.Unavailable) || len(m.letters) > 0 {
		t.Errorf("I8: %v, %v", err, m.letters)
	}
}

// TestFailuresAlertOnceAWindow: who goes on failing, each time as the fifth, is told
// of once a window of the clock.
func TestFailuresAlertOnceAWindow(t *testing.T) {
	w := newWorld(t, observed(system))
	w.reachable(t, map[string]string{system: "system@example.org"})
	m := &mailbox{}
	for i, want := range []int{1, 1, 2} {
		at := noon.Add(time.Duration(i*10) * time.Minute)
		a := impersonation.Alert{Kind: impersonation.RepeatedFailures, Organization: w.org, Actor: timeline.Person{ID: admin}, At: at, Failures: 5}
		must(t, w.notifies(m).Alert(t.Context(), a, w.clock.Now()))
		other := a
		other.Actor.ID = local
		must(t, w.notifies(m).Alert(t.Context(), other, w.clock.Now()))
		if len(m.letters) != 2*want {
			t.Errorf("%s: %d letters about two actors, want %d", at, len(m.letters), 2*want)
		}
	}
}

// TestAlertsOfStuckMail: observers learn once of each mail that did not go.
func TestAlertsOfStuckMail(t *testing.T) {
	for _, c := range []struct {
		became string
		leave  func(*testing.T, *world, string)
		fails  error
	}{
		{"was refused for good", nil, fault.New(fault.Unprocessable, "mail_refused", "")},
		{"may or may not have arrived", crashed, nil},
		{"is still waiting to be sent", nil, fault.New(fault.Unavailable, "mail_unavailable", "")},
	} {
		t.Run("I8 it "+c.became, func(t *testing.T) {
			w := newWorld(t, observed(system))
			w.reachable(t, map[string]string{system: "system@example.org"})
			s := w.start(t, admin, maria)
			if c.leave != nil {
				c.leave(t, w, s.ID)
			}
			m := &mailbox{fails: map[string]error{"maria@example.org": c.fails}}
			for range 4 {
				w.clock.Advance(8 * time.Minute)
				_, _, _ = sweeping(t.Context(), w.notifies(m), w.clock.Now)
			}
			told := slices.DeleteFunc(m.letters, func(l impersonation.Letter) bool { return !strings.Contains(l.Text, "the notice about it") })
			if len(told) != 1 || told[0].To != "system@example.org" {
				t.Fatalf("observers got %q", told)
			}
			if l := told[0]; !strings.Contains(l.Text, c.became) || !strings.Contains(l.Text, s.ID) || !strings.Contains(l.Subject, "has not gone out") {
				t.Errorf("it says:\n%s\n%s", l.Subject, l.Text)
			}
		})
	}
}

// TestTheSweepTellsAgainWhatTheRecordSays: the stream was not heard, or gave up while
// SES took nothing, or the observers were out of the settings when it came.
func TestTheSweepTellsAgainWhatTheRecordSays(t *testing.T) {
	w := newWorld(t, observed(system, local))
	w.reachable(t, map[string]string{system: "system@example.org", local: "local@example.org"})
	s := w.start(t, admin, manager)
	_, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
	must(t, err)
	for range 5 {
		_ = w.try(t, w.username(admin), "wrong")
	}
	m := &mailbox{fails: map[string]error{
		"system@example.org": fault.New(fault.Unavailable, "mail_unavailable", ""), "local@example.org": fault.New(fault.Unavailable, "mail_unavailable", ""),
	}}
	if err := w.notifies(m).Alert(t.Context(), w.alerts(t)[0], w.clock.Now()); err == nil {
		t.Fatal("nobody was told, and nobody knows")
	}
	m.fails = nil
	for i, want := range [][]string{nil, {"local@example.org", "system@example.org"}, {"local@example.org", "system@example.org"}} {
		if _, _, err := sweeping(t.Context(), w.notifies(m), w.clock.Now); err != nil {
			t.Fatal(err)
		}
		for _, says := range []string{"signed in as an administrator", "failed repeatedly"} {
			if got := m.to(says); !slices.Equal(got, want) {
				t.Errorf("after sweep %d, that %s, %q is told, want %q", i, says, got, want)
			}
		}
		w.clock.Advance(6 * time.Minute)
	}
	w.clock.Advance(24 * time.Hour)
	c := w.caller(t, admin)
	after := c.Organization
	after.Settings.Impersonation.Observers = []string{manager}
	must(t, w.PutOrganization(t.Context(), c.Basis(), directory.OrganizationChange{
		Before: c.Organization, After: after, Entry: c.Entry(timeline.Settings, "update", timeline.Target{Type: "organization", ID: w.org}),
	}))
	w.reachable(t, map[string]string{manager: "manager@example.org"})
	if _, _, err := sweeping(t.Context(), w.notifies(m), w.clock.Now); err != nil || slices.Contains(m.to("administrator"), "manager@example.org") {
		t.Errorf("who becomes an observer is told of what was two days ago: %v", err)
	}
}

// TestNobodyHidesAStartAmongRefusals: who takes the observers out of the settings,
// signs in as an administrator, and has very many attempts refused before the
// observers are back, is told of nevertheless.
func TestNobodyHidesAStartAmongRefusals(t *testing.T) {
	w := newWorld(t)
	w.reachable(t, map[string]string{system: "system@example.org"})
	s := w.start(t, admin, manager)
	_, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
	must(t, err)
	m := &mailbox{}
	must(t, w.notifies(m).Alert(t.Context(), w.alerts(t)[0], w.clock.Now()))
	refused := w.caller(t, maria)
	for i := range 1000 {
		w.clock.Advance(time.Millisecond)
		refused.At = w.clock.Now()
		must(t, w.Record(t.Context(), w.org, impersonation.Denial(refused, impersonation.Request{Subject: "nobody"}, fmt.Sprint("denied_", i))))
	}
	c := w.caller(t, admin)
	after := c.Organization
	after.Settings.Impersonation.Observers = []string{system}
	must(t, w.PutOrganization(t.Context(), c.Basis(), directory.OrganizationChange{
		Before: c.Organization, After: after, Entry: c.Entry(timeline.Settings, "update", timeline.Target{Type: "organization", ID: w.org}),
	}))
	w.clock.Advance(10 * time.Minute)
	for range 2 {
		_, _, err = sweeping(t.Context(), w.notifies(m), w.clock.Now)
		must(t, err)
	}
	if got := m.to("administrator"); !slices.Equal(got, []string{"system@example.org"}) {
		t.Errorf("of the start, %q is told", got)
	}
}

// TestAlertLetters holds every kind's words, and hostile names, to golden files.
func TestAlertLetters(t *testing.T) {
	at := time.Date(2026, 3, 2, 13, 1, 2, 0, time.FixedZone("CET", 3600))
	for kind := impersonation.NoAlert + 1; kind < impersonation.AlertKindCount; kind++ {
		for name, who := range map[string]string{"": "Ada Admin", "-escaped": "<b onclick=\"x\">O'Neil & {subject}</b>\r\nBcc: evil@example.org\u2028\u202egnp.exe"} {
			t.Run("T5 "+kind.String()+name, func(t *testing.T) {
				w := newWorld(t, func(s *directory.Settings) {
					s.Impersonation.Observers, s.ProductName = []string{system}, "Gemba <3"
				})
				w.reachable(t, map[string]string{system: "system@example.org"})
				m := &mailbox{}
				must(t, w.notifies(m).Alert(t.Context(), impersonation.Alert{
					Kind: kind, Organization: w.org, Session: "01KB6V3M5Q", At: at, Failures: 5,
					Actor: timeline.Person{ID: "ada", Name: who}, Subject: timeline.Person{ID: "maria", Name: "Maria " + who},
					Mail: impersonation.Mail{Kind: impersonation.NoticeMail, Status: impersonation.Failed},
				}, w.clock.Now()))
				l := m.letters[0]
				got := strings.Join([]string{"To: " + l.To, "Subject: " + l.Subject, "", l.Text, "-----", l.HTML}, "\n")
				path := filepath.Join("testdata", fmt.Sprintf("alert-%s%s.golden", kind, name))
				if updating() {
					must(t, os.WriteFile(path, []byte(got), 0o644))
				}
				want, err := os.ReadFile(path)
				must(t, err)
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}
