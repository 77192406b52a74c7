package authz

import (
	"testing"
	"time"
)

// global makes staff a global user administration of these roles.
func (s *scene) global(roles ...RoleRef) {
	s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{Roles: roles}}
}

// local makes staff a local one.
func (s *scene) local(where Scope, roles ...RoleRef) {
	s.staff().Admin.Local = &UserAdministration{Scope: where, Grantable: Grantable{Roles: roles}}
}

// lead measures maria's rights from north, with tom at the ward below.
func (s *scene) lead() { s.maria.Locations = []string{"north"} }

// userCases are R10–R12 and C7 on users.
var userCases = []decideCase{
	{"R11 global administers everybody", func(s *scene) {
		s.global()
		s.tom.Locations = []string{"south"}
	}, AdministerUser, yes(RoleGrant)},
	{"R11 local administers below", func(s *scene) { s.lead(); s.local(LocationAndBelow) }, AdministerUser, yes(RoleGrant)},
	{"R11 local only_location does not reach below", func(s *scene) { s.lead(); s.local(OnlyLocation) }, AdministerUser, no(OutOfScope)},
	{"R11 local everywhere is no permission", func(s *scene) { s.lead(); s.local(Everywhere) }, AdministerUser, no(NoGrant)},
	{"R11 neither held", nil, AdministerUser, no(NoGrant)},
	{"R11 all of the target's locations", func(s *scene) {
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"ward", "south"}
	}, AdministerUser, no(OutOfScope)},
	{"R11 all of them covered", func(s *scene) {
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"ward", "north"}
	}, AdministerUser, yes(RoleGrant)},
	{"R11 any of them, if so chosen", func(s *scene) {
		s.policy.Settings.LocalReach = ReachAny
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"south", "ward"}
	}, AdministerUser, yes(RoleGrant)},
	{"R11 any: none of them", func(s *scene) {
		s.policy.Settings.LocalReach = ReachAny
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"south", "north"}
	}, AdministerUser, no(OutOfScope)},
	{"R11 an unknown location is not covered", func(s *scene) {
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"ward", "gone"}
	}, AdministerUser, no(OutOfScope)},
	{"R11 nor is it the first one", func(s *scene) {
		s.maria.Locations = []string{"hospital"}
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"gone"}
	}, AdministerUser, no(OutOfScope)},
	{"R11 nobody reaches a user without locations", func(s *scene) {
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = nil
	}, AdministerUser, no(OutOfScope)},
	{"R11 reach is that of one assignment", func(s *scene) {
		s.maria.Locations = []string{"ward", "south"}
		s.local(LocationAndBelow)
		s.limited("ward")
		s.maria.Assignments = append(s.maria.Assignments, Assignment{Role: ref("other"), Locations: []string{"south"}})
		s.other().Admin.Local = s.staff().Admin.Local
		s.tom.Locations = []string{"ward", "south"}
	}, AdministerUser, no(OutOfScope)},
	{"R5 reach is measured from the assignment's limit", func(s *scene) {
		s.maria.Locations = []string{"hospital", "south"}
		s.local(LocationAndBelow)
		s.limited("south")
	}, AdministerUser, no(OutOfScope)},
	{"R5 reach is measured from specific locations", func(s *scene) {
		s.maria.Locations = []string{"south"}
		s.staff().SpecificLocations = []string{"north"}
		s.local(LocationAndBelow)
	}, AdministerUser, yes(RoleGrant)},
	{"U4 administration is a general user's", func(s *scene) {
		s.global()
		s.maria.Type = Capture
	}, AdministerUser, no(WrongUserType)},

	{"P2 changing a persona is administering", func(s *scene) { s.lead(); s.local(LocationAndBelow) }, ChangePersona, yes(RoleGrant)},
	{"P2 plain users cannot", nil, ChangePersona, no(NoGrant)},
	{"P2 one's own persona included", func(s *scene) { s.resource = &Resource{Type: UserResource, User: &s.maria} }, ChangePersona, no(NoGrant)},

	{"R10 impersonate with global administration", func(s *scene) {
		s.global()
		s.staff().Admin.Impersonate = true
	}, ImpersonateUser, yes(RoleGrant)},
	{"R12 impersonate from one role, administration from another", func(s *scene) {
		s.lead()
		s.local(LocationAndBelow)
		s.holdsOther()
		s.other().Admin.Impersonate = true
	}, ImpersonateUser, yes(RoleGrant)},
	{"R10 impersonate reaches as far as the administration", func(s *scene) {
		s.local(OnlyLocation)
		s.staff().Admin.Impersonate = true
		s.tom.Locations = []string{"south"}
	}, ImpersonateUser, no(OutOfScope)},
	{"R10 impersonate alone is nothing", func(s *scene) { s.staff().Admin.Impersonate = true }, ImpersonateUser, no(NoGrant)},
	{"R10 administration alone does not impersonate", func(s *scene) { s.global() }, ImpersonateUser, no(NoGrant)},
	{"U4 impersonating is a general user's", func(s *scene) {
		s.global()
		s.staff().Admin.Impersonate = true
		s.maria.Type = Setup
	}, ImpersonateUser, no(WrongUserType)},
	{"U4 the type comes before the permission to impersonate", func(s *scene) { s.maria.Type = Capture }, ImpersonateUser, no(WrongUserType)},
	{"C7 what I1 refuses besides is not decided here", func(s *scene) {
		s.global()
		s.staff().Admin.Impersonate = true
		s.resource = &Resource{Type: UserResource, User: &s.maria}
	}, ImpersonateUser, yes(RoleGrant)},

	{"R12 a role on the list", func(s *scene) { s.global(ref("other")) }, GrantRole, yes(RoleGrant)},
	{"R12 a role not on the list", func(s *scene) { s.global(ref("staff")) }, GrantRole, no(NotGrantable)},
	{"R12 all roles", func(s *scene) { s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}} }, GrantRole, yes(RoleGrant)},
	{"R12 revoking is the same", func(s *scene) { s.lead(); s.local(LocationAndBelow, ref("other")) }, RevokeRole, yes(RoleGrant)},
	{"R12 revoking a role not on the list", func(s *scene) { s.lead(); s.local(LocationAndBelow) }, RevokeRole, no(NotGrantable)},
	{"R12 out of reach comes before the list", func(s *scene) { s.local(OnlyLocation); s.tom.Locations = []string{"south"} }, GrantRole, no(OutOfScope)},
	{"R12 without administration", nil, GrantRole, no(NoGrant)},
	{"R12 reach and list go with one permission", func(s *scene) {
		s.local(OnlyLocation, ref("other"))
		s.holdsOther()
		s.other().Admin.Global = &UserAdministration{Grantable: Grantable{Roles: []RoleRef{ref("staff")}}}
		s.tom.Locations = []string{"south"}
	}, GrantRole, no(NotGrantable)},
	{"R12 the local list serves where the global one does not", func(s *scene) {
		s.global()
		s.local(OnlyLocation, ref("other"))
	}, GrantRole, yes(RoleGrant)},
	{"R12 on oneself by the same rules", func(s *scene) {
		s.local(OnlyLocation, ref("other"))
		s.resource = &Resource{Type: UserResource, User: &s.maria, Role: "other"}
	}, GrantRole, yes(RoleGrant)},
	{"R14 an old list has no new role", func(s *scene) {
		s.global(RoleRef{ID: "other", Birth: birth - 1})
	}, GrantRole, no(NotGrantable)},
	{"R12 a role that does not exist", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
		s.resource = &Resource{Type: UserResource, User: &s.tom, Role: "gone"}
	}, GrantRole, no(UnknownResource)},
	{"R12 nor is it revoked", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
		s.resource = &Resource{Type: UserResource, User: &s.tom, Role: "gone"}
	}, RevokeRole, no(UnknownResource)},

	{"C12 oneself may be read", func(s *scene) { s.resource = &Resource{Type: UserResource, User: &s.maria} }, ReadUser, yes(NoReason)},
	{"C12 also by who gets nothing else", func(s *scene) {
		s.maria.Type = Setup
		s.resource = &Resource{Type: UserResource, User: &s.maria}
	}, ReadUser, yes(NoReason)},
	{"R11 an administrator reads others", func(s *scene) { s.global() }, ReadUser, yes(RoleGrant)},
	{"R11 others may not be read", nil, ReadUser, no(NoGrant)},
	{"R15 a user's own choice", func(s *scene) { s.resource = &Resource{Type: UserResource, User: &s.maria} }, ChangePreferences, yes(NoReason)},
	{"R11 an administrator's choice for others", func(s *scene) { s.global() }, ChangePreferences, yes(RoleGrant)},
	{"R11 nobody else's", nil, ChangePreferences, no(NoGrant)},

	{"R10 who creates users", func(s *scene) { s.global(); s.staff().Admin.Global.CreateUsers = true }, CreateUser, yes(RoleGrant)},
	{"R10 not without the option", func(s *scene) { s.global(); s.lead(); s.local(LocationAndBelow) }, CreateUser, no(NoGrant)},
	{"R12 local: inside the reach", func(s *scene) { s.lead(); s.creates(LocationAndBelow) }, CreateUser, yes(RoleGrant)},
	{"R12 local: not below only_location", func(s *scene) { s.lead(); s.creates(OnlyLocation) }, CreateUser, no(OutOfScope)},
	{"R12 local: all of the locations", func(s *scene) {
		s.lead()
		s.creates(LocationAndBelow)
		s.tom.Locations = []string{"ward", "south"}
	}, CreateUser, no(OutOfScope)},
	{"R12 … also where any reaches a user who is there", func(s *scene) {
		s.policy.Settings.LocalReach = ReachAny
		s.lead()
		s.creates(LocationAndBelow)
		s.tom.Locations = []string{"ward", "south"}
	}, CreateUser, no(OutOfScope)},
	{"R12 local: no place that does not exist", func(s *scene) {
		s.lead()
		s.creates(LocationAndBelow)
		s.tom.Locations = []string{"gone"}
	}, CreateUser, no(OutOfScope)},
	{"R12 the reach is that of the permission with create_users", func(s *scene) {
		s.creates(OnlyLocation)
		s.holdsOther()
		s.other().Admin.Global = &UserAdministration{}
		s.tom.Locations = []string{"south"}
	}, CreateUser, no(OutOfScope)},
	{"U4 creating is a general user's", func(s *scene) {
		s.creates(LocationAndBelow)
		s.maria.Type = Wallboard
	}, CreateUser, no(WrongUserType)},
	{"C8 nobody is created", about(Resource{Type: UserResource}), CreateUser, no(UnknownResource)},

	{"R12 global gives any location", func(s *scene) { s.global(); s.tom.Locations = nil; s.given("south") }, PlaceUser, yes(RoleGrant)},
	{"R12 local gives what is inside the reach", func(s *scene) { s.lead(); s.local(LocationAndBelow); s.given("north") }, PlaceUser, yes(RoleGrant)},
	{"R12 … and nothing else", func(s *scene) { s.lead(); s.local(LocationAndBelow); s.given("ward", "south") }, PlaceUser, no(OutOfScope)},
	{"R12 … nor what does not exist", func(s *scene) { s.lead(); s.local(LocationAndBelow); s.given("gone") }, PlaceUser, no(OutOfScope)},
	{"R12 giving none is administering", func(s *scene) { s.lead(); s.local(LocationAndBelow); s.given() }, PlaceUser, yes(RoleGrant)},
	{"R11 any: the target may be elsewhere, too", func(s *scene) {
		s.policy.Settings.LocalReach = ReachAny
		s.lead()
		s.local(LocationAndBelow)
		s.tom.Locations = []string{"ward", "south"}
		s.given("north")
	}, PlaceUser, yes(RoleGrant)},
	{"R12 any: what is given may not", func(s *scene) {
		s.policy.Settings.LocalReach = ReachAny
		s.lead()
		s.local(LocationAndBelow)
		s.given("ward", "south")
	}, PlaceUser, no(OutOfScope)},
	{"R12 one permission reaches user and location", func(s *scene) {
		s.local(OnlyLocation)
		s.maria.Assignments = append(s.maria.Assignments, Assignment{Role: ref("other"), Locations: []string{"south"}})
		s.maria.Locations = []string{"ward", "south"}
		s.limited("ward")
		s.other().Admin.Local = s.staff().Admin.Local
		s.given("south")
	}, PlaceUser, no(OutOfScope)},
	{"R11 a target out of reach is given nothing", func(s *scene) {
		s.local(OnlyLocation)
		s.tom.Locations = []string{"south"}
		s.given("ward")
	}, PlaceUser, no(OutOfScope)},
	{"R11 without administration nothing is given", nil, PlaceUser, no(NoGrant)},
}

// creates makes staff a local user administration with create_users.
func (s *scene) creates(where Scope) {
	s.local(where)
	s.staff().Admin.Local.CreateUsers = true
}

// given asks about tom, who is to get these locations.
func (s *scene) given(locations ...string) {
	s.resource = &Resource{Type: UserResource, User: &s.tom, Locations: locations}
}

// having gives staff these admin permissions.
func having(a Admin) func(*scene) { return func(s *scene) { s.staff().Admin = a } }

// may gives staff an advanced permission.
func may(a Advanced) func(*scene) {
	return func(s *scene) { s.staff().Advanced = []Advanced{a} }
}

var (
	someGlobal = &UserAdministration{}
	someLocal  = &UserAdministration{Scope: OnlyLocation}
)

// organizationCases are R9, R10 and C7 on the organization, boards and cards.
var organizationCases = []decideCase{
	{"R9 create_boards", may(CreateBoards), DoCreateBoards, yes(RoleGrant)},
	{"R9 create_item_lists", may(CreateItemLists), DoCreateItemLists, yes(RoleGrant)},
	{"R9 share_item_lists", may(ShareItemLists), DoShareItemLists, yes(RoleGrant)},
	{"R9 view_impact", may(ViewImpact), DoViewImpact, yes(RoleGrant)},
	{"R9 view_report_data", may(ViewReportData), DoViewReportData, yes(RoleGrant)},
	{"R9 items_section", may(ItemsSection), DoItemsSection, yes(RoleGrant)},
	{"R9 people_section", may(PeopleSection), DoPeopleSection, yes(RoleGrant)},
	{"R9 reports_section", may(ReportsSection), DoReportsSection, yes(RoleGrant)},
	{"R9 approve_milestones", may(ApproveMilestones), DoApproveMilestones, yes(RoleGrant)},
	{"R2 advanced permissions of two roles add up", func(s *scene) {
		may(CreateBoards)(s)
		s.holdsOther()
		s.other().Advanced = []Advanced{ViewImpact}
	}, DoViewImpact, yes(RoleGrant)},
	{"R2 admin permissions of two roles add up", func(s *scene) {
		s.global()
		s.holdsOther()
		s.other().Admin.System = true
	}, AdministerSystem, yes(RoleGrant)},
	{"R2 administration by the first of two roles", func(s *scene) { s.global(); s.holdsOther() }, AdministerUser, yes(RoleGrant)},
	{"R9 another is not create_boards", may(ApproveMilestones), DoCreateBoards, no(NoGrant)},
	{"R9 another is not create_item_lists", may(ShareItemLists), DoCreateItemLists, no(NoGrant)},
	{"R9 another is not share_item_lists", may(CreateItemLists), DoShareItemLists, no(NoGrant)},
	{"R9 another is not view_impact", may(ViewReportData), DoViewImpact, no(NoGrant)},
	{"R9 another is not view_report_data", may(ViewImpact), DoViewReportData, no(NoGrant)},
	{"R9 another is not items_section", may(PeopleSection), DoItemsSection, no(NoGrant)},
	{"R9 another is not people_section", may(ItemsSection), DoPeopleSection, no(NoGrant)},
	{"R9 another is not reports_section", may(ItemsSection), DoReportsSection, no(NoGrant)},
	{"R9 admin permissions give no advanced ones", having(Admin{Global: someGlobal, System: true}), DoApproveMilestones, no(NoGrant)},
	{"U4 advanced permissions are a general user's", func(s *scene) {
		may(CreateBoards)(s)
		s.maria.Type = Capture
	}, DoCreateBoards, no(WrongUserType)},

	{"R10 global_user_administrator", having(Admin{Global: someGlobal}), AdministerAllUsers, yes(RoleGrant)},
	{"R10 local is not global", having(Admin{Local: someLocal}), AdministerAllUsers, no(NoGrant)},
	{"R10 create_users is an option of global", having(Admin{Global: &UserAdministration{CreateUsers: true}}), CreateUsers, yes(RoleGrant)},
	{"R10 create_users is an option of local", having(Admin{Local: &UserAdministration{Scope: OnlyLocation, CreateUsers: true}}), CreateUsers, yes(RoleGrant)},
	{"R10 administration without the option", having(Admin{Global: someGlobal, Local: someLocal}), CreateUsers, no(NoGrant)},
	{"R10 role_administrator", having(Admin{Roles: true}), AdministerRoles, yes(RoleGrant)},
	{"R10 another is not role_administrator", having(Admin{System: true}), AdministerRoles, no(NoGrant)},
	{"R10 quality_administrator", having(Admin{Quality: true}), AdministerQuality, yes(RoleGrant)},
	{"R10 another is not quality_administrator", having(Admin{Roles: true}), AdministerQuality, no(NoGrant)},
	{"R10 system_administrator", having(Admin{System: true}), AdministerSystem, yes(RoleGrant)},
	{"R10 another is not system_administrator", having(Admin{Quality: true, Global: someGlobal}), AdministerSystem, no(NoGrant)},
	{"R10 access_reader", having(Admin{AccessReader: true}), ReadAccess, yes(RoleGrant)},
	{"R10 another is not access_reader", having(Admin{ItemWriter: true}), ReadAccess, no(NoGrant)},
	{"R10 item_writer", having(Admin{ItemWriter: true}), WriteItems, yes(RoleGrant)},
	{"R10 another is not item_writer", having(Admin{AccessReader: true, Quality: true}), WriteItems, no(NoGrant)},
	{"U4 admin permissions are a general user's", func(s *scene) {
		having(Admin{System: true})(s)
		s.maria.Type = Wallboard
	}, AdministerSystem, no(WrongUserType)},

	{"R10 admin data is read with global administration", having(Admin{Global: someGlobal}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with local administration", having(Admin{Local: someLocal}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with impersonate_user", having(Admin{Impersonate: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with role_administrator", having(Admin{Roles: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with quality_administrator", having(Admin{Quality: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with system_administrator", having(Admin{System: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with access_reader", having(Admin{AccessReader: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with item_writer", having(Admin{ItemWriter: true}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with board_administrator", having(Admin{Board: OnlyLocation}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with card_administrator", having(Admin{Card: OnlyLocation}), ReadAdministration, yes(RoleGrant)},
	{"R10 … with escalation_administrator", having(Admin{Escalation: OnlyLocation}), ReadAdministration, yes(RoleGrant)},
	{"R10 advanced permissions read no admin data", may(PeopleSection), ReadAdministration, no(NoGrant)},
	{"R11 a global administrator of some", having(Admin{Global: someGlobal}), AdministerSomeUsers, yes(RoleGrant)},
	{"R11 a local administrator of some", having(Admin{Local: someLocal}), AdministerSomeUsers, yes(RoleGrant)},
	{"R11 an administrator of none", having(Admin{Impersonate: true, System: true}), AdministerSomeUsers, no(NoGrant)},
	{"R10 an access reader reads the facts of items", having(Admin{AccessReader: true}), ReadItems, yes(RoleGrant)},
	{"R10 an item writer reads them", having(Admin{ItemWriter: true}), ReadItems, yes(RoleGrant)},
	{"R10 a quality administrator reads them", having(Admin{Quality: true}), ReadItems, yes(RoleGrant)},
	{"R10 no other administrator reads them", having(Admin{System: true, Roles: true, Global: someGlobal}), ReadItems, no(NoGrant)},
	{"R10 an item writer records the facts of items", having(Admin{ItemWriter: true}), RecordItems, yes(RoleGrant)},
	{"R10 a quality administrator records them", having(Admin{Quality: true}), RecordItems, yes(RoleGrant)},
	{"R10 an access reader does not", having(Admin{AccessReader: true, System: true}), RecordItems, no(NoGrant)},

	{"C7 a board in scope", having(Admin{Board: LocationAndBelow}), AdministerBoard, yes(RoleGrant)},
	{"C7 a board elsewhere", func(s *scene) {
		having(Admin{Board: LocationAndBelow})(s)
		s.resource = &Resource{Type: BoardResource, Locations: []string{"south", "gone"}}
	}, AdministerBoard, no(OutOfScope)},
	{"C7 a board without locations needs everywhere", func(s *scene) {
		having(Admin{Board: LocationAndBelow})(s)
		s.resource = &Resource{Type: BoardResource}
	}, AdministerBoard, no(OutOfScope)},
	{"C7 everywhere has it", func(s *scene) {
		having(Admin{Board: Everywhere})(s)
		s.resource = &Resource{Type: BoardResource}
	}, AdministerBoard, yes(RoleGrant)},
	{"C7 card administration is not board administration", having(Admin{Card: Everywhere}), AdministerBoard, no(NoGrant)},
	{"C7 a scope that boards cannot have gives nothing", having(Admin{Board: OnlyUsers}), AdministerBoard, no(NoGrant)},
	{"C7 a board below only_location", func(s *scene) {
		s.lead()
		having(Admin{Board: OnlyLocation})(s)
	}, AdministerBoard, no(OutOfScope)},
	{"R2 boards of two roles add up", func(s *scene) {
		having(Admin{Board: OnlyLocation})(s)
		s.holdsOther()
		s.other().Admin.Board = Everywhere
		s.resource = &Resource{Type: BoardResource, Locations: []string{"south"}}
	}, AdministerBoard, yes(RoleGrant)},
	{"C7 a scope that cards cannot have gives nothing", having(Admin{Card: OnlyUsers}), AdministerCard, no(NoGrant)},
	{"C7 a card elsewhere", func(s *scene) {
		having(Admin{Card: LocationAndBelow})(s)
		s.resource = &Resource{Type: CardResource, Locations: []string{"south"}}
	}, AdministerCard, no(OutOfScope)},
	{"C7 a card in scope", having(Admin{Card: OnlyLocation}), AdministerCard, yes(RoleGrant)},
	{"C7 board administration is not card administration", having(Admin{Board: Everywhere}), AdministerCard, no(NoGrant)},
	{"U4 boards are a general user's", func(s *scene) {
		having(Admin{Board: Everywhere})(s)
		s.maria.Type = Wallboard
	}, AdministerBoard, no(WrongUserType)},
}

// about asks about another resource.
func about(r Resource) func(*scene) { return func(s *scene) { s.resource = &r } }

// unknownCases are C8, in its order.
var unknownCases = []decideCase{
	{"C8 an unknown subject comes first", func(s *scene) {
		s.maria.ID = ""
		s.resource = &Resource{Type: ResourceTypeCount}
	}, DoView, no(UnknownSubject)},
	{"C8 no resource type", about(Resource{}), DoView, no(UnknownResourceType)},
	{"C8 an unknown resource type comes before the action", about(Resource{Type: ResourceTypeCount}), ActionCount, no(UnknownResourceType)},
	{"C8 an action of another resource type", about(Resource{Type: UserResource}), DoView, no(UnknownAction)},
	{"C8 no action", about(Resource{Type: ItemResource}), NoAction, no(UnknownAction)},
	{"C8 an unknown action comes before the resource", about(Resource{Type: ItemResource}), ActionCount, no(UnknownAction)},
	{"C8 a card is not a board", about(Resource{Type: CardResource}), AdministerBoard, no(UnknownAction)},
	{"C8 an unknown item comes before the user type", func(s *scene) {
		s.maria.Type = Inactive
		s.resource = &Resource{Type: ItemResource}
	}, DoView, no(UnknownResource)},
	{"C8 an unknown user", about(Resource{Type: UserResource}), AdministerUser, no(UnknownResource)},
	{"C8 an unknown template", func(s *scene) { s.item.Template = "gone" }, DoParticipate, no(UnknownResource)},
	{"C8 without a status there is no item", func(s *scene) { s.item.Status = NoStatus }, DoView, no(UnknownResource)},
	{"C8 also for who holds everything", func(s *scene) { s.everything(); s.item.Status = NoStatus }, DoView, no(UnknownResource)},
	{"C8 unknown locations never match", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.maria.Locations, s.item.Locations = []string{"gone"}, []string{"gone"}
	}, DoView, no(OutOfScope)},
	{"C8 unknown team members never match", func(s *scene) { s.item.Team[Author] = []string{"", "Maria"} }, DoView, no(NoGrant)},
}

func TestC11ASubjectOfAnotherModelIsNobody(t *testing.T) {
	s := newScene()
	s.seen()
	m := Compile(s.policy)
	subject := m.Subject(s.maria, now)
	next := m.With(Change{Delete: Names{Roles: []string{"staff"}}})
	if d := next.Decide(subject, DoView, s.usually(DoView)); d != no(UnknownSubject) {
		t.Errorf("%+v: a decision from two states of the policy", d)
	}
	if d := m.Decide(subject, DoView, s.usually(DoView)); d != yes(RoleGrant) {
		t.Errorf("%+v: the subject's own model changed", d)
	}
}

func TestR13FullAdministrator(t *testing.T) {
	for _, c := range []struct {
		name  string
		given func(*scene)
		want  bool
	}{
		{"R13 all is in order", func(*scene) {}, true},
		{"R13 of type general", func(s *scene) { s.maria.Type = Capture }, false},
		{"R13 with sign-in", func(s *scene) { s.maria.SignIn = false }, false},
		{"R13 global user administration", func(s *scene) { s.staff().Admin.Global = nil }, false},
		{"R13 not the local one", func(s *scene) { s.staff().Admin = Admin{Local: s.staff().Admin.Global} }, false},
		{"R13 of all roles", func(s *scene) { s.global(ref("staff"), ref("other")) }, false},
		{"R13 without specific locations", func(s *scene) { s.staff().SpecificLocations = []string{"ward"} }, false},
		{"R13 without an end", func(s *scene) { s.until(now.Add(time.Hour)) }, false},
		{"R14 in a role that lives", func(s *scene) { s.staff().Birth++ }, false},
		{"R13 held at all", func(s *scene) { s.maria.Assignments = nil }, false},
		{"R13 one of two assignments is enough", func(s *scene) {
			s.maria.Assignments = []Assignment{{Role: ref("other")}, {Role: ref("staff")}}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			s.maria.SignIn = true
			s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
			c.given(s)
			if got := Compile(s.policy).FullAdministrator(s.maria); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
