package role

import (
	"context"
	"errors"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Dead is a deleted role whose members are yet to be swept.
type Dead struct {
	Role  authz.RoleRef
	Since time.Time
}

// Garbage is what the sweep needs of storage.
type Garbage interface {
	// DeadRoles are the deleted roles that are yet to be swept.
	DeadRoles(ctx context.Context, organization string) ([]Dead, error)
	// MemberIDs is a page of the ids of who held the role.
	MemberIDs(ctx context.Context, organization string, r authz.RoleRef, page directory.Page) ([]string, string, error)
	// Holders are the users with these ids.
	Holders(ctx context.Context, organization string, ids []string) ([]directory.User, error)
	// Sweep takes the role from users and them from its members, all or none:
	// raced when one of them changed since it was read. Who stays as they are
	// holds it no more.
	Sweep(ctx context.Context, organization string, dead authz.RoleRef, holders []directory.Turned) error
	// Swept forgets a deleted role that has no members any more.
	Swept(ctx context.Context, organization string, dead authz.RoleRef) error
}

const (
	// sweepAfter lets whoever deleted a role count who lost it first.
	sweepAfter = time.Minute
	// sweepBatch is how many users one transaction sweeps.
	sweepBatch = 24
	// sweepReserve is the time before the function's end in which no batch is
	// begun.
	sweepReserve = 10 * time.Second
)

// Sweeper removes what deletions of roles leave behind: the members of a deleted
// role, and its assignments in the users who held it.
//
// Neither gives anything since the deletion, and neither is shown, so a sweep
// changes nothing that anybody could tell and is no entry of the timeline: the
// deletion is. It goes by the role's birth and by each user's version, so it
// cannot take a role that was given since, also not one under the same id. What
// it does not get to is left for the next time.
type Sweeper struct {
	store Garbage
	now   func() time.Time
}

// NewSweeper sweeps a store by the clock.
func NewSweeper(store Garbage, now func() time.Time) *Sweeper { return &Sweeper{store, now} }

// Run sweeps organizations and tells how many users it took a deleted role from.
// It goes on past one that fails; the error joins all failures.
func (s *Sweeper) Run(ctx context.Context, organizations []string) (int, error) {
	swept := 0
	var failures []error
	for _, organization := range organizations {
		n, err := s.organization(ctx, organization)
		swept += n
		failures = append(failures, err)
	}
	return swept, errors.Join(failures...)
}

// organization sweeps the deleted roles of one.
func (s *Sweeper) organization(ctx context.Context, organization string) (int, error) {
	dead, err := s.store.DeadRoles(ctx, organization)
	if err != nil {
		return 0, err
	}
	swept := 0
	for _, d := range dead {
		if s.now().Before(d.Since.Add(sweepAfter)) {
			continue
		}
		n, err := s.role(ctx, organization, d.Role)
		swept += n
		if err != nil {
			return swept, err
		}
	}
	return swept, nil
}

// role sweeps one deleted role, as far as there is time. Whom a change of theirs
// comes in between is passed over, and the role is looked at again then.
func (s *Sweeper) role(ctx context.Context, organization string, dead authz.RoleRef) (int, error) {
	swept, passed := 0, 0
	page := directory.Page{Limit: sweepBatch}
	for {
		if directory.Late(ctx, sweepReserve) {
			return swept, nil
		}
		ids, end, err := s.store.MemberIDs(ctx, organization, dead, page)
		if err != nil {
			return swept, err
		}
		n, err := s.batch(ctx, organization, dead, ids)
		swept += n
		passed += len(ids) - n
		switch {
		case err != nil:
			return swept, err
		case end == "" && passed == 0:
			return swept, s.store.Swept(ctx, organization, dead)
		case end == "":
			return swept, nil
		}
		page.After = end
	}
}

// batch sweeps some members together, or else each alone; it tells how many.
func (s *Sweeper) batch(ctx context.Context, organization string, dead authz.RoleRef, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	users, err := s.store.Holders(ctx, organization, ids)
	if err != nil {
		return 0, err
	}
	var all []directory.Turned
	for _, u := range users {
		after := u
		after.Assignments = slices.DeleteFunc(slices.Clone(u.Assignments), func(a directory.Assignment) bool { return a.Role == dead })
		all = append(all, directory.Turned{Before: u, After: after})
	}
	err = s.store.Sweep(ctx, organization, dead, all)
	if err == nil {
		return len(all), nil
	}
	if !fault.IsRaced(err) {
		return 0, err
	}
	swept := 0
	for i := range all {
		err := s.store.Sweep(ctx, organization, dead, all[i:i+1])
		if err == nil {
			swept++
		} else if !fault.IsRaced(err) {
			return swept, err
		}
	}
	return swept, nil
}
