package persona

import (
	"context"
	"errors"
	"time"

	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// Audits is what the schedule needs of storage.
type Audits interface {
	Counter
	// Load reads the organization with its policy.
	Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error)
	// Scheduled is the slot's audit and the last scheduled one, each zero when
	// there is none.
	Scheduled(ctx context.Context, organization, slot string) (of, last Audit, err error)
	// PutScheduled keeps an audit as the last scheduled one, once a slot: raced
	// when the slot has one, or another than Against is the last.
	PutScheduled(ctx context.Context, organization string, r Record) error
	// Everywhere is the audit of the whole organization with this id, zero when
	// there is none, and the counts by location that it was kept with.
	Everywhere(ctx context.Context, organization, id string) (Audit, map[string]Tally, error)
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

// auditReserve is the time before the context's end in which no organization is
// begun but the first: the counts of the largest take seconds, and its champions
// are looked for among all of its users.
const auditReserve = 3 * time.Minute

// Run audits organizations for the slot, tells each outcome as it comes, and
// goes on past one that fails. Those for which there is no time are the rest.
// The error joins all failures: the run is to be repeated then, and does only
// what is still missing.
func (a *Auditor) Run(ctx context.Context, slot string, organizations []string, tell func(Outcome)) (rest []string, err error) {
	var failures []error
	for i, o := range organizations {
		if i > 0 && directory.Late(ctx, auditReserve) {
			return organizations[i:], errors.Join(failures...)
		}
		outcome := a.organization(ctx, o, slot)
		failures = append(failures, outcome.Err)
		tell(outcome)
	}
	return nil, errors.Join(failures...)
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
// there is then. It counts anew when the policy, or another audit, came between.
func (a *Auditor) keep(ctx context.Context, o, slot string) (kept Audit, made bool, err error) {
	err = directory.Anew(ctx, func() error {
		of, last, err := a.store.Scheduled(ctx, o, slot)
		if err != nil || of.ID != "" {
			kept = of
			return err
		}
		r, err := a.measure(ctx, o, slot, last)
		if err != nil {
			return err
		}
		kept = r.Audit
		err = a.store.PutScheduled(ctx, o, r)
		made = err == nil
		return err
	})
	if err != nil {
		return Audit{}, false, err
	}
	return kept, made, nil
}

// scheduled is who the timeline names for what the schedule does: no user, so
// without an id.
var scheduled = timeline.Person{Name: "schedule"}

// measure is the slot's audit by the counts of now.
func (a *Auditor) measure(ctx context.Context, o, slot string, last Audit) (Record, error) {
	facts, err := a.store.Load(ctx, o, directory.Keys{})
	if err != nil {
		return Record{}, err
	}
	census, err := countedUnder(ctx, a.store, facts)
	if err != nil {
		return Record{}, err
	}
	at := a.now()
	targets := facts.Organization.Settings.Targets
	report, everywhere := survey(facts.Model, targets, census, "", at)
	audit := Audit{
		ID: slot, Slot: slot, Order: orderOf(at), Against: last.ID, Changed: shifts(last.Report, report),
		Report: report, Targets: targets,
	}
	entry := audit.entered(timeline.Entry{
		At: at, Type: timeline.Audit, Action: "audit", Subject: scheduled, RequestID: "schedule-" + slot,
	})
	return Record{Audit: audit, Everywhere: everywhere, Entry: entry}, nil
}

// tell hands the news to the champions (P6).
func (a *Auditor) tell(ctx context.Context, o string, kept Audit) error {
	facts, err := a.store.Load(ctx, o, directory.Keys{})
	if err != nil {
		return err
	}
	news, err := a.news(ctx, facts, kept)
	if err != nil {
		return err
	}
	champions, err := a.store.Champions(ctx, o)
	if err != nil {
		return err
	}
	return a.post.send(ctx, facts.Organization, news, champions)
}

// news is an audit with what is told beside it: what it was compared with, and the
// locations that have news too.
func (a *Auditor) news(ctx context.Context, f directory.Facts, kept Audit) (News, error) {
	before, was, err := a.store.Everywhere(ctx, f.Organization.ID, kept.Against)
	if err != nil {
		return News{}, err
	}
	_, is, err := a.store.Everywhere(ctx, f.Organization.ID, kept.ID)
	if err != nil {
		return News{}, err
	}
	return News{Audit: kept, Before: before, Locations: locationNews(f.Model, spread{before, was}, spread{kept, is})}, nil
}
