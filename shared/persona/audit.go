package persona

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Slot is the schedule slot that a time belongs to: its UTC day (P6).
func Slot(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// Shift is a verdict that is no longer what the audit before found. Word is
// the persona's or the group's.
type Shift struct {
	Word          string
	Before, After Verdict
}

// Audit is a report that was kept (P6), of the organization or of a location.
type Audit struct {
	// ID names it: the slot of a scheduled one, the order of any other, whose
	// slot is "".
	ID, Slot string
	// Order is its place in the history: later ones have greater orders.
	Order string
	// Against is the id of the audit that Changed compares with, "" for the first.
	// Changed is empty then.
	Against string
	Changed []Shift
	Report  Report
	// Targets are those it was judged by.
	Targets directory.Targets
}

// Record is an audit to be kept, with the counts of every location that has
// somebody; an audit of one location has none. Entry is its timeline entry (T1).
type Record struct {
	Audit      Audit
	Everywhere map[string]*Tally
	Entry      timeline.Entry
}

// AuditHistory is the audits that were kept.
type AuditHistory interface {
	// Audits is a page of them, the latest first. A page's place is an order, so
	// one may also begin after any audit.
	Audits(ctx context.Context, organization string, page directory.Page) ([]Audit, string, error)
	// Audit is the one with this id; false when there is none.
	Audit(ctx context.Context, organization, id string) (Audit, bool, error)
	// TalliesAt are the counts of a location by the orders of audits of the whole
	// organization; one that found nobody there is not among them.
	TalliesAt(ctx context.Context, organization, location string, orders []string) (map[string]Tally, error)
}

// orderOf is a new place in the history.
func orderOf(at time.Time) string {
	return ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
}

// tells is whether the audit says something of a population: that of the whole
// organization also says how it is at each location.
func (a Audit) tells(location string) bool {
	return a.Report.Location == "" || a.Report.Location == location
}

// survey is the report of a population, and with that of the whole organization
// the counts of every location.
func survey(m *authz.Model, t directory.Targets, c Census, location string, at time.Time) (Report, map[string]*Tally) {
	today := directory.DayOf(at)
	report := judge(t, count(m, c.Populations, location, today), location, at)
	if location != "" {
		return report, nil
	}
	return report, countEach(m, c.Populations, today)
}

// shifts are the verdicts that are others than before. What had none before has
// not changed its verdict; before the first audit nothing had one.
func shifts(before, after Report) []Shift {
	var out []Shift
	was := before.AllLines()
	for i, is := range after.AllLines() {
		if was[i].Verdict != NoVerdict && was[i].Verdict != is.Verdict {
			out = append(out, Shift{is.Word, was[i].Verdict, is.Verdict})
		}
	}
	return out
}

// entered completes an entry with the audit (T1): what was found, and beside each
// verdict that changed the one before.
func (a Audit) entered(e timeline.Entry) timeline.Entry {
	verdicts := map[string]any{}
	for _, line := range a.Report.AllLines() {
		if line.Verdict != NoVerdict {
			verdicts[line.Word] = line.Verdict.String()
		}
	}
	if len(a.Changed) > 0 {
		was := map[string]any{}
		for _, s := range a.Changed {
			was[s.Word] = s.Before.String()
		}
		e.Before = timeline.Values{"verdicts": was}
	}
	e.Target = timeline.Target{Type: "audit", ID: a.ID}
	e.After = timeline.Values{"base": a.Report.Base, "verdicts": verdicts}
	if a.Slot != "" {
		e.After["slot"] = a.Slot
	}
	if a.Report.Location != "" {
		e.After["location"] = a.Report.Location
	}
	return e
}
