package permission

import (
	"context"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// Searched is the part of a question that is left open.
type Searched uint8

// The searches.
const (
	Subjects Searched = iota
	Resources
	Actions
)

// Search is a question with one part left open: the subject's id, the
// resource's id, or the action.
type Search struct {
	For Searched
	Question
}

// Found is a page of results: ids of subjects or resources, or words of
// actions. With More the search goes on after Next; without, this was all.
type Found struct {
	Results []string
	Next    string
	More    bool
}

// Store is what a search reads.
type Store interface {
	// Load reads users and items with the policy of the same moment (C11).
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	directory.Lister
}

// Needs is what must be read to begin the search.
func (s Search) Needs() directory.Keys {
	keys := Needs([]Question{s.Question})
	nobody := func(id string) bool { return id == "" }
	keys.Users = slices.DeleteFunc(keys.Users, nobody)
	keys.Items = slices.DeleteFunc(keys.Items, nobody)
	return keys
}

// Find is the page of results after a place, by what was read for the caller
// (Needs) and by what it reads itself. A page of none says only whether
// anything follows.
func (s Search) Find(ctx context.Context, store Store, c directory.Caller, page directory.Page) (Found, error) {
	if s.For == Actions {
		return s.actions(c, page), nil
	}
	w := &walk{store: store, search: s, caller: c, found: Found{Next: page.After}, place: page.After, limit: page.Limit, budget: budget{mostCandidates, mostChoices}}
	w.lists = directory.Reader{Store: store, Organization: c.Organization.ID}
	err := w.run(ctx)
	return w.found, err
}

// with is the question about one candidate.
func (s Search) with(candidate string) Question {
	q := s.Question
	switch s.For {
	case Subjects:
		q.Subject.ID = candidate
	case Resources:
		q.Resource.ID = candidate
	default:
		q.Action = candidate
	}
	return q
}

// actions is the page of actions after a place, all decided by one reading.
func (s Search) actions(c directory.Caller, page directory.Page) Found {
	var found Found
	asker, on := newAsker(c), s.actionsOn()
	start := 1 + slices.IndexFunc(on, func(a authz.Action) bool { return a.String() == page.After })
	for _, a := range on[start:] {
		if !asker.answer(s.with(a.String())).Allowed {
			continue
		}
		if len(found.Results) == page.Limit {
			found.More = true
			break
		}
		found.Results = append(found.Results, a.String())
		found.Next = a.String()
	}
	if len(found.Results) == 0 {
		found.Next = page.After
	}
	return found
}

// actionsOn are the actions that the question can be asked of: of an item's
// facts without a status, participate alone (C8). Giving a role that it does
// not name is allowed to nobody (C7).
func (s Search) actionsOn() []authz.Action {
	kind, _ := authz.ParseResourceType(s.Resource.Type)
	if facts := s.Resource.Facts; facts != nil && facts.Status == authz.NoStatus {
		return []authz.Action{authz.DoParticipate}
	}
	return authz.ActionsOn(kind)
}

const (
	// mostLists bounds the lists of one kind that are read side by side.
	mostLists = 256
	// chunk is how many candidates are read at once: with caller, actor, policy
	// version and the rest of the question one batch of a hundred keys.
	chunk = 95
	// mostCandidates and mostQueries are a page's budget.
	mostCandidates = 1900
	mostQueries    = 600
	// spare is what a page leaves of the request's time.
	spare = 3 * time.Second
	// mostChoices bounds how often a page chooses its lists anew.
	mostChoices = 4
)

// budget is what a page may still read.
type budget struct{ candidates, choices int }

// spent is whether all of it was used.
func (b budget) spent(ctx context.Context) bool {
	return directory.Late(ctx, spare) || b.candidates <= 0 || b.choices <= 0
}
