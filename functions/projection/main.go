// Command projection derives what follows from the changes of the table: who takes
// part, and the seal of the timeline.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/projection/endpoints"
	"gemba/functions/wire"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

func main() {
	store := wire.Store()
	lambda.Start(endpoints.New(persona.NewEngager(store), timeline.NewSealer(store, time.Now), wire.Log(), os.Stdout, time.Now))
}
