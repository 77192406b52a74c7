package persona_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// TestP6AnOverviewIsTheReportOfEachLocation: what stands beside all others is
// what the location's own report says.
func TestP6AnOverviewIsTheReportOfEachLocation(t *testing.T) {
	h := newHospital(t)
	h.place.AddUser(t, directory.User{ID: "both", Name: "Bo", Username: "both", Type: authz.General, Locations: []string{"icu", "ward", "clinic"}, Persona: directory.Frontline})
	service, root := persona.New(h), h.place.Caller(t, "root", directory.Keys{})
	for location, want := range map[string][]string{
		"":         {"1 clinic", "1 hospital", "2 medicine", "3 ward", "2 surgery", "3 icu"},
		"hospital": {"1 medicine", "2 ward", "1 surgery", "2 icu"},
		"surgery":  {"1 icu"},
		"icu":      nil,
	} {
		o, err := service.Overview(t.Context(), root, location)
		if err != nil {
			t.Fatal(err)
		}
		own, err := service.Report(t.Context(), root, location)
		if diff := cmp.Diff(own, o.Report); err != nil || diff != "" {
			t.Errorf("of %q: %v %s", location, err, diff)
		}
		var places []string
		for _, p := range o.Below {
			places = append(places, fmt.Sprint(p.Depth, " ", p.ID))
			one, err := service.Report(t.Context(), root, p.ID)
			if diff := cmp.Diff(one, p.Report); err != nil || diff != "" {
				t.Errorf("P8 %s beside all others: %v %s", p.ID, err, diff)
			}
		}
		if !slices.Equal(places, want) || o.Organization.Name != "Riverside Health" || o.Organization.ID != fixture.Organization || len(o.History) != 0 {
			t.Errorf("of %q: %q, %+v", location, places, o)
		}
	}
	o, err := service.Overview(t.Context(), root, "icu")
	if err != nil || len(o.Path) != 3 || o.Path[0].ID != "hospital" || o.Path[2].Name != "The icu" {
		t.Errorf("%v %v", o.Path, err)
	}
}

func TestP6AnOverviewLooksBack(t *testing.T) {
	h := newHospital(t)
	h.must(t, -2)
	h.shrink(t)
	h.must(t, -1)
	service, root := persona.New(h), h.place.Caller(t, "root", directory.Keys{})
	o, err := service.Overview(t.Context(), root, "")
	if err != nil || len(o.History) != 2 {
		t.Fatalf("%d audits, %v", len(o.History), err)
	}
	if o.History[0].Personas[directory.Leader].Count != 1 || o.History[1].Personas[directory.Leader].Count != 5 {
		t.Errorf("the oldest is not first: %+v", o.History)
	}
	part, err := service.Overview(t.Context(), root, "icu")
	if err != nil || len(part.History) != 2 || slices.ContainsFunc(part.History, func(r persona.Report) bool { return r.Location != "icu" }) {
		t.Errorf("the history of a location: %+v, %v", part.History, err)
	}
}

// failing is a store of which a reading fails.
type failing struct {
	hospital
	census, audits error
}

func (f failing) Census(ctx context.Context, o string) (persona.Census, error) {
	if f.census != nil {
		return persona.Census{}, f.census
	}
	return f.hospital.Census(ctx, o)
}

func (f failing) Audits(context.Context, string, directory.Page) ([]persona.Audit, string, error) {
	return nil, "", f.audits
}

func TestAnOverviewFailsWhole(t *testing.T) {
	h := newHospital(t)
	root := h.place.Caller(t, "root", directory.Keys{})
	cut := fault.Wrap(fault.Unavailable, "storage", errors.New("cut"))
	moved := root
	moved.Policy++
	for name, c := range map[string]struct {
		store    failing
		caller   directory.Caller
		location string
		is       func(error) bool
	}{
		"T4 no such location":   {failing{hospital: h}, root, "nowhere", func(err error) bool { return fault.Is(err, fault.NotFound) }},
		"the tree moved on":     {failing{hospital: h}, moved, "", fault.IsRaced},
		"the counts are cut":    {failing{hospital: h, census: cut}, root, "", func(err error) bool { return fault.Is(err, fault.Unavailable) }},
		"the history is cut":    {failing{hospital: h, audits: cut}, root, "", func(err error) bool { return fault.Is(err, fault.Unavailable) }},
		"none of it, so it can": {failing{hospital: h}, root, "icu", func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			if o, err := persona.New(c.store).Overview(t.Context(), c.caller, c.location); !c.is(err) || err != nil && o.Organization.ID != "" {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

// somewhere is a census of nothing else.
type somewhere struct {
	failing
	populations []persona.Population
}

func (s somewhere) Census(context.Context, string) (persona.Census, error) {
	return persona.Census{Populations: s.populations}, nil
}

// TestP8NobodyIsTwiceInARow: in whatever forest, wherever people are, a row is
// its own report, parents stand before their children, and none is missing.
func TestP8NobodyIsTwiceInARow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var policy authz.Policy
		ids := []string{"gone"}
		for i := range rapid.IntRange(0, 12).Draw(r, "locations") {
			id := fmt.Sprint("l", i)
			l := authz.Location{ID: id, Name: rapid.SampledFrom([]string{"a", "B", "c"}).Draw(r, "name")}
			if i > 0 && rapid.Bool().Draw(r, "below") {
				l.Parent = rapid.SampledFrom(ids[1:]).Draw(r, "parent")
			}
			policy.Locations, ids = append(policy.Locations, l), append(ids, id)
		}
		var s somewhere
		for range rapid.IntRange(0, 8).Draw(r, "sets") {
			s.populations = append(s.populations, persona.Population{
				Locations: rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, min(len(ids), 3), rapid.ID).Draw(r, "set"),
				Counts:    persona.Counts{1, rapid.IntRange(0, 9).Draw(r, "frontline")},
			})
		}
		c := directory.Caller{At: fixture.Start, Facts: directory.Facts{Model: authz.Compile(policy), Organization: directory.Organization{Settings: directory.DefaultSettings()}}}
		service := persona.New(s)
		o, err := service.Overview(r.Context(), c, "")
		if err != nil || len(o.Below) != len(policy.Locations) {
			r.Fatalf("%d of %d locations, %v", len(o.Below), len(policy.Locations), err)
		}
		depth := map[string]int{"": 0}
		for _, p := range o.Below {
			above, seen := depth[p.Parent]
			if !seen || p.Depth != above+1 {
				r.Fatalf("%s is at %d, below %q", p.ID, p.Depth, p.Parent)
			}
			depth[p.ID] = p.Depth
			one, err := service.Report(r.Context(), c, p.ID)
			if err != nil || one != p.Report {
				r.Fatalf("%s: %+v, alone %+v, %v", p.ID, p.Report, one, err)
			}
		}
	})
}
