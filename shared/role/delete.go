package role

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Delete deletes a role for good and tells how many users lose it: those whose
// assignments are not over (R14). NotFound when there is none, Unconditional,
// Stale; Denied in a session for a role that the actor holds (I6); Unprocessable
// when nobody would be left to administer (R13).
func (s *Service) Delete(ctx context.Context, c directory.Caller, id string, p directory.Precondition) (int, error) {
	r, err := s.store.Role(ctx, c.Organization.ID, id)
	if err != nil {
		return 0, err
	}
	if err := p.Check(r.Version); err != nil {
		return 0, err
	}
	if err := notTheirOwn(c, r); err != nil {
		return 0, err
	}
	next := c.Model.With(authz.Change{Delete: authz.Names{Roles: []string{r.ID}}})
	guard, err := s.guardRole(ctx, c, r, Role{}, next)
	if err != nil {
		return 0, err
	}
	entry := c.Entry(timeline.Role, "delete", timeline.Target{Type: "role", ID: id})
	entry.Before = shown(c, r).values()
	if err := s.store.DeleteRole(ctx, c.Basis(), Deletion{Role: r, Entry: entry, Guard: guard}); err != nil {
		return 0, err
	}
	// Counted now, when an assignment that was under way is either there or has
	// failed with the policy version that it was decided from.
	return s.store.CountMembers(ctx, c.Organization.ID, r.RoleRef, c.At)
}
