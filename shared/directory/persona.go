package directory

// personaTitles are the personas as people are shown them (P1). The last one is
// named after the product.
var personaTitles = [PersonaCount]string{"", "Frontline", "Leader", "Executive", "CI Coach", "Champion"}

// olderNames are what personas were called before (P1).
var olderNames = [PersonaCount][]string{CICoach: {"CI Expert"}, Champion: {"Implementation Lead"}}

// Title is the persona as people are shown it, the champion being that of the
// product of this name (P1); none has the empty one.
func (p Persona) Title(product string) string {
	switch {
	case p == Champion:
		return product + " " + personaTitles[p]
	case p < PersonaCount:
		return personaTitles[p]
	}
	return ""
}

// OlderNames are what the persona was called before, the newest first.
func (p Persona) OlderNames() []string {
	if p < PersonaCount {
		return olderNames[p]
	}
	return nil
}

// ParsePersona is the persona with exactly this word, the empty one being that of
// none; false where there is no such persona.
func ParsePersona(word string) (Persona, bool) {
	for p := NoPersona; p < PersonaCount; p++ {
		if personaNames[p] == word {
			return p, true
		}
	}
	return NoPersona, false
}
