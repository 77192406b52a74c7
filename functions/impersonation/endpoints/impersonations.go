// Package endpoints is the calls of the impersonation function: to start a
// session as somebody else, to see sessions, and to end them.
//
// It decides the form of these calls' requests and answers; what happened in a
// session is told in pages of what was done and what was refused together, with a
// cursor that says nothing of what is not shown (T4). Who may make them,
// which refusal comes first and what a proof is, package impersonation decides:
// every call is open to whoever is signed in, so that each no is its own.
// Whatever a start is refused for, its answer never repeats the credentials.
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
)

// New is the impersonation function.
func New(deps api.Deps, service *impersonation.Service) *api.Function {
	return api.New("impersonation", deps, start(service).Bind(), list(service).Bind(), get(service).Bind(), end(service).Bind())
}

// start begins a session (I1–I3, I8).
func start(service *impersonation.Service) api.Endpoint[impersonation.Request] {
	return api.Endpoint[impersonation.Request]{
		Route:   "POST /v1/impersonations",
		Action:  authz.SignIn,
		Creates: true,
		Asked: func(in impersonation.Request) string {
			asked, _ := json.Marshal([]string{in.Subject, in.Reason, in.Mode.String()})
			return string(asked)
		},
		Decode: func(r *api.Request) (impersonation.Request, error) {
			in, err := body.Read(r.Body, readStart)
			in.SignIn = impersonation.SignInOf(r.Claims)
			return in, err
		},
		Attempt: impersonation.Denial,
		Needs:   func(in impersonation.Request) directory.Keys { return directory.Keys{Users: []string{in.Subject}} },
		Do: func(ctx context.Context, c directory.Caller, in impersonation.Request) (api.Response, error) {
			c.Once.Encode = api.Keeping(started)
			s, err := service.Start(ctx, c, in)
			return started(s), err
		},
	}
}

var modes = body.Vocabulary(impersonation.ModeCount)

func readStart(o *body.Object) impersonation.Request {
	o.Need("subject")
	in := impersonation.Request{Subject: o.ID("subject"), Reason: o.Text("reason", body.Reason), Mode: body.Word(o, "mode", modes)}
	if given := o.Object("credentials"); given != nil {
		given.Need("username", "password")
		in.Credentials = &impersonation.Credentials{
			Username: given.Text("username", body.Username), Password: given.Text("password", body.Password),
		}
	}
	return in
}

func started(s impersonation.Session) api.Response {
	return api.Response{
		Status: http.StatusCreated, Body: bodyOf(s),
		Header: map[string]string{"location": "/v1/impersonations/" + s.ID},
	}
}

// listing is what a request for sessions asks for.
type listing struct {
	query impersonation.Query
	page  directory.Page
	next  func(after string) string
}

// list is a page of the sessions that the caller may see.
func list(service *impersonation.Service) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  "GET /v1/impersonations",
		Action: authz.SignIn,
		Decode: readListing,
		Needs: func(in listing) directory.Keys {
			if in.query.Actor == "" {
				return directory.Keys{}
			}
			return directory.Keys{Users: []string{in.query.Actor}}
		},
		Do: func(ctx context.Context, c directory.Caller, in listing) (api.Response, error) {
			sessions, end, err := service.List(ctx, c, in.query, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items := make([]sessionBody, len(sessions))
			for i, s := range sessions {
				items[i] = bodyOf(s)
			}
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, nil
		},
	}
}

// states are what a list may be narrowed to.
var states = map[string]bool{"active": true}

func readListing(r *api.Request) (listing, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) listing {
		return listing{
			query: impersonation.Query{Active: body.Word(o, "state", states), Actor: o.ID("actor")},
			page:  o.Page(r.Page), next: r.Next,
		}
	})
}

// end signs out or revokes (I5). It is let into a read_only session, which has
// to be signed out of.
func end(service *impersonation.Service) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:    "DELETE /v1/impersonations/{id}",
		Action:   authz.SignIn,
		ReadOnly: true,
		Decode:   func(r *api.Request) (string, error) { return r.PathID("id") },
		Do: func(ctx context.Context, c directory.Caller, id string) (api.Response, error) {
			s, err := service.End(ctx, c, id)
			return api.Response{Status: http.StatusOK, Body: bodyOf(s)}, err
		},
	}
}
