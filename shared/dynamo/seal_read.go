package dynamo

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gemba/shared/timeline"
)

// This file reads what the timeline is held to its seal by. Nothing in it fails on
// what was tampered with: that is what it is there to find.

const (
	// blocksAStep is how many blocks are read at once.
	blocksAStep = 10
	// standingAStep is how many entries and marks.
	standingAStep = 500
	// heldTogether is how many entries are read whole at once: with their copies
	// less than a batch, and of the largest no more than memory has room for.
	heldTogether = 20
	// copiesAStep is how many copies are looked for behind at once, peopleAStep
	// for how many people.
	copiesAStep = 500
	peopleAStep = 50
)

// Founded is when an organization was created, as it says; false when there is none.
func (s *Store) Founded(ctx context.Context, organization string) (time.Time, bool, error) {
	var item organizationItem
	found, err := s.get(ctx, orgKey(organization), &item)
	return item.Created, found, err
}

// Blocks are the first of the blocks from one number to another, in order.
func (s *Store) Blocks(ctx context.Context, organization string, from, to uint64) ([]timeline.Block, error) {
	if from > to {
		return nil, nil
	}
	q := blockSpan(organization, from, to)
	q.limit = blocksAStep
	items, _, err := s.query(ctx, q)
	var blocks []timeline.Block
	for _, item := range items {
		blocks = append(blocks, blockAt(item))
	}
	return blocks, err
}

// Stored is what is there of entries that a block lists, in their order: entry and
// mark in one reading, its copies in another.
func (s *Store) Stored(ctx context.Context, organization string, ids []string) ([]timeline.Found, error) {
	found := make([]timeline.Found, len(ids))
	var parts [][2]int
	for i := 0; i < len(ids); i += heldTogether {
		parts = append(parts, [2]int{i, min(i+heldTogether, len(ids))})
	}
	err := abreastOf(parts, func(p [2]int) error { return s.fillStored(ctx, organization, ids[p[0]:p[1]], found[p[0]:p[1]]) })
	return found, err
}

// fillStored fills in what is found of some entries.
func (s *Store) fillStored(ctx context.Context, o string, ids []string, found []timeline.Found) error {
	var keys []key
	for _, id := range ids {
		at, _ := timeline.TimeOf(id)
		keys = append(keys, entryKey(o, at, id), sealedKey(o, at, id))
	}
	items, err := s.batchGet(ctx, keys)
	if err != nil {
		return err
	}
	copies := map[key]timeline.Hash{} // what each is to say
	var of [][]string
	for i, id := range ids {
		entry := items[keys[2*i]]
		found[i] = foundOf(o, id, entry)
		found[i].Digest = digestOf(entry)
		found[i].Mark = markOf(items[keys[2*i+1]])
		persons := peopleIn(entry)
		of = append(of, persons)
		for _, person := range persons {
			copies[personEntryKey(o, person, id)] = digestOf(said(entry))
		}
	}
	there, err := s.batchGet(ctx, slices.Collect(maps.Keys(copies)))
	if err != nil {
		return err
	}
	for i, id := range ids {
		for _, person := range of[i] {
			k := personEntryKey(o, person, id)
			if item := there[k]; item == nil || digestOf(said(item)) != copies[k] {
				found[i].Miscopied = cmp.Or(found[i].Miscopied, component(person))
			}
		}
	}
	return nil
}

// said is what an entry and its copies have in common: all but the place.
func said(item attributes) attributes {
	common := maps.Clone(item)
	for _, name := range []string{"pk", "gsi1pk", "gsi1sk"} {
		delete(common, name)
	}
	return common
}

// peopleIn are those whom an entry is copied for; none of one that cannot be read.
func peopleIn(entry attributes) []string {
	var item entryItem
	if decode(entry, &item) != nil {
		return nil
	}
	return people(item.entry())
}

// foundOf is an entry as it stands under an id, nil for none.
func foundOf(o, id string, entry attributes) timeline.Found {
	f := timeline.Found{ID: id, There: entry != nil}
	if !f.There {
		return f
	}
	f.Placed = inPlace(o, entry)
	f.At, _ = time.Parse(time.RFC3339Nano, text(entry, "time"))
	f.Stamped, _ = writtenAt(entry)
	f.End = endItem(entry)
	return f
}

// endItem tells whether an entry is of the end of an impersonation.
func endItem(entry attributes) bool {
	return text(entry, "type") == timeline.Impersonation.String() && text(entry, "action") == "end" && entry["denied"] == nil
}

// markOf is the block that a mark names, 0 for none; a mark that makes no sense
// names none that there can be.
func markOf(mark attributes) uint64 {
	var item markItem
	switch err := decode(mark, &item); {
	case mark == nil:
		return 0
	case err != nil || item.N == 0:
		return 1<<64 - 1
	}
	return item.N
}

// Standing is a part of what stands in a month's record, with what marks and blocks
// say of it. The marks are read first: what is sealed meanwhile is an entry that has
// none, and not a mark without an entry.
func (s *Store) Standing(ctx context.Context, organization string, month, from, to time.Time, after string) ([]timeline.Found, string, error) {
	q := span{from: lowest(from), to: lowest(to.Add(time.Millisecond - 1)), after: after, limit: standingAStep}
	if q.to <= q.from {
		return nil, "", nil
	}
	q.pk = sealedPK(organization, month)
	marks, marksEnd, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	q.pk, q.only = timelinePK(organization, month), []string{"pk", "sk", "at", "time", "type", "action", "denied"}
	entries, entriesEnd, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	end := marksEnd
	if end == "" || entriesEnd != "" && entriesEnd < end {
		end = entriesEnd
	}
	found := beside(organization, marks, entries, end)
	return found, end, s.stand(ctx, organization, found)
}

// beside are entries and marks side by side, in order, as far as both were read.
func beside(o string, marks, entries []attributes, end string) []timeline.Found {
	all := map[string]timeline.Found{}
	for _, entry := range entries {
		id := keyOf(entry).sk
		all[id] = foundOf(o, id, entry)
	}
	for _, mark := range marks {
		id := keyOf(mark).sk
		f := all[id]
		f.ID, f.Mark = id, markOf(mark)
		all[id] = f
	}
	var found []timeline.Found
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if end == "" || id <= end {
			found = append(found, all[id])
		}
	}
	return found
}

// stand fills in what the blocks say of entries that are marked.
func (s *Store) stand(ctx context.Context, o string, found []timeline.Found) error {
	var keys []key
	for _, f := range found {
		if k := blockKey(o, f.Mark); f.Mark > 0 && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	blocks, err := s.batchesGet(ctx, keys)
	if err != nil {
		return err
	}
	lists := map[uint64]map[string]bool{}
	for _, item := range blocks {
		b := blockAt(item)
		lists[b.N] = map[string]bool{}
		for _, e := range b.Entries {
			lists[b.N][e.ID] = true
		}
	}
	for i, f := range found {
		switch list, there := lists[f.Mark]; {
		case f.Mark == 0:
		case !there:
			found[i].Stands = timeline.Blockless
		case list[f.ID]:
			found[i].Stands = timeline.Listed
		default:
			found[i].Stands = timeline.Unlisted
		}
	}
	return nil
}

// Strays are copies of people from a time on and before another that no entry of the
// record stands behind. It goes through the directory, which everybody stays in
// (U1); the place is a person, and behind a space the last copy if there are more.
func (s *Store) Strays(ctx context.Context, organization string, from, to time.Time, after string) ([]timeline.Found, string, error) {
	person, last, more := strings.Cut(after, " ")
	persons, end := []string{person}, person
	if !more {
		q := directorySpan(organization).past(person)
		q.limit, q.only = peopleAStep, []string{"pk", "sk"}
		entries, place, err := s.query(ctx, q)
		if err != nil {
			return nil, "", err
		}
		persons, end = namedIDs(entries), key{sk: place}.named()
	}
	parts, err := s.copies(ctx, organization, persons, from, to, last)
	if err != nil {
		return nil, "", err
	}
	var copies []attributes
	for i, part := range parts {
		copies = append(copies, part.items...)
		if part.end != "" { // the rest of them first, then who comes after
			end = persons[i] + " " + part.end
			break
		}
	}
	found, err := s.strays(ctx, organization, copies)
	return found, end, err
}

// stretch is a part of a partition, and where to go on.
type stretch struct {
	items []attributes
	end   string
}

// copies are the persons' copies of a range after one, each person's own.
func (s *Store) copies(ctx context.Context, o string, persons []string, from, to time.Time, after string) ([]stretch, error) {
	parts := make([]stretch, len(persons))
	q := span{from: lowest(from), to: lowest(to.Add(time.Millisecond - 1)), after: after, limit: copiesAStep, only: []string{"pk", "sk", "time"}}
	if q.to <= q.from {
		return parts, nil
	}
	places := make([]int, len(persons))
	for i := range places {
		places[i] = i
	}
	err := abreastOf(places, func(i int) (err error) {
		own := q
		own.pk = personPK(o, persons[i])
		parts[i].items, parts[i].end, err = s.query(ctx, own)
		return err
	})
	return parts, err
}

// strays are those of the copies that no entry of the person stands behind.
func (s *Store) strays(ctx context.Context, o string, copies []attributes) ([]timeline.Found, error) {
	behind := map[key]bool{}
	for _, c := range copies {
		behind[originalKey(o, c)] = true
	}
	entries, err := s.batchesGet(ctx, slices.Collect(maps.Keys(behind)))
	if err != nil {
		return nil, err
	}
	people := map[key][]string{}
	for k, entry := range entries {
		people[k] = peopleIn(entry)
	}
	var found []timeline.Found
	for _, c := range copies {
		if person := keyOf(c).person(); !slices.Contains(people[originalKey(o, c)], person) {
			f := foundOf(o, keyOf(c).sk, c)
			f.Miscopied = component(person)
			found = append(found, f)
		}
	}
	return found, nil
}

// originalKey is that of the entry that a person's copy is of.
func originalKey(o string, c attributes) key {
	at, _ := timeline.TimeOf(keyOf(c).sk)
	return entryKey(o, at, keyOf(c).sk)
}
