package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/fault"
)

// person is somebody in the base.
func person(id string, locations ...string) directory.User {
	return directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: locations, Persona: directory.Frontline}
}

// goes writes a user who goes somewhere else, and is who they are then.
func (b *bare) goes(u directory.User, to ...string) directory.User {
	b.t.Helper()
	after := u
	after.Locations = to
	if err := b.put(u, after); err != nil {
		b.t.Fatal(err)
	}
	after.Version = u.Version + 1
	return after
}

// settle makes an organization of people who have been there for long.
func (b *bare) settle(people ...directory.User) []directory.User {
	b.t.Helper()
	for i := range people {
		if err := b.put(directory.User{}, people[i]); err != nil {
			b.t.Fatal(err)
		}
		people[i].Version++
	}
	b.advance(time.Minute)
	return people
}

// bySet is how many people a census finds, by set.
func (b *bare) bySet() (map[string]int, error) {
	c, err := b.Census(b.t.Context(), "o")
	found := map[string]int{}
	for _, p := range c.Populations {
		if n := p.Counts.Base(); n > 0 {
			found[strings.Join(p.Locations, "+")] += n
		}
	}
	return found, err
}

// underWay is what a strong query may show while writes are under way: of each
// counter in the mask the item before them.
func underWay(before map[key]attributes, changed []key, mask int) dynamotest.Hook {
	return func(operation string, _ any, next func() (any, error)) (any, error) {
		answer, err := next()
		if out, ok := answer.(*dynamodb.QueryOutput); ok && operation == "Query" {
			var items []attributes
			for _, item := range out.Items {
				i := slices.Index(changed, keyOf(item))
				if i < 0 || mask&(1<<i) == 0 {
					items = append(items, item)
				} else if was, there := before[keyOf(item)]; there {
					items = append(items, was)
				}
			}
			out.Items, out.Count = items, int32(len(items))
		}
		return answer, err
	}
}

func (b *bare) countersNow() map[key]attributes {
	b.t.Helper()
	found, err := b.counters(b.t.Context(), "o")
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// TestP8NobodyIsLostWhileAMoveIsUnderWay shows a census each mixture of the two
// counters of a move that has just been acknowledged, one of them new.
func TestP8NobodyIsLostWhileAMoveIsUnderWay(t *testing.T) {
	b := openBare(t)
	people := b.settle(person("ada", "east"), person("ben", "east"), person("cleo", "west"))
	before := b.countersNow()
	b.goes(people[0], "north")
	changed := []key{countKey("o", []string{"east"}), countKey("o", []string{"north"})}
	for mask := range 4 {
		calls := b.counted(underWay(before, changed, mask), func() {
			found, err := b.bySet()
			if err != nil || found["east"] != 1 || found["north"] != 1 || found["west"] != 1 {
				t.Errorf("P8 mixture %d: %v, %v", mask, found, err)
			}
		})
		if calls["Query"] != 1 || calls["TransactGetItems"] != 4 {
			t.Errorf("mixture %d: %v", mask, calls)
		}
	}
	b.advance(youngAge + time.Second)
	calls := b.counted(nil, func() {
		if found, err := b.bySet(); err != nil || found["east"] != 1 {
			t.Errorf("%v, %v", found, err)
		}
	})
	if calls["Query"] != 1 || calls["TransactGetItems"] != 2 {
		t.Errorf("P8 a move of long ago is read again: %v", calls)
	}
}

// TestP8MovesBeyondTheNamedOnesAreWaitedFor makes more moves than MOVES names:
// while the first of them may be under way there is no census.
func TestP8MovesBeyondTheNamedOnesAreWaitedFor(t *testing.T) {
	b := openBare(t)
	people := b.settle(person("ada", "east"), person("ben", "east"))
	at := [][]string{{"west"}, {"east"}}
	for i := range namedMoves + 1 {
		people[0] = b.goes(people[0], at[i%2]...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	calls := b.counted(nil, func() {
		if _, err := b.Census(ctx, "o"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("P8 %v", err)
		}
	})
	if calls["Query"] > 0 {
		t.Errorf("counters were read in vain: %v", calls)
	}
	b.advance(youngAge + time.Second)
	if found, err := b.bySet(); err != nil || found["east"] != 1 || found["west"] != 1 {
		t.Errorf("P8 %v, %v", found, err)
	}
}

// TestP8ACensusThatFellBehindStartsAnew: more moves than are named come while
// it reads.
func TestP8ACensusThatFellBehindStartsAnew(t *testing.T) {
	b := openBare(t)
	people := b.settle(person("ada", "east"), person("ben", "east"))
	queries := 0
	calls := b.counted(func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "Query" {
			if queries++; queries == 1 {
				for i := range namedMoves + 1 {
					people[0] = b.goes(people[0], [][]string{{"west"}, {"east"}}[i%2]...)
				}
				b.advance(time.Minute)
			}
		}
		return next()
	}, func() {
		if found, err := b.bySet(); err != nil || found["east"] != 1 || found["west"] != 1 {
			t.Errorf("P8 %v, %v", found, err)
		}
	})
	if calls["Query"] != 2 {
		t.Errorf("%v", calls)
	}
}

// TestMovesOfBeforeTheyWereNamed: a young move that left no name is waited for,
// an old one is whole.
func TestMovesOfBeforeTheyWereNamed(t *testing.T) {
	b := openBare(t)
	b.settle(person("ada", "east"))
	unnamed := b.begin()
	unnamed.put(movesKey("o"), movesItem{stored{V: 7}}, absent, raced())
	if err := unnamed.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	at, err := b.atRest(t.Context(), "o")
	if err != nil || at.moves != 7 || len(at.recent) != 0 {
		t.Fatalf("%+v, %v", at, err)
	}
	if _, all := at.young(b.now().Add(-youngAge)); all {
		t.Error("P8 a young move without a name was overlooked")
	}
	b.advance(youngAge + time.Second)
	if found, err := b.bySet(); err != nil || found["east"] != 1 {
		t.Errorf("P8 %v, %v", found, err)
	}
}

func TestTheNamesOfMovesCostNoKilobyte(t *testing.T) {
	b := openBare(t)
	u := b.settle(person("ada", "east"))[0]
	for i := range namedMoves + 2 {
		u = b.goes(u, [][]string{{"west"}, {"east"}}[i%2]...)
	}
	found, err := b.transactGet(t.Context(), []key{movesKey("o")})
	if err != nil {
		t.Fatal(err)
	}
	item := found[movesKey("o")]
	if got := recentMoves(item); len(got) != namedMoves {
		t.Errorf("%d names", len(got))
	}
	longest := size(&types.AttributeValueMemberM{Value: item}) + 64 // an id of the longest
	if longest > 1024 {
		t.Errorf("MOVES has up to %d bytes: each move pays for two kilobytes", longest)
	}
}

// TestEveryStretchOfSetsIsReadOnce: the stretches after a place are all that
// follows it, without a gap.
func TestEveryStretchOfSetsIsReadOnce(t *testing.T) {
	const digits = "0123456789abcdef"
	for _, end := range []string{"SET#00aa", "SET#0fff", "SET#7f00", "SET#f0ab", "SET#fe01", "SET#ff00", "SET#ffff"} {
		spans := setSpansAfter("o", end, abreast)
		for _, a := range digits {
			for _, b := range digits {
				sk := "SET#" + string(a) + string(b) + "5c"
				in := 0
				for _, q := range spans {
					if sk > cmp.Or(q.after, q.from) && sk <= q.to {
						in++
					}
				}
				if want := map[bool]int{true: 1}[sk > end]; in != want {
					t.Errorf("after %s, %s is in %d stretches, want %d: %+v", end, sk, in, want, spans)
				}
			}
		}
	}
}
