package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

const (
	subjectsRoute  = "POST /access/v1/search/subject"
	resourcesRoute = "POST /access/v1/search/resource"
	actionsRoute   = "POST /access/v1/search/action"
)

// searching is a search and the page of it that a request asks for.
type searching struct {
	search permission.Search
	page   directory.Page
	// next is the token to go on with after a page.
	next func(directory.Page) string
}

// search answers to anybody who is signed in with what evaluation would allow
// them. In a read_only session it only looks.
func search(route string, what permission.Searched, store permission.Store) api.Endpoint[searching] {
	return api.Endpoint[searching]{
		Route:    route,
		Action:   authz.SignIn,
		ReadOnly: true,
		Decode:   func(r *api.Request) (searching, error) { return decodeSearch(r, what) },
		Needs:    func(in searching) directory.Keys { return in.search.Needs() },
		Do: func(ctx context.Context, c directory.Caller, in searching) (api.Response, error) {
			found, err := in.search.Find(ctx, store, c, in.page)
			return api.Response{Status: http.StatusOK, Body: in.answer(found)}, err
		},
	}
}

// results is AuthZEN's answer to a search, the page first.
type results struct {
	Page    resultPage `json:"page"`
	Results []entity   `json:"results"`
}

type resultPage struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
}

// entity is a subject or resource, or an action by its name.
type entity struct {
	Type string `json:"type,omitempty"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// answer is the body that tells what was found.
func (in searching) answer(found permission.Found) results {
	out := results{Page: resultPage{Count: len(found.Results)}, Results: make([]entity, len(found.Results))}
	for i, id := range found.Results {
		switch in.search.For {
		case permission.Subjects:
			out.Results[i] = entity{Type: in.search.Subject.Type, ID: id}
		case permission.Resources:
			out.Results[i] = entity{Type: in.search.Resource.Type, ID: id}
		default:
			out.Results[i] = entity{Name: id}
		}
	}
	if found.More {
		out.Page.NextToken = in.next(directory.Page{Limit: in.page.Limit, After: found.Next})
	}
	return out
}
