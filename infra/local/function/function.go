// Package function calls a Lambda function's handler in this process as the
// Lambda service would: with a request id, a deadline, and a failure that
// stays inside the call.
//
// Unlike in Lambda, one handler serves calls at the same time, as several warm
// instances would.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"gemba/infra/local/template"
)

// Function is one function of the template with its handler.
type Function struct {
	ID      string
	Timeout time.Duration
	Handler lambda.Handler
}

// payloadLimit is Lambda's for a synchronous call, both ways.
const payloadLimit = 6 << 20

// ErrTooLarge is the failure of a call whose payload is over Lambda's limit.
var ErrTooLarge = errors.New("the payload is larger than 6 MB")

// ARN is the function's name in an event's context.
func (f Function) ARN() string {
	return "arn:aws:lambda:" + template.Region + ":" + template.Account + ":function:" + f.ID
}

// Call calls the function and is its answer. A handler that fails, panics,
// answers too much or runs into its timeout is an error that says so.
func (f Function) Call(ctx context.Context, requestID string, payload any) ([]byte, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	if len(text) > payloadLimit {
		return nil, ErrTooLarge
	}
	// The caller going away does not end a Lambda function; its timeout does.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Timeout)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID, InvokedFunctionArn: f.ARN()})

	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := f.invoke(ctx, text)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		if r.err == nil && len(r.answer) > payloadLimit {
			return nil, fmt.Errorf("%s: the answer is larger than 6 MB", f.ID)
		}
		return r.answer, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: task timed out after %v", f.ID, f.Timeout)
	}
}

func (f Function) invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s: panic: %v\n%s", f.ID, fault, debug.Stack())
		}
	}()
	answer, err = f.Handler.Invoke(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.ID, err)
	}
	return answer, nil
}
