// Package wire puts a deployed function's adapters together from its
// environment: TABLE, and what package cloud reads. It decides nothing else;
// the local stack has a wiring of its own around the same endpoints.
package wire

import (
	"log/slog"
	"os"
	"time"

	"gemba/shared/api"
	"gemba/shared/cloud"
	"gemba/shared/dynamo"
	"gemba/shared/impersonation"
)

// Store is the table that the environment names.
func Store() *dynamo.Store {
	return dynamo.Open(cloud.Config(), cloud.Endpoint("DYNAMODB"), os.Getenv("TABLE"), time.Now)
}

// Deps are what every function behind the gateway stands on.
func Deps(store *dynamo.Store) api.Deps {
	return api.Deps{
		Store:    store,
		Sessions: impersonation.NewSessions(store, impersonation.DefaultIdle),
		MarkSeen: store.MarkSeen,
		Log:      Log(),
		Metrics:  os.Stdout,
		Now:      time.Now,
	}
}

// Log writes one JSON object a line, as CloudWatch Logs reads it.
func Log() *slog.Logger { return slog.New(slog.NewJSONHandler(os.Stdout, nil)) }
