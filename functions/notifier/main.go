// Command notifier sends the notices that impersonations leave.
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
	lambda.Start(endpoints.New(impersonation.NewNotifier(store, sessions, mailer), wire.Log(), time.Now))
}
