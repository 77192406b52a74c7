package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// assigning is a role to be given or taken, and the user's version that the
// caller saw.
type assigning struct {
	given        role.Given
	precondition directory.Precondition
}

func (a assigning) needs() directory.Keys { return directory.Keys{Users: []string{a.given.User}} }

func (a assigning) target(c directory.Caller) authz.Resource {
	r := c.UserTarget(a.given.User)
	r.Role = a.given.Role
	return r
}

func assign(roles *role.Service) api.Endpoint[assigning] {
	return api.Endpoint[assigning]{
		Route:  "PUT /v1/users/{id}/roles/{role}",
		Action: authz.GrantRole,
		Decode: func(r *api.Request) (assigning, error) {
			in, err := decodeAssigning(r)
			if err != nil || len(r.Body) == 0 {
				return in, err
			}
			limits, err := body.Read(r.Body, body.ReadAssignment)
			in.given.Locations, in.given.Until = limits.Locations, limits.Until
			return in, err
		},
		Needs:  assigning.needs,
		Target: func(c directory.Caller, in assigning) authz.Resource { return in.target(c) },
		Do: func(ctx context.Context, c directory.Caller, in assigning) (api.Response, error) {
			u, err := roles.Assign(ctx, c, in.given, in.precondition)
			return userAnswer(u), err
		},
	}
}

func revoke(roles *role.Service) api.Endpoint[assigning] {
	return api.Endpoint[assigning]{
		Route:  "DELETE /v1/users/{id}/roles/{role}",
		Action: authz.RevokeRole,
		Decode: decodeAssigning,
		Needs:  assigning.needs,
		Target: func(c directory.Caller, in assigning) authz.Resource { return in.target(c) },
		Do: func(ctx context.Context, c directory.Caller, in assigning) (api.Response, error) {
			u, err := roles.Revoke(ctx, c, in.given.User, in.given.Role, in.precondition)
			return userAnswer(u), err
		},
	}
}

func decodeAssigning(r *api.Request) (in assigning, err error) {
	if in.given.User, err = r.PathID("id"); err != nil {
		return in, err
	}
	if in.given.Role, err = r.PathID("role"); err != nil {
		return in, err
	}
	if dry := r.Query.Get("dryRun"); dry != "" && dry != "false" {
		return in, fault.Faulty(fault.Invalid, "malformed", []fault.Problem{{
			Pointer: "/dryRun", Detail: "Giving and taking a role cannot be tried here without doing it. Nothing was changed.",
		}})
	}
	in.precondition, err = r.Precondition()
	return in, err
}

func userAnswer(u directory.User) api.Response {
	return api.Response{Status: http.StatusOK, Body: body.User(u), Version: u.Version}
}
