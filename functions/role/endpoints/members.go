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

// belonging asks for a part of a role's members.
type belonging struct {
	role string
	page directory.Page
	next func(after string) string
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
				return belonging{role: id, page: o.Page(r.Page), next: r.Next}
			})
		},
		Do: func(ctx context.Context, c directory.Caller, in belonging) (api.Response, error) {
			found, end, err := roles.Members(ctx, c, in.role, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items, end, err := api.Fit(found, end, body.Member, func(m role.Member) string { return m.User.ID })
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, err
		},
	}
}
