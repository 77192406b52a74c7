package endpoints_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// theOrganization is the organization as GET shows it, to be changed and put
// back, with its ETag.
func (d desk) theOrganization(t *testing.T) (object, string) {
	t.Helper()
	a := d.do(t, "root", "GET", "organization", "", nil)
	expect(t, "reading the organization", a, 200, "")
	return a.JSON(t), a.Header["etag"]
}

// in is a member deep in a document.
func in(document object, path ...string) object {
	for _, name := range path {
		document = document[name].(object)
	}
	return document
}

func TestTheOrganizationIsReadAndReplaced(t *testing.T) {
	d := open(t)
	a := d.do(t, "local", "GET", "organization", "", nil)
	expect(t, "R10 any admin reads it", a, 200, "")
	want := `{"id":"riverside","name":"Riverside Health","settings":{"onlyUsersRule":"team_role","localReach":"all","productName":"KaiNexus",` +
		`"personaTargets":{"frontline":{"min":7000,"max":9000},"leader":{"min":500,"max":2000},"executive":{"min":500,"max":1000},"ciExperts":{"under":100},"champion":{"minPeople":2,"maxPeople":3}},` +
		`"impersonation":{"enabled":true,"reasonRequired":false,"absoluteMinutes":60,"receipt":true,"observers":[]},"decisionLogRate":0},"version":1}`
	if a.Body != want || a.Header["etag"] != `"1"` {
		t.Errorf("it reads as %s %s", a.Header["etag"], a.Body)
	}
	expect(t, "R10 a plain user does not", d.do(t, "nurse", "GET", "organization", "", nil), 403, "denied")
	for _, who := range []string{"local", "nurse", "service"} {
		expect(t, "R10 only a system administrator writes it", d.do(t, who, "PUT", "organization", "", a.Body, "if-match", "*"), 403, "denied")
		if e := d.latest(t, timeline.Settings); !e.Denied || e.Subject.ID != who || e.Action != "system_administrator" || e.Target.Type != "organization" {
			t.Errorf("T1 the denied attempt is told as %+v", e)
		}
	}
	expect(t, "no If-Match", d.do(t, "root", "PUT", "organization", "", a.Body), 428, "precondition_required")
	expect(t, "it must not be there", d.do(t, "root", "PUT", "organization", "", a.Body, "if-none-match", "*"), 412, "stale")
	back := d.do(t, "root", "PUT", "organization", "", a.Body, "if-match", `"1"`)
	if back.Status != 200 || back.Body != a.Body || back.Header["etag"] != `"1"` {
		t.Errorf("what GET gave is put back: %d %s %s", back.Status, back.Header["etag"], back.Body)
	}
	next, _ := d.theOrganization(t)
	next["name"] = "Riverside Health Group"
	in(next, "settings")["productName"] = "Gemba"
	in(next, "settings", "impersonation")["observers"] = []string{"nurse", "inactive"}
	put := d.do(t, "root", "PUT", "organization", "", next, "if-match", `"1"`)
	expect(t, "replaced", put, 200, "")
	if got, tag := d.theOrganization(t); tag != `"2"` || got["version"] != 2.0 || got["name"] != next["name"] || put.Header["etag"] != tag {
		t.Errorf("it became %s %v", tag, got)
	}
	e := d.latest(t, timeline.Settings)
	wantBefore := timeline.Values{"name": "Riverside Health", "productName": "KaiNexus", "impersonation": map[string]any{"enabled": true, "reasonRequired": false, "receipt": true, "absoluteMinutes": 60.0}}
	wantAfter := timeline.Values{"name": "Riverside Health Group", "productName": "Gemba", "impersonation": map[string]any{"enabled": true, "reasonRequired": false, "receipt": true, "absoluteMinutes": 60.0, "observers": []any{"nurse", "inactive"}}}
	if diff := cmp.Diff([]timeline.Values{wantBefore, wantAfter}, []timeline.Values{e.Before, e.After}); diff != "" || e.Action != "edit" || e.Target != (timeline.Target{Type: "organization", ID: "riverside"}) {
		t.Errorf("T1 the change is told as %+v: %s", e, diff)
	}
	expect(t, "a stale version", d.do(t, "root", "PUT", "organization", "", a.Body, "if-match", `"1"`), 412, "stale")
}

func TestSettingsThatAreRefused(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		rule     string
		change   func(o object)
		status   int
		code     string
		pointers []string
	}{
		{"another id", func(o object) { o["id"] = "northwind" }, 422, "invalid_organization", []string{"/id"}},
		{"another version", func(o object) { o["version"] = 5 }, 422, "invalid_organization", []string{"/version"}},
		{"every fault is named", func(o object) {
			o["id"], o["version"] = "northwind", 5
			in(o, "settings", "impersonation")["observers"] = []string{"nobody", "nurse", "noone"}
		}, 422, "invalid_organization", []string{"/id", "/version", "/settings/impersonation/observers/0", "/settings/impersonation/observers/2"}},
		{"P4 a range the wrong way round", func(o object) { in(o, "settings", "personaTargets")["leader"] = object{"min": 3000, "max": 2000} }, 400, "malformed", []string{"/settings/personaTargets/leader/min"}},
		{"P4 a share over 100 %", func(o object) { in(o, "settings", "personaTargets")["leader"] = object{"min": 0, "max": 10_001} }, 400, "malformed", []string{"/settings/personaTargets/leader/max"}},
		{"P4 a fraction of a basis point", func(o object) { in(o, "settings", "personaTargets")["leader"] = object{"min": 0.5, "max": 10} }, 400, "malformed", []string{"/settings/personaTargets/leader/min"}},
		{"P4 fewer champions than none", func(o object) { in(o, "settings", "personaTargets", "champion")["minPeople"] = -1 }, 400, "malformed", []string{"/settings/personaTargets/champion/minPeople"}},
		{"P4 every target at fault is named", func(o object) {
			t := in(o, "settings", "personaTargets")
			t["frontline"] = object{"min": 7000, "max": 20_000}
			t["leader"] = object{"min": -1, "max": -1}
			t["executive"] = object{"min": 3000, "max": 2000}
			t["ciExperts"] = object{"under": 10_001}
			t["champion"] = object{"minPeople": 3, "maxPeople": 2}
		}, 400, "malformed", []string{
			"/settings/personaTargets/frontline/max", "/settings/personaTargets/leader/min", "/settings/personaTargets/leader/max",
			"/settings/personaTargets/executive/min", "/settings/personaTargets/ciExperts/under", "/settings/personaTargets/champion/minPeople",
		}},
		{"R6 a rule that is none", func(o object) { in(o, "settings")["onlyUsersRule"] = "team" }, 400, "malformed", []string{"/settings/onlyUsersRule"}},
		{"R11 a reach that is none", func(o object) { in(o, "settings")["localReach"] = "some" }, 400, "malformed", []string{"/settings/localReach"}},
		{"I4 a session without end", func(o object) { in(o, "settings", "impersonation")["absoluteMinutes"] = 0 }, 400, "malformed", []string{"/settings/impersonation/absoluteMinutes"}},
		{"an observer twice", func(o object) { in(o, "settings", "impersonation")["observers"] = []string{"nurse", "nurse"} }, 400, "malformed", []string{"/settings/impersonation/observers/1"}},
		{"a rate over 1", func(o object) { in(o, "settings")["decisionLogRate"] = 1.5 }, 400, "malformed", []string{"/settings/decisionLogRate"}},
		{"an unknown setting", func(o object) { in(o, "settings")["localReech"] = "any" }, 400, "malformed", []string{"/settings/localReech"}},
		{"what is never shown", func(o object) { o["seal"], o["created"] = "x", "2026-01-01T00:00:00Z" }, 400, "malformed", []string{"/created", "/seal"}},
		{"T5 a product name of two lines", func(o object) { in(o, "settings")["productName"] = "Kai\nNexus" }, 400, "malformed", []string{"/settings/productName"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			o, tag := d.theOrganization(t)
			c.change(o)
			expect(t, c.rule, d.do(t, "root", "PUT", "organization", "", o, "if-match", tag), c.status, c.code, c.pointers...)
		})
	}
	if _, tag := d.theOrganization(t); tag != `"1"` {
		t.Errorf("T3 a refused setting made version %s", tag)
	}
}

// TestP5TargetsThatContradictAreTaken: they make verdicts unreachable, which is
// the report's to say.
func TestP5TargetsThatContradictAreTaken(t *testing.T) {
	d := open(t)
	o, tag := d.theOrganization(t)
	for _, persona := range []string{"frontline", "leader", "executive"} {
		in(o, "settings", "personaTargets")[persona] = object{"min": 9000, "max": 10_000}
	}
	expect(t, "P5", d.do(t, "root", "PUT", "organization", "", o, "if-match", tag), 200, "")
}

// TestC11ASettingThatDecides does so in the next check, on another instance that
// held the policy already too (R6, R11).
func TestC11ASettingThatDecides(t *testing.T) {
	d := open(t)
	d.AddUser(t, directory.User{ID: "floater", Name: "Flo", Username: "floater", Type: authz.General, Locations: []string{"icu", "ward"}})
	other := d.Open()
	reaches := func() bool {
		facts, err := other.Load(t.Context(), fixture.Organization, directory.Keys{Users: []string{"local", "floater"}})
		if err != nil {
			t.Fatal(err)
		}
		s := facts.Model.Subject(facts.Users["local"].Decisive(), d.Clock.Now())
		return facts.Model.Decide(s, authz.AdministerUser, facts.UserTarget("floater")).Allowed
	}
	for _, reach := range []string{"all", "any", "all"} {
		o, tag := d.theOrganization(t)
		in(o, "settings")["localReach"] = reach
		expect(t, reach, d.do(t, "root", "PUT", "organization", "", o, "if-match", tag), 200, "")
		if reaches() != (reach == "any") {
			t.Errorf("R11 with the reach %s: %v", reach, reaches())
		}
	}
}

// TestTheSealIsKept: what nobody is told survives every change, and no answer
// tells it.
func TestTheSealIsKept(t *testing.T) {
	d := open(t)
	stored := func() (seal string, created string, index string) {
		out, err := d.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &d.Table, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "ORG#riverside"}, "sk": &types.AttributeValueMemberS{Value: "ORG"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return string(out.Item["seal"].(*types.AttributeValueMemberB).Value), out.Item["created"].(*types.AttributeValueMemberS).Value, out.Item["gsi1sk"].(*types.AttributeValueMemberS).Value
	}
	seal, created, index := stored()
	o, tag := d.theOrganization(t)
	o["name"] = "Renamed"
	a := d.do(t, "root", "PUT", "organization", "", o, "if-match", tag)
	expect(t, "renamed", a, 200, "")
	if s, c, i := stored(); s != seal || c != created || i != index || strings.Contains(a.Body, "seal") || strings.Contains(a.Body, "created") {
		t.Errorf("seal %q, created %s, listed as %s; answered %s", s, c, i, a.Body)
	}
	var timelineText strings.Builder
	if err := json.NewEncoder(&timelineText).Encode(d.latest(t, timeline.Settings)); err != nil || strings.Contains(timelineText.String(), seal) {
		t.Errorf("T5 the entry tells the seal: %s %v", timelineText.String(), err)
	}
}

// TestT3TwoChangesOfOneVersion: the second is told so.
func TestT3TwoChangesOfOneVersion(t *testing.T) {
	d := open(t)
	for _, persona := range []string{"leader", "executive"} {
		o, tag := d.theOrganization(t)
		var both sync.WaitGroup
		statuses := make([]int, 2)
		for i := range statuses {
			next := with(o, object{"name": persona + string(rune('a'+i))})
			both.Go(func() { statuses[i] = d.do(t, "root", "PUT", "organization", "", next, "if-match", tag).Status })
		}
		both.Wait()
		if statuses[0]+statuses[1] != 200+412 {
			t.Errorf("T3 two changes of one version: %v", statuses)
		}
	}
}
