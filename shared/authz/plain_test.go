package authz

import (
	"slices"
	"time"
)

// plain is the second implementation: the rules once more, word by word, slow
// and without any preparation. It shares nothing with the first but the types
// of its input, and judges it over random worlds.
type plain struct {
	Policy
	at time.Time
}

// heldRole is a role that a user holds now, with the locations that its scopes
// are measured from.
type heldRole struct {
	Role
	from []string
}

// decide answers in the contract's words: the decision and its reason.
func (p plain) decide(u User, action string, r Resource) (bool, string) {
	switch r.Type {
	case ItemResource:
		return p.decideItem(u, action, r.Item)
	case UserResource:
		return p.decideUser(u, action, r)
	case OrganizationResource:
		return p.decideOrganization(u, action)
	default:
		return p.decideBoard(u, r)
	}
}

// R5 and R14: who holds what, measured from where.
func (p plain) held(u User) []heldRole {
	var held []heldRole
	for _, a := range u.Assignments {
		for _, r := range p.Roles {
			if r.ID != a.Role.ID || r.Birth != a.Role.Birth {
				continue
			}
			if !a.Until.IsZero() && (a.Until.Before(p.at) || a.Until.Equal(p.at)) {
				continue
			}
			from := u.Locations
			if len(a.Locations) > 0 {
				from = nil
				for _, l := range a.Locations {
					if slices.Contains(u.Locations, l) {
						from = append(from, l)
					}
				}
				if len(from) == 0 && len(r.SpecificLocations) == 0 {
					continue
				}
			}
			if len(r.SpecificLocations) > 0 {
				from = r.SpecificLocations
			}
			held = append(held, heldRole{r, from})
		}
	}
	return held
}

// U3: the location and all above it, itself first; none when it does not exist
// or goes round in a circle.
func (p plain) upwards(location string) []string {
	var way []string
	for {
		i := slices.IndexFunc(p.Locations, func(l Location) bool { return l.ID == location })
		if i < 0 {
			return way
		}
		if slices.Contains(way, location) {
			return nil
		}
		way = append(way, location)
		location = p.Locations[i].Parent
	}
}

// R5: is a scope that is measured in the forest met at this location?
func (p plain) scopeMetAt(scope string, from []string, location string) bool {
	way := p.upwards(location)
	for _, f := range from {
		if scope == "only_location" && len(way) > 0 && way[0] == f {
			return true
		}
		if scope == "location_and_below" && slices.Contains(way, f) {
			return true
		}
	}
	return false
}

func (p plain) template(id string) (Template, bool) {
	for _, t := range p.Templates {
		if t.ID == id {
			return t, true
		}
	}
	return Template{}, false
}

// C1: the team roles of each type of team.
var plainTeams = map[string][]string{
	"simple":      {"responsible", "assigner", "author", "collaborator", "follower"},
	"standard":    {"responsible", "assigner", "author", "collaborator", "follower"},
	"advanced":    {"sponsor", "facilitator", "leader", "participant", "author", "follower"},
	"author_only": {"author", "follower"},
}

// C2.
var plainPrimaryEdit = map[string][]string{
	"simple":      {"responsible", "assigner", "author", "collaborator"},
	"standard":    {"responsible", "assigner", "author", "collaborator"},
	"advanced":    {"sponsor", "facilitator", "leader", "author"},
	"author_only": {"author"},
}

// R6, setting team_role.
var plainOnlyUsers = map[string][]string{
	"simple":      {"author", "responsible"},
	"standard":    {"author", "responsible"},
	"advanced":    {"facilitator"},
	"author_only": {"author"},
}

// onTeam is whether the user is in one of these team roles.
func onTeam(u User, it *Item, roles []string) bool {
	for role, users := range it.Team {
		if slices.Contains(roles, role.String()) && slices.Contains(users, u.ID) {
			return true
		}
	}
	return false
}

// R4: which scopes the permissions may have.
var plainAllowed = map[string][]string{
	"participate":    {"yes"},
	"view":           {"everywhere", "location_and_below", "only_location"},
	"view_new":       {"everywhere", "location_and_below", "only_location"},
	"edit":           {"everywhere", "location_and_below", "only_location"},
	"request":        {"everywhere", "location_and_below", "only_location"},
	"assign":         {"everywhere", "location_and_below", "only_location", "only_users"},
	"view_private":   {"everywhere", "location_and_below", "only_location"},
	"toggle_private": {"everywhere", "location_and_below", "only_location", "only_users"},
	"honor_roll":     {"everywhere", "location_and_below", "only_location"},
	"delete":         {"everywhere", "location_and_below", "only_location", "only_users"},
	"escalate":       {"everywhere", "location_and_below", "only_location"},
}

// R10: the scopes of local user administration.
var plainReach = []string{"location_and_below", "only_location"}

// R7: which permissions give this one, itself first.
func givers(permission, teamType string) []string {
	standard := teamType == "standard"
	switch {
	case permission == "view" && standard:
		return []string{"view", "view_new", "assign"}
	case permission == "view":
		return []string{"view", "view_new"}
	case permission == "view_new" && standard:
		return []string{"view_new", "assign"}
	case permission == "edit" && standard:
		return []string{"edit", "assign", "request"}
	default:
		return []string{permission}
	}
}

// permission is whether the user holds the permission on the item in scope, and
// whether at all (R2–R7; R10 for escalate).
func (p plain) permission(u User, permission string, it *Item, t Template) (inScope, anywhere bool) {
	for _, role := range p.held(u) {
		var scopes []string
		for _, giver := range givers(permission, t.TeamType.String()) {
			for _, s := range role.scopes(giver, t) {
				if slices.Contains(plainAllowed[giver], s) {
					scopes = append(scopes, s)
				}
			}
		}
		for _, s := range scopes {
			anywhere = true
			inScope = inScope || p.scopeMet(s, role, u, it, t)
		}
	}
	return inScope, anywhere
}

// scopes are those in which the role itself names the permission (R3).
func (r heldRole) scopes(permission string, t Template) []string {
	if permission == "escalate" {
		return []string{r.Admin.Escalation.String()}
	}
	var scopes []string
	for _, g := range r.Grants {
		if !slices.Contains(g.Templates, t.ID) && !slices.Contains(g.Workflows, t.Workflow) {
			continue
		}
		for name, s := range g.Permissions {
			if name.String() == permission {
				scopes = append(scopes, s.String())
			}
		}
	}
	return scopes
}

// scopeMet is R5 and R6.
func (p plain) scopeMet(scope string, role heldRole, u User, it *Item, t Template) bool {
	switch scope {
	case "yes", "everywhere":
		return true
	case "only_users":
		if p.Settings.OnlyUsers == ByTeamMember {
			return onTeam(u, it, plainTeams[t.TeamType.String()])
		}
		return onTeam(u, it, plainOnlyUsers[t.TeamType.String()])
	default:
		for _, l := range it.Locations {
			if p.scopeMetAt(scope, role.from, l) {
				return true
			}
		}
		return false
	}
}

// decideItem is U2 and C2–C5.
func (p plain) decideItem(u User, action string, it *Item) (bool, string) {
	if it == nil || action != "participate" && it.Status == NoStatus {
		return false, "unknown_resource"
	}
	t, known := p.template(it.Template)
	if !known {
		return false, "unknown_resource"
	}
	member := onTeam(u, it, plainTeams[t.TeamType.String()])
	switch u.Type.String() {
	case "general":
		if action == "participate" {
			return p.byPermission(u, action, it, t)
		}
	case "capture":
		switch {
		case action == "participate":
			return p.byPermission(u, action, it, t)
		case action == "view" && member:
			return true, "team_member"
		default:
			return false, "user_type"
		}
	case "wallboard":
		if action == "view" {
			return p.view(u, it, t, false)
		}
		return false, "user_type"
	case "kiosk":
		if action == "participate" {
			return p.byPermission(u, action, it, t)
		}
		return false, "user_type"
	default:
		return false, "user_type"
	}

	seen, why := p.view(u, it, t, member)
	if !seen || action == "view" {
		return seen, why
	}
	primary := onTeam(u, it, plainPrimaryEdit[t.TeamType.String()])
	if action == "edit" && primary {
		return true, "team_member"
	}
	got, why := p.byPermission(u, action, it, t)
	if !got {
		return false, why
	}
	if slices.Contains([]string{"toggle_private", "delete", "escalate"}, action) {
		edits, _ := p.permission(u, "edit", it, t)
		if !edits && !primary {
			return false, "needs_edit"
		}
	}
	return true, "role_grant"
}

// byPermission is an action that needs the permission of its name.
func (p plain) byPermission(u User, permission string, it *Item, t Template) (bool, string) {
	inScope, anywhere := p.permission(u, permission, it, t)
	switch {
	case inScope:
		return true, "role_grant"
	case anywhere:
		return false, "out_of_scope"
	default:
		return false, "no_grant"
	}
}

// view is C3.
func (p plain) view(u User, it *Item, t Template, member bool) (bool, string) {
	if member {
		return true, "team_member"
	}
	if it.Status.String() == "draft" {
		return false, "draft"
	}
	if it.Private {
		inScope, _ := p.permission(u, "view_private", it, t)
		return inScope, either(inScope, "private")
	}
	if it.Status.String() == "new" {
		inScope, _ := p.permission(u, "view_new", it, t)
		return inScope, either(inScope, "new")
	}
	return p.byPermission(u, "view", it, t)
}

func either(yes bool, no string) string {
	if yes {
		return "role_grant"
	}
	return no
}

// decideUser is C7's actions on users, R10–R12.
func (p plain) decideUser(u User, action string, r Resource) (bool, string) {
	target := r.User
	if target == nil {
		return false, "unknown_resource"
	}
	if (action == "read_user" || action == "change_preferences") && target.ID == u.ID {
		return true, ""
	}
	var role RoleRef
	if action == "grant_role" || action == "revoke_role" {
		i := slices.IndexFunc(p.Roles, func(o Role) bool { return o.ID == r.Role })
		if i < 0 {
			return false, "unknown_resource"
		}
		role = p.Roles[i].RoleRef
	}
	if u.Type != General {
		return false, "user_type"
	}
	if action == "create_user" {
		return p.creates(u, target.Locations)
	}
	var given []string
	if action == "place_user" {
		given = r.Locations
	}
	var held, reaching, granting, impersonating bool
	for _, h := range p.held(u) {
		impersonating = impersonating || h.Admin.Impersonate
		if g := h.Admin.Global; g != nil {
			held, reaching = true, true
			granting = granting || g.Grantable.All || slices.Contains(g.Grantable.Roles, role)
		}
		if l := h.Admin.Local; l != nil && slices.Contains(plainReach, l.Scope.String()) {
			held = true
			if p.reached(*l, h.from, target) && p.inside(*l, h.from, given) {
				reaching = true
				granting = granting || l.Grantable.All || slices.Contains(l.Grantable.Roles, role)
			}
		}
	}
	switch {
	case !held, action == "impersonate" && !impersonating:
		return false, "no_grant"
	case !reaching:
		return false, "out_of_scope"
	case role.ID != "" && !granting:
		return false, "not_grantable"
	default:
		return true, "role_grant"
	}
}

// creates is R12 for a user who is to be: create_users, and all locations inside
// the reach of that very permission.
func (p plain) creates(u User, locations []string) (bool, string) {
	held := false
	for _, h := range p.held(u) {
		if g := h.Admin.Global; g != nil && g.CreateUsers {
			return true, "role_grant"
		}
		if l := h.Admin.Local; l != nil && slices.Contains(plainReach, l.Scope.String()) && l.CreateUsers {
			held = true
			if len(locations) > 0 && p.inside(*l, h.from, locations) {
				return true, "role_grant"
			}
		}
	}
	if held {
		return false, "out_of_scope"
	}
	return false, "no_grant"
}

// inside is whether a local administrator's reach has all of the locations.
func (p plain) inside(l UserAdministration, from []string, locations []string) bool {
	for _, location := range locations {
		if !p.scopeMetAt(l.Scope.String(), from, location) {
			return false
		}
	}
	return true
}

// reached is R11 for a local administrator.
func (p plain) reached(l UserAdministration, from []string, target *User) bool {
	inside := 0
	for _, location := range target.Locations {
		if p.scopeMetAt(l.Scope.String(), from, location) {
			inside++
		}
	}
	if p.Settings.LocalReach == ReachAny {
		return inside > 0
	}
	return inside > 0 && inside == len(target.Locations)
}

// decideOrganization is C7's actions on the organization.
func (p plain) decideOrganization(u User, action string) (bool, string) {
	if action == "sign_in" {
		if slices.Contains([]string{"general", "capture", "wallboard"}, u.Type.String()) {
			return true, ""
		}
		return false, "user_type"
	}
	if u.Type != General {
		return false, "user_type"
	}
	for _, h := range p.held(u) {
		if slices.Contains(h.organizationRights(), action) {
			return true, "role_grant"
		}
	}
	return false, "no_grant"
}

// organizationRights are the words of what the role gives on the organization.
func (r heldRole) organizationRights() []string {
	var rights []string
	for _, a := range r.Advanced {
		rights = append(rights, a.String())
	}
	has := func(held bool, gives ...string) {
		if held {
			rights = append(append(rights, gives...), "read_administration")
		}
	}
	a := r.Admin
	has(a.Global != nil, "global_user_administrator", "administer_some_users")
	local := a.Local != nil && slices.Contains(plainReach, a.Local.Scope.String())
	has(local, "administer_some_users")
	has(a.Global != nil && a.Global.CreateUsers, "create_users")
	has(local && a.Local.CreateUsers, "create_users")
	has(a.Impersonate)
	has(a.Roles, "role_administrator")
	has(a.Quality, "quality_administrator", "read_items", "record_items")
	has(a.System, "system_administrator")
	has(a.AccessReader, "access_reader", "read_items")
	has(a.ItemWriter, "item_writer", "read_items", "record_items")
	for _, placed := range []Scope{a.Board, a.Card, a.Escalation} {
		has(slices.Contains(plainAllowed["view"], placed.String()))
	}
	return rights
}

// decideBoard is C7's administration of boards and cards.
func (p plain) decideBoard(u User, r Resource) (bool, string) {
	if u.Type != General {
		return false, "user_type"
	}
	held := false
	for _, h := range p.held(u) {
		scope := h.Admin.Board.String()
		if r.Type == CardResource {
			scope = h.Admin.Card.String()
		}
		if !slices.Contains(plainAllowed["view"], scope) {
			continue
		}
		held = true
		if scope == "everywhere" {
			return true, "role_grant"
		}
		for _, l := range r.Locations {
			if p.scopeMetAt(scope, h.from, l) {
				return true, "role_grant"
			}
		}
	}
	if held {
		return false, "out_of_scope"
	}
	return false, "no_grant"
}
