package dynamo

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/role"
)

// shire is an organization of very many people who all hold the role staff, and
// every tenth the role coach besides; each works at one of a thousand wards.
func shire(t testing.TB, people int) (*Store, directory.Caller) {
	t.Helper()
	client, table := dynamotest.Table(t)
	s := over(dynamodb.New(client.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, addMeter) }), table, time.Now)
	const o = "shire"
	grant := func(p authz.Permission, where authz.Scope) []authz.Grant {
		return []authz.Grant{{Workflows: []string{"improvement"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow, p: where}}}
	}
	p := Policy{
		Locations: []directory.Location{{Location: authz.Location{ID: "shire", Name: "Shire"}}},
		Workflows: []directory.Workflow{{Workflow: authz.Workflow{ID: "improvement", Name: "Improvement"}}},
		Roles: []role.Role{
			{Role: authz.Role{RoleRef: authz.RoleRef{ID: "administrator"}, Name: "Administrator", Admin: authz.Admin{Roles: true, Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}}}},
			{Role: authz.Role{RoleRef: authz.RoleRef{ID: "staff"}, Name: "Staff", Grants: grant(authz.Edit, authz.OnlyLocation)}},
			{Role: authz.Role{RoleRef: authz.RoleRef{ID: "coach"}, Name: "Coach", Grants: grant(authz.Delete, authz.Everywhere)}},
		},
	}
	for n := range 1000 {
		p.Locations = append(p.Locations, directory.Location{Location: authz.Location{ID: ward(n), Name: ward(n), Parent: "shire"}})
	}
	for n := range 100 {
		p.Templates = append(p.Templates, directory.Template{Template: authz.Template{ID: fmt.Sprintf("t%02d", n), Name: "T", Workflow: "improvement", TeamType: authz.Simple}})
	}
	at := time.Now().Add(-time.Minute)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.CreateOrganization(t.Context(), directory.Organization{ID: o, Name: "Shire", Settings: directory.DefaultSettings()}, at)
	must(err)
	_, err = s.CreatePolicy(t.Context(), o, p, at)
	must(err)
	births, err := s.Births(t.Context(), o)
	must(err)
	held := func(id string) directory.Assignment {
		return directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: id, Birth: births[id]}}, Since: at, By: "operator"}
	}
	s.fill(t, people, func(n int) []attributes {
		u := directory.User{ID: fmt.Sprintf("u%06d", n), Name: fmt.Sprintf("Person %d", n), Username: fmt.Sprintf("person.%d", n), Type: authz.General,
			Locations: []string{ward(n % 1000)}, Assignments: []directory.Assignment{held("staff")}, SignIn: directory.Enabled, Version: 1}
		if n%10 == 0 {
			u.Assignments = append(u.Assignments, held("coach"))
		}
		items := []attributes{s.item(t, userKey(o, u.ID), userForm(u), at), s.item(t, directoryKey(o, u.ID), userForm(u), at)}
		for _, a := range u.Assignments {
			items = append(items, s.item(t, memberKey(o, a.Role, u.ID), stored{}, at))
		}
		return items
	})
	facts, err := s.Load(t.Context(), o, directory.Keys{})
	must(err)
	return s, directory.Caller{Facts: facts, At: time.Now()}
}

func ward(n int) string { return fmt.Sprintf("w%03d", n) }

// item is one as it is stored.
func (s *Store) item(t testing.TB, k key, form any, at time.Time) attributes {
	t.Helper()
	av, err := attributevalue.MarshalMap(form)
	if err != nil {
		t.Fatal(err)
	}
	(&transaction{store: s, at: at}).stamp(av, k)
	return av
}

// fill writes the items of so many things in batches, as no use case would.
func (s *Store) fill(t testing.TB, things int, of func(n int) []attributes) {
	t.Helper()
	var group sync.WaitGroup
	const writers = 8
	for w := range writers {
		group.Go(func() {
			var batch []types.WriteRequest
			flush := func() {
				if len(batch) == 0 {
					return
				}
				out, err := s.client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.table: batch}})
				if err != nil || len(out.UnprocessedItems) > 0 {
					t.Errorf("filling: %v", err)
				}
				batch = nil
			}
			for n := w; n < things; n += writers {
				for _, item := range of(n) {
					if batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}); len(batch) == 25 {
						flush()
					}
				}
			}
			flush()
		})
	}
	group.Wait()
}

// edit is staff as it shall be.
func edit(permissions map[authz.Permission]authz.Scope) *role.Role {
	return &role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "staff"}, Name: "Staff",
		Grants: []authz.Grant{{Workflows: []string{"improvement"}, Permissions: permissions}}}}
}

// An impact is exact over more members than are read at once, whoever else they are, and
// reads each of them once: the first thousand by the role's list, a page of ids and
// batches of a hundred people, and the rest among all people, whom one reading brings.
func TestImpactOfAShire(t *testing.T) {
	const people = 1200
	s, c := shire(t, people)
	ctx, measured := s.Meter(t.Context())
	next := edit(map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow, authz.Delete: authz.OnlyLocation})
	i, err := role.New(s).Impact(ctx, c, "staff", next, directory.Precondition{}, role.ImpactPage{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	// Every tenth deletes everywhere already; all lose editing.
	if i.Gaining != people*9/10 || i.Losing != people || !i.Complete || len(i.People) != 50 || !i.More {
		t.Errorf("%d gain, %d lose, complete %v, %d listed, more %v", i.Gaining, i.Losing, i.Complete, len(i.People), i.More)
	}
	if requests := measured()[0].Value.Int64(); requests != 1+1+10+1 {
		t.Errorf("%d requests, want one for the role, eleven for the first thousand and one for the rest", requests)
	}
}

// BenchmarkImpact foresees an edit of a role that 100,000 people hold, counts and
// first page; then the page after it.
func BenchmarkImpact(b *testing.B) {
	s, c := shire(b, 100_000)
	next := edit(map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow, authz.Delete: authz.OnlyLocation})
	page := role.ImpactPage{Limit: 50}
	for _, name := range []string{"first page", "next page"} {
		var last role.Impact
		b.Run(name, func(b *testing.B) {
			var spent []slog.Attr
			for b.Loop() {
				ctx, measured := s.Meter(b.Context())
				var err error
				if last, err = role.New(s).Impact(ctx, c, "staff", next, directory.Precondition{}, page); err != nil || !last.Complete {
					b.Fatal(err)
				}
				spent = measured()
			}
			b.ReportMetric(float64(spent[0].Value.Int64()), "requests/op")
			b.ReportMetric(spent[1].Value.Float64(), "units/op")
		})
		page.After = last.Place()
	}
}
