package permission

import (
	"slices"

	"gemba/shared/authz"
)

// choose says where the candidates after the page's place are, by what was
// last read for the caller.
func (w *walk) choose() *candidates {
	asker := newAsker(w.caller)
	var c *candidates
	if w.search.For == Subjects {
		c = w.subjects(asker)
	} else {
		c = w.resources(asker)
	}
	c.goOn(w.place)
	return c
}

// subjects is where who could do the action is.
func (w *walk) subjects(asker *asker) *candidates {
	r := asker.resource(w.search.Resource)
	action, known := authz.ParseAction(r.Type, w.search.Action)
	if !known || w.search.Subject.Type != userType {
		return &candidates{}
	}
	s := asker.Model.SubjectSources(action, r)
	members, roles, locations := roleLists(s.Members), roleLists(s.Roles), idLists(LocationUsers, s.Locations)
	if len(members) > mostLists || len(roles) > mostLists && len(locations) > mostLists {
		return asker.amongKnown(crossing(listed(List{Of: Everybody}), nil, nil))
	}
	return asker.amongKnown(crossing(append(listed(members...), given(s.Team)...), listed(roles...), listed(locations...)))
}

// resources is where what the subject could do the action on is. Only items and
// users are stored here; the organization is the asker's own.
func (w *walk) resources(asker *asker) *candidates {
	kind, _ := authz.ParseResourceType(w.search.Resource.Type)
	action, known := authz.ParseAction(kind, w.search.Action)
	subject := asker.asking(w.search.Question)
	if !known || subject.ID() == "" {
		return &candidates{}
	}
	switch kind {
	case authz.ItemResource:
		return itemsOf(subject, asker.Model.ItemSources(subject, action))
	case authz.UserResource:
		users := usersOf(asker.Model.UserSources(subject, action, w.search.Resource.Role))
		if w.search.Hypothetical != nil { // the subject stands in the lists as it is, not as it is supposed to be
			users.alone = append(users.alone, given([]string{subject.ID()})...)
		}
		return asker.amongKnown(users)
	case authz.OrganizationResource:
		return crossing(given([]string{asker.Organization.ID}), nil, nil)
	default:
		return &candidates{}
	}
}

// itemsOf is where the items are on which something could be done.
func itemsOf(subject authz.Subject, s authz.ItemSources) *candidates {
	alone := idLists(TemplateItems, s.Templates)
	if s.Team {
		alone = append(alone, List{Of: TeamItems, ID: subject.ID()})
	}
	return crossing(listed(alone...), listed(idLists(TemplateItems, s.Located)...), listed(idLists(LocationItems, s.Locations)...))
}

// usersOf is where the users are on whom something could be done.
func usersOf(s authz.UserSources) *candidates {
	if s.Everybody || len(s.Locations) > mostLists {
		return crossing(listed(List{Of: Everybody}), nil, nil)
	}
	return crossing(listed(idLists(LocationUsers, s.Locations)...), nil, nil)
}

// amongKnown leaves, of candidates that are users, those whom the asker may know
// (T4): oneself alone, oneself and those in reach, or all.
func (a *asker) amongKnown(c *candidates) *candidates {
	reach, everybody := a.reach()
	if everybody || c.empty() {
		return c
	}
	some := append(listed(idLists(LocationUsers, reach)...), given([]string{a.Subject.ID})...)
	if len(reach) == 0 {
		return crossing(some, nil, nil)
	}
	return crossing(nil, slices.Concat(c.alone, c.both[0]), some)
}

// reach is the locations of those whom the asker may ask about, or everybody.
// In a session it is one side's: the other's can but narrow it (I6).
func (a *asker) reach() (locations []string, everybody bool) {
	switch {
	case a.readsAll:
		return nil, true
	case !a.readsOthers:
		return nil, false
	}
	for _, side := range []authz.Subject{a.who.Subject, a.who.Actor} {
		if s := a.Model.UserSources(side, authz.AdministerUser, ""); !s.Everybody {
			return s.Locations, false
		}
	}
	return nil, true
}

// crossing is candidates in a list that suffices alone, or in one of each side.
// A side of too many lists is left out: the other says enough.
func crossing(alone, one, other union) *candidates {
	if len(other) < len(one) {
		one, other = other, one
	}
	switch {
	case len(one) == 0:
		return &candidates{alone: alone}
	case len(other) > mostLists:
		return &candidates{alone: append(alone, one...)}
	default:
		return &candidates{alone: alone, both: [2]union{one, other}}
	}
}

func roleLists(roles []authz.RoleRef) []List {
	lists := make([]List, len(roles))
	for i, r := range roles {
		lists[i] = List{Of: RoleMembers, Role: r}
	}
	return lists
}

func idLists(of ListKind, ids []string) []List {
	lists := make([]List, len(ids))
	for i, id := range ids {
		lists[i] = List{Of: of, ID: id}
	}
	return lists
}
