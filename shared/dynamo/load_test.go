package dynamo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

func TestASignInIsReadOnceAndKept(t *testing.T) {
	store, place := fixture.World(t)
	ctx, told := store.Meter(t.Context())
	for range 3 {
		organization, user, err := store.SignIn(ctx, fixture.Sub("nurse"))
		if err != nil || organization != fixture.Organization || user != "nurse" {
			t.Fatalf("%s, %s, %v", organization, user, err)
		}
	}
	if n := told()[0].Value.Int64(); n != 1 {
		t.Errorf("%d reads", n)
	}
	for _, sub := range []string{"", "nobody", fixture.Sub("kiosk"), "SUB#" + fixture.Sub("nurse")} {
		if _, _, err := store.SignIn(t.Context(), sub); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", sub, err)
		}
	}
	u := place.User(t, "kiosk")
	u.ID, u.Username, u.Sub, u.Assignments = "late", "late", "nobody", nil
	place.AddUser(t, u)
	if _, user, err := store.SignIn(t.Context(), "nobody"); user != "late" || err != nil {
		t.Errorf("a sign-in made after it was asked for: %q, %v", user, err)
	}
}

func TestLoadBringsWhatExists(t *testing.T) {
	store, place := fixture.World(t)
	var many []string
	for i := range 230 {
		u := directory.User{ID: fmt.Sprintf("u%03d", i), Name: "U", Username: fmt.Sprintf("u%03d", i), Type: authz.Offline, Locations: []string{"ward"}}
		place.AddUser(t, u)
		many = append(many, u.ID)
	}
	for name, age := range map[string]time.Duration{"young": 0, "old": time.Minute} {
		place.Clock.Advance(age)
		facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{
			Users: append(append([]string{"none", "nurse"}, many...), many[:50]...), Items: []string{"icu-idea", "none", "icu-idea"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(facts.Users) != 231 || len(facts.Items) != 1 {
			t.Errorf("%s: %d users, %d items", name, len(facts.Users), len(facts.Items))
		}
	}
	for _, id := range []string{"#", "", "nurse#", "../nurse", "nurse\x00"} {
		facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{id}, Items: []string{id}})
		if err != nil || len(facts.Users)+len(facts.Items) > 0 {
			t.Errorf("%q: %v, %v", id, facts.Users, err)
		}
	}
}

func TestFactsAreWhatWasCreated(t *testing.T) {
	store, _ := fixture.World(t)
	facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{"vendor"}, Items: []string{"ward-project"}})
	if err != nil {
		t.Fatal(err)
	}
	v := facts.Users["vendor"]
	if v.Name != "Vic Vendor" || !v.Internal || v.Email != "" || v.Version != 1 || v.SignIn != directory.Enabled || v.Assignments[0].By != "operator" {
		t.Errorf("%+v", v)
	}
	i := facts.Items["ward-project"]
	if i.Status != authz.Planned || !slices.Equal(i.Team[authz.Facilitator], []string{"coach"}) || i.Version != 1 {
		t.Errorf("%+v", i)
	}
	o := facts.Organization
	if o.Name != "Riverside Health" || !o.Created.Equal(fixture.Start.Add(-time.Minute)) || o.Settings.ProductName != "KaiNexus" {
		t.Errorf("%+v", o)
	}
}

// TestC11AWriteRestsOnAllItWasDecidedFrom changes each part of a decision's
// basis between the decision and each kind of write.
func TestC11AWriteRestsOnAllItWasDecidedFrom(t *testing.T) {
	store, place := fixture.World(t)
	entry := func(c directory.Caller) timeline.Entry {
		return c.Entry(timeline.Assignment, "probe", timeline.Target{Type: "user", ID: "nurse"})
	}
	writes := map[string]func(directory.Caller, directory.Basis) error{
		"an assignment": func(c directory.Caller, b directory.Basis) error {
			after := c.Users["nurse"]
			after.Assignments = nil
			return store.PutAssignment(t.Context(), b, role.Assigning{Before: c.Users["nurse"], After: after, Entry: entry(c)})
		},
		"a persona": func(c directory.Caller, b directory.Basis) error {
			after := c.Users["nurse"]
			after.Persona = directory.Executive
			return store.PutPersona(t.Context(), b, persona.Change{Before: c.Users["nurse"], After: after, Entry: entry(c)})
		},
		"a role": func(c directory.Caller, b directory.Basis) error {
			before, err := store.Role(t.Context(), fixture.Organization, "service")
			if err != nil {
				return err
			}
			after := before
			after.Description = "changed"
			return store.PutRole(t.Context(), b, role.Change{Before: before, After: after, Entry: entry(c)})
		},
	}
	parts := map[string]func(*directory.Basis){
		"another caller's state":  func(b *directory.Basis) { b.Users["root"]++ },
		"another bystander":       func(b *directory.Basis) { b.Users["lead"]-- },
		"somebody who is not":     func(b *directory.Basis) { b.Users["nobody"] = 1 },
		"somebody who is new":     func(b *directory.Basis) { b.Users["lead"] = 0 },
		"an older policy":         func(b *directory.Basis) { b.Policy-- },
		"a newer policy":          func(b *directory.Basis) { b.Policy++ },
		"a session that is none":  func(b *directory.Basis) { b.Session = "none" },
		"nothing but what it was": nil,
	}
	for write, do := range writes {
		for part, change := range parts {
			t.Run(write+" on "+part, func(t *testing.T) {
				c := place.Caller(t, "root", directory.Keys{Users: []string{"nurse", "lead"}})
				b := c.Basis(c.Users["lead"])
				before := tableOf(t, place)
				if change == nil {
					if err := do(c, b); err != nil {
						t.Error(err)
					}
					return
				}
				change(&b)
				if err := do(c, b); !fault.IsRaced(err) {
					t.Errorf("%v", err)
				}
				if after := tableOf(t, place); len(after) != len(before) || place.User(t, "nurse").Version != c.Users["nurse"].Version {
					t.Error("T3 something was written")
				}
			})
		}
	}
}

func TestAStaleVersionIsToldFromARace(t *testing.T) {
	store, place := fixture.World(t)
	mustEdit(t, store, "staff", describe("Caregivers"))
	c := place.Caller(t, "root", directory.Keys{})
	now, err := store.Role(t.Context(), fixture.Organization, "staff")
	if err != nil {
		t.Fatal(err)
	}
	put := func(before, after role.Role) error {
		return store.PutRole(t.Context(), c.Basis(), role.Change{Before: before, After: after, Entry: c.Entry(timeline.Role, "edit", timeline.Target{})})
	}
	old, fresh, renamed := now, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "staff"}, Name: "Fresh"}}, now
	old.Version--
	renamed.Name = "unit LEAD"
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a version that was":  {put(old, now), "stale"},
		"a new role, same id": {put(role.Role{}, fresh), "id_taken"},
		"a name that is used": {put(now, renamed), "name_taken"},
	} {
		if fault.Of(c.err).Code != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
	if err := put(now, now); err != nil {
		t.Error(err)
	}
	if err := put(now, now); !fault.IsRaced(err) {
		t.Errorf("the policy has moved on, too: %v", err)
	}
}

func TestT3AnAnswerIsKeptForADay(t *testing.T) {
	store, place := fixture.World(t)
	c := place.Caller(t, "root", directory.Keys{})
	kept := directory.Kept{Key: "key", Request: "asked", Answer: []byte(`{"a":1}`)}
	create := func(id string, kept directory.Kept) error {
		c := place.Caller(t, "root", directory.Keys{})
		r := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id, Birth: c.Policy + 1}, Name: id}}
		return store.PutRole(t.Context(), c.Basis(), role.Change{After: r, Kept: kept, Entry: c.Entry(timeline.Role, "create", timeline.Target{})})
	}
	if err := create("one", kept); err != nil {
		t.Fatal(err)
	}
	answered := func(user, key string, at time.Time) (directory.Kept, bool) {
		got, found, err := store.Answered(t.Context(), fixture.Organization, user, key, at)
		if err != nil {
			t.Fatal(err)
		}
		return got, found
	}
	if got, found := answered("root", "key", c.At.Add(24*time.Hour-time.Second)); !found || string(got.Answer) != `{"a":1}` || got.Request != "asked" {
		t.Errorf("%+v, %v", got, found)
	}
	for name, found := range map[string]bool{
		"a day later":  second(answered("root", "key", c.At.Add(24*time.Hour))),
		"another user": second(answered("nurse", "key", c.At)),
		"another key":  second(answered("root", "KEY", c.At)),
	} {
		if found {
			t.Errorf("%s: answered", name)
		}
	}
	if err := create("two", kept); !fault.IsRaced(err) {
		t.Errorf("a key that is used: %v", err)
	}
	place.Clock.Advance(24 * time.Hour)
	if err := create("three", kept); err != nil {
		t.Errorf("a key of yesterday: %v", err)
	}
}

func second[A, B any](_ A, b B) B { return b }

func TestRolesAndMembersAreCompleteInPages(t *testing.T) {
	store, place := fixture.World(t)
	for i := range 30 {
		u := directory.User{ID: fmt.Sprintf("m-%02d", i), Name: "M", Username: fmt.Sprintf("m-%02d", i), Type: authz.General, Locations: []string{"ward"}}
		place.AddUser(t, u, "director")
		if i%5 == 0 {
			place.AddRole(t, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprintf("Extra.%02d", i)}, Name: fmt.Sprint("Extra ", i)}})
		}
	}
	place.AddRole(t, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "nobody-has-it"}, Name: "Nobody has it"}})
	births, err := store.Births(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	members := func(id string) func(directory.Page) ([]string, string, error) {
		return func(p directory.Page) ([]string, string, error) {
			users, end, err := store.Members(t.Context(), fixture.Organization, authz.RoleRef{ID: id, Birth: births[id]}, p)
			var ids []string
			for _, u := range users {
				if _, holds := u.Assignment(id); !holds {
					t.Errorf("%s does not hold %s", u.ID, id)
				}
				ids = append(ids, u.ID)
			}
			return ids, end, err
		}
	}
	lists := map[string]struct {
		page func(directory.Page) ([]string, string, error)
		want int
	}{
		"members of director": {members("director"), 31},
		"members of nobody":   {members("nobody-has-it"), 0},
		"roles": {func(p directory.Page) ([]string, string, error) {
			roles, end, err := store.Roles(t.Context(), fixture.Organization, p)
			var ids []string
			for _, r := range roles {
				ids = append(ids, r.ID)
			}
			return ids, end, err
		}, 16},
	}
	for name, list := range lists {
		for _, limit := range []int{1, 4, 16, 31, 500} {
			var got []string
			for page := (directory.Page{Limit: limit}); ; {
				ids, end, err := list.page(page)
				if err != nil {
					t.Fatal(err)
				}
				if len(ids) > limit {
					t.Errorf("%s: %d of at most %d", name, len(ids), limit)
				}
				got = append(got, ids...)
				if end == "" {
					break
				}
				page.After = end
			}
			if len(got) != list.want || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("%s by %d: %d, want %d", name, limit, len(got), list.want)
			}
		}
	}
	if _, _, err := store.Roles(t.Context(), fixture.Organization, directory.Page{Limit: 5, After: "text # from outside"}); err != nil {
		t.Errorf("a place that is none: %v", err)
	}
	old := authz.RoleRef{ID: "director", Birth: births["director"] + 1}
	if users, _, err := store.Members(t.Context(), fixture.Organization, old, directory.Page{Limit: 5}); err != nil || len(users) > 0 {
		t.Errorf("R14 a role of another birth has %d members, %v", len(users), err)
	}
}
