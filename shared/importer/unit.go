package importer

import (
	"context"
	"errors"
	"maps"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// saved is a stage as it was before an entry, to go back to.
type saved struct {
	caller directory.Caller
	over   *overlay
	change Change
	share  float64
	ends   bool
}

func (s *stage) save() saved {
	before := saved{s.caller, s.over, s.change, s.share, s.ends}
	s.over = s.over.clone()
	s.caller.Users, s.caller.Items = maps.Clone(s.caller.Users), maps.Clone(s.caller.Items)
	return before
}

func (s *stage) restore(before saved) {
	s.caller, s.over, s.change, s.share, s.ends = before.caller, before.over, before.change, before.share, before.ends
}

// unit decides a unit's entries and holds back what they change. It does not
// fit when the transaction is full: then nothing of it was done.
func (s *stage) unit(ctx context.Context, u Unit, results map[Place]Result) (fits bool, err error) {
	switch {
	case s.settled(u, results):
		return true, nil
	case s.run.circular(u):
		for _, p := range u.Places {
			results[p] = failed(p, fault.Faulty(fault.Unprocessable, "invalid_location", []fault.Problem{{
				Pointer: "/parent", Detail: "Location " + s.run.world.ID(p) + " lies below itself: locations form a forest.",
			}}))
		}
		return true, nil
	default:
		return s.together(ctx, u, results)
	}
}

// settled is whether there is nothing to decide about a unit: an earlier
// attempt of the request did it, it was refused, or it rests on what was not
// got to.
func (s *stage) settled(u Unit, results map[Place]Result) bool {
	unreached := false
	left := slices.DeleteFunc(slices.Clone(u.Places), func(p Place) bool { _, known := s.run.results[p]; return known })
	for _, p := range left {
		unreached = unreached || slices.ContainsFunc(s.run.needs[p], func(named Place) bool {
			return results[named].Outcome == Unreached || s.run.results[named].Outcome == Unreached
		})
	}
	if unreached {
		s.refuseAll(Unit{Places: left}, results, fault.Wrap(fault.Unavailable, "unavailable", errors.New("it names what was not got to")))
	}
	return unreached || len(left) == 0
}

// circular is whether a unit's locations lie below themselves.
func (r *run) circular(u Unit) bool {
	for _, p := range u.Places {
		for _, named := range r.needs[p] {
			if p.Kind == Location && (len(u.Places) > 1 || named == p) {
				return true
			}
		}
	}
	return false
}

// together decides all entries of a unit, which become together or not at
// all. When one of them is refused, the others name what will not be, which
// each of them is told as by its own call.
func (s *stage) together(ctx context.Context, u Unit, results map[Place]Result) (fits bool, err error) {
	before, denied := s.save(), len(s.denied)
	if len(u.Places) > 1 {
		s.expect(u)
	}
	part, outcome, refused := Change{}, map[Place]Result{}, false
	for _, p := range u.Places {
		if _, done := s.run.results[p]; done {
			continue
		}
		result, err := s.entry(ctx, p)
		if fault.IsRaced(err) {
			return false, err
		}
		if errors.Is(err, errElsewhere) && s.share > 0 {
			s.restore(before)
			return false, nil
		}
		outcome[p], refused = result, refused || err != nil
		part = part.and(s.part)
	}
	if refused {
		s.restore(before)
		if len(u.Places) > 1 {
			s.denied = s.denied[:denied] // each is tried again
			return s.apart(ctx, u, results)
		}
		maps.Copy(results, outcome)
		return true, nil
	}
	share, err := s.Table.Share(s.loaded.Basis(), s.loaded.Subject.ID, part)
	switch {
	case err != nil:
		s.restore(before)
		s.refuseAll(u, results, err)
		return true, nil
	case share > 1:
		s.restore(before)
		s.refuseAll(u, results, fault.New(fault.Unprocessable, "too_much_at_once", "This changes more than one transaction can: split it."))
		return true, nil
	case s.share+share > 1:
		s.restore(before)
		return false, nil
	}
	s.change, s.share = s.change.and(part), s.share+share
	maps.Copy(results, outcome)
	return true, nil
}

// apart decides the entries of a circle each for itself.
func (s *stage) apart(ctx context.Context, u Unit, results map[Place]Result) (fits bool, err error) {
	for _, p := range u.Places {
		if fits, err := s.together(ctx, Unit{Places: []Place{p}}, results); err != nil || !fits {
			return fits, err
		}
	}
	return true, nil
}

// expect lets the roles of a circle name each other: they are there as far as
// being named goes, born with the version that is going to make them.
func (s *stage) expect(u Unit) {
	var expected authz.Change
	for _, p := range u.Places {
		r := s.run.world.Roles[p.Index].Role
		if _, exists := s.caller.Model.Role(r.ID); !exists {
			expected.Put.Roles = append(expected.Put.Roles, authz.Role{RoleRef: authz.RoleRef{ID: r.ID, Birth: s.caller.Policy + 1}, Name: r.Name})
		}
	}
	s.caller.Model = s.caller.Model.With(expected)
}

// refuseAll refuses all entries of a unit.
func (s *stage) refuseAll(u Unit, results map[Place]Result, err error) {
	for _, p := range u.Places {
		results[p] = failed(p, err)
	}
}

// entry decides one entry; what it changes is in part.
func (s *stage) entry(ctx context.Context, p Place) (Result, error) {
	s.part, s.at = Change{}, p
	outcome, err := s.decide(ctx, p)
	if err != nil {
		return failed(p, err), err
	}
	return Result{Outcome: outcome}, nil
}

// failed is an entry that changes nothing; its problems point into the whole
// document.
func failed(p Place, err error) Result {
	f := *fault.Of(err)
	f.Problems = nil
	for _, problem := range fault.Of(err).Problems {
		problem.Pointer = p.Pointer() + problem.Pointer
		f.Problems = append(f.Problems, problem)
	}
	return Result{Outcome: outcomeOf(&f), Err: &f}
}
