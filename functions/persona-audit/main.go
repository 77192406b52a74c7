// Command persona-audit is the scheduled audit of the personas' mix.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/persona-audit/endpoints"
	"gemba/functions/wire"
	"gemba/shared/cloud"
	invoking "gemba/shared/lambda"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/ses"
)

func main() {
	store := wire.Store()
	sender := ses.NewSender(cloud.Config(), cloud.Endpoint("SESV2"), os.Getenv("SENDER"))
	lambda.Start(endpoints.New(endpoints.Deps{
		Organizations: store,
		Auditor:       persona.NewAuditor(store, store, ses.Mailer[persona.Letter]{Sender: sender}, time.Now),
		Sweeper:       role.NewSweeper(store, time.Now),
		Watcher:       persona.NewWatch(persona.NewReconciler(store), store, time.Now),
		Relay:         invoking.NewInvoker(cloud.Config(), cloud.Endpoint("LAMBDA"), os.Getenv("AWS_LAMBDA_FUNCTION_NAME")),
		Metrics:       os.Stdout,
		Log:           wire.Log(),
	}))
}
