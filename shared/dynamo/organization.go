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
