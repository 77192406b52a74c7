// Package fault is the closed set of ways in which a request can fail.
//
// It decides nothing but the vocabulary: a kind, a stable code, and words that
// a client may read. It refuses to know HTTP (package api turns kinds into
// problem documents) and storage. What wraps an internal cause keeps it for
// the log alone; Error() tells it, Detail never does.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a failure. The zero value is Internal and tells a
// client nothing.
type Kind uint8

// The kinds. Denied is a no to somebody who may know of the thing, NotFound
// a no to somebody who may not (T4).
const (
	Internal Kind = iota
	Invalid
	Unprocessable
	Unauthenticated
	Denied
	NotFound
	Conflict
	Stale
	Unconditional
	TooMany
	Unavailable
	KindCount
)

var kindNames = [KindCount]string{
	"internal", "invalid", "unprocessable", "unauthenticated", "denied", "not_found",
	"conflict", "stale", "unconditional", "too_many", "unavailable",
}

// String is the kind's name, as logs show it.
func (k Kind) String() string {
	if k < KindCount {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Problem is one fault of an input: where (a JSON pointer, RFC 6901; empty is
// the whole document) and the rule that it breaks, in words.
type Problem struct {
	Pointer string
	Detail  string
}

// Use is what is in the way of a deletion: things of one kind that use what
// would go, some of them by their ids. More tells that there are more of them
// than were counted.
type Use struct {
	Kind  string
	Count int
	More  bool
	IDs   []string
}

// Error is a failure. Code is stable and becomes urn:problem:<code>; Detail,
// Problems and Uses are for the client; RetryAfter goes with TooMany.
type Error struct {
	Kind       Kind
	Code       string
	Detail     string
	Problems   []Problem
	Uses       []Use
	RetryAfter time.Duration
	cause      error
}

// New is a failure of a kind with its code and words for the client.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Wrap is a failure whose cause is for the log alone.
func Wrap(kind Kind, code string, cause error) *Error {
	return &Error{Kind: kind, Code: code, cause: cause}
}

// Faulty is Invalid or Unprocessable input with all of its faults, or nil
// when there are none.
func Faulty(kind Kind, code string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &Error{Kind: kind, Code: code, Detail: problems[0].Detail, Problems: problems}
}

// Error tells all, the cause included: for logs, never for clients.
func (e *Error) Error() string {
	text := e.Kind.String() + ": " + e.Code
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.cause != nil {
		text += fmt.Sprintf(": %v", e.cause)
	}
	return text
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.cause }

// Of is the *Error in err's chain; anything else is Internal.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Wrap(Internal, "internal", err)
}

// Is tells whether err is of this kind.
func Is(err error, kind Kind) bool { return err != nil && Of(err).Kind == kind }

// Raced is the conflict of a write whose basis changed between decision and
// commit: whoever gets it reads, decides and tries again.
const Raced = "raced"

// IsRaced tells whether err is a conflict that a new decision can resolve.
func IsRaced(err error) bool { return Is(err, Conflict) && Of(err).Code == Raced }
