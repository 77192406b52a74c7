// Package timeline is the record of what was changed, by whom, on whose
// behalf (T1, T2).
//
// It decides the form of an entry and how the record is read. It refuses to
// know what the changes mean: the use case that makes a change makes its entry
// and hands both to the store, which writes them in one transaction. There is
// no call that changes or deletes an entry (T2).
//
// What the rules leave open: a time range is from its beginning on and before
// its end; a text is found in values but not in the names of their members; an
// entry is placed by its own time, so one that is written late, such as the
// true end of a forgotten session, stands where it happened. Who pages while
// such an entry is written may have passed its place already.
//
// It decides, too, how the record proves itself: how entries are sealed by a chain
// of blocks, and what a verification holds to what. Decided there: an entry that was
// written more than an hour from its own time was put there, unless it is the end of
// an impersonation, which has no bound (I4); one that waits for its seal may do so
// for an hour while others are sealed; what was written before the first block is
// counted and not proven; and a chain that is whole in itself, but shorter or another
// than it was, is found by a head that was kept elsewhere alone.
package timeline

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// Type is what an entry is about (T1).
type Type uint8

// The types (T1).
const (
	NoType Type = iota
	User
	Persona
	Role
	Assignment
	Location
	Workflow
	Template
	Item
	Impersonation
	Audit
	Settings
	SignIn
	TypeCount
)

var typeNames = [TypeCount]string{"", "user", "persona", "role", "assignment", "location", "workflow",
	"template", "item", "impersonation", "audit", "settings", "sign_in"}

// String is the type's word.
func (t Type) String() string {
	if t < TypeCount {
		return typeNames[t]
	}
	return ""
}

// ParseType is the type with this word.
func ParseType(word string) (Type, bool) {
	for t := NoType + 1; t < TypeCount; t++ {
		if typeNames[t] == word {
			return t, true
		}
	}
	return NoType, false
}

// Person is somebody in an entry. The name is the one they had then.
type Person struct{ ID, Name string }

// Target is the thing that was changed: its type's word and its id.
type Target struct{ Type, ID string }

// Values are members of a thing, by their contract names; only those that
// changed.
type Values map[string]any

// Entry is one line of the record (T1). A zero Impersonator means that the
// subject acted in person. ID is set by the store and orders entries by time.
type Entry struct {
	ID           string
	At           time.Time
	Type         Type
	Action       string
	Denied       bool
	Subject      Person
	Impersonator Person
	Target       Target
	Before       Values
	After        Values
	Cause        string
	RequestID    string
	// Session is the impersonation that it was done in; empty in person.
	Session string
}

// TimeOf is the time that an entry's id orders it by (T2); false for what is no id.
func TimeOf(id string) (time.Time, bool) {
	parsed, err := ulid.ParseStrict(id)
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(parsed.Time()).UTC(), true
}
