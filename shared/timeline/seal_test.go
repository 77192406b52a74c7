package timeline

import (
	"strings"
	"testing"
	"time"
)

var sealing = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

func sealedAs(id string, digest byte, written time.Time) Sealed {
	return Sealed{ID: id, Digest: Hash{digest}, Written: written}
}

// TestT2ABlocksHashIsOverAllOfIt: no two blocks have one, however alike they read.
func TestT2ABlocksHashIsOverAllOfIt(t *testing.T) {
	base := Block{N: 12, Through: 3, Previous: Hash{1}, At: sealing, Entries: []Sealed{sealedAs("a", 1, sealing), sealedAs("bc", 2, sealing)}}
	with := func(change func(*Block)) Block {
		b := base
		b.Entries = append([]Sealed{}, base.Entries...)
		change(&b)
		return b
	}
	seen := map[Hash]string{base.Hashed("o").Hash: "the block"}
	for name, b := range map[string]Block{
		"another number":        with(func(b *Block) { b.N, b.Through = 1, 23 }),
		"another count":         with(func(b *Block) { b.Through = 4 }),
		"another before":        with(func(b *Block) { b.Previous = Hash{2} }),
		"another time":          with(func(b *Block) { b.At = b.At.Add(time.Millisecond) }),
		"another order":         with(func(b *Block) { b.Entries[0], b.Entries[1] = b.Entries[1], b.Entries[0] }),
		"another id":            with(func(b *Block) { b.Entries[0].ID = "ab" }),
		"ids cut another way":   with(func(b *Block) { b.Entries[0].ID, b.Entries[1].ID = "ab", "c" }),
		"another digest":        with(func(b *Block) { b.Entries[1].Digest[31] = 1 }),
		"written at another":    with(func(b *Block) { b.Entries[1].Written = sealing.Add(time.Millisecond) }),
		"one entry less":        with(func(b *Block) { b.Entries = b.Entries[:1] }),
		"one entry twice":       with(func(b *Block) { b.Entries = append(b.Entries, b.Entries[1]) }),
		"no entries":            with(func(b *Block) { b.Entries = nil }),
		"a hash of its own too": with(func(b *Block) { b.Hash, b.N = Hash{9}, 13 }),
	} {
		h := b.Hashed("o").Hash
		if same, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, same)
		}
		seen[h] = name
	}
	if base.Hashed("o").Hash == base.Hashed("p").Hash {
		t.Error("two organizations have one block")
	}
}

// TestT2ABlockIsNeverSealedBeforeTheOneItFollows, though a clock steps back.
func TestT2ABlockIsNeverSealedBeforeTheOneItFollows(t *testing.T) {
	var head Head
	for i, c := range []struct{ clock, want time.Time }{
		{sealing, sealing}, {sealing.Add(-time.Hour), sealing}, {sealing.Add(time.Microsecond), sealing}, {sealing.Add(time.Second), sealing.Add(time.Second)},
	} {
		b := head.follows("o", []Sealed{sealedAs("a", 1, sealing)}, c.clock)
		if !b.At.Equal(c.want) || b.N != uint64(i+1) || b.Through != uint64(i+1) || b.Previous != head.Hash || b.Hash == (Hash{}) {
			t.Errorf("%d: %+v", i, b)
		}
		head = b.head()
	}
}

func TestAKeptHeadIsReadAsItIsTold(t *testing.T) {
	h := Hash{0xab, 31: 0x01}
	if kept, ok := ParseKept("1204." + h.String()); !ok || kept != (Kept{1204, h}) {
		t.Errorf("%v, %v", kept, ok)
	}
	for _, text := range []string{
		"", ".", "7", "." + h.String(), "0." + h.String(), "-7." + h.String(), "7." + strings.ToUpper(h.String()),
		"7." + h.String()[1:], "7." + h.String() + "0", "7 ." + h.String(), "99999999999999999999." + h.String(),
	} {
		if kept, ok := ParseKept(text); ok {
			t.Errorf("%q is read as %v", text, kept)
		}
	}
	var read Hash
	if text, err := h.MarshalText(); err != nil || read.UnmarshalText(text) != nil || read != h || read.UnmarshalText([]byte("x")) == nil {
		t.Errorf("%v, %v", read, err)
	}
}

// TestT2WhatIsOdd: nothing is written far from its own time but a late end (I4).
func TestT2WhatIsOdd(t *testing.T) {
	for name, c := range map[string]struct {
		late time.Duration
		end  bool
		want bool
	}{
		"at once": {0, false, false}, "an hour late": {time.Hour, false, false}, "an hour early": {-time.Hour, false, false},
		"later": {time.Hour + 1, false, true}, "earlier": {-time.Hour - 1, false, true},
		"a late end": {400 * 24 * time.Hour, true, false}, "an early end": {-time.Hour - 1, true, true},
	} {
		if got := (Found{At: sealing, End: c.end}).odd(sealing.Add(c.late)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryBreachHasItsWord(t *testing.T) {
	seen := map[string]bool{}
	for b := NoBreach + 1; b < BreachCount; b++ {
		if b.String() == "" || seen[b.String()] {
			t.Errorf("breach %d is %q", b, b)
		}
		seen[b.String()] = true
	}
	if BreachCount.String() != "" || NoBreach.String() != "" {
		t.Error("what is no breach has a word")
	}
}
