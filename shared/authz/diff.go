package authz

import (
	"cmp"
	"maps"
	"slices"
)

// Verdict is how far one thing goes beside another.
type Verdict uint8

// The verdicts. Wider is to give all that the other gives, and more.
const (
	NoVerdict Verdict = iota
	Equal
	WiderThan
	NarrowerThan
	Incomparable
	VerdictCount
)

var verdictNames = []string{"", "equal", "wider", "narrower", "incomparable"}

// String is the verdict's word.
func (v Verdict) String() string { return name(verdictNames, v) }

// Cell is a permission on one target, as two roles give it: the scopes of each,
// the widest alone. The target of R4's permissions is a workflow or a template,
// of the right to grant a role that role; others have none.
type Cell struct {
	Permission               string
	Workflow, Template, Role string
	Scopes, Other            []Scope
	Verdict                  Verdict
}

// The words of cells that R10 has as options of user administration. Global
// administration is that of everywhere.
const (
	userAdministration = "user_administration"
	createUsersOption  = "create_users"
	grantRoleOption    = "grant_role"
	grantAllOption     = "grant_all_roles"
)

// Diff is what one role gives and another does not, cell by cell where they
// differ, and the verdict over all: whether the one is wider than the other.
// Implied permissions count (R7). A grant on a workflow is wider than one on all of its
// templates, because it gives the next one too. Of a role with specific locations
// a located scope is measured from there, so it compares with that of another
// such role, by the places covered, and with none of a role without (R5).
func (m *Model) Diff(one, other Role) ([]Cell, Verdict) {
	d := differ{m, compileRole(one, m.templates), compileRole(other, m.templates)}
	cells := slices.Concat(d.items(), d.admin(), d.advanced())
	verdict := Equal
	for _, c := range cells {
		verdict = verdict.and(c.Verdict)
	}
	return cells, verdict
}

// and is the verdict over two things.
func (v Verdict) and(other Verdict) Verdict {
	switch {
	case v == Equal || v == other:
		return other
	case other == Equal:
		return v
	default:
		return Incomparable
	}
}

// differ compares two roles.
type differ struct {
	*Model
	one, other *role
}

// cell is the cell with what both give, and whether they differ.
func (d differ) cell(c Cell, one, other set[Scope]) (Cell, bool) {
	c.Scopes, c.Other = widest(one), widest(other)
	wide, narrow := d.covers(c.Scopes, d.one, c.Other, d.other), d.covers(c.Other, d.other, c.Scopes, d.one)
	switch {
	case wide && narrow:
		c.Verdict = Equal
	case wide:
		c.Verdict = WiderThan
	case narrow:
		c.Verdict = NarrowerThan
	default:
		c.Verdict = Incomparable
	}
	return c, c.Verdict != Equal
}

// widest is the scopes that no other of them is wider than, the widest first.
func widest(scopes set[Scope]) []Scope {
	all := scopes.list()
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(s Scope) bool {
		return slices.ContainsFunc(scopes.list(), func(other Scope) bool { return Wider(other, s) })
	})
}

// covers is whether a role's scopes cover another's, one by one.
func (d differ) covers(scopes []Scope, by *role, others []Scope, of *role) bool {
	for _, s := range others {
		if !slices.ContainsFunc(scopes, func(wide Scope) bool { return d.coversScope(wide, by, s, of) }) {
			return false
		}
	}
	return true
}

// coversScope is whether a scope of one role covers one of another (R4's order,
// R5).
func (d differ) coversScope(wide Scope, by *role, s Scope, of *role) bool {
	specific := len(by.SpecificLocations) > 0
	switch {
	case wide == Everywhere && s != Yes:
		return true
	case !located.has(wide) || !located.has(s) || s == Everywhere:
		return wide == s
	case specific != (len(of.SpecificLocations) > 0):
		return false
	case !specific:
		return wide == s || Wider(wide, s)
	}
	runs := d.cells(Right{Scope: wide, Locations: by.SpecificLocations, kind: administerUsers})
	return d.within(Right{Scope: s, Locations: of.SpecificLocations}, runs)
}

// items are the cells of R4's permissions: of each workflow that a grant names,
// and of each template that one names or that has more than its workflow (R7).
func (d differ) items() []Cell {
	workflows, templates := d.targets()
	var cells []Cell
	for _, id := range workflows {
		cells = append(cells, d.target(Cell{Workflow: id}, d.onWorkflow(d.one, id), d.onWorkflow(d.other, id))...)
	}
	for _, id := range templates {
		t := d.templates.byID[id]
		one, other := d.one.items[t.number]&^everyScope(escalation), d.other.items[t.number]&^everyScope(escalation)
		for _, c := range d.target(Cell{Template: id}, one, other) {
			alike := Cell{Workflow: t.Workflow, Permission: c.Permission, Scopes: c.Scopes, Other: c.Other, Verdict: c.Verdict}
			if !slices.ContainsFunc(cells, func(o Cell) bool { return sameCell(o, alike) }) {
				cells = append(cells, c)
			}
		}
	}
	return cells
}

func sameCell(a, b Cell) bool {
	return a.Permission == b.Permission && a.Workflow == b.Workflow && a.Template == b.Template &&
		slices.Equal(a.Scopes, b.Scopes) && slices.Equal(a.Other, b.Other)
}

// target is the cells of one target, where its rights differ.
func (d differ) target(c Cell, one, other rights) []Cell {
	var cells []Cell
	for p := NoPermission + 1; p < PermissionCount; p++ {
		c.Permission = p.String()
		if differing, differs := d.cell(c, one.scopes(p), other.scopes(p)); differs {
			cells = append(cells, differing)
		}
	}
	return cells
}

// targets are the workflows that grants name, and the templates that exist in
// them or are named.
func (d differ) targets() (workflows, templates []string) {
	named, within := map[string]bool{}, map[string]bool{}
	for _, r := range []*role{d.one, d.other} {
		for i := range r.Grants {
			for _, id := range r.Grants[i].Workflows {
				named[id] = true
			}
			for _, t := range d.templates.covered(&r.Grants[i]) {
				within[t.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(within))
}

// onWorkflow is what a role gives on whatever template a workflow has or comes to
// have.
func (m *Model) onWorkflow(r *role, id string) rights {
	var given rights
	for i := range r.Grants {
		if slices.Contains(r.Grants[i].Workflows, id) {
			given |= r.Grants[i].rights()
		}
	}
	return implied(given, NoTeamType)
}

// admin are the cells of R10.
func (d differ) admin() []Cell {
	var cells []Cell
	add := func(c Cell, scopes func(*role) set[Scope]) {
		if differing, differs := d.cell(c, scopes(d.one), scopes(d.other)); differs {
			cells = append(cells, differing)
		}
	}
	users := func(has func(*UserAdministration) bool) func(*role) set[Scope] {
		return func(r *role) set[Scope] { return r.admin.usersIn(has) }
	}
	add(Cell{Permission: userAdministration}, users(func(*UserAdministration) bool { return true }))
	add(Cell{Permission: createUsersOption}, users((*UserAdministration).createsUsers))
	add(Cell{Permission: grantAllOption}, users(func(u *UserAdministration) bool { return u.Grantable.All }))
	for _, r := range d.grantable() {
		add(Cell{Permission: grantRoleOption, Role: r.ID}, users(func(u *UserAdministration) bool { return u.Grantable.includes(r) }))
	}
	add(Cell{Permission: impersonateUser}, func(r *role) set[Scope] { return plainly(r.admin.Impersonate) })
	for _, p := range adminPermissions {
		add(Cell{Permission: p.word}, func(r *role) set[Scope] { return setOf(p.scope(&r.admin)) &^ setOf(NoScope) })
	}
	slices.SortStableFunc(cells, func(a, b Cell) int { return cmp.Compare(a.Permission, b.Permission) })
	return cells
}

// usersIn is the scopes of those user administrations that have something.
func (a *Admin) usersIn(has func(*UserAdministration) bool) set[Scope] {
	var scopes set[Scope]
	if a.Global != nil && has(a.Global) {
		scopes = scopes.with(Everywhere)
	}
	if a.Local != nil && has(a.Local) {
		scopes = scopes.with(a.Local.Scope)
	}
	return scopes
}

// grantable are the live roles that either names to be granted.
func (d differ) grantable() []RoleRef {
	var all []RoleRef
	for _, r := range []*role{d.one, d.other} {
		for _, u := range []*UserAdministration{r.admin.Global, r.admin.Local} {
			if u == nil {
				continue
			}
			for _, named := range u.Grantable.Roles {
				if d.live(named) != nil && !slices.Contains(all, named) {
					all = append(all, named)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b RoleRef) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// advanced are the cells of R9.
func (d differ) advanced() []Cell {
	var cells []Cell
	for a := NoAdvanced + 1; a < AdvancedCount; a++ {
		if c, differs := d.cell(Cell{Permission: a.String()}, plainly(d.one.advanced.has(a)), plainly(d.other.advanced.has(a))); differs {
			cells = append(cells, c)
		}
	}
	return cells
}
