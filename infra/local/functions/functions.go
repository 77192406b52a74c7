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

	directoryfn "gemba/functions/directory/endpoints"
	impersonationfn "gemba/functions/impersonation/endpoints"
	notifierfn "gemba/functions/notifier/endpoints"
	permissionfn "gemba/functions/permission/endpoints"
	auditfn "gemba/functions/persona-audit/endpoints"
	personafn "gemba/functions/persona/endpoints"
	projectionfn "gemba/functions/projection/endpoints"
	rolefn "gemba/functions/role/endpoints"
	timelinefn "gemba/functions/timeline/endpoints"
	"gemba/infra/local/stack"
	"gemba/infra/organization/world"
	"gemba/shared/api"
	"gemba/shared/cognito"
	"gemba/shared/dynamo"
	"gemba/shared/impersonation"
	invoking "gemba/shared/lambda"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/ses"
	"gemba/shared/timeline"
)

// Handlers builds the handler of every function by its logical id in the
// template. idle is I4's longest pause between two requests of a session, now the
// functions' clock.
func Handlers(idle time.Duration, now func() time.Time) func(stack.Parts) (map[string]lambda.Handler, error) {
	return func(parts stack.Parts) (map[string]lambda.Handler, error) {
		w := wiring{parts, idle, now}
		return map[string]lambda.Handler{
			"DirectoryFunction":     w.directory("DirectoryFunction"),
			"PersonaFunction":       w.persona("PersonaFunction"),
			"RoleFunction":          w.role("RoleFunction"),
			"PermissionFunction":    w.permission("PermissionFunction"),
			"ImpersonationFunction": w.impersonation("ImpersonationFunction"),
			"TimelineFunction":      w.timeline("TimelineFunction"),
			"PersonaAuditFunction":  w.personaAudit("PersonaAuditFunction"),
			"NotifierFunction":      w.notifier("NotifierFunction"),
			"ProjectionFunction":    w.projection("ProjectionFunction"),
		}, nil
	}
}

type wiring struct {
	stack.Parts
	idle time.Duration
	now  func() time.Time
}

// store is a function's own store over the table that its environment names.
func (w wiring) store(id string) *dynamo.Store {
	return dynamo.Open(w.DynamoDB, "", w.Environment[id]["TABLE"], w.now)
}

// sender is a function's own, from the address that its environment names.
func (w wiring) sender(id string) *ses.Sender {
	return ses.NewSender(w.SES, "", w.Environment[id]["SENDER"])
}

func (w wiring) sessions(store *dynamo.Store) *impersonation.Sessions {
	return impersonation.NewSessions(store, w.idle)
}

func (w wiring) deps(store *dynamo.Store) api.Deps {
	return api.Deps{
		Store: store, Sessions: w.sessions(store), MarkSeen: store.MarkSeen, Log: w.Log, Metrics: w.Output, Now: w.now,
	}
}

func (w wiring) directory(id string) lambda.Handler {
	store := w.store(id)
	return directoryfn.New(w.deps(store), store, cognito.NewAccounts(w.Cognito, "", w.Environment[id]["USER_POOL_ID"]))
}

func (w wiring) persona(id string) lambda.Handler {
	store := w.store(id)
	return personafn.New(w.deps(store), store)
}

func (w wiring) role(id string) lambda.Handler {
	store := w.store(id)
	return rolefn.New(w.deps(store), store)
}

func (w wiring) permission(id string) lambda.Handler {
	store := w.store(id)
	return permissionfn.New(w.deps(store), store)
}

func (w wiring) impersonation(id string) lambda.Handler {
	store := w.store(id)
	prover := cognito.NewProver(w.Cognito, "", w.Environment[id]["USER_POOL_CLIENT_ID"])
	return impersonationfn.New(w.deps(store), impersonation.NewService(store, w.sessions(store), prover))
}

func (w wiring) timeline(id string) lambda.Handler {
	store := w.store(id)
	return timelinefn.New(w.deps(store), store)
}

func (w wiring) personaAudit(id string) lambda.Handler {
	store, mailer := w.store(id), ses.Mailer[persona.Letter]{Sender: w.sender(id)}
	return auditfn.New(auditfn.Deps{
		Organizations: store,
		Auditor:       persona.NewAuditor(store, store, mailer, w.now),
		Sweeper:       role.NewSweeper(store, w.now),
		Watcher:       persona.NewWatch(persona.NewReconciler(store), store, w.now),
		Relay:         invoking.NewInvoker(w.Lambda, "", id),
		Metrics:       w.Output,
		Log:           w.Log,
	})
}

func (w wiring) notifier(id string) lambda.Handler {
	store, mailer := w.store(id), ses.Mailer[impersonation.Letter]{Sender: w.sender(id)}
	return notifierfn.New(impersonation.NewNotifier(store, w.sessions(store), mailer), w.Output, w.Log, w.now)
}

func (w wiring) projection(id string) lambda.Handler {
	store := w.store(id)
	return projectionfn.New(persona.NewEngager(store), timeline.NewSealer(store, w.now), w.Log, w.Output, w.now)
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
