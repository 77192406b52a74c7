package persona

import (
	"context"
	"errors"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
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

// Audit is a report that was kept (P6). Slot is the day of a scheduled one,
// which is its id too. Changed is empty for the first.
type Audit struct {
	ID, Slot string
	Report   Report
	Changed  []Shift
}

// Audits is what the schedule needs of storage.
type Audits interface {
	Counter
	// Organizations is a page of all organizations' ids, with the place to go
	// on after, "" at the last.
	Organizations(ctx context.Context, page directory.Page) ([]string, string, error)
	// Load reads the organization with its policy.
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	// Audits are the scheduled audits up to a slot, the latest first.
	Audits(ctx context.Context, organization, slot string, limit int) ([]Audit, error)
	// PutAudit keeps an audit and its entry, once a slot: false when the slot
	// has one.
	PutAudit(ctx context.Context, organization string, a Audit, e timeline.Entry) (bool, error)
	// Champions are the users whose persona is champion.
	Champions(ctx context.Context, organization string) ([]directory.User, error)
}

// Auditor makes the scheduled audits.
type Auditor struct {
	store Audits
	post  post
	now   func() time.Time
}

// NewAuditor makes audits over a store, tells their news by mail, and dates
// them by the clock.
func NewAuditor(store Audits, outbox Outbox, mailer Mailer, now func() time.Time) *Auditor {
	return &Auditor{store: store, post: post{outbox, mailer}, now: now}
}

// Outcome is what became of one organization: the audit that the slot has, and
// whether this run made it.
type Outcome struct {
	Organization string
	Audit        Audit
	Made         bool
	Err          error
}

// pageSize is how many organizations are read at a time.
const pageSize = 100

// Run audits every organization for the slot, tells each outcome as it comes,
// and goes on past one that fails. The error joins all failures: the run is to
// be repeated then, and does only what is still missing.
func (a *Auditor) Run(ctx context.Context, slot string, tell func(Outcome)) error {
	var failures []error
	page := directory.Page{Limit: pageSize}
	for {
		organizations, end, err := a.store.Organizations(ctx, page)
		if err != nil {
			return errors.Join(append(failures, err)...)
		}
		for _, o := range organizations {
			outcome := a.organization(ctx, o, slot)
			failures = append(failures, outcome.Err)
			tell(outcome)
		}
		if end == "" {
			return errors.Join(failures...)
		}
		page.After = end
	}
}

// organization sees to it that the slot has an audit and that its news is out.
// News is that of the audit which was kept, so a repeat and a parallel run tell
// nothing else.
func (a *Auditor) organization(ctx context.Context, o, slot string) Outcome {
	kept, made, err := a.keep(ctx, o, slot)
	if err == nil && len(kept.Changed) > 0 {
		err = a.tell(ctx, o, kept)
	}
	return Outcome{Organization: o, Audit: kept, Made: made, Err: err}
}

// keep makes the slot's audit unless there is one, and answers the one that
// there is then.
func (a *Auditor) keep(ctx context.Context, o, slot string) (kept Audit, made bool, err error) {
	last, err := a.last(ctx, o, slot)
	if err != nil || last.Slot == slot {
		return last, false, err
	}
	report, err := a.measure(ctx, o)
	if err != nil {
		return Audit{}, false, err
	}
	next := Audit{ID: slot, Slot: slot, Report: report, Changed: shifts(last.Report, report)}
	first, err := a.store.PutAudit(ctx, o, next, next.entry())
	if err != nil || first {
		return next, first, err
	}
	last, err = a.last(ctx, o, slot)
	return last, false, err
}

// last is the latest scheduled audit up to the slot, zero when there is none.
func (a *Auditor) last(ctx context.Context, o, slot string) (Audit, error) {
	audits, err := a.store.Audits(ctx, o, slot, 1)
	if err != nil || len(audits) == 0 {
		return Audit{}, err
	}
	return audits[0], nil
}

// measureAttempts bounds how often a policy may move on under an audit.
const measureAttempts = 12

// measure is the organization's report of now.
func (a *Auditor) measure(ctx context.Context, o string) (Report, error) {
	for range measureAttempts {
		facts, err := a.store.Load(ctx, o, directory.Keys{})
		if err != nil {
			return Report{}, err
		}
		report, err := measure(ctx, a.store, facts, "", a.now())
		if !fault.IsRaced(err) {
			return report, err
		}
	}
	return Report{}, fault.Wrap(fault.Unavailable, "busy", errors.New("the policy does not come to rest"))
}

// tell hands the news to the champions (P6).
func (a *Auditor) tell(ctx context.Context, o string, news Audit) error {
	facts, err := a.store.Load(ctx, o, directory.Keys{})
	if err != nil {
		return err
	}
	champions, err := a.store.Champions(ctx, o)
	if err != nil {
		return err
	}
	return a.post.send(ctx, facts.Organization, news, champions)
}

// shifts are the verdicts that are others than before. What had none before has
// not changed its verdict; before the first audit nothing had one.
func shifts(before, after Report) []Shift {
	var out []Shift
	was := append(before.Lines(), before.Groups()...)
	for i, is := range append(after.Lines(), after.Groups()...) {
		if was[i].Verdict != NoVerdict && was[i].Verdict != is.Verdict {
			out = append(out, Shift{is.Word, was[i].Verdict, is.Verdict})
		}
	}
	return out
}

// scheduled is who the timeline names for what the schedule does: no user, so
// without an id.
var scheduled = timeline.Person{Name: "schedule"}

// entry is the audit in the timeline (T1): what was found, and beside each
// verdict that changed the one before.
func (a Audit) entry() timeline.Entry {
	var before timeline.Values
	verdicts := map[string]any{}
	for _, line := range append(a.Report.Lines(), a.Report.Groups()...) {
		if line.Verdict != NoVerdict {
			verdicts[line.Word] = line.Verdict.String()
		}
	}
	if len(a.Changed) > 0 {
		was := map[string]any{}
		for _, s := range a.Changed {
			was[s.Word] = s.Before.String()
		}
		before = timeline.Values{"verdicts": was}
	}
	return timeline.Entry{
		At: a.Report.At, Type: timeline.Audit, Action: "audit", Subject: scheduled,
		Target: timeline.Target{Type: "audit", ID: a.ID}, Before: before,
		After:     timeline.Values{"slot": a.Slot, "base": a.Report.Base, "verdicts": verdicts},
		RequestID: "schedule-" + a.Slot,
	}
}
