package body_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/role"
)

// called is what people call each persona (P1).
var called = map[directory.Persona][]string{
	directory.Frontline: {"frontline", "Frontline", "Front-line", "front line"},
	directory.Leader:    {"leader", "Leader", "LEADER"},
	directory.Executive: {"executive", "Executive"},
	directory.CICoach:   {"ci_coach", "CI Coach", "CI-Coach", " ci  coach ", "CI expert", "CI Expert", "ci_expert", "CI\u00a0Coach"},
	directory.Champion: {
		"champion", "KaiNexus Champion", "Kainexus Champion", "kai nexus champion", "Implementation Lead", "IMPLEMENTATION LEAD", "\ufeffchampion",
	},
}

// asPersona reads a body with the persona.
func asPersona(t interface{ Fatal(...any) }, text string) (directory.Persona, error) {
	data, err := json.Marshal(map[string]any{"name": "x", "persona": text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := body.Read(data, body.ReadRole)
	return r.Persona, err
}

func TestP1PersonasAsTheyAreCalled(t *testing.T) {
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		if len(called[p]) == 0 {
			t.Errorf("P1 nothing is tried of %s", p)
		}
		for _, text := range called[p] {
			if got, err := asPersona(t, text); err != nil || got != p {
				t.Errorf("P1 %q is %v, %v, want %s", text, got, err, p)
			}
		}
	}
}

func TestP1WhatNamesNoPersona(t *testing.T) {
	for _, text := range []string{
		"", " ", "-", "none", "boss", "ci", "coach", "leader s", "the leader", "CI Coach & Leader", "ci\ncoach\x00", "champion" + strings.Repeat(" ", 100),
	} {
		_, err := asPersona(t, text)
		problems := fault.Of(err).Problems
		if !fault.Is(err, fault.Invalid) || len(problems) != 1 || problems[0].Pointer != "/persona" {
			t.Errorf("P1 %q: %v", text, err)
			continue
		}
		for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
			for _, word := range append(p.OlderNames(), p.String()) {
				if !strings.Contains(problems[0].Detail, word) {
					t.Errorf("P1 %q does not name %s", problems[0].Detail, word)
				}
			}
		}
	}
}

// TestP1PersonaFilters: lists are filtered by whatever a persona is called, and
// by none, which no body takes for a persona.
func TestP1PersonaFilters(t *testing.T) {
	filters := func(text string) (directory.Filter, role.Filter, error) {
		query := url.Values{"persona": {text}}
		users, err := body.ReadQuery(query, (*body.Object).Filter)
		roles, err2 := body.ReadQuery(query, (*body.Object).RoleFilter)
		if (err == nil) != (err2 == nil) {
			t.Errorf("%q: %v, %v", text, err, err2)
		}
		return users, roles, err
	}
	for p, texts := range called {
		for _, text := range texts {
			users, roles, err := filters(text)
			if err != nil || !users.ByPersona || users.Persona != p || roles != (role.Filter{Persona: p}) {
				t.Errorf("P1 %q: %+v, %+v, %v", text, users, roles, err)
			}
		}
	}
	for _, text := range []string{"none", " None", "NONE"} {
		users, roles, err := filters(text)
		if err != nil || !users.ByPersona || users.Persona != directory.NoPersona || roles != (role.Filter{None: true}) {
			t.Errorf("none %q: %+v, %+v, %v", text, users, roles, err)
		}
	}
	if users, roles, err := filters(""); err != nil || users.ByPersona || roles != (role.Filter{}) {
		t.Errorf("an empty one is none at all: %+v, %+v, %v", users, roles, err)
	}
	if _, _, err := filters("boss"); !strings.Contains(fault.Of(err).Problems[0].Detail, "champion, none") {
		t.Errorf("%v", err)
	}
}

// spelled draws a name in another case, with other space and hyphens, or none,
// between its words.
func spelled(t *rapid.T, name string) string {
	separators := rapid.SampledFrom([]string{"", " ", "  ", "_", "-", " - ", "\t", "\u00a0", "\u2003"})
	var out strings.Builder
	out.WriteString(separators.Draw(t, "before"))
	for _, c := range name {
		switch {
		case unicode.IsSpace(c) || c == '_' || c == '-':
			out.WriteString(separators.Draw(t, "between"))
		case rapid.Bool().Draw(t, "upper"):
			out.WriteRune(unicode.ToUpper(c))
		default:
			out.WriteRune(unicode.ToLower(c))
		}
	}
	out.WriteString(separators.Draw(t, "after"))
	return out.String()
}

func TestP1EverySpellingComesToItsPersona(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := directory.Persona(rapid.IntRange(1, int(directory.PersonaCount)-1).Draw(t, "persona"))
		names := slices.Concat(p.OlderNames(), []string{p.String(), p.Title("KaiNexus")})
		text := spelled(t, rapid.SampledFrom(names).Draw(t, "name"))
		if got, known := body.ParsePersona(text); !known || got != p {
			t.Fatalf("P1 %q is %v, %v", text, got, known)
		}
	})
}

// FuzzPersona: no text makes the reader panic, and one that it takes differs from
// a name of the persona in case and spacing alone.
func FuzzPersona(f *testing.F) {
	for _, texts := range called {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Add("\xff")
	f.Add("ﬁ İ ſ K")
	f.Fuzz(func(t *testing.T, text string) {
		p, known := body.ParsePersona(text)
		if !known {
			if p != directory.NoPersona {
				t.Errorf("%q is unknown, and %v", text, p)
			}
			return
		}
		bare := func(s string) string {
			return strings.Map(func(c rune) rune {
				if unicode.IsLetter(c) {
					return c
				}
				return -1
			}, s)
		}
		names := slices.Concat(p.OlderNames(), []string{p.String(), p.Title("KaiNexus")})
		if !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(bare(name), bare(text)) }) {
			t.Errorf("%q is %v", text, p)
		}
	})
}
