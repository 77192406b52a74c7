package endpoints_test

import (
	"encoding/json"
	"slices"
	"testing"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

type described struct {
	Persona, Name, Who, View, Expected string
	OlderNames, Titles, Spreads        []string
	Target                             json.RawMessage
	Group                              *string
}

type catalogueBody struct {
	Personas []described
	Groups   []struct {
		Group, Name, Expected string
		Personas              []string
		Target                json.RawMessage
	}
}

func (a at) catalogue(t *testing.T, as string) (c catalogueBody) {
	t.Helper()
	a.Do(t, a.Function, fixture.Call{Route: "GET /v1/personas", As: as}).Into(t, &c)
	return c
}

func TestP3Catalogue(t *testing.T) {
	a := world(t)
	c := a.catalogue(t, "root")
	experts := "ci_experts"
	for i, want := range []struct {
		persona, name, older, target string
		group                        *string
	}{
		{"frontline", "Frontline", "", `{"min":7000,"max":9000}`, nil},
		{"leader", "Leader", "", `{"min":500,"max":2000}`, nil},
		{"executive", "Executive", "", `{"min":500,"max":1000}`, nil},
		{"ci_coach", "CI Coach", "CI Expert", `null`, &experts},
		{"champion", "KaiNexus Champion", "Implementation Lead", `{"minPeople":2,"maxPeople":3}`, &experts},
	} {
		p := c.Personas[i]
		older := slices.Concat(p.OlderNames, []string{""})[0]
		if p.Persona != want.persona || p.Name != want.name || older != want.older || string(p.Target) != want.target || (p.Group == nil) != (want.group == nil) {
			t.Errorf("P3, P4 %+v, target %s", p, p.Target)
		}
		if p.Who == "" || p.View == "" || p.Expected == "" || len(p.Spreads) == 0 || p.Titles == nil || p.OlderNames == nil {
			t.Errorf("P3 %+v", p)
		}
	}
	if len(c.Personas) != 5 || len(c.Groups) != 1 {
		t.Fatalf("P1 %d personas, %d groups", len(c.Personas), len(c.Groups))
	}
	if g := c.Groups[0]; g.Group != experts || string(g.Target) != `{"under":100}` || !slices.Equal(g.Personas, []string{"ci_coach", "champion"}) || g.Name == "" || g.Expected == "" {
		t.Errorf("P4 %+v, target %s", g, g.Target)
	}
}

// TestP3TheCatalogueIsTheOrganizationsOwn: with its targets and its product's name.
func TestP3TheCatalogueIsTheOrganizationsOwn(t *testing.T) {
	a := world(t)
	caller := a.Caller(t, "root", directory.Keys{})
	wanted := caller.Organization
	wanted.Settings.ProductName = "Gemba"
	wanted.Settings.Targets.Frontline = directory.Share{Min: 1, Max: 2}
	wanted.Settings.Targets.ExpertsUnder = 33
	if _, err := directory.NewOrganizations(a.Store).Put(t.Context(), caller, wanted, directory.Precondition{Match: true, Any: true}); err != nil {
		t.Fatal(err)
	}
	c := a.catalogue(t, "nurse")
	if c.Personas[4].Name != "Gemba Champion" || string(c.Personas[0].Target) != `{"min":1,"max":2}` || string(c.Groups[0].Target) != `{"under":33}` {
		t.Errorf("P3 %+v", c)
	}
}

func TestP3EverybodySignedInReadsTheCatalogue(t *testing.T) {
	a := world(t)
	for as, status := range map[string]int{"root": 200, "nurse": 200, "capture": 200, "wallboard": 200, "kiosk": 401, "inactive": 401, "": 401} {
		if answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/personas", As: as}); answer.Status != status {
			t.Errorf("P3 %s: %d %s", as, answer.Status, answer.Body)
		}
	}
	if answer := a.Do(t, a.Function, fixture.Call{Route: "GET /v1/personas", As: "root", Query: "persona=leader"}); answer.Status != 400 {
		t.Errorf("an unknown parameter: %d", answer.Status)
	}
	if len(a.entries(t)) != 0 || a.User(t, "nurse").Type != authz.General {
		t.Error("something was written")
	}
}
