package role

import (
	"context"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Role is a named collection of permissions (R1). What decides is authz's;
// the rest is what people and boards need.
type Role struct {
	authz.Role
	Description        string
	Persona            directory.Persona
	Notifications      []string
	DefaultBoard       string
	BoardAccess        []string
	BoardSubscriptions []string
	Version            uint64
}

// Change is a role's next state with what it replaces. Before.Version is 0
// when the role is created. Guard is R13's guard as it was read, nil when the
// change cannot lose a full administrator.
type Change struct {
	Before, After Role
	Entry         timeline.Entry
	Kept          directory.Kept
	Guard         *uint64
}

// Assigning is a user's next state: an assignment put, limited or revoked.
// Guard as in Change.
type Assigning struct {
	Before, After directory.User
	Entry         timeline.Entry
	Guard         *uint64
}

// Deletion is a role that goes (R14). Guard as in Change.
type Deletion struct {
	Role  Role
	Entry timeline.Entry
	Guard *uint64
}

// Store is what the use case needs of storage. Errors: Unavailable, Conflict
// (fault.IsRaced when the basis changed), Stale.
type Store interface {
	Role(ctx context.Context, organization, id string) (Role, error)
	Roles(ctx context.Context, organization string, page directory.Page) ([]Role, string, error)
	// Directory is users after a place, by id, as many as one reading brings and at
	// most a page's limit, and whether more follow.
	Directory(ctx context.Context, organization string, page directory.Page) (users []directory.User, more bool, err error)
	// RolesOf is those of the roles that exist.
	RolesOf(ctx context.Context, organization string, ids []string) ([]Role, error)
	PutRole(ctx context.Context, basis directory.Basis, change Change) error
	DeleteRole(ctx context.Context, basis directory.Basis, d Deletion) error
	// CountMembers is how many users hold the role by assignments that are not
	// over at this time; of a role just deleted, how many lost it.
	CountMembers(ctx context.Context, organization string, r authz.RoleRef, at time.Time) (int, error)
	// MemberIDs is a page of the ids of who holds the role, with the id to go
	// on after.
	MemberIDs(ctx context.Context, organization string, r authz.RoleRef, page directory.Page) ([]string, string, error)
	PutAssignment(ctx context.Context, basis directory.Basis, change Assigning) error
	directory.BulkStore
	directory.Administrators
}
