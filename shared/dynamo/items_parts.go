package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
)

// An item with more places than a transaction takes is changed in parts: its new
// places first, then its facts, then its old places go. So its places are always
// all that its facts need, or more; whoever reads them verifies, and a crash
// leaves some too many.
//
// What must not happen is that one writer takes away a place that another has
// made for facts not yet written. Places are taken away in two ways only:
//
//   - in the very transaction that changes the facts (writeItem). Whoever is at
//     work on the facts before finds that they are not those any more, by the name
//     of the write that made them; if there are none any more, by the claim, which
//     a deletion takes away.
//   - under a claim on the item, which one writer in parts holds at a time, while
//     the facts are some that do not need the place (tidy): each transaction that
//     takes places away holds both. And the facts of a writer in parts are written
//     only while the claim is still its own. So between its claim and its facts no
//     other took a place away in this way.
//
// A claim that lasts longer than a request can is a dead writer's; the next one
// takes it over, and if its owner lives after all, it does nothing more.

// claimLife is longer than a function runs (template.yaml's Timeout).
const claimLife = 35 * time.Second

// tidySpare is what tidying leaves of the request's time.
const tidySpare = 2 * time.Second

// claimItem says who is changing an item in parts.
type claimItem struct {
	stored
	Write   string `dynamodbav:"write"`
	Expires int64  `dynamodbav:"expires"`
}

// writeInParts makes a change that is too large for one transaction.
func (s *Store) writeInParts(ctx context.Context, w itemWrite) error {
	if err := s.claim(ctx, w); err != nil {
		return err
	}
	err := inParts(w.joined, s.places, func(part []key) error {
		t := s.begin()
		t.place(part)
		return t.commit(ctx)
	})
	if err == nil {
		t := s.begin()
		t.writeFacts(w)
		t.check(claimKey(w.basis.Organization, w.id()), w.claims(), raced())
		t.rest(w.basis)
		err = t.commit(ctx)
	}
	// Whether it succeeded or not: some places are too many now, and what of them
	// is not taken away here does no harm.
	_ = s.tidy(ctx, w)
	return err
}

// claims holds for the claim of this write.
func (w itemWrite) claims() expression.ConditionBuilder {
	return expression.Name("write").Equal(expression.Value(w.write))
}

// claim is the claim of a write; raced while another lasts.
func (s *Store) claim(ctx context.Context, w itemWrite) error {
	t := s.begin()
	free := absent.Or(expression.Name("at").LessThan(expression.Value(t.at.Add(-claimLife).UnixMilli())))
	if w.urgent {
		free = absent.Or(present)
	}
	item := claimItem{Write: w.write, Expires: t.at.Add(time.Hour).Unix()}
	t.put(claimKey(w.basis.Organization, w.id()), item, free, raced())
	return t.commit(ctx)
}

// tidy takes away those of the places that the write joined or left which the
// facts do not need, and gives the claim back.
func (s *Store) tidy(ctx context.Context, w itemWrite) error {
	facts, claim := itemKey(w.basis.Organization, w.id()), claimKey(w.basis.Organization, w.id())
	var item itemItem
	_, err := s.get(ctx, facts, &item)
	if err != nil {
		return err
	}
	needed := w.places(item.item())
	surplus := slices.DeleteFunc(slices.Concat(w.joined, w.left), func(k key) bool { return needed[k] })
	for part := range slices.Chunk(surplus, s.places) {
		if directory.Late(ctx, tidySpare) {
			break
		}
		t := s.begin()
		t.check(claim, w.claims(), raced())
		t.check(facts, factsAre(item.item()), raced())
		t.displace(part)
		if err := t.commit(ctx); err != nil {
			return err
		}
	}
	t := s.begin()
	t.delete(claim, w.claims(), raced())
	return t.commit(ctx)
}
