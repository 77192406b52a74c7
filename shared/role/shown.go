package role

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// shown is the role as people are shown it: without grantable roles that were
// deleted since they were named (R14). One that is born after the policy that
// the caller was read with is none of these: the role names it by a later edit.
func shown(c directory.Caller, r Role) Role {
	dead := func(ref authz.RoleRef) bool {
		lives, ok := c.Model.Role(ref.ID)
		return ref.Birth <= c.Policy && !(ok && lives.RoleRef == ref)
	}
	for _, a := range []**authz.UserAdministration{&r.Admin.Global, &r.Admin.Local} {
		if *a != nil && slices.ContainsFunc((*a).Grantable.Roles, dead) {
			next := **a
			next.Grantable.Roles = slices.DeleteFunc(slices.Clone(next.Grantable.Roles), dead)
			*a = &next
		}
	}
	return r
}

// forget takes an id that is about to be a new role's out of the lists of
// grantable roles that name a deleted one by it, each by an edit of its own.
// Whoever read such a list before, to put it back, so finds that it has changed,
// and cannot come to name the new role by the old list (R14). The caller's
// policy is that after the edits.
func (s *Service) forget(ctx context.Context, c directory.Caller, id string) (directory.Caller, error) {
	if _, lives := c.Model.Role(id); lives {
		return c, nil
	}
	for _, r := range c.Model.Policy().Roles {
		if !names(r.Admin.Global, id) && !names(r.Admin.Local, id) {
			continue
		}
		before, err := s.store.Role(ctx, c.Organization.ID, r.ID)
		if err != nil {
			return c, err
		}
		after := shown(c, before)
		after.Version++
		entry := c.Entry(timeline.Role, "edit", timeline.Target{Type: "role", ID: r.ID})
		entry.Before, entry.After = timeline.Changed(before.values(), after.values())
		if err := s.store.PutRole(ctx, c.Basis(), Change{Before: before, After: after, Entry: entry}); err != nil {
			return c, err
		}
		c.Model, c.Policy = c.Model.With(authz.Change{Put: authz.Policy{Roles: []authz.Role{after.Role}}}), c.Policy+1
	}
	return c, nil
}

// names is whether the list of grantable roles has one of this id.
func names(a *authz.UserAdministration, id string) bool {
	return a != nil && slices.ContainsFunc(a.Grantable.Roles, func(r authz.RoleRef) bool { return r.ID == id })
}
