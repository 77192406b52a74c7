package persona

import "gemba/shared/directory"

// widths is P7's order of width. Who has no persona is before them all.
var widths = [directory.PersonaCount]int{
	directory.NoPersona: 0,
	directory.Frontline: 1,
	directory.Executive: 2,
	directory.Leader:    3,
	directory.CICoach:   4,
	directory.Champion:  4,
}

// width is a persona's place in P7's order.
func width(p directory.Persona) int { return widths[p] }
