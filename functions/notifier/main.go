// Command notifier sends the mail that impersonations leave, and sweeps what nobody
// came back to.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/functions/notifier/endpoints"
	"gemba/functions/wire"
	"gemba/shared/cloud"
	"gemba/shared/impersonation"
	"gemba/shared/ses"
)

func main() {
	store := wire.Store()
	sender := ses.NewSender(cloud.Config(), cloud.Endpoint("SESV2"), os.Getenv("SENDER"))
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	mailer := ses.Mailer[impersonation.Letter]{Sender: sender}
	lambda.Start(endpoints.New(impersonation.NewNotifier(store, sessions, mailer), os.Stdout, wire.Log(), time.Now))
}
