package persona_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// cutting is the hospital's auditor over a store of its own whose nth call is cut:
// before it is made, or after, when only its answer is lost.
func (h hospital) cutting(n int, after bool) (auditor *persona.Auditor, calls func() int) {
	var mu sync.Mutex
	made := 0
	store := h.place.Open(func(cfg *aws.Config) {
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, _ any, next func() (any, error)) (any, error) {
			mu.Lock()
			made++
			cut := made == n
			mu.Unlock()
			if !cut {
				return next()
			}
			if after {
				if out, err := next(); err != nil {
					return out, err
				}
			}
			return nil, errors.New("cut")
		}))
	})
	return persona.NewAuditor(store, store, h.post, h.place.Clock.Now), func() int { return made }
}

// TestP6ASlotIsServedOnceWhereverItIsCut cuts the audit that has news at each of its
// calls, before and after, and repeats it: there is one audit, one entry, one mail an
// address, and whatever was told is of that audit.
func TestP6ASlotIsServedOnceWhereverItIsCut(t *testing.T) {
	for name, after := range map[string]bool{"before the call": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			h.label(t, directory.Leader, "nurse", "doctor", "pharmacist") // four leaders of sixteen: one more is too many
			h.must(t, 0)
			day := 1
			for ; ; day++ {
				h.post.taken = nil
				h.label(t, []directory.Persona{directory.Frontline, directory.Leader}[day%2], "capture")
				auditor, calls := h.cutting(day, after)
				_, err := auditor.Run(t.Context(), persona.Slot(fixture.Start.AddDate(0, 0, day)), []string{fixture.Organization}, func(persona.Outcome) {})
				if calls() < day {
					break // it ended before it could be cut
				}
				h.served(t, day, err)
			}
			if day <= 10 {
				t.Errorf("an audit with news is only %d calls", day)
			}
		})
	}
}

// served holds a day's run that ended with an error, or none, to what its repetition
// leaves.
func (h hospital) served(t *testing.T, day int, cut error) {
	t.Helper()
	first := h.must(t, day)
	again := h.must(t, day)
	if cut == nil && first.Made || again.Made || cmp.Diff(first.Audit, again.Audit) != "" || len(first.Audit.Changed) == 0 {
		t.Fatalf("P6 cut at call %d (%v): %+v, %+v", day, cut, first, again)
	}
	if audits, _, err := h.Audits(t.Context(), fixture.Organization, directory.Page{Limit: 500}); err != nil || len(audits) != day+1 {
		t.Fatalf("P6 cut at call %d: %d audits of %d: %v", day, len(audits), day+1, err)
	}
	if entries := h.entries(t); len(entries) != day+1 {
		t.Fatalf("T1 cut at call %d: %d entries of %d", day, len(entries), day+1)
	}
	// A mail whose record was cut off may have arrived, so it is not sent again.
	addresses := slices.Compact(h.post.addresses())
	if len(addresses) != len(h.post.taken) || cut == nil && len(addresses) != 2 {
		t.Fatalf("P6 cut at call %d: mails to %v", day, h.post.addresses())
	}
}

// label gives people a persona.
func (h hospital) label(t *testing.T, to directory.Persona, ids ...string) {
	t.Helper()
	service := persona.New(h)
	for _, id := range ids {
		c := h.place.Caller(t, "root", directory.Keys{Users: []string{id}})
		if _, err := service.Label(t.Context(), c, id, to, directory.Precondition{}); err != nil {
			t.Fatal(err)
		}
	}
}

// A slot that is fired late is compared with what was audited last, whatever that is
// the slot of: no news is told twice, and none is lost.
func TestP6ALateSlotTellsNoNewsTwice(t *testing.T) {
	h := newHospital(t)
	h.must(t, 0)
	h.shrink(t)
	if out := h.must(t, 2); len(out.Audit.Changed) != 1 || len(h.post.taken) != 2 {
		t.Fatalf("P6 %+v, %d mails", out.Audit.Changed, len(h.post.taken))
	}
	h.place.Clock.Advance(time.Minute)
	if out := h.must(t, 1); !out.Made || out.Audit.Slot != "2026-03-03" || out.Audit.Against != "2026-03-04" || len(out.Audit.Changed) != 0 || len(h.post.taken) != 2 {
		t.Errorf("P6 a late one: %+v, %d mails", out.Audit, len(h.post.taken))
	}
	h.label(t, directory.Frontline, "nurse", "doctor", "pharmacist", "capture")
	if out := h.must(t, 3); len(out.Audit.Changed) != 1 || out.Audit.Against != "2026-03-03" || len(h.post.taken) != 4 {
		t.Errorf("P6 the next one: %+v, %d mails", out.Audit, len(h.post.taken))
	}
}

// Two slots that are fired at once come one after the other.
func TestP6TwoSlotsAtOnceAreNotComparedWithTheSame(t *testing.T) {
	h := newHospital(t)
	h.must(t, 0)
	h.shrink(t)
	var both sync.WaitGroup
	outcomes := make([]persona.Outcome, 2)
	for i := range outcomes {
		both.Go(func() {
			out, err := h.run(t, i+1)
			if err != nil {
				t.Error(err)
			}
			outcomes[i] = out
		})
	}
	both.Wait()
	news := len(outcomes[0].Audit.Changed) + len(outcomes[1].Audit.Changed)
	if outcomes[0].Audit.Against == outcomes[1].Audit.Against || news != 1 || len(h.post.taken) != 2 {
		t.Errorf("P6 against %s and %s, %d changes, %d mails", outcomes[0].Audit.Against, outcomes[1].Audit.Against, news, len(h.post.taken))
	}
}

// The mail tells where else verdicts changed, the largest first, twenty of them, and
// nothing that a name says is more than a name in it (T5).
func TestP6TheMailNamesLocationsWhoseVerdictsChanged(t *testing.T) {
	h := newHospital(t)
	places := dynamo.Policy{}
	for i := range 25 {
		l := directory.Location{}
		l.ID, l.Name, l.Parent = fmt.Sprintf("unit-%02d", i), fmt.Sprintf("Unit %02d\r\nBcc: all@example.org<script>", i), "hospital"
		places.Locations = append(places.Locations, l)
	}
	if _, err := h.CreatePolicy(t.Context(), fixture.Organization, places, fixture.Start); err != nil {
		t.Fatal(err)
	}
	person := func(unit, n int, p directory.Persona) {
		id := fmt.Sprintf("u-%02d-%d", unit, n)
		h.place.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{fmt.Sprintf("unit-%02d", unit)}, Persona: p})
	}
	for unit := range 25 {
		for n := range 4 {
			person(unit, n, directory.Frontline)
		}
	}
	h.must(t, 0)
	for unit := range 24 {
		person(unit, 4, directory.Leader)
		person(unit, 5, directory.Leader)
		person(unit, 6, directory.Leader)
	}
	person(7, 7, directory.Leader)
	h.must(t, 1)
	if len(h.post.taken) != 2 {
		t.Fatalf("P6 %d mails", len(h.post.taken))
	}
	l := h.post.taken[0]
	_, list, _ := strings.Cut(l.Text, "whose verdicts have changed too:\n\n")
	list, _, _ = strings.Cut(list, "\n\n")
	lines := strings.Split(list, "\n")
	if len(lines) != 21 || lines[20] != "- and 5 more." {
		t.Fatalf("P6 %d lines: %s", len(lines), list)
	}
	want := []string{
		"- The hospital (185 people): Frontline, 25 too few (too many before); Leader, 37 too many (too few before).",
		"- Unit 07  Bcc: all@example.org<script> (8 people): Frontline, 1 too few (within target before); Leader, 2 too many (within target before).",
		"- Unit 00  Bcc: all@example.org<script> (7 people): Leader, 1 too many (within target before).",
	}
	for i, line := range want {
		if !strings.HasPrefix(lines[i], line) {
			t.Errorf("P6 line %d: %s", i, lines[i])
		}
	}
	if strings.Contains(l.HTML, "<script>") || strings.Contains(l.Text, "\nBcc") || strings.ContainsAny(l.Subject, "\r\n") {
		t.Errorf("T5 %s", l.Text)
	}
}

// An organization that is named to be a header is one line of the mail (T5).
func TestT5TheMailOfANamedHeader(t *testing.T) {
	h := newHospital(t)
	c := h.place.Caller(t, "root", directory.Keys{})
	o := c.Organization
	o.Name = "Riverside\r\nBcc: all@example.org"
	change := directory.OrganizationChange{Before: c.Organization, After: o, Entry: c.Entry(timeline.Settings, "change", timeline.Target{Type: "organization", ID: o.ID})}
	change.After.Version++
	if err := h.PutOrganization(t.Context(), c.Basis(), change); err != nil {
		t.Fatal(err)
	}
	h.must(t, 0)
	h.shrink(t)
	h.must(t, 1)
	for _, l := range h.post.taken {
		if strings.ContainsAny(l.Subject, "\r\n") || strings.Contains(l.Text, "\nBcc") || strings.Contains(l.HTML, "\nBcc") || !strings.Contains(l.Subject, "Riverside  Bcc: all@example.org") {
			t.Errorf("T5 %q: %s", l.Subject, l.Text)
		}
	}
	if len(h.post.taken) != 2 {
		t.Errorf("P6 %d mails", len(h.post.taken))
	}
}

// What an audit was judged by is kept with it, so that the mail tells of others (P6).
func TestP6TheMailTellsOfOtherTargets(t *testing.T) {
	h := newHospital(t)
	h.must(t, 0)
	h.shrink(t)
	h.must(t, 1)
	c := h.place.Caller(t, "root", directory.Keys{})
	o := c.Organization
	o.Settings.Targets.Leader.Max = 10000
	change := directory.OrganizationChange{Before: c.Organization, After: o, Entry: c.Entry(timeline.Settings, "change", timeline.Target{Type: "organization", ID: o.ID})}
	change.After.Version++
	if err := h.PutOrganization(t.Context(), c.Basis(), change); err != nil {
		t.Fatal(err)
	}
	h.must(t, 2)
	if len(h.post.taken) != 4 {
		t.Fatalf("P6 %d mails", len(h.post.taken))
	}
	for i, want := range []string{"counted 16 people. Since the audit of 2026-03-02, this has changed:", "counted 16 people. The targets were changed since the audit of 2026-03-03, and this has changed as well:"} {
		if l := h.post.taken[2*i]; !strings.Contains(l.Text, want) {
			t.Errorf("P6 %s", l.Text)
		}
	}
}

// An organization is begun only while there is time for it; the first always.
func TestP6NothingIsBegunThatCannotEnd(t *testing.T) {
	h := newHospital(t)
	all := []string{fixture.Organization, "second", "third"}
	for _, c := range []struct {
		left time.Duration
		rest []string
	}{{2 * time.Minute, all[1:]}, {10 * time.Minute, nil}} {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(c.left))
		rest, _ := h.auditor.Run(ctx, "2026-03-02", all, func(persona.Outcome) {})
		cancel()
		if !slices.Equal(rest, c.rest) {
			t.Errorf("P6 with %v left: the rest is %v, want %v", c.left, rest, c.rest)
		}
	}
}
