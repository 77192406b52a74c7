package directory

import (
	"slices"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Place is a part of the policy that users, items, roles and other places name,
// and that stays as long as they do (U3): a Location, a Workflow or a Template.
type Place interface {
	// Ref is its kind and id.
	Ref() PlaceRef
	// Under is the place with this id.
	Under(id string) Place
	// State is its version, and whether it is being deleted.
	State() (version uint64, closing bool)
	// replacing is the place as it is to be where before was, nil when there was
	// none.
	replacing(before Place) Place
	// in is the place in this state.
	in(version uint64, closing bool) Place
	// broken is every rule that it breaks among the others, with pointers into
	// its body.
	broken(m *authz.Model) []fault.Problem
	// namedBy is what of the policy refers to it.
	namedBy(p authz.Policy) []fault.Use
	// values is the place as the timeline shows it.
	values() timeline.Values
}

// state is a place's; version 0 when there is none.
func state(p Place) (version uint64, closing bool) {
	if p == nil {
		return 0, false
	}
	return p.State()
}

func values(p Place) timeline.Values {
	if p == nil {
		return nil
	}
	return p.values()
}

// Ref is the location's kind and id.
func (l Location) Ref() PlaceRef { return PlaceRef{timeline.Location, l.ID} }

// Under is the location with this id.
func (l Location) Under(id string) Place { l.ID = id; return l }

// State is the location's version, and whether it is being deleted.
func (l Location) State() (version uint64, closing bool) { return l.Version, l.Closing }

// replacing: a location that was not told to move stays where it is. A new name alone is no move to the
// root, which would take its people out of everybody's reach above.
func (l Location) replacing(before Place) Place {
	if is, there := before.(Location); there && l.Unmoved {
		l.Parent = is.Parent
	}
	l.Unmoved = false
	return l
}

func (l Location) in(version uint64, closing bool) Place {
	l.Version, l.Closing = version, closing
	return l
}

// broken: the parent exists, and no location comes to be below itself (U3).
func (l Location) broken(m *authz.Model) []fault.Problem {
	before, _ := m.Location(l.ID)
	switch {
	case l.Parent == "":
		return nil
	case m.Below(l.ID, l.Parent):
		return []fault.Problem{{Pointer: "/parent", Detail: "A location cannot be moved below itself."}}
	case !m.NameableLocation(l.Parent, before.Parent):
		return []fault.Problem{{Pointer: "/parent", Detail: "There is no location " + l.Parent + "."}}
	}
	return nil
}

func (l Location) namedBy(p authz.Policy) []fault.Use {
	var children, roles []string
	for _, child := range p.Locations {
		if child.Parent == l.ID {
			children = append(children, child.ID)
		}
	}
	for _, r := range p.Roles {
		if slices.Contains(r.SpecificLocations, l.ID) {
			roles = append(roles, r.ID)
		}
	}
	return slices.Concat(UsedBy("location", children, false), UsedBy("role", roles, false))
}

func (l Location) values() timeline.Values {
	v := timeline.Values{"name": l.Name}
	if l.Parent != "" {
		v["parent"] = l.Parent
	}
	return v
}

// Ref is the workflow's kind and id.
func (w Workflow) Ref() PlaceRef { return PlaceRef{timeline.Workflow, w.ID} }

// Under is the workflow with this id.
func (w Workflow) Under(id string) Place { w.ID = id; return w }

// State is the workflow's version, and whether it is being deleted.
func (w Workflow) State() (version uint64, closing bool) { return w.Version, w.Closing }

func (w Workflow) replacing(Place) Place { return w }

func (w Workflow) in(version uint64, closing bool) Place {
	w.Version, w.Closing = version, closing
	return w
}

func (w Workflow) broken(*authz.Model) []fault.Problem { return nil }

func (w Workflow) namedBy(p authz.Policy) []fault.Use {
	var templates []string
	for _, t := range p.Templates {
		if t.Workflow == w.ID {
			templates = append(templates, t.ID)
		}
	}
	return slices.Concat(UsedBy("template", templates, false), grantedBy(p, w.ID, func(g authz.Grant) []string { return g.Workflows }))
}

func (w Workflow) values() timeline.Values { return timeline.Values{"name": w.Name} }

// Ref is the template's kind and id.
func (t Template) Ref() PlaceRef { return PlaceRef{timeline.Template, t.ID} }

// Under is the template with this id.
func (t Template) Under(id string) Place { t.ID = id; return t }

// State is the template's version, and whether it is being deleted.
func (t Template) State() (version uint64, closing bool) { return t.Version, t.Closing }

func (t Template) replacing(Place) Place { return t }

func (t Template) in(version uint64, closing bool) Place {
	t.Version, t.Closing = version, closing
	return t
}

// broken: the workflow exists.
func (t Template) broken(m *authz.Model) []fault.Problem {
	before, _ := m.Template(t.ID)
	if !m.NameableWorkflow(t.Workflow, before.Workflow) {
		return []fault.Problem{{Pointer: "/workflow", Detail: "There is no workflow " + t.Workflow + "."}}
	}
	return nil
}

func (t Template) namedBy(p authz.Policy) []fault.Use {
	return grantedBy(p, t.ID, func(g authz.Grant) []string { return g.Templates })
}

func (t Template) values() timeline.Values {
	return timeline.Values{"name": t.Name, "workflow": t.Workflow, "teamType": t.TeamType.String()}
}

// grantedBy is the roles of which a grant names something.
func grantedBy(p authz.Policy, id string, names func(authz.Grant) []string) []fault.Use {
	var roles []string
	for _, r := range p.Roles {
		if slices.ContainsFunc(r.Grants, func(g authz.Grant) bool { return slices.Contains(names(g), id) }) {
			roles = append(roles, r.ID)
		}
	}
	return UsedBy("role", roles, false)
}

// mostNamed is how many of what is in the way are told by id.
const mostNamed = 10

// UsedBy is things of a kind as what is in the way of a deletion; nothing when
// there are none. more tells that not all of them are given.
func UsedBy(kind string, ids []string, more bool) []fault.Use {
	if len(ids) == 0 {
		return nil
	}
	return []fault.Use{{Kind: kind, Count: len(ids), More: more, IDs: ids[:min(len(ids), mostNamed)]}}
}
