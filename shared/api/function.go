// Package api is all that is HTTP or API Gateway: how a request becomes a
// decision and an answer.
//
// Every endpoint goes one way: who asks, in whose session, what is asked for,
// what that needs to know (one read), may they (package authz), do it, answer.
// The package decides the order of these steps, who a caller is, what a kind
// of failure looks like outside, and what a lost race means: read, decide and
// do again. It refuses to know any rule about rights.
//
// The body of a request is at most MaxBody bytes, unless its endpoint says
// otherwise. A request whose decision was
// overtaken by other changes more often than it is tried is Unavailable.
package api

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// Store is what every request needs of storage.
type Store interface {
	// SignIn is who a sub of the pool is; Unauthenticated when nobody.
	SignIn(ctx context.Context, sub string) (organization, user string, err error)
	// Load reads users and items with the policy of the same moment (C11).
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	// Record writes an entry that stands alone: a denied attempt (T1).
	Record(ctx context.Context, organization string, e timeline.Entry) error
	// Answered is the first answer to an idempotency key (T3).
	Answered(ctx context.Context, organization, user, hash string, now time.Time) (directory.Kept, bool, error)
	// Meter counts the calls under the context it returns, for the log.
	Meter(ctx context.Context) (context.Context, func() []slog.Attr)
}

// Sessions are the impersonations that requests name.
type Sessions interface {
	// Resume touches a session of this actor that lasts; Denied
	// impersonation_invalid in every other case (I4).
	Resume(ctx context.Context, organization, actor, id string, now time.Time) (impersonation.Session, error)
	// Close ends a session that lost what it needs (I5).
	Close(ctx context.Context, s impersonation.Session, cause impersonation.Cause, now time.Time, requestID string) error
}

// Deps are what a function's endpoints stand on.
type Deps struct {
	Store    Store
	Sessions Sessions
	// MarkSeen notes that a user made a request on a day; told twice, it notes it
	// once. Unavailable.
	MarkSeen func(ctx context.Context, organization, user string, day directory.Day) error
	Log      *slog.Logger
	// Metrics takes lines of CloudWatch's embedded metric format; nil for none.
	Metrics io.Writer
	Now     func() time.Time
}

// Function is a Lambda function of endpoints; it implements lambda.Handler.
type Function struct {
	name   string
	deps   Deps
	routes map[string]Bound
	handed *handed
}

// New is the function with this name. An endpoint without a route or an
// action, or two for one route, are mistakes of the program: it panics.
func New(name string, deps Deps, endpoints ...Bound) *Function {
	f := &Function{name: name, deps: deps, routes: map[string]Bound{}, handed: newHanded()}
	for _, e := range endpoints {
		if _, twice := f.routes[e.route]; twice || e.route == "" || e.serve == nil {
			panic("api: endpoint without action, or two for one route: " + e.route)
		}
		f.routes[e.route] = e
	}
	return f
}

// Routes are the function's routes, "METHOD /path/{name}", sorted.
func (f *Function) Routes() []string { return slices.Sorted(maps.Keys(f.routes)) }

// Looking are those of the routes that a read_only session may call (I6), sorted:
// all that is got, and what says of itself that it only asks.
func (f *Function) Looking() []string {
	var looking []string
	for _, route := range f.Routes() {
		if f.routes[route].looks {
			looking = append(looking, route)
		}
	}
	return looking
}

// Invoke answers one API Gateway event of payload format 2.0.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	start := f.deps.Now()
	ctx, measured := f.deps.Store.Meter(ctx)
	c := &call{deps: f.deps, handed: f.handed, at: start}
	response, err := f.serve(ctx, c, payload)
	if err != nil {
		response = problem(err, c.request.ID)
	}
	c.announce(&response)
	c.settle(ctx)
	f.log(ctx, c, response, err, measured())
	return response.encode().marshal()
}

func (f *Function) serve(ctx context.Context, c *call, payload []byte) (Response, error) {
	if err := c.request.decode(payload); err != nil {
		return Response{}, err
	}
	route, ok := f.routes[c.request.route]
	if !ok {
		return Response{}, fault.New(fault.NotFound, "not_found", "")
	}
	c.request.bound(route.mostBody)
	return route.serve(ctx, c)
}

// log writes the request's one line. It carries ids and counts, never input,
// tokens or text (T5); the cause of a failure is the adapters' own. In a session
// it names both sides and the session, so that no line blames the wrong one (I7).
func (f *Function) log(ctx context.Context, c *call, r Response, err error, measured []slog.Attr) {
	attrs := append([]slog.Attr{
		slog.String("requestId", c.request.ID), slog.String("function", f.name), slog.String("route", c.request.route),
		slog.String("organization", c.organization), slog.String("actor", c.actor), slog.String("subject", c.subject()),
		slog.String("session", c.request.Session.ID), slog.String("action", c.action), slog.String("outcome", outcome(err)),
		slog.Int("status", r.Status), slog.Int64("microseconds", f.deps.Now().Sub(c.at).Microseconds()),
	}, measured...)
	level := slog.LevelInfo
	if err != nil {
		attrs = append(attrs, slog.String("code", fault.Of(err).Code))
	}
	if err != nil && r.Status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	f.deps.Log.LogAttrs(ctx, level, "request", attrs...)
}

// outcome is done, or the kind of failure.
func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return fault.Of(err).Kind.String()
}
