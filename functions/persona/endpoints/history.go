package endpoints

import (
	"context"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// lookingBack asks for a part of the changes of somebody's persona. Where a page
// ends can be at an entry that is not shown, so its cursor is sealed (T4).
type lookingBack struct {
	user    string
	page    directory.Page
	request *api.Request
}

// history is how somebody's persona changed, to oneself and to an administrator
// of the user.
func history(personas *persona.Service) api.Endpoint[lookingBack] {
	return api.Endpoint[lookingBack]{
		Route:  "GET /v1/users/{id}/persona-history",
		Action: authz.ReadUser,
		Decode: func(r *api.Request) (lookingBack, error) {
			id, err := r.PathID("id")
			if err != nil {
				return lookingBack{}, err
			}
			return body.ReadQuery(r.Parameters(), func(o *body.Object) lookingBack {
				return lookingBack{user: id, page: o.Page(r.Limit), request: r}
			})
		},
		Needs:  func(in lookingBack) directory.Keys { return directory.Keys{Users: []string{in.user}} },
		Target: func(c directory.Caller, in lookingBack) authz.Resource { return c.UserTarget(in.user) },
		Do: func(ctx context.Context, c directory.Caller, in lookingBack) (api.Response, error) {
			at, err := in.request.Opening(c.Organization, in.page)
			if err != nil {
				return api.Response{}, err
			}
			found, end, err := personas.History(ctx, c, in.user, at)
			if err != nil {
				return api.Response{}, err
			}
			return api.SealedPage(in.request, c.Organization, found, end, relabellingOf, func(r persona.Relabelling) string { return r.ID })
		},
	}
}

// relabellingBody is a change as the contract has it. Whom the operator's command
// is told as has no id.
type relabellingBody struct {
	ID           string      `json:"id"`
	At           time.Time   `json:"at"`
	From         *string     `json:"from"`
	To           *string     `json:"to"`
	By           body.Named  `json:"by"`
	Impersonator *body.Named `json:"impersonator"`
}

func relabellingOf(r persona.Relabelling) any {
	out := relabellingBody{ID: r.ID, At: r.At.UTC(), From: body.Persona(r.From), To: body.Persona(r.To), By: body.Named(r.By)}
	if r.Impersonator != (timeline.Person{}) {
		impersonator := body.Named(r.Impersonator)
		out.Impersonator = &impersonator
	}
	return out
}
