package dynamo

import (
	"context"
	crand "crypto/rand"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Item is the facts of an item; NotFound when there is none.
func (s *Store) Item(ctx context.Context, organization, id string) (directory.Item, error) {
	var item itemItem
	found, err := s.get(ctx, itemKey(organization, id), &item)
	if err != nil {
		return directory.Item{}, err
	}
	if !found {
		return directory.Item{}, fault.New(fault.NotFound, "not_found", "There is no such item.")
	}
	return item.item(), nil
}

// Unknown are those of the ids that no user has.
func (s *Store) Unknown(ctx context.Context, organization string, users []string) ([]string, error) {
	keys := make([]key, len(users))
	for i, id := range users {
		keys[i] = userKey(organization, id)
	}
	found, err := s.batchesGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	there := func(id string) bool { _, ok := found[userKey(organization, id)]; return ok }
	return slices.DeleteFunc(slices.Clone(users), there), nil
}

// WriteItem makes, replaces or deletes an item as the change says: its facts,
// and its places among those of its template, locations and team. Errors:
// Unprocessable too_large, raced.
func (s *Store) WriteItem(ctx context.Context, basis directory.Basis, c directory.ItemChange) error {
	return s.writeItem(ctx, itemWrite{basis: basis, change: c})
}

// itemWrite is an item's change on its way. Places are joined and left by it.
type itemWrite struct {
	basis        directory.Basis
	change       directory.ItemChange
	joined, left []key
	// write names it. Urgent, it does not wait for a claim to lapse.
	write  string
	urgent bool
}

// mostPlaces is how many places of an item go with it into one transaction of a
// hundred actions; a team may have any size.
const mostPlaces = 80

// writeItem makes the change at once, when all of it fits into a transaction: no
// reader ever sees a place too many or too few then. Else in parts.
func (s *Store) writeItem(ctx context.Context, w itemWrite) error {
	w = w.prepared()
	t := s.begin()
	if t.boundTo(itemForm(w.change.After), mostItemBytes); t.err != nil {
		return t.err
	}
	if w.moves() > s.places {
		return s.writeInParts(ctx, w)
	}
	t.writeWhole(w)
	t.rest(w.basis)
	return t.commit(ctx)
}

// prepared is the write with its name, and the places that it joins and leaves.
func (w itemWrite) prepared() itemWrite {
	before, after := w.places(w.change.Before), w.places(w.change.After)
	w.left, w.joined = without(before, after), without(after, before)
	w.write = crand.Text()
	return w
}

// moves is how many places it joins and leaves.
func (w itemWrite) moves() int { return len(w.left) + len(w.joined) }

// writeWhole is all of a write that one transaction takes, but for what it
// rests on.
func (t *transaction) writeWhole(w itemWrite) {
	t.writeFacts(w)
	if w.change.After.ID == "" {
		t.delete(claimKey(w.basis.Organization, w.id()), absent.Or(present), raced())
	}
	t.place(w.joined)
	t.displace(w.left)
}

// id is the item's.
func (w itemWrite) id() string {
	if w.change.After.ID != "" {
		return w.change.After.ID
	}
	return w.change.Before.ID
}

// writeFacts is the change of the facts and its entry.
func (t *transaction) writeFacts(w itemWrite) {
	k, held := itemKey(w.basis.Organization, w.id()), factsAre(w.change.Before)
	if w.change.After.ID == "" {
		t.delete(k, held, raced())
	} else {
		after := w.change.After
		after.Version = w.change.Before.Version + 1
		after.Write = w.write
		t.put(k, itemForm(after), held, raced())
	}
	t.record(w.basis.Organization, w.change.Entry)
}

// factsAre holds while the facts are those of this item: of none when it is none.
func factsAre(i directory.Item) expression.ConditionBuilder {
	if i.Version == 0 {
		return absent
	}
	write := expression.Name("write")
	if i.Write == "" {
		return versionIs(i.Version).And(expression.AttributeNotExists(write))
	}
	return versionIs(i.Version).And(write.Equal(expression.Value(i.Write)))
}

// place lists the item in places, displace takes it out of them.
func (t *transaction) place(places []key) {
	for _, k := range places {
		t.put(k, stored{}, absent.Or(present), raced())
	}
}

func (t *transaction) displace(places []key) {
	for _, k := range places {
		t.delete(k, absent.Or(present), raced())
	}
}

// places is where an item is listed; nowhere when it is none.
func (w itemWrite) places(i directory.Item) map[key]bool {
	keys := map[key]bool{}
	if i.ID == "" {
		return keys
	}
	keys[templateItemKey(w.basis.Organization, i.Template, i.ID)] = true
	for _, l := range i.Locations {
		keys[locationItemKey(w.basis.Organization, l, i.ID)] = true
	}
	for _, users := range i.Team {
		for _, u := range users {
			keys[userItemKey(w.basis.Organization, u, i.ID)] = true
		}
	}
	return keys
}

// without is the keys that are not among the others, in a fixed order.
func without(keys, others map[key]bool) []key {
	only := maps.Clone(keys)
	maps.DeleteFunc(only, func(k key, _ bool) bool { return others[k] })
	return slices.SortedFunc(maps.Keys(only), key.compare)
}
