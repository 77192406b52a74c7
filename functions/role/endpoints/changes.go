package endpoints

import (
	"context"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
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
			return api.RowsOf(units, len(rows))
		},
	}
}

// outcomeBody is what became of one row: a result or a problem.
type outcomeBody struct {
	User    string `json:"user"`
	Role    string `json:"role"`
	Result  string `json:"result,omitempty"`
	Problem any    `json:"problem,omitempty"`
}

func encodeOutcomes(outcomes []role.Outcome) []byte {
	return api.KeepRows(outcomes, func(o role.Outcome) (int, any) {
		out := outcomeBody{User: o.Row.User, Role: o.Row.Role, Problem: api.RowProblem(o.Row.Place, o.Err)}
		if o.Err == nil {
			out.Result = o.Result.String()
		}
		return o.Row.Place, out
	})
}
