package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// What an audit of the whole organization counted at each location is kept beside
// it, packed: the locations by id, and for each the numbers of a tally by persona.

// tallyForm is the form of what is packed; another is not read.
const tallyForm = "tallies 1"

// packedTallies has a row of numbers a location: all, on a team, active in 7 days,
// in 30, each by persona.
type packedTallies struct {
	Form      string
	Locations []string
	Rows      [][]int
}

// mostChunk is how many bytes of packed counts one item takes, of the 400 KB that
// an item may have.
const mostChunk = 350 << 10

// tallyChunk is the nth of so many parts of packed counts.
type tallyChunk struct {
	stored
	N    int    `dynamodbav:"n"`
	Of   int    `dynamodbav:"of"`
	Data []byte `dynamodbav:"data"`
}

// tallyChunks packs the counts of every location.
func tallyChunks(everywhere map[string]*persona.Tally) []tallyChunk {
	all := packedTallies{Form: tallyForm, Locations: slices.Sorted(maps.Keys(everywhere))}
	for _, l := range all.Locations {
		all.Rows = append(all.Rows, tallyRow(*everywhere[l]))
	}
	raw, _ := canonical.Marshal(all) // texts, numbers and lists of them always marshal
	parts := slices.Collect(slices.Chunk(deflated(raw), mostChunk))
	chunks := make([]tallyChunk, len(parts))
	for i, part := range parts {
		chunks[i] = tallyChunk{N: i, Of: len(parts), Data: part}
	}
	return chunks
}

func tallyRow(t persona.Tally) []int {
	return slices.Concat(t.Counts[:], t.OnTeam[:], t.Active7[:], t.Active30[:])
}

// tallyOf is the tally of a row; false when it is none.
func tallyOf(row []int) (t persona.Tally, ok bool) {
	parts := []*persona.Counts{&t.Counts, &t.OnTeam, &t.Active7, &t.Active30}
	const each = int(directory.PersonaCount)
	if len(row) != each*len(parts) {
		return persona.Tally{}, false
	}
	for i, part := range parts {
		copy(part[:], row[i*each:])
	}
	return t, true
}

var errTallies = fault.Wrap(fault.Internal, "item", errors.New("no counts of an audit"))

// unpackTallies hands each location's row over until it is told to stop.
func unpackTallies(compressed []byte, each func(location string, t persona.Tally) bool) error {
	raw, err := inflated(compressed)
	if err != nil {
		return errTallies
	}
	var all packedTallies
	if whole.Unmarshal(raw, &all) != nil || all.Form != tallyForm || len(all.Locations) != len(all.Rows) {
		return errTallies
	}
	for i, l := range all.Locations {
		t, ok := tallyOf(all.Rows[i])
		if !ok {
			return errTallies
		}
		if !each(l, t) {
			break
		}
	}
	return nil
}

// packedOf are the packed counts of audits of the whole organization, by order.
func (s *Store) packedOf(ctx context.Context, o string, orders []string) (map[string][]byte, error) {
	first := make([]key, len(orders))
	for i, order := range orders {
		first[i] = tallyKey(o, order, 0)
	}
	found, err := s.batchesGet(ctx, first)
	if err != nil {
		return nil, err
	}
	packed := map[string][]byte{}
	for i, order := range orders {
		var chunk tallyChunk
		if err := decode(found[first[i]], &chunk); err != nil || chunk.Of == 0 {
			return nil, errTallies
		}
		packed[order] = chunk.Data
		if chunk.Of > 1 {
			if packed[order], err = s.chunks(ctx, o, order, chunk.Of); err != nil {
				return nil, err
			}
		}
	}
	return packed, nil
}

// chunks are the packed counts of an audit, of so many parts.
func (s *Store) chunks(ctx context.Context, o, order string, of int) ([]byte, error) {
	items, _, err := s.query(ctx, tallySpan(o, order))
	if err != nil {
		return nil, err
	}
	if len(items) != of {
		return nil, errTallies
	}
	var packed []byte
	for i, item := range items {
		var chunk tallyChunk
		if err := decode(item, &chunk); err != nil || chunk.N != i {
			return nil, errTallies
		}
		packed = append(packed, chunk.Data...)
	}
	return packed, nil
}

// TalliesAt are the counts of a location by the orders of audits of the whole
// organization; one that found nobody there is not among them.
func (s *Store) TalliesAt(ctx context.Context, organization, location string, orders []string) (map[string]persona.Tally, error) {
	packed, err := s.packedOf(ctx, organization, orders)
	if err != nil {
		return nil, err
	}
	found := map[string]persona.Tally{}
	for order, data := range packed {
		err := unpackTallies(data, func(l string, t persona.Tally) bool {
			if l == location {
				found[order] = t
			}
			return l != location
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Everywhere is the audit of the whole organization with this id, zero when there
// is none, and the counts by location that it was kept with.
func (s *Store) Everywhere(ctx context.Context, organization, id string) (persona.Audit, map[string]persona.Tally, error) {
	a, found, err := s.Audit(ctx, organization, id)
	if err != nil || !found {
		return persona.Audit{}, nil, err
	}
	packed, err := s.packedOf(ctx, organization, []string{a.Order})
	if err != nil {
		return persona.Audit{}, nil, err
	}
	everywhere := map[string]persona.Tally{}
	err = unpackTallies(packed[a.Order], func(l string, t persona.Tally) bool {
		everywhere[l] = t
		return true
	})
	return a, everywhere, err
}
