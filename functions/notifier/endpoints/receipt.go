package endpoints

import (
	"context"

	"gemba/shared/timeline"
)

// receipt hands over what the subject is told of a session's end.
func (f *Function) receipt(_ context.Context, _ string, _ timeline.Entry) error { return nil }
