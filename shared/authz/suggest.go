package authz

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// StepKind is a kind of change to people, items and roles.
type StepKind uint8

// The kinds of steps, in the order in which equals are told.
const (
	NoStep          StepKind = iota
	JoinTeam                 // put the subject on the item's team, in a team role
	AssignRole               // assign a role, limited to Locations when there are some
	WidenAssignment          // assign a role held anew, with a wider limit (none: no limit), until its end unless that is over
	AddLocation              // add Locations to the user's
	ChangeType               // make the user one of type general (U2)
	WidenScope               // edit a role: a wider scope for one of its permissions
	StepKindCount
)

var stepKindNames = []string{"", "join_team", "assign_role", "widen_assignment", "add_location", "change_type", "widen_scope"}

// String is the kind's word.
func (k StepKind) String() string { return name(stepKindNames, k) }

// Step is one change that an administrator could make. What is set goes with
// its kind: Grant and Permission name what WidenScope edits, as Given does.
type Step struct {
	Kind       StepKind
	Team       TeamRole
	Role       string
	Locations  []string
	Until      time.Time
	Grant      int
	Permission string
	Scope      Scope
}

// Suggestion is the fewest steps that turn a no into a yes together. Gained is
// how many rights they would give the subject, those that the question lacked
// included: cells of access (permission, template, scope, location), net of what
// is held already, and what a team role opens on the item.
type Suggestion struct {
	Steps  []Step
	Gained int
}

// mostSuggestions bounds how many suggestions are told.
const mostSuggestions = 10

// Situation is a question with all that its answer rests on.
type Situation struct {
	Model    *Model
	User     User
	At       time.Time
	Action   Action
	Resource Resource
	// Effort bounds what Suggest tries; nil is as much as there is.
	Effort *Effort
}

// Effort is how many steps may still be tried, by all who share it.
type Effort struct{ left int }

// NewEffort is one of that many steps.
func NewEffort(steps int) *Effort { return &Effort{steps} }

// Spent is whether there is nothing left of it.
func (e *Effort) Spent() bool { return e != nil && e.left <= 0 }

func (e *Effort) spend() {
	if e != nil {
		e.left--
	}
}

// Decide is the decision on the question.
func (q Situation) Decide() Decision { return q.Model.Decide(q.subject(), q.Action, q.Resource) }

func (q Situation) lacking() set[Condition] {
	return q.Model.lacking(q.subject(), q.Action, q.Resource)
}

func (q Situation) subject() Subject { return q.Model.Subject(q.User, q.At) }

// After is the situation once the steps were made. A step about what does not
// exist changes nothing.
func (q Situation) After(steps ...Step) Situation {
	for _, s := range steps {
		q = q.after(s)
	}
	return q
}

func (q Situation) after(s Step) Situation {
	switch s.Kind {
	case JoinTeam:
		return q.joined(s.Team)
	case AssignRole, WidenAssignment:
		return q.assigned(s)
	case AddLocation:
		u := q.User
		u.Locations = append(slices.Clone(u.Locations), s.Locations...)
		return q.with(u)
	case ChangeType:
		u := q.User
		u.Type = General
		return q.with(u)
	case WidenScope:
		if r, ok := q.Model.Role(s.Role); ok {
			q.Model = q.Model.With(Change{Put: Policy{Roles: []Role{r.widened(s)}}})
		}
	}
	return q
}

// with is the question about the user as changed, who may be the one that the
// action is on, too.
func (q Situation) with(u User) Situation {
	if q.Resource.User != nil && q.Resource.User.ID == u.ID {
		q.Resource.User = &u
	}
	q.User = u
	return q
}

func (q Situation) joined(r TeamRole) Situation {
	if q.Resource.Item == nil {
		return q
	}
	it := *q.Resource.Item
	it.Team = maps.Clone(it.Team)
	if it.Team == nil {
		it.Team = map[TeamRole][]string{}
	}
	it.Team[r] = append(slices.Clone(it.Team[r]), q.User.ID)
	q.Resource.Item = &it
	return q
}

// assigned puts the assignment in the place of the one held.
func (q Situation) assigned(s Step) Situation {
	r, ok := q.Model.roles[s.Role]
	if !ok {
		return q
	}
	u := q.User
	u.Assignments = slices.DeleteFunc(slices.Clone(u.Assignments), func(a Assignment) bool { return a.Role.ID == s.Role })
	u.Assignments = append(u.Assignments, Assignment{Role: r.RoleRef, Locations: s.Locations, Until: s.Until})
	return q.with(u)
}

// widened is the role with the permission in the step's scope.
func (r Role) widened(s Step) Role {
	if s.Grant == NotOfGrant {
		switch s.Permission {
		case escalationAdministrator:
			r.Admin.Escalation = s.Scope
		case boardAdministrator:
			r.Admin.Board = s.Scope
		case cardAdministrator:
			r.Admin.Card = s.Scope
		}
		return r
	}
	if p, ok := ParsePermission(s.Permission); ok && s.Grant < len(r.Grants) {
		r.Grants = slices.Clone(r.Grants)
		g := &r.Grants[s.Grant]
		permissions := map[Permission]Scope{p: s.Scope}
		for other, scope := range g.Permissions {
			if other != p {
				permissions[other] = scope
			}
		}
		g.Permissions = permissions
	}
	return r
}

// Suggest is the smallest changes that would turn the denial into a yes, of
// those steps that may be made: the fewest steps, then what concerns the
// subject alone before what concerns everybody who holds a role, then the
// fewest rights gained, then by kind and id. Each of them does turn it. left is
// how many more there are than are told. A yes, and what does not exist, needs
// none. When the effort is spent on the way nothing is told: what was found by
// then might not be the smallest.
func (q Situation) Suggest(may func(Step) bool) (told []Suggestion, left int) {
	lacking := q.lacking()
	if lacking.empty() {
		return nil, 0
	}
	q.Resource.Item = q.Resource.Item.to(q.User.ID)
	s := &suggester{Situation: q, may: may, account: q.Model.account(), start: q, before: q.subject()}
	all := s.smallest(lacking)
	if q.Effort.Spent() {
		return nil, 0
	}
	told = all[:min(len(all), mostSuggestions)]
	return told, len(all) - len(told)
}

// to is the item with what matters of its team to one person: what they are on
// it. A team can have thousands, and each step tried would look through them.
func (it *Item) to(id string) *Item {
	if it == nil {
		return nil
	}
	own := *it
	own.Team = map[TeamRole][]string{}
	for _, r := range teamRoles(id, it.Team).list() {
		own.Team[r] = []string{id}
	}
	return &own
}

func compareSuggestions(a, b Suggestion) int {
	return cmp.Or(
		cmp.Compare(len(a.Steps), len(b.Steps)),
		cmp.Compare(a.editsRoles(), b.editsRoles()),
		cmp.Compare(a.Gained, b.Gained),
		slices.CompareFunc(a.Steps, b.Steps, compareSteps),
	)
}

// editsRoles is how many roles are edited, which everybody feels who holds them.
func (s Suggestion) editsRoles() int {
	n := 0
	for _, step := range s.Steps {
		if step.Kind == WidenScope {
			n++
		}
	}
	return n
}

func compareSteps(a, b Step) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Role, b.Role), cmp.Compare(a.Team, b.Team),
		cmp.Compare(a.Grant, b.Grant), strings.Compare(a.Permission, b.Permission), cmp.Compare(a.Scope, b.Scope),
		slices.Compare(a.Locations, b.Locations),
	)
}

// suggester looks for the steps that turn a denial: those that begin at start, of
// which some may have been made already.
type suggester struct {
	Situation
	may     func(Step) bool
	account account
	start   Situation
	before  Subject // of start
}

// helpful is a step with the conditions that it meets.
type helpful struct {
	step   Step
	meets  set[Condition]
	gained int
}

// smallest is every suggestion of the fewest steps.
func (s *suggester) smallest(lacking set[Condition]) []Suggestion {
	candidates := s.helpful(lacking)
	for steps := 1; steps <= mostSteps; steps++ {
		if found := s.of(steps, lacking, candidates, true); len(found) > 0 {
			return found
		}
	}
	return s.ofAnotherType()
}

// of is the suggestions of so many steps. To join the team, or to be at another
// location, can make useful what the next step gives (only_users, a scope
// measured from there), so what follows them is looked for anew.
func (s *suggester) of(steps int, lacking set[Condition], candidates []helpful, paving bool) []Suggestion {
	var found []Suggestion
	if steps > 1 {
		candidates = best(slices.Clone(candidates))
	}
	combine(candidates, lacking, steps, nil, func(steps []Step) {
		if s.Effort.spend(); s.Effort.Spent() {
			return
		}
		if after := s.After(steps...); after.Decide().Allowed {
			steps = slices.Clone(steps)
			slices.SortFunc(steps, compareSteps)
			found = append(found, Suggestion{steps, s.gainedBy(after)})
		}
	})
	if steps > 1 && paving {
		found = append(found, s.paved(steps)...)
	}
	slices.SortFunc(found, compareSuggestions)
	return least(found)
}

// least leaves, of suggestions to make the same changes in several ways, the one
// that gives least.
func least(sorted []Suggestion) []Suggestion {
	var told []Suggestion
	for _, s := range sorted {
		same := func(other Suggestion) bool { return slices.EqualFunc(s.Steps, other.Steps, sameChange) }
		if !slices.ContainsFunc(told, same) {
			told = append(told, s)
		}
	}
	return told
}

// sameChange is whether two steps are ways to make one change: in another scope,
// or with another limit.
func sameChange(a, b Step) bool {
	b.Scope = a.Scope
	if a.Kind != AddLocation {
		b.Locations = a.Locations
	}
	return compareSteps(a, b) == 0
}

// paved is the suggestions of so many steps that begin with one that makes
// others useful.
func (s *suggester) paved(steps int) []Suggestion {
	var all []Suggestion
	for _, first := range s.paving() {
		next := *s
		next.Situation = s.after(first)
		lacking := next.lacking()
		for _, found := range next.of(steps-1, lacking, next.helpful(lacking), false) {
			found.Steps = append(found.Steps, first)
			slices.SortFunc(found.Steps, compareSteps)
			all = append(all, found)
		}
	}
	return all
}

// paving is the steps that make others useful: to join the team, and of the
// locations that may be added, at which an item can be by the hundred, those
// that give least.
func (s *suggester) paving() []Step {
	all, locations := s.possible(s.teamSteps()), s.possible(s.locationSteps())
	if len(locations) > mostTogether {
		gained := map[string]int{}
		for _, step := range locations {
			gained[step.Locations[0]] = s.gainedBy(s.after(step))
		}
		slices.SortStableFunc(locations, func(a, b Step) int {
			return cmp.Or(cmp.Compare(gained[a.Locations[0]], gained[b.Locations[0]]), compareSteps(a, b))
		})
		locations = locations[:mostTogether]
	}
	return append(all, locations...)
}

// possible is those of the changes that may be made which can be made in one way
// alone.
func (s *suggester) possible(changes [][]Step) []Step {
	var all []Step
	for _, variants := range changes {
		if s.may(variants[0]) {
			all = append(all, variants[0])
		}
	}
	return all
}

// ofAnotherType is the suggestions that begin with making the user one of type
// general, when nothing less is enough.
func (s *suggester) ofAnotherType() []Suggestion {
	if s.User.Type == General || !s.may(toGeneral) {
		return nil
	}
	changed := *s
	changed.Situation = s.after(toGeneral)
	all := changed.smallest(changed.lacking())
	for i := range all {
		all[i].Steps = slices.Insert(all[i].Steps, 0, toGeneral)
	}
	return all
}

var toGeneral = Step{Kind: ChangeType, Grant: NotOfGrant}

const (
	// mostSteps is one for each condition that an action can lack.
	mostSteps = 3
	// mostTogether is how many steps of a kind are tried with others: those that
	// give least by themselves.
	mostTogether = 8
)

// combine tries every set of so many steps that meet all that is lacking.
func combine(from []helpful, lacking set[Condition], steps int, chosen []Step, try func([]Step)) {
	if steps == 0 {
		if lacking.empty() {
			try(chosen)
		}
		return
	}
	for i, h := range from {
		if h.meets.meets(lacking) {
			combine(from[i+1:], lacking&^h.meets, steps-1, append(chosen, h.step), try)
		}
	}
}

// best is, of the steps that meet the same conditions, those that give least.
func best(all []helpful) []helpful {
	slices.SortStableFunc(all, func(a, b helpful) int {
		return cmp.Or(cmp.Compare(a.gained, b.gained), compareSteps(a.step, b.step))
	})
	seen := map[set[Condition]]int{}
	return slices.DeleteFunc(all, func(h helpful) bool {
		seen[h.meets]++
		return seen[h.meets] > mostTogether
	})
}

// helpful is the steps that may be made and meet something that is lacking: of
// the ways to make the same change, the one that gives least of those that meet
// most.
func (s *suggester) helpful(lacking set[Condition]) []helpful {
	var all []helpful
	for _, variants := range s.candidates(lacking) {
		var least helpful
		for _, step := range variants {
			if s.Effort.Spent() || !s.may(step) { // asked first: to try a step costs more
				continue
			}
			s.Effort.spend()
			h := helpful{step: step, meets: s.meets(step, lacking)}
			if h.meets.empty() {
				continue
			}
			h.gained = s.gainedBy(s.after(step))
			if least.meets.empty() || h.better(least) {
				least = h
			}
		}
		if !least.meets.empty() {
			all = append(all, least)
		}
	}
	return all
}

// better is whether a way to make a change meets more, or gives less.
func (h helpful) better(than helpful) bool {
	if h.meets != than.meets {
		return than.meets&^h.meets == 0
	}
	return h.gained < than.gained
}

// meets is what of the lacking a step meets.
func (s *suggester) meets(step Step, lacking set[Condition]) set[Condition] {
	return lacking &^ s.after(step).lacking()
}

// gainedBy is the rights that the subject gains on the way to another situation.
func (s *suggester) gainedBy(after Situation) int {
	n := s.account.gained(s.before, after.subject())
	if after.Resource.Item != s.start.Resource.Item {
		n += (s.open(after.Resource.Item) &^ s.open(s.start.Resource.Item)).count()
	}
	return n
}

// open is what the subject, as it was at the start, may do on the item.
func (s *suggester) open(it *Item) Actions {
	r := s.start.Model.Resolve(it)
	return s.start.Model.ItemActions(s.before, &r)
}
