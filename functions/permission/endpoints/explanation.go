package endpoints

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/permission"
)

// explanation is the reasoning behind a decision. What does not apply is left
// out.
type explanation struct {
	Paths            []path    `json:"paths,omitempty"`
	PathsLeftOut     int       `json:"pathsLeftOut,omitempty"`
	Missing          []missing `json:"missing,omitempty"`
	HeldLeftOut      int       `json:"heldLeftOut,omitempty"`
	Sentences        []string  `json:"sentences,omitempty"`
	Changes          []change  `json:"changes,omitempty"`
	ChangesLeftOut   int       `json:"changesLeftOut,omitempty"`
	ChangesNotSought bool      `json:"changesNotSought,omitempty"`
}

// given is what a role gives; grant is the place of the grant in the role.
type given struct {
	Role       string `json:"role,omitempty"`
	Grant      *int   `json:"grant,omitempty"`
	Permission string `json:"permission,omitempty"`
	Implies    string `json:"implies,omitempty"`
	Scope      string `json:"scope,omitempty"`
}

// path is one way in which a condition is met.
type path struct {
	Condition string `json:"condition"`
	TeamRole  string `json:"teamRole,omitempty"`
	given
	LocationHeld string `json:"locationHeld,omitempty"`
	LocationMet  string `json:"locationMet,omitempty"`
}

// missing is a condition that is not met.
type missing struct {
	Condition  string   `json:"condition"`
	Reason     string   `json:"reason"`
	Permission string   `json:"permission,omitempty"`
	TeamRoles  []string `json:"teamRoles,omitempty"`
	Held       []held   `json:"held,omitempty"`
}

// held is what stops short of the resource.
type held struct {
	given
	Locations []string `json:"locations,omitempty"`
	Stops     string   `json:"stops"`
}

// change is steps that would turn the answer together.
type change struct {
	Steps    []step `json:"steps"`
	Gained   int    `json:"gained"`
	Sentence string `json:"sentence"`
}

// step is one change; which members it has goes with its kind.
type step struct {
	Kind       string   `json:"kind"`
	User       string   `json:"user,omitempty"`
	Item       string   `json:"item,omitempty"`
	TeamRole   string   `json:"teamRole,omitempty"`
	Role       string   `json:"role,omitempty"`
	Locations  []string `json:"locations,omitempty"`
	Until      string   `json:"until,omitempty"`
	Type       string   `json:"type,omitempty"`
	Grant      *int     `json:"grant,omitempty"`
	Permission string   `json:"permission,omitempty"`
	Scope      string   `json:"scope,omitempty"`
}

// explained is the answer's reasoning to a question, nil without one.
func explained(q permission.Question, e *permission.Explanation) *explanation {
	if e == nil {
		return nil
	}
	out := &explanation{
		PathsLeftOut: e.PathsLeftOut, HeldLeftOut: e.HeldLeftOut, Sentences: e.Sentences,
		ChangesLeftOut: e.ChangesLeftOut, ChangesNotSought: e.ChangesNotSought,
	}
	for _, p := range e.Paths {
		out.Paths = append(out.Paths, path{p.Condition.String(), p.Team.String(), givenBody(p.Given), p.Held, p.Met})
	}
	for _, m := range e.Missing {
		out.Missing = append(out.Missing, missingBody(m))
	}
	for _, c := range e.Changes {
		b := change{Gained: c.Gained, Sentence: c.Sentence}
		for _, s := range c.Steps {
			b.Steps = append(b.Steps, stepBody(q, s))
		}
		out.Changes = append(out.Changes, b)
	}
	return out
}

func givenBody(g authz.Given) given {
	b := given{Role: g.Role, Permission: g.Permission, Implies: g.Implies, Scope: g.Scope.String()}
	if g.Grant != authz.NotOfGrant {
		b.Grant = &g.Grant
	}
	return b
}

func missingBody(m authz.Missing) missing {
	b := missing{Condition: m.Condition.String(), Reason: m.Reason.String(), Permission: m.Permission}
	for _, r := range m.Team {
		b.TeamRoles = append(b.TeamRoles, r.String())
	}
	for _, h := range m.Held {
		b.Held = append(b.Held, held{givenBody(h.Given), h.Locations, h.Stops.String()})
	}
	return b
}

// stepBody names what the step changes: the user, the item, or the role.
func stepBody(q permission.Question, s authz.Step) step {
	b := step{
		Kind: s.Kind.String(), TeamRole: s.Team.String(), Role: s.Role, Locations: s.Locations,
		Permission: s.Permission, Scope: s.Scope.String(),
	}
	if !s.Until.IsZero() {
		b.Until = s.Until.UTC().Format(time.RFC3339Nano)
	}
	switch s.Kind {
	case authz.WidenScope:
		if s.Grant != authz.NotOfGrant {
			b.Grant = &s.Grant
		}
		return b
	case authz.JoinTeam:
		b.Item = q.Resource.ID
	case authz.ChangeType:
		b.Type = authz.General.String()
	}
	b.User = q.Subject.ID
	return b
}
