package endpoints

import (
	"context"
	"encoding/json"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// change gives and takes many roles. Each row is decided by itself (R12); who
// administers nobody at all is refused the whole.
func change(roles *role.Service) api.Endpoint[[]role.Row] {
	return api.Endpoint[[]role.Row]{
		Route:   "POST /v1/role-changes",
		Action:  authz.AdministerSomeUsers,
		Creates: true,
		Decode:  func(r *api.Request) ([]role.Row, error) { return body.Read(r.Body, body.ReadRoleChanges) },
		Do: func(ctx context.Context, c directory.Caller, rows []role.Row) (api.Response, error) {
			units, err := roles.ChangeAll(ctx, c, rows, encodeOutcomes)
			if err != nil {
				return api.Response{}, err
			}
			results, err := inOrder(units, len(rows))
			return api.Response{Status: http.StatusOK, Body: changedBody{results}}, err
		},
	}
}

// changedBody is what became of each row, in the rows' order.
type changedBody struct {
	Results []json.RawMessage `json:"results"`
}

// outcomeBody is what became of one row: a result or a problem.
type outcomeBody struct {
	User    string `json:"user"`
	Role    string `json:"role"`
	Result  string `json:"result,omitempty"`
	Problem any    `json:"problem,omitempty"`
}

// placed is a row's outcome as it is kept, with its place in the request.
type placed struct {
	Place   int             `json:"place"`
	Outcome json.RawMessage `json:"outcome"`
}

func encodeOutcomes(outcomes []role.Outcome) []byte {
	kept := make([]placed, len(outcomes))
	for i, o := range outcomes {
		text, _ := json.Marshal(outcomeOf(o)) // text alone always marshals
		kept[i] = placed{o.Row.Place, text}
	}
	text, _ := json.Marshal(kept)
	return text
}

func outcomeOf(o role.Outcome) outcomeBody {
	out := outcomeBody{User: o.Row.User, Role: o.Row.Role}
	if o.Err == nil {
		out.Result = o.Result.String()
		return out
	}
	f := *fault.Of(o.Err)
	problems := make([]fault.Problem, len(f.Problems))
	for i, p := range f.Problems {
		problems[i] = fault.Problem{Pointer: body.RowPointer(o.Row.Place, p.Pointer), Detail: p.Detail}
	}
	f.Problems = problems
	out.Problem = api.Problem(&f)
	return out
}

// inOrder puts the outcomes of all units in the order of the request's rows.
func inOrder(units [][]byte, rows int) ([]json.RawMessage, error) {
	results := make([]json.RawMessage, rows)
	for _, unit := range units {
		var kept []placed
		if err := json.Unmarshal(unit, &kept); err != nil {
			return nil, fault.Wrap(fault.Internal, "answer", err)
		}
		for _, p := range kept {
			results[p.Place] = p.Outcome
		}
	}
	return results, nil
}
