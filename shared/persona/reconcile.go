package persona

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Measure is what a counter counts of a persona's people.
type Measure uint8

// The measures. Active are those whose last active day is a Number's Day.
const (
	People Measure = iota
	OnTeam
	Active
	MeasureCount
)

var measureNames = [MeasureCount]string{"people", "onTeam", "active"}

// String is the measure's word.
func (m Measure) String() string {
	if m < MeasureCount {
		return measureNames[m]
	}
	return ""
}

// Number names one number of a counter. Day is of Active alone.
type Number struct {
	Measure Measure
	Day     directory.Day
	Persona directory.Persona
}

// compare orders numbers as they are told.
func (n Number) compare(other Number) int {
	return cmp.Or(cmp.Compare(n.Measure, other.Measure), cmp.Compare(n.Day, other.Day), cmp.Compare(n.Persona, other.Persona))
}

// Drift is a number that is not what the users make it.
type Drift struct {
	Number
	Counted, Found int
}

// SetCount is the counter of a set of locations. Version rises with each change
// of it, 0 is none. Young: its last change is so recent that what was written
// with it may still be under way.
type SetCount struct {
	Population
	Version uint64
	Young   bool
}

// Strayed is a counter that says something else than the users of its set, as
// they were while it had its Version.
type Strayed struct {
	Count  SetCount
	Drifts []Drift
}

// Recounts is what a reconciliation needs of storage. All of it fails as
// Unavailable.
type Recounts interface {
	// SetCounts are all counters, each as it was at a moment of its own.
	SetCounts(ctx context.Context, organization string) ([]SetCount, error)
	// SetCountsOf are the counters of these sets, in their order, read when no
	// write to them is under way.
	SetCountsOf(ctx context.Context, organization string, sets [][]string) ([]SetCount, error)
	// Everybody hands over all users, page by page, each as they were at a moment
	// of their own, with what counts of them alone; it ends with see's error.
	Everybody(ctx context.Context, organization string, see func([]directory.User) error) error
	// UsersAt are the users at a location.
	UsersAt(ctx context.Context, organization, location string) ([]directory.User, error)
	// Mend makes the counters what was found, all or none, with its entry: raced
	// when one of them has not the version that it had.
	Mend(ctx context.Context, basis directory.Basis, wrong []Strayed, e timeline.Entry) error
}

// Reconciliation is the counters held against the users (P8). Unsettled is how
// many sets changed too often to be told; Mended how many numbers were set
// right.
type Reconciliation struct {
	At                             time.Time
	Users, Sets, Unsettled, Mended int
	Strayed                        []Strayed
}

// Drift is how many numbers were wrong.
func (r Reconciliation) Drift() int { return numbersOf(r.Strayed) }

func numbersOf(strayed []Strayed) int {
	n := 0
	for _, s := range strayed {
		n += len(s.Drifts)
	}
	return n
}

// Reconciler holds counters against the users, and mends them.
//
// Users and counters change while they are read. A set whose counter is of one
// version before the users were read and after had no change of anybody who
// counts there, and what the walk found is all of it; the others are read again
// by themselves. What the users do not say twice alike is unsettled, never
// drift.
type Reconciler struct{ store Recounts }

// NewReconciler reconciles what a store counts.
func NewReconciler(store Recounts) *Reconciler { return &Reconciler{store} }

// reconcileReserve is the time before the request's end in which nothing more is
// read.
const reconcileReserve = 4 * time.Second

// Reconcile tells which numbers drifted, and sets them right if told to: in
// transactions of some counters each, with an entry each, as long as the caller
// may. A counter that changes just then is left as it is. Unavailable when there
// is no time to read everybody, or to mend all; what is mended then stays.
func (r *Reconciler) Reconcile(ctx context.Context, c directory.Caller, mend bool) (Reconciliation, error) {
	found, _, err := r.recount(ctx, c.Organization.ID, c.At)
	if err != nil || !mend {
		return found, err
	}
	found.Mended, err = r.mend(ctx, c, found.Strayed)
	return found, err
}

// recount tells what drifted, and the counters that it read.
func (r *Reconciler) recount(ctx context.Context, o string, at time.Time) (Reconciliation, []SetCount, error) {
	before, err := r.store.SetCounts(ctx, o)
	if err != nil {
		return Reconciliation{}, nil, err
	}
	w := newWalk(r.store, o, at)
	if err := r.store.Everybody(ctx, o, func(users []directory.User) error { return w.see(ctx, users) }); err != nil {
		return Reconciliation{}, nil, err
	}
	after, err := r.store.SetCounts(ctx, o)
	if err != nil {
		return Reconciliation{}, nil, err
	}
	suspects, sets := w.suspects(before, after)
	strayed, unsettled, err := w.settle(ctx, suspects)
	slices.SortFunc(strayed, func(a, b Strayed) int { return slices.Compare(a.Count.Locations, b.Count.Locations) })
	return Reconciliation{At: at, Users: w.users, Sets: sets, Unsettled: unsettled, Strayed: strayed}, after, err
}

// walk is what the users were found to make of each set, by its name.
type walk struct {
	store        Recounts
	organization string
	from         directory.Day // days before it are told in no report
	users        int
	found        map[string]*Population
	crowds       map[string]int // users by location, counted or not
}

func newWalk(store Recounts, o string, at time.Time) *walk {
	return &walk{
		store: store, organization: o, from: directory.DayOf(at) - MonthDays + 1,
		found: map[string]*Population{}, crowds: map[string]int{},
	}
}

// see adds users to what was found.
func (w *walk) see(ctx context.Context, users []directory.User) error {
	if directory.Late(ctx, reconcileReserve) {
		return fault.New(fault.Unavailable, "busy", "")
	}
	for _, u := range users {
		w.users++
		for _, l := range u.Locations {
			w.crowds[l]++
		}
		if !Counted(u) {
			continue
		}
		name := setName(u.Locations)
		if w.found[name] == nil {
			w.found[name] = populationAt(u.Locations)
		}
		w.found[name].admit(u)
	}
	return nil
}

// setName is a set's name: ids have no line breaks.
func setName(locations []string) string {
	return strings.Join(slices.Sorted(slices.Values(locations)), "\n")
}

func locationsOf(name string) []string { return strings.Split(name, "\n") }

func populationAt(locations []string) *Population {
	return &Population{Locations: slices.Sorted(slices.Values(locations)), Seen: map[directory.Day]Counts{}}
}

// admit counts one more user.
func (p *Population) admit(u directory.User) {
	p.Counts[u.Persona]++
	if u.OnTeam {
		p.OnTeam[u.Persona]++
	}
	if u.Seen > 0 {
		counts := p.Seen[u.Seen]
		counts[u.Persona]++
		p.Seen[u.Seen] = counts
	}
}

// numbers are all numbers of a population that are not 0, of days from one on.
func (p Population) numbers(from directory.Day) map[Number]int {
	all := map[Number]int{}
	put := func(m Measure, day directory.Day, counts Counts) {
		for persona, n := range counts {
			if n != 0 {
				all[Number{m, day, directory.Persona(persona)}] = n
			}
		}
	}
	put(People, 0, p.Counts)
	put(OnTeam, 0, p.OnTeam)
	for day, counts := range p.Seen {
		if day >= from {
			put(Active, day, counts)
		}
	}
	return all
}

// drifts are the numbers that a counter has otherwise than what was found.
func drifts(counted, found Population, from directory.Day) []Drift {
	was, is := counted.numbers(from), found.numbers(from)
	var all []Drift
	for n, is := range is {
		if was[n] != is {
			all = append(all, Drift{n, was[n], is})
		}
	}
	for n, was := range was {
		if is[n] == 0 {
			all = append(all, Drift{n, was, 0})
		}
	}
	slices.SortFunc(all, func(a, b Drift) int { return a.compare(b.Number) })
	return all
}
