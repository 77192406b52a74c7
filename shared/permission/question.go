// Package permission is questions and their answers: may a subject do an
// action on a resource?
//
// It decides who may ask about whom, what a question needs to be read, what an
// asker is told of things that they may not know (contract "Permission
// checks", T4, C12), and where a list of questions stops. It refuses to know
// HTTP, the words of AuthZEN's documents and storage; the decision itself is
// package authz's.
//
// Where the rules are silent:
//
//   - Somebody is known to oneself, to who holds access_reader, and to their
//     user administrators. Who is not known to the asker is unknown as the
//     subject of a question and also as the user that it is about.
//   - In a session, one of these rights must be held by both sides (I6): one
//     side's access_reader does not go with the other's user administration.
//   - A draft or private item that the asker may not see answers every no
//     like an item that does not exist (T4), whatever was asked about it; of
//     items that are neither, the reason is told. A yes, which without seeing
//     is to participate alone (C5), stays one. Who may ask about anybody else
//     is told, and so is who brings the facts along.
//   - Who may not read the roles is answered about one that does not exist as
//     about one that may not be granted (T4).
//   - The organization of a question is the asker's own, or unknown.
//   - A hypothetical subject is one of the question alone: who asks, and what
//     they may know, stays as it is. A role that the asker may not know of gives
//     nothing, as one that does not exist: known are all roles to who reads admin
//     data, and to everybody those that the subject holds. Whoever may not ask
//     about others gets no hypothetical answer about a stored item that they do
//     not really see: it would tell its facts, guess by guess.
//   - An answer that hides something (T4) explains nothing; nor does one about a
//     role to be given or taken, to who may not read the roles, nor a yes about a
//     hidden item that is not seen. Suggested is only what the asker may do, both
//     sides of a session (I6), and nothing in a read_only one or about a
//     hypothetical subject. Adding to an item's team is for who may write items.
//     Sentences name locations to who reads admin data, and to everybody the
//     subject's own; others go by their ids.
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
