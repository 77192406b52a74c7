package dynamo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/importer"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// founded is a bare store with an organization "o" of policy version 1.
func founded(t *testing.T) (*bare, directory.Basis) {
	t.Helper()
	b := openBare(t)
	if made, err := b.CreateOrganization(t.Context(), directory.Organization{ID: "o", Name: "O", Settings: directory.DefaultSettings()}, noon); err != nil || !made {
		t.Fatal(made, err)
	}
	return b, directory.Basis{Organization: "o", Policy: 1}
}

func entryOf(kind timeline.Type, id string) timeline.Entry {
	return timeline.Entry{At: noon, Type: kind, Action: "edit", Subject: timeline.Person{ID: "root", Name: "Root"}, Target: timeline.Target{Type: kind.String(), ID: id}}
}

func newcomer(id string, p directory.Persona, locations ...string) importer.UserChange {
	u := directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: locations, Persona: p}
	return importer.UserChange{After: u, Entries: []timeline.Entry{entryOf(timeline.User, id)}}
}

func namedRole(id, name string) role.Change {
	return role.Change{After: role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id, Birth: 2}, Name: name}}, Entry: entryOf(timeline.Role, id)}
}

func placed(l authz.Location, before directory.Place) directory.PlaceChange {
	return directory.PlaceChange{Before: before, After: directory.Location{Location: l, Version: 1}, Entry: entryOf(timeline.Location, l.ID)}
}

// Everything of a change is one transaction and one policy version, and users
// of one set of locations move its counter once (P8).
func TestPutImportedIsOneTransaction(t *testing.T) {
	b, basis := founded(t)
	change := importer.Change{
		Places: []directory.PlaceChange{placed(authz.Location{ID: "a", Name: "A"}, nil), placed(authz.Location{ID: "b", Name: "B", Parent: "a"}, nil)},
		Roles:  []role.Change{namedRole("r", "R"), namedRole("s", "S")},
		Users: []importer.UserChange{newcomer("u", directory.Leader, "a", "b"), newcomer("v", directory.Leader, "b", "a"),
			newcomer("w", directory.NoPersona, "a", "b"), newcomer("x", directory.Leader, "a")},
		Items: []directory.ItemChange{{After: directory.Item{Item: authz.Item{ID: "i", Template: "t", Locations: []string{"a"}, Status: authz.New}}, Entry: entryOf(timeline.Item, "i")}},
		Kept:  directory.Kept{Key: "k", Request: "q", Answer: []byte("done")},
	}
	before := len(b.everything())
	calls := b.counted(nil, func() {
		if err := b.PutImported(t.Context(), basis, "root", change, true); err != nil {
			t.Error(err)
		}
	})
	if len(calls) > 0 || len(b.everything()) != before {
		t.Errorf("dry, it made the calls %v", calls)
	}
	calls = b.counted(nil, func() {
		if err := b.PutImported(t.Context(), basis, "root", change, false); err != nil {
			t.Fatal(err)
		}
	})
	if calls["TransactWriteItems"] != 1 {
		t.Errorf("it made the calls %v", calls)
	}
	facts, err := b.Load(t.Context(), "o", directory.Keys{Users: []string{"u", "x"}, Items: []string{"i"}})
	if err != nil {
		t.Fatal(err)
	}
	l, _ := facts.Model.Location("b")
	r, _ := facts.Model.Role("s")
	if facts.Policy != 2 || l.Parent != "a" || r.Birth != 2 || facts.Users["u"].Version != 1 || facts.Items["i"].Version != 1 {
		t.Errorf("policy %d, %+v, %+v, %+v", facts.Policy, l, r, facts.Users)
	}
	census, err := b.Census(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]persona.Counts{}
	for _, p := range census.Populations {
		got[fmt.Sprint(p.Locations)] = p.Counts
	}
	want := map[string]persona.Counts{"[a b]": {directory.NoPersona: 1, directory.Leader: 2}, "[a]": {directory.Leader: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("P8 counts (-want +got):\n%s", diff)
	}
	// Two who swap leave the counter as it is; two who leave a set move it once.
	swap := importer.Change{Users: []importer.UserChange{turned(facts.Users["u"], func(u *directory.User) { u.Persona = directory.NoPersona }),
		turned(b.user(t, "w"), func(u *directory.User) { u.Persona = directory.Leader })}}
	basis.Policy = 2
	if err := b.PutImported(t.Context(), basis, "root", swap, false); err != nil {
		t.Fatal(err)
	}
	leave := importer.Change{Users: []importer.UserChange{turned(b.user(t, "u"), func(u *directory.User) { u.Locations = []string{"a"} }),
		turned(b.user(t, "v"), func(u *directory.User) { u.Locations = []string{"a"} })}}
	if err := b.PutImported(t.Context(), basis, "root", leave, false); err != nil {
		t.Fatal(err)
	}
	census, err = b.Census(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range census.Populations {
		got[fmt.Sprint(p.Locations)] = p.Counts
	}
	want = map[string]persona.Counts{"[a b]": {directory.Leader: 1}, "[a]": {directory.NoPersona: 1, directory.Leader: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("P8 counts after moves (-want +got):\n%s", diff)
	}
}

func turned(before directory.User, change func(*directory.User)) importer.UserChange {
	after := before
	change(&after)
	return importer.UserChange{Before: before, After: after, Entries: []timeline.Entry{entryOf(timeline.User, before.ID)}}
}

func (b *bare) user(t *testing.T, id string) directory.User {
	t.Helper()
	facts, err := b.Load(t.Context(), "o", directory.Keys{Users: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return facts.Users[id]
}

// What a change was decided from and is not so any more makes it raced, and
// nothing of it is done.
func TestPutImportedRestsOnWhatWasRead(t *testing.T) {
	guard := uint64(7)
	for name, c := range map[string]struct {
		basis  func(*directory.Basis)
		change importer.Change
		code   string
	}{
		"the policy":                   {func(b *directory.Basis) { b.Policy = 9 }, importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "b", Name: "B"}, nil)}}, fault.Raced},
		"the policy that users are of": {func(b *directory.Basis) { b.Policy = 9 }, importer.Change{Users: []importer.UserChange{newcomer("v", 0, "a")}}, fault.Raced},
		"the caller":                   {func(b *directory.Basis) { b.Users = map[string]uint64{"u": 5} }, importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "b", Name: "B"}, nil)}}, fault.Raced},
		"a place that came":            {nil, importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "a", Name: "A"}, nil)}}, fault.Raced},
		"a place that moved on":        {nil, importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "a", Name: "X"}, directory.Location{Version: 3})}}, fault.Raced},
		"a role that came":             {nil, importer.Change{Roles: []role.Change{namedRole("r", "Another")}}, fault.Raced},
		"a user who came":              {nil, importer.Change{Users: []importer.UserChange{newcomer("u", 0, "a")}}, fault.Raced},
		"R13's guard":                  {nil, importer.Change{Users: []importer.UserChange{newcomer("v", 0, "a")}, Guard: &guard}, fault.Raced},
		"R1 a role's name":             {nil, importer.Change{Roles: []role.Change{namedRole("q", "r")}}, "name_taken"},
		"U1 a username":                {nil, importer.Change{Users: []importer.UserChange{{After: directory.User{ID: "v", Username: "U", Locations: []string{"a"}}}}}, "username_taken"},
		"a role over 100 KB":           {nil, importer.Change{Roles: []role.Change{{After: role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "q", Birth: 3}, Name: "Q"}, BoardAccess: strings.Split(strings.Repeat(strings.Repeat("x", 99)+",", 1100), ",")}}}}, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			b, basis := founded(t)
			first := importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "a", Name: "A"}, nil)}, Roles: []role.Change{namedRole("r", "R")}, Users: []importer.UserChange{newcomer("u", 0, "a")}}
			if err := b.PutImported(t.Context(), basis, "root", first, false); err != nil {
				t.Fatal(err)
			}
			basis.Policy = 2
			if c.basis != nil {
				c.basis(&basis)
			}
			before := b.everything()
			err := b.PutImported(t.Context(), basis, "root", c.change, false)
			if err == nil || fault.Of(err).Code != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
			if len(b.everything()) != len(before) {
				t.Error("T3 something of it was done")
			}
		})
	}
}

// Shares add up to what one transaction takes: all that is said to fit does.
func TestShareIsEnough(t *testing.T) {
	b, basis := founded(t)
	for i := range 3 {
		change, sum, n := importer.Change{}, 0.0, 0
		for ; ; n++ {
			next := portion(i, n)
			share, err := b.Share(basis, "root", next)
			if err != nil {
				t.Fatal(err)
			}
			if sum += share; sum > 1 {
				break
			}
			change.Places, change.Roles = append(change.Places, next.Places...), append(change.Roles, next.Roles...)
			change.Users, change.Items = append(change.Users, next.Users...), append(change.Items, next.Items...)
		}
		change.Kept = directory.Kept{Key: fmt.Sprint("k", i), Request: "q", Answer: []byte("a")}
		most := 0
		b.counted(func(operation string, input any, next func() (any, error)) (any, error) {
			if w, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
				most = max(most, len(w.TransactItems))
			}
			return next()
		}, func() {
			if err := b.PutImported(t.Context(), basis, "root", change, false); err != nil {
				t.Errorf("%d parts that fit do not: %v", n, err)
			}
		})
		if n < 5 || most > 100 {
			t.Errorf("%d parts fit, in %d actions", n, most)
		}
		if len(change.Places)+len(change.Roles) > 0 {
			basis.Policy++
		}
	}
	if share, err := b.Share(basis, "root", importer.Change{Items: []directory.ItemChange{crowded()}}); err != nil || share != 1 {
		t.Errorf("an item that needs parts takes %v, %v", share, err)
	}
	if err := b.PutImported(t.Context(), basis, "root", importer.Change{Items: []directory.ItemChange{crowded()}}, false); err != nil {
		t.Error(err)
	}
}

// portion is the nth portion of a mixture: of users, of all kinds, of the policy.
func portion(mixture, n int) importer.Change {
	id := fmt.Sprintf("m%d-%d", mixture, n)
	switch kinds := []string{"u", "upr", "pr"}[mixture]; kinds[n%len(kinds)] {
	case 'u':
		return importer.Change{Users: []importer.UserChange{newcomer(id, directory.Leader, "a", fmt.Sprint("l", n))}}
	case 'p':
		return importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: id, Name: id}, nil)}, Items: []directory.ItemChange{{After: directory.Item{Item: authz.Item{ID: id, Template: "t"}}, Entry: entryOf(timeline.Item, id)}}}
	default:
		return importer.Change{Roles: []role.Change{namedRole(id, id)}}
	}
}

func crowded() directory.ItemChange {
	i := authz.Item{ID: "crowded", Template: "t", Team: map[authz.TeamRole][]string{}}
	for n := range 120 {
		i.Team[authz.Follower] = append(i.Team[authz.Follower], fmt.Sprint("u", n))
	}
	return directory.ItemChange{After: directory.Item{Item: i}, Entry: entryOf(timeline.Item, "crowded")}
}

func TestAboutFindsWhatThereIs(t *testing.T) {
	b, basis := founded(t)
	item := directory.Item{Item: authz.Item{ID: "i", Template: "t", Status: authz.New}}
	change := importer.Change{Places: []directory.PlaceChange{placed(authz.Location{ID: "a", Name: "A"}, nil)}, Roles: []role.Change{namedRole("r", "R")},
		Users: []importer.UserChange{newcomer("u", 0, "a")}, Items: []directory.ItemChange{{After: item, Entry: entryOf(timeline.Item, "i")}}}
	if err := b.PutImported(t.Context(), basis, "root", change, false); err != nil {
		t.Fatal(err)
	}
	a := directory.Location{Location: authz.Location{ID: "a"}}
	none := directory.Workflow{Workflow: authz.Workflow{ID: "a"}}
	found, err := b.About(t.Context(), "o", importer.Asked{
		Places: []directory.PlaceRef{a.Ref(), none.Ref()}, Roles: []string{"r", "x"}, Items: []string{"i", "x"}, RoleNames: []string{"r", "X"}, Usernames: []string{"U", "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Places) != 1 || found.Places[a.Ref()].(directory.Location).Name != "A" || len(found.Roles) != 1 || found.Roles["r"].Version != 1 || len(found.Items) != 1 || found.Items["i"].Version != 1 {
		t.Errorf("found %+v", found)
	}
	if diff := cmp.Diff(map[string]string{"r": "r"}, found.RoleNames); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]importer.Owner{"U": {Organization: "o", User: "u"}}, found.Usernames); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersAreKept(t *testing.T) {
	b, _ := founded(t)
	if err := b.Keep(t.Context(), "o", "root", directory.Kept{Key: "k", Request: "q", Answer: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Keep(t.Context(), "o", "root", directory.Kept{Key: "k", Request: "q", Answer: []byte("b")}); !fault.IsRaced(err) {
		t.Errorf("T3 an answer is kept over another: %v", err)
	}
	if err := b.Keep(t.Context(), "o", "root", directory.Kept{Key: "l", Answer: make([]byte, 400_000)}); err == nil || fault.Of(err).Code != "too_large" {
		t.Errorf("an answer that does not fit: %v", err)
	}
	for at, want := range map[time.Time]int{noon: 1, noon.Add(24 * time.Hour): 0} {
		kept, err := b.AnsweredAll(t.Context(), "o", "root", []string{"k", "l"}, at)
		if err != nil || len(kept) != want || want == 1 && string(kept["k"].Answer) != "a" {
			t.Errorf("at %v: %v, %v", at, kept, err)
		}
	}
}
