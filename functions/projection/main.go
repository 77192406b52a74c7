// Command projection derives what follows from the changes of the table: who takes part.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/projection/endpoints"
	"gemba/functions/wire"
	"gemba/shared/persona"
)

func main() {
	lambda.Start(endpoints.New(persona.NewEngager(wire.Store()), wire.Log()))
}
