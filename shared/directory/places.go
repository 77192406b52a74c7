package directory

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// PlaceRef names a location, workflow or template; its kind is the type of the
// timeline entries about it.
type PlaceRef struct {
	Kind timeline.Type
	ID   string
}

// Target is the place as an entry names it.
func (r PlaceRef) Target() timeline.Target { return timeline.Target{Type: r.Kind.String(), ID: r.ID} }

// PlaceChange is a place's next state with what it replaces: Before is nil when
// the place is made, After when it is deleted.
type PlaceChange struct {
	Before, After Place
	Entry         timeline.Entry
}

// PlaceStore is what the use case needs of storage. Errors: Unavailable,
// Conflict (fault.IsRaced when the basis changed), Stale.
type PlaceStore interface {
	// Place is NotFound when there is none.
	Place(ctx context.Context, organization string, ref PlaceRef) (Place, error)
	Places(ctx context.Context, organization string, kind timeline.Type, page Page) ([]Place, string, error)
	PutPlace(ctx context.Context, basis Basis, change PlaceChange) error
	// MarkPlace writes whether a place is being deleted and nothing else: it
	// keeps its version. The policy gets its next one.
	MarkPlace(ctx context.Context, basis Basis, place Place) error
	// DeletePlace deletes a place that is marked.
	DeletePlace(ctx context.Context, basis Basis, change PlaceChange) error
	// PlaceUses are the users and items that name a place.
	PlaceUses(ctx context.Context, organization string, ref PlaceRef) ([]fault.Use, error)
}

// Places is the use case of locations, workflows and templates (U3).
type Places struct{ store PlaceStore }

// NewPlaces is the use case over its store.
func NewPlaces(store PlaceStore) *Places { return &Places{store} }

// Get is a place; NotFound when there is none.
func (s *Places) Get(ctx context.Context, c Caller, ref PlaceRef) (Place, error) {
	return s.store.Place(ctx, c.Organization.ID, ref)
}

// List is a page of the places of a kind by id, with the id to go on after.
func (s *Places) List(ctx context.Context, c Caller, kind timeline.Type, page Page) ([]Place, string, error) {
	return s.store.Places(ctx, c.Organization.ID, kind, page)
}

// invalid are the codes of a place that breaks a rule.
var invalid = map[timeline.Type]string{
	timeline.Location: "invalid_location", timeline.Workflow: "invalid_workflow", timeline.Template: "invalid_template",
}

// Put makes or replaces a place, and tells whether it made it. It lifts the mark
// that a broken-off deletion left. Errors: Unprocessable with every broken rule,
// Stale, Unconditional.
func (s *Places) Put(ctx context.Context, c Caller, after Place, p Precondition) (Place, bool, error) {
	ref := after.Ref()
	before, err := s.store.Place(ctx, c.Organization.ID, ref)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, false, err
	}
	after = after.replacing(before)
	version, closing := state(before)
	if err := p.Check(version); err != nil {
		return nil, false, err
	}
	given, _ := after.State()
	problems := append(after.broken(c.Model), VersionGiven(given, version)...)
	if err := fault.Faulty(fault.Unprocessable, invalid[ref.Kind], problems); err != nil {
		return nil, false, err
	}
	after = after.in(version+1, false)
	change := PlaceChange{Before: before, After: after, Entry: c.Entry(ref.Kind, "edit", ref.Target())}
	change.Entry.Before, change.Entry.After = timeline.Changed(values(before), after.values())
	switch {
	case version == 0:
		change.Entry.Action = "create"
	case len(change.Entry.Before)+len(change.Entry.After) == 0:
		return before, false, s.reopen(ctx, c, before, closing)
	}
	return after, version == 0, s.store.PutPlace(ctx, c.Basis(), change)
}

// Delete deletes a place that nothing refers to: Conflict in_use names what
// does (U3). It marks the place first, so that nothing new may name it, and
// seeks its uses after that: who decided to name it before the mark has done so
// by then, or is refused as the policy has changed. A mark that is left when this
// is broken off holds until a deletion or Put comes. Errors also: NotFound,
// Stale, Unconditional.
func (s *Places) Delete(ctx context.Context, c Caller, ref PlaceRef, p Precondition) error {
	place, err := s.store.Place(ctx, c.Organization.ID, ref)
	if err != nil {
		return err
	}
	version, _ := place.State()
	if err := p.Check(version); err != nil {
		return err
	}
	for {
		uses, err := s.uses(ctx, c, place)
		if err != nil {
			return err
		}
		_, closing := place.State()
		switch {
		case len(uses) > 0:
			return cmp.Or(s.reopen(ctx, c, place, closing), inUse(uses))
		case closing:
			entry := c.Entry(ref.Kind, "delete", ref.Target())
			entry.Before = place.values()
			return s.store.DeletePlace(ctx, c.Basis(), PlaceChange{Before: place, Entry: entry})
		}
		// What is used is refused before anything is written; only what seems to be
		// free is marked, and looked at once more.
		place = place.in(version, true)
		if err := s.store.MarkPlace(ctx, c.Basis(), place); err != nil {
			return err
		}
		c.Policy++ // the mark's own; nothing else of the policy may change until the end
	}
}

// reopen takes the mark off a place that has one.
func (s *Places) reopen(ctx context.Context, c Caller, place Place, closing bool) error {
	if !closing {
		return nil
	}
	version, _ := place.State()
	return s.store.MarkPlace(ctx, c.Basis(), place.in(version, false))
}

// uses is all that refers to a place. What is of the policy the caller's model
// tells: the deletion is held to its version.
func (s *Places) uses(ctx context.Context, c Caller, place Place) ([]fault.Use, error) {
	people, err := s.store.PlaceUses(ctx, c.Organization.ID, place.Ref())
	return append(place.namedBy(c.Model.Policy()), people...), err
}

// inUse says what is in the way of a deletion.
func inUse(uses []fault.Use) error {
	var parts []string
	for _, u := range uses {
		count := strconv.Itoa(u.Count)
		if u.More {
			count += " or more"
		}
		kind := u.Kind
		if u.Count > 1 {
			kind += "s"
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s)", count, kind, strings.Join(u.IDs, ", ")))
	}
	err := fault.New(fault.Conflict, "in_use", "It cannot be deleted while it is in use, by "+strings.Join(parts, "; ")+".")
	err.Uses = uses
	return err
}
