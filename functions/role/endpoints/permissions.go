package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// permissions is the catalogue of what a role can give, for a client that draws
// the editor. It changes only with the service, so a client may keep it; in a
// session it may not, because each answer tells how long that lasts (I5).
func permissions() api.Endpoint[bool] {
	catalogue := body.Catalogue(role.Permissions())
	return api.Endpoint[bool]{
		Route:  "GET /v1/permissions",
		Action: authz.SignIn,
		Decode: func(r *api.Request) (bool, error) { return r.Session.ID == "", nil },
		Do: func(_ context.Context, _ directory.Caller, keep bool) (api.Response, error) {
			r := api.Response{Status: http.StatusOK, Body: catalogue}
			if keep {
				r.Header = map[string]string{"cache-control": "private, max-age=3600"}
			}
			return r, nil
		},
	}
}
