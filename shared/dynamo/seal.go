package dynamo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// The seal of the timeline: a head and blocks, one item each, and a mark for each
// entry that names its block, so that a record of the stream that comes again seals
// nothing twice, and an entry's block is found. They are only ever put; of them the
// head alone is put over what was there.

type sealHeadItem struct {
	stored
	N       uint64 `dynamodbav:"n"`
	Entries uint64 `dynamodbav:"entries"`
	Hash    []byte `dynamodbav:"hash"`
	Sealed  int64  `dynamodbav:"sealed"`
}

type blockItem struct {
	stored
	N        uint64       `dynamodbav:"n"`
	Through  uint64       `dynamodbav:"through"`
	Previous []byte       `dynamodbav:"previous"`
	Sealed   int64        `dynamodbav:"sealed"`
	Entries  []sealedItem `dynamodbav:"entries"`
	Hash     []byte       `dynamodbav:"hash"`
}

type sealedItem struct {
	ID      string `dynamodbav:"id"`
	Digest  []byte `dynamodbav:"digest"`
	Written int64  `dynamodbav:"written"`
}

type markItem struct {
	stored
	N uint64 `dynamodbav:"n"`
}

// digestOf is the digest of all that an item has, its key included, whichever way
// it was read: from the table or from the stream.
func digestOf(item attributes) timeline.Hash {
	h := sha256.New()
	encode(h, &types.AttributeValueMemberM{Value: item})
	return timeline.Hash(h.Sum(nil))
}

// encode writes a value so that no two values are the same text: each part behind
// its kind and its length, members by name, sets in order.
func encode(w io.Writer, value types.AttributeValue) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		piece(w, "text", v.Value)
	case *types.AttributeValueMemberN:
		piece(w, "number", v.Value)
	case *types.AttributeValueMemberB:
		piece(w, "bytes", string(v.Value))
	case *types.AttributeValueMemberBOOL:
		piece(w, "bool", fmt.Sprint(v.Value))
	case *types.AttributeValueMemberNULL:
		piece(w, "null", "")
	case *types.AttributeValueMemberSS:
		members(w, "texts", v.Value)
	case *types.AttributeValueMemberNS:
		members(w, "numbers", v.Value)
	case *types.AttributeValueMemberBS:
		sorted := slices.SortedFunc(slices.Values(v.Value), bytes.Compare)
		piece(w, "all bytes", fmt.Sprint(len(sorted)))
		for _, b := range sorted {
			piece(w, "bytes", string(b))
		}
	case *types.AttributeValueMemberL:
		piece(w, "list", fmt.Sprint(len(v.Value)))
		for _, one := range v.Value {
			encode(w, one)
		}
	case *types.AttributeValueMemberM:
		piece(w, "map", fmt.Sprint(len(v.Value)))
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			piece(w, "name", name)
			encode(w, v.Value[name])
		}
	}
}

func piece(w io.Writer, kind, text string) { fmt.Fprintf(w, "%s %d:%s", kind, len(text), text) }

func members(w io.Writer, kind string, members []string) {
	piece(w, kind, fmt.Sprint(len(members)))
	for _, one := range slices.Sorted(slices.Values(members)) {
		piece(w, "member", one)
	}
}

// inPlace tells whether an item of the timeline stands where the entries of its time
// do, and under an id of that time.
func inPlace(o string, item attributes) bool {
	k := keyOf(item)
	at, ok := timeline.TimeOf(k.sk)
	told, err := time.Parse(time.RFC3339Nano, text(item, "time"))
	return ok && err == nil && told.Equal(at) && k == entryKey(o, at, k.sk)
}

// SealingIn is the entry of the timeline that a stream's image of a new item is, as
// a block lists it, and whose. False for any other item, and for one that stands in
// the timeline where no entry is written.
func SealingIn(image []byte, written time.Time) (organization string, e timeline.Sealed, ok bool) {
	item, err := imageOf(image)
	organization, ok = keyOf(item).entered()
	if err != nil || !ok || !inPlace(organization, item) {
		return "", timeline.Sealed{}, false
	}
	return organization, timeline.Sealed{ID: keyOf(item).sk, Digest: digestOf(item), Written: written.UTC().Truncate(time.Millisecond)}, true
}

// IsEntry tells whether a key of the stream is of an entry of the timeline, in
// whatever place.
func IsEntry(pk, sk string) bool {
	_, ok := key{pk, sk}.entered()
	return ok
}

// KeptIn is the thing of a key of the stream that is never changed and never
// removed (T2): whose it is, and a name of it that a log can have; false for any
// other.
func KeptIn(pk, sk string) (organization, name string, ok bool) {
	k := key{pk, sk}
	if organization, ok = k.kept(); !ok {
		return "", "", false
	}
	if k.kind() == blockKind {
		return organization, component(k.named()), true
	}
	return organization, component(sk), true
}

// head is the chain's head as stored; zero when there is none.
func (item sealHeadItem) head() timeline.Head {
	if item.N == 0 {
		return timeline.Head{}
	}
	return timeline.Head{Block: item.N, Entries: item.Entries, Hash: storedHash(item.Hash), At: time.UnixMilli(item.Sealed).UTC()}
}

// storedHash is a hash as stored; what is none is zero, which nothing hashes to.
func storedHash(stored []byte) (h timeline.Hash) {
	if len(stored) == len(h) {
		return timeline.Hash(stored)
	}
	return timeline.Hash{}
}

// Head is what the chain says it has come to; what cannot be read says nothing.
func (s *Store) Head(ctx context.Context, organization string) (timeline.Head, error) {
	var item sealHeadItem
	_, err := s.get(ctx, sealHeadKey(organization), &item)
	if fault.Is(err, fault.Internal) {
		return timeline.Head{}, nil
	}
	return item.head(), err
}

// markKeys are those of the entries' marks.
func markKeys(o string, entries []timeline.Sealed) []key {
	keys := make([]key, len(entries))
	for i, e := range entries {
		at, _ := timeline.TimeOf(e.ID)
		keys[i] = sealedKey(o, at, e.ID)
	}
	return keys
}

// Unsealed is the chain's head, and those of the entries that no block has, in one
// reading: no snapshot, which Append holds to.
func (s *Store) Unsealed(ctx context.Context, organization string, entries []timeline.Sealed) (timeline.Head, []timeline.Sealed, error) {
	marks := markKeys(organization, entries)
	found, err := s.batchGet(ctx, append([]key{sealHeadKey(organization)}, marks...))
	if err != nil {
		return timeline.Head{}, nil, err
	}
	var head sealHeadItem
	if err := decode(found[sealHeadKey(organization)], &head); err != nil {
		return timeline.Head{}, nil, err
	}
	var left []timeline.Sealed
	for i, e := range entries {
		if found[marks[i]] == nil {
			left = append(left, e)
		}
	}
	return head.head(), left, nil
}

// Append writes a block after this head: head, block and marks in one transaction.
// A block that stands where the head says none does is Internal: nothing can follow
// a chain that was taken back.
func (s *Store) Append(ctx context.Context, organization string, after timeline.Head, b timeline.Block) error {
	t := s.begin()
	ahead := absent
	if after.Block > 0 {
		ahead = expression.Name("n").Equal(expression.Value(after.Block)).And(expression.Name("hash").Equal(expression.Value(after.Hash[:])))
	}
	t.put(sealHeadKey(organization), sealHeadItem{N: b.N, Entries: b.Through, Hash: b.Hash[:], Sealed: b.At.UnixMilli()}, ahead, raced())
	t.put(blockKey(organization, b.N), blockForm(b), absent, fault.New(fault.Internal, "chain", ""))
	for _, mark := range markKeys(organization, b.Entries) {
		t.put(mark, markItem{N: b.N}, absent, raced())
	}
	return t.commit(ctx)
}

func blockForm(b timeline.Block) blockItem {
	item := blockItem{N: b.N, Through: b.Through, Previous: b.Previous[:], Sealed: b.At.UnixMilli(), Hash: b.Hash[:]}
	for _, e := range b.Entries {
		item.Entries = append(item.Entries, sealedItem{e.ID, e.Digest[:], e.Written.UnixMilli()})
	}
	return item
}

func (item blockItem) block() timeline.Block {
	b := timeline.Block{
		N: item.N, Through: item.Through, Previous: storedHash(item.Previous), At: time.UnixMilli(item.Sealed).UTC(), Hash: storedHash(item.Hash),
	}
	for _, e := range item.Entries {
		b.Entries = append(b.Entries, timeline.Sealed{ID: e.ID, Digest: storedHash(e.Digest), Written: time.UnixMilli(e.Written).UTC()})
	}
	return b
}

// blockAt is a block as stored; one that makes no sense, or stands under another's
// number, has its number alone.
func blockAt(item attributes) timeline.Block {
	n := keyOf(item).number()
	var read blockItem
	if err := decode(item, &read); err != nil || read.N != n {
		return timeline.Block{N: n}
	}
	return read.block()
}
