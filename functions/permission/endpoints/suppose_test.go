package endpoints_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	roles "gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// everything is all that can be asked about a subject: every action, on stored
// items, on items of the question's own with the subject and its double on the
// team, on others and on oneself, on the organization, on boards and cards.
func everything(subject string, team list) []object {
	var all []object
	ask := func(action, kind, id string, properties object) {
		all = append(all, question(subject, action, kind, id, properties))
	}
	for _, action := range itemActions {
		for _, item := range everyItem {
			ask(action, "item", item, nil)
		}
		ask(action, "item", "own-1", object{"template": "kaizen", "status": "new", "locations": list{"icu"}, "team": object{"follower": team}})
		ask(action, "item", "own-2", object{"template": "project", "status": "active", "locations": list{"ward"}, "private": true, "team": object{"leader": team}})
	}
	for _, target := range []string{"nurse", "doctor", subject} {
		for _, action := range []string{"administer", "change_persona", "impersonate", "grant_role", "revoke_role"} {
			ask(action, "user", target, object{"role": "staff"})
		}
		ask("grant_role", "user", target, object{"role": "coach"})
	}
	for _, a := range authz.ActionsOn(authz.OrganizationResource) {
		ask(a.String(), "organization", fixture.Organization, nil)
	}
	ask("administer", "board", "b", object{"locations": list{"ward"}})
	ask("administer", "card", "c", object{"locations": list{"clinic"}})
	return all
}

// decided are the decisions on questions with their reasons, asked a hundred
// at a time in one context.
func decided(t *testing.T, s service, as string, questions []object, context object) []string {
	t.Helper()
	var out []string
	for part := range slices.Chunk(questions, 100) {
		for _, e := range several(t, s.place, s.f, as, object{"context": context, "evaluations": part}).Evaluations {
			out = append(out, fmt.Sprint(*e.Decision, " ", e.Context.Reason))
		}
	}
	return out
}

// holding is what somebody holds: their locations, and their assignments.
type holding struct {
	locations   []string
	assignments []authz.Assignment
}

// drawHolding is roles of the fixture held at random: some limited, some over,
// some about to be.
func drawHolding(t *rapid.T, births map[string]uint64, now time.Time) holding {
	places := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"hospital", "surgery", "icu", "medicine", "ward", "clinic"}), 1, 3, rapid.ID[string])
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"local-administrator", "support", "staff", "unit-lead", "director", "coach", "service", "pharmacy", "remover"}), 0, 3, rapid.ID[string])
	h := holding{locations: places.Draw(t, "locations")}
	for _, id := range ids.Draw(t, "roles") {
		a := authz.Assignment{Role: authz.RoleRef{ID: id, Birth: births[id]}}
		if id != "pharmacy" && rapid.Bool().Draw(t, "limited") { // R5: one of specific locations has no limit
			a.Locations = rapid.SliceOfNDistinct(rapid.SampledFrom(h.locations), 1, 2, rapid.ID[string]).Draw(t, "limit")
		}
		a.Until = rapid.SampledFrom([]time.Time{{}, {}, now.Add(-time.Second), now, now.Add(time.Second)}).Draw(t, "until")
		h.assignments = append(h.assignments, a)
	}
	return h
}

// hypothetical is the holding as a question supposes it.
func (h holding) hypothetical() object {
	held := list{}
	for _, a := range h.assignments {
		one := object{"role": a.Role.ID}
		if len(a.Locations) > 0 {
			one["locations"] = a.Locations
		}
		if !a.Until.IsZero() {
			one["until"] = a.Until.Format(time.RFC3339)
		}
		held = append(held, one)
	}
	return object{"locations": h.locations, "roles": held}
}

// stored is a user who really holds it.
func (h holding) stored(id string, kind authz.UserType, since time.Time) directory.User {
	u := directory.User{ID: id, Name: id, Username: id, Type: kind, Locations: h.locations}
	for _, a := range h.assignments {
		u.Assignments = append(u.Assignments, directory.Assignment{Assignment: a, Since: since, By: "operator"})
	}
	return u
}

// TestAHypotheticalSubjectIsAsOneReallyStored: who is supposed to hold something
// gets the answers of who holds it, and their searches', whatever else they hold
// themselves.
func TestAHypotheticalSubjectIsAsOneReallyStored(t *testing.T) {
	f, place := riverside(t)
	s := service{f, place}
	births, err := place.Open().Births(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []authz.UserType{authz.General, authz.General, authz.General, authz.Capture, authz.Wallboard, authz.Kiosk, authz.Inactive}
	for _, kind := range kinds[2:] {
		place.AddUser(t, holding{locations: []string{"clinic"}}.stored("supposed-"+kind.String(), kind, fixture.Start), "director")
	}
	made, allowed := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(r, "type")
		h := drawHolding(r, births, place.Clock.Now())
		made++
		supposed, really := "supposed-"+kind.String(), fmt.Sprint("real-", made)
		place.AddUser(t, h.stored(really, kind, place.Clock.Now()))
		team := list{supposed, really}
		questions := everything(supposed, team)
		got := decided(t, s, "root", questions, object{"hypothetical": h.hypothetical()})
		want := decided(t, s, "root", everything(really, team), object{})
		for i, q := range questions {
			if got[i] != want[i] {
				r.Fatalf("%v of %s with %v: supposed %s, really %s", q, kind, h.hypothetical(), got[i], want[i])
			}
			if strings.HasPrefix(want[i], "true") {
				allowed++
			}
		}
		action, item := rapid.SampledFrom(itemActions).Draw(r, "action"), rapid.SampledFrom(everyItem).Draw(r, "item")
		for route, q := range map[string]object{resources: question("", action, "item", "", nil), actions: question("", "", "item", item, nil)} {
			really := searched(t, place, f, "root", route, set(t, q, "subject.id", really), 2)
			q = set(t, set(t, q, "subject.id", supposed), "context.hypothetical", h.hypothetical())
			if got := searched(t, place, f, "root", route, q, 2); !slices.Equal(got, really) {
				r.Fatalf("%s %s %s of %s with %v: supposed %q, really %q", route, action, item, kind, h.hypothetical(), got, really)
			}
		}
	})
	if allowed == 0 {
		t.Error("nobody was ever allowed anything")
	}
}

// contents are all items of the place's table.
func contents(t *testing.T, place *fixture.Place) []map[string]types.AttributeValue {
	t.Helper()
	var all []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(place.Client(), &dynamodb.ScanInput{TableName: &place.Table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
	}
	return all
}

// TestNothingIsStoredByAsking, whatever is supposed, explained or searched for.
func TestNothingIsStoredByAsking(t *testing.T) {
	f, place := riverside(t)
	s := service{f, place}
	before := contents(t, place)
	supposed := object{"explain": true, "hypothetical": object{"locations": list{"icu"}, "roles": list{object{"role": "coach"}, object{"role": "nothing"}}}}
	for _, as := range []string{"root", "nurse"} {
		decided(t, s, as, everything("nurse", list{"nurse"}), supposed)
		decided(t, s, as, everything("nurse", list{"nurse"}), object{"explain": true})
		for route, body := range searches() {
			searched(t, place, f, as, route, body, 1)
		}
	}
	if after := contents(t, place); len(before) == 0 || !reflect.DeepEqual(before, after) {
		t.Errorf("%d items before, %d after, or others", len(before), len(after))
	}
}

// drawQuestion is a question as anybody might ask it, every other one with
// something wrong in it or unknown.
func drawQuestion(t *testing.T, r *rapid.T) object {
	word := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(r, label) }
	q := question(word("subject", "nurse", "doctor", "lead", "nobody"), word("action", append(itemActions, "administer", "grant_role", "fly")...),
		word("type", "item", "item", "item", "user", "organization", "planet"), word("id", append(everyItem, "nurse", "absent")...), nil)
	switch rapid.IntRange(0, 5).Draw(r, "properties") {
	case 0:
		q = set(t, q, "resource.properties", object{"template": "idea", "status": "new", "locations": list{"icu"}, "role": "staff"})
	case 1:
		q = set(t, q, "resource.properties", object{"template": "idea", "status": "lost", "team": object{"boss": 1}})
	}
	if rapid.Bool().Draw(r, "explain") {
		q = set(t, q, "context.explain", true)
	}
	if rapid.IntRange(0, 3).Draw(r, "hypothetical") == 0 {
		q = set(t, q, "context.hypothetical", object{"roles": list{object{"role": word("role", "staff", "coach", "nothing")}}})
	}
	if rapid.Bool().Draw(r, "spoilt") {
		path := word("where", "subject", "subject.type", "subject.id", "subject.properties", "action", "action.name", "resource", "resource.type",
			"resource.id", "context", "context.explain", "context.hypothetical", "unknown")
		q = set(t, q, path, rapid.SampledFrom([]any{nil, 7, "", "a b", true, object{}, list{1}}).Draw(r, "what"))
	}
	return q
}

// faults are those of an answer or of an evaluation, by their pointers from the
// question on.
func faults(within string, errors []struct{ Pointer, Detail string }) []string {
	var all []string
	for _, e := range errors {
		all = append(all, strings.TrimPrefix(e.Pointer, within)+" "+e.Detail)
	}
	return all
}

// TestABatchIsItsQuestions: each evaluation of a batch is answered as if it had
// been asked alone, with all of its reasoning, and with the same faults.
func TestABatchIsItsQuestions(t *testing.T) {
	f, place := riverside(t)
	answers, refusals := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		as := rapid.SampledFrom([]string{"service", "root", "local", "nurse"}).Draw(r, "as")
		var asked []object
		for range rapid.IntRange(1, 6).Draw(r, "questions") {
			asked = append(asked, drawQuestion(t, r))
		}
		var batch struct{ Evaluations []json.RawMessage }
		place.Do(t, f, fixture.Call{Route: evaluations, As: as, Body: object{"evaluations": asked}}).Into(t, &batch)
		if len(batch.Evaluations) != len(asked) {
			r.Fatalf("%d answers to %v", len(batch.Evaluations), asked)
		}
		for i, q := range asked {
			one := place.Do(t, f, fixture.Call{Route: evaluation, As: as, Body: q})
			if one.Status == http.StatusOK {
				answers++
				if one.Body != string(batch.Evaluations[i]) {
					r.Fatalf("%v: alone %s, in a batch %s", q, one.Body, batch.Evaluations[i])
				}
				continue
			}
			refusals++
			var alone struct {
				Errors []struct{ Pointer, Detail string }
			}
			one.Into(t, &alone)
			var within struct {
				Decision *bool
				Context  reasoned
			}
			if err := json.Unmarshal(batch.Evaluations[i], &within); err != nil || within.Context.Error == nil || *within.Decision || within.Context.Reason != "malformed" {
				r.Fatalf("%v: alone %d, in a batch %s", q, one.Status, batch.Evaluations[i])
			}
			here := faults(fmt.Sprint("/evaluations/", i), within.Context.Error.Errors)
			if one.Status != http.StatusBadRequest || !slices.Equal(faults("", alone.Errors), here) {
				r.Fatalf("%v: alone %s, in a batch %q", q, one.Body, here)
			}
		}
	})
	if answers == 0 || refusals == 0 {
		t.Errorf("%d answers and %d refusals", answers, refusals)
	}
}

// suggested is a change of which every step is a role to be given.
type suggested struct {
	Steps []struct {
		Kind, User, Role string
		Locations        []string
	}
}

// ofRoles is whether the API can make the change.
func (c suggested) ofRoles() bool {
	for _, step := range c.Steps {
		if step.Kind != "assign_role" && step.Kind != "widen_assignment" {
			return false
		}
	}
	return true
}

// explainedChanges are the changes that the explanation of a no suggests.
func explainedChanges(t *testing.T, s service, body object) []suggested {
	t.Helper()
	var out struct {
		Context struct {
			Explanation struct{ Changes []suggested }
		}
	}
	s.place.Do(t, s.f, fixture.Call{Route: evaluation, As: "root", Body: set(t, body, "context.explain", true)}).Into(t, &out)
	return slices.DeleteFunc(out.Context.Explanation.Changes, func(c suggested) bool { return !c.ofRoles() })
}

// giving is the calls that give and take roles, used by root.
type giving struct {
	*api.Function
	place *fixture.Place
}

// roles are these calls beside the service's.
func (s service) roles(t *testing.T) giving {
	t.Helper()
	store := s.place.Open()
	return giving{roles.New(s.place.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle)), store), s.place}
}

func (g giving) call(t *testing.T, method, user, role string, body any) {
	t.Helper()
	a := g.place.Do(t, g, fixture.Call{Route: method + " /v1/users/{id}/roles/{role}", As: "root", Path: map[string]string{"id": user, "role": role}, Body: body})
	if a.Status != http.StatusOK {
		t.Fatalf("%s %s %s %v: %d %s", method, user, role, body, a.Status, a.Body)
	}
}

// give gives a role, limited to locations when there are some.
func (g giving) give(t *testing.T, user, role string, locations []string) {
	t.Helper()
	body := object{}
	if len(locations) > 0 {
		body["locations"] = locations
	}
	g.call(t, "PUT", user, role, body)
}

// restore gives a role back as it was held, or takes it.
func (g giving) restore(t *testing.T, was directory.User, role string) {
	t.Helper()
	held := slices.IndexFunc(was.Assignments, func(a directory.Assignment) bool { return a.Role.ID == role })
	if held < 0 {
		g.call(t, "DELETE", was.ID, role, nil)
		return
	}
	g.give(t, was.ID, role, was.Assignments[held].Locations)
}

// turns are the changes suggested to a user, each with the questions that it is
// suggested for.
func (s service) turns(t *testing.T, user string) map[string][]object {
	t.Helper()
	all := map[string][]object{}
	for _, item := range everyItem {
		for _, action := range itemActions {
			q := question(user, action, "item", item, nil)
			for _, c := range explainedChanges(t, s, q) {
				change, err := json.Marshal(c)
				if err != nil {
					t.Fatal(err)
				}
				all[string(change)] = append(all[string(change)], q)
			}
		}
	}
	return all
}

// TestSuggestedRolesReallyTurnTheAnswer: given by the calls that give roles, as
// they are suggested, they make the no a yes.
func TestSuggestedRolesReallyTurnTheAnswer(t *testing.T) {
	f, place := riverside(t)
	s := service{f, place}
	to := s.roles(t)
	place.AddUser(t, holding{locations: []string{"icu", "ward"}}.stored("limited", authz.General, fixture.Start))
	to.give(t, "limited", "staff", []string{"icu"})
	to.give(t, "limited", "unit-lead", []string{"ward"})
	turned := map[string]int{}
	for _, user := range []string{"limited", "doctor"} {
		before := place.User(t, user)
		for text, questions := range s.turns(t, user) {
			var c suggested
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				t.Fatal(err)
			}
			for _, step := range c.Steps {
				to.give(t, step.User, step.Role, step.Locations)
				turned[step.Kind]++
			}
			for i, answer := range decided(t, s, "root", questions, object{}) {
				if !strings.HasPrefix(answer, "true") {
					t.Errorf("%v: %s after %s", questions[i], answer, text)
				}
			}
			for _, step := range c.Steps {
				to.restore(t, before, step.Role)
			}
		}
	}
	if turned["assign_role"] == 0 || turned["widen_assignment"] == 0 {
		t.Errorf("turned by %v", turned)
	}
}
