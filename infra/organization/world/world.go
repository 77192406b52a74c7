// Package world reads a world, which is an organization with everything in it
// as one document, and loads it into a table and a user pool.
//
// It decides whether a world is whole: its form, that every name leads
// somewhere, and the rules that a world as such must obey (U1, U3, R1–R5,
// R8–R10, R13, C1). A world with a fault is not loaded at all. It decides too
// what a load does to an organization that is there: what is missing is
// created and what exists is left as it is, since an administrator may have
// changed it since. So a load that was cut goes on where it stopped, and one
// that was done changes nothing. It refuses to know keys and the pool's calls.
//
// Beyond the contract: members of a user that a read gives (version, signIn)
// are accepted, so that what was read can be loaded elsewhere, and count for
// nothing; since and by of an assignment are kept. Who has a password can sign
// in with it; a full administrator without one is invited by e-mail (R13);
// others have no sign-in until they are given one.
package world

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/fault"
)

// World is an organization with everything in it. SignIn of a user is what
// its load gives: Enabled with a password, Invited, or none.
type World struct {
	Organization directory.Organization
	Policy       dynamo.Policy
	Users        []User
	Items        []directory.Item
}

// User is a person with the password of the sign-in, empty for none.
type User struct {
	directory.User
	Password string
}

// most bounds each list: the operator's own file, so only against nonsense.
const most = 1_000_000

// Read is the world of a document, with every fault by its JSON pointer: of
// form first, then of what it says. A world with faults is not for use.
func Read(data []byte) (World, []fault.Problem) {
	isObject := false
	w, err := body.Read(data, func(o *body.Object) World {
		isObject = o != nil
		return read(o)
	})
	var problems []fault.Problem
	if err != nil {
		problems = fault.Of(err).Problems
	}
	if !isObject {
		return w, problems
	}
	c := check{World: &w, model: authz.Compile(w.policy()), problems: problems}
	c.all()
	return w, c.problems
}

// Lines tells the faults for a person, one a line: the JSON pointer, if the
// fault is not of the whole file, and the rule.
func Lines(problems []fault.Problem) []string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.Detail
		if p.Pointer != "" {
			lines[i] = p.Pointer + ": " + p.Detail
		}
	}
	return lines
}

// read is the form of a world.
func read(o *body.Object) World {
	o.Need("organization")
	return World{
		Organization: one(o.Object("organization"), body.ReadOrganization),
		Policy: dynamo.Policy{
			Locations: each(o, "locations", body.ReadLocation),
			Workflows: each(o, "workflows", body.ReadWorkflow),
			Templates: each(o, "templates", body.ReadTemplate),
			Roles:     each(o, "roles", body.ReadRole),
		},
		Users: each(o, "users", readUser),
		Items: each(o, "items", body.ReadItem),
	}
}

// one is a thing, which in a world always has an id.
func one[T any](o *body.Object, form func(*body.Object) T) T {
	o.Need("id")
	return form(o)
}

// each is a list of things, each at its place in the document.
func each[T any](o *body.Object, member string, form func(*body.Object) T) []T {
	var out []T
	for _, entry := range o.Objects(member, most) {
		out = append(out, one(entry, form))
	}
	return out
}

// readUser is a user entry: the body and a password.
func readUser(o *body.Object) User {
	u := User{User: body.ReadUser(o), Password: o.Text("password", body.Password)}
	u.SignIn, u.Version = directory.NoSignIn, 0
	if o.Has("password") {
		u.SignIn = directory.Enabled
		if u.Password != "" && weak(u.Password) {
			o.Fault("password", "A password has at least "+strconv.Itoa(shortest)+" characters, among them a lower-case letter, an upper-case letter and a digit.")
		}
	}
	return u
}

// shortest is the pool's shortest password.
const shortest = 12

// weak is whether the user pool would not take the password: its policy in
// template.yaml, told before anything is written instead of halfway.
func weak(password string) bool {
	return utf8.RuneCountInString(password) < shortest || !strings.ContainsAny(password, "0123456789") ||
		!strings.ContainsAny(password, "abcdefghijklmnopqrstuvwxyz") || !strings.ContainsAny(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// policy is what of the world decides. Births are all 0 here, of roles and of
// what names them, so that names meet.
func (w *World) policy() authz.Policy {
	p := authz.Policy{Settings: w.Organization.Settings.Authz}
	for _, l := range w.Policy.Locations {
		p.Locations = append(p.Locations, l.Location)
	}
	for _, f := range w.Policy.Workflows {
		p.Workflows = append(p.Workflows, f.Workflow)
	}
	for _, t := range w.Policy.Templates {
		p.Templates = append(p.Templates, t.Template)
	}
	for _, r := range w.Policy.Roles {
		p.Roles = append(p.Roles, r.Role)
	}
	return p
}

// at is the pointer of a place in a list.
func at(list string, i int) string { return "/" + list + "/" + strconv.Itoa(i) }
