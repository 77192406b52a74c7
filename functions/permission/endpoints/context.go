package endpoints

import (
	"slices"

	"gemba/shared/body"
	"gemba/shared/permission"
)

const (
	// mostUserLocations is U1's.
	mostUserLocations = 25
	// mostHypotheticalRoles bounds the roles that a subject is supposed to hold.
	mostHypotheticalRoles = 100
)

// setting is what a question's context says that is known here; the rest of it is
// the asker's own.
type setting struct {
	explain      bool
	hypothetical *permission.Hypothetical
}

// readContext is the question's setting, nil without one.
func readContext(o *body.Object) *setting {
	if o == nil {
		return nil
	}
	o.Open()
	return &setting{explain: o.Bool("explain"), hypothetical: readHypothetical(o.Object("hypothetical"))}
}

// readHypothetical is what the subject is supposed to have instead. A member
// that is not known is refused here: ignored, it would answer another question
// than the one that was asked.
func readHypothetical(o *body.Object) *permission.Hypothetical {
	if o == nil {
		return nil
	}
	h := &permission.Hypothetical{Locations: o.IDs("locations", mostUserLocations)}
	if h.Locations != nil && len(h.Locations) == 0 {
		o.Fault("locations", "A user has 1 to 25 locations.")
	}
	if !o.Has("roles") {
		return h
	}
	h.Roles = []permission.HeldRole{}
	for _, entry := range o.Objects("roles", mostHypotheticalRoles) {
		entry.Need("role")
		held := permission.HeldRole{Role: entry.ID("role"), Locations: entry.IDs("locations", mostUserLocations), Until: entry.Time("until")}
		switch {
		case held.Locations != nil && len(held.Locations) == 0:
			entry.Fault("locations", "A limit names one location at least.")
		case slices.ContainsFunc(h.Roles, func(other permission.HeldRole) bool { return other.Role == held.Role }):
			entry.Fault("role", "This is named more than once.")
		}
		h.Roles = append(h.Roles, held)
	}
	return h
}
