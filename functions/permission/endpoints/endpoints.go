// Package endpoints is the calls of the permission function: the OpenID
// AuthZEN Authorization API 1.0, its evaluations and its searches, and the
// document that says where they are.
//
// It decides the form of these calls' requests and answers; who may ask what,
// and what the answer is, is decided by packages permission and authz. Where
// contract and standard leave it open:
//
//   - A fault inside one of several evaluations is that evaluation's: it is
//     answered with decision false, reason "malformed" and an error, and a list
//     that stops at a denial stops there. A fault of the rest is one of the
//     whole request: 400.
//   - A default replaces a missing subject, action, resource or context whole;
//     their members are not merged.
//   - An item's resource.properties carry its facts when any of the facts'
//     names is among them; otherwise they are unknown members, ignored.
//     grant_role and revoke_role need resource.properties.role.
//   - An id of something that this service knows the type of has the
//     contract's alphabet; of other types it is any text.
//   - A content type other than application/json is refused, none at all is
//     taken for it.
//   - A search ignores the id of what it searches, whatever it is, and of a
//     resource that it searches all properties but the role: what is stored has
//     its own facts.
//   - A search is not in the log of decisions: it refuses nobody anything.
//   - A limit of a page is the most that is wanted: more than 500 is taken as
//     500, and 0 finds nothing and says whether anything follows where it was.
//   - A token is sealed. It holds caller, session, search (subject, action,
//     resource, context and the page's properties, as they mean and not as they
//     are written) and limit, which may be left out beside it, as in the
//     standard's own example.
//   - context.explain true adds context.explanation: of a yes its paths, of a no
//     what is missing and the changes that would turn it, with all of it as
//     sentences. Other members of a context are the asker's own and ignored, but
//     not within context.hypothetical, where a typo would ask another question.
package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

const (
	discoveryRoute   = "GET /.well-known/authzen-configuration"
	evaluationRoute  = "POST /access/v1/evaluation"
	evaluationsRoute = "POST /access/v1/evaluations"
)

// New is the permission function.
func New(deps api.Deps, store permission.Store) *api.Function {
	log := decisionLog{deps.Log}
	return api.New("permission", deps,
		api.Public(discoveryRoute, discover),
		evaluate(evaluationRoute, decodeOne, log).Bind(),
		evaluate(evaluationsRoute, decodeSeveral, log).Bind(),
		search(subjectsRoute, permission.Subjects, store).Bind(),
		search(resourcesRoute, permission.Resources, store).Bind(),
		search(actionsRoute, permission.Actions, store).Bind())
}

// asking is the questions of a request.
type asking struct {
	questions []permission.Question
	semantic  permission.Semantic
	// several: answered as a list, even if it is of one.
	several bool
}

// evaluate answers questions to anybody who is signed in; about whom they may
// ask is decided question by question. In a read_only session it only looks.
func evaluate(route string, decode func(*api.Request) (asking, error), log decisionLog) api.Endpoint[asking] {
	return api.Endpoint[asking]{
		Route:    route,
		Action:   authz.SignIn,
		ReadOnly: true,
		Open:     true,
		Decode:   decode,
		Needs:    func(in asking) directory.Keys { return permission.Needs(in.questions) },
		Do: func(ctx context.Context, c directory.Caller, in asking) (api.Response, error) {
			answers := permission.Ask(c, in.questions, in.semantic)
			log.tell(ctx, c, in.questions, answers)
			return api.Response{Status: http.StatusOK, Body: in.answer(answers)}, nil
		},
	}
}

// answer is the body that tells the answers.
func (in asking) answer(answers []permission.Answer) any {
	decisions := make([]decision, len(answers))
	for i, a := range answers {
		decisions[i] = told(in.questions[i], a)
	}
	if !in.several {
		return decisions[0]
	}
	return map[string]any{"evaluations": decisions}
}

// decision is AuthZEN's Decision.
type decision struct {
	Decision bool           `json:"decision"`
	Context  decisionReason `json:"context"`
}

type decisionReason struct {
	Reason      string         `json:"reason"`
	Explanation *explanation   `json:"explanation,omitempty"`
	Error       *decisionError `json:"error,omitempty"`
}

// decisionError is why an evaluation has no answer.
type decisionError struct {
	Status  int               `json:"status"`
	Message string            `json:"message"`
	Errors  []malformedMember `json:"errors"`
}

type malformedMember struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// malformed is the code of what is no well-formed request.
const malformed = "malformed"

func told(q permission.Question, a permission.Answer) decision {
	if len(a.Faults) == 0 {
		return decision{a.Allowed, decisionReason{Reason: a.Reason.String(), Explanation: explained(q, a.Explanation)}}
	}
	e := &decisionError{Status: http.StatusBadRequest, Message: a.Faults[0].Detail}
	for _, f := range a.Faults {
		e.Errors = append(e.Errors, malformedMember(f))
	}
	return decision{Context: decisionReason{Reason: malformed, Error: e}}
}
