package persona_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
)

// overtaken changes what a role is meant for as soon as the roles were read,
// once.
type overtaken struct {
	*dynamo.Store
	once  sync.Once
	reads int
	then  func()
}

func (o *overtaken) Roles(ctx context.Context, organization string, page directory.Page) ([]role.Role, string, error) {
	roles, end, err := o.Store.Roles(ctx, organization, page)
	o.reads++
	o.once.Do(o.then)
	return roles, end, err
}

// meantFor changes what a role is meant for.
func meantFor(t *testing.T, store *dynamo.Store, place *fixture.Place, id string, p directory.Persona) {
	t.Helper()
	c := place.Caller(t, "root", directory.Keys{})
	roles := role.New(store)
	r, err := roles.Get(t.Context(), c, id)
	if err != nil {
		t.Fatal(err)
	}
	r.Persona = p
	if _, err := roles.Put(t.Context(), c, r, directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
}

// TestC11RolesAndModelAreOfOnePolicy: roles of another policy than the caller's
// are not compared with, nor kept; those of the same are read once.
func TestC11RolesAndModelAreOfOnePolicy(t *testing.T) {
	store, place := fixture.World(t)
	o := &overtaken{Store: store}
	o.then = func() { meantFor(t, store, place, "pharmacy", directory.Leader) }
	matcher := persona.NewMatcher(o, directory.NewListings(store))
	list := func() (persona.Mismatches, error) {
		return matcher.Mismatches(t.Context(), place.Caller(t, "root", directory.Keys{}), persona.MismatchFilter{}, directory.Page{Limit: 50})
	}
	if _, err := list(); !fault.IsRaced(err) {
		t.Fatalf("C11 by roles of before: %v", err)
	}
	for range 3 {
		found, err := list()
		if err != nil || len(found.Found) != 1 || found.Found[0].Mismatch != persona.NeedsLess {
			t.Errorf("P7 %+v, %v", found, err)
		}
	}
	if o.reads != 2 {
		t.Errorf("the roles of two policies were read %d times", o.reads)
	}
}

// moved is a store whose policy moves on while the counts are read.
type moved struct {
	*dynamo.Store
	then func()
}

func (m *moved) Census(ctx context.Context, organization string) (persona.Census, error) {
	m.then()
	return m.Store.Census(ctx, organization)
}

func TestC11PlanAndTreeAreOfOnePolicy(t *testing.T) {
	store, place := fixture.World(t)
	m := &moved{store, func() { meantFor(t, store, place, "pharmacy", directory.Leader) }}
	_, err := persona.NewMatcher(m, directory.NewListings(store)).Plan(t.Context(), place.Caller(t, "root", directory.Keys{}), "surgery", directory.Page{Limit: 50})
	if !fault.IsRaced(err) {
		t.Errorf("C11 a plan by two policies: %v", err)
	}
}

// TestP7EveryPageOfManyOnce reads more people than one reading brings, in pages
// that end among those who do not match.
func TestP7EveryPageOfManyOnce(t *testing.T) {
	store, place := fixture.World(t)
	want := map[string]bool{"pharmacist": true}
	for i := range 60 {
		u := directory.User{ID: fmt.Sprintf("u-%03d", i), Name: "U", Username: fmt.Sprintf("u-%03d", i), Type: authz.General,
			Locations: []string{[]string{"icu", "ward", "clinic"}[i%3]}, Persona: directory.Frontline}
		holds := "staff"
		if i%7 == 0 {
			holds, want[u.ID] = "unit-lead", true
		}
		place.AddUser(t, u, holds)
	}
	matcher := persona.NewMatcher(store, directory.NewListings(store))
	seen, page := map[string]bool{}, directory.Page{Limit: 4}
	for {
		found, err := matcher.Mismatches(t.Context(), place.Caller(t, "root", directory.Keys{}), persona.MismatchFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found.Found {
			if seen[m.User.ID] || !want[m.User.ID] {
				t.Errorf("P7 %s again, or at all: %+v", m.User.ID, m)
			}
			seen[m.User.ID] = true
		}
		if !found.More {
			break
		}
		page.After = found.Next
	}
	if len(seen) != len(want) {
		t.Errorf("P7 %d of %d", len(seen), len(want))
	}
}
