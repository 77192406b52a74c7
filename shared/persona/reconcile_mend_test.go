package persona_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

func TestT1AMendIsAnEntry(t *testing.T) {
	l := openLedger(t)
	today := directory.DayOf(fixture.Start)
	l.corrupt(t, "icu", "frontline", 2)
	l.corrupt(t, "icu", fmt.Sprintf("seen_%d_leader", today), 1)
	l.corrupt(t, "hospital", "none", -1)
	if found, _ := l.reconcile(t, true); found.Mended != 3 {
		t.Fatalf("%d mended", found.Mended)
	}
	entries := l.entries(t)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	set := func(location string, rest map[string]any) map[string]any {
		rest["locations"] = []any{location}
		return rest
	}
	want := timeline.Entry{
		ID: entries[0].ID, At: fixture.Start, Type: timeline.Audit, Action: "mend", Subject: timeline.Person{ID: "root", Name: "Ruth Root"},
		Target: timeline.Target{Type: "organization", ID: fixture.Organization}, RequestID: "request-root",
		Before: timeline.Values{"counts": []any{
			set("hospital", map[string]any{"people": map[string]any{"none": 3.0}}),
			set("icu", map[string]any{"people": map[string]any{"frontline": 4.0}, "active": map[string]any{"2026-03-02": map[string]any{"leader": 1.0}}}),
		}},
		After: timeline.Values{"counts": []any{
			set("hospital", map[string]any{"people": map[string]any{"none": 4.0}}),
			set("icu", map[string]any{"people": map[string]any{"frontline": 2.0}, "active": map[string]any{"2026-03-02": map[string]any{"leader": 0.0}}}),
		}},
	}
	if diff := cmp.Diff(want, entries[0]); diff != "" {
		t.Error(diff)
	}
}

func TestT3ACounterThatChangesIsNotMended(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", "frontline", 2)
	l.corrupt(t, "hospital", "frontline", 2)
	changed := false
	w := &inTheWay{beforeMend: func() {
		if !changed {
			changed = true
			l.label(t, "nurse", directory.Leader)
		}
	}}
	if found := l.through(t, w, true); found.Drift() != 2 || found.Mended != 1 {
		t.Errorf("%+v", found)
	}
	l.place.Clock.Advance(time.Minute)
	if _, told := l.reconcile(t, false); !slices.Equal(told, []string{"icu frontline people: 3 is 1"}) {
		t.Errorf("T3 %q", told)
	}
}

func TestI5WhoMayNoLongerMendsNoLonger(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", "frontline", 2)
	c := l.root(t)
	c.Again = func(context.Context, directory.Keys) (directory.Caller, error) {
		return l.place.Caller(t, "coach", directory.Keys{}), nil
	}
	if _, err := persona.NewReconciler(l.Store).Reconcile(t.Context(), c, true); !fault.Is(err, fault.Denied) {
		t.Errorf("%v", err)
	}
	if _, told := l.reconcile(t, false); len(told) != 1 {
		t.Errorf("it was mended: %q", told)
	}
}

func TestT1ManyCountersAreMendedInParts(t *testing.T) {
	l := openLedger(t)
	places := []string{"hospital", "surgery", "icu", "medicine", "ward", "clinic"}
	for n := 1; n < 42; n++ {
		var at []string
		for i, place := range places {
			if n&(1<<i) != 0 {
				at = append(at, place)
			}
		}
		id := fmt.Sprintf("u%d", n)
		l.place.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: at})
	}
	l.place.Clock.Advance(time.Minute)
	for _, item := range l.counters(t) {
		item["team_leader"] = &types.AttributeValueMemberN{Value: "9"}
		l.write(t, item)
	}
	found, _ := l.reconcile(t, true)
	if found.Sets != 41 || found.Drift() != 41 || found.Mended != 41 {
		t.Errorf("%d sets, drift %d, %d mended", found.Sets, found.Drift(), found.Mended)
	}
	entries, told := 0, 0
	for _, e := range l.entries(t) {
		if e.Action == "mend" {
			entries++
			told += len(e.Before["counts"].([]any))
		}
	}
	if entries != 3 || told != 41 {
		t.Errorf("T1 %d entries tell of %d counters", entries, told)
	}
	if found, told := l.reconcile(t, false); found.Drift() != 0 {
		t.Errorf("P8 still %q", told)
	}
}
