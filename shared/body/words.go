package body

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/persona"
)

// The closed sets of the contract by their words.
var (
	userTypes   = Vocabulary(authz.UserTypeCount)
	teamTypes   = Vocabulary(authz.TeamTypeCount)
	teamRoles   = Vocabulary(authz.TeamRoleCount)
	statuses    = Vocabulary(authz.StatusCount)
	permissions = Vocabulary(authz.PermissionCount)
	advanced    = Vocabulary(authz.AdvancedCount)
	signIns     = Vocabulary(directory.SignInCount)
	scopes      = scopeWords()

	onlyUsersRules = map[string]authz.OnlyUsersRule{"team_role": authz.ByTeamRole, "team_member": authz.ByTeamMember}
	reachRules     = map[string]authz.ReachRule{"all": authz.ReachAll, "any": authz.ReachAny}
)

// Vocabulary is the members of an enum before its count, by their words; the
// sentinel has none.
func Vocabulary[E interface {
	~uint8
	fmt.Stringer
}](count E) map[string]E {
	out := map[string]E{}
	for e := E(0); e < count; e++ {
		if word := e.String(); word != "" {
			out[word] = e
		}
	}
	return out
}

// scopeWords are the scopes but for the plain yes, which is JSON's true.
func scopeWords() map[string]authz.Scope {
	out := Vocabulary(authz.ScopeCount)
	delete(out, authz.Yes.String())
	return out
}

// personas are the personas by all that people call them (P1), plain: the word,
// the name that is shown where the product has its own name, and older names.
var personas = func() map[string]directory.Persona {
	out := map[string]directory.Persona{}
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		for _, called := range append(p.OlderNames(), p.String(), p.Title(directory.DefaultSettings().ProductName)) {
			out[plain(called)] = p
		}
	}
	return out
}()

// mostCalled bounds what a persona may be called, with all the space around it.
const mostCalled = 100

// ParsePersona is the persona that a text names, in any case and spacing: as "ci
// coach", "CI_Coach" and "Ci-Coach " are one (P1). False for what names none, the
// word for those without a persona included.
func ParsePersona(text string) (directory.Persona, bool) {
	if utf8.RuneCountInString(text) > mostCalled {
		return directory.NoPersona, false
	}
	p, known := personas[plain(text)]
	return p, known
}

// plain is a text without its case, and without what parts its words: space,
// hyphens and underscores, and the mark with which some spreadsheets begin.
func plain(text string) string {
	return directory.Folded(strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || strings.ContainsRune("-_\uFEFF", c) {
			return -1
		}
		return c
	}, text))
}

// personaNeeded says what a persona is called. Its list is in the order of
// reports.
func personaNeeded(more ...string) string {
	var words, called []string
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		words, called = append(words, p.String()), append(append(called, p.Title(directory.DefaultSettings().ProductName)), p.OlderNames()...)
	}
	return "One of these is expected, in any case, spaced, hyphened or not: " + strings.Join(append(words, more...), ", ") +
		". Known, too, is what people call them: " + strings.Join(called, ", ") + "."
}

// Persona is a persona by whatever it is called (P1); none when it is absent.
func (o *Object) Persona(member string) directory.Persona {
	text, ok := as[string](o, member, "Text")
	p, known := ParsePersona(text)
	if ok && !known {
		o.Fault(member, personaNeeded())
	}
	return p
}

// personaFilter is the persona of those who are wanted, or that they are to have
// none; given is whether any is asked for.
func (o *Object) personaFilter() (p directory.Persona, given bool) {
	const member = "persona"
	text, ok := as[string](o, member, "Text")
	p, known := ParsePersona(text)
	if ok && !known && plain(text) != plain(persona.None) {
		o.Fault(member, personaNeeded(persona.None))
	}
	return p, ok
}

// word is the word of a member of a small closed set.
func word[E comparable](words map[string]E, e E) string {
	for w, member := range words {
		if member == e {
			return w
		}
	}
	return ""
}
