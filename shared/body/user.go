package body

import (
	"fmt"
	"maps"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// MostUserRoles bounds the roles of one user.
const MostUserRoles = 500

// ReadUser is a user body (U1). Members that a read gives and a change may
// not touch (persona, roles, internal, signIn, version) are read as well, so
// that the use case can compare them.
func ReadUser(o *Object) directory.User {
	o.Need("name", "username", "type", "locations")
	u := directory.User{
		ID: o.ID("id"), Name: o.Text("name", Name), Email: o.Text("email", Email),
		Username: o.Text("username", Username), Type: Word(o, "type", userTypes),
		Internal: o.Bool("internal"), Locations: o.IDs("locations", authz.MostUserLocations),
		Persona: o.Persona("persona"), SignIn: Word(o, "signIn", signIns), Version: o.Version(),
	}
	for _, held := range o.Objects("roles", MostUserRoles) {
		held.Need("role")
		a := directory.Assignment{Assignment: ReadAssignment(held), Since: held.Time("since"), By: held.ID("by")}
		a.Role.ID = held.ID("role")
		u.Assignments = append(u.Assignments, a)
	}
	if o.empty("locations") {
		o.Fault("locations", "A user has 1 to 25 locations.")
	}
	return u
}

// ReadWanted is a user body with which members it names, null naming none but the
// persona: that says that there is none.
func ReadWanted(o *Object) directory.Wanted {
	w := directory.Wanted{User: ReadUser(o)}
	for _, member := range o.Names() {
		if member == "persona" || o.Has(member) {
			w.Names = append(w.Names, member)
		}
	}
	return w
}

// mostChoices bounds the notifications that somebody has an opinion about.
const mostChoices = 200

type preferencesBody struct {
	Notifications map[string]bool `json:"notifications"`
}

// ReadPreferences is a user's own choices of notifications, on or off by their
// ids (R15).
func ReadPreferences(o *Object) map[string]bool {
	o.Need("notifications")
	return o.Object("notifications").choices(mostChoices)
}

// choices is an object of ids that are true or false.
func (o *Object) choices(most int) map[string]bool {
	names := o.Names()
	if len(names) > most {
		o.Open()
		o.Fault("", fmt.Sprintf("At most %d are allowed.", most))
		return nil
	}
	var chosen map[string]bool
	for _, name := range names {
		switch on, ok := as[bool](o, name, "true or false"); {
		case id.fault(name) != "":
			o.Fault(name, id.Says)
		case ok:
			if chosen == nil {
				chosen = map[string]bool{}
			}
			chosen[name] = on
		}
	}
	return chosen
}

// Preferences is the body of a user's own choices.
func Preferences(u directory.User) any {
	out := preferencesBody{Notifications: map[string]bool{}}
	maps.Copy(out.Notifications, u.Notifications)
	return out
}

// ReadNothing is a body without members.
func ReadNothing(*Object) struct{} { return struct{}{} }

type signInBody struct {
	SignIn string `json:"signIn"`
}

// SignIn is the body of the state of a user's sign-in.
func SignIn(u directory.User) any { return signInBody{u.SignIn.String()} }

// ReadAssignment is the limit and end of an assignment; the role is named
// elsewhere. Locations is nil without a limit, and empty but not nil for one
// that names no location, which role.Limit refuses (R5).
func ReadAssignment(o *Object) authz.Assignment {
	a := authz.Assignment{Locations: o.IDs("locations", authz.MostUserLocations), Until: o.Time("until")}
	if o.Has("until") && a.Until.IsZero() {
		// The zero time would be taken for no end at all, and it has long passed.
		a.Until = a.Until.Add(time.Nanosecond)
	}
	return a
}

type userBody struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Email     string           `json:"email,omitempty"`
	Username  string           `json:"username"`
	Type      string           `json:"type"`
	Internal  bool             `json:"internal"`
	Locations []string         `json:"locations"`
	Persona   *string          `json:"persona"`
	Roles     []assignmentBody `json:"roles"`
	SignIn    string           `json:"signIn"`
	Version   uint64           `json:"version"`
}

type assignmentBody struct {
	Role      string    `json:"role"`
	Locations []string  `json:"locations,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Since     time.Time `json:"since,omitzero"`
	By        string    `json:"by,omitempty"`
}

// User is a user's body, which ReadUser reads back.
func User(u directory.User) any {
	out := userBody{
		ID: u.ID, Name: u.Name, Email: u.Email, Username: u.Username, Type: u.Type.String(),
		Internal: u.Internal, Locations: list(u.Locations), Persona: Persona(u.Persona),
		Roles: []assignmentBody{}, SignIn: u.SignIn.String(), Version: u.Version,
	}
	for _, a := range u.Assignments {
		out.Roles = append(out.Roles, assignmentBody{
			Role: a.Role.ID, Locations: a.Locations, Until: utc(a.Until), Since: utc(a.Since), By: a.By,
		})
	}
	return out
}

// Persona is a persona's word, null for none.
func Persona(p directory.Persona) *string {
	if p == directory.NoPersona {
		return nil
	}
	word := p.String()
	return &word
}

// utc is the time as the contract shows it; zero stays zero.
func utc(at time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return at.UTC()
}
