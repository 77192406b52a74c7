package bench

import (
	"slices"
	"time"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

// Engine answers questions about items for one organization.
type Engine interface {
	// Prepare makes ready what is known of a user and an item beforehand; the
	// answer to an action of that user on that item is then Ask's.
	Prepare(u authz.User, it authz.Item) Prepared
}

// Prepared is a user and an item in an engine's own terms.
type Prepared interface {
	Ask(a authz.Action) (bool, error)
}

// ours is this repository's engine.
type ours struct{ model *authz.Model }

// Ours is the engine of shared/authz.
func Ours(p authz.Policy) Engine { return ours{authz.Compile(p)} }

// Prepare prepares the subject; an item is taken as it is.
func (o ours) Prepare(u authz.User, it authz.Item) Prepared {
	return oursPrepared{o.model, o.model.Subject(u, worlds.Now), &it}
}

type oursPrepared struct {
	model   *authz.Model
	subject authz.Subject
	item    *authz.Item
}

// Ask decides.
func (p oursPrepared) Ask(a authz.Action) (bool, error) {
	return p.model.Decide(p.subject, a, authz.Resource{Type: authz.ItemResource, Item: p.item}).Allowed, nil
}

// holding is a role that a user holds now, and from where its scopes are
// measured (R5).
type holding struct {
	role string
	from []string
}

// holdings are what of a user's assignments counts at a time (R5, R14).
func holdings(roles map[string]authz.Role, u authz.User, at time.Time) []holding {
	var held []holding
	for _, a := range u.Assignments {
		role, ok := roles[a.Role.ID]
		if !ok || role.RoleRef != a.Role || !a.Until.IsZero() && !a.Until.After(at) {
			continue
		}
		from := u.Locations
		switch {
		case len(role.SpecificLocations) > 0:
			from = role.SpecificLocations
		case len(a.Locations) > 0:
			from = slices.DeleteFunc(slices.Clone(a.Locations), func(l string) bool { return !slices.Contains(u.Locations, l) })
			if len(from) == 0 {
				continue
			}
		}
		held = append(held, holding{role.ID, from})
	}
	return held
}

// rolesByID are a policy's roles.
func rolesByID(p authz.Policy) map[string]authz.Role {
	roles := make(map[string]authz.Role, len(p.Roles))
	for _, r := range p.Roles {
		roles[r.ID] = r
	}
	return roles
}

// escalate is the word of escalation_administrator where permissions stand
// (R10).
const escalate = "escalate"

// implied are the permissions that one gives, itself first, on teams of
// Standard type and on others (R7).
func implied(p authz.Permission, standard bool) []authz.Permission {
	switch {
	case p == authz.ViewNew:
		return []authz.Permission{authz.ViewNew, authz.View}
	case p == authz.Assign && standard:
		return []authz.Permission{authz.Assign, authz.ViewNew, authz.View, authz.Edit}
	case p == authz.Request && standard:
		return []authz.Permission{authz.Request, authz.Edit}
	default:
		return []authz.Permission{p}
	}
}

// primaryEditors edit by team role (C2).
var primaryEditors = map[authz.TeamType][]authz.TeamRole{
	authz.Simple:       {authz.Responsible, authz.Assigner, authz.Author, authz.Collaborator},
	authz.Standard:     {authz.Responsible, authz.Assigner, authz.Author, authz.Collaborator},
	authz.AdvancedTeam: {authz.Sponsor, authz.Facilitator, authz.Leader, authz.Author},
	authz.AuthorOnly:   {authz.Author},
}

// onlyUsers are whom only_users means, where the setting is team_role (R6).
var onlyUsers = map[authz.TeamType][]authz.TeamRole{
	authz.Simple:       {authz.Author, authz.Responsible},
	authz.Standard:     {authz.Author, authz.Responsible},
	authz.AdvancedTeam: {authz.Facilitator},
	authz.AuthorOnly:   {authz.Author},
}

// members are all team roles that a team of the type has (C1).
var members = map[authz.TeamType][]authz.TeamRole{
	authz.Simple:       {authz.Responsible, authz.Assigner, authz.Author, authz.Collaborator, authz.Follower},
	authz.Standard:     {authz.Responsible, authz.Assigner, authz.Author, authz.Collaborator, authz.Follower},
	authz.AdvancedTeam: {authz.Sponsor, authz.Facilitator, authz.Leader, authz.Participant, authz.Author, authz.Follower},
	authz.AuthorOnly:   {authz.Author, authz.Follower},
}

// named is whom only_users means under the settings (R6).
func named(s authz.Settings, t authz.TeamType) []authz.TeamRole {
	if s.OnlyUsers == authz.ByTeamMember {
		return members[t]
	}
	return onlyUsers[t]
}
