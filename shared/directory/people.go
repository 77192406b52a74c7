package directory

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// UserStore is what the use case of users needs of storage. Errors:
// Unavailable, Conflict (fault.IsRaced when the basis changed).
type UserStore interface {
	// Load reads users and the policy that was in force with them (C11).
	Load(ctx context.Context, organization string, keys Keys) (Facts, error)
	// SignIn is whose a sub of the pool is; Unauthenticated when nobody's.
	SignIn(ctx context.Context, sub string) (organization, user string, err error)
	// PutUser writes a user's next state whole. Conflict username_taken or
	// sign_in_taken, Unprocessable too_large.
	PutUser(ctx context.Context, basis Basis, change UserChange) error
	// Told notes that the pool knows what this version of the user says; false
	// when the user has moved on.
	Told(ctx context.Context, organization string, u User) (bool, error)
	Administrators
}

// UserChange is a user's next state with what it replaces. Before.Version is 0
// when the user is created. Guard is R13's guard as it was read, nil when the
// change cannot lose a full administrator.
type UserChange struct {
	Before, After User
	Entry         timeline.Entry
	Guard         *uint64
}

// Wanted is a user as a request wants it. Names are the members that it names:
// those that only other calls change are compared when named.
type Wanted struct {
	User
	Names []string
}

// Users is the use case of users, their preferences and their sign-ins (U1, U2)
// over its store and the user pool.
type Users struct {
	store UserStore
	pool  Pool
}

// NewUsers is the use case.
func NewUsers(store UserStore, pool Pool) *Users { return &Users{store, pool} }

// PutTarget is what putting a user asks of the caller's rights (R11, R12): of a
// user whom the caller knows, to administer it and to give it the locations that
// it is not at; of anybody else, to create such a user. Who creates no users is
// asked about somebody who is not there (T4). Locations that nobody can be given
// are left out: Put names them.
func (c Caller) PutTarget(u User) (authz.Action, authz.Resource) {
	target := c.UserTarget(u.ID)
	whole := c.OrganizationTarget()
	if c.Knows(target) || !c.Decide(authz.CreateUsers, whole).Allowed {
		target.Locations = c.joined(c.Users[u.ID].Locations, u.Locations)
		return authz.PlaceUser, target
	}
	locations := c.joined(nil, u.Locations)
	if len(locations) == 0 {
		return authz.CreateUsers, whole
	}
	return authz.CreateUser, authz.Resource{
		Type: authz.UserResource, ID: u.ID, User: &authz.User{ID: u.ID, Type: u.Type, Locations: locations},
	}
}

// joined is the locations only in next that somebody can be given (U3).
func (c Caller) joined(before, next []string) []string {
	var joined []string
	for _, l := range next {
		if !slices.Contains(before, l) && c.Model.NameableLocation(l) {
			joined = append(joined, l)
		}
	}
	return joined
}

// Put makes a user, or replaces name, e-mail, username, type and locations of
// the one with this id; what is as it is wanted is not written. The caller has
// been allowed PutTarget, and the user is among the facts if it exists. Errors: Denied in a session (I6); Stale, Unconditional;
// Unprocessable invalid_user with every broken rule, last_full_administrator
// (R13), too_large; Conflict id_taken for a user whom the caller does not know
// (T4), username_taken. Unavailable also when the change is done and the pool
// could not be told: the next Put tells it.
func (p *Users) Put(ctx context.Context, c Caller, w Wanted, pre Precondition) (User, error) {
	before, taken := c.Users[w.ID]
	if taken && !c.Knows(c.UserTarget(w.ID)) {
		before = User{}
	}
	if err := refuseInSession(c, before, w.User); err != nil {
		return User{}, err
	}
	if err := pre.Check(before.Version); err != nil {
		return User{}, err
	}
	if err := fault.Faulty(fault.Unprocessable, "invalid_user", w.faults(c.Facts, before)); err != nil {
		return User{}, err
	}
	if taken && before.Version == 0 {
		return User{}, fault.New(fault.Conflict, "id_taken", "This id is taken.")
	}
	after := w.becomes(before)
	if !same(before, after) {
		var err error
		if after, err = p.save(ctx, c, before, after, edited(c, before, after)); err != nil {
			return User{}, err
		}
	}
	return after, p.Settle(ctx, c.Organization.ID, after)
}

// refuseInSession refuses what no right allows in a session: other e-mail
// addresses and names to sign in with, and places at which the actor's own roles
// count (I6).
func refuseInSession(c Caller, before, next User) error {
	switch {
	case c.Session == "" || before.Version == 0:
		return nil
	case before.Email != next.Email || before.Username != next.Username:
		return credentialsInSession()
	case before.ID == c.Actor.ID && !sameSet(before.Locations, next.Locations):
		return fault.New(fault.Denied, "own_roles_in_session", "Your own locations, by which your roles count, cannot be changed while you act as somebody else.")
	}
	return nil
}

func credentialsInSession() error {
	return fault.New(fault.Denied, "credentials_in_session", "Username, e-mail and sign-in cannot be changed while you act as somebody else.")
}

// edited is the entry of a user that was made or replaced.
func edited(c Caller, before, after User) timeline.Entry {
	action := "edit"
	if before.Version == 0 {
		action = "create"
	}
	entry := c.Entry(timeline.User, action, timeline.Target{Type: "user", ID: after.ID})
	entry.Before, entry.After = timeline.Changed(before.values(), after.values())
	was, is := limitChanges(c.Shown(before).Assignments, c.Shown(after).Assignments)
	if len(was) > 0 {
		entry.Before["roles"], entry.After["roles"] = was, is
	}
	return entry
}

// save writes a user's next state, under R13's guard when a full administration
// may go with it.
func (p *Users) save(ctx context.Context, c Caller, before, after User, entry timeline.Entry) (User, error) {
	after.Version = before.Version + 1
	change := UserChange{Before: before, After: after, Entry: entry}
	if LosesAdministration(c.Model, before, after) {
		guard, err := KeepAdministrator(ctx, p.store, c.Organization.ID, c.Model, &after)
		if err != nil {
			return User{}, err
		}
		change.Guard = guard
	}
	basis := c.Basis()
	if before.Version > 0 {
		basis = c.Basis(before)
	}
	return after, p.store.PutUser(ctx, basis, change)
}
