package role

import (
	"context"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// mostAssignments bounds the roles of one user, so that a user stays one
// small read.
const mostAssignments = 200

// Given is what an assignment shall be.
type Given struct {
	User, Role string
	Locations  []string
	Until      time.Time
}

// Result is what became of an assignment.
type Result uint8

// The results.
const (
	Unchanged Result = iota
	Assigned
	Limited
	Revoked
	ResultCount
)

var resultNames = [ResultCount]string{"unchanged", "assigned", "limited", "revoked"}

// String is the result's word.
func (r Result) String() string {
	if r < ResultCount {
		return resultNames[r]
	}
	return ""
}

// step is a user's next assignments with the entry that tells of them.
type step struct {
	after  directory.User
	entry  timeline.Entry
	result Result
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
	if err := s.store.Fits(change.After); err != nil {
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
	next, err := give(c, target, g)
	if err != nil || next.result == Unchanged {
		return Assigning{Before: target, After: target}, err
	}
	return s.guarded(ctx, c, target, next)
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
	next, err := take(c, target, role)
	if err != nil {
		return Assigning{}, err
	}
	return s.guarded(ctx, c, target, next)
}

// give is the target with a role given, or held otherwise than before.
func give(c directory.Caller, target directory.User, g Given) (step, error) {
	r, _ := c.Model.Role(g.Role)
	if err := fault.Faulty(fault.Unprocessable, "invalid_limit", Limit(r, target.Locations, g.Locations)); err != nil {
		return step{}, err
	}
	next := directory.Assignment{
		Assignment: authz.Assignment{Role: r.RoleRef, Locations: g.Locations, Until: g.Until},
		Since:      c.At, By: c.Subject.ID,
	}
	held, holds := c.Holds(target, r.RoleRef)
	if holds && slices.Equal(held.Locations, next.Locations) && held.Until.Equal(next.Until) {
		return step{after: target}, nil
	}
	action, result := "assign", Assigned
	if holds && !held.Over(c.At) {
		next.Since, next.By, action, result = held.Since, held.By, "limit", Limited
	}
	if !holds && len(c.Shown(target).Assignments) >= mostAssignments {
		return step{}, fault.New(fault.Unprocessable, "too_many_roles", "A user holds at most 200 roles.")
	}
	after := target
	after.Assignments = append(without(target.Assignments, g.Role), next)
	entry := c.Entry(timeline.Assignment, action, timeline.Target{Type: "user", ID: target.ID})
	if holds {
		entry.Before = assignmentValues(held)
	}
	entry.After = assignmentValues(next)
	return step{after, entry, result}, nil
}

// take is the target without a role.
func take(c directory.Caller, target directory.User, role string) (step, error) {
	r, _ := c.Model.Role(role)
	held, holds := c.Holds(target, r.RoleRef)
	if !holds {
		return step{}, fault.New(fault.NotFound, "not_found", "The user does not hold this role.")
	}
	after := target
	after.Assignments = without(target.Assignments, role)
	entry := c.Entry(timeline.Assignment, "revoke", timeline.Target{Type: "user", ID: target.ID})
	entry.Before = assignmentValues(held)
	return step{after, entry, Revoked}, nil
}

// guarded is a change to a user's assignments, under R13's guard when a full
// administration may go with them.
func (s *Service) guarded(ctx context.Context, c directory.Caller, before directory.User, next step) (Assigning, error) {
	after := next.after
	after.Version = before.Version + 1
	change := Assigning{Before: before, After: after, Entry: next.entry}
	if directory.LosesAdministration(c.Model, before, after) {
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
		return ownRoles()
	}
	return p.Heed(target.Version)
}

func ownRoles() error {
	return fault.New(fault.Denied, "own_roles_in_session", "Your own roles cannot be changed while you act as somebody else.")
}

// without is the assignments but for those of a role id, a deleted role's of
// the same id included.
func without(held []directory.Assignment, role string) []directory.Assignment {
	return slices.DeleteFunc(slices.Clone(held), func(a directory.Assignment) bool { return a.Role.ID == role })
}
