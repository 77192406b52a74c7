// Package endpoints is the calls of the role function: the roles of an
// organization, and who holds them.
//
// It decides the form of these calls' requests and answers. Where the contract
// is silent: giving or taking a role answers the user as it is then, with its
// new version. An impact lists people by their ids to whoever may design roles,
// who need not be their administrator; a dry run of an assignment is that of its
// one user. Each page of an impact tells the counts; a page may have fewer people
// than its limit, even none, and still have a next. A member has a name beside the
// id. Of many changes each row has a result (assigned, limited, revoked, unchanged)
// or a problem, in the order of the rows; who administers nobody at all is refused
// the whole.
package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// New is the role function.
func New(deps api.Deps, store role.Store) *api.Function {
	roles := role.New(store)
	return api.New("role", deps,
		list(roles).Bind(), get(roles).Bind(), create(roles).Bind(), put(roles).Bind(), remove(roles).Bind(),
		clone(roles).Bind(), members(roles).Bind(), assign(roles).Bind(), revoke(roles).Bind(), change(roles).Bind(),
		permissions().Bind(), impact(roles).Bind(), diff(roles).Bind(), access(roles).Bind())
}

// listing asks for a part of the list of roles.
type listing struct {
	filter role.Filter
	page   directory.Page
	next   func(after string) string
}

func list(roles *role.Service) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  "GET /v1/roles",
		Action: authz.ReadAdministration,
		Decode: decodeListing,
		Do: func(ctx context.Context, c directory.Caller, in listing) (api.Response, error) {
			found, end, err := roles.List(ctx, c, in.filter, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items, end, err := api.Fit(found, end, body.Role, func(r role.Role) string { return r.ID })
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, err
		},
	}
}

func decodeListing(r *api.Request) (listing, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) listing {
		return listing{filter: o.RoleFilter(), page: o.Page(r.Page), next: r.Next}
	})
}

func get(roles *role.Service) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:  "GET /v1/roles/{id}",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (string, error) { return r.PathID("id") },
		Do: func(ctx context.Context, c directory.Caller, id string) (api.Response, error) {
			r, err := roles.Get(ctx, c, id)
			return answer(http.StatusOK, r), err
		},
	}
}

func create(roles *role.Service) api.Endpoint[role.Role] {
	return api.Endpoint[role.Role]{
		Route:   "POST /v1/roles",
		Action:  authz.AdministerRoles,
		Creates: true,
		Decode:  func(r *api.Request) (role.Role, error) { return body.Read(r.Body, body.ReadRole) },
		Do: func(ctx context.Context, c directory.Caller, in role.Role) (api.Response, error) {
			c.Once.Encode = api.Keeping(created)
			r, err := roles.Create(ctx, c, in)
			return created(r), err
		},
	}
}

// created is the answer that tells of a new role.
func created(r role.Role) api.Response {
	response := answer(http.StatusCreated, r)
	response.Header = map[string]string{"location": "/v1/roles/" + r.ID}
	return response
}

// replacing is a role's next state and the version it is to replace.
type replacing struct {
	role         role.Role
	precondition directory.Precondition
}

func put(roles *role.Service) api.Endpoint[replacing] {
	return api.Endpoint[replacing]{
		Route:  "PUT /v1/roles/{id}",
		Action: authz.AdministerRoles,
		Decode: decodeReplacing,
		About:  func(in replacing) timeline.Target { return aboutRole(in.role.ID) },
		Do: func(ctx context.Context, c directory.Caller, in replacing) (api.Response, error) {
			r, err := roles.Put(ctx, c, in.role, in.precondition)
			status := http.StatusOK
			if r.Version == 1 {
				status = http.StatusCreated
			}
			return answer(status, r), err
		},
	}
}

func decodeReplacing(r *api.Request) (in replacing, err error) {
	read := func(data []byte) (role.Role, error) { return body.Read(data, body.ReadRole) }
	id := ""
	id, in.role, in.precondition, err = api.ReadPut(r, read, func(given role.Role) string { return given.ID })
	in.role.ID = id
	return in, err
}

func answer(status int, r role.Role) api.Response {
	return api.Response{Status: status, Body: body.Role(r), Version: r.Version}
}

// aboutRole is the role that an attempt was about.
func aboutRole(id string) timeline.Target {
	return timeline.Target{Type: timeline.Role.String(), ID: id}
}

// removing is a role that shall go, and the version that the caller saw.
type removing struct {
	id           string
	precondition directory.Precondition
}

func remove(roles *role.Service) api.Endpoint[removing] {
	return api.Endpoint[removing]{
		Route:  "DELETE /v1/roles/{id}",
		Action: authz.AdministerRoles,
		Decode: func(r *api.Request) (in removing, err error) {
			if in.id, err = r.PathID("id"); err != nil {
				return in, err
			}
			in.precondition, err = r.Precondition()
			return in, err
		},
		About: func(in removing) timeline.Target { return aboutRole(in.id) },
		Do: func(ctx context.Context, c directory.Caller, in removing) (api.Response, error) {
			lost, err := roles.Delete(ctx, c, in.id, in.precondition)
			return api.Response{Status: http.StatusOK, Body: removedBody{lost}}, err
		},
	}
}

// removedBody tells how many users lost the role (R14).
type removedBody struct {
	Members int `json:"members"`
}
