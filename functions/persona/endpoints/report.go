package endpoints

import (
	"context"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// report is the live counts against the targets, of the organization or of a
// location and below (P6).
func report(personas *persona.Service) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:  "GET /v1/persona-report",
		Action: authz.ReadAdministration,
		Decode: decodeLocation,
		Do: func(ctx context.Context, c directory.Caller, location string) (api.Response, error) {
			r, err := personas.Report(ctx, c, location)
			if err != nil {
				return api.Response{}, err
			}
			moved, err := personas.Moved(ctx, c, r)
			return api.Response{Status: http.StatusOK, Body: liveBody{bodyOf(r), movedOf(moved)}}, err
		},
	}
}

// decodeLocation reads ?location=; none is the organization.
func decodeLocation(r *api.Request) (string, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) string { return o.ID("location") })
}

type reportBody struct {
	Location *string   `json:"location"`
	At       time.Time `json:"at"`
	Base     int       `json:"base"`
	Personas []rowBody `json:"personas"`
	Groups   []rowBody `json:"groups"`

	Engagement []engagementBody `json:"engagement"`
}

// engagementBody is how many of a persona's people take part.
type engagementBody struct {
	Persona  string `json:"persona"`
	Active7  int    `json:"active7"`
	Active30 int    `json:"active30"`
	OnTeam   int    `json:"onTeam"`
}

// rowBody is a persona's row or a group's; one of the two names is there.
type rowBody struct {
	Persona string     `json:"persona,omitempty"`
	Group   string     `json:"group,omitempty"`
	Count   int        `json:"count"`
	Share   float64    `json:"share"`
	Range   *rangeBody `json:"range"`
	Verdict *string    `json:"verdict"`
	Change  int        `json:"change"`
}

type rangeBody struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

func bodyOf(r persona.Report) reportBody {
	out := reportBody{At: r.At.UTC(), Base: r.Base}
	if r.Location != "" {
		out.Location = &r.Location
	}
	for _, line := range r.Lines() {
		row := rowOf(line.Row, r.Base)
		row.Persona = line.Word
		out.Personas = append(out.Personas, row)
		out.Engagement = append(out.Engagement, engagementBody{line.Word, line.Active7, line.Active30, line.OnTeam})
	}
	for _, line := range r.Groups() {
		row := rowOf(line.Row, r.Base)
		row.Group = line.Word
		out.Groups = append(out.Groups, row)
	}
	return out
}

// rowOf shows a row. The share is for reading only: no verdict comes of it.
func rowOf(r persona.Row, base int) rowBody {
	out := rowBody{Count: r.Count, Change: r.Change}
	if base > 0 {
		out.Share = float64(r.Count) / float64(base)
	}
	if r.Verdict != persona.NoVerdict {
		verdict := r.Verdict.String()
		out.Range, out.Verdict = &rangeBody{r.Range.Min, r.Range.Max}, &verdict
	}
	return out
}
