package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/fault"
)

// Filter says which users a list is of; what is zero filters nothing.
type Filter struct {
	// Persona is the persona of those listed when ByPersona; none is one, too.
	Persona   Persona
	ByPersona bool
	// Role is the id of a role that they hold and that is not over (R5, R14).
	Role string
	// Location is one of theirs; with Below, or one below it (U3).
	Location string
	Below    bool
	Type     authz.UserType
	// Text is in their name, username or e-mail, whatever its case.
	Text string
}

// Listed is a page of a list of users. With More the list goes on after Next,
// which may be the id of somebody whom the caller may not know (T4).
type Listed struct {
	Users []User
	Next  string
	More  bool
}

// ListingStore is what lists of users read.
type ListingStore interface {
	Lister
	// Load reads users with the policy of the same moment (C11).
	Load(ctx context.Context, organization string, keys Keys) (Facts, error)
	// Directory is users after a place, by id, as many as one reading brings and
	// at most a page's limit, and whether more follow.
	Directory(ctx context.Context, organization string, page Page) (users []User, more bool, err error)
	// Moves is how often somebody left a location for another, and whether the
	// last move is so young that lists may show a part of it.
	Moves(ctx context.Context, organization string) (moves uint64, young bool, err error)
	// Spending counts the read units that are spent under the context it returns.
	Spending(ctx context.Context) (context.Context, func() float64)
}

// Listings are the lists of users.
type Listings struct{ store ListingStore }

// NewListings is the use case over its store.
func NewListings(store ListingStore) *Listings { return &Listings{store} }

// Within is the page of the users within the caller's reach (R11) who pass the
// filter, by id.
func (l *Listings) Within(ctx context.Context, c Caller, f Filter, page Page) (Listed, error) {
	return l.Those(ctx, c, f, func(User) bool { return true }, page)
}

// Those is the page of those of Within of whom something else is true, too.
func (l *Listings) Those(ctx context.Context, c Caller, f Filter, is func(User) bool, page Page) (Listed, error) {
	who, model := c.Who(), c.Model
	return l.list(ctx, c, f, page, listing{
		passes: func(u User) bool {
			return f.passes(model, c.At, u) && f.hasText(u.Name, u.Username, u.Email) && is(u) && model.Administers(who, u.Decisive())
		},
		reach: reachOf(c),
	})
}

// People is the page of everybody active who passes the filter, by id; the
// text is looked for in the name alone. Who holds a role is told of those alone
// whom the caller administers (T4), as the role's members are; Denied when they
// administer nobody.
func (l *Listings) People(ctx context.Context, c Caller, f Filter, page Page) (Listed, error) {
	if f.Role != "" && !c.Decide(authz.AdministerSomeUsers, c.OrganizationTarget()).Allowed {
		return Listed{}, fault.New(fault.Denied, "denied", "Who holds which role is told to their administrators alone.")
	}
	in, who, model := listing{reach: reach{everybody: true}}, c.Who(), c.Model
	if f.Role != "" {
		in.reach = reachOf(c)
	}
	in.passes = func(u User) bool {
		return u.Type != authz.Inactive && f.passes(model, c.At, u) && f.hasText(u.Name) &&
			(f.Role == "" || model.Administers(who, u.Decisive()))
	}
	return l.list(ctx, c, f, page, in)
}

// passes is all of the filter but for its text.
func (f Filter) passes(m *authz.Model, at time.Time, u User) bool {
	switch {
	case f.ByPersona && u.Persona != f.Persona:
		return false
	case f.Type != authz.NoUserType && u.Type != f.Type:
		return false
	case f.Location != "" && !slices.ContainsFunc(u.Locations, func(l string) bool { return f.at(m, l) }):
		return false
	}
	return f.Role == "" || m.Holds(u.Decisive(), f.Role, at)
}

// at is whether a location is the filter's.
func (f Filter) at(m *authz.Model, location string) bool {
	return location == f.Location || f.Below && m.Below(f.Location, location)
}

// hasText is whether the filter's text is in one of these.
func (f Filter) hasText(texts ...string) bool {
	if f.Text == "" {
		return true
	}
	wanted := Folded(f.Text)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(Folded(text), wanted) })
}
