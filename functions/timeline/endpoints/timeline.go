// Package endpoints is the calls of the timeline function: the record of what
// was done, and whether it is what was sealed, for system administrators alone
// (R10).
//
// It decides the form of a request's filters and of a page, a list or lines to
// keep elsewhere, and how much one call verifies. It refuses to know how the
// record is searched and held to its seal, which is package timeline's to decide.
package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Store is what the calls need of storage.
type Store interface {
	timeline.Store
	timeline.Ledger
	// Spending counts the units of the calls under the context it returns.
	Spending(ctx context.Context) (context.Context, func() float64)
}

// New is the timeline function.
func New(deps api.Deps, store Store) *api.Function {
	return api.New("timeline", deps, getTimeline(store).Bind(), verification(store).Bind())
}

// listing is what a request asks for.
type listing struct {
	query timeline.Query
	page  timeline.Page
	asked *api.Request
	form  string
}

// route is where the record is read.
const route = "/v1/timeline"

// getTimeline is a page of the record (T2).
func getTimeline(store timeline.Store) api.Endpoint[listing] {
	return api.Endpoint[listing]{
		Route:  http.MethodGet + " " + route,
		Action: authz.AdministerSystem,
		Decode: readListing,
		Do: func(ctx context.Context, c directory.Caller, in listing) (api.Response, error) {
			entries, end, err := timeline.List(ctx, store, c.Organization.ID, c.Organization.Created, c.At, in.query, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items, end, err := api.Fit(entries, end, body.Entry, func(e timeline.Entry) string { return e.ID })
			return in.answer(items, in.asked.Next(end)), err
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
		return listing{query: q, page: timeline.Page(o.Page(r.Page)), asked: r, form: r.Preferred(asList, asLines)}
	})
}
