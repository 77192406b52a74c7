package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// PutUser writes a user's next state: one TransactWriteItems with the user, all
// that stands beside it, the sign-in if it is new, and the entry. Errors:
// Conflict username_taken, sign_in_taken, raced; Unprocessable too_large.
func (s *Store) PutUser(ctx context.Context, basis directory.Basis, c directory.UserChange) error {
	o := basis.Organization
	t := s.begin()
	t.writeUser(o, c.Before, c.After)
	t.writeSignIn(o, c.Before, c.After)
	t.guard(o, c.Guard)
	t.record(o, c.Entry)
	t.rest(basis)
	return t.commit(ctx)
}

// writeSignIn says whose a sub is, in the change that gives it to the user.
func (t *transaction) writeSignIn(o string, before, after directory.User) {
	if after.Sub == "" || after.Sub == before.Sub {
		return
	}
	// A user who comes back to an earlier account finds it their own.
	mine := expression.Name("organization").Equal(expression.Value(o)).And(expression.Name("user").Equal(expression.Value(after.ID)))
	t.put(signInKey(after.Sub), signedIn{Organization: o, User: after.ID}, absent.Or(mine),
		fault.New(fault.Conflict, "sign_in_taken", "This sign-in belongs to another user."))
}

// Told takes the note away that the pool is still to be told what this version
// of the user says; false when the user has moved on since. It is no change that
// anybody sees, so the version stays.
func (s *Store) Told(ctx context.Context, organization string, u directory.User) (bool, error) {
	t := s.begin()
	for _, k := range []key{userKey(organization, u.ID), directoryKey(organization, u.ID)} {
		t.update(k, expression.Remove(expression.Name("untold")), versionIs(u.Version), raced())
	}
	err := t.commit(ctx)
	if fault.IsRaced(err) {
		return false, nil
	}
	return err == nil, err
}
