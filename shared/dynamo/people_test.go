package dynamo_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// putting is what a use case hands over when it changes nurse.
func putting(c directory.Caller, change func(*directory.User)) (directory.Basis, directory.UserChange) {
	before := c.Users["nurse"]
	after := before
	change(&after)
	entry := c.Entry(timeline.User, "edit", timeline.Target{Type: "user", ID: "nurse"})
	return c.Basis(before), directory.UserChange{Before: before, After: after, Entry: entry}
}

func rename(u *directory.User) { u.Name = "Nina Night" }

func TestPutUserRestsOnAllItWasDecidedFrom(t *testing.T) {
	store, place := fixture.World(t)
	stale := map[string]func(){
		"R12 the caller lost a role": func() {
			if err := revoke(t.Context(), store, place.Clock.Now(), "root", "local", "local-administrator"); err != nil {
				t.Fatal(err)
			}
		},
		"T3 the user was changed": func() {
			c := place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}})
			basis, change := putting(c, func(u *directory.User) { u.Notifications = map[string]bool{"a": true} })
			if err := store.PutUser(t.Context(), basis, change); err != nil {
				t.Fatal(err)
			}
		},
		"C11 a role was edited": func() {
			place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "another"}, Name: "Another"}})
		},
	}
	for name, meanwhile := range stale {
		basis, change := putting(place.Caller(t, "local", directory.Keys{Users: []string{"nurse"}}), rename)
		meanwhile()
		if err := store.PutUser(t.Context(), basis, change); !fault.IsRaced(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	basis, change := putting(place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}}), rename)
	basis.Session = "none"
	if err := store.PutUser(t.Context(), basis, change); !fault.IsRaced(err) {
		t.Errorf("I5 the session is over: %v", err)
	}
	guard := uint64(999)
	basis, change = putting(place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}}), rename)
	change.Guard = &guard
	if err := store.PutUser(t.Context(), basis, change); !fault.IsRaced(err) {
		t.Errorf("R13 the guard moved: %v", err)
	}
	if u := place.User(t, "nurse"); u.Name != "Nina Nurse" {
		t.Errorf("T3 a write that failed changed %+v", u)
	}
}

func TestPutUserTellsWhatIsTaken(t *testing.T) {
	store, place := fixture.World(t)
	for code, take := range map[string]func(*directory.User){
		"username_taken": func(u *directory.User) { u.Username = "DOCTOR" },
		"sign_in_taken":  func(u *directory.User) { u.Sub = fixture.Sub("doctor") },
	} {
		before := place.User(t, "nurse")
		basis, change := putting(place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}}), take)
		if err := store.PutUser(t.Context(), basis, change); !fault.Is(err, fault.Conflict) || fault.Of(err).Code != code {
			t.Errorf("%s: %v", code, err)
		}
		if diff := cmp.Diff(before, place.User(t, "nurse")); diff != "" {
			t.Errorf("T3 %s changed %s", code, diff)
		}
	}
}

// A new sub is the user's from the same change on, and one that was theirs is
// theirs again.
func TestPutUserKeepsWhoseASubIs(t *testing.T) {
	store, place := fixture.World(t)
	for _, sub := range []string{"sub-new", fixture.Sub("nurse"), "sub-new"} {
		basis, change := putting(place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}}), func(u *directory.User) { u.Sub = sub })
		if err := store.PutUser(t.Context(), basis, change); err != nil {
			t.Fatal(err)
		}
		if of, user, err := place.Open().SignIn(t.Context(), sub); err != nil || of != fixture.Organization || user != "nurse" {
			t.Errorf("%s is %s's of %s, %v", sub, user, of, err)
		}
	}
}

func TestToldIsOfOneVersion(t *testing.T) {
	store, place := fixture.World(t)
	basis, change := putting(place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}}), func(u *directory.User) { u.Untold = true })
	if err := store.PutUser(t.Context(), basis, change); err != nil {
		t.Fatal(err)
	}
	if told, err := store.Told(t.Context(), fixture.Organization, change.Before); told || err != nil {
		t.Errorf("told of a version that is gone: %v, %v", told, err)
	}
	u := place.User(t, "nurse")
	if !u.Untold {
		t.Error("a note was taken away that is of a later version")
	}
	if told, err := store.Told(t.Context(), fixture.Organization, u); !told || err != nil {
		t.Errorf("told: %v, %v", told, err)
	}
	u.Untold = false
	if diff := cmp.Diff(u, place.User(t, "nurse")); diff != "" {
		t.Errorf("telling changed %s", diff)
	}
}

// A lost answer is no conflict with oneself (T3).
func TestPutUserWhoseAnswerIsLost(t *testing.T) {
	_, place := fixture.World(t)
	lost := false
	store := place.Open(func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.InterceptAttempts(func(operation string, _ any, next func() (any, error)) (any, error) {
			out, err := next()
			if operation == "TransactWriteItems" && !lost {
				lost = true
				return nil, dynamotest.Lost
			}
			return out, err
		}))
	})
	c := place.Caller(t, "root", directory.Keys{})
	u := directory.User{ID: "new", Name: "New", Username: "new", Type: authz.General, Locations: []string{"icu"}}
	err := store.PutUser(t.Context(), c.Basis(), directory.UserChange{After: u, Entry: c.Entry(timeline.User, "create", timeline.Target{Type: "user", ID: "new"})})
	if err != nil || !lost {
		t.Fatalf("lost %v: %v", lost, err)
	}
	if got := place.User(t, "new"); got.Version != 1 {
		t.Errorf("version %d", got.Version)
	}
}

var _ directory.UserStore = (*dynamo.Store)(nil)

// TestAChangeOfMoreThanATransactionTakes ends ninety limited assignments at once:
// that is nothing to try again, as a dependency's failure would be.
func TestAChangeOfMoreThanATransactionTakes(t *testing.T) {
	store, place := fixture.World(t)
	many := directory.User{ID: "many", Name: "Many", Username: "many", Type: authz.General, Locations: []string{"icu"}}
	for i := range 90 {
		held := authz.Assignment{Role: authz.RoleRef{ID: fmt.Sprint("role", i), Birth: 1}, Locations: []string{"icu"}}
		many.Assignments = append(many.Assignments, directory.Assignment{Assignment: held})
	}
	place.AddUser(t, many)
	users := directory.NewUsers(store, fixture.NewPool())
	moving := func(id string) error {
		c := place.Caller(t, "root", directory.Keys{Users: []string{id}})
		next := c.Users[id]
		next.Locations = []string{"ward"}
		_, err := users.Put(t.Context(), c, directory.Wanted{User: next}, directory.Precondition{Match: true, Any: true})
		return err
	}
	if err := moving("many"); !fault.Is(err, fault.Unprocessable) || fault.Of(err).Code != "too_much_at_once" {
		t.Errorf("leaving the limit of 90 roles: %v", err)
	}
	if u := place.User(t, "many"); len(u.Assignments) != 90 || u.Locations[0] != "icu" {
		t.Errorf("T3 it changed %+v", u)
	}
	if err := moving("nurse"); err != nil {
		t.Errorf("leaving none: %v", err)
	}
}
