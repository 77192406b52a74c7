package role

import (
	"context"

	"gemba/shared/directory"
)

const (
	// mostRead bounds the roles that one page of a filtered list reads: a role
	// can be 100 KB.
	mostRead = 1000
	// gulp is how many of them are read at once.
	gulp = 100
)

// Filter says which roles are wanted: those meant for a persona, or for none.
type Filter struct {
	Persona directory.Persona
	None    bool
}

// takes is whether the filter lets the role through.
func (f Filter) takes(r Role) bool {
	if f.Persona == directory.NoPersona && !f.None {
		return true
	}
	return r.Persona == f.Persona
}

// List is a page of roles by id, with the id to go on after. A page of a
// filtered list reads at most mostRead roles and may so be short, even empty,
// and still have a place to go on.
func (s *Service) List(ctx context.Context, c directory.Caller, f Filter, page directory.Page) ([]Role, string, error) {
	found := []Role{}
	for read := 0; ; {
		roles, end, err := s.store.Roles(ctx, c.Organization.ID, directory.Page{Limit: min(gulp, page.Limit), After: page.After})
		if err != nil {
			return nil, "", err
		}
		for i, r := range roles {
			if f.takes(r) {
				found = append(found, shown(c, r))
			}
			if len(found) == page.Limit {
				if i == len(roles)-1 {
					return found, end, nil
				}
				return found, r.ID, nil
			}
		}
		if read += len(roles); end == "" || read >= mostRead {
			return found, end, nil
		}
		page.After = end
	}
}
