package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// This file is requests that change many users by rows, each decided by itself:
// a refused row changes nothing, is an entry if it was denied (T1), and the others
// are done.

// Turned is a user who becomes another.
type Turned struct{ Before, After User }

// Changes are many users' next states with their entries, those of denied rows
// included, written together. Guard is R13's guard as it was read, nil when the
// changes cannot lose a full administrator.
type Changes struct {
	Users   []Turned
	Entries []timeline.Entry
	Kept    Kept
	Guard   *uint64
}

// BulkStore is what doing rows needs of storage. Errors: Unavailable, Conflict
// (fault.IsRaced when the basis changed).
type BulkStore interface {
	// PutUsers writes many users, all or none; the answer is kept for the subject.
	PutUsers(ctx context.Context, basis Basis, subject string, changes Changes) error
	// Fits is Unprocessable when the user would take more than may be kept.
	Fits(u User) error
	// Answered is the first answer to an idempotency key (T3).
	Answered(ctx context.Context, organization, user, hash string, now time.Time) (Kept, bool, error)
}

// Outcome is what became of a row: a result, or why there is none.
type Outcome[Row, Result any] struct {
	Row    Row
	Result Result
	Err    error
}

// Bulk does the rows of a request.
type Bulk[Row, Result any] struct {
	Store BulkStore
	// Most is how many rows one transaction takes.
	Most int
	// User is whom a row is about.
	User func(Row) string
	// Do decides a row and does it, in memory. What it finds Unprocessable, Denied or
	// NotFound is the row's own problem, any other failure the request's.
	Do func(context.Context, *Unit, Row) (Result, error)
	// Encode turns the outcomes of some rows into the answer to keep.
	Encode func([]Outcome[Row, Result]) []byte
}

// bulkReserve is the time before the function's end in which no unit is begun.
const bulkReserve = 2 * time.Second

// All does the rows. Those of one user are done in their order, and a row knows
// what those before it changed, also of the caller's own rights. The answer is
// Encode's for each unit of rows, in whatever order; of a repeated request it is
// the first one, as far as that came (T3).
//
// Unavailable when there is no time for all of it: what was done stays, and a
// repetition with the same key goes on from there.
func (b Bulk[Row, Result]) All(ctx context.Context, c Caller, rows []Row) ([][]byte, error) {
	var answers [][]byte
	repeated := c.Once.Key != ""
	for n, unit := range b.units(rows) {
		if Late(ctx, bulkReserve) {
			return nil, fault.Wrap(fault.Unavailable, "busy", errors.New("no time is left for all rows"))
		}
		answer, found, err := b.unit(ctx, c, c.Once.Part(n), unit, repeated)
		if err != nil {
			return nil, err
		}
		answers, repeated = append(answers, answer), found
	}
	return answers, nil
}

// units cuts rows into those that are done whole: by user, in the order of the
// first row of each, and the rows of one user in theirs. They follow from the
// rows alone, so that a repeated request has the same.
func (b Bulk[Row, Result]) units(rows []Row) [][]Row {
	first := map[string]int{}
	for _, r := range rows {
		if _, seen := first[b.User(r)]; !seen {
			first[b.User(r)] = len(first)
		}
	}
	ordered := slices.Clone(rows)
	slices.SortStableFunc(ordered, func(x, y Row) int { return first[b.User(x)] - first[b.User(y)] })
	return slices.Collect(slices.Chunk(ordered, b.Most))
}

// unit does some rows, or finds that they were done for this key; repeated
// tells that this has to be looked for.
func (b Bulk[Row, Result]) unit(ctx context.Context, c Caller, once Once, rows []Row, repeated bool) ([]byte, bool, error) {
	var answer []byte
	found := false
	err := Anew(ctx, func() (err error) {
		if repeated {
			if answer, found, err = b.answered(ctx, c, once); err != nil || found {
				return err
			}
		}
		answer, err = b.attempt(ctx, c, once, rows)
		repeated = once.Key != "" // raced, perhaps by the same request
		return err
	})
	return answer, found, err
}

// answered is a unit's first answer, if there is one.
func (b Bulk[Row, Result]) answered(ctx context.Context, c Caller, once Once) ([]byte, bool, error) {
	kept, found, err := b.Store.Answered(ctx, c.Organization.ID, c.Subject.ID, once.Key, c.At)
	if found {
		err = kept.Answers(once.Request)
	}
	return kept.Answer, found, err
}

// attempt reads, decides and writes some rows once.
func (b Bulk[Row, Result]) attempt(ctx context.Context, c Caller, once Once, rows []Row) ([]byte, error) {
	var needs Keys
	for _, r := range rows {
		needs.Users = append(needs.Users, b.User(r))
	}
	c, err := c.Again(ctx, needs)
	if err != nil {
		return nil, err
	}
	u := Unit{Caller: c, before: c.Users}
	u.Users = maps.Clone(c.Users)
	outcomes := make([]Outcome[Row, Result], len(rows))
	for i, r := range rows {
		result, err := b.Do(ctx, &u, r)
		if err != nil && !ofRow(err) {
			return nil, err
		}
		outcomes[i] = Outcome[Row, Result]{r, result, err}
	}
	changes := Changes{Users: u.turned(), Entries: u.entries, Guard: u.guard}
	answer := b.Encode(outcomes)
	if once.Key != "" {
		changes.Kept = Kept{Key: once.Key, Request: once.Request, Answer: answer}
	}
	if len(changes.Entries) == 0 && once.Key == "" {
		return answer, nil
	}
	return answer, b.Store.PutUsers(ctx, c.Basis(), c.Subject.ID, changes)
}

// ofRow tells a failure that is the row's own from one of the whole.
func ofRow(err error) bool {
	switch fault.Of(err).Kind {
	case fault.Unprocessable, fault.Denied, fault.NotFound:
		return true
	}
	return false
}

// Unit is rows on their way: the caller with everybody as they will be, whoever
// they were before, and what tells of it.
type Unit struct {
	Caller
	before  map[string]User
	changed []string
	entries []timeline.Entry
	guard   *uint64
}

// Deny notes that a row was denied, for what cause (T1).
func (u *Unit) Deny(action authz.Action, target authz.Resource, cause string) {
	u.entries = append(u.entries, u.Denied(action, target, cause))
}

// Allowed decides a row's own right. The no is that of the row's own call (T4),
// and is noted.
func (u *Unit) Allowed(action authz.Action, target authz.Resource) error {
	d := u.Decide(action, target)
	if d.Allowed {
		return nil
	}
	u.Deny(action, target, d.Reason.String())
	return u.Refusal(action, target, d)
}

// KeepAdministrator is R13 for everybody as they will be after a row.
func (u *Unit) KeepAdministrator(ctx context.Context, administrators Administrators, after User) error {
	if !LosesAdministration(u.Model, u.Users[after.ID], after) {
		return nil
	}
	changed := map[string]User{}
	for _, id := range u.changed {
		changed[id] = u.Users[id]
	}
	changed[after.ID] = after
	guard, err := KeepAdministratorAmong(ctx, administrators, u.Organization.ID, u.Model, changed)
	if err == nil && u.guard == nil {
		u.guard = guard
	}
	return err
}

// Become makes a user one who decides and is decided about by the rows to come,
// and notes the entry that tells of it.
func (u *Unit) Become(after User, entry timeline.Entry) {
	if !slices.Contains(u.changed, after.ID) {
		u.changed = append(u.changed, after.ID)
	}
	u.Users[after.ID] = after
	if u.Subject.ID == after.ID {
		u.Subject = after
	}
	if u.Actor.ID == after.ID {
		u.Actor = after
	}
	u.entries = append(u.entries, entry)
}

// turned are the users who changed, before and after.
func (u *Unit) turned() []Turned {
	var all []Turned
	for _, id := range u.changed {
		all = append(all, Turned{Before: u.before[id], After: u.Users[id]})
	}
	return all
}
