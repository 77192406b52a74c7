package persona

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Counted tells whether a user is in the base of the shares (P4): types
// general and capture.
func Counted(u directory.User) bool {
	return u.Type == authz.General || u.Type == authz.Capture
}

// Counts is the number of people by persona, NoPersona included.
type Counts [directory.PersonaCount]int

// Population is the counts of the users with exactly this set of locations
// (P8): sets, not locations, so that nobody is counted twice.
type Population struct {
	Locations []string
	Counts    Counts
}

// Change is a user's next persona.
type Change struct {
	Before, After directory.User
	Entry         timeline.Entry
}

// Store is what the use case needs of storage. Errors: Unavailable, Conflict
// (fault.IsRaced when the basis changed).
type Store interface {
	PutPersona(ctx context.Context, basis directory.Basis, change Change) error
	Populations(ctx context.Context, organization string) ([]Population, error)
}
