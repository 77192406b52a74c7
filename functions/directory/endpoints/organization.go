package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
)

// organization is the calls of the organization and its settings.
func organization(organizations *directory.Organizations) []api.Bound {
	return []api.Bound{getOrganization.Bind(), putOrganization(organizations).Bind()}
}

var getOrganization = api.Endpoint[struct{}]{
	Route:  "GET /v1/organization",
	Action: authz.ReadAdministration,
	Decode: func(*api.Request) (struct{}, error) { return struct{}{}, nil },
	Do: func(_ context.Context, c directory.Caller, _ struct{}) (api.Response, error) {
		return organizationAnswer(c.Organization), nil
	},
}

// choosing is an organization's next state and the version it is to replace.
type choosing struct {
	organization directory.Organization
	precondition directory.Precondition
}

// observers are read with the caller, as each has to be there.
func (in choosing) observers() directory.Keys {
	return directory.Keys{Users: in.organization.Settings.Impersonation.Observers}
}

func putOrganization(organizations *directory.Organizations) api.Endpoint[choosing] {
	return api.Endpoint[choosing]{
		Route:  "PUT /v1/organization",
		Action: authz.AdministerSystem,
		Decode: func(r *api.Request) (in choosing, err error) {
			if in.organization, err = body.Read(r.Body, body.ReadOrganization); err != nil {
				return in, err
			}
			in.precondition, err = r.Precondition()
			return in, err
		},
		Needs: choosing.observers,
		Do: func(ctx context.Context, c directory.Caller, in choosing) (api.Response, error) {
			o, err := organizations.Put(ctx, c, in.organization, in.precondition)
			return organizationAnswer(o), err
		},
	}
}

func organizationAnswer(o directory.Organization) api.Response {
	return api.Response{Status: http.StatusOK, Body: body.Organization(o), Version: o.Version}
}
