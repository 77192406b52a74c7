package endpoints

import (
	"slices"

	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/permission"
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
	h := &permission.Hypothetical{Locations: o.IDs("locations", authz.MostUserLocations)}
	if h.Locations != nil && len(h.Locations) == 0 {
		o.Fault("locations", "A user has 1 to 25 locations.")
	}
	if !o.Has("roles") {
		return h
	}
	h.Roles = []permission.HeldRole{}
	for _, entry := range o.Objects("roles", body.MostUserRoles) {
		entry.Need("role")
		a := body.ReadAssignment(entry)
		held := permission.HeldRole{Role: entry.ID("role"), Locations: a.Locations, Until: a.Until}
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
