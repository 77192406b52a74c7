package world_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/infra/local/template"
	"gemba/infra/organization/world"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// small is a world without faults, with one of everything.
const small = `{
  "organization": {"id": "clinic", "name": "Clinic", "settings": {"localReach": "any", "impersonation": {"observers": ["ann"]}}},
  "locations": [{"id": "group", "name": "Group", "parent": null}, {"id": "north", "name": "North", "parent": "group"}],
  "workflows": [{"id": "kaizen", "name": "Kaizen"}],
  "templates": [{"id": "idea", "name": "Idea", "workflow": "kaizen", "teamType": "simple"}],
  "roles": [
    {"id": "admin", "name": "Administrator", "admin": {"globalUserAdministrator": {"createUsers": true}}},
    {"id": "staff", "name": "Staff", "grants": [{"workflows": ["kaizen"], "permissions": {"participate": true}}],
     "admin": {"localUserAdministrator": {"scope": "only_location", "grantableRoles": ["staff", "guest"]}}},
    {"id": "guest", "name": "Guest", "specificLocations": ["north"]}],
  "users": [
    {"id": "ann", "name": "Ann", "username": "ann", "type": "general", "locations": ["group"], "roles": [{"role": "admin"}], "password": "Demo-pass-2026!"},
    {"id": "bob", "name": "Bob", "username": "bob", "type": "general", "internal": true, "locations": ["north", "group"], "persona": "CI Expert",
     "roles": [{"role": "staff", "locations": ["north"], "until": "2090-01-01T00:00:00Z"}, {"role": "guest", "since": "2020-02-03T04:05:06Z", "by": "ann"}]}],
  "items": [{"id": "i1", "template": "idea", "locations": ["north"], "status": "draft", "private": true, "team": {"author": ["bob"]}}]
}`

func pointers(problems []fault.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Pointer)
	}
	return out
}

func TestReadFindsNothingWrong(t *testing.T) {
	w, problems := world.Read([]byte(small))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(w.Users) != 2 || w.Users[0].SignIn != directory.Enabled || w.Users[1].SignIn != directory.NoSignIn ||
		w.Users[1].Persona != directory.CICoach || !w.Users[1].Internal || len(w.Policy.Roles) != 3 || len(w.Items) != 1 {
		t.Errorf("%+v", w)
	}
}

func TestReadFindsEveryFault(t *testing.T) {
	for name, c := range map[string]struct {
		replace, with string
		want          []string
	}{
		"not JSON":                           {small, `{"organization": `, []string{""}},
		"no organization":                    {small, `{}`, []string{"/organization", "/users"}},
		"not an object":                      {small, `[]`, []string{""}},
		"unknown member":                     {`"items":`, `"things": [], "items":`, []string{"/things"}},
		"entry that is none":                 {`"items": [`, `"items": [7, `, []string{"/items/0"}},
		"no id":                              {`{"id": "kaizen", `, `{`, []string{"/workflows/0/id", "/templates/0/workflow", "/roles/1/grants/0/workflows/0"}},
		"weak password":                      {`Demo-pass-2026!`, `password`, []string{"/users/0/password"}},
		"location twice":                     {`{"id": "north", "name": "North"`, `{"id": "group", "name": "Again", "parent": null}, {"id": "north", "name": "North"`, []string{"/locations/1/id"}},
		"U3 parent that is not there":        {`"name": "Group", "parent": null`, `"name": "Group", "parent": "planet"`, []string{"/locations/0/parent"}},
		"U3 a circle":                        {`"name": "Group", "parent": null`, `"name": "Group", "parent": "north"`, []string{"/locations/0/parent", "/locations/1/parent"}},
		"U3 below itself":                    {`"name": "Group", "parent": null`, `"name": "Group", "parent": "group"`, []string{"/locations/0/parent"}},
		"template without its workflow":      {`"workflow": "kaizen"`, `"workflow": "lean"`, []string{"/templates/0/workflow"}},
		"R1 role names alike":                {`"name": "Guest"`, `"name": "STAFF"`, []string{"/roles/2/name"}},
		"R3 a grant that names nothing":      {`{"workflows": ["kaizen"], "permissions"`, `{"permissions"`, []string{"/roles/1/grants/0"}},
		"R4 a scope that is not allowed":     {`"permissions": {"participate": true}`, `"permissions": {"view": "only_users"}`, []string{"/roles/1/grants/0/permissions/view"}},
		"R4 grantable role that is not":      {`["staff", "guest"]`, `["staff", "chief"]`, []string{"/roles/1/admin/localUserAdministrator/grantableRoles/1"}},
		"R8 advanced in a specific one":      {`"specificLocations": ["north"]`, `"specificLocations": ["north"], "advanced": ["view_impact"]`, []string{"/roles/2/advanced/0"}},
		"U1 username twice":                  {`"username": "bob"`, `"username": "ANN"`, []string{"/users/1/username"}},
		"U1 user twice":                      {`{"id": "bob"`, `{"id": "ann"`, []string{"/users/1/id", "/items/0/team/author/0"}},
		"U1 no locations":                    {`"locations": ["group"]`, `"locations": []`, []string{"/users/0/locations"}},
		"U1 location that is not there":      {`"locations": ["group"]`, `"locations": ["group", "south"]`, []string{"/users/0/locations/1"}},
		"U2 type":                            {`"type": "general", "internal"`, `"type": "boss", "internal"`, []string{"/users/1/type"}},
		"role that is not there":             {`{"role": "guest", `, `{"role": "boss", `, []string{"/users/1/roles/1/role"}},
		"role twice":                         {`{"role": "guest", `, `{"role": "staff", `, []string{"/users/1/roles/1/role"}},
		"R5 limit elsewhere":                 {`"roles": [{"role": "staff", "locations": ["north"]`, `"roles": [{"role": "staff", "locations": ["south"]`, []string{"/users/1/roles/0/locations/0"}},
		"R5 empty limit":                     {`"roles": [{"role": "staff", "locations": ["north"]`, `"roles": [{"role": "staff", "locations": []`, []string{"/users/1/roles/0/locations"}},
		"R5 limit of a specific one":         {`{"role": "guest", `, `{"role": "guest", "locations": ["north"], `, []string{"/users/1/roles/1/locations"}},
		"until":                              {`"until": "2090-01-01T00:00:00Z"`, `"until": "2090-01-01"`, []string{"/users/1/roles/0/until"}},
		"item of no template":                {`"template": "idea"`, `"template": "big"`, []string{"/items/0/template"}},
		"item nowhere":                       {`"template": "idea", "locations": ["north"]`, `"template": "idea", "locations": ["north", "south"]`, []string{"/items/0/locations/1"}},
		"item with nobody":                   {`"author": ["bob"]`, `"author": ["bob", "eve"]`, []string{"/items/0/team/author/1"}},
		"C1 a team role of other teams":      {`"author": ["bob"]`, `"author": ["bob"], "sponsor": ["ann"]`, []string{"/items/0/team/sponsor"}},
		"C1 status":                          {`"draft"`, `"done"`, []string{"/items/0/status"}},
		"observer that is nobody":            {`"observers": ["ann"]`, `"observers": ["ann", "eve"]`, []string{"/organization/settings/impersonation/observers/1"}},
		"R13 not general":                    {`"type": "general", "locations": ["group"]`, `"type": "capture", "locations": ["group"]`, []string{"/users"}},
		"R13 an end":                         {`{"role": "admin"}`, `{"role": "admin", "until": "2090-01-01T00:00:00Z"}`, []string{"/users"}},
		"R13 not all roles":                  {`{"createUsers": true}`, `{"grantableRoles": ["staff"]}`, []string{"/users"}},
		"R13 nobody to invite":               {`, "password": "Demo-pass-2026!"`, ``, []string{"/users/0/email"}},
		"R13 a malformed address to invite":  {`, "password": "Demo-pass-2026!"`, `, "email": "ann"`, []string{"/users/0/email"}},
		"form and sense, all told together":  {`"parent": "group"`, `"parent": "planet", "colour": "red"`, []string{"/locations/1/colour", "/locations/1/parent"}},
		"a malformed name is told only once": {`"username": "bob"`, `"username": ""`, []string{"/users/1/username"}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(small, c.replace) != 1 {
				t.Fatalf("%q is %d times in the world, want once", c.replace, strings.Count(small, c.replace))
			}
			_, problems := world.Read([]byte(strings.Replace(small, c.replace, c.with, 1)))
			if diff := cmp.Diff(c.want, pointers(problems)); diff != "" {
				t.Errorf("faults (-want +got):\n%s%v", diff, problems)
			}
		})
	}
}

func TestWhoIsInvited(t *testing.T) {
	w, problems := world.Read([]byte(strings.Replace(small, `"password": "Demo-pass-2026!"`, `"email": "ann@example.org"`, 1)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if w.Users[0].SignIn != directory.Invited || w.Users[1].SignIn != directory.NoSignIn {
		t.Errorf("R13 sign-ins: %v and %v, want invited and none", w.Users[0].SignIn, w.Users[1].SignIn)
	}
}

// What a read of the API gave is a world's body as well.
func TestReadOnlyMembersCountForNothing(t *testing.T) {
	w, problems := world.Read([]byte(strings.Replace(small, `{"id": "bob"`, `{"signIn": "enabled", "version": 7, "id": "bob"`, 1)))
	if len(problems) > 0 || w.Users[1].SignIn != directory.NoSignIn || w.Users[1].Version != 0 {
		t.Errorf("%+v, %v", w.Users[1].User, problems)
	}
}

func TestCorpusWorldsAreWhole(t *testing.T) {
	files, err := filepath.Glob("../../../shared/authz/testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var corpus struct{ World json.RawMessage }
		if err := json.Unmarshal(data, &corpus); err != nil {
			t.Fatal(err)
		}
		if _, problems := world.Read(corpus.World); len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

// TestPasswordsAreThePools: a password that a world may have is one that the
// pool of template.yaml takes, and the other way round.
func TestPasswordsAreThePools(t *testing.T) {
	read, err := template.Read("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	id, err := read.Only("AWS::Cognito::UserPool")
	if err != nil {
		t.Fatal(err)
	}
	var pool template.Pool
	if err := read.Properties(id, &pool); err != nil {
		t.Fatal(err)
	}
	policy := pool.Policies.PasswordPolicy
	if policy.RequireSymbols || !policy.RequireLowercase || !policy.RequireUppercase || !policy.RequireNumbers || policy.MinimumLength == nil {
		t.Fatalf("the pool's policy is another: %+v", policy)
	}
	good := "aA3" + strings.Repeat("x", int(*policy.MinimumLength)-3)
	for password, ok := range map[string]bool{
		good: true, good[:len(good)-1]: false, strings.ToLower(good): false, strings.ToUpper(good): false, strings.ReplaceAll(good, "3", "x"): false,
	} {
		_, problems := world.Read([]byte(strings.Replace(small, "Demo-pass-2026!", password, 1)))
		if slices.Contains(pointers(problems), "/users/0/password") == ok {
			t.Errorf("password %q: %v", password, problems)
		}
	}
}
