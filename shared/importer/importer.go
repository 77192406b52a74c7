// Package importer is the use case of bringing a world, or a part of one, into
// an organization that is there.
//
// It decides in which order entries become (each after all that it names,
// whatever the document's order), what they become together in, and what an
// import is more than the calls of its entries: nothing. Each entry is decided
// by its own use case and needs its own call's right beside the import's; it
// is whole or it changes nothing, and is told of either way. It refuses to know
// HTTP and storage, and any rule about places, people or roles.
//
// Where the rules are silent:
//
//   - An entry is what its thing shall be, without If-Match: it makes what is not
//     there and changes what is. The same world twice changes nothing the second
//     time.
//   - What an entry of a user leaves out (e-mail, persona) stays as it is, so that
//     a list of people that does not know of it takes nothing away. Roles are
//     given and limited as they are listed and never taken: one that is not listed
//     stays held. version, signIn and since and by of a role count for nothing;
//     internal may be as it is and not otherwise (U1).
//   - A user's entry is one change: user, persona and roles in one transaction with
//     an entry of the timeline for each, all or nothing.
//   - A dry run is the same run over the same use cases, whose changes are
//     remembered instead of written; so its results are those of the run, if
//     nothing else changes meanwhile.
//   - What can only become together (roles that may grant each other) does, in one
//     transaction, so there is a bound to it. Locations in a circle are no forest
//     (U3): each of them is refused.
//   - An entry that was not got to in time, or rests on one that was not, says
//     unavailable, and nothing of it was done; or it is a user who was changed and
//     whose sign-in could not yet be told of it. It is safe to send again, and
//     sending it again tells it.
package importer

import (
	"context"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// MostEntries are those of one import.
const MostEntries = 500

// Outcome is what became of an entry.
type Outcome uint8

// The outcomes. Refused and Unreached entries changed nothing, but for an
// Unreached user whose change the pool could not be told of.
const (
	Unchanged Outcome = iota
	Created
	Changed
	Refused
	Unreached
	OutcomeCount
)

var outcomes = [OutcomeCount]string{"unchanged", "created", "changed", "refused", "unreached"}

// String is the outcome's word.
func (o Outcome) String() string {
	if o < OutcomeCount {
		return outcomes[o]
	}
	return ""
}

// Result is an entry with what became of it; Err is why it is not done.
// The pointers of its problems are into the whole document.
type Result struct {
	Place   Place
	ID      string
	Outcome Outcome
	Err     error
}

// Service is the use case over its store.
type Service struct {
	table Table
	users *directory.Users
}

// New is the use case; pool is told of e-mail addresses that change.
func New(table Table, pool directory.Pool) *Service {
	return &Service{table, directory.NewUsers(table, pool)}
}

// Import makes of each entry what it says, or tells why it does not, in the
// document's order; dry writes nothing. The caller has been allowed to import.
// As a whole it fails before anything is done, or with an idempotency key, whose
// repetition is told all: Unavailable, Unprocessable idempotency_key_reused.
func (s *Service) Import(ctx context.Context, c directory.Caller, w World, dry bool) ([]Result, error) {
	r := &run{service: s, caller: c, world: w, needs: w.Needs(), dry: dry, results: map[Place]Result{}, memory: newOverlay(), window: mostWindow / 4}
	r.refuseTwice()
	if err := r.recall(ctx); err != nil {
		return nil, err
	}
	units := r.world.Units()
	for len(units) > 0 {
		units = units[r.some(ctx, units):]
	}
	if err := r.recall(ctx); err != nil {
		return nil, err
	}
	results := make([]Result, 0, w.Entries())
	whole := true
	for _, p := range w.Places() {
		result := r.results[p]
		result.Place, result.ID = p, w.ID(p)
		whole = whole && result.Outcome != Unreached
		results = append(results, result)
	}
	if whole && !dry {
		s.keep(ctx, c, results)
	}
	return results, nil
}

// keep keeps the answer for a repeated request (T3). One that is too large, or
// cannot be kept now, is found again from what its entries did.
func (s *Service) keep(ctx context.Context, c directory.Caller, results []Result) {
	if kept := c.Once.Keep(results); kept.Key != "" {
		_ = s.table.Keep(ctx, c.Organization.ID, c.Subject.ID, kept)
	}
}

// run is one import on its way.
type run struct {
	service *Service
	caller  directory.Caller // as the request came in
	world   World
	needs   map[Place][]Place
	dry     bool
	results map[Place]Result
	memory  *overlay // what a dry run would have written
	window  int      // how many units are read for at once
	// failures is how often the table failed.
	failures int
}

// refuseTwice refuses what is there a second time: an entry is the whole of
// what its thing shall be.
func (r *run) refuseTwice() {
	first := map[name]Place{}
	for _, p := range r.world.Places() {
		n := name{p.Kind, r.world.ID(p)}
		if before, twice := first[n]; twice {
			r.refuse(p, fault.Faulty(fault.Unprocessable, "named_twice", []fault.Problem{{
				Pointer: p.Pointer() + "/id", Detail: "This " + p.Kind.String() + " is there already, at " + before.Pointer() + ".",
			}}))
			continue
		}
		first[n] = p
	}
}

// refuse notes why an entry changes nothing.
func (r *run) refuse(p Place, err error) { r.results[p] = Result{Outcome: outcomeOf(err), Err: err} }

// outcomeOf is what a failed entry is: what may pass was not reached, the rest
// is refused.
func outcomeOf(err error) Outcome {
	if kind := fault.Of(err).Kind; kind == fault.Unavailable || kind == fault.Internal || kind == fault.TooMany {
		return Unreached
	}
	return Refused
}
