package dynamo_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
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
func report(at time.Time, location string, base int) persona.Report {
	r := persona.Report{At: at, Location: location, Base: base, Experts: persona.Row{Count: 4, Range: persona.Range{Max: 3}, Verdict: persona.Above, Change: 1}}
	for p := range r.Personas {
		r.Personas[p] = persona.Row{Count: p, Range: persona.Range{Min: p + 1, Max: p + 2}, Verdict: persona.Verdict(p % int(persona.VerdictCount)), Change: 1}
		r.Engaged[p] = persona.Engagement{Active7: p, Active30: p + 1, OnTeam: p + 2}
	}
	return r
}

// record is an audit to be kept, with counts that tell its base.
func record(at time.Time, slot, order, against, location string, base int) persona.Record {
	a := persona.Audit{ID: cmp.Or(slot, order), Slot: slot, Order: order, Against: against, Report: report(at, location, base),
		Targets: directory.DefaultTargets(), Changed: []persona.Shift{{Word: "leader", Before: persona.Below, After: persona.Within}}}
	r := persona.Record{Audit: a, Entry: timeline.Entry{At: at, Type: timeline.Audit, Action: "audit"}}
	if location == "" {
		r.Everywhere = map[string]*persona.Tally{"icu": tallied(base), "clinic": tallied(base + 1)}
	}
	return r
}

// tallied are counts that are all different.
func tallied(n int) *persona.Tally {
	var t persona.Tally
	for p := range t.Counts {
		t.Counts[p], t.OnTeam[p], t.Active7[p], t.Active30[p] = n+p, n+10+p, n+20+p, n+30+p
	}
	return &t
}

func TestP6AuditsAreKeptOnceASlotAndOneAfterTheOther(t *testing.T) {
	store, place := fixture.World(t)
	put := func(slot, order, against string, base int) bool {
		err := store.PutScheduled(t.Context(), fixture.Organization, record(place.Clock.Now(), slot, order, against, "", base))
		if err != nil && !fault.IsRaced(err) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, c := range []struct {
		what, slot, order, against string
		kept                       bool
	}{
		{"the first", "2026-03-02", "A", "", true},
		{"the slot's second", "2026-03-02", "B", "2026-03-02", false},
		{"one that saw no audit", "2026-03-03", "B", "", false},
		{"one that saw another", "2026-03-03", "B", "2026-03-01", false},
		{"the next", "2026-03-03", "B", "2026-03-02", true},
		{"a late one for a past slot", "2026-03-01", "C", "2026-03-03", true},
		{"one that did not see it", "2026-03-04", "D", "2026-03-03", false},
	} {
		if kept := put(c.slot, c.order, c.against, 7); kept != c.kept {
			t.Errorf("P6 %s: kept %v", c.what, kept)
		}
	}
	of, last, err := store.Scheduled(t.Context(), fixture.Organization, "2026-03-02")
	if err != nil || of.ID != "2026-03-02" || last.ID != "2026-03-01" {
		t.Errorf("P6 the slot has %q, the last is %q: %v", of.ID, last.ID, err)
	}
	of, last, err = store.Scheduled(t.Context(), fixture.Organization, "2026-03-01")
	if err != nil || of.ID != "2026-03-01" || last.ID != "2026-03-01" {
		t.Errorf("P6 the slot has %q, the last is %q: %v", of.ID, last.ID, err)
	}
	of, last, err = store.Scheduled(t.Context(), "nowhere", "2026-03-01")
	if err != nil || of.ID != "" || last.ID != "" {
		t.Errorf("P6 nobody's slot has %q, the last is %q: %v", of.ID, last.ID, err)
	}
}

func TestP6TheHistoryIsReadBackInPages(t *testing.T) {
	store, place := fixture.World(t)
	against := ""
	for i := range 7 {
		slot, order, location := fmt.Sprintf("2026-03-0%d", i+1), fmt.Sprintf("O%d", i), ""
		if i%3 == 2 {
			slot, location = "", "icu"
		}
		r := record(place.Clock.Now(), slot, order, against, location, i)
		var err error
		if slot == "" {
			err = store.PutAudit(t.Context(), place.Caller(t, "root", directory.Keys{}).Basis(), r, directory.Kept{})
		} else {
			err = store.PutScheduled(t.Context(), fixture.Organization, r)
			against = slot
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var bases []int
	page := directory.Page{Limit: 2}
	for pages := 0; pages < 7; pages++ {
		audits, end, err := store.Audits(t.Context(), fixture.Organization, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range audits {
			bases = append(bases, a.Report.Base)
			want := record(place.Clock.Now(), a.Slot, a.Order, a.Against, a.Report.Location, a.Report.Base).Audit
			if diff := gocmp.Diff(want, a); diff != "" {
				t.Errorf("P6 an audit reads back otherwise: %s", diff)
			}
			if again, found, err := store.Audit(t.Context(), fixture.Organization, a.ID); err != nil || !found || gocmp.Diff(a, again) != "" {
				t.Errorf("P6 %s by its id: %v, %v: %s", a.ID, found, err, gocmp.Diff(a, again))
			}
		}
		if end == "" {
			break
		}
		page.After = end
	}
	if !slices.Equal(bases, []int{6, 5, 4, 3, 2, 1, 0}) {
		t.Errorf("P6 %v", bases)
	}
	for what, id := range map[string]string{"a scheduled one by its place": "O0", "nothing": "O9", "no slot": "2026-04-01", "what is no audit": "LAST"} {
		if a, found, err := store.Audit(t.Context(), fixture.Organization, id); found || err != nil {
			t.Errorf("P6 %s is found: %+v, %v", what, a, err)
		}
	}
	if _, found, err := store.Audit(t.Context(), "nowhere", "2026-03-01"); found || err != nil {
		t.Errorf("T4 another organization's audit is found: %v", err)
	}
}

// chunks is how many items the counts of an audit are in.
func chunks(t *testing.T, place *fixture.Place, order string) int {
	t.Helper()
	out, err := place.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &place.Table, Select: types.SelectCount, KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "AUD#" + fixture.Organization}, ":sk": &types.AttributeValueMemberS{Value: "COUNTS#" + order + "#"},
		},
	})
	if err != nil || out.LastEvaluatedKey != nil {
		t.Fatal(err)
	}
	return int(out.Count)
}

func TestP6CountsOfEveryLocationAreKeptWithAnAudit(t *testing.T) {
	store, place := fixture.World(t)
	for i, slot := range []string{"2026-03-02", "2026-03-03"} {
		r := record(place.Clock.Now(), slot, slot, []string{"", "2026-03-02"}[i], "", i)
		if i == 1 {
			// More than fits into one item, however it is packed.
			r.Everywhere = map[string]*persona.Tally{"icu": tallied(1)}
			random := rand.New(rand.NewPCG(1, 2))
			for n := range 20_000 {
				r.Everywhere[fmt.Sprintf("%016x-%d", random.Uint64(), n)] = tallied(random.IntN(1000))
			}
		}
		if err := store.PutScheduled(t.Context(), fixture.Organization, r); err != nil {
			t.Fatal(err)
		}
		if parts := chunks(t, place, slot); (parts > 1) != (i == 1) {
			t.Errorf("P6 %d locations are in %d items", len(r.Everywhere), parts)
		}
		a, everywhere, err := store.Everywhere(t.Context(), fixture.Organization, slot)
		if err != nil || a.ID != slot || len(everywhere) != len(r.Everywhere) {
			t.Fatalf("P6 %d locations of %d: %v", len(everywhere), len(r.Everywhere), err)
		}
		for l, tally := range everywhere {
			if tally != *r.Everywhere[l] {
				t.Fatalf("P6 %s reads back as %+v, not %+v", l, tally, *r.Everywhere[l])
			}
		}
	}
	for location, want := range map[string]map[string]persona.Tally{
		"icu": {"2026-03-02": *tallied(0), "2026-03-03": *tallied(1)}, "clinic": {"2026-03-02": *tallied(1)}, "empty": {},
	} {
		got, err := store.TalliesAt(t.Context(), fixture.Organization, location, []string{"2026-03-02", "2026-03-03"})
		if diff := gocmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("P6 %s: %v: %s", location, err, diff)
		}
	}
	if a, everywhere, err := store.Everywhere(t.Context(), fixture.Organization, ""); err != nil || a.ID != "" || len(everywhere) > 0 {
		t.Errorf("P6 no audit has counts: %v", err)
	}
	if _, err := store.TalliesAt(t.Context(), fixture.Organization, "icu", []string{"none"}); err == nil {
		t.Error("P6 counts that are not there are nobody")
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
