package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// enableSignIn gives a user a sign-in, or the one back that was disabled.
func enableSignIn(users *directory.Users) api.Endpoint[onUser] {
	return onSignIn("PUT /v1/users/{id}/sign-in", users.EnableSignIn, func(r *api.Request) (onUser, error) {
		in, err := decodeOnUser(r)
		if err != nil || len(r.Body) == 0 {
			return in, err
		}
		_, err = body.Read(r.Body, body.ReadNothing)
		return in, err
	})
}

// disableSignIn takes a user's sign-in away.
func disableSignIn(users *directory.Users) api.Endpoint[onUser] {
	return onSignIn("DELETE /v1/users/{id}/sign-in", users.DisableSignIn, decodeOnUser)
}

// onSignIn is a call that changes a sign-in and answers its state.
func onSignIn(
	route string,
	change func(context.Context, directory.Caller, string, directory.Precondition) (directory.User, error),
	decode func(*api.Request) (onUser, error),
) api.Endpoint[onUser] {
	return api.Endpoint[onUser]{
		Route:  route,
		Action: authz.AdministerUser,
		Decode: decode,
		Needs:  onUser.needs,
		Target: func(c directory.Caller, in onUser) authz.Resource { return in.target(c) },
		Do: func(ctx context.Context, c directory.Caller, in onUser) (api.Response, error) {
			u, err := change(ctx, c, in.id, in.precondition)
			return api.Response{Status: http.StatusOK, Body: body.SignIn(u), Version: u.Version}, err
		},
	}
}
