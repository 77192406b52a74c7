package timeline

import (
	"context"
	"time"
)

// begin finds the head, and the block from which the range is walked.
func (v verifier) begin(ctx context.Context) error {
	head, err := v.Ledger.Head(ctx, v.Organization)
	if err != nil {
		return err
	}
	v.Walk.Head, v.Phase = head, Chain
	if err := v.overtaken(ctx); err != nil {
		return err
	}
	first, _, err := v.block(ctx, 1)
	if err != nil {
		return err
	}
	v.bound(first)
	if v.Walk.Head.Block == 0 {
		v.keeps(Block{})
		v.Phase = Record
		return nil
	}
	start, err := v.search(ctx, func(b Block) bool { return !b.At.Before(v.From.Add(-skew)) })
	if err != nil {
		return err
	}
	if v.Kept != (Kept{}) {
		kept, err := v.kept(ctx)
		if err != nil {
			return err
		}
		start = min(start, kept)
	}
	return v.behind(ctx, min(start, v.Walk.Head.Block)-1)
}

// bound lets the range begin no earlier than the organization did, or an entry of the
// first block if that was before.
func (w *Walk) bound(first Block) {
	begins := w.Created.Add(-skew)
	for _, e := range first.Entries {
		if at, ok := TimeOf(e.ID); ok && at.Before(begins) {
			begins = at
		}
	}
	w.Born, w.From = first.At, later(w.From, begins).UTC()
	w.Month = time.Date(w.From.Year(), w.From.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// overtaken notes a block after the head: head and blocks are written together, so
// that one without the other was taken back. A head that has moved since is taken
// instead.
func (v verifier) overtaken(ctx context.Context) error {
	head := v.Walk.Head
	next, err := v.Blocks(ctx, v.Organization, head.Block+1, head.Block+1)
	if err != nil || len(next) == 0 {
		return err
	}
	again, err := v.Ledger.Head(ctx, v.Organization)
	if err != nil {
		return err
	}
	if again.Block <= head.Block {
		v.broken(head.Block+1, next[0].At, "Block %d stands after the head: the head was set back.", head.Block+1)
	}
	v.Walk.Head = again
	return nil
}

// block is a block, and whether it is there and is what its hash says.
func (v verifier) block(ctx context.Context, n uint64) (Block, bool, error) {
	blocks, err := v.Blocks(ctx, v.Organization, n, n)
	if err != nil || len(blocks) == 0 {
		return Block{N: n}, false, err
	}
	b := blocks[0]
	return b, b.N == n && b.digest(v.Organization) == b.Hash, nil
}

// search is the first block for which reached holds, as it does for all after; one
// past the head when it holds for none. A block that is missing or changed is taken
// for one, so that the walk begins no later and passes over it.
func (v verifier) search(ctx context.Context, reached func(Block) bool) (uint64, error) {
	low, high := uint64(1), v.Walk.Head.Block+1
	for low < high {
		middle := low + (high-low)/2
		b, sound, err := v.block(ctx, middle)
		if err != nil {
			return 0, err
		}
		if !sound || reached(b) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, nil
}

// kept is the block of the head that was kept elsewhere, from which the walk has to
// begin; the head's own when the chain has none such, which is a flaw.
func (v verifier) kept(ctx context.Context) (uint64, error) {
	n, err := v.search(ctx, func(b Block) bool { return b.Through >= v.Kept.Entries })
	if err != nil {
		return 0, err
	}
	b, _, err := v.block(ctx, n)
	v.keeps(b)
	return n, err
}

// keeps holds the kept head, if there is one, to the block that has as many entries.
func (w *Walk) keeps(b Block) {
	switch {
	case w.Kept == (Kept{}):
	case b.Through == w.Kept.Entries && b.Hash == w.Kept.Hash:
		w.Held = true
	case w.Head.Entries < w.Kept.Entries:
		w.broken(w.Head.Block+1, w.Head.At, "The head that was kept has %d entries, and the chain %d: its end was cut off.", w.Kept.Entries, w.Head.Entries)
	default:
		w.broken(max(b.N, 1), b.At, "The head that was kept, of %d entries, is not in the chain: the chain was made anew.", w.Kept.Entries)
	}
}

// behind makes the block after this one the next.
func (v verifier) behind(ctx context.Context, n uint64) error {
	if n == 0 {
		return nil
	}
	b, sound, err := v.block(ctx, n)
	if err == nil && !sound {
		v.broken(n, b.At, "Block %d is missing or changed.", n)
	}
	v.Behind = b.head()
	v.Behind.Block = n
	return err
}

// chain holds some blocks to those before them, and their entries to what is there. It
// asks after each whether that is enough: whoever writes entries as large as there are
// could else make one step last longer than a call, and keep all from being verified.
func (v verifier) chain(ctx context.Context) error {
	blocks, err := v.Blocks(ctx, v.Organization, v.Behind.Block+1, v.Walk.Head.Block)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if v.link(b) {
			if err := v.entries(ctx, b); err != nil {
				return err
			}
		}
		if v.enough() {
			break
		}
	}
	if len(blocks) == 0 || v.Behind.Block >= v.Walk.Head.Block {
		v.end()
		v.Phase = Record
	}
	return nil
}

// link holds a block to its hash and to the one before, and tells whether its
// entries can be held to it.
func (w *Walk) link(b Block) (sound bool) {
	behind, next := w.Behind, w.Behind.Block+1
	at := behind.At
	if at.IsZero() {
		at = b.At
	}
	sound = b.N == next && b.digest(w.Organization) == b.Hash
	switch {
	case b.N > next:
		w.broken(next, at, "Block %d is missing.", next)
		sound = b.digest(w.Organization) == b.Hash
	case !sound:
		w.broken(next, at, "Block %d is not what was sealed.", next)
		b.N = next
	case b.Previous != behind.Hash:
		w.broken(behind.Block, at, "Block %d does not follow block %d: one of them is not what was sealed.", next, behind.Block)
	case b.Through != behind.Entries+uint64(len(b.Entries)) || b.At.Before(behind.At):
		w.broken(next, at, "Block %d tells another number or time than those before it.", next)
	}
	w.Behind = b.head()
	return sound
}

// end holds the last block to the head.
func (w *Walk) end() {
	switch b, h := w.Behind, w.Head; {
	case b.Block < h.Block:
		w.broken(b.Block+1, b.At, "The blocks from %d on are missing.", b.Block+1)
	case b.Block != h.Block || b.Entries != h.Entries || b.Hash != h.Hash || !b.At.Equal(h.At):
		w.broken(b.Block, b.At, "The head is not that of block %d, the last.", b.Block)
	}
}

// entries holds the entries of the range that a block lists to what is there.
func (v verifier) entries(ctx context.Context, b Block) error {
	var listed []Sealed
	var ids []string
	for _, e := range b.Entries {
		if v.has(e.ID) {
			listed, ids = append(listed, e), append(ids, e.ID)
		}
	}
	found, err := v.Stored(ctx, v.Organization, ids)
	if err != nil {
		return err
	}
	for i, f := range found {
		v.listed(b, listed[i], f)
	}
	return nil
}

// listed holds one entry to its line in its block.
func (w *Walk) listed(b Block, e Sealed, f Found) {
	at, _ := TimeOf(e.ID)
	switch {
	case !f.There:
		w.flaw(RemovedEntry, e.ID, at, "It was sealed in block %d, and is not there.", b.N)
	case f.Digest != e.Digest:
		w.flaw(ChangedEntry, e.ID, at, "It is not what was sealed in block %d.", b.N)
	case f.Miscopied != "":
		w.flaw(ChangedEntry, e.ID, at, "The copy of it in the timeline of %s is missing or says something else.", f.Miscopied)
	case f.Mark != b.N:
		w.flaw(BrokenChain, e.ID, at, "It was sealed in block %d, and its mark does not say so.", b.N)
	case at.Before(w.Created.Add(-skew)): // where a reading of the record begins
		w.flaw(RemovedEntry, e.ID, at, "It was sealed in block %d, and the organization says that it was created at %s, after it: nobody is shown it.", b.N, w.Created.UTC().Format(time.RFC3339))
	case f.odd(e.Written):
		w.flaw(InsertedEntry, e.ID, at, "It was written at %s, far from its own time.", e.Written.UTC().Format(time.RFC3339))
	default:
		w.Verified++
	}
}
