// Command directory is the directory function.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/directory/endpoints"
	"gemba/functions/wire"
)

func main() {
	lambda.Start(endpoints.New(wire.Deps(wire.Store())))
}
