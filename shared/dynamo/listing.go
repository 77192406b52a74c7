package dynamo

import (
	"context"

	"gemba/shared/directory"
)

// Directory is users by id after a place, as many as one strong Query brings
// and at most a page's limit, and whether more follow. Their copies there are
// whole, so nothing else is read of them.
func (s *Store) Directory(ctx context.Context, organization string, page directory.Page) (users []directory.User, more bool, err error) {
	q := directorySpan(organization).past(page.After)
	q.limit, q.once = page.Limit, true
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, false, err
	}
	users = make([]directory.User, 0, len(items))
	for _, item := range items {
		if err := collect(item, &users, userItem.user); err != nil {
			return nil, false, err
		}
	}
	return users, end != "", nil
}

// Moves is how often somebody left a location for another, read in the way that
// waits for a move under way; young tells that the last is so recent that lists
// may still show a part of it.
func (s *Store) Moves(ctx context.Context, organization string) (moves uint64, young bool, err error) {
	k := movesKey(organization)
	found, err := s.transactGet(ctx, []key{k})
	if err != nil {
		return 0, false, err
	}
	var m movesItem
	err = decode(found[k], &m)
	return m.V, s.young(found), err
}
