package importer

import (
	"context"
	"errors"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

const (
	// margin is what must be left of a request's time for one more batch and the
	// answer.
	margin = 4 * time.Second
	// mostFailures bounds how often the table may fail before the rest is left to a
	// repetition.
	mostFailures = 3
	// mostWindow bounds the units that are read for at once, which are twice as many
	// as became of the last reading: many may be unchanged, and take nothing of a
	// transaction.
	mostWindow = 64
)

// some does as many of the units as become in one transaction, one at least,
// and is how many those are.
func (r *run) some(ctx context.Context, units []Unit) int {
	if ctx.Err() != nil || directory.Late(ctx, margin) {
		return r.leave(units, fault.Wrap(fault.Unavailable, "busy", errors.New("the time is over")))
	}
	known := len(r.results)
	n, err := r.batch(ctx, units[:min(r.window, len(units))])
	r.window = min(mostWindow, 2*n+4)
	switch {
	case n == 0 && err == nil && len(r.results) > known:
		return 0 // some of a circle became, and the rest of it takes another transaction
	case n == 0 && err == nil:
		return r.leave(units, fault.Wrap(fault.Unavailable, "busy", errors.New("the first unit fits into no transaction")))
	case n == 0:
		return r.leave(units, err)
	case fault.Is(err, fault.Unavailable):
		if r.failures++; r.failures == mostFailures {
			n = len(units)
		}
		return r.leave(units[:n], err)
	case err != nil && n > 1:
		// Which of them it was does not matter: alone, each tells for itself.
		n = 1
		_, err = r.batch(ctx, units[:n])
	}
	if err != nil {
		return r.leave(units[:n], err)
	}
	return n
}

// leave notes why units change nothing, and is how many. A user whom an earlier
// attempt changed is left too when that may pass: whether the pool was told of
// them was not seen.
func (r *run) leave(units []Unit, err error) int {
	for _, u := range units {
		for _, p := range u.Places {
			result, done := r.results[p]
			if !done || p.Kind == User && result.Err == nil && outcomeOf(err) == Unreached {
				r.refuse(p, err)
			}
		}
	}
	return len(units)
}

// batch decides units from the first on, as many as one transaction takes, and
// commits them; raced, it decides anew. It is how many it tried: none when the
// caller may not go on.
func (r *run) batch(ctx context.Context, units []Unit) (n int, err error) {
	err = directory.Anew(ctx, func() (err error) {
		n, err = r.try(ctx, units)
		return err
	})
	return n, err
}

// try is one attempt of batch.
func (r *run) try(ctx context.Context, units []Unit) (n int, err error) {
	users, asked := r.reads(units)
	c, err := r.caller.Again(ctx, directory.Keys{Users: users})
	if err != nil {
		return 0, err
	}
	found, err := r.service.table.About(ctx, c.Organization.ID, asked)
	if err != nil {
		return 0, err
	}
	s := r.stageFor(c, asked, found)
	if err := s.mayImport(ctx); err != nil {
		return 0, err
	}
	results := map[Place]Result{}
	for _, u := range units {
		fits, err := s.unit(ctx, u, results)
		if err != nil {
			return n + 1, err
		}
		if !fits {
			break
		}
		if n++; s.ends {
			break
		}
	}
	if err := s.commit(ctx, units[:n], results); err != nil {
		return n, err
	}
	for p, result := range results {
		r.results[p] = result
	}
	return n, nil
}

// reads is what deciding units needs to know beside the policy: the users that
// they make or name to the caller, and what else they are about.
func (r *run) reads(units []Unit) (users []string, asked Asked) {
	w := r.world
	for _, u := range units {
		for _, p := range u.Places {
			switch p.Kind {
			case Organization:
				users = append(users, w.Organization.Settings.Impersonation.Observers...)
			case Location:
				asked.Places = append(asked.Places, w.Locations[p.Index].Ref())
			case Workflow:
				asked.Places = append(asked.Places, w.Workflows[p.Index].Ref())
			case Template:
				asked.Places = append(asked.Places, w.Templates[p.Index].Ref())
			case Role:
				asked.Roles = append(asked.Roles, w.Roles[p.Index].ID)
				asked.RoleNames = append(asked.RoleNames, w.Roles[p.Index].Name)
			case User:
				users = append(users, w.Users[p.Index].ID)
				asked.Usernames = append(asked.Usernames, w.Users[p.Index].Username)
			case Item:
				asked.Items = append(asked.Items, w.Items[p.Index].ID)
			}
		}
	}
	return users, asked
}

// mayImport is the import's own right, which may be lost on the way.
func (s *stage) mayImport(ctx context.Context) error {
	whole := s.whole()
	d := s.caller.Decide(authz.AdministerSystem, whole)
	if d.Allowed {
		return nil
	}
	if !s.run.dry {
		if err := s.Table.Record(ctx, whole.ID, s.caller.Denied(authz.AdministerSystem, whole, d.Reason.String())); err != nil {
			return err
		}
	}
	return s.caller.Refusal(authz.AdministerSystem, whole, d)
}

// commit writes what is held back of units, and tells the pool and the timeline
// what follows from it.
func (s *stage) commit(ctx context.Context, units []Unit, results map[Place]Result) error {
	if !s.change.empty() {
		s.change.Kept = s.keep(results)
		if err := s.Table.PutImported(ctx, s.loaded.Basis(), s.loaded.Subject.ID, s.change, s.run.dry); err != nil {
			return err
		}
	}
	if s.run.dry {
		s.run.memory = s.run.memory.and(s.over, s.change)
		return nil
	}
	s.settle(ctx, units, results)
	s.recordDenied(ctx, results)
	return nil
}

// settle tells the pool what the table says of the units' users, also what an
// earlier change could not, or an earlier attempt of the request. One of whom it
// cannot be told says so: the next import, or change, tells it.
func (s *stage) settle(ctx context.Context, units []Unit, results map[Place]Result) {
	for _, unit := range units {
		for _, p := range unit.Places {
			r, decided := results[p]
			if !decided {
				r = s.run.results[p] // an earlier attempt's, or refused before
			}
			if p.Kind != User || r.Err != nil {
				continue
			}
			if u := s.caller.Users[s.run.world.ID(p)]; u.Untold {
				if err := s.run.service.users.Settle(ctx, s.caller.Organization.ID, u); err != nil {
					results[p] = failed(p, err)
				}
			}
		}
	}
}

// recordDenied writes down what was denied. An entry of which that fails was
// not answered.
func (s *stage) recordDenied(ctx context.Context, results map[Place]Result) {
	for _, a := range s.denied {
		if err := s.Table.Record(ctx, s.caller.Organization.ID, a.entry); err != nil {
			results[a.place] = failed(a.place, err)
		}
	}
}
