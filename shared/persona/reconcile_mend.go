package persona

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

const (
	// mendSets is how many counters one transaction sets right: as many as one
	// entry tells of.
	mendSets = 20
	// mendAttempts bounds how often counters that changed meanwhile are tried.
	mendAttempts = 3
)

// mend sets right what strayed, and tells how many numbers.
func (r *Reconciler) mend(ctx context.Context, c directory.Caller, strayed []Strayed) (int, error) {
	mended := 0
	for part := range slices.Chunk(strayed, mendSets) {
		n, err := r.mendPart(ctx, c, part)
		mended += n
		if err != nil {
			return mended, err
		}
	}
	return mended, nil
}

// mendPart sets some counters right together, or else each alone. One that
// changed since is left: what is right for it now is for the next time to find.
func (r *Reconciler) mendPart(ctx context.Context, c directory.Caller, part []Strayed) (int, error) {
	for attempt := range mendAttempts {
		if directory.Late(ctx, reconcileReserve/2) {
			return 0, fault.New(fault.Unavailable, "busy", "")
		}
		err := r.write(ctx, c, part)
		if !fault.IsRaced(err) {
			if err != nil {
				return 0, err
			}
			return numbersOf(part), nil
		}
		if len(part) > 1 {
			break
		}
		if err := linger(ctx, attempt); err != nil {
			return 0, err
		}
	}
	mended := 0
	if len(part) == 1 {
		return 0, nil
	}
	for i := range part {
		n, err := r.mendPart(ctx, c, part[i:i+1])
		mended += n
		if err != nil {
			return mended, err
		}
	}
	return mended, nil
}

// write sets some counters right, for a caller who still may.
func (r *Reconciler) write(ctx context.Context, c directory.Caller, part []Strayed) error {
	now, err := c.Again(ctx, directory.Keys{})
	if err != nil {
		return err
	}
	target := now.OrganizationTarget()
	if d := now.Decide(authz.AdministerSystem, target); !d.Allowed {
		return now.Refusal(authz.AdministerSystem, target, d)
	}
	e := now.Entry(timeline.Audit, "mend", timeline.Target{Type: "organization", ID: now.Organization.ID})
	e.Before = countsTold(part, func(d Drift) int { return d.Counted })
	e.After = countsTold(part, func(d Drift) int { return d.Found })
	return r.store.Mend(ctx, now.Basis(), part, e)
}

// countsTold is the numbers that drifted, by set, as an entry tells them (T1):
// by measure and persona, those who are active by their day besides.
func countsTold(part []Strayed, number func(Drift) int) timeline.Values {
	sets := make([]any, len(part))
	for i, s := range part {
		locations := make([]any, len(s.Count.Locations))
		for j, l := range s.Count.Locations {
			locations[j] = l
		}
		told := map[string]any{"locations": locations}
		for _, d := range s.Drifts {
			measure := inside(told, d.Measure.String())
			if d.Measure == Active {
				measure = inside(measure, d.Day.String())
			}
			measure[Word(d.Persona)] = number(d)
		}
		sets[i] = told
	}
	return timeline.Values{"counts": sets}
}

// inside is the object that is a member of another, made if there is none.
func inside(of map[string]any, name string) map[string]any {
	if of[name] == nil {
		of[name] = map[string]any{}
	}
	return of[name].(map[string]any)
}
