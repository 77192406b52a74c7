package endpoints

import (
	"context"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/impersonation"
)

// me tells the caller who they are, and as whom they act.
var me = api.Endpoint[*api.Request]{
	Route:  "GET /v1/me",
	Action: authz.SignIn,
	Decode: func(r *api.Request) (*api.Request, error) { return r, nil },
	Do: func(_ context.Context, c directory.Caller, r *api.Request) (api.Response, error) {
		return api.Response{Status: http.StatusOK, Body: meBody{
			Actor: body.Named(c.Actor.Named()), Subject: body.Named(c.Subject.Named()),
			Organization: body.Named{ID: c.Organization.ID, Name: c.Organization.Name}, Impersonation: acting(r.Session),
		}}, nil
	},
}

type meBody struct {
	Actor         body.Named  `json:"actor"`
	Subject       body.Named  `json:"subject"`
	Organization  body.Named  `json:"organization"`
	Impersonation *actingBody `json:"impersonation"`
}

// actingBody is the session that the request is made in, with what the red
// banner shows (I5).
type actingBody struct {
	ID        string      `json:"id"`
	Mode      string      `json:"mode"`
	StartedAt time.Time   `json:"startedAt"`
	ExpiresAt time.Time   `json:"expiresAt"`
	EndsAt    time.Time   `json:"endsAt"`
	Banner    body.Banner `json:"banner"`
}

func acting(s impersonation.Session) *actingBody {
	if s.ID == "" {
		return nil
	}
	return &actingBody{
		ID: s.ID, Mode: s.Mode.String(), StartedAt: s.Started.UTC(), ExpiresAt: s.Expires().UTC(),
		EndsAt: s.Ends.UTC(), Banner: body.Banner(s.Banner()),
	}
}
