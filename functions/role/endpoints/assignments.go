package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// assigning is a role to be given or taken, and the user's version that the
// caller saw. A dry run tells what it would do, and does nothing.
type assigning struct {
	given        role.Given
	precondition directory.Precondition
	dry          bool
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
			if in.dry {
				i, err := roles.TryAssign(ctx, c, in.given, in.precondition)
				return assignmentImpact(c, i, err)
			}
			u, err := roles.Assign(ctx, c, in.given, in.precondition)
			return userAnswer(c, u), err
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
			if in.dry {
				i, err := roles.TryRevoke(ctx, c, in.given.User, in.given.Role, in.precondition)
				return assignmentImpact(c, i, err)
			}
			u, err := roles.Revoke(ctx, c, in.given.User, in.given.Role, in.precondition)
			return userAnswer(c, u), err
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
	if in.dry, err = body.ReadQuery(r.Parameters(), func(o *body.Object) bool { return o.Flag("dryRun") }); err != nil {
		return in, err
	}
	in.precondition, err = r.Precondition()
	return in, err
}

func userAnswer(c directory.Caller, u directory.User) api.Response {
	return api.Response{Status: http.StatusOK, Body: body.User(c.Shown(u)), Version: u.Version}
}
