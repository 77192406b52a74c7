package shipped

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	local "gemba/infra/local/functions"
	"gemba/infra/local/stack"
	"gemba/infra/openapi"
	"gemba/infra/organization/world"
)

// occasion is an event of infra/events with what its function answers in the
// demo world, after those before it. Want are members that the answer's body
// has, at any depth; what they leave out may be anything that the OpenAPI
// document allows.
type occasion struct {
	event  string
	id     string
	status int
	want   string
}

var occasions = []occasion{
	{"me", "DirectoryFunction", 200, `{"actor":{"id":"maria.alvarez","name":"María Álvarez"},"organization":{"id":"riverbend"},"impersonation":null}`},
	{"user", "DirectoryFunction", 200, `{"id":"maria.alvarez","persona":"frontline","roles":[{"role":"frontline"}],"signIn":"enabled","version":1}`},
	{"organization", "DirectoryFunction", 200, `{"id":"riverbend","settings":{"localReach":"all","impersonation":{"observers":[]}},"version":1}`},
	{"put-organization", "DirectoryFunction", 200, `{"id":"riverbend","settings":{"decisionLogRate":0.05,"impersonation":{"observers":["olivia.bennett"]}},"version":2}`},
	{"locations", "DirectoryFunction", 200, `{"items":[{"id":"administration","parent":"services"},{"id":"facilities"}]}`},
	{"put-location", "DirectoryFunction", 201, `{"id":"ng-ward-3b","parent":"ng-medicine","version":1}`},
	{"location", "DirectoryFunction", 200, `{"id":"ng-ward-3b","parent":"ng-medicine","version":1}`},
	{"delete-location", "DirectoryFunction", 204, ``},
	{"workflows", "DirectoryFunction", 200, `{"items":[{"id":"gemba"},{"id":"huddle"}]}`},
	{"put-workflow", "DirectoryFunction", 201, `{"id":"kata","name":"Coaching kata","version":1}`},
	{"workflow", "DirectoryFunction", 200, `{"id":"kata","name":"Coaching kata","version":1}`},
	{"templates", "DirectoryFunction", 200, `{"items":[{"id":"a3","teamType":"advanced"},{"id":"hazard"}]}`},
	{"put-template", "DirectoryFunction", 201, `{"id":"kata-card","workflow":"kata","teamType":"standard","version":1}`},
	{"template", "DirectoryFunction", 200, `{"id":"kata-card","workflow":"kata","version":1}`},
	{"delete-template", "DirectoryFunction", 204, ``},
	{"delete-workflow", "DirectoryFunction", 204, ``},
	{"put-user", "DirectoryFunction", 201, `{"id":"noah.keller","locations":["ng-ward-2a"],"roles":[],"signIn":"none","version":1}`},
	{"put-preferences", "DirectoryFunction", 200, `{"notifications":{"item_assigned":false}}`},
	{"preferences", "DirectoryFunction", 200, `{"notifications":{"item_assigned":false}}`},
	{"enable-sign-in", "DirectoryFunction", 200, `{"signIn":"invited"}`},
	{"disable-sign-in", "DirectoryFunction", 200, `{"signIn":"disabled"}`},
	{"users", "DirectoryFunction", 200, `{"items":[{"id":"maria.alvarez","roles":[{"role":"frontline"}]}],"next":""}`},
	{"people", "DirectoryFunction", 200, `{"items":[{"id":"keisha.brown","name":"Keisha Brown","locations":["ng-ward-2a"]}],"next":""}`},
	{"item", "DirectoryFunction", 200, `{"id":"i-001","template":"idea","status":"active","team":{"author":["maria.alvarez"]},"version":1}`},
	{"put-item", "DirectoryFunction", 201, `{"id":"i-9001","team":{"author":["maria.alvarez"],"responsible":["james.whitaker"]},"version":1}`},
	{"delete-item", "DirectoryFunction", 204, ``},
	{"import", "DirectoryFunction", 200, `{"results":[{"pointer":"/locations/0","result":"created"},{"pointer":"/locations/1"},{"pointer":"/users/0","id":"ida.lund","result":"created"},{"pointer":"/users/1","problem":{"type":"urn:problem:invalid_user"}}]}`},
	{"authzen-configuration", "PermissionFunction", 200, `{"policy_decision_point":"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}`},
	{"evaluation", "PermissionFunction", 200, `{"decision":true,"context":{"reason":"team_member"}}`},
	{"evaluations", "PermissionFunction", 200, `{"evaluations":[{"decision":true,"context":{"reason":"team_member"}},{"decision":true},{"decision":false,"context":{"reason":"no_grant"}},{"decision":false,"context":{"reason":"unknown_resource"}}]}`},
	{"search-subject", "PermissionFunction", 200, `{"page":{"next_token":"","count":5},"results":[{"type":"user","id":"amina.hassan"},{"type":"user","id":"elena.petrova"},{"type":"user","id":"james.whitaker"},{"type":"user","id":"maria.alvarez"},{"type":"user","id":"olivia.bennett"}]}`},
	{"search-resource", "PermissionFunction", 200, `{"page":{"next_token":"","count":2},"results":[{"type":"item","id":"i-001"},{"type":"item","id":"i-187"}]}`},
	{"search-action", "PermissionFunction", 200, `{"page":{"next_token":"","count":3},"results":[{"name":"participate"},{"name":"view"},{"name":"edit"}]}`},
	{"roles", "RoleFunction", 200, `{"items":[{"id":"director"},{"id":"unit-lead"}],"next":""}`},
	{"role", "RoleFunction", 200, `{"id":"unit-lead","name":"Unit lead","persona":"leader"}`},
	{"create-role", "RoleFunction", 201, `{"id":"night-lead","name":"Night lead","version":1}`},
	{"put-role", "RoleFunction", 200, `{"id":"night-lead","admin":{"boardAdministrator":"only_location"},"version":2}`},
	{"clone-role", "RoleFunction", 201, `{"id":"weekend-lead","name":"Weekend lead","description":"Leads a unit from ten to six.","version":1}`},
	{"change-roles", "RoleFunction", 200, `{"results":[{"user":"james.whitaker","role":"night-lead","result":"assigned"},{"result":"revoked"},{"user":"nobody","problem":{"type":"urn:problem:not_found","status":404}}]}`},
	{"delete-role", "RoleFunction", 200, `{"members":0}`},
	{"role-members", "RoleFunction", 200, `{"items":[{"user":"adam.singh","expired":false},{"user":"amina.hassan","expired":false}]}`},
	{"permissions", "RoleFunction", 200, `{"grants":[{"permission":"participate","scopes":[]},{"permission":"view","scopes":["everywhere","location_and_below","only_location"]}]}`},
	{"assign-role", "RoleFunction", 200, `{"id":"keisha.brown","roles":[{"role":"frontline"},{"role":"unit-lead","locations":["ng-ward-2a"],"by":"olivia.bennett"}],"version":2}`},
	{"revoke-role", "RoleFunction", 200, `{"id":"keisha.brown","roles":[{"role":"frontline"}],"version":3}`},
	{"foresee-role", "RoleFunction", 200, `{"users":{"gaining":0,"losing":31,"complete":true},"items":[{"user":"adam.singh","gained":[]}],"next":""}`},
	{"diff-roles", "RoleFunction", 200, `{"role":"unit-lead","other":"frontline","verdict":"wider"}`},
	{"user-access", "RoleFunction", 200, `{"rights":[{"permission":"participate","scope":"yes","from":[{"role":"frontline","grant":0}]}],"assignments":[{"role":"frontline","expired":false}]}`},
	{"set-persona", "PersonaFunction", 200, `{"id":"keisha.brown","persona":"leader","version":4}`},
	{"clear-persona", "PersonaFunction", 200, `{"id":"keisha.brown","persona":null,"version":5}`},
	{"personas", "PersonaFunction", 200, `{"personas":[{"persona":"frontline","name":"Frontline","target":{"min":7000,"max":9000}},{"persona":"leader"},{"persona":"executive"},{"persona":"ci_coach","olderNames":["CI Expert"],"target":null},{"persona":"champion"}],"groups":[{"group":"ci_experts","target":{"under":100}}]}`},
	{"reconcile-personas", "PersonaFunction", 200, `{"drift":0,"unsettled":0,"mended":0,"items":[],"more":0}`},
	{"persona-report", "PersonaFunction", 200, `{"location":"northgate","groups":[{"group":"ci_experts"}]}`},
	{"persona-plan", "PersonaFunction", 200, `{"location":null,"base":190,"people":18,"moves":[{"from":"none","to":"frontline","people":10},{"from":"leader","to":"frontline","people":8}],"contradiction":null,"suggestions":[{"user":"carlos.ghosh","from":"none","to":"frontline","roles":["frontline"]},{"user":"emeka.iqbal"}]}`},
	{"persona-mismatches", "PersonaFunction", 200, `{"items":[{"user":"marta.lopez","persona":"leader","kind":"needs_more"},{"user":"ravi.garcia","persona":"leader","kind":"needs_more"}],"next":""}`},
	{"timeline", "TimelineFunction", 200, `{"items":[{"type":"persona","outcome":"done","subject":{"id":"olivia.bennett"},"target":{"type":"user","id":"keisha.brown"},"before":{"persona":"leader"}}]}`},
	{"timeline-lines", "TimelineFunction", 200, `{"type":"persona","outcome":"done","subject":{"id":"olivia.bennett"},"target":{"type":"user","id":"keisha.brown"}}`},
	{"verification", "TimelineFunction", 200, `{"kept":null,"first":null,"complete":true,"next":""}`},
	{"change-personas", "PersonaFunction", 200, `{"results":[{"user":"keisha.brown","persona":"frontline","result":"changed"},{"user":"james.whitaker","persona":"leader","result":"unchanged"},{"user":"nobody","problem":{"type":"urn:problem:not_found","status":404}}]}`},
	{"persona-history", "PersonaFunction", 200, `{"items":[{"from":null,"to":"frontline","by":{"id":"olivia.bennett"},"impersonator":null},{"from":"leader","to":null},{"from":"frontline","to":"leader"},{"from":null,"to":"frontline","by":{"name":"operator"}}],"next":""}`},
	{"start-impersonation", "ImpersonationFunction", 201, `{"subject":{"id":"maria.alvarez"},"mode":"full","notice":{"status":"queued"}}`},
	{"impersonations", "ImpersonationFunction", 200, `{"items":[{"actor":{"id":"tomas.lindqvist"},"subject":{"id":"maria.alvarez"}}],"next":""}`},
	{"impersonation", "ImpersonationFunction", 200, `{"subject":{"id":"maria.alvarez"},"reason":"Her board shows no items.","changes":[],"denied":[],"next":""}`},
	{"end-impersonation", "ImpersonationFunction", 200, `{"subject":{"id":"maria.alvarez"},"cause":"signed_out"}`},
	{"notices", "NotifierFunction", 0, `{"batchItemFailures":[]}`},
	{"sweep", "NotifierFunction", 0, `{"organizations":1,"ended":0,"stuck":0,"left":0}`},
	{"projection", "ProjectionFunction", 0, `{"batchItemFailures":[]}`},
	{"daily-audit", "PersonaAuditFunction", 0, `{"slot":"2026-11-22","organizations":1,"made":1,"failed":0}`},
	{"make-persona-audit", "PersonaFunction", 201, `{"slot":null,"report":{"location":"northgate"},"changed":[],"moved":{"since":"2026-11-22"}}`},
	{"persona-audits", "PersonaFunction", 200, `{"items":[{"slot":null,"report":{"location":"northgate"}},{"id":"2026-11-22","moved":null}],"next":""}`},
	{"persona-audit", "PersonaFunction", 200, `{"id":"2026-11-22","slot":"2026-11-22","report":{"location":null},"changed":[],"moved":null}`},
}

// recordedSession is the session that the events name; the one that is started
// takes its place.
const recordedSession = "01KB6V3M5QJ4T7WZ2XCV5BN6MKA3S6DFGH2P"

// Every function, as sam builds it, answers its recorded events under the
// emulator, with its own rights alone.
func TestBootstrapsAnswerTheirEvents(t *testing.T) {
	s := ship(t, seedDemo)
	contract := contract(t)
	session := recordedSession
	for _, o := range occasions {
		t.Run(o.event, func(t *testing.T) {
			payload := bytes.ReplaceAll(file(t, "infra/events/"+o.event+".json"), []byte(recordedSession), []byte(session))
			s.known(t, payload)
			answer, err := s.functions[o.id].Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			body := answer
			if o.status != 0 {
				body = answerOf(t, contract, payload, answer, o.status)
			}
			if o.status == http.StatusNoContent {
				if len(body) > 0 {
					t.Errorf("%s answers %s, want nothing", o.id, body)
				}
				return
			}
			if !contains(document(t, body), document(t, []byte(o.want))) {
				t.Errorf("%s answers %s, want %s", o.id, body, o.want)
			}
			if o.event == "start-impersonation" {
				session, _ = at(document(t, body), "id").(string)
			}
		})
	}
	t.Run("a firing of the same slot makes no second audit", func(t *testing.T) {
		answer, err := s.functions["PersonaAuditFunction"].Invoke(t.Context(), file(t, "infra/events/daily-audit.json"))
		if err != nil || !contains(document(t, answer), document(t, []byte(`{"made":0,"failed":0}`))) {
			t.Errorf("%s, %v", answer, err)
		}
	})
	t.Run("through the gateway", s.throughTheGateway)
	t.Run("I8 the stream hands notice and receipt to the notifier", s.mailed)
	t.Run("I5 in a session, until the right to it is lost", s.inASession)
}

func contract(t *testing.T) *openapi.Document {
	t.Helper()
	d, err := openapi.Read(filepath.Join(repository(t), "infra/openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func seedDemo(ctx context.Context, parts stack.Parts) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "infra/demo/world.json"))
	if err != nil {
		return err
	}
	demo, problems := world.Read(text)
	if len(problems) > 0 {
		return fmt.Errorf("infra/demo/world.json: %v", problems)
	}
	return local.Seed(ctx, parts, demo)
}

// known holds the token's sub in an event to what the local pool calls the
// user, so that sam local invoke finds who asks.
func (s *shipment) known(t *testing.T, event []byte) {
	t.Helper()
	claims, ok := at(document(t, event), "requestContext", "authorizer", "jwt", "claims").(map[string]any)
	if !ok {
		return
	}
	username := claims["username"].(string)
	found, err := cognitoidentityprovider.NewFromConfig(s.stack.Parts.Cognito).AdminGetUser(t.Context(), &cognitoidentityprovider.AdminGetUserInput{
		UserPoolId: &s.stack.Parts.UserPool, Username: &username,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, attribute := range found.UserAttributes {
		if *attribute.Name == "sub" && *attribute.Value != claims["sub"] {
			t.Errorf("the sub of %s is %s here", username, *attribute.Value)
		}
	}
}

// answerOf is the body of an answer to API Gateway, which is as the OpenAPI
// document promises.
func answerOf(t *testing.T, contract *openapi.Document, event, answer []byte, status int) []byte {
	t.Helper()
	var asked struct{ RouteKey, Body string }
	var got struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	if err := json.Unmarshal(event, &asked); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if got.StatusCode != status {
		t.Fatalf("%d, want %d: %s", got.StatusCode, status, got.Body)
	}
	header := http.Header{}
	for name, value := range got.Headers {
		header.Set(name, value)
	}
	if err := contract.Answer(asked.RouteKey, got.StatusCode, header, []byte(got.Body)); err != nil {
		t.Error(err)
	}
	if err := contract.Request(asked.RouteKey, []byte(asked.Body)); err != nil {
		t.Errorf("the event's own body: %v", err)
	}
	return []byte(got.Body)
}

func document(t *testing.T, text []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// contains tells whether a document has all that want has: each member, and
// each element of a list in its place.
func contains(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		for name, value := range want {
			found, there := members[name]
			ok = ok && there && contains(found, value)
		}
		return ok
	case []any:
		elements, ok := got.([]any)
		if !ok || len(elements) < len(want) || len(want) == 0 && len(elements) > 0 {
			return false
		}
		for i := range want {
			ok = ok && contains(elements[i], want[i])
		}
		return ok
	}
	return reflect.DeepEqual(got, want)
}

// The recorded events are each function's, none is missing and none is idle.
func TestEventsAreComplete(t *testing.T) {
	named, ids := map[string]bool{}, map[string]bool{}
	for _, o := range occasions {
		named[o.event+".json"], ids[o.id] = true, true
	}
	entries, err := os.ReadDir(filepath.Join(repository(t), "infra/events"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !named[entry.Name()] {
			t.Errorf("no function is asked infra/events/%s", entry.Name())
		}
	}
	for id := range functions {
		if !ids[id] {
			t.Errorf("%s has no event", id)
		}
	}
	routes := map[string]bool{}
	for name := range named {
		var event struct{ RouteKey string }
		if err := json.Unmarshal(file(t, "infra/events/"+name), &event); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		routes[event.RouteKey] = true
	}
	for _, o := range contract(t).Operations() {
		if !routes[o.Route] {
			t.Errorf("%s has no event", o.Route)
		}
	}
}

// env.json is what `sam local invoke --env-vars` takes: it hands over only
// variables that the template names, so each is one of them.
func TestLocalEnvironmentIsTheTemplates(t *testing.T) {
	var given map[string]map[string]string
	if err := json.Unmarshal(file(t, "infra/local/env.json"), &given); err != nil {
		t.Fatal(err)
	}
	for id, f := range functions {
		for _, name := range f.environment {
			if given[id][name] == "" {
				t.Errorf("env.json gives %s no %s", id, name)
			}
		}
		for name := range given[id] {
			if !slices.Contains(f.environment, name) {
				t.Errorf("env.json gives %s the variable %s, which the template does not name", id, name)
			}
		}
	}
	if len(given) != len(functions) {
		t.Errorf("env.json knows %d functions, the template %d", len(given), len(functions))
	}
}

var _ lambda.Handler = (*emulated)(nil)
