package dynamo

import (
	"context"
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

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// openSmall is a bare store whose transactions take few places, so that small
// teams are changed in parts.
func openSmall(t *testing.T) *bare {
	b, _ := founded(t)
	b.places = 8
	return b
}

// itemsBasis is what writes of items rest on here: a founded organization.
var itemsBasis = directory.Basis{Organization: "o", Policy: 1}

// teamed is an item whose team is these users, from one number to another.
func teamed(from, to int) directory.Item {
	i := directory.Item{Item: authz.Item{ID: "i", Template: "idea", Locations: []string{"ward"}, Status: authz.Active, Team: map[authz.TeamRole][]string{}}}
	for n := from; n < to; n++ {
		i.Team[authz.Follower] = append(i.Team[authz.Follower], fmt.Sprintf("u%03d", n))
	}
	return i
}

// writes an item as it was found to be; a zero one deletes.
func (b *bare) writes(ctx context.Context, before, after directory.Item) error {
	entry := timeline.Entry{At: b.clock(), Type: timeline.Item, Action: "edit", Target: timeline.Target{Type: "item", ID: "i"}}
	return b.writeItem(ctx, itemWrite{basis: itemsBasis, change: directory.ItemChange{Before: before, After: after, Entry: entry}})
}

// found is the item as it is, zero when there is none.
func (b *bare) found(t *testing.T) directory.Item {
	t.Helper()
	i, err := b.Item(t.Context(), "o", "i")
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	return i
}

// standing is the places that there are of the item, read by nobody else's way.
func (b *bare) standing(t *testing.T) map[key]bool {
	t.Helper()
	places := map[key]bool{}
	pages := dynamodb.NewScanPaginator(b.client, &dynamodb.ScanInput{TableName: &b.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if k := keyOf(item); k.sk == "ITEM#i" {
				places[k] = true
			}
		}
	}
	return places
}

// holds fails unless every place that the facts need is there; exactly, unless
// some may be too many.
func (b *bare) holds(t *testing.T, what string, exactly bool) {
	t.Helper()
	facts := b.found(t)
	needed, standing := itemWrite{basis: itemsBasis}.places(facts), b.standing(t)
	if missing := without(needed, standing); len(missing) > 0 {
		t.Fatalf("%s: version %d lacks %d places, %v among them", what, facts.Version, len(missing), missing[0])
	}
	if surplus := without(standing, needed); exactly && len(surplus) > 0 {
		t.Errorf("%s: version %d has %d places too many, %v among them", what, facts.Version, len(surplus), surplus[0])
	}
}

func TestItemsOfAnyTeam(t *testing.T) {
	b := openSmall(t)
	for _, c := range []struct {
		name     string
		from, to int // none deletes
		calls    int
	}{
		{"made at once", 0, 6, 1},
		{"changed at once", 2, 8, 1},
		{"deleted at once", 0, 0, 1},
		{"made in parts: claim, places, facts, and the claim back", 0, 30, 1 + 4 + 1 + 1},
		{"changed in parts", 20, 50, 1 + 3 + 1 + 3 + 1},
		{"one more, at once", 20, 51, 1},
		{"deleted in parts", 0, 0, 1 + 1 + 5 + 1},
	} {
		before, after := b.found(t), directory.Item{}
		if c.to > 0 {
			after = teamed(c.from, c.to)
		}
		calls := b.counted(nil, func() {
			if err := b.writes(t.Context(), before, after); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		})
		now := b.found(t)
		if len(now.Team[authz.Follower]) != c.to-c.from || c.to > 0 && now.Version != before.Version+1 {
			t.Errorf("%s: a team of %d, version %d", c.name, len(now.Team[authz.Follower]), now.Version)
		}
		if calls["TransactWriteItems"] != c.calls {
			t.Errorf("%s: %v calls, want %d", c.name, calls, c.calls)
		}
		b.holds(t, c.name, true)
	}
	if _, claimed := b.stands(t, claimKey("o", "i")); claimed {
		t.Error("a claim is left")
	}
}

func (b *bare) stands(t *testing.T, k key) (claimItem, bool) {
	t.Helper()
	var item claimItem
	there, err := b.get(t.Context(), k, &item)
	if err != nil {
		t.Fatal(err)
	}
	return item, there
}

// TestACutWriteLeavesPlacesTooManyNeverTooFew cuts a write after each of its
// calls (T3): the facts are as before or as after, and have all their places. A
// repetition makes it whole.
func TestACutWriteLeavesPlacesTooManyNeverTooFew(t *testing.T) {
	for name, c := range map[string]struct{ before, after directory.Item }{
		"made":           {directory.Item{}, teamed(0, 20)},
		"changed":        {teamed(0, 20), teamed(15, 35)},
		"deleted":        {teamed(0, 20), directory.Item{}},
		"made at once":   {directory.Item{}, teamed(0, 5)},
		"made from less": {teamed(0, 0), teamed(0, 20)},
	} {
		t.Run(name, func(t *testing.T) {
			b := openSmall(t)
			for cut := 1; ; cut++ {
				b.reset(t, c.before)
				seen, err := 0, error(nil)
				var mutex sync.Mutex
				before := b.found(t)
				b.counted(func(_ string, _ any, next func() (any, error)) (any, error) {
					mutex.Lock()
					seen++
					late := seen > cut
					mutex.Unlock()
					if late {
						return nil, errors.New("the line is cut")
					}
					return next()
				}, func() { err = b.writes(t.Context(), before, c.after) })
				now := b.found(t)
				if !sameTeam(now, c.before) && !sameTeam(now, c.after) || err == nil && !sameTeam(now, c.after) {
					t.Fatalf("cut after %d calls: a team of %d, %v", cut, len(now.Team[authz.Follower]), err)
				}
				b.holds(t, fmt.Sprintf("cut after %d calls", cut), false)
				b.advance(claimLife + time.Second)
				if now := b.found(t); !sameTeam(now, c.after) {
					if err := b.writes(t.Context(), now, c.after); err != nil {
						t.Fatalf("again, cut after %d calls: %v", cut, err)
					}
					b.holds(t, fmt.Sprintf("again, cut after %d calls", cut), false)
				}
				if seen <= cut {
					break
				}
			}
		})
	}
}

// reset makes the table hold an item as it shall be, whatever was there.
func (b *bare) reset(t *testing.T, i directory.Item) {
	t.Helper()
	for k := range b.standing(t) {
		b.drop(t, k)
	}
	b.drop(t, itemKey("o", "i"))
	b.drop(t, claimKey("o", "i"))
	if i.ID != "" {
		if err := b.writes(t.Context(), directory.Item{}, i); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bare) drop(t *testing.T, k key) {
	t.Helper()
	if _, err := b.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.table, Key: k.attributes()}); err != nil {
		t.Fatal(err)
	}
}

func sameTeam(a, b directory.Item) bool {
	return a.ID == b.ID && slices.Equal(a.Team[authz.Follower], b.Team[authz.Follower])
}

// part is a part of a transaction.
type part = func(types.TransactWriteItem) bool

func puts(k key) part {
	return func(i types.TransactWriteItem) bool { return i.Put != nil && keyOf(i.Put.Item) == k }
}

func deletes(k key) part {
	return func(i types.TransactWriteItem) bool { return i.Delete != nil && keyOf(i.Delete.Key) == k }
}

// atFirst does something at the first transaction with such a part, which then
// goes on unless it went on in between.
func atFirst(is part, do func(goOn func())) func(input any, next func() (any, error)) (any, error) {
	var mutex sync.Mutex
	met := false
	return func(input any, next func() (any, error)) (out any, err error) {
		in, writes := input.(*dynamodb.TransactWriteItemsInput)
		mutex.Lock()
		meets := !met && writes && slices.ContainsFunc(in.TransactItems, is)
		met = met || meets
		mutex.Unlock()
		if !meets {
			return next()
		}
		went := false
		goOn := func() {
			if !went {
				went = true
				out, err = next()
			}
		}
		do(goOn)
		goOn()
		return out, err
	}
}

// both is two hooks, the second within the first.
func both(one, two func(any, func() (any, error)) (any, error)) func(string, any, func() (any, error)) (any, error) {
	return func(_ string, input any, next func() (any, error)) (any, error) {
		return one(input, func() (any, error) { return two(input, next) })
	}
}

func passes(_ any, next func() (any, error)) (any, error) { return next() }

// meeting is a writer whose item was before, and whom another meets.
type meeting struct {
	*bare
	before directory.Item
	facts  key
}

// meet has a writer write, under a hook, and tells what became of it.
func (m *meeting) meet(t *testing.T, after directory.Item, hook func(string, any, func() (any, error)) (any, error)) error {
	t.Helper()
	var err error
	m.counted(hook, func() { err = m.writes(t.Context(), m.before, after) })
	return err
}

// other writes the item as it finds it.
func (m *meeting) other(t *testing.T, after directory.Item) error {
	t.Helper()
	return m.writes(t.Context(), m.found(t), after)
}

func newMeeting(t *testing.T, before directory.Item) *meeting {
	t.Helper()
	m := &meeting{bare: openSmall(t), facts: itemKey("o", "i")}
	m.reset(t, before)
	m.before = m.found(t)
	return m
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("another's write: %v", err)
	}
}

// TestWritersWhoMeet are the meetings in which a place could be lost (U3): the
// facts have all their places in the end.
func TestWritersWhoMeet(t *testing.T) {
	t.Run("what is being tidied is needed again by who writes at once", func(t *testing.T) {
		m := newMeeting(t, teamed(0, 20))
		again := teamed(15, 35)
		again.Team[authz.Author] = []string{"u001"}
		err := m.meet(t, teamed(15, 35), both(atFirst(deletes(userItemKey("o", "u001", "i")), func(func()) { succeeds(t, m.other(t, again)) }), passes))
		if err != nil {
			t.Error(err)
		}
		m.holds(t, "in the end", false)
	})
	t.Run("and by who writes in parts, when the claim has lapsed", func(t *testing.T) {
		m := newMeeting(t, teamed(0, 20))
		var tidies func()
		err := m.meet(t, teamed(15, 35), both(
			atFirst(deletes(userItemKey("o", "u001", "i")), func(goOn func()) {
				tidies = goOn
				if err := m.other(t, teamed(0, 35)); !fault.IsRaced(err) {
					t.Errorf("beside a claim that lasts: %v", err)
				}
				m.advance(claimLife + time.Second)
				succeeds(t, m.other(t, teamed(0, 35)))
			}),
			atFirst(func(i types.TransactWriteItem) bool { return tidies != nil && puts(m.facts)(i) }, func(func()) { tidies() })))
		if err != nil {
			t.Error(err)
		}
		m.holds(t, "in the end", false)
		if now := m.found(t); now.Version != 3 {
			t.Errorf("version %d", now.Version)
		}
	})
	t.Run("what was made for facts not yet written is tidied by who took the claim over", func(t *testing.T) {
		m := newMeeting(t, teamed(0, 10))
		met := false
		err := m.meet(t, teamed(0, 30), both(
			atFirst(puts(m.facts), func(func()) {
				m.advance(claimLife + time.Second)
				met = true
				if err := m.other(t, teamed(10, 29)); err == nil {
					t.Error("the other was not cut")
				}
			}),
			func(input any, next func() (any, error)) (any, error) {
				if in, writes := input.(*dynamodb.TransactWriteItemsInput); met && writes && slices.ContainsFunc(in.TransactItems, puts(m.facts)) {
					met = false
					return nil, cancelledFor("ValidationError")
				}
				return next()
			}))
		if !fault.IsRaced(err) {
			t.Errorf("who lost the claim: %v", err)
		}
		m.holds(t, "in the end", false)
	})
	t.Run("an item is made and deleted while another makes it in parts", func(t *testing.T) {
		m := newMeeting(t, directory.Item{})
		err := m.meet(t, teamed(0, 20), both(atFirst(puts(m.facts), func(func()) {
			succeeds(t, m.other(t, teamed(0, 5)))
			succeeds(t, m.other(t, directory.Item{}))
		}), passes))
		if !fault.IsRaced(err) {
			t.Errorf("who made it in parts: %v", err)
		}
		m.holds(t, "in the end", false)
	})
	t.Run("an item is deleted and made anew, in the same version", func(t *testing.T) {
		m := newMeeting(t, teamed(0, 5))
		err := m.meet(t, teamed(0, 6), both(atFirst(puts(m.facts), func(func()) {
			succeeds(t, m.other(t, directory.Item{}))
			succeeds(t, m.other(t, teamed(3, 5)))
		}), passes))
		if !fault.IsRaced(err) {
			t.Errorf("who saw the first: %v", err)
		}
		m.holds(t, "in the end", true)
	})
}

// TestWritersWhoRace is many who change one item at once, to teams that differ
// in little or in much, delete it and make it: at whatever moment all are done,
// the facts have all their places (C11, U3).
func TestWritersWhoRace(t *testing.T) {
	b := openSmall(t)
	won := map[string]int{}
	for round := range 12 {
		var group sync.WaitGroup
		var mutex sync.Mutex
		for writer := range 6 {
			d := rand.New(rand.NewPCG(uint64(round), uint64(writer)))
			group.Go(func() {
				for range 5 {
					before, err := b.Item(t.Context(), "o", "i")
					if err != nil && !fault.Is(err, fault.NotFound) {
						t.Error(err)
						return
					}
					after := directory.Item{}
					if d.IntN(5) > 0 {
						from := d.IntN(10)
						after = teamed(from, from+1+d.IntN(30))
					}
					if before.ID+after.ID == "" {
						continue
					}
					err = b.writes(t.Context(), before, after)
					if err != nil && !fault.IsRaced(err) && !fault.Is(err, fault.Unavailable) {
						t.Error(err)
					}
					mutex.Lock()
					won[outcomeOf(before, after, err)]++
					mutex.Unlock()
				}
			})
		}
		group.Wait()
		b.holds(t, fmt.Sprintf("round %d", round), false)
		b.advance(claimLife + time.Second)
	}
	for _, how := range []string{"at once", "in parts", "raced"} {
		if won[how] < 5 {
			t.Errorf("hardly any was written %s: %v", how, won)
		}
	}
	t.Log(won)
}

func outcomeOf(before, after directory.Item, err error) string {
	w := itemWrite{basis: itemsBasis}
	was, is := w.places(before), w.places(after)
	switch {
	case err != nil:
		return "raced"
	case len(without(was, is))+len(without(is, was)) > 8:
		return "in parts"
	}
	return "at once"
}

func TestUnknownUsers(t *testing.T) {
	b := openBare(t)
	var asked, want []string
	for n := range 950 {
		id := fmt.Sprintf("u%03d", n)
		asked = append(asked, id)
		if n%7 == 0 {
			b.fill(t, rowsOf(t, id, "ward", authz.RoleRef{ID: "staff"})[:1])
		} else {
			want = append(want, id)
		}
	}
	unknown, err := b.Unknown(t.Context(), "o", asked)
	if err != nil || !slices.Equal(unknown, want) {
		t.Errorf("%d of %d are unknown, want %d, %v", len(unknown), len(asked), len(want), err)
	}
	cut := func(string, any, func() (any, error)) (any, error) { return nil, errors.New("the line is cut") }
	b.counted(cut, func() { _, err = b.Unknown(t.Context(), "o", asked) })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("T3 a failure to look is no absence: %v", err)
	}
}

func TestAnItemHasItsBound(t *testing.T) {
	b := openBare(t)
	i := teamed(0, 1)
	for n := range 7000 {
		i.Team[authz.Author] = append(i.Team[authz.Author], fmt.Sprintf("%06d%s", n, strings.Repeat("x", 58)))
	}
	if err := b.writes(t.Context(), directory.Item{}, i); !fault.Is(err, fault.Unprocessable) || fault.Of(err).Code != "too_large" {
		t.Errorf("448 KB of a team: %v", err)
	}
	b.holds(t, "after it", true)
	if len(b.standing(t)) > 0 {
		t.Error("T3 places of an item that is none")
	}
}
