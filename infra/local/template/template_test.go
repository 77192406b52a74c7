package template

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const small = `
Parameters:
  Stage: {Type: String, Default: dev}
  Zone: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Mappings:
  Sizes: {dev: {memory: 128}, prod: {memory: 512}}
Globals:
  Function:
    Timeout: 7
    Environment: {Variables: {STAGE: !Ref Stage, TABLE: nowhere}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt: {JwtConfiguration: {issuer: !Sub "https://issuer/${Pool}", audience: [!Ref Client]}}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Spare:
    Type: AWS::DynamoDB::Table
    Condition: IsProd
  One:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [!Ref NeverResolved]
      Environment: {Variables: {TABLE: !Ref Things, SIZE: !FindInMap [Sizes, !Ref Stage, memory]}}
      Events:
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: "/things/{id}"}}
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /open, Auth: {Authorizer: NONE}}}
  Two:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 60
      EventInvokeConfig: {MaximumRetryAttempts: 1}
      Events:
        Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Input: "{}"}}
        Stream: {Type: DynamoDB, Properties: {Stream: !GetAtt Things.StreamArn, MaximumRetryAttempts: 2}}
`

func parsed(t *testing.T, text string) *Template {
	t.Helper()
	read, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestFunctionsHaveTheirEnvironmentAndEvents(t *testing.T) {
	read := parsed(t, small)
	for name, value := range map[string]string{"Things": "things-1", "Things.StreamArn": "arn:stream", "Api": "api", "Pool": "pool", "Client": "client"} {
		read.Set(name, value)
	}
	got, err := read.Functions()
	if err != nil {
		t.Fatal(err)
	}
	two := 2
	want := []Function{{
		ID: "One", Timeout: 7 * time.Second, Retries: 2,
		Environment: map[string]string{"STAGE": "dev", "TABLE": "things-1", "SIZE": "128"},
		Routes:      []Route{{Method: "GET", Path: "/things/{id}"}, {Method: "GET", Path: "/open", Public: true}},
	}, {
		ID: "Two", Timeout: 60 * time.Second, Retries: 1,
		Environment: map[string]string{"STAGE": "dev", "TABLE": "nowhere"},
		Schedules:   []Schedule{{ScheduleExpression: "rate(1 day)", Input: "{}"}},
		Streams:     []Stream{{BatchSize: 100, MaximumRetryAttempts: &two}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAuthorizerIsTheTemplates(t *testing.T) {
	read := parsed(t, small)
	read.Set("Pool", "pool-1")
	read.Set("Client", "client-1")
	got, err := read.Authorizer()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Authorizer{Issuer: "https://issuer/pool-1", Audience: []string{"client-1"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAResourceWhoseConditionFailsIsNone(t *testing.T) {
	if got, err := parsed(t, small).Only("AWS::DynamoDB::Table"); err != nil || got != "Things" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatCannotBeResolvedIsAnError(t *testing.T) {
	read := parsed(t, small)
	for _, name := range []string{"Api", "Pool", "Client"} {
		read.Set(name, "set")
	}
	if _, err := read.Functions(); err == nil || !strings.Contains(err.Error(), "Things") {
		t.Errorf("the missing value is not named: %v", err)
	}
}

func TestFunctionsOfCloudFormation(t *testing.T) {
	cases := map[string]struct {
		text string
		want any
	}{
		"Ref":             {`!Ref Stage`, "dev"},
		"Ref NoValue":     {`[1, !Ref AWS::NoValue]`, []any{1}},
		"Sub":             {`!Sub "${Stage}-${AWS::Region}-${!Kept}"`, "dev-us-east-1-${Kept}"},
		"Sub own values":  {`!Sub ["${A}/${Stage}", {A: !Ref Stage}]`, "dev/dev"},
		"GetAtt":          {`!GetAtt R.Arn`, "arn"},
		"GetAtt list":     {`{"Fn::GetAtt": [R, Arn]}`, "arn"},
		"Join":            {`!Join ["-", [a, !Ref Stage]]`, "a-dev"},
		"Select of Split": {`!Select [1, !Split ["/", "a/b/c"]]`, "b"},
		"FindInMap":       {`!FindInMap [Sizes, prod, memory]`, 512},
		"If":              {`!If [IsProd, !Ref Unset, small]`, "small"},
		"Condition":       {`!Condition IsProd`, false},
		"Not":             {`!Not [!Equals [a, b]]`, true},
		"And":             {`!And [!Equals [a, a], !Equals [a, b]]`, false},
		"Or":              {`!Or [!Equals [a, a], !Equals [a, b]]`, true},
	}
	covered := map[string]bool{}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			read := parsed(t, small+"\nX: "+c.text)
			read.Set("R.Arn", "arn")
			got, err := read.resolve(read.document["X"])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
		for function := range functions {
			if strings.Contains(name, strings.TrimPrefix(function, "Fn::")) {
				covered[function] = true
			}
		}
	}
	for function := range functions {
		if !covered[function] && function != "Fn::Equals" { // Equals is in every condition above
			t.Errorf("%s has no case", function)
		}
	}
}

func TestAMemberThatIsThereTwiceIsAnError(t *testing.T) {
	if _, err := Parse([]byte("Resources: {}\nResources: {}\n")); err == nil {
		t.Error("it is not refused")
	}
}

func TestTheRepositorysTemplateIsUnderstood(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	table, form, err := read.Table()
	if err != nil || len(form.KeySchema) != 2 || form.TimeToLiveSpecification == nil {
		t.Errorf("table %s %+v: %v", table, form, err)
	}
	names := []string{
		"Table", "Table.Arn", "Table.StreamArn", "UserPool", "UserPoolClient", "HttpApi",
		"NotifierDeadLetters.Arn", "ProjectionDeadLetters.Arn", "PersonaAuditDeadLetters.Arn",
	}
	for _, name := range names {
		read.Set(name, "value-of-"+name)
	}
	functions, err := read.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range functions {
		if function.Environment["TABLE"] != "value-of-Table" {
			t.Errorf("%s: TABLE is %q", function.ID, function.Environment["TABLE"])
		}
		if len(function.Routes)+len(function.Schedules)+len(function.Streams) == 0 {
			t.Errorf("%s: nothing calls it", function.ID)
		}
	}
	if authorizer, err := read.Authorizer(); err != nil || len(authorizer.Audience) != 1 {
		t.Errorf("authorizer %+v: %v", authorizer, err)
	}
}
