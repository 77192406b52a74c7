package directory

import (
	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Refusal is a no as the caller is told it: denied to who may know of the
// target, not found to who may not (T4). Who is to be made is no secret: the
// caller named all of it.
func (c Caller) Refusal(action authz.Action, target authz.Resource, d authz.Decision) error {
	if action != authz.CreateUser && !c.Knows(target) {
		return fault.New(fault.NotFound, "not_found", "")
	}
	if d.Reason == authz.UnknownResource {
		return c.unknownRole(target)
	}
	return denied(d)
}

// unknownRole is the answer to a role that does not exist, given to or taken
// from a user that one knows: only an administrator of the user may learn that
// it does not (T4); to anybody else it is as any role.
func (c Caller) unknownRole(target authz.Resource) error {
	d := c.Decide(authz.AdministerUser, target)
	if d.Allowed {
		return fault.New(fault.NotFound, "not_found", "There is no such role.")
	}
	return denied(d)
}

// denied is the no to who may know of the target.
func denied(d authz.Decision) error {
	return fault.New(fault.Denied, "denied", "This needs a right that you do not have here: "+d.Reason.String()+".")
}

// Denied is the timeline entry of an admin action that the caller was refused
// (T1).
func (c Caller) Denied(action authz.Action, target authz.Resource, cause string) timeline.Entry {
	e := c.Entry(deniedType(action, target.Type), action.String(), timeline.Target{Type: target.Type.String(), ID: target.ID})
	e.Denied, e.Cause = true, cause
	return e
}

// deniedType is the type of the entry of a denied attempt.
func deniedType(action authz.Action, on authz.ResourceType) timeline.Type {
	switch action {
	case authz.GrantRole, authz.RevokeRole:
		return timeline.Assignment
	case authz.ChangePersona:
		return timeline.Persona
	case authz.ImpersonateUser:
		return timeline.Impersonation
	case authz.AdministerRoles:
		return timeline.Role
	case authz.ReadItems, authz.RecordItems:
		return timeline.Item
	}
	if on == authz.UserResource {
		return timeline.User
	}
	return timeline.Settings
}
