package role

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Row is one change of many: a role given, or taken back. Place is where it
// stands in the request.
type Row struct {
	Given
	Revoke bool
	Place  int
}

// Outcome is what became of a row: a result, or why there is none.
type Outcome struct {
	Row    Row
	Result Result
	Err    error
}

// Changes are many users' next states with their entries, those of denied rows
// included, written together. Guard as in Change.
type Changes struct {
	Users   []Turned
	Entries []timeline.Entry
	Kept    directory.Kept
	Guard   *uint64
}

const (
	// unitRows is how many rows one transaction of a hundred actions takes: eight
	// each, and six for what all rest on.
	unitRows = 11
	// unitReserve is the time before the function's end in which no unit is begun.
	unitReserve = 2 * time.Second
)

// units cuts rows into those that are done whole: by user, in the order of the
// first row of each, and the rows of one user in theirs. They follow from the
// rows alone, so that a repeated request has the same.
func units(rows []Row) [][]Row {
	first := map[string]int{}
	for _, r := range rows {
		if _, seen := first[r.User]; !seen {
			first[r.User] = len(first)
		}
	}
	ordered := slices.Clone(rows)
	slices.SortStableFunc(ordered, func(a, b Row) int { return first[a.User] - first[b.User] })
	return slices.Collect(slices.Chunk(ordered, unitRows))
}

// ChangeAll gives and takes roles row by row as Assign and Revoke do, each row
// decided by itself (R12): a refused one changes nothing, and is an entry (T1).
// The rows of one user are done in their order, and a row knows what those
// before it changed, also of the caller's own rights. The answer is encode's for
// each unit of rows, in whatever order; of a repeated request it is the first
// one, as far as that came (T3).
//
// Unavailable when there is no time for all of it: what was done stays, and a
// repetition with the same key goes on from there.
func (s *Service) ChangeAll(ctx context.Context, c directory.Caller, rows []Row, encode func([]Outcome) []byte) ([][]byte, error) {
	var answers [][]byte
	repeated := c.Once.Key != ""
	for n, unit := range units(rows) {
		if directory.Late(ctx, unitReserve) {
			return nil, fault.Wrap(fault.Unavailable, "busy", errors.New("no time is left for all rows"))
		}
		once := c.Once.Part(n)
		once.Encode = func(made any) []byte { return encode(made.([]Outcome)) }
		answer, found, err := s.unit(ctx, c, once, unit, repeated)
		if err != nil {
			return nil, err
		}
		answers, repeated = append(answers, answer), found
	}
	return answers, nil
}

// unit does some rows, or finds that they were done for this key; repeated
// tells that this has to be looked for.
func (s *Service) unit(ctx context.Context, c directory.Caller, once directory.Once, rows []Row, repeated bool) ([]byte, bool, error) {
	var answer []byte
	found := false
	err := directory.Anew(ctx, func() (err error) {
		if repeated {
			if answer, found, err = s.answered(ctx, c, once); err != nil || found {
				return err
			}
		}
		answer, err = s.attempt(ctx, c, once, rows)
		repeated = once.Key != "" // raced, perhaps by the same request
		return err
	})
	return answer, found, err
}

// answered is a unit's first answer, if there is one.
func (s *Service) answered(ctx context.Context, c directory.Caller, once directory.Once) ([]byte, bool, error) {
	kept, found, err := s.store.Answered(ctx, c.Organization.ID, c.Subject.ID, once.Key, c.At)
	if found {
		err = kept.Answers(once.Request)
	}
	return kept.Answer, found, err
}

// attempt reads, decides and writes some rows once.
func (s *Service) attempt(ctx context.Context, c directory.Caller, once directory.Once, rows []Row) ([]byte, error) {
	var needs directory.Keys
	for _, r := range rows {
		needs.Users = append(needs.Users, r.User)
	}
	c, err := c.Again(ctx, needs)
	if err != nil {
		return nil, err
	}
	b := bulk{Service: s, caller: c, before: maps.Clone(c.Users)}
	b.caller.Users = maps.Clone(c.Users)
	outcomes := make([]Outcome, len(rows))
	for i, r := range rows {
		result, err := b.row(ctx, r)
		if err != nil && !ofRow(err) {
			return nil, err
		}
		outcomes[i] = Outcome{r, result, err}
	}
	answer := once.Encode(outcomes)
	changes := Changes{Users: b.changes(), Entries: b.entries, Guard: b.guard}
	if once.Key != "" {
		changes.Kept = directory.Kept{Key: once.Key, Request: once.Request, Answer: answer}
	}
	if len(changes.Entries) == 0 && once.Key == "" {
		return answer, nil
	}
	return answer, s.store.PutAssignments(ctx, c.Basis(), c.Subject.ID, changes)
}

// ofRow tells a failure that is the row's own from one of the whole.
func ofRow(err error) bool {
	switch fault.Of(err).Kind {
	case fault.Unprocessable, fault.Denied, fault.NotFound:
		return true
	}
	return false
}

// bulk is a unit on its way: the caller with everybody as they will be, whoever
// they were before, and what tells of it.
type bulk struct {
	*Service
	caller  directory.Caller
	before  map[string]directory.User
	changed []string
	entries []timeline.Entry
	guard   *uint64
}

// row decides a row and does it, in memory.
func (b *bulk) row(ctx context.Context, r Row) (Result, error) {
	action := authz.GrantRole
	if r.Revoke {
		action = authz.RevokeRole
	}
	target := b.caller.UserTarget(r.User)
	target.Role = r.Role
	if d := b.caller.Decide(action, target); !d.Allowed {
		b.entries = append(b.entries, b.caller.Denied(action, target, d.Reason.String()))
		return Unchanged, b.caller.Refusal(action, target, d)
	}
	next, err := b.next(r)
	if err == nil && next.result != Unchanged {
		err = b.possible(ctx, next.after)
	}
	if fault.Is(err, fault.Denied) {
		b.entries = append(b.entries, b.caller.Denied(action, target, fault.Of(err).Code))
	}
	if err != nil || next.result == Unchanged {
		return Unchanged, err
	}
	b.become(next.after)
	b.entries = append(b.entries, next.entry)
	return next.result, nil
}

// next is the row's user after it.
func (b *bulk) next(r Row) (step, error) {
	target := b.caller.Users[r.User]
	if err := changeable(b.caller, target, directory.Precondition{}); err != nil {
		return step{}, err
	}
	if r.Revoke {
		return take(b.caller, target, r.Role)
	}
	return give(b.caller, target, r.Given)
}

// possible is whether a user may be so, but for the right to make them so: small
// enough to be kept, and R13.
func (b *bulk) possible(ctx context.Context, after directory.User) error {
	if err := b.store.Fits(after); err != nil {
		return err
	}
	return b.keepAdministrator(ctx, after)
}

// keepAdministrator is R13 for everybody as they will be after a row.
func (b *bulk) keepAdministrator(ctx context.Context, after directory.User) error {
	if !directory.LosesAdministration(b.caller.Model, b.caller.Users[after.ID], after) {
		return nil
	}
	changed := map[string]directory.User{}
	for _, id := range b.changed {
		changed[id] = b.caller.Users[id]
	}
	changed[after.ID] = after
	guard, err := directory.KeepAdministratorAmong(ctx, b.store, b.caller.Organization.ID, b.caller.Model, changed)
	if err == nil && b.guard == nil {
		b.guard = guard
	}
	return err
}

// become makes a user one who decides and is decided about by the rows to come.
func (b *bulk) become(after directory.User) {
	if !slices.Contains(b.changed, after.ID) {
		b.changed = append(b.changed, after.ID)
	}
	b.caller.Users[after.ID] = after
	if b.caller.Subject.ID == after.ID {
		b.caller.Subject = after
	}
	if b.caller.Actor.ID == after.ID {
		b.caller.Actor = after
	}
}

// changes are the users who changed, before and after.
func (b *bulk) changes() []Turned {
	var all []Turned
	for _, id := range b.changed {
		all = append(all, Turned{Before: b.before[id], After: b.caller.Users[id]})
	}
	return all
}
