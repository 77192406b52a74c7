package world

import (
	"strconv"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// check is a world on its way through the rules. A name that the form refused
// is empty here and is not told of twice.
type check struct {
	*World
	model    *authz.Model
	people   map[string]bool
	problems []fault.Problem
}

// all finds every fault of what the world says.
func (c *check) all() {
	c.people = map[string]bool{}
	for _, u := range c.Users {
		c.people[u.ID] = true
	}
	c.unique()
	c.observers()
	c.locations()
	c.templates()
	c.roles()
	c.users()
	c.items()
	c.administrator()
}

// note adds a fault.
func (c *check) note(pointer, detail string) {
	c.problems = append(c.problems, fault.Problem{Pointer: pointer, Detail: detail})
}

// named refuses a name that leads nowhere.
func (c *check) named(pointer, kind, id string, exists bool) {
	if id != "" && !exists {
		c.note(pointer, "There is no "+kind+" "+id+" in this world.")
	}
}

// unique refuses ids, usernames (U1) and role names (R1) that are there twice.
func (c *check) unique() {
	p := c.Policy
	once(c, "locations", "id", p.Locations, func(l directory.Location) string { return l.ID })
	once(c, "workflows", "id", p.Workflows, func(w directory.Workflow) string { return w.ID })
	once(c, "templates", "id", p.Templates, func(t directory.Template) string { return t.ID })
	once(c, "roles", "id", p.Roles, func(r role.Role) string { return r.ID })
	once(c, "roles", "name", p.Roles, func(r role.Role) string { return directory.Folded(r.Name) })
	once(c, "users", "id", c.Users, func(u User) string { return u.ID })
	once(c, "users", "username", c.Users, func(u User) string { return directory.Folded(u.Username) })
	once(c, "items", "id", c.Items, func(i directory.Item) string { return i.ID })
}

// once refuses a member that two entries of a list have alike.
func once[T any](c *check, list, member string, things []T, of func(T) string) {
	first := map[string]int{}
	for i, thing := range things {
		value := of(thing)
		if value == "" {
			continue
		}
		if before, twice := first[value]; twice {
			c.note(at(list, i)+"/"+member, "This "+member+" is taken by "+at(list, before)+".")
			continue
		}
		first[value] = i
	}
}

// observers are users.
func (c *check) observers() {
	for i, id := range c.Organization.Settings.Impersonation.Observers {
		c.named("/organization/settings/impersonation/observers/"+strconv.Itoa(i), "user", id, c.people[id])
	}
}

// locations form a forest (U3).
func (c *check) locations() {
	for i, l := range c.Policy.Locations {
		pointer := at("locations", i) + "/parent"
		_, exists := c.model.Location(l.Parent)
		c.named(pointer, "location", l.Parent, exists)
		if c.circular(l) {
			c.note(pointer, "Location "+l.ID+" lies below itself: locations form a forest.")
		}
	}
}

// circular is whether a location is among its own ancestors.
func (c *check) circular(l directory.Location) bool {
	seen := map[string]bool{}
	for above := l.Parent; above != "" && !seen[above]; {
		if above == l.ID {
			return true
		}
		seen[above] = true
		parent, _ := c.model.Location(above)
		above = parent.Parent
	}
	return false
}

// templates belong to a workflow.
func (c *check) templates() {
	for i, t := range c.Policy.Templates {
		_, exists := c.model.Workflow(t.Workflow)
		c.named(at("templates", i)+"/workflow", "workflow", t.Workflow, exists)
	}
}

// roles obey chapter R. A name that is malformed has been told of already.
func (c *check) roles() {
	for i, r := range c.Policy.Roles {
		c.below(at("roles", i), role.Validate(c.model, r))
	}
}

// below adds the faults of a part, unless their place is faulty already.
func (c *check) below(pointer string, problems []fault.Problem) {
	for _, p := range problems {
		p.Pointer = pointer + p.Pointer
		if !c.faulty(p.Pointer) {
			c.problems = append(c.problems, p)
		}
	}
}

// faulty is whether a fault of this place or of one inside it is known.
func (c *check) faulty(pointer string) bool {
	for _, p := range c.problems {
		if p.Pointer == pointer || strings.HasPrefix(p.Pointer, pointer+"/") {
			return true
		}
	}
	return false
}

// users are at locations of the world and hold its roles, each once (U1, R5).
func (c *check) users() {
	for i, u := range c.Users {
		pointer := at("users", i)
		for j, l := range u.Locations {
			_, exists := c.model.Location(l)
			c.named(pointer+"/locations/"+strconv.Itoa(j), "location", l, exists)
		}
		held := map[string]bool{}
		for j, a := range u.Assignments {
			c.assignment(pointer+"/roles/"+strconv.Itoa(j), u, a, held)
		}
	}
}

func (c *check) assignment(pointer string, u User, a directory.Assignment, held map[string]bool) {
	r, exists := c.model.Role(a.Role.ID)
	c.named(pointer+"/role", "role", a.Role.ID, exists)
	if a.Role.ID != "" && held[a.Role.ID] {
		c.note(pointer+"/role", "The user holds "+a.Role.ID+" already.")
	}
	held[a.Role.ID] = true
	c.below(pointer, role.Limit(r, u.Locations, a.Locations))
}

// items are of a template of the world, whose team type has their team roles
// (C1), at its locations and with its users on their team.
func (c *check) items() {
	for i, item := range c.Items {
		pointer := at("items", i)
		template, exists := c.model.Template(item.Template)
		c.named(pointer+"/template", "template", item.Template, exists)
		for j, l := range item.Locations {
			_, exists := c.model.Location(l)
			c.named(pointer+"/locations/"+strconv.Itoa(j), "location", l, exists)
		}
		for r := authz.NoTeamRole; r < authz.TeamRoleCount; r++ {
			c.team(pointer+"/team/"+r.String(), template, r, item.Team[r])
		}
	}
}

func (c *check) team(pointer string, t authz.Template, r authz.TeamRole, users []string) {
	if len(users) > 0 && t.TeamType != authz.NoTeamType && !t.TeamType.Has(r) {
		c.note(pointer, "A team of the type "+t.TeamType.String()+" has no "+r.String()+".")
	}
	for i, u := range users {
		c.named(pointer+"/"+strconv.Itoa(i), "user", u, c.people[u])
	}
}

// administrator is R13: at least one full administrator, who can sign in.
// Those without a password are invited.
func (c *check) administrator() {
	found := false
	for i := range c.Users {
		u := &c.Users[i]
		invited := u.User
		invited.SignIn = directory.Invited
		if !c.model.FullAdministrator(invited.Decisive()) {
			continue
		}
		found = true
		if u.SignIn == directory.NoSignIn {
			u.SignIn = directory.Invited
			if u.Email == "" && !c.faulty(at("users", i)+"/email") {
				c.note(at("users", i)+"/email", "A full administrator without a password is invited by e-mail, so needs an address.")
			}
		}
	}
	if !found {
		c.note("/users", "An organization needs a full administrator: a general user who holds global user administration of all roles, "+
			"from a role without specific locations and without an end date.")
	}
}
