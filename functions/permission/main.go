// Command permission is the permission function.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/permission/endpoints"
	"gemba/functions/wire"
)

func main() {
	lambda.Start(endpoints.New(wire.Deps(wire.Store())))
}
