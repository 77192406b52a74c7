package impersonation

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// freshness is how old a sign-in may be that stands for a password (I2).
const freshness = 60 * time.Second

// Credentials are what somebody says is their own.
type Credentials struct{ Username, Password string }

// SignIn is the sign-in that the caller's token tells of: whose it is, when it
// was, and what it is known by, which a refresh keeps. A zero At is a token
// that does not say.
type SignIn struct {
	Sub, ID string
	At      time.Time
}

// SignInOf reads the claims of a verified token. A sign-in is known by its
// origin_jti, or by its time where the pool gives none.
func SignInOf(claims map[string]string) SignIn {
	s := SignIn{Sub: claims["sub"], ID: claims["origin_jti"]}
	if seconds, err := strconv.ParseInt(claims["auth_time"], 10, 64); err == nil && seconds > 0 {
		s.At = time.Unix(seconds, 0)
	}
	if s.ID == "" {
		s.ID = "auth_time " + claims["auth_time"]
	}
	return s
}

// proves tells whether the sign-in is the actor's and at most 60 seconds old;
// one in the future is none (I2).
func (s SignIn) proves(actor directory.User, now time.Time) bool {
	return s.Sub != "" && s.Sub == actor.Sub && !s.At.IsZero() && !s.At.After(now) && now.Sub(s.At) <= freshness
}

// Prover asks the pool whether a username and password open the account whose
// id is sub. An error is a pool that could not tell.
type Prover interface {
	Proof(ctx context.Context, username, password, sub string) (bool, error)
}

// prove is I2: it answers the sign-in that a start will use up, empty when a
// password was the proof.
func (s *Service) prove(ctx context.Context, c directory.Caller, r Request) (string, error) {
	if r.Credentials != nil {
		return "", s.provePassword(ctx, c, *r.Credentials)
	}
	attempts, err := s.store.Attempts(ctx, c.Organization.ID, c.Actor.ID)
	if err != nil {
		return "", err
	}
	if err := attempts.blocked(c.At); err != nil {
		return "", err
	}
	if !r.SignIn.proves(c.Actor, c.At) {
		return "", needed()
	}
	return r.SignIn.ID, nil
}

// wrongProof is the refusal of a wrong password, with how many attempts of the
// actor count with it.
type wrongProof struct {
	counted int
	error
}

// Unwrap is the refusal.
func (w wrongProof) Unwrap() error { return w.error }

// provePassword counts the attempt, asks the pool, and takes the attempt back
// unless the proof was wrong. An attempt whose end cannot be written stays
// counted.
func (s *Service) provePassword(ctx context.Context, c directory.Caller, given Credentials) error {
	attempt, counted, err := s.reserve(ctx, c.Organization.ID, c.Actor.ID, c.At)
	if err != nil {
		return err
	}
	proven, failed := false, error(nil)
	if strings.EqualFold(given.Username, c.Actor.Username) {
		proven, failed = s.prover.Proof(ctx, c.Actor.Username, given.Password, c.Actor.Sub)
	}
	wrong := !proven && failed == nil
	if err := s.settleAttempt(ctx, c.Organization.ID, c.Actor.ID, attempt, c.At, wrong); err != nil {
		return err
	}
	if wrong {
		return wrongProof{counted, fault.New(fault.Denied, "reauthentication_failed",
			"This is not your own username and password. If your sign-in asks for more than a password, sign in anew and start within 60 seconds.")}
	}
	return failed
}

// needed is the answer to a start without any proof.
func needed() error {
	return fault.New(fault.Denied, "reauthentication_needed",
		"Prove who you are: send your own username and password, or sign in anew and start within 60 seconds. A sign-in counts once.")
}
