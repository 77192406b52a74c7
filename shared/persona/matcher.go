package persona

import (
	"context"
	"slices"
	"strings"
	"sync"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// MatchStore is what is read of storage to tell who suits which persona.
type MatchStore interface {
	Counter
	// Load reads the policy's version now.
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	// Roles is a page of roles by id, with the id to go on after.
	Roles(ctx context.Context, organization string, page directory.Page) ([]role.Role, string, error)
}

// Matcher is the use case of who suits which persona, by the roles they hold: the
// mismatches, and who is suggested for a plan. It changes nobody.
type Matcher struct {
	store MatchStore
	lists *directory.Listings
	mu    sync.Mutex
	kept  map[string]meanings
}

// NewMatcher is the use case over its store and the lists of users.
func NewMatcher(store MatchStore, lists *directory.Listings) *Matcher {
	return &Matcher{store: store, lists: lists, kept: map[string]meanings{}}
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
func (m *Matcher) meant(ctx context.Context, c directory.Caller) ([]Meant, error) {
	o := c.Organization.ID
	m.mu.Lock()
	kept, known := m.kept[o]
	m.mu.Unlock()
	if known && kept.policy == c.Policy {
		return kept.roles, nil
	}
	roles, err := m.read(ctx, o)
	if err != nil {
		return nil, err
	}
	now, err := m.store.Load(ctx, o, directory.Keys{})
	if err != nil {
		return nil, err
	}
	if now.Policy != c.Policy {
		return nil, fault.New(fault.Conflict, fault.Raced, "The policy has changed meanwhile.")
	}
	m.keep(o, meanings{c.Policy, roles})
	return roles, nil
}

func (m *Matcher) read(ctx context.Context, o string) (meant []Meant, err error) {
	page := directory.Page{Limit: gulp}
	for {
		roles, end, err := m.store.Roles(ctx, o, page)
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

func (m *Matcher) keep(o string, of meanings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) >= mostKept {
		clear(m.kept)
	}
	m.kept[o] = of
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
