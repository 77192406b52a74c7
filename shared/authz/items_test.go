package authz

// itemCases are R2, R3, R7 and C2–C6.
var itemCases = []decideCase{
	{"R2 two roles add up", func(s *scene) {
		s.seen()
		s.holdsOther()
		s.other().gives(Assign, Everywhere)
	}, DoAssign, yes(RoleGrant)},
	{"R2 a narrow role takes nothing from a wide one", func(s *scene) {
		s.seen()
		s.holdsOther()
		s.other().gives(View, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoView, yes(RoleGrant)},
	{"R2 a prerequisite may come from another role", func(s *scene) {
		s.seen()
		s.gives(Delete, Everywhere)
		s.holdsOther()
		s.other().gives(Edit, Everywhere)
	}, DoDelete, yes(RoleGrant)},

	{"R3 a listed template is covered", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"idea"}, Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, yes(RoleGrant)},
	{"R3 a listed workflow's template is covered", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"improvement"}, Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, yes(RoleGrant)},
	{"R3 template or workflow is enough", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"projects"}, Templates: []string{"idea"}, Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, yes(RoleGrant)},
	{"R3 workflow or template is enough", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"improvement"}, Templates: []string{"note"}, Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, yes(RoleGrant)},
	{"R3 neither listed", func(s *scene) {
		s.staff().Grants = []Grant{{Workflows: []string{"projects"}, Templates: []string{"standard"}, Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, no(NoGrant)},
	{"R3 a grant that names neither covers nothing", func(s *scene) {
		s.staff().Grants = []Grant{{Permissions: map[Permission]Scope{View: Everywhere}}}
	}, DoView, no(NoGrant)},
	{"R3 permissions of two grants do not cross", func(s *scene) {
		s.staff().Grants = []Grant{
			{Templates: []string{"idea"}, Permissions: map[Permission]Scope{View: Everywhere}},
			{Templates: []string{"note"}, Permissions: map[Permission]Scope{Edit: Everywhere}},
		}
	}, DoEdit, no(NoGrant)},

	{"R7 view_new gives view", func(s *scene) { s.gives(ViewNew, Everywhere) }, DoView, yes(RoleGrant)},
	{"R7 in the same scope", func(s *scene) {
		s.gives(ViewNew, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoView, no(OutOfScope)},
	{"R7 assign gives view on a standard team", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.item.Template = "standard"
	}, DoView, yes(RoleGrant)},
	{"R7 assign gives view_new on a standard team", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.item.Template, s.item.Status = "standard", New
	}, DoView, yes(RoleGrant)},
	{"R7 assign gives edit on a standard team", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.item.Template = "standard"
	}, DoEdit, yes(RoleGrant)},
	{"R7 request gives edit on a standard team", func(s *scene) {
		s.seen()
		s.gives(Request, Everywhere)
		s.item.Template = "standard"
	}, DoEdit, yes(RoleGrant)},
	{"R7 request gives no view", func(s *scene) {
		s.gives(Request, Everywhere)
		s.item.Template = "standard"
	}, DoRequest, no(NoGrant)},
	{"R7 assign gives nothing on another team", func(s *scene) { s.gives(Assign, Everywhere) }, DoView, no(NoGrant)},
	{"R7 request gives nothing on another team", func(s *scene) {
		s.seen()
		s.gives(Request, Everywhere)
	}, DoEdit, no(NoGrant)},
	{"R7 the implied edit counts as a prerequisite", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.gives(Delete, Everywhere)
		s.item.Template = "standard"
	}, DoDelete, yes(RoleGrant)},
	{"R7 assign gives no view of private items", func(s *scene) {
		s.gives(Assign, Everywhere)
		s.item.Template, s.item.Private = "standard", true
	}, DoView, no(IsPrivate)},
	{"R7 assign by only_users gives edit by only_users", func(s *scene) {
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.gives(Assign, OnlyUsers)
		s.team("standard", Follower)
	}, DoEdit, yes(RoleGrant)},

	{"C2 simple: a responsible edits", func(s *scene) { s.team("idea", Responsible) }, DoEdit, yes(TeamMember)},
	{"C2 simple: an assigner edits", func(s *scene) { s.team("idea", Assigner) }, DoEdit, yes(TeamMember)},
	{"C2 standard: a collaborator edits", func(s *scene) { s.team("standard", Collaborator) }, DoEdit, yes(TeamMember)},
	{"C2 standard: a follower does not", func(s *scene) { s.team("standard", Follower) }, DoEdit, no(NoGrant)},
	{"C2 advanced: a sponsor edits", func(s *scene) { s.team("project", Sponsor) }, DoEdit, yes(TeamMember)},
	{"C2 advanced: a leader edits", func(s *scene) { s.team("project", Leader) }, DoEdit, yes(TeamMember)},
	{"C2 advanced: a participant does not", func(s *scene) { s.team("project", Participant) }, DoEdit, no(NoGrant)},
	{"C2 author-only: the author edits", func(s *scene) { s.team("note", Author) }, DoEdit, yes(TeamMember)},
	{"C2 author-only: a follower does not", func(s *scene) { s.team("note", Follower) }, DoEdit, no(NoGrant)},
	{"C1 a team type that is none has no roles", func(s *scene) {
		s.policy.Templates[0].TeamType = TeamTypeCount
		s.team("idea", Author)
	}, DoView, no(NoGrant)},
	{"C1 a team role that the team type lacks is none", func(s *scene) { s.team("note", Responsible) }, DoView, no(NoGrant)},

	{"C3 any team role sees", func(s *scene) { s.team("project", Participant) }, DoView, yes(TeamMember)},
	{"C3 also the last of many", func(s *scene) {
		s.item.Team[Follower] = []string{"ann", "ben", "cem", "dee", "eve", "maria"}
	}, DoView, yes(TeamMember)},
	{"C3 also the first of many", func(s *scene) {
		s.item.Team[Author] = []string{"maria", "ann", "ben", "cem", "dee", "eve"}
	}, DoEdit, yes(TeamMember)},
	{"C3 nobody is on the team for somebody else's being there", func(s *scene) {
		s.item.Team[Author] = []string{"ann", "ben", "cem", "dee", "eve", "fay"}
	}, DoView, no(NoGrant)},
	{"C3 the team sees its draft", func(s *scene) {
		s.team("idea", Follower)
		s.item.Status, s.item.Private = Draft, true
	}, DoView, yes(TeamMember)},
	{"C3 nobody else sees a draft", func(s *scene) {
		s.seen()
		s.gives(ViewNew, Everywhere)
		s.gives(ViewPrivate, Everywhere)
		s.item.Status, s.item.Private = Draft, true
	}, DoView, no(IsDraft)},
	{"C3 a private item needs view_private", func(s *scene) {
		s.seen()
		s.gives(ViewNew, Everywhere)
		s.item.Private = true
	}, DoView, no(IsPrivate)},
	{"C3 view_private out of scope: private", func(s *scene) {
		s.gives(ViewPrivate, OnlyLocation)
		s.item.Private, s.item.Locations = true, []string{"south"}
	}, DoView, no(IsPrivate)},
	{"C3 view_private sees a new private item", func(s *scene) {
		s.gives(ViewPrivate, OnlyLocation)
		s.item.Private, s.item.Status = true, New
	}, DoView, yes(RoleGrant)},
	{"C3 view_private sees no public item", func(s *scene) { s.gives(ViewPrivate, Everywhere) }, DoView, no(NoGrant)},
	{"C3 a new item needs view_new", func(s *scene) {
		s.seen()
		s.item.Status = New
	}, DoView, no(IsNew)},
	{"C3 view_new sees a new item", func(s *scene) {
		s.gives(ViewNew, Everywhere)
		s.item.Status = New
	}, DoView, yes(RoleGrant)},
	{"C3 any other needs view", func(s *scene) { s.item.Status = Complete }, DoView, no(NoGrant)},
	{"C3 view elsewhere", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoView, no(OutOfScope)},

	{"C4 what view lacks comes first", func(s *scene) {
		s.gives(Edit, Everywhere)
		s.item.Status = New
	}, DoEdit, no(IsNew)},
	{"C4 edit in scope", func(s *scene) {
		s.seen()
		s.gives(Edit, LocationAndBelow)
	}, DoEdit, yes(RoleGrant)},
	{"C4 edit elsewhere", func(s *scene) {
		s.seen()
		s.gives(Edit, LocationAndBelow)
		s.item.Locations = []string{"south"}
	}, DoEdit, no(OutOfScope)},
	{"C4 seen by team, edited by role", func(s *scene) {
		s.team("idea", Follower)
		s.gives(Edit, Everywhere)
	}, DoEdit, yes(RoleGrant)},
	{"C4 primary edit counts before the roles", func(s *scene) {
		s.team("idea", Author)
		s.seen()
		s.gives(Edit, Everywhere)
	}, DoEdit, yes(TeamMember)},
	{"C4 request", func(s *scene) { s.seen(); s.gives(Request, OnlyLocation) }, DoRequest, yes(RoleGrant)},
	{"C4 assign", func(s *scene) { s.seen(); s.gives(Assign, OnlyLocation) }, DoAssign, yes(RoleGrant)},
	{"C4 honor_roll", func(s *scene) { s.seen(); s.gives(HonorRoll, OnlyLocation) }, DoHonorRoll, yes(RoleGrant)},
	{"C4 toggle_private by primary edit", func(s *scene) {
		s.team("idea", Author)
		s.gives(TogglePrivate, OnlyUsers)
	}, DoTogglePrivate, yes(RoleGrant)},
	{"C4 toggle_private without edit", func(s *scene) { s.seen(); s.gives(TogglePrivate, Everywhere) }, DoTogglePrivate, no(NeedsEdit)},
	{"C4 toggle_private without its permission", func(s *scene) { s.seen(); s.gives(Edit, Everywhere) }, DoTogglePrivate, no(NoGrant)},
	{"C4 delete with edit", func(s *scene) { s.seen(); s.gives(Delete, OnlyLocation); s.gives(Edit, OnlyLocation) }, DoDelete, yes(RoleGrant)},
	{"C4 delete with edit elsewhere", func(s *scene) {
		s.seen()
		s.gives(Delete, Everywhere)
		s.gives(Edit, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoDelete, no(NeedsEdit)},
	{"C4 delete elsewhere comes before needs_edit", func(s *scene) {
		s.seen()
		s.gives(Delete, OnlyLocation)
		s.item.Locations = []string{"south"}
	}, DoDelete, no(OutOfScope)},
	{"C4 escalate in scope with edit", func(s *scene) {
		s.team("idea", Author)
		s.staff().Admin.Escalation = LocationAndBelow
	}, DoEscalate, yes(RoleGrant)},
	{"C4 escalate elsewhere", func(s *scene) {
		s.team("idea", Author)
		s.staff().Admin.Escalation = LocationAndBelow
		s.item.Locations = []string{"south"}
	}, DoEscalate, no(OutOfScope)},
	{"C4 a scope that escalate cannot have gives nothing", func(s *scene) {
		s.team("idea", Author)
		s.staff().Admin.Escalation = OnlyUsers
	}, DoEscalate, no(NoGrant)},
	{"C4 escalate without edit", func(s *scene) {
		s.seen()
		s.staff().Admin.Escalation = Everywhere
	}, DoEscalate, no(NeedsEdit)},
	{"C4 escalate without escalation_administrator", func(s *scene) { s.team("idea", Author) }, DoEscalate, no(NoGrant)},

	{"C5 participate needs no view", func(s *scene) {
		s.gives(Participate, Yes)
		s.item.Status, s.item.Private = New, true
	}, DoParticipate, yes(RoleGrant)},
	{"C5 participate before the item exists", func(s *scene) {
		s.gives(Participate, Yes)
		s.item = &Item{Template: "idea"}
	}, DoParticipate, yes(RoleGrant)},
	{"C5 participate on another template", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Participate: Yes}}}
	}, DoParticipate, no(NoGrant)},
	{"C5 being on the team is no participate", func(s *scene) { s.team("idea", Author) }, DoParticipate, no(NoGrant)},

	{"C6 a team role never requests", func(s *scene) { s.team("idea", Responsible) }, DoRequest, no(NoGrant)},
	{"C6 a team role never assigns", func(s *scene) { s.team("idea", Assigner) }, DoAssign, no(NoGrant)},
	{"C6 a team role gives no honor roll", func(s *scene) { s.team("idea", Responsible) }, DoHonorRoll, no(NoGrant)},
	{"C6 a team role never makes private", func(s *scene) { s.team("idea", Responsible) }, DoTogglePrivate, no(NoGrant)},
	{"C6 a team role never deletes", func(s *scene) { s.team("idea", Author) }, DoDelete, no(NoGrant)},
}
