package dynamo

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
	"gemba/shared/role"
)

// county is a table of an organization of 40 wards of 75 users each, all
// staff, who see their ward's items; one ward's item; two coaches, who see and
// edit everywhere.
func county(t *testing.T) *bare {
	t.Helper()
	b := openBare(t)
	grant := func(id string, permissions map[authz.Permission]authz.Scope) role.Role {
		return role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id, Grants: []authz.Grant{{Templates: []string{"idea"}, Permissions: permissions}}}}
	}
	p := Policy{
		Workflows: []directory.Workflow{{Workflow: authz.Workflow{ID: "improvement", Name: "Improvement"}}},
		Templates: []directory.Template{{Template: authz.Template{ID: "idea", Name: "Idea", Workflow: "improvement", TeamType: authz.Simple}}},
		Roles: []role.Role{
			grant("staff", map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow}),
			grant("coach", map[authz.Permission]authz.Scope{authz.View: authz.Everywhere, authz.Edit: authz.Everywhere}),
			{Role: authz.Role{RoleRef: authz.RoleRef{ID: "reader"}, Name: "reader", Admin: authz.Admin{AccessReader: true}}},
		},
	}
	for n := range 40 {
		p.Locations = append(p.Locations, directory.Location{Location: authz.Location{ID: fmt.Sprintf("w%02d", n), Name: "Ward"}})
	}
	if made, err := b.CreateOrganization(t.Context(), directory.Organization{ID: "o", Name: "County", Settings: directory.DefaultSettings()}, noon); err != nil || !made {
		t.Fatal(made, err)
	}
	if _, err := b.CreatePolicy(t.Context(), "o", p, noon); err != nil {
		t.Fatal(err)
	}
	births, err := b.Births(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	var rows []attributes
	for n := range 3000 {
		rows = append(rows, rowsOf(t, fmt.Sprintf("p%04d", n), fmt.Sprintf("w%02d", n%40), authz.RoleRef{ID: "staff", Birth: births["staff"]})...)
	}
	for id, r := range map[string]string{"coach1": "coach", "coach2": "coach", "reader": "reader"} {
		rows = append(rows, rowsOf(t, id, "w39", authz.RoleRef{ID: r, Birth: births[r]})...)
	}
	b.fill(t, rows)
	for n := range 120 {
		item := authz.Item{ID: fmt.Sprintf("i%03d", n), Template: "idea", Locations: []string{fmt.Sprintf("w%02d", n%40)}, Status: authz.Active}
		if made, err := b.CreateItem(t.Context(), "o", directory.Item{Item: item}, noon); err != nil || !made {
			t.Fatal(made, err)
		}
	}
	b.advance(time.Minute)
	return b
}

// rowsOf is what the table has of a user in the places that searches read.
func rowsOf(t *testing.T, id, location string, r authz.RoleRef) []attributes {
	t.Helper()
	form := userForm(directory.User{
		ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{location}, Version: 1,
		Assignments: []directory.Assignment{{Assignment: authz.Assignment{Role: r}}},
	})
	return []attributes{
		rawRow(t, userKey("o", id), form), rawRow(t, directoryKey("o", id), form),
		rawRow(t, locationUserKey("o", location, id), stored{}), rawRow(t, memberKey("o", r, id), stored{}),
	}
}

// rawRow is an item as the table has it.
func rawRow(t *testing.T, k key, item any) attributes {
	t.Helper()
	encoded, err := attributevalue.MarshalMap(item)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range k.attributes() {
		encoded[name] = value
	}
	encoded["at"] = millis(noon)
	return encoded
}

// fill puts rows as they are: a user's own transaction takes too long for
// thousands.
func (b *bare) fill(t *testing.T, rows []attributes) {
	t.Helper()
	for part := range slices.Chunk(rows, 25) {
		var requests []types.WriteRequest
		for _, row := range part {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: row}})
		}
		out, err := b.client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{b.table: requests}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			t.Fatal(out, err)
		}
	}
}

func TestSearchesOfACounty(t *testing.T) {
	b := county(t)
	t.Run("what they ask of DynamoDB", b.requestsOfSearches)
	t.Run("the lists they read", b.listed)
}

// requestsOfSearches counts the requests of searches among 3,000 users.
func (b *bare) requestsOfSearches(t *testing.T) {
	subject := func(id string) permission.Subject { return permission.Subject{Type: "user", ID: id} }
	who := func(action string) permission.Search {
		return permission.Search{For: permission.Subjects, Question: permission.Question{
			Subject: subject(""), Action: action, Resource: permission.Resource{Type: "item", ID: "i007"},
		}}
	}
	what := func(id, action string) permission.Search {
		return permission.Search{For: permission.Resources, Question: permission.Question{
			Subject: subject(id), Action: action, Resource: permission.Resource{Type: "item"},
		}}
	}
	table := []struct {
		name                  string
		search                permission.Search
		found, queries, reads int
	}{
		{"who sees an item: the lists of two roles and a ward", who("view"), 77, 3, 1},
		{"who edits it: that of one role", who("edit"), 2, 1, 1},
		{"who deletes it: none", who("delete"), 0, 0, 0},
		{"what a nurse sees: those of her team, template and ward", what("p0007", "view"), 3, 3, 1},
		{"what a coach edits: those of his team and a template", what("coach1", "edit"), 120, 3, 3},
	}
	for _, tt := range table {
		keys := tt.search.Needs()
		keys.Users = append(keys.Users, "reader")
		facts, err := b.Load(t.Context(), "o", keys)
		if err != nil {
			t.Fatal(err)
		}
		c := directory.Caller{Facts: facts, Subject: facts.Users["reader"], Actor: facts.Users["reader"], At: noon}
		var found permission.Found
		calls := b.counted(nil, func() {
			if found, err = tt.search.Find(t.Context(), b, c, directory.Page{Limit: 500}); err != nil {
				t.Error(err)
			}
		})
		if len(found.Results) != tt.found || found.More || calls["Query"] > tt.queries || calls["BatchGetItem"] > tt.reads || len(calls) > 2 {
			t.Errorf("%s: found %d (more: %v) by %v; want %d by %d queries and %d reads", tt.name, len(found.Results), found.More, calls, tt.found, tt.queries, tt.reads)
		}
	}
}

// listed: each list is complete, in order, on pages of any size, after any
// place, and read strongly.
func (b *bare) listed(t *testing.T) {
	births, err := b.Births(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	team := directory.Item{Item: authz.Item{ID: "t1", Template: "idea", Status: authz.New, Team: map[authz.TeamRole][]string{authz.Author: {"p0001"}}}}
	if made, err := b.CreateItem(t.Context(), "o", team, noon); err != nil || !made {
		t.Fatal(made, err)
	}
	table := map[directory.List]int{
		{Of: directory.RoleMembers, Role: authz.RoleRef{ID: "coach", Birth: births["coach"]}}:     2,
		{Of: directory.RoleMembers, Role: authz.RoleRef{ID: "staff", Birth: births["staff"]}}:     3000,
		{Of: directory.RoleMembers, Role: authz.RoleRef{ID: "staff", Birth: births["staff"] + 1}}: 0, // R14: another role
		{Of: directory.LocationUsers, ID: "w07"}:                                                  75,
		{Of: directory.LocationItems, ID: "w07"}:                                                  3,
		{Of: directory.TemplateItems, ID: "idea"}:                                                 121,
		{Of: directory.TeamItems, ID: "p0001"}:                                                    1,
		{Of: directory.TeamItems, ID: "p0002"}:                                                    0,
		{Of: directory.Everybody}:                                                                 3003,
	}
	kinds := map[directory.ListKind]bool{}
	for l, want := range table {
		kinds[l.Of] = true
		for _, limit := range []int{max(1, want/3), want + 1} {
			var all []string
			for page := (directory.Page{Limit: limit}); ; {
				ids, more, err := b.Listed(t.Context(), "o", l, page)
				if err != nil || len(ids) > limit || more && len(ids) == 0 {
					t.Fatalf("%+v: %d ids, more %v, %v", l, len(ids), more, err)
				}
				all = append(all, ids...)
				if !more {
					break
				}
				page.After = ids[len(ids)-1]
			}
			if len(all) != want || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != want {
				t.Errorf("%+v on pages of %d: %d ids, want %d in order", l, limit, len(all), want)
			}
		}
	}
	for kind := range directory.ListKindCount {
		if !kinds[kind] {
			t.Errorf("the list %d has no case", kind)
		}
	}
	ids, more, err := b.Listed(t.Context(), "o", directory.List{Of: directory.LocationItems, ID: "w07"}, directory.Page{Limit: 1, After: "i007x"})
	if err != nil || !more || !slices.Equal(ids, []string{"i047"}) {
		t.Errorf("after an id that is not there: %q, more %v, %v", ids, more, err)
	}
	b.counted(func(operation string, input any, next func() (any, error)) (any, error) {
		if q, ok := input.(*dynamodb.QueryInput); !ok || !aws.ToBool(q.ConsistentRead) {
			t.Errorf("C11 %s is not read strongly", operation)
		}
		return next()
	}, func() {
		_, _, err = b.Listed(t.Context(), "o", directory.List{Of: directory.Everybody}, directory.Page{Limit: 1})
	})
	if err != nil {
		t.Error(err)
	}
}
