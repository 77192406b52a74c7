package role

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Row is one change of many: a role given, or taken back. Place is where it
// stands in the request.
type Row struct {
	Given
	Revoke bool
	Place  int
}

// Outcome is what became of a row.
type Outcome = directory.Outcome[Row, Result]

// unitRows is how many rows one transaction of a hundred actions takes: eight
// each, and six for what all rest on.
const unitRows = 11

// ChangeAll gives and takes roles row by row as Assign and Revoke do, each row
// decided by itself (R12). Answers and errors are those of directory.Bulk.
func (s *Service) ChangeAll(ctx context.Context, c directory.Caller, rows []Row, encode func([]Outcome) []byte) ([][]byte, error) {
	return directory.Bulk[Row, Result]{
		Store: s.store, Most: unitRows, User: func(r Row) string { return r.User }, Do: s.row, Encode: encode,
	}.All(ctx, c, rows)
}

// row decides a row and does it, in memory.
func (s *Service) row(ctx context.Context, u *directory.Unit, r Row) (Result, error) {
	action := authz.GrantRole
	if r.Revoke {
		action = authz.RevokeRole
	}
	target := u.UserTarget(r.User)
	target.Role = r.Role
	if err := u.Allowed(action, target); err != nil {
		return Unchanged, err
	}
	next, err := nextOf(u.Caller, r)
	if err == nil && next.result != Unchanged {
		err = s.possible(ctx, u, next.after)
	}
	if fault.Is(err, fault.Denied) {
		u.Deny(action, target, fault.Of(err).Code)
	}
	if err != nil || next.result == Unchanged {
		return Unchanged, err
	}
	u.Become(next.after, next.entry)
	return next.result, nil
}

// nextOf is the row's user after it.
func nextOf(c directory.Caller, r Row) (step, error) {
	target := c.Users[r.User]
	if err := changeable(c, target, directory.Precondition{}); err != nil {
		return step{}, err
	}
	if r.Revoke {
		return take(c, target, r.Role)
	}
	return give(c, target, r.Given)
}

// possible is whether a user may be so, but for the right to make them so: small
// enough to be kept, and R13.
func (s *Service) possible(ctx context.Context, u *directory.Unit, after directory.User) error {
	if err := s.store.Fits(after); err != nil {
		return err
	}
	return u.KeepAdministrator(ctx, s.store, after)
}
