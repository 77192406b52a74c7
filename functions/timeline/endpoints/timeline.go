// Package endpoints is the calls of the timeline function: the record of what
// was done, for system administrators alone (R10).
//
// It decides the form of a request's filters and of an entry. It refuses to
// know how the record is searched, which is package timeline's to decide.
package endpoints

import (
	"context"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// New is the timeline function.
func New(deps api.Deps, store timeline.Store) *api.Function {
	return api.New("timeline", deps, getTimeline(store).Bind())
}

// listing is what a request asks for.
type listing struct {
	query timeline.Query
	page  timeline.Page
	next  func(after string) string
}

// getTimeline is a page of the record (T2).
func getTimeline(store timeline.Store) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  "GET /v1/timeline",
		Action: authz.AdministerSystem,
		Decode: readListing,
		Do: func(ctx context.Context, c directory.Caller, in listing) (api.Response, error) {
			entries, end, err := timeline.List(ctx, store, c.Organization.ID, c.Organization.Created, c.At, in.query, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items, end, err := api.Fit(entries, end, bodyOf, func(e timeline.Entry) string { return e.ID })
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, err
		},
	}
}

// sought is what a text to look for has to be.
var sought = body.Rule{Least: 1, Most: 200}

var types = body.Vocabulary(timeline.TypeCount)

func readListing(r *api.Request) (listing, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) listing {
		q := timeline.Query{
			Type: body.Word(o, "type", types), From: o.Time("from"), To: o.Time("to"),
			Person: o.ID("person"), Text: o.Text("q", sought),
		}
		if !q.To.IsZero() && q.To.Before(q.From) {
			o.Fault("to", "The end of a time range does not come before its beginning.")
		}
		return listing{query: q, page: timeline.Page(o.Page(r.Page)), next: r.Next}
	})
}

// entryBody is an entry as the contract has it. What the operator's command
// did has a subject without an id.
type entryBody struct {
	ID           string          `json:"id"`
	At           time.Time       `json:"at"`
	Type         string          `json:"type"`
	Action       string          `json:"action"`
	Outcome      string          `json:"outcome"`
	Subject      body.Named      `json:"subject"`
	Impersonator *body.Named     `json:"impersonator"`
	Target       targetBody      `json:"target"`
	Before       timeline.Values `json:"before"`
	After        timeline.Values `json:"after"`
	Cause        string          `json:"cause,omitempty"`
	RequestID    string          `json:"requestId"`
	Session      string          `json:"session,omitempty"`
}

type targetBody struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func bodyOf(e timeline.Entry) any {
	b := entryBody{
		ID: e.ID, At: e.At.UTC(), Type: e.Type.String(), Action: e.Action, Outcome: "done",
		Subject: body.Named(e.Subject), Target: targetBody(e.Target), Before: e.Before, After: e.After,
		Cause: e.Cause, RequestID: e.RequestID, Session: e.Session,
	}
	if e.Denied {
		b.Outcome = "denied"
	}
	if e.Impersonator != (timeline.Person{}) {
		impersonator := body.Named(e.Impersonator)
		b.Impersonator = &impersonator
	}
	return b
}
