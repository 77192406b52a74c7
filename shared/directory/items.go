package directory

import (
	"context"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// ItemStore is what the use case of items needs of storage.
type ItemStore interface {
	// Item is the facts of an item; NotFound when there is none.
	Item(ctx context.Context, organization, id string) (Item, error)
	// Unknown are those of the ids that no user has.
	Unknown(ctx context.Context, organization string, users []string) ([]string, error)
	// WriteItem makes, replaces or deletes an item, with its places in lists.
	WriteItem(ctx context.Context, basis Basis, c ItemChange) error
}

// ItemTarget is an item as an entry names it.
func ItemTarget(id string) timeline.Target {
	return timeline.Target{Type: timeline.Item.String(), ID: id}
}

// ItemChange is an item as it was, zero when there was none, and as it is to be,
// zero when there shall be none.
type ItemChange struct {
	Before, After Item
	Entry         timeline.Entry
}

// Items is the use case of the facts that the platform's services record.
type Items struct{ store ItemStore }

// NewItems is the use case over its store.
func NewItems(store ItemStore) *Items { return &Items{store} }

// Get is the facts of an item; NotFound when there is none.
func (s *Items) Get(ctx context.Context, c Caller, id string) (Item, error) {
	return s.store.Item(ctx, c.Organization.ID, id)
}

// Put makes or replaces the item with this id. What is as it was already is not
// written again. Errors: Unprocessable invalid_item with every broken rule, or
// too_large; Stale, Unconditional, raced.
func (s *Items) Put(ctx context.Context, c Caller, after Item, p Precondition) (Item, error) {
	before, err := s.store.Item(ctx, c.Organization.ID, after.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Item{}, err
	}
	if err := p.Check(before.Version); err != nil {
		return Item{}, err
	}
	problems, err := s.check(ctx, c, before, after)
	if err != nil {
		return Item{}, err
	}
	if err := fault.Faulty(fault.Unprocessable, "invalid_item", problems); err != nil {
		return Item{}, err
	}
	if before.Version > 0 && sameFacts(before, after) {
		return before, nil
	}
	after.Version = before.Version + 1
	return after, s.write(ctx, c, ItemChange{Before: before, After: after})
}

// Delete removes an item. NotFound when there is none; Stale, Unconditional,
// raced.
func (s *Items) Delete(ctx context.Context, c Caller, id string, p Precondition) error {
	before, err := s.store.Item(ctx, c.Organization.ID, id)
	if err != nil {
		return err
	}
	if err := p.Check(before.Version); err != nil {
		return err
	}
	return s.write(ctx, c, ItemChange{Before: before})
}

// write makes the change with its entry (T1).
func (s *Items) write(ctx context.Context, c Caller, change ItemChange) error {
	action, id := "edit", change.After.ID
	switch {
	case change.Before.Version == 0:
		action = "create"
	case change.After.Version == 0:
		action, id = "delete", change.Before.ID
	}
	change.Entry = c.Entry(timeline.Item, action, ItemTarget(id))
	change.Entry.Before, change.Entry.After = changedFacts(change.Before, change.After)
	return s.store.WriteItem(ctx, c.Basis(), change)
}
