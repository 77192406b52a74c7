package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// getPreferences is a user's own choices of notifications (R15).
var getPreferences = api.Endpoint[string]{
	Route:  "GET /v1/users/{id}/preferences",
	Action: authz.ReadUser,
	Decode: func(r *api.Request) (string, error) { return r.PathID("id") },
	Needs:  func(id string) directory.Keys { return directory.Keys{Users: []string{id}} },
	Target: func(c directory.Caller, id string) authz.Resource { return c.UserTarget(id) },
	Do: func(_ context.Context, c directory.Caller, id string) (api.Response, error) {
		return preferencesAnswer(c.Users[id]), nil
	},
}

func preferencesAnswer(u directory.User) api.Response {
	return api.Response{Status: http.StatusOK, Body: body.Preferences(u), Version: u.Version}
}

// preferring is all the choices that a user shall have.
type preferring struct {
	onUser
	notifications map[string]bool
}

// putPreferences replaces a user's own choices of notifications.
func putPreferences(users *directory.Users) api.Endpoint[preferring] {
	return api.Endpoint[preferring]{
		Route:  "PUT /v1/users/{id}/preferences",
		Action: authz.ChangePreferences,
		Decode: func(r *api.Request) (in preferring, err error) {
			if in.onUser, err = decodeOnUser(r); err != nil {
				return in, err
			}
			in.notifications, err = body.Read(r.Body, body.ReadPreferences)
			return in, err
		},
		Needs:  func(in preferring) directory.Keys { return in.needs() },
		Target: func(c directory.Caller, in preferring) authz.Resource { return in.target(c) },
		Do: func(ctx context.Context, c directory.Caller, in preferring) (api.Response, error) {
			u, err := users.Prefer(ctx, c, in.id, in.notifications, in.precondition)
			return preferencesAnswer(u), err
		},
	}
}
