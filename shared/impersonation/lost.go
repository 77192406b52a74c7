package impersonation

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Invalid is the one answer to a session that is ended, somebody else's or
// none at all: Denied, the same in all cases.
func Invalid() error {
	return fault.New(fault.Denied, "impersonation_invalid", "There is no such session for you, or none any more.")
}

// Lost is why a session may not go on though the clock lets it (I5), NoCause
// when it may: the organization switched impersonation off, actor or subject
// went inactive, or the actor lost a right that I1 needs.
func Lost(m *authz.Model, settings directory.Settings, actor, subject directory.User, at time.Time) Cause {
	switch {
	case !settings.Impersonation.Enabled:
		return SwitchedOff
	case actor.Type == authz.Inactive || subject.Type == authz.Inactive || actor.ID == "" || subject.ID == "":
		return WentInactive
	case !mayImpersonate(m, actor, subject, at):
		return RightLost
	}
	return NoCause
}

// mayImpersonate is R10: impersonate_user and user administration of the
// subject.
func mayImpersonate(m *authz.Model, actor, subject directory.User, at time.Time) bool {
	target := subject.Decisive()
	r := authz.Resource{Type: authz.UserResource, ID: subject.ID, User: &target}
	return m.Decide(m.Subject(actor.Decisive(), at), authz.ImpersonateUser, r).Allowed
}
