package dynamo

import (
	"context"
	"time"

	"gemba/shared/impersonation"
)

// usedItem is a sign-in that a start has used up (I2).
type usedItem struct {
	stored
	Expires int64 `dynamodbav:"expires"`
}

const (
	// usedLife is longer than a refresh can keep a sign-in's id alive.
	usedLife = 24 * time.Hour
	// attemptsLife is well over the window in which attempts count.
	attemptsLife = time.Hour
)

// attemptsItem is an actor's last proofs that failed or are under way (I2).
type attemptsItem struct {
	stored
	Recent  []attemptItem `dynamodbav:"recent,omitempty"`
	Expires int64         `dynamodbav:"expires"`
}

type attemptItem struct {
	ID   string `dynamodbav:"id"`
	Time int64  `dynamodbav:"time"`
	Open bool   `dynamodbav:"open,omitempty"`
}

// Attempts are the actor's, zero when there were none.
func (s *Store) Attempts(ctx context.Context, organization, actor string) (impersonation.Attempts, error) {
	var item attemptsItem
	if _, err := s.get(ctx, attemptsKey(organization, actor), &item); err != nil {
		return impersonation.Attempts{}, err
	}
	a := impersonation.Attempts{Version: item.V}
	for _, one := range item.Recent {
		a.Recent = append(a.Recent, impersonation.Attempt{ID: one.ID, At: moment(one.Time), Open: one.Open})
	}
	return a, nil
}

// PutAttempts replaces the attempts of this version; raced when they changed.
func (s *Store) PutAttempts(ctx context.Context, organization, actor string, a impersonation.Attempts) error {
	t := s.begin()
	item := attemptsItem{stored: stored{V: a.Version + 1}, Expires: t.at.Add(attemptsLife).Unix()}
	for _, one := range a.Recent {
		item.Recent = append(item.Recent, attemptItem{one.ID, one.At.UnixMilli(), one.Open})
	}
	t.put(attemptsKey(organization, actor), item, versionIs(a.Version), raced())
	return t.commit(ctx)
}
