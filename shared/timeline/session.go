package timeline

import (
	"context"
	"time"
)

// Acts names what was done in an impersonation: its id, its actor, and when.
type Acts struct {
	Session, Actor string
	From, To       time.Time
}

// InSession is a page of what was done and tried in an impersonation, oldest first
// (I7), with the place to go on after, "" when nothing is left; its own start and
// end are left out. A page that reads much of the actor's to find little is short.
// Nothing is missing of a session that is over: what is written in one holds it to
// last.
func InSession(ctx context.Context, store Store, organization string, a Acts, page Page) ([]Entry, string, error) {
	s := Stretch{Person: a.Actor, From: a.From, To: a.To.Add(skew), Forward: true, Page: page}
	var found []Entry
	for left := budget; ; {
		s.Limit = min(gulp, left)
		part, end, err := store.Entries(ctx, organization, s)
		if err != nil {
			return nil, "", err
		}
		for i, e := range part {
			if !a.has(e) {
				continue
			}
			found = append(found, e)
			if len(found) == page.Limit && (end != "" || i < len(part)-1) {
				return found, e.ID, nil
			}
		}
		left -= len(part)
		if end == "" || left <= 0 {
			return found, end, nil
		}
		s.After = end
	}
}

// has tells whether the entry is of what was done in the session.
func (a Acts) has(e Entry) bool {
	frame := e.Type == Impersonation && e.Target.ID == a.Session
	return e.Session == a.Session && !frame
}
