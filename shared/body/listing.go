package body

import (
	"gemba/shared/directory"
)

// searched is what is looked for in a list.
var searched = Rule{Most: 100}

// Filter is the parameters that say which users a list is of.
func (o *Object) Filter() directory.Filter {
	f := o.Place()
	f.Persona, f.ByPersona = o.personaFilter()
	f.Role, f.Type, f.Text = o.ID("role"), Word(o, "type", userTypes), o.Text("q", searched)
	return f
}

// Place is the parameters that say where the users of a list are.
func (o *Object) Place() directory.Filter {
	f := directory.Filter{Location: o.ID("location"), Below: o.Flag("below")}
	if f.Below && !o.Has("location") {
		o.Fault("below", "This goes with a location.")
	}
	return f
}

type personBody struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Persona   *string  `json:"persona"`
	Locations []string `json:"locations"`
}

// Person is what everybody who may see people is told of one.
func Person(u directory.User) any {
	return personBody{u.ID, u.Name, Persona(u.Persona), list(u.Locations)}
}
