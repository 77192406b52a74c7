package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// watched is a cold store whose calls a test counts and can stand in the way of.
type watched struct {
	*dynamo.Store
	mu     sync.Mutex
	inputs []any
	hook   dynamotest.Hook
}

func watch(place *fixture.Place) *watched {
	w := &watched{}
	w.Store = place.Open(func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(operation string, input any, next func() (any, error)) (any, error) {
			w.mu.Lock()
			w.inputs = append(w.inputs, input)
			hook := w.hook
			w.mu.Unlock()
			if hook != nil {
				return hook(operation, input, next)
			}
			return next()
		}))
	})
	return w
}

// load loads some users and is the calls that it made, by operation.
func (w *watched) load(t *testing.T, users ...string) (directory.Facts, map[string]int, error) {
	t.Helper()
	w.mu.Lock()
	w.inputs = nil
	w.mu.Unlock()
	facts, err := w.Load(t.Context(), fixture.Organization, directory.Keys{Users: users})
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := map[string]int{}
	for _, input := range w.inputs {
		switch input.(type) {
		case *dynamodb.BatchGetItemInput:
			calls["batch"]++
		case *dynamodb.TransactGetItemsInput:
			calls["transaction"]++
		case *dynamodb.QueryInput:
			calls["query"]++
		default:
			calls[fmt.Sprintf("%T", input)]++
		}
	}
	return facts, calls, err
}

// edit makes a role's next state, as the policy's next version.
func edit(ctx context.Context, store *dynamo.Store, id string, next func(*role.Role, uint64)) error {
	for {
		facts, err := store.Load(ctx, fixture.Organization, directory.Keys{})
		if err != nil {
			return err
		}
		before, err := store.Role(ctx, fixture.Organization, id)
		if err != nil {
			return err
		}
		after := before
		next(&after, facts.Policy+1)
		entry := timeline.Entry{At: fixture.Start, Type: timeline.Role, Action: "edit", Target: timeline.Target{Type: "role", ID: id}}
		basis := directory.Basis{Organization: fixture.Organization, Policy: facts.Policy}
		err = store.PutRole(ctx, basis, role.Change{Before: before, After: after, Entry: entry})
		if !fault.IsRaced(err) && !fault.Is(err, fault.Stale) {
			return err
		}
	}
}

func mustEdit(t *testing.T, store *dynamo.Store, id string, next func(*role.Role, uint64)) {
	t.Helper()
	if err := edit(t.Context(), store, id, next); err != nil {
		t.Fatal(err)
	}
}

func describe(text string) func(*role.Role, uint64) {
	return func(r *role.Role, _ uint64) { r.Name = text }
}

func TestAWarmCheckIsOneBatchGetItem(t *testing.T) {
	_, place := fixture.World(t)
	w := watch(place)
	keys := directory.Keys{Users: []string{"nurse", "lead", "nurse"}, Items: []string{"icu-idea", "none"}}
	if _, err := w.Load(t.Context(), fixture.Organization, keys); err != nil {
		t.Fatal(err)
	}
	ctx, told := w.Meter(t.Context())
	facts, err := w.Load(ctx, fixture.Organization, keys)
	if err != nil {
		t.Fatal(err)
	}
	if attrs := told(); attrs[0].Value.Int64() != 1 || attrs[1].Value.Float64() > 5 {
		t.Errorf("%v", slog.GroupValue(attrs...))
	}
	if len(facts.Users) != 2 || len(facts.Items) != 1 {
		t.Errorf("%d users, %d items", len(facts.Users), len(facts.Items))
	}
	if _, calls, _ := w.load(t, "nurse"); !cmp.Equal(calls, map[string]int{"batch": 1}) {
		t.Errorf("%v", calls)
	}
}

func TestC11ACheckAfterAChangeSeesItAtOneMoment(t *testing.T) {
	store, place := fixture.World(t)
	w := watch(place)
	if _, calls, err := w.load(t, "nurse"); err != nil || calls["batch"] != 1 {
		t.Fatalf("cold: %v, %v", calls, err)
	}
	mustEdit(t, store, "staff", describe("Caregivers"))
	facts, calls, err := w.load(t, "nurse")
	if err != nil {
		t.Fatal(err)
	}
	if staff, _ := facts.Model.Role("staff"); staff.Name != "Caregivers" {
		t.Errorf("the role is still %q", staff.Name)
	}
	if want := map[string]int{"batch": 1, "transaction": 1, "query": 1}; !cmp.Equal(calls, want) {
		t.Errorf("young: %v, want %v", calls, want)
	}
	place.Clock.Advance(10 * time.Second)
	if _, calls, _ := w.load(t, "nurse"); !cmp.Equal(calls, map[string]int{"batch": 1}) {
		t.Errorf("old: %v", calls)
	}
}

func TestThePolicyIsFollowedByExactlyWhatIsMissing(t *testing.T) {
	store, place := fixture.World(t)
	w := watch(place)
	first, _, err := w.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		mustEdit(t, store, "staff", describe(fmt.Sprint("Staff ", i)))
	}
	place.Clock.Advance(time.Minute)
	facts, calls, err := w.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if facts.Policy != first.Policy+5 || !cmp.Equal(calls, map[string]int{"batch": 1, "query": 1}) {
		t.Errorf("version %d after %d, by %v", facts.Policy, first.Policy, calls)
	}
	query, _ := w.inputs[len(w.inputs)-1].(*dynamodb.QueryInput)
	var asked []string
	for _, v := range query.ExpressionAttributeValues {
		asked = append(asked, v.(*types.AttributeValueMemberS).Value)
	}
	slices.Sort(asked)
	want := []string{fmt.Sprintf("%020d", first.Policy+1), fmt.Sprintf("%020d", first.Policy+5), "C#" + fixture.Organization}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

func TestAGapIsUnavailableAndNeverJumped(t *testing.T) {
	store, place := fixture.World(t)
	w := watch(place)
	first, _, err := w.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		mustEdit(t, store, "staff", describe(fmt.Sprint("Staff ", i)))
	}
	lost := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "C#" + fixture.Organization},
		"sk": &types.AttributeValueMemberS{Value: fmt.Sprintf("%020d", first.Policy+2)},
	}
	out, err := place.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &place.Table, Key: lost, ReturnValues: types.ReturnValueAllOld})
	if err != nil || len(out.Attributes) == 0 {
		t.Fatalf("%v, %v", out, err)
	}
	if _, calls, err := w.load(t); !fault.Is(err, fault.Unavailable) || calls["query"] < 2 {
		t.Errorf("%v after %v", err, calls)
	}
	if _, err := place.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &place.Table, Item: out.Attributes}); err != nil {
		t.Fatal(err)
	}
	facts, _, err := w.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if staff, _ := facts.Model.Role("staff"); facts.Policy != first.Policy+3 || staff.Name != "Staff 2" {
		t.Errorf("version %d, %q", facts.Policy, staff.Name)
	}
}

func TestAGapThatClosesIsReadAgain(t *testing.T) {
	store, place := fixture.World(t)
	w := watch(place)
	if _, _, err := w.load(t); err != nil {
		t.Fatal(err)
	}
	mustEdit(t, store, "staff", describe("Caregivers"))
	seen := 0
	w.hook = func(operation string, _ any, next func() (any, error)) (any, error) {
		out, err := next()
		if query, ok := out.(*dynamodb.QueryOutput); ok {
			if seen++; seen < 3 {
				query.Items, query.Count = nil, 0
			}
		}
		return out, err
	}
	facts, calls, err := w.load(t)
	if err != nil || calls["query"] != 3 {
		t.Fatalf("%v, %v", calls, err)
	}
	if staff, _ := facts.Model.Role("staff"); staff.Name != "Caregivers" {
		t.Errorf("%q", staff.Name)
	}
}

func TestAFailureToLoadIsUnavailableAndNeverAnAnswer(t *testing.T) {
	store, place := fixture.World(t)
	for name, operation := range map[string]string{"users": "BatchGetItem", "policy": "Query", "version": "TransactGetItems"} {
		w := watch(place)
		w.hook = func(called string, _ any, next func() (any, error)) (any, error) {
			if called == operation {
				return nil, errors.New("down")
			}
			return next()
		}
		facts, _, err := w.load(t, "root")
		if !fault.Is(err, fault.Unavailable) || facts.Model != nil || len(facts.Users) > 0 {
			t.Errorf("%s: %v, %v", name, facts.Users, err)
		}
	}
	if _, err := store.Load(t.Context(), "nowhere", directory.Keys{Users: []string{"root"}}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an organization that is not: %v", err)
	}
}

// randomRole changes a role at random within what a policy can hold.
func randomRole(r *role.Role, version uint64) {
	r.Name = fmt.Sprintf("%s %d", r.ID, version)
	r.Admin.Quality, r.Admin.System = rand.IntN(2) == 0, rand.IntN(2) == 0
	r.Grants = nil
	for range rand.IntN(3) {
		scope := authz.OnlyLocation + authz.Scope(rand.IntN(3))
		r.Grants = append(r.Grants, authz.Grant{
			Workflows:   []string{[]string{"improvement", "safety"}[rand.IntN(2)]},
			Permissions: map[authz.Permission]authz.Scope{authz.View: scope, authz.Edit: scope},
		})
	}
}

func TestAFollowedPolicyIsTheOneReadWhole(t *testing.T) {
	store, place := fixture.World(t)
	follower := place.Open()
	roles := []string{"staff", "unit-lead", "director", "coach", "service"}
	for round := range 12 {
		for range 1 + rand.IntN(3) {
			mustEdit(t, store, roles[rand.IntN(len(roles))], randomRole)
		}
		if round%4 == 3 {
			place.AddRole(t, role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("extra-", round)}, Name: fmt.Sprint("Extra ", round)}})
			place.Clock.Advance(time.Minute)
		}
		var models []authz.Policy
		var facts directory.Facts
		for _, s := range []*dynamo.Store{follower, place.Open()} {
			var err error
			if facts, err = s.Load(t.Context(), fixture.Organization, directory.Keys{}); err != nil {
				t.Fatal(err)
			}
			models = append(models, facts.Model.Policy())
		}
		models = append(models, authz.Compile(facts.Model.Policy()).Policy())
		for i, other := range models[1:] {
			if diff := cmp.Diff(models[0], other, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("round %d, reading %d: %s", round, i, diff)
			}
		}
	}
}

// TestC11AColdStartBesideWritersIsNoMixture has roles take turns at carrying
// the version at which they were written, so each version says what every
// role must be.
func TestC11AColdStartBesideWritersIsNoMixture(t *testing.T) {
	store, place := fixture.World(t)
	turns := []string{"staff", "unit-lead", "director", "coach", "service"}
	first, err := store.Load(t.Context(), fixture.Organization, directory.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			number := func(r *role.Role, version uint64) { r.Name = fmt.Sprintf("%s %d", r.ID, version) }
			if err := edit(context.WithoutCancel(t.Context()), store, turns[i%len(turns)], number); err != nil {
				t.Error(err)
				return
			}
			if i%7 == 0 {
				place.Clock.Advance(3 * time.Second) // some changes are whole already, some may be under way
			}
		}
	})
	for range 25 {
		facts, err := place.Open().Load(t.Context(), fixture.Organization, directory.Keys{})
		if err != nil {
			t.Fatal(err)
		}
		for turn := range turns {
			last := lastTurn(first.Policy, facts.Policy, turn, len(turns))
			r, _ := facts.Model.Role(turns[turn])
			if want := fmt.Sprintf("%s %d", r.ID, last); last > 0 && r.Name != want {
				t.Errorf("at version %d %q, want %q", facts.Policy, r.Name, want)
			}
		}
	}
	close(stop)
	writing.Wait()
}

// lastTurn is the version at which the turn was last taken, 0 if never.
func lastTurn(first, now uint64, turn, turns int) uint64 {
	for v := now; v > first; v-- {
		if int(v-first-1)%turns == turn {
			return v
		}
	}
	return 0
}

func TestC11NoWarmStoreIsEverStale(t *testing.T) {
	for name, age := range map[string]time.Duration{"young": 0, "old": 11 * time.Second} {
		t.Run(name, func(t *testing.T) {
			store, place := fixture.World(t)
			warm := make([]*dynamo.Store, 6)
			for i := range warm {
				warm[i] = place.Open()
			}
			allowed := func(s *dynamo.Store) (bool, error) {
				facts, err := s.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{"coach"}, Items: []string{"ward-private"}})
				if err != nil {
					return false, err
				}
				item := facts.Items["ward-private"].Item
				d := facts.Model.Decide(facts.Model.Subject(facts.Users["coach"].Decisive(), place.Clock.Now()), authz.DoView,
					authz.Resource{Type: authz.ItemResource, ID: item.ID, Item: &item})
				return d.Allowed, nil
			}
			stale := 0
			for round := range 24 {
				want := round%2 == 0
				switch round % 4 {
				case 0, 1: // by the role: the coach's own sees private items or not
					mustEdit(t, store, "coach", func(r *role.Role, _ uint64) {
						scope := authz.OnlyLocation
						if want {
							scope = authz.Everywhere
						}
						r.Grants = []authz.Grant{{Workflows: []string{"improvement"}, Permissions: map[authz.Permission]authz.Scope{authz.ViewPrivate: scope}}}
					})
				case 2: // and by who holds it
					mustEdit(t, store, "coach", func(r *role.Role, _ uint64) { r.Grants[0].Permissions[authz.ViewPrivate] = authz.Everywhere })
				case 3:
					hold(t, store, place, "coach", "coach", false)
				}
				place.Clock.Advance(age)
				var reading sync.WaitGroup
				var mu sync.Mutex
				for _, s := range warm {
					reading.Go(func() {
						got, err := allowed(s)
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							t.Error(err)
						}
						if got != want {
							stale++
						}
					})
				}
				reading.Wait()
				if round%4 == 3 {
					hold(t, store, place, "coach", "coach", true)
				}
			}
			if stale > 0 {
				t.Errorf("%d stale answers", stale)
			}
		})
	}
}

// hold gives a user a role, or takes it.
func hold(t *testing.T, store *dynamo.Store, place *fixture.Place, user, id string, held bool) {
	t.Helper()
	c := place.Caller(t, "root", directory.Keys{Users: []string{user}})
	service, err := role.New(store), error(nil)
	if held {
		_, err = service.Assign(t.Context(), c, role.Given{User: user, Role: id}, directory.Precondition{})
	} else {
		_, err = service.Revoke(t.Context(), c, user, id, directory.Precondition{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestC11NoReadingMixesAUserWithAnotherPolicy gives a role its power only
// while a user does not hold it: at no moment can the user have the power.
func TestC11NoReadingMixesAUserWithAnotherPolicy(t *testing.T) {
	store, place := fixture.World(t)
	powerful := func(yes bool) func(*role.Role, uint64) {
		return func(r *role.Role, _ uint64) { r.Admin.Quality = yes }
	}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for range 3 {
		s := place.Open()
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				facts, err := s.Load(context.WithoutCancel(t.Context()), fixture.Organization, directory.Keys{Users: []string{"coach"}})
				if fault.Is(err, fault.Unavailable) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				_, holds := facts.Users["coach"].Assignment("coach")
				if r, _ := facts.Model.Role("coach"); holds && r.Admin.Quality {
					t.Errorf("at version %d the coach has a power that nobody ever had", facts.Policy)
				}
			}
		})
	}
	for range 12 {
		hold(t, store, place, "coach", "coach", false)
		mustEdit(t, store, "coach", powerful(true))
		mustEdit(t, store, "coach", powerful(false))
		hold(t, store, place, "coach", "coach", true)
	}
	close(stop)
	reading.Wait()
}

// TestC11AReadingOvertakenByANewerPolicyIsReadAgain lets another request of
// the same instance follow the policy while this one has read an older state.
func TestC11AReadingOvertakenByANewerPolicyIsReadAgain(t *testing.T) {
	store, place := fixture.World(t)
	w := watch(place)
	if _, _, err := w.load(t, "coach"); err != nil {
		t.Fatal(err)
	}
	overtaken := false
	w.hook = func(_ string, _ any, next func() (any, error)) (any, error) {
		out, err := next()
		if !overtaken {
			overtaken = true
			hold(t, store, place, "coach", "coach", false)
			mustEdit(t, store, "coach", func(r *role.Role, _ uint64) { r.Admin.Quality = true })
			if _, err := w.Load(t.Context(), fixture.Organization, directory.Keys{}); err != nil {
				t.Error(err)
			}
		}
		return out, err
	}
	facts, _, err := w.load(t, "coach")
	if err != nil {
		t.Fatal(err)
	}
	if _, holds := facts.Users["coach"].Assignment("coach"); holds {
		t.Errorf("the coach of before is judged by the policy of version %d", facts.Policy)
	}
}

// TestC11AColdStartTrustsNoEntityOfAYoungChange puts an entity back to what a
// query shows that comes between a change's commit and its last write.
func TestC11AColdStartTrustsNoEntityOfAYoungChange(t *testing.T) {
	store, place := fixture.World(t)
	staff := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "P#" + fixture.Organization}, "sk": &types.AttributeValueMemberS{Value: "ROLE#staff"},
	}
	old, err := place.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &place.Table, Key: staff})
	if err != nil {
		t.Fatal(err)
	}
	mustEdit(t, store, "staff", describe("Caregivers"))
	place.Clock.Advance(9 * time.Second)
	if _, err := place.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &place.Table, Item: old.Item}); err != nil {
		t.Fatal(err)
	}
	facts, err := place.Open().Load(t.Context(), fixture.Organization, directory.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := facts.Model.Role("staff"); r.Name != "Caregivers" {
		t.Errorf("the role is %q at version %d", r.Name, facts.Policy)
	}
}
