package dynamo

import (
	"context"

	"gemba/shared/directory"
)

// Listed is a page of the ids of a list, in their order, and whether more
// follow. Each page is one strong Query.
func (s *Store) Listed(ctx context.Context, organization string, l directory.List, page directory.Page) (ids []string, more bool, err error) {
	q := listSpan(organization, l).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, false, err
	}
	return namedIDs(items), end != "", nil
}

// listSpan is where the list is kept.
func listSpan(o string, l directory.List) span {
	switch l.Of {
	case directory.RoleMembers:
		return memberSpan(o, l.Role)
	case directory.LocationUsers:
		return ofKind(locationPK(o, l.ID), memberKind)
	case directory.LocationItems:
		return ofKind(locationPK(o, l.ID), placedKind)
	case directory.TemplateItems:
		return ofKind(templateItemsPK(o, l.ID), placedKind)
	case directory.TeamItems:
		return ofKind(userPK(o, l.ID), placedKind)
	default:
		return directorySpan(o)
	}
}
