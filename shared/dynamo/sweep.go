package dynamo

import (
	"context"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// deadItem marks a deleted role whose members are yet to be swept.
type deadItem struct {
	stored
	ID    string `dynamodbav:"id"`
	Birth uint64 `dynamodbav:"birth"`
}

func goneForm(r authz.RoleRef) deadItem { return deadItem{ID: r.ID, Birth: r.Birth} }

func (item deadItem) dead() role.Dead {
	return role.Dead{Role: authz.RoleRef{ID: item.ID, Birth: item.Birth}, Since: time.UnixMilli(item.At)}
}

// DeadRoles are the deleted roles that are yet to be swept.
func (s *Store) DeadRoles(ctx context.Context, organization string) ([]role.Dead, error) {
	items, _, err := s.query(ctx, goneSpan(organization))
	if err != nil {
		return nil, err
	}
	var dead []role.Dead
	for _, item := range items {
		if err := collect(item, &dead, deadItem.dead); err != nil {
			return nil, err
		}
	}
	return dead, nil
}

// Holders are the users with these ids, in their order.
func (s *Store) Holders(ctx context.Context, organization string, ids []string) ([]directory.User, error) {
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = userKey(organization, id)
	}
	return s.readUsers(ctx, keys)
}

// Sweep takes a deleted role from users who held it, all or none: raced when
// one of them changed since it was read. A user who holds it no more only
// leaves its members.
func (s *Store) Sweep(ctx context.Context, organization string, dead authz.RoleRef, holders []directory.Turned) error {
	t := s.begin()
	for _, h := range holders {
		if len(h.Before.Assignments) == len(h.After.Assignments) {
			t.delete(memberKey(organization, dead, h.Before.ID), absent.Or(present), raced())
			continue
		}
		t.writeUser(organization, h.Before, h.After)
	}
	return t.commit(ctx)
}

// Swept forgets a deleted role: nobody is among its members any more.
func (s *Store) Swept(ctx context.Context, organization string, dead authz.RoleRef) error {
	t := s.begin()
	t.delete(goneKey(organization, dead), absent.Or(present), raced())
	return t.commit(ctx)
}
