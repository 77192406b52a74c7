package worlds

import (
	"fmt"
	"math/rand/v2"

	"gemba/shared/authz"
)

// located are the scopes that are measured in the forest (R5).
var located = []authz.Scope{authz.OnlyLocation, authz.LocationAndBelow}

// role makes one in eight a role with specific locations (R8), the first the
// full administrator's (R13), of the rest any mixture.
func (s Size) role(n int) authz.Role {
	d := dice("role", n)
	r := authz.Role{RoleRef: ref(n), Name: fmt.Sprintf("Role %d", n)}
	for range 2 + d.IntN(3) {
		r.Grants = append(r.Grants, s.grant(d, n%8 == 5))
	}
	switch {
	case n == 0:
		r.Admin = fullAdministration()
	case n%8 == 5:
		r.SpecificLocations = ids("location", distinct(d, 3, s.Locations))
		r.Admin = s.localAdministration(d, located...)
	default:
		r.Advanced = advanced(d)
		r.Admin = s.localAdministration(d, append([]authz.Scope{authz.Everywhere}, located...)...)
	}
	return r
}

// ref is the reference to a role: births are versions of the policy (R14).
func ref(n int) authz.RoleRef { return authz.RoleRef{ID: id("role", n), Birth: uint64(n) + 1} }

// grant names workflows, templates or both (R3).
func (s Size) grant(d *rand.Rand, specific bool) authz.Grant {
	g := authz.Grant{Permissions: permissions(d, specific)}
	if chance(d, 75) {
		g.Workflows = ids("workflow", distinct(d, 1+s.Workflows/2, s.Workflows))
	}
	if len(g.Workflows) == 0 || chance(d, 50) {
		g.Templates = ids("template", distinct(d, 4, s.Templates))
	}
	return g
}

// frequency is how many of a hundred grants give a permission.
var frequency = [authz.PermissionCount]int{
	authz.Participate: 70, authz.View: 75, authz.ViewNew: 40, authz.Edit: 50, authz.Request: 35, authz.Assign: 35,
	authz.ViewPrivate: 30, authz.TogglePrivate: 30, authz.HonorRoll: 30, authz.Delete: 35,
}

func permissions(d *rand.Rand, specific bool) map[authz.Permission]authz.Scope {
	held := map[authz.Permission]authz.Scope{authz.View: scope(d, authz.View, specific)}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		if chance(d, frequency[p]) {
			held[p] = scope(d, p, specific)
		}
	}
	return held
}

// scope is one that the permission may have (R4, R8), the middle one more often
// than the others.
func scope(d *rand.Rand, p authz.Permission, specific bool) authz.Scope {
	for {
		s := pick(d, authz.Yes, authz.OnlyUsers, authz.OnlyLocation, authz.LocationAndBelow, authz.LocationAndBelow, authz.Everywhere)
		if authz.Allows(p, s) && !(specific && s == authz.Everywhere) {
			return s
		}
	}
}

// advanced has create_item_lists wherever it has share_item_lists (R9).
func advanced(d *rand.Rand) []authz.Advanced {
	var all []authz.Advanced
	for a := authz.NoAdvanced + 1; a < authz.AdvancedCount; a++ {
		if a != authz.ShareItemLists && chance(d, 20) {
			all = append(all, a)
		}
		if a == authz.CreateItemLists && len(all) > 0 && all[len(all)-1] == a && chance(d, 50) {
			all = append(all, authz.ShareItemLists)
		}
	}
	return all
}

func fullAdministration() authz.Admin {
	return authz.Admin{
		Global: &authz.UserAdministration{CreateUsers: true, Grantable: authz.Grantable{All: true}},
		Roles:  true, Quality: true, System: true,
	}
}

// localAdministration is what R8 leaves to roles with specific locations, its
// scopes among those.
func (s Size) localAdministration(d *rand.Rand, scopes ...authz.Scope) authz.Admin {
	var a authz.Admin
	if chance(d, 15) {
		a.Local = &authz.UserAdministration{Scope: pick(d, located...), CreateUsers: chance(d, 50)}
		for _, n := range distinct(d, 4, s.Roles) {
			a.Local.Grantable.Roles = append(a.Local.Grantable.Roles, ref(n))
		}
		a.Impersonate = chance(d, 30)
	}
	for _, permission := range []*authz.Scope{&a.Board, &a.Card, &a.Escalation} {
		if chance(d, 25) {
			*permission = pick(d, scopes...)
		}
	}
	return a
}
