package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	"gemba/shared/role"
)

type item = map[string]types.AttributeValue

func textOf(i item, name string) string {
	v, _ := i[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

// ofSnapshots tells whether a call is about snapshots.
func ofSnapshots(input any) bool {
	const pk = "S#" + fixture.Organization
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		return textOf(in.Key, "pk") == pk
	case *dynamodb.UpdateItemInput:
		return textOf(in.Key, "pk") == pk
	case *dynamodb.DeleteItemInput:
		return textOf(in.Key, "pk") == pk
	case *dynamodb.PutItemInput:
		return textOf(in.Item, "pk") == pk
	case *dynamodb.QueryInput:
		for _, v := range in.ExpressionAttributeValues {
			if s, ok := v.(*types.AttributeValueMemberS); ok && s.Value == pk {
				return true
			}
		}
	}
	return false
}

// meddled is a store whose calls about snapshots go through a hook.
func meddled(place *fixture.Place, hook dynamotest.Hook) *dynamo.Store {
	return place.Open(func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(operation string, input any, next func() (any, error)) (any, error) {
			if ofSnapshots(input) {
				return hook(operation, input, next)
			}
			return next()
		}))
	})
}

// blind is a cold store that sees no snapshot.
func blind(place *fixture.Place) *dynamo.Store {
	return meddled(place, func(operation string, _ any, next func() (any, error)) (any, error) {
		if operation == "GetItem" {
			return &dynamodb.GetItemOutput{}, nil
		}
		return next()
	})
}

// loaded is the policy that a store finds, with the organization and version.
func loaded(t *testing.T, s *dynamo.Store) directory.Facts {
	t.Helper()
	facts, err := s.Load(t.Context(), fixture.Organization, directory.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// same holds two readings of a policy together.
func same(t *testing.T, rule string, got, want directory.Facts) {
	t.Helper()
	if got.Policy != want.Policy {
		t.Errorf("%s: version %d, want %d", rule, got.Policy, want.Policy)
	}
	if diff := cmp.Diff(want.Organization, got.Organization, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: %s", rule, diff)
	}
	if diff := cmp.Diff(want.Model.Policy(), got.Model.Policy(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: %s", rule, diff)
	}
}

// snapshots are what is stored of snapshots, by sort key.
func snapshots(t *testing.T, place *fixture.Place) map[string]item {
	t.Helper()
	out, err := place.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &place.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: item{":pk": &types.AttributeValueMemberS{Value: "S#" + fixture.Organization}},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]item{}
	for _, i := range out.Items {
		found[textOf(i, "sk")] = i
	}
	return found
}

// heavy changes a role by more than a quarter of what a snapshot may be behind,
// with nothing in it that packs.
func heavy(r *role.Role, version uint64) {
	r.Name = fmt.Sprintf("%s %d", r.ID, version)
	var b strings.Builder
	for b.Len() < 90_000 {
		fmt.Fprintf(&b, "%016x", rand.Uint64())
	}
	r.Description = b.String()
}

// written is a world with a snapshot.
func written(t *testing.T) (*dynamo.Store, *fixture.Place) {
	t.Helper()
	store, place := fixture.World(t)
	for range 3 {
		mustEdit(t, store, "staff", heavy)
	}
	place.Clock.Advance(time.Minute)
	if len(snapshots(t, place)) != 2 {
		t.Fatalf("no head with one chunk: %v", snapshots(t, place))
	}
	return store, place
}

func TestASnapshotIsThePolicyOfItsEntities(t *testing.T) {
	store, place := written(t)
	roles := []string{"staff", "unit-lead", "director", "coach", "service"}
	for round := range 8 {
		for range 1 + rand.IntN(3) {
			mustEdit(t, store, roles[rand.IntN(len(roles))], randomRole)
		}
		if round%3 == 2 {
			mustEdit(t, store, "coach", heavy)
		}
		place.Clock.Advance(time.Minute)
		w := watch(place)
		facts, calls, err := w.load(t)
		if err != nil || calls["query"] > 2 || calls["transaction"] > 0 {
			t.Fatalf("round %d: by %v, %v: not by the snapshot", round, calls, err)
		}
		same(t, fmt.Sprint("round ", round), facts, loaded(t, blind(place)))
	}
}

func TestASnapshotIsWrittenWhenItIsFarBehind(t *testing.T) {
	store, place := fixture.World(t)
	version := func() uint64 { return loaded(t, store).Policy }
	head := func() string {
		v, _ := snapshots(t, place)["HEAD"]["v"].(*types.AttributeValueMemberN)
		if v == nil {
			return ""
		}
		return v.Value
	}
	for version() < 63 {
		mustEdit(t, store, "staff", describe(fmt.Sprint("Staff ", version())))
	}
	if head() != "" {
		t.Errorf("a snapshot of version %s, of 63 changes", head())
	}
	mustEdit(t, store, "staff", describe("Caregivers"))
	if head() != "64" {
		t.Errorf("after 64 changes the snapshot is of version %q", head())
	}
	for range 3 {
		if head() != "64" {
			t.Errorf("a snapshot of version %s, of fewer than 256 KB", head())
		}
		mustEdit(t, store, "staff", heavy)
	}
	if head() != "67" || len(snapshots(t, place)) != 2 {
		t.Errorf("after 256 KB the snapshot is of version %s: %v", head(), len(snapshots(t, place)))
	}
	same(t, "the newest", loaded(t, place.Open()), loaded(t, blind(place)))
}

func TestABrokenSnapshotIsNone(t *testing.T) {
	store, place := written(t)
	mustEdit(t, store, "coach", describe("Coaches"))
	place.Clock.Advance(time.Minute)
	want := loaded(t, blind(place))
	whole := snapshots(t, place)
	var chunk item
	for sk, i := range whole {
		if sk != "HEAD" {
			chunk = i
		}
	}
	data := chunk["data"].(*types.AttributeValueMemberB).Value
	with := func(i item, name string, v types.AttributeValue) item {
		next := item{}
		for k, old := range i {
			next[k] = old
		}
		next[name] = v
		return next
	}
	other := slices.Clone(data)
	other[len(other)/2] ^= 1
	for name, broken := range map[string]func() []item{
		"no head":  func() []item { return []item{chunk} },
		"no chunk": func() []item { return []item{whole["HEAD"]} },
		"a chunk too many": func() []item {
			return []item{whole["HEAD"], chunk, with(chunk, "sk", &types.AttributeValueMemberS{Value: textOf(chunk, "sk") + "1"})}
		},
		"another byte": func() []item {
			return []item{whole["HEAD"], with(chunk, "data", &types.AttributeValueMemberB{Value: other})}
		},
		"cut": func() []item {
			return []item{whole["HEAD"], with(chunk, "data", &types.AttributeValueMemberB{Value: data[:len(data)/2]})}
		},
		"of no form": func() []item {
			return []item{whole["HEAD"], with(chunk, "data", &types.AttributeValueMemberN{Value: "7"})}
		},
		"another hash": func() []item {
			return []item{with(whole["HEAD"], "hash", &types.AttributeValueMemberS{Value: "0"}), chunk}
		},
		"another nonce": func() []item {
			return []item{with(whole["HEAD"], "nonce", &types.AttributeValueMemberS{Value: "none"}), chunk}
		},
		"another number": func() []item {
			return []item{with(whole["HEAD"], "chunks", &types.AttributeValueMemberN{Value: "2"}), chunk}
		},
		"a head of no form": func() []item {
			return []item{with(whole["HEAD"], "v", &types.AttributeValueMemberS{Value: "new"}), chunk}
		},
		"no organization": func() []item {
			return []item{with(whole["HEAD"], "organization", &types.AttributeValueMemberNULL{Value: true}), chunk}
		},
		"a head of no snapshot": func() []item {
			return []item{with(whole["HEAD"], "v", &types.AttributeValueMemberN{Value: "0"}), chunk}
		},
		"whole": func() []item { return []item{whole["HEAD"], chunk} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, i := range snapshots(t, place) {
				if _, err := place.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &place.Table, Key: item{"pk": i["pk"], "sk": i["sk"]}}); err != nil {
					t.Fatal(err)
				}
			}
			for _, i := range broken() {
				if _, err := place.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &place.Table, Item: i}); err != nil {
					t.Fatal(err)
				}
			}
			w := watch(place)
			facts, calls, err := w.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if entities := calls["transaction"] > 0; entities != (name != "whole") {
				t.Errorf("read by %v", calls)
			}
			same(t, name, facts, want)
		})
	}
}

// TestAFailedSnapshotFailsNoChange lets each call about a snapshot fail in turn.
// What is left half-written is named by nothing and swept by the next.
func TestAFailedSnapshotFailsNoChange(t *testing.T) {
	for failing := 1; ; failing++ {
		_, place := fixture.World(t)
		calls, failed, warm := 0, false, false
		store := meddled(place, func(_ string, _ any, next func() (any, error)) (any, error) {
			if !warm {
				return next()
			}
			if calls++; calls >= failing {
				failed = true
				return nil, errors.New("down")
			}
			return next()
		})
		loaded(t, store)
		warm = true
		for range 3 {
			mustEdit(t, store, "staff", heavy)
		}
		place.Clock.Advance(time.Minute)
		same(t, fmt.Sprint("call ", failing, " failed"), loaded(t, place.Open()), loaded(t, blind(place)))
		if !failed {
			if want := 3 + 1 + 1 + 1; calls != want { // changes counted, chunk, head, sweep
				t.Errorf("%d calls about snapshots, want %d", calls, want)
			}
			return
		}
		whole := place.Open()
		for range 3 {
			mustEdit(t, whole, "staff", heavy)
		}
		if left := snapshots(t, place); len(left) != 2 {
			t.Errorf("call %d failed: %d items are left", failing, len(left))
		}
		same(t, fmt.Sprint("after call ", failing), loaded(t, place.Open()), loaded(t, blind(place)))
	}
}

// TestALargeSnapshotIsOfSeveralChunks, each within what an item may be.
func TestALargeSnapshotIsOfSeveralChunks(t *testing.T) {
	store, place := fixture.World(t)
	var p dynamo.Policy
	for i := range 100 {
		var name strings.Builder
		for name.Len() < 8000 {
			fmt.Fprintf(&name, "%016x", rand.Uint64())
		}
		p.Locations = append(p.Locations, directory.Location{Location: authz.Location{ID: fmt.Sprint("place-", i), Name: name.String()}})
	}
	if _, err := store.CreatePolicy(t.Context(), fixture.Organization, p, place.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	place.Clock.Advance(time.Minute)
	parts := snapshots(t, place)
	if len(parts) != 3 {
		t.Errorf("%d items, want a head and two chunks", len(parts))
	}
	w := watch(place)
	facts, calls, err := w.load(t)
	if err != nil || calls["transaction"] > 0 {
		t.Fatalf("read by %v, %v", calls, err)
	}
	same(t, "several chunks", facts, loaded(t, blind(place)))
	for sk, i := range parts {
		if sk == "HEAD" {
			continue
		}
		if _, err := place.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &place.Table, Key: item{"pk": i["pk"], "sk": i["sk"]}}); err != nil {
			t.Fatal(err)
		}
		break
	}
	w = watch(place)
	facts, calls, err = w.load(t)
	if err != nil || calls["transaction"] != 1 {
		t.Errorf("one chunk of two: read by %v, %v", calls, err)
	}
	same(t, "one chunk of two", facts, loaded(t, blind(place)))
}

// BenchmarkColdStart is the first load of a large organization, with all that
// the SDK does and DynamoDB Local takes.
func BenchmarkColdStart(b *testing.B) {
	store, place := fixture.World(b)
	if _, err := store.CreatePolicy(b.Context(), fixture.Organization, largePolicy(), place.Clock.Now()); err != nil {
		b.Fatal(err)
	}
	place.Clock.Advance(time.Minute)
	for name, open := range map[string]func() *dynamo.Store{
		"snapshot": func() *dynamo.Store { return place.Open() },
		"entities": func() *dynamo.Store { return blind(place) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := open().Load(b.Context(), fixture.Organization, directory.Keys{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestALostAnswerLosesNoSnapshot(t *testing.T) {
	_, place := fixture.World(t)
	var lost atomic.Int32
	store := place.Open(func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.InterceptAttempts(func(operation string, _ any, next func() (any, error)) (any, error) {
			out, err := next()
			if operation == "UpdateItem" && err == nil && lost.Add(1) == 4 { // three count a change, the fourth names the snapshot
				return nil, dynamotest.Lost
			}
			return out, err
		}))
	})
	for range 3 {
		mustEdit(t, store, "staff", heavy)
	}
	place.Clock.Advance(time.Minute)
	if lost.Load() != 4 || len(snapshots(t, place)) != 2 {
		t.Errorf("%d updates, %d items", lost.Load(), len(snapshots(t, place)))
	}
	if _, calls, err := watch(place).load(t); err != nil || calls["transaction"] > 0 {
		t.Errorf("read by %v, %v", calls, err)
	}
}

// TestWritersOfSnapshotsAtOnce: several instances edit, and write snapshots,
// while others start cold. Whatever they find is the policy of its version.
func TestWritersOfSnapshotsAtOnce(t *testing.T) {
	_, place := fixture.World(t)
	roles := []string{"staff", "unit-lead", "director", "coach"}
	var writing sync.WaitGroup
	done := make(chan struct{})
	for _, id := range roles {
		store := place.Open()
		writing.Go(func() {
			for range 6 {
				if err := edit(context.WithoutCancel(t.Context()), store, id, heavy); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { writing.Wait(); close(done) }()
	cold := 0
	for open := true; open; cold++ {
		select {
		case <-done:
			open = false
		default:
		}
		facts := loaded(t, place.Open())
		for _, id := range roles {
			r, _ := facts.Model.Role(id)
			var version uint64
			if _, err := fmt.Sscanf(r.Name, id+" %d", &version); err == nil && version > facts.Policy {
				t.Errorf("at version %d there is %q", facts.Policy, r.Name)
			}
		}
	}
	place.Clock.Advance(time.Minute)
	left := snapshots(t, place)
	if len(left) != 2 {
		t.Errorf("%d items are left of snapshots", len(left))
	}
	w := watch(place)
	facts, calls, err := w.load(t)
	if err != nil || calls["transaction"] > 0 {
		t.Errorf("read by %v, %v", calls, err)
	}
	same(t, "after all", facts, loaded(t, blind(place)))
	t.Logf("%d cold starts beside the writers", cold)
}

// TestAColdStartBySnapshotCostsLess: 2,000 locations, 200 templates and 300
// roles, by their snapshot and without it.
func TestAColdStartBySnapshotCostsLess(t *testing.T) {
	store, place := fixture.World(t)
	if _, err := store.CreatePolicy(t.Context(), fixture.Organization, largePolicy(), place.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	place.Clock.Advance(time.Minute)
	cost := func(s *dynamo.Store) (requests int64, units float64, facts directory.Facts) {
		ctx, told := s.Meter(t.Context())
		facts, err := s.Load(ctx, fixture.Organization, directory.Keys{})
		if err != nil {
			t.Fatal(err)
		}
		attrs := told()
		t.Log(slog.GroupValue(attrs...))
		return attrs[0].Value.Int64(), attrs[1].Value.Float64(), facts
	}
	requests, units, facts := cost(place.Open())
	more, dearer, entities := cost(blind(place))
	same(t, "the large world", facts, entities)
	t.Logf("cold by snapshot %d requests, %.1f units (%d items); by entities %d requests, %.1f units", requests, units, len(snapshots(t, place)), more, dearer)
	if requests > 4 || units > 140 || requests >= more || units*3 > dearer {
		t.Errorf("a cold start takes %d requests and %.1f units, %d and %.1f without a snapshot", requests, units, more, dearer)
	}
}

// largePolicy has as many parts as a large organization.
func largePolicy() dynamo.Policy {
	r := rand.New(rand.NewPCG(5, 5))
	var p dynamo.Policy
	for i := range 2000 {
		l := authz.Location{ID: fmt.Sprint("place-", i), Name: fmt.Sprintf("Place %d, %x", i, r.Uint64())}
		if i > 0 {
			l.Parent = fmt.Sprint("place-", r.IntN(i))
		}
		p.Locations = append(p.Locations, directory.Location{Location: l})
	}
	for i := range 200 {
		p.Templates = append(p.Templates, directory.Template{Template: authz.Template{
			ID: fmt.Sprint("form-", i), Name: fmt.Sprint("Form number ", i), Workflow: "improvement", TeamType: authz.Standard}})
	}
	scopes := []authz.Scope{authz.OnlyLocation, authz.LocationAndBelow, authz.Everywhere}
	for i := range 300 {
		one := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("job-", i)}, Name: fmt.Sprint("Job number ", i)}}
		for range 4 {
			g := authz.Grant{Permissions: map[authz.Permission]authz.Scope{authz.Participate: authz.Yes}}
			for _, permission := range []authz.Permission{authz.View, authz.ViewNew, authz.Edit, authz.Assign} {
				g.Permissions[permission] = scopes[r.IntN(len(scopes))]
			}
			for range 25 {
				g.Templates = append(g.Templates, fmt.Sprint("form-", r.IntN(200)))
			}
			one.Grants = append(one.Grants, g)
		}
		p.Roles = append(p.Roles, one)
	}
	return p
}
