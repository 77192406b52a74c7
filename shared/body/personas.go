package body

import (
	"gemba/shared/directory"
	"gemba/shared/persona"
)

type personasBody struct {
	Personas []describedBody `json:"personas"`
	Groups   []groupBody     `json:"groups"`
}

type describedBody struct {
	Persona    string   `json:"persona"`
	Name       string   `json:"name"`
	OlderNames []string `json:"olderNames"`
	Who        string   `json:"who"`
	Titles     []string `json:"titles"`
	Spreads    []string `json:"spreads"`
	View       string   `json:"view"`
	Expected   string   `json:"expected"`
	Target     any      `json:"target"`
	Group      *string  `json:"group"`
}

type groupBody struct {
	Group    string   `json:"group"`
	Name     string   `json:"name"`
	Personas []string `json:"personas"`
	Expected string   `json:"expected"`
	Target   any      `json:"target"`
}

// Personas is the catalogue of personas with an organization's own targets (P3,
// P4): shares in basis points, champions in people, null for what has no target
// of its own.
func Personas(o directory.Organization) any {
	t := Targets(o.Settings.Targets).(targetsBody)
	targets := map[string]any{
		directory.Frontline.String(): t.Frontline, directory.Leader.String(): t.Leader, directory.Executive.String(): t.Executive,
		directory.Champion.String(): t.Champion, persona.Experts: t.Experts,
	}
	var out personasBody
	for _, d := range persona.Catalogue(o.Settings.ProductName) {
		one := describedBody{
			Persona: d.Persona.String(), Name: d.Name, OlderNames: list(d.OlderNames), Who: d.Who, Titles: list(d.Titles),
			Spreads: list(d.Spreads), View: d.View, Expected: d.Expected, Target: targets[d.Persona.String()],
		}
		if d.Group != "" {
			one.Group = &d.Group
		}
		out.Personas = append(out.Personas, one)
	}
	for _, g := range persona.CatalogueGroups() {
		group := groupBody{Group: g.Word, Name: g.Name, Expected: g.Expected, Target: targets[g.Word]}
		for _, p := range g.Personas {
			group.Personas = append(group.Personas, p.String())
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}
