package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// comparing asks for a part of the list of mismatches.
type comparing struct {
	filter  persona.MismatchFilter
	page    directory.Page
	request *api.Request
}

// mismatches are those of the users within the caller's reach (P7).
func mismatches(matcher *persona.Matcher) api.Endpoint[comparing] {
	return api.Endpoint[comparing]{
		Route:  "GET /v1/persona-mismatches",
		Action: authz.AdministerSomeUsers,
		Decode: decodeComparing,
		Do: func(ctx context.Context, c directory.Caller, in comparing) (api.Response, error) {
			at, err := in.request.Opening(c.Organization, in.page)
			if err != nil {
				return api.Response{}, err
			}
			found, err := matcher.Mismatches(ctx, c, in.filter, at)
			if err != nil {
				return api.Response{}, err
			}
			items, next, err := api.SealedItems(in.request, c.Organization, found.Found, found.Next, found.More,
				mismatchOf, func(m persona.Mismatched) string { return m.User.ID })
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: next}}, err
		},
	}
}

// kinds are the mismatches by their words.
var kinds = body.Vocabulary(persona.MismatchCount)

func decodeComparing(r *api.Request) (comparing, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) comparing {
		in := comparing{page: o.Page(r.Limit), request: r}
		in.filter.Users, in.filter.Mismatch = o.Place(), body.Word(o, "kind", kinds)
		in.filter.Users.Persona, in.filter.Users.ByPersona = o.Persona("persona"), o.Has("persona")
		return in
	})
}

type mismatchBody struct {
	User    string      `json:"user"`
	Name    string      `json:"name"`
	Persona string      `json:"persona"`
	Kind    string      `json:"kind"`
	Roles   []meantBody `json:"roles"`
	Reason  string      `json:"reason"`
	Resolve []wayBody   `json:"resolve"`
}

type meantBody struct {
	Role    string `json:"role"`
	Persona string `json:"persona"`
}

type wayBody struct {
	Steps    []stepBody `json:"steps"`
	Sentence string     `json:"sentence"`
}

// stepBody is a step with what it is of: a role, or a persona; none clears it.
type stepBody struct {
	Kind    string `json:"kind"`
	Role    string `json:"role,omitempty"`
	Persona string `json:"persona,omitempty"`
}

func mismatchOf(m persona.Mismatched) any {
	out := mismatchBody{
		User: m.User.ID, Name: m.User.Name, Persona: m.User.Persona.String(), Kind: m.Mismatch.String(),
		Roles: []meantBody{}, Reason: m.Reason, Resolve: []wayBody{},
	}
	for _, r := range m.Roles {
		out.Roles = append(out.Roles, meantBody{r.ID, r.Persona.String()})
	}
	for _, w := range m.Ways {
		out.Resolve = append(out.Resolve, wayOf(w))
	}
	return out
}

func wayOf(w persona.Way) wayBody {
	out := wayBody{Sentence: w.Sentence}
	for _, s := range w.Steps {
		step := stepBody{Kind: s.Deed.String(), Role: s.Role}
		if s.Deed == persona.ChangePersona {
			step.Persona = persona.Word(s.Persona)
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}
