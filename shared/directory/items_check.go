package directory

import (
	"context"
	"slices"
	"strconv"

	"gemba/shared/authz"
	"gemba/shared/fault"
)

// check is every rule that an item breaks: what it names exists, and its
// template's team type has its team roles (C1).
func (s *Items) check(ctx context.Context, c Caller, before, after Item) ([]fault.Problem, error) {
	var problems []fault.Problem
	note := func(pointer, detail string) {
		problems = append(problems, fault.Problem{Pointer: pointer, Detail: detail})
	}
	if after.Version != 0 && after.Version != before.Version {
		note("/version", "The version is given by the service and cannot be changed.")
	}
	if !namesTemplate(c.Model, after.Template, before) {
		note("/template", "There is no template "+after.Template+".")
	}
	for i, l := range after.Locations {
		if !namesLocation(c.Model, l, before) {
			note("/locations/"+strconv.Itoa(i), "There is no location "+l+".")
		}
	}
	template, _ := c.Model.Template(after.Template)
	for r := authz.NoTeamRole + 1; r < authz.TeamRoleCount; r++ {
		if len(after.Team[r]) > 0 && template.TeamType != authz.NoTeamType && !template.TeamType.Has(r) {
			note("/team/"+r.String(), "A team of the type "+template.TeamType.String()+" has no "+r.String()+".")
		}
	}
	people, err := s.checkTeam(ctx, c, before, after)
	return append(problems, people...), err
}

// namesTemplate and namesLocation tell whether an item may name a part of the
// policy, which it named before or not (U3). The write is held to the version
// of this policy.
func namesTemplate(m *authz.Model, id string, _ Item) bool {
	_, exists := m.Template(id)
	return exists
}

func namesLocation(m *authz.Model, id string, _ Item) bool {
	_, exists := m.Location(id)
	return exists
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
