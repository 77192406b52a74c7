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
	"slices"

	"gemba/shared/api"
	"gemba/shared/directory"
	"gemba/shared/importer"
)

// Store is what the calls need of storage.
type Store interface {
	importer.Table
	directory.ListingStore
}

// New is the directory function.
func New(deps api.Deps, store Store, pool directory.Pool) *api.Function {
	return api.New("directory", deps, slices.Concat(
		[]api.Bound{me.Bind()},
		persons(directory.NewUsers(store, pool)),
		organization(directory.NewOrganizations(store)),
		places(directory.NewPlaces(store)),
		lists(directory.NewListings(store)),
		itemBounds(directory.NewItems(store)),
		[]api.Bound{imports(importer.New(store, pool)).Bind()},
	)...)
}
