package directory

import (
	"context"
	"errors"
	"strings"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Standing is how an account stands in the user pool: its id there, whether its
// owner has a password of their own yet, and whether it lets anybody in. It has
// no name of its own, so that an adapter can answer it without knowing us.
type Standing = struct {
	Sub, Email         string
	Confirmed, Enabled bool
}

// Pool is the user pool. Errors: Unavailable; Unprocessable account_refused for
// what it does not take. Every call may be repeated.
type Pool interface {
	// Find is the account of this name; false when there is none.
	Find(ctx context.Context, username string) (Standing, bool, error)
	// Invite opens an account, for which the pool mails a temporary password; made
	// is false, and nothing was mailed, when there is one of this name.
	Invite(ctx context.Context, username, email string) (sub string, made bool, err error)
	// InviteAgain mails a new temporary password; the one before is void.
	InviteAgain(ctx context.Context, username string) error
	// SetEmail makes this the account's address, none when it is empty.
	SetEmail(ctx context.Context, username, email string) error
	Enable(ctx context.Context, username string) error
	Disable(ctx context.Context, username string) error
}

// EnableSignIn gives the user a sign-in, or the one back that was disabled, and
// answers the user as it then is: invited until its owner has a password of
// their own, else enabled. The pool comes first and the table after it: until
// the table says so nobody gets in, and R13 never rests on a sign-in that the
// pool does not have. So each crash leaves what a repetition finishes: an
// account that is nobody's is taken over, and its owner invited anew.
//
// Errors: Denied in a session (I6); Stale; Unprocessable sign_in_not_allowed,
// email_needed, account_refused; Conflict sign_in_taken; Unavailable, raced.
func (p *Users) EnableSignIn(ctx context.Context, c Caller, user string, pre Precondition) (User, error) {
	u := c.Users[user]
	if err := signInChangeable(c, u, pre); err != nil {
		return User{}, err
	}
	switch {
	case !u.Type.SignsIn():
		return User{}, fault.New(fault.Unprocessable, "sign_in_not_allowed", "Users of this type do not sign in: only general, capture and wallboard users do.")
	case u.Sub == "" && u.Email == "":
		return User{}, emailNeeded()
	}
	account, touched, err := p.account(ctx, c.Organization.ID, u)
	if err != nil {
		return User{}, err
	}
	after := u
	after.Sub, after.SignIn = account.Sub, Enabled
	if !account.Confirmed {
		after.SignIn = Invited
	}
	if after.Sub != u.Sub || after.SignIn != u.SignIn {
		// Whoever disabled it before may still be about to tell the pool.
		after.Untold = u.Sub != ""
		if after, err = p.save(ctx, c, u, after, signInEntry(c, u, after)); err != nil {
			return User{}, err
		}
	} else if touched {
		after.Untold = true
	}
	return after, p.Settle(ctx, c.Organization.ID, after)
}

// DisableSignIn takes the user's sign-in away and answers the user as it then
// is. The table comes first: from its change on every request is refused,
// whether the pool could be told or not, and a repetition tells it.
//
// Errors: Denied in a session (I6); Stale; NotFound for a user without a
// sign-in; Unprocessable last_full_administrator (R13); Unavailable, raced.
func (p *Users) DisableSignIn(ctx context.Context, c Caller, user string, pre Precondition) (User, error) {
	u := c.Users[user]
	if err := signInChangeable(c, u, pre); err != nil {
		return User{}, err
	}
	if u.Sub == "" {
		return User{}, fault.New(fault.NotFound, "not_found", "")
	}
	after := u
	after.SignIn, after.Untold = Disabled, true
	if u.SignIn != Disabled {
		var err error
		if after, err = p.save(ctx, c, u, after, signInEntry(c, u, after)); err != nil {
			return User{}, err
		}
	}
	return after, p.Settle(ctx, c.Organization.ID, after)
}

// signInChangeable refuses a session, and a user that changed since the caller
// looked.
func signInChangeable(c Caller, u User, pre Precondition) error {
	if c.Session != "" {
		return credentialsInSession()
	}
	return pre.Heed(u.Version)
}

func emailNeeded() error {
	return fault.New(fault.Unprocessable, "email_needed", "The invitation to sign in goes to the user's e-mail address, and the user has none.")
}

// signInEntry is the entry of another state of the sign-in.
func signInEntry(c Caller, before, after User) timeline.Entry {
	action := map[SignIn]string{Invited: "invite", Enabled: "enable", Disabled: "disable"}[after.SignIn]
	entry := c.Entry(timeline.SignIn, action, timeline.Target{Type: "user", ID: after.ID})
	entry.Before, entry.After = timeline.Values{"signIn": before.SignIn.String()}, timeline.Values{"signIn": after.SignIn.String()}
	return entry
}

// account is the account of the user's name, opened or found, that lets its
// owner in; touched tells whether one that was found had to be changed.
func (p *Users) account(ctx context.Context, organization string, u User) (account Standing, touched bool, err error) {
	account, found, err := p.pool.Find(ctx, u.Username)
	if err != nil {
		return Standing{}, false, err
	}
	if !found {
		if u.Email == "" {
			return Standing{}, false, emailNeeded()
		}
		sub, made, err := p.pool.Invite(ctx, u.Username, u.Email)
		if err != nil || made {
			return Standing{Sub: sub, Email: u.Email, Enabled: true}, false, err
		}
		if account, found, err = p.pool.Find(ctx, u.Username); err != nil || !found {
			return Standing{}, false, fault.Wrap(fault.Unavailable, "sign_in_unavailable", errors.Join(err, errors.New("an account that comes and goes")))
		}
	}
	if account.Sub != u.Sub {
		if err := p.free(ctx, organization, u, account); err != nil {
			return Standing{}, false, err
		}
	}
	touched, err = p.reopen(ctx, u, account)
	return account, touched, err
}

// free refuses an account of the user's name that is somebody else's, by the
// table or for all that can be told: who has a password of an account at
// another address may be anybody.
func (p *Users) free(ctx context.Context, organization string, u User, account Standing) error {
	of, owner, err := p.store.SignIn(ctx, account.Sub)
	switch {
	case err != nil && !fault.Is(err, fault.Unauthenticated):
		return err
	case err == nil && (of != organization || owner != u.ID), account.Confirmed && !strings.EqualFold(account.Email, u.Email):
		return fault.New(fault.Conflict, "sign_in_taken", "The user pool has an account of this username that belongs to somebody else.")
	}
	return nil
}

// reopen makes an account that was found the user's: at the user's address and
// enabled. One that was nobody's may have been mailed to anybody: its owner is
// invited anew before the table lets anybody in by it.
func (p *Users) reopen(ctx context.Context, u User, account Standing) (touched bool, err error) {
	if account.Email != u.Email && u.Email != "" {
		touched, err = true, p.pool.SetEmail(ctx, u.Username, u.Email)
	}
	if err == nil && !account.Enabled {
		touched, err = true, p.pool.Enable(ctx, u.Username)
	}
	if err == nil && !account.Confirmed && u.Email != "" && account.Sub != u.Sub {
		touched, err = true, p.pool.InviteAgain(ctx, u.Username)
	}
	return touched, err
}

// settleAttempts bounds how often the pool is told anew because the user moved
// on meanwhile.
const settleAttempts = 8

// Settle tells the pool what the table says of a user, if it has not been told.
// Two who change a user at once tell the pool in any order, so whoever told it
// looks whether that is still what the table says, and else tells again: the
// last word is the table's.
func (p *Users) Settle(ctx context.Context, organization string, u User) error {
	if !u.Untold {
		return nil
	}
	for range settleAttempts {
		if err := p.tell(ctx, u); err != nil {
			return fault.Wrap(fault.Unavailable, "sign_in_unavailable", err)
		}
		if told, err := p.store.Told(ctx, organization, u); err != nil || told {
			return err
		}
		now, err := p.store.Load(ctx, organization, Keys{Users: []string{u.ID}})
		if err != nil {
			return err
		}
		u = now.Users[u.ID]
	}
	return fault.Wrap(fault.Unavailable, "busy", errors.New("the user does not come to rest"))
}

// tell makes the pool's account be as the table has it, and invites its owner
// anew who has no password of their own: the last invitation went to another
// address or is over. An account that is gone, or has become another, is left to
// the next EnableSignIn.
func (p *Users) tell(ctx context.Context, u User) error {
	account, found, err := p.pool.Find(ctx, u.Username)
	if err != nil || !found || account.Sub != u.Sub {
		return err
	}
	switch {
	case account.Enabled && !u.SignIn.Usable():
		err = p.pool.Disable(ctx, u.Username)
	case !account.Enabled && u.SignIn.Usable():
		err = p.pool.Enable(ctx, u.Username)
	}
	if err == nil && account.Email != u.Email {
		err = p.pool.SetEmail(ctx, u.Username, u.Email)
	}
	if err == nil && u.SignIn == Invited && !account.Confirmed && u.Email != "" {
		err = p.pool.InviteAgain(ctx, u.Username)
	}
	return err
}
