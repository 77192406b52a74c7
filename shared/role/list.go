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

// Filter says which roles, or which members of one, are wanted: those of a
// persona, or of none. The zero filter wants all.
type Filter struct {
	Persona directory.Persona
	None    bool
}

// takes is whether the filter lets what has this persona through.
func (f Filter) takes(p directory.Persona) bool {
	return f == Filter{} || p == f.Persona
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
			if f.takes(r.Persona) {
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
