package importer

import (
	"maps"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// overlay is changes that the table does not have yet, or in a dry run never
// gets: whoever reads through it sees them.
type overlay struct {
	organization *directory.Organization
	places       map[directory.PlaceRef]directory.Place
	roles        map[string]role.Role
	users        map[string]directory.User
	items        map[string]directory.Item
	versions     uint64 // how many versions of the policy they are
}

func newOverlay() *overlay {
	return &overlay{
		places: map[directory.PlaceRef]directory.Place{}, roles: map[string]role.Role{},
		users: map[string]directory.User{}, items: map[string]directory.Item{},
	}
}

// clone is a copy that goes its own way.
func (o *overlay) clone() *overlay {
	next := *o
	next.places, next.roles = maps.Clone(o.places), maps.Clone(o.roles)
	next.users, next.items = maps.Clone(o.users), maps.Clone(o.items)
	return &next
}

// and is the overlay with another over it, which a change made.
func (o *overlay) and(over *overlay, c Change) *overlay {
	next := o.clone()
	if over.organization != nil {
		next.organization = over.organization
	}
	maps.Copy(next.places, over.places)
	maps.Copy(next.roles, over.roles)
	maps.Copy(next.users, over.users)
	maps.Copy(next.items, over.items)
	if c.Policy() {
		next.versions++
	}
	return next
}

// apply is the caller as one who reads through the overlay.
func (o *overlay) apply(c directory.Caller) directory.Caller {
	c.Model = c.Model.With(o.policy())
	c.Policy += o.versions
	if o.organization != nil {
		c.Organization = *o.organization
	}
	c.Users, c.Items = maps.Clone(c.Users), maps.Clone(c.Items)
	if c.Users == nil {
		c.Users = map[string]directory.User{}
	}
	if c.Items == nil {
		c.Items = map[string]directory.Item{}
	}
	maps.Copy(c.Users, o.users)
	maps.Copy(c.Items, o.items)
	c.Subject, c.Actor = c.Users[c.Subject.ID], c.Users[c.Actor.ID]
	return c
}

// policy is what of the overlay decides.
func (o *overlay) policy() authz.Change {
	var change authz.Change
	if o.organization != nil {
		change.Settings = &o.organization.Settings.Authz
	}
	for _, p := range o.places {
		switch p := p.(type) {
		case directory.Location:
			change.Put.Locations = append(change.Put.Locations, p.Location)
		case directory.Workflow:
			change.Put.Workflows = append(change.Put.Workflows, p.Workflow)
		case directory.Template:
			change.Put.Templates = append(change.Put.Templates, p.Template)
		}
	}
	for _, r := range o.roles {
		change.Put.Roles = append(change.Put.Roles, r.Role)
	}
	return change
}
