package world

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"gemba/shared/cognito"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/fault"
)

// Table is where a world is loaded into. Each call creates what is missing
// and leaves what exists as it is.
type Table interface {
	CreateOrganization(ctx context.Context, o directory.Organization, at time.Time) (created bool, err error)
	CreatePolicy(ctx context.Context, organization string, p dynamo.Policy, at time.Time) (created int, err error)
	Births(ctx context.Context, organization string) (map[string]uint64, error)
	CreateUser(ctx context.Context, organization string, u directory.User, at time.Time) (created bool, err error)
	CreateItem(ctx context.Context, organization string, i directory.Item, at time.Time) (created bool, err error)
}

// Pool opens sign-ins; one that exists is left as it is.
type Pool interface {
	Create(ctx context.Context, account cognito.Account) (sub string, created bool, err error)
}

// Target is what a world is loaded into. Now is the clock: of each write, and
// of the assignments that do not say since when they are.
type Target struct {
	Table Table
	Pool  Pool
	Now   func() time.Time
}

// Count is how many things of a kind were created, and how many were there.
type Count struct{ Created, There int }

// Report is what a load did.
type Report struct {
	Organization, Policy, SignIns, Users, Items Count
}

// Changed is whether the load created anything.
func (r Report) Changed() bool {
	return r.Organization.Created+r.Policy.Created+r.SignIns.Created+r.Users.Created+r.Items.Created > 0
}

// parallel bounds the writes under way at once: enough to hide the distance
// to the table, few enough that writers of one counter do not starve.
const parallel = 8

// by is who made the assignments of a load.
const by = "operator"

// Load creates what of the world is missing (see the package comment), in
// this order: organization, policy, sign-ins, users, items. On an error it
// stops; what was created stays, and the next load goes on there. Errors:
// those of the target, with the thing that was to be created; Conflict when a
// username or sign-in belongs to another user of the deployment.
func Load(ctx context.Context, t Target, w World) (Report, error) {
	w.Users = slices.Clone(w.Users)
	l := &load{Target: t, World: w, organization: w.Organization.ID}
	for _, step := range []func(context.Context) error{l.tenant, l.policy, l.signIns, l.users, l.items} {
		if err := step(ctx); err != nil {
			return l.report, err
		}
	}
	return l.report, nil
}

// load is a world on its way.
type load struct {
	Target
	World
	organization string
	report       Report
}

func (l *load) tenant(ctx context.Context) error {
	created, err := l.Table.CreateOrganization(ctx, l.Organization, l.Now())
	if err != nil {
		return fmt.Errorf("organization %s: %w", l.organization, err)
	}
	l.report.Organization = counted(1, created)
	return nil
}

func counted(all int, created bool) Count {
	if created {
		return Count{Created: all}
	}
	return Count{There: all}
}

func (l *load) policy(ctx context.Context) error {
	p := l.Policy
	created, err := l.Table.CreatePolicy(ctx, l.organization, p, l.Now())
	if err != nil {
		return fmt.Errorf("locations, workflows, templates and roles: %w", err)
	}
	all := len(p.Locations) + len(p.Workflows) + len(p.Templates) + len(p.Roles)
	l.report.Policy = Count{Created: created, There: all - created}
	return nil
}

// signIns opens those that users are to have, and keeps the pool's ids.
func (l *load) signIns(ctx context.Context) (err error) {
	var with []*User
	for i := range l.Users {
		if l.Users[i].SignIn.Usable() {
			with = append(with, &l.Users[i])
		}
	}
	l.report.SignIns, err = sideBySide(ctx, with, func(ctx context.Context, u *User) (bool, error) {
		sub, created, err := l.Pool.Create(ctx, cognito.Account{
			Username: u.Username, Email: u.Email, Password: u.Password, Invite: u.SignIn == directory.Invited,
		})
		if err != nil {
			return false, fmt.Errorf("sign-in of user %s: %w", u.ID, err)
		}
		u.Sub = sub
		return created, nil
	})
	return err
}

// users are created with their assignments, which name roles as they were
// born here (R14).
func (l *load) users(ctx context.Context) error {
	births, err := l.Table.Births(ctx, l.organization)
	if err != nil {
		return fmt.Errorf("roles: %w", err)
	}
	l.report.Users, err = sideBySide(ctx, l.Users, func(ctx context.Context, u User) (bool, error) {
		now := l.Now()
		next, err := assigned(u.User, births, now)
		if err != nil {
			return false, err
		}
		created, err := l.Table.CreateUser(ctx, l.organization, next, now)
		if err != nil {
			return false, fmt.Errorf("user %s: %w", u.ID, err)
		}
		return created, nil
	})
	return err
}

// assigned is the user with the births of the roles held, and with since when
// and by whom where the world does not say.
func assigned(u directory.User, births map[string]uint64, now time.Time) (directory.User, error) {
	held := make([]directory.Assignment, len(u.Assignments))
	for i, a := range u.Assignments {
		birth, lives := births[a.Role.ID]
		if !lives {
			return u, fault.New(fault.Conflict, fault.Raced, "Role "+a.Role.ID+" was deleted while the world was loaded.")
		}
		a.Role.Birth = birth
		if a.Since.IsZero() {
			a.Since = now
		}
		if a.By == "" {
			a.By = by
		}
		held[i] = a
	}
	u.Assignments = held
	return u, nil
}

func (l *load) items(ctx context.Context) (err error) {
	l.report.Items, err = sideBySide(ctx, l.Items, func(ctx context.Context, i directory.Item) (bool, error) {
		created, err := l.Table.CreateItem(ctx, l.organization, i, l.Now())
		if err != nil {
			return false, fmt.Errorf("item %s: %w", i.ID, err)
		}
		return created, nil
	})
	return err
}

// sideBySide creates things side by side; the first error stops the rest.
func sideBySide[T any](ctx context.Context, things []T, create func(context.Context, T) (bool, error)) (Count, error) {
	var made, there atomic.Int64
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, thing := range things {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			created, err := create(inner, thing)
			switch {
			case err != nil:
			case created:
				made.Add(1)
			default:
				there.Add(1)
			}
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return Count{Created: int(made.Load()), There: int(there.Load())}, err
}
