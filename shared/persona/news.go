package persona

import (
	"cmp"
	"slices"

	"gemba/shared/authz"
)

// News is what a scheduled audit found changed, with what is told beside it. Before
// is the audit that it was compared with, zero when it is not kept any more.
type News struct {
	Audit
	Before    Audit
	Locations []LocationNews
}

// LocationNews is a location that has news: its verdicts changed, it is outside its
// targets, or they contradict.
type LocationNews struct {
	ID, Name string
	Report   Report
	Changed  []Shift
}

// retargeted is whether the targets are others than in the audit before.
func (n News) retargeted() bool { return n.Before.ID != "" && n.Before.Targets != n.Targets }

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

// locationNews are the locations that have news in an audit, compared with the one
// before, those with the most people first. One that is not there now has none.
func locationNews(m *authz.Model, before, after spread) []LocationNews {
	var all []LocationNews
	for _, l := range m.Policy().Locations {
		was, is := before.at(l.ID), after.at(l.ID)
		if was.Base == 0 && is.Base == 0 {
			continue
		}
		news := LocationNews{ID: l.ID, Name: l.Name, Report: is, Changed: shifts(was, is)}
		if len(news.Changed) > 0 || len(is.outside()) > 0 || is.obstacle() == TargetsContradict {
			all = append(all, news)
		}
	}
	slices.SortFunc(all, func(a, b LocationNews) int {
		return cmp.Or(b.Report.Base-a.Report.Base, cmp.Compare(a.ID, b.ID))
	})
	return all
}

// outside are the report's lines that are outside their targets.
func (r Report) outside() []Line {
	return slices.DeleteFunc(r.AllLines(), func(l Line) bool { return l.Verdict != Below && l.Verdict != Above })
}

// obstacle is why nothing of the report is judged, NoObstacle when it is.
func (r Report) obstacle() Obstacle {
	if c := r.Contradiction(); c != nil {
		return c.Obstacle
	}
	return NoObstacle
}

// moves are the smallest relabelling that brings the personas of an audit into their
// ranges, none when all are there, or none does.
func (a Audit) moves() []Move {
	var counts Counts
	for p, row := range a.Report.Personas {
		counts[p] = row.Count
	}
	return planned(a.Targets, counts, a.Report.Location, a.Report.At).Moves
}
