package permission_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

// tables is a store in memory: lists follow from facts, as they do in the
// table, and what is read is counted.
type tables struct {
	facts directory.Facts
	// lists are the facts' lists when they are many; nil makes each anew.
	lists map[directory.List][]string

	mutex                sync.Mutex
	queries, loads, keys int
	asked                map[directory.List]int
	// atOnce is the most ids of a list that are given at once, when there is one:
	// a page may be shorter than it was wanted.
	atOnce int
	// meanwhile runs after each page of a list: the world goes on.
	meanwhile func()
}

func (s *tables) Load(_ context.Context, _ string, keys directory.Keys) (directory.Facts, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f := s.facts
	f.Users, f.Items = map[string]directory.User{}, map[string]directory.Item{}
	for _, id := range keys.Users {
		if u, ok := s.facts.Users[id]; ok {
			f.Users[id] = u
		}
	}
	for _, id := range keys.Items {
		if i, ok := s.facts.Items[id]; ok {
			f.Items[id] = i
		}
	}
	s.loads, s.keys = s.loads+1, s.keys+len(keys.Users)+len(keys.Items)
	return f, nil
}

func (s *tables) Listed(_ context.Context, _ string, l directory.List, page directory.Page) (ids []string, more bool, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.queries++
	if s.asked == nil {
		s.asked = map[directory.List]int{}
	}
	s.asked[l]++
	all := s.list(l)
	start, there := slices.BinarySearch(all, page.After)
	if there {
		start++
	}
	if s.atOnce > 0 {
		page.Limit = min(page.Limit, s.atOnce)
	}
	end := min(len(all), start+page.Limit)
	if s.meanwhile != nil {
		s.meanwhile()
	}
	return slices.Clone(all[start:end]), end < len(all), nil
}

func (s *tables) list(l directory.List) []string {
	if s.lists != nil {
		return s.lists[l]
	}
	var ids []string
	for id, u := range s.facts.Users {
		holds := slices.ContainsFunc(u.Assignments, func(a directory.Assignment) bool { return a.Role == l.Role })
		if l.Of == directory.Everybody || l.Of == directory.RoleMembers && holds || l.Of == directory.LocationUsers && slices.Contains(u.Locations, l.ID) {
			ids = append(ids, id)
		}
	}
	for id, i := range s.facts.Items {
		if places(i)[directory.List{Of: l.Of, ID: l.ID}] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// places is the lists that an item is in.
func places(i directory.Item) map[directory.List]bool {
	in := map[directory.List]bool{{Of: directory.TemplateItems, ID: i.Template}: true}
	for _, l := range i.Locations {
		in[directory.List{Of: directory.LocationItems, ID: l}] = true
	}
	for _, team := range i.Team {
		for _, u := range team {
			in[directory.List{Of: directory.TeamItems, ID: u}] = true
		}
	}
	return in
}

// index makes the facts' lists once.
func (s *tables) index() {
	s.lists = map[directory.List][]string{}
	for _, id := range slices.Sorted(maps.Keys(s.facts.Users)) {
		u := s.facts.Users[id]
		s.add(directory.List{Of: directory.Everybody}, id)
		for _, a := range u.Assignments {
			s.add(directory.List{Of: directory.RoleMembers, Role: a.Role}, id)
		}
		for _, l := range u.Locations {
			s.add(directory.List{Of: directory.LocationUsers, ID: l}, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.facts.Items)) {
		for l := range places(s.facts.Items[id]) {
			s.add(l, id)
		}
	}
}

func (s *tables) add(l directory.List, id string) { s.lists[l] = append(s.lists[l], id) }

// by is the caller as a request reads them: with what the search needs.
func (s *tables) by(subject, actor string, search permission.Search) directory.Caller {
	keys := search.Needs()
	keys.Users = append(keys.Users, subject, actor)
	f, _ := s.Load(context.Background(), "", keys)
	c := directory.Caller{Facts: f, Subject: f.Users[subject], Actor: f.Users[actor], At: now}
	if subject != actor {
		c.Session = "session"
	}
	return c
}

// everything is the caller with all there is, to be asked by evaluation.
func (s *tables) everything(subject, actor string) directory.Caller {
	c := s.by(subject, actor, permission.Search{})
	c.Facts = s.facts
	return c
}

// pages is all results of a search, and how many pages they came on.
func (s *tables) pages(search permission.Search, subject, actor string, limit int) (all []string, pages int, err error) {
	for after := ""; ; pages++ {
		found, err := search.Find(context.Background(), s, s.by(subject, actor, search), directory.Page{Limit: limit, After: after})
		all = append(all, found.Results...)
		if err != nil || !found.More {
			return all, pages + 1, err
		}
		after = found.Next
	}
}

func searchOf(what permission.Searched, q permission.Question) permission.Search {
	switch what {
	case permission.Subjects:
		q.Subject.ID = ""
	case permission.Resources:
		q.Resource.ID = ""
	default:
		q.Action = ""
	}
	return permission.Search{For: what, Question: q}
}

func words(actions []authz.Action) []string {
	var all []string
	for _, a := range actions {
		all = append(all, a.String())
	}
	return all
}
