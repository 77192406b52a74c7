// Package functions wires the functions' endpoints to the local stack, as each
// function's main does to AWS, and loads a world into it.
//
// Each function has a store of its own, so what one of them keeps is as far
// from what another writes as it is between two deployed functions (C11).
package functions

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	directory "gemba/functions/directory/endpoints"
	role "gemba/functions/role/endpoints"
	"gemba/infra/local/stack"
	"gemba/infra/organization/world"
	"gemba/shared/api"
	"gemba/shared/cognito"
	"gemba/shared/dynamo"
	"gemba/shared/impersonation"
)

// Handlers builds the handler of every function by its logical id in the
// template. idle is I4's longest pause between two requests of a session.
func Handlers(idle time.Duration) func(stack.Parts) (map[string]lambda.Handler, error) {
	return func(parts stack.Parts) (map[string]lambda.Handler, error) {
		w := wiring{parts, idle}
		return map[string]lambda.Handler{
			"DirectoryFunction": w.directory(),
			"RoleFunction":      w.role(),
		}, nil
	}
}

type wiring struct {
	stack.Parts
	idle time.Duration
}

// store is a function's own store over the table that its environment names.
func (w wiring) store(id string) *dynamo.Store {
	return dynamo.Open(w.DynamoDB, "", w.Environment[id]["TABLE"], time.Now)
}

func (w wiring) deps(store *dynamo.Store) api.Deps {
	return api.Deps{Store: store, Sessions: impersonation.NewSessions(store, w.idle), Log: w.Log, Now: time.Now}
}

func (w wiring) directory() lambda.Handler {
	return directory.New(w.deps(w.store("DirectoryFunction")))
}

func (w wiring) role() lambda.Handler {
	store := w.store("RoleFunction")
	return role.New(w.deps(store), store)
}

// Seed loads a world as the operator's command does.
func Seed(ctx context.Context, parts stack.Parts, w world.World) error {
	_, err := world.Load(ctx, world.Target{
		Table: dynamo.Open(parts.DynamoDB, "", parts.Table, time.Now),
		Pool:  cognito.NewAccounts(parts.Cognito, "", parts.UserPool),
		Now:   time.Now,
	}, w)
	if err != nil {
		return fmt.Errorf("the world could not be loaded: %w", err)
	}
	return nil
}
