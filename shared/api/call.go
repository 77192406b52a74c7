package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// call is one request on its way.
type call struct {
	deps         Deps
	request      Request
	at           time.Time
	organization string
	actor        string
	action       string
	handed       *handed
	marking      *marking // nil: none
}

// sessionHeader names the impersonation that a request is made in.
const sessionHeader = "impersonation-session"

// authenticate finds who asks, from the token's sub alone, and resumes the
// session that the request names.
func (c *call) authenticate(ctx context.Context) error {
	sub := c.request.Claims["sub"]
	if sub == "" {
		return fault.New(fault.Unauthenticated, "no_token", "This needs a token of the organization's sign-in.")
	}
	var err error
	if c.organization, c.actor, err = c.deps.Store.SignIn(ctx, sub); err != nil {
		return err
	}
	return c.resume(ctx)
}

// resume is the session that the request names. One that ended under a request
// is found here when its write is decided anew (I5).
func (c *call) resume(ctx context.Context) error {
	id, named := c.request.header[sessionHeader]
	if !named {
		return nil
	}
	var err error
	c.request.Session, err = c.deps.Sessions.Resume(ctx, c.organization, c.actor, id, c.at)
	return err
}

// subject is as whom the request is made: the session's subject, or whoever asks.
func (c *call) subject() string {
	if c.request.Session.ID != "" {
		return c.request.Session.Subject.ID
	}
	return c.actor
}

// load reads the caller and what the endpoint needs at one moment, and holds
// caller and session to what they must still be.
func (c *call) load(ctx context.Context, keys directory.Keys) (directory.Caller, error) {
	subject := c.subject()
	keys.Users = append([]string{c.actor, subject}, keys.Users...)
	facts, err := c.deps.Store.Load(ctx, c.organization, keys)
	if err != nil {
		return directory.Caller{}, err
	}
	caller := directory.Caller{
		Facts: facts, Subject: facts.Users[subject], Actor: facts.Users[c.actor],
		Session: c.request.Session.ID, ReadOnly: c.request.Session.Mode == impersonation.ReadOnly, At: c.at, RequestID: c.request.ID,
	}
	if c.request.Session.ID != "" {
		if caller.Subject.ID == "" || caller.Actor.ID == "" {
			// Users are never deleted: this is a reading to repeat, no session to end.
			return directory.Caller{}, fault.Wrap(fault.Unavailable, "storage", errors.New("a side of the session is missing"))
		}
		if err := c.stillRightful(ctx, caller); err != nil {
			return directory.Caller{}, err
		}
	}
	if !maySignIn(caller) {
		return directory.Caller{}, fault.New(fault.Unauthenticated, "sign_in_disabled", "This sign-in is not in use.")
	}
	c.see(ctx, caller.Actor)
	caller.Again = c.again
	return caller, nil
}

// again is the caller read anew, in the session as it is now.
func (c *call) again(ctx context.Context, keys directory.Keys) (directory.Caller, error) {
	if err := c.resume(ctx); err != nil {
		return directory.Caller{}, err
	}
	return c.load(ctx, keys)
}

// stillRightful ends the session in the very request in which it lost what
// it needs (I5).
func (c *call) stillRightful(ctx context.Context, caller directory.Caller) error {
	cause := impersonation.Lost(caller.Model, caller.Organization.Settings, caller.Actor, caller.Subject, c.at)
	if cause == impersonation.NoCause {
		return nil
	}
	session := c.request.Session
	c.request.Session = impersonation.Session{}
	if err := c.deps.Sessions.Close(ctx, session, cause, c.at, c.request.ID); err != nil {
		return err
	}
	return impersonation.Invalid()
}

// maySignIn holds the actor to U2: the token may be older than the change.
func maySignIn(caller directory.Caller) bool {
	actor := caller.Model.Subject(caller.Actor.Decisive(), caller.At)
	return caller.Actor.SignIn.Usable() && caller.Model.Decide(actor, authz.SignIn, caller.OrganizationTarget()).Allowed
}

// requestIDHeader is the request's name in the client's own words.
const requestIDHeader = "x-request-id"

// announce adds what every answer tells: the request's own X-Request-ID, and
// in a session that it lasts, and how long.
func (c *call) announce(r *Response) {
	header := map[string]string{}
	if id := c.request.Header(requestIDHeader); printable(id) {
		header[requestIDHeader] = id
	}
	if s := c.request.Session; s.ID != "" {
		header[sessionHeader] = s.ID
		header["impersonation-expires"] = s.Expires().UTC().Format(time.RFC3339)
	}
	maps.Copy(header, r.Header)
	r.Header = header
}

// printable tells whether text from outside may stand in a header (T5). How
// long it may be is the gateway's to say.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}

// mostKey bounds an idempotency key, which is looked up.
const mostKey = 255

// once heeds an idempotency key: the first answer if there is one, else the
// caller is told what to keep (T3).
func (c *call) once(ctx context.Context, caller *directory.Caller, asked string) (Response, bool, error) {
	given, named := c.request.header["idempotency-key"]
	if !named {
		return Response{}, false, nil
	}
	if !printable(given) || len(given) > mostKey {
		return Response{}, false, fault.New(fault.Invalid, "malformed", "An idempotency key has 1 to 255 printable ASCII characters.")
	}
	key := hash(c.actor, c.request.Session.ID, c.request.route, given)
	asked = hash(asked)
	kept, found, err := c.deps.Store.Answered(ctx, c.organization, caller.Subject.ID, key, c.at)
	if err != nil {
		return Response{}, false, err
	}
	if !found {
		caller.Once = directory.Once{Key: key, Request: asked}
		return Response{}, false, nil
	}
	if err := kept.Answers(asked); err != nil {
		return Response{}, false, err
	}
	var first keptAnswer
	if err := json.Unmarshal(kept.Answer, &first); err != nil {
		return Response{}, false, fault.Wrap(fault.Internal, "answer", err)
	}
	return Response{Status: first.Status, Body: first.Body, Version: first.Version, Header: first.Header}, true, nil
}

// keptAnswer is an answer as it is stored.
type keptAnswer struct {
	Status  int               `json:"status"`
	Body    json.RawMessage   `json:"body"`
	Version uint64            `json:"version"`
	Header  map[string]string `json:"header"`
}

// Keeping is how an endpoint's answer is kept for a repeated request; answer
// turns what the use case made into the response.
func Keeping[Made any](answer func(Made) Response) func(any) []byte {
	return func(made any) []byte {
		r := answer(made.(Made))
		body, _ := json.Marshal(r.Body)
		kept, _ := json.Marshal(keptAnswer{r.Status, body, r.Version, r.Header})
		return kept
	}
}

// hash is over parts, told apart by their quoting.
func hash(parts ...string) string {
	text, _ := json.Marshal(parts)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
