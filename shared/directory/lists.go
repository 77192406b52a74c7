package directory

import (
	"context"
	"maps"
	"slices"
	"sync"

	"gemba/shared/authz"
)

// ListKind is what a list is of.
type ListKind uint8

// The lists that storage keeps.
const (
	RoleMembers   ListKind = iota // users who hold Role
	LocationUsers                 // users who have the location
	Everybody                     // all users
	LocationItems                 // items at the location
	TemplateItems                 // items of the template
	TeamItems                     // items with the user on the team
	ListKindCount
)

// List is a list of ids in their order. It may name what has moved on since.
type List struct {
	Of   ListKind
	Role authz.RoleRef
	ID   string
}

// Lister reads lists.
type Lister interface {
	// Listed is a page of a list's ids, and whether more follow.
	Listed(ctx context.Context, organization string, l List, page Page) (ids []string, more bool, err error)
}

// Reader reads an organization's lists, and counts its queries.
type Reader struct {
	Store        Lister
	Organization string
	Queries      int
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

// Union is lists of which one suffices.
type Union []*stream

// Given is a list that is all there, sorted; none when it is empty.
func Given(ids []string) Union {
	if len(ids) == 0 {
		return nil
	}
	return Union{{ids: slices.Clone(ids)}}
}

// Lists are lists to be read.
func Lists(lists ...List) Union {
	var u Union
	for _, l := range lists {
		u = append(u, &stream{list: &l, more: true})
	}
	return u
}

// horizon is the last id up to which all lists of the union have been read.
func (u Union) horizon() string {
	h := beyond
	for _, s := range u {
		if s.more {
			h = min(h, s.ids[len(s.ids)-1])
		}
	}
	return h
}

// upTo adds the union's ids up to one.
func (u Union) upTo(last string, ids map[string]bool) {
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
func (u Union) goOn(place string) {
	for _, s := range u {
		s.ids = slices.DeleteFunc(s.ids, func(id string) bool { return id <= place })
		s.after = max(s.after, place)
	}
}

// Candidates are all who may be found: in a list that suffices alone, or in one
// of each side of both. The first side has no more lists than the second.
type Candidates struct {
	Alone Union
	Both  [2]Union
}

// Crossing is candidates in a list that suffices alone, or in one of each side.
// A side of more than so many lists is left out: the other says enough.
func Crossing(alone, one, other Union, most int) *Candidates {
	if len(other) < len(one) {
		one, other = other, one
	}
	switch {
	case len(one) == 0:
		return &Candidates{Alone: alone}
	case len(other) > most:
		return &Candidates{Alone: append(alone, one...)}
	default:
		return &Candidates{Alone: alone, Both: [2]Union{one, other}}
	}
}

// Empty is whether there are no lists.
func (c *Candidates) Empty() bool { return len(c.Alone)+len(c.Both[0]) == 0 }

// GoOn goes on after a place.
func (c *Candidates) GoOn(place string) {
	for _, u := range []Union{c.Alone, c.Both[0], c.Both[1]} {
		u.goOn(place)
	}
}

// Next is the candidates of one round, in order: as far as all lists have been
// read. Of two sides that must both be met, the one that reaches farther with
// what was read stands for both: it has fewer ids ahead. The side of fewer
// lists is read first, and alone when that leads to its end.
func (c *Candidates) Next(ctx context.Context, r *Reader) ([]string, error) {
	if err := r.fill(ctx, slices.Concat(c.Alone, c.Both[0])); err != nil {
		return nil, err
	}
	if c.Both[0].horizon() != beyond {
		if err := r.fill(ctx, c.Both[1]); err != nil {
			return nil, err
		}
	}
	last, side := c.horizon()
	ids := map[string]bool{}
	c.Alone.upTo(last, ids)
	side.upTo(last, ids)
	return slices.Sorted(maps.Keys(ids)), nil
}

// horizon is how far the candidates are known, and the side that tells so far.
func (c *Candidates) horizon() (last string, side Union) {
	side, far := c.Both[0], c.Both[0].horizon()
	if far != beyond {
		if other := c.Both[1].horizon(); other > far {
			side, far = c.Both[1], other
		}
	}
	return min(c.Alone.horizon(), far), side
}

// Ended is whether no list has more than what was read.
func (c *Candidates) Ended() bool {
	last, _ := c.horizon()
	return last == beyond
}

const (
	// listPage is how many ids of a list are read at once.
	listPage = 100
	// abreast is how many lists are read at the same time.
	abreast = 16
)

// fill reads on those lists of which nothing is left, a few at a time.
func (r *Reader) fill(ctx context.Context, streams []*stream) error {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, abreast)
		failed = make([]error, len(streams))
	)
	for i, s := range streams {
		if !s.more || len(s.ids) > 0 {
			continue
		}
		r.Queries++
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			failed[i] = s.read(ctx, r)
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
func (s *stream) read(ctx context.Context, r *Reader) error {
	var err error
	s.ids, s.more, err = r.Store.Listed(ctx, r.Organization, *s.list, Page{Limit: listPage, After: s.after})
	s.more = s.more && len(s.ids) > 0
	if len(s.ids) > 0 {
		s.after = s.ids[len(s.ids)-1]
	}
	return err
}
