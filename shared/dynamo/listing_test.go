package dynamo

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// region is a table of an organization of many users: hospitals of 10 units of 10
// wards, all users staff of a ward by name and number, one of a hundred a lead
// too, and one of ten thousand a coach; "root" administers everybody, "local" a
// unit, "chief" a hospital.
type region struct {
	*bare
	wards, users int
	births       map[string]uint64
}

func openRegion(t testing.TB, b *bare, wards, users int) *region {
	t.Helper()
	g := &region{bare: b, wards: wards, users: users}
	administrator := func(id string, a authz.Admin) role.Role {
		return role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Admin: a, Advanced: []authz.Advanced{authz.PeopleSection}}}
	}
	p := Policy{Roles: []role.Role{
		administrator("staff", authz.Admin{}), administrator("lead", authz.Admin{}), administrator("coach", authz.Admin{}),
		administrator("global", authz.Admin{Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}}),
		administrator("local", authz.Admin{Local: &authz.UserAdministration{Scope: authz.LocationAndBelow}}),
	}}
	place := func(id, parent string) {
		p.Locations = append(p.Locations, directory.Location{Location: authz.Location{ID: id, Name: "The " + id, Parent: parent}})
	}
	place("region", "")
	for n := range (wards + 99) / 100 {
		place(hospitalOf(n*100), "region")
	}
	for n := range (wards + 9) / 10 {
		place(unitOf(n*10), hospitalOf(n*10))
	}
	for n := range wards {
		place(wardOf(n), unitOf(n))
	}
	ctx := t.Context()
	if made, err := b.CreateOrganization(ctx, directory.Organization{ID: "o", Name: "Region", Settings: directory.DefaultSettings()}, noon); err != nil || !made {
		t.Fatal(made, err)
	}
	if _, err := b.CreatePolicy(ctx, "o", p, noon); err != nil {
		t.Fatal(err)
	}
	var err error
	if g.births, err = b.Births(ctx, "o"); err != nil {
		t.Fatal(err)
	}
	g.fillUsers(t)
	b.advance(time.Minute)
	return g
}

func wardOf(n int) string     { return fmt.Sprintf("ward-%04d", n) }
func unitOf(n int) string     { return fmt.Sprintf("unit-%03d", n/10) }
func hospitalOf(n int) string { return fmt.Sprintf("hospital-%02d", n/100) }

// user is a user of about the size that users have.
func (g *region) user(id, at string, roles ...string) directory.User {
	u := directory.User{
		ID: id, Name: "Given Family-" + id, Email: id + "@region.example", Username: id + "@region.example", Type: authz.General,
		Locations: []string{at}, Persona: directory.Frontline, SignIn: directory.Enabled, Sub: "0f9a7c52-0000-4000-8000-" + id, Version: 1,
	}
	for _, r := range roles {
		u.Assignments = append(u.Assignments, directory.Assignment{
			Assignment: authz.Assignment{Role: authz.RoleRef{ID: r, Birth: g.births[r]}}, Since: noon, By: "operator",
		})
	}
	return u
}

// fillUsers puts rows of all users as they are, many at the same time.
func (g *region) fillUsers(t testing.TB) {
	t.Helper()
	var group sync.WaitGroup
	const writers = 8
	for w := range writers {
		group.Go(func() {
			var rows []attributes
			for n := w; n < g.users; n += writers {
				roles := []string{"staff"}
				if n%100 == 0 {
					roles = append(roles, "lead")
				}
				if n%10_000 == 0 {
					roles = append(roles, "coach")
				}
				rows = append(rows, g.rows(t, g.user(fmt.Sprintf("p%06d", n), wardOf(n%g.wards), roles...))...)
				if len(rows) > 1000 {
					g.put(t, rows)
					rows = rows[:0]
				}
			}
			g.put(t, rows)
		})
	}
	group.Wait()
	g.put(t, slices.Concat(g.rows(t, g.user("root", "region", "global")), g.rows(t, g.user("local", unitOf(10), "local")), g.rows(t, g.user("chief", hospitalOf(0), "local"))))
}

// rows are a user's in the table, as writeUser makes them.
func (g *region) rows(t testing.TB, u directory.User) []attributes {
	tx := g.begin()
	tx.at = noon
	tx.writeUser("o", directory.User{}, u)
	if tx.err != nil {
		t.Error(tx.err)
	}
	var rows []attributes
	for _, item := range tx.items {
		if item.Put != nil {
			rows = append(rows, item.Put.Item)
		}
	}
	return rows
}

// put writes rows, 25 a request.
func (g *region) put(t testing.TB, rows []attributes) {
	for part := range slices.Chunk(rows, 25) {
		var requests []types.WriteRequest
		for _, row := range part {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: row}})
		}
		out, err := g.client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{g.table: requests}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			t.Error(out, err)
			return
		}
	}
}

// as is a caller as a request finds them.
func (g *region) as(t testing.TB, id string) directory.Caller {
	t.Helper()
	facts, err := g.Load(t.Context(), "o", directory.Keys{Users: []string{id}})
	if err != nil || facts.Users[id].ID == "" {
		t.Fatal(id, err)
	}
	return directory.Caller{Facts: facts, Subject: facts.Users[id], Actor: facts.Users[id], At: g.clock(), RequestID: "request"}
}

// asked is a list of the region.
type asked struct {
	name, by string
	filter   directory.Filter
	people   bool
}

// pageOf is the first page of a list, with what it cost.
func (g *region) pageOf(t testing.TB, a asked, limit int) (found directory.Listed, units float64, requests int) {
	t.Helper()
	lists := directory.NewListings(g.Store)
	read, by := lists.Within, g.as(t, a.by)
	if a.people {
		read = lists.People
	}
	ctx, spent := g.Spending(t.Context())
	var err error
	calls := g.counted(nil, func() { found, err = read(ctx, by, a.filter, directory.Page{Limit: limit}) })
	if err != nil {
		t.Fatal(a.name, err)
	}
	for _, n := range calls {
		requests += n
	}
	return found, spent(), requests
}

// regions lists are what is asked of a region.
var askedOfRegions = []asked{
	{name: "plain", by: "root"},
	{name: "q in one name", by: "root", filter: directory.Filter{Text: "FAMILY-P000777"}},
	{name: "q in nobody", by: "root", filter: directory.Filter{Text: "nobody"}},
	{name: "q in a hundredth", by: "root", filter: directory.Filter{Text: "77@region"}},
	{name: "role of few", by: "root", filter: directory.Filter{Role: "coach"}},
	{name: "role of a hundredth", by: "root", filter: directory.Filter{Role: "lead"}},
	{name: "role of all", by: "root", filter: directory.Filter{Role: "staff"}},
	{name: "a ward", by: "root", filter: directory.Filter{Location: wardOf(7)}},
	{name: "a unit and below: 11 lists", by: "root", filter: directory.Filter{Location: unitOf(10), Below: true}},
	{name: "a hospital and below: 111 lists are too many", by: "root", filter: directory.Filter{Location: hospitalOf(0), Below: true}},
	{name: "a role in a unit and below", by: "root", filter: directory.Filter{Location: unitOf(10), Below: true, Role: "lead"}},
	{name: "a local administrator's unit", by: "local"},
	{name: "a local administrator's hospital", by: "chief"},
	{name: "q in nobody of a unit", by: "local", filter: directory.Filter{Text: "nobody"}},
	{name: "people", by: "root", people: true},
	{name: "people by a name", by: "root", people: true, filter: directory.Filter{Text: "family-p00077"}},
}

// mostOfAPage is what no page spends: its budget, and one reading of the directory
// after which it is found to be spent; the readings of caller and moves beside. Of
// users by lists that reading is 95 users, of a unit each 4 KB.
const mostOfAPage = 1000 + 257 + 20

// TestListsOfARegion: each is whole, and no page spends more than its budget.
func TestListsOfARegion(t *testing.T) {
	g := openRegion(t, openBare(t), 120, 1200)
	want := map[string]int{
		"plain": 1203, "q in one name": 1, "q in a hundredth": 12, "role of few": 1, "role of a hundredth": 12, "role of all": 1200, "a ward": 10,
		"a unit and below: 11 lists": 101, "a hospital and below: 111 lists are too many": 1002, "a role in a unit and below": 0,
		"a local administrator's unit": 101, "a local administrator's hospital": 1002, "people": 1203, "people by a name": 10,
	}
	for _, a := range askedOfRegions {
		read, by := directory.NewListings(g.Store).Within, g.as(t, a.by)
		if a.people {
			read = directory.NewListings(g.Store).People
		}
		count, pages := 0, 0
		for page := (directory.Page{Limit: 500}); ; pages++ {
			ctx, spent := g.Spending(t.Context())
			found, err := read(ctx, by, a.filter, page)
			if err != nil || spent() > mostOfAPage {
				t.Fatalf("%s: %.0f units, %v", a.name, spent(), err)
			}
			count += len(found.Users)
			if !found.More {
				break
			}
			page.After = found.Next
		}
		if count != want[a.name] {
			t.Errorf("%s: %d users, want %d", a.name, count, want[a.name])
		}
	}
}

// TestAPageOfTheLargestUsers: of users as large as one may be (100 KB), a page
// ends with its budget all the same, and with no more than one reading after it.
func TestAPageOfTheLargestUsers(t *testing.T) {
	b := openBare(t)
	g := openRegion(t, b, 10, 10)
	for n := range 130 {
		u := g.user(fmt.Sprintf("q%03d", n), wardOf(1), "coach")
		u.Name = strings.Repeat("a long name ", 8100)
		g.put(t, g.rows(t, u)[:2])
		g.put(t, []attributes{rawRow(t, memberKey("o", authz.RoleRef{ID: "coach", Birth: g.births["coach"]}, u.ID), stored{})})
	}
	for name, c := range map[string]struct {
		f    directory.Filter
		most float64
	}{
		"the directory": {directory.Filter{Text: "nobody"}, mostOfAPage},
		"a role's list": {directory.Filter{Text: "nobody", Role: "coach"}, 1000 + 95*25 + 20},
	} {
		found, units, requests := g.pageOf(t, asked{name: name, by: "root", filter: c.f}, 50)
		t.Logf("%s: %.0f units, %d requests", name, units, requests)
		if !found.More || units < 1000 || units > c.most {
			t.Errorf("%s: more %v, %.0f units by %d requests, at most %.0f", name, found.More, units, requests, c.most)
		}
	}
}

func TestMoves(t *testing.T) {
	b := openBare(t)
	moves := func() (uint64, bool) {
		n, young, err := b.Moves(t.Context(), "o")
		if err != nil {
			t.Fatal(err)
		}
		return n, young
	}
	user := directory.User{}
	write := func(kind authz.UserType, at ...string) {
		after := directory.User{ID: "u", Name: "u", Username: "u", Type: kind, Locations: at, Version: user.Version + 1}
		tx := b.begin()
		tx.writeUser("o", user, after)
		if err := tx.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		user = after
	}
	for _, c := range []struct {
		what  string
		kind  authz.UserType
		at    []string
		moves uint64
	}{
		{"who is new has not moved", authz.General, []string{"east"}, 0},
		{"nor who is changed", authz.Kiosk, []string{"east"}, 0},
		{"who is not counted moves, too", authz.Kiosk, []string{"west"}, 1},
		{"and who is from now on", authz.General, []string{"east"}, 2},
		{"one location more", authz.General, []string{"east", "west"}, 3},
		{"in another order", authz.General, []string{"west", "east"}, 3},
	} {
		write(c.kind, c.at...)
		if n, young := moves(); n != c.moves || young != (n > 0) {
			t.Errorf("%s: %d moves, the last young: %v", c.what, n, young)
		}
	}
	b.advance(youngAge + time.Second)
	if _, young := moves(); young {
		t.Error("a move of long ago is young")
	}
}

// TestSpendingIsToldToAll: of meters within each other each counts.
func TestSpendingIsToldToAll(t *testing.T) {
	b := openBare(t)
	outer, told := b.Meter(t.Context())
	inner, spent := b.Spending(outer)
	for _, ctx := range []struct{ within bool }{{true}, {false}} {
		use := outer
		if ctx.within {
			use = inner
		}
		if _, err := b.get(use, movesKey("o"), &movesItem{}); err != nil {
			t.Fatal(err)
		}
	}
	if all := told(); spent() <= 0 || all[0].Value.Int64() != 2 || all[1].Value.Float64() != 2*spent() {
		t.Errorf("%v, and %v of it", all, spent())
	}
}

// BenchmarkListings is one page of each list in an organization of 100,000 users.
func BenchmarkListings(b *testing.B) {
	g := openRegion(b, openBare(b), 2000, 100_000)
	for _, a := range askedOfRegions {
		for _, limit := range []int{50, 500} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(a.name, " ", "_"), limit), func(b *testing.B) {
				var found directory.Listed
				var units float64
				var requests int
				for b.Loop() {
					found, units, requests = g.pageOf(b, a, limit)
				}
				b.ReportMetric(units, "units")
				b.ReportMetric(float64(requests), "requests")
				b.ReportMetric(float64(len(found.Users)), "users")
				if units > mostOfAPage {
					b.Errorf("%.0f units", units)
				}
			})
		}
	}
}
