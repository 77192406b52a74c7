package role

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

const (
	mostName        = 100
	mostDescription = 2000
	mostNames       = 1000
)

// validation is one role on its way through the rules, with what they found.
type validation struct {
	model    *authz.Model
	before   named
	role     Role
	problems []fault.Problem
}

// named is what a role names already: it may go on naming it while that is
// being deleted (U3).
type named struct{ locations, workflows, templates []string }

func namedBy(r authz.Role) named {
	n := named{locations: r.SpecificLocations}
	for _, g := range r.Grants {
		n.workflows = append(n.workflows, g.Workflows...)
		n.templates = append(n.templates, g.Templates...)
	}
	return n
}

// Validate tells everything in which a well-formed role breaks the rules (R1,
// R3, R4, R8–R10), with pointers into its body; nothing when it may be saved.
// The model says which workflows, templates, locations and roles may be named,
// and what the role of this id names already; a new role is not among them, so
// it cannot yet name itself. That its name is not taken (R1) is the store's to
// say.
func Validate(m *authz.Model, r Role) []fault.Problem {
	before, _ := m.Role(r.ID)
	v := &validation{model: m, before: namedBy(before), role: r}
	v.texts()
	v.sizes()
	v.exist("/specificLocations", "location", r.SpecificLocations, m.NameableLocation, v.before.locations)
	for i, g := range r.Grants {
		v.grant("/grants/"+strconv.Itoa(i), g)
	}
	v.advanced()
	v.administrations()
	v.adminScopes()
	v.specific()
	return v.problems
}

// note adds a problem.
func (v *validation) note(pointer, detail string, words ...any) {
	v.problems = append(v.problems, fault.Problem{Pointer: pointer, Detail: fmt.Sprintf(detail, words...)})
}

// texts holds what people read to its bounds (R1).
func (v *validation) texts() {
	if n := utf8.RuneCountInString(v.role.Name); n > mostName || strings.TrimSpace(v.role.Name) == "" {
		v.note("/name", "A role's name has 1 to %d characters.", mostName)
	}
	if utf8.RuneCountInString(v.role.Description) > mostDescription {
		v.note("/description", "A role's description has at most %d characters.", mostDescription)
	}
	if v.role.Persona >= directory.PersonaCount {
		v.note("/persona", "There is no such persona.")
	}
}

// sizes holds the lists to a bound.
func (v *validation) sizes() {
	for _, list := range []struct {
		pointer string
		size    int
	}{
		{"/specificLocations", len(v.role.SpecificLocations)}, {"/grants", len(v.role.Grants)},
		{"/notifications", len(v.role.Notifications)}, {"/boardAccess", len(v.role.BoardAccess)},
		{"/boardSubscriptions", len(v.role.BoardSubscriptions)},
	} {
		if list.size > mostNames {
			v.note(list.pointer, "A role has at most %d of these.", mostNames)
		}
	}
}

// exist refuses names of what does not exist (R4), or is being deleted and was
// not named before (U3).
func (v *validation) exist(pointer, kind string, ids []string, nameable func(string, ...string) bool, before []string) {
	for i, id := range ids {
		if !nameable(id, before...) {
			v.note(pointer+"/"+strconv.Itoa(i), "There is no %s %s.", kind, id)
		}
	}
}

// grant is R3 and R4.
func (v *validation) grant(pointer string, g authz.Grant) {
	if len(g.Workflows) == 0 && len(g.Templates) == 0 {
		v.note(pointer, "A grant names at least one workflow or template.")
	}
	v.exist(pointer+"/workflows", "workflow", g.Workflows, v.model.NameableWorkflow, v.before.workflows)
	v.exist(pointer+"/templates", "template", g.Templates, v.model.NameableTemplate, v.before.templates)
	for p := authz.NoPermission; p < authz.PermissionCount; p++ {
		if s, held := g.Permissions[p]; held {
			v.scope(pointer+"/permissions/"+p.String(), p, s)
		}
	}
}

// scope is a row of R4's table.
func (v *validation) scope(pointer string, p authz.Permission, s authz.Scope) {
	switch {
	case authz.Allows(p, s):
	case p == authz.Participate:
		v.note(pointer, "participate has no scope: it is true or left out.")
	case s == authz.Yes:
		v.note(pointer, "%s needs a scope: %s.", p, scopesOf(p))
	default:
		v.note(pointer, "%s is not allowed in the scope %s. Allowed are: %s.", p, s, scopesOf(p))
	}
}

// scopesOf are the scopes that a permission may have, in words.
func scopesOf(p authz.Permission) string {
	var words []string
	for s := authz.NoScope; s < authz.ScopeCount; s++ {
		if authz.Allows(p, s) {
			words = append(words, s.String())
		}
	}
	return strings.Join(words, ", ")
}

// advanced is R9: sharing lists is nothing without creating them.
func (v *validation) advanced() {
	for i, a := range v.role.Advanced {
		if needed, needs := advancedNeeds[a]; needs && !slices.Contains(v.role.Advanced, needed) {
			v.note("/advanced/"+strconv.Itoa(i), "%s needs %s in the same role.", a, needed)
		}
	}
}

// administrations is what R10 says of user administration and its options.
func (v *validation) administrations() {
	if a := v.role.Admin.Global; a != nil {
		v.grantable("/admin/globalUserAdministrator", a.Grantable)
	}
	if a := v.role.Admin.Local; a != nil {
		v.grantable("/admin/localUserAdministrator", a.Grantable)
		if !authz.AllowsLocalAdministration(a.Scope) {
			v.note("/admin/localUserAdministrator/scope",
				"A local user administrator's scope is location_and_below or only_location.")
		}
	}
}

// grantable refuses roles that do not exist (R4).
func (v *validation) grantable(pointer string, g authz.Grantable) {
	for i, r := range g.Roles {
		if _, ok := v.model.Role(r.ID); !ok {
			v.note(pointer+"/grantableRoles/"+strconv.Itoa(i), "There is no role %s.", r.ID)
		}
	}
}

// adminScope is an admin permission that is held in a scope (R10).
type adminScope struct {
	member string
	scope  authz.Scope
}

// scoped are the role's.
func (v *validation) scoped() []adminScope {
	a := v.role.Admin
	return []adminScope{
		{"boardAdministrator", a.Board}, {"cardAdministrator", a.Card}, {"escalationAdministrator", a.Escalation},
	}
}

// adminScopes is R10's scopes of boards, cards and escalation.
func (v *validation) adminScopes() {
	for _, held := range v.scoped() {
		if held.scope != authz.NoScope && !authz.AllowsPlaced(held.scope) {
			v.note("/admin/"+held.member, "%s is held everywhere, location_and_below or only_location.", held.member)
		}
	}
}

// specific is R8: what a role with specific locations may not have.
func (v *validation) specific() {
	if len(v.role.SpecificLocations) == 0 {
		return
	}
	for i, g := range v.role.Grants {
		for p := authz.NoPermission; p < authz.PermissionCount; p++ {
			if g.Permissions[p] == authz.Everywhere {
				v.note(fmt.Sprintf("/grants/%d/permissions/%s", i, p), "A role with specific locations has no permission everywhere.")
			}
		}
	}
	for i, a := range v.role.Advanced {
		v.note("/advanced/"+strconv.Itoa(i), "A role with specific locations has no advanced permissions, so not %s.", a)
	}
	for _, held := range v.scoped() {
		if held.scope == authz.Everywhere {
			v.note("/admin/"+held.member, "A role with specific locations is no %s everywhere.", held.member)
		}
	}
	v.organizationWide()
}

// organizationWide refuses the admin permissions that know no locations (R8).
func (v *validation) organizationWide() {
	for _, p := range adminWords {
		if !p.SpecificLocations && p.held(v.role.Admin) {
			v.note("/admin/"+p.Member, "A role with specific locations is no %s: that is of the whole organization.", p.Member)
		}
	}
}

// Limit tells everything in which an assignment's limit breaks R5, with
// pointers into the assignment's body; nothing when there is no limit (nil).
func Limit(r authz.Role, locations, limit []string) []fault.Problem {
	switch {
	case limit == nil:
		return nil
	case len(r.SpecificLocations) > 0:
		return []fault.Problem{{Pointer: "/locations", Detail: "A role with specific locations is not limited to others."}}
	case len(limit) == 0:
		return []fault.Problem{{Pointer: "/locations", Detail: "A limit names at least one location; leave it out for none."}}
	}
	var problems []fault.Problem
	for i, l := range limit {
		if !slices.Contains(locations, l) {
			problems = append(problems, fault.Problem{
				Pointer: "/locations/" + strconv.Itoa(i),
				Detail:  "An assignment is limited to locations that the user has; " + l + " is none.",
			})
		}
	}
	return problems
}
