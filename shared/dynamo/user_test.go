package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// everything is all items of the table.
func (b *bare) everything() map[key]attributes {
	b.t.Helper()
	all := map[key]attributes{}
	input := &dynamodb.ScanInput{TableName: &b.table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := b.client.Scan(b.t.Context(), input)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, item := range out.Items {
			all[keyOf(item)] = item
		}
		if input.ExclusiveStartKey = out.LastEvaluatedKey; len(out.LastEvaluatedKey) == 0 {
			return all
		}
	}
}

// put writes a user's next state alone.
func (b *bare) put(before, after directory.User) error {
	t := b.begin()
	t.writeUser("o", before, after)
	return t.commit(b.t.Context())
}

// expected is the keys that these users make, and the counts by their key.
func expected(users map[string]directory.User) (map[key]bool, map[key]persona.Counts) {
	keys, counts := map[key]bool{}, map[key]persona.Counts{}
	for id, u := range users {
		keys[userKey("o", id)], keys[directoryKey("o", id)], keys[usernameKey(u.Username)] = true, true, true
		for _, l := range u.Locations {
			keys[locationUserKey("o", l, id)] = true
		}
		for _, a := range u.Assignments {
			keys[memberKey("o", a.Role, id)] = true
		}
		if u.Type == authz.General || u.Type == authz.Capture {
			k := countKey("o", u.Locations)
			c := counts[k]
			c[u.Persona]++
			counts[k] = c
		}
	}
	return keys, counts
}

// TestAUserIsEverywhereTheSame changes some users in every way and looks at
// the whole table after each change: the copy in the directory, the places
// among locations and roles, the username and the counts are those of the
// users as they are, and nothing else is there.
func TestAUserIsEverywhereTheSame(t *testing.T) {
	locations, people := []string{"a", "b", "c"}, []string{"u", "v", "w"}
	roles := []authz.RoleRef{{ID: "r", Birth: 1}, {ID: "r", Birth: 2}, {ID: "s", Birth: 1}}
	next := rapid.Custom(func(t *rapid.T) directory.User {
		u := directory.User{
			ID: rapid.SampledFrom(people).Draw(t, "user"), Type: anyOf(authz.General, authz.Wallboard+1).Draw(t, "type"),
			Persona:   anyOf(directory.NoPersona, directory.Leader+1).Draw(t, "persona"),
			Locations: rapid.SliceOfNDistinct(rapid.SampledFrom(locations), 1, 3, rapid.ID[string]).Draw(t, "locations"),
		}
		u.Username = u.ID + rapid.SampledFrom([]string{"", "-new", "-NEW"}).Draw(t, "username")
		for _, r := range rapid.SliceOfNDistinct(rapid.SampledFrom(roles), 0, 2, rapid.ID[authz.RoleRef]).Draw(t, "roles") {
			u.Assignments = append(u.Assignments, directory.Assignment{Assignment: authz.Assignment{Role: r}, Since: noon, By: "x"})
		}
		return u
	})
	for seed := range 3 {
		b := openBare(t)
		users := map[string]directory.User{}
		for step := range 12 {
			after := next.Example(100*seed + step)
			before := users[after.ID]
			if err := b.put(before, after); err != nil {
				t.Fatalf("%+v after %+v: %v", after, before, err)
			}
			after.Version = before.Version + 1
			users[after.ID] = after
			b.holdEverywhereTheSame(users)
		}
	}
}

func (b *bare) holdEverywhereTheSame(users map[string]directory.User) {
	b.t.Helper()
	keys, counts := expected(users)
	for k, item := range b.everything() {
		switch {
		case k.pk == countsPK("o") && k.kind() == setKind:
			c, err := populationOf(item)
			if err != nil {
				b.t.Fatal(err)
			}
			if c.Counts != counts[k] || countKey("o", c.Locations) != k {
				b.t.Errorf("P8 the counts of %v are %v, want %v", c.Locations, c.Counts, counts[k])
			}
			delete(counts, k)
		case k.pk == countsPK("o"):
		case !keys[k]:
			b.t.Errorf("%q is left behind", k)
		case k.sk == "USER" || k.pk == directoryKey("o", "").pk:
			var u userItem
			if err := decode(item, &u); err != nil {
				b.t.Fatal(err)
			}
			if diff := cmp.Diff(users[u.ID], u.user()); diff != "" {
				b.t.Errorf("%q: %s", k, diff)
			}
		}
		delete(keys, k)
	}
	if len(keys)+len(counts) > 0 {
		b.t.Errorf("missing: %q, %v", slices.Collect(maps.Keys(keys)), counts)
	}
}

func someone(id string) directory.User {
	return directory.User{ID: id, Name: "N " + id, Username: id, Type: authz.General, Locations: []string{"a"}, Persona: directory.Leader}
}

func TestU1AUsernameBelongsToOne(t *testing.T) {
	b := openBare(t)
	first, second := someone("first"), someone("second")
	if err := b.put(directory.User{}, first); err != nil {
		t.Fatal(err)
	}
	second.Username = "FIRST"
	if got := codeOf(b.put(directory.User{}, second)); got != "conflict username_taken" {
		t.Errorf("%q", got)
	}
	second.Username = "second"
	if err := b.put(directory.User{}, second); err != nil {
		t.Fatal(err)
	}
	second.Version = 1
	renamed := second
	renamed.Username = "First"
	if got := codeOf(b.put(second, renamed)); got != "conflict username_taken" {
		t.Errorf("renamed: %q", got)
	}
	first.Version = 1
	freed := first
	freed.Username = "other"
	if err := b.put(first, freed); err != nil {
		t.Fatal(err)
	}
	if err := b.put(second, renamed); err != nil {
		t.Errorf("a name that is free again: %v", err)
	}
}

func TestT3OfTwoEditsOfAUserOneIsLost(t *testing.T) {
	b := openBare(t)
	u := someone("u")
	if err := b.put(directory.User{}, u); err != nil {
		t.Fatal(err)
	}
	u.Version = 1
	moved, promoted := u, u
	moved.Locations, promoted.Persona = []string{"b"}, directory.Executive
	if err := b.put(u, moved); err != nil {
		t.Fatal(err)
	}
	if got := codeOf(b.put(u, promoted)); got != "conflict raced" {
		t.Errorf("%q", got)
	}
	moved.Version = 2
	b.holdEverywhereTheSame(map[string]directory.User{"u": moved})
}

func TestR14LeavingADeletedRoleWhoseMembersWereSweptIsNoConflict(t *testing.T) {
	b := openBare(t)
	u := someone("u")
	ref := authz.RoleRef{ID: "gone", Birth: 4}
	u.Assignments = []directory.Assignment{{Assignment: authz.Assignment{Role: ref}, Since: noon, By: "x"}}
	if err := b.put(directory.User{}, u); err != nil {
		t.Fatal(err)
	}
	sweep := b.begin()
	sweep.delete(memberKey("o", ref, "u"), present, raced())
	if err := sweep.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.Version = 1
	after := u
	after.Assignments = nil
	if err := b.put(u, after); err != nil {
		t.Errorf("%v", err)
	}
}

func TestAUserAtItsLargestIsOneTransaction(t *testing.T) {
	b := openBare(t)
	u := someone("u")
	u.Locations = nil
	for i := range 25 {
		u.Locations = append(u.Locations, fmt.Sprintf("before-%d", i))
	}
	if err := b.put(directory.User{}, u); err != nil {
		t.Fatal(err)
	}
	u.Version = 1
	after := u
	after.Locations, after.Username, after.Persona = nil, "renamed", directory.Executive
	for i := range 25 {
		after.Locations = append(after.Locations, fmt.Sprintf("after-%d", i))
	}
	if err := b.put(u, after); err != nil {
		t.Errorf("U1 moved from 25 locations to 25 others: %v", err)
	}
}
