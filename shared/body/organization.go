package body

import "gemba/shared/directory"

const (
	// wholeShare is 100 % in basis points (P4).
	wholeShare = 10_000
	// mostPeople bounds the champions' target.
	mostPeople = 1000
	// mostObservers bounds who is told of impersonations.
	mostObservers = 25
)

var productName = Rule{Least: 1, Most: 50, Form: hasInk}

// ReadOrganization is an organization body. What its settings leave out is
// the default.
func ReadOrganization(o *Object) directory.Organization {
	o.Need("name")
	return directory.Organization{
		ID: o.ID("id"), Name: o.Text("name", Name),
		Settings: readSettings(o.Object("settings")), Version: o.Version(),
	}
}

func readSettings(o *Object) directory.Settings {
	s := directory.DefaultSettings()
	if o == nil {
		return s
	}
	s.Authz.OnlyUsers = Word(o, "onlyUsersRule", onlyUsersRules)
	s.Authz.LocalReach = Word(o, "localReach", reachRules)
	s.ProductName = or(o, "productName", s.ProductName, func(o *Object, m string) string { return o.Text(m, productName) })
	readTargets(o.Object("personaTargets"), &s.Targets)
	readImpersonation(o.Object("impersonation"), &s.Impersonation)
	s.DecisionLogRate = o.Fraction("decisionLogRate")
	return s
}

// or is a member, or what stands for it when it is absent.
func or[T any](o *Object, member string, absent T, get func(*Object, string) T) T {
	if got := get(o, member); o.Has(member) {
		return got
	}
	return absent
}

// readTargets are P4's targets; those left out keep their default.
func readTargets(o *Object, t *directory.Targets) {
	readShare(o.Object("frontline"), &t.Frontline)
	readShare(o.Object("leader"), &t.Leader)
	readShare(o.Object("executive"), &t.Executive)
	if experts := o.Object("ciExperts"); experts != nil {
		experts.Need("under")
		t.ExpertsUnder = experts.Int("under", 0, wholeShare)
	}
	if champions := o.Object("champion"); champions != nil {
		t.Champions.Min, t.Champions.Max = champions.bounds("minPeople", "maxPeople", mostPeople)
	}
}

func readShare(o *Object, s *directory.Share) {
	if o != nil {
		s.Min, s.Max = o.bounds("min", "max", wholeShare)
	}
}

// bounds are the two ends of a range, which are compared when each is a good one.
func (o *Object) bounds(least, most string, limit int) (int, int) {
	faults := len(o.problems) + o.dropped
	o.Need(least, most)
	from, to := o.Int(least, 0, limit), o.Int(most, 0, limit)
	if from > to && len(o.problems)+o.dropped == faults {
		o.Fault(least, "The lower end of a range may not be above its upper end.")
	}
	return from, to
}

// readImpersonation are chapter I's settings; those left out keep their
// default.
func readImpersonation(o *Object, s *directory.ImpersonationSettings) {
	if o == nil {
		return
	}
	s.Enabled = or(o, "enabled", s.Enabled, (*Object).Bool)
	s.ReasonRequired = or(o, "reasonRequired", s.ReasonRequired, (*Object).Bool)
	s.Receipt = or(o, "receipt", s.Receipt, (*Object).Bool)
	s.AbsoluteMinutes = or(o, "absoluteMinutes", s.AbsoluteMinutes, func(o *Object, m string) int { return o.Int(m, 1, directory.MostAbsoluteMinutes) })
	s.Observers = o.IDs("observers", mostObservers)
}

type organizationBody struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Settings settingsBody `json:"settings"`
	Version  uint64       `json:"version,omitempty"`
}

type settingsBody struct {
	OnlyUsers       string            `json:"onlyUsersRule"`
	LocalReach      string            `json:"localReach"`
	ProductName     string            `json:"productName"`
	Targets         targetsBody       `json:"personaTargets"`
	Impersonation   impersonationBody `json:"impersonation"`
	DecisionLogRate float64           `json:"decisionLogRate"`
}

type targetsBody struct {
	Frontline shareBody  `json:"frontline"`
	Leader    shareBody  `json:"leader"`
	Executive shareBody  `json:"executive"`
	Experts   underBody  `json:"ciExperts"`
	Champion  peopleBody `json:"champion"`
}

type shareBody struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

type underBody struct {
	Under int `json:"under"`
}

type peopleBody struct {
	Min int `json:"minPeople"`
	Max int `json:"maxPeople"`
}

type impersonationBody struct {
	Enabled         bool     `json:"enabled"`
	ReasonRequired  bool     `json:"reasonRequired"`
	AbsoluteMinutes int      `json:"absoluteMinutes"`
	Receipt         bool     `json:"receipt"`
	Observers       []string `json:"observers"`
}

// Organization is an organization's body, which ReadOrganization reads back.
func Organization(o directory.Organization) any {
	return organizationBody{ID: o.ID, Name: o.Name, Settings: settings(o.Settings), Version: o.Version}
}

func settings(s directory.Settings) settingsBody {
	return settingsBody{
		OnlyUsers: word(onlyUsersRules, s.Authz.OnlyUsers), LocalReach: word(reachRules, s.Authz.LocalReach),
		ProductName: s.ProductName, Targets: Targets(s.Targets).(targetsBody), DecisionLogRate: s.DecisionLogRate,
		Impersonation: impersonationBody{
			Enabled: s.Impersonation.Enabled, ReasonRequired: s.Impersonation.ReasonRequired,
			AbsoluteMinutes: s.Impersonation.AbsoluteMinutes, Receipt: s.Impersonation.Receipt,
			Observers: list(s.Impersonation.Observers),
		},
	}
}

// Targets are the persona targets as the settings show them (P4).
func Targets(t directory.Targets) any {
	return targetsBody{
		Frontline: shareBody(t.Frontline), Leader: shareBody(t.Leader), Executive: shareBody(t.Executive),
		Experts: underBody{t.ExpertsUnder}, Champion: peopleBody(t.Champions),
	}
}
