package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// becomes is the user after the request. Another order of the same locations is
// no change of them.
func (w Wanted) becomes(before User) User {
	after := before
	after.ID, after.Name, after.Email, after.Username, after.Type = w.ID, w.Name, w.Email, w.Username, w.Type
	if !sameSet(before.Locations, w.Locations) {
		after.Locations = w.Locations
		after.Assignments = staying(before.Assignments, w.Locations)
	}
	after.Untold = before.Untold || before.Sub != "" && before.Email != after.Email
	return after
}

// same is whether two states differ in nothing that Put changes.
func same(a, b User) bool {
	return a.Version > 0 && a.Name == b.Name && a.Email == b.Email && a.Username == b.Username && a.Type == b.Type &&
		slices.Equal(a.Locations, b.Locations)
}

// at is what is left of an assignment of somebody who is at these locations: a
// location that they left is no longer of its limit, and a limit of which
// nothing is left ends it, false (R5).
func (a Assignment) at(locations []string) (left Assignment, counts bool) {
	limited := len(a.Locations) > 0
	a.Locations = slices.DeleteFunc(slices.Clone(a.Locations), func(l string) bool { return !slices.Contains(locations, l) })
	if limited && len(a.Locations) == 0 {
		return Assignment{}, false
	}
	return a, true
}

// staying is the assignments of somebody who is at these locations now.
func staying(held []Assignment, locations []string) []Assignment {
	var staying []Assignment
	for _, a := range held {
		if left, counts := a.at(locations); counts {
			staying = append(staying, left)
		}
	}
	return staying
}

// limitChanges are the assignments whose limits changed, as the timeline shows
// them before and after; those that ended are not among the latter.
func limitChanges(before, after []Assignment) (was, is []timeline.Values) {
	is = []timeline.Values{}
	for _, b := range before {
		i := slices.IndexFunc(after, func(a Assignment) bool { return a.Role == b.Role })
		if i >= 0 && len(after[i].Locations) == len(b.Locations) {
			continue
		}
		was = append(was, timeline.Values{"role": b.Role.ID, "locations": b.Locations})
		if i >= 0 {
			is = append(is, timeline.Values{"role": b.Role.ID, "locations": after[i].Locations})
		}
	}
	return was, is
}

// values is what Put changes of a user as the timeline shows it; a user that is
// not there has none.
func (u User) values() timeline.Values {
	v := timeline.Values{}
	if u.ID == "" {
		return v
	}
	v["name"], v["username"], v["type"], v["locations"] = u.Name, u.Username, u.Type.String(), u.Locations
	if u.Email != "" {
		v["email"] = u.Email
	}
	return v
}

// faults are the rules that the request breaks (U1, U2).
func (w Wanted) faults(f Facts, before User) []fault.Problem {
	var problems []fault.Problem
	if before.Sub != "" && w.Username != before.Username {
		problems = append(problems, fault.Problem{Pointer: "/username", Detail: "Somebody who has a sign-in keeps its username: the user pool cannot rename it."})
	}
	if n := len(w.Locations); n == 0 || n > authz.MostUserLocations {
		problems = append(problems, fault.Problem{Pointer: "/locations", Detail: "A user has 1 to 25 locations."})
	}
	for i, l := range w.Locations {
		pointer := "/locations/" + strconv.Itoa(i)
		switch {
		case slices.Contains(w.Locations[:i], l):
			problems = append(problems, fault.Problem{Pointer: pointer, Detail: "This is named more than once."})
		case !f.Model.NameableLocation(l, before.Locations...):
			problems = append(problems, fault.Problem{Pointer: pointer, Detail: "There is no location " + l + "."})
		}
	}
	return append(problems, w.changesElsewhere(f.Shown(before))...)
}

// elsewhere are the members of a user that other calls change, with what it
// means that a request leaves one as it is.
var elsewhere = []struct {
	member, detail string
	same           func(now, wanted User) bool
}{
	{"persona", "The persona is changed by /persona.", func(now, wanted User) bool { return now.Persona == wanted.Persona }},
	{"roles", "Roles are given and taken by /roles/{role}.", func(now, wanted User) bool { return sameRoles(now.Assignments, wanted.Assignments) }},
	{"signIn", "The sign-in is changed by /sign-in.", func(now, wanted User) bool { return now.SignIn == wanted.SignIn }},
	{"internal", "Vendor staff are named by the operator's command alone.", func(now, wanted User) bool { return now.Internal == wanted.Internal }},
	{"version", "The version is given by the service.", func(now, wanted User) bool { return now.Version == wanted.Version }},
}

// changesElsewhere are the members named that would have to change by another
// call.
func (w Wanted) changesElsewhere(now User) []fault.Problem {
	var problems []fault.Problem
	for _, e := range elsewhere {
		if slices.Contains(w.Names, e.member) && !e.same(now, w.User) {
			problems = append(problems, fault.Problem{Pointer: "/" + e.member, Detail: "This cannot be changed here. " + e.detail})
		}
	}
	return problems
}

// sameRoles is whether a request leaves the roles as they are held. Since when
// and by whom need not be said.
func sameRoles(now, wanted []Assignment) bool {
	if len(now) != len(wanted) {
		return false
	}
	byRole := func(a, b Assignment) int { return strings.Compare(a.Role.ID, b.Role.ID) }
	now, wanted = slices.SortedFunc(slices.Values(now), byRole), slices.SortedFunc(slices.Values(wanted), byRole)
	for i, a := range now {
		b := wanted[i]
		said := func(is, told time.Time) bool { return told.IsZero() || is.Equal(told) }
		if a.Role.ID != b.Role.ID || !sameSet(a.Locations, b.Locations) || !a.Until.Equal(b.Until) ||
			!said(a.Since, b.Since) || b.By != "" && a.By != b.By {
			return false
		}
	}
	return true
}
