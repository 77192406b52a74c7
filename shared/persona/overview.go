package persona

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// Overview is a report as people read it: beside the report, that of every
// location in its population, and what audits found before.
type Overview struct {
	Organization directory.Organization
	// Path is the locations from a root to the reported one, none for the
	// organization.
	Path    []authz.Location
	Report  Report
	Below   []Located
	History []Report // the oldest first
}

// Located is the report of a location below the reported population, in the order
// of the tree: parents first, siblings by name. Depth is 1 directly below. Everybody
// who is at several locations is in each of them, and once in each above.
type Located struct {
	authz.Location
	Depth  int
	Report Report
}

// historyLength is how many audits an overview looks back on: a season, of one
// a day.
const historyLength = 90

// Title is a persona or group by its word as people are shown it, or those who have
// none; the champion is that of the product of this name (P1).
func Title(word, product string) string {
	switch word {
	case None:
		return "No persona"
	case Experts:
		return "CI experts"
	}
	p, _ := directory.ParsePersona(word)
	return p.Title(product)
}

// Judged are the lines of a report that have a target, as its sentence and
// charts tell them: the personas, then the group.
func (r Report) Judged() []Line {
	return slices.DeleteFunc(r.AllLines(), func(l Line) bool { return l.Verdict == NoVerdict })
}

// TooFew tells whether the population is so small that nothing is judged (P5).
func (r Report) TooFew() bool { return r.Base < fewest }

// Overview is the live report with all that belongs to it, of the organization
// or of a location and below. Errors: as Report.
func (s *Service) Overview(ctx context.Context, c directory.Caller, location string) (Overview, error) {
	if err := known(c.Model, location); err != nil {
		return Overview{}, err
	}
	census, err := countedUnder(ctx, s.store, c.Facts)
	if err != nil {
		return Overview{}, err
	}
	before, err := s.history(ctx, c, location)
	if err != nil {
		return Overview{}, err
	}
	targets, today := c.Organization.Settings.Targets, directory.DayOf(c.At)
	out := Overview{
		Organization: c.Organization, Path: path(c.Model, location),
		Report:  judge(targets, count(c.Model, census.Populations, location, today), location, c.At),
		Below:   below(c.Model, location),
		History: before,
	}
	each := countEach(c.Model, census.Populations, today)
	for i, p := range out.Below {
		var people Tally
		if some := each[p.ID]; some != nil {
			people = *some
		}
		out.Below[i].Report = judge(targets, people, p.ID, c.At)
	}
	return out, nil
}

// history is what the last audits found of a population, the oldest first.
func (s *Service) history(ctx context.Context, c directory.Caller, location string) ([]Report, error) {
	audits, _, err := s.Audits(ctx, c, location, directory.Page{Limit: historyLength})
	if err != nil {
		return nil, err
	}
	out := make([]Report, 0, len(audits))
	for _, a := range slices.Backward(audits) {
		out = append(out, a.Report)
	}
	return out, nil
}

// path is the locations from a root down to this one.
func path(m *authz.Model, location string) []authz.Location {
	var out []authz.Location
	for _, id := range slices.Backward(m.Above(location)) {
		l, _ := m.Location(id)
		out = append(out, l)
	}
	return out
}

// below is all that is below a location, or of the organization, without the
// counts.
func below(m *authz.Model, root string) []Located {
	children := map[string][]authz.Location{}
	for _, l := range m.Policy().Locations {
		parent := l.Parent
		if _, known := m.Location(parent); !known {
			parent = ""
		}
		children[parent] = append(children[parent], l)
	}
	for _, siblings := range children {
		slices.SortFunc(siblings, func(a, b authz.Location) int {
			return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
		})
	}
	var out []Located
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, l := range children[parent] {
			out = append(out, Located{Location: l, Depth: depth})
			walk(l.ID, depth+1)
		}
	}
	walk(root, 1)
	return out
}
