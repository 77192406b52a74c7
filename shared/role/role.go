// Package role is the use case of system roles: creating and changing them,
// giving them to people and taking them back (rules R1–R14).
//
// It decides what a valid role is, what an assignment may be limited to, and
// when a change would leave the organization without a full administrator
// (R13). Whether the caller may act at all was decided by package authz before
// it is called. It refuses to know HTTP and storage.
//
// Where the rules are silent: giving a role that is held already changes its
// limit and end, and keeps since when and by whom it was given first; an end
// that has passed may be given and ends the assignment at once; giving what is
// held unchanged writes nothing.
package role

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

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
	return s.store.Role(ctx, c.Organization.ID, id)
}

// List is a page of roles by id, of those meant for a persona when one is
// named, with the id to go on after.
func (s *Service) List(ctx context.Context, c directory.Caller, persona directory.Persona, page directory.Page) ([]Role, string, error) {
	found := []Role{}
	for {
		roles, end, err := s.store.Roles(ctx, c.Organization.ID, page)
		if err != nil {
			return nil, "", err
		}
		for _, r := range roles {
			if persona != directory.NoPersona && r.Persona != persona {
				continue
			}
			found = append(found, r)
			if len(found) == page.Limit && r.ID != roles[len(roles)-1].ID {
				return found, r.ID, nil
			}
		}
		if end == "" || len(found) == page.Limit {
			return found, end, nil
		}
		page.After = end
	}
}

// Create makes a role; without an id it gets a random one. Unprocessable with
// every broken rule, Conflict for a taken id or name.
func (s *Service) Create(ctx context.Context, c directory.Caller, r Role) (Role, error) {
	if r.ID == "" {
		r.ID = strings.ToLower(rand.Text())
	}
	return s.save(ctx, c, Role{}, r)
}

// Put makes or replaces the role with this id (R14: an edit needs the current
// version). Errors as Create's, and Stale or Unconditional.
func (s *Service) Put(ctx context.Context, c directory.Caller, r Role, p directory.Precondition) (Role, error) {
	before, err := s.store.Role(ctx, c.Organization.ID, r.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Role{}, err
	}
	if err := p.Check(before.Version); err != nil {
		return Role{}, err
	}
	return s.save(ctx, c, before, r)
}

// save writes a role's next state. The birth of a new role is the policy
// version that it makes.
func (s *Service) save(ctx context.Context, c directory.Caller, before, after Role) (Role, error) {
	if err := saveable(c.Model, before, after); err != nil {
		return Role{}, err
	}
	after.Version, after.Birth = before.Version+1, before.Birth
	action := "edit"
	if before.Version == 0 {
		after.Birth, action = c.Policy+1, "create"
	}
	after = resolved(c.Model, after)
	guard, err := s.guardRole(ctx, c, before, after, c.Model.With(authz.Change{Put: authz.Policy{Roles: []authz.Role{after.Role}}}))
	if err != nil {
		return Role{}, err
	}
	entry := c.Entry(timeline.Role, action, timeline.Target{Type: "role", ID: after.ID})
	entry.Before, entry.After = timeline.Changed(before.values(), after.values())
	change := Change{Before: before, After: after, Entry: entry, Kept: c.Once.Keep(after), Guard: guard}
	return after, s.store.PutRole(ctx, c.Basis(), change)
}

// saveable holds a role's next state to the rules; Unprocessable with every one
// that it breaks.
func saveable(m *authz.Model, before, after Role) error {
	problems := Validate(m, after)
	if after.Version != 0 && after.Version != before.Version {
		problems = append(problems, fault.Problem{Pointer: "/version", Detail: "The version is given by the service and cannot be changed."})
	}
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

// mostAssignments bounds the roles of one user, so that a user stays one
// small read.
const mostAssignments = 200

// Given is what an assignment shall be.
type Given struct {
	User, Role string
	Locations  []string
	Until      time.Time
}

// Assign gives a role, or changes the limit and end with which it is held
// (R5, R12). Unprocessable when the limit is none, Stale when the user changed
// since the version that the precondition names.
func (s *Service) Assign(ctx context.Context, c directory.Caller, g Given, p directory.Precondition) (directory.User, error) {
	change, err := s.assigning(ctx, c, g, p)
	return s.put(ctx, c, change, err)
}

// TryAssign is what Assign would do, without doing it. Errors are those of Assign.
func (s *Service) TryAssign(ctx context.Context, c directory.Caller, g Given, p directory.Precondition) (Impact, error) {
	change, err := s.assigning(ctx, c, g, p)
	if err != nil {
		return Impact{}, err
	}
	return impactOn(c, g.Role, change.Before, change.After), nil
}

// assigning is the change that gives a role; one that changes nothing has the
// user's version.
func (s *Service) assigning(ctx context.Context, c directory.Caller, g Given, p directory.Precondition) (Assigning, error) {
	target := c.Users[g.User]
	if err := changeable(c, target, p); err != nil {
		return Assigning{}, err
	}
	r, _ := c.Model.Role(g.Role)
	if err := fault.Faulty(fault.Unprocessable, "invalid_limit", Limit(r, target.Locations, g.Locations)); err != nil {
		return Assigning{}, err
	}
	held, holds := target.Assignment(g.Role)
	next := directory.Assignment{
		Assignment: authz.Assignment{Role: r.RoleRef, Locations: g.Locations, Until: g.Until},
		Since:      c.At, By: c.Subject.ID,
	}
	action := "assign"
	if holds && held.Role == r.RoleRef {
		next.Since, next.By, action = held.Since, held.By, "limit"
		if slices.Equal(held.Locations, next.Locations) && held.Until.Equal(next.Until) {
			return Assigning{Before: target, After: target}, nil
		}
	}
	if !holds && len(target.Assignments) >= mostAssignments {
		return Assigning{}, fault.New(fault.Unprocessable, "too_many_roles", "A user holds at most 200 roles.")
	}
	after := target
	after.Assignments = append(without(target.Assignments, g.Role), next)
	entry := c.Entry(timeline.Assignment, action, timeline.Target{Type: "user", ID: target.ID})
	if holds {
		entry.Before = assignmentValues(held)
	}
	entry.After = assignmentValues(next)
	return s.guarded(ctx, c, target, after, entry)
}

// Revoke takes a role back (R12). NotFound when the user does not hold it;
// Unprocessable when nobody would be left to administer (R13).
func (s *Service) Revoke(ctx context.Context, c directory.Caller, user, role string, p directory.Precondition) (directory.User, error) {
	change, err := s.revoking(ctx, c, user, role, p)
	return s.put(ctx, c, change, err)
}

// TryRevoke is what Revoke would do, without doing it. Errors are those of Revoke.
func (s *Service) TryRevoke(ctx context.Context, c directory.Caller, user, role string, p directory.Precondition) (Impact, error) {
	change, err := s.revoking(ctx, c, user, role, p)
	if err != nil {
		return Impact{}, err
	}
	return impactOn(c, role, change.Before, change.After), nil
}

// revoking is the change that takes a role back.
func (s *Service) revoking(ctx context.Context, c directory.Caller, user, role string, p directory.Precondition) (Assigning, error) {
	target := c.Users[user]
	if err := changeable(c, target, p); err != nil {
		return Assigning{}, err
	}
	held, holds := target.Assignment(role)
	if !holds {
		return Assigning{}, fault.New(fault.NotFound, "not_found", "The user does not hold this role.")
	}
	after := target
	after.Assignments = without(target.Assignments, role)
	entry := c.Entry(timeline.Assignment, "revoke", timeline.Target{Type: "user", ID: target.ID})
	entry.Before = assignmentValues(held)
	return s.guarded(ctx, c, target, after, entry)
}

// guarded is a change to a user's assignments, under R13's guard when the user is
// a full administrator no more.
func (s *Service) guarded(ctx context.Context, c directory.Caller, before, after directory.User, entry timeline.Entry) (Assigning, error) {
	after.Version = before.Version + 1
	change := Assigning{Before: before, After: after, Entry: entry}
	if c.Model.FullAdministrator(before.Decisive()) && !c.Model.FullAdministrator(after.Decisive()) {
		guard, err := directory.KeepAdministrator(ctx, s.store, c.Organization.ID, c.Model, &after)
		if err != nil {
			return Assigning{}, err
		}
		change.Guard = guard
	}
	return change, nil
}

// put writes a change to a user's assignments, unless there is none.
func (s *Service) put(ctx context.Context, c directory.Caller, change Assigning, err error) (directory.User, error) {
	if err != nil || change.After.Version == change.Before.Version {
		return change.After, err
	}
	return change.After, s.store.PutAssignment(ctx, c.Basis(change.Before), change)
}

// changeable refuses what no right allows: the actor's own roles in a session
// (I6), and a user that changed since the caller looked.
func changeable(c directory.Caller, target directory.User, p directory.Precondition) error {
	if c.Session != "" && target.ID == c.Actor.ID {
		return fault.New(fault.Denied, "own_roles_in_session", "Your own roles cannot be changed while you act as somebody else.")
	}
	return p.Heed(target.Version)
}

// without is the assignments but for those of a role id.
func without(held []directory.Assignment, role string) []directory.Assignment {
	return slices.DeleteFunc(slices.Clone(held), func(a directory.Assignment) bool { return a.Role.ID == role })
}
