package directory

import (
	"context"
	"strconv"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// OrganizationChange is the organization's next state with what it replaces.
type OrganizationChange struct {
	Before, After Organization
	Entry         timeline.Entry
}

// OrganizationStore is what the use case needs of storage. Errors: Unavailable,
// Conflict (fault.IsRaced when the basis changed).
type OrganizationStore interface {
	PutOrganization(ctx context.Context, basis Basis, change OrganizationChange) error
}

// Organizations is the use case of the organization and its settings.
type Organizations struct{ store OrganizationStore }

// NewOrganizations is the use case over its store.
func NewOrganizations(store OrganizationStore) *Organizations { return &Organizations{store} }

// Put replaces the caller's organization's name and settings; seal and birth
// stay what they are. The caller has read the observers. Errors: Unprocessable
// with every broken rule, Stale, Unconditional.
func (s *Organizations) Put(ctx context.Context, c Caller, wanted Organization, p Precondition) (Organization, error) {
	before := c.Organization
	if err := p.Check(before.Version); err != nil {
		return Organization{}, err
	}
	if err := fault.Faulty(fault.Unprocessable, "invalid_organization", brokenBy(c, wanted)); err != nil {
		return Organization{}, err
	}
	after := before
	after.Name, after.Settings, after.Version = wanted.Name, wanted.Settings, before.Version+1
	entry := c.Entry(timeline.Settings, "edit", timeline.Target{Type: "organization", ID: before.ID})
	entry.Before, entry.After = timeline.Changed(before.values(), after.values())
	if len(entry.Before)+len(entry.After) == 0 {
		return before, nil
	}
	return after, s.store.PutOrganization(ctx, c.Basis(), OrganizationChange{Before: before, After: after, Entry: entry})
}

// brokenBy is what of a next state is not the client's to change, and the
// observers who do not exist.
func brokenBy(c Caller, wanted Organization) []fault.Problem {
	var problems []fault.Problem
	if wanted.ID != "" && wanted.ID != c.Organization.ID {
		problems = append(problems, fault.Problem{Pointer: "/id", Detail: "The id cannot be changed."})
	}
	problems = append(problems, VersionGiven(wanted.Version, c.Organization.Version)...)
	for i, id := range wanted.Settings.Impersonation.Observers {
		if _, ok := c.Users[id]; !ok {
			problems = append(problems, fault.Problem{Pointer: "/settings/impersonation/observers/" + strconv.Itoa(i), Detail: "There is no user " + id + "."})
		}
	}
	return problems
}

// values is the organization as the timeline shows it: its name, and each
// setting by the contract's name.
func (o Organization) values() timeline.Values {
	s := o.Settings
	reach, only := "all", "team_role"
	if s.Authz.LocalReach == authz.ReachAny {
		reach = "any"
	}
	if s.Authz.OnlyUsers == authz.ByTeamMember {
		only = "team_member"
	}
	share := func(s Share) timeline.Values { return timeline.Values{"min": s.Min, "max": s.Max} }
	return timeline.Values{
		"name": o.Name, "onlyUsersRule": only, "localReach": reach,
		"productName": s.ProductName, "decisionLogRate": s.DecisionLogRate,
		"personaTargets": timeline.Values{
			"frontline": share(s.Targets.Frontline), "leader": share(s.Targets.Leader), "executive": share(s.Targets.Executive),
			"ciExperts": timeline.Values{"under": s.Targets.ExpertsUnder},
			"champion":  timeline.Values{"minPeople": s.Targets.Champions.Min, "maxPeople": s.Targets.Champions.Max},
		},
		"impersonation": s.Impersonation.values(),
	}
}

func (s ImpersonationSettings) values() timeline.Values {
	v := timeline.Values{
		"enabled": s.Enabled, "reasonRequired": s.ReasonRequired, "absoluteMinutes": s.AbsoluteMinutes, "receipt": s.Receipt,
	}
	if len(s.Observers) > 0 {
		v["observers"] = s.Observers
	}
	return v
}
