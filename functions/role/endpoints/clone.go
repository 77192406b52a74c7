package endpoints

import (
	"context"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// cloning is a role to be cloned, and what the clone has of its own.
type cloning struct {
	original string
	copy     body.Copy
}

func clone(roles *role.Service) api.Endpoint[cloning] {
	return api.Endpoint[cloning]{
		Route:   "POST /v1/roles/{id}/clone",
		Action:  authz.AdministerRoles,
		Creates: true,
		Decode: func(r *api.Request) (in cloning, err error) {
			if in.original, err = r.PathID("id"); err != nil {
				return in, err
			}
			in.copy, err = body.Read(r.Body, body.ReadCopy)
			return in, err
		},
		About: func(in cloning) timeline.Target { return aboutRole(in.original) },
		Asked: func(in cloning) string { return in.original + "\n" + in.copy.ID + "\n" + in.copy.Name },
		Do: func(ctx context.Context, c directory.Caller, in cloning) (api.Response, error) {
			c.Once.Encode = api.Keeping(created)
			r, err := roles.Clone(ctx, c, in.original, in.copy.ID, in.copy.Name)
			return created(r), err
		},
	}
}
