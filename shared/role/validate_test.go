package role_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// policy has one of each thing that a role can name.
func policy() *authz.Model {
	return authz.Compile(authz.Policy{
		Locations: []authz.Location{{ID: "north", Name: "North"}},
		Workflows: []authz.Workflow{{ID: "kaizen", Name: "Kaizen"}},
		Templates: []authz.Template{{ID: "idea", Name: "Idea", Workflow: "kaizen", TeamType: authz.Simple}},
		Roles:     []authz.Role{{RoleRef: authz.RoleRef{ID: "staff", Birth: 1}, Name: "Staff"}},
	})
}

func pointers(problems []fault.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Pointer)
	}
	return out
}

func TestValidateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing of a role that grants nothing": {`{"name": "x"}`, nil},
		"nothing of a role that has it all": {`{"name": "x", "description": "d", "persona": "leader",
			"grants": [{"workflows": ["kaizen"], "templates": ["idea"], "permissions": {"participate": true, "delete": "only_users"}}],
			"advanced": ["create_item_lists", "share_item_lists"],
			"admin": {"globalUserAdministrator": {"grantableRoles": ["staff"]}, "localUserAdministrator": {"scope": "only_location", "grantableRoles": "all"},
			  "impersonateUser": true, "roleAdministrator": true, "qualityAdministrator": true, "systemAdministrator": true, "accessReader": true,
			  "itemWriter": true, "boardAdministrator": "everywhere", "cardAdministrator": "location_and_below", "escalationAdministrator": "only_location"}}`, nil},
		"nothing of a role with specific locations that keeps to them (R8)": {`{"name": "x", "specificLocations": ["north"],
			"grants": [{"workflows": ["kaizen"], "permissions": {"participate": true, "view": "location_and_below", "assign": "only_users"}}],
			"admin": {"localUserAdministrator": {"scope": "location_and_below"}, "impersonateUser": true, "boardAdministrator": "only_location",
			  "cardAdministrator": "location_and_below", "escalationAdministrator": "only_location"}}`, nil},
		"R3 a grant that names nothing": {`{"name": "x", "grants": [{"permissions": {"view": "everywhere"}}, {"workflows": [], "templates": [], "permissions": {}}]}`,
			[]string{"/grants/0", "/grants/1"}},
		"R4 a workflow that does not exist":  {`{"name": "x", "grants": [{"workflows": ["kaizen", "lean"], "permissions": {}}]}`, []string{"/grants/0/workflows/1"}},
		"R4 a template that does not exist":  {`{"name": "x", "grants": [{"templates": ["kaizen"], "permissions": {}}]}`, []string{"/grants/0/templates/0"}},
		"R4 a location that does not exist":  {`{"name": "x", "specificLocations": ["south"]}`, []string{"/specificLocations/0"}},
		"R4 roles that do not exist":         {`{"name": "x", "admin": {"globalUserAdministrator": {"grantableRoles": ["boss"]}, "localUserAdministrator": {"scope": "only_location", "grantableRoles": ["staff", "boss"]}}}`, []string{"/admin/globalUserAdministrator/grantableRoles/0", "/admin/localUserAdministrator/grantableRoles/1"}},
		"R4 a new role naming itself":        {`{"name": "x", "id": "new", "admin": {"globalUserAdministrator": {"grantableRoles": ["new"]}}}`, []string{"/admin/globalUserAdministrator/grantableRoles/0"}},
		"R9 sharing lists without making":    {`{"name": "x", "advanced": ["view_impact", "share_item_lists"]}`, []string{"/advanced/1"}},
		"R10 local administration anywhere":  {`{"name": "x", "admin": {"localUserAdministrator": {"scope": "everywhere"}}}`, []string{"/admin/localUserAdministrator/scope"}},
		"R10 local administration of teams":  {`{"name": "x", "admin": {"localUserAdministrator": {"scope": "only_users"}}}`, []string{"/admin/localUserAdministrator/scope"}},
		"R10 boards of only some users":      {`{"name": "x", "admin": {"boardAdministrator": "only_users", "cardAdministrator": "only_users", "escalationAdministrator": "only_users"}}`, []string{"/admin/boardAdministrator", "/admin/cardAdministrator", "/admin/escalationAdministrator"}},
		"R8 everywhere":                      {`{"name": "x", "specificLocations": ["north"], "grants": [{"workflows": ["kaizen"], "permissions": {"view": "everywhere", "edit": "only_location"}}]}`, []string{"/grants/0/permissions/view"}},
		"R8 advanced permissions":            {`{"name": "x", "specificLocations": ["north"], "advanced": ["view_impact", "create_boards"]}`, []string{"/advanced/0", "/advanced/1"}},
		"R8 boards, cards, escalation there": {`{"name": "x", "specificLocations": ["north"], "admin": {"boardAdministrator": "everywhere", "cardAdministrator": "everywhere", "escalationAdministrator": "everywhere"}}`, []string{"/admin/boardAdministrator", "/admin/cardAdministrator", "/admin/escalationAdministrator"}},
		"R8 organization-wide administration": {`{"name": "x", "specificLocations": ["north"], "admin": {"globalUserAdministrator": {}, "roleAdministrator": true,
			"qualityAdministrator": true, "systemAdministrator": true, "accessReader": true, "itemWriter": true}}`,
			[]string{"/admin/globalUserAdministrator", "/admin/roleAdministrator", "/admin/qualityAdministrator", "/admin/systemAdministrator", "/admin/accessReader", "/admin/itemWriter"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := body.Read([]byte(c.body), body.ReadRole)
			if err != nil {
				t.Fatal(err)
			}
			problems := role.Validate(policy(), r)
			if diff := cmp.Diff(c.want, pointers(problems)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			for _, p := range problems {
				if !strings.HasSuffix(p.Detail, ".") {
					t.Errorf("%s: %q is no sentence", p.Pointer, p.Detail)
				}
			}
		})
	}
}

// R1's bounds hold for roles that no body made, like a clone.
// TestU3WhatIsBeingDeleted is not newly named; a role that names it already may
// be saved with it.
func TestU3WhatIsBeingDeleted(t *testing.T) {
	names := authz.Role{
		RoleRef: authz.RoleRef{ID: "old", Birth: 1}, Name: "Old", SpecificLocations: []string{"north"},
		Grants: []authz.Grant{{Workflows: []string{"kaizen"}}, {Templates: []string{"idea"}}},
	}
	m := policy().With(authz.Change{Put: authz.Policy{
		Locations: []authz.Location{{ID: "north", Closing: true}}, Workflows: []authz.Workflow{{ID: "kaizen", Closing: true}},
		Templates: []authz.Template{{ID: "idea", Workflow: "kaizen", Closing: true}}, Roles: []authz.Role{names},
	}})
	if problems := role.Validate(m, role.Role{Role: names}); len(problems) > 0 {
		t.Errorf("named already: %v", problems)
	}
	names.ID = "new"
	want := []string{"/specificLocations/0", "/grants/0/workflows/0", "/grants/1/templates/0"}
	if got := pointers(role.Validate(m, role.Role{Role: names})); !slices.Equal(got, want) {
		t.Errorf("newly named: faults at %q, want %q", got, want)
	}
}

func TestValidateBounds(t *testing.T) {
	good := role.Role{Role: authz.Role{Name: strings.Repeat("ä", 100)}}
	if problems := role.Validate(policy(), good); len(problems) > 0 {
		t.Errorf("100 characters are refused: %v", problems)
	}
	many := slices.Repeat([]string{"a"}, 1001)
	for pointer, change := range map[string]func(*role.Role){
		"/name":        func(r *role.Role) { r.Name = strings.Repeat("ä", 101) },
		"/description": func(r *role.Role) { r.Description = strings.Repeat("ä", 2001) },
		"/persona":     func(r *role.Role) { r.Persona = directory.PersonaCount },
		"/grants": func(r *role.Role) {
			r.Grants = slices.Repeat([]authz.Grant{{Workflows: []string{"kaizen"}}}, 1001)
		},
		"/notifications":      func(r *role.Role) { r.Notifications = many },
		"/boardAccess":        func(r *role.Role) { r.BoardAccess = many },
		"/boardSubscriptions": func(r *role.Role) { r.BoardSubscriptions = many },
	} {
		bad := good
		change(&bad)
		if got := pointers(role.Validate(policy(), bad)); !slices.Equal(got, []string{pointer}) {
			t.Errorf("R1 %s: faults at %v", pointer, got)
		}
	}
	for _, blank := range []string{"", "  "} {
		if got := pointers(role.Validate(policy(), role.Role{Role: authz.Role{Name: blank}})); !slices.Equal(got, []string{"/name"}) {
			t.Errorf("R1 name %q: faults at %v", blank, got)
		}
	}
}

// TestEveryPermissionInEveryScope walks R4's table cell by cell; a permission
// or scope that is added without a row here fails.
func TestEveryPermissionInEveryScope(t *testing.T) {
	located := []string{"only_location", "location_and_below", "everywhere"}
	table := map[string][]string{
		"participate":    {"yes"},
		"view":           located,
		"view_new":       located,
		"edit":           located,
		"request":        located,
		"assign":         append([]string{"only_users"}, located...),
		"view_private":   located,
		"toggle_private": append([]string{"only_users"}, located...),
		"honor_roll":     located,
		"delete":         append([]string{"only_users"}, located...),
	}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		row, ok := table[p.String()]
		if !ok {
			t.Errorf("R4 no row for %s", p)
		}
		for s := authz.NoScope + 1; s < authz.ScopeCount; s++ {
			grant := authz.Grant{Workflows: []string{"kaizen"}, Permissions: map[authz.Permission]authz.Scope{p: s}}
			problems := role.Validate(policy(), role.Role{Role: authz.Role{Name: "x", Grants: []authz.Grant{grant}}})
			var want []string
			if !slices.Contains(row, s.String()) {
				want = []string{"/grants/0/permissions/" + p.String()}
			}
			if got := pointers(problems); !slices.Equal(got, want) {
				t.Errorf("R4 %s %s: faults at %v, want %v", p, s, got, want)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	north, plain := authz.Role{SpecificLocations: []string{"north"}}, authz.Role{}
	has := []string{"east", "west"}
	for name, c := range map[string]struct {
		role  authz.Role
		limit []string
		want  []string
	}{
		"R5 no limit":                            {plain, nil, nil},
		"R5 no limit of specific locations":      {north, nil, nil},
		"R5 a subset":                            {plain, []string{"west"}, nil},
		"R5 all of the user's":                   {plain, has, nil},
		"R5 empty":                               {plain, []string{}, []string{"/locations"}},
		"R5 elsewhere":                           {plain, []string{"east", "north", "south"}, []string{"/locations/1", "/locations/2"}},
		"R5 a role that has specific locations":  {north, []string{"east"}, []string{"/locations"}},
		"R5 even if the user has that one":       {authz.Role{SpecificLocations: has}, []string{"east"}, []string{"/locations"}},
		"R5 an empty one of specific locations ": {north, []string{}, []string{"/locations"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pointers(role.Limit(c.role, has, c.limit)); !slices.Equal(got, c.want) {
				t.Errorf("faults at %v, want %v", got, c.want)
			}
		})
	}
}
