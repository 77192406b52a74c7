// Package role is the use case of system roles: creating, cloning, changing and
// deleting them, giving them to people and taking them back, one by one or many at
// once, and telling who holds them, what a change will do to whom, and what
// somebody has by all of theirs (rules R1–R15).
//
// It decides what a valid role is, what an assignment may be limited to, and
// when a change would leave the organization without a full administrator
// (R13). Whether the caller may act at all was decided by package authz before
// it is called; only the rows of many changes and the members of a list are put to
// it here, one by one. What rights are gained, lost or wider is authz's to say. It
// refuses to know HTTP and storage.
//
// Where the rules are silent:
//
//   - Giving a role that is held already changes its limit and end, and keeps since
//     when and by whom it was given first; one that is over is given anew. An end that
//     has passed may be given and ends the assignment at once. Giving what is held
//     unchanged writes nothing; putting a role as it is makes a new version of it.
//   - In a session a role that the actor holds is neither changed nor deleted, as if
//     it were taken or given (I6).
//   - A user holds at most 200 roles.
//   - A role that takes an id that lists of grantable roles name for a deleted one
//     edits those lists first (R14).
//   - Who shall lose a role is counted when it is gone. What a deletion leaves in
//     users and among members is swept by the day, and is no entry of the timeline.
//   - The pages of an impact are of one policy: when that changes, ask anew.
package role

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Service is the use case over its store.
type Service struct{ store Store }

// New is the use case.
func New(store Store) *Service { return &Service{store} }

// Get is a role; NotFound when there is none.
func (s *Service) Get(ctx context.Context, c directory.Caller, id string) (Role, error) {
	r, err := s.store.Role(ctx, c.Organization.ID, id)
	return shown(c, r), err
}

// Create makes a role; without an id it gets a random one. Unprocessable with
// every broken rule, Conflict for a taken id or name.
func (s *Service) Create(ctx context.Context, c directory.Caller, r Role) (Role, error) {
	return s.create(ctx, c, r, "create")
}

// Clone makes a role that is as another in all but id and name. NotFound when
// there is no such other; else as Create.
func (s *Service) Clone(ctx context.Context, c directory.Caller, original, id, name string) (Role, error) {
	r, err := s.store.Role(ctx, c.Organization.ID, original)
	if err != nil {
		return Role{}, err
	}
	r = shown(c, r)
	r.RoleRef, r.Name, r.Version = authz.RoleRef{ID: id}, name, 0
	return s.create(ctx, c, r, "clone")
}

// Put makes or replaces the role with this id (R14: an edit needs the current
// version). Errors as Create's, and Stale or Unconditional; Denied in a session
// for a role that the actor holds (I6).
func (s *Service) Put(ctx context.Context, c directory.Caller, r Role, p directory.Precondition) (Role, error) {
	before, err := s.store.Role(ctx, c.Organization.ID, r.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Role{}, err
	}
	if err := p.Check(before.Version); err != nil {
		return Role{}, err
	}
	if before.Version == 0 {
		return s.create(ctx, c, r, "create")
	}
	if err := notTheirOwn(c, before); err != nil {
		return Role{}, err
	}
	return s.save(ctx, c, before, r, c.Entry(timeline.Role, "edit", timeline.Target{Type: "role", ID: r.ID}))
}

// notTheirOwn refuses to change or delete, in a session, a role that the actor
// holds: that changes what the actor's own roles give (I6).
func notTheirOwn(c directory.Caller, r Role) error {
	if _, holds := c.Holds(c.Actor, r.RoleRef); c.Session != "" && holds {
		return ownRoles()
	}
	return nil
}

// create makes a new role, with a random id if it has none. Its birth is the policy
// version that it makes.
func (s *Service) create(ctx context.Context, c directory.Caller, r Role, action string) (Role, error) {
	if r.ID == "" {
		r.ID = strings.ToLower(rand.Text())
	}
	if err := saveable(c.Model, Role{}, r); err != nil {
		return Role{}, err
	}
	c, err := s.forget(ctx, c, r.ID)
	if err != nil {
		return Role{}, err
	}
	r.Birth = c.Policy + 1
	return s.save(ctx, c, Role{}, r, c.Entry(timeline.Role, action, timeline.Target{Type: "role", ID: r.ID}))
}

// save writes a role's next state.
func (s *Service) save(ctx context.Context, c directory.Caller, before, after Role, entry timeline.Entry) (Role, error) {
	if err := saveable(c.Model, before, after); err != nil {
		return Role{}, err
	}
	after.Version = before.Version + 1
	if before.Version > 0 {
		after.Birth = before.Birth
	}
	after = resolved(c.Model, after)
	guard, err := s.guardRole(ctx, c, before, after, c.Model.With(authz.Change{Put: authz.Policy{Roles: []authz.Role{after.Role}}}))
	if err != nil {
		return Role{}, err
	}
	entry.Before, entry.After = timeline.Changed(shown(c, before).values(), after.values())
	change := Change{Before: before, After: after, Entry: entry, Kept: c.Once.Keep(after), Guard: guard}
	return after, s.store.PutRole(ctx, c.Basis(), change)
}

// saveable holds a role's next state to the rules; Unprocessable with every one
// that it breaks.
func saveable(m *authz.Model, before, after Role) error {
	problems := append(Validate(m, after), directory.VersionGiven(after.Version, before.Version)...)
	return fault.Faulty(fault.Unprocessable, "invalid_role", problems)
}

// guardRole is R13's guard when a role stops making full administrators; next is
// the policy then.
func (s *Service) guardRole(ctx context.Context, c directory.Caller, before, after Role, next *authz.Model) (*uint64, error) {
	if !before.FullAdministrator() || after.FullAdministrator() {
		return nil, nil
	}
	return directory.KeepAdministrator(ctx, s.store, c.Organization.ID, next, nil)
}

// resolved names the grantable roles by their births, so that a later role
// under one of these ids is not meant (R14).
func resolved(m *authz.Model, r Role) Role {
	r.Admin.Global = resolvedAdministration(m, r.RoleRef, r.Admin.Global)
	r.Admin.Local = resolvedAdministration(m, r.RoleRef, r.Admin.Local)
	return r
}

func resolvedAdministration(m *authz.Model, self authz.RoleRef, a *authz.UserAdministration) *authz.UserAdministration {
	if a == nil {
		return nil
	}
	next := *a
	next.Grantable.Roles = slices.Clone(a.Grantable.Roles)
	for i, g := range next.Grantable.Roles {
		if named, ok := m.Role(g.ID); ok {
			next.Grantable.Roles[i] = named.RoleRef
		}
		if g.ID == self.ID {
			next.Grantable.Roles[i] = self
		}
	}
	return &next
}
