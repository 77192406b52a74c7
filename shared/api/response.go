package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"strconv"

	"gemba/shared/fault"
)

// Response is an answer. Body is a Text or encoded as JSON, nil is none;
// Version, when not 0, is answered as ETag.
type Response struct {
	Status  int
	Body    any
	Version uint64
	Header  map[string]string
}

// Text is a body that is no JSON: UTF-8 of this content type.
type Text struct {
	Type  string
	Bytes []byte
}

// encoded is an answer as API Gateway takes it.
type encoded struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func (r Response) encode() encoded {
	out := encoded{StatusCode: r.Status, Headers: map[string]string{"cache-control": "no-store"}}
	switch body := r.Body.(type) {
	case nil:
	case Text:
		out.Headers["content-type"], out.Body = body.Type, string(body.Bytes)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return problem(fault.Wrap(fault.Internal, "encode", err), "").encode()
		}
		out.Headers["content-type"], out.Body = "application/json", string(text)
	}
	if r.Version > 0 {
		out.Headers["etag"] = strconv.Quote(strconv.FormatUint(r.Version, 10))
	}
	maps.Copy(out.Headers, r.Header)
	return out
}

// marshal is the answer as JSON. What HTML would have to be told from stays as
// it is: six bytes for each < would fill an answer before its time.
func (e encoded) marshal() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(e)
	return out.Bytes(), err
}

// Page is a list's part with the cursor of the next, "" at the end.
type Page struct {
	Items any    `json:"items"`
	Next  string `json:"next"`
}

// mostAnswered bounds the items of one answer in bytes. Lambda answers at most 6
// MB, and what is JSON here is text in an answer, where quotes take two bytes.
const mostAnswered = 2_500_000

// Fit is the bodies of as many things of a list's part as one answer can carry,
// one at least, with the place to go on after: end, or that of the last thing
// carried.
func Fit[Thing any](things []Thing, end string, body func(Thing) any, place func(Thing) string) ([]json.RawMessage, string, error) {
	fitting, size := []json.RawMessage{}, 0
	for i, thing := range things {
		text, err := json.Marshal(body(thing))
		if err != nil {
			return nil, "", fault.Wrap(fault.Internal, "encode", err)
		}
		if size += len(text); size > mostAnswered && i > 0 {
			return fitting, place(things[i-1]), nil
		}
		fitting = append(fitting, text)
	}
	return fitting, end, nil
}

// Whole is an answer that is no list: Unprocessable too_large when one answer
// cannot carry it, as a part would look like all of it.
func Whole(status int, body any) (Response, error) {
	text, err := json.Marshal(body)
	switch {
	case err != nil:
		return Response{}, fault.Wrap(fault.Internal, "encode", err)
	case len(text) > mostAnswered:
		return Response{}, tooLarge()
	}
	return Response{Status: status, Body: json.RawMessage(text)}, nil
}

// mostText bounds a Text as it stands in the answer, which has room for its
// headers beside it.
const mostText = 5_900_000

// WholeText is Whole of a body that is no JSON.
func WholeText(status int, body Text) (Response, error) {
	r := Response{Status: status, Body: body}
	raw, err := r.encode().marshal()
	switch {
	case err != nil:
		return Response{}, fault.Wrap(fault.Internal, "encode", err)
	case len(raw) > mostText:
		return Response{}, tooLarge()
	}
	return r, nil
}

func tooLarge() error {
	return fault.New(fault.Unprocessable, "too_large", "This is more than one answer can carry.")
}

// problemBody is RFC 9457's form with the contract's members. Only the problem
// of a whole request has its id.
type problemBody struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail,omitempty"`
	RequestID *string        `json:"requestId,omitempty"`
	Errors    []pointedFault `json:"errors,omitempty"`
	Uses      []useBody      `json:"uses,omitempty"`
}

// useBody is what is in the way of a deletion.
type useBody struct {
	Kind  string   `json:"kind"`
	Count int      `json:"count"`
	More  bool     `json:"more"`
	IDs   []string `json:"ids"`
}

type pointedFault struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// kinds is the one place that turns kinds of failure into answers. A kind
// with a hidden code tells nothing of its cause, and always the same detail: of
// what is not there and of what may not be known (T4) as well.
var kinds = [fault.KindCount]struct {
	status int
	title  string
	hidden string
	detail string
}{
	fault.Internal:        {http.StatusInternalServerError, "Something went wrong here", "internal", "It is not the request's fault. The request id finds it in our log."},
	fault.Invalid:         {http.StatusBadRequest, "The request is malformed", "", ""},
	fault.Unprocessable:   {http.StatusUnprocessableEntity, "The request breaks a rule", "", ""},
	fault.Unauthenticated: {http.StatusUnauthorized, "Who are you?", "", ""},
	fault.Denied:          {http.StatusForbidden, "This is not allowed", "", ""},
	fault.NotFound:        {http.StatusNotFound, "There is no such thing", "not_found", "Nothing has this name, or you may not know of it."},
	fault.Conflict:        {http.StatusConflict, "This conflicts with what is there", "", ""},
	fault.Stale:           {http.StatusPreconditionFailed, "It has changed meanwhile", "", ""},
	fault.Unconditional:   {http.StatusPreconditionRequired, "A precondition is required", "", ""},
	fault.TooMany:         {http.StatusTooManyRequests, "Too many attempts", "", ""},
	fault.Unavailable:     {http.StatusServiceUnavailable, "A dependency failed; it is safe to try again", "unavailable", "Try again in a moment, with the same idempotency key if there was one."},
}

// Problem is the problem document of a part of a request, without the request's
// id: that is the whole's.
func Problem(err error) any { return problemOf(fault.Of(err)) }

func problemOf(f *fault.Error) problemBody {
	k := kinds[f.Kind]
	body := problemBody{Type: "urn:problem:" + f.Code, Title: k.title, Status: k.status, Detail: f.Detail}
	if k.hidden != "" {
		body.Type, body.Detail = "urn:problem:"+k.hidden, k.detail
	}
	for _, p := range f.Problems {
		body.Errors = append(body.Errors, pointedFault(p))
	}
	for _, u := range f.Uses {
		body.Uses = append(body.Uses, useBody(u))
	}
	return body
}

// problem is a failure as a client sees it.
func problem(err error, requestID string) Response {
	f := fault.Of(err)
	body := problemOf(f)
	body.RequestID = &requestID
	r := Response{Status: body.Status, Body: body, Header: map[string]string{"content-type": "application/problem+json"}}
	if f.Kind == fault.TooMany {
		r.Header["retry-after"] = strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds())))
	}
	if f.Kind == fault.Unauthenticated {
		r.Header["www-authenticate"] = "Bearer"
	}
	return r
}
