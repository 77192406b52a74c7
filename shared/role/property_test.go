package role_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// document is a role's body.
type document = map[string]any

func someOf(t *rapid.T, label string, of ...string) []any {
	out := []any{}
	for _, s := range of {
		if rapid.Bool().Draw(t, label+" "+s) {
			out = append(out, s)
		}
	}
	return out
}

func oneOf(t *rapid.T, label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(t, label)
}

// validGrant is a grant that may be saved, in a role with specific locations
// or without.
func validGrant(t *rapid.T, specific bool) document {
	g := document{"workflows": []any{"kaizen"}, "templates": someOf(t, "template", "idea")}
	if rapid.Bool().Draw(t, "by template alone") {
		g["workflows"], g["templates"] = []any{}, []any{"idea"}
	}
	permissions := document{}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		var may []any
		for s := authz.Yes; s < authz.ScopeCount; s++ {
			switch {
			case !authz.Allows(p, s) || specific && s == authz.Everywhere:
			case s == authz.Yes:
				may = append(may, true)
			default:
				may = append(may, s.String())
			}
		}
		if rapid.Bool().Draw(t, p.String()) {
			permissions[p.String()] = rapid.SampledFrom(may).Draw(t, p.String())
		}
	}
	g["permissions"] = permissions
	return g
}

func validAdmin(t *rapid.T, specific bool) document {
	a := document{}
	located := []string{"location_and_below", "only_location"}
	grantable := func(label string) any {
		if rapid.Bool().Draw(t, label) {
			return "all"
		}
		return someOf(t, label, "staff")
	}
	if rapid.Bool().Draw(t, "local") {
		a["localUserAdministrator"] = document{"scope": oneOf(t, "reach", located...), "createUsers": rapid.Bool().Draw(t, "creates"), "grantableRoles": grantable("local list")}
	}
	if !specific {
		located = append(located, "everywhere")
		for _, wide := range []string{"roleAdministrator", "qualityAdministrator", "systemAdministrator", "accessReader", "itemWriter"} {
			if rapid.Bool().Draw(t, wide) {
				a[wide] = true
			}
		}
		if rapid.Bool().Draw(t, "global") {
			a["globalUserAdministrator"] = document{"createUsers": rapid.Bool().Draw(t, "creates everywhere"), "grantableRoles": grantable("global list")}
		}
	}
	if rapid.Bool().Draw(t, "impersonate") {
		a["impersonateUser"] = true
	}
	for _, placed := range []string{"boardAdministrator", "cardAdministrator", "escalationAdministrator"} {
		if rapid.Bool().Draw(t, placed) {
			a[placed] = oneOf(t, placed, located...)
		}
	}
	return a
}

// validRole is the body of a role that may be saved under policy().
func validRole(t *rapid.T) document {
	specific := rapid.Bool().Draw(t, "specific")
	d := document{
		"id": oneOf(t, "id", "new", "A.b-c_9"), "name": oneOf(t, "name", "New", "Ünïted ☂", "x"), "description": oneOf(t, "description", "", "two\nlines"),
		"specificLocations": []any{}, "advanced": []any{}, "admin": validAdmin(t, specific),
		"notifications": someOf(t, "notification", "item_assigned", "item_done"), "boardAccess": someOf(t, "board", "huddle", "wall"),
		"boardSubscriptions": someOf(t, "subscription", "huddle", "wall"),
	}
	if rapid.Bool().Draw(t, "persona") {
		d["persona"] = oneOf(t, "persona", "frontline", "leader", "executive", "ci_coach", "champion")
	}
	if rapid.Bool().Draw(t, "board") {
		d["defaultBoard"] = oneOf(t, "default board", "huddle", "elsewhere")
	}
	if specific {
		d["specificLocations"] = []any{"north"}
	} else {
		d["advanced"] = someOf(t, "advanced", "create_boards", "create_item_lists", "view_impact", "approve_milestones")
		if slices.Contains(d["advanced"].([]any), any("create_item_lists")) && rapid.Bool().Draw(t, "share") {
			d["advanced"] = append(d["advanced"].([]any), "share_item_lists")
		}
	}
	grants := []any{validGrant(t, specific)}
	if rapid.Bool().Draw(t, "two grants") {
		grants = append(grants, validGrant(t, specific))
	}
	d["grants"] = grants
	return d
}

// A breach breaks one rule of a role that breaks none, and says where; none
// when the role has nothing to break.
type breach struct {
	rule   string
	breaks func(d document) (pointer string)
}

func admin(d document) document { return d["admin"].(document) }

func lastGrant(d document) (document, string) {
	grants := d["grants"].([]any)
	return grants[len(grants)-1].(document), fmt.Sprintf("/grants/%d", len(grants)-1)
}

func isSpecific(d document) bool { return len(d["specificLocations"].([]any)) > 0 }

// appended adds a value to a list and is its pointer.
func appended(d document, member string, value any) string {
	old, _ := d[member].([]any)
	d[member] = append(slices.Clone(old), value)
	return fmt.Sprintf("/%s/%d", member, len(old))
}

func breaches() []breach {
	all := []breach{
		{"R3 a grant of nothing", func(d document) string { return appended(d, "grants", document{"permissions": document{}}) }},
		{"R4 an unknown workflow", func(d document) string { g, at := lastGrant(d); return at + appended(g, "workflows", "lean") }},
		{"R4 an unknown template", func(d document) string { g, at := lastGrant(d); return at + appended(g, "templates", "kaizen") }},
		{"R4 a scope on participate", func(d document) string {
			g, at := lastGrant(d)
			g["permissions"].(document)["participate"] = "only_location"
			return at + "/permissions/participate"
		}},
		{"R4 a plain yes", func(d document) string {
			g, at := lastGrant(d)
			g["permissions"].(document)["edit"] = true
			return at + "/permissions/edit"
		}},
		{"R9 sharing without creating", func(d document) string {
			if isSpecific(d) {
				return ""
			}
			d["advanced"] = []any{"share_item_lists"}
			return "/advanced/0"
		}},
		{"R4 an unknown grantable role", func(d document) string {
			admin(d)["localUserAdministrator"] = document{"scope": "only_location", "grantableRoles": []any{"staff", "boss"}}
			return "/admin/localUserAdministrator/grantableRoles/1"
		}},
		{"R4 a new role naming itself", func(d document) string {
			admin(d)["localUserAdministrator"] = document{"scope": "only_location", "grantableRoles": []any{d["id"]}}
			return "/admin/localUserAdministrator/grantableRoles/0"
		}},
		{"R8 an advanced permission", func(d document) string {
			if !isSpecific(d) {
				return ""
			}
			return appended(d, "advanced", "view_impact")
		}},
		{"R8 everywhere", func(d document) string {
			if !isSpecific(d) {
				return ""
			}
			g, at := lastGrant(d)
			g["permissions"].(document)["view"] = "everywhere"
			return at + "/permissions/view"
		}},
	}
	for _, p := range []string{"view", "view_new", "edit", "request", "view_private", "honor_roll"} {
		all = append(all, breach{"R4 only_users on " + p, func(d document) string {
			g, at := lastGrant(d)
			g["permissions"].(document)[p] = "only_users"
			return at + "/permissions/" + p
		}})
	}
	for _, scope := range []string{"everywhere", "only_users"} {
		all = append(all, breach{"R10 a local administrator " + scope, func(d document) string {
			admin(d)["localUserAdministrator"] = document{"scope": scope}
			return "/admin/localUserAdministrator/scope"
		}})
	}
	for _, member := range []string{"boardAdministrator", "cardAdministrator", "escalationAdministrator"} {
		all = append(all, breach{"R10 only_users of " + member, func(d document) string { admin(d)[member] = "only_users"; return "/admin/" + member }})
		all = append(all, breach{"R8 everywhere of " + member, func(d document) string {
			if !isSpecific(d) {
				return ""
			}
			admin(d)[member] = "everywhere"
			return "/admin/" + member
		}})
	}
	for member, value := range map[string]any{
		"globalUserAdministrator": document{}, "roleAdministrator": true, "qualityAdministrator": true, "systemAdministrator": true, "accessReader": true, "itemWriter": true,
	} {
		all = append(all, breach{"R8 " + member, func(d document) string {
			if !isSpecific(d) {
				return ""
			}
			admin(d)[member] = value
			return "/admin/" + member
		}})
	}
	return all
}

func parsed(t *rapid.T, d document) role.Role {
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := body.Read(text, body.ReadRole)
	if err != nil {
		t.Fatalf("%s: %v", text, fault.Of(err).Problems)
	}
	return r
}

// TestOneBrokenRuleIsOneFault is R3, R4, R8–R10 over random valid roles: each
// is saved, and with any one rule broken exactly that is told, in words.
func TestOneBrokenRuleIsOneFault(t *testing.T) {
	broken := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		d := validRole(t)
		if problems := role.Validate(policy(), parsed(t, d)); len(problems) > 0 {
			t.Fatalf("%v is refused: %v", d, problems)
		}
		b := rapid.SampledFrom(breaches()).Draw(t, "breach")
		pointer := b.breaks(d)
		if pointer == "" {
			return
		}
		broken[b.rule]++
		problems := role.Validate(policy(), parsed(t, d))
		if got := pointers(problems); !slices.Equal(got, []string{pointer}) {
			t.Fatalf("%s: faults at %v, want %s: %v", b.rule, got, pointer, d)
		}
	})
	if len(broken) < 20 && !testing.Short() { // which draws a fifth
		t.Errorf("only %v were broken", slices.Sorted(maps.Keys(broken)))
	}
}

// TestWhatIsReadIsReadBack is R1: whatever a role has comes back, and may be
// put back.
func TestWhatIsReadIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := validRole(t)
		first := parsed(t, d)
		text, err := json.Marshal(body.Role(first))
		if err != nil {
			t.Fatal(err)
		}
		second, err := body.Read(text, body.ReadRole)
		if err != nil {
			t.Fatalf("%s: %v", text, fault.Of(err).Problems)
		}
		again, _ := json.Marshal(body.Role(second))
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Fatal(diff)
		}
		var shown document
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		for member, value := range d {
			want, _ := json.Marshal(value)
			if got, _ := json.Marshal(shown[member]); string(got) != string(want) {
				t.Fatalf("R1 %s: %s was sent and %s is shown", member, want, got)
			}
		}
	})
	if directory.PersonaCount != 6 {
		t.Error("P1 validRole draws all personas but the new ones")
	}
}
