package directory

import (
	"context"
	"slices"
	"strconv"

	"gemba/shared/authz"
	"gemba/shared/fault"
)

// check is every rule that an item breaks: what it names exists, what it comes to
// name is not being deleted (U3; the write is held to this policy's version), and
// its template's team type has its team roles (C1).
func (s *Items) check(ctx context.Context, c Caller, before, after Item) ([]fault.Problem, error) {
	problems := VersionGiven(after.Version, before.Version)
	note := func(pointer, detail string) {
		problems = append(problems, fault.Problem{Pointer: pointer, Detail: detail})
	}
	if !c.Model.NameableTemplate(after.Template, before.Template) {
		note("/template", "There is no template "+after.Template+".")
	}
	for i, l := range after.Locations {
		if !c.Model.NameableLocation(l, before.Locations...) {
			note("/locations/"+strconv.Itoa(i), "There is no location "+l+".")
		}
	}
	template, _ := c.Model.Template(after.Template)
	for r := authz.NoTeamRole + 1; r < authz.TeamRoleCount; r++ {
		if len(after.Team[r]) > 0 && !hasRole(template, r, before, after) {
			note("/team/"+r.String(), "A team of the type "+template.TeamType.String()+" has no "+r.String()+".")
		}
	}
	people, err := s.checkTeam(ctx, c, before, after)
	return append(problems, people...), err
}

// hasRole is whether an item may have users in a team role: one of its template's
// team type (C1), or one that stays from another type that its template had.
func hasRole(t authz.Template, r authz.TeamRole, before, after Item) bool {
	stays := before.Template == after.Template && sameSet(before.Team[r], after.Team[r])
	return t.TeamType == authz.NoTeamType || t.TeamType.Has(r) || stays
}

// checkTeam refuses who is no user. Users are never deleted (U1), so who was on
// the team is one.
func (s *Items) checkTeam(ctx context.Context, c Caller, before, after Item) ([]fault.Problem, error) {
	known := members(before)
	var asked []string
	for id := range members(after) {
		if _, loaded := c.Users[id]; !known[id] && !loaded {
			asked = append(asked, id)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	slices.Sort(asked)
	unknown, err := s.store.Unknown(ctx, c.Organization.ID, asked)
	if err != nil || len(unknown) == 0 {
		return nil, err
	}
	nobody := setOf(unknown)
	var problems []fault.Problem
	for r := authz.NoTeamRole + 1; r < authz.TeamRoleCount; r++ {
		for i, id := range after.Team[r] {
			if nobody[id] {
				problems = append(problems, fault.Problem{Pointer: "/team/" + r.String() + "/" + strconv.Itoa(i), Detail: "There is no user " + id + "."})
			}
		}
	}
	return problems, nil
}

// members are all on an item's team.
func members(i Item) map[string]bool {
	all := map[string]bool{}
	for _, users := range i.Team {
		for _, id := range users {
			all[id] = true
		}
	}
	return all
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
