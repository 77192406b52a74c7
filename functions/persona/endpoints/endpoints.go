// Package endpoints is the calls of the persona function: labelling people,
// and how the labels stand against their targets.
//
// It decides the form of these calls' requests and answers; what a target
// means is package persona's to decide. Where the contract is silent: a change
// answers the user as it is then, with its new version; a persona that is the
// user's already answers the same and changes nothing; to clear one, DELETE,
// as a null persona is a missing one; a location that does not exist is 404, and
// 422 in a body. The list of audits without a location is of those of the whole
// organization; the audits of one location are found by it, and each by its id. Of
// many changes a row has to say its persona, null to clear it, and has a result or
// a problem, in the order of the rows; who administers nobody at all is refused the
// whole. A history tells everybody who may read it who made each change, by name
// and id, and what was only tried to nobody. A plan is made anew for each page of
// its suggestions, so that each says what it is for; where no plan can be, moves and
// suggestions are empty. A mismatch names each way that would resolve it by itself,
// and of roles only what the caller may give or take (R12); the cursors of both are
// sealed (T4).
package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// Store is what the function's use cases need of storage.
type Store interface {
	persona.Store
	persona.MatchStore
	persona.Recounts
	directory.ListingStore
}

// New is the persona function.
func New(deps api.Deps, store Store) *api.Function {
	personas, matcher := persona.New(store), persona.NewMatcher(store, directory.NewListings(store))
	return api.New("persona", deps,
		set(personas).Bind(), remove(personas).Bind(), change(personas).Bind(), history(personas).Bind(),
		catalogue().Bind(), report(personas).Bind(), plan(matcher).Bind(), mismatches(matcher).Bind(),
		reconcile(persona.NewReconciler(store)).Bind(),
		listAudits(personas).Bind(), getAudit(personas).Bind(), makeAudit(personas, deps).Bind())
}

// labelling is a user, the persona that they shall have, and the version of
// the user that the caller saw.
type labelling struct {
	user         string
	persona      directory.Persona
	precondition directory.Precondition
}

// set gives somebody a persona (P2).
func set(personas *persona.Service) api.Endpoint[labelling] {
	return label("PUT", personas, func(r *api.Request) (labelling, error) {
		in, err := decodeUser(r)
		if err != nil {
			return in, err
		}
		in.persona, err = body.Read(r.Body, func(o *body.Object) directory.Persona {
			o.Need("persona")
			return o.Persona("persona")
		})
		return in, err
	})
}

// remove leaves somebody without a persona (P2).
func remove(personas *persona.Service) api.Endpoint[labelling] {
	return label("DELETE", personas, decodeUser)
}

func label(method string, personas *persona.Service, decode func(*api.Request) (labelling, error)) api.Endpoint[labelling] {
	return api.Endpoint[labelling]{
		Route:  method + " /v1/users/{id}/persona",
		Action: authz.ChangePersona,
		Decode: decode,
		Needs:  func(in labelling) directory.Keys { return directory.Keys{Users: []string{in.user}} },
		Target: func(c directory.Caller, in labelling) authz.Resource { return c.UserTarget(in.user) },
		Do: func(ctx context.Context, c directory.Caller, in labelling) (api.Response, error) {
			u, err := personas.Label(ctx, c, in.user, in.persona, in.precondition)
			return api.Response{Status: http.StatusOK, Body: body.User(c.Shown(u)), Version: u.Version}, err
		},
	}
}

func decodeUser(r *api.Request) (in labelling, err error) {
	if in.user, err = r.PathID("id"); err != nil {
		return in, err
	}
	in.precondition, err = r.Precondition()
	return in, err
}
