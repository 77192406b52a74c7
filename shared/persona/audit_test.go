package persona_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// postman takes letters; fails is what becomes of the next ones, in order.
type postman struct {
	mu    sync.Mutex
	taken []persona.Letter
	asked int
	fails []error
}

func (p *postman) Send(_ context.Context, l persona.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if len(p.fails) > 0 {
		err := p.fails[0]
		p.fails = p.fails[1:]
		if err != nil {
			return err
		}
	}
	p.taken = append(p.taken, l)
	return nil
}

func (p *postman) addresses() []string {
	var list []string
	for _, l := range p.taken {
		list = append(list, l.To)
	}
	slices.Sort(list)
	return list
}

// hospital is the fixture's organization with three champions, two of whom
// share an address, and one who is inactive; and its audits.
type hospital struct {
	*dynamo.Store
	place   *fixture.Place
	post    *postman
	auditor *persona.Auditor
}

func newHospital(t *testing.T) hospital {
	t.Helper()
	store, place := fixture.World(t)
	for i, email := range []string{"c@riverside.example", "C@riverside.example", "d@riverside.example", "e@riverside.example", ""} {
		u := directory.User{ID: fmt.Sprintf("champion-%d", i), Name: "Chris", Username: fmt.Sprintf("champion-%d", i), Email: email,
			Type: authz.General, Locations: []string{"clinic"}, Persona: directory.Champion}
		if i == 3 {
			u.Type = authz.Inactive
		}
		place.AddUser(t, u)
	}
	h := hospital{Store: store, place: place, post: &postman{}}
	h.auditor = persona.NewAuditor(store, store, h.post, place.Clock.Now)
	return h
}

// run is a run for the day that many days after the first, with its outcome
// for the hospital.
func (h hospital) run(t *testing.T, day int) (persona.Outcome, error) {
	t.Helper()
	var out persona.Outcome
	slot := persona.Slot(fixture.Start.AddDate(0, 0, day))
	rest, err := h.auditor.Run(t.Context(), slot, []string{fixture.Organization}, func(o persona.Outcome) { out = o })
	if len(rest) > 0 {
		t.Errorf("no time for %v", rest)
	}
	return out, err
}

func (h hospital) must(t *testing.T, day int) persona.Outcome {
	t.Helper()
	out, err := h.run(t, day)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shrink makes the frontline people leaders, who are too many then.
func (h hospital) shrink(t *testing.T) {
	t.Helper()
	h.label(t, directory.Leader, "nurse", "doctor", "pharmacist", "capture")
}

// entries are the audits in the timeline, newest first.
func (h hospital) entries(t *testing.T) []timeline.Entry {
	t.Helper()
	s := timeline.Stretch{From: fixture.Start.Add(-time.Hour), To: fixture.Start.AddDate(0, 1, 0), Page: timeline.Page{Limit: 500}}
	all, _, err := h.Entries(t.Context(), fixture.Organization, s)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e timeline.Entry) bool { return e.Type != timeline.Audit })
}

func TestAuditOnceASlot(t *testing.T) {
	h := newHospital(t)
	first := h.must(t, 0)
	if !first.Made || first.Audit.Slot != "2026-03-02" || first.Audit.Report.Base != 16 || len(first.Audit.Changed) != 0 {
		t.Errorf("P6 the first: %+v", first)
	}
	h.place.Clock.Advance(time.Hour)
	h.shrink(t)
	if again := h.must(t, 0); again.Made || cmp.Diff(first.Audit, again.Audit) != "" {
		t.Errorf("P6 the slot's audit became another: %+v", again)
	}
	if h.post.asked != 0 {
		t.Error("P6 a mail after the first audit")
	}
	entries := h.entries(t)
	if len(entries) != 1 {
		t.Fatalf("T1 %d entries", len(entries))
	}
	want := timeline.Entry{
		ID: entries[0].ID, At: fixture.Start, Type: timeline.Audit, Action: "audit", Subject: timeline.Person{Name: "schedule"},
		Target: timeline.Target{Type: "audit", ID: "2026-03-02"}, RequestID: "schedule-2026-03-02",
		After: timeline.Values{"slot": "2026-03-02", "base": 16.0, "verdicts": map[string]any{
			"frontline": "below", "leader": "within", "executive": "within", "champion": "above", "ci_experts": "above"}},
	}
	if diff := cmp.Diff(want, entries[0]); diff != "" {
		t.Errorf("T1 %s", diff)
	}
}

func TestParallelRunsMakeOneAudit(t *testing.T) {
	h := newHospital(t)
	h.must(t, 0)
	h.place.Clock.Advance(24 * time.Hour)
	h.shrink(t)
	var running sync.WaitGroup
	made := make(chan bool, 8)
	for range 8 {
		running.Go(func() {
			out, err := h.run(t, 1)
			if err != nil {
				t.Error(err)
			}
			made <- out.Made
		})
	}
	running.Wait()
	close(made)
	audits := 0
	for m := range made {
		if m {
			audits++
		}
	}
	if audits != 1 || len(h.entries(t)) != 2 {
		t.Errorf("P6 %d runs made the slot's audit, %d entries of 2", audits, len(h.entries(t)))
	}
	if diff := cmp.Diff([]string{"c@riverside.example", "d@riverside.example"}, h.post.addresses()); diff != "" {
		t.Errorf("P6 each champion's address once: %s", diff)
	}
}

func TestMailOnlyWhenAVerdictChanged(t *testing.T) {
	h := newHospital(t)
	h.must(t, 0)
	if out := h.must(t, 1); !out.Made || len(out.Audit.Changed) != 0 || h.post.asked != 0 {
		t.Errorf("P6 nothing changed: %+v, %d mails", out.Audit.Changed, h.post.asked)
	}
	h.shrink(t)
	out := h.must(t, 2)
	want := []persona.Shift{{Word: "leader", Before: persona.Within, After: persona.Above}}
	if diff := cmp.Diff(want, out.Audit.Changed); diff != "" {
		t.Errorf("P6 %s", diff)
	}
	if len(h.post.taken) != 2 {
		t.Fatalf("P6 %d mails", len(h.post.taken))
	}
	entry := h.entries(t)[0]
	if diff := cmp.Diff(timeline.Values{"verdicts": map[string]any{"leader": "within"}}, entry.Before); diff != "" {
		t.Errorf("T1 %s", diff)
	}
	if h.must(t, 2); len(h.post.taken) != 2 {
		t.Error("P6 a repeat sent a mail again")
	}
	if out := h.must(t, 3); len(out.Audit.Changed) != 0 || len(h.post.taken) != 2 {
		t.Error("P6 the day after has no news")
	}
}

func TestMailThatFails(t *testing.T) {
	later := fault.Wrap(fault.Unavailable, "mail_unavailable", errors.New("throttled"))
	for name, c := range map[string]struct {
		fails           []error
		failed          bool
		asked, delivery int // after a repeat
	}{
		"P6 what was not taken is sent by the repeat": {[]error{later}, true, 3, 2},
		"P6 what may have arrived is not":             {[]error{fault.Wrap(fault.Internal, "mail_unclear", errors.New("lost"))}, false, 2, 1},
		"P6 what was refused is not":                  {[]error{fault.Wrap(fault.Unprocessable, "mail_refused", errors.New("no"))}, false, 2, 1},
		"P6 one that fails does not hide the other":   {[]error{nil, later}, true, 3, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHospital(t)
			h.must(t, 0)
			h.shrink(t)
			h.post.fails = c.fails
			out, err := h.run(t, 1)
			if (err != nil) != c.failed || !out.Made {
				t.Errorf("made %v: %v", out.Made, err)
			}
			if out := h.must(t, 1); out.Made || h.post.asked != c.asked || len(h.post.taken) != c.delivery {
				t.Errorf("made %v, %d hand-overs, %d taken", out.Made, h.post.asked, len(h.post.taken))
			}
		})
	}
}

// flaky cannot count one organization.
type flaky struct {
	*dynamo.Store
	broken string
}

func (f *flaky) Census(ctx context.Context, o string) (persona.Census, error) {
	if o == f.broken {
		return persona.Census{}, fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
	}
	return f.Store.Census(ctx, o)
}

func TestAnOrganizationThatFailsHidesNoOther(t *testing.T) {
	h := newHospital(t)
	for _, id := range []string{"alpha", "zeta"} {
		o := directory.Organization{ID: id, Name: id, Settings: directory.DefaultSettings()}
		if _, err := h.CreateOrganization(t.Context(), o, fixture.Start); err != nil {
			t.Fatal(err)
		}
	}
	store := &flaky{Store: h.Store, broken: "alpha"}
	auditor := persona.NewAuditor(store, store, h.post, h.place.Clock.Now)
	run := func() (made, failed []string, err error) {
		_, err = auditor.Run(t.Context(), "2026-03-02", []string{"alpha", fixture.Organization, "zeta"}, func(o persona.Outcome) {
			if o.Made {
				made = append(made, o.Organization)
			}
			if o.Err != nil {
				failed = append(failed, o.Organization)
			}
		})
		return made, failed, err
	}
	made, failed, err := run()
	if err == nil || !slices.Equal(failed, []string{"alpha"}) || !slices.Equal(made, []string{fixture.Organization, "zeta"}) {
		t.Errorf("P6 made %v, failed %v: %v", made, failed, err)
	}
	store.broken = ""
	if made, failed, err = run(); err != nil || len(failed) > 0 || !slices.Equal(made, []string{"alpha"}) {
		t.Errorf("P6 the repeat made %v, failed %v: %v", made, failed, err)
	}
}

func TestAuditWaitsForThePolicy(t *testing.T) {
	h := newHospital(t)
	store := &moving{Store: h.Store, move: func(n int) {
		h.place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("r", n)}, Name: fmt.Sprint("R", n)}})
	}}
	report := persona.Report{}
	auditor := persona.NewAuditor(store, store, h.post, h.place.Clock.Now)
	_, err := auditor.Run(t.Context(), "2026-03-02", []string{fixture.Organization}, func(o persona.Outcome) { report = o.Audit.Report })
	if err != nil || report.Base != 16 || store.reads != 4 {
		t.Errorf("P8 base %d after %d readings: %v", report.Base, store.reads, err)
	}
}

// moving changes the policy before each of its first three readings.
type moving struct {
	*dynamo.Store
	move  func(int)
	reads int
}

func (m *moving) Census(ctx context.Context, o string) (persona.Census, error) {
	m.reads++
	if m.reads <= 3 {
		m.move(m.reads)
	}
	return m.Store.Census(ctx, o)
}
