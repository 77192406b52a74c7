package persona

import (
	"cmp"
	"fmt"
	"slices"

	"gemba/shared/authz"
)

// News is what a scheduled audit found changed, with the locations where verdicts
// changed as well.
type News struct {
	Audit
	Places []Place
}

// Place is a location with the verdicts that changed there.
type Place struct {
	ID, Name string
	Base     int
	Changed  []Shift
}

// spread is an audit of the whole organization with the counts that it was kept
// with.
type spread struct {
	audit      Audit
	everywhere map[string]Tally
}

// at is the audit's report of a location, by the targets of then.
func (s spread) at(location string) Report {
	return judge(s.audit.Targets, s.everywhere[location], location, s.audit.Report.At)
}

// changedPlaces are the locations whose verdicts changed between two audits, those
// with the most people first. One that is not there now is no news.
func changedPlaces(m *authz.Model, before, after spread) []Place {
	var places []Place
	for _, l := range m.Policy().Locations {
		was, is := before.at(l.ID), after.at(l.ID)
		if was.Base == 0 && is.Base == 0 {
			continue
		}
		if changed := shifts(was, is); len(changed) > 0 {
			places = append(places, Place{ID: l.ID, Name: l.Name, Base: is.Base, Changed: changed})
		}
	}
	slices.SortFunc(places, func(a, b Place) int { return cmp.Or(b.Base-a.Base, cmp.Compare(a.ID, b.ID)) })
	return places
}

// advice says what would bring the personas of an audit into their ranges, by how
// far each is from its own.
func advice(a Audit) []string {
	var out []string
	for _, line := range append(a.Report.Lines(), a.Report.Groups()...) {
		switch title, n := titles[line.Word], people(line.Change); line.Verdict {
		case Below:
			out = append(out, fmt.Sprintf("%s: find %s more whom this fits, and label them so.", title, n))
		case Above:
			out = append(out, fmt.Sprintf("%s: find %s whom another persona fits better, and label them so.", title, n))
		case Unreachable:
			return []string{"So many people cannot meet all targets at once; no relabelling helps, other targets do (PUT /v1/organization)."}
		}
	}
	return out
}
