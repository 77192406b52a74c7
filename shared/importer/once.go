package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// A repeated request is told what the first one was (T3). Its whole answer is
// kept at its end. For one that was cut each transaction keeps what became of
// its entries beside them, under the place of the first: which transaction an
// entry came into depended on much, so whoever repeats asks for every place.

// keptUnder is where a transaction keeps its outcomes whose first entry this is.
func keptUnder(once directory.Once, p Place) string {
	return fmt.Sprintf("%s.%s.%d", once.Key, p.Kind, p.Index)
}

// keep is what a transaction keeps of its entries, nothing without a key.
func (s *stage) keep(results map[Place]Result) directory.Kept {
	once := s.run.caller.Once
	changed := maps.Clone(results)
	maps.DeleteFunc(changed, func(_ Place, r Result) bool { return r.Outcome != Created && r.Outcome != Changed })
	if once.Key == "" || len(changed) == 0 {
		return directory.Kept{}
	}
	places := slices.SortedFunc(maps.Keys(changed), Place.compare)
	var text strings.Builder
	for _, p := range places {
		fmt.Fprintf(&text, "%d %d %d\n", p.Kind, p.Index, changed[p].Outcome)
	}
	return directory.Kept{Key: keptUnder(once, places[0]), Request: once.Request, Answer: []byte(text.String())}
}

// recall takes over what another attempt of the same request did: one that came
// before, and after all is done one that ran beside this, whose changes this
// one found made.
func (r *run) recall(ctx context.Context) error {
	once := r.caller.Once
	if once.Key == "" || r.dry {
		return nil
	}
	var keys []string
	for _, p := range r.world.Places() {
		keys = append(keys, keptUnder(once, p))
	}
	kept, err := r.service.table.AnsweredAll(ctx, r.caller.Organization.ID, r.caller.Subject.ID, keys, r.caller.At)
	if err != nil {
		return err
	}
	for _, answer := range kept {
		if err := answer.Answers(once.Request); err != nil {
			return err
		}
		for line := range strings.Lines(string(answer.Answer)) {
			var p Place
			var outcome Outcome
			if _, err := fmt.Sscan(line, &p.Kind, &p.Index, &outcome); err != nil {
				return fault.Wrap(fault.Internal, "answer", err)
			}
			if r.results[p].Outcome == Unchanged {
				r.results[p] = Result{Outcome: outcome}
			}
		}
	}
	return nil
}
