package role_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// told holds the words of a permission to be there, and to be words.
func told(t *testing.T, what string, w role.Words) {
	t.Helper()
	if w.Label == "" || !strings.HasSuffix(w.Description, ".") {
		t.Errorf("%s is told as %q: %q", what, w.Label, w.Description)
	}
}

// TestTheCatalogueIsWhole walks the vocabulary: a permission, scope or member
// of a role's body that is added without words here fails.
func TestTheCatalogueIsWhole(t *testing.T) {
	c := role.Permissions()
	var scopes, grants, advanced, admin []string
	for _, s := range c.Scopes {
		told(t, s.Scope.String(), s.Words)
		scopes = append(scopes, s.Scope.String())
	}
	for _, g := range c.Grants {
		told(t, g.Permission.String(), g.Words)
		grants = append(grants, g.Permission.String())
	}
	for _, a := range c.Advanced {
		told(t, a.Permission.String(), a.Words)
		advanced = append(advanced, a.Permission.String())
	}
	for _, a := range c.Admin {
		told(t, a.Permission, a.Words)
		for _, o := range a.Options {
			told(t, a.Permission+" "+o.Member, o.Words)
		}
		admin = append(admin, a.Permission)
	}
	var wantGrants, wantAdvanced []string
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		wantGrants = append(wantGrants, p.String())
	}
	for a := authz.NoAdvanced + 1; a < authz.AdvancedCount; a++ {
		wantAdvanced = append(wantAdvanced, a.String())
	}
	for what, diff := range map[string]string{
		"R4 scopes": cmp.Diff([]string{"everywhere", "location_and_below", "only_location", "only_users"}, scopes),
		"R4":        cmp.Diff(wantGrants, grants),
		"R9":        cmp.Diff(wantAdvanced, advanced),
		"R10": cmp.Diff([]string{"global_user_administrator", "local_user_administrator", "impersonate_user", "role_administrator",
			"quality_administrator", "system_administrator", "board_administrator", "card_administrator", "escalation_administrator",
			"access_reader", "item_writer"}, admin),
	} {
		if diff != "" {
			t.Errorf("%s (-want +told):\n%s", what, diff)
		}
	}
	if fields := reflect.TypeFor[authz.Admin]().NumField(); fields != len(c.Admin) {
		t.Errorf("R10 %d admin permissions are told, a role has %d", len(c.Admin), fields)
	}
}

// scopesTold are the words of scopes.
func scopesTold(scopes []authz.Scope) string {
	var words []string
	for _, s := range scopes {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

func TestTheCatalogueTellsTheRules(t *testing.T) {
	c := role.Permissions()
	const located = "everywhere location_and_below only_location"
	type row struct{ scopes, implies, needs string }
	want := map[authz.Permission]row{
		authz.Participate:   {"", "", ""},
		authz.View:          {located, "", ""},
		authz.ViewNew:       {located, "view", ""},
		authz.Edit:          {located, "", "view"},
		authz.Request:       {located, "edit/standard", "view"},
		authz.Assign:        {located + " only_users", "view/standard view_new/standard edit/standard", "view"},
		authz.ViewPrivate:   {located, "", ""},
		authz.TogglePrivate: {located + " only_users", "", "view edit"},
		authz.HonorRoll:     {located, "", "view"},
		authz.Delete:        {located + " only_users", "", "view edit"},
	}
	for _, g := range c.Grants {
		got := row{scopes: scopesTold(g.Scopes)}
		for _, i := range g.Implies {
			got.implies += " " + i.Permission.String()
			if i.StandardOnly {
				got.implies += "/standard"
			}
		}
		for _, n := range g.Needs {
			got.needs += " " + strings.Join(n.AnyOf, "|")
			if n.Where != role.OnItem {
				t.Errorf("C4 %s needs %v elsewhere", g.Permission, n.AnyOf)
			}
		}
		got.implies, got.needs = strings.TrimSpace(got.implies), strings.TrimSpace(got.needs)
		if got != want[g.Permission] {
			t.Errorf("R4, R7, C4 %s: %+v, want %+v", g.Permission, got, want[g.Permission])
		}
	}
	for _, s := range c.Scopes {
		wider := map[authz.Scope]string{authz.OnlyUsers: "everywhere", authz.OnlyLocation: "location_and_below everywhere", authz.LocationAndBelow: "everywhere"}
		if scopesTold(s.Wider) != wider[s.Scope] {
			t.Errorf("R4 wider than %s are %s", s.Scope, scopesTold(s.Wider))
		}
	}
	for _, a := range c.Advanced {
		needs := len(a.Needs) == 1 && a.Needs[0].AnyOf[0] == "create_item_lists" && a.Needs[0].Where == role.SameRole
		if needs != (a.Permission == authz.ShareItemLists) || len(a.Needs) > 1 {
			t.Errorf("R9 %s needs %v", a.Permission, a.Needs)
		}
	}
}

// TestTheCatalogueIsWhatIsSaved holds what is told of each permission to what
// Validate takes: the scopes, R8's and the defaults of options.
func TestTheCatalogueIsWhatIsSaved(t *testing.T) {
	c := role.Permissions()
	specific := func(r role.Role) role.Role { r.SpecificLocations = []string{"north"}; return r }
	scoped := func(p authz.Permission, s authz.Scope) role.Role {
		return role.Role{Role: authz.Role{Name: "x", Grants: []authz.Grant{{Workflows: []string{"kaizen"}, Permissions: map[authz.Permission]authz.Scope{p: s}}}}}
	}
	for _, s := range c.Scopes {
		for _, g := range c.Grants {
			saved := len(role.Validate(policy(), scoped(g.Permission, s.Scope))) == 0
			if saved != slices.Contains(g.Scopes, s.Scope) {
				t.Errorf("R4 %s %s is saved: %v", g.Permission, s.Scope, saved)
			}
			if saved && (len(role.Validate(policy(), specific(scoped(g.Permission, s.Scope)))) == 0) != s.SpecificLocations {
				t.Errorf("R8 %s %s is told otherwise", g.Permission, s.Scope)
			}
		}
	}
	for _, a := range c.Admin {
		value := "true"
		if len(a.Options) > 0 {
			value = "{}"
		}
		for _, s := range append([]string{"-"}, "everywhere", "location_and_below", "only_location", "only_users") {
			if (s == "-") != (len(a.Scopes) == 0) {
				continue
			}
			if s != "-" && len(a.Options) > 0 {
				value = `{"scope": "` + s + `"}`
			} else if s != "-" {
				value = `"` + s + `"`
			}
			r := read(t, `{"name": "x", "admin": {"`+a.Member+`": `+value+`}}`)
			saved := len(role.Validate(policy(), r)) == 0
			if told := s == "-" || slices.ContainsFunc(a.Scopes, func(t authz.Scope) bool { return t.String() == s }); saved != told {
				t.Errorf("R10 %s %s is saved: %v", a.Permission, s, saved)
			}
			if saved && s != "everywhere" && (len(role.Validate(policy(), specific(r))) == 0) != a.SpecificLocations {
				t.Errorf("R8 %s %s is told otherwise", a.Permission, s)
			}
		}
	}
	global := read(t, `{"name": "x", "admin": {"globalUserAdministrator": {}, "localUserAdministrator": {"scope": "only_location"}}}`).Admin
	if !global.Global.Grantable.All || global.Local.Grantable.All || len(global.Local.Grantable.Roles) > 0 || global.Global.CreateUsers || global.Local.CreateUsers {
		t.Errorf("R10 the defaults of options are %+v, %+v", global.Global, global.Local)
	}
	if c.Admin[0].Options[1].Default != "all" || len(c.Admin[1].Options[1].Default.([]string)) != 0 {
		t.Error("R10 other defaults are told")
	}
}

func read(t *testing.T, text string) role.Role {
	t.Helper()
	r, err := body.Read([]byte(text), body.ReadRole)
	if err != nil {
		t.Fatalf("%s: %v", text, fault.Of(err).Problems)
	}
	return r
}
