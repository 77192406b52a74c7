// Command directory is the directory function.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/directory/endpoints"
	"gemba/functions/wire"
)

func main() {
	store := wire.Store()
	lambda.Start(endpoints.New(wire.Deps(store), store))
}
