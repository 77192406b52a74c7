package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// listing asks for a part of a list of users. Where a page ends can be at
// somebody whom the caller may not know, so its cursor is sealed (T4).
type listing struct {
	filter  directory.Filter
	page    directory.Page
	request *api.Request
}

func decodeListing(r *api.Request) (listing, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) listing {
		return listing{filter: o.Filter(), page: o.Page(r.Limit), request: r}
	})
}

// lists are the lists of people.
func lists(of *directory.Listings) []api.Bound {
	return []api.Bound{users(of).Bind(), people(of).Bind()}
}

// users are those within the caller's reach (R11).
func users(lists *directory.Listings) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  "GET /v1/users",
		Action: authz.AdministerSomeUsers,
		Decode: decodeListing,
		Do:     shownAs(lists.Within, func(c directory.Caller, u directory.User) any { return body.User(c.Shown(u)) }),
	}
}

// people is everybody active, to those who have the people section (R9).
func people(lists *directory.Listings) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  "GET /v1/people",
		Action: authz.DoPeopleSection,
		Decode: decodeListing,
		Do:     shownAs(lists.People, func(_ directory.Caller, u directory.User) any { return body.Person(u) }),
	}
}

// paging is how a list is read.
type paging = func(context.Context, directory.Caller, directory.Filter, directory.Page) (directory.Listed, error)

// shownAs answers with as much of a page as fits, and the cursor of the next.
func shownAs(read paging, shown func(directory.Caller, directory.User) any) func(context.Context, directory.Caller, listing) (api.Response, error) {
	return func(ctx context.Context, c directory.Caller, in listing) (api.Response, error) {
		at, err := in.request.Opening(c.Organization, in.page)
		if err != nil {
			return api.Response{}, err
		}
		found, err := read(ctx, c, in.filter, at)
		if err != nil {
			return api.Response{}, err
		}
		items, next, err := api.SealedItems(in.request, c.Organization, found.Users, found.Next, found.More,
			func(u directory.User) any { return shown(c, u) }, func(u directory.User) string { return u.ID })
		return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: next}}, err
	}
}
