package persona_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// two has an organization that cannot be read beside the fixture's.
type two struct{ ledger }

func (w two) SetCounts(ctx context.Context, o string) ([]persona.SetCount, error) {
	if o == "broken" {
		return nil, fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
	}
	return w.ledger.SetCounts(ctx, o)
}

func TestP8TheWatchGoesOnPastWhatFails(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", "frontline", 2)
	w := two{l}
	var told []string
	err := persona.NewWatch(persona.NewReconciler(w), w, l.place.Clock.Now).Each(t.Context(), []string{"broken", fixture.Organization}, func(w persona.Watching) {
		told = append(told, fmt.Sprint(w.Organization, " ", w.Found.Drift(), " ", w.Err != nil))
	})
	if !fault.Is(err, fault.Unavailable) || !slices.Equal(told, []string{"broken 0 true", "riverside 1 false"}) {
		t.Errorf("%v %q", err, told)
	}
	entries := l.entries(t)
	if len(entries) != 1 || entries[0].Action != "reconcile" {
		t.Fatalf("T1 %+v", entries)
	}
	if _, still := l.reconcile(t, false); len(still) != 1 {
		t.Errorf("a watch mends nothing: %q", still)
	}
}

// TestP8DaysThatNobodyReadsAreForgotten once a week's worth of them is there;
// those that are counted stay, and the counter keeps its version.
func TestP8DaysThatNobodyReadsAreForgotten(t *testing.T) {
	l := openLedger(t)
	today := directory.DayOf(fixture.Start)
	seen := func(ago int, persona string) string { return fmt.Sprintf("seen_%d_%s", int(today)-ago, persona) }
	kept := persona.MonthDays + 5
	watch := func() int {
		forgotten := -1
		err := persona.NewWatch(persona.NewReconciler(l.Store), l.Store, l.place.Clock.Now).Each(t.Context(), []string{fixture.Organization}, func(w persona.Watching) { forgotten = w.Forgotten })
		if err != nil {
			t.Fatal(err)
		}
		return forgotten
	}
	for _, ago := range []int{kept, kept + 1, kept + 7} {
		l.corrupt(t, "icu", seen(ago, "leader"), 1)
		l.corrupt(t, "ward", seen(ago, "none"), 0)
	}
	if n := watch(); n != 0 {
		t.Errorf("%d counters were written for a few days", n)
	}
	before := l.counters(t)["icu"]
	l.corrupt(t, "icu", seen(kept+8, "champion"), 3)
	if n := watch(); n != 1 {
		t.Errorf("%d counters were tidied", n)
	}
	after := l.counters(t)
	for name, want := range map[string]bool{
		seen(kept, "leader"): true, seen(kept+1, "leader"): false, seen(kept+7, "leader"): false, seen(kept+8, "champion"): false, "frontline": true,
	} {
		if _, there := after["icu"][name]; there != want {
			t.Errorf("%s is there: %v", name, there)
		}
	}
	if after["icu"]["v"].(*types.AttributeValueMemberN).Value != before["v"].(*types.AttributeValueMemberN).Value {
		t.Error("the counter is of another version")
	}
	if _, there := after["ward"][seen(kept+7, "none")]; !there {
		t.Error("a counter with a week of old days was written")
	}
	l.place.Clock.Advance(24 * time.Hour)
	if n := watch(); n != 1 {
		t.Errorf("%d counters were tidied a day later", n)
	}
}

// TestT3ACounterThatChangedIsForgottenAnotherDay: it is not of the version read.
func TestT3ACounterThatChangedIsForgottenAnotherDay(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", fmt.Sprintf("seen_%d_leader", directory.DayOf(fixture.Start)-90), 1)
	counts, err := l.SetCounts(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	l.label(t, "nurse", directory.Leader)
	if n, err := l.Forget(t.Context(), fixture.Organization, counts); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}
