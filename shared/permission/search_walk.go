package permission

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// walk is a page on its way through the candidates.
type walk struct {
	store  Store
	search Search
	caller directory.Caller
	limit  int
	found  Found
	budget budget
	lists  directory.Reader
	// another: one more than fits is allowed, so there is a next page.
	another bool
	// place is the last candidate looked at. It is beyond found.Next when a full
	// page is looked past: what is only looked at there is not for a token to tell
	// (T4).
	place string
}

// run chooses the lists and goes through them, anew whenever they turn out to
// rest on what has changed.
func (w *walk) run(ctx context.Context) error {
	for {
		c := w.choose()
		w.found.More = !c.Empty()
		if !w.found.More {
			return nil
		}
		rechoose, err := w.through(ctx, c)
		if err != nil || !rechoose {
			return err
		}
		if w.budget.choices--; w.spent(ctx) {
			return nil
		}
	}
}

// through goes through the candidates, round by round, until one more than fits
// is found, the budget spent or the end reached; true when the lists are to be
// chosen anew.
func (w *walk) through(ctx context.Context, c *directory.Candidates) (bool, error) {
	for {
		ids, err := c.Next(ctx, &w.lists)
		if err != nil {
			return false, err
		}
		for part := range slices.Chunk(ids, chunk) {
			changed, err := w.decide(ctx, part)
			if err != nil || changed {
				return changed, err
			}
			if w.another || w.spent(ctx) && w.place != ids[len(ids)-1] {
				return false, nil
			}
		}
		w.found.More = !c.Ended()
		if !w.found.More || w.spent(ctx) {
			return false, nil
		}
		c.GoOn(w.place)
	}
}

// spent is whether the page has to end here.
func (w *walk) spent(ctx context.Context) bool {
	return w.lists.Queries >= mostQueries || w.budget.spent(ctx)
}

func (w *walk) full() bool { return len(w.found.Results) >= w.limit }

// decide reads candidates and decides on each by what was read with them
// (C11), up to the first that the next page begins with; true when the lists
// rested on something else, and nothing was decided.
func (w *walk) decide(ctx context.Context, part []string) (changed bool, err error) {
	keys := w.fixed()
	if w.search.ofUsers() {
		keys.Users = append(keys.Users, part...)
	} else {
		keys.Items = append(keys.Items, part...)
	}
	facts, err := w.store.Load(ctx, w.caller.Organization.ID, keys)
	if err != nil {
		return false, err
	}
	w.budget.candidates -= len(part)
	before := w.caller.Facts
	w.caller.Facts = facts
	w.caller.Subject, w.caller.Actor = facts.Users[w.caller.Subject.ID], facts.Users[w.caller.Actor.ID]
	if !w.rests(before) {
		return true, w.overtaken(before)
	}
	asker := newAsker(w.caller)
	for _, id := range part {
		if asker.answer(w.search.with(id)).Allowed {
			if w.another = w.full(); w.another {
				break
			}
			w.found.Results = append(w.found.Results, id)
			w.found.Next = id
		}
		w.place = id
		if !w.full() {
			w.found.Next = id
		}
	}
	return false, nil
}

// overtaken is that who asks may not be whom the request was let in for: their
// session may have lost what it needs (I5), their sign-in be out of use. That is
// for the request to find, which is then decided anew.
func (w *walk) overtaken(before directory.Facts) error {
	now, subject, actor := w.caller.Facts, w.caller.Subject.ID, w.caller.Actor.ID
	same := now.Users[subject].Version == before.Users[subject].Version && now.Users[actor].Version == before.Users[actor].Version
	if same && w.caller.Session == "" {
		return nil
	}
	return fault.New(fault.Conflict, fault.Raced, "Who asks has changed meanwhile.")
}

// fixed is what is read with all candidates: the caller, and the rest of the
// question.
func (w *walk) fixed() directory.Keys {
	keys := w.search.Needs()
	keys.Users = append(keys.Users, w.caller.Subject.ID, w.caller.Actor.ID)
	return keys
}

// ofUsers is whether the candidates are users; else they are items.
func (s Search) ofUsers() bool {
	kind, _ := authz.ParseResourceType(s.Resource.Type)
	return s.For == Subjects || kind == authz.UserResource
}

// rests is whether what the lists were chosen by is as it was.
func (w *walk) rests(before directory.Facts) bool {
	now, keys := w.caller.Facts, w.fixed()
	same := now.Policy == before.Policy
	for _, id := range keys.Users {
		same = same && now.Users[id].Version == before.Users[id].Version
	}
	for _, id := range keys.Items {
		same = same && now.Items[id].Version == before.Items[id].Version
	}
	return same
}
