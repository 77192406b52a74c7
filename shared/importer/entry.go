package importer

import (
	"context"
	"slices"
	"strconv"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// decide decides one entry as its own call would be, through the stage.
func (s *stage) decide(ctx context.Context, p Place) (Outcome, error) {
	w := s.run.world
	switch p.Kind {
	case Organization:
		return s.organization(ctx, *w.Organization)
	case Location:
		l := w.Locations[p.Index]
		l.Version = 0
		return s.put(ctx, l)
	case Workflow:
		f := w.Workflows[p.Index]
		f.Version = 0
		return s.put(ctx, f)
	case Template:
		t := w.Templates[p.Index]
		t.Version = 0
		return s.put(ctx, t)
	case Role:
		return s.role(ctx, w.Roles[p.Index])
	case User:
		return s.user(ctx, w.Users[p.Index])
	default:
		return s.item(ctx, w.Items[p.Index])
	}
}

// whatever is the precondition of an entry: it is what shall be, whatever the
// version of what is.
func whatever(exists bool) directory.Precondition {
	return directory.Precondition{Match: exists, Any: exists}
}

// became is the outcome of an entry by what it changed. A place that only lost
// its mark is what it was.
func (s *stage) became(created bool) Outcome {
	told := s.part
	told.Reopened = nil
	switch {
	case told.empty():
		return Unchanged
	case created:
		return Created
	default:
		return Changed
	}
}

// whole is the organization as a target.
func (s *stage) whole() authz.Resource {
	return s.caller.OrganizationTarget()
}

func (s *stage) organization(ctx context.Context, o directory.Organization) (Outcome, error) {
	if err := s.allowed(authz.AdministerSystem, s.whole()); err != nil {
		return Refused, err
	}
	o.Version = 0
	if s.run.world.KeepSettings {
		o.Settings = s.caller.Organization.Settings
	}
	_, err := s.organizations.Put(ctx, s.caller, o, whatever(true))
	return s.became(false), err
}

func (s *stage) put(ctx context.Context, p directory.Place) (Outcome, error) {
	if err := s.allowed(authz.AdministerQuality, s.whole()); err != nil {
		return Refused, err
	}
	_, err := s.Place(ctx, s.caller.Organization.ID, p.Ref())
	_, made, err := s.places.Put(ctx, s.caller, p, whatever(err == nil))
	return s.became(made), err
}

func (s *stage) role(ctx context.Context, r role.Role) (Outcome, error) {
	if err := s.allowed(authz.AdministerRoles, s.whole()); err != nil {
		return Refused, err
	}
	before, err := s.Role(ctx, s.caller.Organization.ID, r.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Refused, err
	}
	r.Version = 0
	_, err = s.roles.Put(ctx, s.caller, r, whatever(before.Version > 0))
	return s.became(before.Version == 0), err
}

func (s *stage) item(ctx context.Context, i directory.Item) (Outcome, error) {
	if err := s.allowed(authz.RecordItems, s.whole()); err != nil {
		return Refused, err
	}
	before, err := s.Item(ctx, s.caller.Organization.ID, i.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Refused, err
	}
	i.Version = 0
	_, err = s.items.Put(ctx, s.caller, i, whatever(before.Version > 0))
	return s.became(before.Version == 0), err
}

// user is a user with persona and roles, each step by the right of its own call
// (R11, R12, P2) and on what the step before made.
func (s *stage) user(ctx context.Context, u directory.User) (Outcome, error) {
	now, exists := s.caller.Users[u.ID]
	if exists && !s.caller.Knows(s.caller.UserTarget(u.ID)) {
		now, exists = directory.User{}, false // T4
	}
	action, target := s.caller.PutTarget(u)
	if err := s.allowed(action, target); err != nil {
		return Refused, err
	}
	wanted := directory.Wanted{User: u}
	if u.Email == "" {
		wanted.Email = now.Email
	}
	if u.Internal {
		wanted.Names = []string{"internal"}
	}
	if _, err := s.users.Put(ctx, s.caller, wanted, whatever(exists)); err != nil {
		return Refused, err
	}
	if u.Persona != directory.NoPersona && u.Persona != s.caller.Users[u.ID].Persona {
		if err := s.allowed(authz.ChangePersona, s.caller.UserTarget(u.ID)); err != nil {
			return Refused, err
		}
		if _, err := s.personas.Label(ctx, s.caller, u.ID, u.Persona, directory.Precondition{}); err != nil {
			return Refused, err
		}
	}
	for i, a := range u.Assignments {
		if err := s.assign(ctx, u.ID, a); err != nil {
			return Refused, below("/roles/"+strconv.Itoa(i), err)
		}
	}
	return s.became(!exists), nil
}

// assign gives a role, or changes how it is held. One that is held as it is
// listed needs no right.
func (s *stage) assign(ctx context.Context, user string, a directory.Assignment) error {
	u := s.caller.Users[user]
	r, exists := s.caller.Model.Role(a.Role.ID)
	if held, holds := s.caller.Holds(u, r.RoleRef); exists && holds && slices.Equal(held.Locations, a.Locations) && held.Until.Equal(a.Until) {
		return nil
	}
	target := s.caller.UserTarget(user)
	if !exists && s.caller.Decide(authz.AdministerUser, target).Allowed {
		return fault.Faulty(fault.Unprocessable, "invalid_user", []fault.Problem{{Pointer: "/role", Detail: "There is no role " + a.Role.ID + "."}})
	}
	target.Role = a.Role.ID
	if err := s.allowed(authz.GrantRole, target); err != nil {
		return err
	}
	_, err := s.roles.Assign(ctx, s.caller, role.Given{User: user, Role: a.Role.ID, Locations: a.Locations, Until: a.Until}, directory.Precondition{})
	return err
}

// below is a failure whose problems are of a part of the entry.
func below(pointer string, err error) error {
	if fault.IsRaced(err) {
		return err
	}
	f := *fault.Of(err)
	f.Problems = nil
	for _, p := range fault.Of(err).Problems {
		p.Pointer = pointer + p.Pointer
		f.Problems = append(f.Problems, p)
	}
	return &f
}

// allowed decides an entry's own right, both sides of a session (I6). The no is
// that of the entry's own call (T4), and is noted as a denied attempt (T1).
func (s *stage) allowed(a authz.Action, target authz.Resource) error {
	d := s.caller.Decide(a, target)
	if d.Allowed {
		return nil
	}
	entry := s.caller.Denied(a, target, d.Reason.String())
	if target.Type == authz.OrganizationResource && s.at.Kind != Organization {
		entry.Type, entry.Target = kinds[s.at.Kind], timeline.Target{Type: s.at.Kind.String(), ID: s.run.world.ID(s.at)}
	}
	s.denied = append(s.denied, attempt{s.at, entry})
	return s.caller.Refusal(a, target, d)
}

// attempt is a denied one, at an entry.
type attempt struct {
	place Place
	entry timeline.Entry
}

// kinds are the types of the timeline's entries about each kind.
var kinds = [KindCount]timeline.Type{
	Organization: timeline.Settings, Location: timeline.Location, Workflow: timeline.Workflow, Template: timeline.Template,
	Role: timeline.Role, User: timeline.User, Item: timeline.Item,
}
