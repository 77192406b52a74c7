// Command impersonation is the impersonation function.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/impersonation/endpoints"
	"gemba/functions/wire"
	"gemba/shared/cloud"
	"gemba/shared/cognito"
	"gemba/shared/impersonation"
)

func main() {
	store := wire.Store()
	prover := cognito.NewProver(cloud.Config(), cloud.Endpoint("COGNITO_IDENTITY_PROVIDER"), os.Getenv("USER_POOL_CLIENT_ID"))
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	lambda.Start(endpoints.New(wire.Deps(store), impersonation.NewService(store, sessions, prover)))
}
