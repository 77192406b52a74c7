package dynamo_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/importer"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// counted are the users of the fixture who are in the base, sets where they may
// be, and types that are in the base, too.
var (
	countedUsers = []string{"root", "local", "support", "nurse", "lead", "director", "coach", "doctor", "pharmacist", "service", "vendor", "capture"}
	someSets     = [][]string{{"icu"}, {"ward"}, {"icu", "ward"}, {"ward", "clinic", "icu"}, {"hospital"}}
	countedTypes = []authz.UserType{authz.General, authz.Capture}
)

// again does what loses races until it wins or fails for another reason.
func again(do func() error) error {
	for attempt := 0; ; attempt++ {
		if err := do(); !fault.IsRaced(err) && (!fault.Is(err, fault.Unavailable) || attempt > 40) {
			return err
		}
	}
}

// asRoot is root as a request finds them, with some users.
func asRoot(ctx context.Context, store *dynamo.Store, place *fixture.Place, users ...string) (directory.Caller, error) {
	facts, err := store.Load(ctx, fixture.Organization, directory.Keys{Users: append([]string{"root"}, users...)})
	return directory.Caller{Facts: facts, Subject: facts.Users["root"], Actor: facts.Users["root"], At: place.Clock.Now(), RequestID: "r"}, err
}

// changeAll writes some users' next states in one transaction, as an import does.
func changeAll(ctx context.Context, store *dynamo.Store, place *fixture.Place, users []string, next func(*directory.User)) error {
	return again(func() error {
		c, err := asRoot(ctx, store, place, users...)
		if err != nil {
			return err
		}
		var change importer.Change
		for _, id := range users {
			after := c.Users[id]
			next(&after)
			change.Users = append(change.Users, importer.UserChange{Before: c.Users[id], After: after, Entries: []timeline.Entry{c.Entry(timeline.User, "edit", targetOf(id))}})
		}
		return store.PutImported(ctx, c.Basis(), "root", change, false)
	})
}

// replant moves a location in the tree.
func replant(ctx context.Context, store *dynamo.Store, place *fixture.Place, id, parent string) error {
	return again(func() error {
		c, err := asRoot(ctx, store, place)
		if err != nil {
			return err
		}
		before, err := store.Place(ctx, fixture.Organization, directory.PlaceRef{Kind: timeline.Location, ID: id})
		if err != nil {
			return err
		}
		after := before.(directory.Location)
		after.Parent, after.Version = parent, after.Version+1
		return store.PutPlace(ctx, c.Basis(), directory.PlaceChange{
			Before: before, After: after, Entry: c.Entry(timeline.Location, "edit", timeline.Target{Type: "location", ID: id}),
		})
	})
}

// whileBusy runs a check again and again until work is done, and at least once.
func whileBusy(ctx context.Context, group *errgroup.Group, done <-chan struct{}, check func(context.Context) error) {
	group.Go(func() error {
		for {
			if err := check(ctx); err != nil {
				return err
			}
			select {
			case <-done:
				return nil
			default:
			}
		}
	})
}

// TestP8CountsAreExactUnderEverythingAtOnce has labels, types, sets of locations
// and the tree change, one by one and by imports, through several stores, while
// others count and reconcile: each census has everybody exactly once, nothing
// ever drifts, and in the end all is as a recount finds it.
func TestP8CountsAreExactUnderEverythingAtOnce(t *testing.T) {
	_, place := fixture.World(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var work, watch errgroup.Group
	done := make(chan struct{})
	recounts := 0
	for range 2 {
		reader := place.Open()
		whileBusy(ctx, &watch, done, func(ctx context.Context) error {
			c, err := reader.Census(ctx, fixture.Organization)
			people := 0
			for _, p := range c.Populations {
				people += p.Counts.Base()
			}
			if err == nil && people != len(countedUsers) {
				return errors.New("P8 a census has lost somebody, or has somebody twice")
			}
			return err
		})
	}
	reconciling := place.Open()
	whileBusy(ctx, &watch, done, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		c, err := asRoot(ctx, reconciling, place)
		if err != nil {
			return err
		}
		found, err := persona.NewReconciler(reconciling).Reconcile(ctx, c, false)
		if recounts++; err == nil && found.Drift() != 0 {
			return errors.New("P8 a change under way was taken for drift")
		}
		return err
	})
	work.SetLimit(20)
	stores := []*dynamo.Store{place.Open(), place.Open(), place.Open()}
	for i := range 100 {
		work.Go(func() error {
			store, user := stores[i%len(stores)], countedUsers[1+i*7%(len(countedUsers)-1)]
			switch i % 5 {
			case 0:
				return again(func() error {
					c, err := asRoot(ctx, store, place, user)
					if err == nil {
						_, err = persona.New(store).Label(ctx, c, user, directory.Persona(i/5%int(directory.PersonaCount)), directory.Precondition{})
					}
					return err
				})
			case 1:
				return changeAll(ctx, store, place, []string{user}, func(u *directory.User) { u.Type = countedTypes[i/5%2] })
			case 2:
				return changeAll(ctx, store, place, []string{user}, func(u *directory.User) { u.Locations = someSets[i/5%len(someSets)] })
			case 3:
				three := []string{user, countedUsers[1+(i*7+1)%(len(countedUsers)-1)], countedUsers[1+(i*7+2)%(len(countedUsers)-1)]}
				return changeAll(ctx, store, place, three, func(u *directory.User) {
					u.Locations, u.Persona = someSets[(i+len(u.ID))%len(someSets)], directory.Persona(len(u.ID)%int(directory.PersonaCount))
				})
			default:
				return replant(ctx, store, place, "icu", []string{"surgery", "medicine"}[i/5%2])
			}
		})
	}
	if err := work.Wait(); err != nil {
		t.Error(err)
	}
	close(done)
	if err := watch.Wait(); err != nil {
		t.Error(err)
	}
	place.Clock.Advance(time.Minute)
	store := place.Open()
	if diff := cmp.Diff(recounted(t, place), census(t, store)); diff != "" {
		t.Errorf("P8 a recount: %s", diff)
	}
	c, err := asRoot(ctx, store, place)
	if err != nil {
		t.Fatal(err)
	}
	found, err := persona.NewReconciler(store).Reconcile(ctx, c, false)
	if err != nil || found.Drift() != 0 || found.Unsettled != 0 {
		t.Errorf("P8 drift %d, %d unsettled: %v", found.Drift(), found.Unsettled, err)
	}
	t.Logf("%d reconciliations meanwhile", recounts)
}

// TestP8MovesInTheTreeChangeNoCounter: a report sees the old tree wholly or the
// new one, and its parts add up.
func TestP8MovesInTheTreeChangeNoCounter(t *testing.T) {
	store, place := fixture.World(t)
	before := census(t, store)
	var watch errgroup.Group
	done := make(chan struct{})
	reader := place.Open()
	seen := map[int]bool{}
	whileBusy(t.Context(), &watch, done, func(ctx context.Context) error {
		return again(func() error {
			c, err := asRoot(ctx, reader, place)
			if err != nil {
				return err
			}
			_, parent := c.Model.Location("icu")
			surgery, err := persona.New(reader).Report(ctx, c, "surgery")
			if err != nil {
				return err
			}
			seen[surgery.Base] = true
			want := 2 // local and lead
			if c.Model.Below("surgery", "icu") {
				want += 2 // nurse and capture
			}
			if surgery.Base != want || !parent {
				return errors.New("P8 a report of no tree that ever was")
			}
			return nil
		})
	})
	for i := range 12 {
		if err := replant(t.Context(), store, place, "icu", []string{"medicine", "surgery"}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	if err := watch.Wait(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, census(t, store)); diff != "" {
		t.Errorf("P8 %s", diff)
	}
	for base := range seen {
		if !slices.Contains([]int{2, 4}, base) {
			t.Errorf("P8 %d people", base)
		}
	}
}
