package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// itemBounds are the calls on an item's facts, for the platform's own services.
func itemBounds(items *directory.Items) []api.Bound {
	return []api.Bound{getItem(items).Bind(), putItem(items).Bind(), deleteItem(items).Bind()}
}

func getItem(items *directory.Items) api.Endpoint[string] {
	return api.Endpoint[string]{
		Route:  "GET /v1/items/{id}",
		Action: authz.ReadItems,
		Decode: func(r *api.Request) (string, error) { return r.PathID("id") },
		About:  directory.ItemTarget,
		Do: func(ctx context.Context, c directory.Caller, id string) (api.Response, error) {
			i, err := items.Get(ctx, c, id)
			return itemAnswer(http.StatusOK, i), err
		},
	}
}

// recording is an item's next facts and the version they are to replace.
type recording struct {
	item         directory.Item
	precondition directory.Precondition
}

func putItem(items *directory.Items) api.Endpoint[recording] {
	return api.Endpoint[recording]{
		Route:  "PUT /v1/items/{id}",
		Action: authz.RecordItems,
		Decode: decodeRecording,
		About:  func(in recording) timeline.Target { return directory.ItemTarget(in.item.ID) },
		Do: func(ctx context.Context, c directory.Caller, in recording) (api.Response, error) {
			i, err := items.Put(ctx, c, in.item, in.precondition)
			status := http.StatusOK
			if !in.precondition.Match { // without one nothing is replaced
				status = http.StatusCreated
			}
			return itemAnswer(status, i), err
		},
	}
}

func decodeRecording(r *api.Request) (in recording, err error) {
	read := func(data []byte) (directory.Item, error) { return body.Read(data, body.ReadItem) }
	id := ""
	id, in.item, in.precondition, err = api.ReadPut(r, read, func(given directory.Item) string { return given.ID })
	in.item.ID = id
	return in, err
}

// removing is an item's id and the version that is to go.
type removing struct {
	id           string
	precondition directory.Precondition
}

func deleteItem(items *directory.Items) api.Endpoint[removing] {
	return api.Endpoint[removing]{
		Route:  "DELETE /v1/items/{id}",
		Action: authz.RecordItems,
		Decode: func(r *api.Request) (in removing, err error) {
			if in.id, err = r.PathID("id"); err != nil {
				return in, err
			}
			in.precondition, err = r.Precondition()
			return in, err
		},
		About: func(in removing) timeline.Target { return directory.ItemTarget(in.id) },
		Do: func(ctx context.Context, c directory.Caller, in removing) (api.Response, error) {
			return api.Response{Status: http.StatusNoContent}, items.Delete(ctx, c, in.id, in.precondition)
		},
	}
}

func itemAnswer(status int, i directory.Item) api.Response {
	return api.Response{Status: status, Body: body.Item(i), Version: i.Version}
}
