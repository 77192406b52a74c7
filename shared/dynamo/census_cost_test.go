package dynamo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// manySets is how many sets of locations a large organization has.
const manySets = 20_000

// setOf is the nth of many sets: two locations of three hundred.
func setOf(n int) []string {
	return []string{fmt.Sprintf("unit-%03d", n/200), fmt.Sprintf("ward-%03d", n%200)}
}

// inSet is the ith person of an organization of so many sets.
func inSet(i, sets int) directory.User {
	u := person(fmt.Sprintf("person.%06d", i), setOf(i%sets)...)
	u.Version, u.Email, u.Type = 1, u.ID+"@riverside.example", authz.General
	u.Persona = directory.Persona(1 + i/sets%5)
	u.Seen, u.OnTeam = directory.DayOf(noon)-directory.Day(i%3), i%4 == 0
	u.SignIn, u.Sub = directory.Enabled, "sub-"+u.ID
	u.Assignments = []directory.Assignment{
		{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "frontline", Birth: 7}}, Since: noon, By: "olivia.bennett"},
		{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "unit-lead", Birth: 8}}, Since: noon, By: "olivia.bennett"},
	}
	return u
}

// large fills the store with the counters of so many people in so many sets, and
// if asked the people in the directory, as their creation would leave them.
func (b *bare) large(people, sets int, everybody bool) {
	b.t.Helper()
	at := millis(noon)
	counters := map[key]attributes{}
	var items []attributes
	for i := range people {
		u := inSet(i, sets)
		if everybody {
			item, err := attributevalue.MarshalMap(userForm(u))
			if err != nil {
				b.t.Fatal(err)
			}
			k := directoryKey("o", u.ID)
			for name, v := range k.attributes() {
				item[name] = v
			}
			item["at"] = at
			items = append(items, item)
		}
		k := countKey("o", u.Locations)
		c := counters[k]
		if c == nil {
			set, _ := attributevalue.Marshal(slices.Sorted(slices.Values(u.Locations)))
			c = k.attributes()
			c["set"], c["v"], c["at"] = set, &types.AttributeValueMemberN{Value: "5"}, at
			counters[k] = c
			items = append(items, c)
		}
		names := []string{persona.Word(u.Persona), seenName(u.Seen, u.Persona)}
		if u.OnTeam {
			names = append(names, teamName(u.Persona))
		}
		for _, name := range names {
			c[name] = &types.AttributeValueMemberN{Value: fmt.Sprint(number(c[name]) + 1)}
		}
	}
	b.pour(items)
	b.advance(time.Minute)
}

// pour writes items past the store, many at the same time.
func (b *bare) pour(items []attributes) {
	b.t.Helper()
	var group sync.WaitGroup
	batches := make(chan []types.WriteRequest)
	for range 16 {
		group.Go(func() {
			for batch := range batches {
				out, err := b.client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.table: batch}})
				if err != nil || len(out.UnprocessedItems) > 0 {
					b.t.Errorf("%v", err)
				}
			}
		})
	}
	for some := range slices.Chunk(items, 25) {
		var batch []types.WriteRequest
		for _, item := range some {
			batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
		batches <- batch
	}
	close(batches)
	group.Wait()
}

// spend is the calls and units of what act does.
func (b *bare) spend(act func(context.Context)) (calls map[string]int, units float64) {
	ctx, spent := b.Spending(b.t.Context())
	calls = b.counted(nil, func() { act(ctx) })
	return calls, spent()
}

// written is the actions of what act writes in one transaction, and its write
// units as AWS counts them: two a kilobyte begun, of each item.
func (b *bare) written(act func(context.Context) error) (actions, units int) {
	b.t.Helper()
	var keys []key
	calls := b.counted(func(operation string, input any, next func() (any, error)) (any, error) {
		if in, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
			for _, item := range in.TransactItems {
				keys = append(keys, keyWritten(item))
			}
		}
		return next()
	}, func() {
		if err := act(b.t.Context()); err != nil {
			b.t.Error(err)
		}
	})
	if len(calls) != 1 || calls["TransactWriteItems"] != 1 {
		b.t.Errorf("%v", calls)
	}
	found, err := b.transactGet(b.t.Context(), keys)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, k := range keys {
		units += 2 * max(1, (size(&types.AttributeValueMemberM{Value: found[k]})+1023)/1024)
	}
	return len(keys), units
}

func keyWritten(item types.TransactWriteItem) key {
	switch {
	case item.Put != nil:
		return keyOf(item.Put.Item)
	case item.Update != nil:
		return keyOf(item.Update.Key)
	case item.Delete != nil:
		return keyOf(item.Delete.Key)
	}
	return keyOf(item.ConditionCheck.Key)
}

// TestP8WhatCountsCostsAt20000Sets fixes what a census reads, when all is quiet
// and when somebody has just moved, and holds what a change writes to what it
// writes in an organization of two sets.
func TestP8WhatCountsCostsAt20000Sets(t *testing.T) {
	small, b := openBare(t), openBare(t)
	small.large(8, 8, false)
	b.large(manySets, manySets, false)
	census := func(people int) (map[string]int, float64) {
		return b.spend(func(ctx context.Context) {
			c, err := b.Census(ctx, "o")
			n := 0
			for _, p := range c.Populations {
				n += p.Counts.Base()
			}
			if err != nil || n != people || len(c.Populations) != manySets {
				t.Errorf("P8 %d people of %d sets: %v", n, len(c.Populations), err)
			}
		})
	}
	calls, quiet := census(manySets)
	t.Logf("a quiet census: %v, %.0f read units", calls, quiet)
	if calls["TransactGetItems"] != 2 || calls["Query"] != 1+abreast || len(calls) != 2 || quiet > 1500 {
		t.Errorf("P8 %v, %.0f units", calls, quiet)
	}
	ada := person("ada", setOf(0)...)
	is := func(version uint64, p directory.Persona, set int) directory.User {
		u := ada
		u.Version, u.Persona, u.Locations = version, p, setOf(set)
		return u
	}
	for _, step := range []struct {
		name           string
		before, after  directory.User
		actions, units int
	}{
		{"a new user", directory.User{}, ada, 6, 12},
		{"a persona", is(1, directory.Frontline, 0), is(1, directory.Leader, 0), 3, 6},
		{"a move", is(2, directory.Leader, 0), is(2, directory.Leader, 7), 8, 16},
	} {
		for name, store := range map[string]*bare{"few sets": small, "20,000 sets": b} {
			actions, units := store.written(func(ctx context.Context) error {
				t := store.begin()
				t.writeUser("o", step.before, step.after)
				return t.commit(ctx)
			})
			if actions != step.actions || units != step.units {
				t.Errorf("P8 %s at %s: %d actions, %d write units, want %d and %d", step.name, name, actions, units, step.actions, step.units)
			}
		}
	}
	calls, after := census(manySets + 1)
	t.Logf("a census after a move: %v, %.0f read units", calls, after)
	if calls["TransactGetItems"] != 4 || after-quiet > 20 {
		t.Errorf("P8 %v, %.0f units more than when it is quiet", calls, after-quiet)
	}
}

// BenchmarkCensus counts the people of 20,000 sets.
func BenchmarkCensus(b *testing.B) {
	s := openBare(b)
	s.large(5*manySets, manySets, false)
	for b.Loop() {
		calls, units := s.spend(func(ctx context.Context) {
			if _, err := s.Census(ctx, "o"); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(units, "units")
		b.ReportMetric(float64(calls["Query"]+calls["TransactGetItems"]), "requests")
	}
}

// BenchmarkReconciliation holds the counters of 20,000 sets against 100,000
// people.
func BenchmarkReconciliation(b *testing.B) {
	s := openBare(b)
	s.large(5*manySets, manySets, true)
	caller := directory.Caller{At: noon, Facts: directory.Facts{Organization: directory.Organization{ID: "o"}}}
	for b.Loop() {
		calls, units := s.spend(func(ctx context.Context) {
			found, err := persona.NewReconciler(s.Store).Reconcile(ctx, caller, false)
			if err != nil || found.Users != 5*manySets || found.Drift() != 0 || found.Unsettled != 0 {
				b.Fatalf("%d users, drift %d, %d unsettled: %v", found.Users, found.Drift(), found.Unsettled, err)
			}
		})
		b.ReportMetric(units, "units")
		b.ReportMetric(float64(calls["Query"]+calls["TransactGetItems"]), "requests")
	}
}
