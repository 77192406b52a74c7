package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"

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
	if after.Seen > before.Seen {
		t.forget(countKey(o, after.Locations))
	}
}

// movesItem is how often somebody went from one set of locations to another.
type movesItem struct{ stored }

// move notes that a user leaves one counter for another, and one location for
// another: the changes of counts and of lists that a reading may see half of.
func (t *transaction) move(o string) {
	if t.written[movesKey(o)] {
		return
	}
	t.update(movesKey(o), expression.Add(expression.Name("v"), expression.Value(1)), absent.Or(present), raced())
}

// rest is what must not change while counts are read: the policy, and with
// it the location tree, and which set everybody is in.
type rest struct{ policy, moves uint64 }

// Census is the counts of every set of locations (P8). A query is no snapshot:
// somebody who goes from one set to another meanwhile would be counted twice,
// or never. So the counts are those between two readings that find the same
// policy and moves.
func (s *Store) Census(ctx context.Context, organization string) (persona.Census, error) {
	before, moved, err := s.atRest(ctx, organization)
	for attempt := 0; err == nil; attempt++ {
		var populations []persona.Population
		if populations, err = s.populations(ctx, organization, moved); err != nil {
			break
		}
		var after rest
		if after, moved, err = s.atRest(ctx, organization); err != nil {
			break
		}
		if before == after {
			return persona.Census{Policy: after.policy, Populations: populations}, nil
		}
		before = after
		if attempt == readAttempts || pause(ctx, attempt) != nil {
			err = fault.Wrap(fault.Unavailable, "busy", errors.New("the counts do not come to rest"))
		}
	}
	return persona.Census{}, err
}

// atRest reads policy version and moves; moved tells that the last move is so
// young that its writes may still be under way.
func (s *Store) atRest(ctx context.Context, o string) (r rest, moved bool, err error) {
	version, moves := anyVersionKey(o), movesKey(o)
	found, err := s.transactGet(ctx, []key{version, moves})
	if err != nil {
		return rest{}, false, err
	}
	var v versionItem
	var m movesItem
	err = errors.Join(decode(found[version], &v), decode(found[moves], &m))
	delete(found, version)
	return rest{v.V, m.V}, s.young(found), err
}

// populations reads every counter. When somebody has just moved, those found
// are read again in the way that waits for the other half of a move.
func (s *Store) populations(ctx context.Context, o string, moved bool) ([]persona.Population, error) {
	items, _, err := s.query(ctx, setSpan(o))
	if err != nil {
		return nil, err
	}
	if moved {
		keys := make([]key, len(items))
		for i, item := range items {
			keys[i] = keyOf(item)
		}
		found, err := s.together(ctx, keys)
		if err != nil {
			return nil, err
		}
		items = slices.Collect(maps.Values(found))
	}
	var populations []persona.Population
	for _, item := range items {
		p, err := populationOf(item)
		if err != nil {
			return nil, err
		}
		populations = append(populations, p)
	}
	return populations, nil
}
