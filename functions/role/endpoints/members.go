package endpoints

import (
	"context"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// belonging asks for a part of a role's members. Where a page ends can be at
// somebody whom the caller may not know, so its cursor is sealed (T4).
type belonging struct {
	role    string
	filter  role.Filter
	page    directory.Page
	request *api.Request
}

func members(roles *role.Service) api.Endpoint[belonging] {
	return api.Endpoint[belonging]{
		Route:  "GET /v1/roles/{id}/members",
		Action: authz.AdministerSomeUsers,
		Decode: func(r *api.Request) (belonging, error) {
			id, err := r.PathID("id")
			if err != nil {
				return belonging{}, err
			}
			return body.ReadQuery(r.Parameters(), func(o *body.Object) belonging {
				return belonging{role: id, filter: o.RoleFilter(), page: o.Page(r.Limit), request: r}
			})
		},
		Do: func(ctx context.Context, c directory.Caller, in belonging) (api.Response, error) {
			at, err := in.request.Opening(c.Organization, in.page)
			if err != nil {
				return api.Response{}, err
			}
			found, end, err := roles.Members(ctx, c, in.role, in.filter, at)
			if err != nil {
				return api.Response{}, err
			}
			return api.SealedPage(in.request, c.Organization, found, end, body.Member, func(m role.Member) string { return m.User.ID })
		},
	}
}
