package persona

import (
	"context"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// Moved is how many more people of each persona take part than the audit with
// the id Since found, negative when fewer do.
type Moved struct {
	Since string
	By    [directory.PersonaCount]Engagement
}

// Compared is an audit as it tells of some people, beside the one before of them:
// Report and Changed are of the location that was asked for. Moved is nil when
// nothing before tells of them.
type Compared struct {
	Audit
	Moved *Moved
}

// movement is what moved between two reports.
func movement(since Audit, now Report) *Moved {
	m := &Moved{Since: since.ID}
	for p, is := range now.Engaged {
		was := since.Report.Engaged[p]
		m.By[p] = Engagement{is.Active7 - was.Active7, is.Active30 - was.Active30, is.OnTeam - was.OnTeam}
	}
	return m
}

// mostSpread is how many audits of the whole organization are looked into for one
// location at a time: each was kept with the counts of every location.
const mostSpread = 50

// Audits is a page of the audits of the organization, or of a location, the
// latest first, with the place to go on after. For a location it has at most 50.
// Errors: NotFound for a location that does not exist, Unavailable.
func (s *Service) Audits(ctx context.Context, c directory.Caller, location string, page directory.Page) ([]Compared, string, error) {
	if err := known(c.Model, location); err != nil {
		return nil, "", err
	}
	if location != "" {
		page.Limit = min(page.Limit, mostSpread)
	}
	// One more than is asked for, for the last of the page to be compared with.
	found, err := s.back(ctx, c.Organization.ID, location, page.After, page.Limit+1)
	if err != nil {
		return nil, "", err
	}
	all, err := s.compared(ctx, c.Organization.ID, location, found)
	if err != nil || len(all) <= page.Limit {
		return all, "", err
	}
	return all[:page.Limit], all[page.Limit-1].Order, nil
}

// Audit is the audit with this id, as it tells of a location or, without one, of
// those it is of. Errors: NotFound when there is none, or it does not tell of the
// location, Unavailable.
func (s *Service) Audit(ctx context.Context, c directory.Caller, id, location string) (Compared, error) {
	o := c.Organization.ID
	audit, found, err := s.store.Audit(ctx, o, id)
	switch {
	case err != nil:
		return Compared{}, err
	case !found:
		return Compared{}, fault.New(fault.NotFound, "not_found", "There is no such audit.")
	case location == "":
		location = audit.Report.Location
	}
	if err := s.tellsOf(ctx, c, audit, location); err != nil {
		return Compared{}, err
	}
	before, err := s.back(ctx, o, location, audit.Order, 1)
	if err != nil {
		return Compared{}, err
	}
	both, err := s.compared(ctx, o, location, append([]Audit{audit}, before...))
	if err != nil {
		return Compared{}, err
	}
	return both[0], nil
}

// tellsOf is NotFound when an audit says nothing of a location: one that is not
// there now was, if the audit counted somebody in it.
func (s *Service) tellsOf(ctx context.Context, c directory.Caller, a Audit, location string) error {
	switch {
	case !a.tells(location):
		return fault.New(fault.NotFound, "not_found", "The audit is not one of this location.")
	case location == a.Report.Location || known(c.Model, location) == nil:
		return nil
	}
	counted, err := s.store.TalliesAt(ctx, c.Organization.ID, location, []string{a.Order})
	if err == nil && len(counted) == 0 {
		err = known(c.Model, location)
	}
	return err
}

// Moved is what moved since the last audit of the people of a report, nil when
// there is none. Errors: Unavailable.
func (s *Service) Moved(ctx context.Context, c directory.Caller, r Report) (*Moved, error) {
	last, err := s.lastOf(ctx, c.Organization.ID, r.Location)
	if err != nil || last.ID == "" {
		return nil, err
	}
	return movement(last, r), nil
}

// MakeAudit makes and keeps an audit that somebody asks for, of the organization or
// of a location and below (P6). Errors: Unprocessable invalid_audit for a
// location that does not exist, Unavailable; raced when the policy moved on since
// the caller's facts.
func (s *Service) MakeAudit(ctx context.Context, c directory.Caller, location string) (Compared, error) {
	if known(c.Model, location) != nil {
		problems := []fault.Problem{{Pointer: "/location", Detail: "There is no such location."}}
		return Compared{}, fault.Faulty(fault.Unprocessable, "invalid_audit", problems)
	}
	census, err := countedUnder(ctx, s.store, c.Facts)
	if err != nil {
		return Compared{}, err
	}
	last, err := s.lastOf(ctx, c.Organization.ID, location)
	if err != nil {
		return Compared{}, err
	}
	targets := c.Organization.Settings.Targets
	report, everywhere := survey(c.Model, targets, census, location, c.At)
	order := orderOf(c.At)
	made := Compared{Audit: Audit{
		ID: order, Order: order, Against: last.ID, Changed: shifts(last.Report, report), Report: report, Targets: targets,
	}}
	if last.ID != "" {
		made.Moved = movement(last, report)
	}
	entry := made.entered(c.Entry(timeline.Audit, "audit", timeline.Target{}))
	err = s.store.PutAudit(ctx, c.Basis(), Record{Audit: made.Audit, Everywhere: everywhere, Entry: entry}, c.Once.Keep(made))
	return made, err
}

// known is NotFound for a location that does not exist; "" is the organization.
func known(m *authz.Model, location string) error {
	if _, exists := m.Location(location); location != "" && !exists {
		return fault.New(fault.NotFound, "not_found", "There is no such location.")
	}
	return nil
}

// lastOf is the last audit that tells of some people, as it tells of them; zero
// when there is none.
func (s *Service) lastOf(ctx context.Context, o, location string) (Audit, error) {
	last, err := s.back(ctx, o, location, "", 1)
	if err != nil || len(last) == 0 {
		return Audit{}, err
	}
	err = s.turn(ctx, o, location, last)
	return last[0], err
}

// historyPage is how many audits are looked at together when those that were looked
// at first did not do.
const historyPage = 25

// back walks the history back from a place, its end without one, and takes the
// first n audits that tell of a location.
func (s *Service) back(ctx context.Context, o, location, after string, n int) ([]Audit, error) {
	var found []Audit
	for page := (directory.Page{Limit: n, After: after}); ; {
		audits, end, err := s.store.Audits(ctx, o, page)
		if err != nil {
			return nil, err
		}
		found = append(found, slices.DeleteFunc(audits, func(a Audit) bool { return !a.tells(location) })...)
		if len(found) >= n {
			return found[:n], nil
		}
		if end == "" {
			return found, nil
		}
		page = directory.Page{Limit: max(n, historyPage), After: end}
	}
}

// compared is audits as they tell of a location, the latest first. Each is compared
// with the one after it.
func (s *Service) compared(ctx context.Context, o, location string, audits []Audit) ([]Compared, error) {
	whole := slices.Clone(audits)
	if err := s.turn(ctx, o, location, audits); err != nil {
		return nil, err
	}
	out := make([]Compared, len(audits))
	for i, a := range audits {
		out[i].Audit = a
		if i+1 == len(audits) {
			break
		}
		before := audits[i+1]
		out[i].Moved = movement(before, a.Report)
		if whole[i].Report.Location != location {
			out[i].Against, out[i].Changed = before.ID, shifts(before.Report, a.Report)
		}
	}
	return out, nil
}

// turn makes audits of the whole organization ones of a location, by the counts
// and the targets of then. What they found changed is not the location's.
func (s *Service) turn(ctx context.Context, o, location string, audits []Audit) error {
	var orders []string
	for _, a := range audits {
		if a.Report.Location != location {
			orders = append(orders, a.Order)
		}
	}
	if len(orders) == 0 {
		return nil
	}
	counted, err := s.store.TalliesAt(ctx, o, location, orders)
	if err != nil {
		return err
	}
	for i, a := range audits {
		if a.Report.Location != location {
			audits[i].Report = judge(a.Targets, counted[a.Order], location, a.Report.At)
			audits[i].Against, audits[i].Changed = "", nil
		}
	}
	return nil
}
