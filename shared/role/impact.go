package role

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// Impact is what a change would do to people: how many gain something and how
// many lose something, and a page of them, by their ids. Complete is whether
// everybody has been looked at: very many people may take several pages to count.
type Impact struct {
	Gaining, Losing int
	Complete        bool
	People          []Affected
	// More is whether somebody may follow the last of People, or of the page.
	More bool
	at   ImpactPlace
}

// Affected is somebody whom a change gives or takes something.
type Affected struct {
	User         string
	Gained, Lost []authz.Right
}

// ImpactPlace is where a page of an impact ends: what was counted up to whom, by
// which policy, and up to whom people were listed. Until all are counted, waiting
// is whether somebody counted is still to be listed. Its text names users.
type ImpactPlace struct {
	policy            uint64
	gaining, losing   int
	complete, waiting bool
	counted, listed   string
}

// String is the place as text, which ParseImpactPlace reads.
func (p ImpactPlace) String() string {
	return fmt.Sprintf("%d,%d,%d,%t,%t,%s,%s", p.policy, p.gaining, p.losing, p.complete, p.waiting, p.counted, p.listed)
}

// ParseImpactPlace is the place of a text that a place made; no text is the
// beginning.
func ParseImpactPlace(text string) (ImpactPlace, error) {
	if text == "" {
		return ImpactPlace{}, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) != 7 {
		return ImpactPlace{}, fault.Wrap(fault.Internal, "place", errors.New("no place of an impact"))
	}
	p := ImpactPlace{counted: parts[5], listed: parts[6]}
	var errs [5]error
	p.policy, errs[0] = strconv.ParseUint(parts[0], 10, 64)
	p.gaining, errs[1] = strconv.Atoi(parts[1])
	p.losing, errs[2] = strconv.Atoi(parts[2])
	p.complete, errs[3] = strconv.ParseBool(parts[3])
	p.waiting, errs[4] = strconv.ParseBool(parts[4])
	if err := errors.Join(errs[:]...); err != nil {
		return ImpactPlace{}, fault.Wrap(fault.Internal, "place", err)
	}
	return p, nil
}

// After is the place after one of the people, for a page that carries no more.
func (i Impact) After(user string) ImpactPlace {
	at := i.at
	at.listed, at.waiting = user, true
	return at
}

// Place is the place after the page.
func (i Impact) Place() ImpactPlace { return i.at }

// ImpactPage asks for a part of an impact: at most Limit people, after a place.
type ImpactPage struct {
	Limit int
	After ImpactPlace
}

// Impact is what putting a role, or without one deleting it, would do. Nothing is
// written, and what could not be written, but for its size, has the same errors:
// NotFound, Unprocessable, Conflict name_taken, Stale if a precondition was given,
// Denied in a session for a role that the actor holds (I6).
// Conflict policy_changed when the policy is not that of the first page any more.
func (s *Service) Impact(ctx context.Context, c directory.Caller, id string, after *Role, p directory.Precondition, page ImpactPage) (Impact, error) {
	before, err := s.Get(ctx, c, id)
	if err != nil {
		return Impact{}, err
	}
	if err := p.Heed(before.Version); err != nil {
		return Impact{}, err
	}
	if err := notTheirOwn(c, before); err != nil {
		return Impact{}, err
	}
	next, err := s.nextModel(ctx, c, before, after)
	if err != nil {
		return Impact{}, err
	}
	if page.After.policy != 0 && page.After.policy != c.Policy {
		return Impact{}, fault.New(fault.Conflict, "policy_changed", "Roles or places have been changed since the first page. Ask anew.")
	}
	w := newImpactWalk(c, page, authz.Compare(c.Model, next, id), next)
	w.store, w.role = s.store, before.RoleRef
	err = w.through(ctx)
	return w.told(), err
}

// nextModel is the policy after the change, which is held to what a change is
// held to: the rules of roles, and R13.
func (s *Service) nextModel(ctx context.Context, c directory.Caller, before Role, after *Role) (*authz.Model, error) {
	change := authz.Change{Delete: authz.Names{Roles: []string{before.ID}}}
	var put Role
	if after != nil {
		put = *after
		if err := cmp.Or(saveable(c.Model, before, put), unnamed(c.Model, put)); err != nil {
			return nil, err
		}
		put.Birth = before.Birth
		put = resolved(c.Model, put)
		change = authz.Change{Put: authz.Policy{Roles: []authz.Role{put.Role}}}
	}
	next := c.Model.With(change)
	_, err := s.guardRole(ctx, c, before, put, next)
	return next, err
}

// unnamed refuses a name that another role has, as the store does when it is
// saved (R1).
func unnamed(m *authz.Model, r Role) error {
	for _, other := range m.Policy().Roles {
		if other.ID != r.ID && directory.Folded(other.Name) == directory.Folded(r.Name) {
			return fault.New(fault.Conflict, "name_taken", "Another role has this name.")
		}
	}
	return nil
}

const (
	// impactMembers is how many members are read at once by the role's list, which
	// takes a read unit or more each.
	impactMembers = 1000
	// impactPeople is how many people are read at once by the directory, as far as
	// one reading brings, which takes at most so many units whoever they are.
	impactPeople = 10_000
	impactUnits  = 256
	// impactPatience is how often members are read by the list before the directory
	// is tried again.
	impactPatience = 10
	// impactSpare is what a page leaves of the request's time.
	impactSpare = 3 * time.Second
)

// impactWalk goes through a role's members, counts whom the change affects, and
// keeps a page of them. Until all are counted it goes on where the counting
// stopped, so that very many come to an end; then where the listing did.
type impactWalk struct {
	caller        directory.Caller
	comparison    *authz.Comparison
	before, after *authz.Model
	limit         int
	listing       bool // who is looked at follows those listed
	store         Store
	role          authz.RoleRef
	byList        int // how often the list is still to be read
	impact        Impact
}

func newImpactWalk(c directory.Caller, page ImpactPage, comparison *authz.Comparison, next *authz.Model) *impactWalk {
	w := &impactWalk{caller: c, comparison: comparison, before: c.Model, after: next, limit: page.Limit, byList: 1}
	w.impact.at = page.After
	w.impact.at.policy = c.Policy
	return w
}

// through is the page: up to who is last looked at, because everybody is counted
// and it is known whether anybody follows, or because the time is over.
func (w *impactWalk) through(ctx context.Context) error {
	at := &w.impact.at
	place := at.counted
	if at.complete {
		place, at.waiting = at.listed, false
	}
	w.listing = place == at.listed
	for {
		users, end, err := w.read(ctx, place)
		if err != nil {
			return err
		}
		for _, u := range users {
			w.look(u)
		}
		w.passed(end)
		at.complete = at.complete || end == ""
		if end == "" || at.complete && at.waiting {
			w.impact.More = at.waiting
			return nil
		}
		if directory.Late(ctx, impactSpare) {
			w.impact.More = true
			return nil
		}
		place = end
	}
}

// read is the next members, by id, and where to go on, "" at the end. Many at a time are
// cheaper among all people than each by the list; few are not.
func (w *impactWalk) read(ctx context.Context, after string) (users []directory.User, end string, err error) {
	o := w.caller.Organization.ID
	if w.byList > 0 {
		w.byList--
		return w.store.Members(ctx, o, w.role, directory.Page{Limit: impactMembers, After: after})
	}
	people, more, err := w.store.Directory(ctx, o, directory.Page{Limit: impactPeople, After: after})
	if err != nil {
		return nil, "", err
	}
	if more {
		end = people[len(people)-1].ID
	}
	users = slices.DeleteFunc(people, func(u directory.User) bool {
		_, holds := w.caller.Holds(u, w.role)
		return !holds
	})
	if len(users) < impactUnits {
		w.byList = impactPatience
	}
	return users, end, nil
}

// passed notes that there is nobody else up to a place.
func (w *impactWalk) passed(place string) {
	at := &w.impact.at
	if !at.complete {
		at.counted = max(at.counted, place)
	}
	if w.listing && !(at.complete && at.waiting) {
		at.listed = max(at.listed, place)
	}
}

// look counts what the change does to somebody, and keeps it if the page has room.
func (w *impactWalk) look(u directory.User) {
	at := &w.impact.at
	if at.complete && at.waiting {
		return
	}
	user := u.Decisive()
	before, after := w.before.Subject(user, w.caller.At), w.after.Subject(user, w.caller.At)
	gains, loses := w.comparison.Changes(before, after)
	if !at.complete {
		at.counted = u.ID
		at.gaining += one(gains)
		at.losing += one(loses)
	}
	affected := gains || loses
	if affected && w.listing && len(w.impact.People) < w.limit {
		a := Affected{User: u.ID}
		a.Gained, a.Lost = w.comparison.Rights(before, after)
		w.impact.People = append(w.impact.People, a)
		affected = false
	}
	if affected {
		w.listing, at.waiting = false, true
	}
	if w.listing {
		at.listed = u.ID
	}
}

func one(so bool) int {
	if so {
		return 1
	}
	return 0
}

// told is the impact with its counts as far as they go.
func (w *impactWalk) told() Impact {
	at := w.impact.at
	w.impact.Gaining, w.impact.Losing, w.impact.Complete = at.gaining, at.losing, at.complete
	return w.impact
}

// impactOn is what a change to one person's assignment of a role does.
func impactOn(c directory.Caller, role string, before, after directory.User) Impact {
	was, is := c.Model.Subject(before.Decisive(), c.At), c.Model.Subject(after.Decisive(), c.At)
	gained, lost := authz.Compare(c.Model, c.Model, role).Rights(was, is)
	i := Impact{Gaining: one(len(gained) > 0), Losing: one(len(lost) > 0), Complete: true}
	if i.Gaining+i.Losing > 0 {
		i.People = []Affected{{User: before.ID, Gained: gained, Lost: lost}}
	}
	return i
}
