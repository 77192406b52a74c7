package persona

import (
	"context"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Labelling is one change of many: the persona that a user shall have, NoPersona for
// none. Place is where it stands in the request.
type Labelling struct {
	User    string
	Persona directory.Persona
	Place   int
}

// Result is what became of a user's persona.
type Result uint8

// The results.
const (
	Unchanged Result = iota
	Changed
	ResultCount
)

var resultNames = [ResultCount]string{"unchanged", "changed"}

// String is the result's word.
func (r Result) String() string {
	if r < ResultCount {
		return resultNames[r]
	}
	return ""
}

// Labelled is what became of a row.
type Labelled = directory.Outcome[Labelling, Result]

// unitRows is how many rows one transaction of a hundred actions takes: at most
// seven each (the user and their copy in the directory, the counter of their
// locations, the entry and its copies for three people in a session), and five
// for what all rest on and the answer that is kept.
const unitRows = 13

// ChangeAll labels row by row as Label does, each row decided by itself (P2).
// Answers and errors are those of directory.Bulk.
func (s *Service) ChangeAll(ctx context.Context, c directory.Caller, rows []Labelling, encode func([]Labelled) []byte) ([][]byte, error) {
	return directory.Bulk[Labelling, Result]{
		Store: s.store, Most: unitRows, User: func(r Labelling) string { return r.User }, Do: s.row, Encode: encode,
	}.All(ctx, c, rows)
}

// row decides a row and does it, in memory.
func (s *Service) row(_ context.Context, u *directory.Unit, r Labelling) (Result, error) {
	if err := u.Allowed(authz.ChangePersona, u.UserTarget(r.User)); err != nil {
		return Unchanged, err
	}
	before := u.Users[r.User]
	if before.Persona == r.Persona {
		return Unchanged, nil
	}
	after, entry := labelled(u.Caller, before, r.Persona)
	if err := s.store.Fits(after); err != nil {
		return Unchanged, err
	}
	u.Become(after, entry)
	return Changed, nil
}

// labelled is a user with another persona, and the entry that tells of it (T1).
func labelled(c directory.Caller, u directory.User, to directory.Persona) (directory.User, timeline.Entry) {
	action, before, after := Told(u.Persona, to)
	entry := c.Entry(timeline.Persona, action, timeline.Target{Type: "user", ID: u.ID})
	entry.Before, entry.After = before, after
	u.Persona = to
	return u, entry
}

// Told is what an entry says of a persona that becomes another (P2, T1): the word
// for it, what was before and what is after.
func Told(from, to directory.Persona) (action string, before, after timeline.Values) {
	action = "change"
	switch directory.NoPersona {
	case from:
		action = "set"
	case to:
		action = "clear"
	}
	return action, label(from), label(to)
}

// label is a persona as the timeline tells it: null for none.
func label(p directory.Persona) timeline.Values {
	if p == directory.NoPersona {
		return timeline.Values{personaMember: nil}
	}
	return timeline.Values{personaMember: p.String()}
}

// personaMember is the member of a user that an entry of a persona is about.
const personaMember = "persona"
