package authz

// action is what is fixed of an action.
type action struct {
	word     string
	on       ResourceType
	admin    bool // needs both sides of an impersonation (I6), reads of admin data included
	internal bool // of the API alone: no word from outside names it
}

// actions says it of each (C1, C7).
var actions = [ActionCount]action{
	DoParticipate:   {word: "participate", on: ItemResource},
	DoView:          {word: "view", on: ItemResource},
	DoEdit:          {word: "edit", on: ItemResource},
	DoRequest:       {word: "request", on: ItemResource},
	DoAssign:        {word: "assign", on: ItemResource},
	DoTogglePrivate: {word: "toggle_private", on: ItemResource},
	DoHonorRoll:     {word: "honor_roll", on: ItemResource},
	DoDelete:        {word: "delete", on: ItemResource},
	DoEscalate:      {word: "escalate", on: ItemResource},

	AdministerUser:  {word: "administer", on: UserResource, admin: true},
	ChangePersona:   {word: "change_persona", on: UserResource, admin: true},
	ImpersonateUser: {word: "impersonate", on: UserResource, admin: true},
	GrantRole:       {word: "grant_role", on: UserResource, admin: true},
	RevokeRole:      {word: "revoke_role", on: UserResource, admin: true},

	CreateUsers:         {word: "create_users", on: OrganizationResource, admin: true},
	DoCreateBoards:      {word: "create_boards", on: OrganizationResource},
	DoCreateItemLists:   {word: "create_item_lists", on: OrganizationResource},
	DoShareItemLists:    {word: "share_item_lists", on: OrganizationResource},
	DoViewImpact:        {word: "view_impact", on: OrganizationResource},
	DoViewReportData:    {word: "view_report_data", on: OrganizationResource},
	DoItemsSection:      {word: "items_section", on: OrganizationResource},
	DoPeopleSection:     {word: "people_section", on: OrganizationResource},
	DoReportsSection:    {word: "reports_section", on: OrganizationResource},
	DoApproveMilestones: {word: "approve_milestones", on: OrganizationResource},
	AdministerAllUsers:  {word: "global_user_administrator", on: OrganizationResource, admin: true},
	AdministerRoles:     {word: "role_administrator", on: OrganizationResource, admin: true},
	AdministerQuality:   {word: "quality_administrator", on: OrganizationResource, admin: true},
	AdministerSystem:    {word: "system_administrator", on: OrganizationResource, admin: true},
	ReadAccess:          {word: "access_reader", on: OrganizationResource, admin: true},
	WriteItems:          {word: "item_writer", on: OrganizationResource, admin: true},

	AdministerBoard: {word: "administer", on: BoardResource, admin: true},
	AdministerCard:  {word: "administer", on: CardResource, admin: true},

	SignIn:              {word: "sign_in", on: OrganizationResource, internal: true},
	ReadAdministration:  {word: "read_administration", on: OrganizationResource, admin: true, internal: true},
	ReadUser:            {word: "read_user", on: UserResource, admin: true, internal: true},
	AdministerSomeUsers: {word: "administer_some_users", on: OrganizationResource, admin: true, internal: true},
	CreateUser:          {word: "create_user", on: UserResource, admin: true, internal: true},
	PlaceUser:           {word: "place_user", on: UserResource, admin: true, internal: true},
	ChangePreferences:   {word: "change_preferences", on: UserResource, admin: true, internal: true},
	ReadItems:           {word: "read_items", on: OrganizationResource, admin: true, internal: true},
	RecordItems:         {word: "record_items", on: OrganizationResource, admin: true, internal: true},
}

// fixed is what is fixed of the action; for what is none, the zero value,
// which is on no resource.
func (a Action) fixed() action {
	if a < ActionCount {
		return actions[a]
	}
	return action{}
}

// String is the action's word. Those of the API alone have one for logs.
func (a Action) String() string { return a.fixed().word }

// On is the type of resource that the action is done on (C7).
func (a Action) On() ResourceType { return a.fixed().on }

// Admin is whether the action needs an admin permission on both sides of an
// impersonation (I6) and is an entry when it is denied (T1).
func (a Action) Admin() bool { return a.fixed().admin }

// ParseAction is the action on that type of resource with this word (C1, C7).
// No word names an action of the API alone.
func ParseAction(t ResourceType, word string) (Action, bool) {
	for a := NoAction + 1; a < ActionCount; a++ {
		if f := actions[a]; f.on == t && f.word == word && !f.internal {
			return a, true
		}
	}
	return NoAction, false
}
