package endpoints

import (
	"context"
	"encoding/json"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// foreseeing is a role as it shall be, nil for its deletion, and the page of the
// impact that a request asks for.
type foreseeing struct {
	id           string
	role         *role.Role
	precondition directory.Precondition
	limit        int
	// opened is the place that the cursor leads to, next the cursor of a place.
	opened func(directory.Organization) (role.ImpactPlace, error)
	next   func(directory.Organization, role.ImpactPlace) string
}

// impact tells what putting or deleting a role would do to whom. It only looks.
func impact(roles *role.Service) api.Endpoint[foreseeing] {
	return api.Endpoint[foreseeing]{
		Route:    "POST /v1/roles/{id}/impact",
		Action:   authz.AdministerRoles,
		ReadOnly: true,
		Decode:   decodeForeseeing,
		About:    func(in foreseeing) timeline.Target { return aboutRole(in.id) },
		Do: func(ctx context.Context, c directory.Caller, in foreseeing) (api.Response, error) {
			place, err := in.opened(c.Organization)
			if err != nil {
				return api.Response{}, err
			}
			page := role.ImpactPage{Limit: in.limit, After: place}
			i, err := roles.Impact(ctx, c, in.id, in.role, in.precondition, page)
			if err != nil {
				return api.Response{}, err
			}
			return impactAnswer(c, i, func(p role.ImpactPlace) string { return in.next(c.Organization, p) })
		},
	}
}

// decodeForeseeing reads a role's body, or none for a deletion.
func decodeForeseeing(r *api.Request) (in foreseeing, err error) {
	if in.id, err = r.PathID("id"); err != nil {
		return in, err
	}
	in.limit, err = body.ReadQuery(r.Parameters(), func(o *body.Object) int { return o.Page(r.Limit).Limit })
	if err != nil {
		return in, err
	}
	if !deletion(r.Body) {
		replacing, err := decodeReplacing(r)
		if err != nil {
			return in, err
		}
		in.role = &replacing.role
	}
	asked, cursor := string(r.Body), r.Query.Get("cursor")
	in.opened = func(o directory.Organization) (role.ImpactPlace, error) {
		if cursor == "" {
			return role.ImpactPlace{}, nil
		}
		page, ok := r.Opened(o, cursor, asked)
		if !ok {
			return role.ImpactPlace{}, fault.Faulty(fault.Invalid, "malformed", []fault.Problem{{Pointer: "/cursor", Detail: "This cursor was not given for this impact."}})
		}
		return role.ParseImpactPlace(page.After)
	}
	in.next = func(o directory.Organization, p role.ImpactPlace) string {
		return r.Token(o, directory.Page{After: p.String()}, asked)
	}
	in.precondition, err = r.Precondition()
	return in, err
}

// deletion is whether there is no role in a body: none at all, or an empty object.
func deletion(data []byte) bool {
	empty, err := body.Read(data, func(o *body.Object) bool {
		o.Open()
		return o != nil && len(o.Names()) == 0
	})
	return len(data) == 0 || err == nil && empty
}

// impactBody is an impact, the counts first.
type impactBody struct {
	Users body.ImpactUsers  `json:"users"`
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next"`
}

// impactAnswer is as many of the people as one answer can carry.
func impactAnswer(c directory.Caller, i role.Impact, next func(role.ImpactPlace) string) (api.Response, error) {
	end := ""
	if i.More {
		end = next(i.Place())
	}
	items, end, err := api.Fit(i.People, end,
		func(a role.Affected) any { return body.Affected(c.Model, a) },
		func(a role.Affected) string { return next(i.After(a.User)) })
	out := impactBody{Users: body.ImpactUsers{Gaining: i.Gaining, Losing: i.Losing, Complete: i.Complete}, Items: items, Next: end}
	return api.Response{Status: http.StatusOK, Body: out}, err
}

// assignmentImpact is the answer to a dry run, of one person.
func assignmentImpact(c directory.Caller, i role.Impact, err error) (api.Response, error) {
	if err != nil {
		return api.Response{}, err
	}
	return impactAnswer(c, i, func(role.ImpactPlace) string { return "" })
}

// diff tells what one role grants and another does not.
func diff(roles *role.Service) api.Endpoint[[2]string] {
	return api.Endpoint[[2]string]{
		Route:  "GET /v1/roles/{id}/diff/{other}",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (ids [2]string, err error) {
			if ids[0], err = r.PathID("id"); err != nil {
				return ids, err
			}
			ids[1], err = r.PathID("other")
			return ids, err
		},
		Do: func(ctx context.Context, c directory.Caller, ids [2]string) (api.Response, error) {
			d, err := roles.Diff(ctx, c, ids[0], ids[1])
			return api.Response{Status: http.StatusOK, Body: body.Diff(d)}, err
		},
	}
}

// access tells somebody's rights, to oneself and to an administrator of the user.
func access(roles *role.Service) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:  "GET /v1/users/{id}/access",
		Action: authz.ReadUser,
		Decode: func(r *api.Request) (string, error) { return r.PathID("id") },
		Needs:  func(id string) directory.Keys { return directory.Keys{Users: []string{id}} },
		Target: func(c directory.Caller, id string) authz.Resource { return c.UserTarget(id) },
		Do: func(ctx context.Context, c directory.Caller, id string) (api.Response, error) {
			a, err := roles.Access(ctx, c, id)
			if err != nil {
				return api.Response{}, err
			}
			return api.Whole(http.StatusOK, body.Access(c.Model, a))
		},
	}
}
