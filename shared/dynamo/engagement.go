package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// Who takes part is noted behind the requests. A request leaves a mark, one a day
// and person, and whatever changes an item changes its facts; both are told by the
// table's stream, and what is noted of users follows from them (package persona).

// seenItem is a mark: a user made a request on the day that its key names.
type seenItem struct {
	stored
	Expires int64 `dynamodbav:"expires"`
}

// seenLife is for how many days a mark is kept: longer than its own, so that it
// is left once.
const seenLife = 2

// engagementsItem is how many items count for a user; there is none for nobody's.
type engagementsItem struct {
	stored
	N int `dynamodbav:"n"`
}

// MarkSeen leaves a mark that a user made a request on a day. The first of a day
// leaves it, whichever instance takes it; the others cost a refused write and
// succeed as well.
func (s *Store) MarkSeen(ctx context.Context, organization, user string, day directory.Day) error {
	t := s.begin()
	item, err := attributevalue.MarshalMap(seenItem{Expires: int64(day+1+seenLife) * 24 * 60 * 60})
	expr, exprErr := expression.NewBuilder().WithCondition(absent).Build()
	if err := errors.Join(err, exprErr); err != nil {
		return fault.Wrap(fault.Internal, "item", err)
	}
	t.stamp(item, seenKey(organization, user, day))
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: item, ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	var there *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &there) {
		return nil
	}
	return unavailable(err)
}

// SeenIn is the mark that a key of the stream is of; false for any other key.
func SeenIn(pk, sk string) (organization, user string, day directory.Day, ok bool) {
	k := key{pk, sk}
	organization, user, ok = k.two()
	day, err := k.day()
	return organization, user, day, ok && err == nil && k.isSeen()
}

// ItemIn is the item whose facts a key of the stream is of; false for any other
// key.
func ItemIn(pk, sk string) (organization, item string, ok bool) {
	k := key{pk, sk}
	organization, item, ok = k.two()
	return organization, item, ok && k.isItem()
}

// People are those of the users that there are, as they are now.
func (s *Store) People(ctx context.Context, organization string, users []string) (map[string]directory.User, error) {
	keys := make([]key, len(users))
	for i, id := range users {
		keys[i] = userKey(organization, id)
	}
	found, err := s.batchesGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	people := make(map[string]directory.User, len(found))
	for _, attributes := range found {
		var item userItem
		if err := decode(attributes, &item); err != nil {
			return nil, err
		}
		people[item.ID] = item.user()
	}
	return people, nil
}

// NoteSeen writes users' last days with a request, and the counts with them, in
// one transaction; raced when one of the users is not as read any more.
func (s *Store) NoteSeen(ctx context.Context, organization string, notes []directory.Turned) error {
	t := s.begin()
	for _, n := range notes {
		t.note(organization, n.Before, n.After)
	}
	return t.commit(ctx)
}

// Roll is an item, zero when there is none, and the users it counts for: those
// that the item had, or somewhat later ones.
func (s *Store) Roll(ctx context.Context, organization, item string) (directory.Item, []string, error) {
	var facts itemItem
	if _, err := s.get(ctx, itemKey(organization, item), &facts); err != nil {
		return directory.Item{}, nil, err
	}
	entries, _, err := s.query(ctx, engagedSpan(organization, item))
	return rollItem(facts), namedIDs(entries), err
}

// rollItem is an item that was read; zero when there was none.
func rollItem(facts itemItem) directory.Item {
	if facts.ID == "" {
		return directory.Item{}
	}
	return facts.item()
}

// Engaged is an item, zero when there is none, and those of the users that there
// are, with what items are to them: read in one batch for 33 users, which is no
// snapshot, so that Enroll holds to all of it.
func (s *Store) Engaged(ctx context.Context, organization, item string, users []string) (directory.Item, []persona.Member, error) {
	keys := []key{itemKey(organization, item)}
	for _, id := range users {
		keys = append(keys, userKey(organization, id), engagedKey(organization, item, id), engagementsKey(organization, id))
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return directory.Item{}, nil, err
	}
	var facts itemItem
	if err := decode(found[keys[0]], &facts); err != nil {
		return directory.Item{}, nil, err
	}
	var members []persona.Member
	for _, id := range users {
		var user userItem
		var items engagementsItem
		if err := errors.Join(decode(found[userKey(organization, id)], &user), decode(found[engagementsKey(organization, id)], &items)); err != nil {
			return directory.Item{}, nil, err
		}
		if user.ID != "" {
			_, counted := found[engagedKey(organization, item, id)]
			members = append(members, persona.Member{User: user.user(), Counted: counted, Items: items.N})
		}
	}
	return rollItem(facts), members, nil
}

// Enroll writes for whom an item counts, in one transaction with their numbers of
// items, and with what is noted of those who come to a first team or leave the
// last. It is held to the item's facts, to each number and to each user noted;
// raced when one of them is not as read any more.
func (s *Store) Enroll(ctx context.Context, organization, item string, read directory.Item, changes []persona.Enrolled) error {
	t := s.begin()
	t.check(itemKey(organization, item), factsAre(read), raced())
	for _, c := range changes {
		t.enroll(organization, item, c)
	}
	return t.commit(ctx)
}

// enroll is one member's part. Between a first and a last team the number alone
// changes, and the user's own item, which every request reads, is let be.
func (t *transaction) enroll(o, item string, c persona.Enrolled) {
	id, was, is := c.Before.User.ID, c.Before.Items, c.After.Items
	entry, number := engagedKey(o, item, id), engagementsKey(o, id)
	if c.After.Counted {
		t.put(entry, stored{}, absent, raced())
	} else {
		t.delete(entry, present, raced())
	}
	if is == 0 {
		t.delete(number, numberIs(was), raced())
	} else {
		t.put(number, engagementsItem{N: is}, numberIs(was), raced())
	}
	if was == 0 || is == 0 || c.Before.User.OnTeam != c.After.User.OnTeam {
		t.note(o, c.Before.User, c.After.User)
	}
}

// numberIs holds while this many items count for a user.
func numberIs(n int) expression.ConditionBuilder {
	if n == 0 {
		return absent
	}
	return expression.Name("n").Equal(expression.Value(n))
}
