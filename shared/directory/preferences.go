package directory

import (
	"context"
	"maps"

	"gemba/shared/timeline"
)

// Prefer makes these the user's own choices of notifications, all of them (U1,
// R15). The user is among the caller's facts; choices that are the user's
// already write nothing. Errors: Stale when a precondition was given and does
// not hold, Unprocessable too_large, Unavailable, raced.
func (p *Users) Prefer(ctx context.Context, c Caller, user string, notifications map[string]bool, pre Precondition) (User, error) {
	before := c.Users[user]
	if err := pre.Heed(before.Version); err != nil {
		return User{}, err
	}
	if maps.Equal(before.Notifications, notifications) {
		return before, nil
	}
	after := before
	after.Notifications = notifications
	entry := c.Entry(timeline.User, "prefer", timeline.Target{Type: "user", ID: user})
	entry.Before, entry.After = chosen(before.Notifications), chosen(notifications)
	return p.save(ctx, c, before, after, entry)
}

// chosen is choices of notifications as the timeline shows them.
func chosen(notifications map[string]bool) timeline.Values {
	choices := timeline.Values{}
	for name, on := range notifications {
		choices[name] = on
	}
	return timeline.Values{"notifications": choices}
}
