package dynamotest

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// Hook stands in the way of calls: it may change the input, go on to what
// would have happened (once or never), and change or replace the answer. What
// DynamoDB Local never does by itself is made to happen so: conflicts,
// throttling, unprocessed keys, lost answers.
type Hook func(operation string, input any, next func() (any, error)) (any, error)

// Intercept puts a hook around whole calls, the SDK's own retries included; it
// is one of a client's APIOptions.
func Intercept(h Hook) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Intercept",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
				out.Result, err = h(middleware.GetOperationName(ctx), in.Parameters, func() (any, error) {
					var answer middleware.InitializeOutput
					answer, metadata, err = next.HandleInitialize(ctx, in)
					return answer.Result, err
				})
				return out, metadata, err
			}), middleware.After)
	}
}

// InterceptAttempts puts a hook around each attempt of the SDK's own retries;
// its input is the HTTP request.
func InterceptAttempts(h Hook) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("InterceptAttempts",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
				out.Result, err = h(middleware.GetOperationName(ctx), in.Request, func() (any, error) {
					var answer middleware.FinalizeOutput
					answer, metadata, err = next.HandleFinalize(ctx, in)
					return answer.Result, err
				})
				return out, metadata, err
			}), "Retry", middleware.After)
	}
}

// Lost is what the SDK sees of an answer that never came: it tries again.
var Lost error = lostError{errors.New("the answer was lost")}

type lostError struct{ error }

// ConnectionError makes the SDK take it for a broken connection.
func (lostError) ConnectionError() bool { return true }

// Hasty is the SDK's standard retryer without its pauses.
func Hasty() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}
