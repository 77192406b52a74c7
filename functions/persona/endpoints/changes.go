package endpoints

import (
	"context"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// change labels many people. Each row is decided by itself (P2); who administers
// nobody at all is refused the whole.
func change(personas *persona.Service) api.Endpoint[[]persona.Labelling] {
	return api.Endpoint[[]persona.Labelling]{
		Route:   "POST /v1/persona-changes",
		Action:  authz.AdministerSomeUsers,
		Creates: true,
		Decode:  func(r *api.Request) ([]persona.Labelling, error) { return body.Read(r.Body, body.ReadPersonaChanges) },
		Do: func(ctx context.Context, c directory.Caller, rows []persona.Labelling) (api.Response, error) {
			units, err := personas.ChangeAll(ctx, c, rows, encodeLabelled)
			if err != nil {
				return api.Response{}, err
			}
			return api.RowsOf(units, len(rows))
		},
	}
}

// labelledBody is what became of one row: a result or a problem. Persona is the
// word of what was asked for, null for none.
type labelledBody struct {
	User    string  `json:"user"`
	Persona *string `json:"persona"`
	Result  string  `json:"result,omitempty"`
	Problem any     `json:"problem,omitempty"`
}

func encodeLabelled(rows []persona.Labelled) []byte {
	return api.KeepRows(rows, func(o persona.Labelled) (int, any) {
		out := labelledBody{User: o.Row.User, Persona: body.Persona(o.Row.Persona), Problem: api.RowProblem(o.Row.Place, o.Err)}
		if o.Err == nil {
			out.Result = o.Result.String()
		}
		return o.Row.Place, out
	})
}
