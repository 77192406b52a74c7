// Package directory is who and what an organization consists of: the
// organization with its settings, locations, workflows, templates, users and
// items (rules U1–U4), and the caller on whose behalf a use case acts.
//
// It is the lowest of the use cases: the others know its types, it knows none
// of theirs. It refuses to know HTTP, storage, and what a role permits, which
// is package authz's to decide.
//
// Where the rules are silent:
//
//   - Names of locations, workflows and templates need not be unique.
//   - Putting what is there already writes nothing and keeps its version.
//   - Of a location, workflow or template that is being deleted (U3) everything
//     counts as before, but nothing may come to name it; what named it before may
//     be changed and go on naming it. It shows in no answer.
//   - A template may change its team type and workflow while it has items: team
//     roles that the new type lacks count for nothing, and come back with the old
//     type (C1); grants cover the template by the workflow that it is in (R3).
//   - An organization's settings are replaced as a whole: one that is left out
//     becomes its default. Observers are users who exist, whatever their type.
//   - Who has a sign-in keeps the username, because the pool cannot rename it. The
//     pool's account is left alone when a type that does not sign in is given, and
//     none of these types, setup among them, can be given a sign-in: its invitation
//     would lead to a refusal.
//   - A sign-in that is enabled again, or whose owner changes address, is invited
//     again if it was never used: the temporary password may be over, or in other
//     hands.
//   - An assignment that ends with its limit asks for no right to take the role.
//   - In a session nobody's e-mail, username or sign-in is changed, nor the actor's
//     own locations; but a user can be made.
//   - A list of users is in the order of ids; each user is shown as they were at one
//     moment while the page was read. Who is in it all the time is in it exactly
//     once, whatever changes meanwhile; who begins or ceases to match may be there
//     or not. A page ends when it is full, or has spent its budget of read units:
//     then it may be short, even empty, and still have a next one.
//   - Where no role or location has an id, nobody has it. A role is held while its
//     assignment counts: not over, of the role that has the id now (R5, R14).
//   - Everybody active is everybody not inactive, kiosks and wallboards too. What
//     people are not shown of each other is not searched either (T4): their text is
//     the name's, and a filter by role finds whom the caller administers, as the
//     role's members do.
//   - Of an item's team, an entry tells who joined and who left, by role, at most
//     fifty of each. A team may have any size that fits into 380 KB.
package directory

import (
	"strings"
	"time"
	"unicode"

	"gemba/shared/authz"
)

// Persona is a label that says who a user is; it grants nothing (P1, C9).
type Persona uint8

// The personas (P1).
const (
	NoPersona Persona = iota
	Frontline
	Leader
	Executive
	CICoach
	Champion
	PersonaCount
)

var personaNames = [PersonaCount]string{"", "frontline", "leader", "executive", "ci_coach", "champion"}

// String is the persona's word; none has the empty one.
func (p Persona) String() string {
	if p < PersonaCount {
		return personaNames[p]
	}
	return ""
}

// SignIn is the state of a user's account in the pool.
type SignIn uint8

// The states of a sign-in. Invited and Enabled let the user in.
const (
	NoSignIn SignIn = iota
	Invited
	Enabled
	Disabled
	SignInCount
)

var signInNames = [SignInCount]string{"none", "invited", "enabled", "disabled"}

// String is the state's word.
func (s SignIn) String() string {
	if s < SignInCount {
		return signInNames[s]
	}
	return ""
}

// ParseSignIn is the state with this word.
func ParseSignIn(word string) (SignIn, bool) {
	for s := NoSignIn; s < SignInCount; s++ {
		if signInNames[s] == word {
			return s, true
		}
	}
	return NoSignIn, false
}

// Usable is whether the sign-in lets its user in (R13).
func (s SignIn) Usable() bool { return s == Invited || s == Enabled }

// Assignment is a role that a user holds: by whom and since when.
type Assignment struct {
	authz.Assignment
	Since time.Time
	By    string
}

// Day is a UTC day, counted from 1970-01-01; 0 is none.
type Day int

// DayOf is the day of a time.
func DayOf(at time.Time) Day { return Day(at.Unix() / (24 * 60 * 60)) }

// String is the day's date.
func (d Day) String() string { return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly) }

// User is a person (U1). Sub is the pool's id of the sign-in, empty without
// one. Untold: the pool is still to be told what the last change said of the
// sign-in. Version rises with every change. Seen is the last day with a request
// of theirs, OnTeam whether they are on the team of an item that is no draft, as
// far as that was noted; Pulse rises with every such note, which is no change of
// the user.
type User struct {
	ID, Name, Email, Username string
	Type                      authz.UserType
	Internal                  bool
	Locations                 []string
	Persona                   Persona
	Assignments               []Assignment
	SignIn                    SignIn
	Sub                       string
	Untold                    bool
	Notifications             map[string]bool
	Seen                      Day
	OnTeam                    bool
	Pulse                     uint64
	Version                   uint64
}

// Decisive is what of the user decides.
func (u User) Decisive() authz.User {
	held := make([]authz.Assignment, len(u.Assignments))
	for i, a := range u.Assignments {
		held[i] = a.Assignment
	}
	return authz.User{ID: u.ID, Type: u.Type, Locations: u.Locations, SignIn: u.SignIn.Usable(), Assignments: held}
}

// Assignment is the user's assignment of a role id; false when there is none.
func (u User) Assignment(role string) (Assignment, bool) {
	for _, a := range u.Assignments {
		if a.Role.ID == role {
			return a, true
		}
	}
	return Assignment{}, false
}

// Item is what the platform's services tell of an item. Write is storage's own:
// it names the write that made the item so.
type Item struct {
	authz.Item
	Version uint64
	Write   string
}

// Targets are the expected shares of the personas (P4), in basis points of
// the base, and the champions in people.
type Targets struct {
	Frontline, Leader, Executive Share
	ExpertsUnder                 int
	Champions                    People
}

// Share is a range of basis points.
type Share struct{ Min, Max int }

// People is a range of head counts.
type People struct{ Min, Max int }

// DefaultTargets are those of P4.
func DefaultTargets() Targets {
	return Targets{
		Frontline: Share{7000, 9000}, Leader: Share{500, 2000}, Executive: Share{500, 1000},
		ExpertsUnder: 100, Champions: People{2, 3},
	}
}

// MostAbsoluteMinutes is the latest that I4's absolute end can be set to: a day.
const MostAbsoluteMinutes = 24 * 60

// ImpersonationSettings rule chapter I. AbsoluteMinutes is I4's absolute end.
type ImpersonationSettings struct {
	Enabled, ReasonRequired, Receipt bool
	AbsoluteMinutes                  int
	Observers                        []string
}

// Settings are an organization's choices. DecisionLogRate is the share of
// allowed checks that are logged, 0 to 1.
type Settings struct {
	Authz           authz.Settings
	ProductName     string
	Targets         Targets
	Impersonation   ImpersonationSettings
	DecisionLogRate float64
}

// DefaultSettings are those of an organization that chose nothing.
func DefaultSettings() Settings {
	return Settings{
		ProductName:   "KaiNexus",
		Targets:       DefaultTargets(),
		Impersonation: ImpersonationSettings{Enabled: true, Receipt: true, AbsoluteMinutes: 60},
	}
}

// Organization is the tenant; nothing crosses it. Seal is a secret of the
// service's that places in its lists are sealed with; nobody is told it.
type Organization struct {
	ID, Name string
	Seal     []byte
	Settings Settings
	Created  time.Time
	Version  uint64
}

// Location, Workflow and Template are authz's, with their versions.
type (
	// Location is a node of the organization's tree (U3). Unmoved is of a request
	// that does not say its parent.
	Location struct {
		authz.Location
		Version uint64
		Unmoved bool
	}
	// Workflow has templates.
	Workflow struct {
		authz.Workflow
		Version uint64
	}
	// Template makes items.
	Template struct {
		authz.Template
		Version uint64
	}
)

// Page asks for a part of a list: at most Limit members after After, which is
// what the page before gave as its end; empty for the first.
type Page struct {
	Limit int
	After string
}

// Named is somebody with the name that others are shown.
type Named struct{ ID, Name string }

// Named is the user's id and name.
func (u User) Named() Named { return Named{u.ID, u.Name} }

// IsID tells whether s is in the id alphabet of the contract.
func IsID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return true
}

// Folded is the text with its letters' case taken away: texts that differ in
// nothing else, in whatever script, have one such form (R1, U1).
func Folded(text string) string {
	return strings.Map(func(c rune) rune {
		least := c
		for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, text)
}
