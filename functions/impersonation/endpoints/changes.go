package endpoints

import (
	"context"
	"encoding/json"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// looking asks for a session and a part of what happened in it. Where a page ends
// can be at an entry that is not shown, so its cursor is sealed (T4).
type looking struct {
	id      string
	page    directory.Page
	request *api.Request
}

// get is one session with what happened in it (I7).
func get(service *impersonation.Service) api.Endpoint[looking] {
	return api.Endpoint[looking]{
		Route:  "GET /v1/impersonations/{id}",
		Action: authz.SignIn,
		Decode: readLooking,
		Do: func(ctx context.Context, c directory.Caller, in looking) (api.Response, error) {
			at, err := in.request.Opening(c.Organization, in.page)
			if err != nil {
				return api.Response{}, err
			}
			session, entries, end, err := service.Happened(ctx, c, in.id, at)
			if err != nil {
				return api.Response{}, err
			}
			items, next, err := api.SealedItems(in.request, c.Organization, entries, end, end != "", body.Entry, place)
			return api.Response{Status: http.StatusOK, Body: storyOf(session, entries, items, next)}, err
		},
	}
}

func place(e timeline.Entry) string { return e.ID }

func readLooking(r *api.Request) (looking, error) {
	id, err := r.PathID("id")
	if err != nil {
		return looking{}, err
	}
	return body.ReadQuery(r.Parameters(), func(o *body.Object) looking {
		return looking{id: id, page: o.Page(r.Limit), request: r}
	})
}

// storyBody is a session with a page of what happened in it: what was done, and
// what was refused, each in order.
type storyBody struct {
	sessionBody
	Changes []json.RawMessage `json:"changes"`
	Denied  []json.RawMessage `json:"denied"`
	Next    string            `json:"next"`
}

// storyOf tells of as many entries as there are items, which are their bodies.
func storyOf(s impersonation.Session, entries []timeline.Entry, items []json.RawMessage, next string) storyBody {
	b := storyBody{sessionBody: bodyOf(s), Changes: []json.RawMessage{}, Denied: []json.RawMessage{}, Next: next}
	for i, item := range items {
		if entries[i].Denied {
			b.Denied = append(b.Denied, item)
		} else {
			b.Changes = append(b.Changes, item)
		}
	}
	return b
}
