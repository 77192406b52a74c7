package body

import (
	"slices"

	"gemba/shared/persona"
	"gemba/shared/role"
)

// mostChanges bounds the rows of one bulk change.
const mostChanges = 500

// ReadRoleChanges is the body of many changes of who holds which role.
func ReadRoleChanges(o *Object) []role.Row {
	o.Need("changes")
	var rows []role.Row
	for place, each := range o.Objects("changes", mostChanges) {
		rows = append(rows, readRow(each, place))
	}
	return rows
}

func readRow(o *Object, place int) role.Row {
	o.Need("user", "role")
	limits := ReadAssignment(o)
	row := role.Row{Given: role.Given{User: o.ID("user"), Role: o.ID("role"), Locations: limits.Locations, Until: limits.Until}, Revoke: o.Bool("revoke"), Place: place}
	for _, member := range []string{"locations", "until"} {
		if row.Revoke && o.Has(member) {
			o.Fault(member, "A role that is taken back has no limit and no end.")
		}
	}
	return row
}

// ReadPersonaChanges is the body of many changes of who has which persona. One
// that is null takes it away; one that is left out may be a slip, and is a fault.
func ReadPersonaChanges(o *Object) []persona.Labelling {
	o.Need("changes")
	var rows []persona.Labelling
	for place, each := range o.Objects("changes", mostChanges) {
		each.Need("user")
		if !slices.Contains(each.Names(), "persona") {
			each.Fault("persona", "This member is required; null takes the persona away.")
		}
		rows = append(rows, persona.Labelling{User: each.ID("user"), Persona: each.Persona("persona"), Place: place})
	}
	return rows
}
