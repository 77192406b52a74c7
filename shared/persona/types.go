// Package persona is the use case of personas: what each of them is (P3),
// labelling people (P2) and how they were labelled before, what shares of an
// organization the labels have against its targets (P4, P5), the smallest
// relabelling that would meet them, the audit that looks at it once a day (P6),
// and whose roles do not suit their persona (P7).
//
// It decides what a target means for a number of people, when two readings of
// the counts belong together, what of an audit is news, and who is told. The
// arithmetic is whole numbers throughout. Whether the caller may act is package
// authz's to decide, before it is called or, of many changes, for each; a persona
// grants nothing (C9). It refuses to know HTTP, storage and how mail leaves.
//
// Where the rules are silent:
//
//   - Labelling somebody as they are labelled already writes nothing. Somebody of a
//     type outside the base (P4) can be labelled, and counts from the day that the
//     type is in it. The history of somebody's labels is what the timeline has of
//     it, without what was only tried.
//   - The champion is named after the organization's product wherever personas are
//     told of (P1). As input the name is known with the default product's alone.
//   - Where every verdict is unreachable, the ranges and the distances to them are
//     told all the same.
//   - Everybody is counted exactly once; a label that changes while they are counted
//     is told as it was at some moment meanwhile.
//   - The audit's mail goes to the champions of the base that have an address, each
//     address once. Of several changes its subject names the first that is not within
//     its target. Locations that are outside theirs are listed when the whole
//     organization is within; that one is judged again, and within, is no news of it.
//   - An audit of the whole organization also tells how each location was then,
//     judged by the targets of then. So the history of a location is those audits,
//     and the ones of it alone that were asked for.
//   - What changed in an audit that was asked for is told against the last one of
//     the same people, and mails nobody. What changed in a scheduled one is told
//     against the last scheduled one, so that no news is lost to one that somebody
//     asked for in between. How engagement moved is always told against the audit
//     before of the same people.
//   - Who acts as somebody is active, not whom they act as. Whoever is listed in a
//     team is on it, also in a role that the template's type lacks (C1), as no item
//     changes when a template does.
//   - Of several smallest relabellings a plan is one that leaves the fewest without
//     a persona, and of those one with the fewest steps of P7's order, in which no
//     persona comes before all; to be relabelled from none, or to none, counts as any.
//   - Mismatches are of the base, and not of those without a persona; a role for
//     coaches does for a champion and the other way round; whoever would hold nothing
//     of their width is given something for what is revoked.
//   - What a reconciliation mends is an entry of type audit for twenty counters:
//     nobody's persona changes. The schedule mends nothing, and tells the same drift
//     each time that it finds it. A day that no report looks back on is no drift.
package persona

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Counted tells whether a user is in the base of the shares (P4): types
// general and capture.
func Counted(u directory.User) bool {
	return u.Type == authz.General || u.Type == authz.Capture
}

// Counts is the number of people by persona, NoPersona included.
type Counts [directory.PersonaCount]int

// Base is how many people were counted (P4).
func (c Counts) Base() int {
	n := 0
	for _, count := range c {
		n += count
	}
	return n
}

// Population is the counts of the users with exactly this set of locations
// (P8): sets, not locations, so that nobody is counted twice. OnTeam are those
// of them on the team of an item that is no draft, Seen those by the last day
// with a request of theirs.
type Population struct {
	Locations []string
	Counts    Counts
	OnTeam    Counts
	Seen      map[directory.Day]Counts
}

// Census is the counts of every set of locations as they were together, and
// the policy version in force then, so that it can be told whether a location
// tree belongs to them.
type Census struct {
	Policy      uint64
	Populations []Population
}

// Change is a user's next persona.
type Change struct {
	Before, After directory.User
	Entry         timeline.Entry
}

// Counter reads the counts (P8).
type Counter interface {
	// Census is the organization's counts at one moment; Unavailable.
	Census(ctx context.Context, organization string) (Census, error)
}

// Store is what the use case needs of storage. Errors: Unavailable, Conflict
// (fault.IsRaced when the basis changed).
type Store interface {
	Counter
	AuditHistory
	directory.BulkStore
	timeline.Store
	// PutAudit keeps an audit that was asked for, and its answer.
	PutAudit(ctx context.Context, basis directory.Basis, r Record, kept directory.Kept) error
	// PutPersona writes user, counts and entry in one transaction (P8, T1).
	PutPersona(ctx context.Context, basis directory.Basis, change Change) error
}
