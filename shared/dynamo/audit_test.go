package dynamo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

func targetOf(user string) timeline.Target { return timeline.Target{Type: "user", ID: user} }

func TestOrganizationsAreAllListedInPages(t *testing.T) {
	place := fixture.Empty(t)
	store := place.Open()
	var want []string
	for i := range 7 {
		o := directory.Organization{ID: fmt.Sprintf("o%d", i), Name: "O", Settings: directory.DefaultSettings()}
		if made, err := store.CreateOrganization(t.Context(), o, place.Clock.Now()); err != nil || !made {
			t.Fatal(made, err)
		}
		want = append(want, o.ID)
	}
	var got []string
	page := directory.Page{Limit: 3}
	for pages := 0; ; pages++ {
		ids, end, err := store.Organizations(t.Context(), page)
		if err != nil || pages > 7 {
			t.Fatal(pages, err)
		}
		got = append(got, ids...)
		if end == "" {
			break
		}
		page.After = end
	}
	if !slices.Equal(got, want) {
		t.Errorf("P6 %v, want %v", got, want)
	}
}

// report is a report that has something in every place.
func report(at time.Time, base int) persona.Report {
	r := persona.Report{At: at, Base: base, Experts: persona.Row{Count: 4, Range: persona.Range{Max: 3}, Verdict: persona.Above, Change: 1}}
	for p := range r.Personas {
		r.Personas[p] = persona.Row{Count: p, Range: persona.Range{Min: p + 1, Max: p + 2}, Verdict: persona.Verdict(p % int(persona.VerdictCount)), Change: 1}
	}
	return r
}

func TestAuditsAreKeptOnceASlot(t *testing.T) {
	store, place := fixture.World(t)
	put := func(slot string, base int) bool {
		a := persona.Audit{ID: slot, Slot: slot, Report: report(place.Clock.Now(), base),
			Changed: []persona.Shift{{Word: "leader", Before: persona.Below, After: persona.Within}}}
		made, err := store.PutAudit(t.Context(), fixture.Organization, a, timeline.Entry{At: place.Clock.Now(), Type: timeline.Audit, Action: "audit"})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	if !put("2026-03-02", 1) || !put("2026-03-01", 2) || put("2026-03-02", 3) || !put("2026-03-10", 4) {
		t.Error("P6 a slot takes one audit")
	}
	for _, c := range []struct {
		until string
		limit int
		bases []int
	}{{"2026-03-10", 9, []int{4, 1, 2}}, {"2026-03-09", 1, []int{1}}, {"2026-02-28", 9, nil}} {
		audits, err := store.Audits(t.Context(), fixture.Organization, c.until, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		var bases []int
		for _, a := range audits {
			bases = append(bases, a.Report.Base)
			want := persona.Audit{ID: a.Slot, Slot: a.Slot, Report: report(place.Clock.Now(), a.Report.Base),
				Changed: []persona.Shift{{Word: "leader", Before: persona.Below, After: persona.Within}}}
			if diff := cmp.Diff(want, a); diff != "" {
				t.Errorf("P6 an audit reads back otherwise: %s", diff)
			}
		}
		if !slices.Equal(bases, c.bases) {
			t.Errorf("P6 up to %s: %v, want %v", c.until, bases, c.bases)
		}
	}
}

func TestChampionsAreFoundAmongAll(t *testing.T) {
	store, place := fixture.World(t)
	for i := range 3 {
		place.AddUser(t, directory.User{ID: fmt.Sprintf("champion-%d", i), Name: "C", Username: fmt.Sprintf("c%d", i), Type: authz.General,
			Locations: []string{"clinic"}, Persona: directory.Champion})
	}
	champions, err := store.Champions(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, u := range champions {
		ids = append(ids, u.ID)
	}
	if !slices.Equal(ids, []string{"champion-0", "champion-1", "champion-2"}) {
		t.Errorf("P6 %v", ids)
	}
}

func TestAHandOverIsBegunOnce(t *testing.T) {
	store, _ := fixture.World(t)
	claim := func(s *dynamo.Store, attempt, address string) bool {
		mine, err := s.Claim(t.Context(), fixture.Organization, persona.Handing{Slot: "2026-03-02", Address: address, Attempt: attempt, Status: persona.Sending})
		if err != nil {
			t.Fatal(err)
		}
		return mine
	}
	settle := func(attempt string, status persona.MailStatus) {
		h := persona.Handing{Slot: "2026-03-02", Address: "c@x.example", Attempt: attempt, Status: status}
		if err := store.Settle(t.Context(), fixture.Organization, h); err != nil {
			t.Fatal(err)
		}
	}
	if !claim(store, "one", "c@x.example") || claim(store, "two", "C@X.example") {
		t.Error("P6 an address is written to once")
	}
	settle("two", persona.Queued) // not this one's to settle
	if claim(store, "three", "c@x.example") {
		t.Error("P6 another's hand-over was given up")
	}
	settle("one", persona.Queued)
	if !claim(store, "four", "c@x.example") {
		t.Error("P6 what was not taken can be sent again")
	}
	for _, status := range []persona.MailStatus{persona.Sent, persona.Failed, persona.Unknown} {
		settle("four", status)
		if claim(store, "five", "c@x.example") {
			t.Errorf("P6 a mail that is %v was begun again", status)
		}
	}
	if !claim(store, "six", "d@x.example") {
		t.Error("P6 another address waits for nobody")
	}
}
