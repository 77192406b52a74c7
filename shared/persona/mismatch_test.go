package persona

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
)

// some is the roles of a set of personas, one a persona.
func some(set int) []Meant {
	var roles []Meant
	for p := directory.NoPersona + 1; p < directory.PersonaCount; p++ {
		if set>>p&1 == 1 {
			roles = append(roles, Meant{ID: "as-" + p.String(), Name: "As " + p.String(), Persona: p})
		}
	}
	return roles
}

// sets are all sets of personas.
const sets = 1 << directory.PersonaCount

// plainly is P7 read a second time, by its words: pairs of personas of which
// the first is narrower.
func plainly(s standing) (more, less bool) {
	order := "frontline<executive frontline<leader frontline<ci_coach frontline<champion executive<leader executive<ci_coach " +
		"executive<champion leader<ci_coach leader<champion"
	wider := func(p, than directory.Persona) bool {
		return slices.Contains(strings.Fields(order), than.String()+"<"+p.String())
	}
	same := func(p, q directory.Persona) bool { return !wider(p, q) && !wider(q, p) }
	if s.persona == directory.NoPersona {
		return false, false
	}
	exists, holds := false, false
	for _, r := range s.exist {
		exists = exists || same(r.Persona, s.persona) || wider(r.Persona, s.persona)
	}
	for _, r := range s.held {
		holds = holds || same(r.Persona, s.persona) || wider(r.Persona, s.persona)
		less = less || wider(r.Persona, s.persona)
	}
	return exists && !holds && !less, less
}

// TestP7EveryStanding is all personas, with all that can exist and be held.
func TestP7EveryStanding(t *testing.T) {
	seen := map[Mismatch]int{}
	for persona := range directory.PersonaCount {
		for exist := 0; exist < sets; exist += 2 {
			for held := 0; held < sets; held += 2 {
				if held&^exist != 0 {
					continue
				}
				s := standing{persona, some(held), some(exist), "KaiNexus"}
				more, less := plainly(s)
				want := NoMismatch
				switch {
				case less:
					want = NeedsLess
				case more:
					want = NeedsMore
				}
				got := s.mismatch()
				if got != want {
					t.Fatalf("P7 %q holds %v of %v: %v, want %v", persona, s.held, s.exist, got, want)
				}
				seen[got]++
				if got != NoMismatch {
					s.explained(t, got)
					s.resolved(t, got)
				}
			}
		}
	}
	for m := range MismatchCount {
		if seen[m] == 0 {
			t.Errorf("P7 no case is %v", m)
		}
	}
}

// explained checks what is said of a mismatch.
func (s standing) explained(t *testing.T, m Mismatch) {
	t.Helper()
	telling := s.telling(m)
	if len(telling) == 0 || !strings.Contains(s.reason(m), s.persona.Title(s.product)) {
		t.Fatalf("P7 %v %v: %v, %q", s, m, telling, s.reason(m))
	}
	for _, r := range telling {
		holds := slices.Contains(s.held, r)
		if holds != (m == NeedsLess) || width(r.Persona) < width(s.persona) {
			t.Fatalf("P7 %v does not tell %v of %v", r, m, s)
		}
	}
}

// resolved takes each way to its end, where there is no mismatch any more.
func (s standing) resolved(t *testing.T, m Mismatch) {
	t.Helper()
	ways := s.ways(m, func(Deed, Meant) bool { return true })
	if len(ways) == 0 {
		t.Fatalf("P7 nothing resolves %v of %v", m, s)
	}
	for _, w := range ways {
		after := s
		for _, step := range w.Steps {
			after = after.with(t, step)
		}
		if after.mismatch() != NoMismatch || !strings.HasSuffix(w.Sentence, ".") {
			t.Fatalf("P7 %+v makes of %v: %v, %v", w, s, after, after.mismatch())
		}
	}
	for _, w := range s.ways(m, func(Deed, Meant) bool { return false }) {
		if len(w.Steps) != 1 || w.Steps[0].Deed != ChangePersona {
			t.Fatalf("R12 who may do nothing with roles is told %+v", w)
		}
	}
}

// with is the standing after a step.
func (s standing) with(t *testing.T, step Step) standing {
	t.Helper()
	role := func(list []Meant) int { return slices.IndexFunc(list, func(r Meant) bool { return r.ID == step.Role }) }
	switch step.Deed {
	case ChangePersona:
		s.persona = step.Persona
	case GiveRole:
		if role(s.held) >= 0 {
			t.Fatalf("%v is held already", step)
		}
		s.held = append(slices.Clone(s.held), s.exist[role(s.exist)])
	case RevokeRole:
		s.held = slices.Delete(slices.Clone(s.held), role(s.held), role(s.held)+1)
	default:
		t.Fatalf("no deed: %v", step)
	}
	return s
}

func TestP7InWords(t *testing.T) {
	nurse, lead := Meant{"staff", "Staff", directory.Frontline}, Meant{"unit-lead", "Unit lead", directory.Leader}
	coach, champion := Meant{"coach", "CI coach", directory.CICoach}, Meant{"contact", "Contact", directory.Champion}
	exist := []Meant{coach, champion, nurse, lead}
	for name, c := range map[string]struct {
		standing  standing
		reason    string
		sentences []string
	}{
		"P7 less, with something of their own": {standing{directory.Frontline, []Meant{nurse, lead}, exist, "KaiNexus"},
			"Their persona is Frontline, and they hold what is meant for a wider one: Unit lead (Leader).",
			[]string{"Change their persona to Leader: the widest of their roles is meant for it.", "Revoke Unit lead (Leader)."}},
		"P7 less, with nothing of their own": {standing{directory.Frontline, []Meant{lead}, exist, "KaiNexus"},
			"Their persona is Frontline, and they hold what is meant for a wider one: Unit lead (Leader).",
			[]string{"Change their persona to Leader: the widest of their roles is meant for it.",
				"Revoke Unit lead (Leader), and give them Staff (Frontline) instead."}},
		"P7 less, two as wide": {standing{directory.Leader, []Meant{coach, champion, lead}, exist, "KaiNexus"},
			"Their persona is Leader, and they hold what is meant for a wider one: CI coach (CI Coach), Contact (KaiNexus Champion).",
			[]string{"Change their persona to CI Coach: the widest of their roles is meant for it.",
				"Change their persona to KaiNexus Champion: the widest of their roles is meant for it.",
				"Revoke CI coach (CI Coach), Contact (KaiNexus Champion)."}},
		"P7 more": {standing{directory.Leader, []Meant{nurse}, exist, "KaiNexus"},
			"Their persona is Leader, and they hold no role that is meant for it or for a wider one. Their widest role is Staff, which is meant for Frontline.",
			[]string{"Give them Unit lead (Leader).", "Change their persona to Frontline: the widest of their roles is meant for it."}},
		"P7 more, of what there is none": {standing{directory.Executive, nil, exist, "KaiNexus"},
			"Their persona is Executive, and they hold no role that is meant for it or for a wider one.",
			[]string{"Take their persona away: no role is meant for it, and they hold none that is meant for another."}},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.standing.mismatch()
			var sentences []string
			for _, w := range c.standing.ways(m, func(Deed, Meant) bool { return true }) {
				sentences = append(sentences, w.Sentence)
			}
			if diff := cmp.Diff(c.reason, c.standing.reason(m)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.sentences, sentences); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMismatchesHaveWords(t *testing.T) {
	for m := NoMismatch + 1; m < MismatchCount; m++ {
		if m.String() == "" {
			t.Errorf("mismatch %d has no word", m)
		}
	}
	for d := NoDeed + 1; d < DeedCount; d++ {
		if d.String() == "" {
			t.Errorf("deed %d has no word", d)
		}
	}
}

// TestP7AMismatchHasABound: however many roles there are, an answer can carry what is
// told of somebody who holds as many as one may (R1), whichever mismatch it is.
func TestP7AMismatchHasABound(t *testing.T) {
	const most, answer = 2000, 2_000_000
	name := strings.Repeat("é", 100)
	s := standing{persona: directory.Frontline}
	for i := range most {
		s.exist = append(s.exist, Meant{fmt.Sprintf("narrow-%04d", i), name, directory.Frontline})
	}
	lacking := s
	for i := range 200 {
		s.held = append(s.held, Meant{fmt.Sprintf("wide-%04d", i), name, directory.Champion})
	}
	s.exist = append(s.exist, s.held...)
	for m, s := range map[Mismatch]standing{NeedsMore: lacking, NeedsLess: s} {
		ways := s.ways(m, func(_ Deed, r Meant) bool { return r.ID != "narrow-0000" })
		size := len(s.reason(m))
		for _, w := range ways {
			size += len(w.Sentence) + 100*len(w.Steps)
		}
		roles := 0
		for _, w := range ways {
			if last := w.Steps[len(w.Steps)-1]; last.Deed == GiveRole {
				roles++
				if last.Role == "narrow-0000" {
					t.Errorf("R12 %+v", w.Steps)
				}
			}
		}
		if size > answer || roles != mostOffered {
			t.Errorf("P7 %v takes %d bytes for %d roles to give", m, size, roles)
		}
	}
}
