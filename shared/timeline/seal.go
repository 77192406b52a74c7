package timeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"time"

	"gemba/shared/fault"
)

// The record proves itself by a chain of blocks, one chain an organization. A block
// lists entries with their digests and names the block before it by its hash, so
// that the last hash, the head, stands for all of the record: who keeps one
// elsewhere can tell later whether anything before it was touched.
//
// Sealing follows the writing, on the table's stream, so that no writer waits and
// no two contend. What an honest writer wrote and what somebody slipped in at the
// same moment are sealed alike: the chain proves that nothing was changed after.

// Hash is a digest of an entry or of a block (SHA-256).
type Hash [sha256.Size]byte

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is the hash as a text that is kept.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote; Invalid for anything else.
func (h *Hash) UnmarshalText(text []byte) error {
	read, ok := ParseHash(string(text))
	if !ok {
		return fault.New(fault.Invalid, "malformed", "This is no hash.")
	}
	*h = read
	return nil
}

// ParseHash reads what String wrote; false for anything else.
func ParseHash(text string) (h Hash, ok bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != text {
		return Hash{}, false
	}
	return Hash(raw), true
}

// Sealed is an entry as a block lists it: its digest is over all that was stored,
// Written is when storage says it was, whatever time the entry itself tells.
type Sealed struct {
	ID      string
	Digest  Hash
	Written time.Time
}

// Block is one link of the chain. N counts from one; Through is how many entries
// the chain has with this block's; At is when it was sealed, never before the block
// that it follows.
type Block struct {
	N        uint64
	Through  uint64
	Previous Hash
	At       time.Time
	Entries  []Sealed
	Hash     Hash
}

// Head is what a chain has come to: its last block's number, entries, hash and time.
// It is zero when nothing was sealed yet.
type Head struct {
	Block   uint64
	Entries uint64
	Hash    Hash
	At      time.Time
}

// head is what the chain has come to with this block.
func (b Block) head() Head { return Head{b.N, b.Through, b.Hash, b.At} }

// follows is the block that seals these entries after this head.
func (h Head) follows(organization string, entries []Sealed, now time.Time) Block {
	return Block{
		N: h.Block + 1, Through: h.Entries + uint64(len(entries)), Previous: h.Hash,
		At: later(now, h.At).UTC().Truncate(time.Millisecond), Entries: entries,
	}.Hashed(organization)
}

// Hashed is the block with the hash that one of this organization has to have.
func (b Block) Hashed(organization string) Block {
	b.Hash = b.digest(organization)
	return b
}

// digest is what the block hashes to as one of this organization. Each part goes in
// with its length, so that no two blocks are the same text.
func (b Block) digest(organization string) Hash {
	h := sha256.New()
	add(h, "gemba timeline block", organization, fmt.Sprint(b.N), fmt.Sprint(b.Through), string(b.Previous[:]),
		fmt.Sprint(b.At.UnixMilli()), fmt.Sprint(len(b.Entries)))
	for _, e := range b.Entries {
		add(h, e.ID, string(e.Digest[:]), fmt.Sprint(e.Written.UnixMilli()))
	}
	return Hash(h.Sum(nil))
}

func add(h hash.Hash, parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
}

// Seals is what sealing needs of storage. Errors: Unavailable; Conflict raced.
type Seals interface {
	// Unsealed is the chain's head, and those of the entries that no block has yet,
	// in their order.
	Unsealed(ctx context.Context, organization string, entries []Sealed) (Head, []Sealed, error)
	// Append writes a block after this head in one transaction: raced when the chain
	// has gone on meanwhile, or one of the entries was sealed.
	Append(ctx context.Context, organization string, after Head, b Block) error
}

// MostSealed is how many entries a block has at most: with head and block a mark
// each is one transaction.
const MostSealed = 97

// mostSealings bounds how often a block is made because others were first.
const mostSealings = 16

// Sealer seals entries as the stream tells of them. It is safe for concurrent use.
type Sealer struct {
	store Seals
	now   func() time.Time
}

// NewSealer is a sealer over the storage.
func NewSealer(store Seals, now func() time.Time) *Sealer { return &Sealer{store, now} }

// Seal seals an organization's entries in this order, those left out that are sealed
// already, and answers the chain's head after each block it made, an error or not.
// Whatever failed can be sealed again.
func (s *Sealer) Seal(ctx context.Context, organization string, entries []Sealed) ([]Head, error) {
	var heads []Head
	for part := range slices.Chunk(once(entries), MostSealed) {
		head, err := s.block(ctx, organization, part)
		if err != nil {
			return heads, err
		}
		if head != (Head{}) {
			heads = append(heads, head)
		}
	}
	return heads, nil
}

// once is the entries without those that stand a second time.
func once(entries []Sealed) []Sealed {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(entries), func(e Sealed) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again
	})
}

// block makes one block of what is not sealed of these, and is the head then; zero
// when all of it was.
func (s *Sealer) block(ctx context.Context, organization string, entries []Sealed) (Head, error) {
	for attempt := range mostSealings {
		after, left, err := s.store.Unsealed(ctx, organization, entries)
		if err != nil || len(left) == 0 {
			return Head{}, err
		}
		b := after.follows(organization, left, s.now())
		if err = s.store.Append(ctx, organization, after, b); err == nil {
			return b.head(), nil
		}
		if !fault.IsRaced(err) {
			return Head{}, err
		}
		if err := pause(ctx, attempt); err != nil {
			return Head{}, err
		}
	}
	return Head{}, fault.New(fault.Unavailable, "busy", "")
}

// pause waits with full jitter, as those who were first will be at work again.
func pause(ctx context.Context, attempt int) error {
	select {
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, "busy", ctx.Err())
	case <-time.After(rand.N(min(5*time.Millisecond<<attempt, 200*time.Millisecond))):
		return nil
	}
}
