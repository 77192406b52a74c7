// Package gateway is API Gateway's HTTP API as far as clients and functions
// can tell: its routes, its JWT authorizer, its events in payload format 2.0,
// its limits and its own error bodies. It knows nothing of what the functions
// do.
package gateway

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

// The documented limits of an HTTP API.
const (
	bodyLimit          = 10 << 20
	headerLimit        = 10240
	integrationTimeout = 30 * time.Second
)

// Gateway serves the routes of the functions.
type Gateway struct {
	routes     routes
	functions  map[string]function.Function
	authorizer *Authorizer
	log        *slog.Logger
	now        func() time.Time
}

// New is a gateway for these functions' routes; each that has one must be in
// running. Failures of functions are told to log, never to the client.
func New(functions []template.Function, running map[string]function.Function, authorizer *Authorizer, log *slog.Logger, now func() time.Time) (*Gateway, error) {
	routes, err := newRoutes(functions)
	if err != nil {
		return nil, err
	}
	for _, route := range routes {
		if _, ok := running[route.function]; !ok {
			return nil, fmt.Errorf("route %s: %s has no handler", route.Key(), route.function)
		}
	}
	return &Gateway{routes: routes, functions: running, authorizer: authorizer, log: log, now: now}, nil
}

// ServeHTTP answers a request as API Gateway would.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header().Set("Apigw-Requestid", id)
	if size(r) > headerLimit {
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	route, parameters := g.routes.find(r.Method, pathOf(r))
	if route == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	authorized, ok := g.authorize(w, r, route)
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	request := event(r, route, parameters, body, id, g.now())
	request.RequestContext.Authorizer = authorized
	g.call(w, r, g.functions[route.function], request)
}

func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request, route *route) (*events.APIGatewayV2HTTPRequestContextAuthorizerDescription, bool) {
	if route.Public {
		return nil, true
	}
	header := r.Header.Get("Authorization")
	claims, err := g.authorizer.claims(header)
	if err != nil {
		challenge := "Bearer"
		if header != "" {
			challenge = fmt.Sprintf(`Bearer scope="" error="invalid_token" error_description=%q`, err)
		}
		w.Header().Set("Www-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return nil, false
	}
	return &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
	}, true
}

func (g *Gateway) call(w http.ResponseWriter, r *http.Request, target function.Function, request events.APIGatewayV2HTTPRequest) {
	slow := target.Timeout > integrationTimeout
	target.Timeout = min(target.Timeout, integrationTimeout)
	started := g.now()
	raw, err := target.Call(r.Context(), request.RequestContext.RequestID, request)
	switch {
	case errors.Is(err, function.ErrTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil && slow && g.now().Sub(started) >= integrationTimeout:
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err == nil:
		if err = write(w, raw); err == nil {
			return
		}
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	}
	g.log.Error("a function failed", "route", request.RouteKey, "requestId", request.RequestContext.RequestID, "error", err.Error())
}

// size is that of the request line and all headers, as they were sent.
func size(r *http.Request) int {
	total := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("host") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			total += len(name) + len(value)
		}
	}
	return total
}
