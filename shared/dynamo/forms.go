package dynamo

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// The forms of the policy's items. Words, not numbers, are stored for what is
// closed, so that a new member in the middle of an enum changes nothing that
// is stored.

type roleItem struct {
	stored
	ID                 string      `dynamodbav:"id"`
	Birth              uint64      `dynamodbav:"birth"`
	Name               string      `dynamodbav:"name"`
	Description        string      `dynamodbav:"description,omitempty"`
	Persona            string      `dynamodbav:"persona,omitempty"`
	SpecificLocations  []string    `dynamodbav:"specificLocations,omitempty"`
	Grants             []grantItem `dynamodbav:"grants,omitempty"`
	Advanced           []string    `dynamodbav:"advanced,omitempty"`
	Admin              adminItem   `dynamodbav:"admin"`
	Notifications      []string    `dynamodbav:"notifications,omitempty"`
	DefaultBoard       string      `dynamodbav:"defaultBoard,omitempty"`
	BoardAccess        []string    `dynamodbav:"boardAccess,omitempty"`
	BoardSubscriptions []string    `dynamodbav:"boardSubscriptions,omitempty"`
}

type grantItem struct {
	Workflows   []string          `dynamodbav:"workflows,omitempty"`
	Templates   []string          `dynamodbav:"templates,omitempty"`
	Permissions map[string]string `dynamodbav:"permissions"`
}

type adminItem struct {
	Global       *userAdministrationItem `dynamodbav:"global,omitempty"`
	Local        *userAdministrationItem `dynamodbav:"local,omitempty"`
	Impersonate  bool                    `dynamodbav:"impersonate,omitempty"`
	Roles        bool                    `dynamodbav:"roles,omitempty"`
	Quality      bool                    `dynamodbav:"quality,omitempty"`
	System       bool                    `dynamodbav:"system,omitempty"`
	AccessReader bool                    `dynamodbav:"accessReader,omitempty"`
	ItemWriter   bool                    `dynamodbav:"itemWriter,omitempty"`
	Board        string                  `dynamodbav:"board,omitempty"`
	Card         string                  `dynamodbav:"card,omitempty"`
	Escalation   string                  `dynamodbav:"escalation,omitempty"`
}

type userAdministrationItem struct {
	Scope       string        `dynamodbav:"scope,omitempty"`
	CreateUsers bool          `dynamodbav:"createUsers,omitempty"`
	All         bool          `dynamodbav:"all,omitempty"`
	Grantable   []roleRefItem `dynamodbav:"grantable,omitempty"`
}

type roleRefItem struct {
	ID    string `dynamodbav:"id"`
	Birth uint64 `dynamodbav:"birth"`
}

func roleForm(r role.Role) roleItem {
	item := roleItem{
		stored: stored{V: r.Version}, ID: r.ID, Birth: r.Birth, Name: r.Name, Description: r.Description,
		Persona: r.Persona.String(), SpecificLocations: r.SpecificLocations, Advanced: words(r.Advanced),
		Admin: adminForm(r.Admin), Notifications: r.Notifications, DefaultBoard: r.DefaultBoard,
		BoardAccess: r.BoardAccess, BoardSubscriptions: r.BoardSubscriptions,
	}
	for _, g := range r.Grants {
		permissions := make(map[string]string, len(g.Permissions))
		for p, s := range g.Permissions {
			permissions[p.String()] = s.String()
		}
		item.Grants = append(item.Grants, grantItem{g.Workflows, g.Templates, permissions})
	}
	return item
}

func adminForm(a authz.Admin) adminItem {
	return adminItem{
		Global: administrationForm(a.Global), Local: administrationForm(a.Local), Impersonate: a.Impersonate,
		Roles: a.Roles, Quality: a.Quality, System: a.System, AccessReader: a.AccessReader, ItemWriter: a.ItemWriter,
		Board: a.Board.String(), Card: a.Card.String(), Escalation: a.Escalation.String(),
	}
}

func administrationForm(a *authz.UserAdministration) *userAdministrationItem {
	if a == nil {
		return nil
	}
	item := &userAdministrationItem{Scope: a.Scope.String(), CreateUsers: a.CreateUsers, All: a.Grantable.All}
	for _, r := range a.Grantable.Roles {
		item.Grantable = append(item.Grantable, roleRefItem(r))
	}
	return item
}

func (item roleItem) role() role.Role {
	r := role.Role{
		Role: authz.Role{
			RoleRef: authz.RoleRef{ID: item.ID, Birth: item.Birth}, Name: item.Name,
			SpecificLocations: item.SpecificLocations, Admin: item.Admin.admin(),
		},
		Description: item.Description, Persona: personaOf(item.Persona), Notifications: item.Notifications,
		DefaultBoard: item.DefaultBoard, BoardAccess: item.BoardAccess, BoardSubscriptions: item.BoardSubscriptions,
		Version: item.V,
	}
	for _, word := range item.Advanced {
		a, _ := authz.ParseAdvanced(word)
		r.Advanced = append(r.Advanced, a)
	}
	for _, g := range item.Grants {
		permissions := make(map[authz.Permission]authz.Scope, len(g.Permissions))
		for p, s := range g.Permissions {
			permission, _ := authz.ParsePermission(p)
			permissions[permission] = scopeOf(s)
		}
		r.Grants = append(r.Grants, authz.Grant{Workflows: g.Workflows, Templates: g.Templates, Permissions: permissions})
	}
	return r
}

func (item adminItem) admin() authz.Admin {
	return authz.Admin{
		Global: item.Global.administration(), Local: item.Local.administration(), Impersonate: item.Impersonate,
		Roles: item.Roles, Quality: item.Quality, System: item.System, AccessReader: item.AccessReader, ItemWriter: item.ItemWriter,
		Board: scopeOf(item.Board), Card: scopeOf(item.Card), Escalation: scopeOf(item.Escalation),
	}
}

func (item *userAdministrationItem) administration() *authz.UserAdministration {
	if item == nil {
		return nil
	}
	a := &authz.UserAdministration{Scope: scopeOf(item.Scope), CreateUsers: item.CreateUsers, Grantable: authz.Grantable{All: item.All}}
	for _, r := range item.Grantable {
		a.Grantable.Roles = append(a.Grantable.Roles, authz.RoleRef(r))
	}
	return a
}

// scopeOf and personaOf read what check has found to be known, or nothing.
func scopeOf(word string) authz.Scope {
	s, _ := parseGrantedScope(word)
	return s
}

func personaOf(word string) directory.Persona {
	p, _ := directory.ParsePersona(word)
	return p
}

func words[E interface{ String() string }](members []E) []string {
	var list []string
	for _, m := range members {
		list = append(list, m.String())
	}
	return list
}

type locationItem struct {
	stored
	ID     string `dynamodbav:"id"`
	Name   string `dynamodbav:"name"`
	Parent string `dynamodbav:"parent,omitempty"`
	closed
}

// closed is what a location, workflow or template has while it is being
// deleted (U3).
type closed struct {
	Closing bool `dynamodbav:"closing,omitempty" cbor:",omitempty"`
}

func locationForm(l directory.Location) locationItem {
	return locationItem{stored{V: l.Version}, l.ID, l.Name, l.Parent, closed{l.Closing}}
}

func (item locationItem) location() authz.Location {
	return authz.Location{ID: item.ID, Name: item.Name, Parent: item.Parent, Closing: item.Closing}
}

type workflowItem struct {
	stored
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
	closed
}

func workflowForm(w directory.Workflow) workflowItem {
	return workflowItem{stored{V: w.Version}, w.ID, w.Name, closed{w.Closing}}
}

func (item workflowItem) workflow() authz.Workflow {
	return authz.Workflow{ID: item.ID, Name: item.Name, Closing: item.Closing}
}

type templateItem struct {
	stored
	ID       string `dynamodbav:"id"`
	Name     string `dynamodbav:"name"`
	Workflow string `dynamodbav:"workflow"`
	TeamType string `dynamodbav:"teamType"`
	closed
}

func templateForm(t directory.Template) templateItem {
	return templateItem{stored{V: t.Version}, t.ID, t.Name, t.Workflow, t.TeamType.String(), closed{t.Closing}}
}

func (item templateItem) template() authz.Template {
	team, _ := authz.ParseTeamType(item.TeamType)
	return authz.Template{ID: item.ID, Name: item.Name, Workflow: item.Workflow, TeamType: team, Closing: item.Closing}
}

type organizationItem struct {
	stored
	GSI1PK   string       `dynamodbav:"gsi1pk,omitempty"`
	GSI1SK   string       `dynamodbav:"gsi1sk,omitempty"`
	ID       string       `dynamodbav:"id"`
	Name     string       `dynamodbav:"name"`
	Seal     []byte       `dynamodbav:"seal,omitempty"`
	Created  time.Time    `dynamodbav:"created"`
	Settings settingsItem `dynamodbav:"settings"`
}

// settingsItem is what an organization chose.
type settingsItem struct {
	OnlyUsersMember bool              `dynamodbav:"onlyUsersMember"`
	LocalReachAny   bool              `dynamodbav:"localReachAny"`
	ProductName     string            `dynamodbav:"productName"`
	Targets         targetsItem       `dynamodbav:"targets"`
	Impersonation   impersonationItem `dynamodbav:"impersonation"`
	DecisionLogRate float64           `dynamodbav:"decisionLogRate"`
}

type targetsItem struct {
	Frontline    rangeItem `dynamodbav:"frontline"`
	Leader       rangeItem `dynamodbav:"leader"`
	Executive    rangeItem `dynamodbav:"executive"`
	ExpertsUnder int       `dynamodbav:"expertsUnder"`
	Champions    rangeItem `dynamodbav:"champions"`
}

type rangeItem struct {
	Min int `dynamodbav:"min"`
	Max int `dynamodbav:"max"`
}

type impersonationItem struct {
	Enabled         bool     `dynamodbav:"enabled"`
	ReasonRequired  bool     `dynamodbav:"reasonRequired"`
	Receipt         bool     `dynamodbav:"receipt"`
	AbsoluteMinutes int      `dynamodbav:"absoluteMinutes"`
	Observers       []string `dynamodbav:"observers,omitempty"`
}

func targetsForm(t directory.Targets) targetsItem {
	return targetsItem{
		Frontline: rangeItem(t.Frontline), Leader: rangeItem(t.Leader), Executive: rangeItem(t.Executive),
		ExpertsUnder: t.ExpertsUnder, Champions: rangeItem(t.Champions),
	}
}

func (item targetsItem) targets() directory.Targets {
	return directory.Targets{
		Frontline: directory.Share(item.Frontline), Leader: directory.Share(item.Leader), Executive: directory.Share(item.Executive),
		ExpertsUnder: item.ExpertsUnder, Champions: directory.People(item.Champions),
	}
}

func organizationForm(o directory.Organization) organizationItem {
	s := o.Settings
	return organizationItem{stored{V: o.Version}, organizationsGSI, o.ID, o.ID, o.Name, o.Seal, o.Created, settingsItem{
		OnlyUsersMember: s.Authz.OnlyUsers == authz.ByTeamMember, LocalReachAny: s.Authz.LocalReach == authz.ReachAny,
		ProductName: s.ProductName, Targets: targetsForm(s.Targets), DecisionLogRate: s.DecisionLogRate,
		Impersonation: impersonationItem{
			Enabled: s.Impersonation.Enabled, ReasonRequired: s.Impersonation.ReasonRequired, Receipt: s.Impersonation.Receipt,
			AbsoluteMinutes: s.Impersonation.AbsoluteMinutes, Observers: s.Impersonation.Observers,
		},
	}}
}

func (item organizationItem) organization() directory.Organization {
	s := directory.Settings{
		ProductName: item.Settings.ProductName, Targets: item.Settings.Targets.targets(), DecisionLogRate: item.Settings.DecisionLogRate,
		Impersonation: directory.ImpersonationSettings{
			Enabled: item.Settings.Impersonation.Enabled, ReasonRequired: item.Settings.Impersonation.ReasonRequired,
			Receipt: item.Settings.Impersonation.Receipt, AbsoluteMinutes: item.Settings.Impersonation.AbsoluteMinutes,
			Observers: item.Settings.Impersonation.Observers,
		},
	}
	if item.Settings.OnlyUsersMember {
		s.Authz.OnlyUsers = authz.ByTeamMember
	}
	if item.Settings.LocalReachAny {
		s.Authz.LocalReach = authz.ReachAny
	}
	return directory.Organization{ID: item.ID, Name: item.Name, Seal: item.Seal, Settings: s, Created: item.Created, Version: item.V}
}
