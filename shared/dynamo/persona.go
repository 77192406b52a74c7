package dynamo

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// PutPersona writes a user whose persona changed, and the counts with it.
func (s *Store) PutPersona(ctx context.Context, basis directory.Basis, c persona.Change) error {
	t := s.begin()
	t.writeUser(basis.Organization, c.Before, c.After)
	t.record(basis.Organization, c.Entry)
	t.rest(basis)
	return t.commit(ctx)
}

// note writes what is noted of a user's engagement, the day of their last
// request or whether they are on a team, and the counts with it. It is no change
// that anybody sees of the user, so the version stays.
func (t *transaction) note(o string, before, after directory.User) {
	after.Pulse = before.Pulse + 1
	for _, k := range []key{userKey(o, before.ID), directoryKey(o, before.ID)} {
		u := expression.Set(expression.Name("seen"), expression.Value(after.Seen)).
			Set(expression.Name("onTeam"), expression.Value(after.OnTeam)).
			Set(expression.Name("pulse"), expression.Value(after.Pulse))
		t.update(k, u, userIs(before), raced())
	}
	t.count(o, before, after)
}

// mostCatchUps bounds how often a census catches up with moves that came while
// it did so.
const mostCatchUps = 32

// Census is the counts of every set of locations (P8), between two moves: with
// everybody in exactly one set. Labels and types may be those of any moment
// while it was read. Unavailable when more people move than can be kept up with.
func (s *Store) Census(ctx context.Context, organization string) (persona.Census, error) {
	for attempt := range readAttempts {
		policy, counters, settled, err := s.census(ctx, organization)
		if err != nil {
			return persona.Census{}, err
		}
		if settled {
			populations, err := populationsOf(counters)
			return persona.Census{Policy: policy, Populations: populations}, err
		}
		if err := pause(ctx, attempt); err != nil {
			return persona.Census{}, unavailable(err)
		}
	}
	return persona.Census{}, fault.Wrap(fault.Unavailable, "busy", errors.New("the counts do not come to rest"))
}

// census reads every counter once, and again those that a move changed, until
// there is no move that it does not know. Then a counter that was read once was
// changed by no move since before the reading, and no write to it was under
// way; one that was read again has all moves up to then, and what came later
// would have been found. Moves in the tree change no counter, so the policy is
// the one at the end. False when moves are more than MOVES names.
func (s *Store) census(ctx context.Context, o string) (policy uint64, counters map[key]attributes, settled bool, err error) {
	at, err := s.atRest(ctx, o)
	if err != nil {
		return 0, nil, false, err
	}
	moves, all := at.young(s.now().Add(-youngAge))
	if !all {
		return 0, nil, false, nil
	}
	if counters, err = s.counters(ctx, o); err != nil {
		return 0, nil, false, err
	}
	for range mostCatchUps {
		if err := s.catchUp(ctx, o, moves, counters); err != nil {
			return 0, nil, false, err
		}
		next, err := s.atRest(ctx, o)
		if err != nil {
			return 0, nil, false, err
		}
		if moves, all = next.since(at); !all {
			return 0, nil, false, nil
		}
		if len(moves) == 0 {
			return next.policy, counters, true, nil
		}
		at = next
	}
	return 0, nil, false, nil
}

// catchUp reads the counters that moves changed, once their writes are there.
func (s *Store) catchUp(ctx context.Context, o string, moves []moveName, counters map[key]attributes) error {
	keys, err := s.changedBy(ctx, o, moves)
	if err != nil {
		return err
	}
	found, err := s.transactGets(ctx, keys)
	if err == nil {
		maps.Copy(counters, found)
	}
	return err
}

// transactGets reads keys in the way that waits for their writes under way; the
// items are of one moment each.
func (s *Store) transactGets(ctx context.Context, keys []key) (map[key]attributes, error) {
	var mutex sync.Mutex
	found := make(map[key]attributes, len(keys))
	err := inParts(keys, batchSize, func(part []key) error {
		items, err := s.transactGet(ctx, part)
		mutex.Lock()
		defer mutex.Unlock()
		maps.Copy(found, items)
		return err
	})
	return found, err
}

// counters reads every counter strongly: what one query brings, and if there is
// more, the rest in stretches at the same time. Sets are hashed, so stretches of
// the same length hold as many.
func (s *Store) counters(ctx context.Context, o string) (map[key]attributes, error) {
	first := setSpan(o)
	first.once = true
	items, end, err := s.query(ctx, first)
	if err != nil {
		return nil, err
	}
	found := make(map[key]attributes, len(items))
	keep := func(items []attributes) {
		for _, item := range items {
			found[keyOf(item)] = item
		}
	}
	keep(items)
	if end == "" {
		return found, nil
	}
	var mutex sync.Mutex
	err = abreastOf(setSpansAfter(o, end, abreast), func(q span) error {
		items, _, err := s.query(ctx, q)
		mutex.Lock()
		defer mutex.Unlock()
		keep(items)
		return err
	})
	return found, err
}

// populationsOf are the populations that counters count.
func populationsOf(counters map[key]attributes) ([]persona.Population, error) {
	populations := make([]persona.Population, 0, len(counters))
	for _, item := range counters {
		p, err := populationOf(item)
		if err != nil {
			return nil, err
		}
		populations = append(populations, p)
	}
	return populations, nil
}
