package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// Endpoint is one call of the contract as a value. In is what a request asks
// for, in words of the domain.
type Endpoint[In any] struct {
	// Route is "METHOD /path/{name}", as in template and OpenAPI.
	Route string
	// Action is what the caller must be allowed on the target.
	Action authz.Action
	// ReadOnly: it may be called in a read_only session (I6). What is got
	// always may.
	ReadOnly bool
	// Open: it ignores parameters of the query, as AuthZEN asks.
	Open bool
	// Creates: it heeds Idempotency-Key (T3).
	Creates bool
	// MostBody is the most bytes of a body; zero is MaxBody.
	MostBody int
	// Asked is what a request with an idempotency key asked for, as it may be
	// compared and kept; nil is the body. It leaves out secrets (T5).
	Asked func(In) string
	// Decode reads the form of a request: Invalid, never a rule.
	Decode func(*Request) (In, error)
	// Needs is what is read together with the caller; nil is nothing.
	Needs func(In) directory.Keys
	// Target is what the action is on; nil is the organization.
	Target func(directory.Caller, In) authz.Resource
	// About is what a denied attempt is told to be about (T1), when the action is
	// on the organization and the attempt on a part of it; nil is the target. The
	// type of the entry is then that of the part.
	About func(In) timeline.Target
	// Attempt is the entry of a request that a read_only session refuses, where the
	// action lets everybody in and so says nothing of what was tried (T1); nil is the
	// action's. What could not be read of the request is zero.
	Attempt func(directory.Caller, In, string) timeline.Entry
	// Asks is action and target where they depend on what is there, as for a PUT
	// that creates or replaces; Action is then what the log says. Nil is neither.
	Asks func(directory.Caller, In) (authz.Action, authz.Resource)
	// Do acts for a caller who may.
	Do func(context.Context, directory.Caller, In) (Response, error)
}

// Bound is an endpoint of whatever input, as a function takes it.
type Bound struct {
	route    string
	looks    bool
	mostBody int
	serve    func(context.Context, *call) (Response, error)
}

// Bind makes an endpoint ready for a function. Without an action it has
// nothing to serve, and New refuses it.
func (e Endpoint[In]) Bind() Bound {
	if e.Action == authz.NoAction {
		return Bound{route: e.Route}
	}
	return Bound{e.Route, e.reads(), cmp.Or(e.MostBody, MaxBody), e.serve}
}

// Public is an endpoint that nobody signs in for.
func Public(route string, do func(*Request) Response) Bound {
	return Bound{route, true, MaxBody, func(_ context.Context, c *call) (Response, error) {
		if c.request.unreadable != nil {
			return Response{}, c.request.unreadable
		}
		return do(&c.request), nil
	}}
}

// serve is the one way through: who, in whose session, what, may they, do.
func (e Endpoint[In]) serve(ctx context.Context, c *call) (Response, error) {
	c.action = e.Action.String()
	if err := c.authenticate(ctx); err != nil {
		return Response{}, err
	}
	in, err := e.read(c)
	if err != nil {
		return Response{}, e.refuseUnread(ctx, c, err)
	}
	var response Response
	raced := false
	err = directory.Anew(ctx, func() (err error) {
		if raced {
			if err = c.resume(ctx); err != nil {
				return err
			}
		}
		response, err = e.attempt(ctx, c, in)
		raced = true
		return err
	})
	return response, err
}

// read is what the request asks for, or why that is not looked into: a write in
// a read_only session first of all (I6), then its form.
func (e Endpoint[In]) read(c *call) (in In, err error) {
	if c.request.Session.Mode == impersonation.ReadOnly && !e.reads() {
		return in, fault.New(fault.Denied, "read_only", "This session may look, not change.")
	}
	if c.request.unreadable != nil {
		return in, c.request.unreadable
	}
	in, err = e.Decode(&c.request)
	if err == nil && !e.Open {
		err = c.request.unasked()
	}
	return in, err
}

func (e Endpoint[In]) reads() bool {
	return e.ReadOnly || strings.HasPrefix(e.Route, http.MethodGet+" ")
}

// refuseUnread is the no to a request that is not looked into. It is of no use
// to who may not sign in any more (U2), nor to a session that lost what it
// needs: that ends here, too (I5). What read_only refuses is a denied attempt
// (T1).
func (e Endpoint[In]) refuseUnread(ctx context.Context, c *call, refusal error) error {
	caller, err := c.load(ctx, directory.Keys{})
	if err != nil || !fault.Is(refusal, fault.Denied) {
		return cmp.Or(err, refusal)
	}
	tried := attempted{action: e.Action, target: caller.OrganizationTarget()}
	in, err := e.Decode(&c.request)
	if e.Attempt != nil {
		return cmp.Or(c.deps.Store.Record(ctx, c.organization, e.Attempt(caller, in, fault.Of(refusal).Code)), refusal)
	}
	if err == nil {
		tried = e.attempted(caller, in)
	}
	return cmp.Or(c.recordDenied(ctx, caller, tried, fault.Of(refusal).Code), refusal)
}

// attempted is what somebody wants to do: the action, what it is on, and what
// it is about when that is a part of the organization.
type attempted struct {
	action authz.Action
	target authz.Resource
	about  timeline.Target
}

func (e Endpoint[In]) attempted(caller directory.Caller, in In) attempted {
	var tried attempted
	tried.action, tried.target = e.asks(caller, in)
	if e.About != nil {
		tried.about = e.About(in)
	}
	return tried
}

// asks is the action and what it is on.
func (e Endpoint[In]) asks(caller directory.Caller, in In) (authz.Action, authz.Resource) {
	switch {
	case e.Asks != nil:
		return e.Asks(caller, in)
	case e.Target != nil:
		return e.Action, e.Target(caller, in)
	default:
		return e.Action, caller.OrganizationTarget()
	}
}

// asked is what a repeated request has to be the same in.
func (e Endpoint[In]) asked(c *call, in In) string {
	if e.Asked != nil {
		return e.Asked(in)
	}
	return string(c.request.Body)
}

// attempt reads, decides and acts once.
func (e Endpoint[In]) attempt(ctx context.Context, c *call, in In) (Response, error) {
	var keys directory.Keys
	if e.Needs != nil {
		keys = e.Needs(in)
	}
	caller, err := c.load(ctx, keys)
	if err != nil {
		return Response{}, err
	}
	if e.Creates {
		kept, found, err := c.once(ctx, &caller, e.asked(c, in))
		if err != nil || found {
			return kept, err
		}
	}
	tried := e.attempted(caller, in)
	if decision := caller.Decide(tried.action, tried.target); !decision.Allowed {
		return Response{}, c.refuse(ctx, caller, tried, decision)
	}
	response, err := e.Do(ctx, caller, in)
	if fault.Is(err, fault.Denied) {
		err = cmp.Or(c.recordDenied(ctx, caller, tried, fault.Of(err).Code), err)
	}
	return response, err
}

// refuse is a no that is written down.
func (c *call) refuse(ctx context.Context, caller directory.Caller, tried attempted, d authz.Decision) error {
	if err := c.recordDenied(ctx, caller, tried, d.Reason.String()); err != nil {
		return err
	}
	return caller.Refusal(tried.action, tried.target, d)
}

// recordDenied writes down that somebody was refused an admin action (T1).
func (c *call) recordDenied(ctx context.Context, caller directory.Caller, tried attempted, cause string) error {
	if !tried.action.Admin() {
		return nil
	}
	entry := caller.Denied(tried.action, tried.target, cause)
	if part, ok := timeline.ParseType(tried.about.Type); ok {
		entry.Type, entry.Target = part, tried.about
	}
	return c.deps.Store.Record(ctx, caller.Organization.ID, entry)
}
