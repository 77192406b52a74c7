package dynamo

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// stale shows queries some items as they were before a write that is under way,
// nil for those that were not there; the first n of them, a partition each.
func stale(before map[key]attributes, n int) dynamotest.Hook {
	return func(operation string, _ any, next func() (any, error)) (any, error) {
		answer, err := next()
		out, ok := answer.(*dynamodb.QueryOutput)
		if !ok || n == 0 {
			return answer, err
		}
		var items []attributes
		changed := false
		for _, item := range out.Items {
			k := keyOf(item)
			if k == (key{}) { // a walk reads no keys
				k = directoryKey("o", text(item, "id"))
			}
			was, under := before[k]
			changed = changed || under
			if !under {
				was = item
			}
			if was != nil {
				items = append(items, was)
			}
		}
		if changed {
			n--
		}
		out.Items, out.Count = items, int32(len(items))
		return answer, err
	}
}

func (b *bare) reconcile(ctx context.Context) persona.Reconciliation {
	b.t.Helper()
	caller := directory.Caller{At: b.now(), Facts: directory.Facts{Organization: directory.Organization{ID: "o"}}}
	found, err := persona.NewReconciler(b.Store).Reconcile(ctx, caller, false)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// TestP8WhatIsHalfSeenIsNoDrift: a user has just come to a set. The counter has
// it; the lists do not show it yet, for a while or as long as anybody asks.
func TestP8WhatIsHalfSeenIsNoDrift(t *testing.T) {
	b := openBare(t)
	ada := b.settle(person("ada", "east"), person("ben", "north"))[0]
	items, _, err := b.query(t.Context(), span{pk: directoryKey("o", "").pk})
	if err != nil {
		t.Fatal(err)
	}
	before := map[key]attributes{locationUserKey("o", "north", "ada"): nil}
	for _, item := range items {
		if text(item, "id") == ada.ID {
			before[keyOf(item)] = item
		}
	}
	b.goes(ada, "north")
	for _, c := range []struct {
		name      string
		readings  int
		unsettled int
	}{{"the walk", 1, 0}, {"and the list, twice", 3, 0}, {"always", -1, 1}} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		b.counted(stale(before, c.readings), func() {
			if found := b.reconcile(ctx); found.Drift() != 0 || found.Unsettled != c.unsettled {
				t.Errorf("P8 half of a move is seen by %s: %+v", c.name, found)
			}
		})
		cancel()
	}
	b.advance(youngAge + time.Second)
	if found := b.reconcile(t.Context()); found.Drift() != 0 || found.Unsettled != 0 {
		t.Errorf("P8 %+v", found)
	}
}

// TestP8AWalkReadsOnlyWhatCounts, a page at a time, and ends with a failure.
func TestP8AWalkReadsOnlyWhatCounts(t *testing.T) {
	b := openBare(t)
	u := person("ada", "east")
	u.Email, u.OnTeam, u.Seen = "ada@riverside.example", true, 7
	if err := b.put(directory.User{OnTeam: true, Seen: 7}, u); err != nil {
		t.Fatal(err)
	}
	err := b.Everybody(t.Context(), "o", func(users []directory.User) error {
		if len(users) != 1 || users[0].Email != "" || users[0].Username != "" || !users[0].OnTeam || users[0].Seen != 7 || users[0].Persona != directory.Frontline || users[0].Locations[0] != "east" {
			t.Errorf("%+v", users)
		}
		return fault.New(fault.Unavailable, "busy", "")
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	b.counted(failing("Query", 1, fault.New(fault.Internal, "down", "")), func() {
		if err := b.Everybody(t.Context(), "o", func([]directory.User) error { return nil }); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a page that failed is no end: %v", err)
		}
	})
}
