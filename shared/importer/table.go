package importer

import (
	"context"
	"time"

	"gemba/shared/directory"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// Table is what an import needs of storage: what the use cases of its entries
// read, and their changes written together. Errors: Unavailable, Conflict
// (fault.IsRaced when the basis changed).
type Table interface {
	directory.OrganizationStore
	directory.PlaceStore
	directory.UserStore
	directory.ItemStore
	role.Store
	persona.Store
	Memory

	// About reads what is asked of, all at once.
	About(ctx context.Context, organization string, asked Asked) (Found, error)
	// PutImported writes a change in one transaction; dry only proves that it
	// could be: Unprocessable too_large. Conflict username_taken, name_taken.
	PutImported(ctx context.Context, basis directory.Basis, subject string, change Change, dry bool) error
	// Share is how much of one transaction a change takes, 1 being all of it.
	Share(basis directory.Basis, subject string, change Change) (float64, error)
	// Record writes an entry that stands alone: a denied attempt (T1).
	Record(ctx context.Context, organization string, e timeline.Entry) error
}

// Asked is what the entries of a batch are about, beside the users.
type Asked struct {
	Places                             []directory.PlaceRef
	Roles, Items, RoleNames, Usernames []string
}

// Found is what there is of what was asked; what is not there is in no map.
type Found struct {
	Places map[directory.PlaceRef]directory.Place
	Roles  map[string]role.Role
	Items  map[string]directory.Item
	// RoleNames are the roles that have these names (R1), Usernames the users, of
	// whatever organization (U1).
	RoleNames map[string]string
	Usernames map[string]Owner
}

// Owner is whose a username is.
type Owner struct{ Organization, User string }

// Memory is the first answers to requests with an idempotency key (T3).
type Memory interface {
	// AnsweredAll are those of several keys.
	AnsweredAll(ctx context.Context, organization, user string, hashes []string, now time.Time) (map[string]directory.Kept, error)
	// Keep keeps an answer that stands alone.
	Keep(ctx context.Context, organization, user string, kept directory.Kept) error
}
