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
		return c.unknownRole(action, target)
	}
	return c.denied(action, d)
}

// unknownRole is the answer to a role that does not exist, given to or taken
// from a user that one knows: only an administrator of the user may learn that
// it does not (T4); to anybody else it is as any role.
func (c Caller) unknownRole(action authz.Action, target authz.Resource) error {
	d := c.Decide(authz.AdministerUser, target)
	if d.Allowed {
		return fault.New(fault.NotFound, "not_found", "")
	}
	return c.denied(action, d)
}

// denied is the no to who may know of the target, with the right that it takes. In a
// session both sides take it (I6), and it is not said which of them lacks it.
func (c Caller) denied(action authz.Action, d authz.Decision) error {
	needs := rights[action]
	if needs == "" {
		needs = action.String()
	}
	if c.Session != "" {
		return fault.New(fault.Denied, "denied", "This needs "+needs+". In an impersonation both people need it.")
	}
	return fault.New(fault.Denied, "denied", "This needs "+needs+". "+lacks[d.Reason])
}

// rights are what actions need, of those that are not called after it (R10–R12).
var rights = map[authz.Action]string{
	authz.AdministerUser:      "user administration of that user",
	authz.ReadUser:            "user administration of that user",
	authz.ChangePreferences:   "user administration of that user",
	authz.ChangePersona:       "user administration of that user",
	authz.ImpersonateUser:     "impersonate_user, and user administration of that user",
	authz.GrantRole:           "user administration of that user by a permission that may grant this role",
	authz.RevokeRole:          "user administration of that user by a permission that may grant this role",
	authz.PlaceUser:           "user administration of that user, and of the locations that it is given",
	authz.CreateUser:          "user administration with create_users, of all locations that the user is given",
	authz.CreateUsers:         "user administration with create_users",
	authz.AdministerSomeUsers: "user administration",
	authz.ReadAdministration:  "any admin permission",
	authz.ReadItems:           "access_reader, item_writer or quality_administrator",
	authz.RecordItems:         "item_writer or quality_administrator",
}

// lacks says why a right that somebody may have does not do.
var lacks = map[authz.Reason]string{
	authz.NoGrant:       "You do not have it.",
	authz.OutOfScope:    "What you have does not reach there.",
	authz.NotGrantable:  "What you have may not grant this role.",
	authz.WrongUserType: "Your type of user can have no such right.",
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
	}
	if on == authz.UserResource {
		return timeline.User
	}
	return timeline.Settings
}
