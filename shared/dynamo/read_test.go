package dynamo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/dynamotest"
	"gemba/shared/fault"
)

func thingKeys(names ...string) []key {
	var keys []key
	for _, name := range names {
		keys = append(keys, thingKey(name))
	}
	return keys
}

func numberedNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%03d", i))
	}
	return names
}

func TestC11WhatIsYoungIsReadAgainAtOneMoment(t *testing.T) {
	for name, c := range map[string]struct {
		age  time.Duration
		keys int
		want map[string]int
	}{
		"just written":           {0, 2, map[string]int{"BatchGetItem": 1, "TransactGetItems": 1}},
		"nearly ten seconds old": {youngAge - time.Millisecond, 2, map[string]int{"BatchGetItem": 1, "TransactGetItems": 1}},
		"ten seconds old":        {youngAge, 2, map[string]int{"BatchGetItem": 1}},
		"from a clock ahead":     {-time.Second, 2, map[string]int{"BatchGetItem": 1, "TransactGetItems": 1}},
		"nothing there":          {youngAge, 0, map[string]int{"BatchGetItem": 1}},
		"as many as fit, young":  {0, batchSize, map[string]int{"BatchGetItem": 1, "TransactGetItems": 1}},
		"as many as fit, old":    {youngAge, batchSize, map[string]int{"BatchGetItem": 1}},
		"more than fit, old":     {youngAge, batchSize + 1, map[string]int{"BatchGetItem": 2}},
		"more than fit, young":   {0, batchSize + 1, map[string]int{"BatchGetItem": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBare(t)
			keys := thingKeys(numberedNames(max(2, c.keys))...)
			for part := range slices.Chunk(keys[:c.keys], batchSize) {
				tx := b.begin()
				for _, k := range part {
					tx.put(k, thing{stored{V: 1}, "x"}, absent, raced())
				}
				if err := tx.commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			b.advance(c.age)
			var found map[key]attributes
			calls := b.counted(nil, func() {
				var err error
				if found, err = b.together(t.Context(), keys); err != nil {
					t.Fatal(err)
				}
			})
			if len(found) != c.keys {
				t.Errorf("%d of %d items", len(found), c.keys)
			}
			if fmt.Sprint(calls) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v", calls, c.want)
			}
		})
	}
}

// TestC11AMixtureIsNeverSeen moves one token among things, in transactions,
// while others read all of them: there is always exactly one token.
func TestC11AMixtureIsNeverSeen(t *testing.T) {
	for _, size := range []int{6, batchSize + 20} {
		t.Run(fmt.Sprintf("%d items", size), func(t *testing.T) {
			b := openBare(t)
			names := numberedNames(size)
			for i, name := range names {
				b.write(name, map[bool]string{true: "token"}[i == 0], 1)
			}
			var moving sync.WaitGroup
			moving.Go(func() {
				at := 0
				for v := uint64(2); v < 60; v++ {
					to := (at + 1 + rand.IntN(size-1)) % size
					tx := b.begin()
					tx.put(thingKey(names[at]), thing{stored{V: v}, ""}, present, raced())
					tx.put(thingKey(names[to]), thing{stored{V: v}, "token"}, present, raced())
					if err := tx.commit(t.Context()); err != nil {
						t.Error(err)
					}
					at = to
					if size > batchSize {
						time.Sleep(20 * time.Millisecond) // so that a large reading can come to rest at all
					}
				}
			})
			for range 40 {
				found, err := b.together(t.Context(), thingKeys(names...))
				if fault.Is(err, fault.Unavailable) {
					continue // to say nothing is allowed, to say what never was is not
				}
				if err != nil {
					t.Fatal(err)
				}
				tokens := 0
				for _, item := range found {
					if text(item, "says") == "token" {
						tokens++
					}
				}
				if tokens != 1 {
					t.Errorf("a reading with %d tokens", tokens)
				}
			}
			moving.Wait()
		})
	}
}

func TestReadingsAreTheSameOnlyWhenAllOfThemIs(t *testing.T) {
	item := func(value string) attributes {
		return attributes{"count": &types.AttributeValueMemberN{Value: value}, "at": &types.AttributeValueMemberN{Value: "1"}}
	}
	base := map[key]attributes{thingKey("a"): item("1")}
	for name, other := range map[string]map[key]attributes{
		"another value at the same time": {thingKey("a"): item("2")},
		"one more":                       {thingKey("a"): item("1"), thingKey("b"): item("1")},
		"one less":                       {},
		"another key":                    {thingKey("b"): item("1")},
	} {
		if same(base, other) {
			t.Errorf("%s is taken for the same", name)
		}
	}
	if !same(base, map[key]attributes{thingKey("a"): item("1")}) {
		t.Error("the same is taken for another")
	}
}

// unprocessed answers a batch but for what keep says, n times.
func unprocessed(n int, keep func(names []string) int) dynamotest.Hook {
	return func(operation string, _ any, next func() (any, error)) (any, error) {
		out, err := next()
		batch, ok := out.(*dynamodb.BatchGetItemOutput)
		if !ok || err != nil || n == 0 {
			return out, err
		}
		n--
		for table, items := range batch.Responses {
			names := make([]string, len(items))
			for i, item := range items {
				names[i] = text(item, "pk")
			}
			kept := keep(names)
			var rest []map[string]types.AttributeValue
			for _, item := range items[kept:] {
				rest = append(rest, keyOf(item).attributes())
			}
			batch.Responses[table] = items[:kept]
			if len(rest) > 0 {
				batch.UnprocessedKeys = map[string]types.KeysAndAttributes{table: {Keys: rest}}
			}
		}
		return batch, nil
	}
}

func TestUnprocessedKeysAreFinished(t *testing.T) {
	b := openBare(t)
	names := numberedNames(20)
	for _, name := range names {
		b.write(name, name, 1)
	}
	b.advance(time.Hour)
	half := func(names []string) int { return len(names) / 2 }
	none := func([]string) int { return 0 }
	for name, c := range map[string]struct {
		hook  dynamotest.Hook
		calls int
		want  string
	}{
		"half of them":       {unprocessed(1, half), 2, ""},
		"half again":         {unprocessed(3, half), 4, ""},
		"all, some times":    {unprocessed(4, none), 5, ""},
		"all, without end":   {unprocessed(1000, none), readAttempts + 1, "unavailable busy"},
		"a failure meantime": {failing("BatchGetItem", 1, errors.New("x")), 1, "unavailable storage"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := b.counted(c.hook, func() {
				found, err := b.together(t.Context(), thingKeys(append(names, "absent")...))
				if codeOf(err) != c.want {
					t.Errorf("%v, want %q", err, c.want)
				}
				if c.want == "" && len(found) != len(names) {
					t.Errorf("%d of %d items", len(found), len(names))
				}
			})
			if calls["BatchGetItem"] != c.calls {
				t.Errorf("%v, want %d", calls, c.calls)
			}
		})
	}
}

func TestAHinderedReadingIsTriedAgain(t *testing.T) {
	b := openBare(t)
	b.write("a", "x", 1)
	for name, c := range map[string]struct {
		err   error
		times int
		calls int
		want  string
	}{
		"a conflict":            {cancelledFor("TransactionConflict"), 2, 3, ""},
		"conflicts without end": {cancelledFor("None", "TransactionConflict"), 1000, readAttempts + 1, "unavailable storage"},
		"another reason":        {cancelledFor("ValidationError"), 1000, 1, "unavailable storage"},
		"throttled":             {&types.ProvisionedThroughputExceededException{}, 1000, 1, "unavailable storage"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := b.counted(failing("TransactGetItems", c.times, c.err), func() {
				found, err := b.together(t.Context(), thingKeys("a", "b"))
				if codeOf(err) != c.want || (c.want == "") != (len(found) == 1) {
					t.Errorf("%d items, %v, want %q", len(found), err, c.want)
				}
			})
			if calls["TransactGetItems"] != c.calls {
				t.Errorf("%v, want %d", calls, c.calls)
			}
		})
	}
}

func TestThrottledCallsAreRepeatedByTheSDK(t *testing.T) {
	b := openBare(t)
	b.write("a", "x", 1)
	throttled := 0
	b.client = dynamodb.New(b.client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, dynamotest.InterceptAttempts(func(_ string, _ any, next func() (any, error)) (any, error) {
			if throttled++; throttled%2 == 1 {
				return nil, &types.ProvisionedThroughputExceededException{}
			}
			return next()
		}))
	})
	if got, found := b.read("a"); !found || got.Says != "x" || throttled != 2 {
		t.Errorf("%v after %d attempts", got, throttled)
	}
}

// shelf lays out one partition of numbered items.
func (b *bare) shelf(pk string, n int, size int) []string {
	b.t.Helper()
	var names []string
	for part := range slices.Chunk(numberedNames(n), 50) {
		tx := b.begin()
		for _, name := range part {
			tx.put(key{pk, name}, thing{Says: strings.Repeat("x", size)}, absent, raced())
		}
		if err := tx.commit(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		names = append(names, part...)
	}
	return names
}

func TestQueryGivesTheWholeStretchPageAfterPage(t *testing.T) {
	b := openBare(t)
	names := b.shelf("SHELF", 120, 20_000) // more than the megabyte that one answer holds
	b.shelf("SHELF#other", 3, 1)
	backward := slices.Clone(names)
	slices.Reverse(backward)
	for name, c := range map[string]struct {
		q    span
		want []string
	}{
		"all of it":             {span{pk: "SHELF"}, names},
		"backward":              {span{pk: "SHELF", backward: true}, backward},
		"from and to, included": {span{pk: "SHELF", from: "n010", to: "n020"}, names[10:21]},
		"after":                 {span{pk: "SHELF", from: "n010", to: "n020", after: "n015"}, names[16:21]},
		"after what is not":     {span{pk: "SHELF", from: "n010", to: "n020", after: "n0155"}, names[16:21]},
		"backward after":        {span{pk: "SHELF", from: "n010", to: "n020", after: "n015", backward: true}, backward[120-15 : 120-10]},
		"a prefix":              {below("SHELF", "n11"), names[110:]},
		"nothing there":         {below("SHELF", "m"), nil},
		"another partition":     {span{pk: "SHELF#other"}, names[:3]},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{0, 1, 7, 11, 500} {
				var got []string
				for q := c.q; ; {
					q.limit = limit
					items, end, err := b.query(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					if limit > 0 && len(items) > limit {
						t.Fatalf("%d items of at most %d", len(items), limit)
					}
					for _, item := range items {
						got = append(got, text(item, "sk"))
					}
					if end == "" {
						break
					}
					q.after = end
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("limit %d: %q, want %q", limit, got, c.want)
				}
			}
		})
	}
}

func TestAFailedQueryIsUnavailable(t *testing.T) {
	b := openBare(t)
	b.shelf("SHELF", 120, 20_000)
	second := 0
	calls := b.counted(func(_ string, _ any, next func() (any, error)) (any, error) {
		if second++; second == 2 {
			return nil, errors.New("gone")
		}
		return next()
	}, func() {
		if items, _, err := b.query(t.Context(), span{pk: "SHELF"}); !fault.Is(err, fault.Unavailable) || items != nil {
			t.Errorf("%d items, %v", len(items), err)
		}
	})
	if calls["Query"] != 2 {
		t.Errorf("%v", calls)
	}
}

func TestAReadingThatFailsIsNeverAnAbsence(t *testing.T) {
	b := openBare(t)
	b.write("a", "x", 1)
	b.counted(failing("GetItem", 1, errors.New("down")), func() {
		var out thing
		if found, err := b.get(t.Context(), thingKey("a"), &out); found || !fault.Is(err, fault.Unavailable) {
			t.Errorf("found %v, %v", found, err)
		}
	})
	if _, found := b.read("none"); found {
		t.Error("what is not there was found")
	}
}
