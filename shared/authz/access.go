package authz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Right is one row of somebody's access: a permission of R4, R9 or R10, on a
// workflow's items or a template's where it is one of R4, in a scope that is
// measured from Locations where it is a located one (R5). Scope is Yes for what
// is a plain yes.
type Right struct {
	Permission         string
	Workflow, Template string
	Scope              Scope
	Locations          []string
	// Users is the options of user administration (R10), nil of other rights.
	Users *UserAdministration
	From  []Source
	// kind and of are the permission as rights has it, in the slots where it is
	// counted.
	kind Permission
	of   slotKind
}

// organization is R10's scope of what is held once for all.
const organization = "organization"

// Where is the right's scope in words of the contract: that of R10 is its own.
func (r Right) Where() string {
	if r.of == ofUsers && r.Scope == Everywhere || r.of == ofAdmin && r.Scope == Yes {
		return organization
	}
	return r.Scope.String()
}

// WherePhrase is the right's scope in words, with the names of the locations;
// empty of a plain yes.
func (m *Model) WherePhrase(r Right) string {
	return strings.TrimSpace(m.wherePhrase(r.Scope, r.Locations))
}

// Source is what gives a right: a role, and the place of the grant in it, or
// NotOfGrant. ImpliedBy is the permission of the grant that implies the right's
// (R7), empty when the grant names it itself.
type Source struct {
	Role      string
	Grant     int
	ImpliedBy string
}

// slotKind says which slots of an account a right is counted in.
type slotKind uint8

// The kinds of slots, in the order in which rights are told.
const (
	ofTemplates slotKind = iota
	// ofUsers are the rights of user administration, which are compared as they
	// reach users: all of one's locations by one of them (R11).
	ofUsers
	ofAdmin
	ofAdvanced
)

// Access is every right that the subject has, each with all that gives it: of
// R4's permissions those that the user type lets count (U2), with the implied
// ones (R7), of R9 and R10 all of a general user (U4). To impersonate is a right
// of who administers users, too (R10).
func (m *Model) Access(s Subject) []Right {
	a := access{Model: m, rows: map[string]int{}}
	if !s.of(m) {
		return nil
	}
	for r, from := range s.held() {
		a.role, a.from = r, from
		a.grants(s.userType.counting())
		if s.userType == General {
			a.administration()
			a.plain()
		}
	}
	a.impersonation(s)
	slices.SortFunc(a.rights, byPermission)
	return a.rights
}

// access collects the rights of a subject, role by role.
type access struct {
	*Model
	role   *role
	from   []place
	rights []Right
	rows   map[string]int // of a right in rights
}

// grants adds what the role's grants give on workflows and templates (R3, R4).
func (a *access) grants(counting set[Permission]) {
	for n := range a.role.Grants {
		g := &a.role.Grants[n]
		for p := NoPermission + 1; p < PermissionCount; p++ {
			s := g.Permissions[p]
			if !Allows(p, s) {
				continue
			}
			for _, id := range g.Workflows {
				a.onWorkflow(id, n, p, s, counting)
			}
			for _, id := range g.Templates {
				if t, ok := a.templates.byID[id]; ok {
					a.give(Right{Template: id, Scope: s}, n, p, closure(p, s, t.TeamType)&counting)
				}
			}
		}
	}
}

// onWorkflow adds a grant on a workflow. What only a Standard team implies (R7)
// is a right on those templates alone.
func (a *access) onWorkflow(id string, grant int, p Permission, s Scope, counting set[Permission]) {
	if _, ok := a.workflows[id]; !ok && len(a.templates.byWorkflow[id]) == 0 {
		return
	}
	always := closure(p, s, NoTeamType)
	a.give(Right{Workflow: id, Scope: s}, grant, p, always&counting)
	for _, t := range a.templates.byWorkflow[id] {
		a.give(Right{Template: t.ID, Scope: s}, grant, p, closure(p, s, t.TeamType)&^always&counting)
	}
}

// closure is a permission with those that it implies on a team of this type
// (R7).
func closure(p Permission, s Scope, t TeamType) set[Permission] {
	return implied(rights(0).with(p, setOf(s)), t).permissions()
}

// give adds each of the permissions as a right, given by a grant's p.
func (a *access) give(right Right, grant int, p Permission, given set[Permission]) {
	right.of = ofTemplates
	for _, q := range given.list() {
		right.Permission, right.kind = q.String(), q
		source := Source{Role: a.role.ID, Grant: grant}
		if q != p {
			source.ImpliedBy = p.String()
		}
		a.add(right, source)
	}
}

// administration adds user administration (R10, R11).
func (a *access) administration() {
	if global := a.role.admin.Global; global != nil {
		a.admin(Right{Permission: globalUserAdministrator, Scope: Everywhere, Users: a.options(global), kind: administerUsers, of: ofUsers})
	}
	if local := a.role.admin.Local; local != nil {
		a.admin(Right{Permission: localUserAdministrator, Scope: local.Scope, Users: a.options(local), kind: administerUsers, of: ofUsers})
	}
}

// options is a user administration without the roles that were deleted since
// (R14).
func (a *access) options(u *UserAdministration) *UserAdministration {
	live := *u
	live.Grantable.Roles = nil
	for _, r := range u.Grantable.Roles {
		if a.live(r) != nil {
			live.Grantable.Roles = append(live.Grantable.Roles, r)
		}
	}
	return &live
}

// plain adds what else there is of R9 and R10.
func (a *access) plain() {
	for _, p := range adminPermissions {
		if scope := p.scope(&a.role.admin); scope != NoScope {
			a.admin(Right{Permission: p.word, Scope: scope, kind: p.kind, of: ofAdmin})
		}
	}
	for _, held := range a.role.advanced.list() {
		a.admin(Right{Permission: held.String(), Scope: Yes, kind: Permission(held), of: ofAdvanced})
	}
}

func (a *access) admin(right Right) { a.add(right, Source{Role: a.role.ID, Grant: NotOfGrant}) }

// impersonation adds the right to impersonate, wherever users are administered:
// the two may come from different roles (R10, R12).
func (a *access) impersonation(s Subject) {
	if s.userType != General {
		return
	}
	var by []Source
	for r := range s.held() {
		if r.admin.Impersonate {
			by = append(by, Source{Role: r.ID, Grant: NotOfGrant})
		}
	}
	for _, held := range slices.Clone(a.rights) {
		if held.of != ofUsers {
			continue
		}
		for _, source := range by {
			right := Right{Permission: impersonateUser, Scope: held.Scope, Locations: held.Locations, kind: impersonate, of: ofUsers}
			a.row(right, append([]Source{source}, held.From...)...)
		}
	}
}

// add adds a right of the role, measured from where the role is (R5). Who is
// nowhere has nothing in a located scope.
func (a *access) add(right Right, source Source) {
	if located.has(right.Scope) && right.Scope != Everywhere {
		for _, p := range a.from {
			right.Locations = append(right.Locations, a.forest.name(p))
		}
		slices.Sort(right.Locations)
		right.Locations = slices.Compact(right.Locations)
		if len(right.Locations) == 0 {
			return
		}
	}
	a.row(right, source)
}

// row adds the sources to the row of the right.
func (a *access) row(right Right, sources ...Source) {
	key := right.key()
	n, there := a.rows[key]
	if !there {
		n = len(a.rights)
		a.rows[key], a.rights = n, append(a.rights, right)
	}
	for _, s := range sources {
		if !slices.Contains(a.rights[n].From, s) {
			a.rights[n].From = append(a.rights[n].From, s)
		}
	}
}

// key tells rights apart: what is alike but for what gives it is one row.
func (r Right) key() string {
	parts := append([]string{r.Permission, r.Workflow, r.Template, r.Scope.String()}, r.Locations...)
	if r.Users != nil {
		parts = append(parts, fmt.Sprint(r.Users.CreateUsers, r.Users.Grantable.All))
		for _, g := range r.Users.Grantable.Roles {
			parts = append(parts, g.ID)
		}
	}
	return strings.Join(parts, "\x00")
}

// byPermission is the order of rights: R4's permissions as R4 has them, R10's,
// R9's; each by what it is on, the wider scope first.
func byPermission(a, b Right) int {
	return cmp.Or(
		cmp.Compare(a.of, b.of), cmp.Compare(a.kind, b.kind), strings.Compare(a.Permission, b.Permission),
		strings.Compare(a.Workflow, b.Workflow), strings.Compare(a.Template, b.Template),
		cmp.Compare(b.Scope, a.Scope), slices.Compare(a.Locations, b.Locations), strings.Compare(a.key(), b.key()),
	)
}
