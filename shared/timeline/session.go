package timeline

import (
	"context"
	"time"
)

// Acts names what was done in an impersonation: its id, its actor, and when.
type Acts struct {
	Session, Actor string
	From, To       time.Time
	// Shown are those of its entries that whoever reads may know of, as they may
	// know them (T4); nil shows all.
	Shown func([]Entry) ([]Entry, error)
}

// InSession is a page of what was done and tried in an impersonation, oldest first
// (I7), with the place to go on after, "" when nothing is left; its own start and
// end are left out. A page that reads much of the actor's to find little is short.
// Nothing is missing of a session that is over: what is written in one holds it to
// last.
//
// A page is looked past until something else is found that it has no room for: were
// there a place to go on after for what is not shown, it would tell of that (T4).
func InSession(ctx context.Context, store Store, organization string, a Acts, page Page) ([]Entry, string, error) {
	s := Stretch{Person: a.Actor, From: a.From.Add(-skew), To: a.To.Add(skew), Forward: true, Page: page}
	var found []Entry
	for left := budget; ; {
		s.Limit = min(gulp, left)
		part, end, err := store.Entries(ctx, organization, s)
		if err != nil {
			return nil, "", err
		}
		shown, err := a.of(part)
		if err != nil {
			return nil, "", err
		}
		if found = append(found, shown...); len(found) > page.Limit {
			return found[:page.Limit], found[page.Limit-1].ID, nil
		}
		left -= max(len(part), leastRead)
		if end == "" || left <= 0 {
			return found, end, nil
		}
		s.After = end
	}
}

// leastRead is what each reading counts as, however few entries it brought: few are
// read at once where they are large, and so many of those as the budget has entries
// would be more than there is time for.
const leastRead = 50

// of are those of the entries that are of what was done in the session, as far as
// they are shown.
func (a Acts) of(entries []Entry) ([]Entry, error) {
	var own []Entry
	for _, e := range entries {
		if a.has(e) {
			own = append(own, e)
		}
	}
	if a.Shown == nil || len(own) == 0 {
		return own, nil
	}
	return a.Shown(own)
}

// has tells whether the entry is of what was done in the session.
func (a Acts) has(e Entry) bool {
	frame := e.Type == Impersonation && e.Target.ID == a.Session
	return e.Session == a.Session && !frame
}
