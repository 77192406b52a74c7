package endpoints_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/permission/endpoints"
	personas "gemba/functions/persona/endpoints"
	roles "gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
)

// C11: no answer is stale on any warm instance, and none rests on a mixture.
//
// The fixture's clock moves only while nothing is under way, as no write of a
// real clock is under way for ten seconds. So each round has two halves: while
// the clock stands, all that was just changed is young and is read again with
// TransactGetItems; after it was moved on by more than that, the same changes
// are settled and a check is one BatchGetItem. The calls that are counted show
// that both were gone.

// settling is more than the time for which what was written is young.
const settling = 11 * time.Second

// instance is a warm permission function with a store of its own, as one of
// many Lambda instances; it counts what it asks of DynamoDB.
type instance struct {
	*api.Function
	calls *tally
}

// tally counts calls by operation; beside, when there is one, is done beside
// every so many of them.
type tally struct {
	mu     sync.Mutex
	calls  map[string]int
	all    int
	every  int
	beside func()
	doing  sync.WaitGroup
}

func (c *tally) count(operation string, _ any, next func() (any, error)) (any, error) {
	c.mu.Lock()
	c.calls[operation]++
	c.all++
	if c.beside != nil && c.all%c.every == 0 {
		c.doing.Go(c.beside)
	}
	c.mu.Unlock()
	return next()
}

// disturb does something beside every so many calls while act acts.
func (c *tally) disturb(every int, beside, act func()) {
	c.mu.Lock()
	c.every, c.beside = every, beside
	c.mu.Unlock()
	act()
	c.mu.Lock()
	c.beside = nil
	c.mu.Unlock()
	c.doing.Wait()
}

func (c *tally) of(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[operation]
}

// silent is what functions stand on over a store, with a log that nobody reads.
func silent(place *fixture.Place, store *dynamo.Store) api.Deps {
	return api.Deps{Store: store, MarkSeen: fixture.Unmarked, Log: slog.New(slog.DiscardHandler), Now: place.Clock.Now}
}

// instances are n permission functions, each of which has answered already.
func instances(t *testing.T, place *fixture.Place, n int) ([]instance, *tally) {
	t.Helper()
	calls := &tally{calls: map[string]int{}}
	all := make([]instance, n)
	for i := range all {
		store := place.Open(func(cfg *aws.Config) { cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(calls.count)) })
		all[i] = instance{endpoints.New(silent(place, store), store), calls}
		ask(t, place, all[i].Function, "service", question("nurse", "view", "item", "icu-idea", nil))
	}
	return all, calls
}

// circle is what one editor changes, and nobody else: a role, the people who
// may hold it, and items. It remembers what was acknowledged.
type circle struct {
	name    string
	place   *fixture.Place
	roles   *api.Function
	persona *api.Function
	store   *dynamo.Store
	rand    *rand.Rand

	version string
	granted map[authz.Permission]authz.Scope
	holds   map[string]time.Time // until when; the zero time is for good
	users   []string             // those that were made
	items   []string
	body    json.RawMessage
}

const (
	// circleUsers and circleItems are the people and items of a circle; the
	// last of each are made while checks run.
	circleUsers, circleItems = 10, 2
	firstUsers, firstItems   = 8, 1
)

// circleActions are decided by the permissions of their names.
var circleActions = []authz.Permission{authz.View, authz.Edit, authz.Request, authz.Assign, authz.HonorRoll}

func (c *circle) user(i int) string { return fmt.Sprintf("%s-user-%d", c.name, i) }
func (c *circle) item(i int) string { return fmt.Sprintf("%s-item-%d", c.name, i) }

func newCircle(t *testing.T, place *fixture.Place, store *dynamo.Store, i int) *circle {
	t.Helper()
	c := &circle{
		name: fmt.Sprint("circle-", i), place: place, store: store,
		roles: roles.New(silent(place, store), store), persona: personas.New(silent(place, store), store),
		rand: rand.New(rand.NewPCG(11, uint64(i))), holds: map[string]time.Time{},
	}
	c.write(t, http.StatusCreated, nil)
	for i := range firstUsers {
		c.addUser(t, i)
	}
	for i := range firstItems {
		c.addItem(t, i)
	}
	for _, user := range c.users[:firstUsers-2] {
		c.hold(t, user, time.Time{})
	}
	c.body = c.questions(t)
	return c
}

// addUser makes one of the circle's people, by the operator's way.
func (c *circle) addUser(t *testing.T, i int) {
	id := c.user(i)
	u := directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}}
	if made, err := c.store.CreateUser(t.Context(), fixture.Organization, u, c.place.Clock.Now()); err != nil || !made {
		t.Errorf("%s: made %v, %v", id, made, err)
		return
	}
	c.users = append(c.users, id)
}

// addItem makes one of the circle's items: the first where its people are, the
// second elsewhere, so that they tell scopes apart.
func (c *circle) addItem(t *testing.T, i int) {
	item := directory.Item{Item: authz.Item{ID: c.item(i), Template: "idea", Locations: []string{[]string{"icu", "clinic"}[i]}, Status: authz.Active}}
	if made, err := c.store.CreateItem(t.Context(), fixture.Organization, item, c.place.Clock.Now()); err != nil || !made {
		t.Errorf("%s: made %v, %v", item.ID, made, err)
		return
	}
	c.items = append(c.items, item.ID)
}

// questions are a hundred: everybody's actions on each item.
func (c *circle) questions(t *testing.T) json.RawMessage {
	var entries []object
	for i := range circleUsers {
		for j := range circleItems {
			for _, a := range circleActions {
				entries = append(entries, question(c.user(i), a.String(), "item", c.item(j), nil))
			}
		}
	}
	body, err := json.Marshal(object{"evaluations": entries})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// allowed is what the questions' answers have to be by what was acknowledged,
// decided by the rules' words alone (C3, C4).
func (c *circle) allowed() []bool {
	var want []bool
	now := c.place.Clock.Now()
	for i := range circleUsers {
		until, holds := c.holds[c.user(i)]
		holds = holds && (until.IsZero() || until.After(now))
		for j := range circleItems {
			reaches := func(p authz.Permission) bool {
				scope, granted := c.granted[p]
				return granted && (j == 0 || scope == authz.Everywhere)
			}
			for _, a := range circleActions {
				want = append(want, holds && slices.Contains(c.items, c.item(j)) && reaches(authz.View) && reaches(a))
			}
		}
	}
	return want
}

// patience bounds the tries of a request that is answered with 503.
const patience = 20

// do makes one request of an editor until it is acknowledged.
func (c *circle) do(t *testing.T, f *api.Function, want int, call fixture.Call) fixture.Answer {
	call.As = "root"
	for attempt := 0; ; attempt++ {
		a := c.place.Do(t, f, call)
		if a.Status == http.StatusServiceUnavailable && attempt < patience {
			continue // overtaken by the other editors too often
		}
		if a.Status != want {
			t.Errorf("%s: %d %s", call.Route, a.Status, a.Body)
		}
		return a
	}
}

// write makes or edits the role.
func (c *circle) write(t *testing.T, want int, granted map[authz.Permission]authz.Scope) {
	body := object{"id": c.name, "name": "Role of " + c.name, "grants": []object{}}
	permissions := object{}
	for p, s := range granted {
		permissions[p.String()] = s.String()
	}
	if len(granted) > 0 {
		body["grants"] = []object{{"workflows": []string{"improvement"}, "permissions": permissions}}
	}
	call := fixture.Call{Route: "POST /v1/roles", Body: body}
	if want == http.StatusOK {
		delete(body, "id")
		call.Route, call.Path, call.Header = "PUT /v1/roles/{id}", map[string]string{"id": c.name}, map[string]string{"if-match": c.version}
	}
	c.version = c.do(t, c.roles, want, call).Header["etag"]
	c.granted = granted
}

// The changes of a circle by their names.
var circleChanges = map[string]func(*circle, *testing.T){
	"role edited": func(c *circle, t *testing.T) {
		granted := map[authz.Permission]authz.Scope{}
		for _, p := range circleActions {
			if c.rand.IntN(4) > 0 || p == authz.View && c.rand.IntN(2) > 0 {
				granted[p] = []authz.Scope{authz.OnlyLocation, authz.Everywhere}[c.rand.IntN(2)]
			}
		}
		c.write(t, http.StatusOK, granted)
	},
	"role assigned":           func(c *circle, t *testing.T) { c.hold(t, c.someone(), time.Time{}) },
	"role assigned for a bit": func(c *circle, t *testing.T) { c.hold(t, c.someone(), c.place.Clock.Now().Add(settling/2)) },
	"role revoked": func(c *circle, t *testing.T) {
		if len(c.holds) == 0 {
			return
		}
		user := sortedKeys(c.holds)[0]
		c.do(t, c.roles, http.StatusOK, fixture.Call{
			Route: "DELETE /v1/users/{id}/roles/{role}", Path: map[string]string{"id": user, "role": c.name},
		})
		delete(c.holds, user)
	},
	"persona changed": func(c *circle, t *testing.T) {
		persona := directory.Persona(1 + c.rand.IntN(int(directory.PersonaCount)-1))
		c.do(t, c.persona, http.StatusOK, fixture.Call{
			Route: "PUT /v1/users/{id}/persona", Path: map[string]string{"id": c.someone()}, Body: object{"persona": persona.String()},
		})
	},
	"user made": func(c *circle, t *testing.T) {
		if n := len(c.users); n < circleUsers {
			c.addUser(t, n)
		}
	},
	"item made": func(c *circle, t *testing.T) {
		if n := len(c.items); n < circleItems {
			c.addItem(t, n)
		}
	},
}

func (c *circle) someone() string { return c.users[c.rand.IntN(len(c.users))] }

func (c *circle) hold(t *testing.T, user string, until time.Time) {
	body := object{}
	if !until.IsZero() {
		body["until"] = until.Format(time.RFC3339Nano)
	}
	c.do(t, c.roles, http.StatusOK, fixture.Call{
		Route: "PUT /v1/users/{id}/roles/{role}", Path: map[string]string{"id": user, "role": c.name}, Body: body,
	})
	c.holds[user] = until
}

// score is what many checks came to.
type score struct{ answers, yeses, stale, unavailable atomic.Int64 }

// answersTo asks an instance until there is an answer: no answer is none.
func answersTo(t *testing.T, place *fixture.Place, f instance, body any, unavailable *atomic.Int64) (out answered) {
	for range patience {
		a := place.Do(t, f, fixture.Call{Route: evaluations, As: "service", Body: body})
		if a.Status == http.StatusOK {
			a.Into(t, &out)
			return out
		}
		if a.Status != http.StatusServiceUnavailable {
			t.Errorf("C11 %d %s", a.Status, a.Body)
		}
		unavailable.Add(1)
	}
	t.Error("C11 an instance never answers")
	return out
}

// check asks an instance about a circle, and holds every answer to what was
// acknowledged before.
func (s *score) check(t *testing.T, c *circle, f instance, after string) {
	out := answersTo(t, c.place, f, string(c.body), &s.unavailable)
	want := c.allowed()
	if len(out.Evaluations) != len(want) {
		t.Errorf("C11 %d answers to %d questions", len(out.Evaluations), len(want))
		return
	}
	wrong := 0
	for i, e := range out.Evaluations {
		s.answers.Add(1)
		if want[i] {
			s.yeses.Add(1)
		}
		if *e.Decision != want[i] {
			wrong++
		}
	}
	if s.stale.Add(int64(wrong)) == int64(wrong) && wrong > 0 {
		t.Errorf("C11 after %s: %d stale answers about %s", after, wrong, c.name)
	}
}

// TestC11NoInstanceIsEverStale has editors change roles and people while many
// warm instances are asked, each time after the change was acknowledged.
func TestC11NoInstanceIsEverStale(t *testing.T) {
	const editors, rounds, changes, least = 4, 6, 4, 20_000
	store, place := fixture.World(t)
	circles := make([]*circle, editors)
	for i := range circles {
		circles[i] = newCircle(t, place, store, i)
	}
	place.Clock.Advance(settling)
	warm, calls := instances(t, place, 16)
	names := sortedKeys(circleChanges)
	var young, settled score
	made := &tally{calls: map[string]int{}}
	for round := range rounds {
		last := make([]string, editors)
		each(circles, func(i int, c *circle) {
			for change := range changes {
				name := names[(round*changes+change+i)%len(names)]
				circleChanges[name](c, t)
				_, _ = made.count(name, nil, func() (any, error) { return nil, nil })
				last[i] = name
				for range 2 {
					young.check(t, c, warm[c.rand.IntN(len(warm))], name)
				}
			}
		})
		again := calls.of("TransactGetItems")
		place.Clock.Advance(settling)
		each(circles, func(i int, c *circle) {
			for j := range 4 { // over the rounds every instance is asked by every editor
				settled.check(t, c, warm[(4*round+4*i+j)%len(warm)], last[i]+", settled")
			}
		})
		if calls.of("TransactGetItems") != again {
			t.Error("C11 what is settled was read as if it were young")
		}
	}
	for name := range circleChanges {
		if made.of(name) < editors {
			t.Errorf("C11 %d times %s", made.of(name), name)
		}
	}
	for name, s := range map[string]*score{"young": &young, "settled": &settled} {
		t.Logf("%s: %d answers, %d of them yes, %d stale; %d times unavailable",
			name, s.answers.Load(), s.yeses.Load(), s.stale.Load(), s.unavailable.Load())
		if yes := s.yeses.Load(); yes < s.answers.Load()/10 || yes > 9*s.answers.Load()/10 {
			t.Errorf("C11 %s: %d yeses tell little", name, yes)
		}
	}
	if n := young.answers.Load() + settled.answers.Load(); n < least || young.stale.Load()+settled.stale.Load() > 0 {
		t.Errorf("C11 %d answers (at least %d), %d and %d stale", n, least, young.stale.Load(), settled.stale.Load())
	}
	if calls.of("TransactGetItems") < rounds || calls.of("Query") < rounds {
		t.Errorf("C11 %v: nothing was young, or no policy was followed", calls.calls)
	}
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// each acts on all of them at once.
func each[T any](all []T, act func(int, T)) {
	var wait sync.WaitGroup
	for i, one := range all {
		wait.Go(func() { act(i, one) })
	}
	wait.Wait()
}

// seesaw is pairs of items of which, at every moment, one of each is private:
// all first ones, or all second ones. A flip is one transaction.
type seesaw struct {
	place  *fixture.Place
	client *dynamodb.Client
	pairs  int
	mu     sync.Mutex
	flips  int
}

func (s *seesaw) id(pair, side int) string {
	return fmt.Sprintf("of-%d-pair-%d-%d", s.pairs, pair, side)
}

func newSeesaw(t *testing.T, place *fixture.Place, pairs int) *seesaw {
	s := &seesaw{place: place, client: place.Client(), pairs: pairs}
	for pair := range pairs {
		for side := range 2 {
			place.AddItem(t, directory.Item{Item: authz.Item{
				ID: s.id(pair, side), Template: "idea", Locations: []string{"icu"}, Status: authz.Active, Private: side == 0,
			}})
		}
	}
	return s
}

// flip makes the other sides private, each with its next version and the time
// of the write, as every change of the store has.
func (s *seesaw) flip(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flips++
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	number := func(v int64) types.AttributeValue {
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
	}
	var writes []types.TransactWriteItem
	for pair := range s.pairs {
		for side := range 2 {
			writes = append(writes, types.TransactWriteItem{Update: &types.Update{
				TableName: &s.place.Table, Key: map[string]types.AttributeValue{"pk": text("I#" + fixture.Organization + "#" + s.id(pair, side)), "sk": text("ITEM")},
				UpdateExpression: aws.String("SET #private = :p, #at = :at, #v = :v"), ConditionExpression: aws.String("attribute_exists(pk)"),
				ExpressionAttributeNames: map[string]string{"#private": "private", "#at": "at", "#v": "v"},
				ExpressionAttributeValues: map[string]types.AttributeValue{
					":p": &types.AttributeValueMemberBOOL{Value: side == s.flips%2}, ":v": number(int64(s.flips + 1)),
					":at": number(s.place.Clock.Now().UnixMilli()),
				},
			}})
		}
	}
	if _, err := s.client.TransactWriteItems(context.WithoutCancel(t.Context()), &dynamodb.TransactWriteItemsInput{TransactItems: writes}); err != nil {
		t.Error(err)
	}
}

// body asks whether nurse sees the items.
func (s *seesaw) body() object {
	var entries []object
	for side := range 2 {
		for pair := range s.pairs {
			entries = append(entries, object{"resource": object{"type": "item", "id": s.id(pair, side)}})
		}
	}
	return object{"subject": object{"type": "user", "id": "nurse"}, "action": object{"name": "view"}, "evaluations": entries}
}

// mixed tells whether the answers are of no moment that ever was.
func (s *seesaw) mixed(out answered) bool {
	n := len(out.Evaluations) / 2
	for i, e := range out.Evaluations {
		first := *out.Evaluations[0].Decision
		if *e.Decision != (first == (i < n)) {
			return true
		}
	}
	return false
}

// TestC11NoAnswerIsAMixture asks while items change together. A check that
// runs beside a change may tell the state before or after it.
func TestC11NoAnswerIsAMixture(t *testing.T) {
	_, place := fixture.World(t)
	warm, calls := instances(t, place, 4)
	for _, tt := range []struct {
		name                 string
		pairs, checks, every int
		reread               string
	}{
		{"two items", 1, 100, 4, "TransactGetItems"},
		{"as many as one transaction reads", 48, 20, 2, "TransactGetItems"},
		{"more than a transaction reads", 50, 15, 15, "BatchGetItem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mixed, first, unavailable atomic.Int64
			s := newSeesaw(t, place, tt.pairs)
			place.Clock.Advance(settling)
			before := calls.of(tt.reread)
			calls.disturb(tt.every, func() { s.flip(t) }, func() {
				each(warm, func(_ int, f instance) {
					for range tt.checks {
						out := answersTo(t, place, f, s.body(), &unavailable)
						if len(out.Evaluations) != 2*tt.pairs || s.mixed(out) {
							mixed.Add(1)
						}
						if len(out.Evaluations) > 0 && *out.Evaluations[0].Decision {
							first.Add(1)
						}
					}
				})
			})
			asked := int64(len(warm) * tt.checks)
			t.Logf("%d checks beside %d changes: %d mixtures, %d of the first side, %d times unavailable",
				asked, s.flips, mixed.Load(), first.Load(), unavailable.Load())
			if mixed.Load() > 0 {
				t.Errorf("C11 %d of %d checks are a mixture of states", mixed.Load(), asked)
			}
			if first.Load() == 0 || first.Load() == asked || s.flips < 3 {
				t.Errorf("C11 %d of %d checks saw the first side: nothing changed meanwhile", first.Load(), asked)
			}
			if n := calls.of(tt.reread) - before; n < int(asked)*9/10 {
				t.Errorf("C11 %d checks read again %d times", asked, n)
			}
		})
	}
}

// TestC11NoAnswerMixesAUserWithAnotherPolicy gives a role its power only while
// the user does not hold it: at no moment may they have it.
func TestC11NoAnswerMixesAUserWithAnotherPolicy(t *testing.T) {
	store, place := fixture.World(t)
	c := newCircle(t, place, store, 0)
	place.Clock.Advance(settling)
	warm, _ := instances(t, place, 4)
	user := c.users[firstUsers-1] // who holds nothing yet
	done := make(chan struct{})
	var asking sync.WaitGroup
	var checks, powerful atomic.Int64
	for _, f := range warm {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a := place.Do(t, f, fixture.Call{Route: evaluation, As: "service", Body: question(user, "view", "item", c.items[0], nil)})
				if a.Status == http.StatusServiceUnavailable {
					continue
				}
				var out answered
				a.Into(t, &out)
				checks.Add(1)
				if *out.Decision {
					powerful.Add(1)
				}
			}
		})
	}
	holding := fixture.Call{Route: "PUT /v1/users/{id}/roles/{role}", Path: map[string]string{"id": user, "role": c.name}, Body: object{}}
	dropping := fixture.Call{Route: "DELETE /v1/users/{id}/roles/{role}", Path: holding.Path}
	for range 15 {
		c.write(t, http.StatusOK, nil)
		c.do(t, c.roles, http.StatusOK, holding)
		c.do(t, c.roles, http.StatusOK, dropping)
		c.write(t, http.StatusOK, map[authz.Permission]authz.Scope{authz.View: authz.Everywhere})
	}
	close(done)
	asking.Wait()
	t.Logf("%d checks beside 60 changes: %d yeses", checks.Load(), powerful.Load())
	if powerful.Load() > 0 || checks.Load() < 100 {
		t.Errorf("C11 %d of %d checks answered yes by a role and a user that never were together", powerful.Load(), checks.Load())
	}
	c.do(t, c.roles, http.StatusOK, holding)
	if yes, _ := ask(t, place, warm[0].Function, "service", question(user, "view", "item", c.items[0], nil)); !yes {
		t.Error("C11 the user never gets the power: the test tells nothing")
	}
}

// TestC11ARefreshCostsWhatChanged: the first check after one role edit reads
// that edit, however many roles there are.
func TestC11ARefreshCostsWhatChanged(t *testing.T) {
	type cost struct{ requests, units float64 }
	var costs []cost
	for _, extra := range []int{0, 295} {
		f, place, lines := logged(t)
		policy := dynamo.Policy{}
		for i := range extra {
			policy.Roles = append(policy.Roles, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("extra-", i)}, Name: fmt.Sprint("Extra ", i)}})
		}
		store := place.Open()
		if n, err := store.CreatePolicy(t.Context(), fixture.Organization, policy, place.Clock.Now()); err != nil || n != extra {
			t.Fatalf("%d roles, %v", n, err)
		}
		c := newCircle(t, place, store, 0)
		check := func() cost {
			place.Clock.Advance(settling)
			lines()
			ask(t, place, f, "service", question(c.users[0], "view", "item", c.items[0], nil))
			for _, line := range lines() {
				if line["msg"] == "request" {
					return cost{line["dynamodbRequests"].(float64), line["dynamodbUnits"].(float64)}
				}
			}
			t.Fatal("the request is not in the log")
			return cost{}
		}
		check()
		warm := check()
		c.write(t, http.StatusOK, map[authz.Permission]authz.Scope{authz.View: authz.Everywhere})
		refresh := check()
		if warm.requests != 1 || refresh.requests != 2 || refresh.units != warm.units+1 {
			t.Errorf("C11 beside %d more roles: warm %v, after one edit %v", extra, warm, refresh)
		}
		costs = append(costs, refresh)
	}
	t.Logf("the first check after one edit: %v, and %v beside 295 more roles", costs[0], costs[1])
	if costs[0] != costs[1] {
		t.Errorf("C11 a refresh costs %v, or %v beside more roles", costs[0], costs[1])
	}
}
