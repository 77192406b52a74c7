package permission_test

import (
	"context"
	"fmt"
	"testing"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

// region is an organization of 100,000 users and 100,000 items: 20 hospitals
// of 10 units of 10 wards, 50 users and 50 items a ward, 40 templates. All are
// staff, who see what is below them; ten coaches, all over, who edit where
// they are and below, and five auditors who honour everywhere; a reader asks.
func region() *tables {
	const wards, each = 2000, 50
	p := authz.Policy{Workflows: []authz.Workflow{{ID: "improvement"}}, Locations: []authz.Location{{ID: "region"}}}
	place := func(id, parent string) { p.Locations = append(p.Locations, authz.Location{ID: id, Parent: parent}) }
	for n := range wards / 100 {
		place(fmt.Sprintf("h%02d", n), "region")
	}
	for n := range wards / 10 {
		place(fmt.Sprintf("u%03d", n), fmt.Sprintf("h%02d", n/10))
	}
	for n := range wards {
		place(ward(n), fmt.Sprintf("u%03d", n/10))
	}
	for n := range 40 {
		p.Templates = append(p.Templates, authz.Template{ID: template(n), Workflow: "improvement", TeamType: authz.Simple})
	}
	role := func(id string, admin authz.Admin, permissions map[authz.Permission]authz.Scope) {
		p.Roles = append(p.Roles, authz.Role{RoleRef: authz.RoleRef{ID: id}, Admin: admin, Grants: []authz.Grant{{Workflows: []string{"improvement"}, Permissions: permissions}}})
	}
	role("staff", authz.Admin{}, map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow})
	role("coach", authz.Admin{}, map[authz.Permission]authz.Scope{authz.View: authz.LocationAndBelow, authz.Edit: authz.LocationAndBelow})
	role("auditor", authz.Admin{}, map[authz.Permission]authz.Scope{authz.View: authz.Everywhere, authz.HonorRoll: authz.Everywhere})
	role("warden", authz.Admin{Local: &authz.UserAdministration{Scope: authz.OnlyLocation}}, nil)
	role("reader", authz.Admin{AccessReader: true}, nil)
	s := &tables{facts: directory.Facts{
		Organization: directory.Organization{ID: "o"}, Model: authz.Compile(p), Policy: 1,
		Users: map[string]directory.User{}, Items: map[string]directory.Item{},
	}}
	for n := range wards * each {
		s.put(fmt.Sprintf("p%06d", n), "staff", ward(n%wards))
		id := fmt.Sprintf("i%06d", n)
		s.facts.Items[id] = directory.Item{Item: authz.Item{ID: id, Template: template(n % 40), Locations: []string{ward(n % wards)}, Status: authz.Active}}
	}
	for n := range 10 {
		s.put(fmt.Sprintf("coach%d", n), "coach", fmt.Sprintf("h%02d", n))
		s.put(fmt.Sprintf("chief%d", n), "staff", fmt.Sprintf("h%02d", n))
	}
	s.put("chief", "staff", "region")
	for n := range 5 {
		s.put(fmt.Sprintf("auditor%d", n), "auditor", "region")
	}
	s.put("reader", "reader", "region")
	s.put("warden", "warden", ward(7))
	s.index()
	return s
}

func ward(n int) string     { return fmt.Sprintf("w%04d", n) }
func template(n int) string { return fmt.Sprintf("t%02d", n) }

// TestWhatASearchReads: in the region, a search costs what is found, and not
// what there is.
func TestWhatASearchReads(t *testing.T) {
	s := region()
	subject := func(id string) permission.Subject { return permission.Subject{Type: "user", ID: id} }
	who := func(action string) permission.Search {
		return permission.Search{For: permission.Subjects, Question: permission.Question{
			Subject: subject(""), Action: action, Resource: permission.Resource{Type: "item", ID: "i000007"},
		}}
	}
	what := func(user, action string) permission.Search {
		return permission.Search{For: permission.Resources, Question: permission.Question{
			Subject: subject(user), Action: action, Resource: permission.Resource{Type: "item"},
		}}
	}
	table := []struct {
		name                         string
		search                       permission.Search
		asker                        string
		found, queries, loads, users int
		pages                        int // 0: all
	}{
		// The item's ward and the three above it, and the three roles: staff's
		// first hundred ids do not end it, the ward's do.
		{"who sees an item: 50 of its ward, and those above", who("view"), "reader", 50 + 2 + 6, 3 + 4, 1, 60, 0},
		// The one role of ten ends at once, so no location is asked.
		{"who edits it: one of ten coaches", who("edit"), "reader", 1, 1, 1, 10, 0},
		{"who honours it: five auditors", who("honor_roll"), "reader", 5, 1, 1, 5, 0},
		{"who deletes it: no role does", who("delete"), "reader", 0, 0, 0, 0, 0},
		{"T4 oneself, who may not ask about others", who("view"), "p000007", 1, 0, 1, 1, 0},
		{"R11 those in reach, by a ward's own administrator", who("view"), "warden", 50, 1, 1, 52, 0},
		{"R11 and of those who edit none", who("edit"), "warden", 0, 2, 1, 52, 0},
		{"what a nurse sees: 50 items of one ward", what("p000007", "view"), "reader", 50, 2, 1, 50, 0},
		{"what a nurse edits: what no team has her on", what("p000007", "edit"), "reader", 0, 1, 0, 0, 0},
		// Ten pages, each of 111 locations, the templates' 40 beside them.
		{"what a coach edits: a hospital's 5,000 items", what("coach1", "edit"), "reader", 5000, 11 * 152, 11 * 7, 11 * 600, 0},
		// 2,221 locations are too many: the 40 templates, in which hardly
		// anything else is.
		{"what the region's own sees: 100,000, of which two pages", what("chief", "view"), "reader", 1000, 2 * 41, 2 * 6, 2 * 570, 2},
	}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			by := s.by(tt.asker, tt.asker, tt.search)
			s.queries, s.loads, s.keys = 0, 0, 0
			var all []string
			pages := 0
			for after, more := "", true; more && (tt.pages == 0 || pages < tt.pages); pages++ {
				found, err := tt.search.Find(context.Background(), s, by, directory.Page{Limit: 500, After: after})
				if err != nil {
					t.Fatal(err)
				}
				all, after, more = append(all, found.Results...), found.Next, found.More
			}
			candidates := s.keys - s.loads*(len(tt.search.Needs().Users)+len(tt.search.Needs().Items)+2)
			t.Logf("found %d by %d queries and %d reads of %d candidates", len(all), s.queries, s.loads, candidates)
			if len(all) != tt.found || s.queries > tt.queries || s.loads > tt.loads || candidates > tt.users {
				t.Errorf("found %d by %d queries and %d reads of %d candidates; want %d by %d, %d, %d",
					len(all), s.queries, s.loads, candidates, tt.found, tt.queries, tt.loads, tt.users)
			}
		})
	}
}
