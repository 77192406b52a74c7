package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
)

// onceItem is the first answer to a request with an idempotency key (T3).
type onceItem struct {
	stored
	Request string `dynamodbav:"request"`
	Answer  []byte `dynamodbav:"answer"`
	Expires int64  `dynamodbav:"expires"`
}

// onceLife is how long a repeated request gives its first answer.
const onceLife = 24 * time.Hour

// keepAnswer keeps the answer beside the change that it tells of.
func (t *transaction) keepAnswer(o, user string, kept directory.Kept) {
	if kept.Key == "" {
		return
	}
	item := onceItem{Request: kept.Request, Answer: kept.Answer, Expires: t.at.Add(onceLife).Unix()}
	free := absent.Or(expression.Name("expires").LessThanEqual(expression.Value(t.at.Unix())))
	t.put(onceKey(o, user, kept.Key), item, free, raced())
}

// Answered is the first answer to a request with this idempotency key; false
// when there was none in the last 24 hours.
func (s *Store) Answered(ctx context.Context, organization, user, hash string, now time.Time) (directory.Kept, bool, error) {
	var item onceItem
	found, err := s.get(ctx, onceKey(organization, user, hash), &item)
	if err != nil || !found || item.Expires <= now.Unix() {
		return directory.Kept{}, false, err
	}
	return directory.Kept{Key: hash, Request: item.Request, Answer: item.Answer}, true, nil
}
