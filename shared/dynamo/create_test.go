package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	"gemba/shared/fault"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// tableOf is all items of a place by their keys.
func tableOf(t *testing.T, place *fixture.Place) map[string]map[string]types.AttributeValue {
	t.Helper()
	all := map[string]map[string]types.AttributeValue{}
	input := &dynamodb.ScanInput{TableName: &place.Table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := place.Client().Scan(t.Context(), input)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			all[fmt.Sprint(item["pk"].(*types.AttributeValueMemberS).Value, " ", item["sk"].(*types.AttributeValueMemberS).Value)] = item
		}
		if input.ExclusiveStartKey = out.LastEvaluatedKey; len(out.LastEvaluatedKey) == 0 {
			return all
		}
	}
}

// sameTable ignores what the SDK's types keep for themselves.
var sameTable = cmpopts.IgnoreUnexported(
	types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberL{}, types.AttributeValueMemberM{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberB{})

// small is an organization to be created and all that is in it.
type small struct {
	organization directory.Organization
	policy       dynamo.Policy
	user         directory.User
	item         directory.Item
}

func smallWorld() small {
	return small{
		organization: directory.Organization{ID: "new", Name: "New", Settings: directory.DefaultSettings()},
		policy:       fixture.Policy(),
		user: directory.User{
			ID: "nina", Name: "Nina", Username: "nina", Type: authz.General, Locations: []string{"icu", "ward"},
			Persona: directory.Leader, SignIn: directory.Enabled, Sub: "sub-nina",
			Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: authz.RoleRef{ID: "staff", Birth: 2}}, By: "operator"}},
		},
		item: directory.Item{Item: authz.Item{
			ID: "i", Template: "idea", Locations: []string{"icu"}, Status: authz.Active,
			Team: map[authz.TeamRole][]string{authz.Author: {"nina"}, authz.Follower: {"nina", "somebody"}},
		}},
	}
}

// create makes all of it and tells what was new: organization, entities,
// user and item.
func (w small) create(ctx context.Context, store *dynamo.Store, at time.Time) (made [4]int, err error) {
	one := map[bool]int{true: 1}
	organization, err := store.CreateOrganization(ctx, w.organization, at)
	if err != nil {
		return made, err
	}
	made[0] = one[organization]
	if made[1], err = store.CreatePolicy(ctx, "new", w.policy, at); err != nil {
		return made, err
	}
	user, err := store.CreateUser(ctx, "new", w.user, at)
	if err != nil {
		return made, err
	}
	made[2] = one[user]
	item, err := store.CreateItem(ctx, "new", w.item, at)
	made[3] = one[item]
	return made, err
}

func TestALoadThatIsRepeatedChangesNothing(t *testing.T) {
	place, w := fixture.Empty(t), smallWorld()
	store := place.Open()
	made, err := w.create(t.Context(), store, place.Clock.Now())
	if want := [4]int{1, 21, 1, 1}; err != nil || made != want {
		t.Fatalf("made %v, %v", made, err)
	}
	before := tableOf(t, place)
	place.Clock.Advance(time.Hour)
	for _, s := range []*dynamo.Store{store, place.Open()} {
		if made, err := w.create(t.Context(), s, place.Clock.Now()); err != nil || made != [4]int{} {
			t.Errorf("made %v, %v", made, err)
		}
	}
	if diff := cmp.Diff(before, tableOf(t, place), sameTable); diff != "" {
		t.Error(diff)
	}
}

// TestALoadThatWasCutGoesOn fails one call after the other, each once, until
// the load is whole: what then stands is what a load in one go leaves.
func TestALoadThatWasCutGoesOn(t *testing.T) {
	whole, cut, w := fixture.Empty(t), fixture.Empty(t), smallWorld()
	if _, err := w.create(t.Context(), whole.Open(), fixture.Start); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for done := false; !done; failed++ {
		seen := 0
		store := cut.Open(func(cfg *aws.Config) {
			cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, _ any, next func() (any, error)) (any, error) {
				if seen++; seen > failed {
					return nil, errors.New("the line is cut")
				}
				return next()
			}))
		})
		_, err := w.create(t.Context(), store, fixture.Start)
		done = err == nil
		if err != nil && !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	if failed < 6 {
		t.Errorf("cut %d times only", failed)
	}
	want, got := tableOf(t, whole), tableOf(t, cut)
	for _, table := range []map[string]map[string]types.AttributeValue{want, got} {
		// A snapshot is no part of the load: the next change makes one that was cut.
		maps.DeleteFunc(table, func(key string, _ map[string]types.AttributeValue) bool { return strings.HasPrefix(key, "S#") })
	}
	for key := range want {
		entry := strings.HasPrefix(key, "T#") || strings.HasPrefix(key, "TP#") // their ids differ each time
		if _, there := got[key]; !there && !entry {
			t.Errorf("%s is missing", key)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d items, want %d", len(got), len(want))
	}
}

func TestAPolicyIsCompletedByWhatIsMissing(t *testing.T) {
	place, w := fixture.Empty(t), smallWorld()
	store := place.Open()
	if _, err := store.CreateOrganization(t.Context(), w.organization, fixture.Start); err != nil {
		t.Fatal(err)
	}
	part := w.policy
	part.Roles, part.Templates = part.Roles[:5], part.Templates[:1]
	for _, c := range []struct {
		policy dynamo.Policy
		want   int
	}{{part, 14}, {w.policy, 7}, {w.policy, 0}} {
		if made, err := store.CreatePolicy(t.Context(), "new", c.policy, fixture.Start); err != nil || made != c.want {
			t.Errorf("made %d, want %d, %v", made, c.want, err)
		}
	}
	facts, err := store.Load(t.Context(), "new", directory.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	if p := facts.Model.Policy(); len(p.Locations)+len(p.Workflows)+len(p.Templates)+len(p.Roles) != 21 {
		t.Errorf("%d roles, %d templates", len(p.Roles), len(p.Templates))
	}
	local, _ := facts.Model.Role("local-administrator")
	births, err := store.Births(t.Context(), "new")
	if err != nil {
		t.Fatal(err)
	}
	for _, granted := range local.Admin.Local.Grantable.Roles {
		if granted.Birth == 0 || granted.Birth != births[granted.ID] {
			t.Errorf("R14 %s may be granted by birth %d, born %d", granted.ID, granted.Birth, births[granted.ID])
		}
	}
}

func TestAPolicyOfManyEntitiesIsCreatedInUnits(t *testing.T) {
	place := fixture.Empty(t)
	store := place.Open()
	if _, err := store.CreateOrganization(t.Context(), smallWorld().organization, fixture.Start); err != nil {
		t.Fatal(err)
	}
	var p dynamo.Policy
	for i := range 60 {
		r := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("r", i)}, Name: fmt.Sprint("Role ", i), Admin: authz.Admin{
			Local: &authz.UserAdministration{Scope: authz.OnlyLocation, Grantable: authz.Grantable{Roles: []authz.RoleRef{{ID: fmt.Sprint("r", 59-i)}}}},
		}}}
		p.Roles = append(p.Roles, r)
	}
	if made, err := store.CreatePolicy(t.Context(), "new", p, fixture.Start); err != nil || made != 60 {
		t.Fatalf("made %d, %v", made, err)
	}
	for _, s := range []*dynamo.Store{store, place.Open()} {
		facts, err := s.Load(t.Context(), "new", directory.Keys{})
		if err != nil {
			t.Fatal(err)
		}
		if facts.Policy != 4 || len(facts.Model.Policy().Roles) != 60 {
			t.Errorf("version %d, %d roles", facts.Policy, len(facts.Model.Policy().Roles))
		}
		for _, r := range facts.Model.Policy().Roles {
			granted := r.Admin.Local.Grantable.Roles[0]
			if named, _ := facts.Model.Role(granted.ID); named.RoleRef != granted {
				t.Errorf("R14 %s grants %v, which is %v", r.ID, granted, named.RoleRef)
			}
		}
	}
}

func TestOfManyWhoCreateOneThingOneDoes(t *testing.T) {
	place, w := fixture.Empty(t), smallWorld()
	if _, err := place.Open().CreateOrganization(t.Context(), w.organization, fixture.Start); err != nil {
		t.Fatal(err)
	}
	if _, err := place.Open().CreatePolicy(t.Context(), "new", w.policy, fixture.Start); err != nil {
		t.Fatal(err)
	}
	for name, create := range map[string]func(*dynamo.Store) (bool, error){
		"an organization": func(s *dynamo.Store) (bool, error) {
			o := w.organization
			o.ID = "other"
			return s.CreateOrganization(context.Background(), o, fixture.Start)
		},
		"a user": func(s *dynamo.Store) (bool, error) {
			return s.CreateUser(context.Background(), "new", w.user, fixture.Start)
		},
		"an item": func(s *dynamo.Store) (bool, error) {
			return s.CreateItem(context.Background(), "new", w.item, fixture.Start)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var made atomic.Int32
			var racing sync.WaitGroup
			for range 8 {
				s := place.Open()
				racing.Go(func() {
					done, err := create(s)
					if err != nil {
						t.Error(err)
					}
					if done {
						made.Add(1)
					}
				})
			}
			racing.Wait()
			if made.Load() != 1 {
				t.Errorf("made %d times", made.Load())
			}
		})
	}
}

func TestATakenNameIsAConflict(t *testing.T) {
	store, place := fixture.World(t)
	before := tableOf(t, place)
	stranger := directory.User{ID: "stranger", Name: "S", Username: "NURSE", Type: authz.General, Locations: []string{"icu"}}
	if made, err := store.CreateUser(t.Context(), fixture.Organization, stranger, fixture.Start); made || fault.Of(err).Code != "username_taken" {
		t.Errorf("U1 username: %v, %v", made, err)
	}
	stranger.Username, stranger.Sub = "stranger", fixture.Sub("nurse")
	if made, err := store.CreateUser(t.Context(), fixture.Organization, stranger, fixture.Start); made || fault.Of(err).Code != "sign_in_taken" {
		t.Errorf("sign-in: %v, %v", made, err)
	}
	named := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "staff-2"}, Name: "STAFF"}}
	if _, err := store.CreatePolicy(t.Context(), fixture.Organization, dynamo.Policy{Roles: []role.Role{named}}, fixture.Start); fault.Of(err).Code != "name_taken" {
		t.Errorf("R1 role name: %v", err)
	}
	if diff := cmp.Diff(before, tableOf(t, place), sameTable); diff != "" {
		t.Errorf("T3 %s", diff)
	}
}

func TestCreatedItemsAreListedWhereTheyBelong(t *testing.T) {
	_, place := fixture.World(t)
	all := tableOf(t, place)
	for _, key := range []string{
		"I#riverside#icu-idea ITEM", "TI#riverside#idea ITEM#icu-idea", "L#riverside#icu ITEM#icu-idea",
		"U#riverside#nurse ITEM#icu-idea", "U#riverside#lead ITEM#icu-idea",
	} {
		if _, there := all[key]; !there {
			t.Errorf("%s is missing", key)
		}
	}
}

// TestT1APersonaFromTheBeginningIsToldAsOne: who is created with a persona has it
// in the timeline as a change of persona, after their creation; who is not, has not.
func TestT1APersonaFromTheBeginningIsToldAsOne(t *testing.T) {
	store, place := fixture.World(t)
	told := func(u directory.User) []string {
		place.Clock.Advance(time.Second)
		place.AddUser(t, u)
		s := timeline.Stretch{Person: u.ID, From: fixture.Start, To: place.Clock.Now().Add(time.Second), Page: timeline.Page{Limit: 10}}
		entries, _, err := store.Entries(t.Context(), fixture.Organization, s)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range entries {
			lines = append(lines, fmt.Sprint(e.Type, " ", e.Action, " ", e.Subject.Name, " ", e.Target.ID, " ", e.Before, " ", e.After))
		}
		return lines
	}
	u := directory.User{ID: "new", Name: "Nia", Username: "new", Type: authz.General, Locations: []string{"icu"}}
	created := "user create operator new map[] map[name:Nia type:general]"
	if diff := cmp.Diff([]string{created}, told(u)); diff != "" {
		t.Errorf("T1 without a persona: %s", diff)
	}
	u.ID, u.Username, u.Persona = "lea", "lea", directory.CICoach
	want := []string{"persona set operator lea map[persona:<nil>] map[persona:ci_coach]", strings.ReplaceAll(created, "new", "lea")}
	if diff := cmp.Diff(want, told(u)); diff != "" {
		t.Errorf("T1 with a persona: %s", diff)
	}
}
