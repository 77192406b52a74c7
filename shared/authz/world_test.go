package authz

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// world is a decoded world of the contract: a policy, its people and items.
type world struct {
	policy Policy
	users  map[string]User
	items  map[string]Item
}

// worldCase is one question to a world with its answer.
type worldCase struct {
	Subject  string
	Action   string
	Resource struct {
		Type, ID   string
		Properties json.RawMessage
	}
	Decision bool
}

// corpusFiles are the recorded questions.
func corpusFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(files) != 9 {
		t.Fatalf("corpus: %d files, want 9 (%v)", len(files), err)
	}
	return files
}

// readCorpus reads a world with its cases.
func readCorpus(t testing.TB, file string) (world, []worldCase) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		World worldBody
		Cases []worldCase
	}
	if err := json.Unmarshal(content, &body); err != nil {
		t.Fatal(err)
	}
	return body.World.decode(t), body.Cases
}

// The bodies of the contract, as far as they decide.
type worldBody struct {
	Organization struct {
		Settings struct{ OnlyUsersRule, LocalReach string }
	}
	Locations []Location
	Workflows []Workflow
	Templates []struct{ ID, Name, Workflow, TeamType string }
	Roles     []roleBody
	Users     []userBody
	Items     []itemBody
}

type roleBody struct {
	ID, Name          string
	SpecificLocations []string
	Grants            []struct {
		Workflows, Templates []string
		Permissions          map[string]any
	}
	Advanced []string
	Admin    struct {
		GlobalUserAdministrator, LocalUserAdministrator *struct {
			Scope          string
			CreateUsers    bool
			GrantableRoles any
		}
		ImpersonateUser, RoleAdministrator, QualityAdministrator, SystemAdministrator bool
		AccessReader, ItemWriter                                                      bool
		BoardAdministrator, CardAdministrator, EscalationAdministrator                string
	}
}

type userBody struct {
	ID, Type  string
	Locations []string
	Roles     []struct {
		Role      string
		Locations []string
		Until     time.Time
	}
}

type itemBody struct {
	ID, Template, Status string
	Locations            []string
	Private              bool
	Team                 map[string][]string
}

// birth is the policy version at which a test world's roles were created.
const birth = 7

func ref(id string) RoleRef { return RoleRef{ID: id, Birth: birth} }

func (b worldBody) decode(t testing.TB) world {
	w := world{users: map[string]User{}, items: map[string]Item{}}
	w.policy.Settings = Settings{
		OnlyUsers:  map[string]OnlyUsersRule{"": ByTeamRole, "team_role": ByTeamRole, "team_member": ByTeamMember}[b.Organization.Settings.OnlyUsersRule],
		LocalReach: map[string]ReachRule{"": ReachAll, "all": ReachAll, "any": ReachAny}[b.Organization.Settings.LocalReach],
	}
	w.policy.Locations, w.policy.Workflows = b.Locations, b.Workflows
	for _, tb := range b.Templates {
		teamType := word(t, ParseTeamType, tb.TeamType)
		w.policy.Templates = append(w.policy.Templates, Template{ID: tb.ID, Name: tb.Name, Workflow: tb.Workflow, TeamType: teamType})
	}
	for _, rb := range b.Roles {
		w.policy.Roles = append(w.policy.Roles, rb.decode(t))
	}
	for _, ub := range b.Users {
		w.users[ub.ID] = ub.decode(t)
	}
	for _, ib := range b.Items {
		w.items[ib.ID] = ib.decode(t)
	}
	return w
}

func (b roleBody) decode(t testing.TB) Role {
	r := Role{RoleRef: ref(b.ID), Name: b.Name, SpecificLocations: b.SpecificLocations}
	for _, gb := range b.Grants {
		g := Grant{Workflows: gb.Workflows, Templates: gb.Templates, Permissions: map[Permission]Scope{}}
		for p, s := range gb.Permissions {
			if s == true {
				g.Permissions[word(t, ParsePermission, p)] = Yes
			} else {
				g.Permissions[word(t, ParsePermission, p)] = word(t, ParseScope, s.(string))
			}
		}
		r.Grants = append(r.Grants, g)
	}
	for _, a := range b.Advanced {
		r.Advanced = append(r.Advanced, word(t, ParseAdvanced, a))
	}
	a := b.Admin
	r.Admin = Admin{
		Impersonate: a.ImpersonateUser, Roles: a.RoleAdministrator, Quality: a.QualityAdministrator, System: a.SystemAdministrator,
		AccessReader: a.AccessReader, ItemWriter: a.ItemWriter,
		Board: scope(t, a.BoardAdministrator), Card: scope(t, a.CardAdministrator), Escalation: scope(t, a.EscalationAdministrator),
	}
	if g := a.GlobalUserAdministrator; g != nil {
		r.Admin.Global = &UserAdministration{CreateUsers: g.CreateUsers, Grantable: grantable(g.GrantableRoles, Grantable{All: true})}
	}
	if l := a.LocalUserAdministrator; l != nil {
		r.Admin.Local = &UserAdministration{Scope: scope(t, l.Scope), CreateUsers: l.CreateUsers, Grantable: grantable(l.GrantableRoles, Grantable{})}
	}
	return r
}

func (b userBody) decode(t testing.TB) User {
	u := User{ID: b.ID, Type: word(t, ParseUserType, b.Type), Locations: b.Locations, SignIn: true}
	for _, ab := range b.Roles {
		u.Assignments = append(u.Assignments, Assignment{Role: ref(ab.Role), Locations: ab.Locations, Until: ab.Until})
	}
	return u
}

func (b itemBody) decode(t testing.TB) Item {
	it := Item{ID: b.ID, Template: b.Template, Locations: b.Locations, Private: b.Private, Team: map[TeamRole][]string{}}
	if b.Status != "" {
		it.Status = word(t, ParseStatus, b.Status)
	}
	for r, users := range b.Team {
		it.Team[word(t, ParseTeamRole, r)] = users
	}
	return it
}

// word parses a word that must be known.
func word[E any](t testing.TB, parse func(string) (E, bool), w string) E {
	e, ok := parse(w)
	if !ok {
		t.Fatalf("unknown word %q for %T", w, e)
	}
	return e
}

func scope(t testing.TB, w string) Scope {
	if w == "" {
		return NoScope
	}
	return word(t, ParseScope, w)
}

func grantable(body any, absent Grantable) Grantable {
	switch v := body.(type) {
	case nil:
		return absent
	case []any:
		var g Grantable
		for _, id := range v {
			g.Roles = append(g.Roles, ref(fmt.Sprint(id)))
		}
		return g
	default:
		return Grantable{All: v == "all"}
	}
}

// question is the case as a question to the model.
func (w world) question(t testing.TB, c worldCase) (Action, Resource) {
	resourceType := word(t, ParseResourceType, c.Resource.Type)
	action, ok := ParseAction(resourceType, c.Action)
	if !ok {
		t.Fatalf("unknown action %q on %s", c.Action, c.Resource.Type)
	}
	r := Resource{Type: resourceType, ID: c.Resource.ID}
	var properties struct {
		itemBody
		Role string
	}
	if c.Resource.Properties != nil {
		if err := json.Unmarshal(c.Resource.Properties, &properties); err != nil {
			t.Fatal(err)
		}
	}
	switch resourceType {
	case ItemResource:
		if it, stored := w.items[c.Resource.ID]; stored {
			r.Item = &it
		}
		if c.Resource.Properties != nil {
			it := properties.decode(t)
			it.ID, r.Item = c.Resource.ID, &it
		}
	case UserResource:
		if u, ok := w.users[c.Resource.ID]; ok {
			r.User = &u
		}
		r.Role = properties.Role
	case BoardResource, CardResource:
		r.Locations = properties.Locations
	}
	return action, r
}
