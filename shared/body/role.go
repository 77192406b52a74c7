package body

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// mostNames bounds every list of names in a role, an item or a user.
const mostNames = 1000

// ReadRole is a role body (R1). Its id and version are as the body has them,
// empty and 0 when it has none; grantable roles are ids whose births somebody
// who has the model resolves. A scope that its permission may not have is
// well-formed: role.Validate refuses it (R4).
func ReadRole(o *Object) role.Role {
	o.Need("name")
	r := role.Role{
		Role: authz.Role{
			RoleRef:           authz.RoleRef{ID: o.ID("id")},
			Name:              o.Text("name", Name),
			SpecificLocations: o.IDs("specificLocations", mostNames),
			Advanced:          Words(o, "advanced", advanced),
			Admin:             readAdmin(o.Object("admin")),
		},
		Description:        o.Text("description", Description),
		Persona:            o.Persona("persona"),
		Notifications:      o.IDs("notifications", mostNames),
		DefaultBoard:       o.ID("defaultBoard"),
		BoardAccess:        o.IDs("boardAccess", mostNames),
		BoardSubscriptions: o.IDs("boardSubscriptions", mostNames),
		Version:            o.Version(),
	}
	for _, g := range o.Objects("grants", mostNames) {
		r.Grants = append(r.Grants, readGrant(g))
	}
	return r
}

// readGrant is one grant (R3).
func readGrant(o *Object) authz.Grant {
	o.Need("permissions")
	g := authz.Grant{
		Workflows: o.IDs("workflows", mostNames), Templates: o.IDs("templates", mostNames),
		Permissions: map[authz.Permission]authz.Scope{},
	}
	held := o.Object("permissions")
	for _, name := range held.Names() {
		if p, ok := permissions[name]; ok {
			if s := held.scope(name); s != authz.NoScope {
				g.Permissions[p] = s
			}
		}
	}
	return g
}

// scope is a permission's scope in a grant: a scope's word, true for the
// plain yes, false for what is not held.
func (o *Object) scope(member string) authz.Scope {
	switch yes, ok := o.ask(member).(bool); {
	case ok && yes:
		return authz.Yes
	case ok:
		return authz.NoScope
	default:
		return Word(o, member, scopes)
	}
}

// readAdmin is a role's admin permissions (R10).
func readAdmin(o *Object) authz.Admin {
	return authz.Admin{
		Global:       readAdministration(o.Object("globalUserAdministrator"), false),
		Local:        readAdministration(o.Object("localUserAdministrator"), true),
		Impersonate:  o.Bool("impersonateUser"),
		Roles:        o.Bool("roleAdministrator"),
		Quality:      o.Bool("qualityAdministrator"),
		System:       o.Bool("systemAdministrator"),
		AccessReader: o.Bool("accessReader"),
		ItemWriter:   o.Bool("itemWriter"),
		Board:        Word(o, "boardAdministrator", scopes),
		Card:         Word(o, "cardAdministrator", scopes),
		Escalation:   Word(o, "escalationAdministrator", scopes),
	}
}

// readAdministration is user administration with its options; the roles that
// may be granted are all for the global one, none for the local one, unless
// the body says which (R10).
func readAdministration(o *Object, local bool) *authz.UserAdministration {
	if o == nil {
		return nil
	}
	a := &authz.UserAdministration{CreateUsers: o.Bool("createUsers"), Grantable: o.grantable(!local)}
	if local {
		o.Need("scope")
		a.Scope = Word(o, "scope", scopes)
	}
	return a
}

// grantable is "all" or a list of role ids.
func (o *Object) grantable(all bool) authz.Grantable {
	const member = "grantableRoles"
	if !o.Has(member) {
		o.ask(member)
		return authz.Grantable{All: all}
	}
	if text, ok := o.ask(member).(string); ok {
		if text != "all" {
			o.Fault(member, `"all" or a list of role ids is expected.`)
		}
		return authz.Grantable{All: text == "all"}
	}
	var g authz.Grantable
	for _, id := range o.IDs(member, mostNames) {
		g.Roles = append(g.Roles, authz.RoleRef{ID: id})
	}
	return g
}

// Copy is what a clone has of its own: an id, if it is not to be given one, and
// a name.
type Copy struct{ ID, Name string }

// ReadCopy is the body that asks for a clone.
func ReadCopy(o *Object) Copy {
	o.Need("name")
	return Copy{ID: o.ID("id"), Name: o.Text("name", Name)}
}

// RoleFilter is the persona of the roles, or of a role's members, that are
// wanted; none are those that have none.
func (o *Object) RoleFilter() role.Filter {
	p, given := o.personaFilter()
	return role.Filter{Persona: p, None: given && p == directory.NoPersona}
}

type roleBody struct {
	ID                 string      `json:"id"`
	Name               string      `json:"name"`
	Description        string      `json:"description"`
	Persona            string      `json:"persona,omitempty"`
	SpecificLocations  []string    `json:"specificLocations"`
	Grants             []grantBody `json:"grants"`
	Advanced           []string    `json:"advanced"`
	Admin              adminBody   `json:"admin"`
	Notifications      []string    `json:"notifications"`
	DefaultBoard       string      `json:"defaultBoard,omitempty"`
	BoardAccess        []string    `json:"boardAccess"`
	BoardSubscriptions []string    `json:"boardSubscriptions"`
	Version            uint64      `json:"version,omitempty"`
}

type grantBody struct {
	Workflows   []string       `json:"workflows"`
	Templates   []string       `json:"templates"`
	Permissions map[string]any `json:"permissions"`
}

type adminBody struct {
	Local        *administrationBody `json:"localUserAdministrator,omitempty"`
	Global       *administrationBody `json:"globalUserAdministrator,omitempty"`
	Impersonate  bool                `json:"impersonateUser,omitempty"`
	Roles        bool                `json:"roleAdministrator,omitempty"`
	Quality      bool                `json:"qualityAdministrator,omitempty"`
	System       bool                `json:"systemAdministrator,omitempty"`
	AccessReader bool                `json:"accessReader,omitempty"`
	ItemWriter   bool                `json:"itemWriter,omitempty"`
	Board        string              `json:"boardAdministrator,omitempty"`
	Card         string              `json:"cardAdministrator,omitempty"`
	Escalation   string              `json:"escalationAdministrator,omitempty"`
}

type administrationBody struct {
	Scope       string `json:"scope,omitempty"`
	CreateUsers bool   `json:"createUsers"`
	Grantable   any    `json:"grantableRoles"`
}

// Role is a role's body, which ReadRole reads back.
func Role(r role.Role) any {
	out := roleBody{
		ID: r.ID, Name: r.Name, Description: r.Description, Persona: r.Persona.String(),
		SpecificLocations: list(r.SpecificLocations), Grants: []grantBody{}, Advanced: []string{},
		Admin: admin(r.Admin), Notifications: list(r.Notifications), DefaultBoard: r.DefaultBoard,
		BoardAccess: list(r.BoardAccess), BoardSubscriptions: list(r.BoardSubscriptions), Version: r.Version,
	}
	for _, g := range r.Grants {
		out.Grants = append(out.Grants, grantBody{list(g.Workflows), list(g.Templates), held(g.Permissions)})
	}
	for _, a := range r.Advanced {
		out.Advanced = append(out.Advanced, a.String())
	}
	return out
}

func held(granted map[authz.Permission]authz.Scope) map[string]any {
	out := map[string]any{}
	for p, s := range granted {
		switch s {
		case authz.NoScope:
		case authz.Yes:
			out[p.String()] = true
		default:
			out[p.String()] = s.String()
		}
	}
	return out
}

func admin(a authz.Admin) adminBody {
	return adminBody{
		Local: administration(a.Local), Global: administration(a.Global), Impersonate: a.Impersonate,
		Roles: a.Roles, Quality: a.Quality, System: a.System, AccessReader: a.AccessReader, ItemWriter: a.ItemWriter,
		Board: a.Board.String(), Card: a.Card.String(), Escalation: a.Escalation.String(),
	}
}

func administration(a *authz.UserAdministration) *administrationBody {
	if a == nil {
		return nil
	}
	out := &administrationBody{Scope: a.Scope.String(), CreateUsers: a.CreateUsers, Grantable: "all"}
	if !a.Grantable.All {
		ids := []string{}
		for _, r := range a.Grantable.Roles {
			ids = append(ids, r.ID)
		}
		out.Grantable = ids
	}
	return out
}

// list is a list that JSON shows as [] when it is empty.
func list(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

type memberBody struct {
	User      string    `json:"user"`
	Name      string    `json:"name"`
	Locations []string  `json:"locations,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Expired   bool      `json:"expired"`
	Since     time.Time `json:"since"`
	By        string    `json:"by"`
}

// Member is a member of a role, and how they hold it.
func Member(m role.Member) any {
	return memberBody{
		User: m.User.ID, Name: m.User.Name, Locations: m.Assignment.Locations, Until: utc(m.Assignment.Until),
		Expired: m.Expired, Since: utc(m.Assignment.Since), By: m.Assignment.By,
	}
}
