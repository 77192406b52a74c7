// Package endpoints is the calls of the timeline function: the record of what
// was done, for system administrators alone (R10).
//
// It decides the form of a request's filters and of an entry. A filter that is
// not known, given twice or not of its form is refused, and all such faults
// are named, each by the parameter's name as a pointer; an empty one is as
// good as none. It refuses to know how the record is searched, which is
// package timeline's to decide.
package endpoints

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
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

// readListing reads the query string as the object that it stands for.
func readListing(r *api.Request) (listing, error) {
	return body.Read(object(r.Query), func(o *body.Object) listing {
		q := timeline.Query{
			Type: body.Word(o, "type", types()), From: o.Time("from"), To: o.Time("to"),
			Person: o.ID("person"), Text: o.Text("q", sought),
		}
		if !q.To.IsZero() && q.To.Before(q.From) {
			o.Fault("to", "The end of a time range does not come before its beginning.")
		}
		o.Text("limit", body.Opaque)
		o.Text("cursor", body.Opaque)
		page, err := r.Page()
		if err != nil {
			o.Fault("", fault.Of(err).Detail)
		}
		return listing{query: q, page: timeline.Page(page), next: r.Next}
	})
}

// object is a query string as JSON: a parameter is text, one that is given
// more than once a list, and an empty one is not there.
func object(query url.Values) []byte {
	members := map[string]any{}
	for name, values := range query {
		switch {
		case len(values) > 1:
			members[name] = values
		case values[0] != "":
			members[name] = values[0]
		}
	}
	data, _ := json.Marshal(members)
	return data
}

func types() map[string]timeline.Type {
	words := map[string]timeline.Type{}
	for t := timeline.NoType + 1; t < timeline.TypeCount; t++ {
		words[t.String()] = t
	}
	return words
}

// entryBody is an entry as the contract has it. What the operator's command
// did has a subject without an id.
type entryBody struct {
	ID           string          `json:"id"`
	At           time.Time       `json:"at"`
	Type         string          `json:"type"`
	Action       string          `json:"action"`
	Outcome      string          `json:"outcome"`
	Subject      personBody      `json:"subject"`
	Impersonator *personBody     `json:"impersonator"`
	Target       targetBody      `json:"target"`
	Before       timeline.Values `json:"before"`
	After        timeline.Values `json:"after"`
	Cause        string          `json:"cause,omitempty"`
	RequestID    string          `json:"requestId"`
}

type personBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type targetBody struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func bodyOf(e timeline.Entry) any {
	b := entryBody{
		ID: e.ID, At: e.At.UTC(), Type: e.Type.String(), Action: e.Action, Outcome: "done",
		Subject: personBody(e.Subject), Target: targetBody(e.Target), Before: e.Before, After: e.After,
		Cause: e.Cause, RequestID: e.RequestID,
	}
	if e.Denied {
		b.Outcome = "denied"
	}
	if e.Impersonator != (timeline.Person{}) {
		impersonator := personBody(e.Impersonator)
		b.Impersonator = &impersonator
	}
	return b
}
