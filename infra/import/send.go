package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gemba/shared/importer"
)

// sender makes the calls of an import and accounts for every entry.
type sender struct {
	source   *source
	api      *client
	state    *state // nil in a dry run, which has nothing to go on with
	progress progress
	dry      bool
	pause    time.Duration
	counted  map[importer.Place]bool
	account  account
}

// errCut is an import that was told to stop.
var errCut = errors.New("interrupted: run this again, it goes on where it stopped")

// errToken is a token that is no longer one.
var errToken = errors.New("the token is not valid any more: run this again with a new one, it goes on where it stopped")

// send makes the calls that have not been made.
func (s *sender) send(ctx context.Context, calls []call) error {
	for _, c := range calls {
		done, made := account{}, false
		if s.state != nil {
			done, made = s.state.done[c.name()]
		}
		if !made {
			var err error
			if done, err = s.make(ctx, c); err != nil {
				s.account.sum(done)
				return err
			}
			if s.state != nil {
				if err := s.state.keep(c, done); err != nil {
					return err
				}
			}
		}
		s.account.sum(done)
		s.progress.step(done.all())
	}
	return nil
}

// mostRounds bounds how often what a call did not get to is sent again.
const mostRounds = 20

// make makes a call, and again with those of its entries that it did not get
// to, until none is left.
func (s *sender) make(ctx context.Context, c call) (account, error) {
	var done account
	for round := 0; ; round++ {
		results, err := s.api.imports(ctx, c.body, s.key(c), s.dry)
		if err != nil {
			return done, told(err)
		}
		left, err := s.take(c, results, &done)
		if err != nil || len(left) == 0 {
			return done, err
		}
		if round == mostRounds {
			return done, fmt.Errorf("%d of the entries are not reached: run this again later, it goes on where it stopped", len(left))
		}
		select {
		case <-ctx.Done():
			return done, errCut
		case <-time.After(s.pause):
		}
		c = s.source.call(left)
	}
}

func (s *sender) key(c call) string {
	if s.state == nil {
		return ""
	}
	return s.state.key(c)
}

// told is a failed call in words of the person at the command line.
func told(err error) error {
	var f *failure
	if errors.As(err, &f) && f.Status == http.StatusUnauthorized {
		return errToken
	}
	if errors.Is(err, context.Canceled) {
		return errCut
	}
	return err
}

// take accounts for a call's results; left are the entries that it did not
// get to. An answer that is not about exactly what was sent is none.
func (s *sender) take(c call, results []result, done *account) (left []importer.Place, err error) {
	if len(results) != len(c.entries) {
		return nil, fmt.Errorf("the answer tells of %d entries, %d were sent", len(results), len(c.entries))
	}
	for _, r := range results {
		e, ok := c.entries[r.Pointer]
		switch {
		case !ok:
			return nil, fmt.Errorf("the answer tells of %s, which was not sent", r.Pointer)
		case r.Problem != nil && r.Problem.passes():
			left = append(left, e.place)
			continue
		case s.counted[e.place]:
			continue
		}
		s.counted[e.place] = true
		if r.Problem != nil {
			done.refuse(e.refusals(r))
			continue
		}
		done.count(e.place.Kind, r.Result)
	}
	return left, nil
}

// passes is whether an entry's problem is none of its own, as the API counts
// what was not reached: it may be sent again.
func (f *failure) passes() bool {
	return f.Status >= http.StatusInternalServerError || f.Status == http.StatusTooManyRequests
}

// refusals are why the API refused an entry, by the places of the file.
func (e sent) refusals(r result) []refusal {
	kind := e.place.Kind.String()
	code := strings.TrimPrefix(r.Problem.Type, "urn:problem:")
	if len(r.Problem.Errors) == 0 {
		why := r.Problem.Detail
		if why == "" {
			why = r.Problem.Title
		}
		return []refusal{{kind, e.id, e.where.String(), e.where.String(), fmt.Sprintf("%s (%s)", why, code)}}
	}
	var list []refusal
	for _, fault := range r.Problem.Errors {
		at := e.where.member(strings.TrimPrefix(fault.Pointer, r.Pointer))
		list = append(list, refusal{kind, e.id, e.where.String(), at, fmt.Sprintf("%s (%s)", fault.Detail, code)})
	}
	return list
}
