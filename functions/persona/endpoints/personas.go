package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// catalogue tells everybody what the personas are, with the organization's
// targets (P3).
func catalogue() api.Endpoint[struct{}] {
	return api.Endpoint[struct{}]{
		Route:  "GET /v1/personas",
		Action: authz.SignIn,
		Decode: func(*api.Request) (in struct{}, err error) { return in, nil },
		Do: func(_ context.Context, c directory.Caller, _ struct{}) (api.Response, error) {
			return api.Response{Status: http.StatusOK, Body: body.Personas(c.Organization)}, nil
		},
	}
}
