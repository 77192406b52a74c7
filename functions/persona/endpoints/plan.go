package endpoints

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// planning asks for the plan of a population, with a part of the suggestions.
type planning struct {
	location string
	page     directory.Page
	request  *api.Request
}

// plan is the smallest relabelling, or the proof that there is none, and who
// fits (P5, P7).
func plan(matcher *persona.Matcher) api.Endpoint[planning] {
	return api.Endpoint[planning]{
		Route:  "GET /v1/persona-plan",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (planning, error) {
			return body.ReadQuery(r.Parameters(), func(o *body.Object) planning {
				return planning{location: o.ID("location"), page: o.Page(r.Limit), request: r}
			})
		},
		Do: func(ctx context.Context, c directory.Caller, in planning) (api.Response, error) {
			at, err := in.request.Opening(c.Organization, in.page)
			if err != nil {
				return api.Response{}, err
			}
			p, err := matcher.Plan(ctx, c, in.location, at)
			if err != nil {
				return api.Response{}, err
			}
			out := planOf(p, c.Organization.Settings.ProductName)
			out.Suggestions, out.Next, err = api.SealedItems(in.request, c.Organization, p.Suggested, p.Next, p.More,
				suggestionOf, func(s persona.Suggested) string { return s.User.ID })
			return api.Response{Status: http.StatusOK, Body: out}, err
		},
	}
}

type planBody struct {
	Location      *string            `json:"location"`
	At            time.Time          `json:"at"`
	Base          int                `json:"base"`
	People        int                `json:"people"`
	Moves         []moveBody         `json:"moves"`
	Contradiction *contradictionBody `json:"contradiction"`
	Suggestions   []json.RawMessage  `json:"suggestions"`
	Next          string             `json:"next"`
}

// moveBody names personas by the words of reports: those who have none, too.
type moveBody struct {
	From   string `json:"from"`
	To     string `json:"to"`
	People int    `json:"people"`
}

type contradictionBody struct {
	Reason   string       `json:"reason"`
	Targets  []demandBody `json:"targets"`
	Least    int          `json:"least"`
	Base     int          `json:"base"`
	Sentence string       `json:"sentence"`
}

type demandBody struct {
	Persona string `json:"persona"`
	Min     int    `json:"min"`
}

type suggestionBody struct {
	User   string   `json:"user"`
	Name   string   `json:"name"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	Roles  []string `json:"roles"`
	Reason string   `json:"reason"`
}

// planOf shows a plan without its suggestions.
func planOf(p persona.Proposal, product string) planBody {
	out := planBody{At: p.At.UTC(), Base: p.Base, People: p.People, Moves: []moveBody{}, Contradiction: contradictionOf(p.Plan, product)}
	if p.Location != "" {
		out.Location = &p.Location
	}
	for _, m := range p.Moves {
		out.Moves = append(out.Moves, moveBody{persona.Word(m.From), persona.Word(m.To), m.People})
	}
	return out
}

func contradictionOf(p persona.Plan, product string) *contradictionBody {
	if p.Contradiction == nil {
		return nil
	}
	out := &contradictionBody{
		Reason: p.Contradiction.Obstacle.String(), Targets: []demandBody{}, Least: p.Contradiction.Least, Base: p.Base,
		Sentence: p.Contradiction.Sentence(p.Base, product),
	}
	for _, d := range p.Contradiction.Demands {
		out.Targets = append(out.Targets, demandBody{d.Persona.String(), d.Min})
	}
	return out
}

func suggestionOf(s persona.Suggested) any {
	out := suggestionBody{User: s.User.ID, Name: s.User.Name, From: persona.Word(s.From), To: persona.Word(s.To), Roles: []string{}, Reason: s.Reason}
	for _, r := range s.Roles {
		out.Roles = append(out.Roles, r.ID)
	}
	return out
}
