package timeline

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Breach is what was done to the record.
type Breach uint8

// The breaches.
const (
	NoBreach Breach = iota
	// ChangedEntry: an entry, or a person's copy of it, is not what was sealed.
	ChangedEntry
	// RemovedEntry: an entry that was sealed is not there.
	RemovedEntry
	// InsertedEntry: an entry stands at a time at which nobody wrote it.
	InsertedEntry
	// BrokenChain: the blocks, the marks or the head are not what was sealed.
	BrokenChain
	BreachCount
)

var breachNames = [BreachCount]string{"", "changed", "removed", "inserted", "chain"}

// String is the breach's word.
func (b Breach) String() string {
	if b < BreachCount {
		return breachNames[b]
	}
	return ""
}

// Flaw is a breach that was found: in which entry, empty for the chain's own, at
// what time of the record, and what is wrong in words.
type Flaw struct {
	Breach Breach
	ID     string
	At     time.Time
	Detail string
}

// Stands tells how a mark and its block speak of an entry.
type Stands uint8

// What an entry's mark and block say.
const (
	// Unmarked: nothing says that it was sealed.
	Unmarked Stands = iota
	// Listed: it is marked, and its block lists it.
	Listed
	// Unlisted: it is marked, and its block does not list it.
	Unlisted
	// Blockless: it is marked, and the block is not there.
	Blockless
)

// Found is what storage has under the id of an entry. Digest is that of all that is
// stored, At the time it tells, Stamped the writer's clock. Placed is whether it is
// where entries of its time are. Miscopied is somebody whose copy is missing or says
// something else.
type Found struct {
	ID          string
	There       bool
	Digest      Hash
	At, Stamped time.Time
	End         bool
	Placed      bool
	Miscopied   string
	Mark        uint64
	Stands      Stands
}

// Ledger is what verifying needs of storage; it reads strongly. Errors: Unavailable.
type Ledger interface {
	// Head is what the chain says it has come to, zero when it says nothing.
	Head(ctx context.Context, organization string) (Head, error)
	// Blocks are the first of the blocks from one number to another, in order,
	// as many as a step takes. One that makes no sense has its number alone.
	Blocks(ctx context.Context, organization string, from, to uint64) ([]Block, error)
	// Stored is what is there of entries that a block lists, with their copies
	// and marks, in their order.
	Stored(ctx context.Context, organization string, ids []string) ([]Found, error)
	// Standing is a part of what stands in a month's record from a time on and
	// before another, entries and marks side by side, without their copies; and
	// the place to go on after, "" when the month has no more.
	Standing(ctx context.Context, organization string, month, from, to time.Time, after string) ([]Found, string, error)
	// Strays are copies of a person from a time on and before another that no
	// entry stands behind: for the people after one, and the one to go on after.
	Strays(ctx context.Context, organization string, from, to time.Time, after string) ([]Found, string, error)
}

// Kept is a head that was kept elsewhere: so many entries had this hash.
type Kept struct {
	Entries uint64
	Hash    Hash
}

// ParseKept reads a head as it is kept: the number of entries, a dot and the hash;
// false for anything else.
func ParseKept(text string) (Kept, bool) {
	entries, hash, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(entries, 10, 64)
	read, ok := ParseHash(hash)
	return Kept{n, read}, err == nil && n > 0 && ok
}

// Claim is what is to be verified: the entries from From on and before To, by the
// chain alone or by a head that was kept elsewhere too. Created is when the
// organization was, as it says.
type Claim struct {
	Organization string
	Created      time.Time
	From, To     time.Time
	Kept         Kept
}

// NewClaim is a claim over a range of the record; zero times do not narrow it, and it
// ends about now. It begins no earlier than the organization or its chain: what was
// sealed is no less verified when somebody makes the organization younger.
func NewClaim(organization string, created, now, from, to time.Time, kept Kept) Claim {
	c := Claim{organization, created, from, now.Add(skew), kept}
	if !to.IsZero() && to.Before(c.To) {
		c.To = to
	}
	return c
}

// Phase is how far a walk has come.
type Phase uint8

// The phases, in their order.
const (
	// Beginning: the head and the place to begin are yet to be found.
	Beginning Phase = iota
	// Chain: blocks are held to each other, and entries to the blocks.
	Chain
	// Record: what stands in the record is held to marks and blocks.
	Record
	// People: copies are held to the record.
	People
	// Done: all of the range was walked.
	Done
)

// Walk is a verification on its way; it can be put down after any step and gone on
// with. First is the earliest flaw so far, by the time of the record.
//
// The chain is walked from the first block that can list an entry of the range, or
// from the kept head's if that is before, through to the head: so whatever the head
// stands for is held to it, and an entry that was written late is found. Then the
// record itself is walked, for what the chain does not list, and last each person's
// part of it.
//
// What it cannot tell: entries that were cut off the end with their blocks and marks,
// and a chain that was made anew from some block on. Both are whole in themselves,
// and found by a head that was kept elsewhere alone. Nor what was written before the
// first block: it is counted as unsealed.
type Walk struct {
	Claim
	Phase Phase
	// Head is what is proven; later blocks are another walk's.
	Head Head
	// Born is when the chain's first block was sealed.
	Born time.Time
	// Held tells that the kept head is in the chain.
	Held bool
	// Behind is what the chain had come to before the block that is next.
	Behind Head
	// Broken is the first block that is in doubt, 0 while none is.
	Broken uint64
	// Month and After are the place in the record.
	Month time.Time
	After string
	// Verified entries are as they were sealed; Unsealed ones no block of the head has.
	Verified, Unsealed int
	First              Flaw
}

// Verify goes on with a walk by steps until it is done or enough says so.
func Verify(ctx context.Context, ledger Ledger, w Walk, enough func() bool) (Walk, error) {
	v := verifier{ledger, &w, enough}
	steps := [Done]func(context.Context) error{Beginning: v.begin, Chain: v.chain, Record: v.record, People: v.people}
	for w.Phase < Done {
		if err := steps[w.Phase](ctx); err != nil {
			return w, err
		}
		if enough() {
			break
		}
	}
	return w, nil
}

// verifier takes the steps of a walk.
type verifier struct {
	Ledger
	*Walk
	enough func() bool
}

// flaw keeps the flaw if it is the first by time; of one entry, the one found first.
func (w *Walk) flaw(breach Breach, id string, at time.Time, detail string, about ...any) {
	if first := w.First; first.Breach != NoBreach && (at.After(first.At) || at.Equal(first.At) && id >= first.ID) {
		return
	}
	w.First = Flaw{breach, id, at.UTC(), fmt.Sprintf(detail, about...)}
}

// broken notes that the chain is in doubt from a block on.
func (w *Walk) broken(block uint64, at time.Time, detail string, about ...any) {
	if block = max(block, 1); w.Broken == 0 || block < w.Broken {
		w.Broken = block
	}
	if at.IsZero() {
		at = w.From // of a block that tells none
	}
	w.flaw(BrokenChain, "", at, detail, about...)
}

// has tells whether the range has an entry of this id, by the time in it.
func (w *Walk) has(id string) bool {
	at, ok := TimeOf(id)
	return ok && !at.Before(w.From.Truncate(time.Millisecond)) && at.Before(w.To)
}

// record holds a part of a month's record to marks and blocks.
func (v verifier) record(ctx context.Context) error {
	if !v.Month.Before(v.To) {
		v.Phase, v.After = People, ""
		return nil
	}
	found, end, err := v.Standing(ctx, v.Organization, v.Month, v.From, v.To, v.After)
	if err != nil {
		return err
	}
	for _, f := range found {
		v.stands(f)
	}
	if v.After = end; end == "" {
		v.Month = v.Month.AddDate(0, 1, 0)
	}
	return nil
}

// stands holds what is found in the record to what the chain says of it.
func (w *Walk) stands(f Found) {
	at, proper := TimeOf(f.ID)
	if !proper {
		at = f.At
	}
	switch {
	case !f.There:
		w.flaw(RemovedEntry, f.ID, at, "It was sealed in block %d, and is not there.", f.Mark)
	case !f.Placed:
		w.flaw(InsertedEntry, f.ID, at, "It does not stand where the entries of its time are written.")
	case f.Stands == Unmarked:
		w.unmarked(f, at)
	case f.Stands == Listed && f.Mark > w.Head.Block:
		w.Unsealed++ // meanwhile it was, under a later head
	case f.Stands == Listed: // the chain's walk has held it to its block
	case f.Stands == Blockless || w.Broken > 0 && f.Mark >= w.Broken:
		w.flaw(BrokenChain, f.ID, at, "Block %d, which sealed it by its mark, is missing or changed.", f.Mark)
	default:
		w.flaw(InsertedEntry, f.ID, at, "It is marked as sealed in block %d, which does not list it.", f.Mark)
	}
}

// unmarked is an entry that nothing says was sealed: its turn may be to come, or it
// was there before the chain.
func (w *Walk) unmarked(f Found, at time.Time) {
	switch {
	case f.odd(f.Stamped):
		w.flaw(InsertedEntry, f.ID, at, "It was not sealed, and was written at %s, far from its own time.", f.Stamped.UTC().Format(time.RFC3339))
	case w.Head.Block == 0 || f.Stamped.Before(w.Born) || !f.Stamped.Add(skew).Before(w.Head.At):
		w.Unsealed++
	default:
		w.flaw(InsertedEntry, f.ID, at, "It was never sealed, though the chain has gone on: it was put there, or its sealing was given up (see the dead letters).")
	}
}

// odd tells whether this is no time at which an entry is written that tells of its
// own. The end of an impersonation is written when it is noticed, which may be long
// after (I4); nothing else is late, and nothing early.
func (f Found) odd(written time.Time) bool {
	late := written.Sub(f.At)
	return late < -skew || late > skew && !f.End
}

// people holds copies to the record.
func (v verifier) people(ctx context.Context) error {
	strays, end, err := v.Strays(ctx, v.Organization, v.From, v.To, v.After)
	if err != nil {
		return err
	}
	for _, f := range strays {
		at, proper := TimeOf(f.ID)
		if !proper {
			at = f.At
		}
		v.flaw(InsertedEntry, f.ID, at, "It stands in the timeline of %s alone, and not in the record.", f.Miscopied)
	}
	if v.After = end; end == "" {
		v.Phase = Done
	}
	return nil
}
