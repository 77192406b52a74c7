package body

import (
	"time"

	"gemba/shared/timeline"
)

// entryBody is an entry as the contract has it. What the operator's command
// did has a subject without an id.
type entryBody struct {
	ID           string          `json:"id"`
	At           time.Time       `json:"at"`
	Type         string          `json:"type"`
	Action       string          `json:"action"`
	Outcome      string          `json:"outcome"`
	Subject      Named           `json:"subject"`
	Impersonator *Named          `json:"impersonator"`
	Target       targetBody      `json:"target"`
	Before       timeline.Values `json:"before"`
	After        timeline.Values `json:"after"`
	Cause        string          `json:"cause,omitempty"`
	RequestID    string          `json:"requestId"`
	Session      string          `json:"session,omitempty"`
}

type targetBody struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Entry is an entry of the timeline (T1).
func Entry(e timeline.Entry) any {
	b := entryBody{
		ID: e.ID, At: e.At.UTC(), Type: e.Type.String(), Action: e.Action, Outcome: "done",
		Subject: Named(e.Subject), Target: targetBody(e.Target), Before: e.Before, After: e.After,
		Cause: e.Cause, RequestID: e.RequestID, Session: e.Session,
	}
	if e.Denied {
		b.Outcome = "denied"
	}
	if e.Impersonator != (timeline.Person{}) {
		impersonator := Named(e.Impersonator)
		b.Impersonator = &impersonator
	}
	return b
}
