package endpoints

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

const (
	// mostUnits is what one call spends before it answers how far it came: what
	// DynamoDB counts for 80 MB.
	mostUnits = 20_000
	// spare is what it leaves of the request's time.
	spare = 4 * time.Second
)

// verifying is what a request wants proven.
type verifying struct {
	from, to time.Time
	kept     timeline.Kept
	request  *api.Request
}

// verification holds the record to its seal (T2). A call spends no more than its
// share: the answer says whether it is complete, and else where to go on; what it
// tells is of all the calls so far.
func verification(store Store) api.Endpoint[verifying] {
	return api.Endpoint[verifying]{
		Route:  "GET /v1/timeline/verification",
		Action: authz.AdministerSystem,
		Decode: readVerifying,
		Do: func(ctx context.Context, c directory.Caller, in verifying) (api.Response, error) {
			w, err := in.walk(c)
			if err != nil {
				return api.Response{}, err
			}
			ctx, spent := store.Spending(ctx)
			w, err = timeline.Verify(ctx, store, w, func() bool { return spent() >= mostUnits || directory.Late(ctx, spare) })
			if err != nil {
				return api.Response{}, err
			}
			out := verificationOf(w)
			if !out.Complete {
				place, err := json.Marshal(w)
				if err != nil {
					return api.Response{}, fault.Wrap(fault.Internal, "encode", err)
				}
				out.Next = in.request.Sealed(c.Organization, string(place))
			}
			return api.Response{Status: http.StatusOK, Body: out}, nil
		},
	}
}

// walk is where the request begins, or goes on.
func (in verifying) walk(c directory.Caller) (timeline.Walk, error) {
	at, err := in.request.Opening(c.Organization, directory.Page{})
	if err != nil {
		return timeline.Walk{}, err
	}
	if at.After == "" {
		return timeline.Walk{Claim: timeline.NewClaim(c.Organization.ID, c.Organization.Created, c.At, in.from, in.to, in.kept)}, nil
	}
	var w timeline.Walk
	if err := json.Unmarshal([]byte(at.After), &w); err != nil {
		return timeline.Walk{}, fault.Wrap(fault.Internal, "cursor", err) // nobody else can have sealed it
	}
	return w, nil
}

func readVerifying(r *api.Request) (verifying, error) {
	return body.ReadQuery(r.Parameters(), func(o *body.Object) verifying {
		in := verifying{from: o.Time("from"), to: o.Time("to"), request: r}
		if !in.to.IsZero() && in.to.Before(in.from) {
			o.Fault("to", "The end of a time range does not come before its beginning.")
		}
		o.Text("cursor", body.Opaque)
		if text := o.Text("head", keptHead); text != "" {
			in.kept, _ = timeline.ParseKept(text)
		}
		return in
	})
}

// keptHead is what a head that was kept elsewhere has to look like.
var keptHead = body.Rule{Most: 100, Form: func(text string) bool { _, ok := timeline.ParseKept(text); return ok },
	Says: "A head is a number of entries, a dot and a hash, as a verification tells it."}

type verificationBody struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Head     *headBody `json:"head"`
	Kept     *bool     `json:"kept"`
	Verified int       `json:"verified"`
	Unsealed int       `json:"unsealed"`
	First    *flawBody `json:"first"`
	Complete bool      `json:"complete"`
	Next     string    `json:"next"`
}

type headBody struct {
	Entries uint64    `json:"entries"`
	Hash    string    `json:"hash"`
	At      time.Time `json:"at"`
}

// flawBody is the first flaw; one of the chain itself has no id.
type flawBody struct {
	ID     *string   `json:"id"`
	At     time.Time `json:"at"`
	Fault  string    `json:"fault"`
	Detail string    `json:"detail"`
}

func verificationOf(w timeline.Walk) verificationBody {
	out := verificationBody{
		From: w.From.UTC(), To: w.To.UTC(), Verified: w.Verified, Unsealed: w.Unsealed, Complete: w.Phase == timeline.Done,
	}
	if h := w.Head; h.Block > 0 {
		out.Head = &headBody{h.Entries, h.Hash.String(), h.At}
	}
	if w.Kept != (timeline.Kept{}) {
		out.Kept = &w.Held
	}
	if f := w.First; f.Breach != timeline.NoBreach {
		out.First = &flawBody{nil, f.At, f.Breach.String(), f.Detail}
		if f.ID != "" {
			out.First.ID = &f.ID
		}
	}
	return out
}
