package importer

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// stage is the table with changes held back: the use cases read and write
// through it as if it were the table, and what they write is kept together to
// be committed in one transaction.
type stage struct {
	Table
	run    *run
	loaded directory.Caller // as read, which the transaction rests on
	caller directory.Caller // as the entries so far make it
	asked  Asked            // what the entries are about
	found  Found            // what there is of it
	over   *overlay         // the entries so far
	change Change           // of the entries so far
	share  float64          // of a transaction, that they take
	at     Place            // of the entry at hand
	part   Change           // of the entry at hand
	denied []attempt        // what was denied so far (T1)
	ends   bool             // the caller changed: what follows is decided anew

	organizations *directory.Organizations
	places        *directory.Places
	users         *directory.Users
	items         *directory.Items
	roles         *role.Service
	personas      *persona.Service
}

// stageFor is a stage for a caller who was just read.
func (r *run) stageFor(c directory.Caller, asked Asked, found Found) *stage {
	s := &stage{Table: r.service.table, run: r, loaded: c, asked: asked, found: found, over: newOverlay()}
	s.caller = r.memory.apply(c)
	s.organizations, s.places, s.items = directory.NewOrganizations(s), directory.NewPlaces(s), directory.NewItems(s)
	s.users, s.roles, s.personas = directory.NewUsers(s, noPool{}), role.New(s), persona.New(s)
	return s
}

// seen is a thing as the changes held back have it.
func seen[K comparable, T any](s *stage, key K, of func(*overlay) map[K]T) (T, bool) {
	if thing, ok := of(s.over)[key]; ok {
		return thing, true
	}
	thing, ok := of(s.run.memory)[key]
	return thing, ok
}

func placesOf(o *overlay) map[directory.PlaceRef]directory.Place { return o.places }
func rolesOf(o *overlay) map[string]role.Role                    { return o.roles }
func usersOf(o *overlay) map[string]directory.User               { return o.users }
func itemsOf(o *overlay) map[string]directory.Item               { return o.items }

// Place is a place as it will be.
func (s *stage) Place(_ context.Context, _ string, ref directory.PlaceRef) (directory.Place, error) {
	return as(s, ref, placesOf, s.found.Places)
}

// Role is a role as it will be.
func (s *stage) Role(ctx context.Context, organization, id string) (role.Role, error) {
	r, err := as(s, id, rolesOf, s.found.Roles)
	if err != nil && !slices.Contains(s.asked.Roles, id) {
		return s.Table.Role(ctx, organization, id) // one that no entry here is about
	}
	return r, err
}

// Item is an item as it will be.
func (s *stage) Item(_ context.Context, _, id string) (directory.Item, error) {
	return as(s, id, itemsOf, s.found.Items)
}

// as is a thing as it will be; NotFound when there will be none.
func as[K comparable, T any](s *stage, key K, of func(*overlay) map[K]T, found map[K]T) (T, error) {
	thing, ok := seen(s, key, of)
	if !ok {
		thing, ok = found[key]
	}
	if !ok {
		return thing, fault.New(fault.NotFound, "not_found", "There is no such thing.")
	}
	return thing, nil
}

// Unknown are those of the ids that no user will have.
func (s *stage) Unknown(ctx context.Context, organization string, ids []string) ([]string, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := seen(s, id, usersOf); return ok })
	if len(ids) == 0 {
		return nil, nil
	}
	return s.Table.Unknown(ctx, organization, ids)
}

// Members are the users who will hold a role (R13): those of the table as they
// will be, and at the end those who are to get it.
func (s *stage) Members(ctx context.Context, organization string, r authz.RoleRef, page directory.Page) ([]directory.User, string, error) {
	users, end, err := s.Table.Members(ctx, organization, r, page)
	if err != nil {
		return nil, "", err
	}
	for i, u := range users {
		if next, ok := seen(s, u.ID, usersOf); ok {
			users[i] = next
		}
	}
	if end == "" {
		for _, over := range []*overlay{s.run.memory, s.over} {
			for _, u := range over.users {
				users = append(users, u)
			}
		}
	}
	return users, end, nil
}

// PutOrganization holds the change back.
func (s *stage) PutOrganization(_ context.Context, _ directory.Basis, c directory.OrganizationChange) error {
	s.part.Organization = &c
	s.over.organization = &c.After
	settings := c.After.Settings.Authz
	s.caller.Organization = c.After
	s.caller.Model = s.caller.Model.With(authz.Change{Settings: &settings})
	return nil
}

// PutPlace holds the change back.
func (s *stage) PutPlace(_ context.Context, _ directory.Basis, c directory.PlaceChange) error {
	s.part.Places = append(s.part.Places, c)
	s.see(c.After)
	return nil
}

// MarkPlace holds the change back: Put only ever takes a mark off.
func (s *stage) MarkPlace(_ context.Context, _ directory.Basis, p directory.Place) error {
	s.part.Reopened = append(s.part.Reopened, p)
	s.see(p)
	return nil
}

// see is a place as it will be.
func (s *stage) see(p directory.Place) {
	alone := newOverlay()
	alone.places[p.Ref()], s.over.places[p.Ref()] = p, p
	s.caller.Model = s.caller.Model.With(alone.policy())
}

// PutRole holds the change back. A name that another role has is refused here,
// so that a dry run finds it, too (R1).
func (s *stage) PutRole(_ context.Context, _ directory.Basis, c role.Change) error {
	if c.Before.Version == 0 {
		c.After = born(c.After, s.caller.Policy+1)
	} else if len(c.Entry.Before)+len(c.Entry.After) == 0 {
		return nil
	}
	if slices.ContainsFunc(slices.Concat(s.change.Roles, s.part.Roles), func(other role.Change) bool { return other.After.ID == c.After.ID }) {
		return errElsewhere
	}
	if directory.Folded(c.Before.Name) != directory.Folded(c.After.Name) {
		owner, err := s.roleNameOwner(c.After.Name)
		if err != nil {
			return err
		}
		if owner != "" && owner != c.After.ID {
			return fault.New(fault.Conflict, "name_taken", "Another role has this name.")
		}
	}
	c.Kept = directory.Kept{}
	s.guard(c.Guard)
	s.part.Roles = append(s.part.Roles, c)
	s.over.roles[c.After.ID] = c.After
	s.caller.Model = s.caller.Model.With(authz.Change{Put: authz.Policy{Roles: []authz.Role{c.After.Role}}})
	return nil
}

// born is a new role with the version of the policy that makes it as its birth,
// which all of one transaction have in common.
func born(r role.Role, version uint64) role.Role {
	was := r.RoleRef
	r.Birth = version
	for _, a := range []**authz.UserAdministration{&r.Admin.Global, &r.Admin.Local} {
		if *a == nil {
			continue
		}
		next := **a
		next.Grantable.Roles = slices.Clone(next.Grantable.Roles)
		for i, g := range next.Grantable.Roles {
			if g == was {
				next.Grantable.Roles[i] = r.RoleRef
			}
		}
		*a = &next
	}
	return r
}

// errElsewhere is what one transaction cannot do twice, the next one can: take a
// name that becomes free in it, or change again what it changes.
var errElsewhere = fault.New(fault.Conflict, "import_again", "This rests on what changes in the same moment: import it again.")

// roleNameOwner is the role that will have a name.
func (s *stage) roleNameOwner(name string) (string, error) {
	folded := directory.Folded(name)
	for _, over := range []*overlay{s.over, s.run.memory} {
		for _, r := range over.roles {
			if directory.Folded(r.Name) == folded {
				return r.ID, nil
			}
		}
	}
	owner := s.found.RoleNames[name]
	if owner == "" {
		return "", nil
	}
	if _, renaming := s.over.roles[owner]; renaming {
		return "", errElsewhere
	}
	if _, renamed := s.run.memory.roles[owner]; renamed {
		return "", nil
	}
	return owner, nil
}

// PutUser holds the change back; a taken username is refused here (U1).
func (s *stage) PutUser(_ context.Context, _ directory.Basis, c directory.UserChange) error {
	if directory.Folded(c.Before.Username) != directory.Folded(c.After.Username) {
		taken, err := s.usernameTaken(c.After)
		if err != nil {
			return err
		}
		if taken {
			return fault.New(fault.Conflict, "username_taken", "This username is taken.")
		}
	}
	s.putUser(c.Before, c.After, c.Entry, c.Guard)
	return nil
}

// usernameTaken is whether somebody else will have the user's username.
func (s *stage) usernameTaken(u directory.User) (bool, error) {
	folded := directory.Folded(u.Username)
	for _, over := range []*overlay{s.over, s.run.memory} {
		for _, other := range over.users {
			if other.ID != u.ID && directory.Folded(other.Username) == folded {
				return true, nil
			}
		}
	}
	owner := s.found.Usernames[u.Username]
	if owner == (Owner{}) || owner == (Owner{s.caller.Organization.ID, u.ID}) {
		return false, nil
	}
	if owner.Organization != s.caller.Organization.ID {
		return true, nil
	}
	if _, renaming := s.over.users[owner.User]; renaming {
		return true, errElsewhere
	}
	_, renamed := s.run.memory.users[owner.User]
	return !renamed, nil
}

// PutPersona holds the change back.
func (s *stage) PutPersona(_ context.Context, _ directory.Basis, c persona.Change) error {
	s.putUser(c.Before, c.After, c.Entry, nil)
	return nil
}

// PutAssignment holds the change back.
func (s *stage) PutAssignment(_ context.Context, _ directory.Basis, c role.Assigning) error {
	s.putUser(c.Before, c.After, c.Entry, c.Guard)
	return nil
}

// putUser adds a step to what the entry at hand makes of a user: one change,
// whatever the steps, with one version more than there was.
func (s *stage) putUser(before, after directory.User, entry timeline.Entry, guard *uint64) {
	if len(s.part.Users) == 0 {
		s.part.Users = []UserChange{{Before: before}}
	}
	change := &s.part.Users[0]
	after.Version = change.Before.Version + 1
	change.After, change.Entries = after, append(change.Entries, entry)
	s.guard(guard)
	s.over.users[after.ID], s.caller.Users[after.ID] = after, after
	if after.ID == s.caller.Subject.ID || after.ID == s.caller.Actor.ID {
		s.ends = true
	}
}

// guard notes R13's guard as it was first read: all that was decided since
// rests on it.
func (s *stage) guard(read *uint64) {
	if s.part.Guard == nil {
		s.part.Guard = read
	}
}

// WriteItem holds the change back.
func (s *stage) WriteItem(_ context.Context, _ directory.Basis, c directory.ItemChange) error {
	s.part.Items = append(s.part.Items, c)
	s.over.items[c.After.ID], s.caller.Items[c.After.ID] = c.After, c.After
	return nil
}

// Told is nothing here: the pool is told of what was committed.
func (s *stage) Told(context.Context, string, directory.User) (bool, error) { return true, nil }

// noPool is a pool with nobody in it, so that no use case tells the real one
// of what may never be.
type noPool struct{ directory.Pool }

// Find is no account.
func (noPool) Find(context.Context, string) (directory.Standing, bool, error) {
	return directory.Standing{}, false, nil
}
