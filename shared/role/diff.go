package role

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// Diff is one role beside another: the cells in which they differ, and whether
// the one is wider.
type Diff struct {
	One, Other Role
	Cells      []authz.Cell
	Verdict    authz.Verdict
}

// Diff is what one role gives and the other does not. NotFound when there is
// none of one of them.
func (s *Service) Diff(ctx context.Context, c directory.Caller, one, other string) (Diff, error) {
	var d Diff
	var err error
	if d.One, err = s.Get(ctx, c, one); err != nil {
		return Diff{}, err
	}
	if d.Other, err = s.Get(ctx, c, other); err != nil {
		return Diff{}, err
	}
	d.Cells, d.Verdict = c.Model.Diff(d.One.Role, d.Other.Role)
	return d, nil
}
