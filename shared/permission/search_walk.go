package permission

import (
	"context"
	"maps"
	"slices"
	"sync"

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
		w.found.More = !c.empty()
		if !w.found.More {
			return nil
		}
		rechoose, err := w.through(ctx, c)
		if err != nil || !rechoose {
			return err
		}
		if w.budget.choices--; w.budget.spent() {
			return nil
		}
	}
}

// through goes through the candidates, round by round, until one more than fits
// is found, the budget spent or the end reached; true when the lists are to be
// chosen anew.
func (w *walk) through(ctx context.Context, c *candidates) (bool, error) {
	for {
		ids, err := c.next(ctx, w)
		if err != nil {
			return false, err
		}
		for part := range slices.Chunk(ids, chunk) {
			changed, err := w.decide(ctx, part)
			if err != nil || changed {
				return changed, err
			}
			if w.another || w.budget.spent() && w.place != ids[len(ids)-1] {
				return false, nil
			}
		}
		w.found.More = !c.ended()
		if !w.found.More || w.budget.spent() {
			return false, nil
		}
		c.goOn(w.place)
	}
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

// beyond comes after every id in their order.
const beyond = "~"

// stream is one list being read: a buffer of ids, and whether more follow it.
type stream struct {
	list  *List // nil: all of it was given
	ids   []string
	after string
	more  bool
}

// given is a list that is all there, sorted; none when it is empty.
func given(ids []string) union {
	if len(ids) == 0 {
		return nil
	}
	return union{{ids: slices.Clone(ids)}}
}

// listed are lists to be read.
func listed(lists ...List) union {
	var u union
	for _, l := range lists {
		u = append(u, &stream{list: &l, more: true})
	}
	return u
}

// union is lists of which one suffices.
type union []*stream

// horizon is the last id up to which all lists of the union have been read.
func (u union) horizon() string {
	h := beyond
	for _, s := range u {
		if s.more {
			h = min(h, s.ids[len(s.ids)-1])
		}
	}
	return h
}

// upTo adds the union's ids up to one.
func (u union) upTo(last string, ids map[string]bool) {
	for _, s := range u {
		for _, id := range s.ids {
			if id <= last {
				ids[id] = true
			}
		}
	}
}

// goOn drops the ids up to a place; a list whose buffer that empties is read on
// from there.
func (u union) goOn(place string) {
	for _, s := range u {
		s.ids = slices.DeleteFunc(s.ids, func(id string) bool { return id <= place })
		s.after = max(s.after, place)
	}
}

// candidates are all who may be found: in a list that suffices alone, or in one
// of each side of both. The first side has no more lists than the second.
type candidates struct {
	alone union
	both  [2]union
}

func (c *candidates) empty() bool { return len(c.alone)+len(c.both[0]) == 0 }

func (c *candidates) goOn(place string) {
	for _, u := range []union{c.alone, c.both[0], c.both[1]} {
		u.goOn(place)
	}
}

// next is the candidates of one round, in order: as far as all lists have been
// read. Of two sides that must both be met, the one that reaches farther with
// what was read stands for both: it has fewer ids ahead. The side of fewer
// lists is read first, and alone when that leads to its end.
func (c *candidates) next(ctx context.Context, w *walk) ([]string, error) {
	if err := w.fill(ctx, slices.Concat(c.alone, c.both[0])); err != nil {
		return nil, err
	}
	if c.both[0].horizon() != beyond {
		if err := w.fill(ctx, c.both[1]); err != nil {
			return nil, err
		}
	}
	last, side := c.horizon()
	ids := map[string]bool{}
	c.alone.upTo(last, ids)
	side.upTo(last, ids)
	return slices.Sorted(maps.Keys(ids)), nil
}

// horizon is how far the candidates are known, and the side that tells so far.
func (c *candidates) horizon() (last string, side union) {
	side, far := c.both[0], c.both[0].horizon()
	if far != beyond {
		if other := c.both[1].horizon(); other > far {
			side, far = c.both[1], other
		}
	}
	return min(c.alone.horizon(), far), side
}

// ended is whether no list has more than what was read.
func (c *candidates) ended() bool {
	last, _ := c.horizon()
	return last == beyond
}

// abreast is how many lists are read at the same time.
const abreast = 16

// fill reads on those lists of which nothing is left, a few at a time.
func (w *walk) fill(ctx context.Context, streams []*stream) error {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, abreast)
		failed = make([]error, len(streams))
	)
	for i, s := range streams {
		if !s.more || len(s.ids) > 0 {
			continue
		}
		w.budget.queries--
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			failed[i] = s.read(ctx, w)
		})
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// read is the next page of the list.
func (s *stream) read(ctx context.Context, w *walk) error {
	var err error
	s.ids, s.more, err = w.store.Listed(ctx, w.caller.Organization.ID, *s.list, directory.Page{Limit: listPage, After: s.after})
	s.more = s.more && len(s.ids) > 0
	if len(s.ids) > 0 {
		s.after = s.ids[len(s.ids)-1]
	}
	return err
}
