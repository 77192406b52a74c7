package endpoints

import (
	"context"

	"gemba/shared/timeline"
)

// receipt hands over what the subject is told of a session's end. The entry of
// the end is written in the transaction that ends the session, so there is one,
// and its time and cause are the session's.
func (f *Function) receipt(ctx context.Context, organization string, e timeline.Entry) error {
	if e.Action != "end" || e.Denied {
		return nil
	}
	session := e.Target.ID
	return f.tell(ctx, "receipt", organization, session, f.notifier.Receipt(ctx, organization, session, f.now()))
}
