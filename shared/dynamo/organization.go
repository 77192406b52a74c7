package dynamo

import (
	"context"

	"gemba/shared/directory"
)

// PutOrganization writes the organization's next state as the policy's next
// version, because its settings decide. Errors: Stale, raced.
func (s *Store) PutOrganization(ctx context.Context, basis directory.Basis, c directory.OrganizationChange) error {
	item := organizationForm(c.After)
	t := s.begin()
	t.put(orgKey(basis.Organization), item, versionIs(c.Before.Version), outdated(c.Before.Version))
	t.bump(basis.Organization, basis.Policy, changeItem{Organization: &item})
	t.record(basis.Organization, c.Entry)
	return t.commitPolicy(ctx, basis)
}

// Organizations is a page of all organizations' ids. It is read from the
// index, which knows a new organization a moment later.
func (s *Store) Organizations(ctx context.Context, page directory.Page) ([]string, string, error) {
	q := organizationSpan().past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var ids []string
	for _, item := range items {
		ids = append(ids, text(item, "id"))
	}
	return ids, end, nil
}
