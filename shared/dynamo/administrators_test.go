package dynamo_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// decideAgain does what a request does: it reads, decides and acts, again when
// its write lost a race. A caller who may not (any more) is told so.
func decideAgain(ctx context.Context, store *dynamo.Store, at time.Time, caller string, needs []string, do func(directory.Caller) error) error {
	for {
		facts, err := store.Load(ctx, fixture.Organization, directory.Keys{Users: append([]string{caller}, needs...)})
		if err != nil {
			return err
		}
		u := facts.Users[caller]
		err = do(directory.Caller{Facts: facts, Subject: u, Actor: u, At: at, RequestID: "r"})
		if !fault.IsRaced(err) {
			return err
		}
	}
}

// revoke takes a role back as an administrator would by a request.
func revoke(ctx context.Context, store *dynamo.Store, at time.Time, by, from, id string) error {
	return decideAgain(ctx, store, at, by, []string{from}, func(c directory.Caller) error {
		target := c.UserTarget(from)
		target.Role = id
		if d := c.Decide(authz.RevokeRole, target); !d.Allowed {
			return fault.New(fault.Denied, d.Reason.String(), "")
		}
		_, err := role.New(store).Revoke(ctx, c, from, id, directory.Precondition{})
		return err
	})
}

// fullAdministrators are those of the organization now, by their users alone.
func fullAdministrators(t *testing.T, store *dynamo.Store, among ...string) []string {
	t.Helper()
	facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{Users: among})
	if err != nil {
		t.Fatal(err)
	}
	var full []string
	for id, u := range facts.Users {
		if facts.Model.FullAdministrator(u.Decisive()) {
			full = append(full, id)
		}
	}
	slices.Sort(full)
	return full
}

func administrators(t *testing.T, n int) (*dynamo.Store, *fixture.Place, []string) {
	t.Helper()
	store, place := fixture.World(t)
	all := []string{"root"}
	for i := 1; i < n; i++ {
		u := place.User(t, "root")
		u.ID = fmt.Sprint("root-", i)
		u.Username, u.Sub, u.Assignments = u.ID, fixture.Sub(u.ID), nil
		place.AddUser(t, u, "administrator")
		all = append(all, u.ID)
	}
	return store, place, all
}

// mend gives the role to whoever lost it.
func mend(t *testing.T, store *dynamo.Store, place *fixture.Place, all []string) {
	t.Helper()
	full := fullAdministrators(t, store, all...)
	for _, id := range all {
		if slices.Contains(full, id) {
			continue
		}
		c := place.Caller(t, full[0], directory.Keys{Users: []string{id}})
		if _, err := role.New(store).Assign(t.Context(), c, role.Given{User: id, Role: "administrator"}, directory.Precondition{}); err != nil {
			t.Fatal(err)
		}
	}
}

// In the first two cases each write also rests on a user that the other one
// writes; when everybody gives up their own role, only the guard is between
// them and an organization without administrators.
func TestR13AdministratorsWhoRevokeAtOnceNeverLeaveNone(t *testing.T) {
	const runs = 60
	for _, c := range []struct {
		name        string
		n, distance int
	}{{"each other", 2, 1}, {"in a ring", 3, 1}, {"themselves", 2, 0}, {"themselves, all three", 3, 0}} {
		t.Run(c.name, func(t *testing.T) {
			store, place, all := administrators(t, c.n)
			instances := make([]*dynamo.Store, c.n)
			for i := range instances {
				instances[i] = place.Open()
			}
			done, refused := 0, 0
			for range runs / (c.n - 1) {
				var mu sync.Mutex
				var racing sync.WaitGroup
				for i, by := range all {
					racing.Go(func() {
						err := revoke(t.Context(), instances[i], place.Clock.Now(), by, all[(i+c.distance)%c.n], "administrator")
						mu.Lock()
						defer mu.Unlock()
						switch {
						case err == nil:
							done++
						case fault.Is(err, fault.Denied), fault.Of(err).Code == "last_full_administrator":
							refused++
						default:
							t.Error(err)
						}
					})
				}
				racing.Wait()
				if full := fullAdministrators(t, store, all...); len(full) == 0 {
					t.Fatal("R13 nobody is left")
				}
				mend(t, store, place, all)
			}
			if done == 0 || refused == 0 {
				t.Errorf("%d revoked, %d refused: nothing raced", done, refused)
			}
		})
	}
}

// TestR13ARoleEditAndARevocationNeverLeaveNone has two roles that each make
// one full administrator: one loses its power while the other is taken back.
func TestR13ARoleEditAndARevocationNeverLeaveNone(t *testing.T) {
	store, place := fixture.World(t)
	other := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "other"}, Name: "Other administrator", Admin: authz.Admin{
		Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}, Roles: true,
	}}}
	place.AddRole(t, other)
	u := place.User(t, "root")
	u.ID, u.Username, u.Sub, u.Assignments = "second", "second", fixture.Sub("second"), nil
	place.AddUser(t, u, "other")
	weaken := func(at time.Time) error {
		return decideAgain(t.Context(), store, at, "root", nil, func(c directory.Caller) error {
			if d := c.Decide(authz.AdministerRoles, authz.Resource{Type: authz.OrganizationResource, ID: fixture.Organization}); !d.Allowed {
				return fault.New(fault.Denied, d.Reason.String(), "")
			}
			now, err := store.Role(t.Context(), fixture.Organization, "other")
			if err != nil {
				return err
			}
			now.Admin.Global, now.Version = nil, 0
			_, err = role.New(store).Put(t.Context(), c, now, directory.Precondition{Match: true, Any: true})
			return err
		})
	}
	for run := range 20 {
		var racing sync.WaitGroup
		var edited, revoked error
		racing.Go(func() { edited = weaken(place.Clock.Now()) })
		racing.Go(func() { revoked = revoke(t.Context(), store, place.Clock.Now(), "second", "root", "administrator") })
		racing.Wait()
		full := fullAdministrators(t, store, "root", "second")
		if len(full) == 0 || edited == nil && revoked == nil {
			t.Fatalf("R13 run %d: %v are left; %v, %v", run, full, edited, revoked)
		}
		if revoked == nil {
			c := place.Caller(t, "second", directory.Keys{Users: []string{"root"}})
			if _, err := role.New(store).Assign(t.Context(), c, role.Given{User: "root", Role: "administrator"}, directory.Precondition{}); err != nil {
				t.Fatal(err)
			}
		}
		mustEdit(t, store, "other", func(r *role.Role, _ uint64) { r.Admin.Global = other.Admin.Global })
	}
}

func TestR13EachWayToLoseTheLastIsRefused(t *testing.T) {
	store, place, _ := administrators(t, 1)
	service := role.New(store)
	c := place.Caller(t, "root", directory.Keys{})
	weaker, err := service.Get(t.Context(), c, "administrator")
	if err != nil {
		t.Fatal(err)
	}
	weaker.Admin.Global = &authz.UserAdministration{CreateUsers: true}
	weaker.Version = 0
	for name, change := range map[string]func() error{
		"the assignment is revoked": func() error {
			_, err := service.Revoke(t.Context(), c, "root", "administrator", directory.Precondition{})
			return err
		},
		"the assignment gets an end": func() error {
			_, err := service.Assign(t.Context(), c, role.Given{User: "root", Role: "administrator", Until: c.At.Add(time.Hour)}, directory.Precondition{})
			return err
		},
		"the role may grant less": func() error {
			_, err := service.Put(t.Context(), c, weaker, directory.Precondition{Match: true, Any: true})
			return err
		},
	} {
		if err := change(); !fault.Is(err, fault.Unprocessable) || fault.Of(err).Code != "last_full_administrator" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if full := fullAdministrators(t, store, "root"); len(full) != 1 {
		t.Errorf("%v", full)
	}
}
