package dynamo

import (
	"context"

	"gemba/shared/directory"
	"gemba/shared/permission"
)

// Listed is a page of the ids of a list, in their order, and whether more
// follow. Each page is one strong Query.
func (s *Store) Listed(ctx context.Context, organization string, l permission.List, page directory.Page) (ids []string, more bool, err error) {
	q := listSpan(organization, l).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, false, err
	}
	for _, item := range items {
		ids = append(ids, keyOf(item).named())
	}
	return ids, end != "", nil
}

// listSpan is where the list is kept.
func listSpan(o string, l permission.List) span {
	switch l.Of {
	case permission.RoleMembers:
		return memberSpan(o, l.Role)
	case permission.LocationUsers:
		return ofKind(locationPK(o, l.ID), memberKind)
	case permission.LocationItems:
		return ofKind(locationPK(o, l.ID), placedKind)
	case permission.TemplateItems:
		return ofKind(templateItemsPK(o, l.ID), placedKind)
	case permission.TeamItems:
		return ofKind(userPK(o, l.ID), placedKind)
	default:
		return directorySpan(o)
	}
}
