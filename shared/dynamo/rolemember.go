package dynamo

import (
	"context"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// MemberIDs is a page of the ids of the users who hold a role, with the id to
// go on after. One strong Query.
func (s *Store) MemberIDs(ctx context.Context, organization string, r authz.RoleRef, page directory.Page) ([]string, string, error) {
	q := memberSpan(organization, r).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	ids := namedIDs(items)
	if end != "" {
		end = ids[len(ids)-1]
	}
	return ids, end, nil
}

// countPage is how many members are counted at a time, about a megabyte.
const countPage = 10_000

// CountMembers is how many users hold a role by assignments that are not over
// at this time. It reads no user: each member tells its assignment's end, and
// takes a hundredth of a read unit or so.
func (s *Store) CountMembers(ctx context.Context, organization string, r authz.RoleRef, at time.Time) (int, error) {
	return s.countMembers(ctx, organization, r, at, countPage)
}

func (s *Store) countMembers(ctx context.Context, o string, r authz.RoleRef, at time.Time, page int) (int, error) {
	q := memberSpan(o, r)
	q.limit = page
	count := 0
	for {
		items, end, err := s.query(ctx, q)
		if err != nil {
			return 0, err
		}
		for _, item := range items {
			over, err := memberOver(item, at)
			if err != nil {
				return 0, err
			}
			if !over {
				count++
			}
		}
		if end == "" {
			return count, nil
		}
		q.after = end
	}
}

// memberOver tells whether a member's assignment is over (R5).
func memberOver(item attributes, at time.Time) (bool, error) {
	var member memberItem
	if err := decode(item, &member); err != nil || member.Until == "" {
		return false, err
	}
	until, err := time.Parse(time.RFC3339Nano, member.Until)
	if err != nil {
		return false, fault.Wrap(fault.Internal, "item", err)
	}
	a := authz.Assignment{Until: until}
	return a.Over(at), nil
}
