package body

import (
	"fmt"

	"gemba/shared/directory"
	"gemba/shared/importer"
)

// ReadWorld is an import's body: a world of at most so many entries, of which
// every part may be left out. Members of a user that are not the API's to set
// are read as ReadUser reads them.
func ReadWorld(o *Object, most int) importer.World {
	var w importer.World
	if entry := o.Object(importer.Organization.Member()); entry != nil {
		ReadEntry(entry, importer.Organization, &w)
	}
	for k := importer.Location; k < importer.KindCount; k++ {
		for _, entry := range o.Objects(k.Member(), most) {
			ReadEntry(entry, k, &w)
		}
	}
	if n := w.Entries(); n > most {
		o.Fault("", fmt.Sprintf("At most %d entries are imported at once; these are %d.", most, n))
	}
	return w
}

// ReadEntry adds to a world the entry that an object is.
func ReadEntry(o *Object, kind importer.Kind, w *importer.World) {
	o.Need("id")
	switch kind {
	case importer.Organization:
		read := ReadOrganization(o)
		w.Organization, w.KeepSettings = &read, !o.Has("settings")
	case importer.Location:
		w.Locations = append(w.Locations, ReadLocation(o))
	case importer.Workflow:
		w.Workflows = append(w.Workflows, ReadWorkflow(o))
	case importer.Template:
		w.Templates = append(w.Templates, ReadTemplate(o))
	case importer.Role:
		w.Roles = append(w.Roles, ReadRole(o))
	case importer.User:
		w.Users = append(w.Users, readImportedUser(o))
	case importer.Item:
		w.Items = append(w.Items, ReadItem(o))
	}
}

// readImportedUser is a user entry. A password is no part of it: who signs in
// with it is told of it by whoever made it, and here that would be a file.
func readImportedUser(o *Object) directory.User {
	u := ReadUser(o)
	if o.ask("password") != nil {
		o.Fault("password", "No password is imported: a sign-in is given by PUT /v1/users/{id}/sign-in, and the pool invites.")
	}
	return u
}
