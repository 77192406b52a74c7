package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"gemba/shared/dynamotest"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// record is a stored entry as the stream tells of it.
type record struct {
	organization string
	sealed       timeline.Sealed
}

// chronicle is a record that is sealed: its entries' keys in the order they were
// written, and the heads after each block.
type chronicle struct {
	*bare
	keys  []key
	known map[key]bool
	heads []timeline.Head
}

func openChronicle(t testing.TB) *chronicle {
	c := &chronicle{bare: openBare(t), known: map[key]bool{}}
	for _, person := range []string{"i", "s", "t"} {
		c.place(attributes{}, directoryKey("o", person))
	}
	return c
}

// place puts an item under a key, past the store.
func (c *chronicle) place(item attributes, k key) {
	c.t.Helper()
	item = maps.Clone(item)
	maps.Copy(item, k.attributes())
	if _, err := c.client.PutItem(c.t.Context(), &dynamodb.PutItemInput{TableName: &c.table, Item: item}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chronicle) remove(keys ...key) {
	c.t.Helper()
	for _, k := range keys {
		if _, err := c.client.DeleteItem(c.t.Context(), &dynamodb.DeleteItemInput{TableName: &c.table, Key: k.attributes()}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// item is what stands under a key.
func (c *chronicle) item(k key) attributes {
	c.t.Helper()
	found, err := c.batchGet(c.t.Context(), []key{k})
	if err != nil {
		c.t.Fatal(err)
	}
	return found[k]
}

// told is an item as the stream tells of it, written when it says.
func told(t testing.TB, item attributes) (record, bool) {
	t.Helper()
	text, err := json.Marshal(dynamotest.Image(item))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := writtenAt(item)
	o, sealed, ok := SealingIn(text, at)
	return record{o, sealed}, ok
}

// fresh are the entries that were written since it was asked last, in order.
func (c *chronicle) fresh() []timeline.Sealed {
	c.t.Helper()
	var keys []key
	everything := c.everything()
	for k := range everything {
		if o, ok := k.entered(); ok && o == "o" && !c.known[k] {
			keys = append(keys, k)
			c.known[k] = true
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.sk, b.sk) })
	var sealed []timeline.Sealed
	for _, k := range keys {
		r, ok := told(c.t, everything[k])
		if !ok {
			c.t.Fatalf("%v is not told", k)
		}
		sealed = append(sealed, r.sealed)
	}
	c.keys = append(c.keys, keys...)
	return sealed
}

func (c *chronicle) sealer() *timeline.Sealer { return timeline.NewSealer(c.Store, c.clock) }

// seal seals what was written.
func (c *chronicle) seal(entries []timeline.Sealed) {
	c.t.Helper()
	heads, err := c.sealer().Seal(c.t.Context(), "o", entries)
	if err != nil {
		c.t.Fatal(err)
	}
	c.heads = append(c.heads, heads...)
}

// claim is all of the record.
func (c *chronicle) claim(kept timeline.Kept) timeline.Claim {
	return timeline.NewClaim("o", noon.AddDate(0, -2, 0), c.clock(), time.Time{}, time.Time{}, kept)
}

// verify holds a claim, put down and gone on with after each step.
func (c *chronicle) verify(claim timeline.Claim) timeline.Walk {
	c.t.Helper()
	w := timeline.Walk{Claim: claim}
	for steps := 0; w.Phase < timeline.Done; steps++ {
		next, err := timeline.Verify(c.t.Context(), c.Store, w, func() bool { return true })
		if err != nil || steps > 1000 {
			c.t.Fatalf("%d steps, %v", steps, err)
		}
		text, err := json.Marshal(next)
		if err != nil {
			c.t.Fatal(err)
		}
		w = timeline.Walk{}
		if err := json.Unmarshal(text, &w); err != nil {
			c.t.Fatal(err)
		}
	}
	return w
}

// whole fails unless the record is as it was sealed.
func (c *chronicle) whole(verified, unsealed int) timeline.Walk {
	c.t.Helper()
	w := c.verify(c.claim(timeline.Kept{}))
	if w.First != (timeline.Flaw{}) || w.Verified != verified || w.Unsealed != unsealed {
		c.t.Fatalf("%d verified, %d unsealed, want %d and %d; %v", w.Verified, w.Unsealed, verified, unsealed, w.First)
	}
	return w
}

// written is a chronicle of twelve entries in two months and four blocks: one of a
// denied attempt, one of an end that was noticed two days late, the third last.
func written(t testing.TB) *chronicle {
	c := openChronicle(t)
	c.advance(-4 * 24 * time.Hour) // 26 February
	for i := range 12 {
		e := entryAt(c.clock(), fmt.Sprint("request-", i))
		e.Before = timeline.Values{"persona": "frontline", "deep": map[string]any{"list": []any{"a", 1.5, true, nil, map[string]any{"x": "y"}}}}
		switch i {
		case 3:
			e.Denied, e.Cause = true, "no_grant"
		case 9:
			e.Type, e.Action, e.Target = timeline.Impersonation, "end", timeline.Target{Type: "impersonation", ID: "x"}
			e.At = e.At.Add(-47 * time.Hour)
		}
		c.enter(e)
		if i%3 == 2 {
			c.seal(c.fresh())
		}
		c.advance(12 * time.Hour)
	}
	return c
}

// edit changes an item where it stands.
func (c *chronicle) edit(k key, change func(attributes)) {
	c.t.Helper()
	item := c.item(k)
	if item == nil {
		c.t.Fatalf("nothing is under %v", k)
	}
	change(item)
	c.place(item, k)
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n any) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

func inner(v types.AttributeValue, path ...string) map[string]types.AttributeValue {
	m := v.(*types.AttributeValueMemberM).Value
	for _, name := range path {
		m = m[name].(*types.AttributeValueMemberM).Value
	}
	return m
}

// mark is the key of an entry's mark, of copy that of a person's copy.
func markKey(k key) key                { at, _ := timeline.TimeOf(k.sk); return sealedKey("o", at, k.sk) }
func copyKey(k key, person string) key { return personEntryKey("o", person, k.sk) }

// alien is an entry like another of another time, stamped as written then.
func (c *chronicle) alien(like key, at time.Time) (attributes, key) {
	return another(c.item(like), at)
}

// another is an entry like one, of another time.
func another(like attributes, at time.Time) (attributes, key) {
	item := maps.Clone(like)
	id := ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
	item["time"], item["gsi1sk"], item["at"] = str(at.UTC().Format(time.RFC3339Nano)), str(id), millis(at)
	return item, entryKey("o", at, id)
}

// put is the attributes of an item with its key.
func keyed(item attributes, k key) attributes {
	item = maps.Clone(item)
	maps.Copy(item, k.attributes())
	return item
}

// rewrite changes a block, and gives it the hash that it has to have.
func (c *chronicle) rewrite(n uint64, change func(*timeline.Block)) timeline.Block {
	c.t.Helper()
	b := blockAt(c.item(blockKey("o", n)))
	change(&b)
	b = b.Hashed("o")
	c.putBlock(b)
	return b
}

func (c *chronicle) putBlock(b timeline.Block) {
	c.t.Helper()
	t := c.begin()
	t.put(blockKey("o", b.N), blockForm(b), absent.Or(present), raced())
	if err := t.commit(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chronicle) putHead(b timeline.Block) {
	c.t.Helper()
	t := c.begin()
	t.put(sealHeadKey("o"), sealHeadItem{N: b.N, Entries: b.Through, Hash: b.Hash[:], Sealed: b.At.UnixMilli()}, absent.Or(present), raced())
	if err := t.commit(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// rechain makes the chain anew from a block on.
func (c *chronicle) rechain(n uint64, change func(*timeline.Block)) {
	c.t.Helper()
	before := blockAt(c.item(blockKey("o", n-1)))
	for ; c.item(blockKey("o", n)) != nil; n++ {
		before = c.rewrite(n, func(b *timeline.Block) {
			change(b)
			b.Previous, b.Through = before.Hash, before.Through+uint64(len(b.Entries))
		})
	}
	c.putHead(before)
}

// everyManipulation is what may be done to the record, each alone; what is found,
// and in which entry, -1 for none. Who only has the table finds nothing where kept
// is true: a head that was kept elsewhere does.
var everyManipulation = map[string]struct {
	do     func(*chronicle)
	breach timeline.Breach
	entry  int
	kept   bool
}{
	"the subject's id": {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { inner(i["subject"])["id"] = str("x") }) }, timeline.ChangedEntry, 4, false},
	"the subject's name": {func(c *chronicle) {
		c.edit(c.keys[4], func(i attributes) { inner(i["subject"])["name"] = str("Innocent") })
	}, timeline.ChangedEntry, 4, false},
	"no impersonator": {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { delete(i, "impersonator") }) }, timeline.ChangedEntry, 4, false},
	"the impersonator": {func(c *chronicle) {
		c.edit(c.keys[0], func(i attributes) { inner(i["impersonator"])["id"] = str("t") })
	}, timeline.ChangedEntry, 0, false},
	"the time": {func(c *chronicle) {
		c.edit(c.keys[4], func(i attributes) { i["time"] = str("2026-02-28T12:00:00.001Z") })
	}, timeline.ChangedEntry, 4, false},
	"the type":             {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["type"] = str("role") }) }, timeline.ChangedEntry, 4, false},
	"a type that is none":  {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["type"] = num(7) }) }, timeline.ChangedEntry, 4, false},
	"the action":           {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["action"] = str("clear") }) }, timeline.ChangedEntry, 4, false},
	"a denied one as done": {func(c *chronicle) { c.edit(c.keys[3], func(i attributes) { delete(i, "denied") }) }, timeline.ChangedEntry, 3, false},
	"a done one as denied": {func(c *chronicle) {
		c.edit(c.keys[4], func(i attributes) { i["denied"] = &types.AttributeValueMemberBOOL{Value: true} })
	}, timeline.ChangedEntry, 4, false},
	"the cause":   {func(c *chronicle) { c.edit(c.keys[3], func(i attributes) { i["cause"] = str("") }) }, timeline.ChangedEntry, 3, false},
	"the request": {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["requestId"] = str("other") }) }, timeline.ChangedEntry, 4, false},
	"the target":  {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["targetId"] = str("u") }) }, timeline.ChangedEntry, 4, false},
	"a value after": {func(c *chronicle) {
		c.edit(c.keys[4], func(i attributes) { inner(i["after"])["persona"] = str("champion") })
	}, timeline.ChangedEntry, 4, false},
	"no value before":       {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { delete(i, "before") }) }, timeline.ChangedEntry, 4, false},
	"a number deep inside":  {deep(1, num(1.25)), timeline.ChangedEntry, 5, false},
	"a text as number":      {deep(0, num(1)), timeline.ChangedEntry, 5, false},
	"a yes deep inside":     {deep(2, &types.AttributeValueMemberBOOL{}), timeline.ChangedEntry, 5, false},
	"null deep inside":      {deep(3, str("")), timeline.ChangedEntry, 5, false},
	"a member deep inside":  {deep(4, &types.AttributeValueMemberM{Value: attributes{"x": str("z")}}), timeline.ChangedEntry, 5, false},
	"its place in an index": {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["gsi1pk"] = str("T#o#role#2026-02") }) }, timeline.ChangedEntry, 4, false},
	"when it was stored":    {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["at"] = num(1) }) }, timeline.ChangedEntry, 4, false},
	"an attribute more":     {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["more"] = str("") }) }, timeline.ChangedEntry, 4, false},
	"that it expires":       {func(c *chronicle) { c.edit(c.keys[4], func(i attributes) { i["expires"] = num(1) }) }, timeline.ChangedEntry, 4, false},
	"a person's copy":       {func(c *chronicle) { c.edit(copyKey(c.keys[4], "i"), func(i attributes) { i["action"] = str("clear") }) }, timeline.ChangedEntry, 4, false},
	"a copy that is gone":   {func(c *chronicle) { c.remove(copyKey(c.keys[4], "t")) }, timeline.ChangedEntry, 4, false},
	"a copy of nothing": {func(c *chronicle) {
		item, k := c.alien(c.keys[4], noon.AddDate(0, 0, -3))
		c.keys = append(c.keys, k)
		c.place(item, copyKey(k, "t"))
	}, timeline.InsertedEntry, 12, false},
	"a copy for somebody else": {func(c *chronicle) {
		c.place(attributes{}, directoryKey("o", "z"))
		c.place(c.item(copyKey(c.keys[4], "t")), copyKey(c.keys[4], "z"))
	}, timeline.InsertedEntry, 4, false},
	"the first removed":           {removal(0), timeline.RemovedEntry, 0, false},
	"one in the middle":           {removal(5), timeline.RemovedEntry, 5, false},
	"the last removed":            {removal(11), timeline.RemovedEntry, 11, false},
	"one removed alone":           {func(c *chronicle) { c.remove(c.keys[6]) }, timeline.RemovedEntry, 6, false},
	"one removed with its mark":   {func(c *chronicle) { removal(6)(c); c.remove(markKey(c.keys[6])) }, timeline.RemovedEntry, 6, false},
	"a late end removed":          {func(c *chronicle) { removal(9)(c); c.remove(markKey(c.keys[9])) }, timeline.RemovedEntry, 9, false},
	"two removed, the first told": {func(c *chronicle) { removal(8)(c); removal(2)(c) }, timeline.RemovedEntry, 2, false},
	"a mark removed":              {func(c *chronicle) { c.remove(markKey(c.keys[6])) }, timeline.BrokenChain, 6, false},
	"a mark of another block":     {func(c *chronicle) { c.edit(markKey(c.keys[6]), func(i attributes) { i["n"] = num(1) }) }, timeline.BrokenChain, 6, false},
	"a mark of nothing":           {func(c *chronicle) { c.edit(markKey(c.keys[6]), func(i attributes) { i["n"] = str("") }) }, timeline.BrokenChain, 6, false},
	"one inserted beside the stream": {func(c *chronicle) {
		item, k := c.alien(c.keys[4], noon.AddDate(0, 0, -3))
		c.keys = append(c.keys, k)
		c.place(item, k)
	}, timeline.InsertedEntry, 12, false},
	"one inserted beside the stream, dated as stored now": {func(c *chronicle) {
		item, k := c.alien(c.keys[4], noon.AddDate(0, 0, -3))
		item["at"] = millis(c.clock())
		c.keys = append(c.keys, k)
		c.place(item, k)
	}, timeline.InsertedEntry, 12, false},
	"one inserted through the stream": {inserted(-3 * 24 * time.Hour), timeline.InsertedEntry, 12, false},
	"one inserted into the future":    {inserted(5 * time.Hour), timeline.InsertedEntry, 12, false},
	"one inserted with a mark": {func(c *chronicle) {
		item, k := c.alien(c.keys[4], noon.AddDate(0, 0, -3))
		c.keys = append(c.keys, k)
		c.place(item, k)
		c.place(attributes{"n": num(2)}, markKey(k))
	}, timeline.InsertedEntry, 12, false},
	"one inserted with a mark of a block to come": {func(c *chronicle) {
		item, k := c.alien(c.keys[4], noon.AddDate(0, 0, -3))
		c.keys = append(c.keys, k)
		c.place(item, k)
		c.place(attributes{"n": num(50)}, markKey(k))
	}, timeline.BrokenChain, 12, false},
	"one in another month's place": {func(c *chronicle) {
		c.place(c.item(c.keys[10]), key{timelinePK("o", noon.AddDate(0, -1, 0)), c.keys[10].sk})
	}, timeline.InsertedEntry, 10, false},
	"two swapped": {func(c *chronicle) {
		a, b := c.item(c.keys[4]), c.item(c.keys[5])
		c.place(a, c.keys[5])
		c.place(b, c.keys[4])
	}, timeline.ChangedEntry, 4, false},
	"a block's digest": {func(c *chronicle) {
		c.edit(blockKey("o", 2), func(i attributes) {
			inner(i["entries"].(*types.AttributeValueMemberL).Value[0])["digest"] = &types.AttributeValueMemberB{Value: make([]byte, 32)}
		})
	}, timeline.BrokenChain, -1, false},
	"a block's time":             {func(c *chronicle) { c.edit(blockKey("o", 2), func(i attributes) { i["sealed"] = num(1) }) }, timeline.BrokenChain, -1, false},
	"a block that has no form":   {func(c *chronicle) { c.edit(blockKey("o", 2), func(i attributes) { i["entries"] = str("none") }) }, timeline.BrokenChain, -1, false},
	"a block's time, with hash":  {func(c *chronicle) { c.rewrite(2, func(b *timeline.Block) { b.At = b.At.Add(time.Second) }) }, timeline.BrokenChain, -1, false},
	"a late time, with hash":     {func(c *chronicle) { c.rewrite(3, func(b *timeline.Block) { b.At = noon.AddDate(9, 0, 0) }) }, timeline.BrokenChain, -1, false},
	"an early time, with hash":   {func(c *chronicle) { c.rewrite(3, func(b *timeline.Block) { b.At = noon.AddDate(-9, 0, 0) }) }, timeline.BrokenChain, -1, false},
	"a block's number of them":   {func(c *chronicle) { c.rewrite(2, func(b *timeline.Block) { b.Through++ }) }, timeline.BrokenChain, -1, false},
	"an entry dropped from one":  {func(c *chronicle) { c.rewrite(2, func(b *timeline.Block) { b.Entries = b.Entries[1:] }) }, timeline.BrokenChain, -1, false},
	"the first block removed":    {func(c *chronicle) { c.remove(blockKey("o", 1)) }, timeline.BrokenChain, 0, false},
	"a block removed":            {func(c *chronicle) { c.remove(blockKey("o", 2)) }, timeline.BrokenChain, -1, false},
	"the last block removed":     {func(c *chronicle) { c.remove(blockKey("o", 4)) }, timeline.BrokenChain, 9, false},
	"two blocks change places":   {swapBlocks(2, 3), timeline.BrokenChain, -1, false},
	"the last two change places": {swapBlocks(3, 4), timeline.BrokenChain, -1, false},
	"the first two do":           {swapBlocks(1, 2), timeline.BrokenChain, -1, false},
	"the head's hash": {func(c *chronicle) {
		c.edit(sealHeadKey("o"), func(i attributes) { i["hash"] = &types.AttributeValueMemberB{Value: make([]byte, 32)} })
	}, timeline.BrokenChain, -1, false},
	"the head's number":       {func(c *chronicle) { c.edit(sealHeadKey("o"), func(i attributes) { i["entries"] = num(9) }) }, timeline.BrokenChain, -1, false},
	"the head's block, later": {func(c *chronicle) { c.edit(sealHeadKey("o"), func(i attributes) { i["n"] = num(9) }) }, timeline.BrokenChain, -1, false},
	"the head set back":       {func(c *chronicle) { c.putHead(blockAt(c.item(blockKey("o", 3)))) }, timeline.BrokenChain, -1, false},
	"the head removed":        {func(c *chronicle) { c.remove(sealHeadKey("o")) }, timeline.BrokenChain, -1, false},
	"the head has no form":    {func(c *chronicle) { c.edit(sealHeadKey("o"), func(i attributes) { i["n"] = str("") }) }, timeline.BrokenChain, -1, false},

	// Whole in itself: only a head that was kept elsewhere tells.
	"the end cut off":                {func(c *chronicle) { c.cut(4) }, timeline.BrokenChain, -1, true},
	"all of it cut off but one":      {func(c *chronicle) { c.cut(2) }, timeline.BrokenChain, -1, true},
	"the chain cut off, not entries": {func(c *chronicle) { c.unseal(1) }, timeline.BrokenChain, -1, true},
	"a change, and the chain made anew": {func(c *chronicle) {
		c.edit(c.keys[4], func(i attributes) { inner(i["after"])["persona"] = str("champion") })
		for _, person := range []string{"i", "s", "t"} {
			c.edit(copyKey(c.keys[4], person), func(i attributes) { inner(i["after"])["persona"] = str("champion") })
		}
		digest := digestOf(c.item(c.keys[4]))
		c.rechain(2, func(b *timeline.Block) {
			for i := range b.Entries {
				if b.Entries[i].ID == c.keys[4].sk {
					b.Entries[i].Digest = digest
				}
			}
		})
	}, timeline.BrokenChain, -1, true},
	"a removal, and the chain made anew": {func(c *chronicle) {
		removal(4)(c)
		c.remove(markKey(c.keys[4]))
		c.rechain(2, func(b *timeline.Block) {
			b.Entries = slices.DeleteFunc(b.Entries, func(e timeline.Sealed) bool { return e.ID == c.keys[4].sk })
		})
	}, timeline.BrokenChain, -1, true},
}

// deep changes a value inside a list inside of what was before.
func deep(at int, to types.AttributeValue) func(*chronicle) {
	return func(c *chronicle) {
		c.edit(c.keys[5], func(i attributes) {
			inner(i["before"], "deep")["list"].(*types.AttributeValueMemberL).Value[at] = to
		})
	}
}

// removal takes an entry out, and its copies.
func removal(n int) func(*chronicle) {
	return func(c *chronicle) {
		c.remove(c.keys[n], copyKey(c.keys[n], "i"), copyKey(c.keys[n], "s"), copyKey(c.keys[n], "t"))
	}
}

// inserted puts an entry of another time, as it would be sealed.
func inserted(from time.Duration) func(*chronicle) {
	return func(c *chronicle) {
		item, k := c.alien(c.keys[4], c.clock().Add(from))
		item["at"] = millis(c.clock())
		for _, person := range []string{"i", "s", "t"} {
			c.place(said(keyed(item, k)), copyKey(k, person))
		}
		c.place(item, k)
		c.keys = append(c.keys, k)
		r, ok := told(c.t, keyed(item, k))
		if !ok {
			c.t.Fatal("it is not told")
		}
		c.seal([]timeline.Sealed{r.sealed})
		if from > 0 {
			c.advance(from)
		}
	}
}

func swapBlocks(m, n uint64) func(*chronicle) {
	return func(c *chronicle) {
		a, b := c.item(blockKey("o", m)), c.item(blockKey("o", n))
		c.place(a, blockKey("o", n))
		c.place(b, blockKey("o", m))
	}
}

// cut takes a block and all after it off, with their entries.
func (c *chronicle) cut(n uint64) {
	for _, e := range c.unseal(n) {
		at, _ := timeline.TimeOf(e.ID)
		k := entryKey("o", at, e.ID)
		c.remove(k, copyKey(k, "i"), copyKey(k, "s"), copyKey(k, "t"))
	}
}

// unseal takes a block and all after it off, with their marks, and is what they
// listed.
func (c *chronicle) unseal(n uint64) (entries []timeline.Sealed) {
	for last := n; c.item(blockKey("o", last)) != nil; last++ {
		for _, e := range blockAt(c.item(blockKey("o", last))).Entries {
			at, _ := timeline.TimeOf(e.ID)
			c.remove(sealedKey("o", at, e.ID))
			entries = append(entries, e)
		}
		c.remove(blockKey("o", last))
	}
	c.remove(sealHeadKey("o"))
	if n > 1 {
		c.putHead(blockAt(c.item(blockKey("o", n-1))))
	}
	return entries
}

// restore makes the table what it was.
func (c *chronicle) restore(was map[key]attributes) {
	c.t.Helper()
	is := c.everything()
	for k := range is {
		if was[k] == nil {
			c.remove(k)
		}
	}
	var others []attributes
	for k, item := range was {
		if !reflect.DeepEqual(item, is[k]) {
			others = append(others, item)
		}
	}
	c.pour(others)
}

// TestT2EveryManipulationIsFound: each alone, and named.
func TestT2EveryManipulationIsFound(t *testing.T) {
	c := written(t)
	c.whole(12, 0)
	was, keys, heads, shows := c.everything(), slices.Clone(c.keys), slices.Clone(c.heads), c.clock()
	kept := timeline.Kept{Entries: heads[3].Entries, Hash: heads[3].Hash}
	for _, name := range slices.Sorted(maps.Keys(everyManipulation)) {
		m := everyManipulation[name]
		t.Run(name, func(t *testing.T) {
			c.t = t
			m.do(c)
			w := c.verify(c.claim(timeline.Kept{}))
			if m.kept {
				if w.First.Breach != timeline.NoBreach {
					t.Errorf("without a kept head: %v", w.First)
				}
				w = c.verify(c.claim(kept))
				if w.Held {
					t.Error("the kept head is believed to be in the chain")
				}
			}
			id := ""
			if m.entry >= 0 {
				id = c.keys[m.entry].sk
			}
			if w.First.Breach != m.breach || w.First.ID != id && m.entry >= 0 || w.First.Detail == "" {
				t.Errorf("found %v %q %q, want %v of %q", w.First.Breach, w.First.ID, w.First.Detail, m.breach, id)
			}
			if at, _ := timeline.TimeOf(w.First.ID); w.First.ID != "" && !w.First.At.Equal(at) {
				t.Errorf("it is told of %v", w.First.At)
			}
			c.restore(was)
			c.keys, c.heads = slices.Clone(keys), slices.Clone(heads)
			c.advance(shows.Sub(c.clock()))
		})
	}
	c.t = t
	c.whole(12, 0)
}

// TestT2AKeptHeadStaysInTheChain: each head that there was, while the chain goes on.
func TestT2AKeptHeadStaysInTheChain(t *testing.T) {
	c := written(t)
	for _, h := range c.heads {
		w := c.verify(c.claim(timeline.Kept{Entries: h.Entries, Hash: h.Hash}))
		if !w.Held || w.First.Breach != timeline.NoBreach || w.Head != c.heads[3] {
			t.Errorf("%v: %v, %v", h, w.Held, w.First)
		}
		for name, kept := range map[string]timeline.Kept{
			"another number": {Entries: h.Entries - 1, Hash: h.Hash}, "another hash": {Entries: h.Entries, Hash: c.heads[h.Block%4].Hash},
			"more than there are": {Entries: 13, Hash: h.Hash},
		} {
			if w := c.verify(c.claim(kept)); w.Held || w.First.Breach != timeline.BrokenChain {
				t.Errorf("%s: %v, %v", name, w.Held, w.First)
			}
		}
	}
}

// TestT2AnOrganizationMadeYoungerIsFound: readings of the record begin with the
// organization, so that who makes it younger hides all that was before.
func TestT2AnOrganizationMadeYoungerIsFound(t *testing.T) {
	c := written(t)
	oldest := c.keys[0].sk
	at, _ := timeline.TimeOf(oldest)
	for later, first := range map[time.Duration]string{0: "", time.Hour: "", time.Hour + time.Second: oldest, 40 * 24 * time.Hour: oldest} {
		claim := c.claim(timeline.Kept{})
		claim.Created = at.Add(later)
		w := c.verify(claim)
		if w.First.ID != first || (w.First.Breach == timeline.RemovedEntry) != (first != "") {
			t.Errorf("created %s later: %+v", later, w.First)
		}
	}
}

// TestOneStepHoldsOneBlock, so that a call can stop in time however much the entries
// of a block have.
func TestOneStepHoldsOneBlock(t *testing.T) {
	c := written(t)
	w, steps := timeline.Walk{Claim: c.claim(timeline.Kept{})}, 0
	for w.Phase < timeline.Record {
		next, err := timeline.Verify(t.Context(), c.Store, w, func() bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if next.Behind.Block > w.Behind.Block+1 {
			t.Errorf("one step went from block %d to %d", w.Behind.Block, next.Behind.Block)
		}
		w, steps = next, steps+1
	}
	if steps < 5 || w.Behind.Block != 4 || w.Verified != 12 {
		t.Errorf("%d steps to block %d, %d verified", steps, w.Behind.Block, w.Verified)
	}
}

// TestT2ARangeIsVerifiedAlone: what is wrong in it is found, with the blocks that
// follow, and what is wrong in entries elsewhere is not looked for.
func TestT2ARangeIsVerifiedAlone(t *testing.T) {
	c := written(t)
	c.edit(c.keys[1], func(i attributes) { i["action"] = str("x") })
	for name, r := range map[string]struct {
		from, to int // entries
		verified int
		flaw     bool
	}{
		"before it": {0, 1, 1, false}, "it alone": {1, 2, 0, true}, "after it": {2, 5, 3, false},
		"the late end's": {8, 10, 2, false}, "nothing": {3, 3, 0, false}, "all": {0, 12, 11, true},
	} {
		times := func(n int) time.Time {
			if n == 12 {
				return c.clock()
			}
			ids := slices.Clone(c.keys)
			slices.SortFunc(ids, func(a, b key) int { return strings.Compare(a.sk, b.sk) })
			at, _ := timeline.TimeOf(ids[n].sk)
			return at
		}
		w := c.verify(timeline.NewClaim("o", noon.AddDate(0, -2, 0), c.clock(), times(r.from), times(r.to), timeline.Kept{}))
		if w.Verified != r.verified || (w.First.Breach != timeline.NoBreach) != r.flaw {
			t.Errorf("%s: %d verified, %v", name, w.Verified, w.First)
		}
	}
}

// TestEntriesFromBeforeTheChainAreUnsealed, and so is what was just written.
func TestEntriesFromBeforeTheChainAreUnsealed(t *testing.T) {
	c := openChronicle(t)
	c.whole(0, 0)
	for range 3 {
		c.enter(entryAt(c.clock(), "old"))
		c.advance(24 * time.Hour)
	}
	c.fresh()
	c.whole(0, 3)
	c.enter(entryAt(c.clock(), "sealed"))
	c.seal(c.fresh())
	c.whole(1, 3)
	c.advance(24 * time.Hour)
	c.enter(entryAt(c.clock(), "young"))
	young := c.fresh()
	c.whole(1, 4)
	c.advance(time.Minute)
	c.seal(young)
	c.whole(2, 3)
	if w := c.verify(c.claim(timeline.Kept{Entries: 1, Hash: c.heads[0].Hash})); !w.Held {
		t.Errorf("%v", w.First)
	}
}

// TestT2AnyHistoryVerifiesAndAnyManipulationIsFound: whatever batches the stream
// makes of it, repeated and in any order; and whatever one item is then made.
func TestT2AnyHistoryVerifiesAndAnyManipulationIsFound(t *testing.T) {
	dynamotest.Check(t, 25, func(r *rapid.T) {
		c := openChronicle(t)
		var pending []timeline.Sealed
		n := rapid.IntRange(1, 8).Draw(r, "entries")
		for range n {
			c.enter(entryAt(c.clock(), "x"))
			c.advance(time.Duration(rapid.IntRange(1, 50).Draw(r, "minutes")) * time.Minute)
			pending = append(pending, c.fresh()...)
			if rapid.Bool().Draw(r, "delivered") {
				c.deliver(r, pending)
			}
		}
		c.deliver(r, pending)
		c.seal(pending)
		c.whole(n, 0)
		c.advance(3 * time.Hour)
		harm := c.harm(r)
		if w := c.verify(c.claim(timeline.Kept{Entries: c.heads[len(c.heads)-1].Entries, Hash: c.heads[len(c.heads)-1].Hash})); w.First.Breach == timeline.NoBreach {
			r.Errorf("%s is not found", harm)
		}
	})
}

// deliver hands over a part of what was written, again and in another order too.
func (c *chronicle) deliver(r *rapid.T, written []timeline.Sealed) {
	part := rapid.Permutation(written).Draw(r, "order")
	part = part[:rapid.IntRange(0, len(part)).Draw(r, "part")]
	if rapid.Bool().Draw(r, "twice") {
		part = append(slices.Clone(part), part...)
	}
	c.seal(part)
}

// harm does one thing to one item of the record or its seal, and tells what.
func (c *chronicle) harm(r *rapid.T) string {
	var keys []key
	all := c.everything()
	for k := range all {
		if _, kept := k.kept(); kept || k == sealHeadKey("o") {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, key.compare)
	k := rapid.SampledFrom(keys).Draw(r, "item")
	if rapid.Bool().Draw(r, "removed") {
		c.remove(k)
		return fmt.Sprintf("%v removed", k)
	}
	says := slices.DeleteFunc(slices.Sorted(maps.Keys(all[k])), func(name string) bool {
		_, entry := k.entered()
		isCopy := strings.HasPrefix(k.pk, personPK("o", ""))
		return name == "pk" || name == "sk" || name == "at" && !entry && !isCopy
	})
	name := rapid.SampledFrom(says).Draw(r, "attribute")
	var harmed types.AttributeValue = &types.AttributeValueMemberSS{Value: []string{"harm"}}
	if strings.HasPrefix(name, "gsi1") { // which DynamoDB lets be nothing but a text
		harmed = str("harm")
	}
	c.edit(k, func(i attributes) { i[name] = harmed })
	return fmt.Sprintf("%v with another %s", k, name)
}

// TestManySealersMakeOneChain: each entry once, whoever was told of it.
func TestManySealersMakeOneChain(t *testing.T) {
	c := openChronicle(t)
	for range 40 {
		c.enter(entryAt(c.clock(), "x"))
		c.advance(time.Second)
	}
	entries := c.fresh()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			mine := slices.Clone(entries)
			rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			for part := range slices.Chunk(mine[:30], 7) {
				for {
					_, err := c.sealer().Seal(t.Context(), "o", part)
					if err == nil {
						break
					}
					if !fault.Is(err, fault.Unavailable) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	c.seal(entries)
	listed := map[string]int{}
	blocks := 0
	for k, item := range c.everything() {
		if k.kind() == blockKind {
			blocks++
			for _, e := range blockAt(item).Entries {
				listed[e.ID]++
			}
		}
	}
	for id, n := range listed {
		if n != 1 {
			t.Errorf("%s is sealed %d times", id, n)
		}
	}
	if w := c.whole(40, 0); w.Head.Block != uint64(blocks) || len(listed) != 40 {
		t.Errorf("%d blocks, the head is of %d; %d entries", blocks, w.Head.Block, len(listed))
	}
}

// TestSealingDiesAtAnyCall: whichever call is the last, done or not, what comes
// again is sealed once.
func TestSealingDiesAtAnyCall(t *testing.T) {
	c := openChronicle(t)
	total, died := 0, 0
	for n := 1; ; n++ {
		calls := 0
		for _, done := range []bool{false, true} {
			for range 4 {
				c.enter(entryAt(c.clock(), "x"))
			}
			c.advance(time.Minute)
			entries := c.fresh()
			total += len(entries)
			calls = 0
			c.counted(func(_ string, _ any, next func() (any, error)) (any, error) {
				calls++
				if calls < n {
					return next()
				}
				if done && calls == n {
					_, _ = next()
				}
				return nil, errors.New("the power went")
			}, func() {
				for part := range slices.Chunk(entries, 2) {
					if _, err := c.sealer().Seal(t.Context(), "o", part); err != nil {
						died++
						return
					}
				}
			})
			c.seal(entries)
			c.whole(total, 0)
		}
		if calls < n {
			break
		}
	}
	if died != 8 {
		t.Errorf("it died %d times, at two calls of each of two blocks, done or not", died)
	}
}

// TestMoreThanABlockTakesAreSeveral, of which the first stands when the second fails.
func TestMoreThanABlockTakesAreSeveral(t *testing.T) {
	c := openChronicle(t)
	c.enter(entryAt(c.clock(), "x"))
	entries := append(c.fresh(), c.many(timeline.MostSealed)...)
	c.counted(func(operation string, input any, next func() (any, error)) (any, error) {
		if in, ok := input.(*dynamodb.TransactWriteItemsInput); ok && len(in.TransactItems) < mostActions-1 {
			return nil, errors.New("the power went")
		}
		return next()
	}, func() {
		if heads, err := c.sealer().Seal(t.Context(), "o", entries); !fault.Is(err, fault.Unavailable) || len(heads) != 1 || heads[0].Entries != timeline.MostSealed {
			t.Errorf("%v, %v", heads, err)
		}
	})
	c.seal(entries)
	if w := c.whole(timeline.MostSealed+1, 0); w.Head.Block != 2 {
		t.Errorf("%v", w.Head)
	}
}

// many writes entries past the store, a millisecond apart.
func (c *chronicle) many(n int) []timeline.Sealed {
	c.t.Helper()
	var items []attributes
	like := c.item(c.keys[0])
	for range n {
		item, k := another(like, c.clock())
		for _, person := range []string{"i", "s", "t"} {
			items = append(items, said(keyed(item, k)))
			maps.Copy(items[len(items)-1], copyKey(k, person).attributes())
		}
		items = append(items, keyed(item, k))
		c.advance(time.Millisecond)
	}
	c.pour(items)
	return c.fresh()
}

// TestALostAnswerSealsOnce: the block is there, though nobody was told.
func TestALostAnswerSealsOnce(t *testing.T) {
	c := openChronicle(t)
	c.enter(entryAt(c.clock(), "x"))
	entries := c.fresh()
	lost := false
	hook := func(operation string, _ any, next func() (any, error)) (any, error) {
		answer, err := next()
		if operation == "TransactWriteItems" && !lost {
			lost = true
			return nil, dynamotest.Lost
		}
		return answer, err
	}
	c.counted(hook, func() {
		if _, err := c.sealer().Seal(t.Context(), "o", entries); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	})
	c.seal(entries)
	if w := c.whole(1, 0); w.Head.Block != 1 {
		t.Errorf("%v", w.Head)
	}
}

// TestAChainThatWasTakenBackIsNotGoneOnWith: a block stands where the head says
// that none does.
func TestAChainThatWasTakenBackIsNotGoneOnWith(t *testing.T) {
	c := written(t)
	c.putHead(blockAt(c.item(blockKey("o", 2))))
	c.enter(entryAt(c.clock(), "x"))
	if _, err := c.sealer().Seal(t.Context(), "o", c.fresh()); codeOf(err) != "internal chain" {
		t.Errorf("%v", err)
	}
}

// TestWhatIsNoEntryIsNotSealed: other items, and entries where none is written.
func TestWhatIsNoEntryIsNotSealed(t *testing.T) {
	c := written(t)
	good := c.item(c.keys[4])
	for name, change := range map[string]func(attributes){
		"a copy":             func(i attributes) { maps.Copy(i, copyKey(c.keys[4], "s").attributes()) },
		"an id that is none": func(i attributes) { i["sk"] = str("x") },
		"another month":      func(i attributes) { i["pk"] = str("T#o#2026-09") },
		"another time":       func(i attributes) { i["time"] = str("2026-02-28T12:00:01Z") },
		"no time":            func(i attributes) { delete(i, "time") },
		"another kind":       func(i attributes) { i["pk"] = str("U#o#2026-02") },
	} {
		item := maps.Clone(good)
		change(item)
		if r, ok := told(t, item); ok {
			t.Errorf("%s: %v", name, r)
		}
	}
	if _, ok := told(t, good); !ok {
		t.Error("an entry is not told")
	}
	if _, _, ok := SealingIn([]byte("no image"), noon); ok {
		t.Error("what is no image is told")
	}
}

// TestADigestIsOverAllThatIsStored: the same from table and stream, whatever the
// attribute, and of no two items the same.
func TestADigestIsOverAllThatIsStored(t *testing.T) {
	c := openChronicle(t)
	kinds := map[string]types.AttributeValue{
		"s": str("text"), "empty": str(""), "n": num("1.50"), "large": num("12345678901234567890123456789012345678"), "small": num("1E-120"),
		"b": &types.AttributeValueMemberB{Value: []byte{0, 255}}, "no bytes": &types.AttributeValueMemberB{Value: []byte{}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "no": &types.AttributeValueMemberBOOL{}, "null": &types.AttributeValueMemberNULL{Value: true},
		"ss": &types.AttributeValueMemberSS{Value: []string{"b", "a", "é"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"3", "1", "20"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}}, "no list": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("a"), num(1)}}, "m": &types.AttributeValueMemberM{Value: attributes{"x": str("y")}},
		"no map": &types.AttributeValueMemberM{Value: attributes{}},
	}
	k := key{"THING#all", "THING"}
	c.place(kinds, k)
	stored := c.item(k)
	text, err := json.Marshal(dynamotest.Image(stored))
	if err != nil {
		t.Fatal(err)
	}
	read, err := imageOf(text)
	if err != nil || digestOf(read) != digestOf(stored) {
		t.Errorf("the stream's digest is another, %v", err)
	}
	seen := map[timeline.Hash]string{digestOf(stored): "all"}
	for name := range stored {
		for how, change := range map[string]func(attributes){
			"without": func(i attributes) { delete(i, name) },
			"another": func(i attributes) { i[name] = str("something else") },
			"inside": func(i attributes) {
				i[name] = &types.AttributeValueMemberL{Value: []types.AttributeValue{stored[name]}}
			},
		} {
			other := maps.Clone(stored)
			change(other)
			if same, taken := seen[digestOf(other)]; taken {
				t.Errorf("%s %s has the digest of %s", how, name, same)
			}
			seen[digestOf(other)] = how + " " + name
		}
	}
}

// TestWhatSealingAndVerifyingCosts, as AWS counts: a write of a transaction is two
// units a kilobyte, a strong read one for four.
func TestWhatSealingAndVerifyingCosts(t *testing.T) {
	c := openChronicle(t)
	c.enter(entryAt(c.clock(), "x"))
	entries := c.fresh()
	for _, of := range []struct{ entries, writes int }{{1, 6}, {50, 112}} {
		var keys []key
		calls := c.counted(func(_ string, input any, next func() (any, error)) (any, error) {
			if in, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
				for _, item := range in.TransactItems {
					keys = append(keys, keyWritten(item))
				}
			}
			return next()
		}, func() { c.seal(entries) })
		units := 0
		for _, k := range keys {
			units += 2 * max(1, (size(&types.AttributeValueMemberM{Value: c.item(k)})+1023)/1024)
		}
		t.Logf("sealing %d: %v, %d read units, %d write units", of.entries, calls, of.entries+1, units)
		if calls["BatchGetItem"] != 1 || calls["TransactWriteItems"] != 1 || len(calls) != 2 || units != of.writes {
			t.Errorf("sealing %d: %v, %d write units, want %d", of.entries, calls, units, of.writes)
		}
		entries = c.many(50)
	}
	c.seal(append(entries, c.many(899)...))
	calls, units := c.spend(func(ctx context.Context) {
		w, err := timeline.Verify(ctx, c.Store, timeline.Walk{Claim: c.claim(timeline.Kept{})}, func() bool { return false })
		if err != nil || w.Verified != 1000 || w.First.Breach != timeline.NoBreach {
			t.Errorf("%d verified, %v, %v", w.Verified, w.First, err)
		}
	})
	requests := 0
	for _, n := range calls {
		requests += n
	}
	t.Logf("verifying 1,000 entries of three people: %v, %d requests, %v units", calls, requests, units)
	if requests > 200 || units > 8500 {
		t.Errorf("verifying 1,000 entries: %v, %v units", calls, units)
	}
}
