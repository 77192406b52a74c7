package endpoints

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// reconcile holds the counts against the users and, if asked, sets right what
// drifted (P8). A call that may mend is a write, so a read_only session is
// refused either way (I6).
func reconcile(reconciler *persona.Reconciler) api.Endpoint[bool] {
	return api.Endpoint[bool]{
		Route:  "POST /v1/persona-reconciliations",
		Action: authz.AdministerSystem,
		Decode: func(r *api.Request) (bool, error) {
			if len(bytes.TrimSpace(r.Body)) == 0 {
				return false, nil
			}
			return body.Read(r.Body, func(o *body.Object) bool { return o.Bool("mend") })
		},
		Do: func(ctx context.Context, c directory.Caller, mend bool) (api.Response, error) {
			found, err := reconciler.Reconcile(ctx, c, mend)
			return api.Response{Status: http.StatusOK, Body: reconciliationOf(found)}, err
		},
	}
}

// reconciliationBody tells of the first mostDrifts numbers; More is how many
// there are besides.
type reconciliationBody struct {
	At        time.Time   `json:"at"`
	Users     int         `json:"users"`
	Sets      int         `json:"sets"`
	Drift     int         `json:"drift"`
	Unsettled int         `json:"unsettled"`
	Mended    int         `json:"mended"`
	Items     []driftBody `json:"items"`
	More      int         `json:"more"`
}

// driftBody is one number of a set's counter that the users make another. Day is
// of those who are active alone.
type driftBody struct {
	Locations []string `json:"locations"`
	Persona   string   `json:"persona"`
	What      string   `json:"what"`
	Day       string   `json:"day,omitempty"`
	Counted   int      `json:"counted"`
	Found     int      `json:"found"`
}

const mostDrifts = 100

func reconciliationOf(r persona.Reconciliation) reconciliationBody {
	out := reconciliationBody{
		At: r.At.UTC(), Users: r.Users, Sets: r.Sets, Drift: r.Drift(), Unsettled: r.Unsettled, Mended: r.Mended, Items: []driftBody{},
	}
	for _, s := range r.Strayed {
		for _, d := range s.Drifts[:min(len(s.Drifts), mostDrifts-len(out.Items))] {
			item := driftBody{Locations: s.Count.Locations, Persona: persona.Word(d.Persona), What: d.Measure.String(), Counted: d.Counted, Found: d.Found}
			if d.Measure == persona.Active {
				item.Day = d.Day.String()
			}
			out.Items = append(out.Items, item)
		}
	}
	out.More = out.Drift - len(out.Items)
	return out
}
