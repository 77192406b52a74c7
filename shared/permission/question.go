package permission

import (
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Subject is whose rights a question is about.
type Subject struct{ Type, ID string }

// userType is the only type of subject whose rights are known here.
const userType = "user"

// Resource is what a question is about, with what the question itself says
// about it.
type Resource struct {
	Type, ID string
	// Facts are an item's; with them nothing is looked up (C8).
	Facts *authz.Item
	// Role is the one to be granted to or revoked from a user (C7).
	Role string
	// Locations are a board's or card's (C7).
	Locations []string
}

// Hypothetical is what a subject is taken to have instead: roles, and locations.
// What is nil stays as it is; what is empty is none.
type Hypothetical struct {
	Roles     []HeldRole
	Locations []string
}

// HeldRole is a role as somebody would hold it, limited to Locations when there
// are some (R5), over from Until on when that is not zero.
type HeldRole struct {
	Role      string
	Locations []string
	Until     time.Time
}

// Question is one question in the asker's words, which may be unknown here.
type Question struct {
	Subject  Subject
	Action   string
	Resource Resource
	// Explain asks for the reasoning, too.
	Explain bool
	// Hypothetical, when not nil, is taken for what the subject has.
	Hypothetical *Hypothetical
	// Faults are what is malformed in it; then it has no answer but these.
	Faults []fault.Problem
}

// Answer is the decision on a question, or the question's faults. Explanation is
// nil unless it was asked for.
type Answer struct {
	authz.Decision
	Explanation *Explanation
	Faults      []fault.Problem
}

// Needs is what must be read to answer the questions.
func Needs(questions []Question) directory.Keys {
	var keys directory.Keys
	for _, q := range questions {
		if len(q.Faults) > 0 {
			continue
		}
		if q.Subject.Type == userType {
			keys.Users = append(keys.Users, q.Subject.ID)
		}
		switch kind, _ := authz.ParseResourceType(q.Resource.Type); {
		case kind == authz.UserResource:
			keys.Users = append(keys.Users, q.Resource.ID)
		case kind == authz.ItemResource && q.Resource.Facts == nil:
			keys.Items = append(keys.Items, q.Resource.ID)
		}
	}
	return keys
}

// Semantic says where a list of questions stops.
type Semantic uint8

// The semantics of AuthZEN's evaluations. The zero value is the default.
const (
	ExecuteAll Semantic = iota
	DenyOnFirstDeny
	PermitOnFirstPermit
	SemanticCount
)

var semanticNames = [SemanticCount]string{"execute_all", "deny_on_first_deny", "permit_on_first_permit"}

// String is the semantic's word.
func (s Semantic) String() string {
	if s < SemanticCount {
		return semanticNames[s]
	}
	return ""
}

// stops is whether an answer is the last one.
func (s Semantic) stops(a Answer) bool {
	return s == DenyOnFirstDeny && !a.Allowed || s == PermitOnFirstPermit && a.Allowed
}
