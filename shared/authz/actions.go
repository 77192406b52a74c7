package authz

// side says whose rights an action needs during an impersonation (I6).
type side uint8

const (
	// subjectAlone: item rights and advanced permissions, so that the actor
	// sees what the subject sees.
	subjectAlone side = iota
	// bothSides: admin actions, reads of admin data included.
	bothSides
)

// action is what is fixed of an action: its word, the type of resource that it
// is done on, and whose right it needs.
type action struct {
	word     string
	on       ResourceType
	needs    side
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

	AdministerUser:  {word: "administer", on: UserResource, needs: bothSides},
	ChangePersona:   {word: "change_persona", on: UserResource, needs: bothSides},
	ImpersonateUser: {word: "impersonate", on: UserResource, needs: bothSides},
	GrantRole:       {word: "grant_role", on: UserResource, needs: bothSides},
	RevokeRole:      {word: "revoke_role", on: UserResource, needs: bothSides},

	CreateUsers:         {word: "create_users", on: OrganizationResource, needs: bothSides},
	DoCreateBoards:      {word: "create_boards", on: OrganizationResource},
	DoCreateItemLists:   {word: "create_item_lists", on: OrganizationResource},
	DoShareItemLists:    {word: "share_item_lists", on: OrganizationResource},
	DoViewImpact:        {word: "view_impact", on: OrganizationResource},
	DoViewReportData:    {word: "view_report_data", on: OrganizationResource},
	DoItemsSection:      {word: "items_section", on: OrganizationResource},
	DoPeopleSection:     {word: "people_section", on: OrganizationResource},
	DoReportsSection:    {word: "reports_section", on: OrganizationResource},
	DoApproveMilestones: {word: "approve_milestones", on: OrganizationResource},
	AdministerAllUsers:  {word: "global_user_administrator", on: OrganizationResource, needs: bothSides},
	AdministerRoles:     {word: "role_administrator", on: OrganizationResource, needs: bothSides},
	AdministerQuality:   {word: "quality_administrator", on: OrganizationResource, needs: bothSides},
	AdministerSystem:    {word: "system_administrator", on: OrganizationResource, needs: bothSides},
	ReadAccess:          {word: "access_reader", on: OrganizationResource, needs: bothSides},
	WriteItems:          {word: "item_writer", on: OrganizationResource, needs: bothSides},

	AdministerBoard: {word: "administer", on: BoardResource, needs: bothSides},
	AdministerCard:  {word: "administer", on: CardResource, needs: bothSides},

	SignIn:              {word: "sign_in", on: OrganizationResource, internal: true},
	ReadAdministration:  {word: "read_administration", on: OrganizationResource, needs: bothSides, internal: true},
	ReadUser:            {word: "read_user", on: UserResource, needs: bothSides, internal: true},
	AdministerSomeUsers: {word: "administer_some_users", on: OrganizationResource, needs: bothSides, internal: true},
	RecordItems:         {word: "record_items", on: OrganizationResource, needs: bothSides, internal: true},
	ReadItems:           {word: "read_items", on: OrganizationResource, needs: bothSides, internal: true},
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
func (a Action) Admin() bool { return a.fixed().needs == bothSides }

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
