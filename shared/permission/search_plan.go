package permission

import (
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// choose says where the candidates after the page's place are, by what was
// last read for the caller.
func (w *walk) choose() *directory.Candidates {
	asker := newAsker(w.caller)
	var c *directory.Candidates
	if w.search.For == Subjects {
		c = w.subjects(asker)
	} else {
		c = w.resources(asker)
	}
	c.GoOn(w.place)
	return c
}

// subjects is where who could do the action is.
func (w *walk) subjects(asker *asker) *directory.Candidates {
	r := asker.resource(w.search.Resource)
	action, known := authz.ParseAction(r.Type, w.search.Action)
	if !known || w.search.Subject.Type != userType {
		return &directory.Candidates{}
	}
	s := asker.Model.SubjectSources(action, r)
	members, roles, locations := roleLists(s.Members), roleLists(s.Roles), idLists(directory.LocationUsers, s.Locations)
	if len(members) > mostLists || len(roles) > mostLists && len(locations) > mostLists {
		return asker.amongKnown(crossing(directory.Lists(directory.List{Of: directory.Everybody}), nil, nil))
	}
	return asker.amongKnown(crossing(append(directory.Lists(members...), directory.Given(s.Team)...), directory.Lists(roles...), directory.Lists(locations...)))
}

// resources is where what the subject could do the action on is. Only items and
// users are stored here; the organization is the asker's own.
func (w *walk) resources(asker *asker) *directory.Candidates {
	kind, _ := authz.ParseResourceType(w.search.Resource.Type)
	action, known := authz.ParseAction(kind, w.search.Action)
	subject := asker.asking(w.search.Question)
	if !known || subject.ID() == "" {
		return &directory.Candidates{}
	}
	switch kind {
	case authz.ItemResource:
		return itemsOf(subject, asker.Model.ItemSources(subject, action))
	case authz.UserResource:
		users := usersOf(asker.Model.UserSources(subject, action, w.search.Resource.Role))
		if w.search.Hypothetical != nil { // the subject stands in the lists as it is, not as it is supposed to be
			users.Alone = append(users.Alone, directory.Given([]string{subject.ID()})...)
		}
		return asker.amongKnown(users)
	case authz.OrganizationResource:
		return crossing(directory.Given([]string{asker.Organization.ID}), nil, nil)
	default:
		return &directory.Candidates{}
	}
}

// itemsOf is where the items are on which something could be done.
func itemsOf(subject authz.Subject, s authz.ItemSources) *directory.Candidates {
	alone := idLists(directory.TemplateItems, s.Templates)
	if s.Team {
		alone = append(alone, directory.List{Of: directory.TeamItems, ID: subject.ID()})
	}
	return crossing(directory.Lists(alone...), directory.Lists(idLists(directory.TemplateItems, s.Located)...), directory.Lists(idLists(directory.LocationItems, s.Locations)...))
}

// usersOf is where the users are on whom something could be done.
func usersOf(s authz.UserSources) *directory.Candidates {
	if s.Everybody || len(s.Locations) > mostLists {
		return crossing(directory.Lists(directory.List{Of: directory.Everybody}), nil, nil)
	}
	return crossing(directory.Lists(idLists(directory.LocationUsers, s.Locations)...), nil, nil)
}

// amongKnown leaves, of candidates that are users, those whom the asker may know
// (T4): oneself alone, oneself and those in reach, or all.
func (a *asker) amongKnown(c *directory.Candidates) *directory.Candidates {
	reach, everybody := a.asks()
	if everybody || c.Empty() {
		return c
	}
	some := append(directory.Lists(idLists(directory.LocationUsers, reach)...), directory.Given([]string{a.Subject.ID})...)
	if len(reach) == 0 {
		return crossing(some, nil, nil)
	}
	return crossing(nil, slices.Concat(c.Alone, c.Both[0]), some)
}

// asks is the locations of those whom the asker may ask about, or everybody.
func (a *asker) asks() (locations []string, everybody bool) {
	switch {
	case a.readsAll:
		return nil, true
	case !a.readsOthers:
		return nil, false
	}
	return a.Reach()
}

// crossing is candidates in a list that suffices alone, or in one of each side.
func crossing(alone, one, other directory.Union) *directory.Candidates {
	return directory.Crossing(alone, one, other, mostLists)
}

func roleLists(roles []authz.RoleRef) []directory.List {
	lists := make([]directory.List, len(roles))
	for i, r := range roles {
		lists[i] = directory.List{Of: directory.RoleMembers, Role: r}
	}
	return lists
}

func idLists(of directory.ListKind, ids []string) []directory.List {
	lists := make([]directory.List, len(ids))
	for i, id := range ids {
		lists[i] = directory.List{Of: of, ID: id}
	}
	return lists
}
