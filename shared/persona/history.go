package persona

import (
	"context"
	"maps"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Relabelling is a change of somebody's persona, as the timeline has it. By is on
// whose behalf it was made, Impersonator who did it in their name (I7), zero without
// one and where the caller may not know of it (T4). Both have the names of then; what
// no user did has no id.
type Relabelling struct {
	ID               string
	At               time.Time
	From, To         directory.Persona
	By, Impersonator timeline.Person
}

// History is a page of the changes of a user's persona, newest first, with the
// place to go on after, "" when nothing is left. A page may be short, even empty,
// and still have one: what else happened around the user is read past (T2). What
// was only tried is not among them. Errors: those of timeline.List and of reading the
// caller again.
func (s *Service) History(ctx context.Context, c directory.Caller, user string, page directory.Page) ([]Relabelling, string, error) {
	q := timeline.Query{Type: timeline.Persona, Person: user, Target: timeline.Target{Type: "user", ID: user}, Done: true}
	entries, end, err := timeline.List(ctx, s.store, c.Organization.ID, c.Organization.Created, c.At, q, timeline.Page(page))
	if err != nil {
		return nil, "", err
	}
	changes := make([]Relabelling, len(entries))
	for i, e := range entries {
		changes[i] = Relabelling{ID: e.ID, At: e.At, From: labelOf(e.Before), To: labelOf(e.After), By: e.Subject, Impersonator: e.Impersonator}
	}
	return changes, end, discreet(ctx, c, changes)
}

// discreet leaves out who acted as somebody where the caller would not be told of
// their sessions either: that somebody acted as another is for the two of them, for
// who administers the one who acted, and for system administrators.
func discreet(ctx context.Context, c directory.Caller, changes []Relabelling) error {
	if c.Decide(authz.AdministerSystem, c.OrganizationTarget()).Allowed {
		return nil
	}
	hidden := map[string][]int{}
	for i, r := range changes {
		if actor := r.Impersonator.ID; actor != "" && c.Subject.ID != actor && c.Subject.ID != r.By.ID {
			hidden[actor] = append(hidden[actor], i)
		}
	}
	for actors := range slices.Chunk(slices.Sorted(maps.Keys(hidden)), mostActors) {
		now, err := c.Again(ctx, directory.Keys{Users: actors})
		if err != nil {
			return err
		}
		for _, actor := range actors {
			if now.Knows(now.UserTarget(actor)) {
				continue
			}
			for _, i := range hidden[actor] {
				changes[i].Impersonator = timeline.Person{}
			}
		}
	}
	return nil
}

// mostActors is how many users are read at once, beside the caller.
const mostActors = 50

// labelOf is the persona that an entry tells of.
func labelOf(v timeline.Values) directory.Persona {
	word, _ := v[personaMember].(string)
	p, _ := directory.ParsePersona(word)
	return p
}
