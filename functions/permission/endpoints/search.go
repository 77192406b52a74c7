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
	wanted wantedPage
	// opened is the page that a token leads to, next the token to go on with
	// after a page.
	opened func(directory.Organization, string) (directory.Page, bool)
	next   func(directory.Organization, directory.Page) string
}

// search answers to anybody who is signed in with what evaluation would allow
// them. In a read_only session it only looks.
func search(route string, what permission.Searched, store permission.Store) api.Endpoint[searching] {
	return api.Endpoint[searching]{
		Route:    route,
		Action:   authz.SignIn,
		ReadOnly: true,
		Open:     true,
		Decode:   func(r *api.Request) (searching, error) { return decodeSearch(r, what) },
		Needs:    func(in searching) directory.Keys { return in.search.Needs() },
		Do: func(ctx context.Context, c directory.Caller, in searching) (api.Response, error) {
			page, err := in.page(c.Organization)
			if err != nil {
				return api.Response{}, err
			}
			found, err := in.search.Find(ctx, store, c, page)
			if err != nil {
				return api.Response{}, err
			}
			out := in.answer(found)
			if found.More {
				out.Page.NextToken = in.next(c.Organization, directory.Page{Limit: page.Limit, After: found.Next})
			}
			return api.Response{Status: http.StatusOK, Body: out}, nil
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
	return out
}
