package authz

import (
	"fmt"
	"maps"
	"slices"
)

// The tables of the rules, cell by cell: each cell is a case of its own, so that
// none can change unseen.

// answers are what the letters of a table stand for.
var answers = map[rune]Decision{
	'r': yes(RoleGrant), 't': yes(TeamMember),
	'u': no(WrongUserType), '-': no(NoGrant),
	'd': no(IsDraft), 'p': no(IsPrivate), 'n': no(IsNew),
}

// amply gives staff the permission in the widest scope; escalation is that of
// its admin permission.
func (s *scene) amply(p Permission) {
	switch p {
	case Participate:
		s.gives(p, Yes)
	case escalation:
		s.staff().Admin.Escalation = Everywhere
	default:
		s.gives(p, Everywhere)
	}
}

// everything gives staff every item right, but for these.
func (s *scene) everything(but ...Permission) {
	for p := Participate; p <= escalation; p++ {
		if !slices.Contains(but, p) {
			s.amply(p)
		}
	}
}

// typeRow is U2's row of a user type. A letter is the answer to an item action,
// in the order of C1: participate, view, edit, request, assign, toggle_private,
// honor_roll, delete, escalate.
type typeRow struct {
	userType UserType
	byRoles  string // every item right, on no team
	byTeam   string // the item's responsible, without a right
	byBoth   string // its responsible, with every right but to view
}

var typeRows = []typeRow{
	{General, "rrrrrrrrr", "-tt------", "rttrrrrrr"},
	{Capture, "ruuuuuuuu", "-tuuuuuuu", "rtuuuuuuu"},
	{Wallboard, "uruuuuuuu", "u-uuuuuuu", "u-uuuuuuu"},
	{Kiosk, "ruuuuuuuu", "-uuuuuuuu", "ruuuuuuuu"},
	{Offline, "uuuuuuuuu", "uuuuuuuuu", "uuuuuuuuu"},
	{Setup, "uuuuuuuuu", "uuuuuuuuu", "uuuuuuuuu"},
	{Inactive, "uuuuuuuuu", "uuuuuuuuu", "uuuuuuuuu"},
}

// typeCases are U2's table and U4's escalate.
func typeCases() []decideCase {
	var all []decideCase
	for _, row := range typeRows {
		for _, column := range []struct {
			how, letters string
			given        func(*scene)
		}{
			{"by roles", row.byRoles, func(s *scene) { s.everything() }},
			{"by team", row.byTeam, func(s *scene) { s.team("idea", Responsible) }},
			{"by both", row.byBoth, func(s *scene) {
				s.everything(View, ViewNew, ViewPrivate)
				s.team("idea", Responsible)
			}},
		} {
			for n, letter := range column.letters {
				a := DoParticipate + Action(n)
				all = append(all, decideCase{fmt.Sprintf("U2 %s %s: %s", row.userType, column.how, a), func(s *scene) {
					s.maria.Type = row.userType
					column.given(s)
				}, a, answers[letter]})
			}
		}
	}
	return all
}

// scopeRow is R4's row of a permission: a letter for each of the scopes yes,
// only_users, only_location, location_and_below and everywhere, all of which
// would be met.
type scopeRow struct {
	permission Permission
	letters    string
	action     Action
	given      func(*scene) // what the action needs besides
}

// meets has maria meet every scope: on the team of an item that is where she is.
// A wallboard does, and sees nothing by it.
func meets(u UserType, besides func(*scene)) func(*scene) {
	return func(s *scene) {
		s.maria.Type = u
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.team("idea", Follower)
		besides(s)
	}
}

// Reasons of their own: what is private or new says so, whatever is held.
var scopeRows = []scopeRow{
	{Participate, "r----", DoParticipate, meets(General, func(*scene) {})},
	{View, "--rrr", DoView, meets(Wallboard, func(*scene) {})},
	{ViewNew, "--rrr", DoView, meets(Wallboard, func(s *scene) { s.item.Status = New })},
	{Edit, "--rrr", DoEdit, meets(General, func(*scene) {})},
	{Request, "--rrr", DoRequest, meets(General, func(*scene) {})},
	{Assign, "-rrrr", DoAssign, meets(General, func(*scene) {})},
	{ViewPrivate, "--rrr", DoView, meets(Wallboard, func(s *scene) { s.item.Private = true })},
	{TogglePrivate, "-rrrr", DoTogglePrivate, meets(General, func(s *scene) { s.gives(Edit, Everywhere) })},
	{HonorRoll, "--rrr", DoHonorRoll, meets(General, func(*scene) {})},
	{Delete, "-rrrr", DoDelete, meets(General, func(s *scene) { s.gives(Edit, Everywhere) })},
}

// refusal is why somebody without the permission is refused what it gives.
func (p Permission) refusal() Decision {
	switch p {
	case ViewNew:
		return no(IsNew)
	case ViewPrivate:
		return no(IsPrivate)
	default:
		return no(NoGrant)
	}
}

// cellCases are R4's table.
func cellCases() []decideCase {
	var all []decideCase
	for _, row := range scopeRows {
		for n, letter := range row.letters {
			want, scope := answers[letter], Yes+Scope(n)
			if !want.Allowed {
				want = row.permission.refusal()
			}
			all = append(all, decideCase{fmt.Sprintf("R4 %s in %s", row.permission, scope), func(s *scene) {
				row.given(s)
				s.gives(row.permission, scope)
			}, row.action, want})
		}
	}
	return all
}

// asking is how one asks for a permission: the action and the item that it
// decides, and what that needs besides.
type asking struct {
	permission Permission
	action     Action
	given      func(*scene)
}

var askings = []asking{
	{Participate, DoParticipate, func(*scene) {}},
	{View, DoView, func(*scene) {}},
	{ViewNew, DoView, func(s *scene) { s.item.Status = New }},
	{Edit, DoEdit, (*scene).seen},
	{Request, DoRequest, (*scene).seen},
	{Assign, DoAssign, (*scene).seen},
	{ViewPrivate, DoView, func(s *scene) { s.item.Private = true }},
	{TogglePrivate, DoTogglePrivate, seenAndEdited},
	{HonorRoll, DoHonorRoll, (*scene).seen},
	{Delete, DoDelete, seenAndEdited},
	{escalation, DoEscalate, seenAndEdited},
}

func seenAndEdited(s *scene) {
	s.seen()
	s.gives(Edit, Everywhere)
}

// impliedOn are R7's implications by the template whose items they are good on.
var impliedOn = map[string]map[Permission][]Permission{
	"idea":     {ViewNew: {View}},
	"standard": {ViewNew: {View}, Assign: {ViewNew, View, Edit}, Request: {Edit}},
	"project":  {ViewNew: {View}},
	"note":     {ViewNew: {View}},
}

// impliedCases are R7, each permission with each other.
func impliedCases() []decideCase {
	var all []decideCase
	for _, template := range slices.Sorted(maps.Keys(impliedOn)) {
		for held := NoPermission + 1; held < PermissionCount; held++ {
			for _, asked := range askings {
				if asked.permission == held {
					continue
				}
				name, want := "R7 %s: %s gives no %s", asked.permission.refusal()
				if slices.Contains(impliedOn[template][held], asked.permission) {
					name, want = "R7 %s: %s gives %s", yes(RoleGrant)
				}
				all = append(all, decideCase{fmt.Sprintf(name, template, held, itemPermission(asked.permission)), func(s *scene) {
					s.item.Template = template
					asked.given(s)
					s.amply(held)
				}, asked.action, want})
			}
		}
	}
	return all
}

// teamRow is C1's, C2's and R6's row of a template's team type. A letter for each
// team role, in the order responsible, assigner, author, collaborator, follower,
// sponsor, facilitator, leader, participant: '.' the type has it not, 'm' one that
// sees, 'e' one that edits, 'u' one that edits and only_users means.
type teamRow struct{ template, roles string }

var teamRows = []teamRow{
	{"idea", "ueuem...."},
	{"standard", "ueuem...."},
	{"project", "..e.meuem"},
	{"note", "..u.m...."},
}

// byTeamRole are the answers that a letter stands for.
var byTeamRole = map[rune]struct{ view, edit, onlyUsers, anyMember Decision }{
	'.': {no(NoGrant), no(NoGrant), no(NoGrant), no(NoGrant)},
	'm': {yes(TeamMember), no(NoGrant), no(OutOfScope), yes(RoleGrant)},
	'e': {yes(TeamMember), yes(TeamMember), no(OutOfScope), yes(RoleGrant)},
	'u': {yes(TeamMember), yes(TeamMember), yes(RoleGrant), yes(RoleGrant)},
}

// teamCases are the team roles of C1 and C2, what they never give (C6), and whom
// only_users means (R6).
func teamCases() []decideCase {
	var all []decideCase
	for _, row := range teamRows {
		for n, letter := range row.roles {
			role, want := Responsible+TeamRole(n), byTeamRole[letter]
			in := func(rule string) string { return fmt.Sprintf("%s %s: %s", rule, row.template, role) }
			as := func(rule OnlyUsersRule, gives ...Permission) func(*scene) {
				return func(s *scene) {
					s.policy.Settings.OnlyUsers = rule
					s.team(row.template, role)
					for _, p := range gives {
						s.gives(p, map[Permission]Scope{Delete: OnlyUsers, Edit: Everywhere}[p])
					}
				}
			}
			all = append(
				all,
				decideCase{in("C1"), as(ByTeamRole), DoView, want.view},
				decideCase{in("C2"), as(ByTeamRole), DoEdit, want.edit},
				decideCase{in("C6"), as(ByTeamRole), DoAssign, no(NoGrant)},
				decideCase{in("R6 team_role"), as(ByTeamRole, Delete, Edit), DoDelete, want.onlyUsers},
				decideCase{in("R6 team_member"), as(ByTeamMember, Delete, Edit), DoDelete, want.anyMember},
			)
		}
	}
	return all
}

// everyAdmin is all admin permissions.
func everyAdmin() Admin {
	return Admin{
		Global:      &UserAdministration{CreateUsers: true, Grantable: Grantable{All: true}},
		Local:       &UserAdministration{Scope: LocationAndBelow, CreateUsers: true, Grantable: Grantable{All: true}},
		Impersonate: true, Roles: true, Quality: true, System: true, AccessReader: true, ItemWriter: true,
		Board: Everywhere, Card: Everywhere, Escalation: Everywhere,
	}
}

func everyAdvanced() []Advanced {
	var all []Advanced
	for a := NoAdvanced + 1; a < AdvancedCount; a++ {
		all = append(all, a)
	}
	return all
}

// holdingAllBut has staff give every admin and advanced permission, but for these.
func holdingAllBut(loses func(*Role)) func(*scene) {
	return func(s *scene) {
		s.staff().Admin, s.staff().Advanced = everyAdmin(), everyAdvanced()
		loses(s.staff())
	}
}

// adminActions are what admin permissions give by their own names, with how to
// lose that one alone (R10).
var adminActions = map[Action]func(*Role){
	CreateUsers: func(r *Role) {
		r.Admin.Global.CreateUsers, r.Admin.Local.CreateUsers = false, false
	},
	AdministerAllUsers:  func(r *Role) { r.Admin.Global = nil },
	AdministerRoles:     func(r *Role) { r.Admin.Roles = false },
	AdministerQuality:   func(r *Role) { r.Admin.Quality = false },
	AdministerSystem:    func(r *Role) { r.Admin.System = false },
	ReadAccess:          func(r *Role) { r.Admin.AccessReader = false },
	WriteItems:          func(r *Role) { r.Admin.ItemWriter = false },
	AdministerSomeUsers: func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	ReadItems:           func(r *Role) { r.Admin.AccessReader, r.Admin.ItemWriter, r.Admin.Quality = false, false, false },
	RecordItems:         func(r *Role) { r.Admin.ItemWriter, r.Admin.Quality = false, false },
	ReadAdministration:  func(r *Role) { r.Admin = Admin{} },
	ImpersonateUser:     func(r *Role) { r.Admin.Impersonate = false },
	AdministerUser:      func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	ChangePersona:       func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	ReadUser:            func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	GrantRole:           func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	RevokeRole:          func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	PlaceUser:           func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	ChangePreferences:   func(r *Role) { r.Admin.Global, r.Admin.Local = nil, nil },
	CreateUser: func(r *Role) {
		r.Admin.Global.CreateUsers, r.Admin.Local.CreateUsers = false, false
	},
	AdministerBoard: func(r *Role) { r.Admin.Board = NoScope },
	AdministerCard:  func(r *Role) { r.Admin.Card = NoScope },
}

// holdsAllCases are R10 and R9: each right among all others, and all others
// without it; U4: none of them for other types.
func holdsAllCases() []decideCase {
	var all []decideCase
	add := func(rule string, a Action, loses func(*Role)) {
		holding := holdingAllBut(func(*Role) {})
		all = append(
			all,
			decideCase{fmt.Sprintf("%s all give %s on %s", rule, a, a.On()), holding, a, yes(RoleGrant)},
			decideCase{fmt.Sprintf("%s no other gives %s on %s", rule, a, a.On()), holdingAllBut(loses), a, no(NoGrant)},
		)
		for u := Capture; u < UserTypeCount; u++ {
			all = append(all, decideCase{fmt.Sprintf("U4 %s gets no %s on %s", u, a, a.On()), func(s *scene) {
				holding(s)
				s.maria.Type = u
			}, a, no(WrongUserType)})
		}
	}
	for _, a := range slices.Sorted(maps.Keys(adminActions)) {
		add("R10", a, adminActions[a])
	}
	for a := NoAction + 1; a < ActionCount; a++ {
		if p, ok := parse[Advanced](advancedNames, a.String()); ok {
			add("R9", a, func(r *Role) {
				r.Advanced = slices.DeleteFunc(r.Advanced, func(other Advanced) bool { return other == p })
			})
		}
	}
	return all
}

// gateCases are C4 for each action that needs a view of the item: first the
// view, then the permission, then the edit.
func gateCases() []decideCase {
	var all []decideCase
	for _, asked := range askings {
		own := asked.permission
		if !slices.Contains([]Permission{Edit, Request, Assign, TogglePrivate, HonorRoll, Delete, escalation}, own) {
			continue
		}
		add := func(what string, given func(*scene), want Decision) {
			all = append(all, decideCase{fmt.Sprintf("C4 %s %s", asked.action, what), given, asked.action, want})
		}
		add("with everything", func(s *scene) { s.everything() }, yes(RoleGrant))
		add("without view", func(s *scene) { s.everything(ViewNew); s.item.Status = New }, no(IsNew))
		add("of a draft", func(s *scene) { s.everything(); s.item.Status = Draft }, no(IsDraft))
		add("without its permission", func(s *scene) { s.everything(own) }, no(NoGrant))
		if !slices.Contains([]Permission{TogglePrivate, Delete, escalation}, own) {
			continue
		}
		add("without edit", func(s *scene) { s.everything(Edit) }, no(NeedsEdit))
		add("with neither", func(s *scene) { s.everything(own, Edit) }, no(NoGrant))
		add("by who edits by team role", func(s *scene) { s.everything(Edit); s.team("idea", Author) }, yes(RoleGrant))
		add("by who only follows", func(s *scene) { s.everything(Edit); s.team("idea", Follower) }, no(NeedsEdit))
	}
	return all
}

// statusRow is C3's row of a status: a letter for each of what somebody may hold
// who is not on the team: nothing, view, view_new, view_private.
type statusRow struct {
	status          Status
	public, private string
}

var statusRows = []statusRow{
	{Draft, "dddd", "dddd"},
	{New, "nnrn", "pppr"},
	{Planned, "-rr-", "pppr"},
	{Active, "-rr-", "pppr"},
	{Overdue, "-rr-", "pppr"},
	{ResolutionSubmitted, "-rr-", "pppr"},
	{Complete, "-rr-", "pppr"},
	{Deferred, "-rr-", "pppr"},
}

// statusCases are C3: what each status takes to be seen.
func statusCases() []decideCase {
	held := []Permission{NoPermission, View, ViewNew, ViewPrivate}
	var all []decideCase
	for _, row := range statusRows {
		add := func(what string, private bool, given func(*scene), want Decision) {
			all = append(all, decideCase{fmt.Sprintf("C3 %s, private %v: %s", row.status, private, what), func(s *scene) {
				given(s)
				s.item.Status, s.item.Private = row.status, private
			}, DoView, want})
		}
		for n, p := range held {
			given := func(s *scene) { s.gives(p, Everywhere) }
			add("with "+p.String(), false, given, answers[rune(row.public[n])])
			add("with "+p.String(), true, given, answers[rune(row.private[n])])
		}
		add("on the team", false, func(s *scene) { s.team("idea", Follower) }, yes(TeamMember))
		add("on the team", true, func(s *scene) { s.team("idea", Follower) }, yes(TeamMember))
	}
	return all
}

// rowCases are all of them.
var rowCases = slices.Concat(typeCases(), cellCases(), impliedCases(), teamCases(), holdsAllCases(), gateCases(), statusCases())
