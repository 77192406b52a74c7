package body

import (
	"gemba/shared/directory"
)

// searched is what is looked for in a list.
var searched = Rule{Most: 100}

// noPersona is the word for those who have none.
const noPersona = "none"

var personaFilters = func() map[string]directory.Persona {
	out := PersonaWords()
	out[noPersona] = directory.NoPersona
	return out
}()

// Filter is the parameters that say which users a list is of.
func (o *Object) Filter() directory.Filter {
	f := directory.Filter{
		Persona: Word(o, "persona", personaFilters), ByPersona: o.Has("persona"), Role: o.ID("role"), Location: o.ID("location"),
		Below: o.Flag("below"), Type: Word(o, "type", userTypes), Text: o.Text("q", searched),
	}
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
