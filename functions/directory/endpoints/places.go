package endpoints

import (
	"context"
	"net/http"
	"slices"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// kind is what tells the calls of locations, workflows and templates apart.
type kind[P directory.Place] struct {
	is   timeline.Type
	path string
	read func(*body.Object) P
	show func(P) any
}

// places is the calls of locations, workflows and templates.
func places(places *directory.Places) []api.Bound {
	return slices.Concat(
		kind[directory.Location]{timeline.Location, "/v1/locations", body.ReadLocation, body.Location}.calls(places),
		kind[directory.Workflow]{timeline.Workflow, "/v1/workflows", body.ReadWorkflow, body.Workflow}.calls(places),
		kind[directory.Template]{timeline.Template, "/v1/templates", body.ReadTemplate, body.Template}.calls(places),
	)
}

func (k kind[P]) calls(places *directory.Places) []api.Bound {
	return []api.Bound{k.list(places).Bind(), k.get(places).Bind(), k.put(places).Bind(), k.delete(places).Bind()}
}

// listed asks for a part of the list of a kind.
type listed struct {
	page directory.Page
	next func(after string) string
}

func (k kind[P]) list(places *directory.Places) api.Endpoint[listed] {
	return api.Endpoint[listed]{
		Route:  "GET " + k.path,
		Action: authz.ReadAdministration,
		Decode: func(r *api.Request) (listed, error) {
			return body.ReadQuery(r.Parameters(), func(o *body.Object) listed {
				return listed{page: o.Page(r.Page), next: r.Next}
			})
		},
		Do: func(ctx context.Context, c directory.Caller, in listed) (api.Response, error) {
			found, end, err := places.List(ctx, c, k.is, in.page)
			if err != nil {
				return api.Response{}, err
			}
			items, end, err := api.Fit(found, end, k.body, func(p directory.Place) string { return p.Ref().ID })
			return api.Response{Status: http.StatusOK, Body: api.Page{Items: items, Next: in.next(end)}}, err
		},
	}
}

func (k kind[P]) get(places *directory.Places) api.Endpoint[directory.PlaceRef] {
	return api.Endpoint[directory.PlaceRef]{
		Route:  "GET " + k.path + "/{id}",
		Action: authz.ReadAdministration,
		Decode: k.ref,
		About:  directory.PlaceRef.Target,
		Do: func(ctx context.Context, c directory.Caller, ref directory.PlaceRef) (api.Response, error) {
			p, err := places.Get(ctx, c, ref)
			if err != nil {
				return api.Response{}, err
			}
			return k.answer(http.StatusOK, p), nil
		},
	}
}

// placing is a place's next state and the version it is to replace.
type placing struct {
	place        directory.Place
	precondition directory.Precondition
}

func (k kind[P]) put(places *directory.Places) api.Endpoint[placing] {
	return api.Endpoint[placing]{
		Route:  "PUT " + k.path + "/{id}",
		Action: authz.AdministerQuality,
		Decode: k.placing,
		About:  func(in placing) timeline.Target { return in.place.Ref().Target() },
		Do: func(ctx context.Context, c directory.Caller, in placing) (api.Response, error) {
			p, made, err := places.Put(ctx, c, in.place, in.precondition)
			switch {
			case err != nil:
				return api.Response{}, err
			case made:
				return k.answer(http.StatusCreated, p), nil
			}
			return k.answer(http.StatusOK, p), nil
		},
	}
}

func (k kind[P]) placing(r *api.Request) (in placing, err error) {
	read := func(data []byte) (P, error) { return body.Read(data, k.read) }
	id, given, precondition, err := api.ReadPut(r, read, func(given P) string { return given.Ref().ID })
	return placing{given.Under(id), precondition}, err
}

// deleting is a place and the version in which it may go.
type deleting struct {
	ref          directory.PlaceRef
	precondition directory.Precondition
}

func (k kind[P]) delete(places *directory.Places) api.Endpoint[deleting] {
	return api.Endpoint[deleting]{
		Route:  "DELETE " + k.path + "/{id}",
		Action: authz.AdministerQuality,
		Decode: func(r *api.Request) (in deleting, err error) {
			if in.ref, err = k.ref(r); err != nil {
				return in, err
			}
			in.precondition, err = r.Precondition()
			return in, err
		},
		About: func(in deleting) timeline.Target { return in.ref.Target() },
		Do: func(ctx context.Context, c directory.Caller, in deleting) (api.Response, error) {
			return api.Response{Status: http.StatusNoContent}, places.Delete(ctx, c, in.ref, in.precondition)
		},
	}
}

func (k kind[P]) ref(r *api.Request) (directory.PlaceRef, error) {
	id, err := r.PathID("id")
	return directory.PlaceRef{Kind: k.is, ID: id}, err
}

func (k kind[P]) body(p directory.Place) any { return k.show(p.(P)) }

func (k kind[P]) answer(status int, p directory.Place) api.Response {
	version, _ := p.State()
	return api.Response{Status: status, Body: k.body(p), Version: version}
}
