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
	permission "gemba/functions/permission/endpoints"
	audit "gemba/functions/persona-audit/endpoints"
	persona "gemba/functions/persona/endpoints"
	role "gemba/functions/role/endpoints"
	timeline "gemba/functions/timeline/endpoints"
	"gemba/infra/local/stack"
	"gemba/infra/organization/world"
	"gemba/shared/api"
	"gemba/shared/cognito"
	"gemba/shared/dynamo"
	"gemba/shared/impersonation"
	people "gemba/shared/persona"
	"gemba/shared/ses"
)

// Handlers builds the handler of every function by its logical id in the
// template. idle is I4's longest pause between two requests of a session.
func Handlers(idle time.Duration) func(stack.Parts) (map[string]lambda.Handler, error) {
	return func(parts stack.Parts) (map[string]lambda.Handler, error) {
		w := wiring{parts, idle}
		return map[string]lambda.Handler{
			"DirectoryFunction":    w.directory(),
			"PersonaFunction":      w.persona(),
			"RoleFunction":         w.role(),
			"PermissionFunction":   w.permission(),
			"TimelineFunction":     w.timeline(),
			"PersonaAuditFunction": w.personaAudit(),
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

func (w wiring) persona() lambda.Handler {
	store := w.store("PersonaFunction")
	return persona.New(w.deps(store), store)
}

func (w wiring) permission() lambda.Handler {
	return permission.New(w.deps(w.store("PermissionFunction")))
}

func (w wiring) timeline() lambda.Handler {
	store := w.store("TimelineFunction")
	return timeline.New(w.deps(store), store)
}

func (w wiring) personaAudit() lambda.Handler {
	const id = "PersonaAuditFunction"
	store, mailer := w.store(id), audit.BySES(w.sender(id))
	return audit.New(people.NewAuditor(store, store, mailer, time.Now), w.Output, w.Log)
}

// sender is a function's own, from the address that its environment names.
func (w wiring) sender(id string) *ses.Sender {
	return ses.NewSender(w.SES, "", w.Environment[id]["SENDER"])
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
