package endpoints

import (
	"context"
	"net/http"
	"time"

	"gemba/functions/persona/page"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// What the report can be: for programs, for people, for spreadsheets.
const (
	asJSON = "application/json"
	asPage = "text/html"
	asCSV  = "text/csv"
)

// asked is a report of "" or a location, in the form that is preferred.
type asked struct{ location, form string }

// report is the live counts against the targets, of the organization or of a
// location and below (P6).
func report(personas *persona.Service) api.Endpoint[asked] {
	return api.Endpoint[asked]{
		Route:  "GET /v1/persona-report",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (asked, error) {
			location, err := decodeLocation(r)
			return asked{location, r.Preferred(asJSON, asPage, asCSV)}, err
		},
		Do: func(ctx context.Context, c directory.Caller, in asked) (api.Response, error) {
			answer, err := answerAs(ctx, personas, c, in)
			if err != nil {
				return api.Response{}, err
			}
			if answer.Header == nil {
				answer.Header = map[string]string{}
			}
			answer.Header["vary"] = "Accept"
			return answer, nil
		},
	}
}

func answerAs(ctx context.Context, personas *persona.Service, c directory.Caller, in asked) (api.Response, error) {
	if in.form == asJSON {
		return live(ctx, personas, c, in.location)
	}
	o, err := personas.Overview(ctx, c, in.location)
	if err != nil {
		return api.Response{}, err
	}
	if in.form == asCSV {
		return table(o)
	}
	return document(o)
}

// live is the report of now, with what moved since the last audit.
func live(ctx context.Context, personas *persona.Service, c directory.Caller, location string) (api.Response, error) {
	r, err := personas.Report(ctx, c, location)
	if err != nil {
		return api.Response{}, err
	}
	moved, err := personas.Moved(ctx, c, r)
	return api.Response{Status: http.StatusOK, Body: liveBody{bodyOf(r), movedOf(moved)}}, err
}

// document is the page. It may do nothing but show itself.
func document(o persona.Overview) (api.Response, error) {
	r, err := api.WholeText(http.StatusOK, api.Text{Type: asPage + "; charset=utf-8", Bytes: page.HTML(o)})
	r.Header = map[string]string{
		"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"x-content-type-options":  "nosniff",
	}
	return r, err
}

// table is the spreadsheet, which is saved under a name of ids: nothing in it
// needs to be escaped (T5).
func table(o persona.Overview) (api.Response, error) {
	of := o.Organization.ID
	if o.Report.Location != "" {
		of += "-" + o.Report.Location
	}
	r, err := api.WholeText(http.StatusOK, api.Text{Type: asCSV + "; charset=utf-8; header=present", Bytes: page.CSV(o)})
	r.Header = map[string]string{
		"content-disposition":    `attachment; filename="personas-` + of + "-" + directory.DayOf(o.Report.At).String() + `.csv"`,
		"x-content-type-options": "nosniff",
	}
	return r, err
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
