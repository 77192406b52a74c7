package authz

import "time"

// limited limits maria's role to these of her locations.
func (s *scene) limited(locations ...string) { s.maria.Assignments[0].Locations = locations }

// until ends maria's role.
func (s *scene) until(at time.Time) { s.maria.Assignments[0].Until = at }

// scopeCases are R4–R6 and R14.
var scopeCases = []decideCase{
	{"R4 everywhere", func(s *scene) {
		s.gives(View, Everywhere)
		s.item.Locations = []string{"south"}
	}, DoView, yes(RoleGrant)},
	{"R4 location_and_below reaches a descendant", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.maria.Locations = []string{"hospital"}
	}, DoView, yes(RoleGrant)},
	{"R4 location_and_below reaches no ancestor", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.item.Locations = []string{"north"}
	}, DoView, no(OutOfScope)},
	{"R4 only_location reaches no descendant", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"north"}
	}, DoView, no(OutOfScope)},
	{"R4 only_location", func(s *scene) { s.gives(View, OnlyLocation) }, DoView, yes(RoleGrant)},
	{"R4 a scope that view cannot have gives nothing", func(s *scene) {
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.team("idea", Follower)
		s.gives(Edit, OnlyUsers)
	}, DoEdit, no(NoGrant)},
	{"R4 participate has no scope", func(s *scene) { s.gives(Participate, Everywhere) }, DoParticipate, no(NoGrant)},

	{"R5 measured from any of the user's locations", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"south", "ward"}
	}, DoView, yes(RoleGrant)},
	{"R5 measured against any of the item's locations", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.item.Locations = []string{"south", "ward"}
	}, DoView, yes(RoleGrant)},
	{"R5 also against the ninth", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.item.Locations = []string{"south", "south", "south", "south", "south", "south", "south", "south", "ward"}
	}, DoView, yes(RoleGrant)},
	{"R5 a match below hides none at the location itself", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"hospital", "south"}
		s.item.Locations = []string{"ward", "south"}
	}, DoView, yes(RoleGrant)},
	{"R5 each role is measured from where it is held", func(s *scene) {
		s.maria.Locations = []string{"ward", "south"}
		s.limited("south")
		s.holdsOther()
		s.other().gives(View, OnlyLocation)
	}, DoView, yes(RoleGrant)},
	{"R5 held elsewhere, and another role has nothing of it", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.limited("ward")
		s.holdsOther()
		s.item.Locations = []string{"south"}
	}, DoView, no(OutOfScope)},
	{"R5 a limited assignment is measured from its limit", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.maria.Locations = []string{"hospital", "south"}
		s.limited("south")
	}, DoView, no(OutOfScope)},
	{"R5 inside the limit", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.maria.Locations = []string{"hospital", "south"}
		s.limited("south")
		s.item.Locations = []string{"south"}
	}, DoView, yes(RoleGrant)},
	{"R5 a limit does not narrow everywhere", func(s *scene) {
		s.gives(View, Everywhere)
		s.maria.Locations = []string{"ward", "south"}
		s.limited("south")
	}, DoView, yes(RoleGrant)},
	{"R5 a location that the user left has left the limit", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations = []string{"south"}
		s.limited("south", "ward")
	}, DoView, no(OutOfScope)},
	{"R5 an emptied limit has ended the assignment", func(s *scene) {
		s.gives(View, Everywhere)
		s.maria.Locations = []string{"south"}
		s.limited("ward")
	}, DoView, no(NoGrant)},
	{"R5 specific locations count, not the user's", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.staff().SpecificLocations = []string{"south"}
	}, DoView, no(OutOfScope)},
	{"R5 within the specific locations", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.staff().SpecificLocations = []string{"north"}
		s.maria.Locations = []string{"south"}
	}, DoView, yes(RoleGrant)},
	{"R5 specific locations count, not a limit", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.staff().SpecificLocations = []string{"north"}
		s.maria.Locations = []string{"south"}
		s.limited("south")
	}, DoView, yes(RoleGrant)},
	{"R5 unknown specific locations are nowhere", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.staff().SpecificLocations = []string{"gone"}
	}, DoView, no(OutOfScope)},
	{"R5 an item without a location matches everywhere", func(s *scene) {
		s.gives(View, Everywhere)
		s.item.Locations = nil
	}, DoView, yes(RoleGrant)},
	{"R5 an item without a location matches no place", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.maria.Locations = []string{"hospital"}
		s.item.Locations = nil
	}, DoView, no(OutOfScope)},
	{"R5 an item without a location matches only_users", func(s *scene) {
		s.team("idea", Author)
		s.gives(Assign, OnlyUsers)
		s.item.Locations = nil
	}, DoAssign, yes(RoleGrant)},
	{"R5 before its end an assignment counts", func(s *scene) {
		s.gives(View, Everywhere)
		s.until(now.Add(time.Nanosecond))
	}, DoView, yes(RoleGrant)},
	{"R5 from its end on it does not", func(s *scene) {
		s.gives(View, Everywhere)
		s.until(now)
	}, DoView, no(NoGrant)},

	{"R6 simple: the responsible", func(s *scene) { s.team("idea", Responsible); s.gives(Assign, OnlyUsers) }, DoAssign, yes(RoleGrant)},
	{"R6 standard: the author", func(s *scene) { s.team("standard", Author); s.gives(Assign, OnlyUsers) }, DoAssign, yes(RoleGrant)},
	{"R6 simple: not the assigner", func(s *scene) { s.team("idea", Assigner); s.gives(Assign, OnlyUsers) }, DoAssign, no(OutOfScope)},
	{"R6 advanced: the facilitator", func(s *scene) { s.team("project", Facilitator); s.gives(Delete, OnlyUsers) }, DoDelete, yes(RoleGrant)},
	{"R6 advanced: not the author", func(s *scene) { s.team("project", Author); s.gives(Delete, OnlyUsers) }, DoDelete, no(OutOfScope)},
	{"R6 author-only: the author", func(s *scene) { s.team("note", Author); s.gives(TogglePrivate, OnlyUsers) }, DoTogglePrivate, yes(RoleGrant)},
	{"R6 author-only: not a follower", func(s *scene) { s.team("note", Follower); s.gives(Assign, OnlyUsers) }, DoAssign, no(OutOfScope)},
	{"R6 team_member: any team role", func(s *scene) {
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.team("idea", Follower)
		s.gives(Assign, OnlyUsers)
	}, DoAssign, yes(RoleGrant)},
	{"R6 team_member: nobody else", func(s *scene) {
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.seen()
		s.gives(Assign, OnlyUsers)
	}, DoAssign, no(OutOfScope)},

	{"R14 a deleted role gives nothing", func(s *scene) {
		s.seen()
		s.maria.Assignments[0].Role.ID = "gone"
	}, DoView, no(NoGrant)},
	{"R14 nobody holds a new role of an old id", func(s *scene) {
		s.seen()
		s.staff().Birth++
	}, DoView, no(NoGrant)},
}

// ofType makes maria a user of this type with every item right and the item's
// responsible.
func ofType(u UserType) func(*scene) {
	return func(s *scene) {
		s.maria.Type = u
		s.team("idea", Responsible)
		s.gives(Participate, Yes)
		for p := View; p < PermissionCount; p++ {
			s.gives(p, Everywhere)
		}
		s.staff().Admin.Escalation = Everywhere
	}
}

// offTeam is a scene in which nobody is on the item's team.
func offTeam(given func(*scene)) func(*scene) {
	return func(s *scene) {
		given(s)
		s.item.Team = nil
	}
}

// userTypeCases are U2 and U4.
var userTypeCases = []decideCase{
	{"U2 general: by roles", offTeam(ofType(General)), DoDelete, yes(RoleGrant)},
	{"U2 general: by team roles", ofType(General), DoEdit, yes(TeamMember)},
	{"U2 capture participates", ofType(Capture), DoParticipate, yes(RoleGrant)},
	{"U2 capture views items of its teams", ofType(Capture), DoView, yes(TeamMember)},
	{"U2 capture views nothing else, whatever its roles", offTeam(ofType(Capture)), DoView, no(WrongUserType)},
	{"U2 capture's type comes before the draft", func(s *scene) {
		offTeam(ofType(Capture))(s)
		s.item.Status = Draft
	}, DoView, no(WrongUserType)},
	{"U2 capture never edits", ofType(Capture), DoEdit, no(WrongUserType)},
	{"U2 wallboard views by roles", ofType(Wallboard), DoView, yes(RoleGrant)},
	{"U2 wallboard gets nothing by team", func(s *scene) {
		s.maria.Type = Wallboard
		s.team("idea", Responsible)
	}, DoView, no(NoGrant)},
	{"U2 wallboard sees no draft of its team", func(s *scene) {
		ofType(Wallboard)(s)
		s.item.Status = Draft
	}, DoView, no(IsDraft)},
	{"U2 wallboard never participates", ofType(Wallboard), DoParticipate, no(WrongUserType)},
	{"U2 wallboard never assigns", ofType(Wallboard), DoAssign, no(WrongUserType)},
	{"U2 kiosk participates", ofType(Kiosk), DoParticipate, yes(RoleGrant)},
	{"U2 kiosk participates by roles alone", func(s *scene) {
		s.maria.Type = Kiosk
		s.team("idea", Author)
	}, DoParticipate, no(NoGrant)},
	{"U2 kiosk never views", ofType(Kiosk), DoView, no(WrongUserType)},
	{"U2 offline gets nothing", ofType(Offline), DoParticipate, no(WrongUserType)},
	{"U2 setup gets nothing", ofType(Setup), DoView, no(WrongUserType)},
	{"U2 inactive gets nothing", ofType(Inactive), DoView, no(WrongUserType)},
	{"U2 a type that is none gets nothing", ofType(UserTypeCount), DoView, no(WrongUserType)},
	{"U4 escalate is a general user's", ofType(Wallboard), DoEscalate, no(WrongUserType)},

	{"U2 general signs in", nil, SignIn, yes(NoReason)},
	{"U2 capture signs in", func(s *scene) { s.maria.Type = Capture }, SignIn, yes(NoReason)},
	{"U2 wallboard signs in", func(s *scene) { s.maria.Type = Wallboard }, SignIn, yes(NoReason)},
	{"U2 kiosk does not sign in", func(s *scene) { s.maria.Type = Kiosk }, SignIn, no(WrongUserType)},
	{"U2 offline does not sign in", func(s *scene) { s.maria.Type = Offline }, SignIn, no(WrongUserType)},
	{"U2 setup does not sign in", func(s *scene) { s.maria.Type = Setup }, SignIn, no(WrongUserType)},
	{"U2 inactive does not sign in", func(s *scene) { s.maria.Type = Inactive }, SignIn, no(WrongUserType)},
}
