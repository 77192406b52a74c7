// Command directory is the directory function.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/directory/endpoints"
	"gemba/functions/wire"
	"gemba/shared/cloud"
	"gemba/shared/cognito"
)

func main() {
	store := wire.Store()
	pool := cognito.NewAccounts(cloud.Config(), cloud.Endpoint("COGNITO_IDENTITY_PROVIDER"), os.Getenv("USER_POOL_ID"))
	lambda.Start(endpoints.New(wire.Deps(store), store, pool))
}
