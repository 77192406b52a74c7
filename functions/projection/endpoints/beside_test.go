package endpoints_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// TestP8NotesStandBesideAllOtherChanges: while people are noted, a sweep takes a
// deleted role from them, the pool is told of them, and they are labelled and
// moved. No note is lost to any of it, and no count drifts.
func TestP8NotesStandBesideAllOtherChanges(t *testing.T) {
	w := noted(t)
	w.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "doomed"}, Name: "Doomed"}})
	var crowd []string
	for i := range 12 {
		id := fmt.Sprintf("crowd-%02d", i)
		w.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: sets[i%len(sets)], Untold: true}, "doomed", "staff")
		crowd = append(crowd, id)
	}
	roles := role.New(w.store)
	if _, err := roles.Delete(t.Context(), w.Caller(t, "root", directory.Keys{}), "doomed", directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour) // a sweep is in no hurry
	var records []object
	for i, id := range crowd {
		item := fmt.Sprint("pa-", i%3)
		w.put(t, item, authz.New, id, crowd[(i+1)%len(crowd)])
		records = append(records, w.ofMark(id, w.today()-directory.Day(i%2)), w.ofItem("MODIFY", item))
	}
	var running sync.WaitGroup
	failures := make(chan error, 100)
	running.Go(func() {
		failures <- untilDone(t.Context(), w.quiet(w.Open()), records)
	})
	running.Go(func() { failures <- sweptAll(t.Context(), w) })
	for _, id := range crowd {
		running.Go(func() { failures <- toldOf(t.Context(), w, id) })
		running.Go(func() {
			failures <- w.change(t.Context(), id, func(u *directory.User) {
				u.Persona, u.Locations = directory.Persona(rand.IntN(int(directory.PersonaCount))), sets[rand.IntN(len(sets))]
			})
		})
	}
	running.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	if err := sweptAll(t.Context(), w); err != nil { // whom it passed over
		t.Error(err)
	}
	w.isExact(t)
	for i, id := range crowd {
		u := w.User(t, id)
		if want := w.today() - directory.Day(i%2); u.Seen != want || len(u.Assignments) != 1 {
			t.Errorf("%s is noted on %d, want %d, and holds %v", id, u.Seen, want, u.Assignments)
		}
	}
}

// sweptAll sweeps until there is nobody left, or all are changed just then.
func sweptAll(ctx context.Context, w *world) error {
	for {
		n, err := role.NewSweeper(w.Open(), w.Clock.Now).Run(ctx, []string{fixture.Organization})
		if n == 0 || err != nil {
			return err
		}
	}
}

// toldOf notes that the pool was told of a user, as they are at some moment.
func toldOf(ctx context.Context, w *world, id string) error {
	for range 20 {
		facts, err := w.store.Load(ctx, fixture.Organization, directory.Keys{Users: []string{id}})
		if err != nil {
			return err
		}
		told, err := w.store.Told(ctx, fixture.Organization, facts.Users[id])
		if told || err != nil && !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	return fmt.Errorf("nobody was told of %s", id)
}
