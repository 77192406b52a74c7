package importer

import (
	"gemba/shared/directory"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// Change is what some entries change together, in one transaction.
type Change struct {
	Organization *directory.OrganizationChange
	Places       []directory.PlaceChange
	// Reopened are places that only lose the mark of a broken-off deletion.
	Reopened []directory.Place
	Roles    []role.Change
	Users    []UserChange
	Items    []directory.ItemChange
	// Guard is R13's guard as it was read, nil when nothing here can lose a full
	// administrator.
	Guard *uint64
	// Kept is what a repeated request is told of these entries.
	Kept directory.Kept
}

// UserChange is a user's next state with what it replaces, and an entry for
// each thing that was done to it.
type UserChange struct {
	Before, After directory.User
	Entries       []timeline.Entry
}

// empty is whether nothing changes.
func (c Change) empty() bool {
	return !c.Policy() && len(c.Users)+len(c.Items) == 0
}

// and is two changes as one.
func (c Change) and(more Change) Change {
	if more.Organization != nil {
		c.Organization = more.Organization
	}
	if c.Guard == nil {
		c.Guard = more.Guard
	}
	c.Places = append(c.Places, more.Places...)
	c.Reopened = append(c.Reopened, more.Reopened...)
	c.Roles = append(c.Roles, more.Roles...)
	c.Users = append(c.Users, more.Users...)
	c.Items = append(c.Items, more.Items...)
	return c
}

// Policy is whether the policy changes: then it gets its next version.
func (c Change) Policy() bool {
	return c.Organization != nil || len(c.Places)+len(c.Reopened)+len(c.Roles) > 0
}
