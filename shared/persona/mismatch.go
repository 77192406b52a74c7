package persona

import (
	"fmt"
	"slices"
	"strings"

	"gemba/shared/directory"
)

// This file is P7: what roles that are meant for a persona tell of the people
// who hold them, or do not.

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

// Meant is a role that is meant for a persona (R1).
type Meant struct {
	ID, Name string
	Persona  directory.Persona
}

// Mismatch is what somebody's roles tell of their persona (P7).
type Mismatch uint8

// The mismatches (P7).
const (
	NoMismatch Mismatch = iota
	NeedsMore
	NeedsLess
	MismatchCount
)

var mismatchNames = [MismatchCount]string{"", "needs_more", "needs_less"}

// String is the mismatch's word.
func (m Mismatch) String() string {
	if m < MismatchCount {
		return mismatchNames[m]
	}
	return ""
}

// standing is somebody's persona among roles: those of the organization that
// are meant for one, and those of them that they hold.
type standing struct {
	persona     directory.Persona
	held, exist []Meant
	product     string // which names the champion (P1)
}

// mismatch is P7. Nothing can be compared with no persona.
func (s standing) mismatch() Mismatch {
	switch own := width(s.persona); {
	case s.persona == directory.NoPersona:
		return NoMismatch
	case widest(s.held) > own:
		return NeedsLess
	case widest(s.held) < own && widest(s.exist) >= own:
		return NeedsMore
	}
	return NoMismatch
}

// widest is the greatest width of these roles, 0 of none.
func widest(roles []Meant) int {
	most := 0
	for _, r := range roles {
		most = max(most, width(r.Persona))
	}
	return most
}

// as is those of the roles that are meant for a persona of this width.
func as(roles []Meant, wide int) []Meant { return ranging(roles, wide, wide) }

// ranging is those of the roles that are meant for personas of these widths.
func ranging(roles []Meant, least, most int) []Meant {
	var some []Meant
	for _, r := range roles {
		if w := width(r.Persona); least <= w && w <= most {
			some = append(some, r)
		}
	}
	return some
}

// telling is the roles that tell the mismatch: the wider ones that are held, or
// the nearest ones that are not.
func (s standing) telling(m Mismatch) []Meant {
	own := width(s.persona)
	if m == NeedsLess {
		return ranging(s.held, own+1, width(directory.Champion))
	}
	for ; own < width(directory.Champion) && len(as(s.exist, own)) == 0; own++ {
	}
	return as(s.exist, own)
}

// reason says the mismatch in words.
func (s standing) reason(m Mismatch) string {
	title := s.persona.Title(s.product)
	if m == NeedsLess {
		return fmt.Sprintf("Their persona is %s, and they hold what is meant for a wider one: %s.", title, described(s.telling(m), s.product))
	}
	said := fmt.Sprintf("Their persona is %s, and they hold no role that is meant for it or for a wider one.", title)
	if most := as(s.held, widest(s.held)); len(most) > 0 {
		said += " " + widestOf(most, s.product)
	}
	return said
}

// described is roles by their names, each with whom it is meant for.
func described(roles []Meant, product string) string {
	var all []string
	for _, r := range roles {
		all = append(all, r.Name+" ("+r.Persona.Title(product)+")")
	}
	return strings.Join(all, ", ")
}

// widestOf says which roles are the widest that somebody holds, at least one.
func widestOf(roles []Meant, product string) string {
	var all []string
	for _, r := range roles {
		meant := r.Persona.Title(product)
		if strings.EqualFold(r.Name, meant) {
			meant = "the persona of its name"
		}
		all = append(all, r.Name+", which is meant for "+meant)
	}
	if len(all) == 1 {
		return "Their widest role is " + all[0] + "."
	}
	return "Their widest roles are " + strings.Join(all, "; ") + "."
}

// Deed is something that can be done about a mismatch.
type Deed uint8

// The deeds. A persona that is changed to none is cleared.
const (
	NoDeed Deed = iota
	GiveRole
	RevokeRole
	ChangePersona
	DeedCount
)

var deedNames = [DeedCount]string{"", "give_role", "revoke_role", "change_persona"}

// String is the deed's word.
func (d Deed) String() string {
	if d < DeedCount {
		return deedNames[d]
	}
	return ""
}

// Step is one change: of a role by its id, or of the persona.
type Step struct {
	Deed    Deed
	Role    string
	Persona directory.Persona
}

// Way is steps that together resolve a mismatch, and the sentence that says so.
type Way struct {
	Steps    []Step
	Sentence string
}

// mostOffered is how many roles are offered that would do as well as each other.
// There can be any number of them (R1), and each sentence names all that is to be
// revoked for it.
const mostOffered = 20

// ways are what would resolve the mismatch, each by itself, of what the caller
// may do with roles; of roles to give the first mostOffered by id. A persona can
// always be changed: who sees a mismatch administers its user (P2).
func (s standing) ways(m Mismatch, may func(Deed, Meant) bool) []Way {
	if m == NeedsMore {
		return append(s.giving(may), s.changing()...)
	}
	return append(s.changing(), s.revoking(may)...)
}

// giving is each role that is offered.
func (s standing) giving(may func(Deed, Meant) bool) []Way {
	var ways []Way
	for _, r := range s.offered(may) {
		ways = append(ways, Way{[]Step{{Deed: GiveRole, Role: r.ID}}, "Give them " + described([]Meant{r}, s.product) + "."})
	}
	return ways
}

// offered are roles of the persona's own width that may be given: a wider one would
// be too much.
func (s standing) offered(may func(Deed, Meant) bool) []Meant {
	var some []Meant
	for _, r := range as(s.exist, width(s.persona)) {
		if len(some) < mostOffered && may(GiveRole, r) {
			some = append(some, r)
		}
	}
	return some
}

// changing is each persona that the widest of what is held is meant for. Where
// nothing is held and no role is meant for their persona, no persona fits.
func (s standing) changing() []Way {
	var ways []Way
	for _, r := range as(s.held, widest(s.held)) {
		said := "Change their persona to " + r.Persona.Title(s.product) + ": the widest of their roles is meant for it."
		way := Way{[]Step{{Deed: ChangePersona, Persona: r.Persona}}, said}
		if !slices.ContainsFunc(ways, func(w Way) bool { return w.Steps[0] == way.Steps[0] }) {
			ways = append(ways, way)
		}
	}
	if len(s.held) == 0 && len(as(s.exist, width(s.persona))) == 0 {
		ways = append(ways, Way{[]Step{{Deed: ChangePersona}}, "Take their persona away: no role is meant for it, and they hold none that is meant for another."})
	}
	return ways
}

// revoking is to take all that is too wide. Who would hold nothing of their
// persona's width then would need more, so one such role is given for it.
func (s standing) revoking(may func(Deed, Meant) bool) []Way {
	wider := s.telling(NeedsLess)
	var revoked []Step
	for _, r := range wider {
		if !may(RevokeRole, r) {
			return nil
		}
		revoked = append(revoked, Step{Deed: RevokeRole, Role: r.ID})
	}
	said := "Revoke " + described(wider, s.product)
	if len(as(s.held, width(s.persona))) > 0 {
		return []Way{{revoked, said + "."}}
	}
	var ways []Way
	for _, r := range s.offered(may) {
		steps := append(slices.Clone(revoked), Step{Deed: GiveRole, Role: r.ID})
		ways = append(ways, Way{steps, said + ", and give them " + described([]Meant{r}, s.product) + " instead."})
	}
	return ways
}
