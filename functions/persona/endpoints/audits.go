package endpoints

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"time"

	"gemba/functions/metrics"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// auditList is a page of the history of the organization or of a location.
type auditList struct {
	location string
	page     directory.Page
	next     func(string) string
}

// listAudits is the history, the latest audit first (P6).
func listAudits(personas *persona.Service) api.Endpoint[auditList] {
	return api.Endpoint[auditList]{
		Route:  "GET /v1/persona-audits",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (auditList, error) {
			return body.ReadQuery(r.Parameters(), func(o *body.Object) auditList {
				return auditList{location: o.ID("location"), page: o.Page(r.Page), next: r.Next}
			})
		},
		Do: func(ctx context.Context, c directory.Caller, in auditList) (api.Response, error) {
			audits, end, err := personas.Audits(ctx, c, in.location, in.page)
			items := make([]auditBody, len(audits))
			for i, a := range audits {
				items[i] = auditOf(a)
			}
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, err
		},
	}
}

// auditAsked is an audit, and the location that it shall tell of; "" is whatever
// it is of.
type auditAsked struct{ id, location string }

// getAudit is one audit (P6).
func getAudit(personas *persona.Service) api.Endpoint[auditAsked] {
	return api.Endpoint[auditAsked]{
		Route:  "GET /v1/persona-audits/{id}",
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (in auditAsked, err error) {
			if in.id, err = r.PathID("id"); err != nil {
				return in, err
			}
			in.location, err = decodeLocation(r)
			return in, err
		},
		Do: func(ctx context.Context, c directory.Caller, in auditAsked) (api.Response, error) {
			a, err := personas.Audit(ctx, c, in.id, in.location)
			return api.Response{Status: http.StatusOK, Body: auditOf(a)}, err
		},
	}
}

// makeAudit makes an audit now, of the organization or of a location and below
// (P6), and publishes its metrics. A repeated request publishes nothing.
func makeAudit(personas *persona.Service, deps api.Deps) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:   "POST /v1/persona-audits",
		Action:  authz.AdministerSystem,
		Creates: true,
		Decode: func(r *api.Request) (string, error) {
			if len(bytes.TrimSpace(r.Body)) == 0 {
				return "", nil
			}
			return body.Read(r.Body, func(o *body.Object) string { return o.ID("location") })
		},
		Asked: func(location string) string { return location },
		Do: func(ctx context.Context, c directory.Caller, location string) (api.Response, error) {
			c.Once.Encode = api.Keeping(madeAudit)
			a, err := personas.MakeAudit(ctx, c, location)
			if err != nil {
				return api.Response{}, err
			}
			publish(ctx, deps, c.Organization.ID, a.Audit)
			return madeAudit(a), nil
		},
	}
}

// publish writes an audit's metrics; the audit is kept whether they can be or not.
func publish(ctx context.Context, deps api.Deps, organization string, a persona.Audit) {
	if deps.Metrics == nil {
		return
	}
	if err := metrics.Publish(deps.Metrics, organization, a); err != nil {
		deps.Log.LogAttrs(ctx, slog.LevelError, "metrics", slog.String("organization", organization), slog.String("error", err.Error()))
	}
}

// madeAudit is the answer that tells of a new audit.
func madeAudit(a persona.Compared) api.Response {
	return api.Response{
		Status: http.StatusCreated, Body: auditOf(a), Header: map[string]string{"location": "/v1/persona-audits/" + a.ID},
	}
}

type auditBody struct {
	ID      string      `json:"id"`
	Slot    *string     `json:"slot"`
	At      time.Time   `json:"at"`
	Report  reportBody  `json:"report"`
	Changed []shiftBody `json:"changed"`
	Moved   *movedBody  `json:"moved"`
}

// shiftBody is a verdict that changed, of a persona or a group.
type shiftBody struct {
	Persona string `json:"persona,omitempty"`
	Group   string `json:"group,omitempty"`
	Before  string `json:"before"`
	After   string `json:"after"`
}

// movedBody is how many more people take part than the audit with the id Since
// found.
type movedBody struct {
	Since      string           `json:"since"`
	Engagement []engagementBody `json:"engagement"`
}

// liveBody is a report of now, with what moved since the last audit.
type liveBody struct {
	reportBody
	Moved *movedBody `json:"moved"`
}

func auditOf(a persona.Compared) auditBody {
	out := auditBody{ID: a.ID, At: a.Report.At.UTC(), Report: bodyOf(a.Report), Changed: []shiftBody{}, Moved: movedOf(a.Moved)}
	if a.Slot != "" {
		out.Slot = &a.Slot
	}
	for _, s := range a.Changed {
		shift := shiftBody{Before: s.Before.String(), After: s.After.String()}
		if s.Word == persona.Experts {
			shift.Group = s.Word
		} else {
			shift.Persona = s.Word
		}
		out.Changed = append(out.Changed, shift)
	}
	return out
}

// movedOf shows what moved, the personas in the order of reports.
func movedOf(m *persona.Moved) *movedBody {
	if m == nil {
		return nil
	}
	out := &movedBody{Since: m.Since}
	for _, line := range (persona.Report{Engaged: m.By}).Lines() {
		out.Engagement = append(out.Engagement, engagementBody{line.Word, line.Active7, line.Active30, line.OnTeam})
	}
	return out
}
