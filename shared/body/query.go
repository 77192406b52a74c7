package body

import (
	"encoding/json"
	"net/url"
	"slices"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// ReadQuery reads a query string by its form, as the object that it stands
// for: a parameter is text, and an empty one is as good as none. One that is
// given more than once is a list, which no parameter may be; one that is not
// known is a fault as an unknown member is, so that a filter with a typo does
// not answer everything. Errors: as Read's, the parameters being the pointers.
func ReadQuery[T any](query url.Values, form func(*Object) T) (T, error) {
	members := map[string]any{}
	for name, values := range query {
		switch {
		case len(values) > 1:
			members[name] = values
		case values[0] != "":
			members[name] = values[0]
		default:
			members[name] = nil
		}
	}
	data, _ := json.Marshal(members) // texts always marshal
	return Read(data, form)
}

// Page is the parameters of a list, limit and cursor, as read makes a page of
// them. What read refuses are faults of the query.
func (o *Object) Page(read func() (directory.Page, error)) directory.Page {
	o.Text("limit", Opaque)
	o.Text("cursor", Opaque)
	page, err := read()
	if err != nil {
		for _, p := range fault.Of(err).Problems {
			o.note(p.Pointer, p.Detail)
		}
	}
	return page
}

// Flag is a parameter that is true or false, false when it is absent. It is not
// as good as none when it is empty: who writes ?dryRun alone means no false.
func (o *Object) Flag(name string) bool {
	if o != nil && slices.Contains(o.Names(), name) && !o.Has(name) {
		o.Fault(name, "true or false is expected.")
	}
	return Word(o, name, map[string]bool{"true": true, "false": false})
}
