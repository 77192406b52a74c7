// Command permission is the permission function.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/permission/endpoints"
	"gemba/functions/wire"
)

func main() {
	store := wire.Store()
	lambda.Start(endpoints.New(wire.Deps(store), store))
}
