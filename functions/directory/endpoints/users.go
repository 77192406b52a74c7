package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// persons are the calls on one user.
func persons(users *directory.Users) []api.Bound {
	return []api.Bound{
		getUser.Bind(), putUser(users).Bind(), getPreferences.Bind(), putPreferences(users).Bind(),
		enableSignIn(users).Bind(), disableSignIn(users).Bind(),
	}
}

// getUser is a user, to oneself and to an administrator of the user.
var getUser = api.Endpoint[string]{
	Route:  "GET /v1/users/{id}",
	Action: authz.ReadUser,
	Decode: func(r *api.Request) (string, error) { return r.PathID("id") },
	Needs:  func(id string) directory.Keys { return directory.Keys{Users: []string{id}} },
	Target: func(c directory.Caller, id string) authz.Resource { return c.UserTarget(id) },
	Do: func(_ context.Context, c directory.Caller, id string) (api.Response, error) {
		return userAnswer(http.StatusOK, c, c.Users[id]), nil
	},
}

func userAnswer(status int, c directory.Caller, u directory.User) api.Response {
	return api.Response{Status: status, Body: body.User(c.Shown(u)), Version: u.Version}
}

// wanting is a user's next state and the version that it is to replace.
type wanting struct {
	user         directory.Wanted
	precondition directory.Precondition
}

// putUser makes a user or replaces one (R11, R12).
func putUser(users *directory.Users) api.Endpoint[wanting] {
	return api.Endpoint[wanting]{
		Route:  "PUT /v1/users/{id}",
		Action: authz.PlaceUser,
		Decode: decodeWanting,
		Needs:  func(in wanting) directory.Keys { return directory.Keys{Users: []string{in.user.ID}} },
		Asks: func(c directory.Caller, in wanting) (authz.Action, authz.Resource) {
			return c.PutTarget(in.user.User)
		},
		Do: func(ctx context.Context, c directory.Caller, in wanting) (api.Response, error) {
			u, err := users.Put(ctx, c, in.user, in.precondition)
			status := http.StatusOK
			if c.Users[in.user.ID].Version == 0 {
				status = http.StatusCreated
			}
			return userAnswer(status, c, u), err
		},
	}
}

func decodeWanting(r *api.Request) (in wanting, err error) {
	read := func(data []byte) (directory.Wanted, error) { return body.Read(data, body.ReadWanted) }
	id := ""
	id, in.user, in.precondition, err = api.ReadPut(r, read, func(given directory.Wanted) string { return given.ID })
	in.user.ID = id
	return in, err
}

// onUser is a call about a user and the version that the caller saw.
type onUser struct {
	id           string
	precondition directory.Precondition
}

func (in onUser) needs() directory.Keys { return directory.Keys{Users: []string{in.id}} }

func (in onUser) target(c directory.Caller) authz.Resource { return c.UserTarget(in.id) }

func decodeOnUser(r *api.Request) (in onUser, err error) {
	if in.id, err = r.PathID("id"); err != nil {
		return in, err
	}
	in.precondition, err = r.Precondition()
	return in, err
}
