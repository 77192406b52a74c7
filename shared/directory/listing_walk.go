package directory

import (
	"context"
	"slices"
	"time"

	"gemba/shared/fault"
)

const (
	// mostUnits is what a page may spend before it ends: what DynamoDB counts for
	// 4 MB.
	mostUnits = 1000
	// leastStep is how many users are read at least, as they cost hardly more than
	// one; mostStep bounds those of one reading of the directory, mostBatch those
	// that are read one by one: with caller and policy version a batch of a
	// hundred keys.
	leastStep = 25
	mostStep  = 1000
	mostBatch = 95
	// widening is how much more is read each time that too little was found.
	widening = 4
	// spare is what a page leaves of the request's time.
	spare = 3 * time.Second
)

// listing is which users a list shows, and whom it could.
type listing struct {
	passes func(User) bool
	reach  reach
}

// list is the page of a list. Lists that are merged lose nobody but who moves
// from one to another while they are read: when somebody does, or just did, it
// is the directory that is gone through.
func (l *Listings) list(ctx context.Context, c Caller, f Filter, page Page, in listing) (Listed, error) {
	p := f.plan(c.Model, in.reach)
	if p.nowhere {
		return Listed{}, nil
	}
	if p.moving {
		found, whole, err := l.unmoved(ctx, c, p, page, in)
		if err != nil || whole {
			return found, err
		}
		p.lists = nil
	}
	return l.walk(ctx, c, p.lists, page, in)
}

// unmoved is the page by lists between which nobody moved meanwhile; false when
// somebody may have.
func (l *Listings) unmoved(ctx context.Context, c Caller, p plan, page Page, in listing) (Listed, bool, error) {
	before, young, err := l.store.Moves(ctx, c.Organization.ID)
	if err != nil || young {
		return Listed{}, false, err
	}
	found, err := l.walk(ctx, c, p.lists, page, in)
	if err != nil {
		return Listed{}, false, err
	}
	after, _, err := l.store.Moves(ctx, c.Organization.ID)
	return found, after == before, err
}

// walk is the page of those who pass, out of lists or else the directory. It is
// decided by the policy and the caller of one moment each: when they changed
// while users were read, the request is decided anew (C11).
func (l *Listings) walk(ctx context.Context, c Caller, lists *Candidates, page Page, in listing) (Listed, error) {
	w := &walk{store: l.store, caller: c, passes: in.passes, limit: page.Limit, place: page.After, found: Listed{Next: page.After}}
	ctx, w.units = l.store.Spending(ctx)
	if lists != nil {
		err := w.run(ctx, w.among(lists))
		return w.found, err
	}
	err := w.run(ctx, w.throughDirectory)
	if err == nil {
		_, err = w.load(ctx, nil)
	}
	return w.found, err
}

// walk is a page on its way through users in the order of their ids.
type walk struct {
	store  ListingStore
	caller Caller
	passes func(User) bool
	limit  int
	units  func() float64
	found  Listed
	// place is the last user looked at. It is beyond found.Next when a full page
	// is looked past: what is only looked at there is not for a page to tell (T4).
	place string
}

// step is one reading of at most so many of the users that follow the walk's
// place. With ended there are no more.
type step func(ctx context.Context, want int) (users []User, ended bool, err error)

// run goes through users until one more than fits is found, the budget is spent
// or the end reached.
func (w *walk) run(ctx context.Context, next step) error {
	for want := max(leastStep, w.limit+1); ; want = min(want*widening, mostStep) {
		users, ended, err := next(ctx, want)
		if err != nil {
			return err
		}
		another := w.look(users)
		w.found.More = another || !ended
		if another || ended || w.spent(ctx) {
			return nil
		}
	}
}

// spent is whether the page has to end here.
func (w *walk) spent(ctx context.Context) bool {
	return w.units() >= mostUnits || Late(ctx, spare)
}

// look takes those who pass; true when there is one more than fits.
func (w *walk) look(users []User) bool {
	for _, u := range users {
		full, passes := len(w.found.Users) == w.limit, w.passes(u)
		if full && passes {
			return true
		}
		if passes {
			w.found.Users = append(w.found.Users, u)
		}
		w.place = u.ID
		if !full {
			w.found.Next = u.ID
		}
	}
	return false
}

// throughDirectory is the users that follow in the directory.
func (w *walk) throughDirectory(ctx context.Context, want int) ([]User, bool, error) {
	users, more, err := w.store.Directory(ctx, w.caller.Organization.ID, Page{Limit: want, After: w.place})
	return users, !more, err
}

// among is the users that follow in lists.
func (w *walk) among(lists *Candidates) step {
	reader := &Reader{Store: w.store, Organization: w.caller.Organization.ID}
	at, ahead := w.place, []string(nil)
	return func(ctx context.Context, want int) ([]User, bool, error) {
		if len(ahead) == 0 {
			var err error
			lists.GoOn(at)
			if ahead, err = lists.Next(ctx, reader); err != nil {
				return nil, false, err
			}
		}
		ids := ahead[:min(len(ahead), want, mostBatch)]
		ahead = ahead[len(ids):]
		if len(ids) == 0 {
			return nil, true, nil
		}
		at = ids[len(ids)-1]
		users, err := w.load(ctx, ids)
		return users, len(ahead) == 0 && lists.Ended(), err
	}
}

// load is the users with these ids, read with caller and policy; raced when
// those are not what the request was let in by (C11, I5).
func (w *walk) load(ctx context.Context, ids []string) ([]User, error) {
	subject, actor := w.caller.Subject, w.caller.Actor
	facts, err := w.store.Load(ctx, w.caller.Organization.ID, Keys{Users: slices.Concat([]string{subject.ID, actor.ID}, ids)})
	if err != nil {
		return nil, err
	}
	same := facts.Users[subject.ID].Version == subject.Version && facts.Users[actor.ID].Version == actor.Version
	if !same || facts.Policy != w.caller.Policy {
		return nil, fault.New(fault.Conflict, fault.Raced, "Who asks, or what they may, has changed meanwhile.")
	}
	var users []User
	for _, id := range ids {
		if u, there := facts.Users[id]; there {
			users = append(users, u)
		}
	}
	return users, nil
}
