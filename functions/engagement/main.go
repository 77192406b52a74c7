// Command engagement notes who takes part.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/engagement/endpoints"
	"gemba/functions/wire"
	"gemba/shared/persona"
)

func main() {
	lambda.Start(endpoints.New(persona.NewEngager(wire.Store()), wire.Log()))
}
