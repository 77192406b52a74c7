package endpoints_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gemba/functions/permission/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// C8, C11: a failed or partial load is an error, never a decision. Each path of
// a check is walked call by call, and at each call each thing goes wrong that
// can. What cannot be told is said here: DynamoDB answers what does not exist by
// leaving it out, so a user, item or sign-in that it wrongly leaves out is taken
// for one that is not there: refused, or denied as unknown. So is a part of the
// policy's entities, if the answer does not count it either.

// outcome is what may come of a request in which something went wrong.
type outcome uint8

const (
	fails    outcome = iota // 503
	heals                   // the right answer
	either                  // one of the two
	internal                // 500, or the right answer where what is broken was not needed
	refused                 // as heals or fails, or a no to what seems not to be there
)

// harm is one thing that goes wrong at a call: at its attempts, which the SDK
// repeats, or at the call whole; always leaves nothing whole of this operation
// from there on.
type harm struct {
	name    string
	on      string // the operation; "" is all
	attempt func(n int, next func() (any, error)) (any, error)
	whole   func(input any, next func() (any, error)) (any, error)
	always  bool
	want    outcome
}

// repeating fails the first attempts with an error: one, or all of them.
func repeating(name string, err error) []harm {
	attempts := func(most int) func(int, func() (any, error)) (any, error) {
		return func(n int, next func() (any, error)) (any, error) {
			if n <= most {
				return nil, err
			}
			return next()
		}
	}
	return []harm{
		{name: name + " for good", attempt: attempts(1000), want: fails},
		{name: name + " once", attempt: attempts(1), want: heals},
	}
}

// answeredWith is an error that came as an answer of a status.
func answeredWith(status int, err error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
}

// timeout is what the HTTP client says of an attempt that took too long.
type timeout struct{}

func (timeout) Error() string   { return "Client.Timeout exceeded while awaiting headers" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func cancelledFor(codes ...string) error {
	c := &types.TransactionCanceledException{}
	for _, code := range codes {
		c.CancellationReasons = append(c.CancellationReasons, types.CancellationReason{Code: &code})
	}
	return c
}

// harms are all that can go wrong at a call.
func harms() []harm {
	var all []harm
	for name, err := range map[string]error{
		"throughput exceeded":   &types.ProvisionedThroughputExceededException{},
		"request limit":         &types.RequestLimitExceeded{},
		"internal server error": answeredWith(http.StatusInternalServerError, &types.InternalServerError{}),
		"connection cut":        dynamotest.Lost,
	} {
		all = append(all, repeating(name, err)...)
	}
	failing := func(err error) func(any, func() (any, error)) (any, error) {
		return func(any, func() (any, error)) (any, error) { return nil, err }
	}
	return append(all,
		harm{name: "an answer lost", want: heals, attempt: func(n int, next func() (any, error)) (any, error) {
			out, err := next()
			if n == 1 && err == nil {
				return nil, dynamotest.Lost
			}
			return out, err
		}},
		harm{name: "timed out", whole: failing(timeout{}), want: fails},
		harm{name: "not allowed", whole: failing(&smithy.GenericAPIError{Code: "AccessDeniedException"}), want: fails},
		harm{name: "conflict", on: "TransactGetItems", whole: failing(cancelledFor("None", "TransactionConflict")), want: heals},
		harm{name: "conflict for ever", on: "TransactGetItems", whole: failing(cancelledFor("None", "TransactionConflict")), always: true, want: fails},
		harm{name: "throttled in parts", on: "TransactGetItems", whole: failing(cancelledFor("ThrottlingError", "None")), want: heals},
		harm{name: "cancelled for another reason", on: "TransactGetItems", whole: failing(cancelledFor("ValidationError")), want: fails},
		harm{name: "nothing processed", on: "BatchGetItem", whole: unprocessed(""), want: heals},
		harm{name: "users not processed", on: "BatchGetItem", whole: unprocessed("U#"), want: heals},
		harm{name: "items not processed", on: "BatchGetItem", whole: unprocessed("I#"), want: heals},
		harm{name: "the version not processed", on: "BatchGetItem", whole: unprocessed("V#"), want: heals},
		harm{name: "nothing processed for ever", on: "BatchGetItem", whole: unprocessed(""), always: true, want: fails},
		harm{name: "no policy version", whole: without(ofKind("V#")), want: either},
		harm{name: "no policy version ever", whole: without(ofKind("V#")), always: true, want: either},
		harm{name: "no organization", whole: without(ofKind("ORG#")), want: either},
		harm{name: "no changes", whole: gap(2), want: either},
		harm{name: "a gap in the changes", whole: gap(1), want: either},
		harm{name: "a gap in the changes for ever", whole: gap(1), always: true, want: either},
		harm{name: "no policy entities", whole: without(ofKind("P#")), want: either},
		harm{name: "no snapshot", whole: without(ofKind("S#")), want: either},
		harm{name: "a broken snapshot", whole: spoilt("data", &types.AttributeValueMemberB{Value: []byte("broken")}), want: heals},
		harm{name: "a snapshot of no form", whole: spoilt("data", &types.AttributeValueMemberS{Value: "text"}), want: heals},
		harm{name: "a snapshot of another nonce", whole: spoilt("nonce", &types.AttributeValueMemberS{Value: "another"}), want: heals},
		harm{name: "no user", whole: without(ofKind("U#")), want: refused},
		harm{name: "no item", whole: without(ofKind("I#")), want: refused},
		harm{name: "no sign-in", whole: without(ofKind("SUB#")), want: refused},
		harm{name: "an empty answer", whole: without(ofKind("")), want: refused},
		harm{name: "an empty answer for ever", whole: without(ofKind("")), always: true, want: refused},
		harm{name: "another form", whole: spoilt("v", &types.AttributeValueMemberS{Value: "no number"}), want: internal},
		harm{name: "no time of writing", whole: spoilt("at", &types.AttributeValueMemberS{Value: "now"}), want: internal},
		harm{name: "a status of tomorrow", whole: spoilt("status", &types.AttributeValueMemberS{Value: "reopened"}), want: internal},
		harm{name: "a user type of tomorrow", whole: spoilt("type", &types.AttributeValueMemberS{Value: "robot"}), want: internal},
		harm{name: "a team type of tomorrow", whole: spoilt("teamType", &types.AttributeValueMemberS{Value: "pair"}), want: internal},
		harm{name: "an advanced permission of tomorrow", whole: spoilt("advanced", &types.AttributeValueMemberL{
			Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "fly"}}}), want: internal},
		harm{name: "a mode of tomorrow", whole: spoilt("mode", &types.AttributeValueMemberS{Value: "ghost"}), want: internal},
	)
}

// unprocessed answers a batch but for keys that begin so, which it hands back.
func unprocessed(kind string) func(any, func() (any, error)) (any, error) {
	return func(input any, next func() (any, error)) (any, error) {
		in, done := input.(*dynamodb.BatchGetItemInput), 0
		left := map[string]types.KeysAndAttributes{}
		for table, keys := range in.RequestItems {
			back, processed := keys, keys
			back.Keys, processed.Keys = nil, nil
			for _, k := range keys.Keys {
				if ofKind(kind)(k) {
					back.Keys = append(back.Keys, k)
				} else {
					processed.Keys = append(processed.Keys, k)
				}
			}
			in.RequestItems[table], done = processed, len(processed.Keys)
			if len(back.Keys) > 0 {
				left[table] = back
			}
		}
		if done == 0 {
			return &dynamodb.BatchGetItemOutput{UnprocessedKeys: left}, nil
		}
		out, err := next()
		if batch, ok := out.(*dynamodb.BatchGetItemOutput); ok && err == nil {
			batch.UnprocessedKeys = left
		}
		return out, err
	}
}

type stored = map[string]types.AttributeValue

// ofKind tells keys that begin so.
func ofKind(kind string) func(stored) bool {
	return func(item stored) bool {
		pk, ok := item["pk"].(*types.AttributeValueMemberS)
		return ok && strings.HasPrefix(pk.Value, kind)
	}
}

// changed is an answer after each of its items was changed; nil leaves it out.
func changed(output any, change func(stored) stored) any {
	several := func(items []stored) []stored {
		var kept []stored
		for _, item := range items {
			if item = change(item); item != nil {
				kept = append(kept, item)
			}
		}
		return kept
	}
	switch out := output.(type) {
	case *dynamodb.GetItemOutput:
		out.Item = change(out.Item)
	case *dynamodb.UpdateItemOutput:
		out.Attributes = change(out.Attributes)
	case *dynamodb.QueryOutput:
		out.Items = several(out.Items)
	case *dynamodb.BatchGetItemOutput:
		for table, items := range out.Responses {
			out.Responses[table] = several(items)
		}
	case *dynamodb.TransactGetItemsOutput:
		for i := range out.Responses {
			out.Responses[i].Item = change(out.Responses[i].Item)
		}
	}
	return output
}

// gap leaves the first n changes out of an answer, which counts what it has.
func gap(n int) func(any, func() (any, error)) (any, error) {
	return func(input any, next func() (any, error)) (any, error) {
		seen := 0
		out, err := without(func(item stored) bool {
			if !ofKind("C#")(item) {
				return false
			}
			seen++
			return seen <= n
		})(input, next)
		if q, ok := out.(*dynamodb.QueryOutput); ok && err == nil {
			q.Count = int32(len(q.Items))
		}
		return out, err
	}
}

// without leaves items out of an answer; a query's still counts them.
func without(gone func(stored) bool) func(any, func() (any, error)) (any, error) {
	return func(_ any, next func() (any, error)) (any, error) {
		out, err := next()
		return changed(out, func(item stored) stored {
			if gone(item) {
				return nil
			}
			return item
		}), err
	}
}

// spoilt gives an attribute of each item that has it another value.
func spoilt(name string, value types.AttributeValue) func(any, func() (any, error)) (any, error) {
	return func(_ any, next func() (any, error)) (any, error) {
		out, err := next()
		return changed(out, func(item stored) stored {
			if _, has := item[name]; has {
				item[name] = value
			}
			return item
		}), err
	}
}

// path is a way that a check takes through DynamoDB.
type path struct {
	name    string
	route   string
	as      string
	session bool
	asked   []string // items
	// warm: asked before the change that is checked, after it, or never.
	warm  warmth
	young bool
	calls []string // what it asks of DynamoDB
}

type warmth uint8

const (
	cold warmth = iota
	behind
	current
)

// walk is one request under way through a store in which something goes wrong
// at one call.
type walk struct {
	turn     sync.Mutex // one call after the other, also of those that go abreast
	mu       sync.Mutex
	at       int // counted from 1; 0 is nowhere
	harm     harm
	calls    []string
	attempts int
	after    func()
}

func (w *walk) set(at int, h harm, after func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.harm, w.calls, w.after = at, h, nil, after
}

// meant tells whether the call now under way is one to harm.
func (w *walk) meant() bool {
	return w.at > 0 && (len(w.calls) == w.at || w.harm.always && len(w.calls) > w.at && w.calls[len(w.calls)-1] == w.calls[w.at-1])
}

func (w *walk) call(operation string, input any, next func() (any, error)) (any, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.mu.Lock()
	w.calls, w.attempts = append(w.calls, operation), 0
	meant, after := w.meant(), w.after
	w.mu.Unlock()
	if q, ok := input.(*dynamodb.QueryInput); ok && q.Limit == nil {
		q.Limit = aws.Int32(10) // so that what is small has pages, too
	}
	switch {
	case !meant:
		return next()
	case after != nil:
		after()
		return next()
	case w.harm.whole != nil:
		return w.harm.whole(input, next)
	}
	return next()
}

func (w *walk) attempt(_ string, _ any, next func() (any, error)) (any, error) {
	w.mu.Lock()
	w.attempts++
	n, meant := w.attempts, w.meant()
	w.mu.Unlock()
	if !meant || w.harm.attempt == nil {
		return next()
	}
	return w.harm.attempt(n, next)
}

// client is shared by all stores of all paths, with the connections it holds.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// walked is a function over a store of its own that a walk goes through.
type walked struct {
	*api.Function
	walk *walk
}

func open(place *fixture.Place) walked {
	w := &walk{}
	store := place.Open(func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(w.call), dynamotest.InterceptAttempts(w.attempt))
	})
	deps := silent(place, store)
	deps.Sessions = impersonation.NewSessions(store, impersonation.DefaultIdle)
	return walked{endpoints.New(deps, store), w}
}

// call is the path's request: whether nurse may view the items, who may view the
// first, or what nurse may view.
func (p path) call() fixture.Call {
	body := question("nurse", "view", "item", p.asked[0], nil)
	switch p.route {
	case evaluations:
		var entries []object
		for _, id := range p.asked {
			entries = append(entries, object{"resource": object{"type": "item", "id": id}})
		}
		body["evaluations"] = entries
	case subjects:
		body["subject"] = object{"type": "user"}
	case resources:
		body["resource"] = object{"type": "item"}
	}
	c := fixture.Call{Route: p.route, As: p.as, Body: body}
	if p.session {
		c.Session = "x1"
	}
	return c
}

// told is an answer's decisions with their reasons, or what it found.
func told(t *testing.T, a fixture.Answer) []string {
	t.Helper()
	var out struct {
		answered
		Results []struct{ ID string }
	}
	a.Into(t, &out)
	if out.Decision != nil {
		return []string{fmt.Sprint(*out.Decision, " ", out.Context.Reason)}
	}
	var all []string
	for _, found := range out.Results {
		all = append(all, found.ID)
	}
	for _, e := range out.Evaluations {
		all = append(all, fmt.Sprint(*e.Decision, " ", e.Context.Reason))
	}
	return all
}

// deadline is the harm that the invocation's time is over.
const deadline = "the deadline"

// try is one request in which something goes wrong at one call.
type try struct {
	at   int
	harm harm
	f    walked
}

// TestC8NoDecisionRestsOnAFailedLoad walks every call of every path. The right
// answer is that after two edits: nurse sees the incident only since the first.
func TestC8NoDecisionRestsOnAFailedLoad(t *testing.T) {
	one := []string{"clinic-incident"}
	hundred := append([]string{}, one...)
	for i := range 99 {
		hundred = append(hundred, fmt.Sprint("absent-", i))
	}
	const get, touch, batch, moment, query = "GetItem", "UpdateItem", "BatchGetItem", "TransactGetItems", "Query"
	for _, p := range []path{
		{"cold", evaluation, "service", false, one, cold, false, []string{get, batch, get, query, query, query, query, moment}},
		{"cold, by a snapshot", evaluation, "service", false, one, cold, false, []string{get, batch, get, query, query}},
		{"warm", evaluation, "service", false, one, current, false, []string{batch}},
		{"warm, with a refresh", evaluation, "service", false, one, behind, false, []string{batch, query}},
		{"young", evaluation, "service", false, one, behind, true, []string{batch, moment, query}},
		{"103 keys", evaluations, "service", false, hundred, behind, false, []string{batch, batch, query}},
		{"103 keys, young", evaluations, "service", false, hundred, behind, true, []string{batch, batch, batch, batch, query}},
		{"in a session", evaluation, "support", true, one, behind, false, []string{touch, batch, query}},
		{"a search for subjects", subjects, "service", false, one, behind, false, []string{batch, query, query, query, query, query, batch}},
		{"a search for resources", resources, "service", false, one, behind, false, []string{batch, query, query, query, query, query, query, batch}},
	} {
		t.Run(p.name, func(t *testing.T) {
			place := p.world(t)
			tries, right := p.tries(t, place)
			t.Logf("%d requests with something wrong, over %v", len(tries), p.calls)
			limit := make(chan struct{}, 24)
			each(tries, func(_ int, one try) {
				limit <- struct{}{}
				defer func() { <-limit }()
				p.judge(t, place, one, right)
			})
		})
	}
}

// world is the fixture's, with a session of support as nurse.
func (p path) world(t *testing.T) *fixture.Place {
	store, place := fixture.World(t)
	if p.name == "cold, by a snapshot" {
		leaveSnapshot(t, store, place)
	}
	place.Config.HTTPClient = newRecall()
	if !p.session {
		return place
	}
	c := place.Caller(t, "support", directory.Keys{Users: []string{"nurse"}})
	now := place.Clock.Now()
	err := store.StartSession(t.Context(), impersonation.Beginning{
		Session: impersonation.Session{
			ID: "x1", Organization: fixture.Organization, Actor: c.Actor.Named(), Subject: c.Users["nurse"].Named(), Mode: impersonation.Full,
			Started: now, Last: now, Idles: now.Add(impersonation.DefaultIdle), Ends: now.Add(time.Hour),
			Notice: impersonation.Mail{Organization: fixture.Organization, Kind: impersonation.NoticeMail, About: "x1", Status: impersonation.NotRequired},
		},
		Entry: c.Entry(timeline.Impersonation, "start", timeline.Target{Type: "impersonation", ID: "x1"}),
		Basis: c.Basis(c.Users["nurse"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// leaveSnapshot makes so much policy that there is a snapshot of it.
func leaveSnapshot(t *testing.T, store *dynamo.Store, place *fixture.Place) {
	t.Helper()
	var p dynamo.Policy
	for i := range 30 {
		p.Roles = append(p.Roles, fixture.Role{
			Role:        authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("long-", i)}, Name: fmt.Sprint("Long ", i)},
			Description: strings.Repeat("a long story ", 730),
		})
	}
	if _, err := store.CreatePolicy(t.Context(), fixture.Organization, p, place.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	place.Clock.Advance(settling)
}

// tries are the path's, each over a store that is as warm as the path has it,
// and the right answer.
func (p path) tries(t *testing.T, place *fixture.Place) ([]try, []string) {
	t.Helper()
	var tries []try
	for i, operation := range p.calls {
		for _, h := range harms() {
			if h.on == "" || h.on == operation {
				tries = append(tries, try{i + 1, h, open(place)})
			}
		}
		tries = append(tries, try{i + 1, harm{name: deadline, want: fails}, open(place)})
	}
	control := open(place)
	ask := func(f walked) []string {
		a := place.Do(t, f, p.call())
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return told(t, a)
	}
	warm := func() {
		first := p
		first.route, first.asked = evaluation, p.asked[:1]
		each(append(tries, try{f: control}), func(_ int, one try) { place.Do(t, one.f, first.call()) })
	}
	if p.warm == behind {
		warm()
	}
	edit(t, place, "staff", authz.Everywhere)
	edit(t, place, "director", authz.LocationAndBelow)
	if !p.young {
		place.Clock.Advance(settling)
	}
	if p.warm == current {
		warm()
	}
	control.walk.set(0, harm{}, nil)
	right := ask(control)
	if !slices.Equal(control.walk.calls, p.calls) {
		t.Fatalf("the path is %v, want %v", control.walk.calls, p.calls)
	}
	change := map[string]string{subjects: "nurse", resources: p.asked[0]}[p.route]
	if !slices.Contains(right, cmp.Or(change, "true role_grant")) {
		t.Fatalf("the change is not to be seen in %v", right)
	}
	return tries, right
}

// edit gives a role this view and nothing else.
func edit(t *testing.T, place *fixture.Place, id string, view authz.Scope) {
	t.Helper()
	store := place.Open()
	c := place.Caller(t, "root", directory.Keys{})
	r, err := store.Role(t.Context(), fixture.Organization, id)
	if err != nil {
		t.Fatal(err)
	}
	r.Grants = []authz.Grant{{Workflows: []string{"improvement", "safety"}, Permissions: map[authz.Permission]authz.Scope{authz.View: view}}}
	if _, err := role.New(store).Put(t.Context(), c, r, directory.Precondition{Version: r.Version, Match: true}); err != nil {
		t.Fatal(err)
	}
}

// judge makes a try, and the same request again with nothing in its way.
func (p path) judge(t *testing.T, place *fixture.Place, one try, right []string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var after func()
	if one.harm.name == deadline {
		after = cancel
	}
	one.f.walk.set(one.at, one.harm, after)
	raw, err := one.f.Invoke(ctx, place.Event(t, p.call()))
	var a fixture.Answer
	if err := errors.Join(err, json.Unmarshal(raw, &a)); err != nil {
		t.Errorf("C8 call %d, %s: %v", one.at, one.harm.name, err)
		return
	}
	if wrong := one.harm.want.wrong(t, a, right); wrong != "" {
		t.Errorf("C8 call %d of %v, %s: %s: %d %s", one.at, one.f.walk.calls, one.harm.name, wrong, a.Status, a.Body)
	}
	one.f.walk.set(0, harm{}, nil)
	if a := place.Do(t, one.f, p.call()); a.Status != http.StatusOK || fmt.Sprint(told(t, a)) != fmt.Sprint(right) {
		t.Errorf("C8 after call %d, %s: %d %s", one.at, one.harm.name, a.Status, a.Body)
	}
}

// fewer tells whether a search found nothing that is not right.
func fewer(got, right []string) bool {
	for _, id := range got {
		if !slices.Contains(right, id) || strings.Contains(id, " ") {
			return false
		}
	}
	return true
}

// wrong is what is wrong with an answer; "" is nothing.
func (o outcome) wrong(t *testing.T, a fixture.Answer, right []string) string {
	switch {
	case a.Status == http.StatusServiceUnavailable && a.Problem(t) == "unavailable" && o != heals && o != internal:
		return ""
	case a.Status == http.StatusInternalServerError && a.Problem(t) == "internal" && o == internal:
		return ""
	case a.Status == http.StatusUnauthorized && o == refused:
		return "" // the caller, or their sign-in, seems not to be there
	case a.Status != http.StatusOK || o == fails:
		return "an answer that is none of those that may be"
	}
	got := told(t, a)
	if o == refused && fewer(got, right) {
		return ""
	}
	if len(got) != len(right) {
		return "another number of decisions"
	}
	for i := range got {
		unknown := got[i] == "false unknown_subject" || got[i] == "false unknown_resource"
		if got[i] != right[i] && (o != refused || !unknown) {
			return "another decision"
		}
	}
	return ""
}
