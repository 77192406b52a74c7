package endpoints_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/functions/directory/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/role"
)

// beside is the desk of another instance, with a hook on its calls once it is
// warm.
func (d desk) beside(t *testing.T, hook dynamotest.Hook) desk {
	t.Helper()
	warm := false
	store := d.Open(func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(operation string, input any, next func() (any, error)) (any, error) {
			if !warm {
				return next()
			}
			return hook(operation, input, next)
		}))
		cfg.Retryer = dynamotest.Hasty
	})
	deps := api.Deps{
		Store: store, Sessions: impersonation.NewSessions(store, impersonation.DefaultIdle), MarkSeen: fixture.Unmarked,
		Log: slog.New(slog.DiscardHandler), Now: d.Clock.Now,
	}
	other := desk{d.Place, store, endpoints.New(deps, store, fixture.NewPool())}
	expect(t, "warming up", other.do(t, "root", "GET", "workflows", "safety", nil), 200, "")
	warm = true
	return other
}

// watched is a desk beside another whose calls are told of, before each is made.
type watched struct {
	desk
	told *func()
}

func (d desk) watched(t *testing.T) watched {
	t.Helper()
	told := func() {}
	return watched{d.beside(t, func(_ string, _ any, next func() (any, error)) (any, error) {
		told()
		return next()
	}), &told}
}

// watch brings the desk to the policy of now, and tells of its calls from then on.
func (w watched) watch(t *testing.T, told func()) {
	t.Helper()
	*w.told = func() {}
	expect(t, "catching up", w.do(t, "root", "GET", "workflows", "safety", nil), 200, "")
	*w.told = told
}

// plainly is a hook that does nothing.
func plainly(_ string, _ any, next func() (any, error)) (any, error) { return next() }

// use makes a thing that names a place, and tells whether it was made; there
// tells whether it is.
type use struct {
	of, name string
	make     func(t *testing.T, d desk, place, id string) bool
	there    func(t *testing.T, d desk, id string) bool
}

// uses are all ways in which something comes to name a place (U3).
var everyUse = []use{
	{"locations", "a child", func(t *testing.T, d desk, place, id string) bool {
		return d.do(t, "root", "PUT", "locations", id, object{"name": "Child", "parent": place}).Status == 201
	}, func(t *testing.T, d desk, id string) bool {
		return d.do(t, "root", "GET", "locations", id, nil).Status == 200
	}},
	{"locations", "a user", func(t *testing.T, d desk, place, id string) bool {
		u := directory.User{ID: id, Name: "New", Username: id, Type: authz.General, Locations: []string{"icu", place}}
		return taken(t, func() (bool, error) { return d.store.CreateUser(t.Context(), fixture.Organization, u, d.Clock.Now()) })
	}, func(t *testing.T, d desk, id string) bool {
		facts, err := d.store.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{id}})
		return err != nil || len(facts.Users) > 0
	}},
	{"locations", "a user by the API", func(t *testing.T, d desk, place, id string) bool {
		return d.do(t, "root", "PUT", "users", id, wanted(id, at("icu", place))).Status == 201
	}, func(t *testing.T, d desk, id string) bool {
		return d.do(t, "root", "GET", "users", id, nil).Status == 200
	}},
	{"locations", "an item", item("idea", ""), itemThere},
	{"templates", "an item", item("", "icu"), itemThere},
	{"locations", "a role", grantee(func(r *role.Role, place string) { r.SpecificLocations = []string{place} }), roleThere},
	{"workflows", "a role", grantee(func(r *role.Role, place string) { r.Grants = []authz.Grant{{Workflows: []string{place}}} }), roleThere},
	{"templates", "a role", grantee(func(r *role.Role, place string) { r.Grants = []authz.Grant{{Templates: []string{place}}} }), roleThere},
	{"workflows", "a template", func(t *testing.T, d desk, place, id string) bool {
		return d.do(t, "root", "PUT", "templates", id, object{"name": "T", "workflow": place, "teamType": "simple"}).Status == 201
	}, func(t *testing.T, d desk, id string) bool {
		return d.do(t, "root", "GET", "templates", id, nil).Status == 200
	}},
}

// taken is whether something was made; a refusal is none, all else fails.
func taken(t *testing.T, make func() (bool, error)) bool {
	t.Helper()
	made, err := make()
	if err != nil && !fault.Is(err, fault.Unprocessable) {
		t.Error(err)
	}
	return made
}

// item makes one of a template at a location; the place is the one left out.
func item(template, location string) func(*testing.T, desk, string, string) bool {
	return func(t *testing.T, d desk, place, id string) bool {
		i := directory.Item{Item: authz.Item{ID: id, Template: template, Locations: []string{location}, Status: authz.Active}}
		if template == "" {
			i.Template = place
		} else {
			i.Locations = []string{"icu", place}
		}
		return taken(t, func() (bool, error) { return d.store.CreateItem(t.Context(), fixture.Organization, i, d.Clock.Now()) })
	}
}

func itemThere(t *testing.T, d desk, id string) bool {
	facts, err := d.store.Load(t.Context(), fixture.Organization, directory.Keys{Items: []string{id}})
	return err != nil || len(facts.Items) > 0
}

// grantee makes a role, deciding anew as an endpoint does.
func grantee(names func(*role.Role, string)) func(*testing.T, desk, string, string) bool {
	return func(t *testing.T, d desk, place, id string) bool {
		r := role.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: id}, Name: id}}
		names(&r, place)
		return taken(t, func() (bool, error) {
			for {
				c, err := d.caller(t, "root")
				if err != nil {
					return false, err
				}
				if _, err = role.New(d.store).Create(t.Context(), c, r); !fault.IsRaced(err) {
					return err == nil, err
				}
			}
		})
	}
}

func roleThere(t *testing.T, d desk, id string) bool {
	_, err := role.New(d.store).Get(t.Context(), d.Caller(t, "root", directory.Keys{}), id)
	return !fault.Is(err, fault.NotFound)
}

// caller is a user as the desk's own instance reads them.
func (d desk) caller(t *testing.T, id string) (directory.Caller, error) {
	facts, err := d.store.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{id}})
	return directory.Caller{Facts: facts, Subject: facts.Users[id], Actor: facts.Users[id], At: d.Clock.Now()}, err
}

// prepare makes a place that nothing names.
func (d desk) prepare(t *testing.T, kind, id string) {
	t.Helper()
	body := object{"name": "A place"}
	if kind == "templates" {
		body["workflow"], body["teamType"] = "safety", "simple"
	}
	expect(t, "a place that nothing names", d.do(t, "root", "PUT", kind, id, body), 201, "")
}

// judge holds the outcome of a deletion and a use that met to one of the two.
func (d desk) judge(t *testing.T, u use, place, id string, deleted fixture.Answer, used bool) {
	t.Helper()
	switch {
	case deleted.Status == 204 && used, deleted.Status == 409 && !used, deleted.Status != 204 && deleted.Status != 409:
		t.Errorf("U3 the deletion was answered %d, %s was made: %v: %s", deleted.Status, u.name, used, deleted.Body)
	}
	if there := u.there(t, d, id); there != used {
		t.Errorf("T3 %s was made: %v, is there: %v", u.name, used, there)
	}
	if got := d.do(t, "root", "GET", u.of, place, nil); (got.Status == 404) != (deleted.Status == 204) {
		t.Errorf("U3 the deletion was answered %d, and the place reads as %d", deleted.Status, got.Status)
	}
	if deleted.Status == 409 && !u.make(t, d, place, id+"-later") {
		t.Errorf("U3 a refused deletion left a mark: %s cannot be made any more", u.name)
	}
}

// TestU3AUseBetweenAnyTwoCallsOfADeletion: whenever it appears, the deletion is
// refused or it is.
func TestU3AUseBetweenAnyTwoCallsOfADeletion(t *testing.T) {
	d := open(t)
	for n, u := range everyUse {
		t.Run(u.of+" and "+u.name, func(t *testing.T) {
			outcomes := map[int]int{}
			other := d.watched(t)
			for call := 0; ; call++ {
				place, id := fmt.Sprintf("place-%d-%d", n, call), fmt.Sprintf("use-%d-%d", n, call)
				d.prepare(t, u.of, place)
				made, used := 0, false
				other.watch(t, func() {
					if made++; made == call+1 {
						used = u.make(t, d, place, id)
					}
				})
				deleted := other.do(t, "root", "DELETE", u.of, place, nil, "if-match", `"1"`)
				if made <= call {
					break // the deletion made all its calls before
				}
				d.judge(t, u, place, id, deleted, used)
				outcomes[deleted.Status]++
			}
			if outcomes[204] == 0 || outcomes[409] == 0 {
				t.Errorf("the deletion never won, or always: %v", outcomes)
			}
		})
	}
}

// TestU3ADeletionBetweenAnyTwoCallsOfAUse is the same the other way round.
func TestU3ADeletionBetweenAnyTwoCallsOfAUse(t *testing.T) {
	d := open(t)
	for n, u := range everyUse {
		t.Run(u.of+" and "+u.name, func(t *testing.T) {
			other := d.watched(t)
			for call := 0; ; call++ {
				place, id := fmt.Sprintf("place-%d-%d", n, call), fmt.Sprintf("use-%d-%d", n, call)
				d.prepare(t, u.of, place)
				made := 0
				var deleted fixture.Answer
				other.watch(t, func() {
					if made++; made == call+1 {
						deleted = d.do(t, "root", "DELETE", u.of, place, nil, "if-match", `"1"`)
					}
				})
				used := u.make(t, other.desk, place, id)
				if made <= call {
					break
				}
				d.judge(t, u, place, id, deleted, used)
			}
		})
	}
}

// TestU3UsesAtTheSameMoment lets all uses of a place and its deletion run at
// once, on an instance each.
func TestU3UsesAtTheSameMoment(t *testing.T) {
	d := open(t)
	var instances []desk
	for range everyUse {
		instances = append(instances, d.beside(t, plainly))
	}
	for round := range 8 {
		for _, kind := range []string{"locations", "workflows", "templates"} {
			place := fmt.Sprintf("place-%s-%d", kind, round)
			d.prepare(t, kind, place)
			var all sync.WaitGroup
			used := make([]bool, len(everyUse))
			for n, u := range everyUse {
				// One use alone in most rounds, so that the deletion wins some.
				if u.of == kind && (round%4 == 0 || n%4 == round%4) {
					all.Go(func() { used[n] = u.make(t, instances[n], place, fmt.Sprintf("use-%s-%d-%d", kind, round, n)) })
				}
			}
			deleted := d.do(t, "root", "DELETE", kind, place, nil, "if-match", `"1"`)
			all.Wait()
			for n, u := range everyUse {
				if id := fmt.Sprintf("use-%s-%d-%d", kind, round, n); used[n] && (deleted.Status != 409 || !u.there(t, d, id)) {
					t.Errorf("U3 round %d: the deletion was answered %d, %s was made", round, deleted.Status, u.name)
				}
			}
			if there := d.do(t, "root", "GET", kind, place, nil).Status == 200; there != (deleted.Status == 409) {
				t.Errorf("U3 round %d: the deletion was answered %d, the place is there: %v", round, deleted.Status, there)
			}
		}
	}
}

var errCut = errors.New("the connection was cut")

// TestADeletionThatWasCut leaves a place that its readers see unchanged, that a
// repeated deletion removes, and that a change keeps.
func TestADeletionThatWasCut(t *testing.T) {
	d := open(t)
	child := everyUse[0]
	for call, marked := 0, 0; ; call++ {
		place := fmt.Sprint("place-", call)
		d.prepare(t, "locations", place)
		before := d.do(t, "root", "GET", "locations", place, nil)
		made := 0
		other := d.beside(t, func(_ string, _ any, next func() (any, error)) (any, error) {
			if made++; made > call {
				return nil, errCut
			}
			return next()
		})
		cut := other.do(t, "root", "DELETE", "locations", place, nil, "if-match", `"1"`)
		after := d.do(t, "root", "GET", "locations", place, nil)
		if cut.Status == 204 {
			if marked == 0 {
				t.Error("no cut left a mark")
			}
			return
		}
		if cut.Status != 503 {
			t.Fatalf("after %d calls: %d %s", call, cut.Status, cut.Body)
		}
		if after.Status == 404 { // done, but for what follows the transaction
			continue
		}
		if after.Body != before.Body || after.Header["etag"] != `"1"` {
			t.Errorf("a deletion that was cut after %d calls changed %s to %s %s", call, before.Body, after.Header["etag"], after.Body)
		}
		if !child.make(t, d, place, fmt.Sprint("early-", call)) {
			marked++
			d.liftMark(t, place, marked)
		} else {
			expect(t, "in use", d.do(t, "root", "DELETE", "locations", fmt.Sprint(place), nil, "if-match", `"1"`), 409, "in_use")
		}
	}
}

// liftMark ends a broken-off deletion in one of the ways there are.
func (d desk) liftMark(t *testing.T, place string, way int) {
	t.Helper()
	same, version := object{"name": "A place"}, `"1"`
	if way%3 == 0 {
		expect(t, "repeated", d.do(t, "root", "DELETE", "locations", place, nil, "if-match", `"1"`), 204, "")
		return
	}
	if way%3 == 1 {
		same["name"], version = "Another", `"2"`
	}
	put := d.do(t, "root", "PUT", "locations", place, same, "if-match", `"1"`)
	expect(t, "kept", put, 200, "")
	if put.Header["etag"] != version {
		t.Errorf("keeping it as %v made version %s", same, put.Header["etag"])
	}
	if !everyUse[0].make(t, d, place, place+"-child") {
		t.Error("U3 a change did not lift the mark")
	}
}
