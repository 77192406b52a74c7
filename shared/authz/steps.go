package authz

import (
	"maps"
	"slices"
)

// candidates are the steps that might meet what is lacking, the ways to make one
// and the same change together.
func (s *suggester) candidates(lacking set[Condition]) [][]Step {
	all := s.teamSteps()
	if s.User.Type != General {
		all = append(all, []Step{toGeneral})
	}
	if lacking.has(ByUserType) {
		return all
	}
	for _, id := range slices.Sorted(maps.Keys(s.Model.roles)) {
		all = append(all, s.roleSteps(s.Model.roles[id]))
	}
	all = append(all, s.locationSteps()...)
	return append(all, s.scopeSteps()...)
}

// teamSteps put the subject on the item's team, in each of its team roles.
func (s *suggester) teamSteps() [][]Step {
	it := s.Resource.Item
	if it == nil || s.Resource.Type != ItemResource {
		return nil
	}
	var all [][]Step
	t, _ := s.Model.Template(it.Template)
	on := teamRoles(s.User.ID, it.Team)
	for _, r := range (t.TeamType.team().members &^ on).list() {
		all = append(all, []Step{{Kind: JoinTeam, Team: r, Grant: NotOfGrant}})
	}
	return all
}

// roleSteps assign the role, or widen the assignment that there is: at one of the
// user's locations at which that can help, or without a limit (R5).
func (s *suggester) roleSteps(r *role) []Step {
	gives, anywhere := s.given(r)
	if !gives {
		return nil
	}
	step := Step{Kind: AssignRole, Role: r.ID, Grant: NotOfGrant}
	var limit []string
	if held := s.assignment(r.RoleRef); held != nil {
		step.Kind, limit = WidenAssignment, remaining(held.Locations, s.User.Locations)
		if !held.Over(s.At) {
			step.Until = held.Until
		}
		if len(limit) == 0 && len(held.Locations) == 0 && !held.Over(s.At) {
			return nil
		}
	}
	unlimited := step
	if len(r.SpecificLocations) > 0 || len(s.User.Locations) < 2 {
		return []Step{unlimited}
	}
	var all []Step
	if len(limit) > 0 {
		step.Locations = limit
		all = append(all, step)
	}
	for _, l := range s.User.Locations {
		if !slices.Contains(limit, l) && (anywhere || s.above(l)) {
			step.Locations = append(slices.Clone(limit), l)
			all = append(all, step)
		}
	}
	return append(all, unlimited)
}

// given is whether the role gives something of what the action can need, and
// whether it does so wherever it is measured from.
func (s *suggester) given(r *role) (gives, anywhere bool) {
	var scopes set[Scope]
	switch q := s.Resource; q.Type {
	case ItemResource:
		held := r.items[s.Model.templates.byID[q.Item.Template].number]
		for _, p := range append(s.needed(), escalation) {
			scopes |= held.scopes(p)
		}
	case UserResource:
		scopes = r.admin.administers(s.Model.errand(s.Action, q)) | plainly(s.Action == ImpersonateUser && r.admin.Impersonate)
	case OrganizationResource:
		scopes = plainly(r.gives(s.Action))
	default:
		scopes = setOf(r.admin.placed(q.Type)) &^ setOf(NoScope)
	}
	return !scopes.empty(), scopes.meets(setOf(Yes, OnlyUsers, Everywhere))
}

// above is whether a location is one of those that the question is about, or
// above it (R5).
func (s *suggester) above(location string) bool {
	for _, l := range s.about() {
		if s.Model.Below(location, l) {
			return true
		}
	}
	return false
}

// assignment is the user's of this very role (R14), nil without one.
func (s *suggester) assignment(r RoleRef) *Assignment {
	for i := range s.User.Assignments {
		if s.User.Assignments[i].Role == r {
			return &s.User.Assignments[i]
		}
	}
	return nil
}

// MostUserLocations bounds the locations of one user (U1).
const MostUserLocations = 25

// locationSteps add to the user's locations one at which the question's resource
// is, or one above it.
func (s *suggester) locationSteps() [][]Step {
	if len(s.User.Locations) >= MostUserLocations {
		return nil
	}
	var all [][]Step
	for _, l := range s.about() {
		if _, known := s.Model.forest.places[l]; known && !slices.Contains(s.User.Locations, l) {
			all = append(all, []Step{{Kind: AddLocation, Locations: []string{l}, Grant: NotOfGrant}})
		}
	}
	return all
}

// about is the locations that scopes are measured against, and of a user those
// above, too: one reach has to cover all of a user's (R11).
func (s *suggester) about() []string {
	switch r := s.Resource; {
	case r.Type == ItemResource:
		return r.Item.Locations
	case r.Type == UserResource:
		return s.Model.upwards(slices.Concat(r.User.Locations, r.Locations))
	default:
		return r.Locations
	}
}

// upwards is the locations and all above them, each once.
func (m *Model) upwards(locations []string) []string {
	var all []string
	for _, l := range locations {
		for _, up := range m.Above(l) {
			if !slices.Contains(all, up) {
				all = append(all, up)
			}
		}
	}
	return all
}

// scopeSteps give a role that the subject holds a wider scope: in a grant that
// covers the item's template, or for an admin permission that it has already.
func (s *suggester) scopeSteps() [][]Step {
	var all [][]Step
	for _, h := range (explainer{Model: s.Model, s: s.before}).heldRoles() {
		switch r := s.Resource; r.Type {
		case ItemResource:
			all = append(all, s.grantSteps(h.role)...)
			all = append(all, h.adminSteps(escalationAdministrator, h.admin.Escalation))
		case BoardResource:
			all = append(all, h.adminSteps(boardAdministrator, h.admin.Board))
		case CardResource:
			all = append(all, h.adminSteps(cardAdministrator, h.admin.Card))
		}
	}
	return all
}

// grantSteps widen each permission that the action can need, in each grant that
// covers the template (R3, R4, R8).
func (s *suggester) grantSteps(r *role) [][]Step {
	var all [][]Step
	t := s.Model.templates.byID[s.Resource.Item.Template]
	for n := range r.Grants {
		if !slices.Contains(s.Model.templates.covered(&r.Grants[n]), t) {
			continue
		}
		for _, p := range s.needed() {
			var variants []Step
			for wider := Yes; wider < ScopeCount; wider++ {
				refused := wider == Everywhere && len(r.SpecificLocations) > 0
				if Allows(p, wider) && Wider(wider, r.Grants[n].Permissions[p]) && !refused {
					variants = append(variants, Step{Kind: WidenScope, Role: r.ID, Grant: n, Permission: p.String(), Scope: wider})
				}
			}
			all = append(all, variants)
		}
	}
	return all
}

// needed is the permissions of grants that the gates of the question's action
// ask for.
func (s *suggester) needed() []Permission {
	rule, it := itemRules[s.Action], s.Resource.Item
	gates := rule.gates
	if !rule.unseen {
		gates = append([]gate{*viewGate(it.Status, it.Private)}, gates...)
	}
	var all []Permission
	for _, g := range gates {
		if g.permission != NoPermission && g.permission != escalation {
			all = append(all, g.permission)
		}
	}
	return all
}

// adminSteps widen an admin permission that the role has (R8, R10).
func (h heldFrom) adminSteps(permission string, held Scope) []Step {
	var variants []Step
	for _, wider := range located.list() {
		refused := wider == Everywhere && len(h.SpecificLocations) > 0
		if held != NoScope && Wider(wider, held) && !refused {
			variants = append(variants, Step{Kind: WidenScope, Role: h.ID, Grant: NotOfGrant, Permission: permission, Scope: wider})
		}
	}
	return variants
}
