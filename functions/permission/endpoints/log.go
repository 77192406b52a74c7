package endpoints

import (
	"context"
	"log/slog"
	"math/rand/v2"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

// decisionLog writes decisions down: every denial, and of the yeses the share
// that the organization wants.
type decisionLog struct{ log *slog.Logger }

func (l decisionLog) tell(ctx context.Context, c directory.Caller, questions []permission.Question, answers []permission.Answer) {
	rate := c.Organization.Settings.DecisionLogRate
	for i, a := range answers {
		if len(a.Faults) > 0 || a.Allowed && rand.Float64() >= rate {
			continue
		}
		l.log.LogAttrs(ctx, slog.LevelInfo, "decision", line(c, questions[i], a)...)
	}
}

// line says who asked what, what they were told, and by which policy. Words
// and ids that are not known as such, those of a type that is not known among
// them, are left out: they are raw input (T5).
func line(c directory.Caller, q permission.Question, a permission.Answer) []slog.Attr {
	kind, _ := authz.ParseResourceType(q.Resource.Type)
	action, _ := authz.ParseAction(kind, q.Action)
	return []slog.Attr{
		slog.String("requestId", c.RequestID), slog.String("organization", c.Organization.ID),
		slog.String("actor", c.Actor.ID), slog.String("asker", c.Subject.ID), slog.String("session", c.Session),
		slog.String("subject", id(q.Subject.Type == authz.UserResource.String(), q.Subject.ID)), slog.String("action", action.String()),
		slog.String("resourceType", kind.String()), slog.String("resource", id(kind != authz.NoResourceType, q.Resource.ID)),
		slog.Bool("hypothetical", q.Hypothetical != nil), slog.Bool("decision", a.Allowed), slog.String("reason", a.Reason.String()),
		slog.Uint64("policy", c.Policy),
	}
}

// id is the text if it is of a known type and has the form of an id.
func id(known bool, text string) string {
	if known && directory.IsID(text) {
		return text
	}
	return ""
}
