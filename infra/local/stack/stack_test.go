package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/go-cmp/cmp"

	"gemba/infra/local/stack"
	"gemba/infra/local/template"
	"gemba/shared/fault"
	invoking "gemba/shared/lambda"
)

// function echoes what calls it and remembers it.
type function struct {
	calls chan []byte
	fail  bool
}

func (f *function) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	fail := f.fail // whoever takes the call may change it
	f.calls <- payload
	if fail {
		return nil, errors.New("no")
	}
	return []byte(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"done\":true}"}`), nil
}

// fakes are a stack's functions, all of the repository's template.
type fakes map[string]*function

func newFakes(t *testing.T, read *template.Template) fakes {
	t.Helper()
	out := fakes{}
	for _, id := range read.All("AWS::Serverless::Function") {
		out[id] = &function{calls: make(chan []byte, 100)}
	}
	return out
}

func (f fakes) handlers(stack.Parts) (map[string]lambda.Handler, error) {
	out := map[string]lambda.Handler{}
	for id, one := range f {
		out[id] = one
	}
	return out, nil
}

func root(t *testing.T) (string, *template.Template) {
	t.Helper()
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	read, err := template.Read(root + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return root, read
}

// started is a running stack with fake functions and one user in its pool.
func started(t *testing.T) (*stack.Stack, fakes) {
	t.Helper()
	root, read := root(t)
	functions := newFakes(t, read)
	running, err := stack.Start(t.Context(), stack.Options{
		Root: root, Handlers: functions.handlers, Seed: seed, Log: t.Output(),
		Say: func(line string) { t.Log(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return running, functions
}

func seed(ctx context.Context, parts stack.Parts) error {
	api := cognitoidentityprovider.NewFromConfig(parts.Cognito)
	_, err := api.AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: &parts.UserPool, Username: aws.String("maria")})
	if err != nil {
		return err
	}
	_, err = api.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &parts.UserPool, Username: aws.String("maria"), Password: aws.String("Correct-horse-1"), Permanent: true,
	})
	return err
}

// ask sends a request and is its status and body.
func ask(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestStack(t *testing.T) {
	running, functions := started(t)
	t.Run("is ready", func(t *testing.T) {
		if status, body := ask(t, "GET", running.URL+"/_local/ready", "", ""); status != 200 || body != `{"ready":true}` {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("listens on the loopback address alone", func(t *testing.T) { loopbackAlone(t, running) })
	t.Run("gives tokens that the gateway takes", func(t *testing.T) { tokens(t, running, functions) })
	t.Run("refuses a wrong sign-in", func(t *testing.T) { wrongSignIn(t, running) })
	t.Run("gives functions the template's environment", func(t *testing.T) {
		if got := running.Parts.Environment["ImpersonationFunction"]; got["TABLE"] != stack.TableName || got["USER_POOL_CLIENT_ID"] != running.Parts.UserPoolClient {
			t.Errorf("%v", got)
		}
	})
	t.Run("lists no mail before there is any", func(t *testing.T) {
		if status, body := ask(t, "GET", running.URL+"/_local/mail", "", ""); status != 200 || body != `[]` {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("fires the schedule", func(t *testing.T) { fires(t, running, functions) })
	t.Run("hands the stream to the notifier", func(t *testing.T) { notifies(t, running, functions) })
	t.Run("knows no other local path", func(t *testing.T) {
		for _, call := range []string{"GET /_local/", "GET /_local/token", "POST /_local/nothing"} {
			method, path, _ := strings.Cut(call, " ")
			if status, _ := ask(t, method, running.URL+path, "", ""); status != 404 {
				t.Errorf("%s: %d", call, status)
			}
		}
	})
	t.Run("is what env.json says", func(t *testing.T) { envFile(t, running) })
	t.Run("has addresses that stay for what runs beside it", func(t *testing.T) { addresses(t, running) })
	t.Run("ends, and nothing of it answers", func(t *testing.T) { ends(t, running) })
}

func tokens(t *testing.T, running *stack.Stack, functions fakes) {
	status, body := ask(t, "POST", running.URL+"/_local/token", "", `{"username":"maria","password":"Correct-horse-1"}`)
	var got struct{ AccessToken, IDToken, RefreshToken string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for name, token := range map[string]string{"access": got.AccessToken, "id": got.IDToken} {
		if status, body := ask(t, "GET", running.URL+"/v1/me", token, ""); status != 200 {
			t.Errorf("%s token: %d %s", name, status, body)
		}
		var event events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(<-functions["DirectoryFunction"].calls, &event); err != nil {
			t.Fatal(err)
		}
		if claims := event.RequestContext.Authorizer.JWT.Claims; claims["sub"] == "" || claims["token_use"] != name {
			t.Errorf("%s token: claims %v", name, claims)
		}
	}
	for name, token := range map[string]string{"refresh": got.RefreshToken, "no": ""} {
		if status, body := ask(t, "GET", running.URL+"/v1/me", token, ""); status != 401 || body != `{"message":"Unauthorized"}` {
			t.Errorf("%s token: %d %s", name, status, body)
		}
	}
}

func wrongSignIn(t *testing.T, running *stack.Stack) {
	cases := map[string]int{
		`{"username":"maria","password":"wrong"}`:            401,
		`{"username":"nobody","password":"Correct-horse-1"}`: 401,
		`{"username":"maria"}`:                               400,
		`{"username":"maria","password":"x","more":1}`:       400,
		`no`: 400,
	}
	for body, want := range cases {
		status, got := ask(t, "POST", running.URL+"/_local/token", "", body)
		if status != want || !strings.Contains(got, "urn:problem:") {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
}

func fires(t *testing.T, running *stack.Stack, functions fakes) {
	audit := functions["PersonaAuditFunction"]
	status, body := ask(t, "POST", running.URL+"/_local/schedule/persona-audit", "", "")
	if status != 200 || !strings.Contains(body, "done") {
		t.Errorf("%d %s", status, body)
	}
	if payload := <-audit.calls; bytes.Contains(payload, []byte("<aws.")) || !bytes.Contains(payload, []byte("T")) {
		t.Errorf("payload %s", payload)
	}
	if status, body := ask(t, "POST", running.URL+"/_local/schedule/persona-audit", "", `{"scheduledTime": "2026-12-01T03:00:00Z"}`); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if payload := <-audit.calls; !bytes.Contains(payload, []byte(`"2026-12-01T03:00:00Z"`)) {
		t.Errorf("payload %s", payload)
	}
	for _, bad := range []string{`{}`, `{"scheduledTime": "tomorrow"}`, `{"scheduledTime": null}`, `{"at": "2026-12-01T03:00:00Z"}`, `{"scheduledTime":`, `{"scheduledTime": "2026-12-01T03:00:00Z"} {}`} {
		if status, body := ask(t, "POST", running.URL+"/_local/schedule/persona-audit", "", bad); status != 400 || !strings.Contains(body, "scheduledTime") {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if len(audit.calls) > 0 {
		t.Errorf("a bad body fired: %s", <-audit.calls)
	}
	hand := invoking.NewInvoker(running.Parts.Lambda, "", "PersonaAuditFunction")
	if err := hand.Invoke(t.Context(), []byte(`{"handed":"over"}`)); err != nil {
		t.Error(err)
	}
	if payload := <-audit.calls; string(payload) != `{"handed":"over"}` {
		t.Errorf("invoked with %s", payload)
	}
	if err := invoking.NewInvoker(running.Parts.Lambda, "", "NoFunction").Invoke(t.Context(), []byte(`{}`)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a function that is none was invoked: %v", err)
	}
	audit.fail = true
	if status, body := ask(t, "POST", running.URL+"/_local/schedule/persona-audit", "", ""); status != 500 || strings.Contains(body, "no\"") {
		t.Errorf("a failure: %d %s", status, body)
	}
	if status, _ := ask(t, "POST", running.URL+"/_local/schedule/directory", "", ""); status != 404 {
		t.Errorf("a function without a schedule: %d", status)
	}
}

func notifies(t *testing.T, running *stack.Stack, functions fakes) {
	client := dynamodb.NewFromConfig(running.Parts.DynamoDB)
	for _, sk := range []string{"SESSION", "NOTICE"} { // the template's filter lets only the second through
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &running.Parts.Table, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "X#o#1"}, "sk": &types.AttributeValueMemberS{Value: sk},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var event events.DynamoDBEvent
	if err := json.Unmarshal(<-functions["NotifierFunction"].calls, &event); err != nil {
		t.Fatal(err)
	}
	if sk := event.Records[0].Change.Keys["sk"]; len(event.Records) != 1 || sk.String() != "NOTICE" {
		t.Errorf("%+v", event.Records)
	}
}

// envFile holds infra/local/env.json, the input of sam local invoke, to what
// the functions get here, beside a stack on its usual port.
func envFile(t *testing.T, running *stack.Stack) {
	addresses := map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB":                  "http://127.0.0.1:8080/_local/dynamodb",
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:8080/_local/cognito",
		"AWS_ENDPOINT_URL_SESV2":                     "http://127.0.0.1:8080/_local/ses",
		"AWS_ENDPOINT_URL_LAMBDA":                    "http://127.0.0.1:8080/_local/lambda",
	}
	want := map[string]map[string]string{}
	for id, environment := range running.Parts.Environment {
		want[id] = maps.Clone(environment)
		for name := range environment {
			if address, ok := addresses[name]; ok {
				want[id][name] = address
			}
		}
	}
	text, err := os.ReadFile("../env.json")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]string
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// addresses asks each service under its path, as env.json has it.
func addresses(t *testing.T, running *stack.Stack) {
	at := func(cfg aws.Config, name string) aws.Config {
		cfg.BaseEndpoint = aws.String(running.URL + "/_local/" + name)
		return cfg
	}
	tables, err := dynamodb.NewFromConfig(at(running.Parts.DynamoDB, "dynamodb")).ListTables(t.Context(), nil)
	if err != nil || len(tables.TableNames) != 1 || tables.TableNames[0] != stack.TableName {
		t.Errorf("tables %+v: %v", tables, err)
	}
	_, err = cognitoidentityprovider.NewFromConfig(at(running.Parts.Cognito, "cognito")).AdminGetUser(t.Context(),
		&cognitoidentityprovider.AdminGetUserInput{UserPoolId: &running.Parts.UserPool, Username: aws.String("maria")})
	if err != nil {
		t.Errorf("Cognito: %v", err)
	}
	identities, err := sesv2.NewFromConfig(at(running.Parts.SES, "ses")).ListEmailIdentities(t.Context(), nil)
	if err != nil || len(identities.EmailIdentities) != 1 {
		t.Errorf("identities %+v: %v", identities, err)
	}
}

// loopbackAlone looks at the ports of this process and its children, as far as
// the machine has a tool that tells.
func loopbackAlone(t *testing.T, running *stack.Stack) {
	for name, endpoint := range map[string]*string{
		"gateway": &running.URL, "DynamoDB Local": running.Parts.DynamoDB.BaseEndpoint, "moto": running.Parts.Cognito.BaseEndpoint,
	} {
		if !strings.HasPrefix(aws.ToString(endpoint), "http://127.0.0.1:") {
			t.Errorf("%s is at %s", name, aws.ToString(endpoint))
		}
		_, port, _ := strings.Cut(strings.TrimPrefix(aws.ToString(endpoint), "http://"), ":")
		if _, err := exec.LookPath("ss"); err != nil {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "ss", "-Hltn", "sport = :"+port).Output()
		if err != nil || !strings.Contains(string(out), "127.0.0.1") || strings.Contains(string(out), "0.0.0.0:"+port) {
			t.Errorf("%s listens on %s (%v)", name, out, err)
		}
	}
}

func ends(t *testing.T, running *stack.Stack) {
	running.Close()
	var all sync.WaitGroup
	for name, endpoint := range map[string]string{
		"gateway": running.URL, "DynamoDB Local": *running.Parts.DynamoDB.BaseEndpoint, "moto": *running.Parts.Cognito.BaseEndpoint,
	} {
		all.Go(func() {
			if response, err := http.Get(endpoint); err == nil {
				response.Body.Close()
				t.Errorf("%s still answers", name)
			}
		})
	}
	all.Wait()
	select {
	case err := <-running.Failed():
		t.Errorf("the end was told as a failure: %v", err)
	default:
	}
}

func TestWhatCannotStartLeavesNothingRunning(t *testing.T) {
	root, read := root(t)
	complete := newFakes(t, read)
	lacking := newFakes(t, read)
	delete(lacking, "RoleFunction")
	var parts stack.Parts
	cases := map[string]struct {
		change func(*stack.Options)
		want   string
	}{
		"a function without a handler": {func(o *stack.Options) { o.Handlers = lacking.handlers }, "RoleFunction"},
		"a seed that fails": {func(o *stack.Options) {
			o.Seed = func(_ context.Context, p stack.Parts) error { parts = p; return errors.New("bad seed") }
		}, "bad seed"},
		"no template": {func(o *stack.Options) { o.Root = t.TempDir() }, "template.yaml"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			options := stack.Options{Root: root, Handlers: complete.handlers, Log: t.Output(), Say: func(line string) { t.Log(line) }}
			c.change(&options)
			running, err := stack.Start(t.Context(), options)
			if running != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v", err)
			}
		})
	}
	if response, err := http.Get(aws.ToString(parts.DynamoDB.BaseEndpoint)); err == nil {
		response.Body.Close()
		t.Error("DynamoDB Local still answers")
	}
}

func TestAPortInUseIsToldWithWhatToDo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	root, _ := root(t)
	_, err = stack.Start(t.Context(), stack.Options{Root: root, Port: listener.Addr().(*net.TCPAddr).Port, Log: t.Output()})
	if err == nil || !strings.Contains(err.Error(), "set PORT") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
