package dynamo_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// census is the counts by set, without the sets where nobody is left.
func census(t *testing.T, store *dynamo.Store) map[string]persona.Counts {
	t.Helper()
	c, err := store.Census(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]persona.Counts{}
	for _, p := range c.Populations {
		if p.Counts != (persona.Counts{}) {
			out[strings.Join(p.Locations, "+")] = p.Counts
		}
	}
	return out
}

// recounted is what the counts have to be: every user read, one by one, past
// the store.
func recounted(t *testing.T, place *fixture.Place) map[string]persona.Counts {
	t.Helper()
	pages := dynamodb.NewScanPaginator(place.Client(), &dynamodb.ScanInput{TableName: &place.Table, ConsistentRead: aws.Bool(true)})
	personas := map[string]directory.Persona{}
	for p := directory.NoPersona; p < directory.PersonaCount; p++ {
		personas[p.String()] = p
	}
	out := map[string]persona.Counts{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			var u struct {
				SK, Type, Persona string
				Locations         []string
			}
			if err := attributevalue.UnmarshalMap(item, &u); err != nil || u.SK != "USER" {
				continue
			}
			if u.Type != "general" && u.Type != "capture" {
				continue
			}
			slices.Sort(u.Locations)
			set := strings.Join(u.Locations, "+")
			counts := out[set]
			counts[personas[u.Persona]]++
			out[set] = counts
		}
	}
	return out
}

// change writes a user's next state as root does, and again when others were
// in the way.
func change(t *testing.T, store *dynamo.Store, place *fixture.Place, user string, next func(*directory.User)) error {
	for attempt := 0; ; attempt++ {
		facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{"root", user}})
		if err != nil {
			return err
		}
		c := directory.Caller{Facts: facts, Subject: facts.Users["root"], Actor: facts.Users["root"], At: place.Clock.Now()}
		before := facts.Users[user]
		after := before
		next(&after)
		err = store.PutPersona(t.Context(), c.Basis(before), persona.Change{Before: before, After: after, Entry: c.Entry(timeline.Persona, "change", targetOf(user))})
		if !fault.IsRaced(err) && (!fault.Is(err, fault.Unavailable) || attempt > 20) {
			return err
		}
	}
}

func TestCountsStayExactUnderConcurrentChanges(t *testing.T) {
	store, place := fixture.World(t)
	people := []string{"local", "support", "nurse", "lead", "director", "coach", "doctor", "pharmacist", "service", "capture", "inactive", "kiosk"}
	sets := [][]string{{"icu"}, {"ward"}, {"icu", "ward"}, {"ward", "clinic", "icu"}, {"hospital"}}
	types := []authz.UserType{authz.General, authz.Capture, authz.Inactive}
	var running sync.WaitGroup
	failures := make(chan error, 100)
	for i := range 100 {
		running.Go(func() {
			user := people[i%len(people)]
			failures <- change(t, store, place, user, func(u *directory.User) {
				u.Persona = directory.Persona(rand.IntN(int(directory.PersonaCount)))
				switch i % 5 {
				case 0:
					u.Locations = sets[rand.IntN(len(sets))]
				case 1:
					u.Type = types[rand.IntN(len(types))]
				}
			})
		})
	}
	running.Wait()
	for range 100 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(recounted(t, place), census(t, store)); diff != "" {
		t.Errorf("P8 drift: %s", diff)
	}
}

func TestARefusedChangeCountsNothing(t *testing.T) {
	store, place := fixture.World(t)
	was := census(t, store)
	c := place.Caller(t, "root", directory.Keys{Users: []string{"nurse"}})
	before := c.Users["nurse"]
	if err := change(t, store, place, "nurse", func(u *directory.User) { u.Name = "Nina New" }); err != nil {
		t.Fatal(err)
	}
	after := before
	after.Persona = directory.Leader
	err := store.PutPersona(t.Context(), c.Basis(before), persona.Change{Before: before, After: after, Entry: c.Entry(timeline.Persona, "change", targetOf("nurse"))})
	if !fault.IsRaced(err) {
		t.Errorf("T3 a change of an outdated user: %v", err)
	}
	if diff := cmp.Diff(was, census(t, store)); diff != "" {
		t.Errorf("T3 %s", diff)
	}
}

// between calls once, after the first answer to an operation of this name,
// and counts the answers.
func between(operation string, calls *int, once func()) func(*aws.Config) {
	var first sync.Once
	return func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("between",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					out, metadata, err := next.HandleInitialize(ctx, in)
					if middleware.GetOperationName(ctx) == operation {
						*calls++
						first.Do(once)
					}
					return out, metadata, err
				}), middleware.Before)
		})
	}
}

func TestAMoveMeanwhileIsCaughtUpWith(t *testing.T) {
	for age, since := range map[string]time.Duration{"just now": 0, "a while ago": time.Hour} {
		t.Run(age, func(t *testing.T) {
			store, place := fixture.World(t)
			place.Clock.Advance(since)
			queries := 0
			reader := place.Open(between("Query", &queries, func() {
				if err := change(t, store, place, "nurse", func(u *directory.User) { u.Locations = []string{"ward", "clinic"} }); err != nil {
					t.Error(err)
				}
			}))
			was := recounted(t, place)
			found := census(t, reader)
			if diff := cmp.Diff(recounted(t, place), found); diff != "" {
				t.Errorf("P8 %s", diff)
			}
			if cmp.Equal(was, found) || queries != 1 {
				t.Errorf("P8 the move is not in it, or all was read again: %d queries", queries)
			}
		})
	}
}

func TestTheCensusIsOfThePolicyAtItsEnd(t *testing.T) {
	store, place := fixture.World(t)
	queries := 0
	reader := place.Open(between("Query", &queries, func() {
		place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "new"}, Name: "New"}})
	}))
	found, err := reader.Census(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := store.Load(t.Context(), fixture.Organization, directory.Keys{})
	if err != nil || found.Policy != facts.Policy {
		t.Errorf("P8 policy %d, want %d: %v", found.Policy, facts.Policy, err)
	}
}

func TestAChangeOfPersonaIsNoMove(t *testing.T) {
	store, place := fixture.World(t)
	queries := 0
	reader := place.Open(between("Query", &queries, func() {
		if err := change(t, store, place, "nurse", func(u *directory.User) { u.Persona = directory.Leader }); err != nil {
			t.Error(err)
		}
	}))
	census(t, reader)
	if queries != 1 {
		t.Errorf("P8 %d queries", queries)
	}
}

func TestNobodyIsLostWhileSomebodyGoesToAndFro(t *testing.T) {
	store, place := fixture.World(t)
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 20 && err == nil; i++ {
			err = change(t, store, place, "nurse", func(u *directory.User) { u.Locations = [][]string{{"icu"}, {"ward"}}[i%2] })
		}
		done <- err
	}()
	for {
		base := 0
		c, err := store.Census(t.Context(), fixture.Organization)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Populations {
			base += p.Counts.Base()
		}
		if base != 12 {
			t.Fatalf("P8 %d people, there are 12", base)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}
