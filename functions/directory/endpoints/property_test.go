package endpoints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/role"
)

// TestAfterAnyPutAUserIsWhole gives some users roles, limited or not, and puts
// them elsewhere, by administrators who may and who may not: after each change
// every limit is some of the user's locations and none is empty (R5), and the
// directory, the locations' users and the roles' members say what the user says.
func TestAfterAnyPutAUserIsWhole(t *testing.T) {
	w := openPeople(t)
	people := []string{"pa", "pb", "pc"}
	for _, id := range people {
		w.AddUser(t, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}})
	}
	roles := role.New(w.store)
	locations := []string{"hospital", "surgery", "icu", "medicine", "ward", "clinic"}
	held, moved, ended := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		id := rapid.SampledFrom(people).Draw(r, "user")
		before := w.User(t, id)
		if rapid.IntRange(0, 2).Draw(r, "give") > 0 {
			given := role.Given{User: id, Role: rapid.SampledFrom([]string{"staff", "unit-lead", "coach", "pharmacy"}).Draw(r, "role")}
			if given.Role != "pharmacy" && rapid.Bool().Draw(r, "limited") {
				given.Locations = rapid.SliceOfNDistinct(rapid.SampledFrom(before.Locations), 1, 2, rapid.ID[string]).Draw(r, "limit")
			}
			c := w.Caller(t, "root", directory.Keys{Users: []string{id}})
			if _, err := roles.Assign(t.Context(), c, given, directory.Precondition{}); err != nil {
				r.Fatal(err)
			}
			held++
		}
		before = w.User(t, id)
		to := rapid.SliceOfNDistinct(rapid.SampledFrom(locations), 1, 4, rapid.ID[string]).Draw(r, "locations")
		kind := rapid.SampledFrom([]string{"general", "capture", "offline", "inactive"}).Draw(r, "type")
		by := rapid.SampledFrom([]string{"root", "root", "local", "nurse"}).Draw(r, "by")
		a := w.ask(t, putRoute, by, id, wanted(id, object{"locations": to, "type": kind}), "if-match", "*")
		after := w.User(t, id)
		switch a.Status {
		case 200:
			moved++
			if got, want := sorted(after.Locations), sorted(to); !slices.Equal(got, want) {
				r.Fatalf("%s is at %v, not %v", id, got, want)
			}
			ended += len(before.Assignments) - len(after.Assignments)
		case 403, 404, 412:
			if diff := cmp.Diff(before, after); diff != "" {
				r.Fatalf("T3 refused with %d, and changed: %s", a.Status, diff)
			}
		default:
			r.Fatalf("%d %s", a.Status, a.Body)
		}
		w.whole(r, t, after)
	})
	if held == 0 || moved == 0 || ended == 0 {
		t.Errorf("%d roles given, %d moves, %d assignments ended: one of it never happened", held, moved, ended)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// whole compares what the table has of a user, wherever it may have something,
// with the user.
func (w *world) whole(r *rapid.T, t *testing.T, u directory.User) {
	want := map[string]bool{}
	for _, l := range u.Locations {
		want["L#riverside#"+l] = true
	}
	for _, a := range u.Assignments {
		want[fmt.Sprintf("R#riverside#%s#%d", a.Role.ID, a.Role.Birth)] = true
		if a.Locations != nil && len(a.Locations) == 0 || slices.ContainsFunc(a.Locations, func(l string) bool { return !slices.Contains(u.Locations, l) }) {
			r.Fatalf("R5 %s at %v is limited to %v", u.ID, u.Locations, a.Locations)
		}
	}
	own, copied := "U#riverside#"+u.ID, "D#riverside"
	keys := []string{own, copied}
	policy := w.Caller(t, "root", directory.Keys{}).Model.Policy()
	for _, l := range policy.Locations {
		keys = append(keys, "L#riverside#"+l.ID)
	}
	for _, role := range policy.Roles {
		keys = append(keys, fmt.Sprintf("R#riverside#%s#%d", role.ID, role.Birth))
	}
	items := w.under(r, t, u.ID, keys)
	for _, pk := range keys[2:] {
		if _, found := items[pk]; found != want[pk] {
			r.Fatalf("%s is in %s: %v, and says %v", u.ID, pk, found, want)
		}
	}
	diff := cmp.Diff(items[own], items[copied], cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.String(), "noSmithyDocumentSerde") }, cmp.Ignore()))
	if diff != "" || items[own] == nil {
		r.Fatalf("the directory's copy of %s differs: %s", u.ID, diff)
	}
}

// under is a user's items in these partitions, without their keys.
func (w *world) under(r *rapid.T, t *testing.T, user string, partitions []string) map[string]map[string]types.AttributeValue {
	var keys []map[string]types.AttributeValue
	for i, pk := range partitions {
		sk := "USER#" + user
		if i == 0 {
			sk = "USER"
		}
		keys = append(keys, map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}})
	}
	out, err := w.Client().BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		w.Table: {Keys: keys, ConsistentRead: aws.Bool(true)},
	}})
	if err != nil || len(out.UnprocessedKeys) > 0 {
		r.Fatal(out, err)
	}
	items := map[string]map[string]types.AttributeValue{}
	for _, item := range out.Responses[w.Table] {
		items[item["pk"].(*types.AttributeValueMemberS).Value] = item
		delete(item, "pk")
		delete(item, "sk")
	}
	return items
}

// TestTheCostOfAChange holds what a user change asks of DynamoDB, beside reading
// the caller: requests, and write units for items of at most 1 KB.
func TestTheCostOfAChange(t *testing.T) {
	w := openPeople(t)
	for _, c := range []struct {
		name     string
		do       func(*directory.Users, directory.Caller) error
		requests int
		units    int
	}{
		{"create", func(u *directory.Users, c directory.Caller) error {
			_, err := u.Put(t.Context(), c, directory.Wanted{User: directory.User{ID: "new", Name: "N", Username: "new", Email: "n@riverside.example", Type: authz.General, Locations: []string{"icu"}}}, directory.Precondition{})
			return err
		}, 1, 21},
		{"name only", func(u *directory.Users, c directory.Caller) error {
			return changed(t, u, c, func(u *directory.User) { u.Name = "Nina Night" })
		}, 1, 15},
		{"one location more", func(u *directory.Users, c directory.Caller) error {
			return changed(t, u, c, func(u *directory.User) { u.Locations = []string{"icu", "ward"} })
		}, 1, 25},
		{"another location", func(u *directory.Users, c directory.Caller) error {
			return changed(t, u, c, func(u *directory.User) { u.Locations = []string{"clinic"} })
		}, 1, 29},
		{"nothing", func(u *directory.Users, c directory.Caller) error { return changed(t, u, c, func(*directory.User) {}) }, 0, 0},
	} {
		spent := &spending{}
		store := w.Open(spent.meter)
		caller := w.Caller(t, "root", directory.Keys{Users: []string{"nurse"}})
		if err := c.do(directory.NewUsers(store, w.pool), caller); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		t.Logf("%s: %d requests, %v units, %v", c.name, spent.requests, spent.units(), spent.actions)
		if spent.requests != c.requests || spent.units() != c.units {
			t.Errorf("%s: %d requests, %d units, want %d and %d", c.name, spent.requests, spent.units(), c.requests, c.units)
		}
	}
}

func changed(t *testing.T, u *directory.Users, c directory.Caller, change func(*directory.User)) error {
	next := c.Users["nurse"]
	change(&next)
	_, err := u.Put(t.Context(), c, directory.Wanted{User: next}, directory.Precondition{Match: true, Any: true})
	return err
}

// spending is what is asked of DynamoDB: requests, and the actions of transactions.
type spending struct {
	requests int
	actions  []string
}

// units are those of the transactions: two for each KB that is written or
// checked, and one for the entry's place in the index. The local DynamoDB counts
// others.
func (c *spending) units() int {
	units := 2 * len(c.actions)
	for _, a := range c.actions {
		if a == "put T" {
			units++
		}
	}
	return units
}

// meter counts the calls of a store.
func (c *spending) meter(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, in any, next func() (any, error)) (any, error) {
		c.requests++
		if write, ok := in.(*dynamodb.TransactWriteItemsInput); ok {
			for _, item := range write.TransactItems {
				c.actions = append(c.actions, action(item))
			}
		}
		return next()
	}))
}

// action is what an action of a transaction does to which kind of item.
func action(item types.TransactWriteItem) string {
	kind := func(key map[string]types.AttributeValue) string {
		kind, _, _ := strings.Cut(key["pk"].(*types.AttributeValueMemberS).Value, "#")
		return kind
	}
	switch {
	case item.Put != nil:
		return "put " + kind(item.Put.Item)
	case item.Update != nil:
		return "update " + kind(item.Update.Key)
	case item.Delete != nil:
		return "delete " + kind(item.Delete.Key)
	default:
		return "check " + kind(item.ConditionCheck.Key)
	}
}
