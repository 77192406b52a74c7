package body

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/role"
)

// rightBody is one row of somebody's access (contract "Roles"). Where says the
// scope in words, with the names of the locations.
type rightBody struct {
	Permission  string       `json:"permission"`
	Workflow    string       `json:"workflow,omitempty"`
	Template    string       `json:"template,omitempty"`
	Scope       string       `json:"scope"`
	Locations   []string     `json:"locations,omitempty"`
	Where       string       `json:"where,omitempty"`
	CreateUsers *bool        `json:"createUsers,omitempty"`
	Grantable   any          `json:"grantableRoles,omitempty"`
	From        []sourceBody `json:"from"`
}

// sourceBody is what gives a right; Implies is the permission of the grant that
// implies it (R7).
type sourceBody struct {
	Role    string `json:"role"`
	Grant   *int   `json:"grant,omitempty"`
	Implies string `json:"implies,omitempty"`
}

// rights are rows of access, with names by the model.
func rights(m *authz.Model, all []authz.Right) []rightBody {
	out := make([]rightBody, len(all))
	for i, r := range all {
		out[i] = rightBody{
			Permission: r.Permission, Workflow: r.Workflow, Template: r.Template, Scope: r.Where(),
			Locations: r.Locations, Where: m.WherePhrase(r), From: sources(r.From),
		}
		if users := administration(r.Users); users != nil {
			out[i].CreateUsers, out[i].Grantable = &users.CreateUsers, users.Grantable
		}
	}
	return out
}

func sources(from []authz.Source) []sourceBody {
	out := make([]sourceBody, len(from))
	for i, s := range from {
		out[i] = sourceBody{Role: s.Role, Implies: s.ImpliedBy}
		if s.Grant != authz.NotOfGrant {
			out[i].Grant = &from[i].Grant
		}
	}
	return out
}

type accessBody struct {
	Rights             []rightBody `json:"rights"`
	Notifications      []string    `json:"notifications"`
	DefaultBoard       *string     `json:"defaultBoard"`
	BoardAccess        []string    `json:"boardAccess"`
	BoardSubscriptions []string    `json:"boardSubscriptions"`
	Assignments        []heldBody  `json:"assignments"`
}

type heldBody struct {
	Role      string    `json:"role"`
	Locations []string  `json:"locations,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Expired   bool      `json:"expired"`
	Since     time.Time `json:"since"`
	By        string    `json:"by"`
}

// Access is everything that somebody has, with names by the model.
func Access(m *authz.Model, a role.Access) any {
	out := accessBody{
		Rights: rights(m, a.Rights), Notifications: list(a.Notifications), BoardAccess: list(a.BoardAccess),
		BoardSubscriptions: list(a.BoardSubscriptions), Assignments: []heldBody{},
	}
	if a.DefaultBoard != "" {
		out.DefaultBoard = &a.DefaultBoard
	}
	for _, h := range a.Assignments {
		out.Assignments = append(out.Assignments, heldBody{
			Role: h.Role.ID, Locations: h.Locations, Until: utc(h.Until), Expired: h.Expired, Since: utc(h.Since), By: h.By,
		})
	}
	return out
}

// ImpactUsers is how many people a change affects, and whether all were counted.
type ImpactUsers struct {
	Gaining  int  `json:"gaining"`
	Losing   int  `json:"losing"`
	Complete bool `json:"complete"`
}

type affectedBody struct {
	User   string      `json:"user"`
	Gained []rightBody `json:"gained"`
	Lost   []rightBody `json:"lost"`
}

// Affected is what a change does to somebody, with names by the model.
func Affected(m *authz.Model, a role.Affected) any {
	return affectedBody{User: a.User, Gained: rights(m, a.Gained), Lost: rights(m, a.Lost)}
}

type diffBody struct {
	Role           string     `json:"role"`
	Other          string     `json:"other"`
	Verdict        string     `json:"verdict"`
	Cells          []cellBody `json:"cells"`
	Locations      []string   `json:"specificLocations"`
	OtherLocations []string   `json:"otherSpecificLocations"`
}

type cellBody struct {
	Permission string   `json:"permission"`
	Workflow   string   `json:"workflow,omitempty"`
	Template   string   `json:"template,omitempty"`
	Grantable  string   `json:"grantableRole,omitempty"`
	Scopes     []string `json:"scopes"`
	Other      []string `json:"otherScopes"`
	Verdict    string   `json:"verdict"`
}

// Diff is one role beside another.
func Diff(d role.Diff) any {
	out := diffBody{
		Role: d.One.ID, Other: d.Other.ID, Verdict: d.Verdict.String(), Cells: []cellBody{},
		Locations: list(d.One.SpecificLocations), OtherLocations: list(d.Other.SpecificLocations),
	}
	for _, c := range d.Cells {
		out.Cells = append(out.Cells, cellBody{
			Permission: c.Permission, Workflow: c.Workflow, Template: c.Template, Grantable: c.Role,
			Scopes: scopeList(c.Scopes), Other: scopeList(c.Other), Verdict: c.Verdict.String(),
		})
	}
	return out
}

func scopeList(scopes []authz.Scope) []string {
	out := []string{}
	for _, s := range scopes {
		out = append(out, s.String())
	}
	return out
}
