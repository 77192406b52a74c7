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
	c.goOn(w.found.Next)
	return c
}

// subjects is where who could do the action is. Who may not ask about others
// can find oneself alone (T4).
func (w *walk) subjects(asker *asker) *candidates {
	r := asker.resource(w.search.Resource)
	action, known := authz.ParseAction(r.Type, w.search.Action)
	if !known || w.search.Subject.Type != userType {
		return &candidates{}
	}
	if !asker.readsOthers {
		return oneself(asker)
	}
	s := asker.Model.SubjectSources(action, r)
	if len(s.Members) > mostLists || len(s.Roles) > mostLists && len(s.Locations) > mostLists {
		return &candidates{alone: listed(w.found.Next, List{Of: Everybody})}
	}
	return w.crossing(s.Team, roleLists(s.Members), roleLists(s.Roles), idLists(LocationUsers, s.Locations))
}

// crossing is candidates that are given, in a list that suffices alone, or in
// one of each side. A side of too many lists is left out: the other says enough.
func (w *walk) crossing(ids []string, alone, one, other []List) *candidates {
	after := w.found.Next
	if len(other) < len(one) {
		one, other = other, one
	}
	c := &candidates{alone: listed(after, alone...)}
	switch {
	case len(one) == 0:
	case len(other) > mostLists:
		c.alone = append(c.alone, listed(after, one...)...)
	default:
		c.both = [2]union{listed(after, one...), listed(after, other...)}
	}
	if len(ids) > 0 {
		c.alone = append(c.alone, given(slices.Clone(ids)))
	}
	return c
}

// resources is where what the subject could do the action on is. Only items and
// users are stored here; the organization is the asker's own.
func (w *walk) resources(asker *asker) *candidates {
	kind, _ := authz.ParseResourceType(w.search.Resource.Type)
	action, known := authz.ParseAction(kind, w.search.Action)
	subject := asker.subject(w.search.Subject)
	if !known || subject.ID() == "" {
		return &candidates{}
	}
	switch kind {
	case authz.ItemResource:
		s := asker.Model.ItemSources(subject, action)
		alone := idLists(TemplateItems, s.Templates)
		if s.Team {
			alone = append(alone, List{Of: TeamItems, ID: subject.ID()})
		}
		return w.crossing(nil, alone, idLists(TemplateItems, s.Located), idLists(LocationItems, s.Locations))
	case authz.UserResource:
		return w.users(asker, asker.Model.UserSources(subject, action, w.search.Resource.Role))
	case authz.OrganizationResource:
		return &candidates{alone: union{given([]string{asker.Organization.ID})}}
	default:
		return &candidates{}
	}
}

// users is where the users are on whom something could be done.
func (w *walk) users(asker *asker, s authz.UserSources) *candidates {
	switch {
	case !s.Everybody && len(s.Locations) == 0:
		return &candidates{}
	case !asker.readsOthers:
		return oneself(asker)
	case s.Everybody || len(s.Locations) > mostLists:
		return &candidates{alone: listed(w.found.Next, List{Of: Everybody})}
	default:
		return &candidates{alone: listed(w.found.Next, idLists(LocationUsers, s.Locations)...)}
	}
}

// oneself is the one whom everybody may ask about (C12).
func oneself(a *asker) *candidates { return &candidates{alone: union{given([]string{a.Subject.ID})}} }

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
