package dynamo

import (
	"context"

	"gemba/shared/directory"
	"gemba/shared/persona"
)

// PutPersona writes a user whose persona changed, and the counts with it.
func (s *Store) PutPersona(ctx context.Context, basis directory.Basis, c persona.Change) error {
	t := s.begin()
	t.writeUser(basis.Organization, c.Before, c.After)
	t.record(basis.Organization, c.Entry)
	t.rest(basis)
	return t.commit(ctx)
}

// Populations are the counts of every set of locations (P8).
func (s *Store) Populations(ctx context.Context, organization string) ([]persona.Population, error) {
	items, _, err := s.query(ctx, below(countsPK(organization), "SET#"))
	if err != nil {
		return nil, err
	}
	var populations []persona.Population
	for _, item := range items {
		if err := collect(item, &populations, countItem.population); err != nil {
			return nil, err
		}
	}
	return populations, nil
}
