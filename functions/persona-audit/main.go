// Command persona-audit is the scheduled audit of the personas' mix.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/persona-audit/endpoints"
	"gemba/functions/wire"
	"gemba/shared/cloud"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/ses"
)

func main() {
	store := wire.Store()
	sender := ses.NewSender(cloud.Config(), cloud.Endpoint("SESV2"), os.Getenv("SENDER"))
	auditor := persona.NewAuditor(store, store, ses.Mailer[persona.Letter]{Sender: sender}, time.Now)
	watch := persona.NewWatch(persona.NewReconciler(store), store, time.Now)
	lambda.Start(endpoints.New(auditor, role.NewSweeper(store, time.Now), watch, os.Stdout, wire.Log()))
}
