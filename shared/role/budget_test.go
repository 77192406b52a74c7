package role_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// multitude is a store whose role staff everybody holds, by ids in their order.
type multitude struct {
	role.Store
	ids       []string
	reads     int // of users, or of roles
	personaOf func(i int) directory.Persona
}

func everybody(n int) *multitude {
	c := &multitude{}
	for i := range n {
		c.ids = append(c.ids, fmt.Sprintf("u%05d", i))
	}
	return c
}

// after is the place of the first id past a place.
func (c *multitude) after(id string) int {
	i, found := slices.BinarySearch(c.ids, id)
	if found {
		i++
	}
	return i
}

func (c *multitude) MemberIDs(_ context.Context, _ string, _ authz.RoleRef, page directory.Page) ([]string, string, error) {
	first := c.after(page.After)
	last := min(first+page.Limit, len(c.ids))
	if last < len(c.ids) {
		return c.ids[first:last], c.ids[last-1], nil
	}
	return c.ids[first:last], "", nil
}

func (c *multitude) Roles(_ context.Context, _ string, page directory.Page) ([]role.Role, string, error) {
	ids, end, err := c.MemberIDs(context.Background(), "", authz.RoleRef{}, page)
	c.reads += len(ids)
	var roles []role.Role
	for _, id := range ids {
		i, _ := slices.BinarySearch(c.ids, id)
		roles = append(roles, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}}, Persona: c.personaOf(i)})
	}
	return roles, end, err
}

// local is a caller who administers the users at north; every so many-eth is.
func (c *multitude) local(every int) directory.Caller {
	staff := authz.RoleRef{ID: "staff", Birth: 1}
	reach := authz.RoleRef{ID: "reach", Birth: 1}
	model := authz.Compile(authz.Policy{
		Locations: []authz.Location{{ID: "north"}, {ID: "south"}},
		Roles:     []authz.Role{{RoleRef: staff}, {RoleRef: reach, Admin: authz.Admin{Local: &authz.UserAdministration{Scope: authz.OnlyLocation}}}},
	})
	caller := directory.Caller{Facts: directory.Facts{Model: model, Policy: 1}, At: time.Unix(1e9, 0)}
	caller.Subject = directory.User{ID: "me", Type: authz.General, Locations: []string{"north"}, Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: reach}}}}
	caller.Actor = caller.Subject
	caller.Again = func(_ context.Context, needs directory.Keys) (directory.Caller, error) {
		now := caller
		now.Users = map[string]directory.User{}
		for _, id := range needs.Users {
			i, _ := slices.BinarySearch(c.ids, id)
			c.reads++
			u := directory.User{ID: id, Locations: []string{"south"}, Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: staff}}}}
			if i%every == 0 {
				u.Locations = []string{"north"}
			}
			now.Users[id] = u
		}
		return now, nil
	}
	return caller
}

// TestMembersAreCompleteUnderABudget pages through many members of whom the
// caller administers few: every page costs little, and none is missed.
func TestMembersAreCompleteUnderABudget(t *testing.T) {
	for _, c := range []struct{ members, every, limit int }{{10_000, 4000, 50}, {10_000, 1, 500}, {5000, 97, 7}, {89, 1, 500}, {90, 1, 90}, {91, 1, 90}, {180, 2, 45}, {1000, 1000, 1}, {0, 1, 1}} {
		store := everybody(c.members)
		service := role.New(store)
		var got []string
		page, longest := directory.Page{Limit: c.limit}, 0
		for pages := 0; ; pages++ {
			store.reads = 0
			found, end, err := service.Members(t.Context(), store.local(c.every), "staff", role.Filter{}, page)
			if err != nil || len(found) > c.limit || pages > c.members+1 {
				t.Fatalf("%+v: %d on a page, %v", c, len(found), err)
			}
			longest = max(longest, store.reads)
			for _, m := range found {
				got = append(got, m.User.ID)
			}
			if page.After = end; end == "" {
				break
			}
		}
		var want []string
		for i := 0; i < c.members; i += c.every {
			want = append(want, store.ids[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d members are shown, the caller administers %d", c, len(got), len(want))
		}
		if longest > 1080 {
			t.Errorf("%+v: a page reads %d users", c, longest)
		}
	}
}

func TestRolesAreCompleteUnderABudget(t *testing.T) {
	for _, c := range []struct{ roles, every, limit int }{{3000, 1500, 50}, {3000, 1, 500}, {300, 7, 3}, {100, 1, 100}, {101, 1, 100}, {0, 1, 1}} {
		store := everybody(c.roles)
		store.personaOf = func(i int) directory.Persona {
			if i%c.every == 0 {
				return directory.Leader
			}
			return directory.NoPersona
		}
		for filter, want := range map[role.Filter]int{{}: c.roles, {Persona: directory.Leader}: (c.roles + c.every - 1) / c.every, {None: true}: c.roles - (c.roles+c.every-1)/c.every} {
			var got []string
			page, longest := directory.Page{Limit: c.limit}, 0
			for {
				store.reads = 0
				found, end, err := role.New(store).List(t.Context(), store.local(1), filter, page)
				if err != nil || len(found) > c.limit {
					t.Fatalf("%+v: %d on a page, %v", c, len(found), err)
				}
				longest = max(longest, store.reads)
				for _, r := range found {
					got = append(got, r.ID)
				}
				if page.After = end; end == "" {
					break
				}
			}
			if len(got) != want || !slices.IsSorted(got) || len(slices.Compact(got)) != want || longest > 1100 {
				t.Errorf("%+v %+v: %d of %d roles, a page reads %d", c, filter, len(got), want, longest)
			}
		}
	}
}

// heap is garbage in memory: the members of one deleted role, of whom some
// change whenever they are swept with others, or always.
type heap struct {
	*multitude
	dead    role.Dead
	restive map[string]bool
	broken  error
	batches []int
	gone    bool
}

func (h *heap) DeadRoles(_ context.Context, organization string) ([]role.Dead, error) {
	if organization != "o" || h.gone {
		return nil, nil
	}
	return []role.Dead{h.dead}, nil
}

func (h *heap) Holders(_ context.Context, _ string, ids []string) ([]directory.User, error) {
	var users []directory.User
	for _, id := range ids {
		users = append(users, directory.User{ID: id, Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: h.dead.Role}}, {Assignment: authz.Assignment{Role: authz.RoleRef{ID: h.dead.Role.ID, Birth: 9}}}}})
	}
	return users, nil
}

func (h *heap) Sweep(_ context.Context, _ string, dead authz.RoleRef, turned []directory.Turned) error {
	if h.broken != nil {
		return h.broken
	}
	for _, u := range turned {
		if h.restive[u.Before.ID] {
			return fault.New(fault.Conflict, fault.Raced, "")
		}
	}
	h.batches = append(h.batches, len(turned))
	for _, u := range turned {
		if len(u.After.Assignments) != 1 || u.After.Assignments[0].Role.Birth != 9 {
			return errors.New("another role was taken")
		}
		h.ids = slices.DeleteFunc(slices.Clone(h.ids), func(id string) bool { return id == u.Before.ID })
	}
	return nil
}

func (h *heap) Swept(context.Context, string, authz.RoleRef) error { h.gone = true; return nil }

func heapOf(n int) *heap {
	return &heap{multitude: everybody(n), dead: role.Dead{Role: authz.RoleRef{ID: "r", Birth: 3}, Since: time.Unix(1e9, 0)}}
}

func at(seconds int64) func() time.Time { return func() time.Time { return time.Unix(1e9+seconds, 0) } }

func TestSweepsAreBoundedAndGoOn(t *testing.T) {
	t.Run("not while a deletion may be counting", func(t *testing.T) {
		h := heapOf(5)
		if n, err := role.NewSweeper(h, at(59)).Run(t.Context(), []string{"empty", "o"}); n != 0 || err != nil || len(h.ids) != 5 {
			t.Errorf("%d swept, %v", n, err)
		}
	})
	t.Run("in batches, and whoever changes meanwhile next time", func(t *testing.T) {
		h := heapOf(100)
		h.restive = map[string]bool{"u00030": true, "u00099": true}
		if n, err := role.NewSweeper(h, at(60)).Run(t.Context(), []string{"empty", "o"}); n != 98 || err != nil || h.gone {
			t.Errorf("%d swept, %v, forgotten %v", n, err, h.gone)
		}
		if largest := slices.Max(h.batches); largest > 24 {
			t.Errorf("%d in a batch", largest)
		}
		h.restive = nil
		if n, err := role.NewSweeper(h, at(60)).Run(t.Context(), []string{"empty", "o"}); n != 2 || err != nil || !h.gone {
			t.Errorf("%d swept the next time, %v, forgotten %v", n, err, h.gone)
		}
	})
	t.Run("as far as there is time", func(t *testing.T) {
		h := heapOf(100)
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(9*time.Second))
		defer cancel()
		if n, err := role.NewSweeper(h, at(60)).Run(ctx, []string{"empty", "o"}); n != 0 || err != nil || h.gone {
			t.Errorf("%d swept, %v, forgotten %v", n, err, h.gone)
		}
	})
	t.Run("a failure is told", func(t *testing.T) {
		h := heapOf(3)
		h.broken = fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
		if n, err := role.NewSweeper(h, at(60)).Run(t.Context(), []string{"empty", "o"}); n != 0 || !fault.Is(err, fault.Unavailable) || h.gone {
			t.Errorf("%d swept, %v, forgotten %v", n, err, h.gone)
		}
	})
}
