package importer

import (
	"cmp"
	"strconv"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// Kind is what an entry of a world is.
type Kind uint8

// The kinds, in the order of a world's members.
const (
	Organization Kind = iota
	Location
	Workflow
	Template
	Role
	User
	Item
	KindCount
)

var members = [KindCount]string{"organization", "locations", "workflows", "templates", "roles", "users", "items"}

// Member is the member of a world that has the entries of this kind.
func (k Kind) Member() string {
	if k < KindCount {
		return members[k]
	}
	return ""
}

// words are what one entry of each kind is called.
var words = [KindCount]string{"organization", "location", "workflow", "template", "role", "user", "item"}

// String is the word for one entry of this kind.
func (k Kind) String() string {
	if k < KindCount {
		return words[k]
	}
	return ""
}

// World is what shall be: each entry the wanted state of one thing. Any part
// may be left out. Entries have an id.
type World struct {
	Organization *directory.Organization
	// KeepSettings: the organization's entry has none, so they stay what they are.
	KeepSettings bool
	Locations    []directory.Location
	Workflows    []directory.Workflow
	Templates    []directory.Template
	Roles        []role.Role
	Users        []directory.User
	Items        []directory.Item
}

// Place is where an entry stands in its world.
type Place struct {
	Kind  Kind
	Index int // among those of its kind; 0 for the organization
}

// compare is the document's order.
func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Kind, q.Kind), cmp.Compare(p.Index, q.Index))
}

// Pointer is the place as a JSON pointer into the document.
func (p Place) Pointer() string {
	if p.Kind == Organization {
		return "/" + p.Kind.Member()
	}
	return "/" + p.Kind.Member() + "/" + strconv.Itoa(p.Index)
}

// Size is how many entries there are of a kind.
func (w World) Size(k Kind) int {
	switch k {
	case Organization:
		if w.Organization != nil {
			return 1
		}
	case Location:
		return len(w.Locations)
	case Workflow:
		return len(w.Workflows)
	case Template:
		return len(w.Templates)
	case Role:
		return len(w.Roles)
	case User:
		return len(w.Users)
	case Item:
		return len(w.Items)
	}
	return 0
}

// Entries is how many entries there are.
func (w World) Entries() int {
	n := 0
	for k := range KindCount {
		n += w.Size(k)
	}
	return n
}

// Places are those of all entries, in the document's order.
func (w World) Places() []Place {
	places := make([]Place, 0, w.Entries())
	for k := range KindCount {
		for i := range w.Size(k) {
			places = append(places, Place{k, i})
		}
	}
	return places
}

// ID is the id of the entry at a place.
func (w World) ID(p Place) string {
	switch p.Kind {
	case Organization:
		return w.Organization.ID
	case Location:
		return w.Locations[p.Index].ID
	case Workflow:
		return w.Workflows[p.Index].ID
	case Template:
		return w.Templates[p.Index].ID
	case Role:
		return w.Roles[p.Index].ID
	case User:
		return w.Users[p.Index].ID
	case Item:
		return w.Items[p.Index].ID
	}
	return ""
}

// name is a thing by its kind and id.
type name struct {
	kind Kind
	id   string
}

// names is what the entry at a place names, itself perhaps among them.
func (w World) names(p Place) []name {
	switch p.Kind {
	case Organization:
		return each(User, w.Organization.Settings.Impersonation.Observers)
	case Location:
		return each(Location, []string{w.Locations[p.Index].Parent})
	case Template:
		return each(Workflow, []string{w.Templates[p.Index].Workflow})
	case Role:
		return roleNames(w.Roles[p.Index])
	case User:
		return userNames(w.Users[p.Index])
	case Item:
		return itemNames(w.Items[p.Index])
	}
	return nil
}

// each is names of one kind.
func each(kind Kind, ids []string) []name {
	names := make([]name, len(ids))
	for i, id := range ids {
		names[i] = name{kind, id}
	}
	return names
}

func roleNames(r role.Role) []name {
	names := each(Location, r.SpecificLocations)
	for _, g := range r.Grants {
		names = append(names, each(Workflow, g.Workflows)...)
		names = append(names, each(Template, g.Templates)...)
	}
	for _, a := range []*authz.UserAdministration{r.Admin.Global, r.Admin.Local} {
		if a == nil {
			continue
		}
		for _, g := range a.Grantable.Roles {
			names = append(names, name{Role, g.ID})
		}
	}
	return names
}

func userNames(u directory.User) []name {
	names := each(Location, u.Locations)
	for _, a := range u.Assignments {
		names = append(names, name{Role, a.Role.ID})
		names = append(names, each(Location, a.Locations)...)
	}
	return names
}

func itemNames(i directory.Item) []name {
	names := append(each(Location, i.Locations), name{Template, i.Template})
	for _, users := range i.Team {
		names = append(names, each(User, users)...)
	}
	return names
}
