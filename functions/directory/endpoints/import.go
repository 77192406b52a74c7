package endpoints

import (
	"context"
	"net/http"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/importer"
)

// mostImported are the bytes of one import. A Lambda event is at most 6 MB and
// has the body as text, in which quotes take two bytes: a body of many short
// members is too large for it sooner, and the gateway says so.
const mostImported = 5 << 20

// importing is a world to be brought in, and whether only to tell what would
// happen.
type importing struct {
	world importer.World
	body  string
	dry   bool
}

// imports brings a world in, or a part of one. Each entry needs its own right
// beside the import's. The answer is whole whatever became of them.
func imports(worlds *importer.Service) api.Endpoint[importing] {
	return api.Endpoint[importing]{
		Route:    "POST /v1/import",
		Action:   authz.AdministerSystem,
		Creates:  true,
		MostBody: mostImported,
		Asked:    importing.asked,
		Decode:   decodeImporting,
		Do: func(ctx context.Context, c directory.Caller, in importing) (api.Response, error) {
			c.Once.Encode = api.Keeping(imported)
			results, err := worlds.Import(ctx, c, in.world, in.dry)
			return imported(results), err
		},
	}
}

// asked is the body, and whether it is to be done: trying is another request.
func (in importing) asked() string {
	if in.dry {
		return "dry " + in.body
	}
	return in.body
}

func decodeImporting(r *api.Request) (in importing, err error) {
	if in.dry, err = body.ReadQuery(r.Parameters(), func(o *body.Object) bool { return o.Flag("dryRun") }); err != nil {
		return in, err
	}
	in.body = string(r.Body)
	in.world, err = body.Read(r.Body, func(o *body.Object) importer.World { return body.ReadWorld(o, importer.MostEntries) })
	return in, err
}

// importedBody is what became of each entry, in the document's order, and how
// many there are of each.
type importedBody struct {
	Results []entryBody    `json:"results"`
	Summary map[string]int `json:"summary"`
}

// entryBody is what became of one entry: a result or a problem.
type entryBody struct {
	Pointer string `json:"pointer"`
	ID      string `json:"id"`
	Result  string `json:"result,omitempty"`
	Problem any    `json:"problem,omitempty"`
}

func imported(results []importer.Result) api.Response {
	out := importedBody{Results: make([]entryBody, len(results)), Summary: map[string]int{}}
	for o := range importer.OutcomeCount {
		out.Summary[o.String()] = 0
	}
	for i, r := range results {
		out.Results[i] = entryBody{Pointer: r.Place.Pointer(), ID: r.ID}
		out.Summary[r.Outcome.String()]++
		if r.Err != nil {
			out.Results[i].Problem = api.Problem(r.Err)
		} else {
			out.Results[i].Result = r.Outcome.String()
		}
	}
	return api.Response{Status: http.StatusOK, Body: out}
}
