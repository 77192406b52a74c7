package dynamo

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// SetCounts are all counters, each as it was at a moment of its own.
func (s *Store) SetCounts(ctx context.Context, organization string) ([]persona.SetCount, error) {
	found, err := s.counters(ctx, organization)
	if err != nil {
		return nil, err
	}
	counts := make([]persona.SetCount, 0, len(found))
	for _, item := range found {
		c, err := s.setCount(item)
		if err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// setCount is a counter with its version, and whether it is young.
func (s *Store) setCount(item attributes) (persona.SetCount, error) {
	p, err := populationOf(item)
	at, says := writtenAt(item)
	young := !says || at.After(s.now().Add(-youngAge))
	return persona.SetCount{Population: p, Version: uint64(number(item["v"])), Young: young}, err
}

// SetCountsOf are the counters of these sets, in their order, read when no write
// to them is under way; of a set without one, version 0.
func (s *Store) SetCountsOf(ctx context.Context, organization string, sets [][]string) ([]persona.SetCount, error) {
	keys := make([]key, len(sets))
	for i, set := range sets {
		keys[i] = countKey(organization, set)
	}
	found, err := s.transactGets(ctx, keys)
	if err != nil {
		return nil, err
	}
	counts := make([]persona.SetCount, len(sets))
	for i, k := range keys {
		counts[i].Locations = sets[i]
		if item, there := found[k]; there {
			if counts[i], err = s.setCount(item); err != nil {
				return nil, err
			}
		}
	}
	return counts, nil
}

// whatCounts is the attributes of a user that counters depend on.
var whatCounts = []string{"id", "type", "persona", "locations", "seen", "onTeam"}

// Everybody hands over all users, page by page, each as they were at a moment of
// their own, with what counts of them alone. A page is a megabyte of the
// directory; the next is read while one is looked at.
func (s *Store) Everybody(ctx context.Context, organization string, see func([]directory.User) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages := make(chan directoryPart, 1)
	go s.walkDirectory(ctx, organization, pages)
	for part := range pages {
		if part.err != nil {
			return part.err
		}
		users := make([]directory.User, 0, len(part.items))
		for _, item := range part.items {
			if err := collect(item, &users, userItem.user); err != nil {
				return err
			}
		}
		if err := see(users); err != nil {
			return err
		}
	}
	return nil
}

// directoryPart is a page of the directory, or why there is none.
type directoryPart struct {
	items []attributes
	err   error
}

// walkDirectory sends the directory's pages until its end, a failure, or nobody
// wants more.
func (s *Store) walkDirectory(ctx context.Context, o string, pages chan<- directoryPart) {
	defer close(pages)
	q := directorySpan(o)
	q.once, q.only = true, whatCounts
	for {
		items, end, err := s.query(ctx, q)
		select {
		case pages <- directoryPart{items, err}:
		case <-ctx.Done():
			return
		}
		if err != nil || end == "" {
			return
		}
		q.after = end
	}
}

// UsersAt are the users at a location, each as they were at a moment of their own.
func (s *Store) UsersAt(ctx context.Context, organization, location string) ([]directory.User, error) {
	items, _, err := s.query(ctx, listSpan(organization, directory.List{Of: directory.LocationUsers, ID: location}))
	if err != nil {
		return nil, err
	}
	keys := make([]key, len(items))
	for i, id := range namedIDs(items) {
		keys[i] = userKey(organization, id)
	}
	found, err := s.batchesGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var users []directory.User
	for _, item := range found {
		if err := collect(item, &users, userItem.user); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// Mend makes counters what was found, all or none, with its entry: raced when one
// of them has not the version that it had.
func (s *Store) Mend(ctx context.Context, basis directory.Basis, wrong []persona.Strayed, e timeline.Entry) error {
	t := s.begin()
	for _, w := range wrong {
		u := expression.Set(expression.Name("set"), expression.Value(w.Count.Locations)).
			Add(expression.Name("v"), expression.Value(1))
		for _, d := range w.Drifts {
			u = u.Set(expression.Name(numberName(d.Number)), expression.Value(d.Found))
		}
		t.update(countKey(basis.Organization, w.Count.Locations), u, versionIs(w.Count.Version), raced())
	}
	t.record(basis.Organization, e)
	t.rest(basis)
	return t.commit(ctx)
}

// numberName is the attribute of a counter's number.
func numberName(n persona.Number) string {
	switch n.Measure {
	case persona.OnTeam:
		return teamName(n.Persona)
	case persona.Active:
		return seenName(n.Day, n.Persona)
	}
	return persona.Word(n.Persona)
}

const (
	// forgetAfter is how long a day stays beyond keptDays, so that a counter is
	// written once a week for it and not each day.
	forgetAfter = 7
	// mostForgotten bounds the days that one write takes.
	mostForgotten = 60
)

// Forget takes from counters the days that are counted no more, when a week of
// them has come together, and tells from how many. It changes no version, and
// leaves a counter that changed meanwhile.
func (s *Store) Forget(ctx context.Context, organization string, counts []persona.SetCount) (int, error) {
	today := directory.DayOf(s.now())
	var forgotten atomic.Int64
	err := abreastOf(counts, func(c persona.SetCount) error {
		days := staleDays(c.Population, today)
		if len(days) == 0 {
			return nil
		}
		var u expression.UpdateBuilder
		for _, day := range days {
			for p := range directory.PersonaCount {
				u = u.Remove(expression.Name(seenName(day, p)))
			}
		}
		after, err := s.touch(ctx, countKey(organization, c.Locations), u, versionIs(c.Version))
		if err == nil && uint64(number(after["v"])) == c.Version {
			forgotten.Add(1)
		}
		return err
	})
	return int(forgotten.Load()), err
}

// staleDays are the days of a counter that are counted no more; none as long as
// they are few.
func staleDays(p persona.Population, today directory.Day) []directory.Day {
	var stale []directory.Day
	old := false
	for day := range p.Seen {
		if day < today-keptDays {
			stale = append(stale, day)
			old = old || day < today-keptDays-forgetAfter
		}
	}
	if !old {
		return nil
	}
	slices.Sort(stale)
	return stale[:min(len(stale), mostForgotten)]
}
