package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// MaxBody is the most bytes of a request body, where an endpoint takes no more.
const MaxBody = 1 << 20

// Request is what an endpoint reads of an event. Claims are the verified
// token's, as text; they are the only source of identity.
type Request struct {
	ID     string
	Path   map[string]string
	Query  url.Values
	Body   []byte
	Claims map[string]string
	// BaseURL is scheme and host that were asked.
	BaseURL string
	// Session is the impersonation that the request is made in, zero without.
	Session impersonation.Session
	route   string
	header  map[string]string
	// asked is whether the endpoint reads the query's parameters.
	asked bool
	// unreadable is what is wrong with the request before its endpoint's form,
	// nil when nothing is. Who asks, and in which session, comes first.
	unreadable error
}

// event is the part of an API Gateway event that is read; the rest costs no
// time.
type event struct {
	RouteKey        string            `json:"routeKey"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	PathParameters  map[string]string `json:"pathParameters"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		RequestID  string `json:"requestId"`
		DomainName string `json:"domainName"`
		Authorizer struct {
			JWT struct {
				Claims map[string]string `json:"claims"`
			} `json:"jwt"`
		} `json:"authorizer"`
	} `json:"requestContext"`
}

// decode reads an event. What API Gateway cannot have sent is Internal.
func (r *Request) decode(payload []byte) error {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return fault.Wrap(fault.Internal, "event", err)
	}
	r.ID, r.route = e.RequestContext.RequestID, e.RouteKey
	r.Path, r.header, r.Claims = e.PathParameters, e.Headers, e.RequestContext.Authorizer.JWT.Claims
	r.BaseURL = r.base(e.RequestContext.DomainName)
	r.Body = []byte(e.Body)
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return fault.Wrap(fault.Internal, "event", err)
		}
		r.Body = body
	}
	query, err := url.ParseQuery(e.RawQueryString)
	r.Query = query
	if err != nil {
		r.unreadable = fault.New(fault.Invalid, "malformed", "The query string is not well-formed.")
	}
	return nil
}

// bound refuses a body that is longer than its endpoint takes.
func (r *Request) bound(most int) {
	if r.unreadable == nil && len(r.Body) > most {
		r.unreadable = fault.New(fault.Invalid, "body_too_large", fmt.Sprintf("A request body is at most %d MB here.", most>>20))
	}
}

// base is the URL that was asked: the host as the client named it, with its
// port if there was one, because clients compare the two.
func (r *Request) base(domain string) string {
	scheme := r.Header("x-forwarded-proto")
	if scheme != "http" {
		scheme = "https"
	}
	if host := r.Header("host"); host != "" {
		domain = host
	}
	return scheme + "://" + domain
}

// Parameters are the query's, for a form that refuses those it does not know. A
// request whose endpoint has no such form may have none.
func (r *Request) Parameters() url.Values {
	r.asked = true
	return r.Query
}

// unasked is the fault of parameters that no form has read: a call that ignored
// them would do what its caller means to be tried or filtered only.
func (r *Request) unasked() error {
	if r.asked {
		return nil
	}
	var problems []fault.Problem
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		pointer := "" // of what could pass for something else (T5)
		if directory.IsID(name) {
			pointer = "/" + name
		}
		problems = append(problems, fault.Problem{Pointer: pointer, Detail: "This parameter is not known here."})
	}
	return fault.Faulty(fault.Invalid, "malformed", problems)
}

// Header is a header's value, "" when it is absent. Names are lower-case.
func (r *Request) Header(name string) string { return r.header[name] }

// PathID is an id of the path: a parameter that the contract's alphabet must admit.
// Whatever it does not admit cannot exist, and is Invalid.
func (r *Request) PathID(name string) (string, error) {
	id := r.Path[name]
	if !directory.IsID(id) {
		return "", fault.New(fault.Invalid, "malformed", "An id is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.")
	}
	return id, nil
}

// ReadPut is what a PUT wants: the id in the path, what the body says, and the
// version that it is to replace. Invalid; Unprocessable id_mismatch when the body
// names another id than the path.
func ReadPut[T any](r *Request, read func([]byte) (T, error), named func(T) string) (id string, given T, p directory.Precondition, err error) {
	if id, err = r.PathID("id"); err != nil {
		return id, given, p, err
	}
	if given, err = read(r.Body); err != nil {
		return id, given, p, err
	}
	if err = sameID(id, named(given)); err != nil {
		return id, given, p, err
	}
	p, err = r.Precondition()
	return id, given, p, err
}

// sameID holds the id that a body names, if any, to the one in the path.
func sameID(path, named string) error {
	if named == "" || named == path {
		return nil
	}
	return fault.Faulty(fault.Unprocessable, "id_mismatch", []fault.Problem{{Pointer: "/id", Detail: "The id is the one in the path."}})
}

// Precondition reads If-Match and If-None-Match; Invalid when they are not
// an entity tag of ours, * or absent.
func (r *Request) Precondition() (directory.Precondition, error) {
	var p directory.Precondition
	malformed := fault.New(fault.Invalid, "malformed", "If-Match is an ETag that was answered, or *; If-None-Match is *.")
	switch none := r.Header("if-none-match"); none {
	case "":
	case "*":
		p.None = true
	default:
		return p, malformed
	}
	match := r.Header("if-match")
	switch match {
	case "":
		return p, nil
	case "*":
		p.Match, p.Any = true, true
		return p, nil
	}
	inner, ok := strings.CutPrefix(match, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	version, err := strconv.ParseUint(inner, 10, 64)
	if !ok || !closed || err != nil {
		return p, malformed
	}
	p.Match, p.Version = true, version
	return p, nil
}
