package template

import (
	"fmt"
	"time"
)

// Function is a Lambda function: its environment and all that calls it. Retries is
// how often an asynchronous invocation that fails is tried again.
type Function struct {
	ID          string
	Timeout     time.Duration
	Retries     int
	Environment map[string]string
	Routes      []Route
	Schedules   []Schedule
	Streams     []Stream
}

// Route is one route of the HTTP API. Public ones need no token.
type Route struct {
	Method, Path string
	Public       bool
}

// Key is the route's key as API Gateway writes it: "GET /v1/users/{id}".
func (r Route) Key() string { return r.Method + " " + r.Path }

// Schedule is an EventBridge schedule; Input is the payload with its
// <aws.scheduler.…> placeholders still in it.
type Schedule struct {
	ScheduleExpression         string
	ScheduleExpressionTimezone string
	Input                      string
	RetryPolicy                struct {
		MaximumRetryAttempts     *int
		MaximumEventAgeInSeconds *int
	}
}

// Stream is the mapping of a table's stream to the function.
type Stream struct {
	BatchSize                  int
	BisectBatchOnFunctionError bool
	FunctionResponseTypes      []string
	MaximumRetryAttempts       *int
	MaximumRecordAgeInSeconds  *int
	FilterCriteria             struct {
		Filters []struct{ Pattern string }
	}
	DestinationConfig struct {
		OnFailure struct{ Destination string }
	}
}

// Functions is the template's functions in the order of their ids, with SAM's
// globals merged in. What their environment and events refer to must have been
// Set.
func (t *Template) Functions() ([]Function, error) {
	var out []Function
	for _, id := range t.All("AWS::Serverless::Function") {
		function, err := t.function(id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		out = append(out, function)
	}
	return out, nil
}

// globals is what SAM merges into every function: maps member by member, the
// rest replaced by what the function says itself.
type globals struct {
	Timeout     int
	Environment struct{ Variables map[string]any }
	Events      map[string]event

	EventInvokeConfig struct{ MaximumRetryAttempts *int }
}

type event struct {
	Type       string
	Properties map[string]any
}

func (t *Template) function(id string) (Function, error) {
	var shared, own globals
	common, _ := t.section("Globals")["Function"].(map[string]any)
	if err := t.decode(common, &shared); err != nil {
		return Function{}, fmt.Errorf("the globals: %w", err)
	}
	if err := t.Properties(id, &own); err != nil {
		return Function{}, err
	}
	function := Function{ID: id, Timeout: 3 * time.Second, Retries: 2, Environment: map[string]string{}} // Lambda's own defaults
	for _, part := range []globals{shared, own} {
		if part.Timeout > 0 {
			function.Timeout = time.Duration(part.Timeout) * time.Second
		}
		if most := part.EventInvokeConfig.MaximumRetryAttempts; most != nil {
			function.Retries = *most
		}
		for name, value := range part.Environment.Variables {
			function.Environment[name] = fmt.Sprint(value)
		}
	}
	for _, name := range sortedKeys(own.Events) {
		if err := t.addEvent(&function, own.Events[name]); err != nil {
			return Function{}, fmt.Errorf("event %s: %w", name, err)
		}
	}
	return function, nil
}

func (t *Template) addEvent(function *Function, event event) error {
	switch event.Type {
	case "HttpApi":
		route, err := t.route(event.Properties)
		function.Routes = append(function.Routes, route)
		return err
	case "ScheduleV2":
		var schedule Schedule
		err := t.decode(event.Properties, &schedule)
		function.Schedules = append(function.Schedules, schedule)
		return err
	case "DynamoDB":
		stream := Stream{BatchSize: 100} // Lambda's own default
		err := t.decode(event.Properties, &stream)
		function.Streams = append(function.Streams, stream)
		return err
	default:
		return fmt.Errorf("events of type %q are not known here", event.Type)
	}
}

func (t *Template) route(properties map[string]any) (Route, error) {
	var form struct {
		Method, Path string
		Auth         struct{ Authorizer string }
	}
	if err := t.decode(properties, &form); err != nil {
		return Route{}, err
	}
	authorizer := form.Auth.Authorizer
	if authorizer == "" {
		auth, err := t.auth()
		if err != nil {
			return Route{}, err
		}
		authorizer = auth.DefaultAuthorizer
	}
	return Route{Method: form.Method, Path: form.Path, Public: authorizer == "" || authorizer == "NONE"}, nil
}

// Authorizer is the JWT authorizer of the HTTP API.
type Authorizer struct {
	Issuer   string
	Audience []string
}

type auth struct {
	DefaultAuthorizer string
	Authorizers       map[string]struct{ JwtConfiguration Authorizer }
}

func (t *Template) auth() (auth, error) {
	var api struct{ Auth auth }
	id, err := t.Only("AWS::Serverless::HttpApi")
	if err != nil {
		return auth{}, err
	}
	err = t.Properties(id, &api)
	return api.Auth, err
}

// Authorizer is the template's one JWT authorizer. The pool and its client,
// which issuer and audience name, must have been Set.
func (t *Template) Authorizer() (Authorizer, error) {
	auth, err := t.auth()
	if err != nil {
		return Authorizer{}, err
	}
	if len(auth.Authorizers) != 1 {
		return Authorizer{}, fmt.Errorf("the HTTP API has %d authorizers, one is expected", len(auth.Authorizers))
	}
	for _, authorizer := range auth.Authorizers {
		return authorizer.JwtConfiguration, nil
	}
	return Authorizer{}, nil
}
