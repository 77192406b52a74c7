package persona

import (
	"context"
	"maps"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Member is a user and what items are to them: whether one item counts for them,
// and how many do. An item counts for a user while it is no draft and they are on
// its team.
type Member struct {
	User    directory.User
	Counted bool
	Items   int
}

// Enrolled is a member for whom an item begins or ceases to count.
type Enrolled struct{ Before, After Member }

// Engagements is what the Engager needs of storage. Errors: Unavailable;
// fault.IsRaced when what was read is not so any more.
type Engagements interface {
	// People are those of the users that there are, as they are now.
	People(ctx context.Context, organization string, users []string) (map[string]directory.User, error)
	// NoteSeen writes the users' last days and the counts with them.
	NoteSeen(ctx context.Context, organization string, notes []directory.Turned) error
	// Roll is an item, zero when there is none, and the users it counts for.
	Roll(ctx context.Context, organization, item string) (directory.Item, []string, error)
	// Engaged is an item, zero when there is none, and those of the users that
	// there are.
	Engaged(ctx context.Context, organization, item string, users []string) (directory.Item, []Member, error)
	// Enroll writes for whom the item, which is still as it was read, counts, whether
	// they are on a team, and the counts with it.
	Enroll(ctx context.Context, organization, item string, read directory.Item, changes []Enrolled) error
}

// Engager notes who takes part: the days with requests, and the teams of items
// that are no drafts. It is told what may have changed, any number of times and
// in any order, and sees to it that what is noted is what is so now.
type Engager struct{ store Engagements }

// NewEngager is the use case over its store.
func NewEngager(store Engagements) *Engager { return &Engager{store} }

const (
	// mostSeen and mostEnrolled are how many users one transaction of a hundred
	// actions takes: each at most the user, its copy in the directory and a count;
	// in the latter its place in the item and its number of items, too.
	mostSeen     = 20
	mostEnrolled = 15
	// engaging is the time that one transaction may need.
	engaging = 10 * time.Second
)

// Seen notes that the users made requests on these days, and answers those for
// whom that failed, so that one of them does not keep the others. A day that is
// not after the last one noted says nothing new, and neither does a user that
// there is not.
func (e *Engager) Seen(ctx context.Context, organization string, days map[string]directory.Day) map[string]error {
	failed := map[string]error{}
	for users := range slices.Chunk(slices.Sorted(maps.Keys(days)), mostSeen) {
		e.seen(ctx, organization, users, days, failed)
	}
	return failed
}

// seen notes some users' days, and when that fails those of each half.
func (e *Engager) seen(ctx context.Context, organization string, users []string, days map[string]directory.Day, failed map[string]error) {
	err := e.unhurried(ctx, func() error {
		people, err := e.store.People(ctx, organization, users)
		if err != nil {
			return err
		}
		var notes []directory.Turned
		for _, id := range users {
			if before, there := people[id]; there && before.Seen < days[id] {
				after := before
				after.Seen = days[id]
				notes = append(notes, directory.Turned{Before: before, After: after})
			}
		}
		if len(notes) == 0 {
			return nil
		}
		return e.store.NoteSeen(ctx, organization, notes)
	})
	switch half := len(users) / 2; {
	case err == nil:
	case half == 0:
		failed[users[0]] = err
	default:
		e.seen(ctx, organization, users[:half], days, failed)
		e.seen(ctx, organization, users[half:], days, failed)
	}
}

// Item sees to it that an item counts for whom it has to.
//
// It compares the item with the users it counts for, and writes where the two
// differ; each write holds to the very facts, and to the users, that it was
// decided from. So it never writes what is not so. Nor is it wrong to leave
// somebody as they are: the facts that said so were there after the change that
// it was told of, and whatever changes them later is told, too.
func (e *Engager) Item(ctx context.Context, organization, item string) error {
	facts, counted, err := e.store.Roll(ctx, organization, item)
	if err != nil {
		return err
	}
	differ := onTeam(facts)
	for _, id := range counted {
		if differ[id] {
			delete(differ, id)
		} else {
			differ[id] = true
		}
	}
	for users := range slices.Chunk(slices.Sorted(maps.Keys(differ)), mostEnrolled) {
		if err := e.unhurried(ctx, func() error { return e.enroll(ctx, organization, item, users) }); err != nil {
			return err
		}
	}
	return nil
}

// enroll decides anew what the item is to some users, and writes what differs.
func (e *Engager) enroll(ctx context.Context, organization, item string, users []string) error {
	facts, members, err := e.store.Engaged(ctx, organization, item, users)
	if err != nil {
		return err
	}
	team := onTeam(facts)
	var changes []Enrolled
	for _, before := range members {
		if team[before.User.ID] != before.Counted {
			changes = append(changes, Enrolled{before, before.turned()})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return e.store.Enroll(ctx, organization, item, facts, changes)
}

// turned is the member for whom the item counts from now on, or no more.
func (m Member) turned() Member {
	m.Counted = !m.Counted
	if m.Counted {
		m.Items++
	} else {
		m.Items--
	}
	m.User.OnTeam = m.Items > 0
	return m
}

// onTeam are the users that an item counts for: its team, in whatever role,
// unless it is a draft.
func onTeam(i directory.Item) map[string]bool {
	team := map[string]bool{}
	if i.Status == authz.Draft {
		return team
	}
	for _, users := range i.Team {
		for _, id := range users {
			team[id] = true
		}
	}
	return team
}

// unhurried decides and acts, anew when it was overtaken; not without the time to
// end it.
func (e *Engager) unhurried(ctx context.Context, act func() error) error {
	if directory.Late(ctx, engaging) {
		return fault.New(fault.Unavailable, "busy", "")
	}
	return directory.Anew(ctx, act)
}
