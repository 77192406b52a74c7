package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// Role is a role whole; NotFound when there is none.
func (s *Store) Role(ctx context.Context, organization, id string) (role.Role, error) {
	var item roleItem
	found, err := s.get(ctx, roleKey(organization, id), &item)
	if err != nil {
		return role.Role{}, err
	}
	if !found {
		return role.Role{}, fault.New(fault.NotFound, "not_found", "There is no such role.")
	}
	return item.role(), nil
}

// Roles is a page of roles by id, with the id to go on after.
func (s *Store) Roles(ctx context.Context, organization string, page directory.Page) ([]role.Role, string, error) {
	q := roleSpan(organization).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var roles []role.Role
	for _, item := range items {
		if err := collect(item, &roles, roleItem.role); err != nil {
			return nil, "", err
		}
	}
	if end != "" {
		end = roles[len(roles)-1].ID
	}
	return roles, end, nil
}

// RolesOf is those of the roles that exist, in the order in which they are asked
// for.
func (s *Store) RolesOf(ctx context.Context, organization string, ids []string) ([]role.Role, error) {
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = roleKey(organization, id)
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var roles []role.Role
	for _, k := range keys {
		if item, ok := found[k]; ok {
			if err := collect(item, &roles, roleItem.role); err != nil {
				return nil, err
			}
		}
	}
	return roles, nil
}

// PutRole writes a role's next state as the policy's next version. Errors:
// Conflict id_taken or name_taken, Stale, Unprocessable too_large, raced.
func (s *Store) PutRole(ctx context.Context, basis directory.Basis, c role.Change) error {
	o := basis.Organization
	c.After.Version = c.Before.Version + 1
	item := roleForm(c.After)
	t := s.begin()
	t.bound(item)
	t.put(roleKey(o, c.After.ID), item, versionIs(c.Before.Version), outdated(c.Before.Version))
	t.writeRoleName(o, c.Before, c.After)
	t.bump(o, basis.Policy, changeItem{Roles: []roleItem{item}})
	t.guard(o, c.Guard)
	t.record(o, c.Entry)
	t.keepAnswer(o, c.Entry.Subject.ID, c.Kept)
	return t.commitPolicy(ctx, basis)
}

// DeleteRole deletes a role as the policy's next version and leaves its members
// to be swept: what names it by its birth gives nothing from then on (R14).
// Errors: Stale, raced.
func (s *Store) DeleteRole(ctx context.Context, basis directory.Basis, d role.Deletion) error {
	o := basis.Organization
	t := s.begin()
	t.delete(roleKey(o, d.Role.ID), versionIs(d.Role.Version), outdated(d.Role.Version))
	t.delete(roleNameKey(o, d.Role.Name), present, raced())
	t.put(goneKey(o, d.Role.RoleRef), goneForm(d.Role.RoleRef), absent, raced())
	t.bump(o, basis.Policy, changeItem{Gone: goneItem{Roles: []string{d.Role.ID}}})
	t.guard(o, d.Guard)
	t.record(o, d.Entry)
	return t.commitPolicy(ctx, basis)
}

// writeRoleName keeps role names unique in the organization (R1).
func (t *transaction) writeRoleName(o string, before, after role.Role) {
	if before.Name != "" && roleNameKey(o, before.Name) == roleNameKey(o, after.Name) {
		return
	}
	if before.Name != "" {
		t.delete(roleNameKey(o, before.Name), present, raced())
	}
	t.put(roleNameKey(o, after.Name), nameItem{Organization: o, ID: after.ID}, absent,
		fault.New(fault.Conflict, "name_taken", "Another role has this name."))
}

// outdated is what a lost version means: a taken id when the thing was to be
// new, else a stale edit.
func outdated(version uint64) error {
	if version == 0 {
		return fault.New(fault.Conflict, "id_taken", "This id is taken.")
	}
	return fault.New(fault.Stale, "stale", "It has been changed since this version was read.")
}

// PutAssignment writes a user whose assignments changed.
func (s *Store) PutAssignment(ctx context.Context, basis directory.Basis, c role.Assigning) error {
	t := s.begin()
	t.writeUser(basis.Organization, c.Before, c.After)
	t.guard(basis.Organization, c.Guard)
	t.record(basis.Organization, c.Entry)
	t.rest(basis)
	return t.commit(ctx)
}

// PutUsers writes users whose assignments or personas changed, all or none, with
// the entries of their changes and of what was denied beside them. A counter that
// several of them move stands in the transaction once (P8).
func (s *Store) PutUsers(ctx context.Context, basis directory.Basis, subject string, c directory.Changes) error {
	t := s.begin()
	for _, u := range c.Users {
		t.writeUser(basis.Organization, u.Before, u.After)
	}
	t.guard(basis.Organization, c.Guard)
	for _, e := range c.Entries {
		t.record(basis.Organization, e)
	}
	t.keepAnswer(basis.Organization, subject, c.Kept)
	t.rest(basis)
	return t.commit(ctx)
}

// guard holds a change that may lose a full administrator to the guard it
// was proved under, and moves the guard on (R13).
func (t *transaction) guard(o string, guard *uint64) {
	if guard == nil {
		return
	}
	next := expression.Set(expression.Name("v"), expression.Value(*guard+1))
	t.update(guardKey(o), next, versionIs(*guard), raced())
}

// Guard is R13's guard version.
func (s *Store) Guard(ctx context.Context, organization string) (uint64, error) {
	var v versionItem
	_, err := s.get(ctx, guardKey(organization), &v)
	return v.V, err
}

// Members is a page of the users who hold a role, by id.
func (s *Store) Members(ctx context.Context, organization string, r authz.RoleRef, page directory.Page) ([]directory.User, string, error) {
	q := memberSpan(organization, r).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	users, err := s.usersOf(ctx, organization, items)
	if end != "" && len(users) > 0 {
		end = users[len(users)-1].ID
	}
	return users, end, err
}

// usersOf reads the users that adjacency items name, in their order.
func (s *Store) usersOf(ctx context.Context, o string, adjacent []attributes) ([]directory.User, error) {
	keys := make([]key, len(adjacent))
	for i, item := range adjacent {
		keys[i] = userKey(o, keyOf(item).named())
	}
	return s.readUsers(ctx, keys)
}

// readUsers reads the users at these keys, in their order.
func (s *Store) readUsers(ctx context.Context, keys []key) ([]directory.User, error) {
	found, err := s.batchesGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	users := make([]directory.User, 0, len(keys))
	for _, k := range keys {
		item, ok := found[k]
		if !ok {
			return nil, fault.Wrap(fault.Internal, "item", errors.New("a member without a user: "+k.pk))
		}
		if err := collect(item, &users, userItem.user); err != nil {
			return nil, err
		}
	}
	return users, nil
}
