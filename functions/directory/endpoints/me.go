// Package endpoints is the calls of the directory function: who people and
// places of an organization are.
//
// It decides the form of these calls' requests and answers; who may make them
// is package authz's to decide. Where the contract is silent: a deletion is
// answered with 204 and nothing; one that is refused, with what is in the way, by
// kinds, each with its number up to 1,000 and at most ten ids. The body of a
// sign-in to be given may be left out; taking the sign-in of a user who has none
// is 404; preferences are replaced whole. A word that a filter does not know is a
// fault, and so is below without a location; the cursors of users and people are
// sealed, because a page can end at somebody whom its reader may not know (T4). An
// import whose form is faulty does nothing at all, with every fault named; what
// breaks a rule is told entry by entry.
package endpoints

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/impersonation"
	"gemba/shared/importer"
)

// Store is what the calls need of storage.
type Store interface {
	importer.Table
	directory.ListingStore
}

// New is the directory function.
func New(deps api.Deps, store Store, pool directory.Pool) *api.Function {
	users := directory.NewUsers(store, pool)
	return api.New("directory", deps, slices.Concat(
		[]api.Bound{me.Bind()},
		[]api.Bound{getUser.Bind(), putUser(users).Bind(), getPreferences.Bind(), putPreferences(users).Bind()},
		[]api.Bound{enableSignIn(users).Bind(), disableSignIn(users).Bind()},
		organization(directory.NewOrganizations(store)),
		places(directory.NewPlaces(store)),
		lists(directory.NewListings(store)),
		itemBounds(directory.NewItems(store)),
		[]api.Bound{imports(importer.New(store, pool)).Bind()},
	)...)
}

// me tells the caller who they are, and as whom they act.
var me = api.Endpoint[*api.Request]{
	Route:  "GET /v1/me",
	Action: authz.SignIn,
	Decode: func(r *api.Request) (*api.Request, error) { return r, nil },
	Do: func(_ context.Context, c directory.Caller, r *api.Request) (api.Response, error) {
		return api.Response{Status: http.StatusOK, Body: meBody{
			Actor: body.Named(c.Actor.Named()), Subject: body.Named(c.Subject.Named()),
			Organization: body.Named{ID: c.Organization.ID, Name: c.Organization.Name}, Impersonation: acting(r.Session),
		}}, nil
	},
}

type meBody struct {
	Actor         body.Named  `json:"actor"`
	Subject       body.Named  `json:"subject"`
	Organization  body.Named  `json:"organization"`
	Impersonation *actingBody `json:"impersonation"`
}

// actingBody is the session that the request is made in, with what the red
// banner shows (I5).
type actingBody struct {
	ID        string      `json:"id"`
	Mode      string      `json:"mode"`
	StartedAt time.Time   `json:"startedAt"`
	ExpiresAt time.Time   `json:"expiresAt"`
	EndsAt    time.Time   `json:"endsAt"`
	Banner    body.Banner `json:"banner"`
}

func acting(s impersonation.Session) *actingBody {
	if s.ID == "" {
		return nil
	}
	return &actingBody{
		ID: s.ID, Mode: s.Mode.String(), StartedAt: s.Started.UTC(), ExpiresAt: s.Expires().UTC(),
		EndsAt: s.Ends.UTC(), Banner: body.Banner(s.Banner()),
	}
}
