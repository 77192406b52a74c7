package directory

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/fault"
)

// Administrators is what R13 needs of storage. Every change that may lose a
// full administrator reads the guard first and commits only if it has not
// moved, so two such changes never rest on each other's survivor.
type Administrators interface {
	// Guard is the organization's guard version.
	Guard(ctx context.Context, organization string) (uint64, error)
	// Members are users who hold the role, with the end of the page ("" at
	// the last).
	Members(ctx context.Context, organization string, role authz.RoleRef, page Page) ([]User, string, error)
}

// KeepAdministrator proves R13 for the policy and the user (nil for none) as
// they will be: it answers the guard to commit under, or Unprocessable
// last_full_administrator.
func KeepAdministrator(ctx context.Context, store Administrators, organization string, next *authz.Model, changed *User) (*uint64, error) {
	if changed == nil {
		return KeepAdministratorAmong(ctx, store, organization, next, nil)
	}
	return KeepAdministratorAmong(ctx, store, organization, next, map[string]User{changed.ID: *changed})
}

// KeepAdministratorAmong is KeepAdministrator for several users as they will
// be, by their ids.
func KeepAdministratorAmong(ctx context.Context, store Administrators, organization string, next *authz.Model, changed map[string]User) (*uint64, error) {
	guard, err := store.Guard(ctx, organization)
	if err != nil {
		return nil, err
	}
	for _, u := range changed {
		if next.FullAdministrator(u.Decisive()) {
			return &guard, nil
		}
	}
	for _, r := range next.Policy().Roles {
		if !r.FullAdministrator() {
			continue
		}
		found, err := holds(ctx, store, organization, next, r.RoleRef, changed)
		if err != nil {
			return nil, err
		}
		if found {
			return &guard, nil
		}
	}
	return nil, fault.New(fault.Unprocessable, "last_full_administrator",
		"An organization always keeps a full administrator: a general user with sign-in who holds global user administration of all roles, without an end date.")
}

// LosesAdministration tells whether a user's next state may lose the
// organization a full administrator: also when the user stays one by another
// role, because at the same moment that role may be changed by somebody who
// counts on the administration that is lost here.
func LosesAdministration(m *authz.Model, before, after User) bool {
	if !m.FullAdministrator(before.Decisive()) {
		return false
	}
	if !m.FullAdministrator(after.Decisive()) {
		return true
	}
	for _, a := range before.Assignments {
		alone := before.Decisive()
		alone.Assignments = []authz.Assignment{a.Assignment}
		kept := func(b Assignment) bool { return b.Role == a.Role && b.Until.IsZero() }
		if m.FullAdministrator(alone) && !slices.ContainsFunc(after.Assignments, kept) {
			return true
		}
	}
	return false
}

// holds tells whether somebody but the changed users is a full
// administrator by this role.
func holds(ctx context.Context, store Administrators, organization string, next *authz.Model, role authz.RoleRef, changed map[string]User) (bool, error) {
	page := Page{Limit: 100}
	for {
		users, end, err := store.Members(ctx, organization, role, page)
		if err != nil {
			return false, err
		}
		for _, u := range users {
			if _, is := changed[u.ID]; !is && next.FullAdministrator(u.Decisive()) {
				return true, nil
			}
		}
		if end == "" {
			return false, nil
		}
		page.After = end
	}
}
