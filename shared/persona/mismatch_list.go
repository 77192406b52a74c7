package persona

import (
	"context"
	"slices"
	"strings"
	"sync"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// FitStore is what is read of storage to tell who fits which persona.
type FitStore interface {
	Counter
	// Load reads the policy's version now.
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	// Roles is a page of roles by id, with the id to go on after.
	Roles(ctx context.Context, organization string, page directory.Page) ([]role.Role, string, error)
}

// Fits is the use case of who fits which persona, by the roles they hold: the
// mismatches, and who is suggested for a plan. It changes nobody.
type Fits struct {
	store FitStore
	lists *directory.Listings
	mu    sync.Mutex
	kept  map[string]meanings
}

// NewFits is the use case over its store and the lists of users.
func NewFits(store FitStore, lists *directory.Listings) *Fits {
	return &Fits{store: store, lists: lists, kept: map[string]meanings{}}
}

// meanings are the roles that are meant for a persona, by id, of one version of
// an organization's policy.
type meanings struct {
	policy uint64
	roles  []Meant
}

const (
	// gulp is how many roles are read at once.
	gulp = 100
	// mostKept bounds the organizations whose roles are kept.
	mostKept = 100
)

// meant are the roles of the caller's policy that are meant for a persona. A
// role whole is up to 100 KB, so they are read once a version of the policy.
// Raced when the policy moved on since the caller's facts.
func (f *Fits) meant(ctx context.Context, c directory.Caller) ([]Meant, error) {
	o := c.Organization.ID
	f.mu.Lock()
	kept, known := f.kept[o]
	f.mu.Unlock()
	if known && kept.policy == c.Policy {
		return kept.roles, nil
	}
	roles, err := f.read(ctx, o)
	if err != nil {
		return nil, err
	}
	now, err := f.store.Load(ctx, o, directory.Keys{})
	if err != nil {
		return nil, err
	}
	if now.Policy != c.Policy {
		return nil, fault.New(fault.Conflict, fault.Raced, "The policy has changed meanwhile.")
	}
	f.keep(o, meanings{c.Policy, roles})
	return roles, nil
}

func (f *Fits) read(ctx context.Context, o string) (meant []Meant, err error) {
	page := directory.Page{Limit: gulp}
	for {
		roles, end, err := f.store.Roles(ctx, o, page)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			if r.Persona != directory.NoPersona {
				meant = append(meant, Meant{r.ID, r.Name, r.Persona})
			}
		}
		if end == "" {
			return meant, nil
		}
		page.After = end
	}
}

func (f *Fits) keep(o string, m meanings) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kept) >= mostKept {
		clear(f.kept)
	}
	f.kept[o] = m
}

// held is those of the roles, which are by id, that the user holds by assignments
// that count now (R5, R14).
func held(c directory.Caller, u directory.User, meant []Meant) []Meant {
	decisive := u.Decisive()
	var some []Meant
	for _, a := range u.Assignments {
		i, known := slices.BinarySearchFunc(meant, a.Role.ID, byID)
		if known && c.Model.Holds(decisive, a.Role.ID, c.At) && !slices.Contains(some, meant[i]) {
			some = append(some, meant[i])
		}
	}
	slices.SortFunc(some, func(a, b Meant) int { return byID(a, b.ID) })
	return some
}

func byID(m Meant, id string) int { return strings.Compare(m.ID, id) }

// MismatchFilter says which mismatches a list is of; NoMismatch is either.
type MismatchFilter struct {
	Users    directory.Filter
	Mismatch Mismatch
}

// Mismatched is somebody whose roles do not suit their persona (P7): the roles
// that tell it, why in words, and what would resolve it of what the caller may.
// It can be that nothing does.
type Mismatched struct {
	User     directory.User
	Mismatch Mismatch
	Roles    []Meant
	Reason   string
	Ways     []Way
}

// Mismatches is a page of a list of them. With More it goes on after Next, which
// may be the id of somebody whom the caller may not know (T4).
type Mismatches struct {
	Found []Mismatched
	Next  string
	More  bool
}

// Mismatches is the page of the mismatches among the users of the base (P4)
// within the caller's reach (R11), by id. Errors: Unavailable, raced.
func (f *Fits) Mismatches(ctx context.Context, c directory.Caller, filter MismatchFilter, page directory.Page) (Mismatches, error) {
	meant, err := f.meant(ctx, c)
	if err != nil || len(meant) == 0 {
		return Mismatches{}, err
	}
	standingOf := func(u directory.User) standing {
		return standing{u.Persona, held(c, u, meant), meant, c.Organization.Settings.ProductName}
	}
	listed, err := f.lists.Those(ctx, c, filter.Users, func(u directory.User) bool {
		if !Counted(u) || u.Persona == directory.NoPersona {
			return false
		}
		m := standingOf(u).mismatch()
		return m != NoMismatch && (filter.Mismatch == NoMismatch || filter.Mismatch == m)
	}, page)
	out := Mismatches{Next: listed.Next, More: listed.More}
	for _, u := range listed.Users {
		s := standingOf(u)
		m := s.mismatch()
		out.Found = append(out.Found, Mismatched{u, m, s.telling(m), s.reason(m), s.ways(m, mayWith(c, u))})
	}
	return out, err
}

// mayWith is what the caller may do with the user's roles (R12). In a session
// the actor's own are not changed (I6).
func mayWith(c directory.Caller, u directory.User) func(Deed, Meant) bool {
	decisive := u.Decisive()
	return func(d Deed, m Meant) bool {
		action := authz.GrantRole
		if d == RevokeRole {
			action = authz.RevokeRole
		}
		target := authz.Resource{Type: authz.UserResource, ID: u.ID, User: &decisive, Role: m.ID}
		return (c.Session == "" || u.ID != c.Actor.ID) && c.Decide(action, target).Allowed
	}
}
