// Package lambda hands work to a Lambda function, here to the one that runs: a
// schedule that finds more to do than one invocation should take on hands parts of
// it to more invocations of itself.
//
// It decides how an invocation is asked for: asynchronously, so that Lambda keeps
// the payload, tries again what fails and puts what it gives up into the dead-letter
// queue. It refuses to know what payloads say.
package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"gemba/shared/fault"
)

// Invoker invokes one function.
type Invoker struct {
	api      *lambda.Client
	function string
}

// NewInvoker invokes the function with this name; an empty endpoint is AWS's own.
func NewInvoker(cfg aws.Config, endpoint, function string) *Invoker {
	return &Invoker{function: function, api: lambda.NewFromConfig(cfg, func(o *lambda.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})}
}

// Invoke hands one payload over; nil means that Lambda has it. A payload whose
// answer was lost is handed over again, so an invocation has to bear a repetition,
// as any asynchronous one has. Unavailable.
func (i *Invoker) Invoke(ctx context.Context, payload []byte) error {
	_, err := i.api.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &i.function, InvocationType: types.InvocationTypeEvent, Payload: payload,
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, "invocation", err)
	}
	return nil
}
